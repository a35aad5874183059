// Calls that wait are not interrupted, while other threads work: no EINTR where nobody sent a signal.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile int stop;
static void *works(void *argument) {
    char *to = malloc(100000), *from = calloc(1, 100000);
    while (!stop) memcpy(to, from, 100000);
    free(to), free(from);
    return argument;
}
static int interrupted;
static void note(int result) {
    if (result < 0 && errno == EINTR) __atomic_fetch_add(&interrupted, 1, __ATOMIC_RELAXED);
}
static void *waits(void *argument) {
    int ends[2], pair[2], queue = epoll_create1(0);
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) abort();
    struct timeval timeout = {0, 3000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < 30; i++) {
        // Some work before each wait, so that the thread's clock has run.
        for (int n = 0; n < 2000; n++) free(malloc(n * 10));
        struct timespec pause = {0, 3000000}, until;
        struct pollfd polled = {ends[0], POLLIN, 0};
        struct epoll_event event;
        struct timeval selected = {0, 3000};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        char byte;
        note(nanosleep(&pause, NULL));
        note(usleep(3000));
        note(poll(&polled, 1, 3));
        note(select(ends[0] + 1, &set, NULL, NULL, &selected));
        note(epoll_wait(queue, &event, 1, 3));
        note((int)recv(pair[0], &byte, 1, 0));
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 3000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        note(sem_timedwait(&semaphore, &until));
        note(-clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL) == -EINTR ? (errno = EINTR, -1) : 0);
    }
    close(ends[0]), close(ends[1]), close(pair[0]), close(pair[1]), close(queue);
    return argument;
}

int main(void) {
    pthread_t busy, threads[3];
    pthread_create(&busy, NULL, works, NULL);
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, waits, NULL);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    stop = 1;
    pthread_join(busy, NULL);
    printf("interrupted %d\n", interrupted);
    return 0;
}
