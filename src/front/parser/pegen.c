/* The engine under the generated rules: tokens on demand, sequences, the two
 * passes. */
#include "front/parser/rules.h"

bool
kr_parser_overflow(Parser *p)
{
    p->level--;
    p->error_indicator = true;
    if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return false;
}

int
kr_parser_init(Parser *p, KrLexer *tok, int start_rule, int flags,
               int feature_version, KrArena *arena,
               struct kr_identifiers *identifiers)
{
    memset(p, 0, sizeof(*p));
    p->tok = tok;
    p->start_rule = start_rule;
    p->flags = flags;
    p->feature_version = feature_version;
    p->arena = arena;
    p->identifiers = identifiers;
    p->direct = true;
    p->buf = tok->buf;
    tok->type_comments = (flags & PyCF_TYPE_COMMENTS) != 0;
    return 0;
}

void
kr_parser_fini(Parser *p)
{
    PyMem_Free(p->tokens);
    PyMem_Free(p->stack);
    PyMem_Free(p->ignore_lines);
    PyMem_Free(p->ignore_tags);
}

static int
grow(void **array, int *capacity, size_t item)
{
    int new_capacity = *capacity ? *capacity * 2 : 256;
    void *grown = PyMem_Realloc(*array, (size_t)new_capacity * item);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *array = grown;
    *capacity = new_capacity;
    return 0;
}

static Token *
new_token(Parser *p)
{
    if (p->fill == p->capacity &&
        grow((void **)&p->tokens, &p->capacity, sizeof(Token *)) < 0) {
        return NULL;
    }
    if (p->nspare == 0) {
        int n = p->fill < 64 ? 16 : 128;
        p->spare = kr_arena_alloc(p->arena, (size_t)n * sizeof(Token));
        if (p->spare == NULL) {
            return NULL;
        }
        p->nspare = n;
    }
    p->nspare--;
    return p->spare++;
}

/* Interactive input moves the lexer's buffer as it grows. */
static void
follow_buffer(Parser *p)
{
    for (int i = 0; i < p->fill; i++) {
        Token *t = p->tokens[i];
        if (t->start != NULL) {
            t->start = p->tok->buf + (t->start - p->buf);
            t->end = p->tok->buf + (t->end - p->buf);
        }
    }
    p->buf = p->tok->buf;
}

static int
remember_ignore(Parser *p, const char *start, const char *end)
{
    if (p->nignores == p->ignores_capacity) {
        int capacity = p->ignores_capacity;
        if (grow((void **)&p->ignore_lines, &capacity, sizeof(int)) < 0 ||
            grow((void **)&p->ignore_tags, &p->ignores_capacity,
                 sizeof(PyObject *)) < 0) {
            return -1;
        }
    }
    PyObject *tag = PyUnicode_DecodeUTF8(start, end - start, NULL);
    if (tag == NULL || kr_arena_own(p->arena, tag) < 0) {
        return -1;
    }
    p->ignore_lines[p->nignores] = p->tok->lineno;
    p->ignore_tags[p->nignores++] = tag;
    return 0;
}

static int
next_type(Parser *p, const char **start, const char **end)
{
    int type = kr_lexer_next(p->tok, start, end);
    while (type == T_TYPE_IGNORE) {
        if (remember_ignore(p, *start, *end) < 0) {
            return -1;
        }
        type = kr_lexer_next(p->tok, start, end);
    }
    if (p->tok->buf != p->buf) {
        follow_buffer(p);
    }
    /* The end of single input also ends its line and its blocks. */
    if (type == T_ENDMARKER && p->start_rule == Py_single_input &&
        p->parsing_started) {
        type = T_NEWLINE;
        p->parsing_started = false;
        if (p->tok->indent != 0 && !(p->flags & PyCF_DONT_IMPLY_DEDENT)) {
            p->tok->pending = -p->tok->indent;
            p->tok->indent = 0;
        }
    }
    else {
        p->parsing_started = true;
    }
    return type;
}

static bool
def_follows(const KrLexer *tok)
{
    KrLexer ahead = *tok;
    const char *start, *end;
    PyObject *error, *value, *traceback;
    PyErr_Fetch(&error, &value, &traceback);
    int type = kr_lexer_next(&ahead, &start, &end);
    PyErr_Restore(error, value, traceback);
    return type == T_NAME && end - start == 3 && memcmp(start, "def", 3) == 0;
}

/* The type of a name, keyword or other token in the grammar before 3.7. */
static int
old_token_type(Parser *p, int type)
{
    if (p->in_async_def && p->past_async_line && type != T_NEWLINE &&
        type != T_TYPE_COMMENT &&
        type != T_INDENT && type != T_DEDENT && p->tok->level == 0 &&
        p->async_indent >= p->tok->indent) {
        p->in_async_def = p->past_async_line = false;
    }
    if (type == T_NEWLINE && p->in_async_def) {
        p->past_async_line = true;
    }
    if ((type != T_ASYNC && type != T_AWAIT) || p->in_async_def) {
        return type;
    }
    if (type == T_ASYNC && def_follows(p->tok)) {
        p->in_async_def = true;
        p->async_indent = p->tok->indent;
        return type;
    }
    return T_NAME;
}

int
kr_parser_fill(Parser *p)
{
    if (p->error_indicator) {
        return -1;
    }
    const char *start, *end;
    int type = next_type(p, &start, &end);
    Token *t = type < 0 ? NULL : new_token(p);
    if (t == NULL) {
        p->error_indicator = true;
        return -1;
    }
    KrLexer *tok = p->tok;
    const char *line = type == T_STRING ? tok->multi_line_start
                                        : tok->line_start;
    t->type = type == T_NAME ? kr_keyword_type(start, (size_t)(end - start))
                             : type;
    if (KR_UNLIKELY(p->feature_version < 7)) {
        t->type = old_token_type(p, t->type);
    }
    t->level = tok->level;
    t->lineno = type == T_STRING ? tok->first_lineno : tok->lineno;
    t->end_lineno = tok->lineno;
    t->col_offset =
        start != NULL && start >= line ? (int)(start - line) : -1;
    t->end_col_offset = end != NULL && end >= tok->line_start
                            ? (int)(end - tok->line_start)
                            : -1;
    if (p->starting_lineno != 0) {
        if (t->lineno == p->starting_lineno) {
            t->col_offset += p->starting_col_offset;
        }
        if (t->end_lineno == p->starting_lineno) {
            t->end_col_offset += p->starting_col_offset;
        }
    }
    t->start = start;
    t->end = end;
    t->node = NULL;
    t->memo = NULL;
    t->expression_end = 0;
    p->tokens[p->fill++] = t;
    if (type == T_ERRORTOKEN) {
        p->error_indicator = true;
        kr_tokenizer_error(p);
        return -1;
    }
    return 0;
}

int
kr_parser_push(Parser *p, void *item)
{
    if (p->stack_size == p->stack_capacity) {
        int capacity = (int)p->stack_capacity;
        if (grow((void **)&p->stack, &capacity, sizeof(void *)) < 0) {
            p->error_indicator = true;
            return -1;
        }
        p->stack_capacity = (size_t)capacity;
    }
    p->stack[p->stack_size++] = item;
    return 0;
}

void *
kr_parser_pop_seq(Parser *p, size_t base)
{
    size_t n = p->stack_size - base;
    asdl_seq *seq =
        kr_arena_alloc(p->arena, sizeof(*seq) + n * sizeof(void *));
    p->stack_size = base;
    if (seq == NULL) {
        p->error_indicator = true;
        return NULL;
    }
    seq->size = (Py_ssize_t)n;
    if (n != 0) {
        memcpy(seq->typed_elements, p->stack + base, n * sizeof(void *));
    }
    return seq;
}

void *
kr_parser_repeat(Parser *p, rule_fn rule, int min)
{
    size_t base = p->stack_size;
    int start = p->mark, mark = start;
    for (void *item; (item = rule(p)) != NULL; mark = p->mark) {
        if (kr_parser_push(p, item) < 0) {
            return NULL;
        }
    }
    p->mark = mark;
    if (p->error_indicator || p->stack_size - base < (size_t)min) {
        p->stack_size = base;
        p->mark = start;
        return NULL;
    }
    return kr_parser_pop_seq(p, base);
}

void *
kr_parser_gather(Parser *p, rule_fn rule, int separator)
{
    size_t base = p->stack_size;
    int start = p->mark;
    void *item = rule(p);
    if (item == NULL) {
        p->mark = start;
        return NULL;
    }
    int mark;
    do {
        if (kr_parser_push(p, item) < 0) {
            return NULL;
        }
        mark = p->mark;
    } while (expect(p, separator) != NULL && (item = rule(p)) != NULL);
    p->mark = mark;
    if (p->error_indicator) {
        p->stack_size = base;
        p->mark = start;
        return NULL;
    }
    return kr_parser_pop_seq(p, base);
}

Token *
kr_parser_expect_forced(Parser *p, int type, const char *text)
{
    if (p->error_indicator) {
        return NULL;
    }
    Token *t = expect(p, type);
    if (t == NULL && !p->error_indicator) {
        RAISE_AT(p->tokens[p->mark], "expected '%s'", text);
    }
    return t;
}

/* --- The hand-written rules ---------------------------------------------- */

expr_ty
kr_rule_expression_without_invalid(Parser *p)
{
    bool saved = p->call_invalid_rules;
    p->call_invalid_rules = false;
    expr_ty e = kr_rule_plain_expression(p);
    p->call_invalid_rules = saved;
    return e;
}

/* --- Running ------------------------------------------------------------- */

static void *
run_start_rule(Parser *p)
{
    switch (p->start_rule) {
    case Py_file_input: return kr_rule_file(p);
    case Py_single_input: return kr_rule_interactive(p);
    case Py_eval_input: return kr_rule_eval(p);
    case Py_func_type_input: return kr_rule_func_type(p);
    case KR_FSTRING_INPUT: return kr_rule_fstring(p);
    }
    PyErr_SetString(PyExc_SystemError, "unknown start rule of the parser");
    return NULL;
}

/* Is there anything but comments after the one statement? */
static bool
more_than_one_statement(Parser *p)
{
    const char *s = p->tok->cur;
    for (;;) {
        while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\014') {
            s++;
        }
        if (*s != '#') {
            return *s != '\0';
        }
        s += strcspn(s, "\n");
    }
}

static void
prepare_error_pass(Parser *p)
{
    for (int i = 0; i < p->fill; i++) {
        p->tokens[i]->memo = NULL;
    }
    p->mark = 0;
    p->stack_size = 0;
    p->call_invalid_rules = true;
    p->direct = false;
    p->tok->stop_reading = true;
}

void *
kr_parser_run(Parser *p)
{
    void *tree = run_start_rule(p);
    if (tree == NULL) {
        bool at_end = p->tok->done == KR_LEX_EOF ||
                      p->tok->done == KR_LEX_EOF_STRING ||
                      p->tok->done == KR_LEX_EOL_STRING;
        if (p->reached_end && p->tok->interactive) {
            return NULL;
        }
        if ((p->flags & PyCF_ALLOW_INCOMPLETE_INPUT) && at_end) {
            PyErr_Clear();
            p->error_indicator = false;
            return RAISE("incomplete input");
        }
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_SyntaxError)) {
            return NULL;
        }
        Token *last = p->fill == 0 ? NULL : p->tokens[p->fill - 1];
        prepare_error_pass(p);
        run_start_rule(p);
        kr_set_syntax_error(p, last);
        return NULL;
    }
    if (p->start_rule == Py_single_input && more_than_one_statement(p)) {
        return RAISE(
            "multiple statements found while compiling a single statement");
    }
    return tree;
}
