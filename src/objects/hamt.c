/* Hash array mapped trie.
 *
 * A node stands for 5 bits of the hash: `bitmap` tells which of the 32 values
 * occur, `slots` holds a pair for each, in order: (key, value), or (NULL, node
 * of the next 5 bits). Below the last bits there are collision nodes, plain
 * lists of pairs with the same hash. Nodes never change once they are made. */
#include "objects/hamt.h"

#include <stdbool.h>
#include <stdint.h>

#include "memory/gc.h"
#include "objects/immortal.h"

typedef struct node {
    PyObject_VAR_HEAD /* ob_size: number of slots, two a pair */
    uint32_t bitmap;  /* 0: a collision node */
    PyObject *slots[1];
} Node;

typedef struct {
    PyObject_HEAD
    Node *root;
    PyObject *weakrefs;
    Py_ssize_t count;
} Hamt;

#define LAST_SHIFT 30

/* --- nodes --------------------------------------------------------------- */

static Node *
node_new(Py_ssize_t pairs, uint32_t bitmap)
{
    Node *n = PyObject_GC_NewVar(Node, &kr_hamt_node_type, 2 * pairs);
    if (n == NULL) {
        return NULL;
    }
    n->bitmap = bitmap;
    for (Py_ssize_t i = 0; i < 2 * pairs; i++) {
        n->slots[i] = NULL;
    }
    kr_gc_track((PyObject *)n);
    return n;
}

static int
node_traverse(Node *n, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(n); i++) {
        Py_VISIT(n->slots[i]);
    }
    return 0;
}

static void
node_dealloc(Node *n)
{
    PyObject_GC_UnTrack(n);
    Py_TRASHCAN_BEGIN(n, node_dealloc)
    for (Py_ssize_t i = 0; i < Py_SIZE(n); i++) {
        Py_XDECREF(n->slots[i]);
    }
    PyObject_GC_Del(n);
    Py_TRASHCAN_END
}

PyTypeObject kr_hamt_node_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "hamt_bitmap_node",
    .tp_basicsize = offsetof(Node, slots),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = (destructor)node_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)node_traverse,
    .tp_free = PyObject_GC_Del,
};

/* A copy of pairs [0, at) and [at + drop, n) with room for `add` pairs at
 * `at`, which stay NULL. */
static Node *
node_splice(Node *old, uint32_t bitmap, Py_ssize_t at, Py_ssize_t drop,
            Py_ssize_t add)
{
    Py_ssize_t pairs = Py_SIZE(old) / 2;
    Node *n = node_new(pairs - drop + add, bitmap);
    if (n == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < 2 * at; i++) {
        n->slots[i] = Py_XNewRef(old->slots[i]);
    }
    PyObject **to = &n->slots[2 * (at + add)];
    for (Py_ssize_t i = 2 * (at + drop); i < 2 * pairs; i++) {
        *to++ = Py_XNewRef(old->slots[i]);
    }
    return n;
}

static void
put_pair(Node *n, Py_ssize_t at, PyObject *key, PyObject *value)
{
    n->slots[2 * at] = Py_XNewRef(key);
    n->slots[2 * at + 1] = Py_NewRef(value);
}

static inline uint32_t
bit_of(uint32_t hash, int shift)
{
    return (uint32_t)1 << (hash >> shift & 31);
}

static inline Py_ssize_t
place_of(const Node *n, uint32_t bit)
{
    return __builtin_popcount(n->bitmap & (bit - 1));
}

/* --- find ---------------------------------------------------------------- */

/* The pair of a key in a collision node; -1: none, -2: error. */
static Py_ssize_t
collision_place(Node *n, PyObject *key)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(n) / 2; i++) {
        int eq = PyObject_RichCompareBool(key, n->slots[2 * i], Py_EQ);
        if (eq != 0) {
            return eq < 0 ? -2 : i;
        }
    }
    return -1;
}

static int
node_find(Node *n, uint32_t hash, PyObject *key, PyObject **value)
{
    for (int shift = 0;; shift += 5) {
        if (n->bitmap == 0) {
            Py_ssize_t i = collision_place(n, key);
            if (i < 0) {
                return i == -2 ? -1 : 0;
            }
            *value = n->slots[2 * i + 1];
            return 1;
        }
        uint32_t bit = bit_of(hash, shift);
        if (!(n->bitmap & bit)) {
            return 0;
        }
        Py_ssize_t i = place_of(n, bit);
        if (n->slots[2 * i] != NULL) {
            int eq = PyObject_RichCompareBool(key, n->slots[2 * i], Py_EQ);
            if (eq > 0) {
                *value = n->slots[2 * i + 1];
            }
            return eq;
        }
        n = (Node *)n->slots[2 * i + 1];
    }
}

/* --- set ----------------------------------------------------------------- */

static int
hash_of(PyObject *key, uint32_t *hash)
{
    Py_hash_t h = PyObject_Hash(key);
    if (h == -1) {
        return -1;
    }
    *hash = (uint32_t)h ^ (uint32_t)((uint64_t)h >> 32);
    return 0;
}

static Node *node_set(Node *n, int shift, uint32_t hash, PyObject *key,
                      PyObject *value, bool *added);

/* A node for two different keys that agree in all bits below `shift`. */
static Node *
node_of_two(int shift, PyObject *key1, PyObject *value1, uint32_t hash2,
            PyObject *key2, PyObject *value2)
{
    uint32_t hash1;
    bool added;
    if (hash_of(key1, &hash1) < 0) {
        return NULL;
    }
    if (shift > LAST_SHIFT) {
        Node *n = node_new(2, 0);
        if (n != NULL) {
            put_pair(n, 0, key1, value1);
            put_pair(n, 1, key2, value2);
        }
        return n;
    }
    Node *one = node_new(1, bit_of(hash1, shift));
    if (one == NULL) {
        return NULL;
    }
    put_pair(one, 0, key1, value1);
    Node *n = node_set(one, shift, hash2, key2, value2, &added);
    Py_DECREF(one);
    return n;
}

static Node *
collision_set(Node *n, PyObject *key, PyObject *value, bool *added)
{
    Py_ssize_t i = collision_place(n, key);
    if (i == -2) {
        return NULL;
    }
    *added = i < 0;
    Py_ssize_t at = i < 0 ? Py_SIZE(n) / 2 : i;
    Node *copy = node_splice(n, 0, at, i < 0 ? 0 : 1, 1);
    if (copy != NULL) {
        put_pair(copy, at, key, value);
    }
    return copy;
}

/* Replaces pair `i` by (NULL, child), which it takes over. */
static Node *
with_child(Node *n, Py_ssize_t i, Node *child)
{
    if (child == NULL) {
        return NULL;
    }
    Node *copy = node_splice(n, n->bitmap, i, 1, 1);
    if (copy == NULL) {
        Py_DECREF(child);
        return NULL;
    }
    copy->slots[2 * i + 1] = (PyObject *)child;
    return copy;
}

static Node *
node_set(Node *n, int shift, uint32_t hash, PyObject *key, PyObject *value,
         bool *added)
{
    if (n->bitmap == 0) {
        return collision_set(n, key, value, added);
    }
    uint32_t bit = bit_of(hash, shift);
    Py_ssize_t i = place_of(n, bit);
    if (!(n->bitmap & bit)) {
        Node *copy = node_splice(n, n->bitmap | bit, i, 0, 1);
        if (copy != NULL) {
            put_pair(copy, i, key, value);
            *added = true;
        }
        return copy;
    }
    PyObject *old_key = n->slots[2 * i], *old = n->slots[2 * i + 1];
    if (old_key == NULL) {
        return with_child(n, i, node_set((Node *)old, shift + 5, hash, key,
                                         value, added));
    }
    int eq = PyObject_RichCompareBool(key, old_key, Py_EQ);
    if (eq < 0) {
        return NULL;
    }
    if (eq) {
        if (old == value) {
            return (Node *)Py_NewRef((PyObject *)n);
        }
        Node *copy = node_splice(n, n->bitmap, i, 1, 1);
        if (copy != NULL) {
            put_pair(copy, i, old_key, value);
        }
        return copy;
    }
    *added = true;
    return with_child(n, i, node_of_two(shift + 5, old_key, old, hash, key,
                                        value));
}

/* --- without ------------------------------------------------------------- */

/* A node without the key, which it has; the parent takes over a single pair
 * that is left. */
static Node *
node_without(Node *n, int shift, uint32_t hash, PyObject *key)
{
    if (n->bitmap == 0) {
        Py_ssize_t at = collision_place(n, key);
        return at < 0 ? NULL : node_splice(n, 0, at, 1, 0);
    }
    uint32_t bit = bit_of(hash, shift);
    Py_ssize_t i = place_of(n, bit);
    if (n->slots[2 * i] != NULL) {
        return node_splice(n, n->bitmap & ~bit, i, 1, 0);
    }
    Node *child = node_without((Node *)n->slots[2 * i + 1], shift + 5, hash,
                               key);
    if (child == NULL) {
        return NULL;
    }
    if (Py_SIZE(child) == 2 && child->slots[0] != NULL) {
        /* a single pair need not have a node of its own */
        Node *copy = node_splice(n, n->bitmap, i, 1, 1);
        if (copy != NULL) {
            put_pair(copy, i, child->slots[0], child->slots[1]);
        }
        Py_DECREF(child);
        return copy;
    }
    return with_child(n, i, child);
}

/* --- walking ------------------------------------------------------------- */

static int
walk(Node *n, int (*visit)(PyObject *key, PyObject *value, void *arg),
     void *arg)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(n); i += 2) {
        int res = n->slots[i] == NULL
                      ? walk((Node *)n->slots[i + 1], visit, arg)
                      : visit(n->slots[i], n->slots[i + 1], arg);
        if (res != 0) {
            return res;
        }
    }
    return 0;
}

struct listing {
    PyObject *list;
    enum kr_hamt_part part;
};

static int
list_one(PyObject *key, PyObject *value, void *arg)
{
    struct listing *l = arg;
    if (l->part != KR_HAMT_ITEMS) {
        return PyList_Append(l->list, l->part == KR_HAMT_KEYS ? key : value);
    }
    PyObject *pair = PyTuple_Pack(2, key, value);
    int res = pair == NULL ? -1 : PyList_Append(l->list, pair);
    Py_XDECREF(pair);
    return res;
}

PyObject *
kr_hamt_list(PyObject *map, enum kr_hamt_part part)
{
    struct listing l = {PyList_New(0), part};
    if (l.list != NULL && ((Hamt *)map)->count > 0
        && walk(((Hamt *)map)->root, list_one, &l) < 0) {
        Py_CLEAR(l.list);
    }
    return l.list;
}

static int
same_in_other(PyObject *key, PyObject *value, void *other)
{
    PyObject *theirs;
    int found = kr_hamt_find(other, key, &theirs);
    if (found <= 0) {
        return found < 0 ? -1 : 1;
    }
    Py_INCREF(theirs);
    int eq = PyObject_RichCompareBool(value, theirs, Py_EQ);
    Py_DECREF(theirs);
    return eq < 0 ? -1 : !eq;
}

int
kr_hamt_eq(PyObject *a, PyObject *b)
{
    if (a == b) {
        return 1;
    }
    if (kr_hamt_len(a) != kr_hamt_len(b)) {
        return 0;
    }
    if (kr_hamt_len(a) == 0) {
        return 1;
    }
    int res = walk(((Hamt *)a)->root, same_in_other, b);
    return res < 0 ? -1 : !res;
}

/* --- maps ---------------------------------------------------------------- */

static PyObject *
map_of(Node *root, Py_ssize_t count)
{
    Hamt *map = root == NULL ? NULL : PyObject_GC_New(Hamt, &kr_hamt_type);
    if (map == NULL) {
        Py_XDECREF(root);
        return NULL;
    }
    map->root = root;
    map->weakrefs = NULL;
    map->count = count;
    kr_gc_track((PyObject *)map);
    return (PyObject *)map;
}

PyObject *
kr_hamt_new(void)
{
    return map_of(node_new(0, 0), 0);
}

PyObject *
kr_hamt_set(PyObject *op, PyObject *key, PyObject *value)
{
    Hamt *map = (Hamt *)op;
    uint32_t hash;
    bool added = false;
    if (hash_of(key, &hash) < 0) {
        return NULL;
    }
    Node *root;
    if (map->count == 0) {
        root = node_new(1, bit_of(hash, 0));
        if (root != NULL) {
            put_pair(root, 0, key, value);
        }
        added = true;
    }
    else {
        root = node_set(map->root, 0, hash, key, value, &added);
    }
    if (root == map->root) {
        Py_DECREF(root);
        return Py_NewRef(op);
    }
    return map_of(root, map->count + added);
}

PyObject *
kr_hamt_without(PyObject *op, PyObject *key)
{
    Hamt *map = (Hamt *)op;
    uint32_t hash;
    PyObject *value;
    if (hash_of(key, &hash) < 0) {
        return NULL;
    }
    int found = kr_hamt_find(op, key, &value);
    if (found <= 0) {
        return found < 0 ? NULL : Py_NewRef(op);
    }
    if (map->count == 1) {
        return kr_hamt_new();
    }
    return map_of(node_without(map->root, 0, hash, key),
                  map->count - 1);
}

int
kr_hamt_find(PyObject *op, PyObject *key, PyObject **value)
{
    Hamt *map = (Hamt *)op;
    uint32_t hash;
    if (map->count == 0) {
        return 0;
    }
    if (hash_of(key, &hash) < 0) {
        return -1;
    }
    return node_find(map->root, hash, key, value);
}

Py_ssize_t
kr_hamt_len(PyObject *map)
{
    return ((Hamt *)map)->count;
}

static int
hamt_traverse(Hamt *self, visitproc visit, void *arg)
{
    Py_VISIT(self->root);
    return 0;
}

static int
hamt_clear(Hamt *self)
{
    Node *root = self->root;
    /* an object that is looked at while it dies must stay usable */
    self->count = 0;
    self->root = NULL;
    Py_XDECREF(root);
    return 0;
}

static void
hamt_dealloc(Hamt *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    hamt_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
hamt_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(a, &kr_hamt_type) || !Py_IS_TYPE(b, &kr_hamt_type)
        || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = kr_hamt_eq(a, b);
    return eq < 0 ? NULL : PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static int
hamt_contains(PyObject *self, PyObject *key)
{
    PyObject *value;
    return kr_hamt_find(self, key, &value);
}

static PyObject *
hamt_subscript(PyObject *self, PyObject *key)
{
    PyObject *value;
    int found = kr_hamt_find(self, key, &value);
    if (found == 0) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return found > 0 ? Py_NewRef(value) : NULL;
}

/* ---- iterators, which know the size of their map */

struct hamt_iter {
    PyObject_HEAD
    PyObject *list; /* NULL at the end */
    Py_ssize_t next, count;
};

#define ITER(op) ((struct hamt_iter *)(op))

static void
iter_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(ITER(self)->list);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ITER(self)->list);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    struct hamt_iter *it = ITER(self);
    if (it->list == NULL) {
        return NULL;
    }
    if (it->next < PyList_GET_SIZE(it->list)) {
        return Py_NewRef(PyList_GET_ITEM(it->list, it->next++));
    }
    Py_CLEAR(it->list);
    return NULL;
}

static Py_ssize_t
iter_len(PyObject *self)
{
    return ITER(self)->count;
}

static PyMappingMethods iter_as_mapping = {.mp_length = iter_len};

#define ITER_TYPE(name)                                                        \
    {                                                                          \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0), .tp_name = name,     \
        .tp_basicsize = sizeof(struct hamt_iter),                              \
        .tp_dealloc = iter_dealloc, .tp_as_mapping = &iter_as_mapping,         \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC                    \
                    | Py_TPFLAGS_DISALLOW_INSTANTIATION,                       \
        .tp_traverse = iter_traverse, .tp_iter = PyObject_SelfIter,            \
        .tp_iternext = iter_next,                                              \
    }

PyTypeObject kr_hamt_keys_type = ITER_TYPE("keys"),
             kr_hamt_values_type = ITER_TYPE("values"),
             kr_hamt_items_type = ITER_TYPE("items");

PyObject *
kr_hamt_iter(PyObject *map, enum kr_hamt_part part)
{
    PyTypeObject *type = part == KR_HAMT_KEYS     ? &kr_hamt_keys_type
                         : part == KR_HAMT_VALUES ? &kr_hamt_values_type
                                                  : &kr_hamt_items_type;
    PyObject *list = kr_hamt_list(map, part);
    struct hamt_iter *it =
        list == NULL ? NULL : PyObject_GC_New(struct hamt_iter, type);
    if (it == NULL) {
        Py_XDECREF(list);
        return NULL;
    }
    it->list = list;
    it->next = 0;
    it->count = kr_hamt_len(map);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static PyObject *
hamt_iter(PyObject *self)
{
    return kr_hamt_iter(self, KR_HAMT_KEYS);
}

static PyObject *
hamt_keys(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self, KR_HAMT_KEYS);
}

static PyObject *
hamt_values(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self, KR_HAMT_VALUES);
}

static PyObject *
hamt_items(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self, KR_HAMT_ITEMS);
}

static PyObject *
hamt_method_set(PyObject *self, PyObject *args)
{
    PyObject *key, *value;
    return PyArg_UnpackTuple(args, "set", 2, 2, &key, &value)
               ? kr_hamt_set(self, key, value)
               : NULL;
}

static PyObject *
hamt_method_get(PyObject *self, PyObject *args)
{
    PyObject *key, *fallback = Py_None, *value;
    if (!PyArg_UnpackTuple(args, "get", 1, 2, &key, &fallback)) {
        return NULL;
    }
    int found = kr_hamt_find(self, key, &value);
    return found < 0 ? NULL : Py_NewRef(found ? value : fallback);
}

static PyMethodDef hamt_methods[] = {
    {"set", hamt_method_set, METH_VARARGS},
    {"get", hamt_method_get, METH_VARARGS},
    {"delete", kr_hamt_without, METH_O},
    {"items", hamt_items, METH_NOARGS},
    {"keys", hamt_keys, METH_NOARGS},
    {"values", hamt_values, METH_NOARGS},
    {NULL},
};

static PySequenceMethods hamt_as_sequence = {.sq_contains = hamt_contains};

static PyMappingMethods hamt_as_mapping = {
    .mp_length = kr_hamt_len,
    .mp_subscript = hamt_subscript,
};

static PyObject *
hamt_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return kr_hamt_new();
}

PyTypeObject kr_hamt_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "hamt",
    .tp_basicsize = sizeof(Hamt),
    .tp_dealloc = (destructor)hamt_dealloc,
    .tp_as_sequence = &hamt_as_sequence,
    .tp_as_mapping = &hamt_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)hamt_traverse,
    .tp_clear = (inquiry)hamt_clear,
    .tp_richcompare = hamt_richcompare,
    .tp_weaklistoffset = offsetof(Hamt, weakrefs),
    .tp_iter = hamt_iter,
    .tp_methods = hamt_methods,
    .tp_new = hamt_tp_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};
