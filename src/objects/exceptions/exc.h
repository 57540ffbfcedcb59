/* What the files of the exception hierarchy share: the C types behind the
 * built-in exceptions and the helpers to define more of them. */
#ifndef KR_OBJECTS_EXCEPTIONS_EXC_H
#define KR_OBJECTS_EXCEPTIONS_EXC_H

#include <Python.h>

#define KR_EXC(name) kr_exc_##name

#define X(name, base) extern PyTypeObject KR_EXC(name);
#include "objects/exceptions/exceptions.def"
#undef X

/* Head and slots that every exception type has; the rest follows as
 * designated initialisers. GC, subclassable, immutable. */
#define KR_EXC_TYPE(name, base, object, doc)                                   \
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},                        \
    .tp_name = #name, .tp_basicsize = sizeof(object), .tp_doc = doc,           \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |                     \
                Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASE_EXC_SUBCLASS,             \
    .tp_base = &KR_EXC(base),                                                  \
    .tp_dealloc = (destructor)kr_base_exception_dealloc,                       \
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict)

/* Slots of BaseException, for subclasses to chain to. */
PyObject *kr_base_exception_new(PyTypeObject *type, PyObject *args,
                                PyObject *kwds);
int kr_base_exception_init(PyBaseExceptionObject *self, PyObject *args,
                           PyObject *kwds);
int kr_base_exception_traverse(PyBaseExceptionObject *self, visitproc visit,
                               void *arg);
int kr_base_exception_clear(PyBaseExceptionObject *self);

/* The dealloc of all exceptions: their tp_clear drops what they have. */
void kr_base_exception_dealloc(PyBaseExceptionObject *self);

PyObject *kr_base_exception_str(PyBaseExceptionObject *self);

/* `dict` of the instance or NULL: what __reduce__ gives as state. Borrowed. */
static inline PyObject *
kr_exc_state(PyBaseExceptionObject *self)
{
    return self->dict;
}

/* Makes the MemoryErrors that are kept for bad times. 0 or -1. */
int kr_memory_error_init(void);

/* New reference to a MemoryError, without allocating: the only one if its count
 * is 1, else one that others have too. NULL only before the one
 * above was called. */
PyObject *kr_memory_error(void);

/* Readies all exception types and the errno table, preallocates
 * MemoryError. Returns 0, or -1 with an exception set. */
int kr_exceptions_init(void);

/* Puts every exception class in the builtins dict. 0 or -1. */
int kr_exceptions_publish(PyObject *dict);

/* The OSError subclass for `err`; borrowed, OSError itself if there is none. */
PyObject *kr_os_error_class(int err);

#endif
