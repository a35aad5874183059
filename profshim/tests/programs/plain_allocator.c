// library: linked
// A library's allocator with only the functions that glibc's manual asks for: nobody else can tell a block's size, and
// in front of a block there may be nothing at all.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef LIBRARY
// Each block is a mapping of its own behind a page that nobody may touch; sizes are kept elsewhere.
enum { PLACES = 4096, PAGE = 4096 };
static struct { char *block; size_t size; } places[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int find(const void *block) {
    for (int i = 0; i < PLACES; i++)
        if (places[i].block == block) return i;
    abort();
}
void *malloc(size_t size) {
    size_t room = ((size + PAGE - 1) & -PAGE) + PAGE;
    char *map = size > PTRDIFF_MAX ? MAP_FAILED : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return errno = ENOMEM, NULL;
    mprotect(map, PAGE, PROT_NONE);
    pthread_mutex_lock(&lock);
    int i = find(NULL);
    places[i].block = map + PAGE;
    places[i].size = size;
    pthread_mutex_unlock(&lock);
    return map + PAGE;
}
static size_t take(char *block) {
    pthread_mutex_lock(&lock);
    int i = find(block);
    size_t size = places[i].size;
    places[i].block = NULL;
    pthread_mutex_unlock(&lock);
    return size;
}
void free(void *block) {
    if (block == NULL) return;
    int error = errno;
    munmap((char *)block - PAGE, ((take(block) + PAGE - 1) & -PAGE) + PAGE);
    errno = error;
}
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void *realloc(void *block, size_t size) {
    char *moved = malloc(size);
    if (block == NULL || moved == NULL) return moved;
    pthread_mutex_lock(&lock);
    size_t had = places[find(block)].size;
    pthread_mutex_unlock(&lock);
    memcpy(moved, block, had < size ? had : size);
    free(block);
    return moved;
}
long held(void) {
    long count = 0;
    for (int i = 0; i < PLACES; i++) count += places[i].block != NULL;
    return count;
}
#else
long held(void);
static void *work(void *argument) {
    long wrong = 0;
    for (int i = 1; i < 500; i++) {
        char *text = strdup("from libc");
        text = realloc(text, 20 * i + 10);
        wrong += strcmp(text, "from libc") != 0;
        memset(text, i, 20 * i + 10);
        text = realloc(text, 10);
        wrong += text[9] != (char)i;
        free(text);
    }
    (void)argument;
    return (void *)wrong;
}
int main(void) {
    pthread_t threads[3];
    long wrong = 0;
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (long)result;
    }
    printf("wrong %ld\n", wrong);
    printf("held %d\n", held() > 0 && held() < 50);
    return 0;
}
#endif
