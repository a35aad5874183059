// All real-time signals, queued with values: each arrives once, lowest first, in the order of sending.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int order[1000], count;
static void handler(int number, siginfo_t *info, void *context) {
    if (info->si_code == SI_QUEUE && info->si_pid == getpid()) order[count++] = (number - SIGRTMIN) * 1000 + info->si_value.sival_int;
    else order[count++] = -1;
    (void)context;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all;
    sigfillset(&all);
    action.sa_mask = all;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        if (sigaction(number, &action, NULL) != 0) printf("refused %d\n", number);
    for (int round = 0; round < 20; round++) {
        count = 0;
        sigprocmask(SIG_BLOCK, &all, NULL);
        for (int number = SIGRTMAX; number >= SIGRTMIN; number--)
            for (int i = 0; i < 3; i++) sigqueue(getpid(), number, (union sigval){.sival_int = i});
        for (int i = 0; i < 3000; i++) free(calloc(1, i * 10));
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        // The kernel delivers them all at once: the last frame that it makes runs first.
        long sum = 0, wrong = 0;
        for (int i = 0; i < count; i++) sum += order[i], wrong += order[i] < 0;
        if (round == 19) printf("arrived %d sum %ld wrong %ld\n", count, sum, wrong);
    }
    printf("range %d\n", SIGRTMAX - SIGRTMIN + 1);
    return 0;
}
