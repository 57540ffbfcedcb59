/* What the VM does when the eval breaker is set. */
#ifndef KR_VM_BREAKER_H
#define KR_VM_BREAKER_H

#include <Python.h>

/* Handles everything that is due: signals, pending calls, the GIL, collections,
 * asynchronous exceptions. -1 with an exception set. In src/runtime. */
int kr_eval_breaker_handle(PyThreadState *tstate);

#endif
