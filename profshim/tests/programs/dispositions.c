// The program's own signal dispositions: what it sets is what it sees and what runs.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int hits;
static void caught(int number) {
    hits++;
    if (number == SIGSEGV || number == SIGBUS) siglongjmp(back, 1);
}
static void informed(int number, siginfo_t *info, void *context) {
    (void)context;
    hits += info->si_signo == number && info->si_addr == (void *)8 ? 100 : 10000;
    siglongjmp(back, 1);
}

int main(void) {
    struct sigaction action, old;
    int numbers[] = {SIGSEGV, SIGBUS, SIGUSR1, SIGPROF, SIGRTMIN, SIGRTMAX, SIGRTMAX - 5};
    for (int i = 0; i < 7; i++) {
        int number = numbers[i];
        sigaction(number, NULL, &old);
        printf("%d at first %d flags %x\n", i, old.sa_handler == SIG_DFL, old.sa_flags);
        printf("was default %d\n", signal(number, caught) == SIG_DFL);
        sigaction(number, NULL, &old);
        printf("set %d flags %x masked %d\n", old.sa_handler == caught, old.sa_flags & ~0x04000000,
               sigismember(&old.sa_mask, number));
        hits = 0;
        if (sigsetjmp(back, 1) == 0) raise(number);
        printf("hits %d\n", hits);
        printf("reset %d\n", sysv_signal(number, SIG_IGN) == caught);
        printf("ignored %d\n", signal(number, SIG_DFL) == SIG_IGN);
    }
    memset(&action, 0, sizeof action);
    action.sa_sigaction = informed;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGSEGV, &action, NULL);
    hits = 0;
    for (int i = 0; i < 3; i++)
        if (sigsetjmp(back, 1) == 0) *(volatile int *)8 = 1;
    sigaction(SIGSEGV, NULL, &old);
    printf("faults %d flags %x mask %d %d\n", hits, old.sa_flags & ~0x04000000, sigismember(&old.sa_mask, SIGUSR2),
           old.sa_sigaction == informed);
    printf("bad %d %d %d\n", sigaction(0, NULL, &old), sigaction(SIGKILL, &action, NULL), signal(65, caught) == SIG_ERR);
    fflush(stdout);
    signal(SIGSEGV, SIG_DFL);
    *(volatile int *)8 = 1;
    return 0;
}
