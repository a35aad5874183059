// Functions of libc that allocate for the program, which frees: text, lines, streams, folders, patterns, environment.
#define _GNU_SOURCE
#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <iconv.h>
#include <locale.h>
#include <obstack.h>
#include <regex.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(void) {
    for (int round = 0; round < 20; round++) {
        char *text = NULL, *line = NULL, *out = NULL;
        size_t size = 0, room = 0;
        if (asprintf(&text, "%*d|%s", 5000, round, "end") < 0) return 1;
        FILE *stream = open_memstream(&out, &size);
        for (int i = 0; i < 300; i++) fprintf(stream, "line %d of %s\n", i, i % 50 ? "few" : text);
        fclose(stream);
        stream = fmemopen(out, size, "r");
        long lines = 0, longest = 0;
        for (ssize_t length; (length = getline(&line, &room, stream)) > 0; lines++)
            if (length > longest) longest = length;
        fclose(stream);
        char *folder = get_current_dir_name(), *real = realpath("/proc/self/../self/..", NULL);
        regex_t pattern;
        regcomp(&pattern, "(l[a-z]+e) ([0-9]+).*(few)", REG_EXTENDED);
        regmatch_t matches[4];
        int found = regexec(&pattern, "a line 42 of few", 4, matches, 0);
        regfree(&pattern);
        glob_t paths;
        int globbed = glob("/proc/self/stat*", 0, NULL, &paths);
        size_t many = paths.gl_pathc;
        globfree(&paths);
        struct dirent **names;
        int scanned = scandir("/proc/self/task", &names, NULL, alphasort);
        for (int i = 0; i < scanned; i++) free(names[i]);
        free(names);
        int *numbers = malloc(50000 * sizeof *numbers);
        for (int i = 0; i < 50000; i++) numbers[i] = (i * 7919) % 50000;
        qsort(numbers, 50000, sizeof *numbers, by_value);
        struct obstack stack;
        obstack_init(&stack);
        for (int i = 0; i < 1000; i++) obstack_grow(&stack, "grow", 4);
        size_t grown = obstack_object_size(&stack);
        obstack_free(&stack, NULL);
        wchar_t *wide = wcsdup(L"wide text");
        setenv("A_VARIABLE", text, 1);
        iconv_t conversion = iconv_open("UTF-16", "UTF-8");
        char *input = "text", output[100], *into = output;
        size_t left = 4, space = sizeof output;
        iconv(conversion, &input, &left, &into, &space);
        iconv_close(conversion);
        if (round == 19)
            printf("%zu %ld %ld %d %s %d %d %d %zu %d %d %zu %zu %zu %zu\n", strlen(text), lines, longest, folder[0] == '/',
                   real, found, (int)matches[2].rm_so, globbed, many, scanned, numbers[123], grown, wcslen(wide),
                   strlen(getenv("A_VARIABLE")), sizeof output - space);
        free(wide), free(numbers), free(real), free(folder), free(line), free(out), free(text);
    }
    return 0;
}
