/* Calling objects: the vectorcall and tp_call protocols and all their
 * convenience forms.
 *
 * Every function here returns a new reference, or NULL with an exception set;
 * arguments stay owned by the caller. */
#ifndef KR_OBJECTS_CALL_H
#define KR_OBJECTS_CALL_H

#include <Python.h>

#include "base/common.h"
#include "memory/tstate.h"

/* Calls with a tuple and a dict (or NULL). */
PyAPI_FUNC(PyObject *)
    _PyObject_Call(PyThreadState *tstate, PyObject *callable, PyObject *args,
                   PyObject *kwargs);

/* Calls with an array of positional arguments and a dict (or NULL). */
PyAPI_FUNC(PyObject *)
    _PyObject_FastCallDictTstate(PyThreadState *tstate, PyObject *callable,
                                 PyObject *const *args, size_t nargsf,
                                 PyObject *kwargs);

/* Calls with `obj` in front of the tuple `args`. */
PyAPI_FUNC(PyObject *)
    _PyObject_Call_Prepend(PyThreadState *tstate, PyObject *callable,
                           PyObject *obj, PyObject *args, PyObject *kwargs);

/* Makes a vectorcall argument array from positional arguments and a non-empty
 * dict: args, then the dict's values; `*kwnames` is set to a new tuple of its
 * keys. Room for one writable slot is left in front of the array. To be freed
 * with kr_stack_unpack_free. NULL with an exception set on failure, also when
 * a key is not a str. */
PyObject *const *kr_stack_unpack_dict(PyObject *const *args, Py_ssize_t nargs,
                                      PyObject *kwargs, PyObject **kwnames);
void kr_stack_unpack_free(PyObject *const *stack, Py_ssize_t nargs,
                          PyObject *kwnames);

/* The vectorcall function of `callable`, or NULL; never fails. */
static inline vectorcallfunc
kr_vectorcall_func(PyObject *callable)
{
    PyTypeObject *tp = Py_TYPE(callable);
    if (!PyType_HasFeature(tp, Py_TPFLAGS_HAVE_VECTORCALL)) {
        return NULL;
    }
    vectorcallfunc func;
    memcpy(&func, (char *)callable + tp->tp_vectorcall_offset, sizeof(func));
    return func;
}

/* A result must come without, a NULL with an exception. */
static inline PyObject *
kr_check_result(PyThreadState *tstate, PyObject *callable, PyObject *result)
{
    if (KR_LIKELY((result != NULL) == (tstate->curexc_type == NULL))) {
        return result;
    }
    return _Py_CheckFunctionResult(tstate, callable, result, NULL);
}

/* PyObject_Vectorcall for callers that know the thread state. */
static inline PyObject *
kr_vectorcall(PyThreadState *tstate, PyObject *callable, PyObject *const *args,
              size_t nargsf, PyObject *kwnames)
{
    vectorcallfunc func = kr_vectorcall_func(callable);
    if (KR_UNLIKELY(func == NULL)) {
        return _PyObject_MakeTpCall(tstate, callable, args,
                                    PyVectorcall_NARGS(nargsf), kwnames);
    }
    return kr_check_result(tstate, callable,
                           func(callable, args, nargsf, kwnames));
}

#endif
