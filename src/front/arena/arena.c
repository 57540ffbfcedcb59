/* Region allocator: bump allocation in blocks that double up to a limit. */
#include "front/arena/arena.h"

struct kr_arena_block {
    struct kr_arena_block *older;
    char data[];
};

enum { FIRST_BLOCK = 8 << 10, LAST_BLOCK = 256 << 10 };

KrArena *
kr_arena_new(void)
{
    KrArena *arena = PyMem_Calloc(1, sizeof(*arena));
    if (arena == NULL) {
        return (KrArena *)PyErr_NoMemory();
    }
    arena->block_size = FIRST_BLOCK;
    return arena;
}

void
kr_arena_free(KrArena *arena)
{
    if (arena == NULL) {
        return;
    }
    for (size_t i = 0; i < arena->count; i++) {
        Py_DECREF(arena->objects[i]);
    }
    PyMem_Free(arena->objects);
    for (struct kr_arena_block *b = arena->block, *older; b != NULL;
         b = older) {
        older = b->older;
        PyMem_Free(b);
    }
    PyMem_Free(arena);
}

void *
kr_arena_alloc_slow(KrArena *arena, size_t size)
{
    bool own_block = size > arena->block_size / 4;
    size_t capacity = own_block ? size : arena->block_size;
    struct kr_arena_block *b = PyMem_Malloc(sizeof(*b) + capacity);
    if (b == NULL) {
        return PyErr_NoMemory();
    }
    if (own_block && arena->block != NULL) {
        /* The newest block keeps serving small requests. */
        b->older = arena->block->older;
        arena->block->older = b;
        return b->data;
    }
    b->older = arena->block;
    arena->block = b;
    arena->next = b->data + size;
    arena->end = b->data + capacity;
    if (arena->block_size < LAST_BLOCK) {
        arena->block_size *= 2;
    }
    return b->data;
}

int
kr_arena_own(KrArena *arena, PyObject *object)
{
    if (arena->count == arena->capacity) {
        size_t capacity = arena->capacity ? arena->capacity * 2 : 64;
        PyObject **grown =
            PyMem_Realloc(arena->objects, capacity * sizeof(*grown));
        if (grown == NULL) {
            Py_DECREF(object);
            PyErr_NoMemory();
            return -1;
        }
        arena->objects = grown;
        arena->capacity = capacity;
    }
    arena->objects[arena->count++] = object;
    return 0;
}

/* The names that CPython exports. */

PyAPI_FUNC(KrArena *) _PyArena_New(void);
PyAPI_FUNC(void) _PyArena_Free(KrArena *arena);
PyAPI_FUNC(void *) _PyArena_Malloc(KrArena *arena, size_t size);
PyAPI_FUNC(int) _PyArena_AddPyObject(KrArena *arena, PyObject *object);

KrArena *
_PyArena_New(void)
{
    return kr_arena_new();
}

void
_PyArena_Free(KrArena *arena)
{
    kr_arena_free(arena);
}

void *
_PyArena_Malloc(KrArena *arena, size_t size)
{
    return kr_arena_alloc(arena, size);
}

int
_PyArena_AddPyObject(KrArena *arena, PyObject *object)
{
    Py_INCREF(object);
    if (kr_arena_own(arena, object) < 0) {
        return -1; /* the caller keeps its reference */
    }
    Py_DECREF(object);
    return 0;
}
