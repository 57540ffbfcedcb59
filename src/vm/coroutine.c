/* Coroutines, and how awaitables are turned into iterators. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/iter.h"
#include "vm/generator.h"
#include "vm/support.h"

static int
is_iterable_coroutine(PyObject *o)
{
    return PyGen_CheckExact(o) &&
           KR_GEN(o)->gi_code->co_flags & CO_ITERABLE_COROUTINE;
}

PyObject *
_PyCoro_GetAwaitableIter(PyObject *o)
{
    if (PyCoro_CheckExact(o) || is_iterable_coroutine(o)) {
        return Py_NewRef(o);
    }
    PyAsyncMethods *am = Py_TYPE(o)->tp_as_async;
    if (am == NULL || am->am_await == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "object %.100s can't be used in 'await' expression",
                     Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyObject *iter = am->am_await(o);
    if (iter == NULL) {
        return NULL;
    }
    if (PyCoro_CheckExact(iter) || is_iterable_coroutine(iter)) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(iter);
    }
    else if (!PyIter_Check(iter)) {
        PyErr_Format(PyExc_TypeError,
                     "__await__() returned non-iterator of type '%.100s'",
                     Py_TYPE(iter)->tp_name);
        Py_CLEAR(iter);
    }
    return iter;
}

PyObject *
kr_get_awaitable(PyObject *iterable, int where)
{
    PyObject *iter = _PyCoro_GetAwaitableIter(iterable);
    if (iter == NULL) {
        PyTypeObject *type = Py_TYPE(iterable);
        if (where && (type->tp_as_async == NULL ||
                      type->tp_as_async->am_await == NULL)) {
            PyErr_Format(PyExc_TypeError,
                         "'async with' received an object from %s that does "
                         "not implement __await__: %.100s",
                         where == 1 ? "__aenter__" : "__aexit__",
                         type->tp_name);
        }
        return NULL;
    }
    if (PyCoro_CheckExact(iter)) {
        PyObject *yf = kr_gen_delegate(KR_GEN(iter));
        if (yf != NULL) {
            Py_DECREF(yf);
            Py_DECREF(iter);
            PyErr_SetString(PyExc_RuntimeError,
                            "coroutine is being awaited already");
            return NULL;
        }
    }
    return iter;
}

PyObject *
kr_get_aiter(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (type->tp_as_async == NULL || type->tp_as_async->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an object with __aiter__ method, "
                     "got %.100s",
                     type->tp_name);
        return NULL;
    }
    PyObject *iter = type->tp_as_async->am_aiter(obj);
    if (iter != NULL && (Py_TYPE(iter)->tp_as_async == NULL ||
                         Py_TYPE(iter)->tp_as_async->am_anext == NULL)) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' received an object from __aiter__ that "
                     "does not implement __anext__: %.100s",
                     Py_TYPE(iter)->tp_name);
        Py_CLEAR(iter);
    }
    return iter;
}

PyObject *
kr_get_anext(PyObject *aiter)
{
    PyTypeObject *type = Py_TYPE(aiter);
    if (PyAsyncGen_CheckExact(aiter)) {
        return type->tp_as_async->am_anext(aiter);
    }
    if (type->tp_as_async == NULL || type->tp_as_async->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an iterator with __anext__ "
                     "method, got %.100s",
                     type->tp_name);
        return NULL;
    }
    PyObject *next = type->tp_as_async->am_anext(aiter);
    if (next == NULL) {
        return NULL;
    }
    PyObject *awaitable = _PyCoro_GetAwaitableIter(next);
    if (awaitable == NULL) {
        _PyErr_FormatFromCause(PyExc_TypeError,
                               "'async for' received an invalid object from "
                               "__anext__: %.100s",
                               Py_TYPE(next)->tp_name);
    }
    Py_DECREF(next);
    return awaitable;
}

PyObject *
kr_coroutine_origin(PyThreadState *ts)
{
    int depth = ts->coroutine_origin_tracking_depth;
    if (depth == 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    /* the coroutine's own frame is still on top */
    _PyInterpreterFrame *f = ts->cframe->current_frame;
    f = f == NULL ? NULL : f->previous;
    for (; list != NULL && f != NULL && depth > 0; f = f->previous) {
        if (kr_frame_incomplete(f)) {
            continue;
        }
        PyCodeObject *co = f->f_code;
        PyObject *entry = Py_BuildValue(
            "OiO", co->co_filename, PyCode_Addr2Line(co, kr_frame_lasti(f)),
            co->co_name);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
        depth--;
    }
    PyObject *origin = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return origin;
}

static PyObject *
coro_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<coroutine object %S at %p>",
                                KR_GEN(op)->gi_qualname, op);
}

struct wrapper {
    PyObject_HEAD
    PyObject *coro;
};

#define WRAPPED(op) (((struct wrapper *)(op))->coro)

static PyObject *
coro_await(PyObject *coro)
{
    struct wrapper *w = PyObject_GC_New(struct wrapper, &_PyCoroWrapper_Type);
    if (w != NULL) {
        w->coro = Py_NewRef(coro);
        kr_gc_track((PyObject *)w);
    }
    return (PyObject *)w;
}

static PyObject *
coro_send(PyObject *op, PyObject *arg)
{
    return kr_gen_send(KR_GEN(op), arg, 0, 0);
}

static PyGetSetDef coro_getset[] = {
    {"__name__", kr_gen_get_name, kr_gen_set_name,
     PyDoc_STR("Name of the coroutine."), NULL},
    {"__qualname__", kr_gen_get_qualname, kr_gen_set_qualname,
     PyDoc_STR("Qualified name of the coroutine."), NULL},
    {"cr_await", kr_gen_get_delegate, NULL, NULL, NULL},
    {"cr_running", kr_gen_get_running, NULL, NULL, NULL},
    {"cr_frame", kr_gen_get_frame, NULL, NULL, NULL},
    {"cr_code", kr_gen_get_code, NULL, NULL, NULL},
    {"cr_suspended", kr_gen_get_suspended, NULL, NULL, NULL},
    {NULL},
};

static PyMemberDef coro_members[] = {
    {"cr_origin", T_OBJECT, offsetof(PyCoroObject, cr_origin_or_finalizer),
     READONLY},
    {NULL},
};

PyDoc_STRVAR(send_doc, "send(value) -> pass value into coroutine, return what it "
                       "awaits next, or raise\nStopIteration.");
PyDoc_STRVAR(throw_doc, "throw(value)\nthrow(type[,value[,traceback]])\n\n"
                        "Raise an exception in coroutine.");
PyDoc_STRVAR(close_doc, "close() -> raise GeneratorExit inside coroutine.");

static PyMethodDef coro_methods[] = {
    {"send", coro_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))kr_gen_throw_method, METH_FASTCALL,
     throw_doc},
    {"close", kr_gen_close, METH_NOARGS, close_doc},
    {NULL},
};

static PyAsyncMethods coro_as_async = {
    .am_await = coro_await,
    .am_send = kr_gen_am_send,
};

PyTypeObject PyCoro_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine",
    .tp_basicsize = offsetof(PyCoroObject, cr_iframe) +
                    offsetof(_PyInterpreterFrame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = kr_gen_dealloc,
    .tp_as_async = &coro_as_async,
    .tp_repr = coro_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = kr_gen_traverse,
    .tp_weaklistoffset = offsetof(PyCoroObject, cr_weakreflist),
    .tp_methods = coro_methods,
    .tp_members = coro_members,
    .tp_getset = coro_getset,
    .tp_finalize = _PyGen_Finalize,
};

/* What coroutine.__await__() gives. */

static void
wrapper_dealloc(PyObject *op)
{
    kr_gc_untrack(op);
    Py_CLEAR(WRAPPED(op));
    PyObject_GC_Del(op);
}

static int
wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(WRAPPED(op));
    return 0;
}

static PyObject *
wrapper_next(PyObject *op)
{
    return kr_gen_send(KR_GEN(WRAPPED(op)), NULL, 0, 0);
}

static PyObject *
wrapper_send(PyObject *op, PyObject *arg)
{
    return kr_gen_send(KR_GEN(WRAPPED(op)), arg, 0, 0);
}

static PyObject *
wrapper_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return kr_gen_throw_method(WRAPPED(op), args, nargs);
}

static PyObject *
wrapper_close(PyObject *op, PyObject *ignored)
{
    return kr_gen_close(WRAPPED(op), ignored);
}

static PyMethodDef wrapper_methods[] = {
    {"send", wrapper_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))wrapper_throw, METH_FASTCALL,
     throw_doc},
    {"close", wrapper_close, METH_NOARGS, close_doc},
    {NULL},
};

PyTypeObject _PyCoroWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine_wrapper",
    .tp_basicsize = sizeof(struct wrapper),
    .tp_dealloc = wrapper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "An iterator that runs a coroutine.",
    .tp_traverse = wrapper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = wrapper_next,
    .tp_methods = wrapper_methods,
};
