/* Bytes to an object, as marshal.loads does, back to bytes, and its repr. What
 * was written must read back and be written the same way again. */
#include "fuzz.h"

#include <marshal.h>
#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_start(1000, 1);
    return 0;
}

/* Looks at what Python can see of a code object that nobody has checked. */
static void
inspect(PyObject *op)
{
    static const char *const names[] = {
        "co_lnotab",   "co_code",    "co_varnames",  "co_cellvars",
        "co_freevars", "co_nlocals", "co_linetable", "_co_code_adaptive",
    };
    /* far jumps of the line number make long co_lnotab */
    size_t first =
        PyBytes_GET_SIZE(((PyCodeObject *)op)->co_linetable) > 40 ? 1 : 0;
    for (size_t i = first; i < sizeof(names) / sizeof(names[0]); i++) {
        Py_XDECREF(PyObject_GetAttrString(op, names[i]));
        PyErr_Clear();
    }
    static const char *const lists[] = {"co_lines", "co_positions"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        PyObject *it = PyObject_CallMethod(op, lists[i], NULL);
        PyObject *item;
        while (it != NULL && (item = PyIter_Next(it)) != NULL) {
            Py_DECREF(item);
        }
        Py_XDECREF(it);
        PyErr_Clear();
    }
    PyCode_Addr2Line((PyCodeObject *)op, 4);
    PyObject_Hash(op);
    PyErr_Clear();
}

static PyObject *
load(PyObject *data)
{
    return PyMarshal_ReadObjectFromString(PyBytes_AS_STRING(data),
                                          PyBytes_GET_SIZE(data));
}

static void
through_bytes(PyObject *op)
{
    PyObject *first = PyMarshal_WriteObjectToString(op, Py_MARSHAL_VERSION);
    PyObject *again = first == NULL ? NULL : load(first);
    if (first != NULL && again == NULL &&
        !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Print();
        abort();
    }
    Py_XDECREF(first);
    Py_XDECREF(again);
    PyErr_Clear();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    PyObject *op = PyMarshal_ReadObjectFromString(copy, (Py_ssize_t)size);
    free(copy);
    if (op != NULL && PyErr_Occurred()) {
        abort();
    }
    if (op != NULL) {
        through_bytes(op);
        if (PyCode_Check(op)) {
            inspect(op);
        }
        Py_XDECREF(PyObject_Repr(op));
        PyErr_Clear();
        PyObject_Hash(op);
        PyErr_Clear();
        PyObject_RichCompareBool(op, op, Py_EQ);
    }
    Py_XDECREF(op);
    fuzz_done();
    return 0;
}
