// library: loaded
// Thread-local storage of a loaded library, which libc allocates at first touch: in threads, handlers and destructors.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
__thread char large[200000];
__thread int number = 42;
__thread char *kept;
int touch(int value) {
    large[value * 100] = (char)value;
    if (kept == NULL) kept = malloc(1000);
    kept[999] = 1;
    return number += value;
}
void leave(void) { free(kept); }
#else
static int (*touch)(int);
static void (*leave)(void);
static pthread_key_t key;
static int sum;

static void destructor(void *value) {
    __atomic_fetch_add(&sum, touch((int)(long)value), __ATOMIC_RELAXED);
    leave();
}
static void *work(void *argument) {
    // In a third of the threads the first touch is in the destructor of a key.
    pthread_setspecific(key, argument);
    for (long i = 0; i < (long)argument % 3; i++) touch((int)i + 1);
    return NULL;
}

int main(int argc, char **argv) {
    char path[5000];
    snprintf(path, sizeof path, "%s.so", argv[0]);
    pthread_key_create(&key, destructor);
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL) return printf("%s\n", dlerror()), 1;
    touch = dlsym(library, "touch");
    leave = dlsym(library, "leave");
    for (int round = 0; round < 30; round++) {
        pthread_t threads[20];
        for (long i = 0; i < 20; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
        for (int i = 0; i < 20; i++) pthread_join(threads[i], NULL);
    }
    printf("sum %d mine %d\n", sum, touch(3));
    leave();
    return argc - 1;
}
#endif
