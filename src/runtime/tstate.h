/* Interpreters, thread states and the runtime that holds them. */
#ifndef KR_RUNTIME_TSTATE_H
#define KR_RUNTIME_TSTATE_H

#include <Python.h>
#include <stdbool.h>

#include "memory/tstate.h"
#include "objects/interp.h"

/* Makes the bookkeeping ready; the calling thread becomes the main thread.
 * Does nothing the second time. */
void kr_runtime_init(void);

/* The thread (id as PyThread_get_thread_ident) that started the runtime. */
unsigned long kr_main_thread(void);

/* From now on only `ts` may take the GIL, other threads end when they try;
 * NULL lifts that. */
void kr_set_finalizing(PyThreadState *ts);
PyThreadState *kr_finalizing(void);
bool kr_thread_must_exit(PyThreadState *ts);

/* Ties `ts` to the calling thread: its id and the bounds of its stack. */
void kr_thread_bind(PyThreadState *ts);

/* Attaches a new thread to the state that its creator made for it. */
void kr_thread_start(PyThreadState *ts);

/* Changes the limit of the interpreter and all its threads. */
void kr_set_recursion_limit(PyInterpreterState *interp, int limit);

/* Makes the bounds of the calling thread's stack those of `ts`, which another
 * thread may have made. */
void kr_thread_adopt(PyThreadState *ts);

/* Makes `ts` (or NULL) the current thread state of the calling thread. */
PyAPI_FUNC(void) _PyThreadState_SetCurrent(PyThreadState *ts);

/* Removes all threads of the interpreters but `ts`, after fork or at the end.
 * The first argument is not used. */
PyAPI_FUNC(void) _PyThreadState_DeleteExcept(void *runtime, PyThreadState *ts);
PyAPI_FUNC(void) _PyThreadState_DeleteCurrent(PyThreadState *ts);

/* Makes `module` the one that PyState_FindModule finds; 0 or -1. */
PyAPI_FUNC(int) _PyState_AddModule(PyThreadState *ts, PyObject *module,
                                   PyModuleDef *def);

/* Ends the program: called where a thread state is needed but there is none. */
PyAPI_FUNC(void) _Py_FatalError_TstateNULL(const char *func)
    __attribute__((noreturn));

/* Callers hold the runtime lock while they walk lists of threads without the
 * GIL. */
void kr_runtime_lock(void);
void kr_runtime_unlock(void);
void kr_runtime_after_fork(void);

#endif
