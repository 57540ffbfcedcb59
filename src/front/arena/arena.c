/* Region allocator: bump allocation in blocks, the first of them small. Blocks
 * that go are kept for the next compilation, up to a limit: a program that
 * compiles much would else get its pages from the system again and again. */
#include "front/arena/arena.h"

#include <string.h>

#include "base/stress.h"

struct kr_arena_block {
    struct kr_arena_block *older;
    size_t size; /* of data */
    char data[];
};

enum {
    FIRST_BLOCK = 8 << 10,
    BLOCK = (64 << 10) - sizeof(struct kr_arena_block) - 16,
    MAX_SPARE = 16,
};

static struct kr_arena_state {
    struct kr_arena_block *spare; /* of size BLOCK */
    int nspare;
} state;

static struct kr_arena_block *
new_block(size_t size)
{
    struct kr_arena_block *b = state.spare;
    if (size == BLOCK && b != NULL) {
        state.spare = b->older;
        state.nspare--;
        return b;
    }
    b = PyMem_Malloc(sizeof(*b) + size);
    if (b == NULL) {
        return (struct kr_arena_block *)PyErr_NoMemory();
    }
    b->size = size;
    return b;
}

static void
free_block(struct kr_arena_block *b)
{
    if (b->size == BLOCK && state.nspare < MAX_SPARE) {
        b->older = state.spare;
        state.spare = b;
        state.nspare++;
        return;
    }
    PyMem_Free(b);
}

/* Frees the blocks that are newer than `last`. */
static void
free_blocks(struct kr_arena_block **newest, struct kr_arena_block *last)
{
    while (*newest != last) {
        struct kr_arena_block *b = *newest;
        *newest = b->older;
        free_block(b);
    }
}

KrArena *
kr_arena_new(void)
{
    KrArena *arena = PyMem_Calloc(1, sizeof(*arena));
    return arena != NULL ? arena : (KrArena *)PyErr_NoMemory();
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
    free_blocks(&arena->block, NULL);
    free_blocks(&arena->large, NULL);
    PyMem_Free(arena);
}

struct kr_arena_mark
kr_arena_mark(KrArena *arena)
{
    return (struct kr_arena_mark){arena->next, arena->block, arena->large};
}

void
kr_arena_release(KrArena *arena, struct kr_arena_mark mark)
{
    free_blocks(&arena->large, mark.large);
    free_blocks(&arena->block, mark.block);
    arena->next = mark.next;
    arena->end = mark.block ? mark.block->data + mark.block->size : NULL;
}

void *
kr_arena_alloc_slow(KrArena *arena, size_t size)
{
    size_t capacity = arena->block == NULL ? FIRST_BLOCK : BLOCK;
    bool large = KR_STRESS || size > capacity / 4;
    struct kr_arena_block *b = new_block(large ? size : capacity);
    if (b == NULL) {
        return NULL;
    }
    struct kr_arena_block **list = large ? &arena->large : &arena->block;
    b->older = *list;
    *list = b;
    if (!large) {
        /* a large one leaves the newest block to serve small requests */
        arena->next = b->data + size;
        arena->end = b->data + capacity;
    }
    return b->data;
}

void *
kr_arena_grow(KrArena *arena, void *old, size_t old_size, size_t size)
{
    old_size = (old_size + 7) & ~(size_t)7;
    size = (size + 7) & ~(size_t)7;
    if (old != NULL && (char *)old + old_size == arena->next &&
        size - old_size <= (size_t)(arena->end - arena->next)) {
        arena->next += size - old_size;
        return old;
    }
    void *grown = kr_arena_alloc(arena, size);
    if (grown != NULL && old_size != 0) {
        memcpy(grown, old, old_size);
    }
    return grown;
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
