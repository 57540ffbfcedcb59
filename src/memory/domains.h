/* Allocators of the memory domains; see <cpython/pymem.h> for the rest. */
#ifndef KR_MEMORY_DOMAINS_H
#define KR_MEMORY_DOMAINS_H

#include <Python.h>
#include <stdbool.h>
#include <stdio.h>

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
