// reallocarray grows and shrinks as realloc does, refuses what overflows, and gives back at nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    int wrong = 0;
    unsigned char *array = NULL;
    size_t have = 0;
    for (int round = 0; round < 300; round++) {
        size_t count = (size_t)round * 7919 % 5003 + 1, size = round % 13 + 2;
        array = reallocarray(array, count, size);
        for (size_t i = 0; i < have && i < count * size; i++) wrong += array[i] != (unsigned char)(i * 11);
        have = count * size;
        for (size_t i = 0; i < have; i++) array[i] = (unsigned char)(i * 11);
        volatile size_t much = SIZE_MAX / size;
        errno = 0;
        void *none = reallocarray(array, much + 1, size + 1);
        wrong += none != NULL || errno != ENOMEM;
        errno = 0;
        none = reallocarray(array, size + 1, much + 1);
        wrong += none != NULL || errno != ENOMEM;
        for (size_t i = 0; i < have; i++) wrong += array[i] != (unsigned char)(i * 11);
    }
    volatile size_t zero = 0;
    errno = 0;
    void *nothing = reallocarray(array, zero, 100);
    printf("wrong %d, to nothing: null %d errno %d\n", wrong, nothing == NULL, errno);
    array = reallocarray(NULL, 0, 0);
    printf("nothing from nothing: block %d\n", array != NULL);
    free(array);
    return 0;
}
