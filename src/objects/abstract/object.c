/* The object protocol: size, subscription, formatting. */
#include "objects/abstract/abstract.h"

KR_COLD PyObject *
kr_type_error(const char *format, PyObject *o)
{
    PyErr_Format(PyExc_TypeError, format, Py_TYPE(o)->tp_name);
    return NULL;
}

KR_COLD PyObject *
kr_null_error(void)
{
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError,
                        "null argument to internal routine");
    }
    return NULL;
}

PyObject *
PyObject_Type(PyObject *o)
{
    if (o == NULL) {
        return kr_null_error();
    }
    return Py_NewRef(Py_TYPE(o));
}

Py_ssize_t
PyObject_Size(PyObject *o)
{
    if (o == NULL) {
        kr_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(o)->tp_as_sequence;
    if (m && m->sq_length) {
        return m->sq_length(o);
    }
    return PyMapping_Size(o);
}

#undef PyObject_Length
Py_ssize_t
PyObject_Length(PyObject *o)
{
    return PyObject_Size(o);
}

int
_PyObject_HasLen(PyObject *o)
{
    PyTypeObject *tp = Py_TYPE(o);
    return (tp->tp_as_sequence && tp->tp_as_sequence->sq_length) ||
           (tp->tp_as_mapping && tp->tp_as_mapping->mp_length);
}

Py_ssize_t
PyObject_LengthHint(PyObject *o, Py_ssize_t defaultvalue)
{
    if (_PyObject_HasLen(o)) {
        Py_ssize_t size = PyObject_Size(o);
        if (size >= 0) {
            return size;
        }
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    PyObject *hint = kr_lookup_special(o, KR_ID(__length_hint__));
    if (hint == NULL) {
        return PyErr_Occurred() ? -1 : defaultvalue;
    }
    PyObject *result = PyObject_CallNoArgs(hint);
    Py_DECREF(hint);
    if (result == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            return defaultvalue;
        }
        return -1;
    }
    if (result == Py_NotImplemented) {
        Py_DECREF(result);
        return defaultvalue;
    }
    if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "__length_hint__ must be an integer, not %.100s",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    Py_ssize_t m = PyLong_AsSsize_t(result);
    Py_DECREF(result);
    if (m < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError,
                            "__length_hint__() should return >= 0");
        }
        return -1;
    }
    return m;
}

/* type[key]: builds a generic alias or asks __class_getitem__. */
static PyObject *
type_subscript(PyObject *o, PyObject *key)
{
    if (o == (PyObject *)&PyType_Type) {
        return Py_GenericAlias(o, key);
    }
    PyObject *meth;
    if (_PyObject_LookupAttr(o, KR_ID(__class_getitem__), &meth) < 0) {
        return NULL;
    }
    if (meth && meth != Py_None) {
        PyObject *result = PyObject_CallOneArg(meth, key);
        Py_DECREF(meth);
        return result;
    }
    Py_XDECREF(meth);
    PyErr_Format(PyExc_TypeError, "type '%.200s' is not subscriptable",
                 ((PyTypeObject *)o)->tp_name);
    return NULL;
}

PyObject *
PyObject_GetItem(PyObject *o, PyObject *key)
{
    if (o == NULL || key == NULL) {
        return kr_null_error();
    }
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (m && m->mp_subscript) {
        return m->mp_subscript(o, key);
    }
    PySequenceMethods *ms = Py_TYPE(o)->tp_as_sequence;
    if (ms && ms->sq_item) {
        if (!kr_index_check(key)) {
            return kr_type_error("sequence index must be integer, "
                                 "not '%.200s'",
                                 key);
        }
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return PySequence_GetItem(o, i);
    }
    if (PyType_Check(o)) {
        return type_subscript(o, key);
    }
    return kr_type_error("'%.200s' object is not subscriptable", o);
}

/* Shared by SetItem and DelItem (value NULL); `format` names what fails. */
static int
ass_item(PyObject *o, PyObject *key, PyObject *value, const char *format)
{
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (m && m->mp_ass_subscript) {
        return m->mp_ass_subscript(o, key, value);
    }
    PySequenceMethods *ms = Py_TYPE(o)->tp_as_sequence;
    if (ms && kr_index_check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return value ? PySequence_SetItem(o, i, value)
                     : PySequence_DelItem(o, i);
    }
    if (ms && ms->sq_ass_item) {
        kr_type_error("sequence index must be integer, not '%.200s'", key);
        return -1;
    }
    kr_type_error(format, o);
    return -1;
}

int
PyObject_SetItem(PyObject *o, PyObject *key, PyObject *value)
{
    if (o == NULL || key == NULL || value == NULL) {
        kr_null_error();
        return -1;
    }
    return ass_item(o, key, value,
                    "'%.200s' object does not support item assignment");
}

int
PyObject_DelItem(PyObject *o, PyObject *key)
{
    if (o == NULL || key == NULL) {
        kr_null_error();
        return -1;
    }
    return ass_item(o, key, NULL,
                    "'%.200s' object does not support item deletion");
}

int
PyObject_DelItemString(PyObject *o, const char *key)
{
    if (o == NULL || key == NULL) {
        kr_null_error();
        return -1;
    }
    PyObject *okey = PyUnicode_FromString(key);
    if (okey == NULL) {
        return -1;
    }
    int ret = PyObject_DelItem(o, okey);
    Py_DECREF(okey);
    return ret;
}

static PyObject *
format_by_method(PyObject *obj, PyObject *format_spec)
{
    PyObject *meth = kr_lookup_special(obj, KR_ID(__format__));
    if (meth == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "Type %.100s doesn't define __format__",
                         Py_TYPE(obj)->tp_name);
        }
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(meth, format_spec);
    Py_DECREF(meth);
    if (result && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__format__ must return a str, not %.200s",
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *
PyObject_Format(PyObject *obj, PyObject *format_spec)
{
    if (format_spec != NULL && !PyUnicode_Check(format_spec)) {
        PyErr_Format(PyExc_SystemError,
                     "Format specifier must be a string, not %.200s",
                     Py_TYPE(format_spec)->tp_name);
        return NULL;
    }
    if (format_spec == NULL || PyUnicode_GET_LENGTH(format_spec) == 0) {
        if (PyUnicode_CheckExact(obj)) {
            return Py_NewRef(obj);
        }
        if (PyLong_CheckExact(obj)) {
            return PyObject_Str(obj);
        }
    }
    if (format_spec != NULL) {
        return format_by_method(obj, format_spec);
    }
    PyObject *empty = PyUnicode_New(0, 0);
    if (empty == NULL) {
        return NULL;
    }
    PyObject *result = format_by_method(obj, empty);
    Py_DECREF(empty);
    return result;
}
