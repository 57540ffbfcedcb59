/* Reads tokens.def and python.gram. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "peggen.h"

struct rule rules[2048];
int nrules;
struct token tokens[128];
int ntokens;

static const char *cursor, *text_start;
static int line = 1;

static void parse_alts(struct rule *rule, char closer);

void
read_tokens(const char *path)
{
    char *text = read_file(path);
    if (text == NULL) {
        fail(0, "cannot read ", path);
    }
    for (char *l = strtok(text, "\n"); l != NULL; l = strtok(NULL, "\n")) {
        char kind[16], name[32], spelling[16];
        int n = sscanf(l, "%15s %31s %15s", kind, name, spelling);
        if (n < 2 || kind[0] == '#') {
            continue;
        }
        struct token *t = &tokens[ntokens++];
        t->keyword = strcmp(kind, "keyword") == 0;
        t->name = strdup(name);
        t->text = t->keyword ? t->name : n == 3 ? strdup(spelling) : NULL;
    }
}

static int
find_token(const char *text, bool by_text)
{
    for (int i = 0; i < ntokens; i++) {
        const char *s = by_text ? tokens[i].text : tokens[i].name;
        if (s != NULL && strcmp(s, text) == 0 &&
            (by_text || !tokens[i].keyword)) {
            return i;
        }
    }
    return -1;
}

static int
rule_index(const char *name)
{
    for (int i = 0; i < nrules; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return i;
        }
    }
    rules[nrules].name = strdup(name);
    return nrules++;
}

static void
skip(void)
{
    for (;; cursor++) {
        if (*cursor == '#') {
            cursor += strcspn(cursor, "\n");
        }
        if (*cursor == '\n') {
            line++;
        }
        else if (*cursor == '\0' || !isspace((unsigned char)*cursor)) {
            return;
        }
    }
}

static bool
accept(const char *s)
{
    skip();
    if (strncmp(cursor, s, strlen(s)) != 0) {
        return false;
    }
    cursor += strlen(s);
    return true;
}

static char *
word(void)
{
    skip();
    size_t n = 0;
    while (isalnum((unsigned char)cursor[n]) || cursor[n] == '_') {
        n++;
    }
    if (n == 0) {
        return NULL;
    }
    char *w = strndup(cursor, n);
    cursor += n;
    return w;
}

static char *
until(char end)
{
    const char *start = cursor;
    while (*cursor != end) {
        if (*cursor++ == '\0') {
            fail(line, "unterminated text", "");
        }
    }
    return strndup(start, (size_t)(cursor++ - start));
}

/* A rule of its own for something in the middle of another. */
static int
helper(const char *kind)
{
    char name[32];
    static int count;
    snprintf(name, sizeof(name), "%s_%d", kind, count++);
    int i = rule_index(name);
    rules[i].is_helper = rules[i].defined = true;
    return i;
}

static int
rule_for(const struct item *item)
{
    if (item->kind == ITEM_RULE) {
        return item->rule;
    }
    int i = helper("one");
    rules[i].alts = calloc(1, sizeof(struct alt));
    rules[i].nalts = 1;
    rules[i].alts[0].items[0] = *item;
    rules[i].alts[0].nitems = 1;
    return i;
}

static struct item
atom(void)
{
    struct item item = {.token = -1};
    skip();
    if (accept("(")) {
        item.kind = ITEM_RULE;
        item.rule = helper("group");
        parse_alts(&rules[item.rule], ')');
        item.text = rules[item.rule].name;
    }
    else if (*cursor == '\'') {
        cursor++;
        item.kind = ITEM_TOKEN;
        item.text = until('\'');
        item.token = find_token(item.text, true);
        if (item.token < 0) {
            fail(line, "no such token: ", item.text);
        }
    }
    else if (*cursor == '"') {
        cursor++;
        item.kind = ITEM_SOFT;
        item.text = until('"');
    }
    else {
        item.text = word();
        if (item.text == NULL) {
            fail(line, "item expected at ", strndup(cursor, 20));
        }
        item.token = find_token(item.text, false);
        item.kind = item.token >= 0 ? ITEM_TOKEN : ITEM_RULE;
        if (item.token < 0) {
            item.rule = rule_index(item.text);
        }
    }
    return item;
}

static struct item *
copy_item(struct item item)
{
    struct item *p = malloc(sizeof(*p));
    *p = item;
    return p;
}

static struct item
suffixed(void)
{
    if (accept("[")) {
        int i = helper("group");
        parse_alts(&rules[i], ']');
        struct item inner = {ITEM_RULE, .rule = i, .text = rules[i].name};
        if (rules[i].nalts == 1 && rules[i].alts[0].nitems == 1 &&
            rules[i].alts[0].action == NULL) {
            inner = rules[i].alts[0].items[0];
            rules[i].dead = true;
        }
        return (struct item){ITEM_OPTIONAL, .inner = copy_item(inner)};
    }
    struct item item = atom();
    if (*cursor == '.' && item.kind == ITEM_TOKEN) {
        cursor++;
        struct item element = atom();
        if (!accept("+")) {
            fail(line, "'+' expected", "");
        }
        return (struct item){ITEM_GATHER, .token = item.token,
                             .rule = rule_for(&element)};
    }
    if (*cursor == '*' || *cursor == '+') {
        int min = *cursor++ == '+';
        return (struct item){ITEM_REPEAT, .rule = rule_for(&item), .min = min};
    }
    if (*cursor == '?') {
        cursor++;
        return (struct item){ITEM_OPTIONAL, .inner = copy_item(item)};
    }
    return item;
}

static struct item
prefixed(void)
{
    if (accept("&&")) {
        struct item item = suffixed();
        item.kind = ITEM_FORCED;
        return item;
    }
    if (accept("&")) {
        return (struct item){ITEM_AHEAD, .inner = copy_item(suffixed())};
    }
    if (accept("!")) {
        return (struct item){ITEM_NOT_AHEAD, .inner = copy_item(suffixed())};
    }
    if (accept("~")) {
        return (struct item){.kind = ITEM_CUT};
    }
    const char *start = cursor;
    char *name = word();
    if (name != NULL && *cursor == '=') {
        cursor++;
        struct item item = suffixed();
        item.var = name;
        return item;
    }
    cursor = start;
    return suffixed();
}

static char *
action(void)
{
    const char *start = cursor;
    int depth = 1;
    while (depth > 0) {
        char ch = *cursor++;
        if (ch == '"') {
            while (*cursor++ != '"') {
                cursor += cursor[-1] == '\\';
            }
        }
        else if (ch == '\'') {
            while (*cursor++ != '\'') {
                cursor += cursor[-1] == '\\';
            }
        }
        line += ch == '\n';
        depth += (ch == '{') - (ch == '}');
    }
    return strndup(start, (size_t)(cursor - 1 - start));
}

static bool
at_rule_start(void)
{
    skip();
    return cursor == text_start || cursor[-1] == '\n';
}

static void
parse_alts(struct rule *rule, char closer)
{
    rule->alts = calloc(40, sizeof(struct alt));
    accept("|");
    do {
        struct alt *alt = &rule->alts[rule->nalts++];
        for (;;) {
            skip();
            if (*cursor == '|' || *cursor == closer || *cursor == '\0' ||
                (closer == '\0' && at_rule_start())) {
                break;
            }
            if (accept("{")) {
                alt->action = action();
                break;
            }
            alt->items[alt->nitems++] = prefixed();
        }
    } while (accept("|"));
    if (closer != '\0') {
        char close[2] = {closer, '\0'};
        if (!accept(close)) {
            fail(line, "missing ", close);
        }
    }
}

void
read_grammar(const char *path)
{
    cursor = text_start = read_file(path);
    if (cursor == NULL) {
        fail(0, "cannot read ", path);
    }
    for (skip(); *cursor != '\0'; skip()) {
        char *name = word();
        if (name == NULL) {
            fail(line, "rule expected at ", strndup(cursor, 20));
        }
        struct rule *rule = &rules[rule_index(name)];
        if (rule->defined) {
            fail(line, "rule defined twice: ", name);
        }
        rule->defined = true;
        if (accept("<")) {
            rule->type = until('>');
        }
        while (!accept(":")) {
            char *flag = word();
            if (flag == NULL) {
                fail(line, "':' expected after ", name);
            }
            rule->memo |= strcmp(flag, "memo") == 0;
            rule->exported |= strcmp(flag, "export") == 0;
            rule->direct |= strcmp(flag, "direct") == 0;
            if (strcmp(flag, "like") == 0) {
                rule->first_like = word();
            }
        }
        if (rule->first_like == NULL) {
            parse_alts(rule, '\0');
        }
    }
    for (int i = 0; i < nrules; i++) {
        if (!rules[i].defined) {
            fail(0, "rule is not defined: ", rules[i].name);
        }
    }
}
