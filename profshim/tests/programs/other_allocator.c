// library: linked
// A library with an allocator of its own, which the whole program uses because it is linked to it.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef LIBRARY
// Each block has its size and a mark in front, at another distance than libc's.
typedef struct Head { size_t size, mark, free; } Head;
enum { MARK = 0x5ca1ab1e };
static char *area, *area_end;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long live, strangers;
void *memalign(size_t alignment, size_t size) {
    if (alignment < 16) alignment = 16;
    if (size > PTRDIFF_MAX) return errno = ENOMEM, NULL;
    size_t need = size + alignment + 64;
    pthread_mutex_lock(&lock);
    if (area == NULL || (size_t)(area_end - area) < need) {
        size_t room = need > (8 << 20) ? need : 8 << 20;
        area = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        area_end = area + room;
    }
    char *block = (char *)(((uintptr_t)area + 32 + alignment - 1) & -alignment);
    area = block + ((size + 15) & -16);
    ((Head *)(block - 32))->size = size;
    ((Head *)(block - 32))->mark = MARK;
    __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    return block;
}
static Head *head_of(void *block) {
    Head *head = (Head *)((char *)block - 32);
    if (head->mark != MARK) __atomic_fetch_add(&strangers, 1, __ATOMIC_RELAXED);
    return head;
}
void *malloc(size_t size) { return memalign(16, size); }
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void free(void *block) {
    if (block == NULL) return;
    head_of(block)->mark = 0;
    __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
}
void *realloc(void *block, size_t size) {
    void *moved = malloc(size);
    if (block != NULL && moved != NULL) {
        size_t had = head_of(block)->size;
        memcpy(moved, block, had < size ? had : size);
        free(block);
    }
    return moved;
}
size_t malloc_usable_size(void *block) { return block ? head_of(block)->size : 0; }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **into, size_t alignment, size_t size) { return (*into = memalign(alignment, size)) ? 0 : ENOMEM; }
void *valloc(size_t size) { return memalign(4096, size); }
void *pvalloc(size_t size) { return memalign(4096, (size + 4095) & -4096); }
void report(long *alive, long *unknown) { *alive = live, *unknown = strangers; }
#else
void report(long *alive, long *unknown);
static void *work(void *argument) {
    for (int i = 0; i < 5000; i++) {
        char *text = strdup("from libc");
        text = realloc(text, 10 + i % 300);
        if (strcmp(text, "from libc") != 0 || malloc_usable_size(text) != (size_t)(10 + i % 300)) abort();
        free(text);
    }
    return argument;
}
int main(void) {
    long before, after, strangers;
    printf("begins\n");
    report(&before, &strangers);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    void *blocks[5] = {calloc(10, 10), aligned_alloc(256, 100), valloc(10), pvalloc(10), NULL};
    if (posix_memalign(&blocks[4], 64, 100) != 0) return 1;
    report(&after, &strangers);
    // Each thread may leave what libc keeps for the next one.
    printf("held %d strangers %ld\n", after - before >= 5 && after - before < 30, strangers);
    return 0;
}
#endif
