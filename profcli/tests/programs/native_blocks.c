/* Small blocks by malloc: many that are given back at once, and 16 MB that are kept to the end. */
#include <stdlib.h>

int main(void) {
    for (int i = 0; i < 1000000; i++)
        free(((void *(*volatile)(size_t))malloc)(200));
    for (int i = 0; i < 16000; i++)
        if (!((void *(*volatile)(size_t))malloc)(1000))
            return 1;
    return 0;
}
