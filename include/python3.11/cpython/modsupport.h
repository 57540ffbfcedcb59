/* Parsing arguments without a tuple.
   A parser is static and remembers what it made of its format. */
#ifndef Py_CPYTHON_MODSUPPORT_H
#define Py_CPYTHON_MODSUPPORT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef struct _PyArg_Parser {
    const char *format;
    const char *const *keywords;
    const char *fname;
    const char *custom_msg;
    int pos; /* number of positional-only arguments */
    int min;
    int max;
    PyObject *kwtuple;
    struct _PyArg_Parser *next;
} _PyArg_Parser;

/* Name of the package while a module of it is loaded. */
PyAPI_DATA(const char *) _Py_PackageContext;

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyModule_CreateInitialized(PyModuleDef *, int);

/* Parsing gives 1 for success and 0 for failure. */
PyAPI_FUNC(PyObject **) _Py_VaBuildStack(PyObject **, Py_ssize_t, const char *,
    va_list, Py_ssize_t *);
PyAPI_FUNC(PyObject **) _Py_VaBuildStack_SizeT(PyObject **, Py_ssize_t,
    const char *, va_list, Py_ssize_t *);
PyAPI_FUNC(void) _PyArg_BadArgument(const char *, const char *, const char *,
    PyObject *);
PyAPI_FUNC(int) _PyArg_CheckPositional(const char *, Py_ssize_t, Py_ssize_t,
    Py_ssize_t);
PyAPI_FUNC(int) _PyArg_NoKeywords(const char *, PyObject *);
PyAPI_FUNC(int) _PyArg_NoKwnames(const char *, PyObject *);
PyAPI_FUNC(int) _PyArg_NoPositional(const char *, PyObject *);
PyAPI_FUNC(int) _PyArg_ParseStack(PyObject *const *, Py_ssize_t, const char *,
    ...);
PyAPI_FUNC(int) _PyArg_ParseStackAndKeywords(PyObject *const *, Py_ssize_t,
    PyObject *, struct _PyArg_Parser *, ...);
PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywordsFast(PyObject *, PyObject *,
    struct _PyArg_Parser *, ...);
PyAPI_FUNC(PyObject *const *) _PyArg_UnpackKeywords(PyObject *const *,
    Py_ssize_t, PyObject *, PyObject *, struct _PyArg_Parser *, int, int, int,
    PyObject **);
PyAPI_FUNC(PyObject *const *) _PyArg_UnpackKeywordsWithVararg(PyObject *const *,
    Py_ssize_t, PyObject *, PyObject *, struct _PyArg_Parser *, int, int, int,
    int, PyObject **);
PyAPI_FUNC(int) _PyArg_UnpackStack(PyObject *const *, Py_ssize_t, const char *,
    Py_ssize_t, Py_ssize_t, ...);
PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywordsFast(PyObject *, PyObject *,
    struct _PyArg_Parser *, va_list);

/* The common cases need no call. */
#define _PyArg_NoKeywords(funcname, kwargs) \
    ((kwargs) == NULL || _PyArg_NoKeywords((funcname), (kwargs)))
#define _PyArg_NoKwnames(funcname, kwnames) \
    ((kwnames) == NULL || _PyArg_NoKwnames((funcname), (kwnames)))
#define _PyArg_NoPositional(funcname, args) \
    ((args) == NULL || _PyArg_NoPositional((funcname), (args)))
#define _PyArg_CheckPositional(funcname, nargs, min, max) \
    ((!ANY_VARARGS(max) && (min) <= (nargs) && (nargs) <= (max)) \
     || _PyArg_CheckPositional((funcname), (nargs), (min), (max)))
#define _PyArg_UnpackKeywords( \
    args, nargs, kwargs, kwnames, parser, minpos, maxpos, minkw, buf) \
    (((minkw) == 0 && (kwargs) == NULL && (kwnames) == NULL \
      && (minpos) <= (nargs) && (nargs) <= (maxpos) && (args) != NULL) \
         ? (args) \
         : _PyArg_UnpackKeywords((args), (nargs), (kwargs), (kwnames), \
               (parser), (minpos), (maxpos), (minkw), (buf)))
#endif

#ifdef __cplusplus
}
#endif

#endif
