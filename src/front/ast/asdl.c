/* Sequences of tree nodes. */
#include "front/ast/asdl.h"

#include <string.h>

static void *
new_seq(Py_ssize_t size, size_t item, KrArena *arena)
{
    if ((size_t)size > (PY_SSIZE_T_MAX - sizeof(asdl_seq)) / item) {
        return PyErr_NoMemory();
    }
    size_t bytes = sizeof(asdl_seq) + (size_t)size * item;
    asdl_seq *seq = kr_arena_alloc(arena, bytes);
    if (seq != NULL) {
        memset(seq, 0, bytes);
        seq->size = size;
    }
    return seq;
}

void *
kr_asdl_seq_new(Py_ssize_t size, KrArena *arena)
{
    return new_seq(size, sizeof(void *), arena);
}

asdl_int_seq *
kr_asdl_int_seq_new(Py_ssize_t size, KrArena *arena)
{
    return new_seq(size, sizeof(int), arena);
}
