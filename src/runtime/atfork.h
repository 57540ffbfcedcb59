/* What a fork does to the runtime. */
#ifndef KR_RUNTIME_ATFORK_H
#define KR_RUNTIME_ATFORK_H

#include <Python.h>

/* Implemented by import.c: in a child, nobody holds the import lock. */
void kr_import_lock_after_fork(void);

/* os.register_at_fork; each argument may be NULL. -1 with an exception set. */
int kr_register_at_fork(PyObject *before, PyObject *after_in_child,
                        PyObject *after_in_parent);

#endif
