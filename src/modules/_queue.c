/* The _queue module: SimpleQueue, a queue that may be filled from anywhere,
 * even from a destructor that interrupts get(). */
#include "base/lock.h"
#include "modules/addtype.h"
#include "objects/args/named.h"

#include <Python.h>
#include <stdbool.h>
#include <structmember.h>

struct queue_module {
    PyTypeObject *type;
    PyObject *empty;
};

/* A ring of items: count of them from `first` on. `signal` is taken while the
 * ring is empty and somebody waits. */
typedef struct {
    PyObject_HEAD
    struct kr_lock signal;
    int locked;
    PyObject **items;
    Py_ssize_t first, count, cap; /* cap: a power of two or 0 */
    PyObject *weakrefs;
} Queue;

static PyModuleDef definition;

static PyObject *
queue_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyType_GetModuleByDef(type, &definition);
    if (module == NULL) {
        return NULL;
    }
    struct queue_module *st = PyModule_GetState(module);
    if (type == st->type
        && (!_PyArg_NoPositional("SimpleQueue", args)
            || !_PyArg_NoKeywords("SimpleQueue", kwargs))) {
        return NULL;
    }
    return type->tp_alloc(type, 0);
}

static int
queue_clear(Queue *self)
{
    while (self->count > 0) {
        PyObject *item = self->items[self->first];
        self->first = (self->first + 1) & (self->cap - 1);
        self->count--;
        Py_DECREF(item);
    }
    return 0;
}

static void
queue_dealloc(Queue *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    queue_clear(self);
    PyMem_Free(self->items);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static int
queue_traverse(Queue *self, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->items[(self->first + i) & (self->cap - 1)]);
    }
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
grow(Queue *self)
{
    Py_ssize_t cap = self->cap ? self->cap * 2 : 8;
    PyObject **items = PyMem_New(PyObject *, cap);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->count; i++) {
        items[i] = self->items[(self->first + i) & (self->cap - 1)];
    }
    PyMem_Free(self->items);
    self->items = items;
    self->first = 0;
    self->cap = cap;
    return 0;
}

static PyObject *
put(Queue *self, PyObject *item)
{
    if (self->count == self->cap && grow(self) < 0) {
        return NULL;
    }
    self->items[(self->first + self->count) & (self->cap - 1)]
        = Py_NewRef(item);
    self->count++;
    if (self->locked) {
        self->locked = 0;
        kr_lock_release(&self->signal);
    }
    Py_RETURN_NONE;
}

static PyObject *
queue_put(Queue *self, PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames)
{
    static const char *const keywords[] = {"item", "block", "timeout", NULL};
    static _PyArg_Parser parser = {.format = "O|pO:put",
                                   .keywords = keywords};
    PyObject *item, *timeout;
    int block;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &item, &block,
                        &timeout)) {
        return NULL;
    }
    return put(self, item);
}

static PyObject *
queue_put_nowait(Queue *self, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    static const char *const keywords[] = {"item", NULL};
    static _PyArg_Parser parser = {.format = "O:put_nowait",
                                   .keywords = keywords};
    PyObject *item;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &item)) {
        return NULL;
    }
    return put(self, item);
}

static PyObject *
take(Queue *self)
{
    PyObject *item = self->items[self->first];
    self->first = (self->first + 1) & (self->cap - 1);
    self->count--;
    return item;
}

static PyObject *
raise_empty(PyTypeObject *cls)
{
    struct queue_module *st = PyType_GetModuleState(cls);
    if (st != NULL) {
        PyErr_SetNone(st->empty);
    }
    return NULL;
}

/* Waits until put() releases `signal`; 1: it did, 0: time is over, -1: error.
 * `deadline` 0 means no limit. */
static int
wait_for_item(Queue *self, _PyTime_t deadline)
{
    for (;;) {
        _PyTime_t ns = -1;
        if (deadline != 0) {
            ns = _PyDeadline_Get(deadline);
            ns = ns < 0 ? 0 : ns;
        }
        enum kr_lock_result res = kr_lock_timed(&self->signal, 0, 0);
        if (res != KR_LOCK_TAKEN) {
            Py_BEGIN_ALLOW_THREADS
            res = kr_lock_timed(&self->signal, ns, 1);
            Py_END_ALLOW_THREADS
        }
        if (res == KR_LOCK_SIGNAL) {
            if (Py_MakePendingCalls() < 0) {
                return -1;
            }
            continue;
        }
        if (res == KR_LOCK_TAKEN) {
            self->locked = 1;
        }
        return res == KR_LOCK_TAKEN;
    }
}

static PyObject *
get(Queue *self, PyTypeObject *cls, int block, PyObject *timeout)
{
    _PyTime_t deadline = 0;
    if (block && timeout != Py_None) {
        _PyTime_t t;
        if (_PyTime_FromSecondsObject(&t, timeout, _PyTime_ROUND_CEILING) < 0) {
            return NULL;
        }
        if (t < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "'timeout' must be a non-negative number");
            return NULL;
        }
        if (_PyTime_AsMicroseconds(t, _PyTime_ROUND_CEILING)
            > PY_TIMEOUT_MAX) {
            PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
            return NULL;
        }
        deadline = _PyDeadline_Init(t);
    }
    while (self->count == 0) {
        if (!block) {
            return raise_empty(cls);
        }
        int res = wait_for_item(self, deadline);
        if (res <= 0) {
            return res < 0 ? NULL : raise_empty(cls);
        }
    }
    PyObject *item = take(self);
    /* another thread may wait for what is left */
    if (self->locked) {
        self->locked = 0;
        kr_lock_release(&self->signal);
    }
    return item;
}

static PyObject *
queue_get(Queue *self, PyTypeObject *cls, PyObject *const *args,
          Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"block", "timeout", NULL};
    static _PyArg_Parser parser = {.format = "|pO:get", .keywords = keywords};
    int block = 1;
    PyObject *timeout = Py_None;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &block, &timeout)) {
        return NULL;
    }
    return get(self, cls, block, timeout);
}

static PyObject *
queue_get_nowait(Queue *self, PyTypeObject *cls, PyObject *const *args,
                 Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs) { /* keywords are ignored, as by the reference */
        PyErr_SetString(PyExc_TypeError,
                        "get_nowait() takes no arguments");
        return NULL;
    }
    return get(self, cls, 0, Py_None);
}

static PyObject *
queue_empty(Queue *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(self->count == 0);
}

static PyObject *
queue_qsize(Queue *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(self->count);
}

#define FN(f) (PyCFunction)(void *)(f)

static PyMethodDef queue_methods[] = {
    {"empty", FN(queue_empty), METH_NOARGS,
     "empty($self, /)\n--\n\nWhether it holds nothing (just now)."},
    {"get", FN(queue_get), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "get($self, /, block=True, timeout=None)\n--\n\n"
     "Take the oldest item; wait for one, if allowed, or raise Empty."},
    {"get_nowait", FN(queue_get_nowait),
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "get_nowait($self, /)\n--\n\nTake the oldest item or raise Empty."},
    {"put", FN(queue_put), METH_FASTCALL | METH_KEYWORDS,
     "put($self, /, item, block=True, timeout=None)\n--\n\n"
     "Add an item. It never has to wait."},
    {"put_nowait", FN(queue_put_nowait), METH_FASTCALL | METH_KEYWORDS,
     "put_nowait($self, /, item)\n--\n\nAdd an item."},
    {"qsize", FN(queue_qsize), METH_NOARGS,
     "qsize($self, /)\n--\n\nHow many items it holds (just now)."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

static PyMemberDef queue_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Queue, weakrefs), READONLY},
    {NULL},
};

static PyType_Slot queue_slots[] = {
    {Py_tp_dealloc, queue_dealloc},
    {Py_tp_doc, "SimpleQueue()\n--\n\n"
                "A first in, first out queue without a bound."},
    {Py_tp_traverse, queue_traverse},
    {Py_tp_clear, queue_clear},
    {Py_tp_members, queue_members},
    {Py_tp_methods, queue_methods},
    {Py_tp_new, queue_new},
    {0},
};

static PyType_Spec queue_spec = {
    .name = "_queue.SimpleQueue",
    .basicsize = sizeof(Queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = queue_slots,
};

static int
exec(PyObject *module)
{
    struct queue_module *st = PyModule_GetState(module);
    st->empty = PyErr_NewExceptionWithDoc(
        "_queue.Empty", "A queue had no item to give.", NULL, NULL);
    if (st->empty == NULL
        || PyModule_AddObjectRef(module, "Empty", st->empty) < 0) {
        return -1;
    }
    return kr_add_type(module, &queue_spec, NULL, &st->type);
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct queue_module *st = PyModule_GetState(module);
    Py_VISIT(st->type);
    Py_VISIT(st->empty);
    return 0;
}

static int
clear(PyObject *module)
{
    struct queue_module *st = PyModule_GetState(module);
    Py_CLEAR(st->type);
    Py_CLEAR(st->empty);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_queue",
    .m_doc = "The fast part of the queue module.",
    .m_size = sizeof(struct queue_module),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__queue(void)
{
    return PyModuleDef_Init(&definition);
}
