/* The collector's state, shared by the files of the collector and the `gc`
 * module. */
#ifndef KR_MEMORY_GC_STATE_H
#define KR_MEMORY_GC_STATE_H

#include "memory/gc.h"

#define KR_GC_GENERATIONS 3
#define KR_GC_APART 3 /* generation number of frozen objects and of garbage */

enum kr_gc_debug {
    KR_GC_DEBUG_STATS = 1 << 0,
    KR_GC_DEBUG_COLLECTABLE = 1 << 1,
    KR_GC_DEBUG_UNCOLLECTABLE = 1 << 2,
    KR_GC_DEBUG_SAVEALL = 1 << 5,
    KR_GC_DEBUG_LEAK = KR_GC_DEBUG_COLLECTABLE | KR_GC_DEBUG_UNCOLLECTABLE
                       | KR_GC_DEBUG_SAVEALL,
};

/* An object of a GC type that is too large for the pools. */
struct kr_large {
    PyObject *op; /* NULL: free slot */
    uint64_t serial; /* grows with the time of tracking */
    uint32_t refs; /* as a pool's gc_refs */
    uint32_t young_at; /* position in large_young + 1; 0: not there */
    uint8_t tracked;
    uint8_t gen;
    uint8_t finalized;
};

struct kr_pool_list {
    struct kr_pool **items;
    size_t len, cap;
};

/* What programs see of the collector, kept by each interpreter. */
struct kr_gc_lists {
    PyObject *garbage;   /* gc.garbage, or NULL */
    PyObject *callbacks; /* gc.callbacks, or NULL */
};

/* Those of the calling thread's interpreter; implemented beside it. */
struct kr_gc_lists *kr_gc_lists(void);

struct kr_gc_state {
    int enabled;
    int collecting;
    int starting; /* no automatic collections yet */
    int debug;
    struct {
        int threshold;
        int count;
    } gen[KR_GC_GENERATIONS];
    struct {
        Py_ssize_t collections, collected, uncollectable;
    } stats[KR_GC_GENERATIONS];
    Py_ssize_t long_lived_total;
    Py_ssize_t long_lived_pending;
    unsigned long regrouped; /* number of gc.freeze and gc.unfreeze calls */

    struct kr_pool_list young; /* pools with objects of generation 0 */
    struct kr_pool_list mid;   /* pools with objects of generation 1 */
    int lists_lost;            /* a list could not grow: look everywhere */

    struct kr_large *large; /* open addressing, linear probing */
    size_t large_cap, large_used;
    PyObject **large_young; /* with all of generation 0, each once */
    size_t large_young_len, large_young_cap;
    uint64_t large_serial; /* the last one given */

    /* tracemalloc's eyes on blocks of GC objects; NULL while it is off */
    void (*on_alloc)(void *p, size_t size);
    void (*on_free)(void *p);
};

extern struct kr_gc_state kr_gc;

/* Notes that a pool has objects of generation 1. */
void kr_gc_pool_mid(struct kr_pool *pool);

/* The entry of a large object, or NULL. Valid until the next allocation. */
struct kr_large *kr_gc_large(const void *op);

/* The generation 0..3 of a tracked object, -1 for any other. */
int kr_gc_generation(PyObject *op);
void kr_gc_set_generation(PyObject *op, int gen);

/* Calls `visit` for each tracked object with a generation in `gens` (a bit
 * set) until it returns non-zero, and returns that. It must not allocate from
 * or free to the heap. */
int kr_gc_each(unsigned gens, int (*visit)(PyObject *, void *), void *arg);

/* Runs a collection of `generation` and the younger ones, unless one is under
 * way. Never fails: errors go to sys.unraisablehook. */
Py_ssize_t kr_gc_collect(int generation);

/* While the runtime starts nothing is collected: nearly all objects stay until
 * the end. kr_gc_settle() ends that and makes all of them old. */
void kr_gc_hold(void);
void kr_gc_settle(void);

/* The collection that an allocation starts when the thresholds say so. */
void kr_gc_collect_due(void);

#endif
