/* The type `object`: what every object can do.
 *
 * object.__new__ and object.__init__ take no arguments, but each forgives
 * them if the other one is overridden and may want them. */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type/attrs.h"
#include "objects/type/type.h"

#include <structmember.h>

/* ---- making ------------------------------------------------------------- */

static inline bool
excess_args(PyObject *args, PyObject *kwds)
{
    return PyTuple_GET_SIZE(args)
           || (kwds != NULL && PyDict_Check(kwds) && PyDict_GET_SIZE(kwds));
}

int
kr_object_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = Py_TYPE(self);
    if (KR_LIKELY(!excess_args(args, kwds))) {
        return 0;
    }
    if (type->tp_init != kr_object_init) {
        PyErr_SetString(PyExc_TypeError,
                        "object.__init__() takes exactly one argument (the "
                        "instance to initialize)");
        return -1;
    }
    if (type->tp_new == kr_object_new) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s.__init__() takes exactly one argument (the "
                     "instance to initialize)",
                     type->tp_name);
        return -1;
    }
    return 0;
}

static KR_COLD void
abstract_error(PyTypeObject *type)
{
    PyObject *names =
        PyObject_GetAttr((PyObject *)type, KR_ID(__abstractmethods__));
    if (names == NULL) {
        return;
    }
    PyObject *sorted = PySequence_List(names);
    Py_DECREF(names);
    if (sorted == NULL) {
        return;
    }
    PyObject *comma = NULL, *joined = NULL;
    if (PyList_Sort(sorted) == 0
        && (comma = PyUnicode_FromString(", ")) != NULL
        && (joined = PyUnicode_Join(comma, sorted)) != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Can't instantiate abstract class %s with abstract "
                     "method%s %U",
                     type->tp_name, PyList_GET_SIZE(sorted) > 1 ? "s" : "",
                     joined);
    }
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_DECREF(sorted);
}

PyObject *
kr_object_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (KR_UNLIKELY(excess_args(args, kwds))) {
        if (type->tp_new != kr_object_new) {
            PyErr_SetString(PyExc_TypeError,
                            "object.__new__() takes exactly one argument "
                            "(the type to instantiate)");
            return NULL;
        }
        if (type->tp_init == kr_object_init) {
            PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments",
                         type->tp_name);
            return NULL;
        }
    }
    if (KR_UNLIKELY(type->tp_flags & Py_TPFLAGS_IS_ABSTRACT)) {
        abstract_error(type);
        return NULL;
    }
    return type->tp_alloc(type, 0);
}

static void
object_dealloc(PyObject *self)
{
    Py_TYPE(self)->tp_free(self);
}

/* ---- text and comparison ------------------------------------------------ */

static PyObject *
object_repr(PyObject *self)
{
    PyObject *name = kr_type_full_name(Py_TYPE(self)), *res = NULL;
    if (name != NULL) {
        res = PyUnicode_FromFormat("<%U object at %p>", name, self);
        Py_DECREF(name);
    }
    return res;
}

static PyObject *
object_str(PyObject *self)
{
    reprfunc f = Py_TYPE(self)->tp_repr;
    return f == NULL ? object_repr(self) : f(self);
}

static PyObject *
object_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *res;
    switch (op) {
    case Py_EQ:
        /* NotImplemented, not False: the other side may know better. */
        res = self == other ? Py_True : Py_NotImplemented;
        return Py_NewRef(res);
    case Py_NE:
        /* The inverse of whatever __eq__ says. */
        if (Py_TYPE(self)->tp_richcompare == NULL) {
            break;
        }
        res = Py_TYPE(self)->tp_richcompare(self, other, Py_EQ);
        if (res != NULL && res != Py_NotImplemented) {
            int ok = PyObject_IsTrue(res);
            Py_DECREF(res);
            return ok < 0 ? NULL : PyBool_FromLong(!ok);
        }
        return res;
    default:
        break;
    }
    Py_RETURN_NOTIMPLEMENTED;
}

/* ---- __class__ ---------------------------------------------------------- */

static PyObject *
get_class(PyObject *self, void *context)
{
    return Py_NewRef((PyObject *)Py_TYPE(self));
}

static int
set_class(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *from = Py_TYPE(self);
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete __class__ attribute");
        return -1;
    }
    if (!PyType_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "__class__ must be set to a class, not '%s' object",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    PyTypeObject *to = (PyTypeObject *)value;
    if (PySys_Audit("object.__setattr__", "OsO", self, "__class__", value)
        < 0) {
        return -1;
    }
    /* Instances of immutable types may be shared or preallocated; modules are
     * let through so that they can have properties. */
    if (!(PyType_IsSubtype(to, &PyModule_Type)
          && PyType_IsSubtype(from, &PyModule_Type))
        && ((to->tp_flags | from->tp_flags) & Py_TPFLAGS_IMMUTABLETYPE)) {
        PyErr_Format(PyExc_TypeError,
                     "__class__ assignment only supported for mutable types "
                     "or ModuleType subclasses");
        return -1;
    }
    if (!kr_compatible_for_assignment(from, to, "__class__")) {
        return -1;
    }
    /* Inline values are laid out by the old class's shape. */
    if (kr_has_shape(from) && kr_instance_detach(self) < 0) {
        return -1;
    }
    if (to->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_INCREF(to);
    }
    Py_SET_TYPE(self, to);
    if (from->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_DECREF(from);
    }
    return 0;
}

static PyGetSetDef object_getsets[] = {
    {"__class__", get_class, set_class, PyDoc_STR("the object's class")},
    {NULL},
};

/* ---- methods ------------------------------------------------------------ */

static PyObject *
object_reduce_ex(PyObject *self, PyObject *protocol)
{
    return kr_object_reduce_ex(self, protocol);
}

static PyObject *
object_subclasshook(PyObject *cls, PyObject *args)
{
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
object_init_subclass(PyObject *cls, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyObject *
object_format(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    /* A specification would be lost on a mere text. */
    if (PyUnicode_GET_LENGTH(spec) > 0) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported format string passed to %.200s.__format__",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    return PyObject_Str(self);
}

static PyObject *
object_sizeof(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t size = type->tp_basicsize;
    if (type->tp_itemsize > 0) {
        Py_ssize_t n = Py_SIZE(self);
        size += (n < 0 ? -n : n) * type->tp_itemsize;
    }
    return PyLong_FromSsize_t(size);
}

static PyObject *
object_dir(PyObject *self, PyObject *unused)
{
    PyObject *names = NULL, *own, *cls = NULL;
    if (_PyObject_LookupAttr(self, KR_ID(__dict__), &own) < 0) {
        return NULL;
    }
    if (own != NULL && PyDict_Check(own)) {
        names = PyDict_Copy(own);
    }
    else {
        names = PyDict_New();
    }
    Py_XDECREF(own);
    if (names == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    if (_PyObject_LookupAttr(self, KR_ID(__class__), &cls) < 0) {
        goto done;
    }
    if (cls != NULL) {
        PyObject *more = kr_class_dir(cls);
        if (more == NULL) {
            goto done;
        }
        int r = PyDict_Merge(names, more, 0);
        Py_DECREF(more);
        if (r < 0) {
            goto done;
        }
    }
    res = PyDict_Keys(names);
done:
    Py_XDECREF(cls);
    Py_DECREF(names);
    return res;
}

static PyMethodDef object_methods[] = {
    {"__reduce_ex__", object_reduce_ex, METH_O,
     PyDoc_STR("__reduce_ex__($self, protocol, /)\n--\n\n"
               "Helper for pickle.")},
    {"__reduce__", kr_object_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nHelper for pickle.")},
    {"__getstate__", kr_object_getstate, METH_NOARGS,
     PyDoc_STR("__getstate__($self, /)\n--\n\nHelper for pickle.")},
    {"__subclasshook__", object_subclasshook, METH_CLASS | METH_VARARGS,
     PyDoc_STR("Lets an abstract class say what its subclasses are.\n")},
    {"__init_subclass__", object_init_subclass, METH_CLASS | METH_NOARGS,
     PyDoc_STR("Called when a class is subclassed.\n")},
    {"__format__", object_format, METH_O,
     PyDoc_STR("__format__($self, format_spec, /)\n--\n\n"
               "Default formatter of objects.")},
    {"__sizeof__", object_sizeof, METH_NOARGS,
     PyDoc_STR("__sizeof__($self, /)\n--\n\n"
               "Size of the object in memory, in bytes.")},
    {"__dir__", object_dir, METH_NOARGS,
     PyDoc_STR("__dir__($self, /)\n--\n\nDefault dir() implementation.")},
    {NULL},
};

PyTypeObject PyBaseObject_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "object",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = object_dealloc,
    .tp_repr = object_repr,
    .tp_hash = (hashfunc)_Py_HashPointer,
    .tp_str = object_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("object()\n--\n\n"
                        "The base class of all classes.\n\n"
                        "A plain instance has no attributes of its own.\n"),
    .tp_richcompare = object_richcompare,
    .tp_methods = object_methods,
    .tp_getset = object_getsets,
    .tp_init = kr_object_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = kr_object_new,
    .tp_free = PyObject_Free,
};
