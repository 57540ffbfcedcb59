/* Layout of keys of thread-specific storage.
   A static key begins as Py_tss_NEEDS_INIT. */
#ifndef Py_CPYTHON_PYTHREAD_H
#define Py_CPYTHON_PYTHREAD_H

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#define PYTHREAD_INVALID_THREAD_ID ((unsigned long)-1)

#define NATIVE_TSS_KEY_T pthread_key_t
struct _Py_tss_t {
    int _is_initialized;
    NATIVE_TSS_KEY_T _key;
};
#define Py_tss_NEEDS_INIT {0}

/* Asked after a fork. */
PyAPI_FUNC(int) _PyThread_at_fork_reinit(PyThread_type_lock *);
#endif

#ifdef __cplusplus
}
#endif

#endif
