/* Case mapping of whole strings: full mappings, final sigma. */
#include <Python.h>

#include "objects/str/chartype.h"
#include "objects/str/str.h"


struct source {
    int kind;
    const void *data;
    Py_ssize_t len;
};

#define GET(s, i) PyUnicode_READ((s)->kind, (s)->data, i)

/* Lower case of U+03A3: final form if a cased letter precedes and none
 * follows, ignoring case-ignorable characters. */
static Py_UCS4
lower_sigma(const struct source *s, Py_ssize_t i)
{
    Py_ssize_t j = i - 1;
    while (j >= 0 && _PyUnicode_IsCaseIgnorable(GET(s, j))) {
        j--;
    }
    if (j < 0 || !_PyUnicode_IsCased(GET(s, j))) {
        return 0x3C3;
    }
    j = i + 1;
    while (j < s->len && _PyUnicode_IsCaseIgnorable(GET(s, j))) {
        j++;
    }
    return j == s->len || !_PyUnicode_IsCased(GET(s, j)) ? 0x3C2 : 0x3C3;
}

static int
lower_one(const struct source *s, Py_ssize_t i, Py_UCS4 *out)
{
    Py_UCS4 ch = GET(s, i);
    if (ch == 0x3A3) {
        out[0] = lower_sigma(s, i);
        return 1;
    }
    return _PyUnicode_ToLowerFull(ch, out);
}

typedef Py_ssize_t (*mapper)(const struct source *, Py_UCS4 *out);

static Py_ssize_t
do_lower(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < s->len; i++) {
        Py_UCS4 ch = GET(s, i);
        if (ch < 128) {
            out[n++] = _Py_ctype_tolower[ch];
        }
        else {
            n += lower_one(s, i, out + n);
        }
    }
    return n;
}

static Py_ssize_t
do_upper(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < s->len; i++) {
        Py_UCS4 ch = GET(s, i);
        if (ch < 128) {
            out[n++] = _Py_ctype_toupper[ch];
        }
        else {
            n += _PyUnicode_ToUpperFull(ch, out + n);
        }
    }
    return n;
}

static Py_ssize_t
do_casefold(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < s->len; i++) {
        n += _PyUnicode_ToFoldedFull(GET(s, i), out + n);
    }
    return n;
}

static Py_ssize_t
do_title(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = 0;
    int inside = 0;
    for (Py_ssize_t i = 0; i < s->len; i++) {
        Py_UCS4 ch = GET(s, i);
        n += inside ? lower_one(s, i, out + n)
                    : _PyUnicode_ToTitleFull(ch, out + n);
        inside = _PyUnicode_IsCased(ch);
    }
    return n;
}

static Py_ssize_t
do_capitalize(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = _PyUnicode_ToTitleFull(GET(s, 0), out);
    for (Py_ssize_t i = 1; i < s->len; i++) {
        n += lower_one(s, i, out + n);
    }
    return n;
}

static Py_ssize_t
do_swapcase(const struct source *s, Py_UCS4 *out)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < s->len; i++) {
        Py_UCS4 ch = GET(s, i);
        if (_PyUnicode_IsUppercase(ch)) {
            n += lower_one(s, i, out + n);
        }
        else if (_PyUnicode_IsLowercase(ch)) {
            n += _PyUnicode_ToUpperFull(ch, out + n);
        }
        else {
            out[n++] = ch;
        }
    }
    return n;
}

static PyObject *
map(PyObject *self, mapper f)
{
    struct source s = {STR_KIND(self), PyUnicode_DATA(self), STR_LEN(self)};
    if (s.len == 0) {
        return kr_str_empty();
    }
    if (s.len > PY_SSIZE_T_MAX / 3 / (Py_ssize_t)sizeof(Py_UCS4)) {
        PyErr_SetString(PyExc_OverflowError, "string is too long");
        return NULL;
    }
    Py_UCS4 small[192];
    Py_UCS4 *out = small;
    if (s.len * 3 > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        out = PyMem_Malloc((size_t)s.len * 3 * sizeof(*out));
        if (out == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject *result = kr_str_from_ucs4(out, f(&s, out));
    if (out != small) {
        PyMem_Free(out);
    }
    return result;
}

/* ASCII: one byte in, one byte out; simple enough to be vectorised. */

static PyObject *
map_ascii(PyObject *self, unsigned char first, unsigned char flip)
{
    Py_ssize_t n = STR_LEN(self);
    PyObject *result = PyUnicode_New(n, 127);
    if (result == NULL || n == 0) {
        return result;
    }
    const Py_UCS1 *from = PyUnicode_1BYTE_DATA(self);
    if (n == 1) {
        unsigned char c = from[0];
        Py_DECREF(result);
        c ^= (unsigned char)(c - first) < 26 ? flip : 0;
        return Py_NewRef(kr_str_char(c));
    }
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS1 c = from[i];
        to[i] = c ^ ((Py_UCS1)(c - first) < 26 ? flip : 0);
    }
    return result;
}

PyObject *
kr_str_lower(PyObject *self)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    return PyUnicode_IS_ASCII(self) ? map_ascii(self, 'A', 0x20)
                                    : map(self, do_lower);
}

PyObject *
kr_str_upper(PyObject *self)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    return PyUnicode_IS_ASCII(self) ? map_ascii(self, 'a', 0x20)
                                    : map(self, do_upper);
}

PyObject *
kr_str_casefold(PyObject *self)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    return PyUnicode_IS_ASCII(self) ? map_ascii(self, 'A', 0x20)
                                    : map(self, do_casefold);
}

PyObject *
kr_str_title(PyObject *self)
{
    return PyUnicode_READY(self) < 0 ? NULL : map(self, do_title);
}

PyObject *
kr_str_capitalize(PyObject *self)
{
    return PyUnicode_READY(self) < 0 ? NULL : map(self, do_capitalize);
}

PyObject *
kr_str_swapcase(PyObject *self)
{
    return PyUnicode_READY(self) < 0 ? NULL : map(self, do_swapcase);
}
