/* Becomes itself again and again, each time by another exec function, and uses CPU time before and after an exec that fails.
   Arguments: how often, and how often it has been. Prints that at the end. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void burn(double ms) {
    double end = cpu_ms() + ms;
    while (cpu_ms() < end)
        for (volatile int i = 0; i < 20000; i++)
            ;
}

int main(int count, char **arguments) {
    int left = atoi(arguments[1]), done = count > 2 ? atoi(arguments[2]) : 0;
    burn(40);
    execl("/nonexistent", "nonexistent", "1", "2", "3", "4", "5", "6", "7", (char *)0);
    char *nothing[] = {"nonexistent", 0};
    execv("/nonexistent", nothing);
    burn(40);
    if (left == 0) {
        printf("%d\n", done);
        return 7;
    }
    char next[16], so_far[16], *self = arguments[0];
    snprintf(next, sizeof next, "%d", left - 1);
    snprintf(so_far, sizeof so_far, "%d", done + 1);
    char *words[] = {self, next, so_far, 0};
    switch (left % 9) {
    case 0: execv(self, words); break;
    case 1: execve(self, words, environ); break;
    case 2: execvp(self, words); break;
    case 3: execvpe(self, words, environ); break;
    case 4: fexecve(open(self, O_RDONLY | O_CLOEXEC), words, environ); break;
    case 5: execveat(AT_FDCWD, self, words, environ, 0); break;
    case 6: execl(self, self, next, so_far, (char *)0); break;
    case 7: execlp(self, self, next, so_far, (char *)0); break;
    case 8: execle(self, self, next, so_far, (char *)0, environ); break;
    }
    perror("exec");
    return 1;
}
