// What a vfork child does to its signals before it execs is its own affair: the parent's handlers stay and are called.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int hits;
static void handler(int number) { hits += number != 0; }

int main(int count, char **arguments) {
    const int numbers[] = {SIGSEGV, SIGBUS, SIGUSR1, SIGRTMIN + 10, SIGRTMAX};
    if (count > 1) {
        printf("child ignores");
        for (int number = 1; number <= SIGRTMAX; number++) {
            struct sigaction action = {0};
            sigaction(number, NULL, &action);
            if (action.sa_handler != SIG_DFL) printf(" %d", number);
        }
        printf("\n");
        return 0;
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART}, seen;
    for (int way = 0; way < 3; way++) {
        for (int i = 0; i < 5; i++) sigaction(numbers[i], &action, NULL);
        if (way == 2) signal(SIGSEGV, SIG_IGN), signal(SIGRTMIN + 10, SIG_IGN), signal(SIGUSR1, SIG_IGN);
        fflush(stdout);
        pid_t child = vfork();
        if (child == 0) {
            char *const again[] = {"again", "child", NULL};
            for (int i = 0; i < 5; i++) {
                struct sigaction to = {.sa_handler = way == 1 ? SIG_IGN : SIG_DFL};
                if (i % 2) signal(numbers[i], to.sa_handler);
                else sigaction(numbers[i], &to, NULL);
            }
            execv("/proc/self/exe", again);
            _exit(9);
        }
        waitpid(child, NULL, 0);
        int kept = 0;
        hits = 0;
        for (int i = 0; i < 5; i++) {
            sigaction(numbers[i], NULL, &seen);
            kept += seen.sa_handler == handler;
            raise(numbers[i]);
        }
        printf("way %d kept %d hits %d\n", way, kept, hits);
    }
    return 0;
}
