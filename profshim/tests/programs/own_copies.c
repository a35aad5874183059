// A program with copying functions of its own, which libc's and the shim's users in the process get too.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long copies, moves;
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memcpy(void *to, const void *from, size_t size) {
    for (size_t i = 0; i < size; i++) ((char *)to)[i] = ((const char *)from)[i];
    copies++;
    return to;
}
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memmove(void *to, const void *from, size_t size) {
    if ((size_t)((char *)to - (char *)from) >= size) return memcpy(to, from, size);
    for (size_t i = size; i-- > 0;) ((char *)to)[i] = ((const char *)from)[i];
    moves++;
    return to;
}

int main(void) {
    static char buffer[10000];
    int wrong = 0;
    for (int size = 1; size < 5000; size += 7) {
        for (int i = 0; i < 10000; i++) buffer[i] = (char)(i * 7);
        memcpy(buffer, buffer + 5000, size);
        memmove(buffer + 3, buffer, size);
        for (int i = 0; i < size; i++) wrong += buffer[3 + i] != (char)((5000 + i) * 7) && i > 2;
        char *end = mempcpy(buffer, "append", 7);
        wrong += end != buffer + 7;
    }
    printf("wrong %d copies %ld moves %ld\n", wrong, copies, moves);
    return 0;
}
