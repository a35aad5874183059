// gcc: -O2 -fbuiltin -D_FORTIFY_SOURCE=2
// Every checked form of a copy works within its room and ends the program beyond it.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char source[100] = "some text that is longer than the room for it";
static size_t ask(int way, size_t size) {
    static char room[16];
    char *result = room;
    switch (way) {
        case 0: result = memcpy(room, source, size); break;
        case 1: result = memmove(room, source, size); break;
        case 2: result = (char *)mempcpy(room, source, size) - size; break;
        case 3: result = memset(room, 1, size); break;
        case 4: result = strncpy(room, source, size); break;
        case 5: result = stpncpy(room, source, size) - size; break;
        case 6: source[size - 1] = 0, result = strcpy(room, source), source[size - 1] = 'x'; break;
    }
    return result - room;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int way = 0; way < 7; way++)
        for (volatile size_t size = 15; size < 18; size++) {
            pid_t child = fork();
            if (child == 0) _exit((int)ask(way, size));
            int status;
            waitpid(child, &status, 0);
            printf("way %d size %zu: exited %d with %d signal %d\n", way, size, WIFEXITED(status), WEXITSTATUS(status),
                   WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        }
    return 0;
}
