/* The UTF-32 codec. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

static inline Py_UCS4
unit(const char *p, int big)
{
    const unsigned char *u = (const unsigned char *)p;
    return big ? (Py_UCS4)u[0] << 24 | (Py_UCS4)u[1] << 16 |
                     (Py_UCS4)u[2] << 8 | u[3]
               : (Py_UCS4)u[3] << 24 | (Py_UCS4)u[2] << 16 |
                     (Py_UCS4)u[1] << 8 | u[0];
}

static int
detect_order(const char **s, Py_ssize_t *size)
{
    if (*size >= 4) {
        Py_UCS4 bom = unit(*s, 0);
        if (bom == 0xFEFF || bom == 0xFFFE0000) {
            *s += 4;
            *size -= 4;
            return bom == 0xFEFF ? -1 : 1;
        }
    }
    return 0;
}

PyObject *
PyUnicode_DecodeUTF32Stateful(const char *s, Py_ssize_t size,
                              const char *errors, int *byteorder,
                              Py_ssize_t *consumed)
{
    int order = byteorder != NULL ? *byteorder : 0;
    const char *base = s;
    if (order == 0) {
        order = detect_order(&s, &size);
        if (byteorder != NULL) {
            *byteorder = order;
        }
    }
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = s - base;
        }
        return kr_str_empty();
    }
    int big = order > 0;
    struct kr_decoder d;
    kr_decoder_init(&d, big ? "utf-32-be" : "utf-32-le", errors, base,
                    size + (s - base));
    d.p = s; /* positions count the byte order mark */
    d.w.min_length = (size + 3) / 4;
    while (d.p < d.end) {
        Py_ssize_t from = d.p - d.start, to = from + 4;
        const char *reason;
        if (d.end - d.p < 4) {
            if (consumed != NULL) {
                break;
            }
            reason = "truncated data";
            to = d.end - d.start;
        }
        else {
            Py_UCS4 ch = unit(d.p, big);
            if (KR_LIKELY(ch <= 0x10FFFF && !Py_UNICODE_IS_SURROGATE(ch))) {
                d.p += 4;
                if (_PyUnicodeWriter_WriteChar(&d.w, ch) < 0) {
                    return kr_decoder_fail(&d);
                }
                continue;
            }
            reason = ch > 0x10FFFF
                         ? "code point not in range(0x110000)"
                         : "code point in surrogate code point "
                           "range(0xd800, 0xe000)";
        }
        if (kr_decode_error(&d, from, to, reason) < 0) {
            return kr_decoder_fail(&d);
        }
    }
    if (consumed != NULL) {
        *consumed = d.p - d.start;
    }
    return kr_decoder_finish(&d);
}

PyObject *
PyUnicode_DecodeUTF32(const char *s, Py_ssize_t size, const char *errors,
                      int *byteorder)
{
    return PyUnicode_DecodeUTF32Stateful(s, size, errors, byteorder, NULL);
}

static char *
put_unit(char *out, Py_UCS4 ch, int big)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (char)(ch >> (big ? 24 - 8 * i : 8 * i));
    }
    return out + 4;
}

static int
put_replacement(struct kr_encoder *e, PyObject *rep, Py_ssize_t from,
                Py_ssize_t to, Py_ssize_t rest, int big)
{
    int is_bytes = PyBytes_Check(rep);
    Py_ssize_t n = is_bytes ? PyBytes_GET_SIZE(rep) : STR_LEN(rep) * 4;
    if (is_bytes ? n % 4 != 0 : !PyUnicode_IS_ASCII(rep)) {
        kr_encode_raise(e, from, to, "surrogates not allowed");
        return -1;
    }
    e->out = _PyBytesWriter_Prepare(&e->w, e->out, n + rest);
    if (e->out == NULL) {
        return -1;
    }
    if (is_bytes) {
        memcpy(e->out, PyBytes_AS_STRING(rep), (size_t)n);
        e->out += n;
        return 0;
    }
    for (Py_ssize_t i = 0; i < n / 4; i++) {
        e->out = put_unit(e->out, PyUnicode_READ_CHAR(rep, i), big);
    }
    return 0;
}

PyObject *
_PyUnicode_EncodeUTF32(PyObject *str, const char *errors, int byteorder)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    int kind = STR_KIND(str), big = byteorder > 0;
    const void *s = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), i = 0;
    if (n > PY_SSIZE_T_MAX / 4 - 1) {
        return PyErr_NoMemory();
    }
    struct kr_encoder e;
    kr_encoder_init(&e, str, byteorder < 0   ? "utf-32-le"
                             : byteorder > 0 ? "utf-32-be"
                                             : "utf-32", errors);
    e.out = _PyBytesWriter_Alloc(&e.w, (n + 1) * 4);
    if (e.out == NULL) {
        return kr_encoder_fail(&e);
    }
    e.w.overallocate = 1;
    if (byteorder == 0) {
        e.out = put_unit(e.out, 0xFEFF, 0);
    }
    while (i < n) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (KR_LIKELY(!Py_UNICODE_IS_SURROGATE(ch))) {
            e.out = put_unit(e.out, ch, big);
            i++;
            continue;
        }
        Py_ssize_t to = i + 1, next;
        PyObject *rep = kr_encode_error(&e, i, to, "surrogates not allowed",
                                        &next);
        if (rep == NULL ||
            put_replacement(&e, rep, i, to, (n - next) * 4, big) < 0) {
            Py_XDECREF(rep);
            return kr_encoder_fail(&e);
        }
        Py_DECREF(rep);
        i = next;
    }
    return kr_encoder_finish(&e);
}

PyObject *
PyUnicode_AsUTF32String(PyObject *unicode)
{
    return _PyUnicode_EncodeUTF32(unicode, NULL, 0);
}
