// Started with all signals blocked, then with all ignored too: masks and dispositions are the parent's, threads
// inherit them, nothing is pending, and what is unblocked at last meets no signal that nobody sent.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void burn(void) {
    struct timespec now, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    do {
        for (volatile int i = 0; i < 100000; i++) {}
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - end.tv_sec) * 1000000000L + now.tv_nsec - end.tv_nsec < 60000000);
}
static void show(const char *what) {
    sigset_t mask, waiting;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    sigpending(&waiting);
    int blocked = 0, pending = 0, ignored = 0;
    for (int number = 1; number <= SIGRTMAX; number++) {
        struct sigaction action;
        blocked += sigismember(&mask, number) == 1;
        pending += sigismember(&waiting, number) == 1;
        if (number != 32 && number != 33) sigaction(number, NULL, &action), ignored += action.sa_handler == SIG_IGN;
    }
    printf("%s: blocked %d pending %d ignored %d\n", what, blocked, pending, ignored);
    fflush(stdout);
}
static void *work(void *argument) {
    burn();
    show("thread");
    return argument;
}

int main(int count, char **arguments) {
    int step = count > 1 ? atoi(arguments[1]) : 0;
    char next[] = {(char)('1' + step), 0}, *const again[] = {arguments[0], next, NULL};
    sigset_t all;
    sigfillset(&all);
    if (step > 0) {
        show("start");
        burn();
        pthread_t thread;
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
        show("end");
    }
    if (step == 3) {
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        burn();
        show("open");
        return 4;
    }
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (step == 1)
        for (int number = 1; number <= SIGRTMAX; number++) signal(number, SIG_IGN);
    if (step == 2)
        for (int number = 1; number <= SIGRTMAX; number++) signal(number, SIG_DFL);
    execv("/proc/self/exe", again);
    return 9;
}
