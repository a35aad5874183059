// Eight threads allocate while the first forks; each child allocates, copies and leaves. None may hang.
#include "mirror.h"
#include <pthread.h>
#include <sys/wait.h>

static volatile int stop;

static void *allocates(void *argument) {
    unsigned seed = 1 + (unsigned)(long)argument;
    void *blocks[50] = {0};
    for (long turn = 1; !stop; turn++) {
        // Forks are what this is about: their thread must get a processor now and then.
        if (turn % 500 == 0) usleep(300);
        int i = rand_r(&seed) % 50;
        free(blocks[i]);
        blocks[i] = malloc(1 + rand_r(&seed) % 20000);
    }
    for (int i = 0; i < 50; i++) free(blocks[i]);
    return NULL;
}

int main(int count, char **words) {
    int forks = count > 1 ? atoi(words[1]) : 100, good = 0;
    pthread_t threads[8];
    for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, allocates, (void *)i);
    for (int i = 0; i < forks; i++) {
        pid_t child = fork();
        if (child == 0) {
            // One that hangs ends by a signal, which its parent tells.
            alarm(60);
            char *blocks[100];
            for (int b = 0; b < 100; b++) memset(blocks[b] = malloc(1000 + b * 100), b, 1000);
            for (int b = 1; b < 100; b++) memcpy(blocks[b], blocks[b - 1], 1000);
            int right = blocks[99][999] == 0;
            for (int b = 0; b < 100; b++) free(blocks[b]);
            _exit(right ? i % 100 : 101);
        }
        int status;
        waitpid(child, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == i % 100;
    }
    stop = 1;
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    printf("good children %d\n", good);
    mirror_tell();
    return 0;
}
