/* Locks around what a library does with an object. */
#ifndef KR_MODULES_SHARED_LOCK_H
#define KR_MODULES_SHARED_LOCK_H

#include <Python.h>
#include <pythread.h>

/* Waits for the lock, without the GIL while another thread has it. */
static inline void
kr_lock_wait(PyThread_type_lock lock)
{
    if (!PyThread_acquire_lock(lock, 0)) {
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(lock, 1);
        Py_END_ALLOW_THREADS
    }
}

#endif
