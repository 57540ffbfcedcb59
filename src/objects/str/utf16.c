/* The UTF-16 codec. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

static inline Py_UCS4
unit(const char *p, int big)
{
    const unsigned char *u = (const unsigned char *)p;
    return big ? (Py_UCS4)(u[0] << 8 | u[1]) : (Py_UCS4)(u[1] << 8 | u[0]);
}

/* Reads the byte order mark; -1: little, 1: big endian, 0: none (so native). */
static int
detect_order(const char **s, Py_ssize_t *size)
{
    if (*size >= 2) {
        Py_UCS4 bom = unit(*s, 0);
        if (bom == 0xFEFF || bom == 0xFFFE) {
            *s += 2;
            *size -= 2;
            return bom == 0xFEFF ? -1 : 1;
        }
    }
    return 0;
}

/* Decodes well-formed text up to the first problem; -1 on failure. */
static int
decode_run(struct kr_decoder *d, int big)
{
    while (d->end - d->p >= 2) {
        Py_UCS4 ch = unit(d->p, big);
        if (KR_UNLIKELY(Py_UNICODE_IS_SURROGATE(ch))) {
            if (!Py_UNICODE_IS_HIGH_SURROGATE(ch) || d->end - d->p < 4) {
                return 0;
            }
            Py_UCS4 low = unit(d->p + 2, big);
            if (!Py_UNICODE_IS_LOW_SURROGATE(low)) {
                return 0;
            }
            ch = Py_UNICODE_JOIN_SURROGATES(ch, low);
            d->p += 2;
        }
        d->p += 2;
        if (_PyUnicodeWriter_Prepare(&d->w, 1, ch) < 0) {
            return -1;
        }
        PyUnicode_WRITE(d->w.kind, d->w.data, d->w.pos, ch);
        d->w.pos++;
    }
    return 0;
}

PyObject *
PyUnicode_DecodeUTF16Stateful(const char *s, Py_ssize_t size,
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
    kr_decoder_init(&d, big ? "utf-16-be" : "utf-16-le", errors, base,
                    size + (s - base));
    d.p = s; /* positions count the byte order mark */
    d.w.min_length = (size + 1) / 2;
    while (d.p < d.end) {
        if (decode_run(&d, big) < 0) {
            return kr_decoder_fail(&d);
        }
        if (d.p >= d.end) {
            break;
        }
        Py_ssize_t from = d.p - d.start, to = from + 2;
        const char *reason;
        if (d.end - d.p < 2) {
            if (consumed != NULL) {
                break;
            }
            reason = "truncated data";
            to = d.end - d.start;
        }
        else if (!Py_UNICODE_IS_HIGH_SURROGATE(unit(d.p, big))) {
            reason = "illegal encoding";
        }
        else if (d.end - d.p < 4) {
            if (consumed != NULL) {
                break;
            }
            reason = "unexpected end of data";
            to = d.end - d.start;
        }
        else {
            reason = "illegal UTF-16 surrogate";
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
PyUnicode_DecodeUTF16(const char *s, Py_ssize_t size, const char *errors,
                      int *byteorder)
{
    return PyUnicode_DecodeUTF16Stateful(s, size, errors, byteorder, NULL);
}

static char *
put_unit(char *out, Py_UCS4 u, int big)
{
    out[big ? 0 : 1] = (char)(u >> 8);
    out[big ? 1 : 0] = (char)u;
    return out + 2;
}

static char *
put_char(char *out, Py_UCS4 ch, int big)
{
    if (ch < 0x10000) {
        return put_unit(out, ch, big);
    }
    out = put_unit(out, Py_UNICODE_HIGH_SURROGATE(ch), big);
    return put_unit(out, Py_UNICODE_LOW_SURROGATE(ch), big);
}

static int
put_replacement(struct kr_encoder *e, PyObject *rep, Py_ssize_t from,
                Py_ssize_t to, Py_ssize_t rest, int big)
{
    int is_bytes = PyBytes_Check(rep);
    Py_ssize_t n = is_bytes ? PyBytes_GET_SIZE(rep) : STR_LEN(rep) * 2;
    if (is_bytes ? n % 2 != 0 : !PyUnicode_IS_ASCII(rep)) {
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
    for (Py_ssize_t i = 0; i < n / 2; i++) {
        e->out = put_unit(e->out, PyUnicode_READ_CHAR(rep, i), big);
    }
    return 0;
}

PyObject *
_PyUnicode_EncodeUTF16(PyObject *str, const char *errors, int byteorder)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    int kind = STR_KIND(str), big = byteorder > 0;
    int width = kind == 4 ? 4 : 2;
    const void *s = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), i = 0;
    if (n > (PY_SSIZE_T_MAX - 2) / 4) {
        return PyErr_NoMemory();
    }
    struct kr_encoder e;
    kr_encoder_init(&e, str, byteorder < 0   ? "utf-16-le"
                             : byteorder > 0 ? "utf-16-be"
                                             : "utf-16", errors);
    e.out = _PyBytesWriter_Alloc(&e.w, n * width + 2);
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
            e.out = put_char(e.out, ch, big);
            i++;
            continue;
        }
        Py_ssize_t to = i + 1, next;
        PyObject *rep = kr_encode_error(&e, i, to, "surrogates not allowed",
                                        &next);
        if (rep == NULL || put_replacement(&e, rep, i, to, (n - next) * width,
                                           big) < 0) {
            Py_XDECREF(rep);
            return kr_encoder_fail(&e);
        }
        Py_DECREF(rep);
        i = next;
    }
    return kr_encoder_finish(&e);
}

PyObject *
PyUnicode_AsUTF16String(PyObject *unicode)
{
    return _PyUnicode_EncodeUTF16(unicode, NULL, 0);
}
