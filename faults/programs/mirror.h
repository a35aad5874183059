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
        // The kernel says handled where the program ignores one.
        if (ours && action.sa_handler == SIG_IGN) ignored |= 1UL << (number - 1);
    }
    printf("blocked %lx ignored %lx\n", blocked, ignored);
}

static int mirror_by_text(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

// Names and sums of values: what stands in an environment is nobody's business. A shell gives it an order of its own,
// and `_` is the last command's name.
static void mirror_environment(void) {
    int profiled = getenv("PROF_SESSION") != NULL && getenv("LD_PRELOAD") != NULL, count = 0;
    while (environ[count]) count++;
    char *entries[count + 1];
    memcpy(entries, environ, count * sizeof *entries);
    qsort(entries, count, sizeof *entries, mirror_by_text);
    for (int i = 0; i < count; i++) {
        char *value = strchr(entries[i], '=');
        int length = value ? (int)(value - entries[i]) : (int)strlen(entries[i]);
        if (strncmp(entries[i], "PROF_SESSION=", 13) == 0 || strncmp(entries[i], "_=", 2) == 0) continue;
        if (strncmp(entries[i], "LD_PRELOAD=", 11) == 0) {
            // Its first entry is the profiler's.
            if (profiled) value = strchr(entries[i], ':');
            if (value == NULL || value[1] == 0) continue;
        }
        unsigned long sum = 14695981039346656037UL;
        for (const char *at = value ? value + 1 : ""; *at; at++) sum = (sum ^ (unsigned char)*at) * 1099511628211UL;
        printf("environment: %.*s %lx\n", length, entries[i], sum);
    }
}

// A thread that was joined is seen for a moment longer.
static void mirror_threads(void) {
    int threads = 0;
    for (int patience = 500; threads != 1 && patience > 0; patience--) {
        DIR *tasks = opendir("/proc/self/task");
        for (threads = -2; tasks && readdir(tasks);) threads++;
        if (tasks) closedir(tasks);
        if (threads != 1) usleep(2000);
    }
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
