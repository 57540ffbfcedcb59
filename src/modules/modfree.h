/* The m_free of modules that have an m_clear. */
#ifndef KR_MODULES_MODFREE_H
#define KR_MODULES_MODFREE_H

#include <Python.h>

/* Does what m_clear does: the collector doesn't come to a module of which the
 * last reference goes while a cycle is taken apart elsewhere. */
static inline void
kr_module_free(void *module)
{
    PyModule_GetDef(module)->m_clear(module);
}

#endif
