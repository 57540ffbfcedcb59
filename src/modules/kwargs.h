/* Argument unpacking for METH_FASTCALL|METH_KEYWORDS functions of modules. */
#ifndef KR_MODULES_KWARGS_H
#define KR_MODULES_KWARGS_H

#include <Python.h>
#include <stdbool.h>

#define KR_FASTCALL_ARGS                                                       \
    PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames
#define KR_FAST (METH_FASTCALL | METH_KEYWORDS)
#define KR_CAST(f) ((PyCFunction)(void (*)(void))(f))

/* Declares the parser of one function: its name, then its parameters ("" for
 * positional-only ones). */
#define KR_PARSER(name, ...)                                                   \
    static const char *const keywords[] = {__VA_ARGS__, NULL};                 \
    static _PyArg_Parser parser = {.keywords = keywords, .fname = (name)}

/* Spreads a call's arguments over `out`, one entry per parameter, NULL where
 * none was given. Entries are borrowed. False with TypeError set. */
static inline bool
kr_unpack(KR_FASTCALL_ARGS, _PyArg_Parser *parser, int minpos, int maxpos,
          int total, PyObject **out)
{
    if (kwnames == NULL && minpos <= nargs && nargs <= maxpos) {
        int i = 0;
        for (; i < nargs; i++) {
            out[i] = args[i];
        }
        for (; i < total; i++) {
            out[i] = NULL;
        }
        return true;
    }
    for (int i = 0; i < total; i++) {
        out[i] = NULL;
    }
    PyObject *const *res = (_PyArg_UnpackKeywords)(
        args, nargs, NULL, kwnames, parser, minpos, maxpos, 0, out);
    return res != NULL;
}

/* As kr_unpack, for tp_new and tp_init. */
static inline bool
kr_unpack_tuple(PyObject *tuple, PyObject *kwargs, _PyArg_Parser *parser,
                int minpos, int maxpos, int total, PyObject **out)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    for (int i = 0; i < total; i++) {
        out[i] = NULL;
    }
    PyObject *const *res = (_PyArg_UnpackKeywords)(
        ((PyTupleObject *)tuple)->ob_item, n,
        kwargs != NULL && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, NULL,
        parser, minpos, maxpos, 0, out);
    if (res == NULL) {
        return false;
    }
    if (res != out) {
        for (Py_ssize_t i = 0; i < n; i++) {
            out[i] = res[i];
        }
    }
    return true;
}

/* Converters of one argument: false with an exception set. */
static inline bool
kr_arg_int(PyObject *o, int *out)
{
    *out = _PyLong_AsInt(o);
    return *out != -1 || !PyErr_Occurred();
}

/* As "i" of PyArg_Parse, whose errors of too large numbers are others. */
static inline bool
kr_arg_parsed_int(PyObject *o, int *out)
{
    return PyArg_Parse(o, "i", out) != 0;
}

static inline bool
kr_arg_long(PyObject *o, long *out)
{
    *out = PyLong_AsLong(o);
    return *out != -1 || !PyErr_Occurred();
}

static inline bool
kr_arg_longlong(PyObject *o, long long *out)
{
    *out = PyLong_AsLongLong(o);
    return *out != -1 || !PyErr_Occurred();
}

static inline bool
kr_arg_ssize(PyObject *o, Py_ssize_t *out)
{
    PyObject *index = PyNumber_Index(o);
    *out = -1;
    if (index == NULL) {
        return false;
    }
    *out = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *out != -1 || !PyErr_Occurred();
}

static inline bool
kr_arg_bool(PyObject *o, int *out)
{
    *out = PyObject_IsTrue(o);
    return *out >= 0;
}

/* A contiguous read-only buffer; "a bytes-like object" in the message. */
static inline bool
kr_arg_buffer(const char *func, const char *arg, PyObject *o, Py_buffer *out)
{
    if (PyObject_GetBuffer(o, out, PyBUF_SIMPLE) != 0) {
        return false;
    }
    if (!PyBuffer_IsContiguous(out, 'C')) {
        PyBuffer_Release(out);
        _PyArg_BadArgument(func, arg, "contiguous buffer", o);
        return false;
    }
    return true;
}

#endif
