/* peggen: compiles grammar/python.gram to C.
 *
 * read.c builds the structures below from text, analyse.c computes which rules
 * can match nothing and which tokens each can start with, emit.c writes C. */
#ifndef PEGGEN_H
#define PEGGEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum item_kind {
    ITEM_TOKEN,     /* token of a type, by text or class name */
    ITEM_SOFT,      /* NAME with a given spelling */
    ITEM_RULE,      /* reference to a rule */
    ITEM_REPEAT,    /* loop over rule `rule`, at least `min` times */
    ITEM_GATHER,    /* rule `rule` separated by token `token`, once or more */
    ITEM_OPTIONAL,  /* `inner` or nothing */
    ITEM_AHEAD,     /* `inner` must follow */
    ITEM_NOT_AHEAD, /* `inner` must not follow */
    ITEM_FORCED,    /* token that must be there */
    ITEM_CUT,
};

struct set {
    uint64_t lo, hi;
};

struct item {
    enum item_kind kind;
    char *var;  /* name given to the result, or NULL */
    char *text; /* spelling, or name of the rule */
    int token;
    int rule;
    int min;
    struct item *inner;
};

struct alt {
    struct item items[24];
    int nitems;
    char *action; /* C expression, or NULL */
};

struct rule {
    char *name, *type, *first_like; /* first_like: written by hand in C */
    bool memo, exported, direct, nullable, is_helper, defined, dead;
    struct alt *alts;
    int nalts;
    struct set first;
};

extern struct rule rules[2048];
extern int nrules;

struct token {
    char *name, *text;
    bool keyword;
};
extern struct token tokens[128];
extern int ntokens;

void read_tokens(const char *path);
void read_grammar(const char *path);
void analyse(void);
void emit_tokens(FILE *out);
void emit_parser(FILE *out);

/* Can the alternative match nothing? Which tokens can it start with? */
bool alt_nullable(const struct alt *alt);
struct set alt_first(const struct alt *alt);
bool left_recursive(const struct rule *rule, const struct alt *alt);

void fail(int line, const char *what, const char *name);
char *read_file(const char *path);

#endif
