/* Building blocks of tree nodes: leaf types and sequences, all owned by an
 * arena. Sequences may be NULL, which means empty. */
#ifndef KR_FRONT_AST_ASDL_H
#define KR_FRONT_AST_ASDL_H

#include "front/arena/arena.h"

typedef PyObject *identifier;
typedef PyObject *string;
typedef PyObject *constant;

typedef struct {
    Py_ssize_t size;
    void *typed_elements[];
} asdl_seq;

typedef struct {
    Py_ssize_t size;
    PyObject *typed_elements[];
} asdl_identifier_seq;

typedef struct {
    Py_ssize_t size;
    int typed_elements[];
} asdl_int_seq;

#define asdl_seq_LEN(s) ((s) == NULL ? (Py_ssize_t)0 : (s)->size)
#define asdl_seq_GET(s, i) ((s)->typed_elements[i])
#define asdl_seq_SET(s, i, value) ((s)->typed_elements[i] = (value))
#define asdl_seq_GET_UNTYPED(s, i) (((asdl_seq *)(s))->typed_elements[i])

/* A sequence of `size` pointers, all NULL; it lives as long as the arena.
 * NULL with MemoryError set on failure. */
void *kr_asdl_seq_new(Py_ssize_t size, KrArena *arena);

/* The same for int elements. */
asdl_int_seq *kr_asdl_int_seq_new(Py_ssize_t size, KrArena *arena);

#endif
