// Threads allocate, and free each other's blocks.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, BLOCKS = 100000, PLACES = 256 };
static void *places[PLACES];
static long wrong;

static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = 16 + rand_r(&seed) % 4000;
        size_t *block = malloc(size);
        block[0] = size;
        memset((char *)block + 8, (int)size, size - 8);
        size_t *other = __atomic_exchange_n(&places[rand_r(&seed) % PLACES], block, __ATOMIC_ACQ_REL);
        if (other != NULL) {
            size_t had = other[0];
            for (size_t b = 8; b < had; b++)
                if (((unsigned char *)other)[b] != (unsigned char)had) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
            if (i % 3 == 0) other = realloc(other, had * 2);
            free(other);
        }
    }
    return (void *)((long)argument * 2);
}

int main(void) {
    pthread_t threads[THREADS];
    long sum = 0;
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("results %ld wrong %ld\n", sum, wrong);
    return 0;
}
