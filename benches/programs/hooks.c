/* Times malloc+free pairs and memcpy as the program calls them and, in turns of a quarter of a millisecond, as libc has
 * them, by one thread and by two. Prints `pair SIZE THREADS LIBC MORE`: the median of libc's nanoseconds, and of what
 * the program's call took more than libc's in the turn before it. So a machine that slows down does so for both.
 *
 * To be compiled with -fno-builtin, or the compiler takes the calls away. As a shared library it is called by
 * `measure`, for profilers that want a Python program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 201, THREADS = 2, LARGEST = 4096 };

static void *(*libc_malloc)(size_t);
static void (*libc_free)(void *);
static void *(*libc_memcpy)(void *, const void *, size_t);

struct work {
    int copies;
    size_t size;
    long calls; /* in a turn */
    double libc, more;
    pthread_barrier_t *turn;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double turn(const struct work *work, int of_libc, char *to, const char *from) {
    volatile size_t size = work->size;
    long calls = work->calls;
    double begun = now();
    if (work->copies && of_libc)
        for (long i = 0; i < calls; i++)
            libc_memcpy(to, from, size);
    else if (work->copies)
        for (long i = 0; i < calls; i++)
            memcpy(to, from, size);
    else if (of_libc)
        for (long i = 0; i < calls; i++)
            libc_free(libc_malloc(size));
    else
        for (long i = 0; i < calls; i++)
            free(malloc(size));
    return (now() - begun) / calls;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, TURNS, sizeof *values, ascending);
    return values[TURNS / 2];
}

static void *run(void *argument) {
    struct work *work = argument;
    /* Of its own thread, each on cache lines of its own. */
    char *buffers = aligned_alloc(64, 2 * LARGEST);
    memset(buffers, 1, 2 * LARGEST);
    double libc[TURNS], more[TURNS];
    for (int i = 0; i < TURNS; i++) {
        pthread_barrier_wait(work->turn);
        libc[i] = turn(work, 1, buffers, buffers + LARGEST);
        pthread_barrier_wait(work->turn);
        more[i] = turn(work, 0, buffers, buffers + LARGEST) - libc[i];
    }
    work->libc = median(libc);
    work->more = median(more);
    free(buffers);
    return NULL;
}

/* Calls for a turn, by what is slower. */
static long calibrate(struct work work) {
    static char to[LARGEST], from[LARGEST];
    for (work.calls = 16; turn(&work, 0, to, from) * work.calls < 250e3;)
        work.calls *= 2;
    return work.calls;
}

static void measure_one(int copies, size_t size, int threads) {
    pthread_t ids[THREADS];
    struct work works[THREADS];
    pthread_barrier_t barrier;
    struct work work = {copies, size, 0, 0, 0, &barrier};
    work.calls = calibrate(work);
    pthread_barrier_init(&barrier, NULL, threads);
    for (int i = 0; i < threads; i++) {
        works[i] = work;
        if (pthread_create(&ids[i], NULL, run, &works[i]) != 0)
            exit(1);
    }
    double libc = 0, more = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        libc += works[i].libc / threads;
        more += works[i].more / threads;
    }
    pthread_barrier_destroy(&barrier);
    printf("%s %zu %d %.3f %.3f\n", copies ? "memcpy" : "pair", size, threads, libc, more);
    fflush(stdout);
}

int measure(void) {
    static const size_t blocks[] = {16, 64, 512, 4096}, copies[] = {16, 64, 4096};
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    libc_malloc = dlsym(libc, "__libc_malloc");
    libc_free = dlsym(libc, "__libc_free");
    libc_memcpy = dlsym(libc, "memcpy");
    if (!libc_malloc || !libc_free || !libc_memcpy)
        return 1;
    for (int threads = 1; threads <= THREADS; threads++) {
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            measure_one(0, blocks[i], threads);
        for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
            measure_one(1, copies[i], threads);
    }
    return 0;
}

int main(void) {
    return measure();
}
