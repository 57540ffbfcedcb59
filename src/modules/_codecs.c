/* The _codecs module: the registry and the built-in codecs as functions that
 * return (result, length consumed). */
#define PY_SSIZE_T_CLEAN
#include "objects/args/named.h"

#include <Python.h>
#include <ctype.h>
#include <stdbool.h>

static PyObject *
codec_tuple(PyObject *result, Py_ssize_t length)
{
    return result == NULL ? NULL : Py_BuildValue("Nn", result, length);
}

/* --- registry ------------------------------------------------------------------- */

static PyObject *
register_(PyObject *mod, PyObject *search_function)
{
    return PyCodec_Register(search_function) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
unregister(PyObject *mod, PyObject *search_function)
{
    return PyCodec_Unregister(search_function) < 0 ? NULL
                                                   : Py_NewRef(Py_None);
}

/* The only argument as C string. */
static const char *
text_argument(const char *name, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument(name, "argument", "str", arg);
        return NULL;
    }
    Py_ssize_t n;
    const char *s = PyUnicode_AsUTF8AndSize(arg, &n);
    if (s != NULL && strlen(s) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return s;
}

static PyObject *
lookup(PyObject *mod, PyObject *arg)
{
    const char *encoding = text_argument("lookup", arg);
    return encoding == NULL ? NULL : _PyCodec_Lookup(encoding);
}

static PyObject *
lookup_error(PyObject *mod, PyObject *arg)
{
    const char *name = text_argument("lookup_error", arg);
    return name == NULL ? NULL : PyCodec_LookupError(name);
}

#define ARGS PyObject *const *args, Py_ssize_t nargs

static bool
check_count(Py_ssize_t nargs, const char *format)
{
    Py_ssize_t min = -1, max = 0;
    const char *f = format;
    for (; *f != ':'; f++) {
        if (*f == '|') {
            min = max;
        }
        max += isalpha((unsigned char)*f) != 0;
    }
    return _PyArg_CheckPositional(f + 1, nargs, min < 0 ? max : min, max);
}

/* _PyArg_ParseStack, with the count of the arguments checked before. */
#define parse_positional(args, nargs, format, ...)                             \
    (check_count(nargs, format) &&                                             \
     _PyArg_ParseStack(args, nargs, format, __VA_ARGS__))

static PyObject *
register_error(PyObject *mod, ARGS)
{
    const char *errors;
    PyObject *handler;
    if (!parse_positional(args, nargs, "sO:register_error", &errors, &handler) ||
        PyCodec_RegisterError(errors, handler) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static const char *const encode_names[] = {"obj", "encoding", "errors", NULL};

static PyObject *
encode(PyObject *mod, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    static _PyArg_Parser parser = {.keywords = encode_names,
                                   .format = "O|ss:encode"};
    PyObject *obj;
    const char *encoding = "utf-8", *errors = NULL;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &obj, &encoding,
                        &errors)) {
        return NULL;
    }
    return PyCodec_Encode(obj, encoding, errors);
}

static PyObject *
decode(PyObject *mod, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    static _PyArg_Parser parser = {.keywords = encode_names,
                                   .format = "O|ss:decode"};
    PyObject *obj;
    const char *encoding = "utf-8", *errors = NULL;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &obj, &encoding,
                        &errors)) {
        return NULL;
    }
    return PyCodec_Decode(obj, encoding, errors);
}

/* --- decoders --------------------------------------------------------------------- */

typedef PyObject *(*stateless)(const char *, Py_ssize_t, const char *);
typedef PyObject *(*stateful)(const char *, Py_ssize_t, const char *,
                              Py_ssize_t *);

static PyObject *
run_stateless(ARGS, const char *format, stateless f)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, format, &data, &errors)) {
        return NULL;
    }
    PyObject *result = codec_tuple(f(data.buf, data.len, errors), data.len);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
run_stateful(ARGS, const char *format, stateful f, int final)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, format, &data, &errors, &final)) {
        return NULL;
    }
    Py_ssize_t consumed = data.len;
    PyObject *text = f(data.buf, data.len, errors, final ? NULL : &consumed);
    PyBuffer_Release(&data);
    return codec_tuple(text, consumed);
}

#define STATELESS(name, function)                                              \
    static PyObject *name##_decode(PyObject *mod, ARGS)              \
    {                                                                          \
        return run_stateless(args, nargs, "y*|z:" #name "_decode", function);         \
    }

/* the escape codecs take str too, and finish by default */
#define STATEFUL(name, function, format, final)                                \
    static PyObject *name##_decode(PyObject *mod, ARGS)              \
    {                                                                          \
        return run_stateful(args, nargs, format "|zi:" #name "_decode", function,     \
                            final);                                            \
    }

STATELESS(latin_1, PyUnicode_DecodeLatin1)
STATELESS(ascii, PyUnicode_DecodeASCII)
STATEFUL(utf_8, PyUnicode_DecodeUTF8Stateful, "y*", 0)
STATEFUL(utf_7, PyUnicode_DecodeUTF7Stateful, "y*", 0)
STATEFUL(unicode_escape, _PyUnicode_DecodeUnicodeEscapeStateful, "s*", 1)
STATEFUL(raw_unicode_escape, _PyUnicode_DecodeRawUnicodeEscapeStateful, "s*",
         1)

typedef PyObject *(*ordered)(const char *, Py_ssize_t, const char *, int *,
                             Py_ssize_t *);

static PyObject *
run_ordered(ARGS, const char *format, ordered f, int order)
{
    Py_buffer data;
    const char *errors = NULL;
    int final = 0;
    if (!parse_positional(args, nargs, format, &data, &errors, &final)) {
        return NULL;
    }
    Py_ssize_t consumed = data.len;
    PyObject *text = f(data.buf, data.len, errors, &order,
                       final ? NULL : &consumed);
    PyBuffer_Release(&data);
    return codec_tuple(text, consumed);
}

static PyObject *
run_ex(ARGS, const char *format, ordered f)
{
    Py_buffer data;
    const char *errors = NULL;
    int order = 0, final = 0;
    if (!parse_positional(args, nargs, format, &data, &errors, &order, &final)) {
        return NULL;
    }
    Py_ssize_t consumed = data.len;
    PyObject *text = f(data.buf, data.len, errors, &order,
                       final ? NULL : &consumed);
    PyBuffer_Release(&data);
    return text == NULL ? NULL : Py_BuildValue("Nni", text, consumed, order);
}

#define ORDERED(name, function, order)                                         \
    static PyObject *name##_decode(PyObject *mod, ARGS)              \
    {                                                                          \
        return run_ordered(args, nargs, "y*|zi:" #name "_decode", function, order);   \
    }
#define EX(name, function)                                                     \
    static PyObject *name##_decode(PyObject *mod, ARGS)              \
    {                                                                          \
        return run_ex(args, nargs, "y*|zii:" #name "_decode", function);              \
    }

ORDERED(utf_16, PyUnicode_DecodeUTF16Stateful, 0)
ORDERED(utf_16_le, PyUnicode_DecodeUTF16Stateful, -1)
ORDERED(utf_16_be, PyUnicode_DecodeUTF16Stateful, 1)
EX(utf_16_ex, PyUnicode_DecodeUTF16Stateful)
ORDERED(utf_32, PyUnicode_DecodeUTF32Stateful, 0)
ORDERED(utf_32_le, PyUnicode_DecodeUTF32Stateful, -1)
ORDERED(utf_32_be, PyUnicode_DecodeUTF32Stateful, 1)
EX(utf_32_ex, PyUnicode_DecodeUTF32Stateful)

static PyObject *
escape_decode(PyObject *mod, ARGS)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, "s*|z:escape_decode", &data, &errors)) {
        return NULL;
    }
    PyObject *bytes = PyBytes_DecodeEscape(data.buf, data.len, errors, 0,
                                           NULL);
    PyObject *result = codec_tuple(bytes, data.len);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
charmap_decode(PyObject *mod, ARGS)
{
    Py_buffer data;
    const char *errors = NULL;
    PyObject *mapping = NULL;
    if (!parse_positional(args, nargs, "y*|zO:charmap_decode", &data, &errors,
                          &mapping)) {
        return NULL;
    }
    if (mapping == Py_None) {
        mapping = NULL;
    }
    PyObject *text = PyUnicode_DecodeCharmap(data.buf, data.len, mapping,
                                             errors);
    PyObject *result = codec_tuple(text, data.len);
    PyBuffer_Release(&data);
    return result;
}

/* --- encoders ----------------------------------------------------------------------- */

static PyObject *
readbuffer_encode(PyObject *mod, ARGS)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, "s*|z:readbuffer_encode", &data, &errors)) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(data.buf, data.len);
    PyObject *result = codec_tuple(bytes, data.len);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
escape_encode(PyObject *mod, ARGS)
{
    PyObject *data;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, "O!|z:escape_encode", &PyBytes_Type, &data,
                          &errors)) {
        return NULL;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(data);
    if (n > PY_SSIZE_T_MAX / 4) {
        PyErr_SetString(PyExc_OverflowError, "string is too large to encode");
        return NULL;
    }
    PyObject *v = PyBytes_FromStringAndSize(NULL, 4 * n);
    if (v == NULL) {
        return NULL;
    }
    const char *s = PyBytes_AS_STRING(data);
    char *p = PyBytes_AS_STRING(v);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\'' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        }
        else if (c == '\t' || c == '\n' || c == '\r') {
            *p++ = '\\';
            *p++ = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
        }
        else if (c < ' ' || c >= 0x7F) {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = Py_hexdigits[c >> 4];
            *p++ = Py_hexdigits[c & 15];
        }
        else {
            *p++ = (char)c;
        }
    }
    if (_PyBytes_Resize(&v, p - PyBytes_AS_STRING(v)) < 0) {
        return NULL;
    }
    return codec_tuple(v, n);
}

#define ENCODER(name, expr)                                                    \
    static PyObject *name##_encode(PyObject *mod, ARGS)              \
    {                                                                          \
        PyObject *str;                                                         \
        const char *errors = NULL;                                             \
        if (!parse_positional(args, nargs, "U|z:" #name "_encode", &str, &errors)) {  \
            return NULL;                                                       \
        }                                                                      \
        Py_ssize_t n = PyUnicode_GetLength(str);                               \
        return n < 0 ? NULL : codec_tuple(expr, n);                            \
    }
#define ORDERED_ENCODER(name, function)                                        \
    static PyObject *name##_encode(PyObject *mod, ARGS)              \
    {                                                                          \
        PyObject *str;                                                         \
        const char *errors = NULL;                                             \
        int order = 0;                                                         \
        if (!parse_positional(args, nargs, "U|zi:" #name "_encode", &str, &errors,    \
                              &order)) {                                       \
            return NULL;                                                       \
        }                                                                      \
        Py_ssize_t n = PyUnicode_GetLength(str);                               \
        return n < 0 ? NULL : codec_tuple(function(str, errors, order), n);    \
    }

ENCODER(utf_8, _PyUnicode_AsUTF8String(str, errors))
ENCODER(utf_7, _PyUnicode_EncodeUTF7(str, 0, 0, errors))
ORDERED_ENCODER(utf_16, _PyUnicode_EncodeUTF16)
ENCODER(utf_16_le, _PyUnicode_EncodeUTF16(str, errors, -1))
ENCODER(utf_16_be, _PyUnicode_EncodeUTF16(str, errors, 1))
ORDERED_ENCODER(utf_32, _PyUnicode_EncodeUTF32)
ENCODER(utf_32_le, _PyUnicode_EncodeUTF32(str, errors, -1))
ENCODER(utf_32_be, _PyUnicode_EncodeUTF32(str, errors, 1))
ENCODER(unicode_escape, PyUnicode_AsUnicodeEscapeString(str))
ENCODER(raw_unicode_escape, PyUnicode_AsRawUnicodeEscapeString(str))
ENCODER(latin_1, _PyUnicode_AsLatin1String(str, errors))
ENCODER(ascii, _PyUnicode_AsASCIIString(str, errors))

static PyObject *
charmap_encode(PyObject *mod, ARGS)
{
    PyObject *str, *mapping = NULL;
    const char *errors = NULL;
    if (!parse_positional(args, nargs, "U|zO:charmap_encode", &str, &errors,
                          &mapping)) {
        return NULL;
    }
    if (mapping == Py_None) {
        mapping = NULL;
    }
    return codec_tuple(_PyUnicode_EncodeCharmap(str, mapping, errors),
                       PyUnicode_GET_LENGTH(str));
}

static PyObject *
charmap_build(PyObject *mod, PyObject *map)
{
    if (!PyUnicode_Check(map)) {
        _PyArg_BadArgument("charmap_build", "argument", "str", map);
        return NULL;
    }
    return PyUnicode_BuildEncodingMap(map);
}

#define FAST(f) (PyCFunction)(void (*)(void))(f), METH_FASTCALL
#define KEYWORDS(f) (PyCFunction)(void (*)(void))(f),                          \
    METH_FASTCALL | METH_KEYWORDS
#define ENC(name, sig) {#name "_encode", FAST(name##_encode),          \
    #name "_encode($module, str, " sig ", /)\n--\n\n"}
#define DEC(name, sig) {#name "_decode", FAST(name##_decode),          \
    #name "_decode($module, data, " sig ", /)\n--\n\n"}

static PyMethodDef methods[] = {
    {"register", register_, METH_O,
     "register($module, search_function, /)\n--\n\n"
     "Add a search function, which maps a name to a codec or None."},
    {"unregister", unregister, METH_O,
     "unregister($module, search_function, /)\n--\n\n"
     "Remove a search function and forget what was found."},
    {"lookup", lookup, METH_O,
     "lookup($module, encoding, /)\n--\n\nReturn the codec of that name."},
    {"encode", KEYWORDS(encode),
     "encode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\n"
     "Encode an object with any codec."},
    {"decode", KEYWORDS(decode),
     "decode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\n"
     "Decode an object with any codec."},
    {"escape_encode", FAST(escape_encode),
     "escape_encode($module, data, errors=None, /)\n--\n\n"},
    DEC(escape, "errors=None"),
    ENC(utf_8, "errors=None"), DEC(utf_8, "errors=None, final=False"),
    ENC(utf_7, "errors=None"), DEC(utf_7, "errors=None, final=False"),
    ENC(utf_16, "errors=None, byteorder=0"),
    ENC(utf_16_le, "errors=None"), ENC(utf_16_be, "errors=None"),
    DEC(utf_16, "errors=None, final=False"),
    DEC(utf_16_le, "errors=None, final=False"),
    DEC(utf_16_be, "errors=None, final=False"),
    DEC(utf_16_ex, "errors=None, byteorder=0, final=False"),
    ENC(utf_32, "errors=None, byteorder=0"),
    ENC(utf_32_le, "errors=None"), ENC(utf_32_be, "errors=None"),
    DEC(utf_32, "errors=None, final=False"),
    DEC(utf_32_le, "errors=None, final=False"),
    DEC(utf_32_be, "errors=None, final=False"),
    DEC(utf_32_ex, "errors=None, byteorder=0, final=False"),
    ENC(unicode_escape, "errors=None"),
    DEC(unicode_escape, "errors=None, final=True"),
    ENC(raw_unicode_escape, "errors=None"),
    DEC(raw_unicode_escape, "errors=None, final=True"),
    ENC(latin_1, "errors=None"), DEC(latin_1, "errors=None"),
    ENC(ascii, "errors=None"), DEC(ascii, "errors=None"),
    ENC(charmap, "errors=None, mapping=None"),
    DEC(charmap, "errors=None, mapping=None"),
    {"charmap_build", charmap_build, METH_O,
     "charmap_build($module, map, /)\n--\n\n"},
    {"readbuffer_encode", FAST(readbuffer_encode),
     "readbuffer_encode($module, data, errors=None, /)\n--\n\n"},
    {"register_error", FAST(register_error),
     "register_error($module, errors, handler, /)\n--\n\n"
     "Name an error handler, a callable that takes the exception."},
    {"lookup_error", lookup_error, METH_O,
     "lookup_error($module, name, /)\n--\n\n"
     "Return the error handler of that name."},
    {NULL},
};

static struct PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_codecs",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__codecs(void)
{
    return PyModuleDef_Init(&def);
}
