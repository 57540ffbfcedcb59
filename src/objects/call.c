/* Calling objects: vectorcall, tp_call, and what converts between the two.
 *
 * All paths end in a vectorcall function or a tp_call slot; the result is
 * always checked to agree with the error indicator. */
#include "objects/call.h"

#include <stdarg.h>

static PyObject *
null_argument(PyThreadState *tstate)
{
    if (tstate->curexc_type == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "null argument to internal routine");
    }
    return NULL;
}

KR_COLD PyObject *
_Py_CheckFunctionResult(PyThreadState *tstate, PyObject *callable,
                        PyObject *result, const char *where)
{
    bool has_error = tstate->curexc_type != NULL;
    if ((result != NULL) == !has_error) {
        return result;
    }
    if (result == NULL) {
        if (callable) {
            PyErr_Format(PyExc_SystemError,
                         "%R returned NULL without setting an exception",
                         callable);
        }
        else {
            PyErr_Format(PyExc_SystemError,
                         "%s returned NULL without setting an exception",
                         where);
        }
        return NULL;
    }
    Py_DECREF(result);
    if (callable) {
        _PyErr_FormatFromCause(PyExc_SystemError,
                               "%R returned a result with an exception set",
                               callable);
    }
    else {
        _PyErr_FormatFromCause(PyExc_SystemError,
                               "%s returned a result with an exception set",
                               where);
    }
    return NULL;
}

vectorcallfunc
PyVectorcall_Function(PyObject *callable)
{
    return kr_vectorcall_func(callable);
}

/* tp_call with the recursion check that C-level calls need. */
static PyObject *
tp_call_checked(PyThreadState *tstate, PyObject *callable, PyObject *args,
                PyObject *kwargs)
{
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (call == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable",
                     Py_TYPE(callable)->tp_name);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" while calling a Python object")) {
        return NULL;
    }
    PyObject *result = call(callable, args, kwargs);
    Py_LeaveRecursiveCall();
    return kr_check_result(tstate, callable, result);
}

static PyObject *
tuple_of(PyObject *const *args, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    return tuple;
}

PyObject *
_PyStack_AsDict(PyObject *const *values, PyObject *kwnames)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), values[i]) < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

PyObject *
_PyObject_MakeTpCall(PyThreadState *tstate, PyObject *callable,
                     PyObject *const *args, Py_ssize_t nargs,
                     PyObject *keywords)
{
    if (Py_TYPE(callable)->tp_call == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable",
                     Py_TYPE(callable)->tp_name);
        return NULL;
    }
    PyObject *argstuple = tuple_of(args, nargs);
    if (argstuple == NULL) {
        return NULL;
    }
    PyObject *kwdict = NULL;
    bool own_dict = false;
    if (keywords != NULL && PyDict_Check(keywords)) {
        kwdict = keywords;
    }
    else if (keywords != NULL && PyTuple_GET_SIZE(keywords) > 0) {
        kwdict = _PyStack_AsDict(args + nargs, keywords);
        if (kwdict == NULL) {
            Py_DECREF(argstuple);
            return NULL;
        }
        own_dict = true;
    }
    PyObject *result = tp_call_checked(tstate, callable, argstuple, kwdict);
    Py_DECREF(argstuple);
    if (own_dict) {
        Py_DECREF(kwdict);
    }
    return result;
}

PyObject *const *
kr_stack_unpack_dict(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                     PyObject **p_kwnames)
{
    Py_ssize_t nkw = PyDict_GET_SIZE(kwargs);
    Py_ssize_t limit = PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(PyObject *) - 1;
    if (nargs > limit - nkw) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject **stack = PyMem_Malloc((1 + nargs + nkw) * sizeof(PyObject *));
    if (stack == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *kwnames = PyTuple_New(nkw);
    if (kwnames == NULL) {
        PyMem_Free(stack);
        return NULL;
    }
    stack++;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        stack[i] = Py_NewRef(args[i]);
    }
    unsigned long all_str = Py_TPFLAGS_UNICODE_SUBCLASS;
    Py_ssize_t pos = 0, i = 0;
    PyObject *key, *value;
    while (i < nkw && PyDict_Next(kwargs, &pos, &key, &value)) {
        all_str &= Py_TYPE(key)->tp_flags;
        PyTuple_SET_ITEM(kwnames, i, Py_NewRef(key));
        stack[nargs + i] = Py_NewRef(value);
        i++;
    }
    if (!all_str) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        kr_stack_unpack_free(stack, nargs, kwnames);
        return NULL;
    }
    *p_kwnames = kwnames;
    return stack;
}

void
kr_stack_unpack_free(PyObject *const *stack, Py_ssize_t nargs,
                     PyObject *kwnames)
{
    Py_ssize_t n = nargs + PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_DECREF(stack[i]);
    }
    PyMem_Free((PyObject **)stack - 1);
    Py_DECREF(kwnames);
}

/* func(args, **kwargs) by vectorcall. */
static PyObject *
vectorcall_with_dict(PyThreadState *tstate, vectorcallfunc func,
                     PyObject *callable, PyObject *const *args, size_t nargsf,
                     PyObject *kwargs)
{
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        return kr_check_result(tstate, callable,
                               func(callable, args, nargsf, NULL));
    }
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *kwnames;
    PyObject *const *stack =
        kr_stack_unpack_dict(args, nargs, kwargs, &kwnames);
    if (stack == NULL) {
        return NULL;
    }
    PyObject *result =
        func(callable, stack, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    kr_stack_unpack_free(stack, nargs, kwnames);
    return kr_check_result(tstate, callable, result);
}

PyObject *
_PyObject_FastCallDictTstate(PyThreadState *tstate, PyObject *callable,
                             PyObject *const *args, size_t nargsf,
                             PyObject *kwargs)
{
    vectorcallfunc func = kr_vectorcall_func(callable);
    if (func == NULL) {
        return _PyObject_MakeTpCall(tstate, callable, args,
                                    PyVectorcall_NARGS(nargsf), kwargs);
    }
    return vectorcall_with_dict(tstate, func, callable, args, nargsf, kwargs);
}

PyObject *
PyObject_VectorcallDict(PyObject *callable, PyObject *const *args,
                        size_t nargsf, PyObject *kwargs)
{
    return _PyObject_FastCallDictTstate(kr_tstate(), callable, args, nargsf,
                                        kwargs);
}

PyObject *
PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                    PyObject *kwnames)
{
    return kr_vectorcall(kr_tstate(), callable, args, nargsf, kwnames);
}

PyObject *
_PyObject_FastCall(PyObject *func, PyObject *const *args, Py_ssize_t nargs)
{
    return kr_vectorcall(kr_tstate(), func, args, nargs, NULL);
}

PyObject *
PyVectorcall_Call(PyObject *callable, PyObject *tuple, PyObject *kwargs)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t offset = Py_TYPE(callable)->tp_vectorcall_offset;
    if (offset <= 0) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object does not support vectorcall",
                     Py_TYPE(callable)->tp_name);
        return NULL;
    }
    vectorcallfunc func;
    memcpy(&func, (char *)callable + offset, sizeof(func));
    if (func == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object does not support vectorcall",
                     Py_TYPE(callable)->tp_name);
        return NULL;
    }
    return vectorcall_with_dict(tstate, func, callable,
                                ((PyTupleObject *)tuple)->ob_item,
                                PyTuple_GET_SIZE(tuple), kwargs);
}

PyObject *
_PyObject_Call(PyThreadState *tstate, PyObject *callable, PyObject *args,
               PyObject *kwargs)
{
    vectorcallfunc func = kr_vectorcall_func(callable);
    if (func != NULL) {
        return vectorcall_with_dict(tstate, func, callable,
                                    ((PyTupleObject *)args)->ob_item,
                                    PyTuple_GET_SIZE(args), kwargs);
    }
    return tp_call_checked(tstate, callable, args, kwargs);
}

PyObject *
PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    return _PyObject_Call(kr_tstate(), callable, args, kwargs);
}

PyObject *
PyObject_CallNoArgs(PyObject *func)
{
    PyObject *slots[1] = {NULL};
    return kr_vectorcall(kr_tstate(), func, slots + 1,
                         PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *
PyObject_CallOneArg(PyObject *func, PyObject *arg)
{
    PyObject *slots[2] = {NULL, arg};
    return kr_vectorcall(kr_tstate(), func, slots + 1,
                         1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *
PyObject_CallObject(PyObject *callable, PyObject *args)
{
    PyThreadState *tstate = kr_tstate();
    if (args == NULL) {
        return PyObject_CallNoArgs(callable);
    }
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    return _PyObject_Call(tstate, callable, args, NULL);
}

#undef PyEval_CallObjectWithKeywords
PyAPI_FUNC(PyObject *)
    PyEval_CallObjectWithKeywords(PyObject *, PyObject *, PyObject *);

PyObject *
PyEval_CallObjectWithKeywords(PyObject *callable, PyObject *args,
                              PyObject *kwargs)
{
    PyThreadState *tstate = kr_tstate();
    if (args != NULL && !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    if (kwargs != NULL && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "keyword list must be a dictionary");
        return NULL;
    }
    if (args == NULL) {
        return _PyObject_FastCallDictTstate(tstate, callable, NULL, 0, kwargs);
    }
    return _PyObject_Call(tstate, callable, args, kwargs);
}

PyObject *
_PyObject_Call_Prepend(PyThreadState *tstate, PyObject *callable, PyObject *obj,
                       PyObject *args, PyObject *kwargs)
{
    PyObject *small[_PY_FASTCALL_SMALL_STACK + 2];
    PyObject **stack = small;
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);

    if (nargs > _PY_FASTCALL_SMALL_STACK) {
        stack = PyMem_Malloc((nargs + 2) * sizeof(PyObject *));
        if (stack == NULL) {
            return PyErr_NoMemory();
        }
    }
    stack[0] = NULL;
    stack[1] = obj;
    memcpy(stack + 2, ((PyTupleObject *)args)->ob_item,
           nargs * sizeof(PyObject *));
    PyObject *result = _PyObject_FastCallDictTstate(
        tstate, callable, stack + 1,
        (nargs + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwargs);
    if (stack != small) {
        PyMem_Free(stack);
    }
    return result;
}

/* --- Calls with a Py_BuildValue format ------------------------------------ */

#undef PyObject_CallFunction
#undef PyObject_CallMethod
#undef _PyObject_CallMethodId
#undef PyEval_CallFunction
#undef PyEval_CallMethod
PyAPI_FUNC(PyObject *) PyEval_CallFunction(PyObject *, const char *, ...);
PyAPI_FUNC(PyObject *)
    PyEval_CallMethod(PyObject *, const char *, const char *, ...);

static PyObject *
call_va(PyThreadState *tstate, PyObject *callable, const char *format,
        va_list va, bool size_t_clean)
{
    if (callable == NULL) {
        return null_argument(tstate);
    }
    if (format == NULL || *format == '\0') {
        return PyObject_CallNoArgs(callable);
    }
    PyObject *args = size_t_clean ? _Py_VaBuildValue_SizeT(format, va)
                                  : Py_VaBuildValue(format, va);
    if (args == NULL) {
        return NULL;
    }
    PyObject *result;
    if (PyTuple_Check(args)) {
        result = _PyObject_Call(tstate, callable, args, NULL);
    }
    else {
        result = PyObject_CallOneArg(callable, args);
    }
    Py_DECREF(args);
    return result;
}

/* Consumes `callable`, which may be NULL with an exception set. */
static PyObject *
call_attr_va(PyThreadState *tstate, PyObject *callable, const char *format,
             va_list va, bool size_t_clean)
{
    if (callable == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (!PyCallable_Check(callable)) {
        PyErr_Format(PyExc_TypeError,
                     "attribute of type '%.200s' is not callable",
                     Py_TYPE(callable)->tp_name);
    }
    else {
        result = call_va(tstate, callable, format, va, size_t_clean);
    }
    Py_DECREF(callable);
    return result;
}

#define CALL_VA(func, format, clean)                                           \
    do {                                                                       \
        va_list va_;                                                           \
        va_start(va_, format);                                                 \
        PyObject *result_ = call_va(kr_tstate(), func, format, va_, clean);    \
        va_end(va_);                                                           \
        return result_;                                                        \
    } while (0)

#define CALL_ATTR_VA(obj, name, getter, format, clean)                         \
    do {                                                                       \
        PyThreadState *ts_ = kr_tstate();                                      \
        if ((obj) == NULL || (name) == NULL) {                                 \
            return null_argument(ts_);                                         \
        }                                                                      \
        va_list va_;                                                           \
        va_start(va_, format);                                                 \
        PyObject *result_ =                                                    \
            call_attr_va(ts_, getter(obj, name), format, va_, clean);          \
        va_end(va_);                                                           \
        return result_;                                                        \
    } while (0)

PyObject *
PyObject_CallFunction(PyObject *callable, const char *format, ...)
{
    CALL_VA(callable, format, false);
}

PyObject *
_PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...)
{
    CALL_VA(callable, format, true);
}

PyObject *
PyEval_CallFunction(PyObject *callable, const char *format, ...)
{
    CALL_VA(callable, format, false);
}

PyObject *
PyObject_CallMethod(PyObject *obj, const char *name, const char *format, ...)
{
    CALL_ATTR_VA(obj, name, PyObject_GetAttrString, format, false);
}

PyObject *
_PyObject_CallMethod_SizeT(PyObject *obj, const char *name, const char *format,
                           ...)
{
    CALL_ATTR_VA(obj, name, PyObject_GetAttrString, format, true);
}

PyObject *
PyEval_CallMethod(PyObject *obj, const char *name, const char *format, ...)
{
    CALL_ATTR_VA(obj, name, PyObject_GetAttrString, format, false);
}

PyObject *
_PyObject_CallMethod(PyObject *obj, PyObject *name, const char *format, ...)
{
    CALL_ATTR_VA(obj, name, PyObject_GetAttr, format, true);
}

PyObject *
_PyObject_CallMethodId(PyObject *obj, _Py_Identifier *name, const char *format,
                       ...)
{
    CALL_ATTR_VA(obj, name, _PyObject_GetAttrId, format, false);
}

PyObject *
_PyObject_CallMethodId_SizeT(PyObject *obj, _Py_Identifier *name,
                             const char *format, ...)
{
    CALL_ATTR_VA(obj, name, _PyObject_GetAttrId, format, true);
}

/* --- Calls with a NULL-terminated list of objects ------------------------- */

/* Calls func(base, *vargs); base may be NULL. */
static PyObject *
call_objargs(PyThreadState *tstate, PyObject *base, PyObject *callable,
             va_list vargs)
{
    PyObject *small[_PY_FASTCALL_SMALL_STACK];
    PyObject **stack = small;
    if (callable == NULL) {
        return null_argument(tstate);
    }
    va_list counting;
    va_copy(counting, vargs);
    Py_ssize_t nargs = base ? 1 : 0;
    while (va_arg(counting, PyObject *) != NULL) {
        nargs++;
    }
    va_end(counting);

    if (nargs > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        stack = PyMem_Malloc(nargs * sizeof(PyObject *));
        if (stack == NULL) {
            return PyErr_NoMemory();
        }
    }
    Py_ssize_t i = 0;
    if (base) {
        stack[i++] = base;
    }
    for (; i < nargs; i++) {
        stack[i] = va_arg(vargs, PyObject *);
    }
    PyObject *result = kr_vectorcall(tstate, callable, stack, nargs, NULL);
    if (stack != small) {
        PyMem_Free(stack);
    }
    return result;
}

PyObject *
PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    va_list vargs;
    va_start(vargs, callable);
    PyObject *result = call_objargs(kr_tstate(), NULL, callable, vargs);
    va_end(vargs);
    return result;
}

static PyObject *
call_method_objargs(PyObject *obj, PyObject *name, va_list vargs)
{
    PyThreadState *tstate = kr_tstate();
    if (obj == NULL || name == NULL) {
        return null_argument(tstate);
    }
    PyObject *callable = NULL;
    int is_method = _PyObject_GetMethod(obj, name, &callable);
    if (callable == NULL) {
        return NULL;
    }
    PyObject *result =
        call_objargs(tstate, is_method ? obj : NULL, callable, vargs);
    Py_DECREF(callable);
    return result;
}

PyObject *
PyObject_CallMethodObjArgs(PyObject *obj, PyObject *name, ...)
{
    va_list vargs;
    va_start(vargs, name);
    PyObject *result = call_method_objargs(obj, name, vargs);
    va_end(vargs);
    return result;
}

PyObject *
_PyObject_CallMethodIdObjArgs(PyObject *obj, _Py_Identifier *name, ...)
{
    if (obj == NULL || name == NULL) {
        return null_argument(kr_tstate());
    }
    PyObject *oname = _PyUnicode_FromId(name); /* borrowed */
    if (oname == NULL) {
        return NULL;
    }
    va_list vargs;
    va_start(vargs, name);
    PyObject *result = call_method_objargs(obj, oname, vargs);
    va_end(vargs);
    return result;
}

PyObject *
PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t nargsf,
                          PyObject *kwnames)
{
    PyObject *callable = NULL;
    int unbound = _PyObject_GetMethod(args[0], name, &callable);
    if (callable == NULL) {
        return NULL;
    }
    if (unbound) {
        /* args[-1] belongs to our caller's callee, not to this one */
        nargsf &= ~PY_VECTORCALL_ARGUMENTS_OFFSET;
    }
    else {
        /* args[0] here becomes the writable args[-1] there */
        args++;
        nargsf--;
    }
    PyObject *result =
        kr_vectorcall(kr_tstate(), callable, args, nargsf, kwnames);
    Py_DECREF(callable);
    return result;
}
