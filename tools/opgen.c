/* opgen OUTDIR FILE...: generates the dispatch code and the opcode tables.
 *
 * The files define each instruction once:
 *
 *     inst(NAME, NUMBER, (CACHE FIELDS), (INPUTS -- OUTPUTS), FLAGS, FAMILY)
 *     { BODY }
 *     label(NAME) { BODY }
 *
 * CACHE FIELDS: `counter:1, version:2`, in 16-bit units; bodies read them with
 * CACHE16(counter), CACHE32(version), CACHEPTR(descr).
 * INPUTS, OUTPUTS: names of stack entries, the last one on top; `args[EXPR]` is
 * an array of that many. An output with the name of the input in the same place
 * is left alone. FLAGS: words joined by `|`; `end` says that the body dispatches
 * itself (no epilogue), the others (err, esc, deopt, jump, name, const, local)
 * are documentation and tables. INPUTS and OUTPUTS are those of the way to the
 * next instruction, also where the body does it itself. FAMILY: the compiler's opcode that this one
 * specialises, or its own name.
 *
 * Output: kr_ops.h, the bodies between the macros KR_OP and KR_NEXT, which
 * eval.c defines for tail calls, computed goto or a switch; kr_op_list.h, one
 * X(name, number) for each instruction and L(name) for each label;
 * kr_opcode_tables.h, data for code/opcode_meta.c; instructions.md, the same as
 * a page for people, of which docs/ has a copy. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inst {
    char *name, *cache, *stack, *flags, *family, *body;
    int number;
    int is_label;
    int line;
    const char *file;
};

static struct inst insts[512];
static int n_insts;

static void
die(const char *file, int line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static char *
slice(const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from)) {
        from++;
    }
    while (to > from && isspace((unsigned char)to[-1])) {
        to--;
    }
    char *s = malloc((size_t)(to - from) + 1);
    memcpy(s, from, (size_t)(to - from));
    s[to - from] = 0;
    return s;
}

static char *
read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        die(path, 0, "can't open");
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *text = malloc((size_t)size + 1);
    if (fread(text, 1, (size_t)size, f) != (size_t)size) {
        die(path, 0, "can't read");
    }
    text[size] = 0;
    fclose(f);
    return text;
}

static int
line_of(const char *text, const char *p)
{
    int line = 1;
    for (; text < p; text++) {
        line += *text == '\n';
    }
    return line;
}

/* The character after a string, character constant or comment that starts at
 * p, or p itself. */
static const char *
skip_opaque(const char *p)
{
    if (p[0] == '/' && p[1] == '*') {
        const char *end = strstr(p + 2, "*/");
        return end ? end + 2 : p + strlen(p);
    }
    if (*p == '"' || *p == '\'') {
        char quote = *p++;
        while (*p && *p != quote) {
            p += *p == '\\' && p[1] ? 2 : 1;
        }
        return *p ? p + 1 : p;
    }
    return p;
}

/* p is at an opening bracket: the position of the closing one. */
static const char *
matching(const char *p, char open, char close)
{
    int depth = 0;
    while (*p) {
        const char *q = skip_opaque(p);
        if (q != p) {
            p = q;
            continue;
        }
        depth += (*p == open) - (*p == close);
        if (depth == 0) {
            return p;
        }
        p++;
    }
    return NULL;
}

/* Splits at commas outside of brackets. */
static int
split(const char *from, const char *to, char **parts, int max)
{
    int n = 0, depth = 0;
    const char *start = from;
    for (const char *p = from; p <= to; p++) {
        if (p == to || (*p == ',' && depth == 0)) {
            if (n < max && (p != to || p > start)) {
                char *s = slice(start, p);
                if (*s) {
                    parts[n++] = s;
                }
            }
            start = p + 1;
        }
        else {
            depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
        }
    }
    return n;
}

static char *
unwrap(char *s)
{
    size_t n = strlen(s);
    return n >= 2 && s[0] == '(' ? slice(s + 1, s + n - 1) : s;
}

static void
parse_one(const char *file, const char *text, const char *at, int is_label)
{
    const char *open = strchr(at, '(');
    const char *close = matching(open, '(', ')');
    const char *brace = close ? strchr(close, '{') : NULL;
    const char *end = brace ? matching(brace, '{', '}') : NULL;
    if (end == NULL || n_insts == 512) {
        die(file, line_of(text, at), "unfinished definition");
    }
    struct inst *in = &insts[n_insts++];
    in->file = file;
    in->line = line_of(text, brace);
    in->is_label = is_label;
    in->body = slice(brace + 1, end);
    const char *b = brace + 1;
    while (isspace((unsigned char)*b)) {
        in->line += *b++ == '\n';
    }
    char *parts[8];
    int n = split(open + 1, close, parts, 8);
    if (n != (is_label ? 1 : 6)) {
        die(file, in->line, "wrong number of fields");
    }
    in->name = parts[0];
    if (!is_label) {
        in->number = atoi(parts[1]);
        in->cache = unwrap(parts[2]);
        in->stack = unwrap(parts[3]);
        in->flags = parts[4];
        in->family = parts[5];
    }
}

static void
parse(const char *file)
{
    char *text = read_file(file);
    for (const char *p = text; *p;) {
        if (p == text || p[-1] == '\n') {
            if (strncmp(p, "inst(", 5) == 0) {
                parse_one(file, text, p, 0);
            }
            else if (strncmp(p, "label(", 6) == 0) {
                parse_one(file, text, p, 1);
            }
        }
        p++;
    }
}

static int
has_flag(struct inst *in, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *p = in->flags; (p = strstr(p, flag)) != NULL; p++) {
        int before = p == in->flags || !isalnum((unsigned char)p[-1]);
        if (before && !isalnum((unsigned char)p[n])) {
            return 1;
        }
    }
    return 0;
}

struct entry {
    char *name;
    char *count; /* expression */
    int is_array;
};

static int
parse_side(const char *from, const char *to, struct entry *out)
{
    char *parts[16];
    int n = split(from, to, parts, 16);
    for (int i = 0; i < n; i++) {
        char *bracket = strchr(parts[i], '[');
        out[i].is_array = bracket != NULL;
        out[i].count = bracket ? slice(bracket + 1, strrchr(bracket, ']'))
                               : "1";
        out[i].name = bracket ? slice(parts[i], bracket) : parts[i];
    }
    return n;
}

static int
cache_units(struct inst *in)
{
    char *parts[8];
    int n = split(in->cache, in->cache + strlen(in->cache), parts, 8);
    int units = 0;
    for (int i = 0; i < n; i++) {
        char *colon = strchr(parts[i], ':');
        if (colon == NULL) {
            die(in->file, in->line, "cache field without size");
        }
        units += atoi(colon + 1);
    }
    return units;
}

static void
write_cache(FILE *f, struct inst *in)
{
    char *parts[8];
    int n = split(in->cache, in->cache + strlen(in->cache), parts, 8);
    int at = 0;
    for (int i = 0; i < n; i++) {
        char *colon = strchr(parts[i], ':');
        fprintf(f, "    enum { CACHE_%.*s = %d };\n", (int)(colon - parts[i]),
                parts[i], at);
        at += atoi(colon + 1);
    }
}

/* Writes "a + b + ..." of the counts of entries from..n-1. */
static void
write_sum(FILE *f, struct entry *e, int from, int n)
{
    int fixed = 0, written = 0;
    for (int i = from; i < n; i++) {
        if (e[i].is_array) {
            fprintf(f, "%s(%s)", written++ ? " + " : "", e[i].count);
        }
        else {
            fixed++;
        }
    }
    if (fixed || !written) {
        fprintf(f, "%s%d", written ? " + " : "", fixed);
    }
}

static void
write_body(FILE *f, struct inst *in)
{
    const char *base = strrchr(in->file, '/');
    fprintf(f, "#line %d \"%s\"\n    %s\n", in->line,
            base ? base + 1 : in->file, in->body);
}

static void
write_epilogue(FILE *f, struct inst *in, struct entry *ins, int n_in,
               struct entry *outs, int n_out)
{
    fprintf(f, "    stack_pointer += (");
    write_sum(f, outs, 0, n_out);
    fprintf(f, ") - kr_in;\n");
    for (int i = 0; i < n_out; i++) {
        int same = i < n_in && strcmp(ins[i].name, outs[i].name) == 0;
        for (int j = 0; j <= i && same; j++) {
            same = j < n_in && strcmp(ins[j].count, outs[j].count) == 0;
        }
        if (same || strcmp(outs[i].name, "unused") == 0) {
            continue;
        }
        if (outs[i].is_array) {
            fprintf(f, "    if (%s) ", outs[i].count);
        }
        else {
            fprintf(f, "    ");
        }
        fprintf(f, "stack_pointer[-(");
        write_sum(f, outs, i, n_out);
        fprintf(f, ")] = %s;\n", outs[i].name);
    }
    fprintf(f, "    KR_NEXT(%d);\n", cache_units(in));
}

static int
number_of(struct inst *user, const char *name)
{
    for (int i = 0; i < n_insts; i++) {
        if (!insts[i].is_label && strcmp(insts[i].name, name) == 0) {
            return insts[i].number;
        }
    }
    die(user->file, user->line, "no instruction %s", name);
    return 0;
}

static void
write_inst(FILE *f, struct inst *in)
{
    struct entry ins[16], outs[16];
    char *dashes = strstr(in->stack, "--");
    if (dashes == NULL) {
        die(in->file, in->line, "no -- in the stack effect");
    }
    int n_in = parse_side(in->stack, dashes, ins);
    int n_out = parse_side(dashes + 2, dashes + strlen(dashes), outs);
    fprintf(f, "KR_OP(%s)\n{\n    KR_BEGIN(%s);\n", in->name, in->name);
    write_cache(f, in);
    fprintf(f, "    const int kr_in = ");
    write_sum(f, ins, 0, n_in);
    fprintf(f, ";\n    (void)kr_in;\n");
    for (int i = 0; i < n_in; i++) {
        if (strcmp(ins[i].name, "unused") == 0) {
            continue;
        }
        fprintf(f, "    PyObject *%s%s = %sstack_pointer[-(",
                ins[i].is_array ? "*" : "", ins[i].name,
                ins[i].is_array ? "&" : "");
        write_sum(f, ins, i, n_in);
        fprintf(f, ")];\n");
    }
    for (int i = 0; i < n_out; i++) {
        int known = strcmp(outs[i].name, "unused") == 0;
        for (int j = 0; j < n_in; j++) {
            known |= strcmp(ins[j].name, outs[i].name) == 0;
        }
        if (!known) {
            fprintf(f, "    PyObject *%s;\n", outs[i].name);
        }
    }
    /* the family is what a failed guard falls back to */
    fprintf(f, "#define KR_FAMILY op_%s\n#define KR_FAMILY_NUMBER %d\n",
            in->family, number_of(in, in->family));
    write_body(f, in);
    if (!has_flag(in, "end")) {
        write_epilogue(f, in, ins, n_in, outs, n_out);
    }
    fprintf(f, "#undef KR_FAMILY\n#undef KR_FAMILY_NUMBER\n}\n\n");
}

static FILE *
create(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        die(path, 0, "can't write");
    }
    if (strstr(name, ".md") == NULL) {
        fprintf(f, "/* Generated by tools/opgen. */\n");
    }
    return f;
}

static struct inst *
by_number(int number)
{
    struct inst *found = NULL;
    for (int i = 0; i < n_insts; i++) {
        if (!insts[i].is_label && insts[i].number == number) {
            if (found != NULL) {
                die(insts[i].file, insts[i].line, "%s has the number of %s",
                    insts[i].name, found->name);
            }
            found = &insts[i];
        }
    }
    return found;
}

/* Entries of one side of a stack effect: the number if it is fixed, else -1 and
 * the expression in `text`. */
static int
count_side(struct entry *e, int n, char *text)
{
    int fixed = 1;
    char *p = text;
    for (int i = 0; i < n; i++) {
        fixed &= !e[i].is_array;
        p += sprintf(p, "%s(long)(%s)", i ? " + " : "", e[i].count);
    }
    return fixed ? n : -1;
}

/* What instructions of the compiler take from the stack and leave there. */
static void
write_effects(FILE *f, int leaves)
{
    const char *side = leaves ? "leaves" : "takes";
    char text[1024];
    int counts[256];
    fprintf(f, "\nstatic long\ncompute_%s(int op, long oparg)\n{\n"
               "    switch (op) {\n", side);
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        counts[i] = 0;
        if (in == NULL || strcmp(in->name, in->family) != 0) {
            continue;
        }
        struct entry e[16];
        char *dashes = strstr(in->stack, "--");
        int n = leaves ? parse_side(dashes + 2, dashes + strlen(dashes), e)
                       : parse_side(in->stack, dashes, e);
        counts[i] = count_side(e, n, text);
        if (counts[i] < 0) {
            fprintf(f, "        case %d: return %s;\n", i, text);
        }
    }
    fprintf(f, "        default: return 0;\n    }\n}\n\n"
               "const int8_t kr_opcode_%s[256] = {\n", side);
    for (int i = 0; i < 256; i++) {
        if (counts[i] != 0) {
            fprintf(f, "    [%d] = %d,\n", i, counts[i]);
        }
    }
    fprintf(f, "};\n");
}

/* How many inputs, from the lowest, an instruction only looks at. */
static void
write_keeps(FILE *f)
{
    fprintf(f, "\nconst uint8_t kr_opcode_keeps[256] = {\n");
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        if (in == NULL || strcmp(in->name, in->family) != 0) {
            continue;
        }
        struct entry ins[16], outs[16];
        char *dashes = strstr(in->stack, "--");
        int n_in = parse_side(in->stack, dashes, ins);
        int n_out = parse_side(dashes + 2, dashes + strlen(dashes), outs);
        int n = 0;
        while (n < n_in && n < n_out && !ins[n].is_array &&
               !outs[n].is_array && strcmp(ins[n].name, outs[n].name) == 0) {
            n++;
        }
        if (n > 0) {
            fprintf(f, "    [%d] = %d,\n", i, n);
        }
    }
    fprintf(f, "};\n");
}

static void
write_flags(FILE *f)
{
    fprintf(f, "\nconst uint8_t kr_opcode_flags[256] = {\n");
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        if (in != NULL && strcmp(in->name, in->family) == 0) {
            fprintf(f, "    [%d] = KR_OP_KNOWN%s%s%s%s%s,\n", i,
                    has_flag(in, "err") ? " | KR_OP_ERR" : "",
                    has_flag(in, "name") ? " | KR_OP_NAME" : "",
                    has_flag(in, "const") ? " | KR_OP_CONST" : "",
                    has_flag(in, "local") ? " | KR_OP_LOCAL" : "",
                    has_flag(in, "jump") ? " | KR_OP_JUMP" : "");
        }
    }
    fprintf(f, "};\n");
}

static void
write_tables(const char *dir)
{
    FILE *f = create(dir, "kr_opcode_tables.h");
    fprintf(f, "const uint8_t kr_opcode_deopt[256] = {\n");
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        fprintf(f, "    [%d] = %d,\n", i, in ? number_of(in, in->family) : i);
    }
    fprintf(f, "};\n\nconst uint8_t kr_opcode_caches[256] = {\n");
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        if (in && strcmp(in->name, in->family) == 0 && cache_units(in)) {
            fprintf(f, "    [%d] = %d,\n", i, cache_units(in));
        }
    }
    fprintf(f, "};\n\nconst char *const kr_opcode_names[256] = {\n");
    for (int i = 0; i < 256; i++) {
        struct inst *in = by_number(i);
        if (in) {
            fprintf(f, "    [%d] = \"%s\",\n", i, in->name);
        }
    }
    fprintf(f, "};\n");
    write_effects(f, 0);
    write_effects(f, 1);
    write_keeps(f);
    write_flags(f);
    fclose(f);
}

/* A cell of a table; nothing is shown as nothing. */
static void
write_cell(FILE *f, const char *text)
{
    fputs(" ", f);
    if (*text) {
        fputc('`', f);
        for (const char *p = text; *p; p++) {
            fputs(*p == '|' ? " " : *p == '\n' ? "" : (char[]){*p, 0}, f);
        }
        fputs("` ", f);
    }
    fputs("|", f);
}

/* The rows of an instruction, its special forms behind it. */
static void
write_rows(FILE *f, const struct inst *in)
{
    int special = strcmp(in->name, in->family) != 0;
    fprintf(f, "| %d | %s`%s` |", in->number, special ? "· " : "", in->name);
    write_cell(f, in->stack);
    write_cell(f, in->cache);
    write_cell(f, strcmp(in->flags, "none") == 0 ? "" : in->flags);
    fputc('\n', f);
    for (int i = 0; i < n_insts && !special; i++) {
        if (!insts[i].is_label && &insts[i] != in
            && strcmp(insts[i].family, in->name) == 0) {
            write_rows(f, &insts[i]);
        }
    }
}

static const char page_head[] =
    "# Instructions\n"
    "\n"
    "What the virtual machine executes. This page is made by `tools/opgen` "
    "from the\ndefinitions in `src/vm/ops/`, where each instruction's body "
    "stands once; after a\nchange copy `build/dev/gen/instructions.md` "
    "here, a test compares them.\n"
    "\n"
    "- The names without a dot are what the compiler emits and `dis` shows. "
    "Those with\n  one are the forms that running code puts in their place: "
    "adaptive, specialised,\n  or two in one.\n"
    "- *Stack*: what is taken and what is left on the way to the next "
    "instruction, the\n  last one on top. A name on both sides in the same "
    "place stays where it is;\n  `unused` is not looked at here, "
    "`items[oparg]` is so many entries.\n"
    "- *Cache*: the fields of the inline cache behind the instruction, in "
    "units of 16\n  bits.\n"
    "- *Flags*: `err` may raise; `esc` may run other Python code; `deopt` may "
    "go back to\n  the general form before it has done anything; `jump` has "
    "a target; `name`,\n  `const`, `local` say what the operand indexes; "
    "`end` goes to the next\n  instruction by itself.\n";

/* A table for each file, with the instructions that the compiler emits. */
static void
write_page(const char *dir)
{
    FILE *f = create(dir, "instructions.md");
    const char *file = "";
    fputs(page_head, f);
    for (int i = 0; i < n_insts; i++) {
        const struct inst *in = &insts[i];
        if (in->is_label || strcmp(in->name, in->family) != 0) {
            continue;
        }
        if (strcmp(in->file, file) != 0) {
            file = in->file;
            const char *base = strstr(file, "src/vm/ops/");
            fprintf(f, "\n## `%s`\n\n"
                       "| number | name | stack | cache | flags |\n"
                       "| ---: | --- | --- | --- | --- |\n",
                    base ? base : file);
        }
        write_rows(f, in);
    }
    fclose(f);
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: opgen OUTDIR FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        parse(argv[i]);
    }
    write_tables(argv[1]);
    write_page(argv[1]);
    FILE *list = create(argv[1], "kr_op_list.h");
    FILE *ops = create(argv[1], "kr_ops.h");
    for (int i = 0; i < n_insts; i++) {
        if (insts[i].is_label) {
            fprintf(list, "L(%s)\n", insts[i].name);
            fprintf(ops, "KR_LABEL(%s)\n{\n", insts[i].name);
            write_body(ops, &insts[i]);
            fprintf(ops, "}\n\n");
        }
        else {
            fprintf(list, "X(%s, %d)\n", insts[i].name, insts[i].number);
            write_inst(ops, &insts[i]);
        }
    }
    fclose(list);
    fclose(ops);
    return 0;
}
