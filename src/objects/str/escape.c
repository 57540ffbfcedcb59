/* The unicode-escape and raw-unicode-escape codecs. */
#include <Python.h>

#include "objects/bytes/internal.h"
#include "objects/str/codec_errors.h"
#include "objects/str/str.h"
#include "objects/ucnhash.h"

/* State beyond the decoder's. */
struct escape {
    struct kr_decoder d;
    int stateful; /* an incomplete escape at the end is no error */
    int invalid_char;
    const char *invalid_ptr;
};

enum result { BAD = -1, FAILED = -2, INCOMPLETE = -3 };

/* `count` hexadecimal digits at d->p into *ch; on BAD, d->p is after the good
 * ones. */
static int
hex_digits(struct escape *x, int count, Py_UCS4 *ch)
{
    Py_UCS4 value = 0;
    for (; count > 0; count--, x->d.p++) {
        if (x->d.p >= x->d.end) {
            return INCOMPLETE;
        }
        unsigned digit = kr_hex_digit((unsigned char)*x->d.p);
        if (digit >= 16) {
            return BAD;
        }
        value = value << 4 | digit;
    }
    *ch = value;
    return 0;
}

/* {NAME} at d->p. */
static int
named(struct escape *x, Py_UCS4 *ch, const char **reason)
{
    _PyUnicode_Name_CAPI *api = kr_ucnhash();
    *reason = "malformed \\N character escape";
    if (api == NULL) {
        PyErr_SetString(PyExc_UnicodeError,
                        "\\N escapes not supported "
                        "(can't load unicodedata module)");
        return FAILED;
    }
    const char *p = x->d.p, *end = x->d.end;
    if (p >= end) {
        return INCOMPLETE;
    }
    if (*p != '{') {
        return BAD;
    }
    const char *start = ++p;
    while (p < end && *p != '}') {
        p++;
    }
    if (p >= end) {
        x->d.p = end;
        return INCOMPLETE;
    }
    if (p == start) {
        /* an empty name is malformed; its brace is left in the input */
        x->d.p = p;
        return BAD;
    }
    x->d.p = p + 1;
    *reason = "unknown Unicode character name";
    *ch = 0xFFFFFFFF;
    if (p - start <= INT_MAX &&
        api->getcode(start, (int)(p - start), ch, 0)) {
        return 0;
    }
    return BAD;
}

/* The escape at d->p, after its backslash. 0 with *ch set (0xFFFFFFFF: nothing
 * to write), or one of the results. */
static int
decode_escape(struct escape *x, Py_UCS4 *ch, const char **reason)
{
    struct kr_decoder *d = &x->d;
    static const char from[] = "\\'\"bfnrtva", to[] = "\\'\"\b\f\n\r\t\v\a";
    const char *escape = d->p;
    unsigned char c = (unsigned char)*d->p++;
    *reason = NULL;
    switch (c) {
    case '\n':
        *ch = 0xFFFFFFFF;
        return 0;
    case '0': case '1': case '2': case '3':
    case '4': case '5': case '6': case '7':
        *ch = c - '0';
        for (int i = 0; i < 2 && d->p < d->end && *d->p >= '0' &&
                        *d->p <= '7'; i++) {
            *ch = *ch * 8 + (Py_UCS4)(*d->p++ - '0');
        }
        if (*ch > 0377 && x->invalid_char == -1) {
            x->invalid_char = (int)*ch;
            x->invalid_ptr = escape;
        }
        return 0;
    case 'x':
        *reason = "truncated \\xXX escape";
        return hex_digits(x, 2, ch);
    case 'u':
        *reason = "truncated \\uXXXX escape";
        return hex_digits(x, 4, ch);
    case 'U': {
        *reason = "truncated \\UXXXXXXXX escape";
        int rc = hex_digits(x, 8, ch);
        if (rc == 0 && *ch > 0x10FFFF) {
            *reason = "illegal Unicode character";
            return BAD;
        }
        return rc;
    }
    case 'N':
        return named(x, ch, reason);
    default: {
        const char *hit = c != 0 ? strchr(from, c) : NULL;
        if (hit != NULL) {
            *ch = (unsigned char)to[hit - from];
            return 0;
        }
        if (x->invalid_char == -1) {
            x->invalid_char = c;
            x->invalid_ptr = escape;
        }
        if (_PyUnicodeWriter_WriteChar(&d->w, '\\') < 0) {
            return FAILED;
        }
        *ch = c;
        return 0;
    }
    }
}

/* Handles one escape; `d->p` is at the backslash. 0: go on, 1: stop here and
 * keep the rest, -1: error. */
static int
one_escape(struct escape *x)
{
    struct kr_decoder *d = &x->d;
    const char *reason = "\\ at end of string";
    Py_UCS4 ch = 0;
    Py_ssize_t from = d->p - d->start;
    int rc = INCOMPLETE;
    d->p++;
    if (d->p < d->end) {
        rc = decode_escape(x, &ch, &reason);
    }
    if (rc == 0) {
        return ch == 0xFFFFFFFF ? 0 : _PyUnicodeWriter_WriteChar(&d->w, ch);
    }
    if (rc == FAILED) {
        return -1;
    }
    if (rc == INCOMPLETE && x->stateful) {
        d->p = d->start + from;
        return 1;
    }
    return kr_decode_error(d, from, d->p - d->start, reason);
}

static PyObject *
decode(const char *s, Py_ssize_t size, const char *errors,
       Py_ssize_t *consumed, int *invalid_char, const char **invalid_ptr)
{
    struct escape x = {.stateful = consumed != NULL, .invalid_char = -1};
    struct kr_decoder *d = &x.d;
    *invalid_char = -1;
    *invalid_ptr = NULL;
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = 0;
        }
        return kr_str_empty();
    }
    kr_decoder_init(d, "unicodeescape", errors, s, size);
    if (_PyUnicodeWriter_Prepare(&d->w, size, 127) < 0) {
        return kr_decoder_fail(d);
    }
    d->w.overallocate = 1;
    while (d->p < d->end) {
        if (*d->p != '\\') {
            const char *run = d->p;
            while (d->p < d->end && *d->p != '\\') {
                d->p++;
            }
            if (_PyUnicodeWriter_WriteLatin1String(&d->w, run, d->p - run) <
                0) {
                return kr_decoder_fail(d);
            }
            continue;
        }
        int rc = one_escape(&x);
        if (rc < 0) {
            return kr_decoder_fail(d);
        }
        if (rc > 0) {
            break;
        }
    }
    if (consumed != NULL) {
        *consumed = d->p - d->start;
    }
    *invalid_char = x.invalid_char;
    *invalid_ptr = x.invalid_ptr;
    return kr_decoder_finish(d);
}

PyObject *
_PyUnicode_DecodeUnicodeEscapeInternal2(const char *s, Py_ssize_t size,
                                        const char *errors,
                                        Py_ssize_t *consumed,
                                        int *first_invalid_escape_char,
                                        const char **first_invalid_escape_ptr)
{
    return decode(s, size, errors, consumed, first_invalid_escape_char,
                  first_invalid_escape_ptr);
}

PyObject *
_PyUnicode_DecodeUnicodeEscapeInternal(const char *s, Py_ssize_t size,
                                       const char *errors,
                                       Py_ssize_t *consumed,
                                       const char **first_invalid_escape)
{
    int ch;
    return decode(s, size, errors, consumed, &ch, first_invalid_escape);
}

PyObject *
_PyUnicode_DecodeUnicodeEscapeStateful(const char *s, Py_ssize_t size,
                                       const char *errors,
                                       Py_ssize_t *consumed)
{
    int ch;
    const char *where; /* may be in an input that the error handler put away */
    PyObject *result = decode(s, size, errors, consumed, &ch, &where);
    if (result == NULL || ch == -1) {
        return result;
    }
    int rc = ch > 0xFF ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                          "invalid octal escape sequence "
                                          "'\\%c%c%c'", '0' + (ch >> 6),
                                          '0' + (ch >> 3 & 7), '0' + (ch & 7))
                       : PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                          "invalid escape sequence '\\%c'",
                                          ch);
    if (rc < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyObject *
PyUnicode_DecodeUnicodeEscape(const char *s, Py_ssize_t size,
                              const char *errors)
{
    return _PyUnicode_DecodeUnicodeEscapeStateful(s, size, errors, NULL);
}

/* --- raw ---------------------------------------------------------------------- */

PyObject *
_PyUnicode_DecodeRawUnicodeEscapeStateful(const char *s, Py_ssize_t size,
                                          const char *errors,
                                          Py_ssize_t *consumed)
{
    struct escape x = {.stateful = consumed != NULL};
    struct kr_decoder *d = &x.d;
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = 0;
        }
        return kr_str_empty();
    }
    kr_decoder_init(d, "rawunicodeescape", errors, s, size);
    d->w.overallocate = 1;
    while (d->p < d->end) {
        unsigned char c = (unsigned char)*d->p;
        Py_ssize_t from = d->p - d->start;
        if (c != '\\') {
            d->p++;
            if (_PyUnicodeWriter_WriteChar(&d->w, c) < 0) {
                return kr_decoder_fail(d);
            }
            continue;
        }
        if (d->p + 1 >= d->end && x.stateful) {
            break;
        }
        c = d->p + 1 < d->end ? (unsigned char)d->p[1] : 0;
        if (c != 'u' && c != 'U') {
            /* the backslash and what it hides stand for themselves */
            Py_ssize_t n = d->p + 1 < d->end ? 2 : 1;
            if (_PyUnicodeWriter_WriteLatin1String(&d->w, d->p, n) < 0) {
                return kr_decoder_fail(d);
            }
            d->p += n;
            continue;
        }
        const char *reason = c == 'u' ? "truncated \\uXXXX escape"
                                      : "truncated \\UXXXXXXXX escape";
        Py_UCS4 ch = 0;
        d->p += 2;
        int rc = hex_digits(&x, c == 'u' ? 4 : 8, &ch);
        if (rc == 0 && ch > 0x10FFFF) {
            reason = "\\Uxxxxxxxx out of range";
            rc = BAD;
        }
        if (rc == INCOMPLETE && x.stateful) {
            d->p = d->start + from;
            break;
        }
        rc = rc == 0 ? _PyUnicodeWriter_WriteChar(&d->w, ch)
                     : kr_decode_error(d, from, d->p - d->start, reason);
        if (rc < 0) {
            return kr_decoder_fail(d);
        }
    }
    if (consumed != NULL) {
        *consumed = d->p - d->start;
    }
    return kr_decoder_finish(d);
}

PyObject *
PyUnicode_DecodeRawUnicodeEscape(const char *s, Py_ssize_t size,
                                 const char *errors)
{
    return _PyUnicode_DecodeRawUnicodeEscapeStateful(s, size, errors, NULL);
}

/* --- encoding -------------------------------------------------------------------- */

static char *
put_hex(char *out, char letter, Py_UCS4 ch, int digits)
{
    *out++ = '\\';
    *out++ = letter;
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
        *out++ = Py_hexdigits[(ch >> shift) & 15];
    }
    return out;
}

static char *
put_escaped(char *out, Py_UCS4 ch)
{
    if (ch < 0x80) {
        if (ch >= ' ' && ch < 0x7F && ch != '\\') {
            *out++ = (char)ch;
            return out;
        }
        if (ch == '\t' || ch == '\n' || ch == '\r' || ch == '\\') {
            *out++ = '\\';
            *out++ = ch == '\t' ? 't' : ch == '\n' ? 'n' : ch == '\r' ? 'r'
                                                                     : '\\';
            return out;
        }
    }
    return ch < 0x100     ? put_hex(out, 'x', ch, 2)
           : ch < 0x10000 ? put_hex(out, 'u', ch, 4)
                          : put_hex(out, 'U', ch, 8);
}

static char *
put_raw(char *out, Py_UCS4 ch)
{
    if (ch < 0x100) {
        *out++ = (char)ch;
        return out;
    }
    return ch < 0x10000 ? put_hex(out, 'u', ch, 4) : put_hex(out, 'U', ch, 8);
}

static PyObject *
encode(PyObject *unicode, char *(*put)(char *, Py_UCS4), int narrow)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    int kind = STR_KIND(unicode), width = kind == 1 ? narrow : kind == 2 ? 6
                                                                        : 10;
    const void *s = PyUnicode_DATA(unicode);
    Py_ssize_t n = STR_LEN(unicode);
    if (n > PY_SSIZE_T_MAX / width) {
        return PyErr_NoMemory();
    }
    _PyBytesWriter w;
    _PyBytesWriter_Init(&w);
    char *out = _PyBytesWriter_Alloc(&w, n * width);
    if (out == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        out = put(out, PyUnicode_READ(kind, s, i));
    }
    return _PyBytesWriter_Finish(&w, out);
}

PyObject *
PyUnicode_AsUnicodeEscapeString(PyObject *unicode)
{
    return encode(unicode, put_escaped, 4);
}

PyObject *
PyUnicode_AsRawUnicodeEscapeString(PyObject *unicode)
{
    return encode(unicode, put_raw, 1);
}
