// mmap, mremap, munmap, brk and sbrk between mallocs: what the program maps is the program's.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int wrong;
static void expect(int yes, int line) {
    if (!yes) wrong++, printf("line %d\n", line);
}
#define EXPECT(yes) expect(yes, __LINE__)

int main(void) {
    size_t page = 4096;
    for (int round = 0; round < 50; round++) {
        char *map = mmap(NULL, 10 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT(map != MAP_FAILED);
        memset(map, 7, 10 * page);
        char *block = malloc(300000);
        memcpy(block, map, 10 * page);
        map = mremap(map, 10 * page, 200 * page, MREMAP_MAYMOVE);
        EXPECT(map != MAP_FAILED && map[10 * page - 1] == 7 && map[10 * page] == 0);
        char *there = mmap(NULL, 200 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        map = mremap(map, 200 * page, 200 * page, MREMAP_MAYMOVE | MREMAP_FIXED, there);
        EXPECT(map == there && map[5] == 7);
        EXPECT(mprotect(map, page, PROT_READ) == 0 && madvise(map, 10 * page, MADV_DONTNEED) == 0 && map[5] == 0);
        EXPECT(munmap(map, 200 * page) == 0);
        errno = 0;
        EXPECT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
        errno = 0;
        EXPECT(mremap(map + 1, page, page, 0) == MAP_FAILED && errno == EINVAL);
        errno = 0;
        EXPECT(mmap(NULL, (size_t)1 << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
        free(block);
    }
    // The break moves between two allocations: libc copes, and our piece is ours.
    char *kept[40];
    for (int i = 0; i < 40; i++) {
        kept[i] = malloc(60000);
        memset(kept[i], i, 60000);
        char *piece = sbrk(page);
        EXPECT(piece != (char *)-1);
        memset(piece, 0xee, page);
    }
    for (int i = 0; i < 40; i++) {
        for (int b = 0; b < 60000; b += 100) EXPECT(kept[i][b] == (char)i);
        free(kept[i]);
    }
    char *end = sbrk(0);
    EXPECT(brk(end + 100 * page) == 0 && sbrk(0) == end + 100 * page);
    EXPECT(brk(end) == 0 && sbrk(0) == end);
    errno = 0;
    EXPECT(brk((void *)(UINTPTR_MAX / 2)) == -1 && errno == ENOMEM);
    printf("wrong %d\n", wrong);
    return 0;
}
