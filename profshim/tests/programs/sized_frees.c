// C23's sized frees where the C library has them (or whoever else does), and the old cfree; plain free elsewhere.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((weak)) void free_sized(void *, size_t);
__attribute__((weak)) void free_aligned_sized(void *, size_t, size_t);

static void give_back(void *block, size_t alignment, size_t size) {
    errno = 5;
    if (alignment != 0 && free_aligned_sized != NULL) free_aligned_sized(block, alignment, size);
    else if (alignment == 0 && free_sized != NULL) free_sized(block, size);
    else free(block);
    if (errno != 5) printf("errno changed\n");
}

int main(void) {
    int wrong = 0;
    give_back(NULL, 0, 0);
    give_back(NULL, 64, 128);
    for (int round = 0; round < 2000; round++)
        for (size_t size = 0; size < 3000; size += 211) {
            char *block = malloc(size), *zero = calloc(size, 3), *aligned = aligned_alloc(64, size & -64);
            wrong += block == NULL || zero == NULL || aligned == NULL;
            memset(block, round, size);
            memset(aligned, round, size & -64);
            give_back(block, 0, size);
            give_back(zero, 0, size * 3);
            give_back(aligned, 64, size & -64);
        }
    // All of it can be had again: what was freed was freed.
    printf("wrong %d, held %d\n", wrong, mallinfo2().uordblks > 1000000);
    return 0;
}
