/* Function objects, as the VM uses them beyond the public API. */
#ifndef KR_VM_FUNCTION_H
#define KR_VM_FUNCTION_H

#include <Python.h>

/* A number that changes with the function; 0: no number left. */
uint32_t kr_function_version(PyFunctionObject *func);

/* The builtins dict for functions with these globals; borrowed, NULL with an
 * exception set. */
PyObject *kr_builtins_of(PyObject *globals);

/* Sets the field that the attribute `name` shows, which must be a str: -1 with
 * TypeError if it is not or is to be deleted. */
int kr_set_str_field(PyObject **field, PyObject *value, const char *name);

#endif
