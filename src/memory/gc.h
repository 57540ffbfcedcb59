/* The cyclic collector's side of object allocation.
 *
 * Objects carry no list head: whether an object is tracked, young, old or
 * finalised is a bit in the header of the pool that holds it; objects too
 * large for pools are in a hash table. Callers hold the GIL. */
#ifndef KR_MEMORY_GC_H
#define KR_MEMORY_GC_H

#include <Python.h>
#include <stdbool.h>

#include "memory/heap.h"

/* Bytes before the instances of a class with a managed dict: the dict pointer
 * and the word of the shape. Both are zero in a new block. */
#define KR_PRESIZE 16

static inline size_t
kr_type_presize(PyTypeObject *type)
{
    return (type->tp_flags & (1UL << 4)) ? KR_PRESIZE : 0; /* MANAGED_DICT */
}

/* The slow halves, for objects outside the pools. */
void kr_gc_track_large(PyObject *op);
void kr_gc_untrack_large(PyObject *op);
bool kr_gc_is_tracked_large(PyObject *op);

/* Notes that a pool has young objects. */
void kr_gc_pool_young(struct kr_pool *pool);

static inline struct kr_gc_word *
kr_gc_word_of(const void *op)
{
    return &kr_pool_words(kr_pool_of(op))[((uintptr_t)op >> 10) & 15];
}

static inline uint64_t
kr_gc_bit_of(const void *op)
{
    return (uint64_t)1 << (((uintptr_t)op >> 4) & 63);
}

/* Starts following a complete object; it must not be tracked already. */
static inline void
kr_gc_track(PyObject *op)
{
    if (KR_UNLIKELY(!kr_heap_owns(op))) {
        kr_gc_track_large(op);
        return;
    }
    struct kr_pool *pool = kr_pool_of(op);
    kr_assert(pool->kind == KR_POOL_GC, "tracked object of a GC type");
    struct kr_gc_word *w = kr_gc_word_of(op);
    uint64_t bit = kr_gc_bit_of(op);
    w->tracked |= bit;
    w->lo &= ~bit;
    w->hi &= ~bit;
    if (KR_UNLIKELY(pool->young_at == 0)) {
        kr_gc_pool_young(pool);
    }
}

/* Stops following `op`; does nothing if it is not tracked. */
static inline void
kr_gc_untrack(PyObject *op)
{
    if (KR_UNLIKELY(!kr_heap_owns(op))) {
        kr_gc_untrack_large(op);
        return;
    }
    kr_gc_word_of(op)->tracked &= ~kr_gc_bit_of(op);
}

/* Whether `op`, an object of any type, is followed by the collector. */
static inline bool
kr_gc_is_tracked(PyObject *op)
{
    if (KR_UNLIKELY(!kr_heap_owns(op))) {
        return kr_gc_is_tracked_large(op);
    }
    return kr_pool_of(op)->kind == KR_POOL_GC
           && (kr_gc_word_of(op)->tracked & kr_gc_bit_of(op)) != 0;
}

/* Whether tp_finalize of `op` ran already; and the note that it did. */
bool kr_gc_is_finalized(PyObject *op);
void kr_gc_set_finalized(PyObject *op);

/* Gives an uninitialised, untracked block of `size` bytes for an object of a
 * GC type, with `presize` (0 or 16) further, zeroed bytes before the returned
 * address. May start a collection. NULL with MemoryError set on failure. */
void *kr_gc_malloc(size_t size, size_t presize);

/* Frees a block of kr_gc_malloc; `op` must be untracked. */
void kr_gc_free(void *op, size_t presize);

/* The same for types without GC that have a managed dict. */
void *kr_obj_malloc(size_t size, size_t presize);
void kr_obj_free(void *op, size_t presize);

/* Collects everything, for the end of an interpreter: no callbacks, errors
 * are swallowed. Returns the number of objects found unreachable. */
Py_ssize_t kr_gc_collect_no_fail(void);

/* Frees what the collector keeps, at the very end. */
void kr_gc_fini(void);

/* Warns on stderr about gc.garbage when debugging asks for it. */
void kr_gc_dump_shutdown_stats(void);

/* Implemented by the container types: untrack an object that can't be part
 * of a cycle. */
PyAPI_FUNC(void) _PyTuple_MaybeUntrack(PyObject *);
PyAPI_FUNC(void) _PyDict_MaybeUntrack(PyObject *);

#endif
