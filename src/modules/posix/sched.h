/* sched_param arguments, shared by sched.c and exec.c. */
#ifndef KR_MODULES_POSIX_SCHED_H
#define KR_MODULES_POSIX_SCHED_H

#include <Python.h>
#include <sched.h>
#include <stdbool.h>

/* Reads a sched_param object; false with an exception set. */
bool kr_posix_arg_sched_param(PyObject *module, PyObject *o,
                              struct sched_param *out);

#endif
