/* Types that a module makes for itself. */
#ifndef KR_MODULES_ADDTYPE_H
#define KR_MODULES_ADDTYPE_H

#include <Python.h>

/* Makes a type of the module over `base` (or NULL: object) in *slot, a new
 * reference, and exports it under its own name; -1 with an exception. */
static inline int
kr_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base,
            PyTypeObject **slot)
{
    *slot = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec,
                                                     (PyObject *)base);
    return *slot == NULL ? -1 : PyModule_AddType(module, *slot);
}

#endif
