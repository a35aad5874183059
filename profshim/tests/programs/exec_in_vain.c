// The exec functions that take a list, with few and with many arguments: each fails where there is no such file, as often
// as it likes, and starts one that is there.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count > 2 && strcmp(arguments[1], "show") == 0) {
        printf("%d arguments:", count);
        for (int i = 2; i < count; i++) printf(" %s", arguments[i]);
        printf(", mark %s, name %s\n", getenv("MARK") ? getenv("MARK") : "none", arguments[0]);
        return 0;
    }
    char *environment[] = {"MARK=given", NULL};
    char *self = realpath("/proc/self/exe", NULL);
    for (int i = 0; i < 200; i++) {
        int failed = execl("/nowhere/at/all", "a", NULL) + execlp("nowhere-at-all", "a", "b", "c", "d", "e", "f", NULL)
            + execle("/nowhere/at/all", "a", "b", "c", NULL, environment) + execl("", NULL);
        if (failed != -4 || errno != ENOENT) printf("%d %s\n", failed, strerror(errno));
        for (volatile int j = 0; j < 200000; j++) {}
    }
    setenv("MARK", "inherited", 1);
    for (int way = 0; way < 7; way++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            if (way == 0) execl(self, "n", "show", "1", NULL);
            if (way == 1) execl(self, "n", "show", "1", "2", "3", NULL);
            if (way == 2) execl(self, "n", "show", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL);
            if (way == 3) execlp(self, "n", "show", "1", "2", NULL);
            if (way == 4) execle(self, "n", "show", "1", NULL, environment);
            if (way == 5) execle(self, "n", "show", "1", "2", NULL, environment);
            if (way == 6) execle(self, "n", "show", "1", "2", "3", "4", "5", NULL, environment);
            _exit(9);
        }
        int status;
        waitpid(child, &status, 0);
        if (status != 0) printf("way %d ended with %x\n", way, status);
    }
    return 0;
}
