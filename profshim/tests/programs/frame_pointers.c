// Code without frames that keeps anything at all in the frame pointer: nothing, odd addresses, the edges of pages and of
// the address space. Argument: milliseconds for each.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int at_work(clock_t end) {
    return clock() < end;
}
__attribute__((noinline)) static long spin(uintptr_t pointer) {
    long rounds = 200000;
    __asm__ volatile("push %%rbp\n\tmov %1, %%rbp\n1:\tdec %0\n\tjnz 1b\n\tpop %%rbp" : "+r"(rounds) : "r"(pointer) : "cc", "memory");
    return rounds;
}
int main(int count, char **arguments) {
    long millis = count > 1 ? atol(arguments[1]) : 20, sum = 0;
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 8192, 4096, PROT_NONE);
    // A chain that leads to itself, one that leads off the page, one into another stack's shape.
    uintptr_t *chain = (uintptr_t *)pages;
    chain[0] = (uintptr_t)chain, chain[1] = (uintptr_t)main;
    chain[2] = (uintptr_t)pages + 8192, chain[3] = (uintptr_t)main;
    chain[4] = (uintptr_t)-1, chain[5] = (uintptr_t)-1;
    uintptr_t end = (uintptr_t)pages + 8192, here = (uintptr_t)&here;
    uintptr_t pointers[] = {0, 1, 7, 8, (uintptr_t)-1, (uintptr_t)-8, (uintptr_t)1 << 63, 0xdeadbeefdeadbeef,
        (uintptr_t)1 << 47, ((uintptr_t)1 << 47) - 8, end, end - 1, end - 7, end - 8, end - 9, end - 16, end + 4096,
        (uintptr_t)chain, (uintptr_t)(chain + 2), (uintptr_t)(chain + 4), here, here + 1, here - 4096, here + (64 << 20)};
    for (unsigned i = 0; i < sizeof pointers / sizeof *pointers; i++)
        for (clock_t until = clock() + millis * (CLOCKS_PER_SEC / 1000); at_work(until);) sum += spin(pointers[i]);
    printf("sum %ld\n", sum);
    return 0;
}
