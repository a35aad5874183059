// Blocks from before any constructor ran are kept, measured, grown, shrunk, copied and freed later, by other threads too.
#include "mirror.h"
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>

enum { BLOCKS = 60 };
static unsigned char *blocks[BLOCKS];

static size_t size_of(int i) { return 1 + (size_t)i * i * 7; }

static void early(int count, char **words, char **environment) {
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = size_of(i);
        switch (i % 5) {
            case 0: blocks[i] = malloc(size); break;
            case 1: blocks[i] = calloc(size, 1); break;
            case 2: blocks[i] = realloc(NULL, size); break;
            case 3: blocks[i] = aligned_alloc(64, size); break;
            default: blocks[i] = realloc(malloc(size / 2), size); break;
        }
        memset(blocks[i], i + 1, size);
    }
}
__attribute__((section(".preinit_array"), used)) static void (*entry)(int, char **, char **) = early;

static long wrong;

static void *uses(void *argument) {
    long bad = 0;
    for (int i = (int)(long)argument; i < BLOCKS; i += 2) {
        size_t size = size_of(i), kept = size < 10 ? size : 10;
        bad += malloc_usable_size(blocks[i]) < size;
        for (size_t at = 0; at < size; at++) bad += blocks[i][at] != i + 1;
        if (i % 3 == 0) blocks[i] = realloc(blocks[i], size * 20 + 100);
        if (i % 3 == 1) blocks[i] = realloc(blocks[i], kept);
        for (size_t at = 0; at < kept; at++) bad += blocks[i][at] != i + 1;
        free(blocks[i]);
    }
    __atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, uses, (void *)i);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("blocks %d wrong %ld\n", BLOCKS, wrong);
    mirror_tell();
    return 0;
}
