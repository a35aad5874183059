/* A program that is not Python and runs Python: C work, a script, C work. With LATE the interpreter's library is loaded
   after the first C work and unloaded before the last. Arguments: seconds of each, the script, the library. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

volatile uint64_t result;

__attribute__((noinline)) static void before(double seconds) {
    double end = thread_seconds() + seconds;
    while (thread_seconds() < end)
        for (int i = 0; i < 100000; i++) result = result * 6364136223846793005u + 1; /* BEFORE */
}

__attribute__((noinline)) static void after(double seconds) {
    double end = thread_seconds() + seconds;
    while (thread_seconds() < end)
        for (int i = 0; i < 100000; i++) result = result * 6364136223846793005u + 3; /* AFTER */
}

#ifdef LATE
static void (*initialize)(void);
static int (*run)(const char *);
static int (*finalize)(void);

static void *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    initialize = (void (*)(void))dlsym(library, "Py_Initialize");
    run = (int (*)(const char *))dlsym(library, "PyRun_SimpleString");
    finalize = (int (*)(void))dlsym(library, "Py_FinalizeEx");
    return library;
}
#else
void Py_Initialize(void);
int PyRun_SimpleString(const char *);
int Py_FinalizeEx(void);
#define initialize Py_Initialize
#define run PyRun_SimpleString
#define finalize Py_FinalizeEx
#endif

int main(int argc, char **argv) {
    double seconds = atof(argv[1]);
    char source[8192];
    before(seconds);
#ifdef LATE
    void *library = load(argv[3]);
#endif
    initialize();
    snprintf(source, sizeof source, "SECONDS = %g\npath = '%s'\nexec(compile(open(path).read(), path, 'exec'))\n",
             seconds, argv[2]);
    int failed = run(source);
    failed |= finalize();
#ifdef LATE
    failed |= dlclose(library);
#endif
    after(seconds);
    printf("%.6f\n", thread_seconds());
    return failed;
}
