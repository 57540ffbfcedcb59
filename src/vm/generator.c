/* Generators: resuming, throwing into, closing and finalising them.
 *
 * The frame lives inside the generator object. Running one is a call of the eval
 * loop from C; the frame is linked below the caller's for as long. */
#include "vm/generator.h"

#include <opcode.h>
#include <structmember.h>

#include "code/opcode_meta.h"
#include "memory/gc.h"
#include "objects/errors.h"
#include "objects/ids.h"
#include "vm/function.h"
#include "vm/support.h"
#include "vm/trace.h"

static const char *
kind(PyGenObject *gen)
{
    return PyCoro_CheckExact(gen)       ? "coroutine"
           : PyAsyncGen_CheckExact(gen) ? "async generator"
                                        : "generator";
}

/* A generator that can't be resumed: what sending to it gives. */
static PySendResult
not_resumable(PyGenObject *gen, PyObject *arg, PyObject **result, int exc,
              int closing)
{
    if (gen->gi_frame_state == KR_GEN_EXECUTING) {
        PyErr_Format(PyExc_ValueError, "%s already executing", kind(gen));
        return PYGEN_ERROR;
    }
    if (PyCoro_CheckExact(gen) && !closing) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited coroutine");
    }
    else if (arg != NULL && !exc) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    return PYGEN_ERROR;
}

/* StopIteration must not leave a generator by accident. */
static void
check_escaping(PyGenObject *gen)
{
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        _PyErr_FormatFromCause(PyExc_RuntimeError, "%s raised StopIteration",
                               kind(gen));
    }
    else if (PyAsyncGen_CheckExact(gen) &&
             PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        _PyErr_FormatFromCause(PyExc_RuntimeError,
                               "async generator raised StopAsyncIteration");
    }
}

void
kr_gen_ended(PyThreadState *ts, PyGenObject *gen, int failed)
{
    _PyInterpreterFrame *frame = kr_gen_frame(gen);
    gen->gi_frame_state = KR_GEN_COMPLETED;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    frame->previous = NULL;
    if (failed) {
        check_escaping(gen);
    }
    PyObject *handled = gen->gi_exc_state.exc_value;
    gen->gi_exc_state.exc_value = NULL;
    Py_XDECREF(handled);
    gen->gi_frame_state = KR_GEN_CLEARED;
    kr_frame_clear(frame);
}

PySendResult
kr_gen_resume(PyGenObject *gen, PyObject *arg, PyObject **presult, int exc,
              int closing)
{
    PyThreadState *ts = kr_tstate();
    _PyInterpreterFrame *frame = kr_gen_frame(gen);
    *presult = NULL;
    if (gen->gi_frame_state == KR_GEN_CREATED && arg != NULL &&
        arg != Py_None) {
        PyErr_Format(PyExc_TypeError,
                     "can't send non-None value to a just-started %s",
                     kind(gen));
        return PYGEN_ERROR;
    }
    if (gen->gi_frame_state >= KR_GEN_EXECUTING) {
        return not_resumable(gen, arg, presult, exc, closing);
    }
    frame->localsplus[frame->stacktop++] = Py_NewRef(arg ? arg : Py_None);
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
    if (exc) {
        _PyErr_ChainStackItem(NULL);
    }
    gen->gi_frame_state = KR_GEN_EXECUTING;
    PyObject *result = kr_eval_frame(ts, frame, exc);
    if (gen->gi_frame_state == KR_GEN_EXECUTING) {
        gen->gi_frame_state = KR_GEN_COMPLETED;
    }
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    frame->previous = NULL;
    if (result != NULL && gen->gi_frame_state == KR_GEN_SUSPENDED) {
        *presult = result;
        return PYGEN_NEXT;
    }
    if (result == Py_None && !PyAsyncGen_CheckExact(gen) && arg == NULL) {
        /* next() of an exhausted iterator needs no exception */
        Py_CLEAR(result);
    }
    else if (result == NULL) {
        check_escaping(gen);
    }
    PyObject *handled = gen->gi_exc_state.exc_value;
    gen->gi_exc_state.exc_value = NULL;
    Py_XDECREF(handled);
    gen->gi_frame_state = KR_GEN_CLEARED;
    kr_frame_clear(frame);
    *presult = result;
    return result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

PyObject *
kr_gen_send(PyGenObject *gen, PyObject *arg, int exc, int closing)
{
    PyObject *result;
    if (kr_gen_resume(gen, arg, &result, exc, closing) == PYGEN_RETURN) {
        if (PyAsyncGen_CheckExact(gen)) {
            PyErr_SetNone(PyExc_StopAsyncIteration);
        }
        else if (Py_IsNone(result)) {
            PyErr_SetNone(PyExc_StopIteration);
        }
        else {
            _PyGen_SetStopIterationValue(result);
        }
        Py_CLEAR(result);
    }
    return result;
}

PySendResult
kr_gen_am_send(PyObject *op, PyObject *arg, PyObject **result)
{
    return kr_gen_resume(KR_GEN(op), arg, result, 0, 0);
}

static PyObject *
gen_send_method(PyObject *op, PyObject *arg)
{
    return kr_gen_send(KR_GEN(op), arg, 0, 0);
}

PyObject *
kr_gen_delegate(PyGenObject *gen)
{
    if (gen->gi_frame_state != KR_GEN_SUSPENDED) {
        return NULL;
    }
    _PyInterpreterFrame *frame = kr_gen_frame(gen);
    _Py_CODEUNIT next = frame->prev_instr[1];
    if (kr_opcode_deopt[KR_OPCODE(next)] != RESUME || KR_OPARG(next) < 2) {
        return NULL; /* a plain yield */
    }
    return Py_NewRef(frame->localsplus[frame->stacktop - 1]);
}

/* Closes what is delegated to; -1 with an exception. */
static int
close_delegate(PyObject *yf)
{
    PyObject *result = NULL;
    if (PyGen_CheckExact(yf) || PyCoro_CheckExact(yf)) {
        result = kr_gen_close(yf, NULL);
    }
    else {
        PyObject *close;
        if (_PyObject_LookupAttr(yf, KR_ID(close), &close) < 0) {
            PyErr_WriteUnraisable(yf);
        }
        if (close == NULL) {
            return 0;
        }
        result = PyObject_CallNoArgs(close);
        Py_DECREF(close);
    }
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int
close_delegate_of(PyGenObject *gen, PyObject *yf)
{
    int8_t state = gen->gi_frame_state;
    gen->gi_frame_state = KR_GEN_EXECUTING;
    int err = close_delegate(yf);
    gen->gi_frame_state = state;
    return err;
}

PyObject *
kr_gen_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyGenObject *gen = KR_GEN(op);
    PyObject *yf = kr_gen_delegate(gen);
    int err = 0;
    if (yf != NULL) {
        err = close_delegate_of(gen, yf);
        Py_DECREF(yf);
    }
    if (err == 0) {
        PyErr_SetNone(PyExc_GeneratorExit);
    }
    PyObject *result = kr_gen_send(gen, Py_None, 1, 1);
    if (result != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%s ignored GeneratorExit",
                     kind(gen));
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration) ||
        PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return NULL;
}

/* The delegate has ended: its generator goes on behind the `yield from`. */
static PyObject *
after_delegate(PyGenObject *gen)
{
    _PyInterpreterFrame *frame = kr_gen_frame(gen);
    PyObject *yf = frame->localsplus[--frame->stacktop];
    /* as SEND would have jumped, which is the unit before the YIELD_VALUE */
    frame->prev_instr += KR_OPARG(frame->prev_instr[-1]) - 1;
    Py_DECREF(yf);
    PyObject *value;
    if (_PyGen_FetchStopIterationValue(&value) < 0) {
        return kr_gen_send(gen, Py_None, 1, 0);
    }
    PyObject *result = kr_gen_send(gen, value, 0, 0);
    Py_DECREF(value);
    return result;
}

/* Checks and normalises what throw() got, and raises it inside. */
static PyObject *
throw_here(PyGenObject *gen, PyObject *type, PyObject *value, PyObject *tb)
{
    if (tb == Py_None) {
        tb = NULL;
    }
    else if (tb != NULL && !PyTraceBack_Check(tb)) {
        PyErr_SetString(PyExc_TypeError,
                        "throw() third argument must be a traceback object");
        return NULL;
    }
    Py_INCREF(type);
    Py_XINCREF(value);
    Py_XINCREF(tb);
    if (PyExceptionClass_Check(type)) {
        PyErr_NormalizeException(&type, &value, &tb);
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "instance exception may not have a separate "
                            "value");
            goto fail;
        }
        Py_XDECREF(value);
        value = type;
        type = Py_NewRef(PyExceptionInstance_Class(value));
        if (tb == NULL) {
            tb = PyException_GetTraceback(value);
        }
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from "
                     "BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        goto fail;
    }
    PyErr_Restore(type, value, tb);
    return kr_gen_send(gen, Py_None, 1, 0);
fail:
    Py_DECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    return NULL;
}

/* Throws into the delegate. Sets *found to 0 if it has no throw(). */
static PyObject *
throw_delegate(PyGenObject *gen, PyObject *yf, int close_on_exit,
               PyObject *type, PyObject *value, PyObject *tb, int *found)
{
    PyObject *result;
    *found = 1;
    if (PyGen_CheckExact(yf) || PyCoro_CheckExact(yf)) {
        PyThreadState *ts = kr_tstate();
        _PyInterpreterFrame *frame = kr_gen_frame(gen);
        _PyInterpreterFrame *caller = ts->cframe->current_frame;
        frame->previous = caller;
        ts->cframe->current_frame = frame;
        int8_t state = gen->gi_frame_state;
        gen->gi_frame_state = KR_GEN_EXECUTING;
        result = kr_gen_throw(KR_GEN(yf), close_on_exit, type, value, tb);
        gen->gi_frame_state = state;
        ts->cframe->current_frame = caller;
        frame->previous = NULL;
        return result;
    }
    PyObject *method;
    if (_PyObject_LookupAttr(yf, KR_ID(throw), &method) < 0) {
        return NULL;
    }
    if (method == NULL) {
        *found = 0;
        return NULL;
    }
    int8_t state = gen->gi_frame_state;
    gen->gi_frame_state = KR_GEN_EXECUTING;
    result = PyObject_CallFunctionObjArgs(method, type, value, tb, NULL);
    gen->gi_frame_state = state;
    Py_DECREF(method);
    return result;
}

PyObject *
kr_gen_throw(PyGenObject *gen, int close_on_exit, PyObject *type,
             PyObject *value, PyObject *tb)
{
    PyObject *yf = kr_gen_delegate(gen);
    if (yf == NULL) {
        return throw_here(gen, type, value, tb);
    }
    if (close_on_exit &&
        PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit)) {
        int err = close_delegate_of(gen, yf);
        Py_DECREF(yf);
        return err < 0 ? kr_gen_send(gen, Py_None, 1, 0)
                       : throw_here(gen, type, value, tb);
    }
    int found;
    PyObject *result =
        throw_delegate(gen, yf, close_on_exit, type, value, tb, &found);
    Py_DECREF(yf);
    if (!found) {
        return throw_here(gen, type, value, tb);
    }
    return result != NULL || !PyErr_Occurred() ||
                   gen->gi_frame_state != KR_GEN_SUSPENDED
               ? result
               : after_delegate(gen);
}

PyObject *
kr_gen_throw_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("throw", nargs, 1, 3)) {
        return NULL;
    }
    return kr_gen_throw(KR_GEN(op), 1, args[0], nargs > 1 ? args[1] : NULL,
                        nargs > 2 ? args[2] : NULL);
}

static PyObject *
gen_iternext(PyObject *op)
{
    PyObject *result;
    if (kr_gen_resume(KR_GEN(op), NULL, &result, 0, 0) == PYGEN_RETURN) {
        if (!Py_IsNone(result)) {
            _PyGen_SetStopIterationValue(result);
        }
        Py_CLEAR(result);
    }
    return result;
}

/* StopIteration(value), such that a tuple or exception is not taken apart. */
int
_PyGen_SetStopIterationValue(PyObject *value)
{
    if (value == NULL ||
        (!PyTuple_Check(value) && !PyExceptionInstance_Check(value))) {
        PyErr_SetObject(PyExc_StopIteration, value);
        return 0;
    }
    PyObject *exc = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (exc == NULL) {
        return -1;
    }
    PyErr_SetObject(PyExc_StopIteration, exc);
    Py_DECREF(exc);
    return 0;
}

int
_PyGen_FetchStopIterationValue(PyObject **result)
{
    *result = NULL;
    if (!PyErr_Occurred()) {
        *result = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return -1;
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    if (!PyObject_TypeCheck(value, (PyTypeObject *)PyExc_StopIteration)) {
        PyErr_Restore(type, value, tb);
        return -1;
    }
    PyObject *inner = ((PyStopIterationObject *)value)->value;
    *result = Py_NewRef(inner ? inner : Py_None);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    return 0;
}

/* Life and death. */

int
kr_gen_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyGenObject *gen = KR_GEN(op);
    Py_VISIT(gen->gi_code);
    Py_VISIT(gen->gi_name);
    Py_VISIT(gen->gi_qualname);
    if (gen->gi_frame_state < KR_GEN_CLEARED) {
        int err = kr_frame_traverse(kr_gen_frame(gen), visit, arg);
        if (err) {
            return err;
        }
    }
    Py_VISIT(gen->gi_origin_or_finalizer);
    Py_VISIT(gen->gi_exc_state.exc_value);
    return 0;
}

static void
warn_never_awaited(PyGenObject *coro)
{
    PyObject *warnings = PyImport_GetModule(KR_ID(warnings));
    PyObject *warn = NULL;
    if (warnings != NULL) {
        _PyObject_LookupAttr(warnings, KR_ID(_warn_unawaited_coroutine),
                             &warn);
        Py_DECREF(warnings);
    }
    if (warn != NULL) {
        PyObject *result = PyObject_CallOneArg(warn, (PyObject *)coro);
        Py_DECREF(warn);
        bool warned =
            result != NULL || PyErr_ExceptionMatches(PyExc_RuntimeWarning);
        Py_XDECREF(result);
        if (PyErr_Occurred()) {
            PyErr_WriteUnraisable((PyObject *)coro);
        }
        if (warned) {
            return;
        }
    }
    PyErr_Clear();
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                         "coroutine '%S' was never awaited",
                         coro->gi_qualname) < 0) {
        PyErr_WriteUnraisable((PyObject *)coro);
    }
}

void
_PyGen_Finalize(PyObject *self)
{
    PyGenObject *gen = KR_GEN(self);
    if (gen->gi_frame_state >= KR_GEN_COMPLETED) {
        return;
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *finalizer = PyAsyncGen_CheckExact(self)
                              ? gen->gi_origin_or_finalizer
                              : NULL;
    if (finalizer != NULL && !gen->gi_closed) {
        PyObject *result = PyObject_CallOneArg(finalizer, self);
        if (result == NULL) {
            PyErr_WriteUnraisable(self);
        }
        Py_XDECREF(result);
    }
    else if (gen->gi_code != NULL && gen->gi_code->co_flags & CO_COROUTINE &&
             gen->gi_frame_state == KR_GEN_CREATED) {
        warn_never_awaited(gen);
    }
    else {
        PyObject *result = kr_gen_close(self, NULL);
        if (result == NULL && PyErr_Occurred()) {
            PyErr_WriteUnraisable(self);
        }
        Py_XDECREF(result);
    }
    PyErr_Restore(type, value, tb);
}

void
kr_gen_dealloc(PyObject *op)
{
    PyGenObject *gen = KR_GEN(op);
    kr_gc_untrack(op);
    if (gen->gi_weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    kr_gc_track(op);
    if (PyObject_CallFinalizerFromDealloc(op)) {
        return; /* somebody keeps it */
    }
    kr_gc_untrack(op);
    Py_CLEAR(gen->gi_origin_or_finalizer);
    if (gen->gi_frame_state < KR_GEN_CLEARED) {
        gen->gi_frame_state = KR_GEN_CLEARED;
        kr_gen_frame(gen)->previous = NULL;
        kr_frame_clear(kr_gen_frame(gen));
    }
    Py_CLEAR(gen->gi_code);
    Py_CLEAR(gen->gi_name);
    Py_CLEAR(gen->gi_qualname);
    Py_CLEAR(gen->gi_exc_state.exc_value);
    PyObject_GC_Del(gen);
}

static PyObject *
new_gen(PyTypeObject *type, PyCodeObject *co, PyObject *name,
        PyObject *qualname)
{
    PyGenObject *gen = PyObject_GC_NewVar(
        PyGenObject, type, co->co_nlocalsplus + co->co_stacksize);
    if (gen == NULL) {
        return NULL;
    }
    gen->gi_code = (PyCodeObject *)Py_NewRef((PyObject *)co);
    gen->gi_weakreflist = NULL;
    gen->gi_name = Py_NewRef(name);
    gen->gi_qualname = Py_NewRef(qualname);
    gen->gi_exc_state.exc_value = NULL;
    gen->gi_exc_state.previous_item = NULL;
    gen->gi_origin_or_finalizer = NULL;
    gen->gi_hooks_inited = 0;
    gen->gi_closed = 0;
    gen->gi_running_async = 0;
    gen->gi_frame_state = KR_GEN_CLEARED;
    kr_gc_track((PyObject *)gen);
    return (PyObject *)gen;
}

PyObject *
kr_gen_from_function(PyFunctionObject *func, PyCodeObject *co)
{
    int flags = co->co_flags;
    if (flags & CO_GENERATOR) {
        return new_gen(&PyGen_Type, co, func->func_name, func->func_qualname);
    }
    if (flags & CO_ASYNC_GENERATOR) {
        return new_gen(&PyAsyncGen_Type, co, func->func_name,
                       func->func_qualname);
    }
    PyObject *coro =
        new_gen(&PyCoro_Type, co, func->func_name, func->func_qualname);
    if (coro == NULL) {
        return NULL;
    }
    PyObject *origin = kr_coroutine_origin(kr_tstate());
    if (origin == NULL && PyErr_Occurred()) {
        Py_DECREF(coro);
        return NULL;
    }
    KR_GEN(coro)->gi_origin_or_finalizer = origin;
    return coro;
}

/* The C API makes generators from frame objects (which it steals). */
static PyObject *
gen_from_frame(PyTypeObject *type, PyFrameObject *f, PyObject *name,
               PyObject *qualname)
{
    PyCodeObject *co = f->f_frame->f_code;
    PyObject *gen = new_gen(type, co, name ? name : co->co_name,
                            qualname ? qualname : co->co_qualname);
    if (gen != NULL) {
        _PyInterpreterFrame *inside = kr_gen_frame(KR_GEN(gen));
        _PyInterpreterFrame *old = f->f_frame;
        old->frame_obj = (PyFrameObject *)Py_NewRef((PyObject *)f);
        kr_frame_copy(old, inside);
        inside->owner = KR_FRAME_GENERATOR;
        KR_GEN(gen)->gi_frame_state = KR_GEN_CREATED;
    }
    Py_DECREF(f);
    return gen;
}

PyObject *
PyGen_NewWithQualName(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    return gen_from_frame(&PyGen_Type, f, name, qualname);
}

PyObject *
PyGen_New(PyFrameObject *f)
{
    return gen_from_frame(&PyGen_Type, f, NULL, NULL);
}

PyObject *
PyCoro_New(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    PyObject *coro = gen_from_frame(&PyCoro_Type, f, name, qualname);
    if (coro != NULL) {
        KR_GEN(coro)->gi_origin_or_finalizer =
            kr_coroutine_origin(kr_tstate());
        if (PyErr_Occurred()) {
            Py_CLEAR(coro);
        }
    }
    return coro;
}

PyObject *
PyAsyncGen_New(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    return gen_from_frame(&PyAsyncGen_Type, f, name, qualname);
}

/* Attributes. */

PyObject *
kr_gen_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(KR_GEN(op)->gi_name);
}

int
kr_gen_set_name(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return kr_set_str_field(&KR_GEN(op)->gi_name, value, "__name__");
}

PyObject *
kr_gen_get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(KR_GEN(op)->gi_qualname);
}

int
kr_gen_set_qualname(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return kr_set_str_field(&KR_GEN(op)->gi_qualname, value, "__qualname__");
}

PyObject *
kr_gen_get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    PyGenObject *gen = KR_GEN(op);
    if (PySys_Audit("object.__getattr__", "Os", op,
                    PyCoro_CheckExact(op)       ? "cr_frame"
                    : PyAsyncGen_CheckExact(op) ? "ag_frame"
                                                : "gi_frame") < 0) {
        return NULL;
    }
    if (gen->gi_frame_state == KR_GEN_CLEARED) {
        Py_RETURN_NONE;
    }
    return Py_XNewRef((PyObject *)kr_frame_object(kr_gen_frame(gen)));
}

PyObject *
kr_gen_get_delegate(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *yf = kr_gen_delegate(KR_GEN(op));
    return yf != NULL ? yf : Py_NewRef(Py_None);
}

PyObject *
kr_gen_get_running(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(KR_GEN(op)->gi_frame_state == KR_GEN_EXECUTING);
}

PyObject *
kr_gen_get_suspended(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(KR_GEN(op)->gi_frame_state == KR_GEN_SUSPENDED);
}

PyObject *
kr_gen_get_code(PyObject *op, void *Py_UNUSED(closure))
{
    if (PySys_Audit("object.__getattr__", "Os", op,
                    PyCoro_CheckExact(op)       ? "cr_code"
                    : PyAsyncGen_CheckExact(op) ? "ag_code"
                                                : "gi_code") < 0) {
        return NULL;
    }
    return Py_NewRef((PyObject *)KR_GEN(op)->gi_code);
}

static PyObject *
gen_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<generator object %S at %p>",
                                KR_GEN(op)->gi_qualname, op);
}

static PyObject *
gen_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyCodeObject *co = KR_GEN(op)->gi_code;
    return PyLong_FromSize_t(offsetof(PyGenObject, gi_iframe) +
                             kr_frame_words(co) * sizeof(PyObject *));
}

static PyGetSetDef gen_getset[] = {
    {"__name__", kr_gen_get_name, kr_gen_set_name,
     PyDoc_STR("Name of the generator."), NULL},
    {"__qualname__", kr_gen_get_qualname, kr_gen_set_qualname,
     PyDoc_STR("Qualified name of the generator."), NULL},
    {"gi_yieldfrom", kr_gen_get_delegate, NULL, NULL, NULL},
    {"gi_running", kr_gen_get_running, NULL, NULL, NULL},
    {"gi_frame", kr_gen_get_frame, NULL, NULL, NULL},
    {"gi_suspended", kr_gen_get_suspended, NULL, NULL, NULL},
    {"gi_code", kr_gen_get_code, NULL, NULL, NULL},
    {NULL},
};

PyDoc_STRVAR(send_doc, "send(value) -> next yielded value, or StopIteration.");
PyDoc_STRVAR(throw_doc, "throw(value)\nthrow(type[,value[,tb]])\n\n"
                        "Raise an exception inside the generator.");
PyDoc_STRVAR(close_doc, "close() -> raise GeneratorExit inside the generator.");

static PyMethodDef gen_methods[] = {
    {"send", gen_send_method, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))kr_gen_throw_method, METH_FASTCALL,
     throw_doc},
    {"close", kr_gen_close, METH_NOARGS, close_doc},
    {"__sizeof__", gen_sizeof, METH_NOARGS, NULL},
    {NULL},
};

static PyAsyncMethods gen_as_async = {.am_send = kr_gen_am_send};

PyTypeObject PyGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "generator",
    .tp_basicsize = offsetof(PyGenObject, gi_iframe) +
                    offsetof(_PyInterpreterFrame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = kr_gen_dealloc,
    .tp_as_async = &gen_as_async,
    .tp_repr = gen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = kr_gen_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = gen_iternext,
    .tp_methods = gen_methods,
    .tp_getset = gen_getset,
    .tp_finalize = _PyGen_Finalize,
};

/* What the instructions need. */

PySendResult
kr_send(PyThreadState *ts, _PyInterpreterFrame *f, PyObject *receiver,
        PyObject *value, PyObject **result)
{
    if (KR_LIKELY(ts->c_tracefunc == NULL)) {
        return PyIter_Send(receiver, value, result);
    }
    /* a tracer wants to see the StopIteration */
    if (Py_IsNone(value) && PyIter_Check(receiver)) {
        *result = Py_TYPE(receiver)->tp_iternext(receiver);
    }
    else {
        *result = PyObject_CallMethodOneArg(receiver, KR_ID(send), value);
    }
    if (*result != NULL) {
        return PYGEN_NEXT;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        kr_trace_exception(ts, f);
    }
    return _PyGen_FetchStopIterationValue(result) == 0 ? PYGEN_RETURN
                                                       : PYGEN_ERROR;
}

PyObject *
kr_yield_from_iter(PyCodeObject *co, PyObject *iterable)
{
    if (PyCoro_CheckExact(iterable)) {
        if (!(co->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))) {
            PyErr_SetString(PyExc_TypeError,
                            "cannot 'yield from' a coroutine object in a "
                            "non-coroutine generator");
            return NULL;
        }
        return Py_NewRef(iterable);
    }
    return PyGen_CheckExact(iterable) ? Py_NewRef(iterable)
                                      : PyObject_GetIter(iterable);
}
