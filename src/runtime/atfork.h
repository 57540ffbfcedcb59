/* What a fork does to the runtime. */
#ifndef KR_RUNTIME_ATFORK_H
#define KR_RUNTIME_ATFORK_H

#include <Python.h>

/* os.register_at_fork; each argument may be NULL. -1 with an exception set. */
int kr_register_at_fork(PyObject *before, PyObject *after_in_child,
                        PyObject *after_in_parent);

#endif
