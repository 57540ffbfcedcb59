/* str.translate and str.maketrans. */
#include <Python.h>

#include "objects/str/str.h"

/* What a table says about a character. */
struct mapped {
    enum { KEEP, DELETE, CHAR, STRING } what;
    Py_UCS4 ch;
    PyObject *str; /* owned */
};

static int
lookup(PyObject *table, Py_UCS4 ch, struct mapped *m)
{
    PyObject *key = PyLong_FromLong((long)ch);
    if (key == NULL) {
        return -1;
    }
    PyObject *x = PyObject_GetItem(table, key);
    Py_DECREF(key);
    m->str = NULL;
    if (x == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError)) {
            return -1;
        }
        PyErr_Clear();
        m->what = KEEP;
        return 0;
    }
    int rc = 0;
    if (x == Py_None) {
        m->what = DELETE;
    }
    else if (PyLong_Check(x)) {
        long value = PyLong_AsLong(x);
        if (value < 0 || value > 0x10FFFF) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError,
                            "character mapping must be in range(0x110000)");
            rc = -1;
        }
        m->what = CHAR;
        m->ch = (Py_UCS4)value;
    }
    else if (PyUnicode_Check(x)) {
        rc = PyUnicode_READY(x);
        if (rc == 0 && STR_LEN(x) == 1) {
            m->what = CHAR;
            m->ch = PyUnicode_READ_CHAR(x, 0);
        }
        else {
            m->what = STRING;
            m->str = Py_NewRef(x);
        }
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "character mapping must return integer, None or str");
        rc = -1;
    }
    Py_DECREF(x);
    if (rc < 0) {
        Py_CLEAR(m->str);
    }
    return rc;
}

static int
apply(_PyUnicodeWriter *w, Py_UCS4 ch, struct mapped *m)
{
    int rc = 0;
    switch (m->what) {
    case KEEP:
        return _PyUnicodeWriter_WriteChar(w, ch);
    case DELETE:
        return 0;
    case CHAR:
        return _PyUnicodeWriter_WriteChar(w, m->ch);
    case STRING:
        rc = _PyUnicodeWriter_WriteStr(w, m->str);
        Py_CLEAR(m->str);
    }
    return rc;
}

/* Maps ASCII as long as the results are ASCII, remembering each. Returns where
 * it stopped, or -1. */
static Py_ssize_t
translate_ascii(PyObject *self, PyObject *table, _PyUnicodeWriter *w)
{
    unsigned char cache[128];
    memset(cache, 0xFF, sizeof(cache));
    enum { GONE = 0xFE, UNKNOWN = 0xFF };
    const Py_UCS1 *s = PyUnicode_1BYTE_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 0;
    if (_PyUnicodeWriter_Prepare(w, n, 127) < 0) {
        return -1;
    }
    for (; i < n; i++) {
        Py_UCS1 c = s[i];
        if (cache[c] == UNKNOWN) {
            struct mapped m;
            if (lookup(table, c, &m) < 0) {
                return -1;
            }
            if (m.what == STRING || (m.what == CHAR && m.ch > 127)) {
                if (apply(w, c, &m) < 0) {
                    return -1;
                }
                return i + 1;
            }
            cache[c] = m.what == KEEP     ? c
                       : m.what == DELETE ? GONE
                                          : (unsigned char)m.ch;
        }
        if (cache[c] != GONE) {
            PyUnicode_WRITE(w->kind, w->data, w->pos, cache[c]);
            w->pos++;
        }
    }
    return i;
}

static PyObject *
translate(PyObject *self, PyObject *table)
{
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    Py_ssize_t i = 0, n = STR_LEN(self);
    if (n == 0) {
        return kr_str_empty();
    }
    w.overallocate = 1;
    if (PyUnicode_IS_ASCII(self)) {
        i = translate_ascii(self, table, &w);
        if (i < 0) {
            goto fail;
        }
    }
    for (; i < n; i++) {
        struct mapped m;
        Py_UCS4 ch = PyUnicode_READ_CHAR(self, i);
        if (lookup(table, ch, &m) < 0 || apply(&w, ch, &m) < 0) {
            goto fail;
        }
    }
    return _PyUnicodeWriter_Finish(&w);
fail:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *
kr_str_translate(PyObject *self, PyObject *table)
{
    return PyUnicode_READY(self) < 0 ? NULL : translate(self, table);
}

PyObject *
PyUnicode_Translate(PyObject *str, PyObject *table, const char *errors)
{
    return kr_str_require(str) < 0 ? NULL : translate(str, table);
}

/* --- maketrans -------------------------------------------------------------------- */

static int
set_pair(PyObject *table, Py_UCS4 key, PyObject *value)
{
    PyObject *k = PyLong_FromLong((long)key);
    if (k == NULL || value == NULL) {
        Py_XDECREF(k);
        return -1;
    }
    int rc = PyDict_SetItem(table, k, value);
    Py_DECREF(k);
    return rc;
}

static int
table_from_strings(PyObject *table, PyObject *x, PyObject *y, PyObject *z)
{
    if (!PyUnicode_Check(x)) {
        PyErr_SetString(PyExc_TypeError, "first maketrans argument must be a "
                                         "string if there is a second "
                                         "argument");
        return -1;
    }
    if (PyUnicode_READY(x) < 0) {
        return -1;
    }
    if (STR_LEN(x) != STR_LEN(y)) {
        PyErr_SetString(PyExc_ValueError, "the first two maketrans arguments "
                                          "must have equal length");
        return -1;
    }
    for (Py_ssize_t i = 0; i < STR_LEN(x); i++) {
        PyObject *value = PyLong_FromLong((long)PyUnicode_READ_CHAR(y, i));
        int rc = set_pair(table, PyUnicode_READ_CHAR(x, i), value);
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; z != NULL && i < STR_LEN(z); i++) {
        if (set_pair(table, PyUnicode_READ_CHAR(z, i), Py_None) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
table_from_dict(PyObject *table, PyObject *x)
{
    if (!PyDict_CheckExact(x)) {
        PyErr_SetString(PyExc_TypeError,
                        "if you give only one argument to maketrans it must "
                        "be a dict");
        return -1;
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(x, &pos, &key, &value)) {
        if (PyUnicode_Check(key)) {
            if (PyUnicode_READY(key) < 0) {
                return -1;
            }
            if (STR_LEN(key) != 1) {
                PyErr_SetString(PyExc_ValueError,
                                "string keys in translate table must be of "
                                "length 1");
                return -1;
            }
            if (set_pair(table, PyUnicode_READ_CHAR(key, 0), value) < 0) {
                return -1;
            }
        }
        else if (PyLong_Check(key)) {
            if (PyDict_SetItem(table, key, value) < 0) {
                return -1;
            }
        }
        else {
            PyErr_SetString(PyExc_TypeError, "keys in translate table must be "
                                             "strings or integers");
            return -1;
        }
    }
    return 0;
}

PyObject *
kr_str_maketrans(PyObject *null, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("maketrans", nargs, 1, 3)) {
        return NULL;
    }
    for (Py_ssize_t i = 1; i < nargs; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("maketrans",
                               i == 1 ? "argument 2" : "argument 3", "str",
                               args[i]);
            return NULL;
        }
        if (PyUnicode_READY(args[i]) < 0) {
            return NULL;
        }
    }
    PyObject *table = PyDict_New();
    if (table == NULL) {
        return NULL;
    }
    int rc = nargs > 1 ? table_from_strings(table, args[0], args[1],
                                            nargs > 2 ? args[2] : NULL)
                       : table_from_dict(table, args[0]);
    if (rc < 0) {
        Py_CLEAR(table);
    }
    return table;
}
