// library: linked
// gcc: -Wl,-z,now
// A library's IFUNC resolver copies, while what is preloaded has not been relocated yet.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
static char seen[200];
static int first(void) { return 1; }
static int second(void) { return 2; }
static void *resolver(void) {
    char from[100], *end;
    for (int i = 0; i < 100; i++) from[i] = (char)i;
    memcpy(seen, from, 100);
    memmove(seen + 10, seen, 100);
    return seen[50] == 40 ? second : first;
}
// Not visible outside: resolved when this library is relocated, which comes before whatever stands in front of it.
static int here(void) __attribute__((ifunc("resolver")));
int chosen(void) { return here(); }
int copied(int at) { return seen[at]; }
#else
int chosen(void);
int copied(int at);
int main(void) {
    printf("chosen %d copied %d %d\n", chosen(), copied(9), copied(109));
    return 0;
}
#endif
