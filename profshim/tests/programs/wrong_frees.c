// Misuse that glibc detects: what it says and how the program ends is glibc's.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void misuse(int way) {
    // From the top of the heap, one behind the other: nobody has used blocks of these sizes before.
    char *volatile block = calloc(1, 3000), *volatile large = calloc(1, 5000), *volatile guard = malloc(3500);
    static char here[256] __attribute__((aligned(16)));
    switch (way) {
        case 0: free(block), free(block); break;
        case 1: free(large), free(large); break;
        case 2: free(block + 8); break;
        case 3: free(block + 16); break;
        case 4: free(here + 16); break;
        case 5: memset(block + 3000, 0x41, 8), free(large); break;
        case 6: ((size_t *)large)[-1] = 0, free(large); break;
        case 7: ((size_t *)large)[-1] |= (size_t)1 << 62, free(large); break;
        case 8: large = realloc(large + 16, 100); break;
        case 9: free(large), large = realloc(large, 20000); break;
        case 10: free((void *)(size_t)0x1000); break;
        case 11: large = realloc((void *)(size_t)0x1000, 10); break;
        case 12: ((size_t *)block)[-1] |= 2, free(block); break;
    }
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int way = 0; way < 13; way++) {
        int ends[2];
        if (pipe(ends) != 0) return 1;
        pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], 2);
            misuse(way);
            _exit(50);
        }
        close(ends[1]);
        char said[200] = "";
        ssize_t length = read(ends[0], said, sizeof said - 1);
        said[length > 0 ? length - 1 : 0] = 0;
        close(ends[0]);
        int status;
        waitpid(child, &status, 0);
        printf("way %d: '%s' exited %d signal %d\n", way, said, WIFEXITED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    return 0;
}
