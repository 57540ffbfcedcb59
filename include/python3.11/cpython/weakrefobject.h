/* Layout of weak references.
   Those of one object are linked in a list that begins in the object. */
#ifndef Py_CPYTHON_WEAKREFOBJECT_H
#define Py_CPYTHON_WEAKREFOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
struct _PyWeakReference {
    PyObject_HEAD
    PyObject *wr_object; /* borrowed; None once it died */
    PyObject *wr_callback; /* may be NULL */
    Py_hash_t hash;      /* of the object; -1: not computed */
    PyWeakReference *wr_prev;
    PyWeakReference *wr_next;
    vectorcallfunc vectorcall;
};

/* The list of references. */
PyAPI_FUNC(void) _PyWeakref_ClearRef(PyWeakReference *);
PyAPI_FUNC(Py_ssize_t) _PyWeakref_GetWeakrefCount(PyWeakReference *);

/* A borrowed reference; an object being destroyed counts as dead. */
static inline PyObject *
PyWeakref_GET_OBJECT(PyObject *ref_obj)
{
    PyObject *obj = _Py_CAST(PyWeakReference *, ref_obj)->wr_object;
    return Py_REFCNT(obj) > 0 ? obj : Py_None;
}

#define PyWeakref_GET_OBJECT(ref) PyWeakref_GET_OBJECT(_PyObject_CAST(ref))
#endif

#ifdef __cplusplus
}
#endif

#endif
