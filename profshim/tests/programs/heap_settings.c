// mallopt, mallinfo2, malloc_trim and malloc_info act on the heap that the program uses.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int has_only(const unsigned char *block, size_t size, int byte) {
    for (size_t i = 0; i < size; i++)
        if (block[i] != byte) return 0;
    return 1;
}

int main(void) {
    size_t before = mallinfo2().uordblks, mapped = mallinfo2().hblks;
    void *blocks[100];
    for (int i = 0; i < 100; i++) blocks[i] = malloc(10000);
    size_t grown = mallinfo2().uordblks - before;
    printf("grown as asked %d\n", grown >= 1000000 && grown < 1100000);
    void *large = malloc(32 << 20);
    printf("mappings %zu\n", mallinfo2().hblks - mapped);
    free(large);
    printf("mappings %zu\n", mallinfo2().hblks - mapped);
    for (int i = 0; i < 99; i++) free(blocks[i]);
    printf("given back %d\n", mallinfo2().uordblks - before < 20000);
    malloc_trim(0);

    printf("set %d %d %d\n", mallopt(M_MMAP_THRESHOLD, 20000), mallopt(M_TRIM_THRESHOLD, 0), mallopt(-1000, 7));
    mapped = mallinfo2().hblks;
    large = malloc(30000);
    printf("mappings with a low threshold %zu, usable %d\n", mallinfo2().hblks - mapped,
           malloc_usable_size(large) >= 30000 && malloc_usable_size(large) < 40000);
    large = realloc(large, 200000);
    printf("mappings after growth %zu\n", mallinfo2().hblks - mapped);
    free(large);
    printf("mappings %zu\n", mallinfo2().hblks - mapped);
    mallopt(M_MMAP_MAX, 0);
    large = malloc(1 << 20);
    printf("mappings when none are allowed %zu\n", mallinfo2().hblks - mapped);
    free(large);

    mallopt(M_PERTURB, 0x5a);
    // Not from a thread's cache, which perturbs nothing.
    unsigned char *block = malloc(9000), *zero = calloc(10, 900);
    printf("perturbed %d zero %d\n", has_only(block, 9000, 0xa5), has_only(zero, 9000, 0));
    free(zero);
    free(block);
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    printf("info %d", malloc_info(0, stream));
    fclose(stream);
    printf(" %d\n", length > 100 && strncmp(text, "<malloc version", 15) == 0);
    free(text);
    return 0;
}
