/* The cyclic collector's side of object allocation.
 *
 * Objects carry no list head: whether an object is tracked, young, old or
 * finalised is a bit in the header of the pool that holds it. */
#ifndef KR_MEMORY_GC_H
#define KR_MEMORY_GC_H

#include <Python.h>
#include <stdbool.h>

/* Starts following a complete object; it must not be tracked already. */
void kr_gc_track(PyObject *op);

/* Stops following `op`; does nothing if it is not tracked. */
void kr_gc_untrack(PyObject *op);

bool kr_gc_is_tracked(PyObject *op);

/* Gives an uninitialised, untracked block of `size` bytes for an object of a
 * GC type, with `presize` (0 or 16) further bytes before the returned address.
 * May start a collection. NULL with MemoryError set on failure. */
void *kr_gc_malloc(size_t size, size_t presize);

/* Frees a block of kr_gc_malloc; `op` must be untracked. */
void kr_gc_free(void *op, size_t presize);

#endif
