// A thread works with 8 KiB left of its stack, and one that has an alternate stack with 3 KiB: the kernel's own frame of a
// signal takes as much. Then a child overflows a stack, which a handler of its own notices.
#include "mirror.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static double seconds;
static char *lowest;
static long left;

static void burn(void) {
    struct timespec time;
    double until = 0;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        double now = time.tv_sec + time.tv_nsec / 1e9;
        if (until == 0) until = now + seconds;
        if (now >= until) return;
        for (volatile int i = 0; i < 100000; i++);
    } while (1);
}

__attribute__((noinline)) static int dive(int depth) {
    volatile char here[256];
    here[0] = (char)depth;
    if ((char *)&here[0] - lowest < left + 400) {
        burn();
        return depth;
    }
    int deepest = dive(depth + 1);
    here[1] = (char)deepest;
    return deepest;
}

static char own_stack[65536];

static void *almost(void *argument) {
    stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    left = argument == NULL ? 8192 : 3072;
    if (argument != NULL) sigaltstack(&stack, NULL);
    return (void *)(long)(dive(0) > 100);
}

__attribute__((noinline)) static int overflow(int depth) {
    volatile char here[512];
    here[0] = (char)depth;
    return overflow(depth + 1) + here[0];
}

static void faulted(int number) {
    static const char words[] = "overflow noticed\n";
    if (write(1, words, sizeof words - 1)) {}
    _exit(33);
}

int main(int count, char **words) {
    seconds = count > 1 ? atof(words[1]) : 0.5;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    // A stack of our own, below which nothing is there.
    enum { PAGE = 4096, SIZE = 64 << 10 };
    char *room = mmap(NULL, SIZE + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    lowest = room + PAGE;
    mprotect(lowest, SIZE, PROT_READ | PROT_WRITE);
    pthread_attr_setstack(&attributes, lowest, SIZE);
    for (int alternate = 0; alternate < 2; alternate++) {
        pthread_t thread;
        void *deep;
        pthread_create(&thread, &attributes, almost, alternate ? own_stack : NULL);
        pthread_join(thread, &deep);
        printf("deep %ld\n", (long)deep);
        fflush(stdout);
    }
    for (int own = 0; own < 2; own++) {
        pid_t child = fork();
        if (child == 0) {
            stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
            struct sigaction action = {.sa_handler = own ? faulted : SIG_DFL, .sa_flags = SA_ONSTACK};
            if (own) sigaltstack(&stack, NULL);
            sigaction(SIGSEGV, &action, NULL);
            _exit(overflow(0));
        }
        int status;
        waitpid(child, &status, 0);
        printf("child %d: exited %d signal %d\n", own, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
               WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        fflush(stdout);
    }
    mirror_tell();
    return 0;
}
