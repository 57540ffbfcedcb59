/* The % operator of str. */
#include <Python.h>

#include "objects/int/int.h"
#include "objects/percent.h"
#include "objects/str/str.h"

static int
pad(_PyUnicodeWriter *w, Py_ssize_t n, Py_UCS4 ch)
{
    if (n > 0) {
        if (_PyUnicodeWriter_Prepare(w, n, ch) < 0) {
            return -1;
        }
        kr_str_fill(w->kind, w->data, w->pos, n, ch);
        w->pos += n;
    }
    return 0;
}

static int
write_number(_PyUnicodeWriter *w, PyObject *text,
             const struct kr_percent_spec *spec)
{
    struct kr_percent_layout lay;
    Py_ssize_t n = STR_LEN(text);
    kr_percent_lay_out(&lay, PyUnicode_DATA(text), n, spec, 1);
    if (pad(w, lay.left_spaces, ' ') < 0 ||
        (lay.prefix_len > 0 && _PyUnicodeWriter_WriteASCIIString(
                                   w, lay.prefix, lay.prefix_len) < 0) ||
        pad(w, lay.zeros, '0') < 0 ||
        _PyUnicodeWriter_WriteSubstring(w, text, lay.skip, n) < 0) {
        return -1;
    }
    return pad(w, lay.right_spaces, ' ');
}

static int
write_text(_PyUnicodeWriter *w, PyObject *text,
           const struct kr_percent_spec *spec)
{
    Py_ssize_t n = STR_LEN(text);
    if (spec->precision >= 0 && spec->precision < n) {
        n = spec->precision;
    }
    Py_ssize_t fill = spec->width > n ? spec->width - n : 0;
    int left = spec->flags & KR_PF_LJUST;
    if ((!left && pad(w, fill, ' ') < 0) ||
        _PyUnicodeWriter_WriteSubstring(w, text, 0, n) < 0) {
        return -1;
    }
    return left ? pad(w, fill, ' ') : 0;
}

static PyObject *
char_of(PyObject *v)
{
    if (PyUnicode_Check(v)) {
        if (PyUnicode_READY(v) == 0 && STR_LEN(v) == 1) {
            return Py_NewRef(v);
        }
    }
    else {
        PyObject *index = PyNumber_Index(v);
        if (index != NULL) {
            int overflow;
            long x = PyLong_AsLongAndOverflow(index, &overflow);
            Py_DECREF(index);
            if (x == -1 && PyErr_Occurred()) {
                return NULL;
            }
            if (x < 0 || x > 0x10FFFF) {
                PyErr_SetString(PyExc_OverflowError,
                                "%c arg not in range(0x110000)");
                return NULL;
            }
            return kr_str_from_char((Py_UCS4)x);
        }
    }
    PyErr_SetString(PyExc_TypeError, "%c requires int or char");
    return NULL;
}

static int
write_conversion(_PyUnicodeWriter *w, struct kr_percent *p)
{
    struct kr_percent_spec spec;
    if (kr_percent_read(p, &spec) < 0) {
        return -1;
    }
    PyObject *v = kr_percent_next(p), *text;
    if (v == NULL) {
        return -1;
    }
    if (p->pos == p->len) {
        w->overallocate = 0;
    }
    int simple = spec.width == -1 && spec.precision == -1, numeric = 0;
    switch (spec.ch) {
    case 's':
        if (PyLong_CheckExact(v) && simple) {
            return _PyLong_FormatWriter(w, v, 10, 0);
        }
        text = PyUnicode_CheckExact(v) ? Py_NewRef(v) : PyObject_Str(v);
        break;
    case 'r':
        text = PyObject_Repr(v);
        break;
    case 'a':
        text = PyObject_ASCII(v);
        break;
    case 'i':
    case 'd':
    case 'u':
        if (simple && PyLong_CheckExact(v) &&
            !(spec.flags & (KR_PF_SIGN | KR_PF_BLANK))) {
            return _PyLong_FormatWriter(w, v, 10, 0);
        }
        KR_FALLTHROUGH;
    case 'o':
    case 'x':
    case 'X':
        text = kr_percent_integer(v, &spec);
        numeric = 1;
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        text = kr_percent_float(v, &spec);
        numeric = 1;
        break;
    case 'c':
        text = char_of(v);
        spec.precision = -1;
        break;
    default:
        return kr_percent_unsupported(p, &spec);
    }
    if (text == NULL) {
        return -1;
    }
    int rc = PyUnicode_READY(text);
    if (rc == 0) {
        rc = numeric ? write_number(w, text, &spec)
                     : write_text(w, text, &spec);
    }
    Py_DECREF(text);
    return rc;
}

PyObject *
PyUnicode_Format(PyObject *format, PyObject *args)
{
    if (format == NULL || args == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (kr_str_require(format) < 0) {
        return NULL;
    }
    struct kr_percent p;
    _PyUnicodeWriter w;
    kr_percent_init(&p, STR_KIND(format), PyUnicode_DATA(format),
                    STR_LEN(format), args, 0);
    _PyUnicodeWriter_Init(&w);
    w.min_length = p.len + 100;
    w.overallocate = 1;
    while (p.pos < p.len) {
        Py_ssize_t hit = PyUnicode_FindChar(format, '%', p.pos, p.len, 1);
        Py_ssize_t end = hit < 0 ? p.len : hit;
        if (end > p.pos) {
            if (end == p.len) {
                w.overallocate = 0;
            }
            if (_PyUnicodeWriter_WriteSubstring(&w, format, p.pos, end) < 0) {
                goto fail;
            }
        }
        p.pos = end + 1;
        if (hit < 0) {
            break;
        }
        if (p.pos < p.len && PyUnicode_READ(p.kind, p.format, p.pos) == '%') {
            p.pos++;
            if (_PyUnicodeWriter_WriteChar(&w, '%') < 0) {
                goto fail;
            }
            continue;
        }
        if (write_conversion(&w, &p) < 0) {
            goto fail;
        }
        if (p.dict != NULL && p.argidx < p.arglen) {
            PyErr_SetString(PyExc_TypeError, "not all arguments converted "
                                             "during string formatting");
            goto fail;
        }
    }
    if (kr_percent_finish(&p) < 0) {
        goto fail;
    }
    kr_percent_clear(&p);
    return _PyUnicodeWriter_Finish(&w);
fail:
    kr_percent_clear(&p);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}
