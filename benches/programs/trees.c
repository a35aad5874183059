/* Binary trees by malloc and free, on two threads, and strings that are copied and sorted: a native program. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 14, TREES = 400, STRINGS = 200000 };

struct node { struct node *left, *right; };

static struct node *grow(int depth) {
    struct node *node = malloc(sizeof *node);
    node->left = depth ? grow(depth - 1) : NULL;
    node->right = depth ? grow(depth - 1) : NULL;
    return node;
}

static long fell(struct node *node) {
    if (!node)
        return 0;
    long nodes = 1 + fell(node->left) + fell(node->right);
    free(node);
    return nodes;
}

static void *forest(void *nodes) {
    for (int i = 0; i < TREES; i++)
        *(long *)nodes += fell(grow(DEPTH));
    return NULL;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void) {
    long nodes[2] = {0, 0};
    pthread_t other;
    if (pthread_create(&other, NULL, forest, &nodes[1]) != 0)
        return 1;
    forest(&nodes[0]);
    pthread_join(other, NULL);
    char **texts = malloc(STRINGS * sizeof *texts), text[64];
    unsigned random = 1;
    for (int i = 0; i < STRINGS; i++) {
        random = random * 1664525 + 1013904223;
        snprintf(text, sizeof text, "%u-%u", random >> 8, random);
        texts[i] = strdup(text);
    }
    qsort(texts, STRINGS, sizeof *texts, by_text);
    printf("%ld %s\n", nodes[0] + nodes[1], texts[STRINGS / 2]);
    for (int i = 0; i < STRINGS; i++)
        free(texts[i]);
    free(texts);
    return 0;
}
