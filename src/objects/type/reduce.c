/* object.__reduce_ex__: how pickle and copy take an object apart.
 *
 * Protocols 0 and 1 go through copyreg._reduce_ex; from 2 on the result is
 * (copyreg.__newobj__, (cls, *args), state, items, pairs). */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type/type.h"

static PyObject *
import_copyreg(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *mod = modules == NULL ? NULL
                                    : PyDict_GetItemWithError(
                                          modules, KR_ID(copyreg));
    if (mod != NULL) {
        return Py_NewRef(mod);
    }
    return PyErr_Occurred() ? NULL : PyImport_ImportModule("copyreg");
}

/* Names of the slots of a class, cached in it by copyreg: list or None. */
static PyObject *
slotnames(PyObject *cls)
{
    PyObject *names = PyDict_GetItemWithError(((PyTypeObject *)cls)->tp_dict,
                                              KR_ID(__slotnames__));
    if (names == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        PyObject *copyreg = import_copyreg();
        if (copyreg == NULL) {
            return NULL;
        }
        names = PyObject_CallMethodOneArg(copyreg, KR_ID(_slotnames), cls);
        Py_DECREF(copyreg);
        if (names != NULL && names != Py_None && !PyList_Check(names)) {
            PyErr_SetString(PyExc_TypeError,
                            "copyreg._slotnames didn't return a list or "
                            "None");
            Py_CLEAR(names);
        }
        return names;
    }
    if (names != Py_None && !PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s.__slotnames__ should be a list or None, not "
                     "%.200s",
                     ((PyTypeObject *)cls)->tp_name,
                     Py_TYPE(names)->tp_name);
        return NULL;
    }
    return Py_NewRef(names);
}

/* ---- state -------------------------------------------------------------- */

/* An object with more in it than a dict and slots cannot be taken apart by
 * this generic code. */
static int
check_itself_complete(PyObject *obj, PyObject *names)
{
    PyTypeObject *type = Py_TYPE(obj);
    Py_ssize_t size = PyBaseObject_Type.tp_basicsize;
    if (type->tp_dictoffset != 0 && !kr_has_shape(type)) {
        size += sizeof(PyObject *);
    }
    if (type->tp_weaklistoffset != 0) {
        size += sizeof(PyObject *);
    }
    if (names != Py_None) {
        size += (Py_ssize_t)sizeof(PyObject *) * PyList_GET_SIZE(names);
    }
    if (type->tp_basicsize > size) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object",
                     type->tp_name);
        return -1;
    }
    return 0;
}

/* Values of the slots that are set, as a dict; NULL on failure. */
static PyObject *
slot_values(PyObject *obj, PyObject *names)
{
    PyObject *slots = PyDict_New();
    if (slots == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i));
        PyObject *value;
        int r = _PyObject_LookupAttr(obj, name, &value);
        if (r > 0) {
            r = PyDict_SetItem(slots, name, value);
            Py_DECREF(value);
        }
        Py_DECREF(name);
        if (r >= 0 && n != PyList_GET_SIZE(names)) {
            PyErr_Format(PyExc_RuntimeError,
                         "__slotsname__ changed size during iteration");
            r = -1;
        }
        if (r < 0) {
            Py_DECREF(slots);
            return NULL;
        }
    }
    return slots;
}

/* The instance dict if it has anything, else None. */
static PyObject *
dict_state(PyObject *obj)
{
    PyObject *state = NULL;
    if (kr_has_shape(Py_TYPE(obj))) {
        state = kr_instance_dict(obj, false);
        if (state == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    else {
        PyObject **ptr = kr_plain_dict_ptr(obj);
        state = ptr == NULL ? NULL : *ptr;
    }
    bool empty = state == NULL
                 || (PyDict_Check(state) && PyDict_GET_SIZE(state) == 0);
    return Py_NewRef(empty ? Py_None : state);
}

static PyObject *
default_state(PyObject *obj, bool required)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (required && type->tp_itemsize) {
        PyErr_Format(PyExc_TypeError, "cannot pickle %.200s objects",
                     type->tp_name);
        return NULL;
    }
    PyObject *names = slotnames((PyObject *)type);
    if (names == NULL) {
        return NULL;
    }
    PyObject *state = NULL;
    if (!required || check_itself_complete(obj, names) == 0) {
        state = dict_state(obj);
    }
    if (state != NULL && names != Py_None && PyList_GET_SIZE(names) > 0) {
        PyObject *slots = slot_values(obj, names);
        if (slots == NULL) {
            Py_CLEAR(state);
        }
        else {
            if (PyDict_GET_SIZE(slots) > 0) {
                Py_SETREF(state, PyTuple_Pack(2, state, slots));
            }
            Py_DECREF(slots);
        }
    }
    Py_DECREF(names);
    return state;
}

PyObject *
kr_object_getstate(PyObject *self, PyObject *unused)
{
    return default_state(self, false);
}

static PyObject *
get_state(PyObject *obj, bool required)
{
    PyObject *method = PyObject_GetAttr(obj, KR_ID(__getstate__));
    if (method == NULL) {
        return NULL;
    }
    PyObject *state;
    if (PyCFunction_Check(method) && PyCFunction_GET_SELF(method) == obj
        && PyCFunction_GET_FUNCTION(method) == kr_object_getstate) {
        /* The default one: `required` cannot be said through a call. */
        state = default_state(obj, required);
    }
    else {
        state = PyObject_CallNoArgs(method);
    }
    Py_DECREF(method);
    return state;
}

PyObject *
_PyObject_GetState(PyObject *obj)
{
    return get_state(obj, false);
}

/* ---- protocol 2 and up -------------------------------------------------- */

/* Arguments for __new__, from __getnewargs_ex__ or __getnewargs__; both NULL
 * if the object has neither. */
static int
new_arguments(PyObject *obj, PyObject **args, PyObject **kwargs)
{
    *args = *kwargs = NULL;
    PyObject *func =
        _PyObject_LookupSpecial(obj, KR_ID(__getnewargs_ex__));
    if (func != NULL) {
        PyObject *pair = PyObject_CallNoArgs(func);
        Py_DECREF(func);
        if (pair == NULL) {
            return -1;
        }
        const char *what = NULL;
        PyObject *culprit = pair;
        if (!PyTuple_Check(pair)) {
            PyErr_Format(PyExc_TypeError,
                         "__getnewargs_ex__ should return a tuple, not "
                         "'%.200s'",
                         Py_TYPE(pair)->tp_name);
        }
        else if (PyTuple_GET_SIZE(pair) != 2) {
            PyErr_Format(PyExc_ValueError,
                         "__getnewargs_ex__ should return a tuple of length "
                         "2, not %zd",
                         PyTuple_GET_SIZE(pair));
        }
        else if (!PyTuple_Check(culprit = PyTuple_GET_ITEM(pair, 0))) {
            what = "first item of the tuple returned by __getnewargs_ex__ "
                   "must be a tuple";
        }
        else if (!PyDict_Check(culprit = PyTuple_GET_ITEM(pair, 1))) {
            what = "second item of the tuple returned by __getnewargs_ex__ "
                   "must be a dict";
        }
        else {
            *args = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
            *kwargs = Py_NewRef(culprit);
        }
        if (what != NULL) {
            PyErr_Format(PyExc_TypeError, "%s, not '%.200s'", what,
                         Py_TYPE(culprit)->tp_name);
        }
        Py_DECREF(pair);
        return *args == NULL ? -1 : 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    func = _PyObject_LookupSpecial(obj, KR_ID(__getnewargs__));
    if (func == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *args = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (*args != NULL && !PyTuple_Check(*args)) {
        PyErr_Format(PyExc_TypeError,
                     "__getnewargs__ should return a tuple, not '%.200s'",
                     Py_TYPE(*args)->tp_name);
        Py_CLEAR(*args);
    }
    return *args == NULL ? -1 : 0;
}

/* Iterators over list items and dict items, None for other objects. */
static int
item_iterators(PyObject *obj, PyObject **list_items, PyObject **dict_items)
{
    *list_items = *dict_items = NULL;
    *list_items =
        PyList_Check(obj) ? PyObject_GetIter(obj) : Py_NewRef(Py_None);
    if (*list_items == NULL) {
        return -1;
    }
    if (!PyDict_Check(obj)) {
        *dict_items = Py_NewRef(Py_None);
        return 0;
    }
    PyObject *items = PyObject_CallMethodNoArgs(obj, KR_ID(items));
    if (items != NULL) {
        *dict_items = PyObject_GetIter(items);
        Py_DECREF(items);
    }
    if (*dict_items == NULL) {
        Py_CLEAR(*list_items);
        return -1;
    }
    return 0;
}

/* copyreg function and its arguments for `cls` with args and kwargs. */
static PyObject *
constructor(PyObject *copyreg, PyObject *cls, PyObject *args,
            PyObject *kwargs, PyObject **newargs)
{
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) {
        *newargs = PyTuple_Pack(3, cls, args, kwargs);
        return PyObject_GetAttr(copyreg, KR_ID(__newobj_ex__));
    }
    Py_ssize_t n = args == NULL ? 0 : PyTuple_GET_SIZE(args);
    *newargs = PyTuple_New(n + 1);
    if (*newargs == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(*newargs, 0, Py_NewRef(cls));
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(*newargs, i + 1,
                         Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    return PyObject_GetAttr(copyreg, KR_ID(__newobj__));
}

static PyObject *
reduce_newobj(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object",
                     type->tp_name);
        return NULL;
    }
    PyObject *args, *kwargs;
    if (new_arguments(obj, &args, &kwargs) < 0) {
        return NULL;
    }
    bool has_args = args != NULL;
    PyObject *newargs = NULL, *newobj = NULL, *state = NULL;
    PyObject *list_items = NULL, *dict_items = NULL, *res = NULL;
    PyObject *copyreg = import_copyreg();
    if (copyreg != NULL) {
        newobj = constructor(copyreg, (PyObject *)type, args, kwargs,
                             &newargs);
        Py_DECREF(copyreg);
    }
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (newobj != NULL && newargs != NULL) {
        bool required =
            !has_args && !PyList_Check(obj) && !PyDict_Check(obj);
        state = get_state(obj, required);
    }
    if (state != NULL
        && item_iterators(obj, &list_items, &dict_items) == 0) {
        res = PyTuple_Pack(5, newobj, newargs, state, list_items,
                           dict_items);
    }
    Py_XDECREF(newobj);
    Py_XDECREF(newargs);
    Py_XDECREF(state);
    Py_XDECREF(list_items);
    Py_XDECREF(dict_items);
    return res;
}

static PyObject *
reduce_by_protocol(PyObject *self, int protocol)
{
    if (protocol >= 2) {
        return reduce_newobj(self);
    }
    PyObject *copyreg = import_copyreg();
    if (copyreg == NULL) {
        return NULL;
    }
    PyObject *res =
        PyObject_CallMethod(copyreg, "_reduce_ex", "Oi", self, protocol);
    Py_DECREF(copyreg);
    return res;
}

PyObject *
kr_object_reduce(PyObject *self, PyObject *unused)
{
    return reduce_by_protocol(self, 0);
}

PyObject *
kr_object_reduce_ex(PyObject *self, PyObject *protocol)
{
    int version = _PyLong_AsInt(protocol);
    if (version == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *reduce;
    if (_PyObject_LookupAttr(self, KR_ID(__reduce__), &reduce) < 0) {
        return NULL;
    }
    if (reduce != NULL) {
        /* An own __reduce__ goes before the protocol of object. */
        PyObject *mine =
            PyObject_GetAttr((PyObject *)Py_TYPE(self), KR_ID(__reduce__));
        if (mine == NULL) {
            Py_DECREF(reduce);
            return NULL;
        }
        PyObject *plain = PyDict_GetItemWithError(PyBaseObject_Type.tp_dict,
                                                  KR_ID(__reduce__));
        bool own = mine != plain;
        Py_DECREF(mine);
        if (own) {
            PyObject *res = PyObject_CallNoArgs(reduce);
            Py_DECREF(reduce);
            return res;
        }
        Py_DECREF(reduce);
    }
    return reduce_by_protocol(self, version);
}
