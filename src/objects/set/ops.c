/* Set algebra, comparisons, methods and the iterator of sets. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/immortal.h"
#include "objects/iter.h"
#include "objects/set/set_internal.h"

#define SO(op) ((PySetObject *)(op))

/* ---- iterator */

typedef struct {
    PyObject_HEAD
    PySetObject *set; /* NULL when exhausted */
    Py_ssize_t used;
    Py_ssize_t pos;
    Py_ssize_t len;
} set_iterator;

PyObject *
kr_set_iter(PyObject *so)
{
    set_iterator *si = PyObject_GC_New(set_iterator, &PySetIter_Type);
    if (si == NULL) {
        return NULL;
    }
    si->set = SO(Py_NewRef(so));
    si->used = SO(so)->used;
    si->pos = 0;
    si->len = SO(so)->used;
    kr_gc_track((PyObject *)si);
    return (PyObject *)si;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((set_iterator *)self)->set);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((set_iterator *)self)->set);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    set_iterator *si = (set_iterator *)self;
    PySetObject *so = si->set;
    if (so == NULL) {
        return NULL;
    }
    if (si->used != so->used) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Set changed size during iteration");
        si->used = -1; /* for good */
        return NULL;
    }
    setentry *entry;
    if (kr_set_next(so, &si->pos, &entry)) {
        si->len--;
        return Py_NewRef(entry->key);
    }
    si->set = NULL;
    Py_DECREF(so);
    return NULL;
}

static PyObject *
iter_len(PyObject *self, PyObject *ignored)
{
    set_iterator *si = (set_iterator *)self;
    bool valid = si->set != NULL && si->used == si->set->used;
    return PyLong_FromSsize_t(valid ? si->len : 0);
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    set_iterator tmp = *(set_iterator *)self;
    Py_XINCREF(tmp.set);
    PyObject *res = kr_iter_reduce_as_list((PyObject *)&tmp);
    Py_XDECREF(tmp.set);
    return res;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL},
};

PyTypeObject PySetIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "set_iterator",
    .tp_basicsize = sizeof(set_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/* ---- union and copy */

static PyObject *
set_copy(PyObject *so, PyObject *ignored)
{
    return kr_set_make_base(Py_TYPE(so), so);
}

static PyObject *
frozenset_copy(PyObject *so, PyObject *ignored)
{
    return PyFrozenSet_CheckExact(so) ? Py_NewRef(so) : set_copy(so, NULL);
}

static PyObject *
set_clear_method(PyObject *so, PyObject *ignored)
{
    kr_set_clear_all(SO(so));
    Py_RETURN_NONE;
}

static PyObject *
set_update_method(PyObject *so, PyObject *args)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (kr_set_update(SO(so), PyTuple_GET_ITEM(args, i)) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
set_union(PyObject *so, PyObject *args)
{
    PyObject *result = kr_set_make_base(Py_TYPE(so), so);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *other = PyTuple_GET_ITEM(args, i);
        if (other != so && kr_set_update(SO(result), other) < 0) {
            Py_DECREF(result);
            return NULL;
        }
    }
    return result;
}

static PyObject *
set_or(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(so) || !PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result = kr_set_make_base(Py_TYPE(so), so);
    if (result != NULL && so != other && kr_set_update(SO(result), other) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
set_ior(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return kr_set_update(SO(so), other) < 0 ? NULL : Py_NewRef(so);
}

/* ---- intersection */

static PyObject *
intersection(PyObject *so, PyObject *other)
{
    if (so == other) {
        return kr_set_make_base(Py_TYPE(so), so);
    }
    PyObject *result = kr_set_make_base(Py_TYPE(so), NULL);
    if (result == NULL) {
        return NULL;
    }
    if (PyAnySet_Check(other)) {
        if (SO(other)->used > SO(so)->used) {
            PyObject *t = so;
            so = other;
            other = t;
        }
        setentry *entry;
        for (Py_ssize_t pos = 0; kr_set_next(SO(other), &pos, &entry);) {
            PyObject *key = Py_NewRef(entry->key);
            Py_hash_t hash = entry->hash;
            int found = kr_set_contains_hash(SO(so), key, hash);
            if (found > 0) {
                found = kr_set_add_hash(SO(result), key, hash);
            }
            Py_DECREF(key);
            if (found < 0) {
                Py_DECREF(result);
                return NULL;
            }
        }
        return result;
    }
    PyObject *it = PyObject_GetIter(other), *key;
    if (it == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        Py_hash_t hash = set_key_hash(key);
        int found = hash == -1 ? -1 : kr_set_contains_hash(SO(so), key, hash);
        if (found > 0) {
            found = kr_set_add_hash(SO(result), key, hash);
        }
        Py_DECREF(key);
        if (found < 0) {
            break;
        }
        if (SO(result)->used >= SO(so)->used) {
            break; /* it has everything already */
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
set_intersection(PyObject *so, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        return set_copy(so, NULL);
    }
    PyObject *result = Py_NewRef(so);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        Py_SETREF(result, intersection(result, PyTuple_GET_ITEM(args, i)));
        if (result == NULL) {
            return NULL;
        }
    }
    return result;
}

/* Gives so the items of `tmp`, which it takes over: -1 if that is NULL. */
static int
replace_items(PyObject *so, PyObject *tmp)
{
    if (tmp == NULL) {
        return -1;
    }
    kr_set_swap(SO(so), SO(tmp));
    Py_DECREF(tmp);
    return 0;
}

static PyObject *
set_intersection_update(PyObject *so, PyObject *args)
{
    int err = replace_items(so, set_intersection(so, args));
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
set_and(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(so) || !PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return intersection(so, other);
}

static PyObject *
set_iand(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int err = replace_items(so, intersection(so, other));
    return err < 0 ? NULL : Py_NewRef(so);
}

static PyObject *
set_isdisjoint(PyObject *so, PyObject *other)
{
    if (so == other) {
        return PyBool_FromLong(SO(so)->used == 0);
    }
    if (PyAnySet_CheckExact(other)) {
        if (SO(other)->used > SO(so)->used) {
            PyObject *t = so;
            so = other;
            other = t;
        }
        setentry *entry;
        for (Py_ssize_t pos = 0; kr_set_next(SO(other), &pos, &entry);) {
            PyObject *key = Py_NewRef(entry->key);
            int found = kr_set_contains_hash(SO(so), key, entry->hash);
            Py_DECREF(key);
            if (found != 0) {
                return found < 0 ? NULL : Py_NewRef(Py_False);
            }
        }
        Py_RETURN_TRUE;
    }
    PyObject *it = PyObject_GetIter(other), *key;
    if (it == NULL) {
        return NULL;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        int found = kr_set_contains_key(SO(so), key);
        Py_DECREF(key);
        if (found != 0) {
            Py_DECREF(it);
            return found < 0 ? NULL : Py_NewRef(Py_False);
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_True);
}

/* ---- difference */

static int
difference_update(PySetObject *so, PyObject *other)
{
    if ((PyObject *)so == other) {
        return kr_set_clear_all(so);
    }
    if (PyAnySet_Check(other)) {
        /* walk the smaller of both */
        if (SO(other)->used >> 3 > so->used) {
            PyObject *tmp = intersection((PyObject *)so, other);
            if (tmp == NULL) {
                return -1;
            }
            int err = difference_update(so, tmp);
            Py_DECREF(tmp);
            return err;
        }
        Py_INCREF(other);
        setentry *entry;
        for (Py_ssize_t pos = 0; kr_set_next(SO(other), &pos, &entry);) {
            PyObject *key = Py_NewRef(entry->key);
            int err = kr_set_discard_hash(so, key, entry->hash);
            Py_DECREF(key);
            if (err < 0) {
                Py_DECREF(other);
                return -1;
            }
        }
        Py_DECREF(other);
    }
    else {
        PyObject *it = PyObject_GetIter(other), *key;
        if (it == NULL) {
            return -1;
        }
        while ((key = PyIter_Next(it)) != NULL) {
            int err = kr_set_discard_key(so, key);
            Py_DECREF(key);
            if (err < 0) {
                break;
            }
        }
        Py_DECREF(it);
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    /* many dummies slow searches down */
    if ((size_t)(so->fill - so->used) <= (size_t)so->mask / 5) {
        return 0;
    }
    return kr_set_resize(so, so->used > 50000 ? so->used * 2 : so->used * 4);
}

static PyObject *
difference(PyObject *so, PyObject *other)
{
    bool set = PyAnySet_Check(other);
    if ((!set && !PyDict_CheckExact(other))
        || (SO(so)->used >> 2)
               > (set ? SO(other)->used : PyDict_GET_SIZE(other))) {
        PyObject *result = kr_set_make_base(Py_TYPE(so), so);
        if (result != NULL && difference_update(SO(result), other) < 0) {
            Py_CLEAR(result);
        }
        return result;
    }
    PyObject *result = kr_set_make_base(Py_TYPE(so), NULL);
    if (result == NULL) {
        return NULL;
    }
    setentry *entry;
    for (Py_ssize_t pos = 0; kr_set_next(SO(so), &pos, &entry);) {
        PyObject *key = Py_NewRef(entry->key);
        Py_hash_t hash = entry->hash;
        int found = set ? kr_set_contains_hash(SO(other), key, hash)
                        : _PyDict_Contains_KnownHash(other, key, hash);
        if (found == 0) {
            found = kr_set_add_hash(SO(result), key, hash);
        }
        Py_DECREF(key);
        if (found < 0) {
            Py_DECREF(result);
            return NULL;
        }
    }
    return result;
}

static PyObject *
set_difference(PyObject *so, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        return set_copy(so, NULL);
    }
    PyObject *result = difference(so, PyTuple_GET_ITEM(args, 0));
    for (Py_ssize_t i = 1; result != NULL && i < PyTuple_GET_SIZE(args);
         i++) {
        if (difference_update(SO(result), PyTuple_GET_ITEM(args, i)) < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

static PyObject *
set_difference_update(PyObject *so, PyObject *args)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (difference_update(SO(so), PyTuple_GET_ITEM(args, i)) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
set_sub(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(so) || !PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return difference(so, other);
}

static PyObject *
set_isub(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return difference_update(SO(so), other) < 0 ? NULL : Py_NewRef(so);
}

/* ---- symmetric difference */

static int
toggle(PySetObject *so, PyObject *key, Py_hash_t hash)
{
    Py_INCREF(key);
    int had = kr_set_discard_hash(so, key, hash);
    if (had == 0) {
        had = kr_set_add_hash(so, key, hash);
    }
    Py_DECREF(key);
    return had < 0 ? -1 : 0;
}

static int
symmetric_difference_update(PyObject *so, PyObject *other)
{
    if (so == other) {
        return kr_set_clear_all(SO(so));
    }
    if (PyDict_CheckExact(other)) {
        Py_ssize_t pos = 0;
        PyObject *key, *value;
        Py_hash_t hash;
        while (_PyDict_Next(other, &pos, &key, &value, &hash)) {
            if (toggle(SO(so), key, hash) < 0) {
                return -1;
            }
        }
        return 0;
    }
    PyObject *otherset = PyAnySet_Check(other)
                             ? Py_NewRef(other)
                             : kr_set_make_base(Py_TYPE(so), other);
    if (otherset == NULL) {
        return -1;
    }
    setentry *entry;
    for (Py_ssize_t pos = 0; kr_set_next(SO(otherset), &pos, &entry);) {
        if (toggle(SO(so), entry->key, entry->hash) < 0) {
            Py_DECREF(otherset);
            return -1;
        }
    }
    Py_DECREF(otherset);
    return 0;
}

static PyObject *
set_symmetric_difference_update(PyObject *so, PyObject *other)
{
    int err = symmetric_difference_update(so, other);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
set_symmetric_difference(PyObject *so, PyObject *other)
{
    PyObject *result = kr_set_make_base(Py_TYPE(so), other);
    if (result != NULL && symmetric_difference_update(result, so) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
set_xor(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(so) || !PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return set_symmetric_difference(so, other);
}

static PyObject *
set_ixor(PyObject *so, PyObject *other)
{
    if (!PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int err = symmetric_difference_update(so, other);
    return err < 0 ? NULL : Py_NewRef(so);
}

/* ---- comparisons */

static int
is_subset(PyObject *so, PyObject *other)
{
    if (SO(so)->used > SO(other)->used) {
        return 0;
    }
    setentry *entry;
    for (Py_ssize_t pos = 0; kr_set_next(SO(so), &pos, &entry);) {
        PyObject *key = Py_NewRef(entry->key);
        int found = kr_set_contains_hash(SO(other), key, entry->hash);
        Py_DECREF(key);
        if (found <= 0) {
            return found;
        }
    }
    return 1;
}

static PyObject *
set_issubset(PyObject *so, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        int yes = is_subset(so, other);
        return yes < 0 ? NULL : PyBool_FromLong(yes);
    }
    PyObject *tmp = intersection(so, other);
    if (tmp == NULL) {
        return NULL;
    }
    int yes = SO(tmp)->used == SO(so)->used;
    Py_DECREF(tmp);
    return PyBool_FromLong(yes);
}

static PyObject *
set_issuperset(PyObject *so, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        return set_issubset(other, so);
    }
    PyObject *it = PyObject_GetIter(other), *key;
    if (it == NULL) {
        return NULL;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        int found = kr_set_contains_key(SO(so), key);
        Py_DECREF(key);
        if (found <= 0) {
            Py_DECREF(it);
            return found < 0 ? NULL : Py_NewRef(Py_False);
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_True);
}

PyObject *
kr_set_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PyAnySet_Check(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PySetObject *a = SO(v), *b = SO(w);
    int yes;
    switch (op) {
    case Py_EQ:
    case Py_NE:
        yes = a->used == b->used
              && (a->hash == -1 || b->hash == -1 || a->hash == b->hash);
        if (yes && (yes = is_subset(v, w)) < 0) {
            return NULL;
        }
        return PyBool_FromLong(yes == (op == Py_EQ));
    case Py_LE:
        return set_issubset(v, w);
    case Py_GE:
        return set_issuperset(v, w);
    case Py_LT:
        if (a->used >= b->used) {
            Py_RETURN_FALSE;
        }
        return set_issubset(v, w);
    default:
        if (a->used <= b->used) {
            Py_RETURN_FALSE;
        }
        return set_issuperset(v, w);
    }
}

/* ---- single items */

static PyObject *
set_add(PyObject *so, PyObject *key)
{
    if (kr_set_add_key(SO(so), key) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
set_direct_contains(PyObject *so, PyObject *key)
{
    int found = kr_set_contains_any(SO(so), key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

/* Discards a key; a set stands for a frozenset. 1, 0 if missing, -1. */
static int
discard(PySetObject *so, PyObject *key)
{
    int had = kr_set_discard_key(so, key);
    if (had >= 0 || !PySet_Check(key)
        || !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return had;
    }
    PyErr_Clear();
    PyObject *tmp = kr_set_make(&PyFrozenSet_Type, key);
    if (tmp == NULL) {
        return -1;
    }
    had = kr_set_discard_key(so, tmp);
    Py_DECREF(tmp);
    return had;
}

static PyObject *
set_remove(PyObject *so, PyObject *key)
{
    int had = discard(SO(so), key);
    if (had < 0) {
        return NULL;
    }
    if (had == 0) {
        _PyErr_SetKeyError(key);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
set_discard(PyObject *so, PyObject *key)
{
    if (discard(SO(so), key) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
set_pop(PyObject *so, PyObject *ignored)
{
    return PySet_Pop(so);
}

static PyObject *
set_reduce(PyObject *so, PyObject *ignored)
{
    PyObject *keys = PySequence_List(so);
    PyObject *args = keys == NULL ? NULL : PyTuple_Pack(1, keys);
    PyObject *state = args == NULL ? NULL : _PyObject_GetState(so);
    PyObject *result =
        state == NULL ? NULL : PyTuple_Pack(3, Py_TYPE(so), args, state);
    Py_XDECREF(keys);
    Py_XDECREF(args);
    Py_XDECREF(state);
    return result;
}

static PyObject *
set_sizeof(PyObject *so, PyObject *ignored)
{
    Py_ssize_t size = _PyObject_SIZE(Py_TYPE(so));
    if (SO(so)->table != SO(so)->smalltable) {
        size += (SO(so)->mask + 1) * (Py_ssize_t)sizeof(setentry);
    }
    return PyLong_FromSsize_t(size);
}

#define METHODS_OF_BOTH(copy)                                                  \
    {"__contains__", set_direct_contains, METH_O | METH_COEXIST,               \
     "x.__contains__(y) <==> y in x."},                                        \
        {"copy", copy, METH_NOARGS, "Return a shallow copy of a set."},        \
        {"difference", set_difference, METH_VARARGS,                           \
         "A new set with the elements that are in none of the others."},       \
        {"intersection", set_intersection, METH_VARARGS,                       \
         "A new set with the elements that are in all sets."},                 \
        {"isdisjoint", set_isdisjoint, METH_O,                                 \
         "Whether two sets have no element in common."},                       \
        {"issubset", set_issubset, METH_O,                                     \
         "Whether another set contains this set."},                            \
        {"issuperset", set_issuperset, METH_O,                                 \
         "Whether this set contains another set."},                            \
        {"__reduce__", set_reduce, METH_NOARGS,                                \
         "Return state information for pickling."},                            \
        {"__sizeof__", set_sizeof, METH_NOARGS,                                \
         "S.__sizeof__() -> size of S in memory, in bytes"},                   \
        {"symmetric_difference", set_symmetric_difference, METH_O,             \
         "A new set with the elements that are in exactly one of two sets."},  \
        {"union", set_union, METH_VARARGS,                                     \
         "A new set with the elements that are in any of the sets."},          \
        {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,            \
         "See PEP 585"}

PyMethodDef kr_set_methods[] = {
    METHODS_OF_BOTH(set_copy),
    {"add", set_add, METH_O,
     "Add an element to a set.\n\nThis has no effect if it is there already."},
    {"clear", set_clear_method, METH_NOARGS,
     "Remove all elements from this set."},
    {"discard", set_discard, METH_O,
     "Remove an element from a set if it is a member."},
    {"difference_update", set_difference_update, METH_VARARGS,
     "Remove all elements of other sets from this set."},
    {"intersection_update", set_intersection_update, METH_VARARGS,
     "Keep only the elements that are in all other sets too."},
    {"pop", set_pop, METH_NOARGS,
     "Remove and return an arbitrary set element.\n"
     "Raises KeyError if the set is empty."},
    {"remove", set_remove, METH_O,
     "Remove an element from a set.\n\nRaises KeyError if it is no member."},
    {"symmetric_difference_update", set_symmetric_difference_update, METH_O,
     "Keep what is in exactly one of this set and another."},
    {"update", set_update_method, METH_VARARGS,
     "Add all elements of other sets."},
    {NULL},
};

PyMethodDef kr_frozenset_methods[] = {METHODS_OF_BOTH(frozenset_copy), {NULL}};

PyNumberMethods kr_set_as_number = {
    .nb_subtract = set_sub,
    .nb_and = set_and,
    .nb_xor = set_xor,
    .nb_or = set_or,
    .nb_inplace_subtract = set_isub,
    .nb_inplace_and = set_iand,
    .nb_inplace_xor = set_ixor,
    .nb_inplace_or = set_ior,
};

PyNumberMethods kr_frozenset_as_number = {
    .nb_subtract = set_sub,
    .nb_and = set_and,
    .nb_xor = set_xor,
    .nb_or = set_or,
};
