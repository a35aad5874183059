// Allocations that fail for want of address space, on several threads: null and ENOMEM, and all works again after.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int wrong, errnos;
static void expect(int yes) {
    if (!yes) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}
static void *work(void *argument) {
    size_t much = (size_t)4 << 30;
    void *block = &block;
    for (int i = 0; i < 50; i++) {
        errno = 0;
        expect(malloc(much) == NULL && errno == ENOMEM);
        errno = 0;
        expect(calloc(much / 8, 8) == NULL && errno == ENOMEM);
        errno = 0;
        expect(aligned_alloc(64, much) == NULL && errno == ENOMEM);
        errno = 0;
        expect(posix_memalign(&block, 64, much) == ENOMEM && block == &block);
        errnos = errno;
        char *kept = malloc(100);
        strcpy(kept, "kept");
        errno = 0;
        expect(realloc(kept, much) == NULL && errno == ENOMEM && strcmp(kept, "kept") == 0);
        free(kept);
    }
    return argument;
}

int main(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (fscanf(file, "%ld", &pages) != 1) return 1;
    fclose(file);
    struct rlimit limit, low;
    getrlimit(RLIMIT_AS, &limit);
    low = limit;
    low.rlim_cur = pages * 4096 + ((size_t)1 << 30);
    setrlimit(RLIMIT_AS, &low);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    // Until nothing more is to be had, in blocks that need no more than a page table.
    long blocks = 0;
    void **last = NULL, **block;
    while ((block = malloc(16 << 20)) != NULL) {
        *block = last;
        last = block;
        blocks++;
    }
    expect(errno == ENOMEM && blocks > 30 && blocks < 70);
    while (last != NULL) {
        block = *last;
        free(last);
        last = block;
    }
    setrlimit(RLIMIT_AS, &limit);
    block = malloc((size_t)2 << 30);
    printf("wrong %d, errno of posix_memalign %d, again %d\n", wrong, errnos, block != NULL);
    free(block);
    return 0;
}
