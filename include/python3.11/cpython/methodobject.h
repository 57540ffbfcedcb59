/* Layout of C functions, and access without checks.
   All accessors give borrowed references. */
#ifndef Py_CPYTHON_METHODOBJECT_H
#define Py_CPYTHON_METHODOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef struct {
    PyObject_HEAD
    PyMethodDef *m_ml;
    PyObject *m_self;   /* may be NULL */
    PyObject *m_module; /* may be NULL */
    PyObject *m_weakreflist;
    vectorcallfunc vectorcall;
} PyCFunctionObject;

/* Of METH_METHOD functions. */
typedef struct {
    PyCFunctionObject func;
    PyTypeObject *mm_class;
} PyCMethodObject;

PyAPI_DATA(PyTypeObject) PyCMethod_Type;

#define PyCMethod_CheckExact(op) Py_IS_TYPE((op), &PyCMethod_Type)
#define PyCMethod_Check(op) PyObject_TypeCheck((op), &PyCMethod_Type)

#define _PyCFunctionObject_CAST(func) \
    (assert(PyCFunction_Check(func)), _Py_CAST(PyCFunctionObject *, (func)))
#define _PyCMethodObject_CAST(func) \
    (assert(PyCMethod_Check(func)), _Py_CAST(PyCMethodObject *, (func)))

static inline PyCFunction
PyCFunction_GET_FUNCTION(PyObject *func)
{
    return _PyCFunctionObject_CAST(func)->m_ml->ml_meth;
}

static inline int
PyCFunction_GET_FLAGS(PyObject *func)
{
    return _PyCFunctionObject_CAST(func)->m_ml->ml_flags;
}

static inline PyObject *
PyCFunction_GET_SELF(PyObject *func)
{
    PyCFunctionObject *f = _PyCFunctionObject_CAST(func);
    return (f->m_ml->ml_flags & METH_STATIC) ? _Py_NULL : f->m_self;
}

static inline PyTypeObject *
PyCFunction_GET_CLASS(PyObject *func)
{
    PyCFunctionObject *f = _PyCFunctionObject_CAST(func);
    return (f->m_ml->ml_flags & METH_METHOD)
        ? _PyCMethodObject_CAST(func)->mm_class
        : _Py_NULL;
}

#define PyCFunction_GET_FUNCTION(func) \
    PyCFunction_GET_FUNCTION(_PyObject_CAST(func))
#define PyCFunction_GET_FLAGS(func) PyCFunction_GET_FLAGS(_PyObject_CAST(func))
#define PyCFunction_GET_SELF(func) PyCFunction_GET_SELF(_PyObject_CAST(func))
#define PyCFunction_GET_CLASS(func) PyCFunction_GET_CLASS(_PyObject_CAST(func))
#endif

#ifdef __cplusplus
}
#endif

#endif
