/* The recursion check of calls into C functions, inline. */
#ifndef KR_OBJECTS_RECURSION_H
#define KR_OBJECTS_RECURSION_H

#include <Python.h>

#include "base/common.h"

/* 0, or -1 with RecursionError. Paired with kr_leave_call. */
static inline int
kr_enter_call(PyThreadState *tstate)
{
    if (KR_LIKELY(tstate->recursion_remaining-- > 0)) {
        return 0;
    }
    tstate->recursion_remaining++;
    return Py_EnterRecursiveCall(" while calling a Python object") ? -1 : 0;
}

static inline void
kr_leave_call(PyThreadState *tstate)
{
    tstate->recursion_remaining++;
}

#endif
