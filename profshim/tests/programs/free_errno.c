// free leaves errno alone: blocks of the heap, of other threads' arenas, aligned ones, mappings of their own.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 8, BLOCKS = 400 };
static void *blocks[KINDS * BLOCKS];
static int wrong;

static void *make(void *argument) {
    for (int i = 0; i < BLOCKS; i++) {
        void **at = blocks + i * KINDS;
        at[0] = malloc(i);
        at[1] = malloc(5000 + i);
        at[2] = calloc(i, 300);
        at[3] = realloc(malloc(10), 200000);
        at[4] = aligned_alloc(4096, 4096);
        at[5] = memalign(1 << 16, 100);
        at[6] = valloc(100 * i);
        if (posix_memalign(&at[7], 64, 3000) != 0) at[7] = NULL;
        for (int k = 1; k < KINDS; k++)
            if (at[k]) memset(at[k], 1, k == 2 ? i * 300 : k == 6 ? i * 100 : 10);
    }
    return argument;
}
static void *give_back(void *argument) {
    for (int i = 0; i < KINDS * BLOCKS; i++) {
        errno = i + 1;
        free(blocks[i]);
        if (errno != i + 1) wrong++;
    }
    return argument;
}

int main(void) {
    pthread_t thread;
    make(NULL);
    give_back(NULL);
    make(NULL);
    pthread_create(&thread, NULL, give_back, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, make, NULL);
    pthread_join(thread, NULL);
    give_back(NULL);
    for (int i = 0; i < 20; i++) {
        void *large = malloc(100 << 20);
        errno = 77;
        free(large);
        if (errno != 77) wrong++;
    }
    errno = 78;
    malloc_trim(0);
    printf("wrong %d\n", wrong);
    return 0;
}
