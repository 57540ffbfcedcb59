/* The heap and the memory domains: sizes, alignment, reuse, growth. */
#include <Python.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/heap.h"

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

#define COUNT 20000

static size_t
size_of(size_t i)
{
    return i * 37 % 700;
}

/* Each block keeps its own contents while others come and go. */
static void
test_contents(void)
{
    unsigned char **p = malloc(COUNT * sizeof(*p));
    for (size_t i = 0; i < COUNT; i++) {
        p[i] = PyObject_Malloc(size_of(i));
        CHECK(p[i] != NULL);
        CHECK(((uintptr_t)p[i] & 15) == 0);
        memset(p[i], (int)(i & 255), size_of(i));
    }
    for (size_t i = 0; i < COUNT; i += 3) {
        PyObject_Free(p[i]);
        p[i] = NULL;
    }
    for (size_t i = 1; i < COUNT; i += 3) {
        p[i] = PyObject_Realloc(p[i], size_of(i) * 2 + 1);
        CHECK(p[i] != NULL);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; p[i] != NULL && j < size_of(i); j++) {
            if (p[i][j] != (i & 255)) {
                CHECK(!"contents changed");
                break;
            }
        }
        PyObject_Free(p[i]);
    }
    free(p);
}

static void
test_reuse(void)
{
#ifndef KR_ASAN
    void *a = PyMem_Malloc(48);
    PyMem_Free(a);
    CHECK(PyMem_Malloc(40) == a); /* last in, first out, within a class */
    PyMem_Free(a);
    CHECK(kr_heap_owns(a));
    size_t before = kr_heap_blocks();
    void *big = PyMem_Malloc(513);
    CHECK(!kr_heap_owns(big));
    void *small = PyMem_Malloc(512);
    CHECK(kr_heap_owns(small));
    CHECK(kr_heap_blocks() == before + 1);
    PyMem_Free(big);
    PyMem_Free(small);
    CHECK(kr_heap_blocks() == before);
#endif
}

static void
test_limits(void)
{
    CHECK(PyMem_Malloc((size_t)PY_SSIZE_T_MAX + 1) == NULL);
    CHECK(PyMem_RawMalloc((size_t)PY_SSIZE_T_MAX + 1) == NULL);
    CHECK(PyObject_Calloc((size_t)PY_SSIZE_T_MAX, 2) == NULL);
    void *p = PyMem_Malloc(0), *q = PyMem_Malloc(0);
    CHECK(p != NULL && q != NULL && p != q);
    PyMem_Free(p);
    PyMem_Free(q);
    PyMem_Free(NULL);
    unsigned char *z = PyObject_Calloc(10, 10);
    for (int i = 0; i < 100; i++) {
        CHECK(z[i] == 0);
    }
    PyObject_Free(z);
}

static int calls;

static void *
counting_malloc(void *ctx, size_t size)
{
    PyMemAllocatorEx *under = ctx;
    calls++;
    return under->malloc(under->ctx, size);
}

static void
test_set_allocator(void)
{
    PyMemAllocatorEx old, mine;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &old);
    mine = old;
    mine.ctx = &old;
    mine.malloc = counting_malloc;
    mine.free = old.free;
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &mine);
    void *p = PyObject_Malloc(10);
    CHECK(calls == 1);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &old);
    PyObject_Free(p);
    p = PyObject_Malloc(10);
    CHECK(calls == 1);
    PyObject_Free(p);
}

int
main(void)
{
    test_contents();
    test_reuse();
    test_limits();
    test_set_allocator();
    return failures != 0;
}
