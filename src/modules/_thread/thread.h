/* What the files of the _thread module share. */
#ifndef KR_MODULES_THREAD_H
#define KR_MODULES_THREAD_H

#include <Python.h>

struct thread_module {
    PyTypeObject *lock_type;
    PyTypeObject *rlock_type;
    PyTypeObject *local_type;
    PyTypeObject *dummy_type;
    PyTypeObject *hook_args_type;
};

/* Borrowed state of a _thread module object. */
static inline struct thread_module *
thread_state(PyObject *module)
{
    return (struct thread_module *)PyModule_GetState(module);
}

extern PyModuleDef kr_thread_module;

extern PyType_Spec kr_lock_spec, kr_rlock_spec, kr_local_spec, kr_dummy_spec;

/* A new lock object. */
PyObject *kr_lock_new(PyTypeObject *lock_type);

/* Releases a lock object if it is taken; can't fail. */
void kr_lock_release_if_taken(PyObject *lock);

/* _thread._excepthook */
PyObject *kr_thread_excepthook(PyObject *module, PyObject *args);

#endif
