// What a program can see of itself, printed at its end: must be the same bare and profiled.
#ifndef MIRROR_H
#define MIRROR_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void mirror_descriptors(void) {
    for (int number = 0; number < 4096; number++) {
        struct stat found;
        if (fstat(number, &found) != 0) continue;
        printf("descriptor %d: kind %o, flags %o, %s at exec\n", number, found.st_mode & S_IFMT,
               fcntl(number, F_GETFL), fcntl(number, F_GETFD) & FD_CLOEXEC ? "closed" : "open");
    }
}

// Signals that have a handler without the program's knowing: one real-time signal and those of guarded reads may.
static void mirror_signals(void) {
    char line[256];
    unsigned long blocked = 0, ignored = 0, caught = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) {
        sscanf(line, "SigBlk: %lx", &blocked);
        sscanf(line, "SigIgn: %lx", &ignored);
        sscanf(line, "SigCgt: %lx", &caught);
    }
    if (status) fclose(status);
    int behind = 0;
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) continue;
        int handled = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
        if (action.sa_handler != SIG_DFL)
            printf("signal %d: %s, flags %x\n", number, handled ? "handled" : "ignored", action.sa_flags & ~0x04000000);
        if (handled || !(caught >> (number - 1) & 1)) continue;
        int ours = number == SIGSEGV || number == SIGBUS || (number >= SIGRTMIN && ++behind == 1);
        if (!ours) printf("signal %d: handled, but not for the program\n", number);
    }
    printf("blocked %lx ignored %lx\n", blocked, ignored);
}

static void mirror_environment(void) {
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, "PROF_SESSION=", 13) == 0) continue;
        if (strncmp(*entry, "LD_PRELOAD=", 11) == 0) {
            char *others = strchr(*entry, ':');
            if (others) printf("environment: LD_PRELOAD=%s\n", others + 1);
            continue;
        }
        printf("environment: %s\n", *entry);
    }
}

static void mirror_threads(void) {
    int threads = -2;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks)) threads++;
    if (tasks) closedir(tasks);
    printf("threads %d\n", threads);
}

static void mirror_limits(void) {
    for (int which = 0; which < RLIMIT_NLIMITS; which++) {
        struct rlimit limit;
        if (getrlimit(which, &limit) == 0) printf("limit %d: %lx %lx\n", which, limit.rlim_cur, limit.rlim_max);
    }
}

// All of it; nothing may run beside.
static void mirror_tell(void) {
    fflush(stdout);
    mirror_descriptors();
    mirror_signals();
    mirror_environment();
    mirror_threads();
    mirror_limits();
    fflush(stdout);
}
#endif
