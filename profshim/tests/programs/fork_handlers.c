// Handlers of pthread_atfork allocate, in the order that libc promises, in parent and child.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char order[1000];
static void *held[2];
#define HANDLER(name, index)                                   \
    static void name(void) {                                   \
        free(held[index]);                                     \
        held[index] = malloc(100000);                          \
        memset(held[index], 1, 100000);                        \
        strcat(order, " " #name);                              \
    }
HANDLER(prepare_1, 0) HANDLER(parent_1, 0) HANDLER(child_1, 0)
HANDLER(prepare_2, 1) HANDLER(parent_2, 1) HANDLER(child_2, 1)

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_atfork(prepare_1, parent_1, child_1);
    pthread_atfork(prepare_2, parent_2, child_2);
    for (int i = 0; i < 5; i++) {
        order[0] = 0;
        pid_t child = fork();
        if (child == 0) {
            printf("child:%s\n", order);
            exit(i);
        }
        int status;
        waitpid(child, &status, 0);
        printf("parent:%s, child left with %d\n", order, WEXITSTATUS(status));
    }
    return 0;
}
