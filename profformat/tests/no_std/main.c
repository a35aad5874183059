/* Prints what the library says of the trace named by the first argument. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t total_weight(const unsigned char *bytes, size_t length);

/* Rust's own libraries name it as what to call when a panic passes by; ours does not let one pass. */
void rust_eh_personality(void) {
    abort();
}

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    unsigned char *bytes = malloc(1 << 20);
    if (!file || !bytes)
        return 2;
    size_t length = fread(bytes, 1, 1 << 20, file);
    printf("%" PRIu64 "\n", total_weight(bytes, length));
    return 0;
}
