// Signals that a program ignores are ignored by what it execs in its place, from a fork and from a vfork, and by what it
// spawns; those that have a handler are not. An exec in vain changes nothing.
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void show(const char *what) {
    printf("%s ignores", what);
    for (int number = 1; number <= SIGRTMAX; number++) {
        struct sigaction action = {0};
        sigaction(number, NULL, &action);
        if (action.sa_handler == SIG_IGN) printf(" %d", number);
    }
    printf("\n");
    fflush(stdout);
}
static void note(int number) { (void)number; }
static void burn(void) {
    for (volatile int i = 0; i < 30000000; i++) {}
}
static void ignore_all(void) {
    for (int number = 1; number <= SIGRTMAX; number++)
        if (number != SIGCHLD) signal(number, SIG_IGN);
}

int main(int count, char **arguments) {
    char *const image = "/proc/self/exe";
    if (count > 1) {
        show(arguments[1]);
        if (strcmp(arguments[1], "in place") != 0) return 0;
        burn();
        return 3;
    }
    ignore_all();
    signal(SIGUSR2, note);
    signal(SIGRTMAX, note);
    for (int way = 0; way < 4; way++) {
        char *const names[] = {"vforked", "forked", "spawned", "handled"}, *child[] = {"child", names[way], NULL};
        if (way == 3) signal(SIGSEGV, note), signal(SIGBUS, SIG_DFL), signal(SIGRTMIN + 10, note);
        pid_t pid;
        if (way == 2) posix_spawn(&pid, image, NULL, NULL, child, environ);
        else if ((pid = way == 1 ? fork() : vfork()) == 0) {
            execv("/nowhere/at/all", child);
            execv(image, child);
            _exit(9);
        }
        waitpid(pid, NULL, 0);
        burn();
    }
    ignore_all();
    char *const last[] = {"child", "in place", NULL};
    execv("/nowhere/at/all", last);
    burn();
    raise(SIGSEGV), raise(SIGBUS);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) raise(number);
    signal(SIGBUS, SIG_DFL);
    execv(image, last);
    return 9;
}
