// A long random mix of all functions, each block's bytes checked whenever it is touched.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 500, STEPS = 200000 };
static struct { unsigned char *bytes; size_t size; unsigned char fill; } places[PLACES];
static unsigned long state = 88172645463325252ul;
static unsigned long next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
static size_t any_size(void) {
    unsigned long r = next();
    return r % 1000 == 0 ? next() % 3000000 : r % 10 == 0 ? next() % 30000 : next() % 600;
}

int main(void) {
    long wrong = 0, sum = 0;
    for (int step = 0; step < STEPS; step++) {
        int i = next() % PLACES;
        size_t had = places[i].size, size = any_size();
        for (size_t b = 0; b < had; b += 1 + had / 64) wrong += places[i].bytes[b] != places[i].fill;
        void *block = NULL;
        int resized = 0;
        unsigned long way = next() % 10;
        if (way != 8 && way != 9) free(places[i].bytes);
        switch (way) {
            case 0: case 1: case 2: case 3: block = malloc(size); break;
            case 4:
                block = calloc(1, size);
                for (size_t b = 0; b < size; b++) wrong += ((unsigned char *)block)[b] != 0;
                break;
            case 5: block = aligned_alloc(1 << (4 + next() % 9), size); break;
            case 6: if (posix_memalign(&block, 8 << next() % 10, size) != 0) wrong++; break;
            case 7: size = 0; break;
            case 8: block = realloc(places[i].bytes, size = size + 1), resized = 1; break;
            case 9: block = reallocarray(places[i].bytes, size = size / 3 + 1, 1), resized = 1; break;
        }
        if (resized)
            for (size_t b = 0; b < had && b < size; b += 1 + had / 64) wrong += ((unsigned char *)block)[b] != places[i].fill;
        places[i].bytes = block;
        places[i].size = block == NULL ? 0 : size;
        places[i].fill = (unsigned char)step;
        if (block != NULL) memset(block, step, size);
        sum += size;
    }
    printf("wrong %ld sum %ld\n", wrong, sum);
    return 0;
}
