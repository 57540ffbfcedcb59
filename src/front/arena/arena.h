/* Region allocator of the front end: everything built while compiling one
 * source is released at once. The arena also owns the Python objects that
 * tree nodes refer to. */
#ifndef KR_FRONT_ARENA_ARENA_H
#define KR_FRONT_ARENA_ARENA_H

#include <Python.h>

#include "base/common.h"

typedef struct _arena KrArena;

struct _arena {
    char *next, *end;             /* free part of the newest block */
    struct kr_arena_block *block; /* newest first */
    struct kr_arena_block *large; /* of one allocation each */
    PyObject **objects;           /* owned references */
    size_t count, capacity;
};

/* How much of an arena was in use at some time. */
struct kr_arena_mark {
    char *next;
    struct kr_arena_block *block, *large;
};

/* New empty arena; NULL with MemoryError set. */
KrArena *kr_arena_new(void);

/* Releases the memory and drops the object references; NULL is allowed. */
void kr_arena_free(KrArena *arena);

/* Releases the memory (not the objects) allocated since the mark was taken. */
struct kr_arena_mark kr_arena_mark(KrArena *arena);
void kr_arena_release(KrArena *arena, struct kr_arena_mark mark);

/* Steals a reference to `object`; 0, or -1 with MemoryError set (the reference
 * is then already dropped). */
int kr_arena_own(KrArena *arena, PyObject *object);

void *kr_arena_alloc_slow(KrArena *arena, size_t size);

/* `size` bytes aligned for pointers, not cleared, valid until the arena goes;
 * NULL with MemoryError set. */
static inline void *
kr_arena_alloc(KrArena *arena, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (KR_UNLIKELY(size > (size_t)(arena->end - arena->next))) {
        return kr_arena_alloc_slow(arena, size);
    }
    void *p = arena->next;
    arena->next += size;
    return p;
}

/* Makes an allocation larger: in place if it was the last one, else by copying
 * it. NULL with MemoryError set. */
void *kr_arena_grow(KrArena *arena, void *old, size_t old_size, size_t size);

#endif
