/* Objects that plain counting never frees. */
#ifndef KR_OBJECTS_IMMORTAL_H
#define KR_OBJECTS_IMMORTAL_H

#include <Python.h>

#define KR_IMMORTAL_REFCNT ((Py_ssize_t)1 << 60)

/* Head of a statically allocated object. */
#define KR_IMMORTAL_HEAD(type) {.ob_refcnt = KR_IMMORTAL_REFCNT, .ob_type = (type)}
#define KR_IMMORTAL_VAR_HEAD(type, size)                                       \
    {.ob_base = KR_IMMORTAL_HEAD(type), .ob_size = (size)}

static inline void
kr_make_immortal(PyObject *op)
{
    op->ob_refcnt = KR_IMMORTAL_REFCNT;
}

static inline int
kr_is_immortal(PyObject *op)
{
    return op->ob_refcnt >= KR_IMMORTAL_REFCNT / 2;
}

#endif
