/* The trashcan: bounds the depth of nested deallocations.
 *
 * An object whose deallocation comes too deep waits in the thread's list,
 * linked through its reference count, which nobody reads any more: the link
 * is stored negated, so that weak references still see a count below one. */
#include <Python.h>

#include "memory/gc.h"
#include "memory/tstate.h"

#define UNWIND_LEVEL 50

static void
deposit(PyThreadState *tstate, PyObject *op)
{
    op->ob_refcnt = -(Py_ssize_t)(intptr_t)tstate->trash_delete_later;
    tstate->trash_delete_later = op;
}

static void
destroy_chain(PyThreadState *tstate)
{
    tstate->trash_delete_nesting++;
    while (tstate->trash_delete_later != NULL) {
        PyObject *op = tstate->trash_delete_later;
        tstate->trash_delete_later = (PyObject *)(intptr_t)-op->ob_refcnt;
        op->ob_refcnt = 0;
        Py_TYPE(op)->tp_dealloc(op);
    }
    tstate->trash_delete_nesting--;
}

int
_PyTrash_begin(PyThreadState *tstate, PyObject *op)
{
    if (tstate->trash_delete_nesting >= UNWIND_LEVEL) {
        deposit(tstate, op);
        return 1;
    }
    tstate->trash_delete_nesting++;
    return 0;
}

void
_PyTrash_end(PyThreadState *tstate)
{
    tstate->trash_delete_nesting--;
    if (tstate->trash_delete_later != NULL
        && tstate->trash_delete_nesting <= 0) {
        destroy_chain(tstate);
    }
}

int
_PyTrash_cond(PyObject *op, destructor dealloc)
{
    return Py_TYPE(op)->tp_dealloc == dealloc;
}
