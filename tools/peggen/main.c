/* peggen OUTDIR grammar/tokens.def grammar/python.gram: writes kr_tokens.h and
 * kr_parser.c. Files are rewritten only when their text changes. */
#include <stdlib.h>
#include <string.h>

#include "peggen.h"

void
fail(int line, const char *what, const char *name)
{
    fprintf(stderr, "peggen: line %d: %s%s\n", line, what, name);
    exit(1);
}

char *
read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    char *text = calloc(1, 8 << 20);
    if (text == NULL) {
        exit(1);
    }
    size_t n = fread(text, 1, (8 << 20) - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static void
write_if_changed(const char *dir, const char *name, void (*emit)(FILE *))
{
    char path[4096], *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    emit(out);
    fclose(out);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    char *old = read_file(path);
    if (old != NULL && strcmp(old, text) == 0) {
        return;
    }
    FILE *f = fopen(path, "wb");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

int
main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: peggen OUTDIR tokens.def python.gram\n");
        return 2;
    }
    read_tokens(argv[2]);
    read_grammar(argv[3]);
    analyse();
    write_if_changed(argv[1], "kr_tokens.h", emit_tokens);
    write_if_changed(argv[1], "kr_parser.c", emit_parser);
    return 0;
}
