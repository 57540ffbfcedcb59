/* Encoding and decoding by the name of the codec: shortcuts for the common
 * ones, the codec registry for the others. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/dispatch.h"
#include "objects/str/str.h"

int
kr_normalize_encoding(const char *encoding, char *lower, size_t size)
{
    char *out = lower, *end = lower + size - 1;
    int punctuation = 0;
    for (const char *p = encoding; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (!Py_ISALNUM(c) && c != '.') {
            punctuation = 1;
            continue;
        }
        if (punctuation && out != lower) {
            if (out == end) {
                return 0;
            }
            *out++ = '_';
        }
        punctuation = 0;
        if (out == end) {
            return 0;
        }
        *out++ = (char)Py_TOLOWER(c);
    }
    *out = '\0';
    return 1;
}

enum codec { OTHER, UTF8, UTF16, UTF32, LATIN1, ASCII };

static enum codec
known_codec(const char *encoding)
{
    static const struct {
        const char *name;
        enum codec codec;
    } names[] = {
        {"utf_8", UTF8},       {"utf8", UTF8},         {"ascii", ASCII},
        {"us_ascii", ASCII},   {"latin_1", LATIN1},    {"latin1", LATIN1},
        {"iso_8859_1", LATIN1}, {"iso8859_1", LATIN1}, {"utf_16", UTF16},
        {"utf16", UTF16},      {"utf_32", UTF32},      {"utf32", UTF32},
    };
    char lower[16];
    if (encoding == NULL) {
        return UTF8;
    }
    if (kr_normalize_encoding(encoding, lower, sizeof(lower))) {
        for (size_t i = 0; i < KR_ARRAY_LEN(names); i++) {
            if (strcmp(lower, names[i].name) == 0) {
                return names[i].codec;
            }
        }
    }
    return OTHER;
}

const char *
PyUnicode_GetDefaultEncoding(void)
{
    return "utf-8";
}

/* --- decoding --------------------------------------------------------------- */

static PyObject *
decode_registry(const char *s, Py_ssize_t size, const char *encoding,
                const char *errors)
{
    Py_buffer view;
    if (PyBuffer_FillInfo(&view, NULL, (void *)(uintptr_t)s, size, 1,
                          PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    PyObject *buffer = PyMemoryView_FromBuffer(&view);
    if (buffer == NULL) {
        return NULL;
    }
    PyObject *text = _PyCodec_DecodeText(buffer, encoding, errors);
    Py_DECREF(buffer);
    if (text == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' decoder returned '%.400s' instead of 'str'; "
                     "use codecs.decode() to decode to arbitrary types",
                     encoding, Py_TYPE(text)->tp_name);
        Py_DECREF(text);
        return NULL;
    }
    if (PyUnicode_READY(text) < 0) {
        Py_DECREF(text);
        return NULL;
    }
    return text;
}

/* In development mode names are checked even where they are not needed.
 * 0, or -1 with LookupError. */
static int
check_names(const char *encoding, const char *errors)
{
    if (encoding == NULL && errors == NULL) {
        return 0;
    }
    if (!Py_IsInitialized() || !_Py_GetConfig()->dev_mode) {
        return 0;
    }
    if (encoding != NULL && known_codec(encoding) == OTHER) {
        PyObject *codec = _PyCodec_Lookup(encoding);
        if (codec == NULL) {
            return -1;
        }
        Py_DECREF(codec);
    }
    if (errors != NULL && strcmp(errors, "strict") != 0) {
        PyObject *handler = PyCodec_LookupError(errors);
        if (handler == NULL) {
            return -1;
        }
        Py_DECREF(handler);
    }
    return 0;
}

PyObject *
PyUnicode_Decode(const char *s, Py_ssize_t size, const char *encoding,
                 const char *errors)
{
    if (check_names(encoding, errors) < 0) {
        return NULL;
    }
    switch (known_codec(encoding)) {
    case UTF8:
        return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
    case UTF16:
        return PyUnicode_DecodeUTF16(s, size, errors, NULL);
    case UTF32:
        return PyUnicode_DecodeUTF32(s, size, errors, NULL);
    case LATIN1:
        return PyUnicode_DecodeLatin1(s, size, errors);
    case ASCII:
        return PyUnicode_DecodeASCII(s, size, errors);
    default:
        return decode_registry(s, size, encoding, errors);
    }
}

PyObject *
PyUnicode_FromEncodedObject(PyObject *obj, const char *encoding,
                            const char *errors)
{
    if (obj == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_Check(obj)) {
        if (PyBytes_GET_SIZE(obj) == 0) {
            if (check_names(encoding, errors) < 0) {
                return NULL;
            }
            return kr_str_empty();
        }
        return PyUnicode_Decode(PyBytes_AS_STRING(obj), PyBytes_GET_SIZE(obj),
                                encoding, errors);
    }
    if (PyUnicode_Check(obj)) {
        PyErr_SetString(PyExc_TypeError, "decoding str is not supported");
        return NULL;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(obj, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError,
                     "decoding to str: need a bytes-like object, %.80s found",
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    PyObject *text = NULL;
    if (view.len != 0) {
        text = PyUnicode_Decode(view.buf, view.len, encoding, errors);
    }
    else if (check_names(encoding, errors) == 0) {
        text = kr_str_empty();
    }
    PyBuffer_Release(&view);
    return text;
}

/* --- encoding --------------------------------------------------------------- */

static PyObject *
encode_registry(PyObject *unicode, const char *encoding, const char *errors)
{
    PyObject *v = _PyCodec_EncodeText(unicode, encoding, errors);
    if (v == NULL || PyBytes_Check(v)) {
        return v;
    }
    PyObject *b = NULL;
    if (PyByteArray_Check(v)) {
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                             "encoder %s returned bytearray instead of bytes; "
                             "use codecs.encode() to encode to arbitrary "
                             "types", encoding) == 0) {
            b = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(v),
                                          PyByteArray_GET_SIZE(v));
        }
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' encoder returned '%.400s' instead of 'bytes'; "
                     "use codecs.encode() to encode to arbitrary types",
                     encoding, Py_TYPE(v)->tp_name);
    }
    Py_DECREF(v);
    return b;
}

PyObject *
PyUnicode_AsEncodedString(PyObject *unicode, const char *encoding,
                          const char *errors)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0 || check_names(encoding, errors) < 0) {
        return NULL;
    }
    switch (known_codec(encoding)) {
    case UTF8:
        return _PyUnicode_AsUTF8String(unicode, errors);
    case UTF16:
        return _PyUnicode_EncodeUTF16(unicode, errors, 0);
    case UTF32:
        return _PyUnicode_EncodeUTF32(unicode, errors, 0);
    case LATIN1:
        return _PyUnicode_AsLatin1String(unicode, errors);
    case ASCII:
        return _PyUnicode_AsASCIIString(unicode, errors);
    default:
        return encode_registry(unicode, encoding, errors);
    }
}

/* --- deprecated forms -------------------------------------------------------- */

static int
check_deprecated(PyObject *unicode, const char *message)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return -1;
    }
    return PyErr_WarnEx(PyExc_DeprecationWarning, message, 1);
}

static PyObject *
require_str(PyObject *v, const char *encoding, const char *verb,
            const char *what)
{
    if (v != NULL && !PyUnicode_Check(v)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' %s returned '%.400s' instead of 'str'; use "
                     "codecs.%s() to %s to arbitrary types",
                     encoding, verb, Py_TYPE(v)->tp_name, what, what);
        Py_CLEAR(v);
    }
    return v;
}

PyObject *
PyUnicode_AsDecodedObject(PyObject *unicode, const char *encoding,
                          const char *errors)
{
    if (check_deprecated(unicode, "PyUnicode_AsDecodedObject() is deprecated; "
                                  "use PyCodec_Decode() to decode from str") <
        0) {
        return NULL;
    }
    return PyCodec_Decode(unicode, encoding ? encoding : "utf-8", errors);
}

PyObject *
PyUnicode_AsDecodedUnicode(PyObject *unicode, const char *encoding,
                           const char *errors)
{
    if (check_deprecated(unicode,
                         "PyUnicode_AsDecodedUnicode() is deprecated; "
                         "use PyCodec_Decode() to decode from str to str") <
        0) {
        return NULL;
    }
    encoding = encoding ? encoding : "utf-8";
    return require_str(PyCodec_Decode(unicode, encoding, errors), encoding,
                       "decoder", "decode");
}

PyObject *
PyUnicode_AsEncodedObject(PyObject *unicode, const char *encoding,
                          const char *errors)
{
    if (check_deprecated(unicode,
                         "PyUnicode_AsEncodedObject() is deprecated; "
                         "use PyUnicode_AsEncodedString() to encode from str "
                         "to bytes or PyCodec_Encode() for generic "
                         "encoding") < 0) {
        return NULL;
    }
    return PyCodec_Encode(unicode, encoding ? encoding : "utf-8", errors);
}

PyObject *
PyUnicode_AsEncodedUnicode(PyObject *unicode, const char *encoding,
                           const char *errors)
{
    if (check_deprecated(unicode,
                         "PyUnicode_AsEncodedUnicode() is deprecated; "
                         "use PyCodec_Encode() to encode from str to str") <
        0) {
        return NULL;
    }
    encoding = encoding ? encoding : "utf-8";
    return require_str(PyCodec_Encode(unicode, encoding, errors), encoding,
                       "encoder", "encode");
}
