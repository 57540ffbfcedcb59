/* Allocators of the memory domains; see <cpython/pymem.h> for the rest. */
#ifndef KR_MEMORY_DOMAINS_H
#define KR_MEMORY_DOMAINS_H

#include <Python.h>
#include <stdbool.h>
#include <stdio.h>

#include "memory/heap.h"

struct kr_domains_state {
    PyMemAllocatorEx of[3]; /* by PyMemAllocatorDomain */
    bool direct[3];         /* `of` is the built-in one, may be bypassed */
    PyObjectArenaAllocator arena;
};

extern struct kr_domains_state kr_domains;

/* PyObject_Malloc for a small constant size, and its PyObject_Free, inline as
 * long as nobody replaced the allocator. NULL without an exception. */
static inline void *
kr_object_alloc(size_t size)
{
    if (KR_LIKELY(kr_domains.direct[PYMEM_DOMAIN_OBJ])) {
        return kr_mem_alloc(size);
    }
    return PyObject_Malloc(size);
}

static inline void
kr_object_free(void *p)
{
    if (KR_LIKELY(kr_domains.direct[PYMEM_DOMAIN_OBJ])) {
        kr_mem_free(p);
        return;
    }
    PyObject_Free(p);
}

/* Sets `name` from the text of PYTHONMALLOC; -1 if it is unknown. */
PyAPI_FUNC(int)
_PyMem_GetAllocatorName(const char *text, PyMemAllocatorName *name);

/* Puts the named allocators in place; -1 if the name is unknown. Only before
 * the first object exists. */
PyAPI_FUNC(int) _PyMem_SetupAllocators(PyMemAllocatorName name);

/* Puts the built-in allocator of a domain in place; `old_alloc` may be NULL. */
PyAPI_FUNC(int) _PyMem_SetDefaultAllocator(PyMemAllocatorDomain domain,
                                           PyMemAllocatorEx *old_alloc);

/* Prints the pools per size class; false if they are not in use. */
PyAPI_FUNC(int) _PyObject_DebugMallocStats(FILE *out);

/* sys.getallocatedblocks() */
PyAPI_FUNC(Py_ssize_t) _Py_GetAllocatedBlocks(void);

/* Makes in `hooked` an allocator that checks the blocks of `under`; false if
 * `under` is hooked already. */
bool kr_debug_hook(int domain, const PyMemAllocatorEx *under,
                   PyMemAllocatorEx *hooked);

/* If `hooked` is ours, stores the allocator below it and returns true. */
bool kr_debug_unhook(int domain, const PyMemAllocatorEx *hooked,
                     PyMemAllocatorEx *under);

#endif
