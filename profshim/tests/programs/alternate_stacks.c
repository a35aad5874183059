// Stack overflows caught on alternate stacks, on several threads and more than once; the stacks are the program's.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread sigjmp_buf back;
static __thread stack_t mine;
static int elsewhere;
static void overflown(int number, siginfo_t *info, void *context) {
    char here;
    if (&here < (char *)mine.ss_sp || &here >= (char *)mine.ss_sp + mine.ss_size) __atomic_fetch_add(&elsewhere, 1, __ATOMIC_RELAXED);
    (void)info, (void)context;
    siglongjmp(back, number);
}
static volatile int depth_wanted = 1 << 30;
static int dive(int depth) {
    volatile char room[500];
    memset((char *)room, depth, sizeof room);
    return depth >= depth_wanted ? 0 : dive(depth + 1) + room[7] * 0;
}
static void *work(void *argument) {
    long caught = 0;
    mine.ss_size = 32768;
    mine.ss_sp = malloc(mine.ss_size);
    sigaltstack(&mine, NULL);
    for (volatile int i = 0; i < 20; i++) {
        if (sigsetjmp(back, 1) == 0) dive(0);
        else caught++;
        free(malloc(10000));
        stack_t seen;
        sigaltstack(NULL, &seen);
        if (seen.ss_sp != mine.ss_sp || seen.ss_size != mine.ss_size || seen.ss_flags != 0) caught += 1000;
    }
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
    free(mine.ss_sp);
    (void)argument;
    return (void *)caught;
}

int main(void) {
    stack_t at_start;
    sigaltstack(NULL, &at_start);
    printf("at start %d\n", at_start.ss_flags == SS_DISABLE);
    struct sigaction action = {.sa_sigaction = overflown, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], &attributes, work, NULL);
    long sum = 0;
    for (int i = 0; i < 4; i++) {
        void *caught;
        pthread_join(threads[i], &caught);
        sum += (long)caught;
    }
    printf("caught %ld elsewhere %d\n", sum, elsewhere);
    return 0;
}
