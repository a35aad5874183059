// Forks while other threads hold the heap's and the streams' locks: no child hangs, in malloc or in stdio.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int stop;
static void *allocates(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    void *blocks[50] = {0};
    while (!stop) {
        int i = rand_r(&seed) % 50;
        free(blocks[i]);
        blocks[i] = calloc(1, rand_r(&seed) % 20000);
    }
    for (int i = 0; i < 50; i++) free(blocks[i]);
    return NULL;
}
static void *prints(void *argument) {
    while (!stop) {
        FILE *stream = fopen("/dev/null", "w");
        fprintf(stream, "%p %d", argument, 7);
        fflush(NULL);
        fclose(stream);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, allocates, (void *)(i + 1));
    pthread_create(&threads[3], NULL, prints, NULL);
    int good = 0;
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            void *blocks[100];
            for (int b = 0; b < 100; b++) memset(blocks[b] = malloc(1000 + b * 100), b, 1000);
            for (int b = 0; b < 100; b++) free(blocks[b]);
            FILE *stream = fopen("/dev/null", "w");
            fprintf(stream, "child");
            fclose(stream);
            _exit(i % 100);
        }
        int status;
        waitpid(child, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == i % 100;
    }
    stop = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("good children %d\n", good);
    return 0;
}
