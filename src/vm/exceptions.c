/* Raising, matching and unwinding exceptions; the with statement. */
#include "vm/support.h"

#include "code/code.h"
#include "objects/exceptions/group.h"
#include "objects/ids.h"
#include "vm/specialize.h"

KR_COLD bool
kr_bad_operand(PyObject *v)
{
    PyErr_Format(PyExc_SystemError, "bad code object: unexpected %.200s",
                 Py_TYPE(v)->tp_name);
    return true;
}

bool
kr_no_iterator(PyObject *v)
{
    return kr_bad_operand(v);
}

bool
kr_bad_lasti(_PyInterpreterFrame *f, PyObject *lasti)
{
    if (Py_IsNone(lasti)) {
        return false;
    }
    if (!PyLong_Check(lasti)) {
        PyErr_SetString(PyExc_SystemError, "lasti is not an int");
        return true;
    }
    long unit = kr_is_small(lasti) ? (long)kr_small_value(lasti) : -1;
    if (unit < 0 || unit >= Py_SIZE(f->f_code)) {
        PyErr_SetString(PyExc_SystemError, "bad code object: bad lasti");
        return true;
    }
    f->prev_instr = _PyCode_CODE(f->f_code) + unit;
    return false;
}

static int
reraise_current(PyThreadState *ts)
{
    _PyErr_StackItem *info = ts->exc_info;
    while ((info->exc_value == NULL || info->exc_value == Py_None) &&
           info->previous_item != NULL) {
        info = info->previous_item;
    }
    PyObject *value = info->exc_value;
    if (value == NULL || Py_IsNone(value)) {
        PyErr_SetString(PyExc_RuntimeError, "No active exception to reraise");
        return 0;
    }
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(value)), Py_NewRef(value),
                  PyException_GetTraceback(value));
    return 1;
}

/* Takes over `cause`. */
static int
set_cause(PyObject *value, PyObject *cause)
{
    PyObject *fixed = NULL;
    if (PyExceptionClass_Check(cause)) {
        fixed = PyObject_CallNoArgs(cause);
        if (fixed != NULL && !PyExceptionInstance_Check(fixed)) {
            PyErr_Format(PyExc_TypeError,
                         "calling %R should have returned an instance of "
                         "BaseException, not %R",
                         cause, Py_TYPE(fixed));
            Py_CLEAR(fixed);
        }
        Py_DECREF(cause);
        if (fixed == NULL) {
            return -1;
        }
    }
    else if (PyExceptionInstance_Check(cause)) {
        fixed = cause;
    }
    else if (Py_IsNone(cause)) {
        Py_DECREF(cause);
    }
    else {
        Py_DECREF(cause);
        PyErr_SetString(PyExc_TypeError,
                        "exception causes must derive from BaseException");
        return -1;
    }
    PyException_SetCause(value, fixed);
    return 0;
}

int
kr_do_raise(PyThreadState *ts, PyObject *exc, PyObject *cause)
{
    if (exc == NULL) {
        return reraise_current(ts);
    }
    PyObject *type = NULL, *value = NULL;
    if (PyExceptionClass_Check(exc)) {
        type = exc;
        value = PyObject_CallNoArgs(exc);
        if (value != NULL && !PyExceptionInstance_Check(value)) {
            PyErr_Format(PyExc_TypeError,
                         "calling %R should have returned an instance of "
                         "BaseException, not %R",
                         type, Py_TYPE(value));
            Py_CLEAR(value);
        }
    }
    else if (PyExceptionInstance_Check(exc)) {
        value = exc;
        type = Py_NewRef((PyObject *)Py_TYPE(exc));
    }
    else {
        Py_DECREF(exc);
        PyErr_SetString(PyExc_TypeError,
                        "exceptions must derive from BaseException");
    }
    if (value != NULL && cause != NULL) {
        if (set_cause(value, cause) == 0) {
            PyErr_SetObject(type, value);
        }
    }
    else if (value != NULL) {
        PyErr_SetObject(type, value);
    }
    else {
        Py_XDECREF(cause);
    }
    Py_XDECREF(value);
    Py_XDECREF(type);
    return 0;
}

static int
check_class(PyObject *type, const char *message)
{
    if (!PyExceptionClass_Check(type)) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    return 0;
}

static int
check_classes(PyObject *type, const char *message)
{
    if (!PyTuple_Check(type)) {
        return check_class(type, message);
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type); i++) {
        if (check_class(PyTuple_GET_ITEM(type, i), message) < 0) {
            return -1;
        }
    }
    return 0;
}

#define CANNOT_CATCH                                                           \
    "catching classes that do not inherit from BaseException is not allowed"

int
kr_except_match(PyObject *exc, PyObject *type)
{
    if (check_classes(type, CANNOT_CATCH) < 0) {
        return -1;
    }
    return PyErr_GivenExceptionMatches(exc, type);
}

static int
check_no_groups(PyObject *type)
{
    int is_group = 0;
    if (PyTuple_Check(type)) {
        for (Py_ssize_t i = 0; !is_group && i < PyTuple_GET_SIZE(type); i++) {
            is_group = PyObject_IsSubclass(PyTuple_GET_ITEM(type, i),
                                           PyExc_BaseExceptionGroup);
        }
    }
    else {
        is_group = PyObject_IsSubclass(type, PyExc_BaseExceptionGroup);
    }
    if (is_group > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "catching ExceptionGroup with except* is not "
                        "allowed. Use except instead.");
    }
    return is_group ? -1 : 0;
}

int
kr_except_star_match(PyObject *exc, PyObject *type, PyObject **match,
                     PyObject **rest)
{
    if (check_classes(type, CANNOT_CATCH) < 0 || check_no_groups(type) < 0) {
        return -1;
    }
    if (Py_IsNone(exc)) {
        *match = Py_NewRef(Py_None);
        *rest = Py_NewRef(Py_None);
        return 0;
    }
    if (kr_no_exception(exc)) {
        return -1;
    }
    if (PyErr_GivenExceptionMatches(exc, type)) {
        if (PyObject_TypeCheck(exc,
                               (PyTypeObject *)PyExc_BaseExceptionGroup)) {
            *match = Py_NewRef(exc);
        }
        else {
            /* a naked exception is handled as a group of one */
            PyObject *one = PyTuple_Pack(1, exc);
            if (one == NULL) {
                return -1;
            }
            *match = _PyExc_CreateExceptionGroup("", one);
            Py_DECREF(one);
            if (*match == NULL) {
                return -1;
            }
        }
        *rest = Py_NewRef(Py_None);
        return 0;
    }
    if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_BaseExceptionGroup)) {
        PyObject *pair = PyObject_CallMethodOneArg(exc, KR_ID(split), type);
        if (pair == NULL) {
            return -1;
        }
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_Format(PyExc_TypeError,
                         "%.200s.split must return a 2-tuple",
                         Py_TYPE(exc)->tp_name);
            Py_DECREF(pair);
            return -1;
        }
        PyObject *part = PyTuple_GET_ITEM(pair, 0);
        if (!Py_IsNone(part) && kr_no_exception(part)) {
            Py_DECREF(pair);
            return -1;
        }
        *match = Py_NewRef(part);
        *rest = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
        return 0;
    }
    *match = Py_NewRef(Py_None);
    *rest = Py_NewRef(exc);
    return 0;
}

/* What a handler that raises again needs to know: where `f` was. None stands
 * for it without memory. */
static PyObject *
place_of(_PyInterpreterFrame *f)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *lasti =
        PyLong_FromLong(f->prev_instr - _PyCode_CODE(f->f_code));
    PyErr_Restore(type, value, tb);
    return lasti != NULL ? lasti : Py_NewRef(Py_None);
}

PyObject **
kr_unwind(PyThreadState *ts, _PyInterpreterFrame *f, PyObject **sp,
          _Py_CODEUNIT **next_instr)
{
    PyObject **base = kr_frame_stack_base(f);
    int unit = (int)(*next_instr - _PyCode_CODE(f->f_code)) - 1;
    int handler, depth;
    bool push_lasti;
    if (!kr_code_find_handler(f->f_code, unit, &handler, &depth,
                              &push_lasti)) {
        while (sp > base) {
            sp--;
            Py_XDECREF(*sp);
        }
        kr_frame_set_sp(f, sp);
        if (ts->cframe->use_tracing) {
            kr_trace_unwind(ts, f);
        }
        return NULL;
    }
    while (sp > base + depth) {
        sp--;
        Py_XDECREF(*sp);
    }
    if (push_lasti) {
        *sp++ = place_of(f);
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    PyException_SetTraceback(value, tb != NULL ? tb : Py_None);
    Py_XDECREF(tb);
    Py_XDECREF(type);
    *sp++ = value;
    *next_instr = _PyCode_CODE(f->f_code) + handler;
    return sp;
}

/* The with statement. */

static PyObject *
lookup_special(PyObject *obj, PyObject *name)
{
    PyObject *found = _PyType_Lookup(Py_TYPE(obj), name);
    if (found == NULL) {
        return NULL;
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    return get == NULL ? Py_NewRef(found)
                       : get(found, obj, (PyObject *)Py_TYPE(obj));
}

PyObject *
kr_enter_context(PyObject *mgr, PyObject **exit, int is_async)
{
    const char *protocol =
        is_async ? "asynchronous context manager" : "context manager";
    PyObject *enter = lookup_special(
        mgr, is_async ? KR_ID(__aenter__) : KR_ID(__enter__));
    if (enter == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "'%.200s' object does not support the %s protocol",
                         Py_TYPE(mgr)->tp_name, protocol);
        }
        return NULL;
    }
    *exit = lookup_special(mgr,
                           is_async ? KR_ID(__aexit__) : KR_ID(__exit__));
    if (*exit == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "'%.200s' object does not support the %s protocol "
                         "(missed %s method)",
                         Py_TYPE(mgr)->tp_name, protocol,
                         is_async ? "__aexit__" : "__exit__");
        }
        Py_DECREF(enter);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(enter);
    Py_DECREF(enter);
    if (result == NULL) {
        Py_CLEAR(*exit);
    }
    return result;
}

PyObject *
kr_call_exit(PyObject *exit, PyObject *exc)
{
    PyObject *tb = PyException_GetTraceback(exc);
    PyObject *stack[4] = {NULL, (PyObject *)Py_TYPE(exc), exc,
                          tb == NULL ? Py_None : tb};
    PyObject *result = PyObject_Vectorcall(
        exit, stack + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(tb);
    return result;
}
