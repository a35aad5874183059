// All of a block's usable size may be written, and it never shrinks below what was asked for.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    int wrong = 0;
    for (size_t size = 0; size < 300000; size += size < 2000 ? 1 : 4099) {
        void *blocks[5] = {malloc(size), calloc(1, size), realloc(malloc(3), size + 1), memalign(256, size), NULL};
        if (posix_memalign(&blocks[4], 4096, size) != 0) wrong++;
        for (int i = 0; i < 5; i++) {
            size_t usable = malloc_usable_size(blocks[i]);
            wrong += usable < size;
            if (i == 1)
                for (size_t b = 0; b < size; b++) wrong += ((char *)blocks[1])[b] != 0;
            memset(blocks[i], i + 1, usable);
        }
        for (int i = 0; i < 5; i++) {
            size_t usable = malloc_usable_size(blocks[i]);
            for (size_t b = 0; b < usable; b += 13) wrong += ((char *)blocks[i])[b] != i + 1;
            // A resize to what it has anyway keeps all of it.
            blocks[i] = realloc(blocks[i], usable + (usable == 0));
            for (size_t b = 0; b < usable; b += 17) wrong += ((char *)blocks[i])[b] != i + 1;
            free(blocks[i]);
        }
    }
    printf("wrong %d of null %zu\n", wrong, malloc_usable_size(NULL));
    return 0;
}
