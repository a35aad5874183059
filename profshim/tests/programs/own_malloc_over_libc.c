// A program whose malloc counts and goes on to the next one, looked up at its first use.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*next_malloc)(size_t), *(*next_calloc)(size_t, size_t), *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static __thread int inside;
static long mallocs, frees;
static char pool[4096];
static size_t pool_used;

static void find(void) {
    inside++;
    next_calloc = dlsym(RTLD_NEXT, "calloc");
    next_realloc = dlsym(RTLD_NEXT, "realloc");
    next_free = dlsym(RTLD_NEXT, "free");
    next_malloc = dlsym(RTLD_NEXT, "malloc");
    inside--;
}
static void *early(size_t size) {
    void *block = pool + pool_used;
    pool_used += (size + 15) & -16;
    return block;
}
static int is_early(void *block) { return (char *)block >= pool && (char *)block < pool + sizeof pool; }
void *malloc(size_t size) {
    if (next_malloc == NULL) {
        if (inside) return early(size);
        find();
    }
    __atomic_fetch_add(&mallocs, 1, __ATOMIC_RELAXED);
    return next_malloc(size);
}
void *calloc(size_t count, size_t size) {
    if (next_malloc == NULL) {
        if (inside) return early(count * size);
        find();
    }
    return next_calloc(count, size);
}
void *realloc(void *block, size_t size) {
    if (next_malloc == NULL) find();
    return next_realloc(block, size);
}
void free(void *block) {
    if (block == NULL || is_early(block)) return;
    __atomic_fetch_add(&frees, 1, __ATOMIC_RELAXED);
    if (next_malloc == NULL) find();
    next_free(block);
}

static void *work(void *argument) {
    for (int i = 0; i < 1000; i++) {
        char *text = strdup("some text");
        free(realloc(text, 100 + i));
    }
    return argument;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    long before = mallocs, freed = frees;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("mallocs %ld frees %ld\n", mallocs - before, frees - freed);
    return 0;
}
