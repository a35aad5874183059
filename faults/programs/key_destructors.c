// A thousand threads whose thread-specific values allocate, copy and free in their destructors, in the last rounds too.
#include "mirror.h"
#include <pthread.h>

static pthread_key_t keys[4];
static long blocks, wrong;

static void destructor(void *value) {
    long *left = value;
    char *block = malloc(5000), *copy = calloc(1, 5000);
    memset(block, 7, 5000);
    memcpy(copy, block, 5000);
    copy = realloc(copy, 50000);
    __atomic_fetch_add(&wrong, copy[4999] != 7, __ATOMIC_RELAXED);
    __atomic_fetch_add(&blocks, 3, __ATOMIC_RELAXED);
    free(block), free(copy);
    if (--left[0] > 0) pthread_setspecific(keys[left[1]], left);
    else free(left);
}

static void *work(void *argument) {
    for (long key = 0; key < 4; key++) {
        long *left = malloc(2 * sizeof *left);
        left[0] = 1 + key, left[1] = key;
        pthread_setspecific(keys[key], left);
    }
    return argument;
}

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 1000;
    for (int key = 0; key < 4; key++) pthread_key_create(&keys[key], destructor);
    for (int i = 0; i < threads; i += 4) {
        pthread_t four[4];
        for (int j = 0; j < 4; j++) pthread_create(&four[j], NULL, work, NULL);
        for (int j = 0; j < 4; j++) pthread_join(four[j], NULL);
    }
    printf("blocks %ld wrong %ld\n", blocks, wrong);
    mirror_tell();
    return 0;
}
