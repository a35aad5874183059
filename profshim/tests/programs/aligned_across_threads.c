// Aligned blocks of random alignment and size, allocated on one thread and freed or resized on another.
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 6, STEPS = 20000, PLACES = 128 };
typedef struct Block { size_t size; uintptr_t alignment; unsigned char bytes[]; } Block;
static Block *places[PLACES];
static long wrong;

static Block *make(unsigned *seed) {
    size_t alignment = (size_t)16 << rand_r(seed) % 9, size = sizeof(Block) + rand_r(seed) % 6000;
    void *memory = NULL;
    switch (rand_r(seed) % 3) {
        case 0: memory = aligned_alloc(alignment, size); break;
        case 1: memory = memalign(alignment, size); break;
        default: if (posix_memalign(&memory, alignment, size) != 0) abort();
    }
    Block *block = memory;
    if ((uintptr_t)block % alignment != 0) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    block->size = size - sizeof *block;
    block->alignment = alignment;
    memset(block->bytes, (int)alignment + (int)size, block->size);
    return block;
}
static void check(const Block *block, size_t size) {
    unsigned char byte = (unsigned char)(block->alignment + block->size + sizeof *block);
    for (size_t i = 0; i < size; i++)
        if (block->bytes[i] != byte) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}
static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (int i = 0; i < STEPS; i++) {
        Block *block = make(&seed);
        block = __atomic_exchange_n(&places[rand_r(&seed) % PLACES], block, __ATOMIC_ACQ_REL);
        if (block == NULL) continue;
        check(block, block->size);
        if (i % 4 == 0) {
            size_t had = block->size;
            block = realloc(block, sizeof *block + had * 2);
            check(block, had);
        }
        free(block);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("wrong %ld\n", wrong);
    return 0;
}
