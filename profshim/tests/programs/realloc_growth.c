// Blocks grow, shrink and fail to grow, from heap to mapping and back; their bytes go with them.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    unsigned char *block = NULL;
    size_t sizes[] = {1, 100, 1000, 10, 100000, 5000000, 40000000, 3000, 200000, 8};
    size_t have = 0;
    int wrong = 0;
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            block = realloc(block, sizes[i]);
            for (size_t b = 0; b < have && b < sizes[i]; b++) wrong += block[b] != (unsigned char)(b * 7);
            for (size_t b = 0; b < sizes[i]; b++) block[b] = (unsigned char)(b * 7);
            have = sizes[i];
            errno = 0;
            volatile size_t much = SIZE_MAX - 10000;
            if (realloc(block, much) != NULL || errno != ENOMEM) wrong++;
        }
    printf("wrong %d\n", wrong);
    free(block);
    return 0;
}
