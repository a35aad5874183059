// Works for so many milliseconds of wall time, tells its CPU time all along in a file, and ends as it is told to. "kept": a
// child does, and its parent keeps its status in a file.
#include "mirror.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static double at(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count < 4) return 2;
    const char *how = words[1];
    pid_t child = strcmp(how, "kept") == 0 ? fork() : 0;
    if (child != 0) {
        int status = -1;
        waitpid(child, &status, 0);
        dprintf(open("status", O_WRONLY | O_CREAT, 0600), "%d\n", status);
        return WEXITSTATUS(status);
    }
    double end = at(CLOCK_MONOTONIC) + atof(words[2]) / 1000;
    int file = open(words[3], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, 64) != 0) return 3;
    char *used = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *blocks[16] = {0};
    for (int turn = 0; at(CLOCK_MONOTONIC) < end; turn++) {
        for (int i = 0; i < 400; i++) {
            free(blocks[i % 16]);
            blocks[i % 16] = malloc(100 + (turn + i) % 3000);
            memset(blocks[i % 16], i, 100);
        }
        snprintf(used, 64, "%.6f\n", at(CLOCK_PROCESS_CPUTIME_ID));
    }
    if (strcmp(how, "_exit") == 0) _exit(42);
    if (strcmp(how, "terminated") == 0) kill(getpid(), SIGTERM);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "fault") == 0) *(volatile int *)8 = 1;
    if (strcmp(how, "killed") == 0) kill(getpid(), SIGKILL);
    return 21;
}
