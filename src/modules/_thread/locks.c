/* _thread.lock and _thread.RLock. */
#include "base/lock.h"
#include "modules/_thread/thread.h"
#include "objects/args/named.h"

#include <structmember.h>

typedef struct {
    PyObject_HEAD
    struct kr_lock lock;
    PyObject *weakrefs;
} LockObject;

typedef struct {
    PyObject_HEAD
    struct kr_lock lock;
    _Atomic unsigned long owner; /* 0: nobody */
    unsigned long count;
    PyObject *weakrefs;
} RLockObject;

static const _PyTime_t no_timeout = -1000000000;

/* --- acquiring ----------------------------------------------------------- */

/* Waits with the GIL released; signal handlers run in between. */
static PyLockStatus
acquire_timed(struct kr_lock *lock, _PyTime_t timeout)
{
    if (kr_lock_try(lock)) {
        return PY_LOCK_ACQUIRED;
    }
    if (timeout == 0) {
        return PY_LOCK_FAILURE;
    }
    _PyTime_t end = timeout > 0 ? _PyDeadline_Init(timeout) : 0;
    for (;;) {
        enum kr_lock_result res;
        Py_BEGIN_ALLOW_THREADS
        res = kr_lock_timed(lock, timeout < 0 ? -1 : timeout, 1);
        Py_END_ALLOW_THREADS
        if (res != KR_LOCK_SIGNAL) {
            return res == KR_LOCK_TAKEN ? PY_LOCK_ACQUIRED : PY_LOCK_FAILURE;
        }
        if (Py_MakePendingCalls() < 0) {
            return PY_LOCK_INTR;
        }
        if (timeout > 0) {
            timeout = _PyDeadline_Get(end);
            if (timeout <= 0) {
                return kr_lock_try(lock) ? PY_LOCK_ACQUIRED : PY_LOCK_FAILURE;
            }
        }
    }
}

static int
parse_acquire(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
              _PyTime_t *timeout)
{
    static const char *const keywords[] = {"blocking", "timeout", NULL};
    static _PyArg_Parser parser = {.format = "|iO:acquire",
                                   .keywords = keywords};
    int blocking = 1;
    PyObject *object = NULL;
    *timeout = no_timeout;
    if (nargs == 0 && kwnames == NULL) {
        return 0;
    }
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &blocking,
                                      &object)) {
        return -1;
    }
    if (object != NULL
        && _PyTime_FromSecondsObject(timeout, object, _PyTime_ROUND_TIMEOUT)
               < 0) {
        return -1;
    }
    if (!blocking && *timeout != no_timeout) {
        PyErr_SetString(PyExc_ValueError,
                        "can't specify a timeout for a non-blocking call");
        return -1;
    }
    if (*timeout < 0 && *timeout != no_timeout) {
        PyErr_SetString(PyExc_ValueError,
                        "timeout value must be positive");
        return -1;
    }
    if (!blocking) {
        *timeout = 0;
    }
    else if (*timeout != no_timeout
             && _PyTime_AsMicroseconds(*timeout, _PyTime_ROUND_TIMEOUT)
                    > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return -1;
    }
    return 0;
}

/* --- lock ---------------------------------------------------------------- */

PyObject *
kr_lock_new(PyTypeObject *type)
{
    LockObject *self = (LockObject *)type->tp_alloc(type, 0);
    return (PyObject *)self;
}

void
kr_lock_release_if_taken(PyObject *op)
{
    LockObject *self = (LockObject *)op;
    if (atomic_load(&self->lock.word) != 0) {
        kr_lock_release(&self->lock);
    }
}

static void
lock_dealloc(LockObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int
visit_type(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyObject *
lock_acquire(LockObject *self, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    _PyTime_t timeout;
    if (parse_acquire(args, nargs, kwnames, &timeout) < 0) {
        return NULL;
    }
    PyLockStatus res = acquire_timed(&self->lock, timeout);
    if (res == PY_LOCK_INTR) {
        return NULL;
    }
    return PyBool_FromLong(res == PY_LOCK_ACQUIRED);
}

static PyObject *
lock_release(LockObject *self, PyObject *Py_UNUSED(ignored))
{
    if (atomic_load(&self->lock.word) == 0) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return NULL;
    }
    kr_lock_release(&self->lock);
    Py_RETURN_NONE;
}

static PyObject *
lock_exit(LockObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return lock_release(self, NULL);
}

static PyObject *
lock_locked(LockObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(atomic_load(&self->lock.word) != 0);
}

static PyObject *
lock_repr(LockObject *self)
{
    return PyUnicode_FromFormat(
        "<%s %s object at %p>",
        atomic_load(&self->lock.word) ? "locked" : "unlocked",
        Py_TYPE(self)->tp_name, self);
}

static PyObject *
lock_fork(LockObject *self, PyObject *Py_UNUSED(ignored))
{
    atomic_store(&self->lock.word, 0);
    Py_RETURN_NONE;
}

#define FN(f) (PyCFunction)(void *)(f)
#define ACQUIRE_DOC                                                            \
    "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"                     \
    "Take the lock and return True. Without blocking, or when the timeout\n"   \
    "in seconds is over, return False if it is not free."
#define RELEASE_DOC                                                            \
    "release($self, /)\n--\n\n"                                                \
    "Free the lock, which any thread may have taken."

static PyMethodDef lock_methods[] = {
    {"acquire_lock", FN(lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     ACQUIRE_DOC},
    {"acquire", FN(lock_acquire), METH_FASTCALL | METH_KEYWORDS, ACQUIRE_DOC},
    {"release_lock", FN(lock_release), METH_NOARGS, RELEASE_DOC},
    {"release", FN(lock_release), METH_NOARGS, RELEASE_DOC},
    {"locked_lock", FN(lock_locked), METH_NOARGS, "Whether it is taken."},
    {"locked", FN(lock_locked), METH_NOARGS, "Whether it is taken."},
    {"__enter__", FN(lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     "Take the lock."},
    {"__exit__", FN(lock_exit), METH_FASTCALL, "Free the lock."},
    {"_at_fork_reinit", FN(lock_fork), METH_NOARGS,
     "Free the lock in a child process."},
    {NULL},
};

static PyMemberDef lock_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(LockObject, weakrefs),
     READONLY},
    {NULL},
};

static PyType_Slot lock_slots[] = {
    {Py_tp_dealloc, lock_dealloc}, {Py_tp_repr, lock_repr},
    {Py_tp_doc, "A lock that one thread at a time can hold; made by "
                "allocate_lock()."},
    {Py_tp_methods, lock_methods}, {Py_tp_traverse, visit_type},
    {Py_tp_members, lock_members}, {0},
};

PyType_Spec kr_lock_spec = {
    .name = "_thread.lock",
    .basicsize = sizeof(LockObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lock_slots,
};

/* --- RLock --------------------------------------------------------------- */

static void
rlock_dealloc(RLockObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int
is_mine(RLockObject *self)
{
    return atomic_load_explicit(&self->owner, memory_order_relaxed)
           == PyThread_get_thread_ident();
}

static PyObject *
rlock_acquire(RLockObject *self, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    _PyTime_t timeout;
    if (parse_acquire(args, nargs, kwnames, &timeout) < 0) {
        return NULL;
    }
    if (is_mine(self)) {
        if (self->count + 1 == 0) {
            PyErr_SetString(PyExc_OverflowError,
                            "Internal lock count overflowed");
            return NULL;
        }
        self->count++;
        Py_RETURN_TRUE;
    }
    PyLockStatus res = acquire_timed(&self->lock, timeout);
    if (res == PY_LOCK_INTR) {
        return NULL;
    }
    if (res == PY_LOCK_ACQUIRED) {
        atomic_store(&self->owner, PyThread_get_thread_ident());
        self->count = 1;
    }
    return PyBool_FromLong(res == PY_LOCK_ACQUIRED);
}

static PyObject *
rlock_release(RLockObject *self, PyObject *Py_UNUSED(ignored))
{
    if (self->count == 0 || !is_mine(self)) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    if (--self->count == 0) {
        atomic_store(&self->owner, 0);
        kr_lock_release(&self->lock);
    }
    Py_RETURN_NONE;
}

static PyObject *
rlock_exit(RLockObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return rlock_release(self, NULL);
}

static PyObject *
rlock_restore(RLockObject *self, PyObject *args)
{
    unsigned long owner, count;
    if (!PyArg_ParseTuple(args, "(kk):_acquire_restore", &count, &owner)) {
        return NULL;
    }
    acquire_timed(&self->lock, no_timeout);
    if (PyErr_Occurred()) {
        return NULL;
    }
    atomic_store(&self->owner, owner);
    self->count = count;
    Py_RETURN_NONE;
}

static PyObject *
rlock_save(RLockObject *self, PyObject *Py_UNUSED(ignored))
{
    if (self->count == 0) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    unsigned long owner = atomic_load(&self->owner), count = self->count;
    self->count = 0;
    atomic_store(&self->owner, 0);
    kr_lock_release(&self->lock);
    return Py_BuildValue("kk", count, owner);
}

static PyObject *
rlock_is_owned(RLockObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(is_mine(self) && self->count > 0);
}

static PyObject *
rlock_repr(RLockObject *self)
{
    return PyUnicode_FromFormat("<%s %s object owner=%ld count=%lu at %p>",
                                self->count ? "locked" : "unlocked",
                                Py_TYPE(self)->tp_name,
                                (long)atomic_load(&self->owner), self->count,
                                self);
}

static PyObject *
rlock_fork(RLockObject *self, PyObject *Py_UNUSED(ignored))
{
    atomic_store(&self->lock.word, 0);
    atomic_store(&self->owner, 0);
    self->count = 0;
    Py_RETURN_NONE;
}

static PyObject *
rlock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return type->tp_alloc(type, 0);
}

static PyMethodDef rlock_methods[] = {
    {"acquire", FN(rlock_acquire), METH_FASTCALL | METH_KEYWORDS,
     ACQUIRE_DOC "\nThe thread that has it may take it again."},
    {"release", FN(rlock_release), METH_NOARGS,
     "release($self, /)\n--\n\nUndo one acquire() of this thread."},
    {"_is_owned", FN(rlock_is_owned), METH_NOARGS,
     "Whether this thread has the lock."},
    {"_acquire_restore", FN(rlock_restore), METH_VARARGS,
     "Take the lock as _release_save() found it."},
    {"_release_save", FN(rlock_save), METH_NOARGS,
     "Free the lock whatever its count, and return how it was."},
    {"__enter__", FN(rlock_acquire), METH_FASTCALL | METH_KEYWORDS,
     "Take the lock."},
    {"__exit__", FN(rlock_exit), METH_FASTCALL, "Free the lock."},
    {"_at_fork_reinit", FN(rlock_fork), METH_NOARGS,
     "Free the lock in a child process."},
    {NULL},
};

static PyMemberDef rlock_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(RLockObject, weakrefs),
     READONLY},
    {NULL},
};

static PyType_Slot rlock_slots[] = {
    {Py_tp_dealloc, rlock_dealloc}, {Py_tp_repr, rlock_repr},
    {Py_tp_methods, rlock_methods}, {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, rlock_new},         {Py_tp_members, rlock_members},
    {Py_tp_traverse, visit_type},   {0},
};

PyType_Spec kr_rlock_spec = {
    .name = "_thread.RLock",
    .basicsize = sizeof(RLockObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = rlock_slots,
};
