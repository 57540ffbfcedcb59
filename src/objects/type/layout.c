/* Layout of instances: which base decides it, which classes may take each
 * other's instances over, where __dict__ and __weakref__ are. */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type/type.h"

/* ---- solid and best base ------------------------------------------------ */

/* Whether `type` adds more to `base` than the pointers for a dict and for
 * weak references, which every class can add. */
static bool
adds_fields(PyTypeObject *type, PyTypeObject *base)
{
    Py_ssize_t size = type->tp_basicsize;
    Py_ssize_t word = sizeof(PyObject *);
    if (type->tp_itemsize || base->tp_itemsize) {
        return size != base->tp_basicsize
               || type->tp_itemsize != base->tp_itemsize;
    }
    bool heap = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
    if (heap && type->tp_weaklistoffset && base->tp_weaklistoffset == 0
        && type->tp_weaklistoffset + word == size) {
        size -= word;
    }
    if (heap && type->tp_dictoffset > 0 && base->tp_dictoffset == 0
        && type->tp_dictoffset + word == size) {
        size -= word;
    }
    return size != base->tp_basicsize;
}

PyTypeObject *
kr_solid_base(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base != NULL ? kr_solid_base(type->tp_base)
                                               : &PyBaseObject_Type;
    return adds_fields(type, base) ? type : base;
}

PyTypeObject *
kr_best_base(PyObject *bases)
{
    PyTypeObject *base = NULL, *winner = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(o)) {
            PyErr_SetString(PyExc_TypeError, "bases must be types");
            return NULL;
        }
        PyTypeObject *b = (PyTypeObject *)o;
        if (!(b->tp_flags & Py_TPFLAGS_READY) && PyType_Ready(b) < 0) {
            return NULL;
        }
        if (!(b->tp_flags & Py_TPFLAGS_BASETYPE)) {
            PyErr_Format(PyExc_TypeError,
                         "type '%.100s' is not an acceptable base type",
                         b->tp_name);
            return NULL;
        }
        PyTypeObject *candidate = kr_solid_base(b);
        if (winner == NULL) {
            winner = candidate;
            base = b;
        }
        else if (PyType_IsSubtype(winner, candidate)) {
            continue;
        }
        else if (PyType_IsSubtype(candidate, winner)) {
            winner = candidate;
            base = b;
        }
        else {
            PyErr_SetString(PyExc_TypeError,
                            "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    return base;
}

/* ---- assignment of __class__ and __bases__ ------------------------------ */

/* Whether `child` adds nothing at all to its base. */
static bool
same_as_base(PyTypeObject *child)
{
    PyTypeObject *parent = child->tp_base;
    unsigned long flags = Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_DICT;
    return parent != NULL && child->tp_basicsize == parent->tp_basicsize
           && child->tp_itemsize == parent->tp_itemsize
           && child->tp_dictoffset == parent->tp_dictoffset
           && child->tp_weaklistoffset == parent->tp_weaklistoffset
           && (child->tp_flags & flags) == (parent->tp_flags & flags)
           && (child->tp_clear == kr_subtype_clear
               || !PyType_IS_GC(child)
               || child->tp_clear == parent->tp_clear);
}

/* Whether two children of one base add the same things in the same order. */
static bool
add_the_same(PyTypeObject *a, PyTypeObject *b)
{
    Py_ssize_t size = a->tp_base->tp_basicsize;
    Py_ssize_t word = sizeof(PyObject *);
    if ((a->tp_flags ^ b->tp_flags) & Py_TPFLAGS_MANAGED_DICT) {
        return false;
    }
    if (a->tp_dictoffset == size && b->tp_dictoffset == size) {
        size += word;
    }
    if (a->tp_weaklistoffset == size && b->tp_weaklistoffset == size) {
        size += word;
    }
    if (!(a->tp_flags & b->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return false;
    }
    PyObject *slots_a = ((PyHeapTypeObject *)a)->ht_slots;
    PyObject *slots_b = ((PyHeapTypeObject *)b)->ht_slots;
    if (slots_a != NULL && slots_b != NULL) {
        if (PyObject_RichCompareBool(slots_a, slots_b, Py_EQ) != 1) {
            PyErr_Clear();
            return false;
        }
        size += word * PyTuple_GET_SIZE(slots_a);
    }
    return size == a->tp_basicsize && size == b->tp_basicsize;
}

bool
kr_compatible_for_assignment(PyTypeObject *from, PyTypeObject *to,
                             const char *attr)
{
    if (to->tp_free != from->tp_free) {
        PyErr_Format(PyExc_TypeError,
                     "%s assignment: '%s' deallocator differs from '%s'",
                     attr, to->tp_name, from->tp_name);
        return false;
    }
    PyTypeObject *a = to, *b = from;
    while (same_as_base(a)) {
        a = a->tp_base;
    }
    while (same_as_base(b)) {
        b = b->tp_base;
    }
    if (a != b && (a->tp_base != b->tp_base || a->tp_base == NULL
                   || !add_the_same(a, b))) {
        PyErr_Format(PyExc_TypeError,
                     "%s assignment: '%s' object layout differs from '%s'",
                     attr, to->tp_name, from->tp_name);
        return false;
    }
    return true;
}

/* ---- __dict__ and __weakref__ of instances ------------------------------ */

/* A static base that keeps a dict of its own, and knows how to give it. */
static PyTypeObject *
base_with_dict(PyTypeObject *type)
{
    for (; type->tp_base != NULL; type = type->tp_base) {
        if (type->tp_dictoffset != 0
            && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            return type;
        }
    }
    return NULL;
}

/* Its __dict__ descriptor, borrowed; NULL if it has no data descriptor. */
static PyObject *
dict_descriptor(PyTypeObject *type)
{
    PyObject *descr = _PyType_Lookup(type, KR_ID(__dict__));
    return descr != NULL && PyDescr_IsData(descr) ? descr : NULL;
}

static KR_COLD void
no_dict_descriptor(PyObject *obj)
{
    PyErr_Format(PyExc_TypeError,
                 "this __dict__ descriptor does not support '%.200s' objects",
                 Py_TYPE(obj)->tp_name);
}

static PyObject *
get_dict(PyObject *obj, void *context)
{
    PyTypeObject *base = base_with_dict(Py_TYPE(obj));
    if (base == NULL) {
        return PyObject_GenericGetDict(obj, context);
    }
    PyObject *descr = dict_descriptor(base);
    if (descr == NULL || Py_TYPE(descr)->tp_descr_get == NULL) {
        no_dict_descriptor(obj);
        return NULL;
    }
    Py_INCREF(descr);
    PyObject *res = Py_TYPE(descr)->tp_descr_get(descr, obj,
                                                 (PyObject *)Py_TYPE(obj));
    Py_DECREF(descr);
    return res;
}

static int
set_dict(PyObject *obj, PyObject *value, void *context)
{
    PyTypeObject *base = base_with_dict(Py_TYPE(obj));
    if (base != NULL) {
        PyObject *descr = dict_descriptor(base);
        if (descr == NULL) {
            no_dict_descriptor(obj);
            return -1;
        }
        Py_INCREF(descr);
        int res = Py_TYPE(descr)->tp_descr_set(descr, obj, value);
        Py_DECREF(descr);
        return res;
    }
    bool shaped = kr_has_shape(Py_TYPE(obj));
    PyObject **ptr = shaped ? NULL : kr_plain_dict_ptr(obj);
    if (!shaped && ptr == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "__dict__ must be set to a dictionary, not a '%.200s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (shaped) {
        kr_instance_replace_dict(obj, value);
    }
    else {
        Py_XINCREF(value);
        Py_XSETREF(*ptr, value);
    }
    return 0;
}

static PyObject *
get_weakref(PyObject *obj, void *context)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (type->tp_weaklistoffset == 0) {
        PyErr_SetString(PyExc_AttributeError,
                        "This object has no __weakref__");
        return NULL;
    }
    PyObject **list = (PyObject **)((char *)obj + type->tp_weaklistoffset);
    return Py_NewRef(*list == NULL ? Py_None : *list);
}

#define DICT_DOC PyDoc_STR("dictionary for instance variables (if defined)")
#define WEAK_DOC                                                               \
    PyDoc_STR("list of weak references to the object (if defined)")

PyGetSetDef kr_subtype_getset_full[] = {
    {"__dict__", get_dict, set_dict, DICT_DOC},
    {"__weakref__", get_weakref, NULL, WEAK_DOC},
    {NULL},
};

PyGetSetDef kr_subtype_getset_dict[] = {
    {"__dict__", get_dict, set_dict, DICT_DOC},
    {NULL},
};

PyGetSetDef kr_subtype_getset_weak[] = {
    {"__weakref__", get_weakref, NULL, WEAK_DOC},
    {NULL},
};
