/* The UTF-16 and UTF-32 codecs.
 *
 * They differ in the size of their units, 2 or 4 bytes; `big` says in which
 * order the bytes stand. Loops are inlined where the size is a constant. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

/* By byte order: -1 little, 0 by the mark, 1 big. */
static const char *const utf16_names[] = {"utf-16-le", "utf-16", "utf-16-be"};
static const char *const utf32_names[] = {"utf-32-le", "utf-32", "utf-32-be"};

static inline Py_UCS4
unit(const char *p, int size, int big)
{
    const unsigned char *u = (const unsigned char *)p;
    if (size == 2) {
        return big ? (Py_UCS4)(u[0] << 8 | u[1]) : (Py_UCS4)(u[1] << 8 | u[0]);
    }
    return big ? (Py_UCS4)u[0] << 24 | (Py_UCS4)u[1] << 16 |
                     (Py_UCS4)u[2] << 8 | u[3]
               : (Py_UCS4)u[3] << 24 | (Py_UCS4)u[2] << 16 |
                     (Py_UCS4)u[1] << 8 | u[0];
}

/* ---- decoding ----------------------------------------------------------- */

/* The order that the mark at the start tells, as -1 or 1, or 0 if none does. */
static int
order_by_mark(const char *s, Py_ssize_t n, int size)
{
    if (n < size) {
        return 0;
    }
    Py_UCS4 first = unit(s, size, 0);
    return first == 0xFEFF                               ? -1
           : first == (size == 2 ? 0xFFFE : 0xFFFE0000u) ? 1
                                                         : 0;
}

/* Begins behind the mark if *byteorder is 0, and sets it to what the mark says;
 * returns whether the bytes are in big order. */
static int
begin_decoding(struct kr_decoder *d, int size, const char *const names[3],
               const char *s, Py_ssize_t n, const char *errors, int *byteorder)
{
    int order = byteorder != NULL ? *byteorder : 0;
    Py_ssize_t mark = 0;
    if (order == 0) {
        order = order_by_mark(s, n, size);
        mark = order != 0 ? size : 0;
        if (byteorder != NULL) {
            *byteorder = order;
        }
    }
    kr_decoder_init(d, names[order > 0 ? 2 : 0], errors, s, n);
    d->p = s + mark; /* positions count the byte order mark */
    d->w.min_length = (n - mark + size - 1) / size;
    return order > 0;
}

static PyObject *
finish_decoding(struct kr_decoder *d, Py_ssize_t *consumed)
{
    if (consumed != NULL) {
        *consumed = d->p - d->start;
    }
    return kr_decoder_finish(d);
}

/* Decodes well-formed UTF-16 up to the first problem; -1 on failure. */
static int
decode_run(struct kr_decoder *d, int big)
{
    while (d->end - d->p >= 2) {
        Py_UCS4 ch = unit(d->p, 2, big);
        if (KR_UNLIKELY(Py_UNICODE_IS_SURROGATE(ch))) {
            if (!Py_UNICODE_IS_HIGH_SURROGATE(ch) || d->end - d->p < 4) {
                return 0;
            }
            Py_UCS4 low = unit(d->p + 2, 2, big);
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
    struct kr_decoder d;
    int big = begin_decoding(&d, 2, utf16_names, s, size, errors, byteorder);
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
        else if (!Py_UNICODE_IS_HIGH_SURROGATE(unit(d.p, 2, big))) {
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
    return finish_decoding(&d, consumed);
}

PyObject *
PyUnicode_DecodeUTF16(const char *s, Py_ssize_t size, const char *errors,
                      int *byteorder)
{
    return PyUnicode_DecodeUTF16Stateful(s, size, errors, byteorder, NULL);
}

PyObject *
PyUnicode_DecodeUTF32Stateful(const char *s, Py_ssize_t size,
                              const char *errors, int *byteorder,
                              Py_ssize_t *consumed)
{
    struct kr_decoder d;
    int big = begin_decoding(&d, 4, utf32_names, s, size, errors, byteorder);
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
            Py_UCS4 ch = unit(d.p, 4, big);
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
    return finish_decoding(&d, consumed);
}

PyObject *
PyUnicode_DecodeUTF32(const char *s, Py_ssize_t size, const char *errors,
                      int *byteorder)
{
    return PyUnicode_DecodeUTF32Stateful(s, size, errors, byteorder, NULL);
}

/* ---- encoding ----------------------------------------------------------- */

static inline char *
put_unit(char *out, Py_UCS4 u, int size, int big)
{
    if (size == 2) {
        out[big ? 0 : 1] = (char)(u >> 8);
        out[big ? 1 : 0] = (char)u;
        return out + 2;
    }
    for (int i = 0; i < 4; i++) {
        out[i] = (char)(u >> (big ? 24 - 8 * i : 8 * i));
    }
    return out + 4;
}

static inline char *
put_char(char *out, Py_UCS4 ch, int size, int big)
{
    if (size == 4 || ch < 0x10000) {
        return put_unit(out, ch, size, big);
    }
    out = put_unit(out, Py_UNICODE_HIGH_SURROGATE(ch), size, big);
    return put_unit(out, Py_UNICODE_LOW_SURROGATE(ch), size, big);
}

/* Writes what stands for the characters from..to, with room for `rest` bytes
 * behind it; -1 on failure. */
static int
put_replacement(struct kr_encoder *e, PyObject *rep, Py_ssize_t from,
                Py_ssize_t to, Py_ssize_t rest, int size, int big)
{
    int is_bytes = PyBytes_Check(rep);
    Py_ssize_t n = is_bytes ? PyBytes_GET_SIZE(rep) : STR_LEN(rep) * size;
    if (is_bytes ? n % size != 0 : !PyUnicode_IS_ASCII(rep)) {
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
    for (Py_ssize_t i = 0; i < n / size; i++) {
        e->out = put_unit(e->out, PyUnicode_READ_CHAR(rep, i), size, big);
    }
    return 0;
}

static inline __attribute__((always_inline)) PyObject *
encode(PyObject *str, const char *errors, int byteorder, int size,
       const char *const names[3])
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    int kind = STR_KIND(str), big = byteorder > 0;
    int width = kind == 4 ? 4 : size; /* of a character, at most */
    const void *s = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), i = 0;
    if (n > PY_SSIZE_T_MAX / 4 - 1) {
        return PyErr_NoMemory();
    }
    struct kr_encoder e;
    kr_encoder_init(&e, str, names[(byteorder >= 0) + big], errors);
    e.out = _PyBytesWriter_Alloc(&e.w, n * width + size);
    if (e.out == NULL) {
        return kr_encoder_fail(&e);
    }
    e.w.overallocate = 1;
    if (byteorder == 0) {
        e.out = put_unit(e.out, 0xFEFF, size, 0);
    }
    while (i < n) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (KR_LIKELY(!Py_UNICODE_IS_SURROGATE(ch))) {
            e.out = put_char(e.out, ch, size, big);
            i++;
            continue;
        }
        Py_ssize_t to = i + 1, next;
        PyObject *rep = kr_encode_error(&e, i, to, "surrogates not allowed",
                                        &next);
        if (rep == NULL || put_replacement(&e, rep, i, to, (n - next) * width,
                                           size, big) < 0) {
            Py_XDECREF(rep);
            return kr_encoder_fail(&e);
        }
        Py_DECREF(rep);
        i = next;
    }
    return kr_encoder_finish(&e);
}

PyObject *
_PyUnicode_EncodeUTF16(PyObject *str, const char *errors, int byteorder)
{
    return encode(str, errors, byteorder, 2, utf16_names);
}

PyObject *
PyUnicode_AsUTF16String(PyObject *unicode)
{
    return _PyUnicode_EncodeUTF16(unicode, NULL, 0);
}

PyObject *
_PyUnicode_EncodeUTF32(PyObject *str, const char *errors, int byteorder)
{
    return encode(str, errors, byteorder, 4, utf32_names);
}

PyObject *
PyUnicode_AsUTF32String(PyObject *unicode)
{
    return _PyUnicode_EncodeUTF32(unicode, NULL, 0);
}
