// A checked copy that would overflow ends the program as it does without us; smaller ones work.
#include <stdio.h>
#include <string.h>

void *__memcpy_chk(void *, const void *, size_t, size_t);

int main(void) {
    char small[8], large[64] = "too long for the small one";
    __memcpy_chk(small, large, 8, 8);
    printf("%.8s\n", small);
    fflush(stdout);
    volatile size_t size = 20;
    __memcpy_chk(small, large, size, 8);
    printf("not reached\n");
    return 0;
}
