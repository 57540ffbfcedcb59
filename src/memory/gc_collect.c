/* The cyclic collector: trial deletion with the counts in side arrays.
 *
 * Each pool with candidates gets a slice of slots, one per block: 0 means "not
 * a candidate", n + 1 means "n references not explained yet", REACHED means
 * proven alive. Objects are not written to until they are known to be garbage.
 * While garbage is taken apart its members are in generation KR_GC_APART, so
 * that an address that was freed and used again can be told apart. */
#include <Python.h>
#include <stdlib.h>
#include <string.h>

#include "base/stress.h"
#include "memory/gc_state.h"
#include "memory/tstate.h"

#define REACHED UINT32_MAX
#define MANY (UINT32_MAX >> 1) /* counts are cut off here */

struct collection {
    int gen;
    struct kr_pool **pools;
    size_t npools;
    uint32_t *slots;
    PyObject **stack; /* room for every candidate */
    size_t top, ncand;
    PyObject **found; /* the unreachable ones */
    size_t nfound;
    bool with_large; /* some large object's slot is in use */
};

/* The slot of a candidate pool or large object; NULL for anything else. */
static inline uint32_t *
slot_of(PyObject *op)
{
    if (KR_LIKELY(kr_heap_owns(op))) {
        struct kr_pool *pool = kr_pool_of(op);
        if (pool->kind != KR_POOL_GC || pool->gc_refs == NULL) {
            return NULL;
        }
        return &pool->gc_refs[kr_pool_index(pool, op)];
    }
    if (!(Py_TYPE(op)->tp_flags & Py_TPFLAGS_HAVE_GC)
        || kr_gc.large_used == 0) {
        return NULL;
    }
    struct kr_large *e = kr_gc_large(op);
    return e == NULL ? NULL : &e->refs;
}

static inline bool
is_candidate(PyObject *op)
{
    uint32_t *slot = slot_of(op);
    return slot != NULL && *slot != 0;
}

static int
visit_subtract(PyObject *op, void *arg)
{
    uint32_t *slot = slot_of(op);
    if (slot != NULL && *slot > 1) {
        --*slot;
    }
    return 0;
}

static int
visit_mark(PyObject *op, void *arg)
{
    uint32_t *slot = slot_of(op);
    if (slot != NULL && *slot != 0 && *slot != REACHED) {
        struct collection *c = arg;
        *slot = REACHED;
        c->stack[c->top++] = op;
    }
    return 0;
}

static void
mark_from(struct collection *c, PyObject *op)
{
    visit_mark(op, c);
    while (c->top > 0) {
        PyObject *next = c->stack[--c->top];
        Py_TYPE(next)->tp_traverse(next, visit_mark, c);
    }
}

/* --- candidates ---------------------------------------------------------- */

/* Objects of generations 0..gen in a word. */
static uint64_t
members(const struct kr_gc_word *w, int gen)
{
    uint64_t in = gen == 0 ? ~w->lo & ~w->hi
                  : gen == 1 ? ~w->hi
                             : ~(w->lo & w->hi);
    return w->tracked & in;
}

static PyObject *
object_at(struct kr_pool *pool, int word, int bit)
{
    return (PyObject *)((char *)pool + word * 1024 + bit * 16);
}

static void
count_pool(struct kr_pool *pool, void *arg)
{
    ++*(size_t *)arg;
}

static void
append_pool(struct kr_pool *pool, void *arg)
{
    struct collection *c = arg;
    c->pools[c->npools++] = pool;
}

/* Gathers the pools that may hold candidates. */
static bool
choose_pools(struct collection *c)
{
    bool all = c->gen == 2 || kr_gc.lists_lost;
    size_t n = kr_gc.young.len + kr_gc.mid.len;
    if (all) {
        n = 0;
        kr_heap_each_pool(KR_POOL_GC, count_pool, &n);
    }
    c->pools = malloc((n + 1) * sizeof(*c->pools));
    if (c->pools == NULL) {
        return false;
    }
    if (all) {
        kr_heap_each_pool(KR_POOL_GC, append_pool, c);
        return true;
    }
    for (size_t i = 0; i < kr_gc.young.len; i++) {
        append_pool(kr_gc.young.items[i], c);
    }
    for (size_t i = 0; c->gen == 1 && i < kr_gc.mid.len; i++) {
        if (kr_gc.mid.items[i]->young_at == 0) {
            append_pool(kr_gc.mid.items[i], c);
        }
    }
    return true;
}

static void
empty_list(struct kr_pool_list *list, bool young)
{
    for (size_t i = 0; i < list->len; i++) {
        *(young ? &list->items[i]->young_at : &list->items[i]->mid_at) = 0;
    }
    list->len = 0;
}

static size_t
pool_blocks(const struct kr_pool *pool)
{
    return (size_t)(pool->bump - (const char *)pool - KR_POOL_GC_START)
           / pool->size;
}

/* Gives each pool its slots, all zero. */
static bool
attach_slots(struct collection *c)
{
    size_t total = 1;
    for (size_t i = 0; i < c->npools; i++) {
        total += pool_blocks(c->pools[i]);
    }
    c->slots = calloc(total, sizeof(*c->slots));
    if (c->slots == NULL) {
        return false;
    }
    uint32_t *next = c->slots;
    for (size_t i = 0; i < c->npools; i++) {
        c->pools[i]->gc_refs = next;
        next += pool_blocks(c->pools[i]);
    }
    return true;
}

static void
detach_slots(struct collection *c)
{
    for (size_t i = 0; i < c->npools; i++) {
        c->pools[i]->gc_refs = NULL;
    }
    if (c->with_large) {
        for (size_t i = 0; i < kr_gc.large_cap; i++) {
            kr_gc.large[i].refs = 0;
        }
    }
    c->with_large = false;
    free(c->slots);
    c->slots = NULL;
    free(c->pools);
    c->pools = NULL;
    c->npools = 0;
    free(c->stack);
    c->stack = NULL;
}

/* Calls `visit` for each object of the generation being collected. */
static void
each_member(struct collection *c, void (*visit)(struct collection *,
                                                PyObject *, uint32_t *))
{
    for (size_t i = 0; i < c->npools; i++) {
        struct kr_pool *pool = c->pools[i];
        struct kr_gc_word *words = kr_pool_words(pool);
        for (int w = 0; w < 16; w++) {
            uint64_t m = members(&words[w], c->gen);
            for (; m != 0; m &= m - 1) {
                PyObject *op = object_at(pool, w, __builtin_ctzll(m));
                visit(c, op, &pool->gc_refs[kr_pool_index(pool, op)]);
            }
        }
    }
    if (c->gen == 0 && !kr_gc.lists_lost) {
        for (size_t i = 0; i < kr_gc.large_young_len; i++) {
            struct kr_large *e = kr_gc_large(kr_gc.large_young[i]);
            if (e->tracked && e->gen == 0) {
                visit(c, e->op, &e->refs);
            }
        }
        return;
    }
    for (size_t i = 0; i < kr_gc.large_cap; i++) {
        struct kr_large *e = &kr_gc.large[i];
        if (e->op != NULL && e->tracked && e->gen <= c->gen) {
            visit(c, e->op, &e->refs);
        }
    }
}

static void
take_count(struct collection *c, PyObject *op, uint32_t *slot)
{
    if (*slot == 0) {
        Py_ssize_t n = op->ob_refcnt;
        *slot = n >= MANY ? MANY : (uint32_t)n + 1;
        c->ncand++;
        if (!kr_heap_owns(op)) {
            c->with_large = true;
        }
    }
}

static void
subtract(struct collection *c, PyObject *op, uint32_t *slot)
{
    Py_TYPE(op)->tp_traverse(op, visit_subtract, NULL);
}

static void
mark(struct collection *c, PyObject *op, uint32_t *slot)
{
    if (*slot > 1 && *slot != REACHED) {
        mark_from(c, op);
    }
}

static void
count_unreached(struct collection *c, PyObject *op, uint32_t *slot)
{
    c->nfound += *slot == 1;
}

/* A survivor need not be tracked if it can't be part of a cycle. */
static void
untrack_survivor(struct collection *c, PyObject *op)
{
    if (PyTuple_CheckExact(op)) {
        _PyTuple_MaybeUntrack(op);
    }
    else if (c->gen == 2 && PyDict_CheckExact(op)) {
        _PyDict_MaybeUntrack(op);
    }
}

/* Sorts the members: the living go to the next generation, the others to
 * `found`. The large ones are sorted here, the pooled ones word by word. */
static void
sort_large(struct collection *c, struct kr_large *e, int next)
{
    if (e->refs == 1) {
        e->gen = KR_GC_APART;
        c->found[c->nfound++] = e->op;
    }
    else if (e->refs != 0) {
        e->refs = 0;
        e->gen = (uint8_t)next;
        untrack_survivor(c, e->op);
    }
}

static void
sort_pool(struct collection *c, struct kr_pool *pool, int next)
{
    struct kr_gc_word *words = kr_pool_words(pool);
    uint64_t alive = 0;
    for (int w = 0; w < 16; w++) {
        uint64_t all = members(&words[w], c->gen), dead = 0;
        for (uint64_t m = all; m != 0; m &= m - 1) {
            PyObject *op = object_at(pool, w, __builtin_ctzll(m));
            if (pool->gc_refs[kr_pool_index(pool, op)] == 1) {
                dead |= m & -m;
                c->found[c->nfound++] = op;
            }
        }
        uint64_t live = all & ~dead;
        words[w].lo = next == 1 ? words[w].lo | live : words[w].lo & ~live;
        words[w].hi = next == 2 ? words[w].hi | live : words[w].hi & ~live;
        words[w].lo |= dead;
        words[w].hi |= dead;
        alive |= live;
    }
    if (alive != 0 && next == 1) {
        kr_gc_pool_mid(pool);
    }
}

static int
compare_age(const void *a, const void *b)
{
    uint64_t x = kr_gc_large(*(PyObject *const *)a)->serial;
    uint64_t y = kr_gc_large(*(PyObject *const *)b)->serial;
    return (x > y) - (x < y);
}

static void
forget_young_large(void)
{
    for (size_t i = 0; i < kr_gc.large_young_len; i++) {
        kr_gc_large(kr_gc.large_young[i])->young_at = 0;
    }
    kr_gc.large_young_len = 0;
}

static bool
sort_members(struct collection *c)
{
    c->nfound = 0;
    each_member(c, count_unreached);
    c->found = malloc((c->nfound + 1) * sizeof(*c->found));
    if (c->found == NULL) {
        return false;
    }
    int next = c->gen == 2 ? 2 : c->gen + 1;
    empty_list(&kr_gc.young, true);
    if (c->gen > 0) {
        empty_list(&kr_gc.mid, false);
    }
    c->nfound = 0;
    for (size_t i = 0; i < c->npools; i++) {
        sort_pool(c, c->pools[i], next);
    }
    size_t pooled = c->nfound;
    if (c->gen == 0 && !kr_gc.lists_lost) {
        for (size_t i = 0; i < kr_gc.large_young_len; i++) {
            sort_large(c, kr_gc_large(kr_gc.large_young[i]), next);
        }
    }
    else {
        for (size_t i = 0; c->with_large && i < kr_gc.large_cap; i++) {
            if (kr_gc.large[i].op != NULL) {
                sort_large(c, &kr_gc.large[i], next);
            }
        }
        kr_gc.lists_lost = 0;
    }
    c->with_large = c->nfound > pooled;
    /* the table has no order, and finalizers are called in this one */
    qsort(c->found + pooled, c->nfound - pooled, sizeof(*c->found),
          compare_age);
    forget_young_large();
    return true;
}

/* Finds the unreachable objects of the generation; false: out of memory, in
 * which case nothing has changed. The slots stay attached. */
static bool
find_unreachable(struct collection *c)
{
    if (!choose_pools(c) || !attach_slots(c)) {
        return false;
    }
    each_member(c, take_count);
    c->stack = malloc((c->ncand + 1) * sizeof(*c->stack));
    if (c->stack == NULL) {
        return false;
    }
    each_member(c, subtract);
    each_member(c, mark);
    return sort_members(c);
}

/* The large survivors are done already. */
static void
untrack_pooled(struct collection *c)
{
    int next = c->gen == 2 ? 2 : c->gen + 1;
    for (size_t i = 0; i < c->npools; i++) {
        struct kr_pool *pool = c->pools[i];
        struct kr_gc_word *words = kr_pool_words(pool);
        for (int w = 0; w < 16; w++) {
            uint64_t m = words[w].tracked & (next == 1 ? words[w].lo
                                                       : words[w].hi);
            for (; m != 0; m &= m - 1) {
                PyObject *op = object_at(pool, w, __builtin_ctzll(m));
                if (pool->gc_refs[kr_pool_index(pool, op)] == REACHED) {
                    untrack_survivor(c, op);
                }
            }
        }
    }
}

/* --- garbage ------------------------------------------------------------- */

/* Whether an element of `found` is still there and still garbage. */
static bool
still_apart(PyObject *op)
{
    if (kr_heap_owns(op) && kr_pool_of(op)->kind != KR_POOL_GC) {
        return false;
    }
    return kr_gc_generation(op) == KR_GC_APART;
}

static void
debug_cycle(const char *what, PyObject *op)
{
    PySys_FormatStderr("gc: %s <%s %p>\n", what, Py_TYPE(op)->tp_name, op);
}

static int
to_garbage(PyObject *op)
{
    struct kr_gc_lists *lists = kr_gc_lists();
    if (lists->garbage == NULL) {
        lists->garbage = PyList_New(0);
        if (lists->garbage == NULL) {
            return -1;
        }
    }
    return PyList_Append(lists->garbage, op);
}

/* Takes objects with a tp_del, and all they lead to, out of `found`; they
 * can't be destroyed in a safe order. The former go to `legacy`. */
static size_t
set_legacy_apart(struct collection *c, int next, PyObject ***legacy)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < c->nfound; i++) {
        n += Py_TYPE(c->found[i])->tp_del != NULL;
    }
    *legacy = NULL;
    if (n == 0) {
        return 0;
    }
    PyObject **list = malloc(n * sizeof(*list));
    size_t all = n;
    n = 0;
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (Py_TYPE(op)->tp_del != NULL) {
            if (list != NULL && n < all) {
                list[n++] = op;
            }
            mark_from(c, op);
        }
    }
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (*slot_of(op) == REACHED) {
            kr_gc_set_generation(op, next);
        }
        else {
            c->found[kept++] = op;
        }
    }
    c->nfound = kept;
    *legacy = list;
    return n;
}

/* A weak reference of which we own a reference, whose callback is due. */
struct due {
    PyWeakReference **items;
    size_t len, cap;
};

static bool
due_add(struct due *due, PyWeakReference *wr)
{
    if (due->len == due->cap) {
        size_t cap = due->cap ? due->cap * 2 : 16;
        void *items = realloc(due->items, cap * sizeof(*due->items));
        if (items == NULL) {
            return false;
        }
        due->items = items;
        due->cap = cap;
    }
    Py_INCREF(wr);
    due->items[due->len++] = wr;
    return true;
}

/* Clears the weak references to garbage, so that no code that runs from here
 * on can get at it, and collects those whose callbacks must be called: the
 * ones that are not garbage themselves. */
static void
clear_weakrefs(struct collection *c, struct due *due)
{
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (PyWeakref_Check(op)) {
            _PyWeakref_ClearRef((PyWeakReference *)op);
        }
        if (Py_TYPE(op)->tp_weaklistoffset <= 0) {
            continue;
        }
        PyWeakReference **head
            = (PyWeakReference **)PyObject_GET_WEAKREFS_LISTPTR(op);
        PyWeakReference *wr;
        while ((wr = *head) != NULL) {
            _PyWeakref_ClearRef(wr);
            if (wr->wr_callback != NULL && !is_candidate((PyObject *)wr)) {
                due_add(due, wr);
            }
            else if (wr->wr_callback != NULL
                     && *slot_of((PyObject *)wr) == REACHED) {
                due_add(due, wr);
            }
        }
    }
}

static void
call_due(struct due *due)
{
    for (size_t i = 0; i < due->len; i++) {
        PyObject *wr = (PyObject *)due->items[i];
        PyObject *callback = due->items[i]->wr_callback;
        if (callback != NULL) {
            Py_INCREF(callback);
            PyObject *res = PyObject_CallOneArg(callback, wr);
            if (res == NULL) {
                PyErr_WriteUnraisable(callback);
            }
            Py_XDECREF(res);
            Py_DECREF(callback);
        }
        Py_DECREF(wr);
    }
    free(due->items);
}

/* Calls the finalizers of suspended code, or all others; whether any was. */
static bool
finalize_some(struct collection *c, bool code)
{
    bool any = false;
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (!still_apart(op)) {
            continue;
        }
        destructor finalize = Py_TYPE(op)->tp_finalize;
        if (finalize != NULL && (finalize == _PyGen_Finalize) == code
            && !kr_gc_is_finalized(op)) {
            kr_gc_set_finalized(op);
            Py_INCREF(op);
            finalize(op);
            Py_DECREF(op);
            any = true;
        }
    }
    return any;
}

/* The objects are in no order of age. Suspended code comes first: what its
 * finally blocks close must not be found unclosed. */
static bool
finalize_found(struct collection *c)
{
    bool code = finalize_some(c, true);
    return finalize_some(c, false) || code;
}

static bool
attach_found(struct collection *c)
{
    c->pools = malloc((c->nfound + 1) * sizeof(*c->pools));
    c->stack = malloc((c->nfound + 1) * sizeof(*c->stack));
    if (c->pools == NULL || c->stack == NULL) {
        return false;
    }
    for (size_t i = 0; i < c->nfound; i++) {
        struct kr_pool *pool = kr_pool_of(c->found[i]);
        if (kr_heap_owns(c->found[i]) && !pool->mark) {
            pool->mark = 1;
            c->pools[c->npools++] = pool;
        }
    }
    for (size_t i = 0; i < c->npools; i++) {
        c->pools[i]->mark = 0;
    }
    return attach_slots(c);
}

/* After finalizers ran: what they have made reachable again, and all that it
 * leads to, goes back to generation `next`. */
static void
keep_resurrected(struct collection *c, int next)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->nfound; i++) {
        if (still_apart(c->found[i])) {
            c->found[kept++] = c->found[i];
        }
    }
    c->nfound = kept;
    bool ok = attach_found(c);
    for (size_t i = 0; ok && i < c->nfound; i++) {
        take_count(c, c->found[i], slot_of(c->found[i]));
    }
    for (size_t i = 0; ok && i < c->nfound; i++) {
        subtract(c, c->found[i], NULL);
    }
    for (size_t i = 0; ok && i < c->nfound; i++) {
        mark(c, c->found[i], slot_of(c->found[i]));
    }
    kept = 0;
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (!ok || *slot_of(op) == REACHED) {
            kr_gc_set_generation(op, next);
        }
        else {
            c->found[kept++] = op;
        }
    }
    c->nfound = kept;
    detach_slots(c);
}

static void
write_unraisable_in(const char *what, PyObject *obj)
{
    _PyErr_WriteUnraisableMsg(what, obj);
}

static void
delete_found(struct collection *c, int next)
{
    for (size_t i = 0; i < c->nfound; i++) {
        PyObject *op = c->found[i];
        if (!still_apart(op)) {
            continue;
        }
        if (kr_gc.debug & KR_GC_DEBUG_SAVEALL) {
            if (to_garbage(op) < 0) {
                PyErr_Clear();
            }
        }
        else if (Py_TYPE(op)->tp_clear != NULL) {
            Py_INCREF(op);
            (void)Py_TYPE(op)->tp_clear(op);
            if (PyErr_Occurred()) {
                write_unraisable_in("in tp_clear of", (PyObject *)Py_TYPE(op));
            }
            Py_DECREF(op);
        }
        if (still_apart(op)) {
            kr_gc_set_generation(op, next);
        }
    }
}

/* --- one collection ------------------------------------------------------ */

static int
count_object(PyObject *op, void *arg)
{
    ++*(Py_ssize_t *)arg;
    return 0;
}

static Py_ssize_t
count_generations(unsigned gens)
{
    Py_ssize_t n = 0;
    kr_gc_each(gens, count_object, &n);
    return n;
}

static void
print_before(int gen)
{
    PySys_WriteStderr("gc: collecting generation %d...\n", gen);
    PySys_WriteStderr("gc: objects in each generation: %zd %zd %zd\n",
                      count_generations(1), count_generations(2),
                      count_generations(4));
    PySys_WriteStderr("gc: objects in permanent generation: %zd\n",
                      count_generations(8));
}

static double
now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Updates the counts that decide when the next collections come. */
static void
account(struct collection *c)
{
    Py_ssize_t survivors = (Py_ssize_t)(c->ncand - c->nfound);
    if (c->gen == 2) {
        kr_gc.long_lived_pending = 0;
        kr_gc.long_lived_total = survivors;
    }
    else if (c->gen == 1) {
        kr_gc.long_lived_pending += survivors;
    }
}

static Py_ssize_t
handle_legacy(PyObject **legacy, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (kr_gc.debug & KR_GC_DEBUG_UNCOLLECTABLE) {
            debug_cycle("uncollectable", legacy[i]);
        }
        if (to_garbage(legacy[i]) < 0) {
            PyErr_Clear();
        }
    }
    free(legacy);
    return (Py_ssize_t)n;
}

static Py_ssize_t
dismantle(struct collection *c, Py_ssize_t *uncollectable, bool no_fail)
{
    int next = c->gen == 2 ? 2 : c->gen + 1;
    PyObject **legacy;
    size_t nlegacy = set_legacy_apart(c, next, &legacy);
    for (size_t i = 0; i < nlegacy; i++) {
        Py_INCREF(legacy[i]);
    }
    struct due due = {0};
    clear_weakrefs(c, &due);
    detach_slots(c);
    if (kr_gc.debug & KR_GC_DEBUG_COLLECTABLE) {
        for (size_t i = 0; i < c->nfound; i++) {
            debug_cycle("collectable", c->found[i]);
        }
    }
    call_due(&due);
    if (finalize_found(c)) {
        keep_resurrected(c, next);
    }
    Py_ssize_t m = (Py_ssize_t)c->nfound;
    delete_found(c, next);
    for (size_t i = 0; i < nlegacy; i++) {
        Py_DECREF(legacy[i]);
    }
    *uncollectable = handle_legacy(legacy, nlegacy);
    if (PyErr_Occurred()) {
        if (no_fail) {
            PyErr_Clear();
        }
        else {
            write_unraisable_in("in garbage collection", NULL);
        }
    }
    return m;
}

static Py_ssize_t
collect_main(int gen, Py_ssize_t *uncollectable, bool no_fail)
{
    struct collection c = {.gen = gen};
    double start = 0;
    *uncollectable = 0;
    if (kr_gc.debug & KR_GC_DEBUG_STATS) {
        print_before(gen);
        start = now();
    }
    if (gen + 1 < KR_GC_GENERATIONS) {
        kr_gc.gen[gen + 1].count++;
    }
    for (int i = 0; i <= gen; i++) {
        kr_gc.gen[i].count = 0;
    }
    if (!find_unreachable(&c)) {
        detach_slots(&c);
        return 0;
    }
    untrack_pooled(&c);
    account(&c);
    Py_ssize_t m = 0;
    if (c.nfound == 0) {
        detach_slots(&c);
    }
    else {
        m = dismantle(&c, uncollectable, no_fail);
    }
    free(c.found);
    if (kr_gc.debug & KR_GC_DEBUG_STATS) {
        PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable, "
                          "%.4fs elapsed\n",
                          m + *uncollectable, *uncollectable, now() - start);
    }
    kr_gc.stats[gen].collections++;
    kr_gc.stats[gen].collected += m;
    kr_gc.stats[gen].uncollectable += *uncollectable;
    return m + *uncollectable;
}

static void
invoke_callbacks(const char *phase, int gen, Py_ssize_t collected,
                 Py_ssize_t uncollectable)
{
    PyObject *callbacks = kr_gc_lists()->callbacks;
    if (callbacks == NULL || PyList_GET_SIZE(callbacks) == 0) {
        return;
    }
    PyObject *info = Py_BuildValue("{sisnsn}", "generation", gen, "collected",
                                   collected, "uncollectable", uncollectable);
    PyObject *name = info == NULL ? NULL : PyUnicode_FromString(phase);
    if (name == NULL) {
        Py_XDECREF(info);
        PyErr_WriteUnraisable(NULL);
        return;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *cb = PyList_GET_ITEM(callbacks, i);
        Py_INCREF(cb);
        PyObject *r = PyObject_CallFunctionObjArgs(cb, name, info, NULL);
        if (r == NULL) {
            PyErr_WriteUnraisable(cb);
        }
        Py_XDECREF(r);
        Py_DECREF(cb);
    }
    Py_DECREF(name);
    Py_DECREF(info);
}

static Py_ssize_t
collect_with_callbacks(int gen)
{
    Py_ssize_t uncollectable;
    invoke_callbacks("start", gen, 0, 0);
    Py_ssize_t n = collect_main(gen, &uncollectable, false);
    invoke_callbacks("stop", gen, n - uncollectable, uncollectable);
    return n;
}

Py_ssize_t
kr_gc_collect(int gen)
{
    if (kr_gc.collecting) {
        return 0;
    }
    PyObject *type, *value, *tb;
    kr_gc.collecting = 1;
    PyErr_Fetch(&type, &value, &tb);
    Py_ssize_t n = collect_with_callbacks(gen);
    PyErr_Restore(type, value, tb);
    kr_gc.collecting = 0;
    return n;
}

static bool
is_due(int gen)
{
    int threshold = kr_gc.gen[gen].threshold;
    if (KR_STRESS && threshold > 0) {
        threshold = gen == 0 ? 0 : gen == 1 ? 400 : 40;
    }
    return kr_gc.gen[gen].count > threshold;
}

void
kr_gc_collect_due(void)
{
    PyThreadState *ts = kr_tstate();
    if (!kr_gc.enabled || kr_gc.gen[0].threshold == 0 || kr_gc.collecting
        || kr_gc.starting || ts == NULL || ts->curexc_type != NULL) {
        return;
    }
    kr_gc.collecting = 1;
    for (int i = KR_GC_GENERATIONS - 1; i >= 0; i--) {
        if (!is_due(i)) {
            continue;
        }
        /* a full collection only when a quarter of the old ones is new */
        if (i == 2 && kr_gc.long_lived_pending < kr_gc.long_lived_total / 4) {
            continue;
        }
        collect_with_callbacks(i);
        break;
    }
    kr_gc.collecting = 0;
}

Py_ssize_t
kr_gc_collect_no_fail(void)
{
    if (kr_gc.collecting) {
        return 0;
    }
    Py_ssize_t uncollectable;
    kr_gc.collecting = 1;
    Py_ssize_t n = collect_main(2, &uncollectable, true);
    kr_gc.collecting = 0;
    return n;
}

/* --- start-up ------------------------------------------------------------ */

void
kr_gc_hold(void)
{
    kr_gc.starting = 1;
}

static void
make_old(struct kr_pool *pool, void *arg)
{
    struct kr_gc_word *words = kr_pool_words(pool);
    for (int w = 0; w < 16; w++) {
        uint64_t m = members(&words[w], 1);
        words[w].hi |= m;
        words[w].lo &= ~m;
        *(Py_ssize_t *)arg += __builtin_popcountll(words[w].tracked);
    }
}

void
kr_gc_settle(void)
{
    kr_gc.starting = 0;
    Py_ssize_t total = 0;
    kr_heap_each_pool(KR_POOL_GC, make_old, &total);
    for (size_t i = 0; i < kr_gc.large_cap; i++) {
        struct kr_large *e = &kr_gc.large[i];
        if (e->op != NULL && e->tracked && e->gen < 2) {
            e->gen = 2;
        }
    }
    forget_young_large();
    empty_list(&kr_gc.young, true);
    empty_list(&kr_gc.mid, false);
    kr_gc.gen[0].count = kr_gc.gen[1].count = 0;
    kr_gc.long_lived_pending = 0;
    kr_gc.long_lived_total = total;
}

/* --- enumeration --------------------------------------------------------- */

struct each {
    unsigned gens;
    int (*visit)(PyObject *, void *);
    void *arg;
    int result;
};

static void
each_in_pool(struct kr_pool *pool, void *arg)
{
    struct each *e = arg;
    struct kr_gc_word *words = kr_pool_words(pool);
    for (int w = 0; w < 16 && e->result == 0; w++) {
        for (uint64_t m = words[w].tracked; m != 0; m &= m - 1) {
            int bit = __builtin_ctzll(m);
            int gen = (int)((words[w].hi >> bit & 1) * 2
                            + (words[w].lo >> bit & 1));
            if (!(e->gens >> gen & 1)) {
                continue;
            }
            e->result = e->visit(object_at(pool, w, bit), e->arg);
            if (e->result != 0) {
                return;
            }
        }
    }
}

int
kr_gc_each(unsigned gens, int (*visit)(PyObject *, void *), void *arg)
{
    struct each e = {gens, visit, arg, 0};
    kr_heap_each_pool(KR_POOL_GC, each_in_pool, &e);
    for (size_t i = 0; i < kr_gc.large_cap && e.result == 0; i++) {
        struct kr_large *l = &kr_gc.large[i];
        if (l->op != NULL && l->tracked && (gens >> l->gen & 1)) {
            e.result = visit(l->op, arg);
        }
    }
    return e.result;
}

/* --- the C API ----------------------------------------------------------- */

Py_ssize_t
PyGC_Collect(void)
{
    return kr_gc.enabled ? kr_gc_collect(2) : 0;
}

int
PyGC_Enable(void)
{
    int old = kr_gc.enabled;
    kr_gc.enabled = 1;
    return old;
}

int
PyGC_Disable(void)
{
    int old = kr_gc.enabled;
    kr_gc.enabled = 0;
    return old;
}

int
PyGC_IsEnabled(void)
{
    return kr_gc.enabled;
}

void
kr_gc_dump_shutdown_stats(void)
{
    PyObject *garbage = kr_gc_lists()->garbage;
    if ((kr_gc.debug & KR_GC_DEBUG_SAVEALL) || garbage == NULL
        || PyList_GET_SIZE(garbage) == 0) {
        return;
    }
    Py_ssize_t n = PyList_GET_SIZE(garbage);
    const char *message = kr_gc.debug & KR_GC_DEBUG_UNCOLLECTABLE
        ? "gc: %zd uncollectable objects at shutdown"
        : "gc: %zd uncollectable objects at shutdown; use "
          "gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them";
    if (PyErr_WarnFormat(PyExc_ResourceWarning, 0, message, n) < 0) {
        PyErr_WriteUnraisable(NULL);
    }
    if (kr_gc.debug & KR_GC_DEBUG_UNCOLLECTABLE) {
        PyObject *repr = PyObject_Repr(garbage);
        const char *s = repr == NULL ? NULL : PyUnicode_AsUTF8(repr);
        if (s == NULL) {
            PyErr_WriteUnraisable(garbage);
        }
        else {
            PySys_WriteStderr("      %s\n", s);
        }
        Py_XDECREF(repr);
    }
}

void
kr_gc_fini(void)
{
    Py_CLEAR(kr_gc_lists()->garbage);
    Py_CLEAR(kr_gc_lists()->callbacks);
}
