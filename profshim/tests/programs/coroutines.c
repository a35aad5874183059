// Stacks from malloc that one thread switches between, and threads that hand them on to each other.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { ROUTINES = 20, SIZE = 32768 };
static ucontext_t home, routines[ROUTINES];
static long sums[ROUTINES];
static char source[4000];

static void routine(int index) {
    for (int i = 0; i < 200; i++) {
        char *block = malloc(100 + (i * index) % 3000);
        memcpy(block, source, 100 + (i * index) % 3000);
        swapcontext(&routines[index], &home);
        sums[index] += block[50];
        free(block);
    }
}
static void *resume_all(void *argument) {
    for (int i = 0; i < ROUTINES; i++) swapcontext(&home, &routines[i]);
    return argument;
}

int main(void) {
    memset(source, 2, sizeof source);
    void *stacks[ROUTINES];
    for (int i = 0; i < ROUTINES; i++) {
        getcontext(&routines[i]);
        routines[i].uc_stack.ss_sp = stacks[i] = malloc(SIZE);
        routines[i].uc_stack.ss_size = SIZE;
        routines[i].uc_link = &home;
        makecontext(&routines[i], (void (*)(void))routine, 1, i);
    }
    for (int round = 0; round < 201; round++) {
        if (round % 4 == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, resume_all, NULL);
            pthread_join(thread, NULL);
        } else {
            resume_all(NULL);
        }
    }
    long sum = 0;
    for (int i = 0; i < ROUTINES; i++) sum += sums[i], free(stacks[i]);
    printf("sum %ld\n", sum);
    return 0;
}
