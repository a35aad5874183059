// A user who may queue twenty signals, and timers count as such: two hundred threads at work, and the program makes the
// timers and queues the signals that it needs. Argument: milliseconds for each thread.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 200, LIMIT = 20, WANTED = 5 };
static long millis = 2;
static pthread_barrier_t together;
static void *work(void *argument) {
    struct timespec now;
    pthread_barrier_wait(&together);
    do {
        for (volatile int i = 0; i < 10000; i++) {}
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < millis);
    pthread_barrier_wait(&together);
    return argument;
}

int main(int count, char **arguments) {
    if (getenv("FEW_QUEUED_SIGNALS") == NULL) {
        // In a user namespace of its own nobody else's signals count. Where that is forbidden, all have room.
        struct rlimit few = {LIMIT, LIMIT};
        if (unshare(CLONE_NEWUSER) == 0) setrlimit(RLIMIT_SIGPENDING, &few);
        setenv("FEW_QUEUED_SIGNALS", "1", 1);
        execv("/proc/self/exe", arguments);
        return 9;
    }
    if (count > 1) millis = atol(arguments[1]);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigprocmask(SIG_BLOCK, &one, NULL);
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    pthread_barrier_init(&together, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], &attributes, work, NULL);
    pthread_barrier_wait(&together);
    int made = 0, queued = 0;
    timer_t timers[WANTED];
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    for (int i = 0; i < WANTED; i++) made += timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0;
    event.sigev_signo = SIGRTMIN;
    for (int i = 0; i < WANTED; i++) queued += sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = i}) == 0;
    printf("timers %d queued %d\n", made, queued);
    for (int i = 0; i < made; i++) timer_delete(timers[i]);
    pthread_barrier_wait(&together);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return 0;
}
