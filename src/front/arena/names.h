/* Insertion-ordered maps from names to indices, for the variables of one code
 * object. Names are interned, so they are compared by address. */
#ifndef KR_FRONT_ARENA_NAMES_H
#define KR_FRONT_ARENA_NAMES_H

#include "front/arena/arena.h"

struct kr_names {
    PyObject **names; /* by index; borrowed */
    int *slots;       /* open addressing: index + 1; NULL while there are few */
    int count, capacity, nslots;
};

/* Index of a name, or -1 if it is not there. */
int kr_names_find(const struct kr_names *map, PyObject *name);

/* Index of a name, which is added at the end if it is new; -1 with MemoryError
 * set. The map lives in the arena, and so must the name. */
int kr_names_add(struct kr_names *map, PyObject *name, KrArena *arena);

#endif
