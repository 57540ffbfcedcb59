/* astgen: turns grammar/ast.def into the C side of the syntax tree.
 *
 *     astgen OUTDIR grammar/ast.def
 *
 * writes kr_ast.h (node structs, kinds, sequence types, constructors) and
 * kr_ast.c (constructors and the tables that conversion to and from Python
 * objects walks). Files are rewritten only when their text changes. Exit
 * status 1 on a syntax or I/O error. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 64, MAX_KINDS = 64, MAX_FIELDS = 16 };

struct field {
    char type[32], name[32];
    char quantity; /* ' ', '?' or '*' */
};

struct kind {
    char name[32];
    struct field fields[MAX_FIELDS];
    int nfields;
};

struct group {
    char name[32];
    bool product, located, ends_required, is_enum;
    struct kind kinds[MAX_KINDS];
    int nkinds;
};

static struct group groups[MAX_GROUPS];
static int ngroups;
static const char *cursor;
static int line_number = 1;
static FILE *h, *c;

static const char *const location_names[] = {"lineno", "col_offset",
                                             "end_lineno", "end_col_offset"};

static void
fail(const char *what)
{
    fprintf(stderr, "astgen: line %d: %s\n", line_number, what);
    exit(1);
}

static char *
read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    char *text = calloc(1, 1 << 20);
    if (text == NULL || fread(text, 1, (1 << 20) - 1, f) == 0) {
        text = NULL;
    }
    fclose(f);
    return text;
}

static void
skip_space(void)
{
    for (;; cursor++) {
        if (*cursor == '#') {
            cursor += strcspn(cursor, "\n");
        }
        if (*cursor == '\n') {
            line_number++;
        }
        else if (*cursor == '\0' || !isspace((unsigned char)*cursor)) {
            return;
        }
    }
}

static bool
accept(char ch)
{
    skip_space();
    if (*cursor != ch) {
        return false;
    }
    cursor++;
    return true;
}

static void
word(char out[32])
{
    skip_space();
    size_t n = 0;
    while (isalnum((unsigned char)cursor[n]) || cursor[n] == '_') {
        n++;
    }
    if (n == 0 || n > 31) {
        fail("name expected");
    }
    memcpy(out, cursor, n);
    out[n] = '\0';
    cursor += n;
}

static void
parse_fields(struct kind *kind)
{
    do {
        struct field *f = &kind->fields[kind->nfields++];
        word(f->type);
        f->quantity = accept('*') ? '*' : accept('?') ? '?' : ' ';
        word(f->name);
    } while (accept(','));
    if (!accept(')')) {
        fail("')' expected");
    }
}

static void
parse(void)
{
    for (;;) {
        skip_space();
        if (*cursor == '\0') {
            return;
        }
        char keyword[32];
        struct group *g = &groups[ngroups++];
        word(keyword);
        g->product = strcmp(keyword, "product") == 0;
        word(g->name);
        skip_space();
        if (strncmp(cursor, "located", 7) == 0) {
            g->located = true;
            cursor += 7;
            if (strncmp(cursor, "_fully", 6) == 0) {
                g->ends_required = true;
                cursor += 6;
            }
        }
        if (g->product) {
            strcpy(g->kinds[0].name, g->name);
            g->nkinds = 1;
            if (!accept('(')) {
                fail("'(' expected");
            }
            parse_fields(&g->kinds[0]);
            continue;
        }
        g->is_enum = true;
        if (!accept('{')) {
            fail("'{' expected");
        }
        while (!accept('}')) {
            struct kind *kind = &g->kinds[g->nkinds++];
            word(kind->name);
            if (accept('(')) {
                g->is_enum = false;
                parse_fields(kind);
            }
        }
    }
}

static struct group *
group_of(const char *type)
{
    for (int i = 0; i < ngroups; i++) {
        if (strcmp(groups[i].name, type) == 0) {
            return &groups[i];
        }
    }
    return NULL;
}

/* The C type of one value of a field's type. */
static void
put_base_type(FILE *f, const char *type)
{
    if (strcmp(type, "int") == 0 || strcmp(type, "identifier") == 0 ||
        strcmp(type, "string") == 0 || strcmp(type, "constant") == 0) {
        fprintf(f, "%s ", type);
    }
    else {
        fprintf(f, "%s_ty ", type);
    }
}

static void
put_type(FILE *f, const struct field *field)
{
    struct group *g = group_of(field->type);
    if (field->quantity != '*') {
        put_base_type(f, field->type);
    }
    else if (g != NULL && g->is_enum) {
        fprintf(f, "asdl_int_seq *");
    }
    else {
        fprintf(f, "asdl_%s_seq *", field->type);
    }
}

static void
put_struct(const struct group *g)
{
    fprintf(h, "struct _%s {\n", g->name);
    if (g->product) {
        for (int i = 0; i < g->kinds[0].nfields; i++) {
            fprintf(h, "    ");
            put_type(h, &g->kinds[0].fields[i]);
            fprintf(h, "%s;\n", g->kinds[0].fields[i].name);
        }
    }
    else {
        fprintf(h, "    enum _%s_kind kind;\n    union {\n", g->name);
        for (int k = 0; k < g->nkinds; k++) {
            const struct kind *kind = &g->kinds[k];
            if (kind->nfields == 0) {
                continue;
            }
            fprintf(h, "        struct {\n");
            for (int i = 0; i < kind->nfields; i++) {
                fprintf(h, "            ");
                put_type(h, &kind->fields[i]);
                fprintf(h, "%s;\n", kind->fields[i].name);
            }
            fprintf(h, "        } %s;\n", kind->name);
        }
        fprintf(h, "    } v;\n");
    }
    if (g->located) {
        fprintf(h, "    int lineno, col_offset, end_lineno, "
                   "end_col_offset;\n");
    }
    fprintf(h, "};\n\n");
}

static void
put_prototype(FILE *f, const struct group *g, const struct kind *kind,
              const char *newline)
{
    fprintf(f, "%s_ty%skr_ast_%s(", g->name, newline, kind->name);
    for (int i = 0; i < kind->nfields; i++) {
        put_type(f, &kind->fields[i]);
        fprintf(f, "%s, ", kind->fields[i].name);
    }
    if (g->located) {
        fprintf(f, "int lineno, int col_offset, int end_lineno, "
                   "int end_col_offset, ");
    }
    fprintf(f, "KrArena *arena)");
}

static bool
must_be_set(const struct field *f)
{
    return f->quantity == ' ' && strcmp(f->type, "int") != 0;
}

static void
put_constructor(const struct group *g, const struct kind *kind)
{
    put_prototype(c, g, kind, "\n");
    fprintf(c, "\n{\n");
    for (int i = 0; i < kind->nfields; i++) {
        if (must_be_set(&kind->fields[i])) {
            fprintf(c,
                    "    if (!%s) {\n        return missing(\"%s\", \"%s\");\n"
                    "    }\n",
                    kind->fields[i].name, kind->fields[i].name, kind->name);
        }
    }
    fprintf(c,
            "    %s_ty node = kr_arena_alloc(arena, sizeof(*node));\n"
            "    if (node == NULL) {\n        return NULL;\n    }\n",
            g->name);
    if (!g->product) {
        fprintf(c, "    node->kind = %s_kind;\n", kind->name);
    }
    for (int i = 0; i < kind->nfields; i++) {
        if (g->product) {
            fprintf(c, "    node->%s = %s;\n", kind->fields[i].name,
                    kind->fields[i].name);
        }
        else {
            fprintf(c, "    node->v.%s.%s = %s;\n", kind->name,
                    kind->fields[i].name, kind->fields[i].name);
        }
    }
    for (int i = 0; g->located && i < 4; i++) {
        fprintf(c, "    node->%s = %s;\n", location_names[i],
                location_names[i]);
    }
    fprintf(c, "    return node;\n}\n\n");
}

static void
put_header(void)
{
    fprintf(h, "/* Generated by tools/astgen; do not edit. */\n"
               "#ifndef KR_AST_H\n#define KR_AST_H\n\n"
               "#include \"front/ast/asdl.h\"\n\n");
    for (int i = 0; i < ngroups; i++) {
        struct group *g = &groups[i];
        if (g->is_enum) {
            fprintf(h, "typedef enum _%s {\n", g->name);
            for (int k = 0; k < g->nkinds; k++) {
                fprintf(h, "    %s = %d,\n", g->kinds[k].name, k + 1);
            }
            fprintf(h, "} %s_ty;\n\n", g->name);
            continue;
        }
        fprintf(h, "typedef struct _%s *%s_ty;\n", g->name, g->name);
        fprintf(h,
                "typedef struct {\n    Py_ssize_t size;\n    %s_ty "
                "typed_elements[];\n} asdl_%s_seq;\n\n",
                g->name, g->name);
    }
    for (int i = 0; i < ngroups; i++) {
        struct group *g = &groups[i];
        if (g->is_enum || g->product) {
            continue;
        }
        fprintf(h, "enum _%s_kind {\n", g->name);
        for (int k = 0; k < g->nkinds; k++) {
            fprintf(h, "    %s_kind = %d,\n", g->kinds[k].name, k + 1);
        }
        fprintf(h, "};\n");
    }
    for (int i = 0; i < ngroups; i++) {
        if (!groups[i].is_enum) {
            put_struct(&groups[i]);
        }
    }
    for (int i = 0; i < ngroups; i++) {
        for (int k = 0; !groups[i].is_enum && k < groups[i].nkinds; k++) {
            put_prototype(h, &groups[i], &groups[i].kinds[k], " ");
            fprintf(h, ";\n");
        }
    }
}

static void
put_field_table(const struct group *g, const struct kind *kind)
{
    if (kind->nfields == 0) {
        return;
    }
    fprintf(c, "static const struct kr_ast_field fields_%s[] = {\n",
            kind->name);
    for (int i = 0; i < kind->nfields; i++) {
        const struct field *f = &kind->fields[i];
        struct group *type = group_of(f->type);
        fprintf(c, "    {\"%s\", '%c', ", f->name, f->quantity);
        if (type != NULL) {
            fprintf(c, "KR_AST_NODE, KR_AST_GROUP_%s, ", f->type);
        }
        else {
            fprintf(c, "KR_AST_%s, 0, ", f->type);
        }
        if (g->product) {
            fprintf(c, "offsetof(struct _%s, %s)},\n", g->name, f->name);
        }
        else {
            fprintf(c, "offsetof(struct _%s, v.%s.%s)},\n", g->name,
                    kind->name, f->name);
        }
    }
    fprintf(c, "};\n");
}

static void
put_signature(const struct kind *kind)
{
    fprintf(c, "%s", kind->name);
    for (int i = 0; i < kind->nfields; i++) {
        const struct field *f = &kind->fields[i];
        fprintf(c, "%s%s", i == 0 ? "(" : ", ", f->type);
        if (f->quantity != ' ') {
            fputc(f->quantity, c);
        }
        fprintf(c, " %s", f->name);
    }
    if (kind->nfields != 0) {
        fputc(')', c);
    }
}

static void
put_group_doc(const struct group *g)
{
    if (g->product) {
        put_signature(&g->kinds[0]);
        return;
    }
    fprintf(c, "%s = ", g->name);
    for (int k = 0; k < g->nkinds; k++) {
        if (k != 0 && g->is_enum) {
            fprintf(c, " | ");
        }
        else if (k != 0) {
            fprintf(c, "\\n%*s| ", (int)strlen(g->name) + 1, "");
        }
        put_signature(&g->kinds[k]);
    }
}

static void
put_tables(void)
{
    int nclasses = 0;
    for (int i = 0; i < ngroups; i++) {
        for (int k = 0; k < groups[i].nkinds; k++) {
            put_field_table(&groups[i], &groups[i].kinds[k]);
        }
    }
    fprintf(c, "\nconst struct kr_ast_class kr_ast_classes[] = {\n");
    for (int i = 0; i < ngroups; i++) {
        struct group *g = &groups[i];
        for (int k = 0; k < g->nkinds; k++) {
            struct kind *kind = &g->kinds[k];
            fprintf(c, "    {\"%s\", \"", kind->name);
            put_signature(kind);
            fprintf(c, "\", KR_AST_GROUP_%s, %d, ", g->name, kind->nfields);
            fprintf(c, kind->nfields ? "fields_%s},\n" : "NULL},\n",
                    kind->name);
        }
    }
    fprintf(c, "};\n\nconst struct kr_ast_group kr_ast_groups[] = {\n");
    for (int i = 0; i < ngroups; i++) {
        struct group *g = &groups[i];
        fprintf(c, "    {\"%s\", \"", g->name);
        put_group_doc(g);
        fprintf(c, "\", %d, %d, %d, %d, ", g->product, g->is_enum, nclasses,
                g->nkinds);
        if (g->is_enum) {
            fprintf(c, "0, -1, 0},\n");
        }
        else {
            fprintf(c, "sizeof(struct _%s), ", g->name);
            if (g->located) {
                fprintf(c, "offsetof(struct _%s, lineno), %d},\n", g->name,
                        g->ends_required);
            }
            else {
                fprintf(c, "-1, 0},\n");
            }
        }
        nclasses += g->nkinds;
    }
    fprintf(c, "};\n");
    fprintf(h, "\nenum kr_ast_group_id {\n");
    for (int i = 0; i < ngroups; i++) {
        fprintf(h, "    KR_AST_GROUP_%s,\n", groups[i].name);
    }
    fprintf(h,
            "    KR_AST_GROUP_COUNT,\n    KR_AST_CLASS_COUNT = %d,\n};\n\n"
            "#endif\n",
            nclasses);
}

static void
write_if_changed(const char *dir, const char *name, const char *text)
{
    char path[4096];
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
    if (argc != 3) {
        fprintf(stderr, "usage: astgen OUTDIR ast.def\n");
        return 2;
    }
    cursor = read_file(argv[2]);
    if (cursor == NULL) {
        perror(argv[2]);
        return 1;
    }
    parse();
    char *header, *body;
    size_t header_size, body_size;
    h = open_memstream(&header, &header_size);
    c = open_memstream(&body, &body_size);
    put_header();
    fprintf(c, "/* Generated by tools/astgen; do not edit. */\n"
               "#include \"front/ast/ast.h\"\n\n"
               "static void *\nmissing(const char *field, const char *node)\n"
               "{\n    PyErr_Format(PyExc_ValueError,\n"
               "                 \"field '%%s' is required for %%s\", "
               "field, node);\n    return NULL;\n}\n\n");
    for (int i = 0; i < ngroups; i++) {
        for (int k = 0; !groups[i].is_enum && k < groups[i].nkinds; k++) {
            put_constructor(&groups[i], &groups[i].kinds[k]);
        }
    }
    put_tables();
    fclose(h);
    fclose(c);
    write_if_changed(argv[1], "kr_ast.h", header);
    write_if_changed(argv[1], "kr_ast.c", body);
    return 0;
}
