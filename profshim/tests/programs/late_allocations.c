// Destructors of thread-specific values allocate and free, in every round that libc grants.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_key_t keys[3];
static int rounds[3], freed;

static void again(void *value) {
    for (int k = 0; k < 3; k++) {
        char *block = malloc(1000);
        block[999] = 1;
        free(block);
    }
    int *left = value;
    __atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
    int key = left[1];
    __atomic_fetch_add(&rounds[key], 1, __ATOMIC_RELAXED);
    if (--left[0] > 0) pthread_setspecific(keys[key], left);
    else free(left);
}
static void *work(void *argument) {
    for (int k = 0; k < 3; k++) {
        int *left = malloc(2 * sizeof *left);
        left[0] = k + 1;
        left[1] = k;
        pthread_setspecific(keys[k], left);
    }
    return argument;
}

int main(void) {
    for (int k = 0; k < 3; k++) pthread_key_create(&keys[k], again);
    for (int i = 0; i < 1000; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
    }
    printf("rounds %d %d %d freed %d\n", rounds[0], rounds[1], rounds[2], freed);
    return 0;
}
