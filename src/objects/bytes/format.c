/* The % operator of bytes and bytearray. */
#include <Python.h>

#include "objects/abstract/abstract.h"
#include "objects/bytes/bytes.h"
#include "objects/object.h"
#include "objects/percent.h"

/* What is written, and where. */
struct writer {
    _PyBytesWriter *w;
    char *out;
};

static int
put(struct writer *o, const char *s, Py_ssize_t n)
{
    o->out = _PyBytesWriter_WriteBytes(o->w, o->out, s, n);
    return o->out == NULL ? -1 : 0;
}

static int
pad(struct writer *o, Py_ssize_t n, char ch)
{
    if (n <= 0) {
        return 0;
    }
    o->out = _PyBytesWriter_Prepare(o->w, o->out, n);
    if (o->out == NULL) {
        return -1;
    }
    memset(o->out, ch, (size_t)n);
    o->out += n;
    return 0;
}

static int
write_laid_out(struct writer *o, const char *s, Py_ssize_t n,
               const struct kr_percent_spec *spec, int numeric)
{
    struct kr_percent_layout lay;
    if (!numeric && spec->precision >= 0 && spec->precision < n) {
        n = spec->precision;
    }
    kr_percent_lay_out(&lay, s, n, spec, numeric);
    if (pad(o, lay.left_spaces, ' ') < 0 ||
        put(o, lay.prefix, lay.prefix_len) < 0 ||
        pad(o, lay.zeros, '0') < 0 ||
        put(o, s + lay.skip, n - lay.skip) < 0) {
        return -1;
    }
    return pad(o, lay.right_spaces, ' ');
}

/* The bytes of a %b argument: new reference. */
static PyObject *
bytes_of(PyObject *v)
{
    if (PyBytes_Check(v)) {
        return Py_NewRef(v);
    }
    if (PyByteArray_Check(v)) {
        return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(v),
                                         PyByteArray_GET_SIZE(v));
    }
    PyObject *result = kr_bytes_by_method(v);
    if (result != NULL || PyErr_Occurred()) {
        return result;
    }
    if (PyObject_CheckBuffer(v)) {
        return PyBytes_FromObject(v);
    }
    PyErr_Format(PyExc_TypeError,
                 "%%b requires a bytes-like object, or an object that "
                 "implements __bytes__, not '%.100s'", Py_TYPE(v)->tp_name);
    return NULL;
}

static int
byte_of(PyObject *v, char *c)
{
    if ((PyBytes_Check(v) || PyByteArray_Check(v)) && Py_SIZE(v) == 1) {
        Py_ssize_t n;
        *c = kr_bytes_view(v, &n)[0];
        return 0;
    }
    if (!PyBytes_Check(v) && !PyByteArray_Check(v) && PyIndex_Check(v)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(v, &overflow);
        if (value == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (value < 0 || value > 255) {
            PyErr_SetString(PyExc_OverflowError, "%c arg not in range(256)");
            return -1;
        }
        *c = (char)value;
        return 0;
    }
    PyErr_SetString(PyExc_TypeError,
                    "%c requires an integer in range(256) or a single byte");
    return -1;
}

static PyObject *
float_text(PyObject *v, const struct kr_percent_spec *spec)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "float argument required, not %.200s",
                     Py_TYPE(v)->tp_name);
        return NULL;
    }
    return kr_percent_float(v, spec);
}

static int
write_conversion(struct writer *o, struct kr_percent *p)
{
    struct kr_percent_spec spec;
    if (kr_percent_read(p, &spec) < 0) {
        return -1;
    }
    PyObject *v = kr_percent_next(p), *text = NULL;
    if (v == NULL) {
        return -1;
    }
    int numeric = 0;
    char c;
    switch (spec.ch) {
    case 'r':
    case 'a':
        text = PyObject_ASCII(v);
        break;
    case 's':
    case 'b':
        text = bytes_of(v);
        break;
    case 'i':
        spec.ch = 'd';
        KR_FALLTHROUGH;
    case 'd':
    case 'u':
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
        text = float_text(v, &spec);
        numeric = 1;
        break;
    case 'c':
        if (byte_of(v, &c) < 0) {
            return -1;
        }
        spec.precision = -1;
        return write_laid_out(o, &c, 1, &spec, 0);
    default:
        return kr_percent_unsupported(p, &spec);
    }
    if (text == NULL) {
        return -1;
    }
    /* the text of str results is ASCII */
    int is_bytes = PyBytes_Check(text);
    const char *s = is_bytes ? PyBytes_AS_STRING(text) : PyUnicode_DATA(text);
    Py_ssize_t n = is_bytes ? PyBytes_GET_SIZE(text)
                            : PyUnicode_GET_LENGTH(text);
    int rc = write_laid_out(o, s, n, &spec, numeric);
    Py_DECREF(text);
    return rc;
}

PyObject *
_PyBytes_FormatEx(const char *format, Py_ssize_t format_len, PyObject *args,
                  int use_bytearray)
{
    if (args == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    struct kr_percent p;
    _PyBytesWriter w;
    struct writer o = {&w, NULL};
    kr_percent_init(&p, 1, format, format_len, args, 1);
    _PyBytesWriter_Init(&w);
    w.use_bytearray = use_bytearray;
    o.out = _PyBytesWriter_Alloc(&w, format_len);
    if (o.out == NULL) {
        return NULL;
    }
    w.min_size = 0;
    w.overallocate = 1;
    while (p.pos < p.len) {
        const char *s = format + p.pos;
        const char *hit = memchr(s, '%', (size_t)(p.len - p.pos));
        Py_ssize_t n = hit == NULL ? p.len - p.pos : hit - s;
        if (put(&o, s, n) < 0) {
            goto fail;
        }
        p.pos += n + 1;
        if (hit == NULL) {
            break;
        }
        if (p.pos < p.len && format[p.pos] == '%') {
            p.pos++;
            if (put(&o, "%", 1) < 0) {
                goto fail;
            }
            continue;
        }
        if (write_conversion(&o, &p) < 0) {
            goto fail;
        }
    }
    if (kr_percent_finish(&p) < 0) {
        goto fail;
    }
    kr_percent_clear(&p);
    return _PyBytesWriter_Finish(&w, o.out);
fail:
    kr_percent_clear(&p);
    _PyBytesWriter_Dealloc(&w);
    return NULL;
}

PyObject *
kr_bytes_mod(PyObject *self, PyObject *args)
{
    if (PyBytes_Check(self)) {
        return _PyBytes_FormatEx(PyBytes_AS_STRING(self),
                                 PyBytes_GET_SIZE(self), args, 0);
    }
    if (PyByteArray_Check(self)) {
        return _PyBytes_FormatEx(PyByteArray_AS_STRING(self),
                                 PyByteArray_GET_SIZE(self), args, 1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}
