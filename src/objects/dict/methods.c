/* The type dict and its methods. */
#include <Python.h>

#include "objects/abstract/abstract.h"
#include "objects/dict/dict_internal.h"
#include "objects/ids.h"
#include "objects/immortal.h"

static void
dict_dealloc(PyObject *self)
{
    PyDictObject *mp = (PyDictObject *)self;
    if (KR_UNLIKELY(mp->ma_version_tag & WATCH_MASK)) {
        kr_dict_notify(KR_DICT_DEALLOCATED, mp, NULL, NULL);
    }
    kr_gc_untrack(self);
    if (mp->ma_keys == kr_dict_empty_keys && Py_IS_TYPE(self, &PyDict_Type)) {
        kr_gc_free(self, 0);
        return;
    }
    Py_TRASHCAN_BEGIN(mp, dict_dealloc)
    kr_dict_free_keys(mp->ma_keys);
    mp->ma_keys = kr_dict_empty_keys;
    if (Py_IS_TYPE(self, &PyDict_Type)) {
        kr_gc_free(self, 0);
    }
    else {
        Py_TYPE(self)->tp_free(self);
    }
    Py_TRASHCAN_END
}

static int
dict_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyDictKeysObject *keys = ((PyDictObject *)self)->ma_keys;
    Py_ssize_t n = keys->nentries;
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_entries(keys);
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_VISIT(e[i].value);
        }
        return 0;
    }
    struct kr_dict_entry *e = kr_dict_entries(keys);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (e[i].value != NULL) {
            Py_VISIT(e[i].value);
            Py_VISIT(e[i].key);
        }
    }
    return 0;
}

static int
dict_clear_gc(PyObject *self)
{
    PyDict_Clear(self);
    return 0;
}

static PyObject *
dict_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    PyDictObject *d = (PyDictObject *)self;
    if (type == &PyDict_Type) {
        kr_gc_untrack(self); /* tp_alloc starts to follow it */
    }
    kr_dict_state.version += WATCH_MASK + 1;
    d->ma_version_tag = kr_dict_state.version;
    d->ma_used = 0;
    d->ma_keys = kr_dict_empty_keys;
    d->ma_values = NULL;
    return self;
}

/* ---- repr, comparison */

static PyObject *
dict_repr(PyObject *self)
{
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("{...}") : NULL;
    }
    if (((PyDictObject *)self)->ma_used == 0) {
        Py_ReprLeave(self);
        return PyUnicode_FromString("{}");
    }
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    writer.overallocate = 1;
    writer.min_length = 1 + 4 + (2 + 4) * (PyDict_GET_SIZE(self) - 1) + 1;
    int err = _PyUnicodeWriter_WriteChar(&writer, '{');
    Py_ssize_t i = 0;
    PyObject *key, *value;
    for (int first = 1; err == 0 && PyDict_Next(self, &i, &key, &value);
         first = 0) {
        Py_INCREF(key);
        Py_INCREF(value);
        if (!first) {
            err = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2);
        }
        PyObject *s = err == 0 ? PyObject_Repr(key) : NULL;
        err = s == NULL ? -1 : _PyUnicodeWriter_WriteStr(&writer, s);
        Py_XDECREF(s);
        if (err == 0) {
            err = _PyUnicodeWriter_WriteASCIIString(&writer, ": ", 2);
        }
        s = err == 0 ? PyObject_Repr(value) : NULL;
        err = s == NULL ? -1 : _PyUnicodeWriter_WriteStr(&writer, s);
        Py_XDECREF(s);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    if (err == 0) {
        writer.overallocate = 0;
        err = _PyUnicodeWriter_WriteChar(&writer, '}');
    }
    Py_ReprLeave(self);
    if (err != 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&writer);
}

static int
dict_equal(PyDictObject *a, PyDictObject *b)
{
    if (a->ma_used != b->ma_used) {
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *av, *bv;
    Py_hash_t hash;
    while (_PyDict_Next((PyObject *)a, &pos, &key, &av, &hash)) {
        Py_INCREF(key);
        Py_INCREF(av);
        Py_ssize_t ix = kr_dict_lookup(b, key, hash, &bv);
        int eq = ix == KR_DICT_ERROR ? -1 : 0;
        if (bv != NULL) {
            Py_INCREF(bv);
            eq = PyObject_RichCompareBool(av, bv, Py_EQ);
            Py_DECREF(bv);
        }
        Py_DECREF(key);
        Py_DECREF(av);
        if (eq <= 0) {
            return eq;
        }
    }
    return 1;
}

static PyObject *
dict_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PyDict_Check(v) || !PyDict_Check(w) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = dict_equal((PyDictObject *)v, (PyDictObject *)w);
    if (eq < 0) {
        return NULL;
    }
    return PyBool_FromLong(eq == (op == Py_EQ));
}

/* ---- items */

static Py_ssize_t
dict_length(PyObject *self)
{
    return ((PyDictObject *)self)->ma_used;
}

static PyObject *
dict_subscript(PyObject *self, PyObject *key)
{
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return NULL;
    }
    PyObject *value;
    Py_ssize_t ix = kr_dict_lookup((PyDictObject *)self, key, hash, &value);
    if (KR_LIKELY(value != NULL)) {
        return Py_NewRef(value);
    }
    if (ix == KR_DICT_ERROR) {
        return NULL;
    }
    if (!PyDict_CheckExact(self)) {
        PyObject *missing = kr_lookup_special(self, KR_ID(__missing__));
        if (missing != NULL) {
            PyObject *res = PyObject_CallOneArg(missing, key);
            Py_DECREF(missing);
            return res;
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    _PyErr_SetKeyError(key);
    return NULL;
}

static int
dict_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    return value == NULL ? PyDict_DelItem(self, key)
                         : PyDict_SetItem(self, key, value);
}

/* ---- methods */

static PyObject *
dict_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("get", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *value;
    int found = kr_dict_get_ref(self, args[0], &value);
    if (found != 0) {
        return value;
    }
    return Py_NewRef(nargs == 2 ? args[1] : Py_None);
}

static PyObject *
dict_setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("setdefault", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *value =
        PyDict_SetDefault(self, args[0], nargs == 2 ? args[1] : Py_None);
    return Py_XNewRef(value);
}

static PyObject *
dict_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("pop", nargs, 1, 2)) {
        return NULL;
    }
    return _PyDict_Pop(self, args[0], nargs == 2 ? args[1] : NULL);
}

static PyObject *
dict_popitem(PyObject *self, PyObject *ignored)
{
    PyDictObject *mp = (PyDictObject *)self;
    /* first, as it may run a collection */
    PyObject *res = PyTuple_New(2);
    if (res == NULL) {
        return NULL;
    }
    if (mp->ma_used == 0) {
        Py_DECREF(res);
        PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
        return NULL;
    }
    PyDictKeysObject *keys = mp->ma_keys;
    Py_ssize_t i = keys->nentries - 1;
    while (*dict_any_value(keys, i) == NULL) {
        i--;
    }
    PyObject *key = Py_NewRef(dict_any_key(keys, i));
    Py_hash_t hash = kr_dict_keys_are_str(keys)
                         ? dict_str_hash(key)
                         : kr_dict_entry_at(keys, i)->hash;
    PyObject *value = kr_dict_remove(mp, hash, i);
    keys->nentries = i; /* `key` is held, so that nothing ran since */
    keys->first = keys->first > i ? i : keys->first;
    PyTuple_SET_ITEM(res, 0, key);
    PyTuple_SET_ITEM(res, 1, value);
    return res;
}

static PyObject *
dict_clear(PyObject *self, PyObject *ignored)
{
    PyDict_Clear(self);
    Py_RETURN_NONE;
}

static PyObject *
dict_copy(PyObject *self, PyObject *ignored)
{
    return PyDict_Copy(self);
}

static PyObject *
dict_contains_method(PyObject *self, PyObject *key)
{
    int found = PyDict_Contains(self, key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *
dict_sizeof(PyObject *self, PyObject *ignored)
{
    return PyLong_FromSsize_t(_PyDict_SizeOf((PyDictObject *)self));
}

static PyObject *
dict_fromkeys(PyObject *cls, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("fromkeys", nargs, 1, 2)) {
        return NULL;
    }
    return _PyDict_FromKeys(cls, args[0], nargs == 2 ? args[1] : Py_None);
}

static int
update_from(PyObject *self, PyObject *arg)
{
    if (PyDict_CheckExact(arg)) {
        return PyDict_Merge(self, arg, 1);
    }
    PyObject *keys;
    int found = _PyObject_LookupAttr(arg, KR_ID(keys), &keys);
    if (found < 0) {
        return -1;
    }
    if (found > 0) {
        Py_DECREF(keys);
        return PyDict_Merge(self, arg, 1);
    }
    return PyDict_MergeFromSeq2(self, arg, 1);
}

int
kr_dict_update_args(PyObject *self, PyObject *args, PyObject *kwds,
                    const char *method)
{
    PyObject *arg = NULL;
    if (!PyArg_UnpackTuple(args, method, 0, 1, &arg)) {
        return -1;
    }
    if (arg != NULL && update_from(self, arg) < 0) {
        return -1;
    }
    if (kwds == NULL) {
        return 0;
    }
    return PyArg_ValidateKeywordArguments(kwds) ? PyDict_Merge(self, kwds, 1)
                                                : -1;
}

static PyObject *
dict_update(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (kr_dict_update_args(self, args, kwds, "update") < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int
dict_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    return kr_dict_update_args(self, args, kwds, "dict");
}

static PyObject *
dict_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_CheckPositional("dict", nargs, 0, 1)) {
        return NULL;
    }
    PyObject *self = dict_new((PyTypeObject *)type, NULL, NULL);
    if (self == NULL) {
        return NULL;
    }
    if (nargs == 1 && update_from(self, args[0]) < 0) {
        goto error;
    }
    if (kwnames != NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
            if (PyDict_SetItem(self, PyTuple_GET_ITEM(kwnames, i),
                               args[nargs + i]) < 0) {
                goto error;
            }
        }
    }
    return self;
error:
    Py_DECREF(self);
    return NULL;
}

PyObject *
kr_dict_or(PyObject *self, PyObject *other)
{
    if (!PyDict_Check(self) || !PyDict_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *res = PyDict_Copy(self);
    if (res == NULL) {
        return NULL;
    }
    if (update_from(res, other) < 0) {
        Py_DECREF(res);
        return NULL;
    }
    return res;
}

static PyObject *
dict_ior(PyObject *self, PyObject *other)
{
    if (update_from(self, other) < 0) {
        return NULL;
    }
    return Py_NewRef(self);
}

PyObject *
kr_dict_iter(PyObject *dict)
{
    return kr_dict_iter_new((PyDictObject *)dict, &PyDictIterKey_Type);
}

static PyObject *
dict_reversed(PyObject *self, PyObject *ignored)
{
    return kr_dict_iter_new((PyDictObject *)self, &PyDictRevIterKey_Type);
}

static PyObject *
dict_keys(PyObject *self, PyObject *ignored)
{
    return kr_dict_view_new(self, &PyDictKeys_Type);
}

static PyObject *
dict_items(PyObject *self, PyObject *ignored)
{
    return kr_dict_view_new(self, &PyDictItems_Type);
}

static PyObject *
dict_values(PyObject *self, PyObject *ignored)
{
    return kr_dict_view_new(self, &PyDictValues_Type);
}

static PyMethodDef methods[] = {
    {"__contains__", dict_contains_method, METH_O | METH_COEXIST,
     "__contains__($self, key, /)\n--\n\nWhether the dict has the key."},
    {"__getitem__", dict_subscript, METH_O | METH_COEXIST,
     "__getitem__($self, key, /)\n--\n\nThe value of the key."},
    {"__sizeof__", dict_sizeof, METH_NOARGS,
     "D.__sizeof__() -> size of D in memory, in bytes"},
    {"get", (PyCFunction)(void *)dict_get, METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\n"
     "The value of the key, or the default if it is missing."},
    {"setdefault", (PyCFunction)(void *)dict_setdefault, METH_FASTCALL,
     "setdefault($self, key, default=None, /)\n--\n\n"
     "The value of the key, which is set to the default if it is missing."},
    {"pop", (PyCFunction)(void *)dict_pop, METH_FASTCALL,
     "D.pop(k[,d]) -> v, remove a key and return its value.\n\n"
     "If it is missing, return d if given, otherwise raise a KeyError."},
    {"popitem", dict_popitem, METH_NOARGS,
     "popitem($self, /)\n--\n\n"
     "Remove the pair that was inserted last and return it as a tuple.\n\n"
     "Raises KeyError if the dict is empty."},
    {"keys", dict_keys, METH_NOARGS,
     "D.keys() -> a set-like view of the keys of D"},
    {"items", dict_items, METH_NOARGS,
     "D.items() -> a set-like view of the pairs of D"},
    {"values", dict_values, METH_NOARGS,
     "D.values() -> a view of the values of D"},
    {"update", (PyCFunction)(void *)dict_update, METH_VARARGS | METH_KEYWORDS,
     "D.update([E, ]**F) -> None.  Take over the items of E and F.\n\n"
     "E is a mapping with .keys() or an iterable of pairs."},
    {"fromkeys", (PyCFunction)(void *)dict_fromkeys, METH_FASTCALL | METH_CLASS,
     "fromkeys($type, iterable, value=None, /)\n--\n\n"
     "A new dict with the keys of the iterable, all with the same value."},
    {"clear", dict_clear, METH_NOARGS, "D.clear() -> None.  Remove all items."},
    {"copy", dict_copy, METH_NOARGS, "D.copy() -> a shallow copy of D"},
    {"__reversed__", dict_reversed, METH_NOARGS,
     "__reversed__($self, /)\n--\n\nAn iterator over the keys, last first."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

static PyNumberMethods as_number = {
    .nb_or = kr_dict_or,
    .nb_inplace_or = dict_ior,
};

static PySequenceMethods as_sequence = {.sq_contains = PyDict_Contains};

static PyMappingMethods as_mapping = {
    .mp_length = dict_length,
    .mp_subscript = dict_subscript,
    .mp_ass_subscript = dict_ass_subscript,
};

PyTypeObject PyDict_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "dict",
    .tp_basicsize = sizeof(PyDictObject),
    .tp_dealloc = dict_dealloc,
    .tp_repr = dict_repr,
    .tp_as_number = &as_number,
    .tp_as_sequence = &as_sequence,
    .tp_as_mapping = &as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_DICT_SUBCLASS | _Py_TPFLAGS_MATCH_SELF
                | Py_TPFLAGS_MAPPING,
    .tp_doc = "dict() -> new empty dictionary\n"
              "dict(mapping) -> new dictionary with the mapping's pairs\n"
              "dict(iterable) -> new dictionary with the iterable's pairs\n"
              "dict(**kwargs) -> new dictionary with the name=value pairs",
    .tp_traverse = dict_traverse,
    .tp_clear = dict_clear_gc,
    .tp_richcompare = dict_richcompare,
    .tp_iter = kr_dict_iter,
    .tp_methods = methods,
    .tp_init = dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dict_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = dict_vectorcall,
};
