/* Layout of lists, and access without checks.
   GET_ITEM gives a borrowed reference, SET_ITEM steals one. */
#ifndef Py_CPYTHON_LISTOBJECT_H
#define Py_CPYTHON_LISTOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef struct {
    PyObject_VAR_HEAD
    PyObject **ob_item;
    Py_ssize_t allocated; /* places at ob_item */
} PyListObject;

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyList_Extend(PyListObject *, PyObject *);

/* Statistics. */
PyAPI_FUNC(void) _PyList_DebugMallocStats(FILE *);

#define _PyList_CAST(op) \
    (assert(PyList_Check(op)), _Py_CAST(PyListObject *, (op)))

static inline Py_ssize_t
PyList_GET_SIZE(PyObject *op)
{
    return Py_SIZE(_PyList_CAST(op));
}

/* For new lists: what was in the place is not dropped. */
static inline void
PyList_SET_ITEM(PyObject *op, Py_ssize_t index, PyObject *value)
{
    _PyList_CAST(op)->ob_item[index] = value;
}

#define PyList_GET_SIZE(op) PyList_GET_SIZE(_PyObject_CAST(op))
#define PyList_GET_ITEM(op, index) (_PyList_CAST(op)->ob_item[(index)])
#define PyList_SET_ITEM(op, index, value) \
    PyList_SET_ITEM(_PyObject_CAST(op), (index), _PyObject_CAST(value))
#endif

#ifdef __cplusplus
}
#endif

#endif
