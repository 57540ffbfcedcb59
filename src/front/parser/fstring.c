/* f-strings: the fields between braces are parsed by a parser of their own. */
#include "front/parser/strings.h"

/* --- Joining ------------------------------------------------------------- */

int
kr_joined_text(Parser *p, struct kr_joined *j, PyObject *text)
{
    if (PyUnicode_GET_LENGTH(text) == 0) {
        Py_DECREF(text);
        return 0;
    }
    if (j->text == NULL) {
        j->text = text;
        return 0;
    }
    PyUnicode_AppendAndDel(&j->text, text);
    return j->text == NULL ? -1 : 0;
}

static int
add_value(struct kr_joined *j, expr_ty value)
{
    if (value == NULL) {
        return -1;
    }
    if (j->size == j->capacity) {
        int capacity = j->capacity ? j->capacity * 2 : 16;
        expr_ty *grown =
            PyMem_Realloc(j->values, (size_t)capacity * sizeof(*grown));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        j->values = grown;
        j->capacity = capacity;
    }
    j->values[j->size++] = value;
    return 0;
}

/* The Constant of the text so far (or of nothing). */
static expr_ty
text_node(Parser *p, struct kr_joined *j)
{
    PyObject *text = j->text ? j->text : PyUnicode_FromString("");
    j->text = NULL;
    PyObject *kind = NULL;
    if (text == NULL || kr_arena_own(p->arena, text) < 0) {
        return NULL;
    }
    if (j->start->start[0] == 'u' &&
        (kind = kr_new_identifier(p, "u", 1)) == NULL) {
        return NULL;
    }
    return kr_ast_Constant(text, kind, j->start->lineno, j->start->col_offset,
                           j->last->end_lineno, j->last->end_col_offset,
                           p->arena);
}

expr_ty
kr_joined_finish(Parser *p, struct kr_joined *j)
{
    if (!j->format) {
        return text_node(p, j);
    }
    if (j->text != NULL && add_value(j, text_node(p, j)) < 0) {
        return NULL;
    }
    asdl_expr_seq *values = kr_asdl_seq_new(j->size, p->arena);
    if (values == NULL) {
        return NULL;
    }
    for (int i = 0; i < j->size; i++) {
        asdl_seq_SET(values, i, j->values[i]);
    }
    return kr_ast_JoinedStr(values, j->start->lineno, j->start->col_offset,
                            j->last->end_lineno, j->last->end_col_offset,
                            p->arena);
}

void
kr_joined_clear(struct kr_joined *j)
{
    Py_CLEAR(j->text);
    PyMem_Free(j->values);
    j->values = NULL;
}

/* --- Fields -------------------------------------------------------------- */

/* Where the field's text starts: lines down and columns right of its token. */
static void
locate_field(const Token *t, const char *brace, int *lines, int *cols)
{
    *lines = *cols = 0;
    const char *s = brace + 1;
    while (*s == ' ' || *s == '\t' || *s == '\f') {
        s++;
    }
    if (*s != '\n' && *s != '}') {
        const char *line = brace;
        while (line > t->start && *line != '\n') {
            line--;
        }
        *cols = (int)(brace - line);
        if (*line == '\n') {
            *cols -= 1;
        }
    }
    for (s = t->start; s < brace; s++) {
        *lines += *s == '\n';
    }
}

static expr_ty
parse_field(Parser *p, const char *start, const char *end, const Token *t)
{
    const char *s = start;
    while (s < end && (Py_ISSPACE(*s) || *s == '\f')) {
        s++;
    }
    if (s == end) {
        if (*end == '!' || *end == ':' || *end == '=') {
            return RAISE("f-string: expression required before '%c'", *end);
        }
        return RAISE("f-string: empty expression not allowed");
    }
    size_t len = (size_t)(end - start);
    char *text = PyMem_Malloc(len + 2);
    if (text == NULL) {
        return (expr_ty)PyErr_NoMemory();
    }
    /* Parentheses allow white space and line ends. */
    text[0] = '(';
    memcpy(text + 1, start, len);
    text[len + 1] = ')';
    int lines, cols;
    locate_field(t, start - 1, &lines, &cols);
    KrLexer lexer;
    int ready = kr_lexer_init(&lexer, text, len + 2, true, p->tok->filename);
    PyMem_Free(text);
    if (ready < 0) {
        return NULL;
    }
    lexer.lineno = t->lineno + lines - 1;
    Parser inner;
    kr_parser_init(&inner, &lexer, KR_FSTRING_INPUT, p->flags,
                   p->feature_version, p->arena, p->identifiers);
    inner.level = p->level;
    inner.starting_lineno = t->lineno + lines;
    inner.starting_col_offset = lines != 0 ? cols : t->col_offset + cols;
    expr_ty e = kr_parser_run(&inner);
    kr_parser_fini(&inner);
    kr_lexer_fini(&lexer);
    return e;
}

static bool
matches(char opening, char closing)
{
    return (opening == '(' && closing == ')') ||
           (opening == '[' && closing == ']') ||
           (opening == '{' && closing == '}');
}

/* The end of the expression that starts at `s`; NULL with an exception. */
static const char *
end_of_expression(Parser *p, const char *s, const char *end)
{
    char stack[KR_MAX_PARENS];
    int depth = 0, quotes = 0;
    char quote = 0;
    for (; s < end; s++) {
        char c = *s;
        bool triple = s + 2 < end && s[1] == c && s[2] == c;
        if (c == '\\') {
            return RAISE(
                "f-string expression part cannot include a backslash");
        }
        if (quote != 0) {
            if (c == quote && (quotes == 1 || triple)) {
                s += quotes - 1;
                quote = 0;
            }
            continue;
        }
        if (c == '\'' || c == '"') {
            quotes = triple ? 3 : 1;
            s += quotes - 1;
            quote = c;
            continue;
        }
        if (c == '[' || c == '{' || c == '(') {
            if (depth >= KR_MAX_PARENS) {
                return RAISE("f-string: too many nested parenthesis");
            }
            stack[depth++] = c;
            continue;
        }
        if (c == '#') {
            return RAISE("f-string expression part cannot include '#'");
        }
        if (depth == 0 && c != '\0' && strchr("!:}=<>", c) != NULL) {
            if (s + 1 < end && s[1] == '=' && strchr("!=<>", c) != NULL) {
                s++;
                continue;
            }
            if (c == '<' || c == '>') {
                continue;
            }
            break;
        }
        if (c == ']' || c == '}' || c == ')') {
            if (depth == 0) {
                return RAISE("f-string: unmatched '%c'", c);
            }
            depth--;
            if (!matches(stack[depth], c)) {
                return RAISE("f-string: closing parenthesis '%c' does not "
                             "match opening parenthesis '%c'",
                             c, stack[depth]);
            }
        }
    }
    if (quote != 0) {
        return RAISE("f-string: unterminated string");
    }
    if (depth != 0) {
        return RAISE("f-string: unmatched '%c'", stack[depth - 1]);
    }
    if (s >= end) {
        return RAISE("f-string: expecting '}'");
    }
    return s;
}

static expr_ty
parse_format_spec(Parser *p, struct kr_joined *outer, const char **s,
                  const char *end, bool raw, int depth, const Token *t)
{
    struct kr_joined spec = {.start = outer->start, .last = outer->last};
    expr_ty result = NULL;
    if (kr_joined_format(p, &spec, s, end, raw, depth, t) == 0) {
        spec.start = spec.last = t;
        result = kr_joined_finish(p, &spec);
    }
    kr_joined_clear(&spec);
    return result;
}

/* A field, from its '{' at *s; adds its nodes. */
static int
add_field(Parser *p, struct kr_joined *j, const char **s, const char *end,
          bool raw, int depth, const Token *t)
{
    if (depth >= 2) {
        RAISE("f-string: expressions nested too deeply");
        return -1;
    }
    const char *start = *s + 1;
    const char *at = end_of_expression(p, start, end);
    if (at == NULL) {
        return -1;
    }
    expr_ty value = parse_field(p, start, at, t), spec = NULL;
    if (value == NULL) {
        return -1;
    }
    bool show_text = *at == '=';
    if (show_text) {
        if (!kr_check_version(p, 8, "f-string: self documenting expressions "
                                    "are")) {
            return -1;
        }
        do {
            at++;
        } while (at < end && Py_ISSPACE(*at));
        PyObject *text = at < end ? PyUnicode_DecodeUTF8(start, at - start,
                                                         NULL)
                                  : RAISE("f-string: expecting '}'");
        if (text == NULL || kr_joined_text(p, j, text) < 0) {
            return -1;
        }
    }
    int conversion = -1;
    if (*at == '!') {
        at++;
        if (at >= end) {
            RAISE("f-string: expecting '}'");
            return -1;
        }
        conversion = (unsigned char)*at++;
        if (conversion != 's' && conversion != 'r' && conversion != 'a') {
            RAISE("f-string: invalid conversion character: expected 's', "
                  "'r', or 'a'");
            return -1;
        }
    }
    if (at < end && *at == ':') {
        at++;
        if (at >= end) {
            RAISE("f-string: expecting '}'");
            return -1;
        }
        spec = parse_format_spec(p, j, &at, end, raw, depth + 1, t);
        if (spec == NULL) {
            return -1;
        }
    }
    if (at >= end || *at != '}') {
        RAISE("f-string: expecting '}'");
        return -1;
    }
    *s = at + 1;
    if (show_text && spec == NULL && conversion == -1) {
        conversion = 'r';
    }
    if (j->text != NULL && add_value(j, text_node(p, j)) < 0) {
        return -1;
    }
    return add_value(
        j, kr_ast_FormattedValue(value, conversion, spec, j->start->lineno,
                                 j->start->col_offset, j->last->end_lineno,
                                 j->last->end_col_offset, p->arena));
}

/* Adds text up to the next field or the end. 1 if a doubled brace ended it, and
 * there may be more text. */
static int
add_literal(Parser *p, struct kr_joined *j, const char **where,
            const char *end, bool raw, int depth, const Token *t)
{
    const char *start = *where, *s = start, *stop;
    int doubled = 0;
    for (;;) {
        if (s >= end) {
            stop = s;
            break;
        }
        char c = *s++;
        if (!raw && c == '\\' && s < end) {
            c = *s++;
            if (c == 'N') {
                if (s < end && *s++ == '{') {
                    while (s < end && *s++ != '}') {
                    }
                }
                continue;
            }
            if (c == '{' && kr_warn_escape(p, "{", t) < 0) {
                return -1;
            }
        }
        if (c != '{' && c != '}') {
            continue;
        }
        stop = s - 1;
        if (depth == 0 && s < end && *s == c) {
            stop = s++;
            doubled = 1;
            break;
        }
        if (depth == 0 && c == '}') {
            RAISE("f-string: single '}' is not allowed");
            return -1;
        }
        s--;
        break;
    }
    *where = s;
    if (stop != start) {
        size_t len = (size_t)(stop - start);
        PyObject *text =
            raw ? PyUnicode_DecodeUTF8(start, (Py_ssize_t)len, NULL)
                : kr_decode_escapes(p, start, len, t);
        if (text == NULL || kr_joined_text(p, j, text) < 0) {
            return -1;
        }
    }
    return doubled;
}

int
kr_joined_format(Parser *p, struct kr_joined *j, const char **s,
                 const char *end, bool raw, int depth, const Token *t)
{
    j->format = true;
    for (;;) {
        int more = add_literal(p, j, s, end, raw, depth, t);
        if (more < 0) {
            return -1;
        }
        if (more) {
            continue;
        }
        if (*s >= end || **s == '}') {
            break;
        }
        if (add_field(p, j, s, end, raw, depth, t) < 0) {
            return -1;
        }
    }
    if (depth != 0 && (*s >= end || **s != '}')) {
        RAISE("f-string: expecting '}'");
        return -1;
    }
    return 0;
}
