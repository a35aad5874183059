// Clocks stop with ticks on their way: thousands of threads end after a moment of work, and children block all signals,
// work, and become another program.
#include "mirror.h"
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

static int each;

static void burn(double seconds) {
    struct timespec time;
    double until = 0;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        double now = time.tv_sec + time.tv_nsec / 1e9;
        if (until == 0) until = now + seconds;
        if (now >= until) return;
    } while (1);
}

static void *brief(void *argument) {
    sigset_t all;
    sigfillset(&all);
    if ((long)argument % 2) pthread_sigmask(SIG_BLOCK, &all, NULL);
    burn(0.0001 * (1 + (long)argument % 10));
    return argument;
}

static void *starts(void *argument) {
    long good = 0;
    for (long i = 0; i < each; i++) {
        pthread_t thread;
        void *back;
        pthread_create(&thread, NULL, brief, (void *)i);
        pthread_join(thread, &back);
        good += back == (void *)i;
    }
    return (void *)good;
}

int main(int count, char **words) {
    if (count < 3) return count == 2 && strcmp(words[1], "child") == 0 ? 7 : 2;
    int threads = atoi(words[1]), execs = atoi(words[2]);
    each = threads / 8;
    pthread_t starters[8];
    for (int i = 0; i < 8; i++) pthread_create(&starters[i], NULL, starts, NULL);
    long joined = 0, good = 0;
    for (int i = 0; i < 8; i++) {
        void *back;
        pthread_join(starters[i], &back);
        joined += (long)back;
    }
    for (int i = 0; i < execs; i++) {
        pid_t child = fork();
        if (child == 0) {
            sigset_t all, before;
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, &before);
            burn(0.003);
            if (i % 2) sigprocmask(SIG_SETMASK, &before, NULL);
            execl("/proc/self/exe", words[0], "child", NULL);
            _exit(1);
        }
        int status;
        waitpid(child, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    printf("joined %ld of %d, good execs %ld of %d\n", joined, each * 8, good, execs);
    mirror_tell();
    return 0;
}
