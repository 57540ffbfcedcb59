/* What the generated parser works with: tokens, the parser's state, memo, and
 * the helpers that actions of python.gram call.
 *
 * A failed rule returns NULL. p->error_indicator says whether an exception
 * stands behind it; then every rule fails. */
#ifndef KR_FRONT_PARSER_RULES_H
#define KR_FRONT_PARSER_RULES_H

#include <string.h>

#include "front/ast/ast.h"
#include "front/lexer/lexer.h"
#include "memory/tstate.h"

typedef struct Memo {
    int rule, mark;
    void *node;
    struct Memo *next;
} Memo;

typedef struct Token {
    int type, level; /* level: open brackets around it */
    int lineno, col_offset, end_lineno, end_col_offset;
    const char *start, *end; /* text in the lexer's buffer, or NULL */
    void *node;              /* of a NAME or NUMBER, once asked for */
    Memo *memo;
    expr_ty expression; /* that begins here; NULL: none does */
    int expression_end; /* mark behind it + 1; 0: not known */
} Token;

/* The names that the parser has seen, to make each only once: open addressing
 * by a hash of the bytes. Only names in ASCII are here. */
struct kr_identifiers {
    struct kr_identifier {
        uint64_t hash;
        PyObject *id; /* owned by the arena; NULL: free */
    } *entries;
    size_t mask, used;
    PyObject *normalize; /* of unicodedata, once needed; owned by the arena */
};

typedef struct Parser {
    KrLexer *tok;
    struct kr_identifiers *identifiers; /* shared with fields of f-strings */
    Token **tokens;
    int mark, fill, capacity;
    KrArena *arena;
    bool error_indicator, call_invalid_rules, parsing_started;
    bool direct; /* the first pass: rules take their direct forms */
    int level; /* of rules */
    int start_rule, flags, feature_version;
    int starting_lineno, starting_col_offset; /* of an f-string's field */
    bool reached_end;
    /* Before 3.7, async and await are names outside `async def`. */
    bool in_async_def, past_async_line;
    int async_indent;
    void **stack; /* of unfinished sequences */
    size_t stack_size, stack_capacity;
    Token *spare; /* room for tokens */
    int nspare;
    int *ignore_lines; /* of type: ignore comments, with their tags */
    PyObject **ignore_tags;
    int nignores, ignores_capacity;
    const char *buf; /* the lexer's, as last seen */
} Parser;

typedef void *(*rule_fn)(Parser *p);

enum { KR_MAX_RULE_LEVEL = 6000 };

/* Reads one more token; -1 with the error indicator set. */
int kr_parser_fill(Parser *p);
/* Unfinished sequences: adds an item; -1 with the error indicator set. Makes a
 * sequence of what was added since the stack had `base` items. */
int kr_parser_push(Parser *p, void *item);
void *kr_parser_pop_seq(Parser *p, size_t base);
void *kr_parser_repeat(Parser *p, rule_fn rule, int min);
void *kr_parser_gather(Parser *p, rule_fn rule, int separator);
Token *kr_parser_expect_forced(Parser *p, int type, const char *text);
expr_ty kr_parser_name(Parser *p);
expr_ty kr_parser_number(Parser *p);
bool kr_parser_overflow(Parser *p);

/* Interned str of UTF-8 text, NFKC-normalised, owned by the arena. */
PyObject *kr_new_identifier(Parser *p, const char *text, size_t len);

/* Runs the parser from its start rule: tree, or NULL with an exception. */
void *kr_parser_run(Parser *p);
int kr_parser_init(Parser *p, KrLexer *tok, int start_rule, int flags,
                   int feature_version, KrArena *arena,
                   struct kr_identifiers *identifiers);
void kr_parser_fini(Parser *p);

static inline bool
first(Parser *p, uint64_t lo, uint64_t hi)
{
    if (KR_UNLIKELY(p->mark == p->fill) && kr_parser_fill(p) < 0) {
        return false;
    }
    unsigned type = (unsigned)p->tokens[p->mark]->type;
    return ((type < 64 ? lo : hi) >> (type & 63)) & 1;
}
#define FIRST(lo, hi) first(p, lo, hi)

static inline Token *
expect(Parser *p, int type)
{
    if (KR_UNLIKELY(p->mark == p->fill) && kr_parser_fill(p) < 0) {
        return NULL;
    }
    Token *t = p->tokens[p->mark];
    if (t->type != type) {
        return NULL;
    }
    p->mark++;
    return t;
}

static inline bool
next_is(Parser *p, int type)
{
    if (KR_UNLIKELY(p->mark == p->fill) && kr_parser_fill(p) < 0) {
        return false;
    }
    return p->tokens[p->mark]->type == type;
}

static inline expr_ty
expect_soft(Parser *p, const char *text, size_t len)
{
    if (!next_is(p, T_NAME)) {
        return NULL;
    }
    const Token *t = p->tokens[p->mark];
    if ((size_t)(t->end - t->start) != len || memcmp(t->start, text, len)) {
        return NULL;
    }
    return kr_parser_name(p);
}

static inline bool
enter(Parser *p)
{
    int level = p->level++;
    if (KR_UNLIKELY(level >= KR_MAX_RULE_LEVEL) ||
        KR_UNLIKELY(level % 64 == 63 && kr_stack_is_low(kr_tstate()))) {
        return kr_parser_overflow(p);
    }
    if (KR_UNLIKELY(p->error_indicator)) {
        p->level--;
        return false;
    }
    return true;
}

static inline bool
find_memo(Parser *p, int rule, void **result)
{
    if (KR_UNLIKELY(p->mark == p->fill) && kr_parser_fill(p) < 0) {
        *result = NULL;
        return true;
    }
    for (Memo *m = p->tokens[p->mark]->memo; m != NULL; m = m->next) {
        if (m->rule == rule) {
            p->mark = m->mark;
            *result = m->node;
            return true;
        }
    }
    return false;
}

static inline void
add_memo(Parser *p, int mark, int rule, void *node)
{
    Memo *m = kr_arena_alloc(p->arena, sizeof(*m));
    if (m == NULL) {
        p->error_indicator = true;
        return;
    }
    *m = (Memo){rule, p->mark, node, p->tokens[mark]->memo};
    p->tokens[mark]->memo = m;
}

#define repeat(p, rule, min) kr_parser_repeat(p, rule, min)
#define gather(p, rule, separator) kr_parser_gather(p, rule, separator)
#define LOOK_AHEAD(call)                                                       \
    (__extension__({                                                           \
        int mark_ = p->mark;                                                   \
        bool matched_ = (call) != NULL;                                        \
        p->mark = mark_;                                                       \
        matched_;                                                              \
    }))

/* The last token that is part of a construct. */
static inline const Token *
last_token(const Parser *p)
{
    int i = p->mark - 1;
    while (i > 0 && (p->tokens[i]->type == T_ENDMARKER ||
                     (p->tokens[i]->type >= T_NEWLINE &&
                      p->tokens[i]->type <= T_DEDENT))) {
        i--;
    }
    return p->tokens[i];
}

#define LOC                                                                    \
    start->lineno, start->col_offset, last_token(p)->end_lineno,               \
        last_token(p)->end_col_offset, p->arena

/* --- Errors; all return NULL */

void *kr_raise(Parser *p, PyObject *type, const char *format, ...);
/* Columns are byte offsets; KR_CURRENT_POS is where the lexer stands. */
enum { KR_CURRENT_POS = -5 };
void *kr_raise_range(Parser *p, PyObject *type, int lineno, int col,
                     int end_lineno, int end_col, const char *format, ...);
void kr_unclosed_bracket(Parser *p);
void kr_tokenizer_error(Parser *p);
void kr_set_syntax_error(Parser *p, Token *last);
void *kr_raise_decode_problem(Parser *p);

#define RAISE(...) kr_raise(p, PyExc_SyntaxError, __VA_ARGS__)
#define RAISE_INDENT(...) kr_raise(p, PyExc_IndentationError, __VA_ARGS__)
#define RAISE_RANGE(a, b, ...)                                                 \
    kr_raise_range(p, PyExc_SyntaxError, (a)->lineno, (a)->col_offset,         \
                   (b)->end_lineno, (b)->end_col_offset, __VA_ARGS__)
#define RAISE_AT(a, ...) RAISE_RANGE(a, a, __VA_ARGS__)
#define RAISE_FROM(a, ...)                                                     \
    kr_raise_range(p, PyExc_SyntaxError, (a)->lineno, (a)->col_offset,         \
                   KR_CURRENT_POS, KR_CURRENT_POS, __VA_ARGS__)
bool kr_check_version(Parser *p, int minor, const char *what);
#define CHECK_VERSION(minor, what, node)                                       \
    (kr_check_version(p, minor, what) ? (node) : NULL)

enum kr_targets { KR_STAR_TARGETS, KR_DEL_TARGETS, KR_FOR_TARGETS };

const char *kr_expr_name(expr_ty e);
const char *kr_token_text(const Token *t);
expr_ty kr_last_comprehension_item(asdl_comprehension_seq *clauses);
void *kr_nonparen_genexp(Parser *p, expr_ty args, asdl_comprehension_seq *c);
void *kr_arguments_error(Parser *p, expr_ty call);
void *kr_invalid_target_error(Parser *p, expr_ty e, enum kr_targets kind);
void *kr_legacy_statement(Parser *p, expr_ty name, expr_ty rest);
void *kr_forgot_comma(Parser *p, expr_ty a, expr_ty b);
void *kr_assign_hint(Parser *p, expr_ty a);
void *kr_missing_colon_error(Parser *p, expr_ty key);

/* --- Values of rules that are no tree nodes */

typedef struct {
    expr_ty first, second;
} Pair;
typedef struct {
    cmpop_ty op;
    expr_ty expr;
} CmpPair;
typedef struct {
    expr_ty key;
    pattern_ty pattern;
} KeyPattern;
typedef struct {
    arg_ty arg;
    expr_ty value;
} NameDefault;
typedef struct {
    asdl_seq *plain, *with_default;
} SlashWithDefault;
typedef struct {
    arg_ty vararg;
    asdl_seq *kwonly;
    arg_ty kwarg;
} StarEtc;
typedef struct {
    void *node;
    bool is_keyword;
} KeywordOrStarred;

/* --- Actions; all allocate in p->arena, NULL with an exception on failure */

#define LOC_PARAMS                                                             \
    int lineno, int col, int end_lineno, int end_col, KrArena *arena

void *kr_seq_one(Parser *p, void *item);
void *kr_seq_prepend(Parser *p, void *item, void *seq);
void *kr_seq_append(Parser *p, void *seq, void *item);
void *kr_seq_join(Parser *p, void *a, void *b);
void *kr_seq_flatten(Parser *p, asdl_seq *seqs);
mod_ty kr_make_module(Parser *p, asdl_stmt_seq *body);
void *kr_interactive_exit(Parser *p);
expr_ty kr_set_context(Parser *p, expr_ty e, expr_context_ty ctx);
PyObject *kr_type_comment(Parser *p, const Token *t);
arg_ty kr_arg_type_comment(Parser *p, arg_ty arg, const Token *t);
operator_ty kr_token_operator(const Token *t);
asdl_identifier_seq *kr_names_to_identifiers(Parser *p, asdl_seq *names);
int kr_count_dots(asdl_seq *dots);
alias_ty kr_star_alias(Parser *p, LOC_PARAMS);
expr_ty kr_join_names(Parser *p, expr_ty a, expr_ty b);
expr_ty kr_no_arguments(Parser *p);
stmt_ty kr_make_class(Parser *p, expr_ty name, expr_ty call,
                      asdl_stmt_seq *body, LOC_PARAMS);
stmt_ty kr_class_decorators(Parser *p, asdl_expr_seq *list, stmt_ty def);
stmt_ty kr_function_decorators(Parser *p, asdl_expr_seq *list, stmt_ty def);
stmt_ty kr_make_function_def(Parser *p, expr_ty name, arguments_ty args,
                         asdl_stmt_seq *body, expr_ty returns, const Token *t,
                         bool async, LOC_PARAMS);
expr_ty kr_make_lambda(Parser *p, arguments_ty args, expr_ty body, LOC_PARAMS);
arguments_ty kr_make_arguments(Parser *p, asdl_seq *slash,
                               SlashWithDefault *slash_with, asdl_seq *plain,
                               asdl_seq *with_default, StarEtc *star);
SlashWithDefault *kr_slash_with_default(Parser *p, void *a, void *b);
StarEtc *kr_star_etc(Parser *p, arg_ty vararg, void *kwonly, arg_ty kwarg);
NameDefault *kr_name_default(Parser *p, arg_ty arg, expr_ty value,
                             const Token *t);
expr_ty kr_ensure_real(Parser *p, expr_ty e);
expr_ty kr_ensure_imaginary(Parser *p, expr_ty e);
KeyPattern *kr_key_pattern(Parser *p, expr_ty key, pattern_ty pattern);
void *kr_pattern_keys(Parser *p, asdl_seq *pairs);
void *kr_pattern_values(Parser *p, asdl_seq *pairs);
expr_ty kr_tuple_or_single(Parser *p, asdl_expr_seq *items, void *comma,
                           LOC_PARAMS);
Pair *kr_pair(Parser *p, expr_ty first, expr_ty second);
void *kr_dict_keys(Parser *p, asdl_seq *pairs);
void *kr_dict_values(Parser *p, asdl_seq *pairs);
expr_ty kr_bool_op(Parser *p, boolop_ty op, asdl_expr_seq *values, LOC_PARAMS);
expr_ty kr_compare(Parser *p, expr_ty left, asdl_seq *pairs, LOC_PARAMS);
CmpPair *kr_cmp_pair(Parser *p, cmpop_ty op, expr_ty e);
bool kr_check_barry(Parser *p, const Token *t);
expr_ty kr_make_call(Parser *p, expr_ty func, expr_ty args, LOC_PARAMS);
void *kr_no_step(Parser *p);
expr_ty kr_step(Parser *p, void *step);
expr_ty kr_collect_arguments(Parser *p, asdl_expr_seq *args, asdl_seq *kwargs,
                             LOC_PARAMS);
KeywordOrStarred *kr_keyword_or_starred(Parser *p, void *node, bool keyword);
expr_ty kr_concatenate_strings(Parser *p, asdl_seq *tokens);

/* --- Rules written by hand, and those they call */

expr_ty kr_rule_bitwise_or(Parser *p);
expr_ty kr_rule_expression_without_invalid(Parser *p);
expr_ty kr_rule_factor(Parser *p);
CmpPair *kr_rule_compare_pair(Parser *p);
expr_ty kr_rule_lambdef(Parser *p);
asdl_comprehension_seq *kr_rule_for_if_clauses(Parser *p);
expr_ty kr_rule_yield_expr(Parser *p);
Pair *kr_rule_double_starred_kvpair(Parser *p);
expr_ty kr_rule_strings(Parser *p);
expr_ty kr_rule_dict(Parser *p);
expr_ty kr_rule_plain_expression(Parser *p);
mod_ty kr_rule_file(Parser *p);
mod_ty kr_rule_interactive(Parser *p);
mod_ty kr_rule_eval(Parser *p);
mod_ty kr_rule_func_type(Parser *p);
expr_ty kr_rule_fstring(Parser *p);

/* --- Direct forms of rules (direct.c) */

stmt_ty kr_direct_simple_stmt(Parser *p);
expr_ty kr_direct_star_expressions(Parser *p);
expr_ty kr_direct_star_expression(Parser *p);
expr_ty kr_direct_star_named_expression(Parser *p);
expr_ty kr_direct_named_expression(Parser *p);
expr_ty kr_direct_expression(Parser *p);
expr_ty kr_direct_disjunction(Parser *p);
expr_ty kr_direct_factor(Parser *p);
expr_ty kr_direct_atom(Parser *p);
expr_ty kr_direct_star_targets(Parser *p);
stmt_ty kr_peg_simple_stmt(Parser *p);

enum { KR_FSTRING_INPUT = 800 };

#endif
