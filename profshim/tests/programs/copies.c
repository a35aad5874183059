// Copies of every size up to 4096 at many alignments, overlapping both ways, and up to a guard page.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile append)(void *, const void *, size_t) = mempcpy;
void *old_memcpy(void *, const void *, size_t);
__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");

static unsigned char from[9000], to[9000], expected[9000];
static int wrong;

static void reset(void) {
    for (int i = 0; i < 9000; i++) {
        from[i] = (unsigned char)(i * 31 + 7);
        to[i] = expected[i] = (unsigned char)(i * 17);
    }
}
static void check(int ok) { wrong += !ok || memcmp(to, expected, sizeof to) != 0; }

int main(void) {
    for (int size = 0; size <= 4096; size += size < 300 ? 1 : 61)
        for (int align = 0; align < 64; align += 1 + size / 256) {
            reset();
            for (int i = 0; i < size; i++) expected[align + i] = from[63 - align + i];
            void *result = copy(to + align, from + 63 - align, size);
            check(result == to + align);
            result = append(to + align, from + 63 - align, size);
            check(result == to + align + size);
            for (int by = -130; by <= 130; by += 13) {
                reset();
                for (int i = 0; i < size; i++) expected[200 + by + i] = to[200 + i];
                result = (by & 1 ? move : old_memcpy)(to + 200 + by, to + 200, size);
                check(result == to + 200 + by);
            }
        }
    unsigned char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_NONE);
    for (int size = 0; size <= 4096; size++) {
        copy(pages + 4096 - size, from, size);
        copy(to, pages + 4096 - size, size);
        wrong += memcmp(to, from, size) != 0;
    }
    size_t big = (size_t)64 << 20;
    unsigned char *much = malloc(big), *more = malloc(big);
    for (size_t i = 0; i < big; i += 4096) much[i] = (unsigned char)(i >> 12);
    copy(more, much, big);
    move(more + 1, more, big - 1);
    for (size_t i = 0; i + 1 < big; i += 4096) wrong += more[i + 1] != (unsigned char)(i >> 12);
    printf("wrong %d\n", wrong);
    return 0;
}
