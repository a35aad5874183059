// A vfork child allocates, frees and copies on its parent's memory before it leaves; the parent finds what it did.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char source[20000];
static char *volatile blocks[100];
static int clone_child(void *argument) {
    int i = *(int *)argument;
    blocks[i] = memcpy(malloc(20000), source, 20000);
    _exit(i);
}

int main(void) {
    memset(source, 9, sizeof source);
    static char stack[65536] __attribute__((aligned(16)));
    int wrong = 0;
    for (volatile int i = 0; i < 100; i++) {
        char *given = malloc(5000);
        int status, number = i;
        pid_t child;
        if (i % 2 == 0) {
            child = vfork();
            if (child == 0) {
                free(given);
                blocks[i] = memcpy(malloc(20000), source, 20000);
                if (i % 10 == 0) execl("/no/such/program", "none", (char *)NULL);
                _exit(i);
            }
        } else {
            child = clone(clone_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &number);
            free(given);
        }
        if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != i) wrong++;
        for (int b = 0; b < 20000; b += 100) wrong += blocks[i][b] != 9;
        free(blocks[i]);
    }
    printf("wrong %d\n", wrong);
    return 0;
}
