/* The _functools module: partial, reduce, cmp_to_key, lru_cache. */
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/unpack.h"
#include "objects/immortal.h"

/* ---- partial */

typedef struct {
    PyObject_HEAD
    PyObject *fn;
    PyObject *args; /* exact tuple */
    PyObject *kw;   /* exact dict */
    PyObject *dict;
    PyObject *weakreflist;
    vectorcallfunc vectorcall;
} partial;

#define PARTIAL(op) ((partial *)(op))

static PyTypeObject partial_type;

/* The values of kw and of the call's keywords; the call's win. */
static PyObject *
call_with_dict(partial *pto, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    PyObject *kw = PyDict_Copy(pto->kw);
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (kw == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < nkw; i++) {
        if (PyDict_SetItem(kw, PyTuple_GET_ITEM(kwnames, i), args[nargs + i])
            < 0) {
            Py_DECREF(kw);
            return NULL;
        }
    }
    Py_ssize_t n = PyTuple_GET_SIZE(pto->args);
    PyObject *all = PyTuple_New(n + nargs);
    if (all == NULL) {
        Py_DECREF(kw);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(all, i, Py_NewRef(PyTuple_GET_ITEM(pto->args, i)));
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyTuple_SET_ITEM(all, n + i, Py_NewRef(args[i]));
    }
    PyObject *fn = Py_NewRef(pto->fn);
    PyObject *result = PyObject_Call(fn, all, kw);
    Py_DECREF(fn);
    Py_DECREF(all);
    Py_DECREF(kw);
    return result;
}

static PyObject *
partial_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                   PyObject *kwnames)
{
    partial *pto = PARTIAL(self);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (PyDict_GET_SIZE(pto->kw) > 0) {
        return call_with_dict(pto, args, nargs, kwnames);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(pto->args);
    Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    if (n == 0) {
        return PyObject_Vectorcall(pto->fn, args, nargsf, kwnames);
    }
    PyObject **own = ((PyTupleObject *)pto->args)->ob_item;
    if (n == 1 && (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET)) {
        /* the caller left room for one */
        PyObject **all = (PyObject **)args - 1, *kept = all[0];
        all[0] = own[0];
        PyObject *result =
            PyObject_Vectorcall(pto->fn, all, (size_t)(nargs + 1), kwnames);
        all[0] = kept;
        return result;
    }
    PyObject *small[8], **all = small;
    if (n + total > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        all = PyMem_New(PyObject *, n + total);
        if (all == NULL) {
            return PyErr_NoMemory();
        }
    }
    memcpy(all, own, (size_t)n * sizeof(PyObject *));
    if (total > 0) {
        memcpy(all + n, args, (size_t)total * sizeof(PyObject *));
    }
    PyObject *keep = Py_NewRef(pto->args), *fn = Py_NewRef(pto->fn);
    PyObject *result =
        PyObject_Vectorcall(fn, all, (size_t)(n + nargs), kwnames);
    Py_DECREF(keep);
    Py_DECREF(fn);
    if (all != small) {
        PyMem_Free(all);
    }
    return result;
}

static PyObject *
partial_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "type 'partial' takes at least one argument");
        return NULL;
    }
    PyObject *func = PyTuple_GET_ITEM(args, 0), *pargs = NULL, *pkw = NULL;
    /* a partial of a partial is one partial, unless it has attributes */
    if (Py_TYPE(func)->tp_call == partial_type.tp_call
        && type == &partial_type && Py_IS_TYPE(func, &partial_type)
        && PARTIAL(func)->dict == NULL) {
        pargs = PARTIAL(func)->args;
        pkw = PARTIAL(func)->kw;
        func = PARTIAL(func)->fn;
    }
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError,
                        "the first argument must be callable");
        return NULL;
    }
    partial *pto = (partial *)type->tp_alloc(type, 0);
    if (pto == NULL) {
        return NULL;
    }
    pto->fn = Py_NewRef(func);
    PyObject *rest = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX);
    if (rest != NULL && pargs != NULL) {
        Py_SETREF(rest, PySequence_Concat(pargs, rest));
    }
    pto->args = rest;
    pto->kw = pkw != NULL ? PyDict_Copy(pkw)
                          : (kw != NULL ? PyDict_Copy(kw) : PyDict_New());
    if (pto->args == NULL || pto->kw == NULL
        || (pkw != NULL && kw != NULL && PyDict_Merge(pto->kw, kw, 1) < 0)) {
        Py_DECREF(pto);
        return NULL;
    }
    pto->vectorcall = partial_vectorcall;
    return (PyObject *)pto;
}

static void
partial_dealloc(PyObject *self)
{
    partial *pto = PARTIAL(self);
    PyObject_GC_UnTrack(self);
    if (pto->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_XDECREF(pto->fn);
    Py_XDECREF(pto->args);
    Py_XDECREF(pto->kw);
    Py_XDECREF(pto->dict);
    Py_TYPE(self)->tp_free(self);
}

static int
partial_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(PARTIAL(self)->fn);
    Py_VISIT(PARTIAL(self)->args);
    Py_VISIT(PARTIAL(self)->kw);
    Py_VISIT(PARTIAL(self)->dict);
    return 0;
}

static PyObject *
partial_repr(PyObject *self)
{
    partial *pto = PARTIAL(self);
    PyObject *key, *value;
    int status = Py_ReprEnter(self);
    if (status != 0) {
        return status < 0 ? NULL : PyUnicode_FromString("...");
    }
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = 0; text && i < PyTuple_GET_SIZE(pto->args); i++) {
        Py_SETREF(text, PyUnicode_FromFormat("%U, %R", text,
                                             PyTuple_GET_ITEM(pto->args, i)));
    }
    Py_ssize_t pos = 0;
    while (text != NULL && PyDict_Next(pto->kw, &pos, &key, &value)) {
        Py_INCREF(value);
        Py_SETREF(text,
                  PyUnicode_FromFormat("%U, %S=%R", text, key, value));
        Py_DECREF(value);
    }
    PyObject *result = NULL;
    if (text != NULL) {
        const char *name = Py_TYPE(self)->tp_name;
        result = PyUnicode_FromFormat("%s(%R%U)", name, pto->fn, text);
        Py_DECREF(text);
    }
    Py_ReprLeave(self);
    return result;
}

static PyObject *
partial_reduce(PyObject *self, PyObject *ignored)
{
    partial *pto = PARTIAL(self);
    return Py_BuildValue("O(O)(OOOO)", Py_TYPE(pto), pto->fn, pto->fn,
                         pto->args, pto->kw, pto->dict ? pto->dict : Py_None);
}

static PyObject *
partial_setstate(PyObject *self, PyObject *state)
{
    partial *pto = PARTIAL(self);
    PyObject *fn, *args, *kw, *dict;
    if (!PyTuple_Check(state)
        || !PyArg_ParseTuple(state, "OOOO", &fn, &args, &kw, &dict)
        || !PyCallable_Check(fn) || !PyTuple_Check(args)
        || (kw != Py_None && !PyDict_Check(kw))) {
        PyErr_SetString(PyExc_TypeError, "invalid partial state");
        return NULL;
    }
    args = PyTuple_CheckExact(args) ? Py_NewRef(args) : PySequence_Tuple(args);
    if (args == NULL) {
        return NULL;
    }
    kw = kw == Py_None         ? PyDict_New()
         : PyDict_CheckExact(kw) ? Py_NewRef(kw)
                               : PyDict_Copy(kw);
    if (kw == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    dict = dict == Py_None ? NULL : Py_NewRef(dict);
    Py_INCREF(fn);
    Py_SETREF(pto->fn, fn);
    Py_SETREF(pto->args, args);
    Py_SETREF(pto->kw, kw);
    Py_XSETREF(pto->dict, dict);
    Py_RETURN_NONE;
}

static PyMethodDef partial_methods[] = {
    {"__reduce__", partial_reduce, METH_NOARGS, NULL},
    {"__setstate__", partial_setstate, METH_O, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyMemberDef partial_members[] = {
    {"func", T_OBJECT, offsetof(partial, fn), READONLY,
     "function object to use in future partial calls"},
    {"args", T_OBJECT, offsetof(partial, args), READONLY,
     "tuple of arguments to future partial calls"},
    {"keywords", T_OBJECT, offsetof(partial, kw), READONLY,
     "dictionary of keyword arguments to future partial calls"},
    {NULL},
};

static PyGetSetDef dict_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyTypeObject partial_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "functools.partial",
    .tp_basicsize = sizeof(partial),
    .tp_dealloc = partial_dealloc,
    .tp_vectorcall_offset = offsetof(partial, vectorcall),
    .tp_repr = partial_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "partial(func, *args, **keywords) - new function with partial "
              "application\n    of the given arguments and keywords.\n",
    .tp_traverse = partial_traverse,
    .tp_weaklistoffset = offsetof(partial, weakreflist),
    .tp_methods = partial_methods,
    .tp_members = partial_members,
    .tp_getset = dict_getset,
    .tp_dictoffset = offsetof(partial, dict),
    .tp_new = partial_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* ---- cmp_to_key */

typedef struct {
    PyObject_HEAD
    PyObject *cmp;
    PyObject *object; /* NULL in the factory */
} key_object;

#define KEY(op) ((key_object *)(op))

static PyTypeObject key_type;

static PyObject *
key_make(PyObject *cmp, PyObject *object)
{
    key_object *ko = PyObject_GC_New(key_object, &key_type);
    if (ko == NULL) {
        return NULL;
    }
    ko->cmp = Py_NewRef(cmp);
    ko->object = Py_XNewRef(object);
    PyObject_GC_Track(ko);
    return (PyObject *)ko;
}

static void
key_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(KEY(self)->cmp);
    Py_XDECREF(KEY(self)->object);
    PyObject_GC_Del(self);
}

static int
key_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(KEY(self)->cmp);
    Py_VISIT(KEY(self)->object);
    return 0;
}

static int
key_clear(PyObject *self)
{
    Py_CLEAR(KEY(self)->cmp);
    Py_CLEAR(KEY(self)->object);
    return 0;
}

static PyObject *
key_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"obj", NULL};
    PyObject *object;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O:K", keywords, &object)) {
        return NULL;
    }
    return key_make(KEY(self)->cmp, object);
}

static PyObject *
key_richcompare(PyObject *ko, PyObject *other, int op)
{
    if (!Py_IS_TYPE(other, &key_type)) {
        PyErr_Format(PyExc_TypeError, "other argument must be K instance");
        return NULL;
    }
    PyObject *x = KEY(ko)->object, *y = KEY(other)->object;
    if (x == NULL || y == NULL) {
        PyErr_Format(PyExc_AttributeError, "object");
        return NULL;
    }
    PyObject *args[] = {x, y};
    PyObject *res = PyObject_Vectorcall(KEY(ko)->cmp, args, 2, NULL);
    if (res == NULL) {
        return NULL;
    }
    PyObject *zero = PyLong_FromLong(0);
    PyObject *answer = PyObject_RichCompare(res, zero, op);
    Py_DECREF(zero);
    Py_DECREF(res);
    return answer;
}

static PyMemberDef key_members[] = {
    {"obj", T_OBJECT, offsetof(key_object, object), 0,
     "Value wrapped by a key function."},
    {NULL},
};

static PyTypeObject key_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "functools.KeyWrapper",
    .tp_basicsize = sizeof(key_object),
    .tp_dealloc = key_dealloc,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_call = key_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = key_traverse,
    .tp_clear = key_clear,
    .tp_richcompare = key_richcompare,
    .tp_members = key_members,
};

static PyObject *
cmp_to_key(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    static const char *const keywords[] = {"mycmp", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "cmp_to_key"};
    PyObject *buf[1];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 1, buf,
                              1);
    return args == NULL ? NULL : key_make(args[0], NULL);
}

/* ---- reduce */

static PyObject *
reduce(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    if (kwnames != NULL && !_PyArg_NoKwnames("reduce", kwnames)) {
        return NULL;
    }
    if (!_PyArg_CheckPositional("reduce", nargs, 2, 3)) {
        return NULL;
    }
    PyObject *func = args[0], *it = PyObject_GetIter(args[1]);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError,
                            "reduce() arg 2 must support iteration");
        }
        return NULL;
    }
    PyObject *result = nargs == 3 ? Py_NewRef(args[2]) : NULL;
    for (;;) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            if (PyErr_Occurred()) {
                Py_CLEAR(result);
            }
            else if (result == NULL) {
                PyErr_SetString(PyExc_TypeError,
                                "reduce() of empty iterable with no initial "
                                "value");
            }
            break;
        }
        if (result == NULL) {
            result = item;
            continue;
        }
        PyObject *stack[] = {NULL, result, item};
        PyObject *next = PyObject_Vectorcall(
            func, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(item);
        Py_SETREF(result, next);
        if (result == NULL) {
            break;
        }
    }
    Py_DECREF(it);
    return result;
}

/* ---- lru_cache */

/* A cached result, linked by the time of its last use. */
typedef struct link {
    PyObject_HEAD
    struct link *prev, *next;
    Py_hash_t hash;
    PyObject *key;
    PyObject *result;
} lru_link;

struct lru_cache;
typedef PyObject *(*lru_wrapper)(struct lru_cache *, PyObject *, PyObject *);

typedef struct lru_cache {
    PyObject_HEAD
    lru_link root; /* next: least recently used; not an object of its own */
    lru_wrapper wrapper;
    int typed;
    PyObject *cache;
    Py_ssize_t hits;
    PyObject *func;
    Py_ssize_t maxsize; /* -1: unbounded */
    Py_ssize_t misses;
    PyObject *kwd_mark;
    PyObject *cache_info_type;
    PyObject *dict;
    PyObject *weakreflist;
} lru_cache;

#define LRU(op) ((lru_cache *)(op))

static PyTypeObject link_type, lru_type;

static void
link_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((lru_link *)self)->key);
    Py_XDECREF(((lru_link *)self)->result);
    PyObject_GC_Del(self);
}

static int
link_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((lru_link *)self)->key);
    Py_VISIT(((lru_link *)self)->result);
    return 0;
}

static PyTypeObject link_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "functools._lru_list_elem",
    .tp_basicsize = sizeof(lru_link),
    .tp_dealloc = link_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = link_traverse,
};

/* The arguments as one object: a lone str or int is its own key. */
static PyObject *
join_arguments(lru_cache *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), nkw = kwds ? PyDict_GET_SIZE(kwds)
                                                      : 0;
    if (!self->typed && nkw == 0) {
        if (n == 1) {
            PyObject *key = PyTuple_GET_ITEM(args, 0);
            if (PyUnicode_CheckExact(key) || PyLong_CheckExact(key)) {
                return Py_NewRef(key);
            }
        }
        return Py_NewRef(args);
    }
    Py_ssize_t size = n + (nkw ? 1 + 2 * nkw : 0), at = 0, pos = 0;
    size += self->typed ? n + nkw : 0;
    PyObject *key = PyTuple_New(size), *name, *value;
    if (key == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(key, at++, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    if (nkw) {
        PyTuple_SET_ITEM(key, at++, Py_NewRef(self->kwd_mark));
        while (PyDict_Next(kwds, &pos, &name, &value)) {
            PyTuple_SET_ITEM(key, at++, Py_NewRef(name));
            PyTuple_SET_ITEM(key, at++, Py_NewRef(value));
        }
    }
    if (self->typed) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyTuple_SET_ITEM(
                key, at++,
                Py_NewRef((PyObject *)Py_TYPE(PyTuple_GET_ITEM(args, i))));
        }
        pos = 0;
        while (nkw && PyDict_Next(kwds, &pos, &name, &value)) {
            PyTuple_SET_ITEM(key, at++,
                             Py_NewRef((PyObject *)Py_TYPE(value)));
        }
    }
    return key;
}

/* The same, with its hash. */
static PyObject *
make_key(lru_cache *self, PyObject *args, PyObject *kwds, Py_hash_t *hash)
{
    PyObject *key = join_arguments(self, args, kwds);
    if (key != NULL && (*hash = PyObject_Hash(key)) == -1) {
        Py_CLEAR(key);
    }
    return key;
}

static PyObject *
uncached_call(lru_cache *self, PyObject *args, PyObject *kwds)
{
    self->misses++;
    return PyObject_Call(self->func, args, kwds);
}

static PyObject *
infinite_call(lru_cache *self, PyObject *args, PyObject *kwds)
{
    Py_hash_t hash;
    PyObject *key = make_key(self, args, kwds, &hash);
    if (key == NULL) {
        return NULL;
    }
    PyObject *result = _PyDict_GetItem_KnownHash(self->cache, key, hash);
    if (result != NULL) {
        Py_INCREF(result);
        self->hits++;
        Py_DECREF(key);
        return result;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(key);
        return NULL;
    }
    self->misses++;
    result = PyObject_Call(self->func, args, kwds);
    if (result != NULL
        && _PyDict_SetItem_KnownHash(self->cache, key, result, hash) < 0) {
        Py_CLEAR(result);
    }
    Py_DECREF(key);
    return result;
}

static void
extract_link(lru_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

static void
append_link(lru_cache *self, lru_link *link)
{
    lru_link *root = &self->root, *last = root->prev;
    last->next = root->prev = link;
    link->prev = last;
    link->next = root;
}

/* Adds a result to a cache that has room. Takes over all references. */
static PyObject *
add_link(lru_cache *self, PyObject *key, Py_hash_t hash, PyObject *result)
{
    lru_link *link = PyObject_GC_New(lru_link, &link_type);
    if (link == NULL) {
        Py_DECREF(key);
        Py_DECREF(result);
        return NULL;
    }
    link->hash = hash;
    link->key = key;
    link->result = result;
    PyObject_GC_Track(link);
    /* adding may compare keys and so run code: link it in only then */
    if (_PyDict_SetItem_KnownHash(self->cache, key, (PyObject *)link, hash)
        < 0) {
        Py_DECREF(link);
        return NULL;
    }
    append_link(self, link); /* owns the reference */
    return Py_NewRef(result);
}

/* The cache is full: the oldest link gets the new key and result. */
static PyObject *
reuse_oldest(lru_cache *self, PyObject *key, Py_hash_t hash, PyObject *result)
{
    lru_link *link = self->root.next;
    extract_link(link);
    /* every link is in the dict, except while another call is here */
    PyObject *popped =
        _PyDict_GetItem_KnownHash(self->cache, link->key, link->hash);
    if (popped == NULL && PyErr_Occurred()) {
        append_link(self, link);
        Py_DECREF(key);
        Py_DECREF(result);
        return NULL;
    }
    if (popped != NULL
        && _PyDict_DelItem_KnownHash(self->cache, link->key, link->hash) < 0) {
        append_link(self, link);
        Py_DECREF(key);
        Py_DECREF(result);
        return NULL;
    }
    if (popped == NULL) {
        /* another call removed it: keep the result to ourselves */
        Py_DECREF(link);
        Py_DECREF(key);
        return result;
    }
    PyObject *oldkey = link->key, *oldresult = link->result;
    link->hash = hash;
    link->key = key;
    link->result = result;
    if (_PyDict_SetItem_KnownHash(self->cache, key, (PyObject *)link, hash)
        < 0) {
        Py_DECREF(link);
        Py_DECREF(oldkey);
        Py_DECREF(oldresult);
        return NULL;
    }
    append_link(self, link);
    Py_INCREF(result); /* for the return */
    Py_DECREF(oldkey);
    Py_DECREF(oldresult);
    return result;
}

static PyObject *
bounded_call(lru_cache *self, PyObject *args, PyObject *kwds)
{
    Py_hash_t hash;
    PyObject *key = make_key(self, args, kwds, &hash);
    if (key == NULL) {
        return NULL;
    }
    lru_link *link =
        (lru_link *)_PyDict_GetItem_KnownHash(self->cache, key, hash);
    if (link != NULL) {
        extract_link(link);
        append_link(self, link);
        PyObject *result = Py_NewRef(link->result);
        self->hits++;
        Py_DECREF(key);
        return result;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(key);
        return NULL;
    }
    self->misses++;
    PyObject *result = PyObject_Call(self->func, args, kwds);
    if (result == NULL) {
        Py_DECREF(key);
        return NULL;
    }
    /* the call may have cached the same arguments */
    PyObject *there = _PyDict_GetItem_KnownHash(self->cache, key, hash);
    if (there != NULL) {
        Py_DECREF(key);
        return result;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(key);
        Py_DECREF(result);
        return NULL;
    }
    if (PyDict_GET_SIZE(self->cache) < self->maxsize
        || self->root.next == &self->root) {
        return add_link(self, key, hash, result);
    }
    return reuse_oldest(self, key, hash, result);
}

static PyObject *
lru_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    static char *keywords[] = {"user_function", "maxsize", "typed",
                               "cache_info_type", NULL};
    PyObject *func, *maxsize_object, *cache_info_type;
    int typed;
    if (!PyArg_ParseTupleAndKeywords(args, kw, "OOpO:lru_cache", keywords,
                                     &func, &maxsize_object, &typed,
                                     &cache_info_type)) {
        return NULL;
    }
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError,
                        "the first argument must be callable");
        return NULL;
    }
    lru_wrapper wrapper = infinite_call;
    Py_ssize_t maxsize = -1;
    if (maxsize_object != Py_None) {
        if (!PyIndex_Check(maxsize_object)) {
            PyErr_SetString(PyExc_TypeError,
                            "maxsize should be integer or None");
            return NULL;
        }
        maxsize = PyNumber_AsSsize_t(maxsize_object, PyExc_OverflowError);
        if (maxsize == -1 && PyErr_Occurred()) {
            return NULL;
        }
        maxsize = maxsize < 0 ? 0 : maxsize;
        wrapper = maxsize == 0 ? uncached_call : bounded_call;
    }
    PyObject *mark_class = (PyObject *)&PyBaseObject_Type;
    PyObject *kwd_mark = PyObject_CallNoArgs(mark_class);
    PyObject *cache = kwd_mark ? PyDict_New() : NULL;
    lru_cache *obj = cache ? (lru_cache *)type->tp_alloc(type, 0) : NULL;
    if (obj == NULL) {
        Py_XDECREF(cache);
        Py_XDECREF(kwd_mark);
        return NULL;
    }
    obj->root.prev = obj->root.next = &obj->root;
    obj->wrapper = wrapper;
    obj->typed = typed;
    obj->cache = cache;
    obj->func = Py_NewRef(func);
    obj->maxsize = maxsize;
    obj->kwd_mark = kwd_mark;
    obj->cache_info_type = Py_NewRef(cache_info_type);
    return (PyObject *)obj;
}

/* Empties the list; the caller drops the chain that is returned. */
static lru_link *
unlink_all(lru_cache *self)
{
    lru_link *root = &self->root, *first = root->next;
    if (first == root || first == NULL) {
        return NULL;
    }
    root->prev->next = NULL;
    root->next = root->prev = root;
    return first;
}

static void
drop_chain(lru_link *link)
{
    while (link != NULL) {
        lru_link *next = link->next;
        Py_DECREF(link);
        link = next;
    }
}

static int
lru_clear(PyObject *op)
{
    lru_cache *self = LRU(op);
    lru_link *chain = unlink_all(self);
    Py_CLEAR(self->cache);
    drop_chain(chain);
    Py_CLEAR(self->func);
    Py_CLEAR(self->kwd_mark);
    Py_CLEAR(self->cache_info_type);
    Py_CLEAR(self->dict);
    return 0;
}

static void
lru_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (LRU(op)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    lru_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static int
lru_traverse(PyObject *op, visitproc visit, void *arg)
{
    lru_cache *self = LRU(op);
    for (lru_link *l = self->root.next; l != NULL && l != &self->root;
         l = l->next) {
        Py_VISIT(l);
    }
    Py_VISIT(self->cache);
    Py_VISIT(self->func);
    Py_VISIT(self->kwd_mark);
    Py_VISIT(self->cache_info_type);
    Py_VISIT(self->dict);
    return 0;
}

static PyObject *
lru_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return LRU(self)->wrapper(LRU(self), args, kwds);
}

static PyObject *
lru_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    return obj == Py_None || obj == NULL ? Py_NewRef(self)
                                         : PyMethod_New(self, obj);
}

static PyObject *
lru_cache_info(PyObject *op, PyObject *ignored)
{
    lru_cache *self = LRU(op);
    if (self->maxsize == -1) {
        return PyObject_CallFunction(self->cache_info_type, "nnOn", self->hits,
                                     self->misses, Py_None,
                                     PyDict_GET_SIZE(self->cache));
    }
    return PyObject_CallFunction(self->cache_info_type, "nnnn", self->hits,
                                 self->misses, self->maxsize,
                                 PyDict_GET_SIZE(self->cache));
}

static PyObject *
lru_cache_clear(PyObject *op, PyObject *ignored)
{
    lru_link *chain = unlink_all(LRU(op));
    LRU(op)->hits = LRU(op)->misses = 0;
    PyDict_Clear(LRU(op)->cache);
    drop_chain(chain);
    Py_RETURN_NONE;
}

static PyObject *
lru_reduce(PyObject *self, PyObject *ignored)
{
    return PyObject_GetAttr(self, KR_ID(__qualname__));
}

static PyObject *
lru_copy(PyObject *self, PyObject *ignored)
{
    return Py_NewRef(self);
}

static PyMethodDef lru_methods[] = {
    {"cache_info", lru_cache_info, METH_NOARGS,
     "cache_info($self, /)\n--\n\nReport cache statistics"},
    {"cache_clear", lru_cache_clear, METH_NOARGS,
     "cache_clear($self, /)\n--\n\nClear the cache and cache statistics"},
    {"__reduce__", lru_reduce, METH_NOARGS, NULL},
    {"__copy__", lru_copy, METH_VARARGS, NULL},
    {"__deepcopy__", lru_copy, METH_VARARGS, NULL},
    {NULL},
};

static PyTypeObject lru_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "functools._lru_cache_wrapper",
    .tp_basicsize = sizeof(lru_cache),
    .tp_dealloc = lru_dealloc,
    .tp_call = lru_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc =
        "Create a cached callable that wraps another function.\n\n"
        "user_function:      the function being cached\n\n"
        "maxsize:  0         for no caching\n"
        "          None      for unlimited cache size\n"
        "          n         for a bounded cache\n\n"
        "typed:    False     cache f(3) and f(3.0) as identical calls\n"
        "          True      cache f(3) and f(3.0) as distinct calls\n\n"
        "cache_info_type:    namedtuple class with the fields:\n"
        "                        hits misses currsize maxsize\n",
    .tp_traverse = lru_traverse,
    .tp_clear = lru_clear,
    .tp_weaklistoffset = offsetof(lru_cache, weakreflist),
    .tp_methods = lru_methods,
    .tp_getset = dict_getset,
    .tp_descr_get = lru_descr_get,
    .tp_dictoffset = offsetof(lru_cache, dict),
    .tp_new = lru_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* ---- module */

static PyMethodDef functions[] = {
    {"reduce", (PyCFunction)(void *)reduce,
     METH_FASTCALL | METH_KEYWORDS,
     "reduce(function, iterable[, initial]) -> value\n\n"
     "Apply a function of two arguments cumulatively to the items of an\n"
     "iterable, from left to right, so as to reduce it to a single value."},
    {"cmp_to_key", (PyCFunction)(void *)cmp_to_key,
     METH_FASTCALL | METH_KEYWORDS,
     "cmp_to_key($module, /, mycmp)\n--\n\n"
     "Convert a cmp= function into a key= function.\n\n"
     "  mycmp\n    Function that compares two objects."},
    {NULL},
};

static int
exec(PyObject *module)
{
    if (PyType_Ready(&key_type) < 0 || PyType_Ready(&link_type) < 0
        || PyModule_AddType(module, &partial_type) < 0
        || PyModule_AddType(module, &lru_type) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_functools",
    .m_doc = "Tools that operate on functions.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__functools(void)
{
    return PyModuleDef_Init(&definition);
}
