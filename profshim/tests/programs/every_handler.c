// Handlers for every signal there is, set before main, in it, and again and again by another thread: each signal that was
// sent arrives once, where it was sent to, and dispositions are what was set last. Argument: milliseconds.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile long arrived[65], foreign, changed;
static volatile int stop;
static void handler(int number, siginfo_t *info, void *context) {
    if (info->si_code == SI_QUEUE && info->si_value.sival_int == number + 1000) __atomic_fetch_add(&arrived[number], 1, __ATOMIC_RELAXED);
    else __atomic_fetch_add(&foreign, 1, __ATOMIC_RELAXED);
    (void)context;
}
static int may_be_set(int number) {
    return number != SIGKILL && number != SIGSTOP && number != 32 && number != 33;
}
static void set_all(int flags) {
    for (int number = 1; number <= SIGRTMAX; number++) {
        struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | flags}, seen;
        if (!may_be_set(number)) continue;
        sigaction(number, &action, NULL);
        sigaction(number, NULL, &seen);
        changed += seen.sa_sigaction != handler || (seen.sa_flags & ~0x04000000) != action.sa_flags;
    }
}
__attribute__((constructor)) static void early(void) {
    set_all(0);
}
static void *again(void *argument) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int round = 0; !stop; round++) {
        struct timespec pause = {0, 10000000};
        set_all(round % 2 ? SA_ONSTACK : 0);
        nanosleep(&pause, NULL);
    }
    return argument;
}

int main(int count, char **arguments) {
    long millis = count > 1 ? atol(arguments[1]) : 150, sent = 0, wrong = 0;
    struct timespec now;
    pthread_t thread;
    set_all(0);
    pthread_create(&thread, NULL, again, NULL);
    do {
        for (int number = 1; number <= SIGRTMAX; number++)
            if (may_be_set(number)) sigqueue(getpid(), number, (union sigval){.sival_int = number + 1000});
        sent++;
        for (volatile int i = 0; i < 20000; i++) {}
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < millis);
    stop = 1;
    pthread_join(thread, NULL);
    for (int number = 1; number <= SIGRTMAX; number++) wrong += arrived[number] != (may_be_set(number) ? sent : 0);
    printf("wrong %ld foreign %ld changed %ld\n", wrong, foreign, changed);
    signal(SIGUSR1, SIG_DFL);
    return 0;
}
