// A program with a malloc family of its own: libc's functions and threads use it, and nothing is mixed up.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char heap[64 << 20] __attribute__((aligned(4096)));
static size_t used;
static int foreign;

void *memalign(size_t alignment, size_t size) {
    if (size > sizeof heap / 2) return errno = ENOMEM, NULL;
    if (alignment < 16) alignment = 16;
    size_t need = size + alignment + 16, at = __atomic_fetch_add(&used, need, __ATOMIC_RELAXED);
    if (at + need > sizeof heap) return errno = ENOMEM, NULL;
    char *block = (char *)(((uintptr_t)heap + at + 16 + alignment - 1) & -alignment);
    ((size_t *)block)[-1] = size;
    return block;
}
static int is_mine(void *block) { return (char *)block >= heap && (char *)block < heap + sizeof heap; }
void *malloc(size_t size) { return memalign(16, size); }
void free(void *block) {
    if (block != NULL && !is_mine(block)) __atomic_fetch_add(&foreign, 1, __ATOMIC_RELAXED);
}
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void *realloc(void *block, size_t size) {
    if (block != NULL && !is_mine(block)) __atomic_fetch_add(&foreign, 1, __ATOMIC_RELAXED);
    void *moved = malloc(size);
    if (block != NULL && moved != NULL) {
        size_t had = ((size_t *)block)[-1];
        memcpy(moved, block, had < size ? had : size);
    }
    return moved;
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **into, size_t alignment, size_t size) { return (*into = memalign(alignment, size)) ? 0 : ENOMEM; }
void *valloc(size_t size) { return memalign(4096, size); }
void *pvalloc(size_t size) { return memalign(4096, (size + 4095) & -4096); }
size_t malloc_usable_size(void *block) { return block ? ((size_t *)block)[-1] : 0; }

__attribute__((weak)) void free_sized(void *, size_t);

static void *work(void *argument) {
    char *text = NULL;
    for (int i = 0; i < 100; i++) {
        free(text);
        if (asprintf(&text, "thread %ld round %d", (long)argument, i) < 0) return NULL;
    }
    return text;
}

int main(void) {
    pthread_t threads[8];
    for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < 8; i++) {
        void *text;
        pthread_join(threads[i], &text);
        printf("%s mine %d\n", (char *)text, is_mine(text));
        free(text);
    }
    char *copy = strdup("copied by libc");
    copy = realloc(copy, 1000);
    copy = reallocarray(copy, 100, 20);
    if (free_sized != NULL) free_sized(malloc(10), 10);
    void *array = reallocarray(NULL, 10, 10);
    printf("%s mine %d array %d foreign %d\n", copy, is_mine(copy), array != NULL, foreign);
    return 0;
}
