/* Pickling of arrays: items as bytes with their machine format, and back. */
#include "modules/array/array.h"
#include "objects/ids.h"

#include <Python.h>
#include <string.h>

PyObject *
kr_array_reduce_ex(PyObject *op, PyObject *protocol)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(op));
    if (!PyLong_Check(protocol)) {
        PyErr_SetString(PyExc_TypeError,
                        "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long proto = PyLong_AsLong(protocol);
    if (state == NULL || (proto == -1 && PyErr_Occurred())) {
        return NULL;
    }
    PyObject *dict;
    if (_PyObject_LookupAttr(op, KR_ID(__dict__), &dict) < 0) {
        return NULL;
    }
    if (dict == NULL) {
        dict = Py_NewRef(Py_None);
    }
    int code = kr_array_machine_of(A(op)->kind);
    if (code == KR_MACHINE_UNKNOWN || proto < 3) {
        /* old pickles have no bytes: a list of items */
        PyObject *list = kr_array_tolist(op, NULL);
        if (list == NULL) {
            Py_DECREF(dict);
            return NULL;
        }
        return Py_BuildValue("O(CN)N", Py_TYPE(op), A(op)->kind->typecode, list,
                             dict);
    }
    if (state->reconstructor == NULL) {
        PyObject *module = PyImport_ImportModule("array");
        if (module != NULL) {
            state->reconstructor =
                PyObject_GetAttr(module, KR_ID(_array_reconstructor));
            Py_DECREF(module);
        }
    }
    PyObject *bytes = state->reconstructor ? kr_array_tobytes(op, NULL) : NULL;
    if (bytes == NULL) {
        Py_DECREF(dict);
        return NULL;
    }
    return Py_BuildValue("N(OCiN)N", Py_NewRef(state->reconstructor),
                         Py_TYPE(op), A(op)->kind->typecode, code, bytes, dict);
}

/* array(type, typecode, items) by calling the type. */
static PyObject *
build(PyTypeObject *type, int typecode, PyObject *items)
{
    return PyObject_CallFunction((PyObject *)type, "CO", typecode, items);
}

PyObject *
kr_array_reconstructor(PyObject *module, PyObject *const *args,
                       Py_ssize_t nargs)
{
    struct kr_array_state *state = kr_array_state_of(module);
    if (!_PyArg_CheckPositional("_array_reconstructor", nargs, 4, 4)) {
        return NULL;
    }
    PyObject *type = args[0], *items = args[3];
    if (!PyUnicode_Check(args[1]) || PyUnicode_READY(args[1]) < 0 ||
        PyUnicode_GET_LENGTH(args[1]) != 1) {
        _PyArg_BadArgument("_array_reconstructor", "argument 2",
                           "a unicode character", args[1]);
        return NULL;
    }
    int typecode = (int)PyUnicode_READ_CHAR(args[1], 0);
    int code = _PyLong_AsInt(args[2]);
    if (code == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "first argument must be a type object, not %.200s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, state->array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s",
                     ((PyTypeObject *)type)->tp_name,
                     state->array_type->tp_name);
        return NULL;
    }
    const struct kr_array_kind *kind = kr_array_find_kind(typecode);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "second argument must be a valid type code");
        return NULL;
    }
    if (code < KR_MACHINE_UINT8 || code > KR_MACHINE_LAST) {
        PyErr_SetString(PyExc_ValueError,
                        "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(items)) {
        PyErr_Format(PyExc_TypeError,
                     "fourth argument should be bytes, not %.200s",
                     Py_TYPE(items)->tp_name);
        return NULL;
    }
    PyTypeObject *tp = (PyTypeObject *)type;
    if (code == kr_array_machine_of(kind)) {
        return build(tp, typecode, items);
    }
    struct kr_array_machine m = kr_array_machine(code);
    if (PyBytes_GET_SIZE(items) % m.size != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "bytes length not a multiple of item size");
        return NULL;
    }
    /* a type code of the same size and sign here, if there is one */
    for (const struct kr_array_kind *k = kr_array_kinds;
         code < KR_MACHINE_FLOAT_LE && k->typecode; k++) {
        if (k->is_integer && k->itemsize == m.size &&
            k->is_signed == m.is_signed) {
            typecode = k->typecode;
            if (k->typecode == kind->typecode) {
                break;
            }
        }
    }
    PyObject *list = kr_array_decode(code, items);
    if (list == NULL) {
        return NULL;
    }
    PyObject *result = build(tp, typecode, list);
    Py_DECREF(list);
    return result;
}
