// A program that uses all of its descriptors gets as many as it may have, with the numbers it would have had.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void *work(void *argument) {
    free(malloc(100000));
    return argument;
}

int main(void) {
    struct rlimit limit = {40, 40};
    setrlimit(RLIMIT_NOFILE, &limit);
    long sum = 0, count = 0;
    for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0; count++) sum += fd;
    printf("opened %ld sum %ld errno %d\n", count, sum, errno);
    fflush(stdout);
    pthread_t thread;
    printf("thread %d\n", pthread_create(&thread, NULL, work, NULL));
    pthread_join(thread, NULL);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        free(malloc(100000));
        _exit(open("/dev/null", O_RDONLY) == -1 ? 7 : 8);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    return 0;
}
