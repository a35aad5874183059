// glibc's own debugging allocator, preloaded before and after whoever is preloaded already: it finds what it is for.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(void) {
    long wrong = 0;
    for (int i = 0; i < 3000; i++) {
        unsigned char *block = malloc(i + 1);
        memset(block, i, i + 1);
        block = realloc(block, 2 * i + 2);
        wrong += block[i] != (unsigned char)i;
        free(block);
    }
    printf("wrong %ld\n", wrong);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *volatile block = malloc(100);
        close(2);
        memset(block, 1, 101);
        free(block);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("one byte too many: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        work();
        return 0;
    }
    const char *preload = getenv("LD_PRELOAD");
    char before[5000], after[5000], *orders[] = {before, after};
    snprintf(before, sizeof before, "libc_malloc_debug.so.0:%s", preload ? preload : "");
    snprintf(after, sizeof after, "%s:libc_malloc_debug.so.0", preload ? preload : "");
    setenv("MALLOC_CHECK_", "3", 1);
    for (int i = 0; i < 2; i++) {
        setenv("LD_PRELOAD", orders[i], 1);
        pid_t child = fork();
        if (child == 0) execl("/proc/self/exe", argv[0], "work", (char *)NULL);
        int status;
        waitpid(child, &status, 0);
        printf("order %d: %d\n", i, status);
        fflush(stdout);
    }
    return 0;
}
