// `sigset`, `sigignore`, `sighold`, `sigrelse` and `siginterrupt`, on signals of all kinds, beside handlers on the alternate
// stack: what was set is what was there.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int hits;
static void one(int number) { hits += number != 0; }
static void two(int number) { hits += 100 * (number != 0); }

int main(void) {
    int numbers[] = {SIGSEGV, SIGBUS, SIGUSR1, SIGPROF, SIGRTMIN, SIGRTMIN + 10, SIGRTMAX};
    for (int i = 0; i < 7; i++) {
        int number = numbers[i];
        struct sigaction action = {.sa_handler = one, .sa_flags = SA_ONSTACK | SA_RESTART}, old;
        sigaddset(&action.sa_mask, SIGUSR2);
        hits = 0;
        printf("%d:", i);
        printf(" %d", sigset(number, one) == SIG_DFL);
        printf(" %d", sigaction(number, &action, &old) == 0 && old.sa_handler == one);
        raise(number);
        printf(" %d", sigset(number, SIG_HOLD) == one);
        raise(number);
        printf(" hits %d", hits);
        printf(" %d", sigset(number, two) == SIG_HOLD);
        printf(" hits %d", hits);
        sigaction(number, &action, NULL);
        printf(" %d", signal(number, two) == one);
        sigaction(number, &action, NULL);
        printf(" %d", sysv_signal(number, two) == one);
        sigaction(number, &action, NULL);
        printf(" %d", siginterrupt(number, 1));
        sigaction(number, NULL, &old);
        printf(" flags %x masked %d %d %d", old.sa_flags & ~0x04000000, sigismember(&old.sa_mask, SIGUSR2),
               sigismember(&old.sa_mask, number), old.sa_handler == one);
        siginterrupt(number, 0);
        sigaction(number, NULL, &old);
        printf(" flags %x", old.sa_flags & ~0x04000000);
        sighold(number);
        raise(number);
        printf(" hits %d", hits);
        sigrelse(number);
        printf(" hits %d", hits);
        printf(" ignored %d", sigignore(number));
        raise(number);
        printf(" hits %d default %d\n", hits, sigset(number, SIG_DFL) == SIG_IGN);
    }
    // A handler that asks for the alternate stack, and blocks every signal there is itself.
    struct sigaction action = {.sa_handler = two, .sa_flags = SA_ONSTACK | SA_RESETHAND}, old;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR1, NULL, &old);
    printf("all %d", memcmp(&old.sa_mask, &action.sa_mask, 8) == 0 || sigismember(&old.sa_mask, SIGRTMIN + 10));
    hits = 0;
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    printf(" hits %d reset %d\n", hits, old.sa_handler == SIG_DFL);
    printf("bad %d %d %d\n", sigaction(SIGKILL, &action, NULL), sigaction(99, &action, NULL), sigaction(-1, NULL, &old));
    return 0;
}
