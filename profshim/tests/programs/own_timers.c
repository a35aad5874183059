// The program's own timers and profiling signals: their handlers run, their numbers begin where they would.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long profiled, alarmed, virtual_time, real_time, values;
static void handler(int number, siginfo_t *info, void *context) {
    if (number == SIGPROF) profiled++;
    if (number == SIGALRM) alarmed++;
    if (number == SIGVTALRM) virtual_time++;
    if (number == SIGRTMIN + 2) real_time++, values += info->si_value.sival_int == 42 && info->si_code == SI_TIMER;
    (void)context;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    int numbers[] = {SIGPROF, SIGALRM, SIGVTALRM, SIGRTMIN + 2};
    for (int i = 0; i < 4; i++) sigaction(numbers[i], &action, NULL);
    struct itimerval every = {{0, 4000}, {0, 4000}}, seen, none = {0};
    setitimer(ITIMER_PROF, &every, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    setitimer(ITIMER_VIRTUAL, &every, NULL);
    timer_t timer, on_thread;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 42};
    int made = timer_create(CLOCK_MONOTONIC, &event, &timer), also = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &on_thread);
    struct itimerspec often = {{0, 4000000}, {0, 4000000}};
    timer_settime(timer, 0, &often, NULL);
    timer_settime(on_thread, 0, &often, NULL);
    char *block = NULL;
    while (profiled < 10 || alarmed < 10 || virtual_time < 5 || real_time < 20) {
        free(block);
        block = calloc(1, 50000);
        memmove(block + 1, block, 40000);
    }
    getitimer(ITIMER_PROF, &seen);
    printf("made %d %d interval %ld values %d\n", made, also, (long)seen.it_interval.tv_usec, values == real_time);
    timer_delete(timer);
    timer_delete(on_thread);
    for (int which = 0; which < 3; which++) setitimer(which, &none, NULL);
    setitimer(ITIMER_PROF, &none, &seen);
    printf("off %ld\n", (long)seen.it_value.tv_usec);
    return 0;
}
