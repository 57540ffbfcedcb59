/* The binascii module: binary data as text in several old and new ways. */
#include <Python.h>

#include <string.h>

#include "base/common.h"
#include "objects/bytes/internal.h"
#include "objects/ids.h"
#include "objects/unpack.h"

struct state {
    PyObject *error;
    PyObject *incomplete;
};

static struct state *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static PyObject *
fail(PyObject *module, const char *text)
{
    PyErr_SetString(state_of(module)->error, text);
    return NULL;
}

/* Buffer of an ASCII str or of a bytes-like object. */
static int
ascii_buffer(PyObject *arg, Py_buffer *buf)
{
    if (PyUnicode_Check(arg)) {
        if (PyUnicode_READY(arg) < 0) {
            return -1;
        }
        if (!PyUnicode_IS_ASCII(arg)) {
            PyErr_SetString(PyExc_ValueError,
                            "string argument should contain only ASCII "
                            "characters");
            return -1;
        }
        return PyBuffer_FillInfo(buf, arg, PyUnicode_DATA(arg),
                                 PyUnicode_GET_LENGTH(arg), 1, PyBUF_SIMPLE);
    }
    if (PyObject_GetBuffer(arg, buf, PyBUF_SIMPLE) != 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "argument should be bytes, buffer or ASCII string, "
                         "not '%.100s'",
                         Py_TYPE(arg)->tp_name);
        }
        return -1;
    }
    return 0;
}

/* Cuts a result that was allocated too long. */
static PyObject *
finish(PyObject *bytes, const unsigned char *end)
{
    Py_ssize_t n = end - (unsigned char *)PyBytes_AS_STRING(bytes);
    if (n != PyBytes_GET_SIZE(bytes)) {
        _PyBytes_Resize(&bytes, n);
    }
    return bytes;
}

/* Truth of an option with a default. */
static int
option(PyObject *arg, int deflt)
{
    if (arg == NULL) {
        return deflt;
    }
    int value = _PyLong_AsInt(arg);
    return value == -1 && PyErr_Occurred() ? -1 : value != 0;
}

#define DATA(bytes) ((unsigned char *)PyBytes_AS_STRING(bytes))

#define PARSE(fname_, count, minpos, maxpos, ...)                              \
    static const char *const keywords[] = {__VA_ARGS__, NULL};                 \
    static _PyArg_Parser parser = {.keywords = keywords, .fname = fname_};     \
    PyObject *buf[count];                                                      \
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, minpos,     \
                              maxpos, buf, count);                             \
    if (args == NULL) {                                                        \
        return NULL;                                                           \
    }

/* ---- uuencode */

static PyObject *
a2b_uu(PyObject *module, PyObject *arg)
{
    Py_buffer data;
    if (ascii_buffer(arg, &data) < 0) {
        return NULL;
    }
    const unsigned char *p = data.buf, *end = p + data.len;
    PyObject *result = NULL;
    /* the first byte is the length of the line */
    Py_ssize_t left = p < end ? (*p++ - ' ') & 077 : 0;
    PyObject *out = PyBytes_FromStringAndSize(NULL, left);
    if (out == NULL) {
        goto done;
    }
    unsigned char *to = DATA(out);
    unsigned bits = 0;
    int nbits = 0;
    while (left > 0) {
        /* missing blanks at the end of a line are assumed */
        bool over = p >= end;
        unsigned c = over ? 0 : *p++;
        if (over || c == '\n' || c == '\r') {
            c = 0;
        }
        else {
            /* '`' stands for 0 as ' ' does */
            if (c < ' ' || c > ' ' + 64) {
                fail(module, "Illegal char");
                Py_CLEAR(out);
                goto done;
            }
            c = (c - ' ') & 077;
        }
        bits = (bits << 6) | c;
        nbits += 6;
        if (nbits >= 8) {
            nbits -= 8;
            *to++ = (unsigned char)(bits >> nbits);
            bits &= (1u << nbits) - 1;
            left--;
        }
    }
    while (p < end) {
        unsigned char c = *p++;
        if (c != ' ' && c != ' ' + 64 && c != '\n' && c != '\r') {
            fail(module, "Trailing garbage");
            Py_CLEAR(out);
            goto done;
        }
    }
    result = out;
done:
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
b2a_uu(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    PARSE("b2a_uu", 2, 1, 1, "", "backtick")
    int backtick = option(args[1], 0);
    Py_buffer data;
    if (backtick < 0 || PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    const unsigned char *p = data.buf;
    Py_ssize_t n = data.len;
    PyObject *out = NULL;
    if (n > 45) {
        fail(module, "At most 45 bytes at once");
        goto done;
    }
    out = PyBytes_FromStringAndSize(NULL, 2 + (n + 2) / 3 * 4);
    if (out == NULL) {
        goto done;
    }
    unsigned char *to = DATA(out), zero = backtick ? '`' : ' ';
    *to++ = n ? (unsigned char)(' ' + n) : zero;
    for (Py_ssize_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)p[i] << 16;
        bits |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
        bits |= i + 2 < n ? p[i + 2] : 0;
        for (int shift = 18; shift >= 0; shift -= 6) {
            unsigned c = (bits >> shift) & 0x3f;
            *to++ = c ? (unsigned char)(c + ' ') : zero;
        }
    }
    *to++ = '\n';
    out = finish(out, to);
done:
    PyBuffer_Release(&data);
    return out;
}

/* ---- base64 */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value of a digit, or 64. */
static unsigned
base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26u;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52u;
    }
    return c == '+' ? 62 : (c == '/' ? 63 : 64);
}

static PyObject *
decode_base64(PyObject *module, const Py_buffer *data, int strict)
{
    const unsigned char *p = data->buf;
    Py_ssize_t len = data->len;
    PyObject *out = PyBytes_FromStringAndSize(NULL, (len + 3) / 4 * 3);
    if (out == NULL) {
        return NULL;
    }
    unsigned char *to = DATA(out), *start = to;
    const char *error = NULL;
    int quad = 0, pads = 0;
    unsigned left = 0;
    bool padding_started = false;
    if (strict && len > 0 && p[0] == '=') {
        error = "Leading padding not allowed";
        goto bad;
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        unsigned char c = p[i];
        if (c == '=') {
            padding_started = true;
            if (strict && quad == 0) {
                error = "Excess data after padding";
                goto bad;
            }
            if (quad >= 2 && quad + ++pads >= 4) {
                /* a complete quad ends the data */
                if (strict && i + 1 < len) {
                    error = "Excess data after padding";
                    goto bad;
                }
                return finish(out, to);
            }
            continue;
        }
        unsigned v = base64_value(c);
        if (v >= 64) {
            if (strict) {
                error = "Only base64 data is allowed";
                goto bad;
            }
            continue;
        }
        if (strict && padding_started) {
            error = "Discontinuous padding not allowed";
            goto bad;
        }
        pads = 0;
        switch (quad) {
        case 0:
            quad = 1;
            left = v;
            break;
        case 1:
            quad = 2;
            *to++ = (unsigned char)((left << 2) | (v >> 4));
            left = v & 0x0f;
            break;
        case 2:
            quad = 3;
            *to++ = (unsigned char)((left << 4) | (v >> 2));
            left = v & 0x03;
            break;
        default:
            quad = 0;
            *to++ = (unsigned char)((left << 6) | v);
            left = 0;
        }
    }
    if (quad == 0) {
        return finish(out, to);
    }
    if (quad == 1) {
        PyErr_Format(state_of(module)->error,
                     "Invalid base64-encoded string: number of data "
                     "characters (%zd) cannot be 1 more than a multiple of 4",
                     (to - start) / 3 * 4 + 1);
        Py_DECREF(out);
        return NULL;
    }
    error = "Incorrect padding";
bad:
    Py_DECREF(out);
    return fail(module, error);
}

static PyObject *
a2b_base64(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    PARSE("a2b_base64", 2, 1, 1, "", "strict_mode")
    int strict = option(args[1], 0);
    Py_buffer data;
    if (strict < 0 || ascii_buffer(args[0], &data) < 0) {
        return NULL;
    }
    PyObject *out = decode_base64(module, &data, strict);
    PyBuffer_Release(&data);
    return out;
}

static PyObject *
b2a_base64(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    PARSE("b2a_base64", 2, 1, 1, "", "newline")
    int newline = option(args[1], 1);
    Py_buffer data;
    if (newline < 0 || PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    const unsigned char *p = data.buf;
    Py_ssize_t n = data.len;
    PyObject *out = NULL;
    if (n > (PY_SSIZE_T_MAX - 3) / 2) {
        fail(module, "Too much data for base64 line");
        goto done;
    }
    out = PyBytes_FromStringAndSize(NULL, (n + 2) / 3 * 4 + newline);
    if (out == NULL) {
        goto done;
    }
    unsigned char *to = DATA(out);
    for (; n >= 3; n -= 3, p += 3) {
        unsigned bits = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
        *to++ = (unsigned char)base64_digits[bits >> 18];
        *to++ = (unsigned char)base64_digits[(bits >> 12) & 0x3f];
        *to++ = (unsigned char)base64_digits[(bits >> 6) & 0x3f];
        *to++ = (unsigned char)base64_digits[bits & 0x3f];
    }
    if (n > 0) {
        unsigned bits = (unsigned)p[0] << 16 | (n > 1 ? p[1] << 8 : 0);
        *to++ = (unsigned char)base64_digits[bits >> 18];
        *to++ = (unsigned char)base64_digits[(bits >> 12) & 0x3f];
        *to++ = n > 1 ? (unsigned char)base64_digits[(bits >> 6) & 0x3f] : '=';
        *to++ = '=';
    }
    if (newline) {
        *to++ = '\n';
    }
done:
    PyBuffer_Release(&data);
    return out;
}

/* ---- checksums */

/* CRC-CCITT with polynomial 0x1021, four bits at a time. */
static PyObject *
crc_hqx(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    if (!_PyArg_CheckPositional("crc_hqx", nargs, 2, 2)
        || PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    unsigned long start = PyLong_AsUnsignedLongMask(args[1]);
    if (start == (unsigned long)-1 && PyErr_Occurred()) {
        PyBuffer_Release(&data);
        return NULL;
    }
    unsigned crc = start & 0xffff;
    const unsigned char *p = data.buf;
    for (Py_ssize_t i = 0; i < data.len; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int k = 0; k < 8; k++) {
            crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        }
        crc &= 0xffff;
    }
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(crc);
}

/* Tables for eight bytes at a time, made at the first use. */
static struct kr_crc32_state {
    uint32_t table[8][256];
    bool ready;
} crc32_state;

static void
make_crc32_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) {
            c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
        }
        crc32_state.table[0][i] = c;
    }
    for (int t = 1; t < 8; t++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = crc32_state.table[t - 1][i];
            crc32_state.table[t][i] = crc32_state.table[0][c & 0xff] ^ (c >> 8);
        }
    }
    crc32_state.ready = true;
}

static uint32_t
crc32_of(const unsigned char *p, Py_ssize_t n, uint32_t crc)
{
    uint32_t (*t)[256] = crc32_state.table;
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t a = crc
                     ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8
                        | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = t[7][a & 0xff] ^ t[6][(a >> 8) & 0xff] ^ t[5][(a >> 16) & 0xff]
              ^ t[4][a >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]]
              ^ t[0][p[7]];
    }
    for (; n > 0; n--) {
        crc = t[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

static PyObject *
crc32(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    unsigned long crc = 0;
    if (!_PyArg_CheckPositional("crc32", nargs, 1, 2)
        || PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (nargs == 2) {
        crc = PyLong_AsUnsignedLongMask(args[1]);
        if (crc == (unsigned long)-1 && PyErr_Occurred()) {
            PyBuffer_Release(&data);
            return NULL;
        }
    }
    if (!crc32_state.ready) {
        make_crc32_tables();
    }
    uint32_t result;
    if (data.len > 1024 * 5) {
        Py_BEGIN_ALLOW_THREADS
        result = crc32_of(data.buf, data.len, (uint32_t)crc);
        Py_END_ALLOW_THREADS
    }
    else {
        result = crc32_of(data.buf, data.len, (uint32_t)crc);
    }
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(result);
}

/* ---- hexadecimal */

static PyObject *
hexlify(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
        const char *name)
{
    static const char *const keywords[] = {"data", "sep", "bytes_per_sep",
                                           NULL};
    static _PyArg_Parser parsers[2] = {
        {.keywords = keywords, .fname = "b2a_hex"},
        {.keywords = keywords, .fname = "hexlify"},
    };
    PyObject *buf[3];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames,
                              &parsers[name[0] == 'h'], 1, 3, buf, 3);
    Py_buffer data;
    if (args == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    int per_sep = 1;
    if (args[2] != NULL) {
        per_sep = _PyLong_AsInt(args[2]);
        if (per_sep == -1 && PyErr_Occurred()) {
            PyBuffer_Release(&data);
            return NULL;
        }
    }
    PyObject *out =
        _Py_strhex_bytes_with_sep(data.buf, data.len, args[1], per_sep);
    PyBuffer_Release(&data);
    return out;
}

static PyObject *
b2a_hex(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
        PyObject *kwnames)
{
    return hexlify(args, nargs, kwnames, "b2a_hex");
}

static PyObject *
hexlify_function(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    return hexlify(args, nargs, kwnames, "hexlify");
}

static int
hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static PyObject *
a2b_hex(PyObject *module, PyObject *arg)
{
    Py_buffer data;
    if (ascii_buffer(arg, &data) < 0) {
        return NULL;
    }
    const unsigned char *p = data.buf;
    PyObject *out = NULL;
    if (data.len % 2) {
        fail(module, "Odd-length string");
        goto done;
    }
    out = PyBytes_FromStringAndSize(NULL, data.len / 2);
    if (out == NULL) {
        goto done;
    }
    unsigned char *to = DATA(out);
    for (Py_ssize_t i = 0; i < data.len; i += 2) {
        int hi = hex_value(p[i]), lo = hex_value(p[i + 1]);
        if (hi < 0 || lo < 0) {
            fail(module, "Non-hexadecimal digit found");
            Py_CLEAR(out);
            goto done;
        }
        *to++ = (unsigned char)(hi << 4 | lo);
    }
done:
    PyBuffer_Release(&data);
    return out;
}

/* ---- quoted-printable */

#define MAX_LINE 76

static PyObject *
a2b_qp(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    PARSE("a2b_qp", 2, 1, 2, "data", "header")
    Py_buffer data;
    if (ascii_buffer(args[0], &data) < 0) {
        return NULL;
    }
    int header = option(args[1], 0);
    if (header < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    const unsigned char *p = data.buf;
    Py_ssize_t n = data.len, i = 0;
    PyObject *out = PyBytes_FromStringAndSize(NULL, n);
    if (out == NULL) {
        PyBuffer_Release(&data);
        return NULL;
    }
    unsigned char *to = DATA(out);
    while (i < n) {
        if (p[i] == '=') {
            if (++i >= n) {
                break;
            }
            if (p[i] == '\n' || p[i] == '\r') { /* soft line break */
                while (i < n && p[i] != '\n') {
                    i++;
                }
                i += i < n;
            }
            else if (p[i] == '=') { /* broken encoders */
                *to++ = '=';
                i++;
            }
            else if (i + 1 < n && hex_value(p[i]) >= 0
                     && hex_value(p[i + 1]) >= 0) {
                *to++ = (unsigned char)(hex_value(p[i]) << 4
                                        | hex_value(p[i + 1]));
                i += 2;
            }
            else {
                *to++ = '=';
            }
        }
        else if (header && p[i] == '_') {
            *to++ = ' ';
            i++;
        }
        else {
            *to++ = p[i++];
        }
    }
    PyBuffer_Release(&data);
    return finish(out, to);
}

/* What b2a_qp writes; with `to` NULL it only counts. */
struct qp {
    unsigned char *to;
    Py_ssize_t size;
};

static void
qp_put(struct qp *q, unsigned char c)
{
    if (q->to != NULL) {
        q->to[q->size] = c;
    }
    q->size++;
}

static void
qp_hex(struct qp *q, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    qp_put(q, '=');
    qp_put(q, (unsigned char)digits[c >> 4]);
    qp_put(q, (unsigned char)digits[c & 0xf]);
}

struct qp_options {
    int quotetabs, istext, header;
    bool crlf;
};

static bool
must_quote(const unsigned char *p, Py_ssize_t n, Py_ssize_t i,
           Py_ssize_t line, const struct qp_options *o)
{
    unsigned char c = p[i];
    return c > 126 || c == '=' || (o->header && c == '_')
           || (c == '.' && line == 0
               && (i + 1 == n || p[i + 1] == '\n' || p[i + 1] == '\r'
                   || p[i + 1] == 0))
           || (!o->istext && (c == '\r' || c == '\n'))
           || ((c == '\t' || c == ' ') && i + 1 == n)
           || (c < 33 && c != '\r' && c != '\n'
               && (o->quotetabs || (c != '\t' && c != ' ')));
}

static void
qp_newline(struct qp *q, const struct qp_options *o)
{
    if (o->crlf) {
        qp_put(q, '\r');
    }
    qp_put(q, '\n');
}

static void
encode_qp(struct qp *q, const unsigned char *p, Py_ssize_t n,
          const struct qp_options *o)
{
    Py_ssize_t line = 0, i = 0;
    while (i < n) {
        unsigned char c = p[i];
        if (must_quote(p, n, i, line, o)) {
            if (line + 3 >= MAX_LINE) {
                qp_put(q, '=');
                qp_newline(q, o);
                line = 0;
            }
            qp_hex(q, c);
            i++;
            line += 3;
            continue;
        }
        if (o->istext
            && (c == '\n' || (c == '\r' && i + 1 < n && p[i + 1] == '\n'))) {
            line = 0;
            /* blanks before the end of a line are quoted after all */
            if (q->size > 0 && i > 0 && (p[i - 1] == ' ' || p[i - 1] == '\t')) {
                unsigned char blank = p[i - 1];
                if (q->to == NULL || q->to[q->size - 1] == blank) {
                    q->size--;
                    qp_hex(q, blank);
                }
            }
            qp_newline(q, o);
            i += c == '\r' ? 2 : 1;
            continue;
        }
        if (i + 1 != n && p[i + 1] != '\n' && line + 1 >= MAX_LINE) {
            qp_put(q, '=');
            qp_newline(q, o);
            line = 0;
        }
        line++;
        if (o->header && c == ' ') {
            qp_put(q, '_');
        }
        else {
            qp_put(q, c);
        }
        i++;
    }
}

static PyObject *
b2a_qp(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    PARSE("b2a_qp", 4, 1, 4, "data", "quotetabs", "istext", "header")
    struct qp_options o = {0};
    Py_buffer data;
    if (PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if ((o.quotetabs = option(args[1], 0)) < 0
        || (o.istext = option(args[2], 1)) < 0
        || (o.header = option(args[3], 0)) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    /* the first line end decides which kind soft breaks get */
    const unsigned char *p = data.buf,
                        *nl = data.len ? memchr(p, '\n', (size_t)data.len)
                                       : NULL;
    o.crlf = nl != NULL && nl > p && nl[-1] == '\r';
    /* twice the same walk: first for an upper bound of the size */
    struct qp q = {NULL, 0};
    encode_qp(&q, p, data.len, &o);
    PyObject *out = PyBytes_FromStringAndSize(NULL, q.size);
    if (out != NULL) {
        q = (struct qp){DATA(out), 0};
        encode_qp(&q, p, data.len, &o);
        out = finish(out, DATA(out) + q.size);
    }
    PyBuffer_Release(&data);
    return out;
}

/* ---- module */

#define FAST(name) (PyCFunction)(void *)name, METH_FASTCALL | METH_KEYWORDS
#define HEX_ARGS "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)"

static PyMethodDef functions[] = {
    {"a2b_uu", a2b_uu, METH_O,
     "a2b_uu($module, data, /)\n--\n\nDecode a line of uuencoded data."},
    {"b2a_uu", FAST(b2a_uu),
     "b2a_uu($module, data, /, *, backtick=False)\n--\n\n"
     "Uuencode line of data."},
    {"a2b_base64", FAST(a2b_base64),
     "a2b_base64($module, data, /, *, strict_mode=False)\n--\n\n"
     "Decode a line of base64 data.\n\n"
     "  strict_mode\n    Raise binascii.Error on anything that does not\n"
     "    conform to RFC 3548."},
    {"b2a_base64", FAST(b2a_base64),
     "b2a_base64($module, data, /, *, newline=True)\n--\n\n"
     "Base64-code line of data."},
    {"a2b_hex", a2b_hex, METH_O,
     "a2b_hex($module, hexstr, /)\n--\n\n"
     "Binary data of hexadecimal representation.\n\n"
     "hexstr must contain an even number of hex digits (upper or lower "
     "case).\nThis function is also available as \"unhexlify()\"."},
    {"b2a_hex", FAST(b2a_hex),
     "b2a_hex" HEX_ARGS "\n--\n\nHexadecimal representation of binary data."},
    {"hexlify", FAST(hexlify_function),
     "hexlify" HEX_ARGS "\n--\n\nHexadecimal representation of binary data."},
    {"unhexlify", a2b_hex, METH_O,
     "unhexlify($module, hexstr, /)\n--\n\n"
     "Binary data of hexadecimal representation.\n\n"
     "hexstr must contain an even number of hex digits (upper or lower "
     "case)."},
    {"crc_hqx", (PyCFunction)(void *)crc_hqx, METH_FASTCALL,
     "crc_hqx($module, data, crc, /)\n--\n\n"
     "Compute CRC-CCITT incrementally."},
    {"crc32", (PyCFunction)(void *)crc32, METH_FASTCALL,
     "crc32($module, data, crc=0, /)\n--\n\nCompute CRC-32 incrementally."},
    {"a2b_qp", FAST(a2b_qp),
     "a2b_qp($module, /, data, header=False)\n--\n\n"
     "Decode a string of qp-encoded data."},
    {"b2a_qp", FAST(b2a_qp),
     "b2a_qp($module, /, data, quotetabs=False, istext=True, "
     "header=False)\n--\n\n"
     "Encode a string using quoted-printable encoding.\n\n"
     "On encoding, when istext is set, newlines are not encoded, and white\n"
     "space at end of lines is.  When istext is not set, \\r and \\n (CR/LF)\n"
     "are both encoded.  When quotetabs is set, space and tabs are encoded."},
    {NULL},
};

static int
exec(PyObject *module)
{
    struct state *state = state_of(module);
    state->error =
        PyErr_NewException("binascii.Error", PyExc_ValueError, NULL);
    if (state->error == NULL
        || PyModule_AddObjectRef(module, "Error", state->error) < 0) {
        return -1;
    }
    state->incomplete = PyErr_NewException("binascii.Incomplete", NULL, NULL);
    if (state->incomplete == NULL
        || PyModule_AddObjectRef(module, "Incomplete", state->incomplete)
               < 0) {
        return -1;
    }
    return 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->error);
    Py_VISIT(state_of(module)->incomplete);
    return 0;
}

static int
clear(PyObject *module)
{
    Py_CLEAR(state_of(module)->error);
    Py_CLEAR(state_of(module)->incomplete);
    return 0;
}

static void
free_state(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "binascii",
    .m_doc = "Conversion between binary data and ASCII",
    .m_size = sizeof(struct state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC
PyInit_binascii(void)
{
    return PyModuleDef_Init(&definition);
}
