/* What the files of memoryview share. */
#ifndef KR_OBJECTS_MEMORYVIEW_H
#define KR_OBJECTS_MEMORYVIEW_H

#include <Python.h>

#include "base/common.h"

#define MV(op) ((PyMemoryViewObject *)(op))

#define MV_IS_RELEASED(mv)                                                     \
    ((mv)->flags & _Py_MEMORYVIEW_RELEASED                                     \
     || (mv)->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED)

/* Address of a dimension's element through an optional suboffset. */
#define MV_ADJUST(ptr, suboffsets, dim)                                        \
    ((suboffsets) && (suboffsets)[dim] >= 0                                    \
         ? *((char **)(ptr)) + (suboffsets)[dim]                               \
         : (ptr))

/* -1 with ValueError if the view was released. */
int kr_mv_check(PyMemoryViewObject *mv);

/* The format's only character if it is a native one, else 0; and the size of
 * an item of it. */
char kr_mv_native_char(const char *format, Py_ssize_t *size);

/* One item as object; the reverse. NULL/-1 with an exception. */
PyObject *kr_mv_unpack(const char *ptr, const char *format);
int kr_mv_pack(char *ptr, const char *format, PyObject *item);

/* Copies src over dest, which has the same structure; they may overlap. */
int kr_mv_copy(const Py_buffer *dest, const Py_buffer *src);

/* Copies src to contiguous memory in order 'C', 'F' or 'A'. */
int kr_mv_to_contiguous(char *mem, const Py_buffer *src, char order);

PyObject *kr_mv_tolist(PyMemoryViewObject *mv);
PyObject *kr_mv_richcompare(PyObject *v, PyObject *w, int op);
PyObject *kr_mv_cast(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                     PyObject *kwnames);
void kr_mv_init_flags(PyMemoryViewObject *mv);

/* New registered view of mbuf, described by `view`; NULL with an exception. */
PyObject *kr_mv_add_view(_PyManagedBufferObject *mbuf, const Py_buffer *view);

/* Subscripts, in index.c. */
PyObject *kr_mv_item(PyObject *self, Py_ssize_t index);
PyObject *kr_mv_subscript(PyObject *self, PyObject *key);
int kr_mv_ass_subscript(PyObject *self, PyObject *key, PyObject *value);

#endif
