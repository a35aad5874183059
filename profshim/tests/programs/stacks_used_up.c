// Threads that go down to the last bytes of their stacks and stay there at work: with an alternate stack to 3 KiB before
// the end, without one to 8 KiB; then one overflows, and its handler finds it. Argument: milliseconds for each.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long millis = 40;
static __thread char *end;
static __thread sigjmp_buf back;
static volatile int forever = 1;
static void burn(void) {
    struct timespec now, then;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &then);
    do {
        for (volatile int i = 0; i < 10000; i++) {}
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - then.tv_sec) * 1000 + (now.tv_nsec - then.tv_nsec) / 1000000 < millis);
}
static int dive(long left) {
    volatile char room[100];
    room[7] = 1;
    if ((char *)room - end < left) burn();
    else return dive(left) + room[7];
    return 1;
}
static int overflow(int depth) {
    volatile char room[500];
    memset((char *)room, depth, sizeof room);
    return forever ? overflow(depth + 1) + room[7] : 0;
}
static void caught(int number) {
    burn();
    siglongjmp(back, number);
}
static void *work(void *argument) {
    pthread_attr_t attributes;
    void *bottom;
    size_t size, guard;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &size);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    // The clock's code is looked up by the linker at the first call, which takes much stack.
    burn();
    end = bottom;
    stack_t stack = {.ss_size = 65536, .ss_sp = malloc(65536)}, off = {.ss_flags = SS_DISABLE};
    int dived = dive(8192 + 512) > 100, met = 0;
    sigaltstack(&stack, NULL);
    dived += dive(3072) > 100;
    for (volatile int i = 0; i < 5; i++) {
        if (sigsetjmp(back, 1) == 0) overflow(0);
        else met++;
    }
    sigaltstack(&off, NULL);
    free(stack.ss_sp);
    (void)argument;
    return (void *)(long)(dived * 100 + met);
}

int main(int count, char **arguments) {
    if (count > 1) millis = atol(arguments[1]);
    struct sigaction action = {.sa_handler = caught, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], &attributes, work, NULL);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        printf("thread %ld\n", (long)result);
    }
    return 0;
}
