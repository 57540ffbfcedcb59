/* The codec registry: search functions, the cache of what they found, and
 * error handlers by name. */
#include <Python.h>

#include "objects/codecs.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "objects/str/dispatch.h"

const char *Py_hexdigits = "0123456789abcdef";

static PyObject *
strict_errors(PyObject *self, PyObject *exc)
{
    return PyCodec_StrictErrors(exc);
}

#define HANDLER(name, function, doc)                                           \
    {name, handle_##function, METH_O, doc}
#define WRAP(function)                                                         \
    static PyObject *handle_##function(PyObject *self, PyObject *exc)          \
    {                                                                          \
        return function(exc);                                                  \
    }

WRAP(PyCodec_IgnoreErrors)
WRAP(PyCodec_ReplaceErrors)
WRAP(PyCodec_XMLCharRefReplaceErrors)
WRAP(PyCodec_BackslashReplaceErrors)
WRAP(PyCodec_NameReplaceErrors)
WRAP(kr_codec_surrogatepass)
WRAP(kr_codec_surrogateescape)

static PyMethodDef handlers[] = {
    {"strict_errors", strict_errors, METH_O,
     "Implements the 'strict' error handling, which raises the error."},
    HANDLER("ignore_errors", PyCodec_IgnoreErrors,
            "Implements the 'ignore' error handling, which drops the data."),
    HANDLER("replace_errors", PyCodec_ReplaceErrors,
            "Implements the 'replace' error handling: a replacement marker."),
    HANDLER("xmlcharrefreplace_errors", PyCodec_XMLCharRefReplaceErrors,
            "Implements the 'xmlcharrefreplace' error handling."),
    HANDLER("backslashreplace_errors", PyCodec_BackslashReplaceErrors,
            "Implements the 'backslashreplace' error handling."),
    HANDLER("namereplace_errors", PyCodec_NameReplaceErrors,
            "Implements the 'namereplace' error handling."),
    HANDLER("surrogatepass", kr_codec_surrogatepass, NULL),
    HANDLER("surrogateescape", kr_codec_surrogateescape, NULL),
};

static const char *const handler_names[] = {
    "strict",           "ignore",      "replace",       "xmlcharrefreplace",
    "backslashreplace", "namereplace", "surrogatepass", "surrogateescape",
};

static int
add_handlers(PyInterpreterState *interp)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        PyObject *f = PyCFunction_NewEx(&handlers[i], NULL, NULL);
        if (f == NULL) {
            return -1;
        }
        int rc = PyDict_SetItemString(interp->codec_error_registry,
                                      handler_names[i], f);
        Py_DECREF(f);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* The registry of the interpreter, made on first use, together with the
 * standard codecs. */
static PyInterpreterState *
registry(void)
{
    PyInterpreterState *interp = kr_interp();
    if (interp->codec_search_path != NULL) {
        return interp;
    }
    interp->codec_search_path = PyList_New(0);
    interp->codec_search_cache = PyDict_New();
    interp->codec_error_registry = PyDict_New();
    if (interp->codec_search_path == NULL ||
        interp->codec_search_cache == NULL ||
        interp->codec_error_registry == NULL || add_handlers(interp) < 0) {
        Py_CLEAR(interp->codec_search_path);
        Py_CLEAR(interp->codec_search_cache);
        Py_CLEAR(interp->codec_error_registry);
        return NULL;
    }
    PyObject *mod = PyImport_ImportModule("encodings");
    if (mod == NULL) {
        return NULL;
    }
    Py_DECREF(mod);
    interp->codecs_initialized = 1;
    return interp;
}

int
PyCodec_Register(PyObject *search_function)
{
    PyInterpreterState *interp = registry();
    if (interp == NULL) {
        return -1;
    }
    if (search_function == NULL) {
        PyErr_BadArgument();
        return -1;
    }
    if (!PyCallable_Check(search_function)) {
        PyErr_SetString(PyExc_TypeError, "argument must be callable");
        return -1;
    }
    return PyList_Append(interp->codec_search_path, search_function);
}

int
PyCodec_Unregister(PyObject *search_function)
{
    PyInterpreterState *interp = kr_interp();
    PyObject *path = interp->codec_search_path;
    if (path == NULL) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        if (PyList_GET_ITEM(path, i) == search_function) {
            PyDict_Clear(interp->codec_search_cache);
            return PyList_SetSlice(path, i, i + 1, NULL);
        }
    }
    return 0;
}

static PyObject *
normalized(const char *encoding)
{
    size_t size = strlen(encoding) + 1;
    char *lower = PyMem_Malloc(size);
    if (lower == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *name = NULL;
    if (kr_normalize_encoding(encoding, lower, size)) {
        name = PyUnicode_FromString(lower);
    }
    PyMem_Free(lower);
    return name;
}

PyObject *
_PyCodec_Lookup(const char *encoding)
{
    if (encoding == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    PyInterpreterState *interp = registry();
    if (interp == NULL) {
        return NULL;
    }
    PyObject *name = normalized(encoding);
    if (name == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&name);
    PyObject *found = PyDict_GetItemWithError(interp->codec_search_cache, name);
    if (found != NULL || PyErr_Occurred()) {
        Py_XINCREF(found);
        Py_DECREF(name);
        return found;
    }
    PyObject *path = interp->codec_search_path;
    if (PyList_GET_SIZE(path) == 0) {
        PyErr_SetString(PyExc_LookupError,
                        "no codec search functions registered: "
                        "can't find encoding");
        Py_DECREF(name);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        PyObject *search = Py_NewRef(PyList_GET_ITEM(path, i));
        found = PyObject_CallOneArg(search, name);
        Py_DECREF(search);
        if (found == NULL) {
            break;
        }
        if (found != Py_None) {
            if (!PyTuple_Check(found) || PyTuple_GET_SIZE(found) != 4) {
                PyErr_SetString(PyExc_TypeError,
                                "codec search functions must return "
                                "4-tuples");
                Py_CLEAR(found);
            }
            else if (PyDict_SetItem(interp->codec_search_cache, name, found) <
                     0) {
                Py_CLEAR(found);
            }
            Py_DECREF(name);
            return found;
        }
        Py_CLEAR(found);
    }
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_LookupError, "unknown encoding: %s", encoding);
    }
    Py_DECREF(name);
    return NULL;
}

int
PyCodec_KnownEncoding(const char *encoding)
{
    PyObject *codecs = _PyCodec_Lookup(encoding);
    if (codecs == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(codecs);
    return 1;
}

/* --- parts of a codec ---------------------------------------------------------- */

static PyObject *
codec_item(const char *encoding, Py_ssize_t index)
{
    PyObject *codecs = _PyCodec_Lookup(encoding);
    if (codecs == NULL) {
        return NULL;
    }
    PyObject *v = Py_NewRef(PyTuple_GET_ITEM(codecs, index));
    Py_DECREF(codecs);
    return v;
}

PyObject *
PyCodec_Encoder(const char *encoding)
{
    return codec_item(encoding, 0);
}

PyObject *
PyCodec_Decoder(const char *encoding)
{
    return codec_item(encoding, 1);
}

static PyObject *
incremental(PyObject *codec_info, const char *errors, PyObject *attr)
{
    PyObject *factory = PyObject_GetAttr(codec_info, attr);
    if (factory == NULL) {
        return NULL;
    }
    PyObject *codec = errors != NULL ? PyObject_CallFunction(factory, "s",
                                                             errors)
                                     : PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    return codec;
}

PyObject *
_PyCodecInfo_GetIncrementalDecoder(PyObject *codec_info, const char *errors)
{
    return incremental(codec_info, errors, KR_ID(incrementaldecoder));
}

PyObject *
_PyCodecInfo_GetIncrementalEncoder(PyObject *codec_info, const char *errors)
{
    return incremental(codec_info, errors, KR_ID(incrementalencoder));
}

static PyObject *
find_incremental(const char *encoding, const char *errors, PyObject *attr)
{
    PyObject *info = _PyCodec_Lookup(encoding);
    if (info == NULL) {
        return NULL;
    }
    PyObject *codec = incremental(info, errors, attr);
    Py_DECREF(info);
    return codec;
}

PyObject *
PyCodec_IncrementalEncoder(const char *encoding, const char *errors)
{
    return find_incremental(encoding, errors, KR_ID(incrementalencoder));
}

PyObject *
PyCodec_IncrementalDecoder(const char *encoding, const char *errors)
{
    return find_incremental(encoding, errors, KR_ID(incrementaldecoder));
}

static PyObject *
make_stream(const char *encoding, PyObject *stream, const char *errors,
            Py_ssize_t index)
{
    PyObject *factory = codec_item(encoding, index);
    if (factory == NULL) {
        return NULL;
    }
    PyObject *codec = errors != NULL
                          ? PyObject_CallFunction(factory, "Os", stream, errors)
                          : PyObject_CallOneArg(factory, stream);
    Py_DECREF(factory);
    return codec;
}

PyObject *
PyCodec_StreamReader(const char *encoding, PyObject *stream,
                     const char *errors)
{
    return make_stream(encoding, stream, errors, 2);
}

PyObject *
PyCodec_StreamWriter(const char *encoding, PyObject *stream,
                     const char *errors)
{
    return make_stream(encoding, stream, errors, 3);
}

/* --- encoding and decoding ------------------------------------------------------ */

static PyObject *
run_codec(PyObject *function, PyObject *object, const char *encoding,
          const char *errors, int encode)
{
    PyObject *result = errors != NULL
                           ? PyObject_CallFunction(function, "Os", object,
                                                   errors)
                           : PyObject_CallOneArg(function, object);
    Py_DECREF(function);
    if (result == NULL) {
        _PyErr_TrySetFromCause("%s with '%s' codec failed",
                               encode ? "encoding" : "decoding", encoding);
        return NULL;
    }
    if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2) {
        PyErr_SetString(PyExc_TypeError,
                        encode ? "encoder must return a tuple (object, integer)"
                               : "decoder must return a tuple (object,integer)");
        Py_DECREF(result);
        return NULL;
    }
    PyObject *v = Py_NewRef(PyTuple_GET_ITEM(result, 0));
    Py_DECREF(result);
    return v;
}

PyObject *
PyCodec_Encode(PyObject *object, const char *encoding, const char *errors)
{
    PyObject *f = PyCodec_Encoder(encoding);
    return f == NULL ? NULL : run_codec(f, object, encoding, errors, 1);
}

PyObject *
PyCodec_Decode(PyObject *object, const char *encoding, const char *errors)
{
    PyObject *f = PyCodec_Decoder(encoding);
    return f == NULL ? NULL : run_codec(f, object, encoding, errors, 0);
}

PyObject *
_PyCodec_LookupTextEncoding(const char *encoding,
                            const char *alternate_command)
{
    PyObject *codec = _PyCodec_Lookup(encoding);
    if (codec == NULL || PyTuple_CheckExact(codec)) {
        return codec;
    }
    PyObject *attr;
    if (_PyObject_LookupAttr(codec, KR_ID(_is_text_encoding), &attr) < 0) {
        Py_DECREF(codec);
        return NULL;
    }
    if (attr != NULL) {
        int is_text = PyObject_IsTrue(attr);
        Py_DECREF(attr);
        if (is_text <= 0) {
            Py_DECREF(codec);
            if (is_text == 0) {
                PyErr_Format(PyExc_LookupError,
                             "'%.400s' is not a text encoding; "
                             "use %s to handle arbitrary codecs",
                             encoding, alternate_command);
            }
            return NULL;
        }
    }
    return codec;
}

static PyObject *
text_function(const char *encoding, const char *command, Py_ssize_t index)
{
    PyObject *codec = _PyCodec_LookupTextEncoding(encoding, command);
    if (codec == NULL) {
        return NULL;
    }
    PyObject *f = Py_NewRef(PyTuple_GET_ITEM(codec, index));
    Py_DECREF(codec);
    return f;
}

PyObject *
_PyCodec_EncodeText(PyObject *object, const char *encoding, const char *errors)
{
    PyObject *f = text_function(encoding, "codecs.encode()", 0);
    return f == NULL ? NULL : run_codec(f, object, encoding, errors, 1);
}

PyObject *
_PyCodec_DecodeText(PyObject *object, const char *encoding, const char *errors)
{
    PyObject *f = text_function(encoding, "codecs.decode()", 1);
    return f == NULL ? NULL : run_codec(f, object, encoding, errors, 0);
}

/* --- error handlers -------------------------------------------------------------- */

int
PyCodec_RegisterError(const char *name, PyObject *error)
{
    PyInterpreterState *interp = registry();
    if (interp == NULL) {
        return -1;
    }
    if (!PyCallable_Check(error)) {
        PyErr_SetString(PyExc_TypeError, "handler must be callable");
        return -1;
    }
    return PyDict_SetItemString(interp->codec_error_registry, name, error);
}

PyObject *
PyCodec_LookupError(const char *name)
{
    PyInterpreterState *interp = registry();
    if (interp == NULL) {
        return NULL;
    }
    if (name == NULL) {
        name = "strict";
    }
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        return NULL;
    }
    PyObject *handler = PyDict_GetItemWithError(interp->codec_error_registry,
                                                key);
    Py_DECREF(key);
    if (handler != NULL) {
        return Py_NewRef(handler);
    }
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_LookupError, "unknown error handler name '%.400s'",
                     name);
    }
    return NULL;
}
