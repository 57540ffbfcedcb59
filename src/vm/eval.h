/* Running frames: entry points of the VM for C code and for its own files. */
#ifndef KR_VM_EVAL_H
#define KR_VM_EVAL_H

#include "base/common.h"
#include "memory/tstate.h"
#include "objects/interp.h"
#include "vm/frame.h"

/* Runs `func` with `locals` as its namespace (NULL for optimised code). All
 * references stay the caller's. Returns a new reference or NULL. */
PyObject *_PyEval_Vector(PyThreadState *ts, PyFunctionObject *func,
                         PyObject *locals, PyObject *const *args,
                         size_t argcount, PyObject *kwnames);

/* Fills the variables of `func` from the arguments, with defaults; raises
 * TypeError. Takes over the references in `args`, also on failure. */
int kr_bind_arguments(PyFunctionObject *func, PyObject **localsplus,
                      PyObject *const *args, Py_ssize_t argcount,
                      PyObject *kwnames);

/* A frame on the data stack with its arguments bound; takes over all
 * references, also on failure (NULL with an exception set). */
_PyInterpreterFrame *kr_push_call(PyThreadState *ts, PyFunctionObject *func,
                                  PyObject *locals, PyObject *const *args,
                                  Py_ssize_t argcount, PyObject *kwnames);

/* Ends a frame of the data stack: clears and pops it. */
void kr_end_frame(PyThreadState *ts, _PyInterpreterFrame *f);

/* Runs a frame through the evaluator of PEP 523 if one is set. */
static inline PyObject *
kr_eval_frame(PyThreadState *ts, _PyInterpreterFrame *f, int throwing)
{
    _PyFrameEvalFunction eval = ts->interp->eval_frame;
    return eval == NULL ? _PyEval_EvalFrameDefault(ts, f, throwing)
                        : eval(ts, f, throwing);
}

#endif
