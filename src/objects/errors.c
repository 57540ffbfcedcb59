/* The error indicator and the exception being handled: PyErr_*.
 *
 * Raising sets the new exception's context to the one being handled, and
 * breaks cycles in that chain. Printing is in runtime/, warnings too. */
#include "objects/errors.h"

#include <errno.h>
#include <string.h>

#include "memory/tstate.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"

/* --- Fetch, restore, clear ------------------------------------------------ */

void
_PyErr_Restore(PyThreadState *tstate, PyObject *type, PyObject *value,
               PyObject *tb)
{
    if (tb != NULL && !PyTraceBack_Check(tb)) {
        Py_DECREF(tb);
        tb = NULL;
    }
    PyObject *old_type = tstate->curexc_type;
    PyObject *old_value = tstate->curexc_value;
    PyObject *old_tb = tstate->curexc_traceback;
    tstate->curexc_type = type;
    tstate->curexc_value = value;
    tstate->curexc_traceback = tb;
    /* last: finalisers may look at the indicator */
    Py_XDECREF(old_type);
    Py_XDECREF(old_value);
    Py_XDECREF(old_tb);
}

void
PyErr_Restore(PyObject *type, PyObject *value, PyObject *tb)
{
    _PyErr_Restore(PyThreadState_Get(), type, value, tb);
}

void
_PyErr_Fetch(PyThreadState *tstate, PyObject **type, PyObject **value,
             PyObject **tb)
{
    *type = tstate->curexc_type;
    *value = tstate->curexc_value;
    *tb = tstate->curexc_traceback;
    tstate->curexc_type = NULL;
    tstate->curexc_value = NULL;
    tstate->curexc_traceback = NULL;
}

void
PyErr_Fetch(PyObject **type, PyObject **value, PyObject **tb)
{
    _PyErr_Fetch(PyThreadState_Get(), type, value, tb);
}

void
_PyErr_Clear(PyThreadState *tstate)
{
    if (tstate->curexc_type != NULL) {
        _PyErr_Restore(tstate, NULL, NULL, NULL);
    }
}

void
PyErr_Clear(void)
{
    _PyErr_Clear(PyThreadState_Get());
}

PyObject *
PyErr_Occurred(void)
{
    PyThreadState *tstate = kr_tstate();
    return tstate == NULL ? NULL : tstate->curexc_type;
}

/* --- The handled exception -------------------------------------------------- */

_PyErr_StackItem *
_PyErr_GetTopmostException(PyThreadState *tstate)
{
    _PyErr_StackItem *item = tstate->exc_info;
    while ((item->exc_value == NULL || item->exc_value == Py_None) &&
           item->previous_item != NULL) {
        item = item->previous_item;
    }
    return item;
}

PyObject *
_PyErr_GetHandledException(PyThreadState *tstate)
{
    PyObject *exc = _PyErr_GetTopmostException(tstate)->exc_value;
    return exc == NULL || exc == Py_None ? NULL : Py_NewRef(exc);
}

PyObject *
PyErr_GetHandledException(void)
{
    return _PyErr_GetHandledException(PyThreadState_Get());
}

void
_PyErr_SetHandledException(PyThreadState *tstate, PyObject *exc)
{
    PyObject *value = exc == Py_None ? NULL : Py_XNewRef(exc);
    Py_XSETREF(tstate->exc_info->exc_value, value);
}

void
PyErr_SetHandledException(PyObject *exc)
{
    _PyErr_SetHandledException(PyThreadState_Get(), exc);
}

static PyObject *
type_of(PyObject *exc)
{
    return exc == NULL || exc == Py_None ? Py_None : (PyObject *)Py_TYPE(exc);
}

static PyObject *
traceback_of(PyObject *exc)
{
    PyObject *tb = exc == NULL || exc == Py_None
                       ? NULL
                       : ((PyBaseExceptionObject *)exc)->traceback;
    return tb == NULL ? Py_None : tb;
}

void
_PyErr_GetExcInfo(PyThreadState *tstate, PyObject **type, PyObject **value,
                  PyObject **tb)
{
    PyObject *exc = _PyErr_GetTopmostException(tstate)->exc_value;
    *type = Py_NewRef(type_of(exc));
    *value = exc == NULL ? NULL : Py_NewRef(exc);
    *tb = Py_NewRef(traceback_of(exc));
    if (exc == NULL || exc == Py_None) {
        *value = Py_NewRef(Py_None);
    }
}

void
PyErr_GetExcInfo(PyObject **type, PyObject **value, PyObject **tb)
{
    _PyErr_GetExcInfo(PyThreadState_Get(), type, value, tb);
}

void
PyErr_SetExcInfo(PyObject *type, PyObject *value, PyObject *tb)
{
    PyErr_SetHandledException(value);
    Py_XDECREF(value);
    Py_XDECREF(type);
    Py_XDECREF(tb);
}

PyObject *
_PyErr_StackItemToExcInfoTuple(_PyErr_StackItem *item)
{
    PyObject *exc = item->exc_value;
    return PyTuple_Pack(3, type_of(exc), exc == NULL ? Py_None : exc,
                        traceback_of(exc));
}

/* --- Matching ---------------------------------------------------------------- */

int
PyErr_GivenExceptionMatches(PyObject *err, PyObject *exc)
{
    if (err == NULL || exc == NULL) {
        return 0;
    }
    if (PyTuple_Check(exc)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exc); i++) {
            if (PyErr_GivenExceptionMatches(err, PyTuple_GET_ITEM(exc, i))) {
                return 1;
            }
        }
        return 0;
    }
    if (PyExceptionInstance_Check(err)) {
        err = PyExceptionInstance_Class(err);
    }
    if (PyExceptionClass_Check(err) && PyExceptionClass_Check(exc)) {
        return PyType_IsSubtype((PyTypeObject *)err, (PyTypeObject *)exc);
    }
    return err == exc;
}

int
_PyErr_ExceptionMatches(PyThreadState *tstate, PyObject *exc)
{
    return PyErr_GivenExceptionMatches(tstate->curexc_type, exc);
}

int
PyErr_ExceptionMatches(PyObject *exc)
{
    return _PyErr_ExceptionMatches(PyThreadState_Get(), exc);
}

/* --- Raising ------------------------------------------------------------------ */

/* New exception instance of class `type` from `value`: an instance as it is,
 * a tuple as the arguments, anything else as the one argument. */
static PyObject *
create_exception(PyObject *type, PyObject *value)
{
    PyObject *exc;
    if (value == NULL || value == Py_None) {
        exc = PyObject_CallNoArgs(type);
    }
    else if (PyTuple_Check(value)) {
        exc = PyObject_Call(type, value, NULL);
    }
    else {
        exc = PyObject_CallOneArg(type, value);
    }
    if (exc != NULL && !PyExceptionInstance_Check(exc)) {
        PyErr_Format(PyExc_TypeError,
                     "calling %R should have returned an instance of "
                     "BaseException, not %s",
                     type, Py_TYPE(exc)->tp_name);
        Py_CLEAR(exc);
    }
    return exc;
}

/* Cuts `exc` out of the context chain that starts at `start`, so that
 * linking `start` below `exc` makes no cycle. Floyd's tortoise guards against
 * cycles that exist already. */
static void
cut_from_chain(PyObject *start, PyObject *exc)
{
    PyObject *node = start, *slow = start;
    int move_slow = 0;
    PyObject *context;
    while ((context = PyException_GetContext(node)) != NULL) {
        Py_DECREF(context); /* its holder keeps it alive */
        if (context == exc) {
            PyException_SetContext(node, NULL);
            break;
        }
        node = context;
        if (node == slow) {
            break;
        }
        if (move_slow) {
            slow = PyException_GetContext(slow);
            Py_DECREF(slow);
        }
        move_slow = !move_slow;
    }
}

void
_PyErr_SetObject(PyThreadState *tstate, PyObject *type, PyObject *value)
{
    if (type != NULL && !PyExceptionClass_Check(type)) {
        _PyErr_Format(tstate, PyExc_SystemError,
                      "_PyErr_SetObject: exception %R is not a "
                      "BaseException subclass",
                      type);
        return;
    }
    Py_XINCREF(value);
    PyObject *handled = _PyErr_GetTopmostException(tstate)->exc_value;
    if (handled != NULL && handled != Py_None) {
        Py_INCREF(handled);
        if (value == NULL || !PyExceptionInstance_Check(value)) {
            /* an instance is needed to hang the context on */
            _PyErr_Clear(tstate);
            PyObject *exc = create_exception(type, value);
            Py_XDECREF(value);
            if (exc == NULL) {
                Py_DECREF(handled);
                return;
            }
            value = exc;
        }
        if (value != handled) {
            cut_from_chain(handled, value);
            PyException_SetContext(value, handled);
        }
        else {
            Py_DECREF(handled);
        }
    }
    PyObject *tb = NULL;
    if (value != NULL && PyExceptionInstance_Check(value)) {
        tb = PyException_GetTraceback(value);
    }
    _PyErr_Restore(tstate, Py_XNewRef(type), value, tb);
}

void
PyErr_SetObject(PyObject *type, PyObject *value)
{
    _PyErr_SetObject(PyThreadState_Get(), type, value);
}

void
_PyErr_SetKeyError(PyObject *key)
{
    /* the key itself, if a tuple, None or an exception, would be taken for
     * all of the arguments */
    PyObject *args = PyTuple_Pack(1, key);
    if (args != NULL) {
        _PyErr_SetObject(PyThreadState_Get(), PyExc_KeyError, args);
        Py_DECREF(args);
    }
}

void
_PyErr_SetNone(PyThreadState *tstate, PyObject *type)
{
    _PyErr_SetObject(tstate, type, NULL);
}

void
PyErr_SetNone(PyObject *type)
{
    _PyErr_SetObject(PyThreadState_Get(), type, NULL);
}

void
_PyErr_SetString(PyThreadState *tstate, PyObject *type, const char *text)
{
    PyObject *value = PyUnicode_FromString(text);
    if (value != NULL) {
        _PyErr_SetObject(tstate, type, value);
        Py_DECREF(value);
    }
}

void
PyErr_SetString(PyObject *type, const char *text)
{
    _PyErr_SetString(PyThreadState_Get(), type, text);
}

static PyObject *
format_v(PyThreadState *tstate, PyObject *type, const char *format,
         va_list args)
{
    /* formatting may run __str__, which must see no pending error */
    _PyErr_Clear(tstate);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    if (text != NULL) {
        _PyErr_SetObject(tstate, type, text);
        Py_DECREF(text);
    }
    return NULL;
}

PyObject *
PyErr_FormatV(PyObject *type, const char *format, va_list args)
{
    return format_v(PyThreadState_Get(), type, format, args);
}

PyObject *
_PyErr_Format(PyThreadState *tstate, PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_v(tstate, type, format, args);
    va_end(args);
    return NULL;
}

PyObject *
PyErr_Format(PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_v(PyThreadState_Get(), type, format, args);
    va_end(args);
    return NULL;
}

PyObject *
_PyErr_NoMemory(PyThreadState *tstate)
{
    PyObject *error = kr_memory_error();
    if (error != NULL && Py_REFCNT(error) > 1) {
        /* the shared one, which may be in the chain of contexts already */
        _PyErr_Restore(tstate, Py_NewRef(PyExc_MemoryError), error, NULL);
        return NULL;
    }
    _PyErr_SetObject(tstate, PyExc_MemoryError, error);
    Py_XDECREF(error);
    return NULL;
}

PyObject *
PyErr_NoMemory(void)
{
    return _PyErr_NoMemory(PyThreadState_Get());
}

int
PyErr_BadArgument(void)
{
    PyErr_SetString(PyExc_TypeError,
                    "bad argument type for built-in operation");
    return 0;
}

void
_PyErr_BadInternalCall(const char *filename, int lineno)
{
    PyErr_Format(PyExc_SystemError, "%s:%d: bad argument to internal function",
                 filename, lineno);
}

#undef PyErr_BadInternalCall
void
PyErr_BadInternalCall(void)
{
    PyErr_SetString(PyExc_SystemError, "bad argument to internal function");
}

/* --- Normalisation ------------------------------------------------------------ */

/* One round: makes *val an instance of *exc. 0, or -1 with an error pending. */
static int
instantiate(PyObject **exc, PyObject **val)
{
    PyObject *type = *exc, *value = *val, *inclass = NULL;
    if (!PyExceptionClass_Check(type)) {
        return 0;
    }
    int is_subclass = 0;
    if (PyExceptionInstance_Check(value)) {
        inclass = PyExceptionInstance_Class(value);
        is_subclass = PyObject_IsSubclass(inclass, type);
        if (is_subclass < 0) {
            return -1;
        }
    }
    if (!is_subclass) {
        PyObject *fixed = create_exception(type, value);
        if (fixed == NULL) {
            return -1;
        }
        Py_SETREF(*val, fixed);
    }
    else if (inclass != type) {
        Py_SETREF(*exc, Py_NewRef(inclass));
    }
    return 0;
}

void
_PyErr_NormalizeException(PyThreadState *tstate, PyObject **exc, PyObject **val,
                          PyObject **tb)
{
    const int max_rounds = 32;
    /* at the recursion limit there must be room to make the exception */
    tstate->recursion_headroom++;
    for (int round = 0; *exc != NULL; round++) {
        if (*val == NULL) {
            *val = Py_NewRef(Py_None);
        }
        if (instantiate(exc, val) == 0) {
            break;
        }
        /* making the instance failed: that failure takes its place */
        PyObject *old_tb = *tb;
        Py_DECREF(*exc);
        Py_DECREF(*val);
        if (round == max_rounds) {
            if (_PyErr_ExceptionMatches(tstate, PyExc_MemoryError)) {
                Py_FatalError("Cannot recover from MemoryErrors while "
                              "normalizing exceptions.");
            }
            _PyErr_SetString(tstate, PyExc_RecursionError,
                             "maximum recursion depth exceeded while "
                             "normalizing an exception");
        }
        _PyErr_Fetch(tstate, exc, val, tb);
        if (old_tb != NULL) {
            if (*tb == NULL) {
                *tb = old_tb;
            }
            else {
                Py_DECREF(old_tb);
            }
        }
        if (round > max_rounds + 1) {
            Py_FatalError("Cannot recover from the recursive normalization "
                          "of an exception.");
        }
    }
    tstate->recursion_headroom--;
}

void
PyErr_NormalizeException(PyObject **exc, PyObject **val, PyObject **tb)
{
    _PyErr_NormalizeException(PyThreadState_Get(), exc, val, tb);
}

/* --- Chaining ------------------------------------------------------------------ */

void
_PyErr_ChainExceptions(PyObject *type, PyObject *value, PyObject *tb)
{
    if (type == NULL) {
        return;
    }
    PyThreadState *tstate = PyThreadState_Get();
    if (!_PyErr_Occurred(tstate)) {
        _PyErr_Restore(tstate, type, value, tb);
        return;
    }
    PyObject *type2, *value2, *tb2;
    _PyErr_Fetch(tstate, &type2, &value2, &tb2);
    _PyErr_NormalizeException(tstate, &type, &value, &tb);
    if (tb != NULL) {
        PyException_SetTraceback(value, tb);
        Py_DECREF(tb);
    }
    Py_DECREF(type);
    _PyErr_NormalizeException(tstate, &type2, &value2, &tb2);
    PyException_SetContext(value2, value);
    _PyErr_Restore(tstate, type2, value2, tb2);
}

void
_PyErr_ChainStackItem(_PyErr_StackItem *item)
{
    PyThreadState *tstate = PyThreadState_Get();
    _PyErr_StackItem *saved = tstate->exc_info;
    PyObject *handled = (item != NULL ? item : saved)->exc_value;
    if (handled == NULL || handled == Py_None) {
        return; /* what the callers handle does not count here */
    }
    if (item != NULL) {
        item->previous_item = saved;
        tstate->exc_info = item;
    }
    PyObject *type, *value, *tb;
    _PyErr_Fetch(tstate, &type, &value, &tb);
    /* raising it again links the context */
    _PyErr_SetObject(tstate, type, value);
    Py_DECREF(type);
    Py_XDECREF(value);
    if (tb != NULL) {
        Py_XSETREF(tstate->curexc_traceback, tb);
    }
    if (item != NULL) {
        tstate->exc_info = saved;
        item->previous_item = NULL;
    }
}

static PyObject *
format_from_cause_v(PyThreadState *tstate, PyObject *type, const char *format,
                    va_list args)
{
    PyObject *exc, *val, *tb;
    _PyErr_Fetch(tstate, &exc, &val, &tb);
    _PyErr_NormalizeException(tstate, &exc, &val, &tb);
    if (tb != NULL) {
        PyException_SetTraceback(val, tb);
        Py_DECREF(tb);
    }
    Py_DECREF(exc);

    format_v(tstate, type, format, args);

    PyObject *exc2, *val2, *tb2;
    _PyErr_Fetch(tstate, &exc2, &val2, &tb2);
    _PyErr_NormalizeException(tstate, &exc2, &val2, &tb2);
    PyException_SetCause(val2, Py_NewRef(val));
    PyException_SetContext(val2, val);
    _PyErr_Restore(tstate, exc2, val2, tb2);
    return NULL;
}

PyObject *
_PyErr_FormatFromCauseTstate(PyThreadState *tstate, PyObject *type,
                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_from_cause_v(tstate, type, format, args);
    va_end(args);
    return NULL;
}

PyObject *
_PyErr_FormatFromCause(PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_from_cause_v(PyThreadState_Get(), type, format, args);
    va_end(args);
    return NULL;
}

/* Whether an exception of this type can be made again from one message: it
 * has no attributes of its own and no more state than its argument. */
static int
is_plain_exception(PyObject *exc, PyObject *val)
{
    PyTypeObject *type = (PyTypeObject *)exc;
    Py_ssize_t extra =
        type->tp_basicsize - KR_EXC(BaseException).tp_basicsize;
    if (type->tp_weaklistoffset > 0) {
        extra -= (Py_ssize_t)sizeof(PyObject *);
    }
    if (type->tp_init != (initproc)kr_base_exception_init ||
        type->tp_new != kr_base_exception_new || extra != 0 ||
        type->tp_itemsize != 0 || !PyExceptionInstance_Check(val)) {
        return 0;
    }
    PyBaseExceptionObject *base = (PyBaseExceptionObject *)val;
    Py_ssize_t n = PyTuple_GET_SIZE(base->args);
    if (n > 1 ||
        (n == 1 && !PyUnicode_CheckExact(PyTuple_GET_ITEM(base->args, 0)))) {
        return 0;
    }
    return base->dict == NULL || PyDict_GET_SIZE(base->dict) == 0;
}

PyObject *
_PyErr_TrySetFromCause(const char *format, ...)
{
    PyThreadState *tstate = PyThreadState_Get();
    PyObject *exc, *val, *tb;
    _PyErr_Fetch(tstate, &exc, &val, &tb);
    _PyErr_NormalizeException(tstate, &exc, &val, &tb);
    if (!is_plain_exception(exc, val)) {
        _PyErr_Restore(tstate, exc, val, tb);
        return NULL;
    }
    if (tb != NULL) {
        PyException_SetTraceback(val, tb);
        Py_DECREF(tb);
    }
    va_list args;
    va_start(args, format);
    PyObject *prefix = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (prefix == NULL) {
        Py_DECREF(exc);
        Py_DECREF(val);
        return NULL;
    }
    _PyErr_Format(tstate, exc, "%U (%s: %S)", prefix,
                  ((PyTypeObject *)exc)->tp_name, val);
    Py_DECREF(prefix);
    Py_DECREF(exc);

    PyObject *new_exc, *new_val, *new_tb;
    _PyErr_Fetch(tstate, &new_exc, &new_val, &new_tb);
    _PyErr_NormalizeException(tstate, &new_exc, &new_val, &new_tb);
    PyException_SetCause(new_val, val);
    _PyErr_Restore(tstate, new_exc, new_val, new_tb);
    return NULL;
}

/* --- From errno ----------------------------------------------------------------- */

PyObject *
PyErr_SetFromErrnoWithFilenameObjects(PyObject *type, PyObject *filename,
                                      PyObject *filename2)
{
    PyThreadState *tstate = PyThreadState_Get();
    int err = errno;
    if (err == EINTR && PyErr_CheckSignals()) {
        return NULL;
    }
    PyObject *text = err != 0
                         ? PyUnicode_DecodeLocale(strerror(err),
                                                  "surrogateescape")
                         : PyUnicode_FromString("Error");
    if (text == NULL) {
        return NULL;
    }
    PyObject *args;
    if (filename == NULL) {
        args = Py_BuildValue("(iO)", err, text);
    }
    else if (filename2 == NULL) {
        args = Py_BuildValue("(iOO)", err, text, filename);
    }
    else {
        args = Py_BuildValue("(iOOiO)", err, text, filename, 0, filename2);
    }
    Py_DECREF(text);
    if (args == NULL) {
        return NULL;
    }
    PyObject *exc = PyObject_Call(type, args, NULL);
    Py_DECREF(args);
    if (exc != NULL) {
        _PyErr_SetObject(tstate, (PyObject *)Py_TYPE(exc), exc);
        Py_DECREF(exc);
    }
    return NULL;
}

PyObject *
PyErr_SetFromErrnoWithFilenameObject(PyObject *type, PyObject *filename)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, filename, NULL);
}

PyObject *
PyErr_SetFromErrnoWithFilename(PyObject *type, const char *filename)
{
    PyObject *name = NULL;
    if (filename != NULL) {
        int saved = errno;
        name = PyUnicode_DecodeFSDefault(filename);
        if (name == NULL) {
            return NULL;
        }
        errno = saved;
    }
    PyErr_SetFromErrnoWithFilenameObjects(type, name, NULL);
    Py_XDECREF(name);
    return NULL;
}

PyObject *
PyErr_SetFromErrno(PyObject *type)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, NULL, NULL);
}

/* --- ImportError and new classes ------------------------------------------------- */

PyObject *
PyErr_SetImportErrorSubclass(PyObject *type, PyObject *msg, PyObject *name,
                             PyObject *path)
{
    PyThreadState *tstate = PyThreadState_Get();
    int is_subclass = PyObject_IsSubclass(type, PyExc_ImportError);
    if (is_subclass < 0) {
        return NULL;
    }
    if (!is_subclass) {
        _PyErr_SetString(tstate, PyExc_TypeError,
                         "expected a subclass of ImportError");
        return NULL;
    }
    if (msg == NULL) {
        _PyErr_SetString(tstate, PyExc_TypeError,
                         "expected a message argument");
        return NULL;
    }
    PyObject *kwargs = Py_BuildValue("{sOsO}", "name", name ? name : Py_None,
                                     "path", path ? path : Py_None);
    if (kwargs == NULL) {
        return NULL;
    }
    PyObject *exc = PyObject_VectorcallDict(type, &msg, 1, kwargs);
    Py_DECREF(kwargs);
    if (exc != NULL) {
        _PyErr_SetObject(tstate, (PyObject *)Py_TYPE(exc), exc);
        Py_DECREF(exc);
    }
    return NULL;
}

PyObject *
PyErr_SetImportError(PyObject *msg, PyObject *name, PyObject *path)
{
    return PyErr_SetImportErrorSubclass(PyExc_ImportError, msg, name, path);
}

PyObject *
PyErr_NewException(const char *name, PyObject *base, PyObject *dict)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "PyErr_NewException: name must be module.class");
        return NULL;
    }
    PyObject *own_dict = NULL, *bases = NULL, *result = NULL;
    if (dict == NULL) {
        dict = own_dict = PyDict_New();
        if (dict == NULL) {
            return NULL;
        }
    }
    int has_module = PyDict_Contains(dict, KR_ID(__module__));
    if (has_module < 0) {
        goto done;
    }
    if (!has_module) {
        PyObject *module = PyUnicode_FromStringAndSize(name, dot - name);
        if (module == NULL) {
            goto done;
        }
        int res = PyDict_SetItem(dict, KR_ID(__module__), module);
        Py_DECREF(module);
        if (res < 0) {
            goto done;
        }
    }
    if (base == NULL) {
        base = PyExc_Exception;
    }
    bases = PyTuple_Check(base) ? Py_NewRef(base) : PyTuple_Pack(1, base);
    if (bases != NULL) {
        result = PyObject_CallFunction((PyObject *)&PyType_Type, "sOO",
                                       dot + 1, bases, dict);
    }
done:
    Py_XDECREF(own_dict);
    Py_XDECREF(bases);
    return result;
}

PyObject *
PyErr_NewExceptionWithDoc(const char *name, const char *doc, PyObject *base,
                          PyObject *dict)
{
    PyObject *own_dict = NULL;
    if (dict == NULL) {
        dict = own_dict = PyDict_New();
        if (dict == NULL) {
            return NULL;
        }
    }
    PyObject *result = NULL;
    PyObject *text = doc != NULL ? PyUnicode_FromString(doc) : NULL;
    if (doc == NULL ||
        (text != NULL && PyDict_SetItemString(dict, "__doc__", text) == 0)) {
        result = PyErr_NewException(name, base, dict);
    }
    Py_XDECREF(text);
    Py_XDECREF(own_dict);
    return result;
}
