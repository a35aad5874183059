// Thousands of short threads, one after the other and some at once; creating one with bad attributes fails.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void *work(void *argument) {
    free(malloc(100));
    return argument;
}

int main(void) {
    long sum = 0;
    for (long i = 0; i < 3000; i++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, work, (void *)i) != 0) return 1;
        pthread_join(thread, &result);
        sum += (long)result;
    }
    pthread_t together[200];
    for (long i = 0; i < 200; i++)
        if (pthread_create(&together[i], NULL, work, (void *)i) != 0) return 2;
    for (int i = 0; i < 200; i++) pthread_join(together[i], NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
    pthread_t none;
    printf("sum %ld refused %d\n", sum, pthread_create(&none, &attributes, work, NULL));
    return 0;
}
