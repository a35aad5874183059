// gcc: -no-pie
// A heap in the first 16 MiB of the address space, as a program at a fixed address may have it: blocks keep
// what is in them when they are resized, and are used again when freed.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

int main(int argc, char **argv) {
    // Without randomization the heap begins right behind the program.
    if (argc == 1 && personality(ADDR_NO_RANDOMIZE) != -1) {
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
    }
    int wrong = 0, low = 0;
    for (size_t size = 16; size < 3000; size += 8) {
        unsigned char *block = malloc(size);
        memset(block, (int)size, size);
        block = realloc(block, 2 * size);
        low += (uintptr_t)block < (16 << 20);
        for (size_t i = 0; i < size; i++) wrong += block[i] != (unsigned char)size;
        wrong += malloc_usable_size(block) < 2 * size;
        free(block);
    }
    printf("wrong %d, low %d\n", wrong, low > 0);
    for (int i = 0; i < 1000000; i++) free(malloc(100));
    printf("kept %d\n", mallinfo2().uordblks > 10000000);
    return 0;
}
