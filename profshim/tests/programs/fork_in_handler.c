// Forks in a signal handler that interrupts allocations and copies at any moment; the child copies and leaves.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t forks, good;
static char from[100000], to[100000];

static void handler(int number) {
    int error = errno;
    // The child may not allocate: the parent may be in the middle of malloc. Raw: libc's fork takes its locks.
    pid_t child = _Fork();
    if (child == 0) {
        memcpy(to, from, sizeof to);
        _exit(memcmp(to, from, sizeof to) == 0 ? 21 : 22);
    }
    int status = 0;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR);
    good += WIFEXITED(status) && WEXITSTATUS(status) == 21;
    forks++;
    errno = error;
}

int main(void) {
    for (size_t i = 0; i < sizeof from; i++) from[i] = (char)(i * 3);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pid_t parent = getpid(), sender = fork();
    if (sender == 0) {
        for (int i = 0; i < 60; i++) {
            kill(parent, SIGUSR1);
            usleep(2000);
        }
        _exit(0);
    }
    long wrong = 0;
    void *blocks[64] = {0};
    int status = 0, done = 0;
    for (long i = 0; !done; i++) {
        free(blocks[i % 64]);
        unsigned char *block = blocks[i % 64] = malloc(16 + i % 5000);
        memcpy(block, from, 16 + i % 5000);
        wrong += block[15] != (unsigned char)from[15];
        if (i % 1000 == 0) done = waitpid(sender, &status, WNOHANG) == sender;
    }
    printf("wrong %ld, forked %d, all good %d\n", wrong, forks > 0, forks == good);
    return 0;
}
