// Every copying function at every size and alignment, up to the last byte before a page that is not there, one of three
// gigabytes, and overlapping ones, beside a loop of our own. Arguments: largest size, its step, gigabytes.
#include "mirror.h"
#include <stdint.h>
#include <sys/mman.h>

// As programs were linked before 2010: libc's memmove behind the name memcpy.
void *old_memcpy(void *, const void *, size_t);
__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");
void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);

static void *with_memcpy_chk(void *to, const void *from, size_t size) { return __memcpy_chk(to, from, size, size); }
static void *with_memmove_chk(void *to, const void *from, size_t size) { return __memmove_chk(to, from, size, size); }
static void *with_mempcpy_chk(void *to, const void *from, size_t size) { return __mempcpy_chk(to, from, size, size); }

static struct {
    const char *name;
    void *(*copy)(void *, const void *, size_t);
    int gives_end, may_overlap;
} functions[] = {
    {"memcpy", memcpy, 0, 0},           {"memmove", memmove, 0, 1},           {"mempcpy", mempcpy, 1, 0},
    {"old memcpy", old_memcpy, 0, 1},   {"memcpy_chk", with_memcpy_chk, 0, 0}, {"memmove_chk", with_memmove_chk, 0, 1},
    {"mempcpy_chk", with_mempcpy_chk, 1, 0},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, ROOM = 16384, PAGE = 4096 };

// A place for ROOM bytes whose neighbors on both sides are not there.
static unsigned char *guarded(void) {
    unsigned char *at = mmap(NULL, ROOM + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(at + PAGE, ROOM, PROT_READ | PROT_WRITE);
    return at + PAGE;
}

static unsigned char pattern(size_t at) { return (unsigned char)(at * 131 + (at >> 8)); }

int main(int count, char **words) {
    size_t largest = count > 1 ? atol(words[1]) : 512, step = count > 2 ? atol(words[2]) : 1;
    double gigabytes = count > 3 ? atof(words[3]) : 0;
    unsigned char *from = guarded(), *to = guarded();
    for (size_t i = 0; i < ROOM; i++) from[i] = pattern(i);
    for (int f = 0; f < FUNCTIONS; f++) {
        long calls = 0, wrong = 0;
        for (size_t size = 0; size <= largest; size += step) {
            for (size_t alignment = 0; alignment < 64; alignment++) {
                // At both edges of what is there.
                unsigned char *source = alignment % 2 ? from + ROOM - size : from + alignment;
                unsigned char *target = alignment % 3 ? to + alignment : to + ROOM - size;
                if (target > to) target[-1] = 0xa5;
                if (target + size < to + ROOM) target[size] = 0x5a;
                unsigned char *result = functions[f].copy(target, source, size);
                wrong += result != target + (functions[f].gives_end ? size : 0);
                for (size_t i = 0; i < size; i++) wrong += target[i] != pattern(source - from + i);
                if (target > to) wrong += target[-1] != 0xa5;
                if (target + size < to + ROOM) wrong += target[size] != 0x5a;
                calls++;
            }
        }
        for (long by = functions[f].may_overlap ? -70 : 1; by <= 70 && functions[f].may_overlap; by++) {
            for (size_t i = 0; i < 1000; i++) to[i] = pattern(i);
            functions[f].copy(to + 100 + by, to + 100, 700);
            for (size_t i = 0; i < 700; i++) wrong += to[100 + by + i] != pattern(100 + i);
            calls++;
        }
        printf("%s: calls %ld wrong %ld\n", functions[f].name, calls, wrong);
    }
    if (gigabytes > 0) {
        // One page of memory, again and again: three gigabytes of addresses to read. The copy is looked at and given back
        // in parts, so that the machine need not have as much.
        size_t size = (size_t)(gigabytes * (1 << 30)), part = (size_t)64 << 20, wrong = 0;
        int file = memfd_create("part", MFD_CLOEXEC);
        if (ftruncate(file, part) != 0) return 3;
        unsigned char *source = mmap(NULL, size + part, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        unsigned char *target = mmap(NULL, size + part, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (size_t at = 0; at < size; at += part) {
            mmap(source + at, part, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
            mmap(target + at, part, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
        }
        // Source and target are the same pages: what is right stays right, and what is shifted does not.
        for (size_t i = 0; i < part; i++) source[i] = pattern(i);
        void *result = memcpy(target, source, size);
        for (size_t i = 0; i < part; i++) wrong += source[i] != pattern(i);
        printf("%g GiB: wrong %ld\n", gigabytes, (long)wrong + (result != target));
        munmap(source, size + part), munmap(target, size + part), close(file);
    }
    mirror_tell();
    return 0;
}
