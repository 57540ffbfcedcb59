/* The `_io` module: open() and its kin. */
#include "modules/_io/io.h"

/* The mode of open(), taken apart. */
struct mode {
    bool creating, reading, writing, appending, updating, text, binary;
    char raw[6];
};

static bool
parse_mode(const char *mode, struct mode *m)
{
    *m = (struct mode){0};
    for (const char *s = mode; *s; s++) {
        bool *flag;
        switch (*s) {
        case 'x':
            flag = &m->creating;
            break;
        case 'r':
            flag = &m->reading;
            break;
        case 'w':
            flag = &m->writing;
            break;
        case 'a':
            flag = &m->appending;
            break;
        case '+':
            flag = &m->updating;
            break;
        case 't':
            flag = &m->text;
            break;
        case 'b':
            flag = &m->binary;
            break;
        default:
            flag = NULL;
        }
        if (flag == NULL || *flag) {
            PyErr_Format(PyExc_ValueError, "invalid mode: '%s'", mode);
            return false;
        }
        *flag = true;
    }
    char *p = m->raw;
    if (m->creating) {
        *p++ = 'x';
    }
    if (m->reading) {
        *p++ = 'r';
    }
    if (m->writing) {
        *p++ = 'w';
    }
    if (m->appending) {
        *p++ = 'a';
    }
    if (m->updating) {
        *p++ = '+';
    }
    *p = '\0';
    return true;
}

static bool
check_options(const struct mode *m, const char *encoding, const char *errors,
              const char *newline, int buffering)
{
    const char *message = NULL;
    if (m->text && m->binary) {
        message = "can't have text and binary mode at once";
    }
    else if (m->creating + m->reading + m->writing + m->appending > 1) {
        message = "must have exactly one of create/read/write/append mode";
    }
    else if (m->binary && encoding != NULL) {
        message = "binary mode doesn't take an encoding argument";
    }
    else if (m->binary && errors != NULL) {
        message = "binary mode doesn't take an errors argument";
    }
    else if (m->binary && newline != NULL) {
        message = "binary mode doesn't take a newline argument";
    }
    if (message != NULL) {
        PyErr_SetString(PyExc_ValueError, message);
        return false;
    }
    return !(m->binary && buffering == 1 &&
             PyErr_WarnEx(PyExc_RuntimeWarning,
                          "line buffering (buffering=1) isn't supported in "
                          "binary mode, the default buffer size will be used",
                          1) < 0);
}

/* The size of the buffer; -1 with an exception. Sets *line_buffering. */
static int
buffer_size(PyObject *raw, int buffering, bool *line_buffering)
{
    int tty = 0;
    if (buffering < 0) {
        tty = io_truth(io_call(raw, KR_ID(isatty)));
        if (tty < 0) {
            return -1;
        }
    }
    *line_buffering = buffering == 1 || tty;
    if (*line_buffering) {
        buffering = -1;
    }
    if (buffering < 0) {
        PyObject *size = PyObject_GetAttr(raw, KR_ID(_blksize));
        if (size == NULL) {
            return -1;
        }
        buffering = _PyLong_AsInt(size);
        Py_DECREF(size);
        if (buffering == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    if (buffering < 0) {
        PyErr_SetString(PyExc_ValueError, "invalid buffering size");
        return -1;
    }
    return buffering;
}

/* Builds the layers over the open `stream`, which it owns: on failure it is
 * closed, as far as that works, and released. */
static PyObject *
add_layers(PyObject *stream, const struct mode *m, const char *mode,
           int buffering, const char *encoding, const char *errors,
           const char *newline)
{
    bool line_buffering;
    PyTypeObject *type;
    int size = buffer_size(stream, buffering, &line_buffering);
    if (size < 0) {
        goto fail;
    }
    if (size == 0) {
        if (!m->binary) {
            PyErr_SetString(PyExc_ValueError,
                            "can't have unbuffered text I/O");
            goto fail;
        }
        return stream;
    }
    if (m->updating) {
        type = &kr_BufferedRandom_Type;
    }
    else if (m->creating || m->writing || m->appending) {
        type = &kr_BufferedWriter_Type;
    }
    else if (m->reading) {
        type = &kr_BufferedReader_Type;
    }
    else {
        PyErr_Format(PyExc_ValueError, "unknown mode: '%s'", mode);
        goto fail;
    }
    PyObject *next =
        PyObject_CallFunction((PyObject *)type, "Oi", stream, size);
    if (next == NULL) {
        goto fail;
    }
    Py_SETREF(stream, next);
    if (m->binary) {
        return stream;
    }
    next = PyObject_CallFunction((PyObject *)&kr_TextIOWrapper_Type, "OsssOO",
                                 stream, encoding, errors, newline,
                                 line_buffering ? Py_True : Py_False,
                                 Py_False);
    if (next == NULL) {
        goto fail;
    }
    Py_SETREF(stream, next);
    PyObject *mode_obj = PyUnicode_FromString(mode);
    if (mode_obj == NULL ||
        PyObject_SetAttr(stream, KR_ID(mode), mode_obj) < 0) {
        Py_XDECREF(mode_obj);
        goto fail;
    }
    Py_DECREF(mode_obj);
    return stream;

fail:;
    PyObject *t, *v, *tb;
    PyErr_Fetch(&t, &v, &tb);
    PyObject *closed = io_call(stream, KR_ID(close));
    kr_io_chain(t, v, tb);
    Py_XDECREF(closed);
    Py_DECREF(stream);
    return NULL;
}

PyObject *
kr_io_open(PyObject *file, const char *mode, int buffering,
           const char *encoding, const char *errors, const char *newline,
           int closefd, PyObject *opener)
{
    struct mode m;
    bool is_number = PyNumber_Check(file);
    PyObject *path = is_number ? Py_NewRef(file) : PyOS_FSPath(file);
    if (path == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(path) && !PyBytes_Check(path) && !is_number) {
        PyErr_Format(PyExc_TypeError, "invalid file: %R", file);
        Py_DECREF(path);
        return NULL;
    }
    if (!parse_mode(mode, &m) ||
        !check_options(&m, encoding, errors, newline, buffering)) {
        Py_DECREF(path);
        return NULL;
    }
    PyObject *raw = PyObject_CallFunction(
        (PyObject *)&kr_FileIO_Type, "OsOO", path, m.raw,
        closefd ? Py_True : Py_False, opener ? opener : Py_None);
    Py_DECREF(path);
    return raw == NULL ? NULL
                       : add_layers(raw, &m, mode, buffering, encoding,
                                    errors, newline);
}

/* A str argument (or None where `nullable`) as C string; false on error. */
static bool
arg_string(PyObject *o, const char *what, bool nullable, const char **out)
{
    Py_ssize_t len;
    if (o == NULL || (nullable && o == Py_None)) {
        return true;
    }
    if (!PyUnicode_Check(o)) {
        _PyArg_BadArgument("open", what, nullable ? "str or None" : "str", o);
        return false;
    }
    *out = PyUnicode_AsUTF8AndSize(o, &len);
    if (*out != NULL && strlen(*out) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        *out = NULL;
    }
    return *out != NULL;
}

static PyObject *
module_open(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("open", "file", "mode", "buffering", "encoding", "errors",
              "newline", "closefd", "opener");
    PyObject *a[8];
    const char *mode = "r", *encoding = NULL, *errors = NULL, *newline = NULL;
    int buffering = -1, closefd = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 8, 8, a) ||
        !arg_string(a[1], "argument 'mode'", false, &mode) ||
        (a[2] != NULL && !kr_arg_int(a[2], &buffering)) ||
        !arg_string(a[3], "argument 'encoding'", true, &encoding) ||
        !arg_string(a[4], "argument 'errors'", true, &errors) ||
        !arg_string(a[5], "argument 'newline'", true, &newline) ||
        (a[6] != NULL && !kr_arg_bool(a[6], &closefd))) {
        return NULL;
    }
    return kr_io_open(a[0], mode, buffering, encoding, errors, newline, closefd,
                      a[7]);
}

static PyObject *
module_open_code(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("open_code", "path");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!PyUnicode_Check(a[0])) {
        _PyArg_BadArgument("open_code", "argument 'path'", "str", a[0]);
        return NULL;
    }
    return PyFile_OpenCodeObject(a[0]);
}

static PyObject *
module_text_encoding(PyObject *module, PyObject *const *args,
                     Py_ssize_t nargs)
{
    int stacklevel = 2;
    if (!_PyArg_CheckPositional("text_encoding", nargs, 1, 2) ||
        (nargs > 1 && !kr_arg_int(args[1], &stacklevel))) {
        return NULL;
    }
    if (args[0] != Py_None) {
        return Py_NewRef(args[0]);
    }
    if (_Py_GetConfig()->warn_default_encoding &&
        PyErr_WarnEx(PyExc_EncodingWarning,
                     "'encoding' argument not specified", stacklevel)) {
        return NULL;
    }
    return Py_UTF8Mode ? PyUnicode_FromString("utf-8")
                       : Py_NewRef(KR_ID(locale));
}

static PyMethodDef module_methods[] = {
    {"open", KR_CAST(module_open), KR_FAST,
     "open($module, /, file, mode='r', buffering=-1, encoding=None,\n"
     "     errors=None, newline=None, closefd=True, opener=None)\n--\n\n"
     "Open a file and give a stream; OSError on failure.\n\n"
     "mode is 'r' (read), 'w' (write, cut first), 'x' (create) or 'a'\n"
     "(append), with '+' to also do the other, and 'b' for bytes or 't'\n"
     "for text. buffering 0 is off (bytes only), 1 by line (text only)."},
    {"text_encoding", KR_CAST(module_text_encoding), METH_FASTCALL,
     "text_encoding($module, encoding, stacklevel=2, /)\n--\n\n"
     "The encoding that a function with encoding=None hands on."},
    {"open_code", KR_CAST(module_open_code), KR_FAST,
     "open_code($module, /, path)\n--\n\n"
     "Open a file of code; a hook of the embedder may take part."},
    {NULL},
};

static PyTypeObject *const module_types[] = {
    &kr_IOBase_Type,         &kr_RawIOBase_Type,     &kr_BufferedIOBase_Type,
    &kr_TextIOBase_Type,     &kr_FileIO_Type,        &kr_BytesIO_Type,
    &kr_StringIO_Type,       &kr_BufferedReader_Type,
    &kr_BufferedWriter_Type, &kr_BufferedRWPair_Type,
    &kr_BufferedRandom_Type, &kr_TextIOWrapper_Type,
    &kr_NewlineDecoder_Type,
};

/* OSError and ValueError at once, so that either catches it. */
static int
add_unsupported(PyObject *module)
{
    if (kr_io_state.unsupported_operation == NULL) {
        kr_io_state.unsupported_operation = PyObject_CallFunction(
            (PyObject *)&PyType_Type, "s(OO){}", "UnsupportedOperation",
            PyExc_OSError, PyExc_ValueError);
        if (kr_io_state.unsupported_operation == NULL) {
            return -1;
        }
    }
    return PyModule_AddObjectRef(module, "UnsupportedOperation",
                                 kr_io_state.unsupported_operation);
}

static int
module_exec(PyObject *module)
{
    /* open() and its kin are known as members of `io` */
    if (PyModule_AddStringConstant(module, "__name__", "io") < 0 ||
        PyModule_AddFunctions(module, module_methods) < 0 ||
        PyModule_AddIntConstant(module, "DEFAULT_BUFFER_SIZE",
                                IO_DEFAULT_BUFFER_SIZE) < 0 ||
        add_unsupported(module) < 0 ||
        PyModule_AddObjectRef(module, "BlockingIOError",
                              PyExc_BlockingIOError) < 0 ||
        PyType_Ready(&_PyBytesIOBuffer_Type) < 0) {
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(module_types); i++) {
        if (PyModule_AddType(module, module_types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_io",
    .m_doc = "The streams of the module io: raw, buffered and text, in files "
             "and in memory.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__io(void)
{
    return PyModuleDef_Init(&module_def);
}
