/* Blocks for objects of GC types, and the bits that belong to them. */
#include "memory/gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/stress.h"
#include "memory/domains.h"
#include "memory/gc_state.h"
#include "memory/tracemalloc.h"
#include "memory/tstate.h"

struct kr_gc_state kr_gc = {
    .enabled = 1,
    .gen = {{700, 0}, {10, 0}, {10, 0}},
};

/* --- lists of pools ------------------------------------------------------ */

static bool
list_add(struct kr_pool_list *list, struct kr_pool *pool)
{
    if (list->len == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        struct kr_pool **items = realloc(list->items, cap * sizeof(*items));
        if (items == NULL) {
            kr_gc.lists_lost = 1;
            return false;
        }
        list->items = items;
        list->cap = cap;
    }
    list->items[list->len++] = pool;
    return true;
}

void
kr_gc_pool_young(struct kr_pool *pool)
{
    if (list_add(&kr_gc.young, pool)) {
        pool->young_at = (uint32_t)kr_gc.young.len;
    }
}

void
kr_gc_pool_mid(struct kr_pool *pool)
{
    if (pool->mid_at == 0 && list_add(&kr_gc.mid, pool)) {
        pool->mid_at = (uint32_t)kr_gc.mid.len;
    }
}

void
kr_gc_forget_pool(struct kr_pool *pool)
{
    if (pool->young_at != 0) {
        struct kr_pool *last = kr_gc.young.items[--kr_gc.young.len];
        kr_gc.young.items[pool->young_at - 1] = last;
        last->young_at = pool->young_at;
        pool->young_at = 0;
    }
    if (pool->mid_at != 0) {
        struct kr_pool *last = kr_gc.mid.items[--kr_gc.mid.len];
        kr_gc.mid.items[pool->mid_at - 1] = last;
        last->mid_at = pool->mid_at;
        pool->mid_at = 0;
    }
}

/* --- large objects ------------------------------------------------------- */

static size_t
hash_pointer(const void *p)
{
    uint64_t x = (uintptr_t)p >> 4;
    return (size_t)((x * 0x9E3779B97F4A7C15u) >> 20);
}

struct kr_large *
kr_gc_large(const void *op)
{
    if (kr_gc.large_used == 0) {
        return NULL;
    }
    size_t mask = kr_gc.large_cap - 1;
    for (size_t i = hash_pointer(op) & mask;; i = (i + 1) & mask) {
        struct kr_large *e = &kr_gc.large[i];
        if (e->op == op) {
            return e;
        }
        if (e->op == NULL) {
            return NULL;
        }
    }
}

static struct kr_large *
large_free_slot(struct kr_large *table, size_t cap, const void *op)
{
    size_t i = hash_pointer(op) & (cap - 1);
    while (table[i].op != NULL) {
        i = (i + 1) & (cap - 1);
    }
    return &table[i];
}

static bool
large_reserve(void)
{
    if ((kr_gc.large_used + 1) * 2 <= kr_gc.large_cap) {
        return true;
    }
    size_t cap = kr_gc.large_cap ? kr_gc.large_cap * 2 : 64;
    struct kr_large *table = calloc(cap, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < kr_gc.large_cap; i++) {
        if (kr_gc.large[i].op != NULL) {
            *large_free_slot(table, cap, kr_gc.large[i].op) = kr_gc.large[i];
        }
    }
    free(kr_gc.large);
    kr_gc.large = table;
    kr_gc.large_cap = cap;
    return true;
}

/* There must be room (large_reserve). */
static struct kr_large *
large_insert(void *op)
{
    struct kr_large *e = large_free_slot(kr_gc.large, kr_gc.large_cap, op);
    memset(e, 0, sizeof(*e));
    e->op = op;
    kr_gc.large_used++;
    return e;
}

static void
large_leave_young(struct kr_large *e)
{
    if (e->young_at != 0) {
        PyObject *last = kr_gc.large_young[--kr_gc.large_young_len];
        kr_gc.large_young[e->young_at - 1] = last;
        kr_gc_large(last)->young_at = e->young_at;
        e->young_at = 0;
    }
}

static void
large_remove(struct kr_large *e)
{
    large_leave_young(e);
    size_t mask = kr_gc.large_cap - 1;
    size_t hole = (size_t)(e - kr_gc.large);
    for (size_t i = (hole + 1) & mask; kr_gc.large[i].op != NULL;
         i = (i + 1) & mask) {
        size_t home = hash_pointer(kr_gc.large[i].op) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            kr_gc.large[hole] = kr_gc.large[i];
            hole = i;
        }
    }
    kr_gc.large[hole].op = NULL;
    kr_gc.large_used--;
}

static void
large_list_young(struct kr_large *e)
{
    if (kr_gc.large_young_len == kr_gc.large_young_cap) {
        size_t cap = kr_gc.large_young_cap ? kr_gc.large_young_cap * 2 : 64;
        PyObject **items = realloc(kr_gc.large_young, cap * sizeof(*items));
        if (items == NULL) {
            kr_gc.lists_lost = 1;
            return;
        }
        kr_gc.large_young = items;
        kr_gc.large_young_cap = cap;
    }
    kr_gc.large_young[kr_gc.large_young_len++] = e->op;
    e->young_at = (uint32_t)kr_gc.large_young_len;
}

void
kr_gc_track_large(PyObject *op)
{
    struct kr_large *e = kr_gc_large(op);
    if (e != NULL) { /* else it is statically allocated: never garbage */
        e->tracked = 1;
        e->gen = 0;
        e->serial = ++kr_gc.large_serial;
        if (e->young_at == 0) {
            large_list_young(e);
        }
    }
}

void
kr_gc_untrack_large(PyObject *op)
{
    struct kr_large *e = kr_gc_large(op);
    if (e != NULL) {
        e->tracked = 0;
    }
}

bool
kr_gc_is_tracked_large(PyObject *op)
{
    struct kr_large *e = kr_gc_large(op);
    return e != NULL && e->tracked;
}

/* --- bits ---------------------------------------------------------------- */

bool
kr_gc_is_finalized(PyObject *op)
{
    if (!kr_heap_owns(op)) {
        struct kr_large *e = kr_gc_large(op);
        return e != NULL && e->finalized;
    }
    return kr_pool_of(op)->kind == KR_POOL_GC
           && (kr_gc_word_of(op)->finalized & kr_gc_bit_of(op)) != 0;
}

void
kr_gc_set_finalized(PyObject *op)
{
    if (!kr_heap_owns(op)) {
        struct kr_large *e = kr_gc_large(op);
        if (e != NULL) {
            e->finalized = 1;
        }
    }
    else if (kr_pool_of(op)->kind == KR_POOL_GC) {
        kr_gc_word_of(op)->finalized |= kr_gc_bit_of(op);
    }
}

int
kr_gc_generation(PyObject *op)
{
    if (!kr_heap_owns(op)) {
        struct kr_large *e = kr_gc_large(op);
        return e != NULL && e->tracked ? e->gen : -1;
    }
    if (!kr_gc_is_tracked(op)) {
        return -1;
    }
    struct kr_gc_word *w = kr_gc_word_of(op);
    uint64_t bit = kr_gc_bit_of(op);
    return ((w->hi & bit) != 0) * 2 + ((w->lo & bit) != 0);
}

void
kr_gc_set_generation(PyObject *op, int gen)
{
    if (!kr_heap_owns(op)) {
        struct kr_large *e = kr_gc_large(op);
        if (e != NULL) {
            e->gen = (uint8_t)gen;
        }
        return;
    }
    struct kr_gc_word *w = kr_gc_word_of(op);
    uint64_t bit = kr_gc_bit_of(op);
    w->lo = gen & 1 ? w->lo | bit : w->lo & ~bit;
    w->hi = gen & 2 ? w->hi | bit : w->hi & ~bit;
    if (gen == 1) {
        kr_gc_pool_mid(kr_pool_of(op));
    }
}

/* --- allocation ---------------------------------------------------------- */

static void
zero_presize(void *op, size_t presize)
{
    if (presize != 0) {
        memset((char *)op - presize, 0, presize);
    }
}

static void *
large_malloc(size_t size, size_t presize)
{
    if (size > (size_t)PTRDIFF_MAX - presize || !large_reserve()) {
        return NULL;
    }
    char *block = malloc(size + presize);
    if (block == NULL) {
        return NULL;
    }
    large_insert(block + presize);
    return block + presize;
}

static inline __attribute__((always_inline)) void *
gc_block(size_t size, size_t presize)
{
    size_t total = size + presize;
    if (KR_LIKELY(total - 1 < KR_GC_POOLED_MAX)) {
        unsigned cls = kr_gc_class(total);
        char *block = kr_pool_take(kr_heap.gc[cls]);
        if (KR_UNLIKELY(block == NULL)) {
            block = kr_heap_gc_slow(cls);
        }
        if (KR_LIKELY(block != NULL)) {
            return block + presize;
        }
    }
    return large_malloc(size, presize);
}

/* Objects of GC types need pools of their own, so an allocator that somebody
 * put in place of the object domain's doesn't make their blocks. But it may
 * watch, or refuse as if memory had run out, and therefore is asked for each;
 * tracemalloc, which is such an allocator too, has its own eyes. */
static KR_COLD bool
refused(size_t total)
{
    if (kr_gc.on_alloc != NULL) {
        return false;
    }
    void *p = PyObject_Malloc(total);
    PyObject_Free(p);
    return p == NULL;
}

void *
kr_gc_malloc(size_t size, size_t presize)
{
    bool watched = !kr_domains.direct[PYMEM_DOMAIN_OBJ];
    if (KR_UNLIKELY(watched) && refused(size + presize)) {
        return PyErr_NoMemory();
    }
    void *op = gc_block(size, presize);
    if (KR_UNLIKELY(op == NULL)) {
        return PyErr_NoMemory();
    }
    zero_presize(op, presize);
    if (KR_UNLIKELY(watched) && kr_gc.on_alloc != NULL) {
        kr_gc.on_alloc(op, size + presize);
    }
    if (KR_UNLIKELY(++kr_gc.gen[0].count > kr_gc.gen[0].threshold
                    || KR_STRESS)) {
        kr_gc_collect_due();
    }
    return op;
}

void
kr_gc_free(void *op, size_t presize)
{
    if (kr_gc.gen[0].count > 0) {
        kr_gc.gen[0].count--;
    }
    if (KR_UNLIKELY(kr_gc.on_free != NULL)) {
        kr_gc.on_free(op);
    }
    if (KR_LIKELY(kr_heap_owns(op))) {
        struct kr_gc_word *w = kr_gc_word_of(op);
        uint64_t keep = ~kr_gc_bit_of(op);
        w->tracked &= keep;
        w->finalized &= keep;
        kr_pool_give(kr_pool_of(op), (char *)op - presize);
        return;
    }
    struct kr_large *e = kr_gc_large(op);
    if (e != NULL) {
        large_remove(e);
        free((char *)op - presize);
    }
}

void *
kr_obj_malloc(size_t size, size_t presize)
{
    if (presize == 0) {
        return PyObject_Malloc(size);
    }
    if (size > (size_t)PTRDIFF_MAX - presize) {
        return NULL;
    }
    char *block = PyObject_Malloc(size + presize);
    if (block == NULL) {
        return NULL;
    }
    zero_presize(block + presize, presize);
    return block + presize;
}

void
kr_obj_free(void *op, size_t presize)
{
    if (op != NULL) {
        PyObject_Free((char *)op - presize);
    }
}

/* --- the C API ----------------------------------------------------------- */

void
PyObject_GC_Track(void *op)
{
    kr_gc_track((PyObject *)op);
}

void
PyObject_GC_UnTrack(void *op)
{
    PyObject *ob = op;
    if (!kr_heap_owns(ob)) {
        kr_gc_untrack_large(ob);
    }
    else if (kr_pool_of(ob)->kind == KR_POOL_GC) {
        kr_gc_word_of(ob)->tracked &= ~kr_gc_bit_of(ob);
    }
}

int
PyObject_GC_IsTracked(PyObject *op)
{
    return kr_gc_is_tracked(op);
}

int
PyObject_GC_IsFinalized(PyObject *op)
{
    return kr_gc_is_finalized(op);
}

int
PyObject_IS_GC(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return (type->tp_flags & Py_TPFLAGS_HAVE_GC)
           && (type->tp_is_gc == NULL || type->tp_is_gc(op));
}

PyObject *
_PyObject_GC_New(PyTypeObject *type)
{
    PyObject *op = kr_gc_malloc((size_t)type->tp_basicsize,
                                kr_type_presize(type));
    return op == NULL ? NULL : PyObject_Init(op, type);
}

PyVarObject *
_PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    size_t size = _PyObject_VAR_SIZE(type, n);
    PyVarObject *op = kr_gc_malloc(size, kr_type_presize(type));
    return op == NULL ? NULL : PyObject_InitVar(op, type, n);
}

static PyVarObject *
resize_large(PyVarObject *op, size_t size, size_t presize)
{
    struct kr_large *e = kr_gc_large(op);
    if (e == NULL || size > (size_t)PTRDIFF_MAX - presize) {
        return NULL;
    }
    uint8_t finalized = e->finalized;
    large_leave_young(e);
    char *block = realloc((char *)op - presize, size + presize);
    if (block == NULL) {
        return NULL;
    }
    if (block + presize != (char *)op) {
        large_remove(e);
        e = large_insert(block + presize);
        e->finalized = finalized;
    }
    return (PyVarObject *)(block + presize);
}

static PyVarObject *
resize_pooled(PyVarObject *op, size_t size, size_t presize)
{
    size_t room = kr_pool_of(op)->size - presize;
    if (size <= room && size + presize > room / 2) {
        return op;
    }
    PyVarObject *copy = gc_block(size, presize);
    if (copy == NULL) {
        return NULL;
    }
    size_t keep = size < room ? size : room;
    memcpy((char *)copy - presize, (char *)op - presize, keep + presize);
    if (kr_gc_is_finalized((PyObject *)op)) {
        kr_gc_set_finalized((PyObject *)copy);
    }
    if (kr_gc.on_free != NULL) {
        kr_gc.on_free(op);
    }
    kr_gc_word_of(op)->finalized &= ~kr_gc_bit_of(op);
    kr_pool_give(kr_pool_of(op), (char *)op - presize);
    if (kr_gc.on_alloc != NULL) {
        kr_gc.on_alloc(copy, size + presize);
    }
    return copy;
}

PyVarObject *
_PyObject_GC_Resize(PyVarObject *op, Py_ssize_t n)
{
    PyTypeObject *type = Py_TYPE(op);
    size_t presize = kr_type_presize(type);
    if (n < 0 || (type->tp_itemsize > 0
                  && n > (PY_SSIZE_T_MAX - type->tp_basicsize)
                             / type->tp_itemsize)) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    size_t size = _PyObject_VAR_SIZE(type, n);
    if (KR_UNLIKELY(!kr_domains.direct[PYMEM_DOMAIN_OBJ])
        && refused(size + presize)) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    op = kr_heap_owns(op) ? resize_pooled(op, size, presize)
                          : resize_large(op, size, presize);
    if (op == NULL) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    Py_SET_SIZE(op, n);
    return op;
}

void
PyObject_GC_Del(void *op)
{
    kr_gc_free(op, kr_type_presize(Py_TYPE((PyObject *)op)));
}

/* --- objects in general -------------------------------------------------- */

PyAPI_FUNC(void) _Py_NewReference(PyObject *op);

void
_Py_NewReference(PyObject *op)
{
    if (KR_UNLIKELY(_Py_tracemalloc_config.tracing)) {
        kr_tracemalloc_new_reference(op);
    }
    Py_SET_REFCNT(op, 1);
}

PyObject *
PyObject_Init(PyObject *op, PyTypeObject *type)
{
    if (op == NULL) {
        return PyErr_NoMemory();
    }
    Py_SET_TYPE(op, type);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_INCREF(type);
    }
    _Py_NewReference(op);
    return op;
}

PyVarObject *
PyObject_InitVar(PyVarObject *op, PyTypeObject *type, Py_ssize_t size)
{
    if (op == NULL) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    Py_SET_SIZE(op, size);
    PyObject_Init((PyObject *)op, type);
    return op;
}

PyObject *
_PyObject_New(PyTypeObject *type)
{
    PyObject *op = kr_obj_malloc((size_t)type->tp_basicsize,
                                 kr_type_presize(type));
    return op == NULL ? PyErr_NoMemory() : PyObject_Init(op, type);
}

PyVarObject *
_PyObject_NewVar(PyTypeObject *type, Py_ssize_t n)
{
    size_t size = _PyObject_VAR_SIZE(type, n);
    PyVarObject *op = kr_obj_malloc(size, kr_type_presize(type));
    if (op == NULL) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    return PyObject_InitVar(op, type, n);
}

void
PyObject_CallFinalizer(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_finalize == NULL) {
        return;
    }
    bool gc = PyObject_IS_GC(self);
    if (gc && kr_gc_is_finalized(self)) {
        return;
    }
    type->tp_finalize(self);
    if (gc) {
        kr_gc_set_finalized(self);
    }
}

int
PyObject_CallFinalizerFromDealloc(PyObject *self)
{
    if (Py_REFCNT(self) != 0) {
        Py_FatalError("PyObject_CallFinalizerFromDealloc called on object "
                      "with a non-zero refcount");
    }
    Py_SET_REFCNT(self, 1); /* alive again while its finalizer runs */
    PyObject_CallFinalizer(self);
    Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
    return Py_REFCNT(self) == 0 ? 0 : -1;
}
