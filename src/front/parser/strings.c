/* String literals: prefixes, escapes, concatenation. Fields of f-strings are in
 * fstring.c. */
#include "front/parser/strings.h"

int
kr_warn_escape(Parser *p, const char *bad, const Token *t)
{
    bool octal = *bad >= '4' && *bad <= '7';
    PyObject *message =
        octal ? PyUnicode_FromFormat("invalid octal escape sequence '\\%.3s'",
                                     bad)
              : PyUnicode_FromFormat("invalid escape sequence '\\%c'", *bad);
    if (message == NULL) {
        return -1;
    }
    int result = PyErr_WarnExplicitObject(
        PyExc_DeprecationWarning, message,
        p->tok->filename ? p->tok->filename : Py_None, t->lineno, NULL, NULL);
    if (result < 0 && PyErr_ExceptionMatches(PyExc_DeprecationWarning)) {
        PyErr_Clear();
        RAISE_AT(t, "%U", message);
    }
    Py_DECREF(message);
    return result;
}

PyObject *
kr_decode_escapes(Parser *p, const char *s, size_t len, const Token *t)
{
    if (memchr(s, '\\', len) == NULL) {
        return PyUnicode_DecodeUTF8(s, (Py_ssize_t)len, NULL);
    }
    /* The decoder reads Latin-1: other characters become \U escapes. */
    char *buf = PyMem_Malloc(len * 6 + 1), *out = buf;
    if (buf == NULL) {
        return PyErr_NoMemory();
    }
    const char *end = s + len;
    while (s < end) {
        if (*s == '\\') {
            *out++ = *s++;
            if (s >= end || (unsigned char)*s >= 128) {
                memcpy(out, "u005c", 5);
                out += 5;
                if (s >= end) {
                    break;
                }
            }
        }
        if ((unsigned char)*s < 128) {
            *out++ = *s++;
            continue;
        }
        const char *stop = s;
        while (stop < end && (unsigned char)*stop >= 128) {
            stop++;
        }
        PyObject *text = PyUnicode_DecodeUTF8(s, stop - s, NULL);
        if (text == NULL) {
            PyMem_Free(buf);
            return NULL;
        }
        for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
            out += sprintf(out, "\\U%08x",
                           (unsigned)PyUnicode_READ_CHAR(text, i));
        }
        Py_DECREF(text);
        s = stop;
    }
    const char *bad = NULL;
    PyObject *value = _PyUnicode_DecodeUnicodeEscapeInternal(
        buf, out - buf, NULL, NULL, &bad);
    if (value != NULL && bad != NULL && kr_warn_escape(p, bad, t) < 0) {
        Py_CLEAR(value);
    }
    PyMem_Free(buf);
    return value;
}

static PyObject *
decode_bytes(Parser *p, const char *s, size_t len, bool raw, const Token *t)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] >= 128) {
            return RAISE("bytes can only contain ASCII literal characters");
        }
    }
    if (raw || memchr(s, '\\', len) == NULL) {
        return PyBytes_FromStringAndSize(s, (Py_ssize_t)len);
    }
    const char *bad = NULL;
    PyObject *value = _PyBytes_DecodeEscape(s, (Py_ssize_t)len, NULL, &bad);
    if (value != NULL && bad != NULL && kr_warn_escape(p, bad, t) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

struct literal {
    bool bytes, raw, format;
    const char *body, *end;
};

static struct literal
split_literal(const Token *t)
{
    struct literal l = {0};
    const char *s = t->start;
    for (; *s != '\'' && *s != '"'; s++) {
        int c = *s | 0x20;
        l.bytes |= c == 'b';
        l.raw |= c == 'r';
        l.format |= c == 'f';
    }
    int quotes = t->end - s >= 6 && s[1] == *s && s[2] == *s ? 3 : 1;
    l.body = s + quotes;
    l.end = t->end - quotes;
    return l;
}

/* The value of a literal that is not formatted: new bytes or str, or NULL. */
static PyObject *
decode_literal(Parser *p, struct literal l, const Token *t)
{
    size_t len = (size_t)(l.end - l.body);
    if (l.bytes) {
        return decode_bytes(p, l.body, len, l.raw, t);
    }
    return l.raw ? PyUnicode_DecodeUTF8(l.body, (Py_ssize_t)len, NULL)
                 : kr_decode_escapes(p, l.body, len, t);
}

/* Refuses a literal of the other kind than its neighbours, after what is wrong
 * in it. Always NULL. */
static void *
mixed_kinds(Parser *p, struct literal l, const Token *t)
{
    PyObject *part = l.format ? Py_NewRef(Py_None) : decode_literal(p, l, t);
    if (part == NULL) {
        return NULL;
    }
    Py_DECREF(part);
    return RAISE("cannot mix bytes and nonbytes literals");
}

static expr_ty
bytes_constant(Parser *p, asdl_seq *tokens, const Token *start,
               const Token *last)
{
    PyObject *all = NULL;
    for (Py_ssize_t i = 0; i < tokens->size; i++) {
        const Token *t = asdl_seq_GET(tokens, i);
        struct literal l = split_literal(t);
        PyObject *part =
            l.bytes ? decode_literal(p, l, t) : mixed_kinds(p, l, t);
        if (part == NULL) {
            Py_XDECREF(all);
            return NULL;
        }
        if (all == NULL) {
            all = part;
            continue;
        }
        PyBytes_ConcatAndDel(&all, part);
        if (all == NULL) {
            return NULL;
        }
    }
    if (kr_arena_own(p->arena, all) < 0) {
        return NULL;
    }
    return kr_ast_Constant(all, NULL, start->lineno, start->col_offset,
                           last->end_lineno, last->end_col_offset, p->arena);
}

static expr_ty
text_value(Parser *p, asdl_seq *tokens, const Token *start, const Token *last)
{
    struct kr_joined joined = {.start = start, .last = last};
    expr_ty result = NULL;
    for (Py_ssize_t i = 0; i < tokens->size; i++) {
        const Token *t = asdl_seq_GET(tokens, i);
        struct literal l = split_literal(t);
        if (l.bytes) {
            mixed_kinds(p, l, t);
            goto done;
        }
        if (l.format) {
            const char *s = l.body;
            if (!kr_check_version(p, 6, "Format strings are") ||
                kr_joined_format(p, &joined, &s, l.end, l.raw, 0, t) < 0) {
                goto done;
            }
            continue;
        }
        PyObject *part = decode_literal(p, l, t);
        if (part == NULL || kr_joined_text(p, &joined, part) < 0) {
            goto done;
        }
    }
    result = kr_joined_finish(p, &joined);
done:
    kr_joined_clear(&joined);
    return result;
}

expr_ty
kr_concatenate_strings(Parser *p, asdl_seq *tokens)
{
    const Token *start = asdl_seq_GET(tokens, 0);
    const Token *last = asdl_seq_GET(tokens, tokens->size - 1);
    expr_ty result = split_literal(start).bytes
                         ? bytes_constant(p, tokens, start, last)
                         : text_value(p, tokens, start, last);
    if (result == NULL && PyErr_Occurred() &&
        !PyErr_ExceptionMatches(PyExc_SyntaxError)) {
        kr_raise_decode_problem(p);
    }
    return result;
}
