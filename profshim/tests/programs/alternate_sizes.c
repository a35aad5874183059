// Threads with alternate stacks of all sizes, most of them at work in a handler that runs there and needs some of it.
// Arguments: milliseconds of CPU time for each thread, and how often.
// gcc: -Wl,-z,now
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

// Size, and what a handler takes of it; -1: there is none. The kernel takes some 3000 bytes for it: below zero, the size is
// that and so many more.
static const struct { int size, used; } kinds[] = {
    {2048, -1}, {3376, -1}, {-600, 0}, {4096, -1}, {-1300, 500}, {8192, -1}, {8192, 0}, {8192, 2500}, {-5200, 4000},
    {16384, 8000}, {65536, -1}, {65536, 30000},
};
static int frame;
static void measure(int number, siginfo_t *info, void *context) {
    stack_t *stack = &((ucontext_t *)context)->uc_stack;
    frame = (char *)stack->ss_sp + stack->ss_size - (char *)__builtin_frame_address(0) + 128;
    (void)number, (void)info;
}
enum { KINDS = sizeof kinds / sizeof *kinds };
static long millis = 30;
static __thread int used;
static __thread long done;

static long clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
static void burn(void) {
    for (long end = clock_ms() + millis; clock_ms() < end;)
        for (volatile int i = 0; i < 10000; i++) {}
}
static void handler(int number) {
    volatile char room[used + 1];
    for (int i = 0; i <= used; i += 64) room[i] = (char)number;
    burn();
    for (int i = 0; i <= used; i += 64) done += room[i] != number;
    done += 10000;
}
static void *work(void *argument) {
    int kind = (int)(long)argument;
    // The alternate stack is the end of a page, the page before it cannot be written to in vain.
    char *memory = aligned_alloc(4096, 131072);
    int size = kinds[kind].size;
    stack_t stack = {.ss_size = size < 0 ? (frame - size) & ~15 : size, .ss_sp = memory + 65536}, off = {.ss_flags = SS_DISABLE}, seen;
    memset(memory, 7, 65536);
    if (sigaltstack(&stack, NULL) != 0) return "refused";
    used = kinds[kind].used;
    if (used >= 0) pthread_kill(pthread_self(), SIGUSR1);
    else burn(), done += 10000;
    sigaltstack(NULL, &seen);
    if (seen.ss_size != stack.ss_size || seen.ss_sp != stack.ss_sp || seen.ss_flags != 0) return "another stack";
    for (int i = 0; i < 65536; i++)
        if (memory[i] != 7) return "written to below the stack";
    if (sigaltstack(&off, &seen) != 0 || seen.ss_size != stack.ss_size) return "not given back";
    burn();
    free(memory);
    return done == 10000 ? "fine" : "a handler's stack changed";
}

int main(int count, char **arguments) {
    if (count > 1) millis = atol(arguments[1]);
    struct sigaction action = {.sa_sigaction = measure, .sa_flags = SA_SIGINFO | SA_ONSTACK}, seen;
    stack_t large = {.ss_size = 65536, .ss_sp = malloc(65536)}, off = {.ss_flags = SS_DISABLE};
    sigaltstack(&large, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigaltstack(&off, NULL);
    action = (struct sigaction){.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR1, NULL, &seen);
    int masked = 0;
    for (int number = 1; number <= SIGRTMAX; number++) masked += sigismember(&seen.sa_mask, number) == 1;
    printf("handler %d flags %x masked %d\n", seen.sa_handler == handler, seen.sa_flags & ~0x04000000, masked);
    for (long round = count > 2 ? atol(arguments[2]) : 1; round > 0; round--) {
        pthread_t threads[KINDS];
        for (long i = 0; i < KINDS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
        for (int i = 0; i < KINDS; i++) {
            void *result;
            pthread_join(threads[i], &result);
            if (round == 1) printf("%d bytes, %d used: %s\n", kinds[i].size, kinds[i].used, (char *)result);
            else if (strcmp(result, "fine") != 0) printf("round %ld: %s\n", round, (char *)result);
        }
    }
    printf("was %d\n", signal(SIGUSR1, SIG_IGN) == handler);
    return 0;
}
