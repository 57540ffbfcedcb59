/* Keys under which equal constants may be merged.
 *
 * Python's == is too coarse: 1 == 1.0 == True and 0.0 == -0.0, yet they must
 * stay apart in co_consts. A key pairs the value with its type, all the way
 * down. */
#include <math.h>

#include "code/code.h"

static PyObject *
float_key(PyObject *op)
{
    double value = PyFloat_AS_DOUBLE(op);
    if (value == 0.0 && signbit(value)) {
        return PyTuple_Pack(3, Py_TYPE(op), op, Py_None);
    }
    return PyTuple_Pack(2, Py_TYPE(op), op);
}

static PyObject *
complex_key(PyObject *op)
{
    Py_complex z = PyComplex_AsCComplex(op);
    int real = z.real == 0.0 && signbit(z.real);
    int imag = z.imag == 0.0 && signbit(z.imag);
    if (real && imag) {
        return PyTuple_Pack(3, Py_TYPE(op), op, Py_True);
    }
    if (imag) {
        return PyTuple_Pack(3, Py_TYPE(op), op, Py_False);
    }
    if (real) {
        return PyTuple_Pack(3, Py_TYPE(op), op, Py_None);
    }
    return PyTuple_Pack(2, Py_TYPE(op), op);
}

static PyObject *
tuple_key(PyObject *op)
{
    Py_ssize_t n = PyTuple_GET_SIZE(op);
    PyObject *keys = PyTuple_New(n);
    for (Py_ssize_t i = 0; keys != NULL && i < n; i++) {
        PyObject *key = _PyCode_ConstantKey(PyTuple_GET_ITEM(op, i));
        if (key == NULL) {
            Py_CLEAR(keys);
            break;
        }
        PyTuple_SET_ITEM(keys, i, key);
    }
    if (keys == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, keys, op);
    Py_DECREF(keys);
    return result;
}

static PyObject *
frozenset_key(PyObject *op)
{
    PyObject *items = PySequence_Tuple(op);
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        PyObject *key = _PyCode_ConstantKey(item);
        if (key == NULL) {
            Py_DECREF(items);
            return NULL;
        }
        PyTuple_SET_ITEM(items, i, key);
        Py_DECREF(item);
    }
    PyObject *set = PyFrozenSet_New(items);
    Py_DECREF(items);
    if (set == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, set, op);
    Py_DECREF(set);
    return result;
}

PyObject *
_PyCode_ConstantKey(PyObject *op)
{
    if (op == Py_None || op == Py_Ellipsis || PyLong_CheckExact(op) ||
        PyUnicode_CheckExact(op) || PyCode_Check(op)) {
        return Py_NewRef(op);
    }
    if (PyBool_Check(op) || PyBytes_CheckExact(op)) {
        return PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyFloat_CheckExact(op)) {
        return float_key(op);
    }
    if (PyComplex_CheckExact(op)) {
        return complex_key(op);
    }
    if (PyTuple_CheckExact(op)) {
        return tuple_key(op);
    }
    if (PyFrozenSet_CheckExact(op)) {
        return frozenset_key(op);
    }
    /* Anything else is merged by identity; the address makes the key unique
     * and the tuple keeps the object alive. */
    PyObject *address = PyLong_FromVoidPtr(op);
    if (address == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, address, op);
    Py_DECREF(address);
    return result;
}
