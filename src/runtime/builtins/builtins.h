/* The files behind module `builtins`. */
#ifndef KR_RUNTIME_BUILTINS_BUILTINS_H
#define KR_RUNTIME_BUILTINS_BUILTINS_H

#include <Python.h>

/* Makes the module and fills its dict. New reference or NULL. */
PyObject *kr_builtins_create(void);

/* The function of `class` statements: see LOAD_BUILD_CLASS. */
PyObject *kr_builtin_build_class(PyObject *self, PyObject *const *args,
                                 Py_ssize_t nargs, PyObject *kwnames);

/* Functions over iterables, and those that run or compile code. */
extern PyMethodDef kr_builtins_iterable_methods[];
extern PyMethodDef kr_builtins_code_methods[];

#endif
