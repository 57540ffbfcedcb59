/* The iterator protocols, synchronous and asynchronous. */
#include "objects/abstract/abstract.h"

PyObject *
PyObject_GetIter(PyObject *o)
{
    getiterfunc f = Py_TYPE(o)->tp_iter;
    if (f == NULL) {
        if (PySequence_Check(o)) {
            return PySeqIter_New(o);
        }
        return kr_type_error("'%.200s' object is not iterable", o);
    }
    PyObject *res = f(o);
    if (res != NULL && !PyIter_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "iter() returned non-iterator of type '%.100s'",
                     Py_TYPE(res)->tp_name);
        Py_CLEAR(res);
    }
    return res;
}

PyObject *
PyObject_GetAIter(PyObject *o)
{
    PyTypeObject *t = Py_TYPE(o);
    if (t->tp_as_async == NULL || t->tp_as_async->am_aiter == NULL) {
        return kr_type_error("'%.200s' object is not an async iterable", o);
    }
    PyObject *it = t->tp_as_async->am_aiter(o);
    if (it != NULL && !PyAIter_Check(it)) {
        PyErr_Format(PyExc_TypeError,
                     "aiter() returned not an async iterator of type '%.100s'",
                     Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    return it;
}

int
PyIter_Check(PyObject *o)
{
    PyTypeObject *tp = Py_TYPE(o);
    return tp->tp_iternext != NULL &&
           tp->tp_iternext != &_PyObject_NextNotImplemented;
}

int
PyAIter_Check(PyObject *o)
{
    PyTypeObject *tp = Py_TYPE(o);
    return tp->tp_as_async != NULL && tp->tp_as_async->am_anext != NULL &&
           tp->tp_as_async->am_anext != &_PyObject_NextNotImplemented;
}

PyObject *
PyIter_Next(PyObject *iter)
{
    PyObject *result = Py_TYPE(iter)->tp_iternext(iter);
    if (result == NULL) {
        PyThreadState *tstate = kr_tstate();
        if (tstate->curexc_type &&
            PyErr_GivenExceptionMatches(tstate->curexc_type,
                                        PyExc_StopIteration)) {
            PyErr_Clear();
        }
    }
    return result;
}

PySendResult
PyIter_Send(PyObject *iter, PyObject *arg, PyObject **result)
{
    PyAsyncMethods *as = Py_TYPE(iter)->tp_as_async;
    if (as && as->am_send) {
        return as->am_send(iter, arg, result);
    }
    if (Py_IsNone(arg) && PyIter_Check(iter)) {
        *result = Py_TYPE(iter)->tp_iternext(iter);
    }
    else {
        *result = PyObject_CallMethodOneArg(iter, KR_ID(send), arg);
    }
    if (*result != NULL) {
        return PYGEN_NEXT;
    }
    if (_PyGen_FetchStopIterationValue(result) == 0) {
        return PYGEN_RETURN;
    }
    return PYGEN_ERROR;
}
