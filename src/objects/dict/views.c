/* Views and iterators of dicts. */
#include <Python.h>

#include "objects/dict/dict_internal.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/iter.h"
#include "objects/tuple.h"

/* ---- iterators */

typedef struct {
    PyObject_HEAD
    PyDictObject *dict; /* NULL when exhausted */
    Py_ssize_t used;    /* size of the dict at the start, -1 after an error */
    Py_ssize_t pos;
    PyObject *result; /* a tuple to be used again, for items */
    Py_ssize_t len;
} dict_iterator;

static bool
is_reverse(PyTypeObject *type)
{
    return type == &PyDictRevIterKey_Type || type == &PyDictRevIterValue_Type
           || type == &PyDictRevIterItem_Type;
}

PyObject *
kr_dict_iter_new(PyDictObject *dict, PyTypeObject *type)
{
    dict_iterator *di = PyObject_GC_New(dict_iterator, type);
    if (di == NULL) {
        return NULL;
    }
    di->dict = (PyDictObject *)Py_NewRef((PyObject *)dict);
    di->used = dict->ma_used;
    di->len = dict->ma_used;
    di->pos = is_reverse(type) ? dict->ma_keys->nentries - 1 : 0;
    di->result = NULL;
    if (type == &PyDictIterItem_Type || type == &PyDictRevIterItem_Type) {
        di->result = PyTuple_Pack(2, Py_None, Py_None);
        if (di->result == NULL) {
            Py_DECREF(di);
            return NULL;
        }
    }
    kr_gc_track((PyObject *)di);
    return (PyObject *)di;
}

static void
iter_dealloc(PyObject *self)
{
    dict_iterator *di = (dict_iterator *)self;
    kr_gc_untrack(self);
    Py_XDECREF(di->dict);
    Py_XDECREF(di->result);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((dict_iterator *)self)->dict);
    Py_VISIT(((dict_iterator *)self)->result);
    return 0;
}

/* The next entry, borrowed; false at the end or with an exception. */
static bool
advance(dict_iterator *di, PyObject **key, PyObject **value)
{
    PyDictObject *d = di->dict;
    if (d == NULL) {
        return false;
    }
    if (KR_UNLIKELY(di->used != d->ma_used)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "dictionary changed size during iteration");
        di->used = -1; /* for good */
        return false;
    }
    PyDictKeysObject *keys = d->ma_keys;
    Py_ssize_t i = di->pos, n = keys->nentries;
    i = i < keys->first ? keys->first : i;
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_entries(keys);
        while (i < n && e[i].value == NULL) {
            i++;
        }
        if (i < n) {
            *key = e[i].key;
            *value = e[i].value;
        }
    }
    else {
        struct kr_dict_entry *e = kr_dict_entries(keys);
        while (i < n && e[i].value == NULL) {
            i++;
        }
        if (i < n) {
            *key = e[i].key;
            *value = e[i].value;
        }
    }
    if (i < n && di->len > 0) {
        di->pos = i + 1;
        di->len--;
        return true;
    }
    if (i < n) { /* more keys than there were */
        PyErr_SetString(PyExc_RuntimeError,
                        "dictionary keys changed during iteration");
    }
    di->dict = NULL;
    Py_DECREF(d);
    return false;
}

static bool
advance_back(dict_iterator *di, PyObject **key, PyObject **value)
{
    PyDictObject *d = di->dict;
    if (d == NULL) {
        return false;
    }
    if (di->used != d->ma_used) {
        PyErr_SetString(PyExc_RuntimeError,
                        "dictionary changed size during iteration");
        di->used = -1;
        return false;
    }
    PyDictKeysObject *keys = d->ma_keys;
    Py_ssize_t i = di->pos;
    if (i >= keys->nentries) {
        i = keys->nentries - 1; /* the table was rebuilt */
    }
    while (i >= 0 && *dict_any_value(keys, i) == NULL) {
        i--;
    }
    if (i < 0) {
        di->dict = NULL;
        Py_DECREF(d);
        return false;
    }
    *key = dict_any_key(keys, i);
    *value = *dict_any_value(keys, i);
    di->pos = i - 1;
    di->len--;
    return true;
}

/* (key, value); the last tuple again if nobody holds it. */
static PyObject *
item_tuple(dict_iterator *di, PyObject *key, PyObject *value)
{
    PyObject *result = di->result;
    Py_INCREF(key);
    Py_INCREF(value);
    if (Py_REFCNT(result) != 1) {
        return kr_tuple_pair_steal(key, value);
    }
    PyObject *oldkey = PyTuple_GET_ITEM(result, 0);
    PyObject *oldvalue = PyTuple_GET_ITEM(result, 1);
    PyTuple_SET_ITEM(result, 0, key);
    PyTuple_SET_ITEM(result, 1, value);
    Py_INCREF(result);
    Py_DECREF(oldkey);
    Py_DECREF(oldvalue);
    /* the collector may have found it free of cycles */
    if (!kr_gc_is_tracked(result)) {
        kr_gc_track(result);
    }
    return result;
}

#define ITER_NEXT(name, step, expr)                                            \
    static PyObject *name(PyObject *self)                                      \
    {                                                                          \
        PyObject *key, *value;                                                 \
        dict_iterator *di = (dict_iterator *)self;                             \
        return step(di, &key, &value) ? (expr) : NULL;                         \
    }

ITER_NEXT(next_key, advance, Py_NewRef(key))
ITER_NEXT(next_value, advance, Py_NewRef(value))
ITER_NEXT(next_item, advance, item_tuple(di, key, value))
ITER_NEXT(prev_key, advance_back, Py_NewRef(key))
ITER_NEXT(prev_value, advance_back, Py_NewRef(value))
ITER_NEXT(prev_item, advance_back, item_tuple(di, key, value))

static PyObject *
iter_len(PyObject *self, PyObject *ignored)
{
    dict_iterator *di = (dict_iterator *)self;
    bool valid = di->dict != NULL && di->used == di->dict->ma_used;
    return PyLong_FromSsize_t(valid ? di->len : 0);
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    dict_iterator tmp = *(dict_iterator *)self;
    Py_XINCREF(tmp.dict);
    Py_XINCREF(tmp.result);
    PyObject *res = kr_iter_reduce_as_list((PyObject *)&tmp);
    Py_XDECREF(tmp.dict);
    Py_XDECREF(tmp.result);
    return res;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL},
};

#define ITER_TYPE(type, name, next)                                            \
    PyTypeObject type = {                                                      \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = name,                                                       \
        .tp_basicsize = sizeof(dict_iterator),                                 \
        .tp_dealloc = iter_dealloc,                                            \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = iter_traverse,                                          \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = next,                                                   \
        .tp_methods = iter_methods,                                            \
    }

ITER_TYPE(PyDictIterKey_Type, "dict_keyiterator", next_key);
ITER_TYPE(PyDictIterValue_Type, "dict_valueiterator", next_value);
ITER_TYPE(PyDictIterItem_Type, "dict_itemiterator", next_item);
ITER_TYPE(PyDictRevIterKey_Type, "dict_reversekeyiterator", prev_key);
ITER_TYPE(PyDictRevIterValue_Type, "dict_reversevalueiterator", prev_value);
ITER_TYPE(PyDictRevIterItem_Type, "dict_reverseitemiterator", prev_item);

/* ---- views */

#define VIEW(op) ((_PyDictViewObject *)(op))

PyObject *
_PyDictView_New(PyObject *dict, PyTypeObject *type)
{
    if (dict == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError,
                     "%s() requires a dict argument, not '%s'", type->tp_name,
                     Py_TYPE(dict)->tp_name);
        return NULL;
    }
    _PyDictViewObject *dv = PyObject_GC_New(_PyDictViewObject, type);
    if (dv == NULL) {
        return NULL;
    }
    dv->dv_dict = (PyDictObject *)Py_NewRef(dict);
    kr_gc_track((PyObject *)dv);
    return (PyObject *)dv;
}

PyObject *
kr_dict_view_new(PyObject *dict, PyTypeObject *type)
{
    return _PyDictView_New(dict, type);
}

static void
view_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(VIEW(self)->dv_dict);
    PyObject_GC_Del(self);
}

static int
view_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(VIEW(self)->dv_dict);
    return 0;
}

static Py_ssize_t
view_len(PyObject *self)
{
    PyDictObject *d = VIEW(self)->dv_dict;
    return d == NULL ? 0 : d->ma_used;
}

static PyObject *
view_mapping(PyObject *self, void *ignored)
{
    return PyDictProxy_New((PyObject *)VIEW(self)->dv_dict);
}

static PyGetSetDef view_getset[] = {
    {"mapping", view_mapping, NULL,
     "dictionary that this view refers to", NULL},
    {NULL},
};

static PyObject *
view_repr(PyObject *self)
{
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *result = NULL, *seq = PySequence_List(self);
    if (seq != NULL) {
        result = PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name, seq);
        Py_DECREF(seq);
    }
    Py_ReprLeave(self);
    return result;
}

/* Whether all of `self` is in `other`. */
static int
all_in(PyObject *self, PyObject *other)
{
    PyObject *iter = PyObject_GetIter(self);
    if (iter == NULL) {
        return -1;
    }
    int ok = 1;
    while (ok > 0) {
        PyObject *next = PyIter_Next(iter);
        if (next == NULL) {
            ok = PyErr_Occurred() ? -1 : 1;
            break;
        }
        ok = PySequence_Contains(other, next);
        Py_DECREF(next);
    }
    Py_DECREF(iter);
    return ok;
}

static PyObject *
view_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!PyAnySet_Check(other) && !PyDictViewSet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t a = PyObject_Size(self), b = a < 0 ? -1 : PyObject_Size(other);
    if (b < 0) {
        return NULL;
    }
    int ok = 0;
    switch (op) {
    case Py_NE:
    case Py_EQ:
        ok = a == b ? all_in(self, other) : 0;
        ok = op == Py_NE && ok >= 0 ? !ok : ok;
        break;
    case Py_LT:
        ok = a < b ? all_in(self, other) : 0;
        break;
    case Py_LE:
        ok = a <= b ? all_in(self, other) : 0;
        break;
    case Py_GT:
        ok = a > b ? all_in(other, self) : 0;
        break;
    default:
        ok = a >= b ? all_in(other, self) : 0;
        break;
    }
    return ok < 0 ? NULL : PyBool_FromLong(ok);
}

static PyObject *
view_to_set(PyObject *self)
{
    PyObject *left = self;
    if (PyDictKeys_Check(self)) {
        PyObject *dict = (PyObject *)VIEW(self)->dv_dict;
        left = PyDict_CheckExact(dict) ? dict : self; /* the short way */
    }
    return PySet_New(left);
}

static PyObject *
view_sub(PyObject *self, PyObject *other)
{
    PyObject *result = view_to_set(self);
    if (result == NULL) {
        return NULL;
    }
    PyObject *tmp =
        PyObject_CallMethodOneArg(result, KR_ID(difference_update), other);
    if (tmp == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    Py_DECREF(tmp);
    return result;
}

static int items_contains(PyObject *self, PyObject *obj);

static int
keys_contains(PyObject *self, PyObject *key)
{
    PyDictObject *d = VIEW(self)->dv_dict;
    return d == NULL ? 0 : PyDict_Contains((PyObject *)d, key);
}

PyObject *
_PyDictView_Intersect(PyObject *self, PyObject *other)
{
    if (!PyDictViewSet_Check(self)) { /* the view is the right operand */
        PyObject *tmp = other;
        other = self;
        self = tmp;
    }
    /* let the smaller one be walked */
    if (PyDictViewSet_Check(other) && view_len(other) > view_len(self)) {
        PyObject *tmp = other;
        other = self;
        self = tmp;
    }
    Py_ssize_t len_self = view_len(self);
    /* a set that is bigger can do it alone */
    if (PySet_CheckExact(other) && PyObject_Size(other) >= len_self) {
        return PyObject_CallMethodOneArg(other, KR_ID(intersection), self);
    }
    PyObject *it = PyObject_GetIter(other);
    if (it == NULL) {
        return NULL;
    }
    PyObject *result = PySet_New(NULL);
    int (*contains)(PyObject *, PyObject *) =
        PyDictKeys_Check(self) ? keys_contains : items_contains;
    PyObject *key;
    while (result != NULL && (key = PyIter_Next(it)) != NULL) {
        int found = contains(self, key);
        if (found > 0) {
            found = PySet_Add(result, key);
        }
        Py_DECREF(key);
        if (found < 0) {
            break;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
view_or(PyObject *self, PyObject *other)
{
    PyObject *result = view_to_set(self);
    if (result != NULL && _PySet_Update(result, other) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
view_xor(PyObject *self, PyObject *other)
{
    PyObject *result = view_to_set(self);
    if (result == NULL) {
        return NULL;
    }
    PyObject *tmp = PyObject_CallMethodOneArg(
        result, KR_ID(symmetric_difference_update), other);
    if (tmp == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    Py_DECREF(tmp);
    return result;
}

static PyObject *
view_isdisjoint(PyObject *self, PyObject *other)
{
    if (self == other) {
        return PyBool_FromLong(view_len(self) == 0);
    }
    /* let the smaller one be walked */
    if (PyAnySet_CheckExact(other) || PyDictViewSet_Check(other)) {
        Py_ssize_t len_other = PyObject_Size(other);
        if (len_other == -1) {
            return NULL;
        }
        if (len_other > view_len(self)) {
            PyObject *tmp = other;
            other = self;
            self = tmp;
        }
    }
    PyObject *it = PyObject_GetIter(other), *item;
    if (it == NULL) {
        return NULL;
    }
    while ((item = PyIter_Next(it)) != NULL) {
        int found = PySequence_Contains(self, item);
        Py_DECREF(item);
        if (found != 0) {
            Py_DECREF(it);
            return found < 0 ? NULL : Py_NewRef(Py_False);
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_True);
}

static PyNumberMethods view_as_number = {
    .nb_subtract = view_sub,
    .nb_and = _PyDictView_Intersect,
    .nb_xor = view_xor,
    .nb_or = view_or,
};

#define VIEW_ITER(name, type)                                                  \
    static PyObject *name(PyObject *self)                                      \
    {                                                                          \
        PyDictObject *d = VIEW(self)->dv_dict;                                 \
        if (d == NULL) {                                                       \
            Py_RETURN_NONE;                                                    \
        }                                                                      \
        return kr_dict_iter_new(d, &type);                                     \
    }

VIEW_ITER(keys_iter, PyDictIterKey_Type)
VIEW_ITER(values_iter, PyDictIterValue_Type)
VIEW_ITER(items_iter, PyDictIterItem_Type)
VIEW_ITER(keys_reviter, PyDictRevIterKey_Type)
VIEW_ITER(values_reviter, PyDictRevIterValue_Type)
VIEW_ITER(items_reviter, PyDictRevIterItem_Type)

static PyObject *
keys_reversed(PyObject *self, PyObject *ignored)
{
    return keys_reviter(self);
}

static PyObject *
values_reversed(PyObject *self, PyObject *ignored)
{
    return values_reviter(self);
}

static PyObject *
items_reversed(PyObject *self, PyObject *ignored)
{
    return items_reviter(self);
}

static int
items_contains(PyObject *self, PyObject *obj)
{
    PyDictObject *d = VIEW(self)->dv_dict;
    if (d == NULL || !PyTuple_Check(obj) || PyTuple_GET_SIZE(obj) != 2) {
        return 0;
    }
    PyObject *found;
    int had = kr_dict_get_ref((PyObject *)d, PyTuple_GET_ITEM(obj, 0), &found);
    if (had <= 0) {
        return had;
    }
    int eq = PyObject_RichCompareBool(found, PyTuple_GET_ITEM(obj, 1), Py_EQ);
    Py_DECREF(found);
    return eq;
}

static PyMethodDef keys_methods[] = {
    {"isdisjoint", view_isdisjoint, METH_O,
     "Whether the view and an iterable have nothing in common."},
    {"__reversed__", keys_reversed, METH_NOARGS,
     "An iterator over the keys, last first."},
    {NULL},
};

static PyMethodDef values_methods[] = {
    {"__reversed__", values_reversed, METH_NOARGS,
     "An iterator over the values, last first."},
    {NULL},
};

static PyMethodDef items_methods[] = {
    {"isdisjoint", view_isdisjoint, METH_O,
     "Whether the view and an iterable have nothing in common."},
    {"__reversed__", items_reversed, METH_NOARGS,
     "An iterator over the pairs, last first."},
    {NULL},
};

static PySequenceMethods keys_as_sequence = {
    .sq_length = view_len,
    .sq_contains = keys_contains,
};

static PySequenceMethods items_as_sequence = {
    .sq_length = view_len,
    .sq_contains = items_contains,
};

static PySequenceMethods values_as_sequence = {.sq_length = view_len};

#define VIEW_TYPE(type, name, short_name, number, compare)                     \
    PyTypeObject type = {                                                      \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = name,                                                       \
        .tp_basicsize = sizeof(_PyDictViewObject),                             \
        .tp_dealloc = view_dealloc,                                            \
        .tp_repr = view_repr,                                                  \
        .tp_as_number = number,                                                \
        .tp_as_sequence = &short_name##_as_sequence,                           \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = view_traverse,                                          \
        .tp_richcompare = compare,                                             \
        .tp_iter = short_name##_iter,                                          \
        .tp_methods = short_name##_methods,                                    \
        .tp_getset = view_getset,                                              \
    }

VIEW_TYPE(PyDictKeys_Type, "dict_keys", keys, &view_as_number,
          view_richcompare);
VIEW_TYPE(PyDictItems_Type, "dict_items", items, &view_as_number,
          view_richcompare);
VIEW_TYPE(PyDictValues_Type, "dict_values", values, NULL, NULL);
