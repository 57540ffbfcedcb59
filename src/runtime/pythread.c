/* PyThread_*: threads, locks and thread-specific storage for C code. */
#include <Python.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"
#include "runtime/tstate.h"

#define STACK_MIN 0x8000 /* smallest accepted stack size */

void
PyThread_init_thread(void)
{
    kr_runtime_init();
}

/* --- threads ------------------------------------------------------------- */

struct start {
    void (*func)(void *);
    void *arg;
};

static void *
run_thread(void *p)
{
    struct start start = *(struct start *)p;
    PyMem_RawFree(p);
    start.func(start.arg);
    return NULL;
}

static int
create(pthread_t *thread, size_t stack_size, struct start *start)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) {
        return -1;
    }
    int res = 0;
    if (stack_size != 0) {
        res = pthread_attr_setstacksize(&attr, stack_size);
    }
    if (res == 0) {
        res = pthread_create(thread, &attr, run_thread, start);
    }
    pthread_attr_destroy(&attr);
    return res;
}

unsigned long
PyThread_start_new_thread(void (*func)(void *), void *arg)
{
    struct start *start = PyMem_RawMalloc(sizeof(*start));
    if (start == NULL) {
        return PYTHREAD_INVALID_THREAD_ID;
    }
    start->func = func;
    start->arg = arg;
    PyThreadState *ts = kr_tstate();
    pthread_t thread;
    if (create(&thread, ts == NULL ? 0 : ts->interp->thread_stack_size, start)
        != 0) {
        PyMem_RawFree(start);
        return PYTHREAD_INVALID_THREAD_ID;
    }
    pthread_detach(thread);
    return (unsigned long)thread;
}

unsigned long
PyThread_get_thread_ident(void)
{
    return (unsigned long)pthread_self();
}

unsigned long
PyThread_get_thread_native_id(void)
{
    return (unsigned long)syscall(SYS_gettid);
}

void
PyThread_exit_thread(void)
{
    pthread_exit(NULL);
}

size_t
PyThread_get_stacksize(void)
{
    return kr_interp()->thread_stack_size;
}

/* 0: done, -1: not a valid size */
int
PyThread_set_stacksize(size_t size)
{
    if (size != 0) {
        pthread_attr_t attr;
        if (size < STACK_MIN || pthread_attr_init(&attr) != 0) {
            return -1;
        }
        int res = pthread_attr_setstacksize(&attr, size);
        pthread_attr_destroy(&attr);
        if (res != 0) {
            return -1;
        }
    }
    kr_interp()->thread_stack_size = size;
    return 0;
}

/* --- locks --------------------------------------------------------------- */

PyThread_type_lock
PyThread_allocate_lock(void)
{
    kr_runtime_init();
    return PyMem_RawCalloc(1, sizeof(struct kr_lock));
}

void
PyThread_free_lock(PyThread_type_lock lock)
{
    PyMem_RawFree(lock);
}

PyLockStatus
PyThread_acquire_lock_timed(PyThread_type_lock lock, PY_TIMEOUT_T us,
                            int intr_flag)
{
    int64_t ns = us < 0 ? -1 : us > INT64_MAX / 1000 ? INT64_MAX : us * 1000;
    switch (kr_lock_timed(lock, ns, intr_flag)) {
    case KR_LOCK_TAKEN:
        return PY_LOCK_ACQUIRED;
    case KR_LOCK_SIGNAL:
        return PY_LOCK_INTR;
    default:
        return PY_LOCK_FAILURE;
    }
}

int
PyThread_acquire_lock(PyThread_type_lock lock, int waitflag)
{
    return PyThread_acquire_lock_timed(lock, waitflag ? -1 : 0, 0)
           == PY_LOCK_ACQUIRED;
}

void
PyThread_release_lock(PyThread_type_lock lock)
{
    kr_lock_release(lock);
}

int
_PyThread_at_fork_reinit(PyThread_type_lock *lock)
{
    atomic_store(&((struct kr_lock *)*lock)->word, 0);
    return 0;
}

/* --- thread-specific storage --------------------------------------------- */

int
PyThread_create_key(void)
{
    pthread_key_t key;
    if (pthread_key_create(&key, NULL) != 0) {
        return -1;
    }
    if (key > INT_MAX) {
        pthread_key_delete(key);
        return -1;
    }
    return (int)key;
}

void
PyThread_delete_key(int key)
{
    pthread_key_delete((pthread_key_t)key);
}

void
PyThread_delete_key_value(int key)
{
    pthread_setspecific((pthread_key_t)key, NULL);
}

int
PyThread_set_key_value(int key, void *value)
{
    return pthread_setspecific((pthread_key_t)key, value) ? -1 : 0;
}

void *
PyThread_get_key_value(int key)
{
    return pthread_getspecific((pthread_key_t)key);
}

void
PyThread_ReInitTLS(void)
{
}

Py_tss_t *
PyThread_tss_alloc(void)
{
    Py_tss_t *key = PyMem_RawMalloc(sizeof(*key));
    if (key != NULL) {
        *key = (Py_tss_t)Py_tss_NEEDS_INIT;
    }
    return key;
}

void
PyThread_tss_free(Py_tss_t *key)
{
    if (key != NULL) {
        PyThread_tss_delete(key);
        PyMem_RawFree(key);
    }
}

int
PyThread_tss_is_created(Py_tss_t *key)
{
    return key->_is_initialized;
}

int
PyThread_tss_create(Py_tss_t *key)
{
    if (key->_is_initialized) {
        return 0;
    }
    if (pthread_key_create(&key->_key, NULL) != 0) {
        return -1;
    }
    key->_is_initialized = 1;
    return 0;
}

void
PyThread_tss_delete(Py_tss_t *key)
{
    if (key->_is_initialized) {
        pthread_key_delete(key->_key);
        key->_is_initialized = 0;
    }
}

int
PyThread_tss_set(Py_tss_t *key, void *value)
{
    return pthread_setspecific(key->_key, value) ? -1 : 0;
}

void *
PyThread_tss_get(Py_tss_t *key)
{
    return pthread_getspecific(key->_key);
}

/* --- sys.thread_info ----------------------------------------------------- */

static PyStructSequence_Field info_fields[] = {
    {"name", "name of the thread implementation"},
    {"lock", "name of the lock implementation"},
    {"version", "name and version of the thread library"},
    {NULL},
};

static PyStructSequence_Desc info_desc = {
    .name = "sys.thread_info",
    .doc = "sys.thread_info\n\nWhat is known of the threads.",
    .fields = info_fields,
    .n_in_sequence = 3,
};

static PyTypeObject info_type;

PyObject *
PyThread_GetInfo(void)
{
    if (info_type.tp_name == NULL
        && PyStructSequence_InitType2(&info_type, &info_desc) < 0) {
        return NULL;
    }
    PyObject *info = PyStructSequence_New(&info_type);
    if (info == NULL) {
        return NULL;
    }
    char version[128];
    size_t n = confstr(_CS_GNU_LIBPTHREAD_VERSION, version, sizeof(version));
    bool known = n > 0 && n < sizeof(version);
    PyStructSequence_SET_ITEM(info, 0, PyUnicode_FromString("pthread"));
    /* ours is a counting word on the kernel's wait queue, as a semaphore is */
    PyStructSequence_SET_ITEM(info, 1, PyUnicode_FromString("semaphore"));
    PyStructSequence_SET_ITEM(info, 2, known ? PyUnicode_FromString(version)
                                             : Py_NewRef(Py_None));
    if (PyErr_Occurred()) {
        Py_CLEAR(info);
    }
    return info;
}
