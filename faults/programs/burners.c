// So many threads, all alive at once, use so many milliseconds each; the first allocates and copies, too.
#include "mirror.h"
#include <pthread.h>
#include <time.h>

static pthread_barrier_t all;
static double seconds;

static void *burns(void *argument) {
    pthread_barrier_wait(&all);
    struct timespec time;
    do {
        for (int i = 0; i < 50; i++) {
            char *block = malloc(1000 + i);
            memset(block, i, 1000);
            free(block);
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    } while (time.tv_sec + time.tv_nsec / 1e9 < seconds);
    pthread_barrier_wait(&all);
    return argument;
}

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 4, started = 0;
    seconds = count > 2 ? atof(words[2]) / 1000 : 0.05;
    pthread_barrier_init(&all, NULL, threads);
    pthread_t *handles = calloc(threads, sizeof *handles);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (long i = 0; i < threads; i++) started += pthread_create(&handles[i], &attributes, burns, (void *)i) == 0;
    for (int i = 0; i < started; i++) pthread_join(handles[i], NULL);
    free(handles);
    printf("threads %d\n", started);
    mirror_tell();
    return 0;
}
