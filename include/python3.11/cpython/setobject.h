/* Layout of sets: a hash table with open addressing.
   Small sets keep the table inside the object. */
#ifndef Py_CPYTHON_SETOBJECT_H
#define Py_CPYTHON_SETOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#define PySet_MINSIZE 8

typedef struct {
    PyObject *key; /* NULL: free; _PySet_Dummy: deleted */
    Py_hash_t hash;
} setentry;

typedef struct {
    PyObject_HEAD
    Py_ssize_t fill; /* used and deleted places */
    Py_ssize_t used;
    Py_ssize_t mask; /* places - 1 */
    setentry *table;
    Py_hash_t hash;  /* of a frozen set; -1: not computed */
    Py_ssize_t finger; /* where pop() looks next */
    setentry smalltable[PySet_MINSIZE];
    PyObject *weakreflist;
} PySetObject;

PyAPI_DATA(PyObject *) _PySet_Dummy;

/* Walking and updating; NextEntry lends the key. */
PyAPI_FUNC(int) _PySet_NextEntry(PyObject *, Py_ssize_t *, PyObject **,
    Py_hash_t *);
PyAPI_FUNC(int) _PySet_Update(PyObject *, PyObject *);

#define PySet_GET_SIZE(so) \
    (assert(PyAnySet_Check(so)), ((PySetObject *)(so))->used)
#endif

#ifdef __cplusplus
}
#endif

#endif
