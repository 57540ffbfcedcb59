/* The type `type`: calling, attributes, its own methods and life.
 *
 * Guarantees: immutable types stay as they are; a change of a class reaches
 * version tags, slots and subclasses before anybody can look again. */
#include "base/common.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/genericalias.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type/attrs.h"
#include "objects/type/type.h"

#include <structmember.h>

/* ---- calling a type ----------------------------------------------------- */

static PyObject *
type_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type == &PyType_Type) {
        Py_ssize_t n = PyTuple_GET_SIZE(args);
        if (n == 1 && (kwds == NULL || PyDict_GET_SIZE(kwds) == 0)) {
            return Py_NewRef((PyObject *)Py_TYPE(PyTuple_GET_ITEM(args, 0)));
        }
        if (n != 3) {
            PyErr_SetString(PyExc_TypeError,
                            "type() takes 1 or 3 arguments");
            return NULL;
        }
    }
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot create '%s' instances",
                     type->tp_name);
        return NULL;
    }
    PyObject *obj = type->tp_new(type, args, kwds);
    if (KR_UNLIKELY(obj == NULL)) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError,
                         "%s.__new__() returned NULL without setting an "
                         "exception",
                         type->tp_name);
        }
        return NULL;
    }
    if (!PyObject_TypeCheck(obj, type)) {
        return obj; /* not ours to initialise */
    }
    initproc init = Py_TYPE(obj)->tp_init;
    if (init != NULL && init(obj, args, kwds) < 0) {
        Py_DECREF(obj);
        return NULL;
    }
    return obj;
}

/* type(x) without making a tuple. */
static PyObject *
type_vectorcall(PyObject *metatype, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs == 1 && metatype == (PyObject *)&PyType_Type) {
        if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
            PyErr_SetString(PyExc_TypeError,
                            "type() takes no keyword arguments");
            return NULL;
        }
        return Py_NewRef((PyObject *)Py_TYPE(args[0]));
    }
    return _PyObject_MakeTpCall(kr_tstate(), metatype, args, nargs,
                                kwnames);
}

static int
type_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (kwds != NULL && PyTuple_GET_SIZE(args) == 1
        && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError,
                        "type.__init__() takes no keyword arguments");
        return -1;
    }
    if (PyTuple_GET_SIZE(args) != 1 && PyTuple_GET_SIZE(args) != 3) {
        PyErr_SetString(PyExc_TypeError,
                        "type.__init__() takes 1 or 3 arguments");
        return -1;
    }
    return 0;
}

/* ---- assigning attributes ----------------------------------------------- */

static bool
is_dunder(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (n < 5 || PyUnicode_KIND(name) != PyUnicode_1BYTE_KIND) {
        return false;
    }
    const Py_UCS1 *s = PyUnicode_1BYTE_DATA(name);
    return s[0] == '_' && s[1] == '_' && s[n - 1] == '_' && s[n - 2] == '_';
}

static KR_COLD int
immutable_error(PyTypeObject *type, PyObject *name)
{
    PyErr_Format(PyExc_TypeError,
                 "cannot set %R attribute of immutable type '%s'", name,
                 type->tp_name);
    return -1;
}

static int
type_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        return immutable_error(type, name);
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError,
                     "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return -1;
    }
    if (PyUnicode_CheckExact(name)) {
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
    }
    else {
        /* The dicts of types hold exact strings only: caches compare them
         * by address. */
        name = PyUnicode_FromObject(name);
        if (name == NULL) {
            return -1;
        }
        PyUnicode_InternInPlace(&name);
    }
    int res = _PyObject_GenericSetAttrWithDict(self, name, value, NULL);
    if (res == 0) {
        /* The version goes before anybody can run: values that died in the
         * assignment may have been cached. */
        PyType_Modified(type);
        if (is_dunder(name)) {
            res = kr_type_update_slot(type, name);
        }
    }
    Py_DECREF(name);
    return res;
}

/* ---- life --------------------------------------------------------------- */

static void
type_dealloc(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyHeapTypeObject *et = (PyHeapTypeObject *)type;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        self->ob_refcnt = KR_IMMORTAL_REFCNT; /* static: nothing to free */
        return;
    }
    PyObject *et_, *ev, *tb;
    PyErr_Fetch(&et_, &ev, &tb);
    kr_gc_untrack(self);
    PyType_Modified(type);
    kr_type_remove_subclasses(type, type->tp_bases);
    PyErr_Restore(et_, ev, tb);
    PyObject_ClearWeakRefs(self);
    Py_XDECREF(type->tp_base);
    Py_XDECREF(type->tp_dict);
    Py_XDECREF(type->tp_bases);
    Py_XDECREF(type->tp_mro);
    Py_XDECREF(type->tp_cache);
    Py_XDECREF(type->tp_subclasses);
    PyObject_Free((char *)type->tp_doc);
    Py_XDECREF(et->ht_name);
    Py_XDECREF(et->ht_qualname);
    Py_XDECREF(et->ht_slots);
    kr_shape_free(type);
    Py_XDECREF(et->ht_module);
    PyMem_Free(et->_ht_tpname);
    Py_TYPE(type)->tp_free(self);
}

static int
type_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return 0;
    }
    Py_VISIT(type->tp_dict);
    Py_VISIT(type->tp_cache);
    Py_VISIT(type->tp_mro);
    Py_VISIT(type->tp_bases);
    Py_VISIT(type->tp_base);
    Py_VISIT(((PyHeapTypeObject *)type)->ht_module);
    /* tp_subclasses holds weak references, the rest holds strings. */
    return 0;
}

static int
type_clear(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return 0;
    }
    /* The tuple of bases and tp_base can only be in a cycle through the dict
     * or the MRO, and tp_base is needed by subtype_traverse until the end. */
    PyType_Modified(type);
    if (type->tp_dict != NULL) {
        PyDict_Clear(type->tp_dict);
    }
    Py_CLEAR(((PyHeapTypeObject *)type)->ht_module);
    Py_CLEAR(type->tp_mro);
    return 0;
}

static int
type_is_gc(PyObject *self)
{
    return (((PyTypeObject *)self)->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
}

/* ---- repr, methods ------------------------------------------------------ */

static PyObject *
type_repr(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_name == NULL) {
        return PyUnicode_FromFormat("<class at %p>", type);
    }
    PyObject *name = kr_type_full_name(type), *res = NULL;
    if (name != NULL) {
        res = PyUnicode_FromFormat("<class '%U'>", name);
        Py_DECREF(name);
    }
    return res;
}

static PyObject *
type_subclasses(PyObject *self, PyObject *unused)
{
    return kr_type_subclasses((PyTypeObject *)self);
}

static PyObject *
type_instancecheck(PyObject *self, PyObject *instance)
{
    int r = _PyObject_RealIsInstance(instance, self);
    return r < 0 ? NULL : PyBool_FromLong(r);
}

static PyObject *
type_subclasscheck(PyObject *self, PyObject *subclass)
{
    int r = _PyObject_RealIsSubclass(subclass, self);
    return r < 0 ? NULL : PyBool_FromLong(r);
}

static PyObject *
type_prepare(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    return PyDict_New();
}

/* Adds the names of a class and of all its bases. */
static int
merge_class_dict(PyObject *dict, PyObject *cls)
{
    PyObject *own;
    if (_PyObject_LookupAttr(cls, KR_ID(__dict__), &own) < 0) {
        return -1;
    }
    if (own != NULL) {
        int r = PyDict_Update(dict, own);
        Py_DECREF(own);
        if (r < 0) {
            return -1;
        }
    }
    PyObject *bases;
    if (_PyObject_LookupAttr(cls, KR_ID(__bases__), &bases) < 0) {
        return -1;
    }
    if (bases == NULL) {
        return 0;
    }
    Py_ssize_t n = PySequence_Size(bases);
    int res = n < 0 ? -1 : 0;
    for (Py_ssize_t i = 0; res == 0 && i < n; i++) {
        PyObject *base = PySequence_GetItem(bases, i);
        if (base == NULL) {
            res = -1;
            break;
        }
        if (Py_EnterRecursiveCall(" in dir()")) {
            res = -1;
        }
        else {
            res = merge_class_dict(dict, base);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(base);
    }
    Py_DECREF(bases);
    return res;
}

PyObject *
kr_class_dir(PyObject *cls)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && merge_class_dict(dict, cls) < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *
type_dir(PyObject *self, PyObject *unused)
{
    PyObject *dict = kr_class_dir(self);
    if (dict == NULL) {
        return NULL;
    }
    PyObject *res = PyDict_Keys(dict);
    Py_DECREF(dict);
    return res;
}

static PyObject *
type_sizeof(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = (PyTypeObject *)self;
    size_t size = sizeof(PyTypeObject);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        size = (size_t)_PyObject_VAR_SIZE(Py_TYPE(type), Py_SIZE(type) + 1);
        if (kr_type_shape(type) != NULL) {
            size += sizeof(struct kr_shape);
        }
    }
    return PyLong_FromSize_t(size);
}

static PyMethodDef type_methods[] = {
    {"mro", kr_type_mro_method, METH_NOARGS,
     PyDoc_STR("mro($self, /)\n--\n\n"
               "The order in which classes are searched for a name.")},
    {"__subclasses__", type_subclasses, METH_NOARGS,
     PyDoc_STR("__subclasses__($self, /)\n--\n\n"
               "List of the direct subclasses.")},
    {"__prepare__", (PyCFunction)(void *)type_prepare,
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     PyDoc_STR("__prepare__() -> dict\n\n"
               "Gives the namespace for the body of a class statement.")},
    {"__instancecheck__", type_instancecheck, METH_O,
     PyDoc_STR("__instancecheck__($self, instance, /)\n--\n\n"
               "Whether an object is an instance.")},
    {"__subclasscheck__", type_subclasscheck, METH_O,
     PyDoc_STR("__subclasscheck__($self, subclass, /)\n--\n\n"
               "Whether a class is a subclass.")},
    {"__dir__", type_dir, METH_NOARGS,
     PyDoc_STR("__dir__($self, /)\n--\n\nNames of the class and its bases.")},
    {"__sizeof__", type_sizeof, METH_NOARGS,
     PyDoc_STR("__sizeof__($self, /)\n--\n\nSize of the type in memory.")},
    {NULL},
};

static PyMemberDef type_members[] = {
    {"__basicsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_basicsize),
     READONLY},
    {"__itemsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_itemsize),
     READONLY},
    {"__flags__", T_ULONG, offsetof(PyTypeObject, tp_flags), READONLY},
    {"__weakrefoffset__", T_PYSSIZET,
     offsetof(PyTypeObject, tp_weaklistoffset), READONLY},
    {"__base__", T_OBJECT, offsetof(PyTypeObject, tp_base), READONLY},
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_dictoffset),
     READONLY},
    {"__mro__", T_OBJECT, offsetof(PyTypeObject, tp_mro), READONLY},
    {NULL},
};

static PyNumberMethods type_as_number = {.nb_or = kr_union_or};

PyTypeObject PyType_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "type",
    .tp_basicsize = sizeof(PyHeapTypeObject),
    .tp_itemsize = sizeof(PyMemberDef),
    .tp_dealloc = type_dealloc,
    .tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall),
    .tp_repr = type_repr,
    .tp_as_number = &type_as_number,
    .tp_call = type_call,
    .tp_getattro = kr_type_getattro,
    .tp_setattro = type_setattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_TYPE_SUBCLASS | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = PyDoc_STR("type(object) -> the object's type\n"
                        "type(name, bases, dict, **kwds) -> a new type"),
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_weaklistoffset = offsetof(PyTypeObject, tp_weaklist),
    .tp_methods = type_methods,
    .tp_members = type_members,
    .tp_getset = kr_type_getsets,
    .tp_dictoffset = offsetof(PyTypeObject, tp_dict),
    .tp_init = type_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = kr_type_new,
    .tp_free = PyObject_GC_Del,
    .tp_is_gc = type_is_gc,
    .tp_vectorcall = type_vectorcall,
};
