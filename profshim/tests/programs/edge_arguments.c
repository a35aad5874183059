// Every function of the malloc family with odd arguments: what it returns, its errno, its alignment.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The usable size itself depends on what the heap had left over.
static void show(const char *what, void *block, size_t alignment, size_t size) {
    int error = errno;
    printf("%s: %s errno %d aligned %d usable %d\n", what, block ? "block" : "null", error,
           block ? (int)((uintptr_t)block % alignment == 0) : -1, malloc_usable_size(block) >= size);
    free(block);
    errno = 0;
}

int main(void) {
    volatile size_t most = SIZE_MAX;
    size_t sizes[] = {0, 1, 24, 25, 4096, 1 << 20, (size_t)1 << 46, PTRDIFF_MAX, most - 4096, most};
    char what[100];
    errno = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i];
#define TRY(alignment, ...) (snprintf(what, sizeof what, "%s size %zu", #__VA_ARGS__, size), show(what, __VA_ARGS__, alignment, size))
        TRY(16, malloc(size));
        TRY(16, calloc(1, size));
        TRY(16, calloc(size, 2));
        TRY(16, calloc(most, size));
        TRY(16, realloc(NULL, size));
        TRY(16, reallocarray(NULL, size, 1));
        TRY(16, reallocarray(NULL, size, most));
        TRY(4096, valloc(size));
        TRY(4096, pvalloc(size));
        size_t alignments[] = {0, 1, 3, 8, 16, 64, 4096, 1 << 21, most / 2 + 1, most};
        for (size_t j = 0; j < sizeof alignments / sizeof *alignments; j++) {
            size_t alignment = alignments[j], real = alignment && !(alignment & (alignment - 1)) ? alignment : 1;
            printf("alignment %zu ", alignment);
            TRY(real, aligned_alloc(alignment, size));
            printf("alignment %zu ", alignment);
            TRY(real, memalign(alignment, size));
            void *block = (void *)-1;
            int result = posix_memalign(&block, alignment, size);
            printf("posix_memalign %zu %zu: %d errno %d ", alignment, size, result, errno);
            if (result == 0) {
                printf("aligned %d\n", (uintptr_t)block % real == 0);
                free(block);
            } else {
                printf("untouched %d\n", block == (void *)-1);
            }
        }
    }
    char *kept = malloc(100);
    strcpy(kept, "kept");
    void *volatile failed = realloc(kept, most / 2);
    printf("failed realloc: %d errno %d %s\n", failed == NULL, errno, kept);
    errno = 0;
    failed = reallocarray(kept, most, 16);
    printf("failed reallocarray: %d errno %d %s\n", failed == NULL, errno, kept);
    errno = 7;
    free(kept);
    printf("free: errno %d\n", errno);
    free(NULL);
    printf("free(NULL): errno %d\n", errno);
    void *volatile none = realloc(malloc(10), 0);
    printf("realloc to 0: %d errno %d\n", none == NULL, errno);
    printf("usable size of null %zu\n", malloc_usable_size(NULL));
    errno = 7;
    free(malloc(64 << 20));
    printf("free of a mapping: errno %d\n", errno);
    unsigned char *zero = calloc(1000, 1000);
    size_t dirty = 0;
    for (int i = 0; i < 1000000; i++) dirty += zero[i] != 0;
    printf("calloc: %zu dirty\n", dirty);
    return 0;
}
