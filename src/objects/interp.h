/* The interpreter state: what one interpreter owns beyond its objects.
 *
 * Opaque in the public API. Fields are grouped by the file that owns them; only
 * that file writes them. */
#ifndef KR_OBJECTS_INTERP_H
#define KR_OBJECTS_INTERP_H

#include <Python.h>
#include <pthread.h>
#include <stdatomic.h>

#include "memory/gc_state.h"

/* Reasons to leave the fast path at the next RESUME or backward jump. */
enum kr_breaker {
    KR_BREAK_SIGNALS = 1 << 0,   /* a signal handler is due (main thread) */
    KR_BREAK_GIL = 1 << 1,       /* another thread wants the GIL */
    KR_BREAK_GC = 1 << 2,        /* a collection is due */
    KR_BREAK_PENDING = 1 << 3,   /* Py_AddPendingCall has calls waiting */
    KR_BREAK_ASYNC_EXC = 1 << 4, /* some thread has an asynchronous exception */
};

#define KR_MAX_PENDING 31

/* The ring of calls that the main thread shall make. */
struct kr_pending_calls {
    pthread_mutex_t mutex;
    int busy; /* the main thread is making calls */
    unsigned first, count;
    struct {
        int (*func)(void *);
        void *arg;
    } calls[KR_MAX_PENDING];
};

struct _is {
    PyInterpreterState *next;
    int64_t id;
    int64_t id_refcount;
    int requires_idref;
    PyThreadState *threads; /* newest first; guarded by the runtime lock */
    uint64_t next_thread_id;
    long num_threads; /* of the threading module */
    int finalizing;

    /* polled by the VM, see enum kr_breaker */
    _Atomic uint32_t eval_breaker;
    int recursion_limit;
    struct kr_pending_calls pending; /* pending.c */

    /* tstate.c */
    PyObject *modules_by_index; /* list for PyState_FindModule, or NULL */
    size_t thread_stack_size;   /* of new threads; 0: the system's */
    void *atexit;               /* atexit.c: struct kr_atexit */

    /* import.c, sys.c, builtins.c */
    PyObject *modules;       /* sys.modules, dict */
    PyObject *sysdict;       /* sys.__dict__ */
    PyObject *builtins;      /* builtins.__dict__ */
    PyObject *builtins_copy; /* as it was after start-up */
    PyObject *importlib;     /* _frozen_importlib */
    PyObject *import_func;   /* builtins.__import__, original */
    PyObject *dict;          /* PyInterpreterState_GetDict */
    PyObject *audit_hooks;   /* list or NULL */

    /* codecs.c */
    PyObject *codec_search_path;    /* list */
    PyObject *codec_search_cache;   /* dict */
    PyObject *codec_error_registry; /* dict */
    int codecs_initialized;
    int fs_codec_ready; /* file names may be coded by a Python codec */

    /* warnings.c */
    struct {
        PyObject *filters;
        PyObject *once_registry;
        PyObject *default_action;
        long filters_version;
    } warnings;

    void *ast_classes; /* front/ast/classes.c: struct kr_ast_state */
    struct kr_gc_lists gc_lists;

    /* VM */
    _PyFrameEvalFunction eval_frame; /* NULL: our own */
    PyObject *before_forkers;
    PyObject *after_forkers_parent;
    PyObject *after_forkers_child;

    PyConfig config;
};

/* The interpreter of the calling thread, which must be attached. */
static inline PyInterpreterState *
kr_interp(void)
{
    return PyThreadState_Get()->interp;
}

/* Sets or clears bits of the eval breaker; safe from any thread and from
 * signal handlers. */
static inline void
kr_breaker_set(PyInterpreterState *interp, uint32_t bits)
{
    atomic_fetch_or_explicit(&interp->eval_breaker, bits, memory_order_release);
}

static inline void
kr_breaker_clear(PyInterpreterState *interp, uint32_t bits)
{
    atomic_fetch_and_explicit(&interp->eval_breaker, ~bits,
                              memory_order_acq_rel);
}

#endif
