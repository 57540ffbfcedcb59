/* unigen: turns the tables of grammar/unicode into C.
 *
 *     unigen OUTDIR grammar/unicode
 *
 * Writes kr_unicode_db.{h,c} (properties, case, decompositions: all that str
 * needs) and kr_unicode_names.{h,c} (names: what the unicodedata module
 * needs). Files are rewritten only when their text changes. Exit status 1 on
 * I/O errors or malformed input. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP 0x110000
#define SHIFT 7
#define PAGE (1 << SHIFT)

static const char *in_dir, *out_dir;

static void
die(const char *what)
{
    fprintf(stderr, "unigen: %s\n", what);
    exit(1);
}

static void *
grow(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (p == NULL) {
        die("out of memory");
    }
    return p;
}

static char *
read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t len = 0, cap = 1 << 16, n;
    char *text = grow(NULL, cap);
    while ((n = fread(text + len, 1, cap - len - 1, f)) != 0) {
        len += n;
        if (len + 1 >= cap) {
            cap *= 2;
            text = grow(text, cap);
        }
    }
    text[len] = '\0';
    fclose(f);
    return text;
}

static void
write_if_changed(const char *name, char *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", out_dir, name);
    char *old = read_file(path);
    if (old == NULL || strcmp(old, text) != 0) {
        FILE *f = fopen(path, "wb");
        if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
            die(path);
        }
    }
    free(old);
    free(text);
}

/* --- lines of a table, without its comments ------------------------------ */

struct lines {
    char *text, *next;
};

static struct lines
open_table(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", in_dir, name);
    char *text = read_file(path);
    if (text == NULL) {
        die(path);
    }
    return (struct lines){text, text};
}

static char *
next_line(struct lines *in)
{
    for (;;) {
        char *line = in->next;
        if (*line == '\0') {
            free(in->text);
            return NULL;
        }
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
            in->next = end + 1;
        } else {
            in->next = line + strlen(line);
        }
        if (*line != '#') {
            return line;
        }
    }
}

/* --- small sets of strings (category names and the like) ----------------- */

struct words {
    char **items;
    size_t count;
};

static size_t
intern(struct words *set, const char *s)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->items[i], s) == 0) {
            return i;
        }
    }
    set->items = grow(set->items, (set->count + 1) * sizeof(char *));
    set->items[set->count] = strdup(s);
    return set->count++;
}

static void
emit_words(FILE *h, FILE *c, const char *name, struct words *set)
{
    fprintf(h, "extern const char *const %s[%zu];\n", name, set->count);
    fprintf(c, "const char *const %s[%zu] = {", name, set->count);
    for (size_t i = 0; i < set->count; i++) {
        fprintf(c, "%s\"%s\",", i % 8 ? " " : "\n    ",
                strcmp(set->items[i], "-") == 0 ? "" : set->items[i]);
    }
    fprintf(c, "\n};\n");
}

/* --- two-level index ------------------------------------------------------ */

static uint16_t *
read_ranges(const char *name)
{
    uint16_t *map = grow(NULL, TOP * sizeof(*map));
    struct lines in = open_table(name);
    unsigned code = 0, record = 0, last = 0, last_record = 0;
    for (char *line; (line = next_line(&in)) != NULL;) {
        if (sscanf(line, "%X %u", &code, &record) != 2 || code >= TOP) {
            die(name);
        }
        for (; last < code; last++) {
            map[last] = (uint16_t)last_record;
        }
        last_record = record;
    }
    for (; last < TOP; last++) {
        map[last] = (uint16_t)last_record;
    }
    return map;
}

static void
emit_array(FILE *h, FILE *c, const char *type, const char *name,
           const uint32_t *data, size_t count)
{
    fprintf(h, "extern const %s %s[%zu];\n", type, name, count);
    fprintf(c, "const %s %s[%zu] = {", type, name, count);
    for (size_t i = 0; i < count; i++) {
        fprintf(c, "%s%u,", i % 16 ? "" : "\n", data[i]);
    }
    fprintf(c, "\n};\n");
}

static void
emit_index(FILE *h, FILE *c, const char *prefix, const uint16_t *map)
{
    uint32_t *pages = NULL, *top = grow(NULL, (TOP / PAGE) * sizeof(*top));
    size_t count = 0;
    for (size_t page = 0; page < TOP / PAGE; page++) {
        const uint16_t *src = map + page * PAGE;
        size_t found;
        for (found = 0; found < count; found++) {
            size_t i = 0;
            while (i < PAGE && pages[found * PAGE + i] == src[i]) {
                i++;
            }
            if (i == PAGE) {
                break;
            }
        }
        if (found == count) {
            pages = grow(pages, (count + 1) * PAGE * sizeof(*pages));
            for (size_t i = 0; i < PAGE; i++) {
                pages[count * PAGE + i] = src[i];
            }
            count++;
        }
        top[page] = (uint32_t)found;
    }
    char name[64];
    snprintf(name, sizeof(name), "%s_pages", prefix);
    emit_array(h, c, "uint16_t", name, top, TOP / PAGE);
    snprintf(name, sizeof(name), "%s_index", prefix);
    emit_array(h, c, "uint16_t", name, pages, count * PAGE);
    free(pages);
    free(top);
}

/* --- properties ------------------------------------------------------------ */

static struct words categories, bidis, widths;

static unsigned *special_codes;
static size_t special_count;

static void
emit_special(FILE *h, FILE *c)
{
    struct lines in = open_table("special_case.txt");
    fprintf(c, "const struct kr_uni_special kr_uni_specials[] = {\n");
    for (char *line; (line = next_line(&in)) != NULL;) {
        unsigned to[4][3] = {{0}}, len[4] = {0};
        char *p;
        unsigned code = (unsigned)strtoul(line, &p, 16);
        for (int i = 0; i < 4; i++) {
            p = strchr(p, ';');
            if (p == NULL) {
                die("special_case.txt");
            }
            p++;
            while (*p != ';' && *p != '\0' && len[i] < 3) {
                to[i][len[i]++] = (unsigned)strtoul(p, &p, 16);
            }
        }
        fprintf(c, "    {%u, {%u, %u, %u, %u}, {", code, len[0], len[1],
                len[2], len[3]);
        for (int i = 0; i < 4; i++) {
            fprintf(c, "{%u, %u, %u},", to[i][0], to[i][1], to[i][2]);
        }
        fprintf(c, "}},\n");
        special_codes = grow(special_codes, (special_count + 1) *
                                                sizeof(*special_codes));
        special_codes[special_count++] = code;
    }
    fprintf(c, "};\n");
    fprintf(h, "#define KR_UNI_SPECIAL_COUNT %zu\n"
               "extern const struct kr_uni_special "
               "kr_uni_specials[KR_UNI_SPECIAL_COUNT];\n",
            special_count);
}

struct record {
    char category[4], bidi[4], width[4];
    unsigned combining, mirrored, flags, numeric, normalization;
    int decimal, digit, upper, lower, title;
};

static void
emit_record(FILE *c, const struct record *r)
{
    fprintf(c, "    {%zu, %zu, %u, %zu, %u, %u, %u, %d, %d, %u, %d, %d, %d},\n",
            intern(&categories, r->category), intern(&bidis, r->bidi),
            r->combining, intern(&widths, r->width), r->mirrored,
            r->normalization, r->numeric, r->decimal, r->digit, r->flags,
            r->upper, r->lower, r->title);
}

static void
emit_records(FILE *h, FILE *c)
{
    struct record *records = NULL;
    size_t count = 0, plain;
    struct lines in = open_table("records.txt");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        records = grow(records, (count + 1) * sizeof(*records));
        struct record *r = &records[count];
        if (sscanf(line, "%3s %3s %u %3s %u %x %d %d %u %d %d %d %u",
                   r->category, r->bidi, &r->combining, r->width,
                   &r->mirrored, &r->flags, &r->decimal, &r->digit,
                   &r->numeric, &r->upper, &r->lower, &r->title,
                   &r->normalization) != 13) {
            die("records.txt");
        }
    }
    plain = count;
    /* code points with full mappings get a record of their own kind */
    uint16_t *map = read_ranges("ranges.txt");
    for (size_t i = 0; i < special_count; i++) {
        struct record want = records[map[special_codes[i]]];
        want.flags |= 1u << 14;
        size_t k = plain;
        while (k < count && memcmp(&records[k], &want, sizeof(want)) != 0) {
            k++;
        }
        if (k == count) {
            records = grow(records, (count + 1) * sizeof(*records));
            records[count++] = want;
        }
        map[special_codes[i]] = (uint16_t)k;
    }
    intern(&categories, "Cn");
    intern(&bidis, "-");
    fprintf(h, "extern const struct kr_uni_record kr_uni_records[%zu];\n",
            count);
    fprintf(c, "const struct kr_uni_record kr_uni_records[%zu] = {\n", count);
    for (size_t i = 0; i < count; i++) {
        emit_record(c, &records[i]);
    }
    fprintf(c, "};\n");
    emit_index(h, c, "kr_uni", map);
    free(records);
    free(map);
}

static void
emit_numeric(FILE *h, FILE *c)
{
    struct lines in = open_table("numeric.txt");
    size_t count = 1;
    fprintf(c, "const double kr_uni_numeric[] = {\n    -1.0,");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        fprintf(c, "%s%s,", count % 8 ? " " : "\n    ", line);
    }
    fprintf(c, "\n};\n");
    fprintf(h, "extern const double kr_uni_numeric[%zu];\n", count);
}

static void
emit_old(FILE *h, FILE *c)
{
    struct lines in = open_table("old_records.txt");
    size_t count = 0;
    fprintf(c, "const struct kr_uni_old_record kr_uni_old_records[] = {\n");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        char f[6][40];
        if (sscanf(line, "%39s %39s %39s %39s %39s %39s", f[0], f[1], f[2],
                   f[3], f[4], f[5]) != 6) {
            die("old_records.txt");
        }
        int category = 255, bidi = 255, width = 255;
        if (strcmp(f[0], "=") != 0) {
            category = (int)intern(&categories, f[0]);
        }
        if (strcmp(f[1], "=") != 0) {
            bidi = (int)intern(&bidis, f[1]);
        }
        if (strcmp(f[3], "=") != 0) {
            width = (int)intern(&widths, f[3]);
        }
        fprintf(c, "    {%d, %d, %d, %s, %s, %d, %s},\n", category, bidi,
                width, f[2][0] == '=' ? "255" : f[2],
                f[4][0] == '=' ? "-2" : f[4], f[5][0] != '=',
                f[5][0] == '=' ? "0" : f[5]);
    }
    fprintf(c, "};\n");
    fprintf(h, "extern const struct kr_uni_old_record "
               "kr_uni_old_records[%zu];\n", count);
    uint16_t *map = read_ranges("old_ranges.txt");
    emit_index(h, c, "kr_uni_old", map);
    free(map);

    in = open_table("old_normalization.txt");
    count = 0;
    fprintf(c, "const uint32_t kr_uni_old_fixes[][2] = {\n");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        unsigned a, b;
        if (sscanf(line, "%X %X", &a, &b) != 2) {
            die("old_normalization.txt");
        }
        fprintf(c, "    {0x%X, 0x%X},\n", a, b);
    }
    fprintf(c, "};\n");
    fprintf(h, "#define KR_UNI_OLD_FIX_COUNT %zu\n"
               "extern const uint32_t "
               "kr_uni_old_fixes[KR_UNI_OLD_FIX_COUNT][2];\n", count);
}

/* --- decompositions and their inverse ------------------------------------- */

struct pair {
    unsigned first, second, result;
};

static int
compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    return x->second < y->second ? -1 : x->second > y->second;
}

static void
emit_decomposition(FILE *h, FILE *c)
{
    struct words tags = {0};
    struct pair *pairs = NULL;
    uint32_t *data = NULL;
    size_t count = 0, pair_count = 0, data_count = 0;
    intern(&tags, "-");
    struct lines in = open_table("decomposition.txt");
    fprintf(c, "const struct kr_uni_decomp kr_uni_decomps[] = {\n");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        char *p;
        unsigned code = (unsigned)strtoul(line, &p, 16);
        bool excluded = *p == '!';
        size_t tag = 0, len = 0, offset = data_count;
        p += excluded;
        while (*p == ' ') {
            p++;
        }
        if (*p == '<') {
            char *end = strchr(p, ' ');
            *end = '\0';
            tag = intern(&tags, p);
            p = end + 1;
        }
        while (*p != '\0') {
            data = grow(data, (data_count + 1) * sizeof(*data));
            data[data_count++] = (uint32_t)strtoul(p, &p, 16);
            len++;
        }
        fprintf(c, "    {%u, %zu, %zu, %zu},\n", code, offset, len, tag);
        if (tag == 0 && len == 2 && !excluded) {
            pairs = grow(pairs, (pair_count + 1) * sizeof(*pairs));
            pairs[pair_count++] =
                (struct pair){data[offset], data[offset + 1], code};
        }
    }
    fprintf(c, "};\n");
    fprintf(h, "#define KR_UNI_DECOMP_COUNT %zu\n"
               "extern const struct kr_uni_decomp "
               "kr_uni_decomps[KR_UNI_DECOMP_COUNT];\n", count);
    emit_array(h, c, "uint32_t", "kr_uni_decomp_data", data, data_count);
    emit_words(h, c, "kr_uni_decomp_tags", &tags);
    qsort(pairs, pair_count, sizeof(*pairs), compare_pairs);
    fprintf(h, "#define KR_UNI_PAIR_COUNT %zu\n"
               "extern const struct kr_uni_pair "
               "kr_uni_pairs[KR_UNI_PAIR_COUNT];\n", pair_count);
    fprintf(c, "const struct kr_uni_pair kr_uni_pairs[] = {\n");
    for (size_t i = 0; i < pair_count; i++) {
        fprintf(c, "    {%u, %u, %u},\n", pairs[i].first, pairs[i].second,
                pairs[i].result);
    }
    fprintf(c, "};\n");
    free(pairs);
    free(data);
}

static const char db_types[] =
    "#include <stdint.h>\n\n"
    "#define KR_UNI_VERSION \"14.0.0\"\n\n"
    "enum kr_uni_flag {\n"
    "    KR_UNI_ALPHA = 1 << 0, KR_UNI_DECIMAL = 1 << 1,\n"
    "    KR_UNI_DIGIT = 1 << 2, KR_UNI_NUMERIC = 1 << 3,\n"
    "    KR_UNI_LOWER = 1 << 4, KR_UNI_UPPER = 1 << 5,\n"
    "    KR_UNI_TITLE = 1 << 6, KR_UNI_PRINTABLE = 1 << 7,\n"
    "    KR_UNI_SPACE = 1 << 8, KR_UNI_LINEBREAK = 1 << 9,\n"
    "    KR_UNI_XID_START = 1 << 10, KR_UNI_XID_CONTINUE = 1 << 11,\n"
    "    KR_UNI_CASED = 1 << 12, KR_UNI_CASE_IGNORABLE = 1 << 13,\n"
    "    KR_UNI_SPECIAL = 1 << 14, /* look at kr_uni_specials */\n"
    "};\n\n"
    "enum kr_uni_normalization {\n"
    "    KR_UNI_NOT_NFD = 1, KR_UNI_NOT_NFKD = 2, KR_UNI_NOT_NFC = 4,\n"
    "    KR_UNI_NOT_NFKC = 8, KR_UNI_COMPOSES = 16, /* with one before */\n"
    "};\n\n"
    "struct kr_uni_record {\n"
    "    uint8_t category, bidi, combining, width, mirrored, normalization;\n"
    "    uint8_t numeric; /* index of kr_uni_numeric, 0: none */\n"
    "    int8_t decimal, digit;\n"
    "    uint16_t flags;\n"
    "    int32_t upper, lower, title; /* to add to the code point */\n"
    "};\n\n"
    "struct kr_uni_special {\n"
    "    uint32_t code;\n"
    "    uint8_t len[4]; /* upper, lower, title, fold */\n"
    "    uint32_t to[4][3];\n"
    "};\n\n"
    "struct kr_uni_decomp {\n"
    "    uint32_t code;\n"
    "    uint16_t offset; /* of kr_uni_decomp_data */\n"
    "    uint8_t len, tag; /* tag 0: canonical */\n"
    "};\n\n"
    "struct kr_uni_pair {\n"
    "    uint32_t first, second, result;\n"
    "};\n\n"
    "/* 255 (or -2): as in the current version */\n"
    "struct kr_uni_old_record {\n"
    "    uint8_t category, bidi, width, mirrored;\n"
    "    int8_t decimal;\n"
    "    uint8_t numeric_differs;\n"
    "    double numeric;\n"
    "};\n\n";

static void
emit_db(void)
{
    char *header, *body;
    size_t size;
    FILE *h = open_memstream(&header, &size);
    FILE *c = open_memstream(&body, &size);
    fprintf(h, "/* Generated by tools/unigen; do not edit. */\n"
               "#ifndef KR_UNICODE_DB_H\n#define KR_UNICODE_DB_H\n%s"
               "#define KR_UNI_SHIFT %d\n", db_types, SHIFT);
    fprintf(c, "/* Generated by tools/unigen; do not edit. */\n"
               "#include \"kr_unicode_db.h\"\n");
    emit_special(h, c);
    emit_records(h, c);
    emit_numeric(h, c);
    emit_old(h, c);
    emit_decomposition(h, c);
    emit_words(h, c, "kr_uni_categories", &categories);
    emit_words(h, c, "kr_uni_bidis", &bidis);
    emit_words(h, c, "kr_uni_widths", &widths);
    fprintf(h,
            "\nstatic inline const struct kr_uni_record *\n"
            "kr_uni_get(uint32_t ch)\n{\n"
            "    if (ch >= 0x110000) {\n        ch = 0x10FFFF;\n    }\n"
            "    return &kr_uni_records[kr_uni_index[\n"
            "        ((unsigned)kr_uni_pages[ch >> KR_UNI_SHIFT] << "
            "KR_UNI_SHIFT)\n        + (ch & ((1 << KR_UNI_SHIFT) - 1))]];\n"
            "}\n\nstatic inline const struct kr_uni_old_record *\n"
            "kr_uni_old_get(uint32_t ch)\n{\n"
            "    return &kr_uni_old_records[kr_uni_old_index[\n"
            "        ((unsigned)kr_uni_old_pages[ch >> KR_UNI_SHIFT] << "
            "KR_UNI_SHIFT)\n        + (ch & ((1 << KR_UNI_SHIFT) - 1))]];\n"
            "}\n\n#endif\n");
    fclose(h);
    fclose(c);
    write_if_changed("kr_unicode_db.h", header);
    write_if_changed("kr_unicode_db.c", body);
}

/* --- names ------------------------------------------------------------------ */

/* One entry per name. `extra` < 0: the name of `code`; otherwise an alias or a
 * sequence, whose code points start at seq[extra]. */
struct name {
    unsigned code;
    int extra;
    char *text;
};

static struct name *names;
static size_t name_count;
static uint32_t *sequence_data;
static size_t sequence_len;

static void
add_name(unsigned code, int extra, const char *text)
{
    names = grow(names, (name_count + 1) * sizeof(*names));
    names[name_count++] = (struct name){code, extra, strdup(text)};
}

static void
read_names(void)
{
    char current[300] = "";
    unsigned code = 0;
    struct lines in = open_table("names.txt");
    for (char *line; (line = next_line(&in)) != NULL;) {
        if (*line == '@') {
            code = (unsigned)strtoul(line + 1, NULL, 16);
            continue;
        }
        int shared = isdigit((unsigned char)*line) ? *line - '0'
                                                   : *line - 'a' + 10;
        snprintf(current + shared, sizeof(current) - (size_t)shared, "%s",
                 line + 1);
        add_name(code++, -1, current);
    }
}

static void
read_sequences(const char *file)
{
    struct lines in = open_table(file);
    for (char *line; (line = next_line(&in)) != NULL;) {
        char *semi = strchr(line, ';'), *p = line;
        if (semi == NULL) {
            die(file);
        }
        size_t start = sequence_len;
        sequence_data = grow(sequence_data,
                             (sequence_len + 8) * sizeof(*sequence_data));
        sequence_data[sequence_len++] = 0;
        while (p < semi) {
            sequence_data[sequence_len++] = (uint32_t)strtoul(p, &p, 16);
            sequence_data[start]++;
        }
        add_name(0, (int)start, semi + 2);
    }
}

/* Words with their leading space (except the first of a name) would double
 * the lexicon, so words are joined by a space or, after '-', by nothing. */
struct word {
    char *text;
    unsigned uses, rank;
};

static struct word *lexicon;
static size_t lexicon_len;
static int32_t *word_hash;
#define WORD_HASH 65536u

static unsigned
hash_text(const char *s, size_t n)
{
    unsigned h = 2166136261u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    }
    return h ^ (h >> 15);
}

static unsigned
word_of(const char *s, size_t n)
{
    unsigned i = hash_text(s, n) % WORD_HASH;
    while (word_hash[i] >= 0) {
        struct word *w = &lexicon[word_hash[i]];
        if (strlen(w->text) == n && memcmp(w->text, s, n) == 0) {
            return (unsigned)word_hash[i];
        }
        i = (i + 1) % WORD_HASH;
    }
    lexicon = grow(lexicon, (lexicon_len + 1) * sizeof(*lexicon));
    lexicon[lexicon_len] = (struct word){strndup(s, n), 0, 0};
    word_hash[i] = (int32_t)lexicon_len;
    return (unsigned)lexicon_len++;
}

static int
compare_words(const void *a, const void *b)
{
    const struct word *x = &lexicon[*(const unsigned *)a];
    const struct word *y = &lexicon[*(const unsigned *)b];
    if (x->uses != y->uses) {
        return x->uses > y->uses ? -1 : 1;
    }
    return strcmp(x->text, y->text);
}

/* Calls f for each word of a name. */
static void
each_word(const char *text, void (*f)(unsigned word, void *arg), void *arg)
{
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        f(word_of(text, n), arg);
        text += n;
        text += *text == ' ';
    }
}

static void
count_word(unsigned word, void *arg)
{
    (void)arg;
    lexicon[word].uses++;
}

struct bytes {
    uint8_t *data;
    size_t len;
};

static void
put(struct bytes *out, unsigned byte)
{
    if ((out->len & 0xFFFF) == 0) {
        out->data = grow(out->data, out->len + 0x10000);
    }
    out->data[out->len++] = (uint8_t)byte;
}

#define SHORT_WORDS 160u /* bytes 1..160; above: high byte of a pair */

static void
put_word(unsigned word, void *arg)
{
    unsigned rank = lexicon[word].rank;
    if (rank < SHORT_WORDS) {
        put(arg, rank + 1);
    } else {
        rank -= SHORT_WORDS;
        put(arg, SHORT_WORDS + 1 + rank / 255);
        put(arg, rank % 255 + 1);
    }
}

static void
emit_lexicon(FILE *h, FILE *c)
{
    unsigned *order = grow(NULL, lexicon_len * sizeof(*order));
    for (unsigned i = 0; i < lexicon_len; i++) {
        order[i] = i;
    }
    qsort(order, lexicon_len, sizeof(*order), compare_words);
    fprintf(h, "#define KR_UNI_SHORT_WORDS %u\n"
               "extern const char kr_uni_lexicon[];\n"
               "extern const uint32_t kr_uni_lexicon_offset[%zu];\n",
            SHORT_WORDS, lexicon_len + 1);
    if (lexicon_len > SHORT_WORDS + 255u * (255u - SHORT_WORDS)) {
        die("too many words in names");
    }
    uint32_t *offset = grow(NULL, (lexicon_len + 1) * sizeof(*offset));
    uint32_t total = 0;
    fprintf(c, "const char kr_uni_lexicon[] =");
    for (unsigned i = 0; i < lexicon_len; i++) {
        struct word *w = &lexicon[order[i]];
        w->rank = i;
        offset[i] = total;
        total += (uint32_t)strlen(w->text);
        fprintf(c, "%s\"%s\"", i % 6 ? " " : "\n    ", w->text);
    }
    offset[lexicon_len] = total;
    fprintf(c, ";\n");
    fprintf(c, "const uint32_t kr_uni_lexicon_offset[] = {");
    for (size_t i = 0; i <= lexicon_len; i++) {
        fprintf(c, "%s%u,", i % 12 ? "" : "\n", offset[i]);
    }
    fprintf(c, "\n};\n");
    free(order);
    free(offset);
}

static void
emit_name_text(FILE *h, FILE *c)
{
    struct bytes text = {0};
    uint32_t *start = grow(NULL, (name_count / 8 + 1) * sizeof(*start));
    for (size_t i = 0; i < name_count; i++) {
        if (i % 8 == 0) {
            start[i / 8] = (uint32_t)text.len;
        }
        each_word(names[i].text, put_word, &text);
        put(&text, 0);
    }
    fprintf(h, "extern const uint8_t kr_uni_name_text[%zu];\n", text.len);
    fprintf(c, "const uint8_t kr_uni_name_text[] = {");
    for (size_t i = 0; i < text.len; i++) {
        fprintf(c, "%s%u,", i % 20 ? "" : "\n", text.data[i]);
    }
    fprintf(c, "\n};\n");
    emit_array(h, c, "uint32_t", "kr_uni_name_start", start,
               (name_count + 7) / 8);
    free(start);
    free(text.data);
}

/* Runs of consecutive code points with consecutive name numbers. */
static void
emit_name_runs(FILE *h, FILE *c, size_t plain)
{
    size_t count = 0;
    fprintf(c, "const struct kr_uni_name_run kr_uni_name_runs[] = {\n");
    for (size_t i = 0; i < plain;) {
        size_t k = i + 1;
        while (k < plain && names[k].code == names[k - 1].code + 1) {
            k++;
        }
        fprintf(c, "    {0x%X, %zu, %zu},\n", names[i].code, k - i, i);
        count++;
        i = k;
    }
    fprintf(c, "};\n");
    fprintf(h, "#define KR_UNI_NAME_RUN_COUNT %zu\n"
               "extern const struct kr_uni_name_run "
               "kr_uni_name_runs[KR_UNI_NAME_RUN_COUNT];\n", count);
}

static void
emit_name_hash(FILE *h, FILE *c)
{
    size_t size = 1;
    while (size < name_count * 3 / 2) {
        size *= 2;
    }
    uint32_t *slots = grow(NULL, size * sizeof(*slots));
    for (size_t i = 0; i < size; i++) {
        slots[i] = 0xFFFF;
    }
    for (size_t n = 0; n < name_count; n++) {
        size_t i = hash_text(names[n].text, strlen(names[n].text)) % size;
        while (slots[i] != 0xFFFF) {
            i = (i + 1) % size;
        }
        slots[i] = (uint32_t)n;
    }
    fprintf(h, "#define KR_UNI_NAME_HASH_SIZE %zu\n", size);
    emit_array(h, c, "uint16_t", "kr_uni_name_hash", slots, size);
    free(slots);
}

static void
emit_ideographs(FILE *h, FILE *c)
{
    size_t count = 0;
    struct lines in = open_table("ideographs.txt");
    fprintf(c, "const uint32_t kr_uni_ideographs[][2] = {\n");
    for (char *line; (line = next_line(&in)) != NULL; count++) {
        unsigned a, b;
        if (sscanf(line, "%X %X", &a, &b) != 2) {
            die("ideographs.txt");
        }
        fprintf(c, "    {0x%X, 0x%X},\n", a, b);
    }
    fprintf(c, "};\n");
    fprintf(h, "#define KR_UNI_IDEOGRAPH_COUNT %zu\n"
               "extern const uint32_t "
               "kr_uni_ideographs[KR_UNI_IDEOGRAPH_COUNT][2];\n", count);
}

static void
emit_names(void)
{
    char *header, *body;
    size_t size;
    read_names();
    size_t plain = name_count;
    read_sequences("aliases.txt");
    size_t aliases = name_count - plain;
    read_sequences("sequences.txt");
    if (name_count >= 0xFFFF) {
        die("too many names");
    }
    word_hash = grow(NULL, WORD_HASH * sizeof(*word_hash));
    for (size_t i = 0; i < WORD_HASH; i++) {
        word_hash[i] = -1;
    }
    for (size_t i = 0; i < name_count; i++) {
        each_word(names[i].text, count_word, NULL);
    }
    FILE *h = open_memstream(&header, &size);
    FILE *c = open_memstream(&body, &size);
    fprintf(h, "/* Generated by tools/unigen; do not edit. */\n"
               "#ifndef KR_UNICODE_NAMES_H\n#define KR_UNICODE_NAMES_H\n"
               "#include <stdint.h>\n\n"
               "/* name number first_name + i belongs to code + i */\n"
               "struct kr_uni_name_run {\n    uint32_t code;\n"
               "    uint16_t count, first_name;\n};\n"
               "/* numbers from KR_UNI_PLAIN_NAMES on: aliases, then "
               "sequences */\n"
               "#define KR_UNI_PLAIN_NAMES %zu\n#define KR_UNI_ALIASES %zu\n",
            plain, aliases);
    fprintf(c, "/* Generated by tools/unigen; do not edit. */\n"
               "#include \"kr_unicode_names.h\"\n");
    emit_lexicon(h, c);
    emit_name_text(h, c);
    emit_name_runs(h, c, plain);
    emit_name_hash(h, c);
    uint32_t *extra = grow(NULL, (name_count - plain) * sizeof(*extra));
    for (size_t i = plain; i < name_count; i++) {
        extra[i - plain] = (uint32_t)names[i].extra;
    }
    /* offset of each alias or sequence: a count, then the code points */
    emit_array(h, c, "uint16_t", "kr_uni_sequence_start", extra,
               name_count - plain);
    emit_array(h, c, "uint32_t", "kr_uni_sequence_data", sequence_data,
               sequence_len);
    emit_ideographs(h, c);
    fprintf(h, "#endif\n");
    free(extra);
    fclose(h);
    fclose(c);
    write_if_changed("kr_unicode_names.h", header);
    write_if_changed("kr_unicode_names.c", body);
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: unigen OUTDIR grammar/unicode\n");
        return 2;
    }
    out_dir = argv[1];
    in_dir = argv[2];
    emit_db();
    emit_names();
    return 0;
}
