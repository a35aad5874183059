// Four threads do nothing but allocate and free for some seconds, and look whether their blocks are still theirs.
#include "mirror.h"
#include <pthread.h>
#include <time.h>

static double seconds;
static long wrong;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void *allocates(void *argument) {
    unsigned seed = 1 + (unsigned)(long)argument;
    unsigned char *blocks[64] = {0};
    size_t sizes[64] = {0};
    long bad = 0;
    for (double end = now() + seconds; now() < end;)
        for (int turn = 0; turn < 200; turn++) {
            int i = rand_r(&seed) % 64;
            size_t size = 2 + rand_r(&seed) % (turn % 50 ? 2000 : 300000);
            if (blocks[i]) bad += blocks[i][0] != (unsigned char)i || blocks[i][sizes[i] - 1] != (unsigned char)~i;
            if (turn % 3 == 0) free(blocks[i]), blocks[i] = calloc(1, size);
            else blocks[i] = realloc(blocks[i], size);
            sizes[i] = size;
            blocks[i][0] = (unsigned char)i;
            blocks[i][size - 1] = (unsigned char)~i;
        }
    for (int i = 0; i < 64; i++) free(blocks[i]);
    __atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
    return NULL;
}

int main(int count, char **words) {
    seconds = count > 1 ? atof(words[1]) : 1;
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, allocates, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("wrong %ld\n", wrong);
    mirror_tell();
    return 0;
}
