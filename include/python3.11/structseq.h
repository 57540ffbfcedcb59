/* Struct sequences: tuples whose items have names.
   Such as the results of os.stat() and time.localtime(). */
#ifndef Py_STRUCTSEQ_H
#define Py_STRUCTSEQ_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct PyStructSequence_Field {
    const char *name;
    const char *doc;
} PyStructSequence_Field;

typedef struct PyStructSequence_Desc {
    const char *name;
    const char *doc;
    PyStructSequence_Field *fields; /* ends with a name of NULL */
    int n_in_sequence;              /* the others have a name only */
} PyStructSequence_Desc;

/* Name of a field that has none. */
PyAPI_DATA(const char *const) PyStructSequence_UnnamedField;

#ifndef Py_LIMITED_API
typedef PyTupleObject PyStructSequence;
#endif

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyStructSequence_New(PyTypeObject *);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyStructSequence_GetItem(PyObject *, Py_ssize_t);

/* Take over (steal) a reference that is passed in. */
PyAPI_FUNC(void) PyStructSequence_SetItem(PyObject *, Py_ssize_t, PyObject *);

/* Types (NewType gives a new reference). */
PyAPI_FUNC(PyTypeObject *) PyStructSequence_NewType(PyStructSequence_Desc *);

#ifndef Py_LIMITED_API
/* Types (NewType gives a new reference). */
PyAPI_FUNC(void) PyStructSequence_InitType(PyTypeObject *,
    PyStructSequence_Desc *);
PyAPI_FUNC(int) PyStructSequence_InitType2(PyTypeObject *,
    PyStructSequence_Desc *);
#endif

#ifndef Py_LIMITED_API
#define PyStructSequence_SET_ITEM(op, i, v) PyTuple_SET_ITEM((op), (i), (v))
#define PyStructSequence_GET_ITEM(op, i) PyTuple_GET_ITEM((op), (i))
#endif

#ifdef __cplusplus
}
#endif

#endif
