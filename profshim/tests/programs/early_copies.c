// Copies before any constructor has run, overlapping both ways.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

static char buffer[3000];
static int wrong, calls;
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile append)(void *, const void *, size_t) = mempcpy;
void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);

static void early(void) {
    for (int by = -40; by <= 40; by++)
        for (int size = 0; size < 1000; size += 37) {
            for (int i = 0; i < 3000; i++) buffer[i] = (char)(i * 13);
            void *to = buffer + 500 + by, *result;
            switch (calls++ % 3) {
                case 0: result = move(to, buffer + 500, size); break;
                case 1: result = __memmove_chk(to, buffer + 500, size, 1000); break;
                default: result = move(to, buffer + 500, size); break;
            }
            wrong += result != to;
            for (int i = 0; i < size; i++) wrong += buffer[500 + by + i] != (char)((500 + i) * 13);
            wrong += buffer[499 + (by < 0 ? by : 0)] != (char)((499 + (by < 0 ? by : 0)) * 13);
        }
    wrong += copy(buffer, "copied", 7) != buffer || strcmp(buffer, "copied");
    wrong += append(buffer, "append", 7) != buffer + 7 || strcmp(buffer, "append");
    wrong += __memcpy_chk(buffer, "chk", 4, 3000) != buffer || strcmp(buffer, "chk");
    wrong += __mempcpy_chk(buffer, "pchk", 5, 3000) != buffer + 5 || strcmp(buffer, "pchk");
}
__attribute__((section(".preinit_array"), used)) static void (*entry)(void) = early;

int main(void) {
    printf("calls %d wrong %d\n", calls, wrong);
    return 0;
}
