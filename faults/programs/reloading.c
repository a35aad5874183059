// Four threads load, call and unload libraries all the time: work_7 of tiny7.so is called by call_7 alone.
#include "mirror.h"
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

static const char *folder;
static int libraries;
static double end;
static int wrong;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

#define CALL(number) __attribute__((noinline)) static int call_##number(int (*work)(void)) { return work() + 1; }
#define TEN(do, tens) do(tens##0) do(tens##1) do(tens##2) do(tens##3) do(tens##4) do(tens##5) do(tens##6) do(tens##7) do(tens##8) do(tens##9)
#define NAME(number) call_##number,
TEN(CALL, ) TEN(CALL, 1) TEN(CALL, 2) TEN(CALL, 3) TEN(CALL, 4)
static int (*const calls[])(int (*)(void)) = {TEN(NAME, ) TEN(NAME, 1) TEN(NAME, 2) TEN(NAME, 3) TEN(NAME, 4)};

static void *reloads(void *argument) {
    unsigned seed = 1 + (unsigned)(long)argument;
    int bad = 0;
    while (now() < end) {
        int number = rand_r(&seed) % libraries;
        char path[4096], name[20];
        snprintf(path, sizeof path, "%s/tiny%d.so", folder, number);
        snprintf(name, sizeof name, "work_%d", number);
        void *library = dlopen(path, RTLD_NOW);
        int (*work)(void) = library ? (int (*)(void))dlsym(library, name) : NULL;
        bad += !work || calls[number](work) != number + 1;
        bad += !library || dlclose(library) != 0;
    }
    __atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
    return NULL;
}

int main(int count, char **words) {
    if (count < 4) return 2;
    folder = words[1], libraries = atoi(words[2]), end = now() + atof(words[3]);
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, reloads, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("wrong %d\n", wrong);
    mirror_tell();
    return 0;
}
