// Many aligned blocks alive at once: aligned, writable to their end, apart from each other.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    static unsigned char *blocks[2000];
    int wrong = 0;
    for (int i = 0; i < 2000; i++) {
        size_t alignment = (size_t)8 << (i % 12);
        void *block;
        if (posix_memalign(&block, alignment, 100 + i) != 0) wrong++;
        if ((uintptr_t)block % alignment != 0) wrong++;
        memset(block, i, 100 + i);
        blocks[i] = block;
    }
    for (int i = 0; i < 2000; i++) {
        for (int b = 0; b < 100 + i; b++) wrong += blocks[i][b] != (unsigned char)i;
        free(blocks[i]);
    }
    printf("wrong %d\n", wrong);
    return 0;
}
