/* Calls from bytecode that need more than a new frame. */
#include "objects/ids.h"
#include "objects/type/slot_funcs.h"
#include "objects/type/type.h"
#include "vm/support.h"
#include "vm/trace.h"

PyFunctionObject *
kr_plain_init(PyThreadState *ts, PyObject *callable)
{
    if (!PyType_Check(callable) ||
        Py_TYPE(callable)->tp_call != PyType_Type.tp_call) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)callable;
    if (type->tp_init != kr_slot_tp_init || type->tp_new != kr_object_new ||
        type->tp_vectorcall != NULL ||
        type->tp_flags & Py_TPFLAGS_IS_ABSTRACT) {
        return NULL;
    }
    PyObject *init = _PyType_Lookup(type, KR_ID(__init__));
    if (init == NULL || !kr_is_plain_function(ts, init)) {
        return NULL;
    }
    PyCodeObject *co =
        (PyCodeObject *)((PyFunctionObject *)init)->func_code;
    int special = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    return (co->co_flags & (CO_OPTIMIZED | special)) == CO_OPTIMIZED
               ? (PyFunctionObject *)init
               : NULL;
}

/* Profilers see calls of built-in functions and methods. */
PyObject *
kr_call_traced(PyThreadState *ts, _PyInterpreterFrame *f, PyObject *callable,
               PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *event = NULL;
    if (PyCFunction_CheckExact(callable) || PyCMethod_CheckExact(callable)) {
        event = Py_NewRef(callable);
    }
    else if (Py_IS_TYPE(callable, &PyMethodDescr_Type) &&
             PyVectorcall_NARGS(nargsf) > 0) {
        /* the profiler is shown the bound method */
        PyObject *self = args[0];
        event = Py_TYPE(callable)->tp_descr_get(callable, self,
                                                (PyObject *)Py_TYPE(self));
        if (event == NULL) {
            return NULL;
        }
    }
    if (event == NULL || ts->c_profilefunc == NULL) {
        Py_XDECREF(event);
        return PyObject_Vectorcall(callable, args, nargsf, kwnames);
    }
    PyObject *result = NULL;
    if (kr_trace_event(ts, f, ts->c_profilefunc, ts->c_profileobj,
                       PyTrace_C_CALL, event) == 0) {
        result = PyObject_Vectorcall(callable, args, nargsf, kwnames);
        if (ts->c_profilefunc != NULL) {
            result = kr_trace_c_result(ts, f, event, result);
        }
    }
    Py_DECREF(event);
    return result;
}

PyObject *
kr_call_ex(PyThreadState *ts, _PyInterpreterFrame *f, _PyCFrame *cframe,
           PyObject *callable, PyObject *args, PyObject *kwargs)
{
    if (KR_LIKELY(!cframe->use_tracing) || ts->c_profilefunc == NULL) {
        return PyObject_Call(callable, args, kwargs);
    }
    PyObject *event = NULL;
    if (PyCFunction_CheckExact(callable) || PyCMethod_CheckExact(callable)) {
        event = Py_NewRef(callable);
    }
    else if (Py_IS_TYPE(callable, &PyMethodDescr_Type) &&
             PyTuple_GET_SIZE(args) > 0) {
        PyObject *self = PyTuple_GET_ITEM(args, 0);
        event = Py_TYPE(callable)->tp_descr_get(callable, self,
                                                (PyObject *)Py_TYPE(self));
        if (event == NULL) {
            return NULL;
        }
    }
    if (event == NULL) {
        return PyObject_Call(callable, args, kwargs);
    }
    PyObject *result = NULL;
    if (kr_trace_event(ts, f, ts->c_profilefunc, ts->c_profileobj,
                       PyTrace_C_CALL, event) == 0) {
        result = PyObject_Call(callable, args, kwargs);
        if (ts->c_profilefunc != NULL) {
            result = kr_trace_c_result(ts, f, event, result);
        }
    }
    Py_DECREF(event);
    return result;
}

/* `what` %V of a callable: "name()" with its module, as in messages. */
static PyObject *
function_text(PyObject *func)
{
    return _PyObject_FunctionStr(func);
}

static int
bad_star_args(PyObject *func, PyObject *args)
{
    if (Py_TYPE(args)->tp_iter == NULL && !PySequence_Check(args)) {
        PyErr_Clear();
        PyObject *name = function_text(func);
        if (name != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U argument after * must be an iterable, not %.200s",
                         name, Py_TYPE(args)->tp_name);
            Py_DECREF(name);
        }
    }
    return -1;
}

static int
bad_star_kwargs(PyObject *func, PyObject *kwargs)
{
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        PyObject *name = function_text(func);
        if (name != NULL) {
            PyErr_Format(
                PyExc_TypeError,
                "%U argument after ** must be a mapping, not %.200s", name,
                Py_TYPE(kwargs)->tp_name);
            Py_DECREF(name);
        }
    }
    return -1;
}

int
kr_prepare_call_ex(PyObject **base, PyObject *kwargs, PyObject **slot)
{
    if (kwargs != NULL && !PyDict_CheckExact(kwargs)) {
        PyObject *dict = PyDict_New();
        if (dict == NULL || PyDict_Update(dict, kwargs) < 0) {
            Py_XDECREF(dict);
            return bad_star_kwargs(base[0], kwargs);
        }
        *slot = dict;
        Py_DECREF(kwargs);
    }
    PyObject *args = base[1];
    if (!PyTuple_CheckExact(args)) {
        if (Py_TYPE(args)->tp_iter == NULL && !PySequence_Check(args)) {
            return bad_star_args(base[0], args);
        }
        PyObject *tuple = PySequence_Tuple(args);
        if (tuple == NULL) {
            return -1;
        }
        base[1] = tuple;
        Py_DECREF(args);
    }
    return 0;
}

_PyInterpreterFrame *
kr_push_call_ex(PyThreadState *ts, PyObject *func, PyObject *args,
                PyObject *kwargs)
{
    PyFunctionObject *f = (PyFunctionObject *)func;
    if (kwargs != NULL && !PyArg_ValidateKeywordArguments(kwargs)) {
        Py_DECREF(func);
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    Py_ssize_t nkw = kwargs == NULL ? 0 : PyDict_GET_SIZE(kwargs);
    PyObject *small[16], **flat = small, *kwnames = NULL;
    if (n + nkw > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        flat = PyMem_New(PyObject *, n + nkw);
    }
    if (flat != NULL && nkw > 0) {
        kwnames = PyTuple_New(nkw);
    }
    if (flat == NULL || (nkw > 0 && kwnames == NULL)) {
        if (flat == NULL) {
            PyErr_NoMemory();
        }
        else if (flat != small) {
            PyMem_Free(flat);
        }
        Py_DECREF(func);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        flat[i] = Py_NewRef(PyTuple_GET_ITEM(args, i));
    }
    Py_ssize_t pos = 0, at = 0;
    PyObject *key, *value;
    while (nkw > 0 && PyDict_Next(kwargs, &pos, &key, &value)) {
        PyTuple_SET_ITEM(kwnames, at, Py_NewRef(key));
        flat[n + at++] = Py_NewRef(value);
    }
    PyCodeObject *co = (PyCodeObject *)f->func_code;
    PyObject *locals = co->co_flags & CO_OPTIMIZED
                           ? NULL
                           : Py_NewRef(f->func_globals);
    _PyInterpreterFrame *frame =
        kr_push_call(ts, f, locals, flat, n, kwnames);
    Py_XDECREF(kwnames);
    if (flat != small) {
        PyMem_Free(flat);
    }
    return frame;
}

static bool
is_closure(PyCodeObject *co, PyObject *cells)
{
    if (!PyTuple_CheckExact(cells) ||
        PyTuple_GET_SIZE(cells) != co->co_nfreevars) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(cells); i++) {
        if (!PyCell_Check(PyTuple_GET_ITEM(cells, i))) {
            return false;
        }
    }
    return true;
}

/* A dict, or a tuple of names and values. */
static bool
is_annotations(PyObject *v)
{
    return PyDict_CheckExact(v) ||
           (PyTuple_CheckExact(v) && PyTuple_GET_SIZE(v) % 2 == 0);
}

/* Only the compiler's code has the right things on the stack for sure. */
static bool
fit_function(PyObject *code, int flags, PyObject **parts)
{
    if (!PyCode_Check(code) ||
        (((PyCodeObject *)code)->co_nfreevars != 0) != !!(flags & 8)) {
        return false;
    }
    return (!(flags & 1) || PyTuple_CheckExact(*parts++)) &&
           (!(flags & 2) || PyDict_CheckExact(*parts++)) &&
           (!(flags & 4) || is_annotations(*parts++)) &&
           (!(flags & 8) || is_closure((PyCodeObject *)code, *parts));
}

PyObject *
kr_make_function(_PyInterpreterFrame *f, PyObject *code, int flags,
                 PyObject **parts)
{
    PyFunctionObject *func = NULL;
    if (KR_UNLIKELY(!fit_function(code, flags, parts))) {
        PyErr_SetString(PyExc_SystemError,
                        "bad code object: no function can be made");
    }
    else {
        func = (PyFunctionObject *)PyFunction_New(code, f->f_globals);
    }
    if (func == NULL) {
        for (int i = 0; i < KR_POPCOUNT4(flags); i++) {
            Py_DECREF(parts[i]);
        }
        return NULL;
    }
    if (flags & 1) {
        func->func_defaults = *parts++;
    }
    if (flags & 2) {
        func->func_kwdefaults = *parts++;
    }
    if (flags & 4) {
        func->func_annotations = *parts++;
    }
    if (flags & 8) {
        func->func_closure = *parts++;
    }
    return (PyObject *)func;
}
