/* Slices and the Ellipsis object.
   Indices are any objects; Unpack makes C integers of them. */
#ifndef Py_SLICEOBJECT_H
#define Py_SLICEOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyObject) _Py_EllipsisObject;
#define Py_Ellipsis (&_Py_EllipsisObject)

#ifndef Py_LIMITED_API
typedef struct {
    PyObject_HEAD
    PyObject *start; /* never NULL, perhaps None */
    PyObject *stop;
    PyObject *step;
} PySliceObject;
#endif

PyAPI_DATA(PyTypeObject) PySlice_Type;
PyAPI_DATA(PyTypeObject) PyEllipsis_Type;

#define PySlice_Check(op) Py_IS_TYPE((op), &PySlice_Type)

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PySlice_New(PyObject *, PyObject *, PyObject *);

/* Indices; -1 means failure. */
PyAPI_FUNC(int) PySlice_GetIndices(PyObject *, Py_ssize_t, Py_ssize_t *,
    Py_ssize_t *, Py_ssize_t *);
Py_DEPRECATED(3.7) PyAPI_FUNC(int) PySlice_GetIndicesEx(PyObject *, Py_ssize_t,
    Py_ssize_t *, Py_ssize_t *, Py_ssize_t *, Py_ssize_t *);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03070000
/* Indices; -1 means failure. */
PyAPI_FUNC(Py_ssize_t) PySlice_AdjustIndices(Py_ssize_t, Py_ssize_t *,
    Py_ssize_t *, Py_ssize_t);
PyAPI_FUNC(int) PySlice_Unpack(PyObject *, Py_ssize_t *, Py_ssize_t *,
    Py_ssize_t *);
#endif

#ifndef Py_LIMITED_API
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PySlice_FromIndices(Py_ssize_t, Py_ssize_t);

/* Indices; -1 means failure. */
PyAPI_FUNC(int) _PySlice_GetLongIndices(PySliceObject *, PyObject *,
    PyObject **, PyObject **, PyObject **);
#endif

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03070000
#define PySlice_GetIndicesEx(slice, length, start, stop, step, slicelen) \
    (PySlice_Unpack((slice), (start), (stop), (step)) < 0 \
         ? ((*(slicelen) = 0), -1) \
         : ((*(slicelen) = PySlice_AdjustIndices( \
                 (length), (start), (stop), *(step))), \
            0))
#endif

#ifdef __cplusplus
}
#endif

#endif
