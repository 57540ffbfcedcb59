/* What generators, coroutines and async generators share. */
#ifndef KR_VM_GENERATOR_H
#define KR_VM_GENERATOR_H

#include "vm/eval.h"

#define KR_GEN(op) ((PyGenObject *)(op))

static inline _PyInterpreterFrame *
kr_gen_frame(PyGenObject *gen)
{
    return (_PyInterpreterFrame *)gen->gi_iframe;
}

/* Resumes with `arg` as the value of the yield expression, or, if `exc`, with
 * the pending exception. */
PySendResult kr_gen_resume(PyGenObject *gen, PyObject *arg, PyObject **result,
                           int exc, int closing);

/* The same as a call would report it: a value, or NULL with StopIteration (or
 * StopAsyncIteration). */
PyObject *kr_gen_send(PyGenObject *gen, PyObject *arg, int exc, int closing);

/* generator.throw(), with the exception in pieces. `close_on_exit`: GeneratorExit
 * closes what is being awaited. */
PyObject *kr_gen_throw(PyGenObject *gen, int close_on_exit, PyObject *type,
                       PyObject *value, PyObject *tb);

/* generator.close(). */
PyObject *kr_gen_close(PyObject *gen, PyObject *ignored);

/* The iterator that a suspended generator delegates to; new, or NULL. */
PyObject *kr_gen_delegate(PyGenObject *gen);

/* Slots and getters that all three kinds use. */
void kr_gen_dealloc(PyObject *op);
int kr_gen_traverse(PyObject *op, visitproc visit, void *arg);
PyObject *kr_gen_throw_method(PyObject *op, PyObject *const *args,
                              Py_ssize_t nargs);
PySendResult kr_gen_am_send(PyObject *op, PyObject *arg, PyObject **result);
PyObject *kr_gen_get_name(PyObject *op, void *closure);
int kr_gen_set_name(PyObject *op, PyObject *value, void *closure);
PyObject *kr_gen_get_qualname(PyObject *op, void *closure);
int kr_gen_set_qualname(PyObject *op, PyObject *value, void *closure);
PyObject *kr_gen_get_frame(PyObject *op, void *closure);
PyObject *kr_gen_get_delegate(PyObject *op, void *closure);
PyObject *kr_gen_get_running(PyObject *op, void *closure);
PyObject *kr_gen_get_suspended(PyObject *op, void *closure);
PyObject *kr_gen_get_code(PyObject *op, void *closure);

/* Where a new coroutine was made, as deep as the thread wants: a tuple, or
 * NULL, without an exception if not wanted. */
PyObject *kr_coroutine_origin(PyThreadState *ts);

/* What is due when the frame of a generator that the eval loop runs itself has
 * returned, or left an exception (`failed`). */
void kr_gen_ended(PyThreadState *ts, PyGenObject *gen, int failed);

#endif
