// Signals interrupt allocations and copies on all threads; their handlers copy, and keep the errno of what they broke.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3 };
static volatile int stop;
static long handled, wrong;
static char source[3000];

static void handler(int number, siginfo_t *info, void *context) {
    char copy[3000];
    memcpy(copy, source, sizeof copy);
    memmove(copy + 1, copy, 2000);
    if (copy[1000] != source[999]) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
    (void)number, (void)info, (void)context;
}
static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    char *blocks[32] = {0};
    while (!stop) {
        int i = rand_r(&seed) % 32;
        size_t size = 100 + rand_r(&seed) % 3000;
        errno = 12345;
        free(blocks[i]);
        if (errno != 12345) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        blocks[i] = realloc(malloc(size / 2), size);
        memcpy(blocks[i], source, size > sizeof source ? sizeof source : size);
        if (memcmp(blocks[i], source, 100) != 0) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        if (errno != 12345) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    }
    for (int i = 0; i < 32; i++) free(blocks[i]);
    return NULL;
}

int main(void) {
    for (size_t i = 0; i < sizeof source; i++) source[i] = (char)(i * 5);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN + 3, &action, NULL);
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 3000; i++) {
        pthread_kill(threads[i % THREADS], i % 2 ? SIGUSR1 : SIGRTMIN + 3);
        struct timespec pause = {0, 50000};
        nanosleep(&pause, NULL);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("wrong %ld, handled %d\n", wrong, handled >= 1500);
    return 0;
}
