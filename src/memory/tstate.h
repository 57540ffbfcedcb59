/* The calling thread's PyThreadState.
 *
 * Every thread that runs Python code is attached to one thread state; NULL
 * means detached (inside a blocking call) or foreign. */
#ifndef KR_MEMORY_TSTATE_H
#define KR_MEMORY_TSTATE_H

#include <Python.h>

extern _Thread_local PyThreadState *kr_current_tstate
    __attribute__((tls_model("initial-exec")));

/* Borrowed; NULL when the thread is not attached. Never fails. */
static inline PyThreadState *
kr_tstate(void)
{
    return kr_current_tstate;
}

#endif
