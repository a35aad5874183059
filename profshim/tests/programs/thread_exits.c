// Threads that end by return, pthread_exit from depth, and cancellation; cleanup handlers run; main leaves
// by pthread_exit while a thread goes on, and the status is the one that thread gives.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int cleanups;
static void cleanup(void *argument) { __atomic_fetch_add(&cleanups, (int)(long)argument, __ATOMIC_RELAXED); }

static void deep(int depth) {
    volatile char room[100];
    room[0] = (char)depth;
    if (depth == 0) pthread_exit((void *)42L);
    deep(depth - 1);
    room[1] = room[0];
}
static void *leaves(void *argument) {
    pthread_cleanup_push(cleanup, (void *)1L);
    deep(50);
    pthread_cleanup_pop(0);
    return argument;
}
static void *waits(void *argument) {
    pthread_cleanup_push(cleanup, (void *)100L);
    for (;;) pause();
    pthread_cleanup_pop(0);
    return argument;
}
static void *survives(void *argument) {
    void *result;
    pthread_join(*(pthread_t *)argument, &result);
    printf("main left with %ld\n", (long)result);
    exit(5);
}

int main(void) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, leaves, NULL);
    pthread_join(thread, &result);
    printf("left with %ld\n", (long)result);
    pthread_create(&thread, NULL, waits, NULL);
    usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled %d cleanups %d\n", result == PTHREAD_CANCELED, cleanups);
    static pthread_t me;
    me = pthread_self();
    pthread_create(&thread, NULL, survives, &me);
    pthread_exit((void *)9L);
}
