// A vfork child runs on the parent's memory until it execs or leaves by _exit.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void) {
    long sum = 0;
    for (int i = 0; i < 20; i++) {
        pid_t child = vfork();
        if (child == 0) {
            char *arguments[] = {"/bin/sh", "-c", "exit 4", NULL};
            if (i % 2) execv("/bin/sh", arguments);
            _exit(6);
        }
        int status;
        waitpid(child, &status, 0);
        sum += WEXITSTATUS(status);
        char *arguments[] = {"/bin/true", NULL};
        posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ);
        waitpid(child, &status, 0);
        sum += WEXITSTATUS(status);
    }
    printf("sum %ld\n", sum);
    return 0;
}
