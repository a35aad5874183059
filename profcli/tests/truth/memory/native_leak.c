/* A library that keeps what it should not: an argument of truth/memory/native_leak.py. */

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
};

static struct block *all;

/* Makes a block and never gives it back. */
void keep(size_t bytes)
{
    struct block *block = malloc(bytes);
    if (!block)
        abort();
    memset(block, 1, bytes);
    block->next = all;
    all = block;
}

/* Makes a block for a moment. */
void use(size_t bytes)
{
    char *block = malloc(bytes);
    if (!block)
        abort();
    memset(block, 1, bytes);
    free(block);
}
