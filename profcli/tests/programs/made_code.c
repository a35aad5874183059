/* Makes a function while it runs, as compilers of that kind do, and tells profilers its name in a map. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

int main(void) {
    /* mov rcx, rdi; again: dec rcx; jnz again; ret */
    static const uint8_t code[] = {0x48, 0x89, 0xf9, 0x48, 0xff, 0xc9, 0x75, 0xfb, 0xc3};
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 1;
    memcpy(page + 64, code, sizeof code);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return 2;

    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
    FILE *map = fopen(path, "wx");
    if (map == NULL) return 3;
    fprintf(map, "%lx %zx made while it ran\n", (unsigned long)(page + 64), sizeof code);
    fclose(map);

    void (*made)(uint64_t) = (void (*)(uint64_t))(page + 64);
    while (thread_seconds() < 1) made(1000000);
    unlink(path);
    return 0;
}
