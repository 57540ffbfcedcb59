/* Function objects, as the VM uses them beyond the public API. */
#ifndef KR_VM_FUNCTION_H
#define KR_VM_FUNCTION_H

#include <Python.h>

/* A number that changes with the function; 0: no number left. */
uint32_t kr_function_version(PyFunctionObject *func);

/* The builtins dict for functions with these globals; borrowed, NULL with an
 * exception set. */
PyObject *kr_builtins_of(PyObject *globals);

#endif
