// library: loaded
// A library that allocates in its constructor and destructor is loaded and unloaded, while other threads allocate.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
static char *made;
static __thread char room[3000];
__attribute__((constructor)) static void construct(void) { made = strcpy(malloc(100000), "constructed"); }
__attribute__((destructor)) static void destruct(void) { free(made); }
const char *answer(void) {
    strcpy(room + 100, made);
    return room + 100;
}
void *hand_out(void) { return calloc(1, 3000); }
#else
static volatile int stop;
static void *allocates(void *argument) {
    while (!stop) free(realloc(calloc(3, 1000), 10000));
    return argument;
}

int main(int argc, char **argv) {
    char path[5000];
    snprintf(path, sizeof path, "%s.so", argv[0]);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, allocates, NULL);
    int good = 0;
    for (int i = 0; i < 200; i++) {
        void *library = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_DEEPBIND);
        if (library == NULL) return printf("%s\n", dlerror()), 1;
        const char *(*answer)(void) = dlsym(library, "answer");
        void *(*hand_out)(void) = dlsym(library, "hand_out");
        good += strcmp(answer(), "constructed") == 0;
        void *block = hand_out();
        dlclose(library);
        free(block);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("good %d\n", good);
    return argc - 1;
}
#endif
