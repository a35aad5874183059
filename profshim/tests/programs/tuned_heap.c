// The same work on a heap that GLIBC_TUNABLES set up in other ways, by exec in place.
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *settings[] = {
    "glibc.malloc.perturb=90",
    "glibc.malloc.tcache_count=0",
    "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=4096",
    "glibc.malloc.mxfast=0:glibc.malloc.top_pad=0:glibc.malloc.trim_threshold=1",
    "glibc.malloc.hugetlb=1",
};
static void *work(void *argument) {
    long sum = 0;
    for (int i = 0; i < 3000; i++) {
        unsigned char *zero = calloc(1, i * 7 % 9000 + 1), *block = malloc(100);
        sum += zero[i * 7 % 9000];
        memset(block, i, 100);
        block = realloc(block, i % 12000 + 100);
        sum += block[99];
        free(zero);
        free(block);
    }
    (void)argument;
    return (void *)sum;
}

int main(int argc, char **argv) {
    int at = argc > 1 ? atoi(argv[1]) : 0;
    pthread_t threads[3];
    long sum = 0;
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    unsigned char *block = malloc(20000);
    printf("%d: sum %ld perturbed %d\n", at, sum, at == 1 && block[50] == (90 ^ 0xff));
    fflush(stdout);
    if (at == sizeof settings / sizeof *settings) return 3;
    char next[10];
    snprintf(next, sizeof next, "%d", at + 1);
    setenv("GLIBC_TUNABLES", settings[at], 1);
    execl("/proc/self/exe", argv[0], next, (char *)NULL);
    return 1;
}
