/* Stand-in for src/memory/tstate.h in modules built for CPython. */
#ifndef KR_HOST_MEMORY_TSTATE_H
#define KR_HOST_MEMORY_TSTATE_H

#include <Python.h>

static inline PyThreadState *
kr_tstate(void)
{
    return PyThreadState_Get();
}

#endif
