/* The ASCII and Latin-1 codecs. */
#include <Python.h>

#include "base/simd_str.h"
#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

PyObject *
PyUnicode_DecodeLatin1(const char *s, Py_ssize_t size, const char *errors)
{
    return kr_str_from_latin1(s, size);
}

PyObject *
PyUnicode_DecodeASCII(const char *s, Py_ssize_t size, const char *errors)
{
    if (size <= 0) {
        return kr_str_empty();
    }
    if (kr_ascii_prefix(s, (size_t)size) == (size_t)size) {
        return kr_str_from_ascii(s, size);
    }
    struct kr_decoder d;
    kr_decoder_init(&d, "ascii", errors, s, size);
    while (d.p < d.end) {
        Py_ssize_t n = (Py_ssize_t)kr_ascii_prefix(d.p,
                                                   (size_t)(d.end - d.p));
        if (n > 0) {
            if (_PyUnicodeWriter_Prepare(&d.w, n, 127) < 0) {
                return kr_decoder_fail(&d);
            }
            kr_str_copy(d.w.kind, d.w.data, d.w.pos, 1, d.p, 0, n);
            d.w.pos += n;
            d.p += n;
            continue;
        }
        Py_ssize_t at = d.p - d.start;
        if (kr_decode_error(&d, at, at + 1, "ordinal not in range(128)") < 0) {
            return kr_decoder_fail(&d);
        }
    }
    return kr_decoder_finish(&d);
}

static int
put_replacement(struct kr_encoder *e, PyObject *rep, Py_ssize_t from,
                Py_ssize_t to, Py_ssize_t next, const char *reason,
                Py_UCS4 limit)
{
    int is_bytes = PyBytes_Check(rep);
    Py_ssize_t n = is_bytes ? PyBytes_GET_SIZE(rep) : STR_LEN(rep);
    /* the writer was prepared for one byte per character already */
    Py_ssize_t more = n - (next > from ? next - from : 0);
    if (more > 0) {
        e->out = _PyBytesWriter_Prepare(&e->w, e->out, more);
        if (e->out == NULL) {
            return -1;
        }
    }
    if (is_bytes) {
        memcpy(e->out, PyBytes_AS_STRING(rep), (size_t)n);
        e->out += n;
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(rep, i);
        if (ch >= limit) {
            kr_encode_raise(e, from, to, reason);
            return -1;
        }
        *e->out++ = (char)ch;
    }
    return 0;
}

static PyObject *
encode(PyObject *str, const char *errors, Py_UCS4 limit)
{
    const char *reason = limit == 256 ? "ordinal not in range(256)"
                                      : "ordinal not in range(128)";
    int kind = STR_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), i = 0;
    struct kr_encoder e;
    kr_encoder_init(&e, str, limit == 256 ? "latin-1" : "ascii", errors);
    if (n == 0) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    e.out = _PyBytesWriter_Alloc(&e.w, n);
    if (e.out == NULL) {
        return kr_encoder_fail(&e);
    }
    e.w.overallocate = 1;
    while (i < n) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch < limit) {
            *e.out++ = (char)ch;
            i++;
            continue;
        }
        Py_ssize_t to = i + 1, next;
        while (to < n && PyUnicode_READ(kind, data, to) >= limit) {
            to++;
        }
        PyObject *rep = kr_encode_error(&e, i, to, reason, &next);
        if (rep == NULL) {
            return kr_encoder_fail(&e);
        }
        /* a handler may send us anywhere: the room is for what is left */
        int rc = put_replacement(&e, rep, i, to, next, reason, limit);
        Py_DECREF(rep);
        if (rc == 0 && next < i) {
            e.out = _PyBytesWriter_Prepare(&e.w, e.out, i - next);
            rc = e.out == NULL ? -1 : 0;
        }
        if (rc < 0) {
            return kr_encoder_fail(&e);
        }
        i = next;
    }
    return kr_encoder_finish(&e);
}

static int
check_str(PyObject *unicode)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return -1;
    }
    return PyUnicode_READY(unicode);
}

PyObject *
_PyUnicode_AsLatin1String(PyObject *unicode, const char *errors)
{
    if (check_str(unicode) < 0) {
        return NULL;
    }
    if (STR_KIND(unicode) == 1) {
        return PyBytes_FromStringAndSize(PyUnicode_DATA(unicode),
                                         STR_LEN(unicode));
    }
    return encode(unicode, errors, 256);
}

PyObject *
PyUnicode_AsLatin1String(PyObject *unicode)
{
    return _PyUnicode_AsLatin1String(unicode, NULL);
}

PyObject *
_PyUnicode_AsASCIIString(PyObject *unicode, const char *errors)
{
    if (check_str(unicode) < 0) {
        return NULL;
    }
    if (PyUnicode_IS_ASCII(unicode)) {
        return PyBytes_FromStringAndSize(PyUnicode_DATA(unicode),
                                         STR_LEN(unicode));
    }
    return encode(unicode, errors, 128);
}

PyObject *
PyUnicode_AsASCIIString(PyObject *unicode)
{
    return _PyUnicode_AsASCIIString(unicode, NULL);
}
