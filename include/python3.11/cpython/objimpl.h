/* Sizes of objects, arenas, and weak reference lists.
   For types that allocate in their own way. */
#ifndef Py_CPYTHON_OBJIMPL_H
#define Py_CPYTHON_OBJIMPL_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* Bytes of an instance; with items the size is a multiple of a pointer's. */
#define _PyObject_SIZE(typeobj) ((typeobj)->tp_basicsize)
#define _PyObject_VAR_SIZE(typeobj, n) \
    _Py_SIZE_ROUND_UP((typeobj)->tp_basicsize \
            + (n) * (typeobj)->tp_itemsize, SIZEOF_VOID_P)

typedef struct {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);
} PyObjectArenaAllocator;

/* Arenas, statistics, weak reference lists. */
PyAPI_FUNC(PyObject **) PyObject_GET_WEAKREFS_LISTPTR(PyObject *);
PyAPI_FUNC(void) PyObject_GetArenaAllocator(PyObjectArenaAllocator *);
PyAPI_FUNC(int) PyObject_IS_GC(PyObject *);
PyAPI_FUNC(void) PyObject_SetArenaAllocator(PyObjectArenaAllocator *);
PyAPI_FUNC(int) PyType_SUPPORTS_WEAKREFS(PyTypeObject *);

#define _PyGC_FINALIZED(o) PyObject_GC_IsFinalized(o)
#endif

#ifdef __cplusplus
}
#endif

#endif
