// The environment and descriptors that a child sees are the program's.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int main(void) {
    int descriptors = 0, variables = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL) descriptors++;
    closedir(folder);
    for (char **variable = environ; *variable; variable++)
        variables += strncmp(*variable, "LD_PRELOAD=", 11) != 0 && strncmp(*variable, "PROF_SESSION=", 13) != 0;
    printf("descriptors %d variables %d\n", descriptors, variables);
    fflush(stdout);
    return system("ls /proc/self/fd | wc -l");
}
