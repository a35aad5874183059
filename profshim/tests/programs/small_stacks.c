// Threads on the smallest stacks there are, which allocate, copy and print with little room left.
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char source[5000];
static void *work(void *argument) {
    long sum = 0;
    for (int i = 0; i < 3000; i++) {
        char *block = realloc(malloc(i % 3000 + 1), i % 4000 + 1);
        memcpy(block, source, i % 4000 + 1);
        sum += block[i % 4000];
        free(block);
    }
    (void)argument;
    return (void *)sum;
}

int main(void) {
    for (size_t i = 0; i < sizeof source; i++) source[i] = (char)(i % 100);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) != 0) return 1;
    pthread_t threads[10];
    long sum = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 10; i++)
            if (pthread_create(&threads[i], &attributes, work, NULL) != 0) return 2;
        for (int i = 0; i < 10; i++) {
            void *result;
            pthread_join(threads[i], &result);
            sum += (long)result;
        }
    }
    printf("sum %ld\n", sum);
    return 0;
}
