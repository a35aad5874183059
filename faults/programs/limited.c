// Sets a limit of its own (`as` or `fsize`, bytes) and becomes another program. A launcher would not do: what native
// programs a launcher starts are not profiled.
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count < 4) return 2;
    struct rlimit limit = {strtoul(words[2], NULL, 10), strtoul(words[2], NULL, 10)};
    if (setrlimit(strcmp(words[1], "as") == 0 ? RLIMIT_AS : RLIMIT_FSIZE, &limit) != 0) return 3;
    execv(words[3], words + 3);
    return 4;
}
