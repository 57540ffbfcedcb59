/* type(name, bases, dict): making a class.
 *
 * The steps, in order: the metaclass and the base are found, __slots__ is
 * turned into members, the type object is filled in and made ready, then the
 * hooks run (__classcell__, __set_name__, __init_subclass__). */
#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/slot_funcs.h"
#include "objects/type/type.h"

#include <structmember.h>

/* What the steps hand on to each other. */
struct making {
    PyTypeObject *metatype;
    PyObject *args;
    PyObject *kwds;
    PyObject *name;      /* borrowed from args */
    PyObject *bases;     /* owned */
    PyObject *orig_dict; /* borrowed from args */
    PyTypeObject *base;  /* borrowed from bases */
    PyObject *slots;     /* owned: sorted tuple of mangled names, or NULL */
    Py_ssize_t nslot;
    bool add_dict;
    bool add_weak;
    bool may_add_dict;
    bool may_add_weak;
};

/* ---- metaclass ---------------------------------------------------------- */

PyTypeObject *
_PyType_CalculateMetaclass(PyTypeObject *metatype, PyObject *bases)
{
    PyTypeObject *winner = metatype;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *meta = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, meta)) {
            continue;
        }
        if (PyType_IsSubtype(meta, winner)) {
            winner = meta;
            continue;
        }
        PyErr_SetString(PyExc_TypeError,
                        "metaclass conflict: the metaclass of a derived "
                        "class must be a (non-strict) subclass of the "
                        "metaclasses of all its bases");
        return NULL;
    }
    return winner;
}

/* ---- __slots__ ---------------------------------------------------------- */

/* The name a private slot has inside the class: new reference. */
static PyObject *
mangle(PyObject *class_name, PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (n < 2 || PyUnicode_READ_CHAR(name, 0) != '_'
        || PyUnicode_READ_CHAR(name, 1) != '_'
        || (PyUnicode_READ_CHAR(name, n - 1) == '_'
            && PyUnicode_READ_CHAR(name, n - 2) == '_')
        || PyUnicode_FindChar(name, '.', 0, n, 1) != -1) {
        return Py_NewRef(name);
    }
    Py_ssize_t m = PyUnicode_GET_LENGTH(class_name);
    Py_ssize_t i = 0;
    while (i < m && PyUnicode_READ_CHAR(class_name, i) == '_') {
        i++;
    }
    if (i == m) {
        return Py_NewRef(name); /* nothing but underscores */
    }
    PyObject *stripped = PyUnicode_Substring(class_name, i, m);
    if (stripped == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_FromFormat("_%U%U", stripped, name);
    Py_DECREF(stripped);
    return res;
}

/* Checks one item; notes __dict__ and __weakref__. */
static int
visit_slot(struct making *c, PyObject *item)
{
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_TypeError,
                     "__slots__ items must be strings, not '%.200s'",
                     Py_TYPE(item)->tp_name);
        return -1;
    }
    if (!PyUnicode_IsIdentifier(item)) {
        PyErr_SetString(PyExc_TypeError, "__slots__ must be identifiers");
        return -1;
    }
    if (_PyUnicode_EQ(item, KR_ID(__dict__))) {
        if (!c->may_add_dict || c->add_dict) {
            PyErr_SetString(PyExc_TypeError,
                            "__dict__ slot disallowed: we already got one");
            return -1;
        }
        c->add_dict = true;
    }
    if (_PyUnicode_EQ(item, KR_ID(__weakref__))) {
        if (!c->may_add_weak || c->add_weak) {
            PyErr_SetString(PyExc_TypeError,
                            "__weakref__ slot disallowed: either we already "
                            "got one, or __itemsize__ != 0");
            return -1;
        }
        c->add_weak = true;
    }
    return 0;
}

/* Whether a mangled slot name collides with a class variable: -1 if so. */
static int
check_conflict(PyObject *dict, PyObject *name)
{
    int r = PyDict_Contains(dict, name);
    if (r <= 0) {
        return r;
    }
    /* CPython sets these two itself and takes them out again. */
    if (_PyUnicode_EQ(name, KR_ID(__qualname__))
        || _PyUnicode_EQ(name, KR_ID(__classcell__))) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError,
                 "%R in __slots__ conflicts with class variable", name);
    return -1;
}

/* Mangled and sorted names, without __dict__ and __weakref__. */
static PyObject *
collect_slots(struct making *c, PyObject *slots, PyObject *dict)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(slots); i++) {
        PyObject *item = PyTuple_GET_ITEM(slots, i);
        if ((c->add_dict && _PyUnicode_EQ(item, KR_ID(__dict__)))
            || (c->add_weak && _PyUnicode_EQ(item, KR_ID(__weakref__)))) {
            continue;
        }
        PyObject *name = mangle(c->name, item);
        if (name == NULL || check_conflict(dict, name) < 0
            || PyList_Append(list, name) < 0) {
            Py_XDECREF(name);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(name);
    }
    PyObject *res = NULL;
    if (PyList_Sort(list) == 0) {
        res = PyList_AsTuple(list);
    }
    Py_DECREF(list);
    return res;
}

/* A base further right may bring a dict or weak references with it. */
static int
slots_from_bases(struct making *c)
{
    Py_ssize_t n = PyTuple_GET_SIZE(c->bases);
    if (n <= 1 || !((c->may_add_dict && !c->add_dict)
                    || (c->may_add_weak && !c->add_weak))) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(c->bases, i);
        if (b == c->base) {
            continue;
        }
        if (c->may_add_dict && b->tp_dictoffset != 0) {
            c->add_dict = true;
        }
        if (c->may_add_weak && b->tp_weaklistoffset != 0) {
            c->add_weak = true;
        }
    }
    return 0;
}

static int
find_slots(struct making *c, PyObject *dict)
{
    c->may_add_dict = c->base->tp_dictoffset == 0;
    c->may_add_weak =
        c->base->tp_weaklistoffset == 0 && c->base->tp_itemsize == 0;
    PyObject *slots = PyDict_GetItemWithError(dict, KR_ID(__slots__));
    if (slots == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        c->add_dict = c->may_add_dict;
        c->add_weak = c->may_add_weak;
        return 0;
    }
    Py_INCREF(slots);
    PyObject *tuple = PyUnicode_Check(slots) ? PyTuple_Pack(1, slots)
                                             : PySequence_Tuple(slots);
    Py_DECREF(slots);
    if (tuple == NULL) {
        return -1;
    }
    int res = -1;
    if (PyTuple_GET_SIZE(tuple) > 0 && c->base->tp_itemsize != 0) {
        PyErr_Format(PyExc_TypeError,
                     "nonempty __slots__ not supported for subtype of '%s'",
                     c->base->tp_name);
        goto done;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (visit_slot(c, PyTuple_GET_ITEM(tuple, i)) < 0) {
            goto done;
        }
    }
    c->slots = collect_slots(c, tuple, dict);
    if (c->slots == NULL) {
        goto done;
    }
    c->nslot = PyTuple_GET_SIZE(c->slots);
    res = slots_from_bases(c);
done:
    Py_DECREF(tuple);
    return res;
}

/* ---- filling in --------------------------------------------------------- */

static PyTypeObject *
allocate(struct making *c, PyObject *dict)
{
    PyTypeObject *type =
        (PyTypeObject *)c->metatype->tp_alloc(c->metatype, c->nslot);
    if (type == NULL) {
        return NULL;
    }
    PyHeapTypeObject *et = (PyHeapTypeObject *)type;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE
                     | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
    type->tp_as_async = &et->as_async;
    type->tp_as_sequence = &et->as_sequence;
    type->tp_as_mapping = &et->as_mapping;
    type->tp_as_number = &et->as_number;
    type->tp_as_buffer = &et->as_buffer;
    type->tp_bases = Py_NewRef(c->bases);
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)c->base);
    type->tp_dict = Py_NewRef(dict);
    et->ht_name = Py_NewRef(c->name);
    et->ht_slots = Py_XNewRef(c->slots);
    return type;
}

static int
set_name(PyTypeObject *type)
{
    Py_ssize_t n;
    PyObject *name = ((PyHeapTypeObject *)type)->ht_name;
    type->tp_name = PyUnicode_AsUTF8AndSize(name, &n);
    if (type->tp_name == NULL) {
        return -1;
    }
    if (strlen(type->tp_name) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError,
                        "type name must not contain null characters");
        return -1;
    }
    return 0;
}

static int
set_qualname(PyTypeObject *type)
{
    PyHeapTypeObject *et = (PyHeapTypeObject *)type;
    PyObject *qualname =
        PyDict_GetItemWithError(type->tp_dict, KR_ID(__qualname__));
    if (qualname == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        et->ht_qualname = Py_NewRef(et->ht_name);
        return 0;
    }
    if (!PyUnicode_Check(qualname)) {
        PyErr_Format(PyExc_TypeError,
                     "type __qualname__ must be a str, not %s",
                     Py_TYPE(qualname)->tp_name);
        return -1;
    }
    et->ht_qualname = Py_NewRef(qualname);
    return PyDict_DelItem(type->tp_dict, KR_ID(__qualname__));
}

static int
set_module(PyTypeObject *type)
{
    int has = PyDict_Contains(type->tp_dict, KR_ID(__module__));
    if (has != 0) {
        return has < 0 ? -1 : 0;
    }
    PyObject *globals = PyEval_GetGlobals();
    if (globals == NULL) {
        return 0;
    }
    PyObject *module = PyDict_GetItemWithError(globals, KR_ID(__name__));
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return PyDict_SetItem(type->tp_dict, KR_ID(__module__), module);
}

static int
set_doc(PyTypeObject *type)
{
    PyObject *doc = PyDict_GetItemWithError(type->tp_dict, KR_ID(__doc__));
    if (doc == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyUnicode_Check(doc)) {
        return 0;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(doc, &n);
    if (text == NULL) {
        return -1;
    }
    char *copy = PyObject_Malloc((size_t)n + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, text, (size_t)n + 1);
    type->tp_doc = copy;
    return 0;
}

/* A plain function of that name becomes a staticmethod or classmethod. */
static int
wrap_function(PyTypeObject *type, PyObject *name,
              PyObject *(*wrap)(PyObject *))
{
    PyObject *func = PyDict_GetItemWithError(type->tp_dict, name);
    if (func == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyFunction_Check(func)) {
        return 0;
    }
    PyObject *wrapped = wrap(func);
    if (wrapped == NULL) {
        return -1;
    }
    int res = PyDict_SetItem(type->tp_dict, name, wrapped);
    Py_DECREF(wrapped);
    return res;
}

/* The members for __slots__, and the places for dict and weak references. */
static int
set_layout(struct making *c, PyTypeObject *type)
{
    PyHeapTypeObject *et = (PyHeapTypeObject *)type;
    PyMemberDef *m = KR_HEAP_MEMBERS(et);
    Py_ssize_t offset = c->base->tp_basicsize;
    for (Py_ssize_t i = 0; i < c->nslot; i++, m++) {
        m->name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(c->slots, i));
        if (m->name == NULL) {
            return -1;
        }
        m->type = T_OBJECT_EX;
        m->offset = offset;
        offset += sizeof(PyObject *);
    }
    if (c->add_dict && c->base->tp_itemsize) {
        type->tp_dictoffset = -(Py_ssize_t)sizeof(PyObject *);
        offset += sizeof(PyObject *);
    }
    if (c->add_weak) {
        type->tp_weaklistoffset = offset;
        offset += sizeof(PyObject *);
    }
    if (c->add_dict && !c->base->tp_itemsize) {
        type->tp_flags |= Py_TPFLAGS_MANAGED_DICT;
        type->tp_dictoffset = -offset - (Py_ssize_t)sizeof(PyObject *) * 3;
    }
    type->tp_basicsize = offset;
    type->tp_itemsize = c->base->tp_itemsize;
    type->tp_members = KR_HEAP_MEMBERS(et);
    if (type->tp_weaklistoffset && type->tp_dictoffset) {
        type->tp_getset = kr_subtype_getset_full;
    }
    else if (type->tp_weaklistoffset) {
        type->tp_getset = kr_subtype_getset_weak;
    }
    else if (type->tp_dictoffset) {
        type->tp_getset = kr_subtype_getset_dict;
    }
    return 0;
}

static void
set_c_slots(struct making *c, PyTypeObject *type)
{
    PyTypeObject *base = c->base;
    if (type->tp_dictoffset != 0 || c->nslot > 0) {
        if (base->tp_getattr == NULL && base->tp_getattro == NULL) {
            type->tp_getattro = PyObject_GenericGetAttr;
        }
        if (base->tp_setattr == NULL && base->tp_setattro == NULL) {
            type->tp_setattro = PyObject_GenericSetAttr;
        }
    }
    type->tp_dealloc = kr_subtype_dealloc;
    type->tp_alloc = PyType_GenericAlloc;
    type->tp_free = PyObject_GC_Del;
    type->tp_traverse = kr_subtype_traverse;
    type->tp_clear = kr_subtype_clear;
}

/* Hands the class to the cell that zero-argument super() reads. */
static int
set_classcell(PyTypeObject *type)
{
    PyObject *cell =
        PyDict_GetItemWithError(type->tp_dict, KR_ID(__classcell__));
    if (cell == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyCell_Check(cell)) {
        PyErr_Format(PyExc_TypeError,
                     "__classcell__ must be a nonlocal cell, not <%.200R>",
                     Py_TYPE(cell));
        return -1;
    }
    PyCell_Set(cell, (PyObject *)type);
    return PyDict_DelItem(type->tp_dict, KR_ID(__classcell__));
}

static int
fill(struct making *c, PyTypeObject *type)
{
    if (set_name(type) < 0 || set_qualname(type) < 0 || set_module(type) < 0
        || set_doc(type) < 0
        || wrap_function(type, KR_ID(__new__), PyStaticMethod_New) < 0
        || wrap_function(type, KR_ID(__init_subclass__), PyClassMethod_New)
               < 0
        || wrap_function(type, KR_ID(__class_getitem__), PyClassMethod_New)
               < 0
        || set_classcell(type) < 0 || set_layout(c, type) < 0) {
        return -1;
    }
    set_c_slots(c, type);
    return 0;
}

/* ---- hooks -------------------------------------------------------------- */

static int
call_set_name(PyTypeObject *type, PyObject *key, PyObject *value)
{
    PyObject *func = _PyObject_LookupSpecial(value, KR_ID(__set_name__));
    if (func == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *stack[2] = {(PyObject *)type, key};
    PyObject *res = PyObject_Vectorcall(func, stack, 2, NULL);
    Py_DECREF(func);
    if (res == NULL) {
        _PyErr_FormatFromCause(PyExc_RuntimeError,
                               "Error calling __set_name__ on '%.100s' "
                               "instance %R in '%.100s'",
                               Py_TYPE(value)->tp_name, key, type->tp_name);
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

static int
set_names(PyTypeObject *type)
{
    PyObject *copy = PyDict_Copy(type->tp_dict); /* hooks may change it */
    if (copy == NULL) {
        return -1;
    }
    Py_ssize_t i = 0;
    PyObject *key, *value;
    int res = 0;
    while (res == 0 && PyDict_Next(copy, &i, &key, &value)) {
        if (PyFunction_Check(value)) {
            continue; /* by far the most, and without the hook */
        }
        Py_INCREF(key);
        Py_INCREF(value);
        res = call_set_name(type, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_DECREF(copy);
    return res;
}

static int
init_subclass(PyTypeObject *type, PyObject *kwds)
{
    PyObject *super = PyObject_CallFunctionObjArgs(
        (PyObject *)&PySuper_Type, (PyObject *)type, (PyObject *)type, NULL);
    if (super == NULL) {
        return -1;
    }
    PyObject *func = PyObject_GetAttr(super, KR_ID(__init_subclass__));
    Py_DECREF(super);
    if (func == NULL) {
        return -1;
    }
    PyObject *res = PyObject_VectorcallDict(func, NULL, 0, kwds);
    Py_DECREF(func);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

/* ---- all steps ---------------------------------------------------------- */

static PyObject *
make(struct making *c)
{
    PyObject *dict = PyDict_Copy(c->orig_dict);
    if (dict == NULL) {
        return NULL;
    }
    PyTypeObject *type = NULL;
    if (find_slots(c, dict) == 0) {
        type = allocate(c, dict);
    }
    Py_DECREF(dict);
    if (type == NULL) {
        return NULL;
    }
    if (fill(c, type) < 0 || PyType_Ready(type) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    kr_type_fix_slots(type);
    if (set_names(type) < 0 || init_subclass(type, c->kwds) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    return (PyObject *)type;
}

/* Bases that are no types: they should have been replaced before. */
static int
check_bases(PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        if (PyType_Check(base)) {
            continue;
        }
        PyObject *entries;
        int r = _PyObject_LookupAttr(base, KR_ID(__mro_entries__), &entries);
        if (r < 0) {
            return -1;
        }
        if (r > 0) {
            Py_DECREF(entries);
            PyErr_SetString(PyExc_TypeError,
                            "type() doesn't support MRO entry resolution; "
                            "use types.new_class()");
            return -1;
        }
    }
    return 0;
}

PyObject *
kr_type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds)
{
    struct making c = {.metatype = metatype, .args = args, .kwds = kwds};
    PyObject *bases;
    if (!PyArg_ParseTuple(args, "UO!O!:type.__new__", &c.name, &PyTuple_Type,
                          &bases, &PyDict_Type, &c.orig_dict)) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(bases) == 0) {
        c.bases = PyTuple_Pack(1, &PyBaseObject_Type);
        if (c.bases == NULL) {
            return NULL;
        }
    }
    else {
        if (check_bases(bases) < 0) {
            return NULL;
        }
        PyTypeObject *winner = _PyType_CalculateMetaclass(metatype, bases);
        if (winner == NULL) {
            return NULL;
        }
        if (winner != metatype && winner->tp_new != kr_type_new) {
            return winner->tp_new(winner, args, kwds);
        }
        c.metatype = winner;
        c.bases = Py_NewRef(bases);
    }
    PyObject *type = NULL;
    c.base = kr_best_base(c.bases);
    if (c.base != NULL) {
        type = make(&c);
    }
    Py_XDECREF(c.slots);
    Py_DECREF(c.bases);
    return type;
}
