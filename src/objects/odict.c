/* collections.OrderedDict.
 *
 * The dict keeps the order; what this type adds are the methods that change
 * it, order-sensitive equality, and calls of overridden methods where the
 * reference makes them. `state` changes with every change of the set of keys
 * or their order, so that iterators notice. */
#include <Python.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/dict.h"
#include "objects/ids.h"
#include "objects/unpack.h"
#include "objects/immortal.h"
#include "objects/iter.h"

struct _odictobject {
    PyDictObject od_dict;
    void *reserved[3];
    size_t state;
    void *reserved_too[2];
    PyObject *inst_dict;
    PyObject *weakreflist;
};

#define OD(op) ((struct _odictobject *)(op))
#define DICT(op) ((PyDictObject *)(op))

/* ---- C interface */

PyObject *
PyODict_New(void)
{
    return PyDict_Type.tp_new(&PyODict_Type, NULL, NULL);
}

int
PyODict_SetItem(PyObject *od, PyObject *key, PyObject *value)
{
    Py_ssize_t before = PyDict_GET_SIZE(od);
    int err = PyDict_SetItem(od, key, value);
    OD(od)->state += PyDict_GET_SIZE(od) != before;
    return err;
}

int
PyODict_DelItem(PyObject *od, PyObject *key)
{
    OD(od)->state++;
    return PyDict_DelItem(od, key);
}

/* ---- views and iterators */

enum { KEYS = 1, VALUES = 2, ITEMS = 3 };

typedef struct {
    PyObject_HEAD
    int kind;
    int reversed;
    PyObject *od; /* NULL when exhausted */
    Py_ssize_t size;
    size_t state;
    Py_ssize_t pos;
    PyObject *unused;
} odict_iterator;

#define IT(op) ((odict_iterator *)(op))

static PyObject *
iter_make(PyObject *od, int kind, int reversed)
{
    odict_iterator *di = PyObject_GC_New(odict_iterator, &PyODictIter_Type);
    if (di == NULL) {
        return NULL;
    }
    di->kind = kind;
    di->reversed = reversed;
    di->od = Py_NewRef(od);
    di->size = PyDict_GET_SIZE(od);
    di->state = OD(od)->state;
    di->pos = reversed ? DICT(od)->ma_keys->nentries : 0;
    di->unused = NULL;
    kr_gc_track((PyObject *)di);
    return (PyObject *)di;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(IT(self)->od);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(IT(self)->od);
    return 0;
}

/* The next key, borrowed. */
static PyObject *
iter_step(odict_iterator *di)
{
    PyObject *key;
    if (!di->reversed) {
        return PyDict_Next(di->od, &di->pos, &key, NULL) ? key : NULL;
    }
    PyDictObject *d = DICT(di->od);
    if (di->pos > d->ma_keys->nentries) {
        di->pos = d->ma_keys->nentries;
    }
    while (--di->pos >= 0) {
        if (kr_dict_entry_value(d, di->pos) != NULL) {
            return kr_dict_entry_key(d, di->pos);
        }
    }
    return NULL;
}

static PyObject *
iter_next(PyObject *self)
{
    odict_iterator *di = IT(self);
    if (di->od == NULL) {
        return NULL;
    }
    if (di->state != OD(di->od)->state) {
        PyErr_SetString(PyExc_RuntimeError,
                        "OrderedDict mutated during iteration");
        Py_CLEAR(di->od);
        return NULL;
    }
    if (di->size != PyDict_GET_SIZE(di->od)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "OrderedDict changed size during iteration");
        di->size = -1;
        return NULL;
    }
    PyObject *key = iter_step(di);
    if (key == NULL) {
        Py_CLEAR(di->od);
        return NULL;
    }
    Py_INCREF(key);
    if (di->kind == KEYS) {
        return key;
    }
    PyObject *value = PyODict_GetItemWithError(di->od, key);
    if (value == NULL) {
        if (!PyErr_Occurred()) {
            _PyErr_SetKeyError(key);
        }
        Py_DECREF(key);
        return NULL;
    }
    Py_INCREF(value);
    if (di->kind == VALUES) {
        Py_DECREF(key);
        return value;
    }
    PyObject *pair = PyTuple_Pack(2, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return pair;
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    odict_iterator tmp = *IT(self);
    Py_XINCREF(tmp.od);
    PyObject *res = kr_iter_reduce_as_list((PyObject *)&tmp);
    Py_XDECREF(tmp.od);
    return res;
}

static PyMethodDef iter_methods[] = {
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling"},
    {NULL},
};

PyTypeObject PyODictIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "odict_iterator",
    .tp_basicsize = sizeof(odict_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

#define VIEW(prefix, type, text, base, what)                                   \
    static PyObject *prefix##_iter(PyObject *view)                             \
    {                                                                          \
        PyDictObject *d = ((_PyDictViewObject *)view)->dv_dict;                \
        if (d == NULL) {                                                       \
            Py_RETURN_NONE;                                                    \
        }                                                                      \
        return iter_make((PyObject *)d, what, 0);                              \
    }                                                                          \
    static PyObject *prefix##_reversed(PyObject *view, PyObject *ignored)      \
    {                                                                          \
        PyDictObject *d = ((_PyDictViewObject *)view)->dv_dict;                \
        if (d == NULL) {                                                       \
            Py_RETURN_NONE;                                                    \
        }                                                                      \
        return iter_make((PyObject *)d, what, 1);                              \
    }                                                                          \
    static PyMethodDef prefix##_methods[] = {                                  \
        {"__reversed__", prefix##_reversed, METH_NOARGS, NULL},                \
        {NULL},                                                                \
    };                                                                         \
    PyTypeObject type = {                                                      \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = text,                                                       \
        .tp_basicsize = sizeof(_PyDictViewObject),                             \
        /* the GC flag comes from the base */                                  \
        .tp_flags = Py_TPFLAGS_DEFAULT,                                        \
        .tp_iter = prefix##_iter,                                              \
        .tp_methods = prefix##_methods,                                        \
        .tp_base = &base,                                                      \
    };                                                                         \
    static PyObject *odict_##prefix(PyObject *od, PyObject *ignored)           \
    {                                                                          \
        return kr_dict_view_new(od, &type);                                    \
    }

VIEW(keys, PyODictKeys_Type, "odict_keys", PyDictKeys_Type, KEYS)
VIEW(values, PyODictValues_Type, "odict_values", PyDictValues_Type, VALUES)
VIEW(items, PyODictItems_Type, "odict_items", PyDictItems_Type, ITEMS)

static PyObject *
odict_iter(PyObject *od)
{
    return iter_make(od, KEYS, 0);
}

static PyObject *
odict_reversed(PyObject *od, PyObject *ignored)
{
    return iter_make(od, KEYS, 1);
}

/* ---- updating through the methods of a mapping */

static int
set_pair(PyObject *self, PyObject *pair)
{
    PyObject *it = PyObject_GetIter(pair), *item[3] = {NULL, NULL, NULL};
    if (it == NULL) {
        return -1;
    }
    Py_ssize_t n = 0;
    while (n < 3 && (item[n] = PyIter_Next(it)) != NULL) {
        n++;
    }
    int err = -1;
    if (n == 2 && !PyErr_Occurred()) {
        err = PyObject_SetItem(self, item[0], item[1]);
    }
    else if (!PyErr_Occurred()) {
        if (n < 2) {
            PyErr_Format(PyExc_ValueError,
                         "need more than %zd value%s to unpack", n,
                         n == 1 ? "" : "s");
        }
        else {
            PyErr_SetString(PyExc_ValueError,
                            "too many values to unpack (expected 2)");
        }
    }
    Py_DECREF(it);
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(item[i]);
    }
    return err;
}

static int
set_pairs(PyObject *self, PyObject *pairs)
{
    PyObject *it = PyObject_GetIter(pairs), *pair;
    if (it == NULL) {
        return -1;
    }
    while ((pair = PyIter_Next(it)) != NULL) {
        int err = set_pair(self, pair);
        Py_DECREF(pair);
        if (err < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

/* Calls a method of the argument: 1 and the result, 0 if there is none, -1. */
static int
call_if_there(PyObject *arg, PyObject *name, PyObject **result)
{
    PyObject *func;
    int found = _PyObject_LookupAttr(arg, name, &func);
    if (found <= 0) {
        return found;
    }
    *result = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    return *result == NULL ? -1 : 1;
}

static int
update_arg(PyObject *self, PyObject *arg)
{
    PyObject *list = NULL, *key;
    if (PyDict_CheckExact(arg)) {
        list = PyDict_Items(arg);
        int err = list == NULL ? -1 : set_pairs(self, list);
        Py_XDECREF(list);
        return err;
    }
    int found = call_if_there(arg, KR_ID(keys), &list);
    if (found < 0) {
        return -1;
    }
    if (found) {
        PyObject *it = PyObject_GetIter(list);
        Py_DECREF(list);
        if (it == NULL) {
            return -1;
        }
        while ((key = PyIter_Next(it)) != NULL) {
            PyObject *value = PyObject_GetItem(arg, key);
            int err = value == NULL ? -1 : PyObject_SetItem(self, key, value);
            Py_XDECREF(value);
            Py_DECREF(key);
            if (err < 0) {
                break;
            }
        }
        Py_DECREF(it);
        return PyErr_Occurred() ? -1 : 0;
    }
    found = call_if_there(arg, KR_ID(items), &list);
    if (found < 0) {
        return -1;
    }
    int err = set_pairs(self, found ? list : arg);
    Py_XDECREF(list);
    return err;
}

static int
update_all(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (args != NULL && PyTuple_GET_SIZE(args) == 1) {
        PyObject *other = Py_NewRef(PyTuple_GET_ITEM(args, 0));
        int err = update_arg(self, other);
        Py_DECREF(other);
        if (err < 0) {
            return -1;
        }
    }
    if (kwds == NULL) {
        return 0;
    }
    return PyArg_ValidateKeywordArguments(kwds) ? update_arg(self, kwds) : -1;
}

static int
odict_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (args != NULL && PyTuple_GET_SIZE(args) > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 arguments, got %zd",
                     PyTuple_GET_SIZE(args));
        return -1;
    }
    return update_all(self, args, kwds);
}

static PyObject *
odict_update(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) > 1) {
        return PyErr_Format(PyExc_TypeError,
                            "update() takes at most 1 positional argument "
                            "(%zd given)",
                            PyTuple_GET_SIZE(args));
    }
    return update_all(self, args, kwds) < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- number slots */

static PyObject *
odict_or(PyObject *left, PyObject *right)
{
    PyTypeObject *type = Py_TYPE(left);
    PyObject *other = right;
    if (!PyODict_Check(left)) {
        type = Py_TYPE(right);
        other = left;
    }
    if (!PyDict_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *res = PyObject_CallOneArg((PyObject *)type, left);
    if (res != NULL && update_arg(res, right) < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
odict_ior(PyObject *self, PyObject *other)
{
    return update_arg(self, other) < 0 ? NULL : Py_NewRef(self);
}

static int
odict_ass_sub(PyObject *od, PyObject *key, PyObject *value)
{
    return value == NULL ? PyODict_DelItem(od, key)
                         : PyODict_SetItem(od, key, value);
}

/* ---- methods */

static PyObject *
odict_fromkeys(PyObject *type, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const keywords[] = {"iterable", "value", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "fromkeys"};
    PyObject *buf[2];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    return args == NULL ? NULL
                        : _PyDict_FromKeys(type, args[0],
                                           args[1] ? args[1] : Py_None);
}

static PyObject *
odict_sizeof(PyObject *od, PyObject *ignored)
{
    return PyLong_FromSsize_t(_PyDict_SizeOf(DICT(od)));
}

static PyObject *
odict_reduce(PyObject *od, PyObject *ignored)
{
    PyObject *state = _PyObject_GetState(od);
    PyObject *items =
        state ? PyObject_CallMethodNoArgs(od, KR_ID(items)) : NULL;
    PyObject *it = items ? PyObject_GetIter(items) : NULL;
    Py_XDECREF(items);
    if (it == NULL) {
        Py_XDECREF(state);
        return NULL;
    }
    return Py_BuildValue("O()NON", Py_TYPE(od), state, Py_None, it);
}

static PyObject *
odict_setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "default", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "setdefault"};
    PyObject *buf[2], *result = NULL;
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    if (args == NULL) {
        return NULL;
    }
    PyObject *key = args[0], *deflt = args[1] ? args[1] : Py_None;
    if (PyODict_CheckExact(self)) {
        result = PyODict_GetItemWithError(self, key);
        if (result == NULL) {
            if (PyErr_Occurred() || PyODict_SetItem(self, key, deflt) < 0) {
                return NULL;
            }
            result = deflt;
        }
        return Py_NewRef(result);
    }
    int exists = PySequence_Contains(self, key);
    if (exists < 0) {
        return NULL;
    }
    if (exists) {
        return PyObject_GetItem(self, key);
    }
    return PyObject_SetItem(self, key, deflt) < 0 ? NULL : Py_NewRef(deflt);
}

static PyObject *
pop_key(PyObject *od, PyObject *key, PyObject *deflt)
{
    /* overridden item methods are not asked, as in the reference */
    Py_ssize_t before = PyDict_GET_SIZE(od);
    Py_hash_t hash = PyObject_Hash(key);
    PyObject *value =
        hash == -1 ? NULL
                   : _PyDict_Pop_KnownHash(od, key, hash, deflt ? deflt : od);
    bool found = PyDict_GET_SIZE(od) != before;
    OD(od)->state += found;
    if (value == od && deflt == NULL && !found) {
        Py_DECREF(value);
        PyErr_SetObject(PyExc_KeyError, key); /* a tuple is spread there */
        return NULL;
    }
    return value;
}

static PyObject *
odict_pop(PyObject *od, PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "default", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "pop"};
    PyObject *buf[2];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    return args == NULL ? NULL : pop_key(od, args[0], args[1]);
}

/* The only argument `last`, true by default: -1 with an exception. */
static int
parse_last(PyObject *arg)
{
    return arg == NULL ? 1 : PyObject_IsTrue(arg);
}

static PyObject *
odict_popitem(PyObject *od, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const keywords[] = {"last", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "popitem"};
    PyObject *buf[1], *key;
    Py_hash_t hash;
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 0, 1, buf,
                              1);
    int last = args == NULL ? -1 : parse_last(args[0]);
    if (last < 0) {
        return NULL;
    }
    if (PyDict_GET_SIZE(od) == 0) {
        PyErr_SetString(PyExc_KeyError, "dictionary is empty");
        return NULL;
    }
    kr_dict_end(DICT(od), last, &key, &hash);
    Py_INCREF(key);
    PyObject *value = pop_key(od, key, NULL), *item = NULL;
    if (value != NULL) {
        item = PyTuple_Pack(2, key, value);
        Py_DECREF(value);
    }
    Py_DECREF(key);
    return item;
}

static PyObject *
odict_clear(PyObject *od, PyObject *ignored)
{
    OD(od)->state++;
    PyDict_Clear(od);
    Py_RETURN_NONE;
}

static PyObject *
odict_copy(PyObject *od, PyObject *ignored)
{
    bool exact = PyODict_CheckExact(od);
    PyObject *copy = exact ? PyODict_New()
                           : PyObject_CallNoArgs((PyObject *)Py_TYPE(od));
    if (copy == NULL) {
        return NULL;
    }
    Py_ssize_t pos = 0, size = PyDict_GET_SIZE(od);
    size_t state = OD(od)->state;
    PyObject *key, *value;
    while (PyDict_Next(od, &pos, &key, &value)) {
        int err;
        Py_INCREF(key);
        if (exact) {
            value = PyODict_GetItemWithError(od, key);
            if (value == NULL && !PyErr_Occurred()) {
                _PyErr_SetKeyError(key);
            }
            Py_XINCREF(value);
            err = value == NULL ? -1 : PyODict_SetItem(copy, key, value);
        }
        else {
            value = PyObject_GetItem(od, key);
            err = value == NULL ? -1 : PyObject_SetItem(copy, key, value);
        }
        Py_XDECREF(value);
        Py_DECREF(key);
        if (err == 0 && state != OD(od)->state) {
            PyErr_SetString(PyExc_RuntimeError,
                            size != PyDict_GET_SIZE(od)
                                ? "OrderedDict changed size during iteration"
                                : "OrderedDict mutated during iteration");
            err = -1;
        }
        if (err < 0) {
            Py_DECREF(copy);
            return NULL;
        }
    }
    return copy;
}

static PyObject *
odict_move_to_end(PyObject *od, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "last", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "move_to_end"};
    PyObject *buf[2];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    int last = args == NULL ? -1 : parse_last(args[1]);
    if (last < 0) {
        return NULL;
    }
    if (PyDict_GET_SIZE(od) == 0) {
        PyErr_SetObject(PyExc_KeyError, args[0]);
        return NULL;
    }
    Py_hash_t hash = PyObject_Hash(args[0]);
    if (hash == -1 || kr_dict_move(DICT(od), args[0], hash, last) < 0) {
        return NULL;
    }
    OD(od)->state++;
    Py_RETURN_NONE;
}

/* ---- slots */

static void
odict_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(self, odict_dealloc)
    Py_CLEAR(OD(self)->inst_dict);
    if (OD(self)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    PyDict_Type.tp_dealloc(self);
    Py_TRASHCAN_END
}

static int
odict_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(OD(self)->inst_dict);
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int
odict_tp_clear(PyObject *self)
{
    Py_CLEAR(OD(self)->inst_dict);
    OD(self)->state++;
    PyDict_Clear(self);
    return 0;
}

/* Values are looked up by key, as everywhere here: a key whose hash has
 * changed is an error. */
static PyObject *
pairs_of(PyObject *self)
{
    PyObject *items = PyODict_CheckExact(self)
                          ? iter_make(self, ITEMS, 0)
                          : PyObject_CallMethodNoArgs(self, KR_ID(items));
    PyObject *list = items ? PySequence_List(items) : NULL;
    Py_XDECREF(items);
    return list;
}

static PyObject *
odict_repr(PyObject *self)
{
    const char *name = _PyType_Name(Py_TYPE(self));
    if (PyDict_GET_SIZE(self) == 0) {
        return PyUnicode_FromFormat("%s()", name);
    }
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *result = NULL, *pairs = pairs_of(self);
    if (pairs != NULL) {
        result = PyUnicode_FromFormat("%s(%R)", name, pairs);
        Py_DECREF(pairs);
    }
    Py_ReprLeave(self);
    return result;
}

/* Whether the keys are equal, one by one; -1 with an exception. */
static int
same_order(PyObject *a, PyObject *b)
{
    Py_ssize_t pa = 0, pb = 0, na = PyDict_GET_SIZE(a),
               nb = PyDict_GET_SIZE(b);
    size_t sa = OD(a)->state, sb = OD(b)->state;
    PyObject *ka, *kb;
    for (;;) {
        int more = PyDict_Next(a, &pa, &ka, NULL);
        if (more != PyDict_Next(b, &pb, &kb, NULL)) {
            return 0;
        }
        if (!more) {
            return 1;
        }
        Py_INCREF(ka);
        Py_INCREF(kb);
        int eq = PyObject_RichCompareBool(ka, kb, Py_EQ);
        Py_DECREF(ka);
        Py_DECREF(kb);
        if (eq <= 0) {
            return eq;
        }
        if (sa != OD(a)->state || sb != OD(b)->state
            || na != PyDict_GET_SIZE(a) || nb != PyDict_GET_SIZE(b)) {
            PyErr_SetString(PyExc_RuntimeError,
                            "OrderedDict mutated during iteration");
            return -1;
        }
    }
}

static PyObject *
odict_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PyODict_Check(v) || !PyDict_Check(w)
        || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *res = PyDict_Type.tp_richcompare(v, w, Py_EQ);
    if (res == NULL) {
        return NULL;
    }
    int eq = PyObject_IsTrue(res);
    Py_DECREF(res);
    if (eq > 0 && PyODict_Check(w)) {
        eq = same_order(v, w);
    }
    return eq < 0 ? NULL : PyBool_FromLong(eq == (op == Py_EQ));
}

#define FAST(name) (PyCFunction)(void *)name, METH_FASTCALL | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"fromkeys", (PyCFunction)(void *)odict_fromkeys,
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "fromkeys($type, /, iterable, value=None)\n--\n\n"
     "Create a new ordered dictionary with keys from iterable and values set "
     "to value."},
    {"__sizeof__", odict_sizeof, METH_NOARGS, ""},
    {"__reduce__", odict_reduce, METH_NOARGS,
     "Return state information for pickling"},
    {"setdefault", FAST(odict_setdefault),
     "setdefault($self, /, key, default=None)\n--\n\n"
     "Insert key with a value of default if key is not in the dictionary.\n\n"
     "Return the value for key if key is in the dictionary, else default."},
    {"pop", FAST(odict_pop),
     "pop($self, /, key, default=<unrepresentable>)\n--\n\n"
     "od.pop(key[,default]) -> v, remove a key and return its value.\n\n"
     "If the key is not found, return the default if given; otherwise,\n"
     "raise a KeyError."},
    {"popitem", FAST(odict_popitem),
     "popitem($self, /, last=True)\n--\n\n"
     "Remove and return a (key, value) pair from the dictionary.\n\n"
     "The last one if last is true, else the first one."},
    {"keys", odict_keys, METH_NOARGS, ""},
    {"values", odict_values, METH_NOARGS, ""},
    {"items", odict_items, METH_NOARGS, ""},
    {"update", (PyCFunction)(void *)odict_update,
     METH_VARARGS | METH_KEYWORDS,
     "od.update(E, **F) -> None.  Take over the items of E and F."},
    {"clear", odict_clear, METH_NOARGS,
     "od.clear() -> None.  Remove all items from od."},
    {"copy", odict_copy, METH_NOARGS, "od.copy() -> a shallow copy of od"},
    {"__reversed__", odict_reversed, METH_NOARGS,
     "od.__reversed__() <==> reversed(od)"},
    {"move_to_end", FAST(odict_move_to_end),
     "move_to_end($self, /, key, last=True)\n--\n\n"
     "Move an existing element to the end (or beginning if last is false).\n\n"
     "Raise KeyError if the element does not exist."},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyNumberMethods as_number = {
    .nb_or = odict_or,
    .nb_inplace_or = odict_ior,
};

static PyMappingMethods as_mapping = {.mp_ass_subscript = odict_ass_sub};

PyTypeObject PyODict_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "collections.OrderedDict",
    .tp_basicsize = sizeof(struct _odictobject),
    .tp_dealloc = odict_dealloc,
    .tp_repr = odict_repr,
    .tp_as_number = &as_number,
    .tp_as_mapping = &as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Dictionary that remembers insertion order",
    .tp_traverse = odict_traverse,
    .tp_clear = odict_tp_clear,
    .tp_richcompare = odict_richcompare,
    .tp_weaklistoffset = offsetof(struct _odictobject, weakreflist),
    .tp_iter = odict_iter,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_base = &PyDict_Type,
    .tp_dictoffset = offsetof(struct _odictobject, inst_dict),
    .tp_init = odict_init,
    .tp_alloc = PyType_GenericAlloc,
};
_Static_assert(sizeof(struct _odictobject) == 112, "size is part of the ABI");
