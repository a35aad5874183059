// Handlers that never return: siglongjmp out of faults, and out of signals that interrupt a copy.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static sigjmp_buf back;
static volatile long jumps;
static void fault(int number) {
    jumps++;
    siglongjmp(back, number);
}
static volatile sig_atomic_t armed;
static void alarmed(int number) {
    if (!armed) return;
    armed = 0;
    jumps++;
    siglongjmp(back, number);
}

int main(void) {
    static char from[1 << 20], to[1 << 20];
    memset(from, 3, sizeof from);
    signal(SIGSEGV, fault);
    char *nothing = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(nothing + 4096, 4096, PROT_NONE);
    for (volatile int i = 0; i < 2000; i++) {
        // A copy that runs into a page that may not be read: the fault is the program's.
        if (sigsetjmp(back, 1) == 0) memcpy(to, nothing + 4000, 200 + i % 100);
        if (sigsetjmp(back, 1) == 0) memmove(nothing + 4090, from, 100);
        free(malloc(i));
    }
    printf("faults %ld\n", jumps);
    jumps = 0;
    signal(SIGALRM, alarmed);
    struct itimerval every = {{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &every, NULL);
    volatile long copies = 0;
    while (jumps < 400) {
        if (sigsetjmp(back, 1) == 0) {
            armed = 1;
            for (;;) {
                memcpy(to, from, 64 + copies % 5000);
                copies++;
            }
        }
    }
    every.it_value.tv_usec = 0;
    setitimer(ITIMER_REAL, &every, NULL);
    long wrong = 0;
    for (int i = 0; i < 5000; i++) wrong += to[200 + i % 100] != 3;
    char *block = malloc(1 << 20);
    memcpy(block, from, 1 << 20);
    printf("jumps %ld wrong %ld block %d\n", jumps, wrong, block[12345]);
    return 0;
}
