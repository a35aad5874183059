// Threads that create threads and end at once, while all of them allocate: arenas change hands.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long total;
static void *inner(void *block) {
    // Freed by a thread that did not allocate it, and that ends at once.
    long value = *(long *)block;
    free(block);
    void *mine = malloc(value % 3000 + 1);
    memset(mine, 1, value % 3000 + 1);
    free(mine);
    __atomic_fetch_add(&total, value, __ATOMIC_RELAXED);
    return NULL;
}
static void *outer(void *argument) {
    for (long i = 0; i < 60; i++) {
        pthread_t threads[3];
        for (int t = 0; t < 3; t++) {
            long *block = malloc(1000);
            *block = i * 3 + t + (long)argument;
            if (pthread_create(&threads[t], NULL, inner, block) != 0) abort();
        }
        for (int t = 0; t < 3; t++) pthread_join(threads[t], NULL);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[6];
    for (long i = 0; i < 6; i++) pthread_create(&threads[i], NULL, outer, (void *)(i * 1000));
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    printf("total %ld\n", total);
    return 0;
}
