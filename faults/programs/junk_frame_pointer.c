// Loops in code without a frame and without tables, while rbp holds anything: random, nothing, all ones, unaligned
// numbers, the last words of a page whose next is not there.
#include "mirror.h"
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

// Returns what rbp was at the end of the loop.
unsigned long spin_with(unsigned long junk, unsigned long turns);
__asm__(".text\n.globl spin_with\n.type spin_with, @function\n"
        "spin_with:\n  push %rbp\n  mov %rdi, %rbp\n"
        "1:  dec %rsi\n  jnz 1b\n"
        "  mov %rbp, %rax\n  pop %rbp\n  ret\n.size spin_with, . - spin_with\n");

static double end;
static char *page;
static long wrong;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void *spins(void *argument) {
    unsigned seed = 1 + (unsigned)(long)argument;
    long bad = 0;
    while (now() < end) {
        unsigned long here = (unsigned long)&seed, edge = (unsigned long)page + 4096;
        unsigned long values[] = {0, ~0UL, ~7UL, here + 1, here + 3, here - 100000000, edge, edge - 1, edge - 8, edge - 15,
                                  0x8000000000000000UL, 0xffffffff81000000UL, 8, (unsigned long)spin_with,
                                  ((unsigned long)rand_r(&seed) << 33) ^ rand_r(&seed), here & ~15UL};
        for (unsigned i = 0; i < sizeof values / sizeof *values; i++) bad += spin_with(values[i], 300000) != values[i];
    }
    __atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
    return NULL;
}

int main(int count, char **words) {
    end = now() + (count > 1 ? atof(words[1]) : 1);
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memset(page, 0xff, 4096);
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, spins, (void *)i);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("wrong %ld\n", wrong);
    mirror_tell();
    return 0;
}
