/* Functions written in C.
   METH_ flags say how the C function is called. */
#ifndef Py_METHODOBJECT_H
#define Py_METHODOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef PyObject *(*_PyCFunctionFast)(PyObject *, PyObject *const *,
    Py_ssize_t);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *,
    PyObject *);
typedef PyObject *(*_PyCFunctionFastWithKeywords)(PyObject *,
    PyObject *const *, Py_ssize_t, PyObject *);
typedef PyObject *(*PyCMethod)(PyObject *, PyTypeObject *,
    PyObject *const *, size_t, PyObject *);

struct PyMethodDef {
    const char *ml_name;
    PyCFunction ml_meth;
    int ml_flags; /* METH_* */
    const char *ml_doc;
};

#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x030a0000
#define METH_FASTCALL 0x0080
#endif
#define METH_STACKLESS 0x0000
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03090000
#define METH_METHOD 0x0200
#endif

PyAPI_DATA(PyTypeObject) PyCFunction_Type;

#define PyCFunction_CheckExact(op) Py_IS_TYPE((op), &PyCFunction_Type)
#define PyCFunction_Check(op) PyObject_TypeCheck((op), &PyCFunction_Type)

/* Give a new reference, or NULL with an exception set. */
Py_DEPRECATED(3.9) PyAPI_FUNC(PyObject *) PyCFunction_Call(PyObject *,
    PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) PyCFunction_New(PyMethodDef *, PyObject *);
PyAPI_FUNC(PyObject *) PyCFunction_NewEx(PyMethodDef *, PyObject *, PyObject *);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyCFunction_GetSelf(PyObject *);

/* What a function object is made of. */
PyAPI_FUNC(int) PyCFunction_GetFlags(PyObject *);
PyAPI_FUNC(PyCFunction) PyCFunction_GetFunction(PyObject *);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03090000
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyCMethod_New(PyMethodDef *, PyObject *, PyObject *,
    PyTypeObject *);
#endif

#define _PyCFunction_CAST(func) \
    _Py_CAST(PyCFunction, _Py_CAST(void (*)(void), (func)))
#define PyCFunction_New(ml, self) PyCFunction_NewEx((ml), (self), NULL)
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03090000
#define PyCFunction_NewEx(ml, self, mod) \
    PyCMethod_New((ml), (self), (mod), NULL)
#endif

#ifndef Py_LIMITED_API
#include "cpython/methodobject.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
