// Threads with an alternate stack of SIZE bytes work; every second one in a SIGUSR1 handler on that stack, if a handler
// fits there at all.
#include "mirror.h"
#include <pthread.h>
#include <sys/auxv.h>
#include <time.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static size_t size;
static double seconds;
static int handled, refused;

static void burn(void) {
    struct timespec time;
    double until = 0;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        double now = time.tv_sec + time.tv_nsec / 1e9;
        if (until == 0) until = now + seconds;
        if (now >= until) return;
        for (volatile int i = 0; i < 100000; i++);
    } while (1);
}

static void handler(int number) {
    burn();
    __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static void *works(void *argument) {
    stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
    if (sigaltstack(&stack, NULL) != 0) __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
    else if ((long)argument % 2 && size >= getauxval(AT_MINSIGSTKSZ) + 600) pthread_kill(pthread_self(), SIGUSR1);
    burn();
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    burn();
    return NULL;
}

int main(int count, char **words) {
    size = count > 1 ? atol(words[1]) : 8192;
    seconds = count > 2 ? atof(words[2]) : 0.2;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, works, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("stacks of %zu: handled %d, refused %d\n", size, handled, refused);
    mirror_tell();
    return 0;
}
