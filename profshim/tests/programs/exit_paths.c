// Ways to leave; the parent prints how each child ended. Destructors and atexit functions allocate.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void at_exit(void) {
    free(malloc(5000));
    if (write(1, "atexit\n", 7) != 7) abort();
}
__attribute__((destructor)) static void destroyed(void) { free(calloc(3, 7)); }

static void leave(int way) {
    switch (way) {
        case 0: exit(1);
        case 1: _exit(2);
        case 2: _Exit(3);
        case 3: quick_exit(4);
        case 4: abort();
        case 5: raise(SIGKILL); break;
        case 6: raise(SIGTERM); break;
        case 7: *(volatile int *)0 = 1; break;
        case 8: __builtin_trap();
        case 9: free((void *)0x1234567); break;
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    atexit(at_exit);
    for (int way = 0; way < 9; way++) {
        pid_t child = fork();
        if (child == 0) {
            leave(way);
            return 77;
        }
        int status;
        waitpid(child, &status, 0);
        printf("way %d: exited %d status %d signal %d core %d\n", way, WIFEXITED(status), WEXITSTATUS(status),
               WIFSIGNALED(status) ? WTERMSIG(status) : 0, WCOREDUMP(status) != 0);
    }
    return 11;
}
