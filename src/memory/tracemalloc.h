/* What the memory layer asks of tracemalloc, which implements it. */
#ifndef KR_MEMORY_TRACEMALLOC_H
#define KR_MEMORY_TRACEMALLOC_H

#include <Python.h>

struct kr_tracemalloc_config {
    int initialized;
    int tracing;
    int max_nframe;
};
PyAPI_DATA(struct kr_tracemalloc_config) _Py_tracemalloc_config;

/* The object was born again from a free list. */
void kr_tracemalloc_new_reference(PyObject *op);

/* Writes where a block was allocated, if that is known. */
PyAPI_FUNC(void) _PyMem_DumpTraceback(int fd, const void *ptr);

#endif
