/* PyType_Ready: completes a type, static or made at run time.
 *
 * Guarantees: bases are ready before their heirs; after it the type has a
 * dict, an MRO, wrapper descriptors for its own slots, and the slots of its
 * bases where it has none, by the rules that extensions rely on. */
#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

#include <structmember.h>

/* ---- inheriting --------------------------------------------------------- */

/* Whether the type's own dict says something about comparison or hash. */
static int
overrides_hash(PyTypeObject *type)
{
    int r = PyDict_Contains(type->tp_dict, KR_ID(__eq__));
    if (r == 0) {
        r = PyDict_Contains(type->tp_dict, KR_ID(__hash__));
    }
    return r;
}

static void
inherit_special(PyTypeObject *type, PyTypeObject *base)
{
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC)
        && (base->tp_flags & Py_TPFLAGS_HAVE_GC) && type->tp_traverse == NULL
        && type->tp_clear == NULL) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_traverse = base->tp_traverse;
        type->tp_clear = base->tp_clear;
    }
    type->tp_flags |= base->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    if (type->tp_basicsize == 0) {
        type->tp_basicsize = base->tp_basicsize;
    }
    if (type->tp_itemsize == 0) {
        type->tp_itemsize = base->tp_itemsize;
    }
    if (type->tp_weaklistoffset == 0) {
        type->tp_weaklistoffset = base->tp_weaklistoffset;
    }
    if (type->tp_dictoffset == 0) {
        type->tp_dictoffset = base->tp_dictoffset;
    }
    static const struct {
        PyTypeObject *type;
        unsigned long flag;
    } kinds[] = {
        {&PyType_Type, Py_TPFLAGS_TYPE_SUBCLASS},
        {&PyLong_Type, Py_TPFLAGS_LONG_SUBCLASS},
        {&PyBytes_Type, Py_TPFLAGS_BYTES_SUBCLASS},
        {&PyUnicode_Type, Py_TPFLAGS_UNICODE_SUBCLASS},
        {&PyTuple_Type, Py_TPFLAGS_TUPLE_SUBCLASS},
        {&PyList_Type, Py_TPFLAGS_LIST_SUBCLASS},
        {&PyDict_Type, Py_TPFLAGS_DICT_SUBCLASS},
    };
    if (base->tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS) {
        type->tp_flags |= Py_TPFLAGS_BASE_EXC_SUBCLASS;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(kinds); i++) {
        if (PyType_IsSubtype(base, kinds[i].type)) {
            type->tp_flags |= kinds[i].flag;
            break;
        }
    }
    type->tp_flags |= base->tp_flags & _Py_TPFLAGS_MATCH_SELF;
}

/* A sub-table of slots, word by word: a slot that `base` has of its own goes
 * to `type` where that has none. `above` is the table of base's base. */
static void
inherit_table(void **type, void **base, void **above, size_t size)
{
    if (type == NULL || base == NULL || type == base) {
        return;
    }
    for (size_t i = 0; i < size / sizeof(void *); i++) {
        if (type[i] == NULL && base[i] != NULL
            && (above == NULL || base[i] != above[i])) {
            type[i] = base[i];
        }
    }
}

#define DEFINED(slot)                                                          \
    (base->slot != 0 && (above == NULL || base->slot != above->slot))
#define COPY(slot)                                                             \
    do {                                                                       \
        if (!type->slot && DEFINED(slot)) {                                    \
            type->slot = base->slot;                                           \
        }                                                                      \
    } while (0)
#define TABLE(field)                                                           \
    inherit_table((void **)type->field, (void **)base->field,                  \
                  above == NULL ? NULL : (void **)above->field,                \
                  sizeof(*type->field))

static void
inherit_call(PyTypeObject *type, PyTypeObject *base, PyTypeObject *above)
{
    COPY(tp_vectorcall_offset);
    /* The flag stands for "tp_call and the vectorcall function agree", which
     * nobody can promise for a class whose __call__ may be assigned. */
    if (type->tp_call == NULL && (base->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL)
        && (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)) {
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    }
    COPY(tp_call);
}

static int
inherit_compare(PyTypeObject *type, PyTypeObject *base)
{
    if (type->tp_richcompare != NULL || type->tp_hash != NULL) {
        return 0;
    }
    int own = overrides_hash(type);
    if (own < 0) {
        return -1;
    }
    if (!own) {
        type->tp_richcompare = base->tp_richcompare;
        type->tp_hash = base->tp_hash;
    }
    return 0;
}

static void
inherit_memory(PyTypeObject *type, PyTypeObject *base, PyTypeObject *above)
{
    COPY(tp_alloc);
    COPY(tp_is_gc);
    COPY(tp_finalize);
    unsigned long gc = Py_TPFLAGS_HAVE_GC;
    if ((type->tp_flags & gc) == (base->tp_flags & gc)) {
        COPY(tp_free);
    }
    else if ((type->tp_flags & gc) && type->tp_free == NULL
             && base->tp_free == PyObject_Free) {
        type->tp_free = PyObject_GC_Del;
    }
}

static int
inherit_slots(PyTypeObject *type, PyTypeObject *base)
{
    PyTypeObject *above = base->tp_base;
    TABLE(tp_as_number);
    TABLE(tp_as_async);
    TABLE(tp_as_sequence);
    TABLE(tp_as_mapping);
    TABLE(tp_as_buffer);
    COPY(tp_dealloc);
    if (type->tp_getattr == NULL && type->tp_getattro == NULL) {
        type->tp_getattr = base->tp_getattr;
        type->tp_getattro = base->tp_getattro;
    }
    if (type->tp_setattr == NULL && type->tp_setattro == NULL) {
        type->tp_setattr = base->tp_setattr;
        type->tp_setattro = base->tp_setattro;
    }
    COPY(tp_repr);
    inherit_call(type, base, above);
    COPY(tp_str);
    if (inherit_compare(type, base) < 0) {
        return -1;
    }
    COPY(tp_iter);
    COPY(tp_iternext);
    COPY(tp_descr_get);
    if (base->tp_descr_get != NULL
        && type->tp_descr_get == base->tp_descr_get
        && (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)
        && (base->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
    }
    COPY(tp_descr_set);
    COPY(tp_init);
    inherit_memory(type, base, above);
    return 0;
}

static int
inherit(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (base == NULL) {
        return 0;
    }
    inherit_special(type, base);
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(b)) {
            continue;
        }
        if (inherit_slots(type, b) < 0) {
            return -1;
        }
        unsigned long kind = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
        if (!(type->tp_flags & kind)) {
            type->tp_flags |= b->tp_flags & kind;
        }
    }
    if (type->tp_as_async == NULL) {
        type->tp_as_async = base->tp_as_async;
    }
    if (type->tp_as_number == NULL) {
        type->tp_as_number = base->tp_as_number;
    }
    if (type->tp_as_sequence == NULL) {
        type->tp_as_sequence = base->tp_as_sequence;
    }
    if (type->tp_as_mapping == NULL) {
        type->tp_as_mapping = base->tp_as_mapping;
    }
    if (type->tp_as_buffer == NULL) {
        type->tp_as_buffer = base->tp_as_buffer;
    }
    return 0;
}

/* ---- the dict ----------------------------------------------------------- */

static PyObject *
method_descriptor(PyTypeObject *type, PyMethodDef *meth)
{
    if (meth->ml_flags & METH_CLASS) {
        if (meth->ml_flags & METH_STATIC) {
            PyErr_SetString(PyExc_ValueError,
                            "method cannot be both class and static");
            return NULL;
        }
        return PyDescr_NewClassMethod(type, meth);
    }
    if (meth->ml_flags & METH_STATIC) {
        PyObject *func = PyCFunction_NewEx(meth, (PyObject *)type, NULL);
        if (func == NULL) {
            return NULL;
        }
        PyObject *descr = PyStaticMethod_New(func);
        Py_DECREF(func);
        return descr;
    }
    return PyDescr_NewMethod(type, meth);
}

/* Stores `descr` (taken over, may be NULL after an error). */
static int
add_descriptor(PyTypeObject *type, const char *text, PyObject *descr,
               bool replace)
{
    if (descr == NULL) {
        return -1;
    }
    int res = -1;
    PyObject *name = PyUnicode_InternFromString(text);
    if (name != NULL) {
        if (replace) {
            res = PyDict_SetItem(type->tp_dict, name, descr);
        }
        else {
            res = PyDict_SetDefault(type->tp_dict, name, descr) ? 0 : -1;
        }
        Py_DECREF(name);
    }
    Py_DECREF(descr);
    return res;
}

static int
set_doc(PyTypeObject *type)
{
    int has = PyDict_Contains(type->tp_dict, KR_ID(__doc__));
    if (has != 0) {
        return has < 0 ? -1 : 0;
    }
    if (type->tp_doc == NULL) {
        return PyDict_SetItem(type->tp_dict, KR_ID(__doc__), Py_None);
    }
    PyObject *doc =
        _PyType_GetDocFromInternalDoc(type->tp_name, type->tp_doc);
    if (doc == NULL) {
        return -1;
    }
    int res = PyDict_SetItem(type->tp_dict, KR_ID(__doc__), doc);
    Py_DECREF(doc);
    return res;
}

static int
fill_dict(PyTypeObject *type)
{
    if (kr_type_add_wrappers(type) < 0) {
        return -1;
    }
    for (PyMethodDef *m = type->tp_methods; m && m->ml_name; m++) {
        if (add_descriptor(type, m->ml_name, method_descriptor(type, m),
                           (m->ml_flags & METH_COEXIST) != 0)
            < 0) {
            return -1;
        }
    }
    for (PyMemberDef *m = type->tp_members; m && m->name; m++) {
        if (add_descriptor(type, m->name, PyDescr_NewMember(type, m), false)
            < 0) {
            return -1;
        }
    }
    for (PyGetSetDef *g = type->tp_getset; g && g->name; g++) {
        if (add_descriptor(type, g->name, PyDescr_NewGetSet(type, g), false)
            < 0) {
            return -1;
        }
    }
    return set_doc(type);
}

/* ---- subclasses --------------------------------------------------------- */

int
kr_type_add_subclass(PyTypeObject *base, PyTypeObject *type)
{
    PyObject *key = PyLong_FromVoidPtr(type);
    if (key == NULL) {
        return -1;
    }
    int res = -1;
    PyObject *ref = PyWeakref_NewRef((PyObject *)type, NULL);
    if (ref != NULL) {
        if (base->tp_subclasses == NULL) {
            base->tp_subclasses = PyDict_New();
        }
        if (base->tp_subclasses != NULL) {
            res = PyDict_SetItem(base->tp_subclasses, key, ref);
        }
        Py_DECREF(ref);
    }
    Py_DECREF(key);
    return res;
}

void
kr_type_remove_subclasses(PyTypeObject *type, PyObject *bases)
{
    if (bases == NULL) {
        return;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(base) || base->tp_subclasses == NULL) {
            continue;
        }
        PyObject *key = PyLong_FromVoidPtr(type);
        if (key == NULL || PyDict_DelItem(base->tp_subclasses, key) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(key);
        if (PyDict_GET_SIZE(base->tp_subclasses) == 0) {
            Py_CLEAR(base->tp_subclasses);
        }
    }
}

PyObject *
kr_type_subclasses(PyTypeObject *type)
{
    PyObject *list = PyList_New(0);
    PyObject *dict = type->tp_subclasses;
    if (list == NULL || dict == NULL) {
        return list;
    }
    Py_ssize_t i = 0;
    PyObject *ref;
    while (PyDict_Next(dict, &i, NULL, &ref)) {
        PyObject *sub = PyWeakref_GET_OBJECT(ref);
        if (sub != Py_None && PyList_Append(list, sub) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

/* ---- the steps ---------------------------------------------------------- */

static int
set_bases(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (base == NULL && type != &PyBaseObject_Type) {
        base = &PyBaseObject_Type;
        if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
            Py_INCREF(base);
        }
        type->tp_base = base;
    }
    if (base != NULL && !(base->tp_flags & Py_TPFLAGS_READY)
        && PyType_Ready(base) < 0) {
        return -1;
    }
    if (Py_TYPE(type) == NULL && base != NULL) {
        Py_SET_TYPE(type, Py_TYPE(base));
    }
    if (type->tp_bases == NULL) {
        type->tp_bases =
            base == NULL ? PyTuple_New(0) : PyTuple_Pack(1, base);
        if (type->tp_bases == NULL) {
            return -1;
        }
    }
    return 0;
}

static int
set_mro(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        return kr_mro_install(type, NULL) < 0 ? -1 : 0;
    }
    /* A static type outlives everything, so its bases must too. */
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (PyType_Ready(b) < 0) {
            return -1;
        }
    }
    if (kr_mro_install(type, NULL) < 0) {
        return -1;
    }
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (PyType_Check(b) && (b->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            PyErr_Format(PyExc_TypeError,
                         "type '%.100s' is not dynamically allocated but "
                         "its base type '%.100s' is dynamically allocated",
                         type->tp_name, b->tp_name);
            return -1;
        }
    }
    return 0;
}

static int
set_new(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    /* A static type directly below object without tp_new is not meant to be
     * instantiated: object's tp_new would skip its set-up. */
    if (type->tp_new == NULL && base == &PyBaseObject_Type
        && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
    }
    if (type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION) {
        type->tp_new = NULL;
        return 0;
    }
    if (type->tp_new != NULL) {
        return kr_type_add_new(type);
    }
    if (base != NULL) {
        type->tp_new = base->tp_new;
    }
    return 0;
}

static int
set_hash(PyTypeObject *type)
{
    if (type->tp_hash != NULL) {
        return 0;
    }
    int has = PyDict_Contains(type->tp_dict, KR_ID(__hash__));
    if (has != 0) {
        return has < 0 ? -1 : 0;
    }
    type->tp_hash = PyObject_HashNotImplemented;
    return PyDict_SetItem(type->tp_dict, KR_ID(__hash__), Py_None);
}

static int
add_to_bases(PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (PyType_Check(base) && kr_type_add_subclass(base, type) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
check(PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) && type->tp_traverse == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "type %s has the Py_TPFLAGS_HAVE_GC flag but has no "
                     "traverse function",
                     type->tp_name);
        return -1;
    }
    return 0;
}

static int
run_steps(PyTypeObject *type)
{
    if (type->tp_name == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "Type does not define the tp_name field.");
        return -1;
    }
    if (type->tp_dict == NULL) {
        type->tp_dict = PyDict_New();
        if (type->tp_dict == NULL) {
            return -1;
        }
    }
    if (set_bases(type) < 0 || set_mro(type) < 0 || set_new(type) < 0
        || fill_dict(type) < 0 || inherit(type) < 0 || set_hash(type) < 0
        || add_to_bases(type) < 0) {
        return -1;
    }
    return check(type);
}

int
PyType_Ready(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_READY) {
        return 0;
    }
    if (type->tp_flags & Py_TPFLAGS_READYING) {
        return 0; /* its own steps came here: the outer call goes on */
    }
    type->tp_flags |= Py_TPFLAGS_READYING;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    }
    int res = run_steps(type);
    type->tp_flags &= ~Py_TPFLAGS_READYING;
    if (res < 0) {
        return -1;
    }
    type->tp_flags |= Py_TPFLAGS_READY;
    return 0;
}
