/* The UTF-8 codec and the cached UTF-8 form of strings. */
#include <Python.h>

#include "base/simd_str.h"
#include "base/utf8.h"
#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

/* --- decoding --------------------------------------------------------------- */

/* Decodes `n` valid bytes into `data`. */
static void
decode_valid(const uint8_t *s, size_t n, int kind, void *data)
{
    const uint8_t *end = s + n;
    Py_ssize_t at = 0;
    while (s < end) {
        if (*s < 0x80) {
            size_t run = kr_ascii_prefix(s, (size_t)(end - s));
            kr_str_copy(kind, data, at, 1, s, 0, (Py_ssize_t)run);
            s += run;
            at += (Py_ssize_t)run;
            continue;
        }
        uint32_t ch = 0;
        s += kr_utf8_read(s, end, &ch);
        PyUnicode_WRITE(kind, data, at, ch);
        at++;
    }
}

static int
write_valid(struct kr_decoder *d, size_t bytes, size_t chars, uint32_t bits)
{
    Py_UCS4 max = bits > 0xFFFF ? 0x10FFFF : bits > 0xFF ? 0xFFFF
                                         : bits > 0x7F ? 0xFF : 0x7F;
    if (chars == 0) {
        return 0;
    }
    if (_PyUnicodeWriter_Prepare(&d->w, (Py_ssize_t)chars, max) < 0) {
        return -1;
    }
    decode_valid((const uint8_t *)d->p, bytes, d->w.kind,
                 (char *)d->w.data + d->w.pos * (Py_ssize_t)d->w.kind);
    d->w.pos += (Py_ssize_t)chars;
    d->p += bytes;
    return 0;
}

/* The first two bytes of a surrogate at the end: never valid, but a handler
 * like surrogatepass wants to see the third. */
static int
is_cut_surrogate(const uint8_t *s, const uint8_t *end)
{
    return end - s == 2 && s[0] == 0xED && s[1] >= 0xA0 && s[1] <= 0xBF;
}

static PyObject *
decode_with_errors(const char *s, Py_ssize_t n, const char *errors,
                   Py_ssize_t *consumed)
{
    struct kr_decoder d;
    kr_decoder_init(&d, "utf-8", errors, s, n);
    d.w.overallocate = 1;
    while (d.p < d.end) {
        size_t chars;
        uint32_t bits, ch;
        size_t ok = kr_utf8_scan((const uint8_t *)d.p, (size_t)(d.end - d.p),
                                 &chars, &bits);
        if (write_valid(&d, ok, chars, bits) < 0) {
            return kr_decoder_fail(&d);
        }
        if (d.p >= d.end) {
            break;
        }
        int bad = kr_utf8_read((const uint8_t *)d.p, (const uint8_t *)d.end,
                               &ch);
        if (consumed != NULL &&
            (bad == 0 || is_cut_surrogate((const uint8_t *)d.p,
                                          (const uint8_t *)d.end))) {
            break;
        }
        Py_ssize_t from = d.p - d.start;
        Py_ssize_t to = bad == 0    ? d.end - d.start
                        : bad == -1 ? from + 1
                                    : from - bad - 1;
        const char *reason = bad == 0    ? "unexpected end of data"
                             : bad == -1 ? "invalid start byte"
                                         : "invalid continuation byte";
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
PyUnicode_DecodeUTF8Stateful(const char *s, Py_ssize_t size,
                             const char *errors, Py_ssize_t *consumed)
{
    if (consumed != NULL) {
        *consumed = size;
    }
    if (size <= 0) {
        return kr_str_empty();
    }
    const uint8_t *u = (const uint8_t *)s;
    size_t n = (size_t)size, ascii = kr_ascii_prefix(u, n);
    if (ascii == n) {
        return kr_str_from_ascii(s, size);
    }
    size_t chars;
    uint32_t bits;
    size_t ok = kr_utf8_scan(u + ascii, n - ascii, &chars, &bits);
    if (ascii + ok != n) {
        return decode_with_errors(s, size, errors, consumed);
    }
    chars += ascii;
    if (chars == 1) {
        uint32_t ch = 0;
        kr_utf8_read(u, u + n, &ch);
        return kr_str_from_char(ch);
    }
    /* the or of code points may exceed the last one */
    bits = bits > 0x10FFFF ? 0x10FFFF : bits;
    PyObject *op = PyUnicode_New((Py_ssize_t)chars, bits);
    if (op != NULL) {
        decode_valid(u, n, STR_KIND(op), PyUnicode_DATA(op));
    }
    return op;
}

PyObject *
PyUnicode_DecodeUTF8(const char *s, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
}

/* --- encoding --------------------------------------------------------------- */

/* Encodes from `i` on until a surrogate or the end; returns where it stopped. */
static inline __attribute__((always_inline)) Py_ssize_t
encode_run_kind(int kind, const void *data, Py_ssize_t i, Py_ssize_t n,
                char **out)
{
    char *p = *out;
    for (; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch < 0x80) {
            *p++ = (char)ch;
        }
        else if (kind != 1 && KR_UNLIKELY(Py_UNICODE_IS_SURROGATE(ch))) {
            break;
        }
        else {
            p += kr_utf8_write(ch, p);
        }
    }
    *out = p;
    return i;
}

static Py_ssize_t
encode_run(int kind, const void *data, Py_ssize_t i, Py_ssize_t n, char **out)
{
    if (kind == 2) {
        return encode_run_kind(2, data, i, n, out);
    }
    if (kind == 4) {
        return encode_run_kind(4, data, i, n, out);
    }
    const uint8_t *s = data;
    while (i < n) {
        size_t run = kr_ascii_prefix(s + i, (size_t)(n - i));
        memcpy(*out, s + i, run);
        *out += run;
        i += (Py_ssize_t)run;
        for (; i < n && s[i] >= 0x80; i++) {
            *(*out)++ = (char)(0xC0 | s[i] >> 6);
            *(*out)++ = (char)(0x80 | (s[i] & 0x3F));
        }
    }
    return i;
}

/* Writes the replacement of an error; -1 on failure. */
static int
put_replacement(struct kr_encoder *e, PyObject *rep, Py_ssize_t from,
                Py_ssize_t to, Py_ssize_t rest)
{
    const char *s;
    Py_ssize_t n;
    if (PyBytes_Check(rep)) {
        s = PyBytes_AS_STRING(rep);
        n = PyBytes_GET_SIZE(rep);
    }
    else if (PyUnicode_IS_ASCII(rep)) {
        s = PyUnicode_DATA(rep);
        n = STR_LEN(rep);
    }
    else {
        kr_encode_raise(e, from, to, "surrogates not allowed");
        return -1;
    }
    /* room for the replacement and the worst case of what follows */
    e->out = _PyBytesWriter_Prepare(&e->w, e->out, n + rest);
    if (e->out == NULL) {
        return -1;
    }
    memcpy(e->out, s, (size_t)n);
    e->out += n;
    return 0;
}

static PyObject *
encode_with_errors(PyObject *str, const char *errors)
{
    struct kr_encoder e;
    kr_encoder_init(&e, str, "utf-8", errors);
    int kind = STR_KIND(str), width = kind == 2 ? 3 : kind == 4 ? 4 : 2;
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), i = 0;
    if (n > PY_SSIZE_T_MAX / width) {
        return PyErr_NoMemory();
    }
    e.out = _PyBytesWriter_Alloc(&e.w, n * width);
    if (e.out == NULL) {
        return kr_encoder_fail(&e);
    }
    e.w.overallocate = 1;
    while ((i = encode_run(kind, data, i, n, &e.out)) < n) {
        Py_ssize_t to = i + 1, next;
        while (to < n &&
               Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, to))) {
            to++;
        }
        PyObject *rep = kr_encode_error(&e, i, to, "surrogates not allowed",
                                        &next);
        if (rep == NULL ||
            put_replacement(&e, rep, i, to, (n - next) * width) < 0) {
            Py_XDECREF(rep);
            return kr_encoder_fail(&e);
        }
        Py_DECREF(rep);
        i = next;
    }
    return kr_encoder_finish(&e);
}

static Py_ssize_t
encoded_size(PyObject *str)
{
    int kind = STR_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = STR_LEN(str), size = n;
    if (kind == 1) {
        const Py_UCS1 *p = data;
        for (Py_ssize_t i = 0; i < n; i++) {
            size += p[i] >> 7;
        }
    }
    else if (kind == 2) {
        const Py_UCS2 *p = data;
        for (Py_ssize_t i = 0; i < n; i++) {
            size += (p[i] >= 0x80) + (p[i] >= 0x800);
        }
    }
    else {
        const Py_UCS4 *p = data;
        for (Py_ssize_t i = 0; i < n; i++) {
            size += (p[i] >= 0x80) + (p[i] >= 0x800) + (p[i] >= 0x10000);
        }
    }
    return size;
}

PyObject *
_PyUnicode_AsUTF8String(PyObject *unicode, const char *errors)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    if (PyUnicode_IS_ASCII(unicode)) {
        return PyBytes_FromStringAndSize(PyUnicode_DATA(unicode),
                                         STR_LEN(unicode));
    }
    if (STR_COMPACT(unicode)->utf8 != NULL) {
        return PyBytes_FromStringAndSize(STR_COMPACT(unicode)->utf8,
                                         STR_COMPACT(unicode)->utf8_length);
    }
    if (STR_LEN(unicode) > PY_SSIZE_T_MAX / 4) {
        return PyErr_NoMemory();
    }
    Py_ssize_t n = STR_LEN(unicode);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, encoded_size(unicode));
    if (bytes == NULL) {
        return NULL;
    }
    char *out = PyBytes_AS_STRING(bytes);
    if (encode_run(STR_KIND(unicode), PyUnicode_DATA(unicode), 0, n, &out) <
        n) {
        Py_DECREF(bytes);
        return encode_with_errors(unicode, errors);
    }
    return bytes;
}

PyObject *
PyUnicode_AsUTF8String(PyObject *unicode)
{
    return _PyUnicode_AsUTF8String(unicode, NULL);
}

static int
fill_utf8_cache(PyObject *unicode)
{
    PyObject *bytes = _PyUnicode_AsUTF8String(unicode, NULL);
    if (bytes == NULL) {
        return -1;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    char *copy = PyObject_Malloc((size_t)n + 1);
    if (copy == NULL) {
        Py_DECREF(bytes);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, PyBytes_AS_STRING(bytes), (size_t)n + 1);
    Py_DECREF(bytes);
    STR_COMPACT(unicode)->utf8_length = n;
    STR_COMPACT(unicode)->utf8 = copy;
    return 0;
}

const char *
PyUnicode_AsUTF8AndSize(PyObject *unicode, Py_ssize_t *psize)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    if (PyUnicode_IS_ASCII(unicode)) {
        if (psize != NULL) {
            *psize = STR_LEN(unicode);
        }
        return PyUnicode_DATA(unicode);
    }
    if (STR_COMPACT(unicode)->utf8 == NULL && fill_utf8_cache(unicode) < 0) {
        return NULL;
    }
    if (psize != NULL) {
        *psize = STR_COMPACT(unicode)->utf8_length;
    }
    return STR_COMPACT(unicode)->utf8;
}

const char *
PyUnicode_AsUTF8(PyObject *unicode)
{
    return PyUnicode_AsUTF8AndSize(unicode, NULL);
}
