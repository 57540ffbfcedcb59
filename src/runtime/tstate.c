/* Thread states: creation, attachment, end. */
#include "runtime/tstate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory/gc.h"
#include "objects/smallints.h"
#include "runtime/gil.h"
#include "runtime/pending.h"
#include "vm/frame.h"

_Thread_local PyThreadState *kr_current_tstate;

/* The thread state that PyGILState_Ensure uses in this thread. */
static _Thread_local PyThreadState *gilstate_tstate;

#define RUNTIME_TSTATE_OFFSET 576

/* --- the current one ----------------------------------------------------- */

static void
set_current(PyThreadState *ts)
{
    kr_current_tstate = ts;
    memcpy(_PyRuntime + RUNTIME_TSTATE_OFFSET, &ts, sizeof(ts));
}

void
_PyThreadState_SetCurrent(PyThreadState *ts)
{
    set_current(ts);
    if (ts != NULL && gilstate_tstate == NULL) {
        gilstate_tstate = ts;
        if (ts->gilstate_counter == 0) {
            ts->gilstate_counter = 1;
        }
    }
}

void
_Py_FatalError_TstateNULL(const char *func)
{
    _Py_FatalErrorFunc(func,
                       "the function must be called with the GIL held, "
                       "but the GIL is released "
                       "(the current Python thread state is NULL)");
}

static inline PyThreadState *
need(PyThreadState *ts, const char *func)
{
    if (KR_UNLIKELY(ts == NULL)) {
        _Py_FatalError_TstateNULL(func);
    }
    return ts;
}

PyThreadState *
PyThreadState_Get(void)
{
    return need(kr_current_tstate, __func__);
}

PyThreadState *
_PyThreadState_UncheckedGet(void)
{
    return kr_current_tstate;
}

PyThreadState *
PyThreadState_Swap(PyThreadState *ts)
{
    PyThreadState *old = kr_current_tstate;
    set_current(ts);
    if (ts != NULL && ts != old) {
        kr_thread_adopt(ts);
    }
    return old;
}

PyAPI_FUNC(PyThreadState *) _PyThreadState_Swap(void *gilstate,
                                                PyThreadState *ts);

PyThreadState *
_PyThreadState_Swap(void *gilstate, PyThreadState *ts)
{
    return PyThreadState_Swap(ts);
}

/* --- creation ------------------------------------------------------------ */

/* The first thread's stack: it ends above the program's name, which the kernel
 * puts last, and may grow to the limit. False if there is no limit, or this is
 * another thread. (The C library would read /proc/self/maps for it.) */
static bool
first_stack(void **addr, size_t *size)
{
    struct rlimit limit;
    const char *name = (const char *)getauxval(AT_EXECFN);
    if (name == NULL || syscall(SYS_gettid) != getpid()
        || getrlimit(RLIMIT_STACK, &limit) != 0
        || limit.rlim_cur == RLIM_INFINITY) {
        return false;
    }
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)name + strlen(name) + page) & ~(page - 1);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    *size = limit.rlim_cur & ~(page - 1);
    *addr = (char *)end - *size;
    return here < end && here > (uintptr_t)*addr;
}

static bool
pthread_stack(void **addr, size_t *size)
{
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) {
        return false;
    }
    int failed = pthread_attr_getstack(&attr, addr, size);
    pthread_attr_destroy(&attr);
    return !failed;
}

static uintptr_t
find_stack_limit(void)
{
    void *addr;
    size_t size;
    if (!first_stack(&addr, &size) && !pthread_stack(&addr, &size)) {
        return 0;
    }
    size_t margin = 256 * 1024;
    if (margin > size / 3) {
        margin = size / 3;
    }
    return (uintptr_t)addr + margin;
}

void
kr_thread_bind(PyThreadState *ts)
{
    struct kr_thread *t = (struct kr_thread *)ts;
    ts->thread_id = PyThread_get_thread_ident();
    ts->native_thread_id = (unsigned long)syscall(SYS_gettid);
    t->stack_limit = kr_current_tstate == NULL
                         ? find_stack_limit()
                         : ((struct kr_thread *)kr_current_tstate)->stack_limit;
    t->owner = ts->native_thread_id;
}

void
kr_thread_adopt(PyThreadState *ts)
{
    struct kr_thread *t = (struct kr_thread *)ts;
    uint64_t here = (uint64_t)syscall(SYS_gettid);
    if (t->owner != here) {
        t->stack_limit = find_stack_limit();
        t->owner = here;
    }
}

void
kr_thread_start(PyThreadState *ts)
{
    kr_gil_take(ts); /* or ends the thread: `ts` is gone with the program */
    kr_thread_bind(ts);
    gilstate_tstate = ts;
    set_current(ts);
}

static void
init_fields(PyThreadState *ts, PyInterpreterState *interp)
{
    ts->interp = interp;
    ts->recursion_limit = interp->recursion_limit;
    ts->recursion_remaining = interp->recursion_limit;
    ts->exc_info = &ts->exc_state;
    ts->cframe = &ts->root_cframe;
    ts->context_ver = 1;
    ts->_initialized = 1;
}

PyThreadState *
_PyThreadState_Prealloc(PyInterpreterState *interp)
{
    struct kr_thread *t = PyMem_RawCalloc(1, sizeof(*t));
    if (t == NULL) {
        return NULL;
    }
    PyThreadState *ts = &t->ts;
    init_fields(ts, interp);
    kr_thread_bind(ts);
    kr_runtime_lock();
    ts->id = ++interp->next_thread_id;
    ts->next = interp->threads;
    if (ts->next != NULL) {
        ts->next->prev = ts;
    }
    interp->threads = ts;
    kr_runtime_unlock();
    return ts;
}

PyAPI_FUNC(void) _PyThreadState_Init(PyThreadState *ts);

void
_PyThreadState_Init(PyThreadState *ts)
{
    if (gilstate_tstate == NULL) {
        gilstate_tstate = ts;
    }
    ts->gilstate_counter = 1;
}

PyThreadState *
PyThreadState_New(PyInterpreterState *interp)
{
    PyThreadState *ts = _PyThreadState_Prealloc(interp);
    if (ts != NULL) {
        _PyThreadState_Init(ts);
    }
    return ts;
}

/* --- end ----------------------------------------------------------------- */

void
PyThreadState_Clear(PyThreadState *ts)
{
    Py_CLEAR(ts->dict);
    Py_CLEAR(ts->async_exc);
    Py_CLEAR(ts->curexc_type);
    Py_CLEAR(ts->curexc_value);
    Py_CLEAR(ts->curexc_traceback);
    Py_CLEAR(ts->exc_state.exc_value);
    ts->c_profilefunc = NULL;
    ts->c_tracefunc = NULL;
    ts->root_cframe.use_tracing = 0;
    Py_CLEAR(ts->c_profileobj);
    Py_CLEAR(ts->c_traceobj);
    Py_CLEAR(ts->async_gen_firstiter);
    Py_CLEAR(ts->async_gen_finalizer);
    Py_CLEAR(ts->context);
    if (ts->on_delete != NULL) {
        ts->on_delete(ts->on_delete_data);
        ts->on_delete = NULL;
    }
    ts->_initialized = 0;
}

static void
free_data_stack(PyThreadState *ts)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    for (_PyStackChunk *c = ts->datastack_chunk, *prev; c != NULL; c = prev) {
        prev = c->previous;
        arena.free(arena.ctx, c, c->size);
    }
    ts->datastack_chunk = NULL;
}

static void
unlink_and_free(PyThreadState *ts)
{
    kr_runtime_lock();
    if (ts->prev != NULL) {
        ts->prev->next = ts->next;
    }
    else {
        ts->interp->threads = ts->next;
    }
    if (ts->next != NULL) {
        ts->next->prev = ts->prev;
    }
    kr_runtime_unlock();
    if (gilstate_tstate == ts) {
        gilstate_tstate = NULL;
    }
    free_data_stack(ts);
    PyMem_RawFree(ts);
}

void
PyThreadState_Delete(PyThreadState *ts)
{
    if (ts == NULL) {
        _Py_FatalError_TstateNULL(__func__);
    }
    if (ts == kr_current_tstate) {
        _Py_FatalErrorFunc(__func__, "tstate is still current");
    }
    unlink_and_free(ts);
}

void
_PyThreadState_DeleteCurrent(PyThreadState *ts)
{
    need(ts, __func__);
    set_current(NULL);
    unlink_and_free(ts);
    kr_gil_drop(NULL);
}

void
PyThreadState_DeleteCurrent(void)
{
    _PyThreadState_DeleteCurrent(kr_current_tstate);
}

void
_PyThreadState_DeleteExcept(void *runtime, PyThreadState *ts)
{
    PyInterpreterState *interp = ts->interp;
    kr_runtime_lock();
    PyThreadState *list = interp->threads;
    if (list == ts) {
        list = ts->next;
    }
    if (ts->prev != NULL) {
        ts->prev->next = ts->next;
    }
    if (ts->next != NULL) {
        ts->next->prev = ts->prev;
    }
    ts->prev = ts->next = NULL;
    interp->threads = ts;
    kr_runtime_unlock();
    for (PyThreadState *p = list, *next; p != NULL; p = next) {
        next = p->next;
        PyThreadState_Clear(p);
        /* frame objects, of which we know nothing, may lie on its data stack */
        PyMem_RawFree(p);
    }
}

/* --- reading ------------------------------------------------------------- */

PyObject *
_PyThreadState_GetDict(PyThreadState *ts)
{
    if (ts->dict == NULL) {
        ts->dict = PyDict_New();
        if (ts->dict == NULL) {
            PyErr_Clear();
        }
    }
    return ts->dict;
}

PyObject *
PyThreadState_GetDict(void)
{
    PyThreadState *ts = kr_current_tstate;
    return ts == NULL ? NULL : _PyThreadState_GetDict(ts);
}

PyInterpreterState *
PyThreadState_GetInterpreter(PyThreadState *ts)
{
    return ts->interp;
}

uint64_t
PyThreadState_GetID(PyThreadState *ts)
{
    return ts->id;
}

PyThreadState *
PyThreadState_Next(PyThreadState *ts)
{
    return ts->next;
}

void
PyThreadState_EnterTracing(PyThreadState *ts)
{
    ts->tracing++;
    ts->cframe->use_tracing = 0;
}

void
PyThreadState_LeaveTracing(PyThreadState *ts)
{
    ts->tracing--;
    bool on = ts->c_tracefunc != NULL || ts->c_profilefunc != NULL;
    ts->cframe->use_tracing = on ? 255 : 0;
}

int
PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc)
{
    PyInterpreterState *interp = kr_interp();
    kr_runtime_lock();
    for (PyThreadState *ts = interp->threads; ts != NULL; ts = ts->next) {
        if (ts->thread_id == id) {
            PyObject *old = ts->async_exc;
            ts->async_exc = Py_XNewRef(exc);
            kr_runtime_unlock();
            Py_XDECREF(old);
            kr_breaker_set(interp, KR_BREAK_ASYNC_EXC);
            return 1;
        }
    }
    kr_runtime_unlock();
    return 0;
}

/* The innermost exception being handled in a thread; borrowed. */
static PyObject *
topmost_exception(PyThreadState *ts)
{
    _PyErr_StackItem *item = ts->exc_info;
    while ((item->exc_value == NULL || item->exc_value == Py_None)
           && item->previous_item != NULL) {
        item = item->previous_item;
    }
    return item->exc_value == NULL ? Py_None : item->exc_value;
}

static int
add_by_thread(PyObject *dict, PyThreadState *ts, PyObject *value)
{
    PyObject *id = PyLong_FromUnsignedLong(ts->thread_id);
    int res = id == NULL ? -1 : PyDict_SetItem(dict, id, value);
    Py_XDECREF(id);
    return res;
}

/* New: (type, value, traceback) as sys.exc_info() gives them. */
static PyObject *
exc_info_tuple(PyObject *value)
{
    if (value == Py_None) {
        return PyTuple_Pack(3, Py_None, Py_None, Py_None);
    }
    PyObject *tb = PyException_GetTraceback(value);
    PyObject *res = PyTuple_Pack(3, Py_TYPE(value), value, tb ? tb : Py_None);
    Py_XDECREF(tb);
    return res;
}

static PyObject *
by_thread(bool frames)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL) {
        return NULL;
    }
    for (PyInterpreterState *i = PyInterpreterState_Head(); i != NULL;
         i = i->next) {
        for (PyThreadState *ts = i->threads; ts != NULL; ts = ts->next) {
            PyObject *value = frames ? (PyObject *)kr_thread_frame_object(ts)
                                     : exc_info_tuple(topmost_exception(ts));
            if (value == NULL && !PyErr_Occurred()) {
                continue;
            }
            int res = value == NULL ? -1 : add_by_thread(dict, ts, value);
            Py_XDECREF(value);
            if (res < 0) {
                Py_DECREF(dict);
                return NULL;
            }
        }
    }
    return dict;
}

PyObject *
_PyThread_CurrentFrames(void)
{
    if (PySys_Audit("sys._current_frames", NULL) < 0) {
        return NULL;
    }
    return by_thread(true);
}

PyObject *
_PyThread_CurrentExceptions(void)
{
    if (PySys_Audit("sys._current_exceptions", NULL) < 0) {
        return NULL;
    }
    return by_thread(false);
}

/* --- attach and detach --------------------------------------------------- */

PyThreadState *
PyEval_SaveThread(void)
{
    PyThreadState *ts = need(kr_current_tstate, __func__);
    set_current(NULL);
    kr_gil_drop(ts);
    return ts;
}

void
PyEval_RestoreThread(PyThreadState *ts)
{
    need(ts, __func__);
    kr_gil_take(ts);
    set_current(ts);
}

void
PyEval_AcquireThread(PyThreadState *ts)
{
    need(ts, __func__);
    kr_gil_take(ts);
    if (kr_current_tstate != NULL) {
        _Py_FatalErrorFunc(__func__, "non-NULL old thread state");
    }
    set_current(ts);
}

void
PyEval_ReleaseThread(PyThreadState *ts)
{
    PyThreadState *current = kr_current_tstate;
    set_current(NULL);
    if (ts != current) {
        _Py_FatalErrorFunc(__func__, "wrong thread state");
    }
    kr_gil_drop(ts);
}

void
PyEval_AcquireLock(void)
{
    kr_gil_take(need(kr_current_tstate, __func__));
}

void
PyEval_ReleaseLock(void)
{
    kr_gil_drop(kr_current_tstate);
}

void
PyEval_InitThreads(void)
{
}

int
PyEval_ThreadsInitialized(void)
{
    return 1;
}

void
_PyEval_DropForRequest(PyThreadState *ts)
{
    set_current(NULL);
    kr_gil_drop(ts);
    kr_gil_take(ts);
    set_current(ts);
}

/* --- PyGILState ---------------------------------------------------------- */

PyThreadState *
PyGILState_GetThisThreadState(void)
{
    return gilstate_tstate;
}

int
PyGILState_Check(void)
{
    PyThreadState *ts = kr_current_tstate;
    if (gilstate_tstate == NULL && ts == NULL) {
        /* before the runtime exists there is nothing to hold */
        return PyInterpreterState_Head() == NULL;
    }
    return ts != NULL;
}

PyInterpreterState *
_PyGILState_GetInterpreterStateUnsafe(void)
{
    return PyInterpreterState_Main();
}

PyGILState_STATE
PyGILState_Ensure(void)
{
    /* a thread that runs another interpreter has the GIL already */
    bool attached = kr_current_tstate != NULL;
    PyThreadState *ts = attached ? kr_current_tstate : gilstate_tstate;
    if (ts == NULL) {
        PyInterpreterState *interp = PyInterpreterState_Main();
        ts = interp == NULL ? NULL : PyThreadState_New(interp);
        if (ts == NULL) {
            Py_FatalError("Couldn't create thread-state for new thread");
        }
        ts->gilstate_counter = 0; /* deleted by the matching Release */
    }
    if (!attached) {
        PyEval_RestoreThread(ts);
    }
    ts->gilstate_counter++;
    return attached ? PyGILState_LOCKED : PyGILState_UNLOCKED;
}

void
PyGILState_Release(PyGILState_STATE oldstate)
{
    PyThreadState *ts = kr_current_tstate;
    if (ts == NULL && gilstate_tstate == NULL) {
        Py_FatalError("auto-releasing thread-state, but no thread-state for "
                      "this thread");
    }
    if (ts == NULL) {
        _Py_FatalErrorFormat(__func__,
                             "thread state %p must be current when releasing",
                             gilstate_tstate);
    }
    if (--ts->gilstate_counter == 0) {
        ts->gilstate_counter++; /* finalizers may come back here */
        PyThreadState_Clear(ts);
        ts->gilstate_counter--;
        _PyThreadState_DeleteCurrent(ts);
    }
    else if (oldstate == PyGILState_UNLOCKED) {
        PyEval_SaveThread();
    }
}
