/* Backslash escapes in bytes literals. */
#include <Python.h>

#include "objects/bytes/bytes.h"
#include "objects/bytes/internal.h"

/* Decodes the escape at s (after the backslash) into *byte. Returns the
 * position after it; NULL for a bad \x; sets *invalid to the character (or the
 * octal value above 255) that is no valid escape, and then *byte to a
 * backslash, with the position unchanged, for a character. */
static const char *
decode_one(const char *s, const char *end, unsigned *byte, int *invalid)
{
    static const char from[] = "\\'\"bfnrtva", to[] = "\\'\"\b\f\n\r\t\v\a";
    const char *hit = *s != '\0' ? strchr(from, *s) : NULL;
    if (hit != NULL) {
        *byte = (unsigned char)to[hit - from];
        return s + 1;
    }
    if (*s >= '0' && *s <= '7') {
        unsigned c = 0;
        for (int i = 0; i < 3 && s < end && *s >= '0' && *s <= '7'; i++) {
            c = c * 8 + (unsigned)(*s++ - '0');
        }
        if (c > 0377) {
            *invalid = (int)c;
        }
        *byte = c & 0xFF;
        return s;
    }
    if (*s == 'x') {
        if (end - s > 2 && kr_hex_digit((unsigned char)s[1]) < 16 &&
            kr_hex_digit((unsigned char)s[2]) < 16) {
            *byte = kr_hex_digit((unsigned char)s[1]) << 4 |
                    kr_hex_digit((unsigned char)s[2]);
            return s + 3;
        }
        return NULL;
    }
    *invalid = (unsigned char)*s;
    *byte = '\\';
    return s;
}

PyObject *
_PyBytes_DecodeEscape2(const char *s, Py_ssize_t len, const char *errors,
                       int *first_invalid_escape_char,
                       const char **first_invalid_escape_ptr)
{
    _PyBytesWriter w;
    _PyBytesWriter_Init(&w);
    char *out = _PyBytesWriter_Alloc(&w, len);
    if (out == NULL) {
        return NULL;
    }
    w.overallocate = 1;
    *first_invalid_escape_char = -1;
    *first_invalid_escape_ptr = NULL;
    const char *start = s, *end = s + len;
    while (s < end) {
        if (*s != '\\') {
            *out++ = *s++;
            continue;
        }
        const char *escape = ++s;
        if (s == end) {
            PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
            goto fail;
        }
        if (*s == '\n') {
            s++;
            continue;
        }
        unsigned byte = 0;
        int invalid = -1;
        const char *next = decode_one(s, end, &byte, &invalid);
        if (invalid != -1 && *first_invalid_escape_char == -1) {
            *first_invalid_escape_char = invalid;
            *first_invalid_escape_ptr = escape;
        }
        if (next != NULL) {
            *out++ = (char)byte;
            s = next;
            continue;
        }
        if (errors == NULL || strcmp(errors, "strict") == 0) {
            PyErr_Format(PyExc_ValueError,
                         "invalid \\x escape at position %zd",
                         s - start - 1);
            goto fail;
        }
        if (strcmp(errors, "replace") == 0) {
            *out++ = '?';
        }
        else if (strcmp(errors, "ignore") != 0) {
            PyErr_Format(PyExc_ValueError,
                         "decoding error; unknown error handling code: "
                         "%.400s", errors);
            goto fail;
        }
        /* skip \x and one digit, if there is one */
        s++;
        if (s < end && Py_ISXDIGIT(*s)) {
            s++;
        }
    }
    return _PyBytesWriter_Finish(&w, out);
fail:
    _PyBytesWriter_Dealloc(&w);
    return NULL;
}

PyObject *
_PyBytes_DecodeEscape(const char *s, Py_ssize_t len, const char *errors,
                      const char **first_invalid_escape)
{
    int ch;
    return _PyBytes_DecodeEscape2(s, len, errors, &ch, first_invalid_escape);
}

PyObject *
PyBytes_DecodeEscape(const char *s, Py_ssize_t len, const char *errors,
                     Py_ssize_t Py_UNUSED(unicode),
                     const char *Py_UNUSED(recode_encoding))
{
    int ch;
    const char *where;
    PyObject *result = _PyBytes_DecodeEscape2(s, len, errors, &ch, &where);
    if (result == NULL || ch == -1) {
        return result;
    }
    int rc = ch > 0xFF ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                          "invalid octal escape sequence "
                                          "'\\%.3s'", where)
                       : PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                          "invalid escape sequence '\\%c'",
                                          ch);
    if (rc < 0) {
        Py_CLEAR(result);
    }
    return result;
}
