// posix_spawn, popen and system from several threads that allocate: outputs and statuses arrive.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile int stop;
static void *allocates(void *argument) {
    while (!stop) free(realloc(malloc(100), 50000));
    return argument;
}
static void *starts(void *argument) {
    long good = 0;
    for (int i = 0; i < 8; i++) {
        int ends[2], status;
        if (pipe2(ends, O_CLOEXEC) != 0) abort();
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        char *words[] = {"sh", "-c", "echo said; exit 3", NULL};
        pid_t child;
        if (posix_spawnp(&child, "sh", &actions, NULL, words, environ) != 0) abort();
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        char said[10] = "";
        if (read(ends[0], said, 9) == 5 && strcmp(said, "said\n") == 0) good++;
        close(ends[0]);
        if (waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3) good++;
        if (posix_spawn(&child, "/no/such/program", NULL, NULL, words, environ) == ENOENT) good++;
        FILE *stream = popen("echo piped; exit 4", "r");
        if (fgets(said, sizeof said, stream) != NULL && strcmp(said, "piped\n") == 0) good++;
        if (WEXITSTATUS(pclose(stream)) == 4) good++;
        if (WEXITSTATUS(system("exit 5")) == 5) good++;
    }
    (void)argument;
    return (void *)good;
}

int main(void) {
    pthread_t busy, threads[3];
    pthread_create(&busy, NULL, allocates, NULL);
    long sum = 0;
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, starts, NULL);
    for (int i = 0; i < 3; i++) {
        void *good;
        pthread_join(threads[i], &good);
        sum += (long)good;
    }
    stop = 1;
    pthread_join(busy, NULL);
    printf("good %ld of 144\n", sum);
    return 0;
}
