/* Reference counts as functions, and debugging aids. */
#include "objects/object.h"

#include "base/common.h"
#include "memory/gc.h"
#include "memory/tstate.h"

#undef Py_Is
#undef Py_IsNone
#undef Py_NewRef
#undef Py_XNewRef

PyObject *
Py_NewRef(PyObject *o)
{
    Py_INCREF(o);
    return o;
}

PyObject *
Py_XNewRef(PyObject *o)
{
    Py_XINCREF(o);
    return o;
}

int
Py_Is(PyObject *x, PyObject *y)
{
    return x == y;
}

int
Py_IsNone(PyObject *x)
{
    return x == Py_None;
}

void
Py_IncRef(PyObject *o)
{
    Py_XINCREF(o);
}

void
Py_DecRef(PyObject *o)
{
    Py_XDECREF(o);
}

void
_Py_IncRef(PyObject *o)
{
    Py_INCREF(o);
}

void
_Py_DecRef(PyObject *o)
{
    Py_DECREF(o);
}

void
_Py_Dealloc(PyObject *op)
{
    Py_TYPE(op)->tp_dealloc(op);
}

/* ---- debugging aids ----------------------------------------------------- */

void
_Py_BreakPoint(void)
{
}

/* Patterns that the debugging allocator leaves in freed or fresh memory. */
static bool
is_freed_pointer(const void *p)
{
    uintptr_t v = (uintptr_t)p;
    return v == 0 || v == (uintptr_t)0xCDCDCDCDCDCDCDCDu
           || v == (uintptr_t)0xDDDDDDDDDDDDDDDDu
           || v == (uintptr_t)0xFDFDFDFDFDFDFDFDu;
}

int
_PyObject_IsFreed(PyObject *op)
{
    return is_freed_pointer(op) || is_freed_pointer(Py_TYPE(op));
}

void
_PyDebugAllocatorStats(FILE *out, const char *block_name, int num_blocks,
                       size_t sizeof_block)
{
    char line[128];
    snprintf(line, sizeof(line), "%d %ss * %zd bytes each", num_blocks,
             block_name, (Py_ssize_t)sizeof_block);
    fprintf(out, "%-48s %20zu\n", line, (size_t)num_blocks * sizeof_block);
}

void
_PyObject_DebugTypeStats(FILE *out)
{
    /* Types keep no free lists of their own: pools do that. */
    _PyDebugAllocatorStats(out, "free PyDictObject", 0, sizeof(PyDictObject));
    _PyDebugAllocatorStats(out, "free PyFloatObject", 0,
                           sizeof(PyFloatObject));
    _PyDebugAllocatorStats(out, "free PyListObject", 0, sizeof(PyListObject));
}

void
_PyObject_Dump(PyObject *op)
{
    if (op == NULL) {
        fprintf(stderr, "<object at NULL>\n");
        fflush(stderr);
        return;
    }
    if (_PyObject_IsFreed(op)) {
        fprintf(stderr, "<object at %p is freed>\n", (void *)op);
        fflush(stderr);
        return;
    }
    fprintf(stderr, "object address  : %p\n", (void *)op);
    fprintf(stderr, "object refcount : %zd\n", Py_REFCNT(op));
    fprintf(stderr, "object type     : %p\n", (void *)Py_TYPE(op));
    fprintf(stderr, "object type name: %s\n", Py_TYPE(op)->tp_name);
    fprintf(stderr, "object repr     : ");
    fflush(stderr);
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    (void)PyObject_Print(op, stderr, 0);
    fflush(stderr);
    PyErr_Restore(type, value, tb);
    PyGILState_Release(gil);
    fprintf(stderr, "\n");
    fflush(stderr);
}

void
_PyObject_AssertFailed(PyObject *obj, const char *expr, const char *msg,
                       const char *file, int line, const char *function)
{
    fprintf(stderr, "%s:%d: ", file, line);
    if (function != NULL) {
        fprintf(stderr, "%s: ", function);
    }
    if (expr != NULL) {
        fprintf(stderr, "Assertion \"%s\" failed", expr);
    }
    else {
        fprintf(stderr, "Assertion failed");
    }
    if (msg != NULL) {
        fprintf(stderr, ": %s", msg);
    }
    fprintf(stderr, "\n");
    fflush(stderr);
    if (obj != NULL && !_PyObject_IsFreed(obj)) {
        _PyObject_Dump(obj);
    }
    fprintf(stderr, "\n");
    fflush(stderr);
    Py_FatalError("_PyObject_AssertFailed");
}

int
_PyObject_CheckConsistency(PyObject *op, int check_content)
{
    if (op == NULL || _PyObject_IsFreed(op) || Py_REFCNT(op) < 1) {
        _PyObject_AssertFailed(op, NULL, "object is not alive", __FILE__,
                               __LINE__, __func__);
    }
    return 1;
}

int
_PyType_CheckConsistency(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_READY)) {
        return 1; /* not complete yet */
    }
    if (Py_REFCNT(type) < 1 || type->tp_dict == NULL || type->tp_mro == NULL
        || (type->tp_flags & Py_TPFLAGS_READYING)) {
        _PyObject_AssertFailed((PyObject *)type, NULL, "type is inconsistent",
                               __FILE__, __LINE__, __func__);
    }
    return 1;
}

void
_Py_FatalRefcountErrorFunc(const char *func, const char *msg)
{
    _Py_FatalErrorFunc(func, msg);
}
