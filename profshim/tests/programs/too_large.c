// Every function refuses what is larger than PTRDIFF_MAX, in every form: null, ENOMEM, and blocks stay as they are.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong, calls, errnos;
static void refused(void *block) {
    calls++;
    if (block != NULL || errno != ENOMEM) wrong++;
    errno = 0;
}

int main(void) {
    volatile size_t most = SIZE_MAX;
    char *kept = malloc(16);
    strcpy(kept, "kept");
    errno = 0;
    for (size_t i = 0; i < 1000; i++) {
        size_t size = most - i * (i < 500 ? 1 : 4096);
        refused(malloc(size));
        refused(realloc(kept, size));
        refused(calloc(1, size));
        refused(calloc(size, 1));
        refused(reallocarray(kept, size, 1));
        refused(reallocarray(kept, 1, size));
        refused(memalign(64, size));
        refused(aligned_alloc(64, size));
        refused(valloc(size));
        refused(pvalloc(size));
        void *untouched = kept;
        if (posix_memalign(&untouched, 64, size) != ENOMEM || untouched != kept) wrong++;
        errnos += errno;
        errno = 0;
    }
    // Products that wrap around to something small.
    for (int bits = 33; bits < 64; bits++) {
        size_t count = (size_t)1 << bits, size = (size_t)1 << (64 - bits);
        refused(calloc(count, size));
        refused(calloc(size, count));
        refused(reallocarray(kept, count, size));
        refused(reallocarray(kept, count + 1, size));
        refused(reallocarray(NULL, most / 2 + 1 + bits, 2));
    }
    for (size_t half = (size_t)PTRDIFF_MAX + 1, i = 0; i < 100; i++) {
        refused(malloc(half + i));
        refused(realloc(kept, half + i));
        refused(calloc(half / 2 + i, 2));
    }
    printf("calls %d wrong %d %s, errnos of posix_memalign %d\n", calls, wrong, kept, errnos);
    free(kept);
    return 0;
}
