// Allocates before any constructor: in the program's preinit_array, which runs before all libraries'.
// Some of those blocks are used, resized and freed later.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *first, *second;

static void early(int argc, char **argv, char **environment) {
    (void)argc, (void)argv, (void)environment;
    first = calloc(10, 10);
    strcpy(first, "calloc");
    second = malloc(50);
    strcpy(second, "malloc");
    free(malloc(1));
}
__attribute__((section(".preinit_array"), used)) static void (*entry)(int, char **, char **) = early;

int main(void) {
    int zero = 1;
    for (int i = 7; i < 100; i++) zero &= first[i] == 0;
    printf("%s %s zero %d\n", first, second, zero);
    first = realloc(first, 100000);
    printf("%s enough %d\n", first, malloc_usable_size(second) >= 50);
    free(first);
    free(second);
    return 0;
}
