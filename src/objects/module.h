/* The layout of module objects. */
#ifndef KR_OBJECTS_MODULE_H
#define KR_OBJECTS_MODULE_H

#include <Python.h>

struct kr_module {
    PyObject_HEAD
    PyObject *md_dict;
    PyModuleDef *md_def;
    void *md_state;
    PyObject *md_weaklist;
    PyObject *md_name; /* for messages, after the dict is gone */
};

/* module.__getattribute__, for caches that check for it. */
PyObject *kr_module_getattro(PyObject *self, PyObject *name);

#endif
