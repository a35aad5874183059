// Forks while threads allocate; children allocate, fork again and leave in three ways.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int stop;
static void *work(void *argument) {
    while (!stop) free(malloc(1000));
    return argument;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
    long sum = 0;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int n = 0; n < 100; n++) free(realloc(malloc(n * 50), n * 100));
            if (i % 10 == 0) {
                pid_t grandchild = fork();
                if (grandchild == 0) _exit(3);
                int status;
                waitpid(grandchild, &status, 0);
                if (WEXITSTATUS(status) != 3) _exit(99);
            }
            if (i % 3 == 0) _exit(i % 7);
            if (i % 3 == 1) _Exit(i % 7);
            exit(i % 7);
        }
        int status;
        waitpid(child, &status, 0);
        sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    }
    stop = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("sum %ld\n", sum);
    return 0;
}
