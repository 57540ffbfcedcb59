/* The constants of one compilation: equal ones are merged into one object.
 *
 * Equal means of the same type and value, all the way down: 1, 1.0 and True
 * stay apart, and so do 0.0 and -0.0. */
#ifndef KR_FRONT_COMPILER_CONSTANTS_H
#define KR_FRONT_COMPILER_CONSTANTS_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

struct kr_constants {
    struct kr_constant {
        uint64_t hash;
        PyObject *object; /* owned; NULL: free entry */
    } *entries;
    size_t mask, used; /* mask: number of entries - 1 */
};

/* An empty table: 0, or -1 with MemoryError set. */
int kr_constants_init(struct kr_constants *table);
void kr_constants_fini(struct kr_constants *table);

/* The representative of `object` (stolen, may be NULL) among equal ones: a new
 * reference, or NULL with an exception set. */
PyObject *kr_constants_merge(struct kr_constants *table, PyObject *object);

/* The same for a bytes object of `size` bytes, which is made if it is new. */
PyObject *kr_constants_bytes(struct kr_constants *table, const void *data,
                             size_t size);

/* Borrowed representative of a borrowed object; what tuples and frozensets hold
 * is merged too. NULL with an exception set. */
PyObject *kr_constants_add(struct kr_constants *table, PyObject *object);

#endif
