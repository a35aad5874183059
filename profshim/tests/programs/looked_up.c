// A program that looks functions up itself, and asks whether a lookup failed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const char *error = dlerror();
    printf("at start: %s\n", error ? error : "no error");
    void *(*allocate)(size_t) = dlsym(RTLD_DEFAULT, "malloc");
    void (*release)(void *) = dlsym(RTLD_DEFAULT, "free");
    void *(*copy)(void *, const void *, size_t) = dlsym(RTLD_DEFAULT, "memcpy");
    char *block = allocate(100);
    copy(block, "looked up", 10);
    printf("%s %d\n", block, dlerror() == NULL);
    release(block);
    printf("none %d", dlsym(RTLD_DEFAULT, "no_such_function") == NULL);
    error = dlerror();
    printf(" says so %d\n", error != NULL && strstr(error, "no_such_function") != NULL);
    void *library = dlopen("libm.so.6", RTLD_NOW);
    double (*root)(double) = library ? dlsym(library, "sqrt") : NULL;
    printf("root %.1f\n", root ? root(16) : 0);
    return 0;
}
