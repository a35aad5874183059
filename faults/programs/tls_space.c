// Loads libraries with thread-local storage of the static kind until there is no room for more of it, then one more
// library: the last argument. Says how many there was room for.
#include "mirror.h"
#include <dlfcn.h>

int main(int count, char **words) {
    if (count < 4) return 2;
    int libraries = atoi(words[2]), loaded = 0, works = 0;
    for (int i = 0; i < libraries; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/tls%d.so", words[1], i);
        void *library = dlopen(path, RTLD_NOW);
        if (library == NULL) break;
        loaded++;
        int (*next)(void) = dlsym(library, "next");
        works += next() == 43 && next() == 44;
    }
    printf("room for %d of %d, which work: %d\n", loaded, libraries, works);
    void *late = dlopen(words[3], RTLD_NOW);
    printf("late: %s\n", late ? "loaded" : "refused");
    char *block = malloc(1000), *copy = malloc(1000);
    memset(block, 5, 1000);
    memcpy(copy, block, 1000);
    printf("allocates and copies: %d\n", copy[999]);
    free(block), free(copy);
    mirror_tell();
    return 0;
}
