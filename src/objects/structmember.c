/* Fields of C structs as attributes: PyMember_GetOne and PyMember_SetOne. */
#include <Python.h>
#include <structmember.h>
#include <limits.h>

PyObject *
PyMember_GetOne(const char *obj, PyMemberDef *l)
{
    if (l->flags & PY_AUDIT_READ) {
        if (PySys_Audit("object.__getattr__", "Os", obj, l->name) < 0) {
            return NULL;
        }
    }
    const char *addr = obj + l->offset;
    switch (l->type) {
    case T_BOOL: return PyBool_FromLong(*(const char *)addr);
    case T_BYTE: return PyLong_FromLong(*(const signed char *)addr);
    case T_UBYTE: return PyLong_FromLong(*(const unsigned char *)addr);
    case T_SHORT: return PyLong_FromLong(*(const short *)addr);
    case T_USHORT: return PyLong_FromLong(*(const unsigned short *)addr);
    case T_INT: return PyLong_FromLong(*(const int *)addr);
    case T_UINT: return PyLong_FromUnsignedLong(*(const unsigned int *)addr);
    case T_LONG: return PyLong_FromLong(*(const long *)addr);
    case T_ULONG: return PyLong_FromUnsignedLong(*(const unsigned long *)addr);
    case T_PYSSIZET: return PyLong_FromSsize_t(*(const Py_ssize_t *)addr);
    case T_LONGLONG: return PyLong_FromLongLong(*(const long long *)addr);
    case T_ULONGLONG:
        return PyLong_FromUnsignedLongLong(*(const unsigned long long *)addr);
    case T_FLOAT: return PyFloat_FromDouble((double)*(const float *)addr);
    case T_DOUBLE: return PyFloat_FromDouble(*(const double *)addr);
    case T_STRING: {
        const char *text = *(char *const *)addr;
        return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
    }
    case T_STRING_INPLACE: return PyUnicode_FromString(addr);
    case T_CHAR: return PyUnicode_FromStringAndSize(addr, 1);
    case T_NONE: return Py_NewRef(Py_None);
    case T_OBJECT: {
        PyObject *v = *(PyObject *const *)addr;
        return Py_NewRef(v != NULL ? v : Py_None);
    }
    case T_OBJECT_EX: {
        PyObject *v = *(PyObject *const *)addr;
        if (v == NULL) {
            PyErr_Format(PyExc_AttributeError,
                         "'%.200s' object has no attribute '%s'",
                         Py_TYPE(obj)->tp_name, l->name);
            return NULL;
        }
        return Py_NewRef(v);
    }
    default:
        PyErr_SetString(PyExc_SystemError, "bad memberdescr type");
        return NULL;
    }
}

/* A long within low..high; anything else is cut with a RuntimeWarning. */
static int
truncated_long(PyObject *v, long low, long high, const char *what, long *out)
{
    long value = PyLong_AsLong(v);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    *out = value;
    if (value < low || value > high) {
        return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                                "Truncation of value to %s", what);
    }
    return 0;
}

static int
set_small(char *addr, PyObject *v, int type)
{
    static const struct {
        int type;
        long low, high;
        const char *what;
    } kinds[] = {
        {T_BYTE, CHAR_MIN, CHAR_MAX, "char"},
        {T_UBYTE, 0, UCHAR_MAX, "unsigned char"},
        {T_SHORT, SHRT_MIN, SHRT_MAX, "short"},
        {T_USHORT, 0, USHRT_MAX, "unsigned short"},
        {T_INT, INT_MIN, INT_MAX, "int"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].type != type) {
            continue;
        }
        long value;
        if (truncated_long(v, kinds[i].low, kinds[i].high, kinds[i].what,
                           &value) < 0) {
            return -1;
        }
        if (type == T_BYTE || type == T_UBYTE) {
            *addr = (char)value;
        }
        else if (type == T_INT) {
            *(int *)addr = (int)value;
        }
        else {
            *(short *)addr = (short)value;
        }
        return 0;
    }
    return -1;
}

/* Unsigned fields also take what fits the signed type, with a warning. */
static int
set_unsigned(char *addr, PyObject *v, int type)
{
    unsigned long value = PyLong_AsUnsignedLong(v);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        value = (unsigned long)PyLong_AsLong(v);
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            return -1;
        }
        if (PyErr_WarnEx(PyExc_RuntimeWarning,
                         "Writing negative value into unsigned field", 1) <
            0) {
            return -1;
        }
    }
    if (type == T_ULONG) {
        *(unsigned long *)addr = value;
        return 0;
    }
    *(unsigned int *)addr = (unsigned int)value;
    if (value > UINT_MAX) {
        return PyErr_WarnEx(PyExc_RuntimeWarning,
                            "Truncation of value to unsigned int", 1);
    }
    return 0;
}

static int
set_wide(char *addr, PyObject *v, int type)
{
    switch (type) {
    case T_LONG:
        *(long *)addr = PyLong_AsLong(v);
        break;
    case T_PYSSIZET:
        *(Py_ssize_t *)addr = PyLong_AsSsize_t(v);
        break;
    case T_LONGLONG:
        *(long long *)addr = PyLong_AsLongLong(v);
        break;
    case T_ULONGLONG:
        if (PyLong_Check(v)) {
            *(unsigned long long *)addr = PyLong_AsUnsignedLongLong(v);
        }
        else {
            *(unsigned long long *)addr =
                (unsigned long long)PyLong_AsLong(v);
        }
        break;
    case T_FLOAT:
        *(float *)addr = (float)PyFloat_AsDouble(v);
        break;
    default:
        *(double *)addr = PyFloat_AsDouble(v);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
set_object(char *addr, PyObject *v)
{
    PyObject *old = *(PyObject **)addr;
    *(PyObject **)addr = Py_XNewRef(v);
    Py_XDECREF(old);
    return 0;
}

static int
delete_member(char *addr, PyMemberDef *l)
{
    if (l->type == T_OBJECT_EX) {
        if (*(PyObject **)addr == NULL) {
            PyErr_SetString(PyExc_AttributeError, l->name);
            return -1;
        }
    }
    else if (l->type != T_OBJECT) {
        PyErr_SetString(PyExc_TypeError,
                        "can't delete numeric/char attribute");
        return -1;
    }
    return set_object(addr, NULL);
}

int
PyMember_SetOne(char *obj, PyMemberDef *l, PyObject *v)
{
    if (l->flags & READONLY) {
        PyErr_SetString(PyExc_AttributeError, "readonly attribute");
        return -1;
    }
    char *addr = obj + l->offset;
    if (v == NULL) {
        return delete_member(addr, l);
    }
    switch (l->type) {
    case T_BOOL:
        if (!PyBool_Check(v)) {
            PyErr_SetString(PyExc_TypeError,
                            "attribute value type must be bool");
            return -1;
        }
        *addr = v == Py_True;
        return 0;
    case T_BYTE: case T_UBYTE: case T_SHORT: case T_USHORT: case T_INT:
        return set_small(addr, v, l->type);
    case T_UINT: case T_ULONG:
        return set_unsigned(addr, v, l->type);
    case T_LONG: case T_PYSSIZET: case T_LONGLONG: case T_ULONGLONG:
    case T_FLOAT: case T_DOUBLE:
        return set_wide(addr, v, l->type);
    case T_OBJECT: case T_OBJECT_EX:
        return set_object(addr, v);
    case T_CHAR: {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(v, &len);
        if (text == NULL || len != 1) {
            PyErr_BadArgument();
            return -1;
        }
        *addr = text[0];
        return 0;
    }
    case T_STRING: case T_STRING_INPLACE:
        PyErr_SetString(PyExc_TypeError, "readonly attribute");
        return -1;
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s",
                     l->name);
        return -1;
    }
}
