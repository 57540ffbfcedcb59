/* Asynchronous generators: the generator itself, the awaitables of its methods,
 * and the wrapper that tells a yielded value from an awaited one. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "vm/generator.h"
#include "vm/support.h"

#define AG(op) ((PyAsyncGenObject *)(op))

enum step { INIT, ITER, CLOSED };

struct wrapped {
    PyObject_HEAD
    PyObject *value;
};

struct asend {
    PyObject_HEAD
    PyAsyncGenObject *gen;
    PyObject *value; /* to send, may be NULL */
    enum step step;
};

struct athrow {
    PyObject_HEAD
    PyAsyncGenObject *gen;
    PyObject *args; /* NULL: aclose() */
    enum step step;
};

#define WRAPPED(op) ((struct wrapped *)(op))
#define ASEND(op) ((struct asend *)(op))
#define ATHROW(op) ((struct athrow *)(op))

/* The wrapper. */

PyObject *
kr_async_gen_wrap(PyObject *value)
{
    struct wrapped *w =
        PyObject_GC_New(struct wrapped, &_PyAsyncGenWrappedValue_Type);
    if (w != NULL) {
        w->value = Py_NewRef(value);
        kr_gc_track((PyObject *)w);
    }
    return (PyObject *)w;
}

static void
wrapped_dealloc(PyObject *op)
{
    kr_gc_untrack(op);
    Py_CLEAR(WRAPPED(op)->value);
    PyObject_GC_Del(op);
}

static int
wrapped_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(WRAPPED(op)->value);
    return 0;
}

PyTypeObject _PyAsyncGenWrappedValue_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_wrapped_value",
    .tp_basicsize = sizeof(struct wrapped),
    .tp_dealloc = wrapped_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = wrapped_traverse,
};

/* What a step of the generator gave: a wrapped value is the result of the
 * asend() or athrow(), reported by StopIteration. Takes over `result`. */
static PyObject *
unwrap(PyAsyncGenObject *gen, PyObject *result)
{
    if (result == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetNone(PyExc_StopAsyncIteration);
        }
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ||
            PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            gen->ag_closed = 1;
        }
        gen->ag_running_async = 0;
        return NULL;
    }
    if (Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        _PyGen_SetStopIterationValue(WRAPPED(result)->value);
        Py_DECREF(result);
        gen->ag_running_async = 0;
        return NULL;
    }
    return result;
}

/* The hooks of the event loop are read when the generator is first used. */
static int
init_hooks(PyAsyncGenObject *gen)
{
    if (gen->ag_hooks_inited) {
        return 0;
    }
    gen->ag_hooks_inited = 1;
    PyThreadState *ts = kr_tstate();
    Py_XINCREF(ts->async_gen_finalizer);
    gen->ag_origin_or_finalizer = ts->async_gen_finalizer;
    PyObject *first = ts->async_gen_firstiter;
    if (first == NULL) {
        return 0;
    }
    Py_INCREF(first);
    PyObject *result = PyObject_CallOneArg(first, (PyObject *)gen);
    Py_DECREF(first);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *
new_asend(PyObject *gen, PyObject *value)
{
    if (init_hooks(AG(gen)) < 0) {
        return NULL;
    }
    struct asend *o = PyObject_GC_New(struct asend, &_PyAsyncGenASend_Type);
    if (o == NULL) {
        return NULL;
    }
    o->gen = AG(Py_NewRef(gen));
    o->value = Py_XNewRef(value);
    o->step = INIT;
    kr_gc_track((PyObject *)o);
    return (PyObject *)o;
}

static PyObject *
new_athrow(PyObject *gen, PyObject *args)
{
    if (init_hooks(AG(gen)) < 0) {
        return NULL;
    }
    struct athrow *o = PyObject_GC_New(struct athrow, &_PyAsyncGenAThrow_Type);
    if (o == NULL) {
        return NULL;
    }
    o->gen = AG(Py_NewRef(gen));
    o->args = Py_XNewRef(args);
    o->step = INIT;
    kr_gc_track((PyObject *)o);
    return (PyObject *)o;
}

static PyObject *
ag_anext(PyObject *gen)
{
    return new_asend(gen, NULL);
}

static PyObject *
ag_asend(PyObject *gen, PyObject *value)
{
    return new_asend(gen, value);
}

static PyObject *
ag_aclose(PyObject *gen, PyObject *Py_UNUSED(ignored))
{
    return new_athrow(gen, NULL);
}

static PyObject *
ag_athrow(PyObject *gen, PyObject *args)
{
    return new_athrow(gen, args);
}

static PyObject *
ag_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<async_generator object %S at %p>",
                                AG(op)->ag_qualname, op);
}

static int
ag_traverse(PyObject *op, visitproc visit, void *arg)
{
    return kr_gen_traverse(op, visit, arg);
}

static PyGetSetDef ag_getset[] = {
    {"__name__", kr_gen_get_name, kr_gen_set_name,
     PyDoc_STR("Name of the async generator."), NULL},
    {"__qualname__", kr_gen_get_qualname, kr_gen_set_qualname,
     PyDoc_STR("Qualified name of the async generator."), NULL},
    {"ag_await", kr_gen_get_delegate, NULL, NULL, NULL},
    {"ag_frame", kr_gen_get_frame, NULL, NULL, NULL},
    {"ag_code", kr_gen_get_code, NULL, NULL, NULL},
    {NULL},
};

static PyMemberDef ag_members[] = {
    {"ag_running", T_BOOL, offsetof(PyAsyncGenObject, ag_running_async),
     READONLY},
    {NULL},
};

static PyMethodDef ag_methods[] = {
    {"asend", ag_asend, METH_O, "asend(v) -> send 'v' in generator."},
    {"athrow", ag_athrow, METH_VARARGS,
     "athrow(value)\nathrow(type[,value[,tb]])\n\n"
     "Raise an exception inside the generator."},
    {"aclose", ag_aclose, METH_NOARGS,
     "aclose() -> raise GeneratorExit inside generator."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyAsyncMethods ag_as_async = {
    .am_aiter = PyObject_SelfIter,
    .am_anext = ag_anext,
    .am_send = kr_gen_am_send,
};

PyTypeObject PyAsyncGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator",
    .tp_basicsize = offsetof(PyAsyncGenObject, ag_iframe) +
                    offsetof(_PyInterpreterFrame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = kr_gen_dealloc,
    .tp_as_async = &ag_as_async,
    .tp_repr = ag_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = ag_traverse,
    .tp_weaklistoffset = offsetof(PyAsyncGenObject, ag_weakreflist),
    .tp_methods = ag_methods,
    .tp_members = ag_members,
    .tp_getset = ag_getset,
    .tp_finalize = _PyGen_Finalize,
};

/* asend() and __anext__(). */

static void
asend_dealloc(PyObject *op)
{
    kr_gc_untrack(op);
    Py_CLEAR(ASEND(op)->gen);
    Py_CLEAR(ASEND(op)->value);
    PyObject_GC_Del(op);
}

static int
asend_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(ASEND(op)->gen);
    Py_VISIT(ASEND(op)->value);
    return 0;
}

static PyObject *
asend_send(PyObject *op, PyObject *arg)
{
    struct asend *o = ASEND(op);
    if (o->step == CLOSED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited __anext__()/asend()");
        return NULL;
    }
    if (o->step == INIT) {
        if (o->gen->ag_running_async) {
            PyErr_SetString(PyExc_RuntimeError,
                            "anext(): asynchronous generator is already "
                            "running");
            return NULL;
        }
        if (arg == NULL || arg == Py_None) {
            arg = o->value;
        }
        o->step = ITER;
    }
    o->gen->ag_running_async = 1;
    PyObject *result =
        unwrap(o->gen, kr_gen_send(KR_GEN(o->gen), arg, 0, 0));
    if (result == NULL) {
        o->step = CLOSED;
    }
    return result;
}

static PyObject *
asend_next(PyObject *op)
{
    return asend_send(op, NULL);
}

static PyObject *
asend_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    struct asend *o = ASEND(op);
    if (o->step == CLOSED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited __anext__()/asend()");
        return NULL;
    }
    PyObject *result = unwrap(
        o->gen, kr_gen_throw_method((PyObject *)o->gen, args, nargs));
    if (result == NULL) {
        o->step = CLOSED;
    }
    return result;
}

static PyObject *
asend_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    ASEND(op)->step = CLOSED;
    Py_RETURN_NONE;
}

static PyMethodDef asend_methods[] = {
    {"send", asend_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))asend_throw, METH_FASTCALL, NULL},
    {"close", asend_close, METH_NOARGS, NULL},
    {NULL},
};

static PyAsyncMethods asend_as_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenASend_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_asend",
    .tp_basicsize = sizeof(struct asend),
    .tp_dealloc = asend_dealloc,
    .tp_as_async = &asend_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = asend_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = asend_next,
    .tp_methods = asend_methods,
};

/* athrow() and aclose(). */

static void
athrow_dealloc(PyObject *op)
{
    kr_gc_untrack(op);
    Py_CLEAR(ATHROW(op)->gen);
    Py_CLEAR(ATHROW(op)->args);
    PyObject_GC_Del(op);
}

static int
athrow_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(ATHROW(op)->gen);
    Py_VISIT(ATHROW(op)->args);
    return 0;
}

static PyObject *
athrow_ended(struct athrow *o)
{
    o->gen->ag_running_async = 0;
    o->step = CLOSED;
    return NULL;
}

/* What comes of a step of the generator. For aclose() a yield is an error, and
 * StopIteration the end to expect. */
static PyObject *
athrow_result(struct athrow *o, PyObject *result)
{
    if (o->args != NULL) {
        return unwrap(o->gen, result);
    }
    if (result == NULL) {
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ||
            PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            PyErr_Clear();
            PyErr_SetNone(PyExc_StopIteration);
        }
    }
    else if (Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        Py_DECREF(result);
        PyErr_SetString(PyExc_RuntimeError,
                        "async generator ignored GeneratorExit");
        return athrow_ended(o);
    }
    return result;
}

/* The first step. */
static PyObject *
athrow_start(struct athrow *o)
{
    PyObject *type = PyExc_GeneratorExit, *value = NULL, *tb = NULL;
    if (o->args == NULL) {
        o->gen->ag_closed = 1;
    }
    else if (!PyArg_UnpackTuple(o->args, "athrow", 1, 3, &type, &value, &tb)) {
        return NULL;
    }
    PyObject *result =
        athrow_result(o, kr_gen_throw(KR_GEN(o->gen), 0, type, value, tb));
    return result == NULL ? athrow_ended(o) : result;
}

static PyObject *
athrow_send(PyObject *op, PyObject *arg)
{
    struct athrow *o = ATHROW(op);
    PyGenObject *gen = KR_GEN(o->gen);
    if (o->step == CLOSED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited aclose()/athrow()");
        return NULL;
    }
    if (gen->gi_frame_state >= KR_GEN_COMPLETED) {
        o->step = CLOSED;
        PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    }
    if (o->step == INIT) {
        if (o->gen->ag_running_async) {
            o->step = CLOSED;
            PyErr_Format(PyExc_RuntimeError,
                         "%s: asynchronous generator is already running",
                         o->args == NULL ? "aclose()" : "athrow()");
            return NULL;
        }
        if (o->gen->ag_closed) {
            o->step = CLOSED;
            PyErr_SetNone(PyExc_StopAsyncIteration);
            return NULL;
        }
        if (arg != Py_None) {
            PyErr_SetString(PyExc_RuntimeError,
                            "can't send non-None value to a just-started "
                            "coroutine");
            return NULL;
        }
        o->step = ITER;
        o->gen->ag_running_async = 1;
        return athrow_start(o);
    }
    PyObject *result = athrow_result(o, kr_gen_send(gen, arg, 0, 0));
    /* athrow() goes on here if it is awaited further, as in the reference */
    return result == NULL && o->args == NULL ? athrow_ended(o) : result;
}

static PyObject *
athrow_next(PyObject *op)
{
    return athrow_send(op, Py_None);
}

static PyObject *
athrow_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    struct athrow *o = ATHROW(op);
    if (o->step == CLOSED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited aclose()/athrow()");
        return NULL;
    }
    return athrow_result(
        o, kr_gen_throw_method((PyObject *)o->gen, args, nargs));
}

static PyObject *
athrow_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    ATHROW(op)->step = CLOSED;
    Py_RETURN_NONE;
}

static PyMethodDef athrow_methods[] = {
    {"send", athrow_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))athrow_throw, METH_FASTCALL, NULL},
    {"close", athrow_close, METH_NOARGS, NULL},
    {NULL},
};

static PyAsyncMethods athrow_as_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenAThrow_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_athrow",
    .tp_basicsize = sizeof(struct athrow),
    .tp_dealloc = athrow_dealloc,
    .tp_as_async = &athrow_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = athrow_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = athrow_next,
    .tp_methods = athrow_methods,
};
