/* Error handling shared by the str codecs; see codec_errors.h. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

_Py_error_handler
_Py_GetErrorHandler(const char *errors)
{
    static const struct {
        const char *name;
        _Py_error_handler kind;
    } known[] = {
        {"strict", _Py_ERROR_STRICT},
        {"surrogateescape", _Py_ERROR_SURROGATEESCAPE},
        {"replace", _Py_ERROR_REPLACE},
        {"ignore", _Py_ERROR_IGNORE},
        {"backslashreplace", _Py_ERROR_BACKSLASHREPLACE},
        {"surrogatepass", _Py_ERROR_SURROGATEPASS},
        {"xmlcharrefreplace", _Py_ERROR_XMLCHARREFREPLACE},
    };
    if (errors == NULL) {
        return _Py_ERROR_STRICT;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(known); i++) {
        if (strcmp(errors, known[i].name) == 0) {
            return known[i].kind;
        }
    }
    return _Py_ERROR_OTHER;
}

/* --- decoding --------------------------------------------------------------- */

void
kr_decoder_init(struct kr_decoder *d, const char *encoding, const char *errors,
                const char *s, Py_ssize_t n)
{
    d->encoding = encoding;
    d->errors = errors;
    d->start = d->p = s;
    d->end = s + n;
    d->kind = _Py_ERROR_UNKNOWN;
    d->handler = d->exc = NULL;
    _PyUnicodeWriter_Init(&d->w);
    d->w.min_length = n;
}

static void
decoder_clear(struct kr_decoder *d)
{
    Py_CLEAR(d->handler);
    Py_CLEAR(d->exc);
}

PyObject *
kr_decoder_finish(struct kr_decoder *d)
{
    decoder_clear(d);
    return _PyUnicodeWriter_Finish(&d->w);
}

PyObject *
kr_decoder_fail(struct kr_decoder *d)
{
    decoder_clear(d);
    _PyUnicodeWriter_Dealloc(&d->w);
    return NULL;
}

static int
make_decode_exception(struct kr_decoder *d, Py_ssize_t from, Py_ssize_t to,
                      const char *reason)
{
    if (d->exc == NULL) {
        d->exc = PyUnicodeDecodeError_Create(d->encoding, d->start,
                                             d->end - d->start, from, to,
                                             reason);
        return d->exc == NULL ? -1 : 0;
    }
    if (PyUnicodeDecodeError_SetStart(d->exc, from) < 0 ||
        PyUnicodeDecodeError_SetEnd(d->exc, to) < 0 ||
        PyUnicodeDecodeError_SetReason(d->exc, reason) < 0) {
        Py_CLEAR(d->exc);
        return -1;
    }
    return 0;
}

/* A handler may have replaced the input; the exception keeps it alive. */
static int
reload_input(struct kr_decoder *d)
{
    PyObject *input = PyUnicodeDecodeError_GetObject(d->exc);
    if (input == NULL) {
        return -1;
    }
    d->start = PyBytes_AS_STRING(input);
    d->end = d->start + PyBytes_GET_SIZE(input);
    Py_DECREF(input);
    return 0;
}

static int
call_decode_handler(struct kr_decoder *d, Py_ssize_t from, Py_ssize_t to,
                    const char *reason)
{
    if (d->handler == NULL) {
        d->handler = PyCodec_LookupError(d->errors);
        if (d->handler == NULL) {
            return -1;
        }
    }
    if (make_decode_exception(d, from, to, reason) < 0) {
        return -1;
    }
    PyObject *result = PyObject_CallOneArg(d->handler, d->exc);
    if (result == NULL) {
        return -1;
    }
    PyObject *text;
    Py_ssize_t next;
    if (!PyTuple_Check(result)) {
        PyErr_SetString(PyExc_TypeError, "decoding error handler must return "
                                         "(str, int) tuple");
        goto fail;
    }
    if (!PyArg_ParseTuple(result,
                          "Un;decoding error handler must return (str, int) "
                          "tuple", &text, &next) ||
        reload_input(d) < 0) {
        goto fail;
    }
    Py_ssize_t size = d->end - d->start;
    Py_ssize_t wanted = next;
    if (next < 0) {
        next += size;
    }
    if (next < 0 || next > size) {
        PyErr_Format(PyExc_IndexError,
                     "position %zd from error handler out of bounds", wanted);
        goto fail;
    }
    d->p = d->start + next;
    Py_ssize_t need = d->w.pos + (size - next);
    if (need > d->w.min_length) {
        d->w.min_length = need;
    }
    d->w.overallocate = 1;
    if (_PyUnicodeWriter_WriteStr(&d->w, text) < 0) {
        goto fail;
    }
    Py_DECREF(result);
    return 0;
fail:
    Py_DECREF(result);
    return -1;
}

int
kr_decode_error(struct kr_decoder *d, Py_ssize_t from, Py_ssize_t to,
                const char *reason)
{
    if (d->kind == _Py_ERROR_UNKNOWN) {
        d->kind = _Py_GetErrorHandler(d->errors);
    }
    switch (d->kind) {
    case _Py_ERROR_STRICT:
        if (make_decode_exception(d, from, to, reason) == 0) {
            PyCodec_StrictErrors(d->exc);
        }
        return -1;
    case _Py_ERROR_IGNORE:
        d->p = d->start + to;
        return 0;
    case _Py_ERROR_REPLACE:
        d->p = d->start + to;
        return _PyUnicodeWriter_WriteChar(&d->w, 0xFFFD);
    case _Py_ERROR_SURROGATEESCAPE:
        for (Py_ssize_t i = from; i < to; i++) {
            if ((unsigned char)d->start[i] < 128) {
                return call_decode_handler(d, from, to, reason);
            }
        }
        for (Py_ssize_t i = from; i < to; i++) {
            Py_UCS4 ch = 0xDC00 + (unsigned char)d->start[i];
            if (_PyUnicodeWriter_WriteChar(&d->w, ch) < 0) {
                return -1;
            }
        }
        d->p = d->start + to;
        return 0;
    default:
        return call_decode_handler(d, from, to, reason);
    }
}

/* --- encoding --------------------------------------------------------------- */

void
kr_encoder_init(struct kr_encoder *e, PyObject *str, const char *encoding,
                const char *errors)
{
    e->str = str;
    e->encoding = encoding;
    e->errors = errors;
    e->kind = _Py_ERROR_UNKNOWN;
    e->handler = e->exc = NULL;
    e->out = NULL;
    _PyBytesWriter_Init(&e->w);
}

static void
encoder_clear(struct kr_encoder *e)
{
    Py_CLEAR(e->handler);
    Py_CLEAR(e->exc);
}

PyObject *
kr_encoder_finish(struct kr_encoder *e)
{
    encoder_clear(e);
    return _PyBytesWriter_Finish(&e->w, e->out);
}

PyObject *
kr_encoder_fail(struct kr_encoder *e)
{
    encoder_clear(e);
    _PyBytesWriter_Dealloc(&e->w);
    return NULL;
}

static int
make_encode_exception(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                      const char *reason)
{
    if (e->exc == NULL) {
        e->exc = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns",
                                       e->encoding, e->str, from, to, reason);
        return e->exc == NULL ? -1 : 0;
    }
    if (PyUnicodeEncodeError_SetStart(e->exc, from) < 0 ||
        PyUnicodeEncodeError_SetEnd(e->exc, to) < 0 ||
        PyUnicodeEncodeError_SetReason(e->exc, reason) < 0) {
        Py_CLEAR(e->exc);
        return -1;
    }
    return 0;
}

void
kr_encode_raise(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                const char *reason)
{
    if (make_encode_exception(e, from, to, reason) == 0) {
        PyCodec_StrictErrors(e->exc);
    }
}

static PyObject *
call_encode_handler(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                    const char *reason, Py_ssize_t *next)
{
    static const char message[] =
        "On;encoding error handler must return (str/bytes, int) tuple";
    if (e->handler == NULL) {
        e->handler = PyCodec_LookupError(e->errors);
        if (e->handler == NULL) {
            return NULL;
        }
    }
    if (make_encode_exception(e, from, to, reason) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(e->handler, e->exc), *rep = NULL;
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t pos;
    if (!PyTuple_Check(result)) {
        PyErr_SetString(PyExc_TypeError, message + 3);
    }
    else if (PyArg_ParseTuple(result, message, &rep, &pos)) {
        Py_ssize_t size = STR_LEN(e->str);
        *next = pos < 0 ? pos + size : pos;
        if (!PyUnicode_Check(rep) && !PyBytes_Check(rep)) {
            PyErr_SetString(PyExc_TypeError, message + 3);
            rep = NULL;
        }
        else if (*next < 0 || *next > size) {
            PyErr_Format(PyExc_IndexError,
                         "position %zd from error handler out of bounds",
                         pos);
            rep = NULL;
        }
        else if (PyUnicode_Check(rep) && PyUnicode_READY(rep) < 0) {
            rep = NULL;
        }
    }
    else {
        rep = NULL;
    }
    Py_XINCREF(rep);
    Py_DECREF(result);
    return rep;
}

/* \x, \u, \U escapes or &#...; references of the characters. */
static PyObject *
escapes(PyObject *str, Py_ssize_t from, Py_ssize_t to, int xml)
{
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    for (Py_ssize_t i = from; i < to; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        char buf[16];
        const char *format = xml            ? "&#%u;"
                             : ch < 0x100   ? "\\x%02x"
                             : ch < 0x10000 ? "\\u%04x"
                                            : "\\U%08x";
        int n = snprintf(buf, sizeof(buf), format, (unsigned)ch);
        if (_PyUnicodeWriter_WriteASCIIString(&w, buf, n) < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return NULL;
        }
    }
    return _PyUnicodeWriter_Finish(&w);
}

/* The bytes that surrogateescape smuggled in; NULL without an exception if
 * not all characters are such. */
static PyObject *
escaped_bytes(PyObject *str, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        if (ch < 0xDC80 || ch > 0xDCFF) {
            return NULL;
        }
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, to - from);
    if (bytes != NULL) {
        for (Py_ssize_t i = from; i < to; i++) {
            PyBytes_AS_STRING(bytes)[i - from] =
                (char)(PyUnicode_READ_CHAR(str, i) & 0xFF);
        }
    }
    return bytes;
}

PyObject *
kr_encode_error(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                const char *reason, Py_ssize_t *next)
{
    if (e->kind == _Py_ERROR_UNKNOWN) {
        e->kind = _Py_GetErrorHandler(e->errors);
    }
    *next = to;
    switch (e->kind) {
    case _Py_ERROR_STRICT:
        kr_encode_raise(e, from, to, reason);
        return NULL;
    case _Py_ERROR_IGNORE:
        return kr_str_empty();
    case _Py_ERROR_REPLACE: {
        PyObject *marks = PyUnicode_New(to - from, 127);
        if (marks != NULL) {
            memset(PyUnicode_DATA(marks), '?', (size_t)(to - from));
        }
        return marks;
    }
    case _Py_ERROR_BACKSLASHREPLACE:
    case _Py_ERROR_XMLCHARREFREPLACE:
        return escapes(e->str, from, to,
                       e->kind == _Py_ERROR_XMLCHARREFREPLACE);
    case _Py_ERROR_SURROGATEESCAPE: {
        /* the longest run that can be escaped; the handler raises for what
         * follows it */
        Py_ssize_t i = from;
        while (i < to && PyUnicode_READ_CHAR(e->str, i) >= 0xDC80 &&
               PyUnicode_READ_CHAR(e->str, i) <= 0xDCFF) {
            i++;
        }
        if (i > from) {
            *next = i;
            return escaped_bytes(e->str, from, i);
        }
        return call_encode_handler(e, from, to, reason, next);
    }
    default:
        return call_encode_handler(e, from, to, reason, next);
    }
}
