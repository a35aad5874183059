/* A library for ctypes and a program of its own: seconds of work in `inner`, called by `outer`; and a function that calls
   back. Line numbers are found by the marks. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

volatile uint64_t result;

static inline __attribute__((always_inline)) uint64_t step(uint64_t state) {
    return state * 6364136223846793005u + 1442695040888963407u; /* STEP */
}

__attribute__((noinline)) static void inner(void) {
    uint64_t state = result;
    for (int i = 0; i < 1000000; i++) state = step(state);
    result = state;
}

__attribute__((noinline)) void outer(double seconds) {
    double end = thread_seconds() + seconds;
    while (thread_seconds() < end) inner(); /* OUTER */
    result++;
}

__attribute__((noinline)) void call_back(void (*function)(void)) {
    function(); /* CALL_BACK */
    result++;
}

int main(int argc, char **argv) {
    outer(argc > 1 ? atof(argv[1]) : 1); /* MAIN */
    return 0;
}
