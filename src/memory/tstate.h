/* The calling thread's PyThreadState, and the bounds on its recursion.
 *
 * Every thread that runs Python code is attached to one thread state; NULL
 * means detached (inside a blocking call) or foreign. */
#ifndef KR_MEMORY_TSTATE_H
#define KR_MEMORY_TSTATE_H

#include <Python.h>

#include "base/common.h"

extern _Thread_local PyThreadState *kr_current_tstate
    __attribute__((tls_model("initial-exec")));

/* What every PyThreadState is the head of. */
struct kr_thread {
    PyThreadState ts;
    uintptr_t stack_limit; /* C frames must stay above this address */
    uint64_t owner;        /* id of the thread, for the arenas */
};

/* Borrowed; NULL when the thread is not attached. Never fails. */
static inline PyThreadState *
kr_tstate(void)
{
    return kr_current_tstate;
}

/* Raises RecursionError if a limit is exceeded; -1 then, and the counter is
 * as before the call to kr_enter_recursive. `where` begins with a space. */
PyAPI_FUNC(int) _Py_CheckRecursiveCall(PyThreadState *ts, const char *where);

/* Whether the C stack is nearly used up. */
static inline int
kr_stack_is_low(PyThreadState *ts)
{
    return (uintptr_t)__builtin_frame_address(0)
           < ((struct kr_thread *)ts)->stack_limit;
}

/* Py_EnterRecursiveCall for code that knows the thread state. */
static inline int
kr_enter_recursive(PyThreadState *ts, const char *where)
{
    if (KR_UNLIKELY((ts->recursion_remaining-- <= 0) | kr_stack_is_low(ts))) {
        return _Py_CheckRecursiveCall(ts, where);
    }
    return 0;
}

static inline void
kr_leave_recursive(PyThreadState *ts)
{
    ts->recursion_remaining++;
}

#endif
