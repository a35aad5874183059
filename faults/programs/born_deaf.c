// Blocks all signals and ignores all that can be ignored, then becomes a program that works: it inherits both.
#include "mirror.h"
#include <time.h>

int main(int count, char **words) {
    if (count < 3) {
        for (int number = 1; number <= 64; number++)
            if (strcmp(words[1], "blocked") != 0) signal(number, SIG_IGN);
        sigset_t all;
        sigfillset(&all);
        if (strcmp(words[1], "ignored") != 0) sigprocmask(SIG_SETMASK, &all, NULL);
        execl("/proc/self/exe", words[0], words[1], "working", NULL);
        return 1;
    }
    struct timespec time;
    do {
        for (int i = 0; i < 1000; i++) free(malloc(100 + i));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    } while (time.tv_sec == 0 && time.tv_nsec < 500000000);
    printf("born %s\n", words[1]);
    mirror_tell();
    return 0;
}
