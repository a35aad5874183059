// Threads cancelled at any moment of allocating and copying: cleanups run, and nobody is left with a lock.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long cleaned;
static void clean(void *block) {
    free(*(void **)block);
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}
static char from[100000];
static __thread volatile char to[10];
static void *deferred(void *argument) {
    void *block = NULL;
    pthread_cleanup_push(clean, &block);
    for (size_t i = 0;; i++) {
        block = malloc(i % 10000 + 1);
        memcpy(block, from, i % 10000 + 1);
        pthread_testcancel();
        free(block);
        block = NULL;
    }
    pthread_cleanup_pop(0);
    return argument;
}
static void *at_once(void *argument) {
    void *block = malloc(1000);
    int old;
    pthread_cleanup_push(clean, &block);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    // Calls nothing: neither malloc nor memcpy may be cancelled in their midst.
    for (;;) to[7]++;
    pthread_cleanup_pop(0);
    return argument;
}
static void *blocked(void *argument) {
    void *block = malloc(1000);
    pthread_cleanup_push(clean, &block);
    char byte;
    if (read(*(int *)argument, &byte, 1) < 0) abort();
    pthread_cleanup_pop(0);
    return argument;
}

int main(void) {
    int ends[2], cancelled = 0;
    if (pipe(ends) != 0) return 1;
    void *(*ways[])(void *) = {deferred, at_once, blocked};
    for (int i = 0; i < 90; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, ways[i % 3], &ends[0]);
        struct timespec pause = {0, 500000 + i * 10000};
        nanosleep(&pause, NULL);
        if (i % 3 == 1) usleep(3000);
        pthread_cancel(thread);
        void *result;
        pthread_join(thread, &result);
        cancelled += result == PTHREAD_CANCELED;
        free(malloc(100000));
    }
    printf("cancelled %d cleaned %ld\n", cancelled, cleaned);
    return 0;
}
