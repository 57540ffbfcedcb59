/* The global interpreter lock: one thread runs Python code at a time, and
 * hands over after the switch interval if another one is waiting. */
#ifndef KR_RUNTIME_GIL_H
#define KR_RUNTIME_GIL_H

#include <Python.h>

/* Waits for the lock; `ts` is who will hold it. Keeps errno. Does not return
 * if the interpreter is being finalised by another thread. */
void kr_gil_take(PyThreadState *ts);

/* Lets go; if somebody asked for it, waits until somebody else has it. `ts`
 * may be NULL when it has been deleted. Keeps errno. */
void kr_gil_drop(PyThreadState *ts);

/* In a new child process: the calling thread holds the lock. */
void kr_gil_after_fork(PyThreadState *ts);

#endif
