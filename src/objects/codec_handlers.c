/* The built-in codec error handlers: each takes the exception and returns a
 * replacement and the position to go on from, or raises. */
#include <Python.h>

#include "base/utf8.h"
#include "objects/codecs.h"
#include "objects/ucnhash.h"

static void
wrong_type(PyObject *exc)
{
    PyErr_Format(PyExc_TypeError,
                 "don't know how to handle %.200s in error callback",
                 Py_TYPE(exc)->tp_name);
}

#define IS(exc, type)                                                          \
    PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_Unicode##type##Error)

PyObject *
PyCodec_StrictErrors(PyObject *exc)
{
    if (PyExceptionInstance_Check(exc)) {
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    }
    else {
        PyErr_SetString(PyExc_TypeError, "codec must pass exception instance");
    }
    return NULL;
}

/* The bad range of any of the three kinds of error; -1 on failure. */
static int
get_range(PyObject *exc, Py_ssize_t *start, Py_ssize_t *end)
{
    if (IS(exc, Encode)) {
        return PyUnicodeEncodeError_GetStart(exc, start) < 0
                   ? -1 : PyUnicodeEncodeError_GetEnd(exc, end);
    }
    if (IS(exc, Decode)) {
        return PyUnicodeDecodeError_GetStart(exc, start) < 0
                   ? -1 : PyUnicodeDecodeError_GetEnd(exc, end);
    }
    if (IS(exc, Translate)) {
        return PyUnicodeTranslateError_GetStart(exc, start) < 0
                   ? -1 : PyUnicodeTranslateError_GetEnd(exc, end);
    }
    wrong_type(exc);
    return -1;
}

PyObject *
PyCodec_IgnoreErrors(PyObject *exc)
{
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    return Py_BuildValue("(Nn)", PyUnicode_New(0, 0), end);
}

PyObject *
PyCodec_ReplaceErrors(PyObject *exc)
{
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    Py_UCS4 ch = IS(exc, Encode) ? '?' : 0xFFFD;
    Py_ssize_t n = IS(exc, Decode) ? 1 : end - start;
    PyObject *text = PyUnicode_New(n < 0 ? 0 : n, ch);
    if (text == NULL) {
        return NULL;
    }
    if (n > 0) {
        PyUnicode_Fill(text, 0, n, ch);
    }
    return Py_BuildValue("(Nn)", text, end);
}

/* --- escapes ------------------------------------------------------------------- */

/* The length of what it writes; -1 with an exception. */
typedef int (*escape)(Py_UCS4 ch, char *out);

static int
escape_backslash(Py_UCS4 ch, char *out)
{
    const char *format = ch < 0x100 ? "\\x%02x" : ch < 0x10000 ? "\\u%04x"
                                                               : "\\U%08x";
    return snprintf(out, 12, format, (unsigned)ch);
}

static int
escape_xml(Py_UCS4 ch, char *out)
{
    return snprintf(out, 12, "&#%u;", (unsigned)ch);
}

static int
escape_name(Py_UCS4 ch, char *out)
{
    _PyUnicode_Name_CAPI *api = kr_ucnhash();
    if (api == NULL) {
        return -1;
    }
    if (api->getname(ch, out + 3, 256, 1)) {
        memcpy(out, "\\N{", 3);
        size_t n = strlen(out);
        out[n] = '}';
        return (int)n + 1;
    }
    return escape_backslash(ch, out);
}

static PyObject *
escape_range(PyObject *object, Py_ssize_t start, Py_ssize_t end, escape f)
{
    char buf[300];
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    for (Py_ssize_t i = start; i < end; i++) {
        int n = f(PyUnicode_READ_CHAR(object, i), buf);
        if (n < 0 || _PyUnicodeWriter_WriteASCIIString(&w, buf, n) < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return NULL;
        }
    }
    return _PyUnicodeWriter_Finish(&w);
}

static PyObject *
escape_error(PyObject *exc, escape f)
{
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    PyObject *object = IS(exc, Encode) ? PyUnicodeEncodeError_GetObject(exc)
                                       : PyUnicodeTranslateError_GetObject(exc);
    if (object == NULL) {
        return NULL;
    }
    PyObject *text = escape_range(object, start, end, f);
    Py_DECREF(object);
    return text == NULL ? NULL : Py_BuildValue("(Nn)", text, end);
}

PyObject *
PyCodec_XMLCharRefReplaceErrors(PyObject *exc)
{
    if (!IS(exc, Encode)) {
        wrong_type(exc);
        return NULL;
    }
    return escape_error(exc, escape_xml);
}

PyObject *
PyCodec_NameReplaceErrors(PyObject *exc)
{
    if (!IS(exc, Encode)) {
        wrong_type(exc);
        return NULL;
    }
    if (kr_ucnhash() == NULL) {
        return NULL;
    }
    return escape_error(exc, escape_name);
}

PyObject *
PyCodec_BackslashReplaceErrors(PyObject *exc)
{
    if (!IS(exc, Decode)) {
        return escape_error(exc, escape_backslash);
    }
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    PyObject *object = PyUnicodeDecodeError_GetObject(exc);
    if (object == NULL) {
        return NULL;
    }
    const unsigned char *p = (unsigned char *)PyBytes_AS_STRING(object);
    Py_ssize_t n = end > start ? end - start : 0;
    PyObject *text = PyUnicode_New(4 * n, 127);
    if (text != NULL && n > 0) {
        Py_UCS1 *out = PyUnicode_1BYTE_DATA(text);
        for (Py_ssize_t i = start; i < end; i++, out += 4) {
            out[0] = '\\';
            out[1] = 'x';
            out[2] = (Py_UCS1)Py_hexdigits[p[i] >> 4];
            out[3] = (Py_UCS1)Py_hexdigits[p[i] & 15];
        }
    }
    Py_DECREF(object);
    return text == NULL ? NULL : Py_BuildValue("(Nn)", text, end);
}

/* --- surrogates ----------------------------------------------------------------- */

enum form { UTF8, UTF16LE, UTF16BE, UTF32LE, UTF32BE, UNKNOWN };

static enum form
form_of(const char *encoding)
{
    if (PyOS_strnicmp(encoding, "utf", 3) != 0) {
        return PyOS_stricmp(encoding, "cp_utf8") == 0 ? UTF8 : UNKNOWN;
    }
    encoding += 3;
    if (*encoding == '-' || *encoding == '_') {
        encoding++;
    }
    if (strcmp(encoding, "8") == 0) {
        return UTF8;
    }
    int wide = strncmp(encoding, "32", 2) == 0;
    if (!wide && strncmp(encoding, "16", 2) != 0) {
        return UNKNOWN;
    }
    encoding += 2;
    if (*encoding == '-' || *encoding == '_') {
        encoding++;
    }
    if (*encoding == '\0' || PyOS_stricmp(encoding, "le") == 0) {
        return wide ? UTF32LE : UTF16LE;
    }
    if (PyOS_stricmp(encoding, "be") == 0) {
        return wide ? UTF32BE : UTF16BE;
    }
    return UNKNOWN;
}

static int
put_surrogate(enum form form, Py_UCS4 ch, char *out)
{
    switch (form) {
    case UTF8:
        return kr_utf8_write(ch, out);
    case UTF16LE:
    case UTF32LE:
        out[0] = (char)ch;
        out[1] = (char)(ch >> 8);
        out[2] = out[3] = 0;
        return form == UTF16LE ? 2 : 4;
    case UTF16BE:
        out[0] = (char)(ch >> 8);
        out[1] = (char)ch;
        return 2;
    default:
        out[0] = out[1] = 0;
        out[2] = (char)(ch >> 8);
        out[3] = (char)ch;
        return 4;
    }
}

static PyObject *
pass_encode(PyObject *exc, PyObject *object, enum form form)
{
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    if (form == UNKNOWN || end <= start) {
        return PyCodec_StrictErrors(exc);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 4 * (end - start));
    if (bytes == NULL) {
        return NULL;
    }
    char *out = PyBytes_AS_STRING(bytes);
    for (Py_ssize_t i = start; i < end; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(object, i);
        char unit[4];
        if (!Py_UNICODE_IS_SURROGATE(ch)) {
            Py_DECREF(bytes);
            return PyCodec_StrictErrors(exc);
        }
        int n = put_surrogate(form, ch, unit);
        memcpy(out, unit, (size_t)n);
        out += n;
    }
    if (_PyBytes_Resize(&bytes, out - PyBytes_AS_STRING(bytes)) < 0) {
        return NULL;
    }
    return Py_BuildValue("(Nn)", bytes, end);
}

static PyObject *
pass_decode(PyObject *exc, PyObject *object, enum form form)
{
    Py_ssize_t start, end;
    if (get_range(exc, &start, &end) < 0) {
        return NULL;
    }
    const unsigned char *p = (unsigned char *)PyBytes_AS_STRING(object) +
                             start;
    Py_ssize_t left = PyBytes_GET_SIZE(object) - start;
    Py_UCS4 ch = 0;
    int n = form == UTF8 ? 3 : form == UTF16LE || form == UTF16BE ? 2 : 4;
    if (form != UNKNOWN && left >= n) {
        switch (form) {
        case UTF8:
            if ((p[0] & 0xF0) == 0xE0 && (p[1] & 0xC0) == 0x80 &&
                (p[2] & 0xC0) == 0x80) {
                ch = (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 |
                     (p[2] & 0x3Fu);
            }
            break;
        case UTF16LE:
            ch = (Py_UCS4)(p[1] << 8 | p[0]);
            break;
        case UTF16BE:
            ch = (Py_UCS4)(p[0] << 8 | p[1]);
            break;
        case UTF32LE:
            ch = (Py_UCS4)p[3] << 24 | (Py_UCS4)p[2] << 16 |
                 (Py_UCS4)p[1] << 8 | p[0];
            break;
        default:
            ch = (Py_UCS4)p[0] << 24 | (Py_UCS4)p[1] << 16 |
                 (Py_UCS4)p[2] << 8 | p[3];
        }
    }
    if (!Py_UNICODE_IS_SURROGATE(ch)) {
        return PyCodec_StrictErrors(exc);
    }
    PyObject *text = PyUnicode_FromOrdinal((int)ch);
    return text == NULL ? NULL : Py_BuildValue("(Nn)", text, start + n);
}

PyObject *
kr_codec_surrogatepass(PyObject *exc)
{
    int encode = IS(exc, Encode);
    if (!encode && !IS(exc, Decode)) {
        wrong_type(exc);
        return NULL;
    }
    PyObject *name = encode ? PyUnicodeEncodeError_GetEncoding(exc)
                            : PyUnicodeDecodeError_GetEncoding(exc);
    if (name == NULL) {
        return NULL;
    }
    const char *encoding = PyUnicode_AsUTF8(name);
    enum form form = encoding == NULL ? UNKNOWN : form_of(encoding);
    Py_DECREF(name);
    if (encoding == NULL) {
        return NULL;
    }
    PyObject *object = encode ? PyUnicodeEncodeError_GetObject(exc)
                              : PyUnicodeDecodeError_GetObject(exc);
    if (object == NULL) {
        return NULL;
    }
    PyObject *result = encode ? pass_encode(exc, object, form)
                              : pass_decode(exc, object, form);
    Py_DECREF(object);
    return result;
}

static PyObject *
escape_to_bytes(PyObject *exc)
{
    Py_ssize_t start, end;
    PyObject *object = PyUnicodeEncodeError_GetObject(exc);
    if (object == NULL) {
        return NULL;
    }
    if (get_range(exc, &start, &end) < 0) {
        Py_DECREF(object);
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL,
                                                end > start ? end - start : 0);
    for (Py_ssize_t i = start; bytes != NULL && i < end; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(object, i);
        if (ch < 0xDC80 || ch > 0xDCFF) {
            Py_CLEAR(bytes);
            PyCodec_StrictErrors(exc);
            break;
        }
        PyBytes_AS_STRING(bytes)[i - start] = (char)(ch - 0xDC00);
    }
    Py_DECREF(object);
    return bytes == NULL ? NULL : Py_BuildValue("(Nn)", bytes, end);
}

static PyObject *
escape_from_bytes(PyObject *exc)
{
    Py_ssize_t start, end;
    PyObject *object = PyUnicodeDecodeError_GetObject(exc);
    if (object == NULL) {
        return NULL;
    }
    if (get_range(exc, &start, &end) < 0) {
        Py_DECREF(object);
        return NULL;
    }
    const unsigned char *p = (unsigned char *)PyBytes_AS_STRING(object);
    Py_UCS2 chars[4];
    Py_ssize_t n = 0;
    /* one undecodable sequence has at most four bytes; ASCII never escapes */
    while (n < 4 && n < end - start && p[start + n] >= 128) {
        chars[n] = 0xDC00 + p[start + n];
        n++;
    }
    Py_DECREF(object);
    if (n == 0) {
        return PyCodec_StrictErrors(exc);
    }
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, chars, n);
    return text == NULL ? NULL : Py_BuildValue("(Nn)", text, start + n);
}

PyObject *
kr_codec_surrogateescape(PyObject *exc)
{
    if (IS(exc, Encode)) {
        return escape_to_bytes(exc);
    }
    if (IS(exc, Decode)) {
        return escape_from_bytes(exc);
    }
    wrong_type(exc);
    return NULL;
}
