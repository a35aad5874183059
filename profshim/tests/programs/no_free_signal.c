// A library takes all real-time signals before anybody else can, some by handlers on the alternate stack: they arrive as
// they were sent, at every kind of handler that `sigset` and its kin set, too.
// library: linked
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef LIBRARY
volatile long arrived[65], foreign;
void handler(int number, siginfo_t *info, void *context) {
    if (info->si_code == SI_QUEUE && info->si_value.sival_int == number) arrived[number]++;
    else foreign++;
    (void)context;
}
__attribute__((constructor)) static void early(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (int number = 34; number <= 64; number++) {
        action.sa_flags ^= SA_ONSTACK;
        sigaction(number, &action, NULL);
    }
}
#else
extern volatile long arrived[65], foreign;
void handler(int number, siginfo_t *info, void *context);

int main(void) {
    struct timespec now;
    long sent = 0, wrong = 0, seen = 0;
    do {
        for (int number = 34; number <= 64; number++) sigqueue(getpid(), number, (union sigval){.sival_int = number});
        sent++;
        for (volatile int i = 0; i < 20000; i++) {}
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < 100);
    for (int number = 34; number <= 64; number++) {
        struct sigaction action;
        wrong += arrived[number] != sent;
        sigaction(number, NULL, &action);
        seen += action.sa_sigaction == handler && (action.sa_flags & SA_ONSTACK) == (number % 2 ? 0 : SA_ONSTACK);
    }
    printf("wrong %ld foreign %ld seen %ld\n", wrong, foreign, seen);
    return 0;
}
#endif
