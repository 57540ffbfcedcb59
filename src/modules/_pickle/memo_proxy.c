/* What the `memo` attribute of a pickler or unpickler gives: a view of its memo
 * that keeps it alive. */
#include "modules/_pickle/pickle.h"

PyObject *
kr_memo_proxy_owner(PyObject *op)
{
    return ((struct memo_proxy *)op)->owner;
}

PyObject *
kr_memo_proxy_new(PyTypeObject *type, PyObject *owner)
{
    struct memo_proxy *proxy = PyObject_GC_New(struct memo_proxy, type);
    if (proxy != NULL) {
        proxy->owner = Py_NewRef(owner);
        PyObject_GC_Track(proxy);
    }
    return (PyObject *)proxy;
}

PyObject *
kr_memo_proxy_reduce(PyObject *op, PyObject *ignored)
{
    PyObject *dict = PyObject_CallMethodNoArgs(op, KR_ID(copy));
    return dict ? Py_BuildValue("O(N)", &PyDict_Type, dict) : NULL;
}

int
kr_memo_proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct memo_proxy *)op)->owner);
    return 0;
}

int
kr_memo_proxy_clear(PyObject *op)
{
    Py_CLEAR(((struct memo_proxy *)op)->owner);
    return 0;
}

void
kr_memo_proxy_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    kr_memo_proxy_clear(op);
    PyObject_GC_Del(op);
}
