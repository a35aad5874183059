// Masks are as the program sets them, at the start, in threads and in children; blocked signals wait to be taken.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what) {
    sigset_t now, waiting;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    sigpending(&waiting);
    printf("%s: blocked", what);
    for (int i = 1; i <= SIGRTMAX; i++)
        if (sigismember(&now, i) == 1) printf(" %d", i);
    printf(", pending");
    for (int i = 1; i <= SIGRTMAX; i++)
        if (sigismember(&waiting, i) == 1) printf(" %d", i);
    printf("\n");
    fflush(stdout);
}
static void spin(int rounds) {
    for (int i = 0; i < rounds; i++) free(calloc(1, i % 100000));
}
static void *work(void *argument) {
    spin(10000);
    show("thread");
    return argument;
}

int main(void) {
    show("start");
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    spin(20000);
    show("all");
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    raise(SIGUSR1);
    raise(SIGSEGV);
    union sigval value = {.sival_int = 77};
    for (int number = SIGRTMIN; number < SIGRTMIN + 6; number++) sigqueue(getpid(), number, value);
    spin(2000);
    show("raised");
    pid_t child = fork();
    if (child == 0) {
        spin(1000);
        show("child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    int taken = 0, sum = 0;
    struct timespec none = {0, 0};
    siginfo_t info;
    while (sigtimedwait(&all, &info, &none) > 0) {
        taken++;
        if (info.si_signo >= SIGRTMIN) sum += info.si_value.sival_int;
    }
    printf("taken %d sum %d errno %d\n", taken, sum, errno);
    int number = 0;
    sigqueue(getpid(), SIGUSR2, value);
    spin(5000);
    printf("waited %d", sigwait(&all, &number));
    printf(" for %d\n", number == SIGUSR2);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN + 1);
    int fd = signalfd(-1, &one, SFD_NONBLOCK);
    sigqueue(getpid(), SIGRTMIN + 1, value);
    struct signalfd_siginfo read_info;
    int whole = read(fd, &read_info, sizeof read_info) == sizeof read_info;
    printf("read %d signal %d\n", whole, read_info.ssi_signo - SIGRTMIN);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    spin(10000);
    show("end");
    return 0;
}
