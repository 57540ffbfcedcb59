/* The UTF-7 codec (RFC 2152). */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
from_base64(unsigned char c)
{
    const char *hit = c != 0 ? strchr(base64, c) : NULL;
    return hit == NULL ? -1 : (int)(hit - base64);
}

/* Characters that stand for themselves: set D, white space, and set O unless
 * the caller wants it encoded. */
static int
is_direct(Py_UCS4 c, int encode_o, int encode_space)
{
    if (c == 0 || c > 127) {
        return 0;
    }
    if (Py_ISALNUM(c) || strchr("'(),-./:?", (int)c) != NULL) {
        return 1;
    }
    if (strchr(" \t\n\r", (int)c) != NULL) {
        return !encode_space;
    }
    return strchr("!\"#$%&*;<=>@[]^_`{|}", (int)c) != NULL && !encode_o;
}

/* --- decoding ------------------------------------------------------------------------ */

struct shift {
    int in_shift;
    unsigned bits;
    unsigned long buffer;
    Py_UCS4 surrogate; /* a high one waiting for its low one */
    Py_ssize_t start;  /* of the shift sequence in the input */
    Py_ssize_t out_start; /* and in the output */
};

static int
write_unit(struct kr_decoder *d, struct shift *s, Py_UCS4 unit)
{
    if (s->surrogate) {
        Py_UCS4 high = s->surrogate;
        s->surrogate = 0;
        if (Py_UNICODE_IS_LOW_SURROGATE(unit)) {
            return _PyUnicodeWriter_WriteChar(
                &d->w, Py_UNICODE_JOIN_SURROGATES(high, unit));
        }
        if (_PyUnicodeWriter_WriteChar(&d->w, high) < 0) {
            return -1;
        }
    }
    if (Py_UNICODE_IS_HIGH_SURROGATE(unit)) {
        s->surrogate = unit;
        return 0;
    }
    return _PyUnicodeWriter_WriteChar(&d->w, unit);
}

/* The character at d->p ends the shift sequence. NULL, or what is wrong; -1 in
 * *rc on failure. */
static const char *
leave_shift(struct kr_decoder *d, struct shift *s, int *rc)
{
    unsigned char c = (unsigned char)*d->p;
    const char *problem = NULL;
    s->in_shift = 0;
    *rc = 0;
    if (s->bits > 0) {
        if (s->bits >= 6) {
            d->p++;
            return "partial character in shift sequence";
        }
        if (s->buffer != 0) {
            d->p++;
            return "non-zero padding bits in shift sequence";
        }
    }
    if (s->surrogate && c < 128 && c != '+') {
        *rc = _PyUnicodeWriter_WriteChar(&d->w, s->surrogate);
    }
    s->surrogate = 0;
    if (c == '-') {
        d->p++;
    }
    return problem;
}

static int
decode_step(struct kr_decoder *d, struct shift *s, const char **problem,
            Py_ssize_t *from)
{
    unsigned char c = (unsigned char)*d->p;
    int rc = 0;
    *problem = NULL;
    *from = d->p - d->start;
    if (s->in_shift) {
        int six = from_base64(c);
        if (six < 0) {
            *from = s->start;
            *problem = leave_shift(d, s, &rc);
            return rc;
        }
        s->buffer = s->buffer << 6 | (unsigned long)six;
        s->bits += 6;
        d->p++;
        if (s->bits >= 16) {
            Py_UCS4 unit = (Py_UCS4)(s->buffer >> (s->bits - 16)) & 0xFFFF;
            s->bits -= 16;
            s->buffer &= (1ul << s->bits) - 1;
            return write_unit(d, s, unit);
        }
        return 0;
    }
    if (c == '+') {
        s->start = d->p - d->start;
        d->p++;
        if (d->p < d->end && *d->p == '-') {
            d->p++;
            return _PyUnicodeWriter_WriteChar(&d->w, '+');
        }
        if (d->p < d->end && from_base64((unsigned char)*d->p) < 0) {
            d->p++;
            *problem = "ill-formed sequence";
            return 0;
        }
        s->in_shift = 1;
        s->surrogate = 0;
        s->bits = 0;
        s->buffer = 0;
        s->out_start = d->w.pos;
        return 0;
    }
    d->p++;
    if (c < 128) {
        return _PyUnicodeWriter_WriteChar(&d->w, c);
    }
    *problem = "unexpected special character";
    return 0;
}

PyObject *
PyUnicode_DecodeUTF7Stateful(const char *s, Py_ssize_t size,
                             const char *errors, Py_ssize_t *consumed)
{
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = 0;
        }
        return kr_str_empty();
    }
    struct kr_decoder d;
    struct shift shift = {0};
    const char *problem;
    Py_ssize_t from;
    kr_decoder_init(&d, "utf7", errors, s, size);
    do {
        while (d.p < d.end) {
            if (decode_step(&d, &shift, &problem, &from) < 0 ||
                (problem != NULL &&
                 kr_decode_error(&d, from, d.p - d.start, problem) < 0)) {
                return kr_decoder_fail(&d);
            }
        }
        if (shift.in_shift && consumed == NULL) {
            shift.in_shift = 0;
            if (shift.surrogate || shift.bits >= 6 ||
                (shift.bits > 0 && shift.buffer != 0)) {
                /* after an error handler moved back, decoding goes on */
                if (kr_decode_error(&d, shift.start, d.end - d.start,
                                    "unterminated shift sequence") < 0) {
                    return kr_decoder_fail(&d);
                }
            }
        }
    } while (d.p < d.end);
    if (consumed != NULL) {
        *consumed = d.p - d.start;
        if (shift.in_shift) {
            *consumed = shift.start;
            if (d.w.pos != shift.out_start) {
                /* what the unfinished sequence gave comes again next time */
                d.w.pos = shift.out_start;
            }
        }
    }
    return kr_decoder_finish(&d);
}

PyObject *
PyUnicode_DecodeUTF7(const char *s, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF7Stateful(s, size, errors, NULL);
}

/* --- encoding -------------------------------------------------------------------------- */

struct out {
    char *p;
    unsigned bits;
    unsigned long buffer;
};

static void
put_unit(struct out *o, Py_UCS4 unit)
{
    o->buffer = o->buffer << 16 | unit;
    o->bits += 16;
    while (o->bits >= 6) {
        *o->p++ = base64[o->buffer >> (o->bits - 6) & 63];
        o->bits -= 6;
        o->buffer &= (1ul << o->bits) - 1;
    }
}

static void
flush(struct out *o)
{
    if (o->bits > 0) {
        *o->p++ = base64[o->buffer << (6 - o->bits) & 63];
    }
    o->bits = 0;
    o->buffer = 0;
}

PyObject *
_PyUnicode_EncodeUTF7(PyObject *str, int base64SetO, int base64WhiteSpace,
                      const char *errors)
{
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(str);
    if (n == 0) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    if (n > PY_SSIZE_T_MAX / 8) {
        return PyErr_NoMemory();
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n * 8);
    if (bytes == NULL) {
        return NULL;
    }
    struct out o = {.p = PyBytes_AS_STRING(bytes)};
    int in_shift = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        int direct = is_direct(ch, base64SetO, base64WhiteSpace);
        if (in_shift && direct) {
            flush(&o);
            in_shift = 0;
            if (from_base64((unsigned char)ch) >= 0 || ch == '-') {
                *o.p++ = '-';
            }
        }
        if (direct) {
            *o.p++ = (char)ch;
            continue;
        }
        if (!in_shift) {
            *o.p++ = '+';
            if (ch == '+') {
                *o.p++ = '-';
                continue;
            }
            in_shift = 1;
        }
        if (ch >= 0x10000) {
            put_unit(&o, Py_UNICODE_HIGH_SURROGATE(ch));
            ch = Py_UNICODE_LOW_SURROGATE(ch);
        }
        put_unit(&o, ch);
    }
    flush(&o);
    if (in_shift) {
        *o.p++ = '-';
    }
    _PyBytes_Resize(&bytes, o.p - PyBytes_AS_STRING(bytes));
    return bytes;
}
