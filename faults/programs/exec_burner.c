// Becomes itself again and again, each time after some work that ticks.
#include "mirror.h"
#include <time.h>

static void burn(double seconds) {
    struct timespec time;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    while (time.tv_nsec < 0 || time.tv_sec + time.tv_nsec / 1e9 < seconds);
}

int main(int count, char **words) {
    int left = count > 1 ? atoi(words[1]) : 10;
    double now = 0;
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    now = time.tv_sec + time.tv_nsec / 1e9;
    burn(now + 0.01);
    if (left > 0) {
        char number[20];
        snprintf(number, sizeof number, "%d", left - 1);
        execl("/proc/self/exe", words[0], number, NULL);
        return 1;
    }
    printf("last of them\n");
    mirror_tell();
    return 23;
}
