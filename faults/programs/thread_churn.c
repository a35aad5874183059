// Starts and joins threads one after the other, and looks whether timers or queued signals pile up.
#include "mirror.h"
#include <pthread.h>

static int timers(void) {
    char line[256];
    int found = 0;
    FILE *list = fopen("/proc/self/timers", "re");
    while (list && fgets(line, sizeof line, list)) found += strncmp(line, "ID:", 3) == 0;
    if (list) fclose(list);
    return found;
}

static long queued(void) {
    char line[256];
    long found = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "SigQ: %ld", &found);
    if (status) fclose(status);
    return found;
}

static void *brief(void *argument) { return malloc((long)argument % 100); }

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 1000, most = 0, good = 0;
    long before = queued(), highest = 0;
    for (long i = 0; i < threads; i += 4) {
        pthread_t four[4];
        for (int j = 0; j < 4; j++) good += pthread_create(&four[j], NULL, brief, (void *)(i + j)) == 0;
        for (int j = 0; j < 4; j++) {
            void *block;
            pthread_join(four[j], &block);
            free(block);
        }
        if (i % 400 == 0) {
            // All have been joined: only the first thread is left.
            int found = timers();
            long now = queued() - before;
            most = found > most ? found : most;
            highest = now > highest ? now : highest;
        }
    }
    // A thread's entry goes a moment after it was joined; other processes of the user queue signals, too.
    printf("started %d, timers within live threads %d, queue is flat %d\n", good, most <= 1 + 4, highest < 100);
    mirror_tell();
    return 0;
}
