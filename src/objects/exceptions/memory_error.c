/* MemoryError. Some instances are made in advance and kept when they are done
 * with: raising it must need no memory. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/immortal.h"

#define KEPT 16

static struct kr_memory_error_state {
    PyBaseExceptionObject *kept; /* linked by `dict`; neither alive nor freed */
    int len;
    PyObject *last; /* raised again and again when nothing is kept */
} state;

static PyObject *
take(PyObject *args)
{
    PyBaseExceptionObject *self = state.kept;
    if (self == NULL) {
        return NULL;
    }
    state.kept = (PyBaseExceptionObject *)self->dict;
    state.len--;
    self->dict = NULL;
    self->args = Py_NewRef(args);
    _Py_NewReference((PyObject *)self);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
memory_error_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *self = NULL;
    if (type == &KR_EXC(MemoryError)) {
        self = take(args);
    }
    return self != NULL ? self : kr_base_exception_new(type, args, kwds);
}

static void
memory_error_dealloc(PyBaseExceptionObject *self)
{
    if (!Py_IS_TYPE(self, &KR_EXC(MemoryError)) || state.len >= KEPT) {
        kr_base_exception_dealloc(self);
        return;
    }
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, memory_error_dealloc)
    kr_base_exception_clear(self);
    self->suppress_context = 0;
    self->dict = (PyObject *)state.kept;
    state.kept = self;
    state.len++;
    Py_TRASHCAN_END
}

PyTypeObject KR_EXC(MemoryError) = {
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},
    .tp_name = "MemoryError",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_doc = "Out of memory.",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASE_EXC_SUBCLASS,
    .tp_base = &KR_EXC(Exception),
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_dealloc = (destructor)memory_error_dealloc,
    .tp_traverse = (traverseproc)kr_base_exception_traverse,
    .tp_clear = (inquiry)kr_base_exception_clear,
    .tp_init = (initproc)kr_base_exception_init,
    .tp_new = memory_error_new,
};

/* Nobody else has it. */
static void
forget_past(PyBaseExceptionObject *self)
{
    PyObject *traceback = self->traceback, *context = self->context;
    self->traceback = self->context = NULL;
    Py_XDECREF(traceback);
    Py_XDECREF(context);
}

PyObject *
kr_memory_error(void)
{
    PyObject *no_args = PyTuple_New(0);
    PyObject *self = take(no_args);
    Py_DECREF(no_args);
    if (self == NULL && state.last != NULL) {
        if (Py_REFCNT(state.last) == 1) {
            forget_past((PyBaseExceptionObject *)state.last);
        }
        self = Py_NewRef(state.last);
    }
    return self;
}

int
kr_memory_error_init(void)
{
    PyTypeObject *type = &KR_EXC(MemoryError);
    PyObject *made[KEPT], *no_args = PyTuple_New(0);
    int n = 0;
    if (state.last == NULL) {
        state.last = kr_base_exception_new(type, no_args, NULL);
    }
    while (n < KEPT) {
        made[n] = kr_base_exception_new(type, no_args, NULL);
        if (made[n] == NULL) {
            break;
        }
        n++;
    }
    int status = n == KEPT && state.last != NULL ? 0 : -1;
    while (n > 0) {
        Py_DECREF(made[--n]);
    }
    Py_DECREF(no_args);
    return status;
}
