/* Whether the process may just end.
 *
 * Taking the modules apart at the end gives back memory that the kernel takes
 * anyway; it matters only if somebody can notice: a finalizer, the callback of
 * a weak reference, a file with unwritten data, a suspended generator that has
 * cleaning up to do. One pass over the objects tells whether there is any of
 * these; in doubt the answer is no. */
#include "runtime/quiet_exit.h"

#include <string.h>

#include "memory/domains.h"
#include "memory/gc_state.h"
#include "objects/interp.h"
#include "objects/type/slot_funcs.h"
#include "runtime/import/import.h"
#include "runtime/sys/sys.h"
#include "vm/frame.h"

/* stdin, stdout and stderr, each a text stream, a buffer and a file. Flushed
 * by now, they have nothing to do. Borrowed. */
struct streams {
    PyObject *parts[9];
    int n;
};

/* Adds the stream and those below it; false if it is not one of ours. */
static bool
add_stream(struct streams *s, PyObject *stream)
{
    static const char *const below[] = {"buffer", "raw"};
    if (stream == Py_None) {
        return true;
    }
    if (strcmp(Py_TYPE(stream)->tp_name, "_io.TextIOWrapper") != 0
        || (Py_TYPE(stream)->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return false;
    }
    s->parts[s->n++] = stream;
    for (int i = 0; i < 2; i++) {
        PyObject *next = PyObject_GetAttrString(stream, below[i]);
        if (next == NULL) {
            PyErr_Clear();
            return i == 1; /* an unbuffered stream has only two parts */
        }
        Py_DECREF(next); /* the stream keeps it alive */
        if (Py_TYPE(next)->tp_flags & Py_TPFLAGS_HEAPTYPE) {
            return false;
        }
        s->parts[s->n++] = next;
        stream = next;
    }
    return true;
}

/* The streams as they were at the start; false if a program put others there,
 * which may hold unwritten text. */
static bool
find_streams(PyInterpreterState *interp, struct streams *s)
{
    static const char *const names[][2] = {
        {"stdin", "__stdin__"},
        {"stdout", "__stdout__"},
        {"stderr", "__stderr__"},
    };
    s->n = 0;
    for (int i = 0; i < 3; i++) {
        PyObject *now = PyDict_GetItemString(interp->sysdict, names[i][0]);
        PyObject *first = PyDict_GetItemString(interp->sysdict, names[i][1]);
        if (now == NULL || now != first || !add_stream(s, now)) {
            return false;
        }
    }
    return true;
}

static bool
is_stream(const struct streams *s, PyObject *op)
{
    for (int i = 0; i < s->n; i++) {
        if (s->parts[i] == op) {
            return true;
        }
    }
    return false;
}

/* Callbacks of the library that only tidy up a container of weak references. */
static bool
is_tidying(PyObject *callback)
{
    if (PyCFunction_CheckExact(callback)) {
        const char *name = ((PyCFunctionObject *)callback)->m_ml->ml_name;
        return strcmp(name, "_destroy") == 0 /* the caches of ABCs */
               || strcmp(name, "_localdummy_destroyed") == 0;
    }
    static const struct {
        const char *module, *name;
    } known[] = {
        {"weakref", "remove"},
        {"_weakrefset", "_remove"},
        {"logging", "_removeHandlerRef"},
    };
    if (!PyFunction_Check(callback)) {
        return false;
    }
    PyFunctionObject *f = (PyFunctionObject *)callback;
    if (f->func_module == NULL || !PyUnicode_Check(f->func_module)) {
        return false;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(known); i++) {
        if (PyUnicode_CompareWithASCIIString(f->func_module, known[i].module)
                == 0
            && PyUnicode_CompareWithASCIIString(f->func_name, known[i].name)
                   == 0) {
            return true;
        }
    }
    return false;
}

/* Whether closing the generator does anything: run its handlers, or complain
 * that a coroutine was never awaited. */
static bool
is_open_generator(PyObject *op)
{
    PyGenObject *gen = (PyGenObject *)op;
    return gen->gi_frame_state < KR_GEN_COMPLETED
           && !(PyGen_CheckExact(op) && gen->gi_frame_state == KR_GEN_CREATED);
}

/* kr_gc_each's visitor: 1 if the end of `op` could be noticed. */
static int
is_noticed(PyObject *op, void *arg)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_del != NULL) {
        return 1;
    }
    if (KR_UNLIKELY(type->tp_finalize != NULL)) {
        if (PyGen_CheckExact(op) || PyCoro_CheckExact(op)
            || PyAsyncGen_CheckExact(op)) {
            return is_open_generator(op);
        }
        return !is_stream(arg, op);
    }
    if (PyWeakref_Check(op)) {
        PyWeakReference *ref = (PyWeakReference *)op;
        return ref->wr_callback != NULL && ref->wr_object != Py_None
               && !is_tidying(ref->wr_callback);
    }
    if (PyType_Check(op)) {
        /* Instances that the collector does not follow are not seen here; of
         * ours only scandir's iterators have a finalizer, which warns. */
        PyTypeObject *t = (PyTypeObject *)op;
        return !(t->tp_flags & Py_TPFLAGS_HAVE_GC)
               && (t->tp_finalize == kr_slot_tp_finalize
                   || t->tp_del != NULL);
    }
    return 0;
}

static bool
has_items(PyObject *list)
{
    return list != NULL && PyList_GET_SIZE(list) != 0;
}

/* Whether somebody asked to hear of what goes on at the end, or may do
 * something there that is not known here. */
static bool
is_watched(PyThreadState *tstate)
{
    PyInterpreterState *interp = tstate->interp;
    const PyConfig *config = &interp->config;
    const struct kr_gc_lists *lists = kr_gc_lists();
    return interp->next != NULL || interp != PyInterpreterState_Main()
           || interp->threads != tstate || tstate->next != NULL
           || interp->audit_hooks != NULL || config->verbose
           || kr_has_warn_options()
           || config->malloc_stats || config->dump_refs
           || kr_unknown_modules() != 0 || kr_gc.debug != 0
           || has_items(lists->garbage) || has_items(lists->callbacks)
           || tstate->c_tracefunc != NULL || tstate->c_profilefunc != NULL
           || !kr_domains.direct[PYMEM_DOMAIN_MEM]
           || !kr_domains.direct[PYMEM_DOMAIN_OBJ];
}

bool
kr_exit_is_quiet(PyThreadState *tstate)
{
#ifdef KR_ASAN
    return false; /* its search for leaks wants everything freed */
#else
    struct streams streams;
    return !is_watched(tstate) && find_streams(tstate->interp, &streams)
           && !kr_gc_each(~0u, is_noticed, &streams);
#endif
}
