// Handlers of exit, quick_exit and destructors run in their order, allocate, and may call exit again.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void note(const char *what) {
    char *text = strdup(what);
    for (int i = 0; i < 50; i++) free(malloc(1000 * i));
    printf("  %s\n", text);
    fflush(stdout);
    free(text);
}
static void first(void) { note("first"); }
static void second(void) { note("second"); atexit(first); }
static void third(int status, void *argument) { note("third"); free(argument); if (status == 3) _exit(33); }
static void again(void) { note("again"); exit(9); }
static void quick(void) { note("quick"); }
__attribute__((constructor)) static void made(void) { free(malloc(777)); }
__attribute__((destructor)) static void unmade(void) { note("destructor"); }

static void *from_thread(void *argument) {
    exit(*(int *)argument);
    return NULL;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int way = 0; way < 6; way++) {
        pid_t child = fork();
        if (child == 0) {
            atexit(first);
            atexit(second);
            on_exit(third, malloc(10));
            at_quick_exit(quick);
            if (way == 4) atexit(again);
            pthread_t thread;
            switch (way) {
                case 0: exit(0);
                case 1: return 1;
                case 2: quick_exit(2);
                case 3: exit(3);
                case 4: exit(4);
                default:
                    pthread_create(&thread, NULL, from_thread, &way);
                    pthread_join(thread, NULL);
            }
        }
        int status;
        waitpid(child, &status, 0);
        printf("way %d: %d\n", way, status);
    }
    return 0;
}
