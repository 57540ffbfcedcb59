/* kr_code_new inside CPython: makes CPython's own code object through
 * types.CodeType, so that both compilers' results compare field by field. */
#include "code/code.h"

PyObject *
kr_code_new(struct kr_code_spec *spec)
{
    PyObject *names[3], *result = NULL;
    const int kinds[3] = {KR_LOCAL_LOCAL, KR_LOCAL_FREE, KR_LOCAL_CELL};
    Py_ssize_t n = PyTuple_GET_SIZE(spec->localsplusnames);
    for (int k = 0; k < 3; k++) {
        names[k] = PyList_New(0);
        for (Py_ssize_t i = 0; names[k] && i < n; i++) {
            if (PyBytes_AS_STRING(spec->localspluskinds)[i] & kinds[k]) {
                PyList_Append(names[k],
                              PyTuple_GET_ITEM(spec->localsplusnames, i));
            }
        }
        if (names[k] != NULL) {
            Py_SETREF(names[k], PyList_AsTuple(names[k]));
        }
    }
    if (names[0] && names[1] && names[2]) {
        result = PyObject_CallFunction(
            (PyObject *)&PyCode_Type, "iiiiiiOOOOOOOiOOOO", spec->argcount,
            spec->posonlyargcount, spec->kwonlyargcount,
            (int)PyTuple_GET_SIZE(names[0]), spec->stacksize, spec->flags,
            spec->code, spec->consts, spec->names, names[0], spec->filename,
            spec->name, spec->qualname, spec->firstlineno, spec->linetable,
            spec->exceptiontable, names[1], names[2]);
    }
    for (int k = 0; k < 3; k++) {
        Py_XDECREF(names[k]);
    }
    return result;
}
