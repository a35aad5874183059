// Takes every real-time signal for itself, once it works and then every 10 ms; each signal that it sends arrives, and
// none that it did not send.
#include "mirror.h"
#include <errno.h>
#include <time.h>

static volatile long arrived[65], foreign;

static void handler(int number, siginfo_t *info, void *context) {
    if (info->si_code == SI_QUEUE && info->si_pid == getpid()) arrived[number]++;
    else foreign++;
}

static double at(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int install(void) {
    int refused = 0;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) refused += sigaction(number, &action, NULL) != 0;
    return refused;
}

int main(int count, char **words) {
    double end = at(CLOCK_MONOTONIC) + (count > 1 ? atof(words[1]) : 1);
    long sent = 0, refused = 0, lost = 0;
    if (count > 2 && strcmp(words[2], "again") == 0) {
        // From before the start of the profiler: a handler does not survive exec, but it is a program's first act.
        refused += install();
    }
    while (at(CLOCK_MONOTONIC) < end) {
        refused += install();
        double until = at(CLOCK_MONOTONIC) + 0.01;
        while (at(CLOCK_MONOTONIC) < until) free(malloc(3000));
        for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
            sent += sigqueue(getpid(), number, (union sigval){.sival_int = number}) == 0;
            struct sigaction now;
            sigaction(number, NULL, &now);
            lost += now.sa_sigaction != handler;
        }
    }
    long all = 0;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) all += arrived[number];
    printf("all arrived %d, foreign %ld, refused %ld, lost %ld\n", all == sent, foreign, refused, lost);
    mirror_tell();
    return 0;
}
