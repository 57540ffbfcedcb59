/* Digits with thousands separators, for the number formatters; and the ASCII
 * form of Unicode digits, for the number parsers. */
#include <Python.h>
#include <limits.h>

#include "objects/str/str.h"

/* Where digits and separators go, filled from the right. */
struct out {
    _PyUnicodeWriter *w; /* NULL: only count */
    PyObject *digits, *sep;
    Py_ssize_t at, digit_at;
};

static void
put_group(struct out *o, Py_ssize_t chars, Py_ssize_t zeros, int separate,
          Py_UCS4 *maxchar)
{
    if (o->w == NULL) {
        if (separate && maxchar != NULL) {
            *maxchar = Py_MAX(*maxchar, PyUnicode_MAX_CHAR_VALUE(o->sep));
        }
        return;
    }
    if (separate) {
        Py_ssize_t n = STR_LEN(o->sep);
        o->at -= n;
        _PyUnicode_FastCopyCharacters(o->w->buffer, o->at, o->sep, 0, n);
    }
    o->at -= chars;
    o->digit_at -= chars;
    _PyUnicode_FastCopyCharacters(o->w->buffer, o->at, o->digits, o->digit_at,
                                  chars);
    if (zeros > 0) {
        o->at -= zeros;
        kr_str_fill(o->w->kind, o->w->data, o->at, zeros, '0');
    }
}

Py_ssize_t
_PyUnicode_InsertThousandsGrouping(_PyUnicodeWriter *writer,
                                   Py_ssize_t n_buffer, PyObject *digits,
                                   Py_ssize_t d_pos, Py_ssize_t n_digits,
                                   Py_ssize_t min_width, const char *grouping,
                                   PyObject *thousands_sep, Py_UCS4 *maxchar)
{
    struct out o = {.w = writer, .digits = digits, .sep = thousands_sep};
    Py_ssize_t count = 0, left = n_digits, sep_len = STR_LEN(thousands_sep);
    int separate = 0, previous = 0;
    min_width = Py_MAX(0, min_width);
    if (writer != NULL) {
        o.at = writer->pos + n_buffer;
        o.digit_at = d_pos + n_digits;
    }
    else if (maxchar != NULL) {
        *maxchar = 127;
    }
    for (;;) {
        /* 0 repeats the last group size, CHAR_MAX ends the grouping */
        Py_ssize_t group = *grouping == 0          ? previous
                           : *grouping == CHAR_MAX ? 0
                                                   : *grouping;
        if (*grouping != 0 && *grouping != CHAR_MAX) {
            previous = *grouping++;
        }
        Py_ssize_t want = Py_MAX(Py_MAX(left, min_width), 1);
        int last = group <= 0;
        Py_ssize_t len = last ? want : Py_MIN(group, want);
        Py_ssize_t zeros = Py_MAX(0, len - left);
        Py_ssize_t chars = Py_MAX(0, Py_MIN(left, len));
        count += (separate ? sep_len : 0) + zeros + chars;
        put_group(&o, chars, zeros, separate, maxchar);
        separate = 1;
        left -= chars;
        min_width -= len;
        if (last || (left <= 0 && min_width <= 0)) {
            return count;
        }
        min_width -= sep_len;
    }
}

PyObject *
_PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *unicode)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    if (PyUnicode_IS_ASCII(unicode)) {
        return Py_NewRef(unicode);
    }
    Py_ssize_t n = STR_LEN(unicode);
    int kind = STR_KIND(unicode);
    const void *s = PyUnicode_DATA(unicode);
    PyObject *result = PyUnicode_New(n, 127);
    if (result == NULL || n == 0) {
        return result;
    }
    Py_UCS1 *out = PyUnicode_1BYTE_DATA(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (ch < 127) {
            out[i] = (Py_UCS1)ch;
        }
        else if (Py_UNICODE_ISSPACE(ch)) {
            out[i] = ' ';
        }
        else {
            int decimal = Py_UNICODE_TODECIMAL(ch);
            if (decimal < 0) {
                /* no number goes on after this */
                out[i] = '?';
                out[i + 1] = '\0';
                STR_LEN(result) = i + 1;
                break;
            }
            out[i] = (Py_UCS1)('0' + decimal);
        }
    }
    return result;
}
