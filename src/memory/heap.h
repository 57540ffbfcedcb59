/* Pools of equal blocks inside one reserved address range.
 *
 * arena (1 MiB) -> pool (16 KiB, aligned) -> block (one size class). The pool
 * of a block is found by masking its address; membership in the heap is one
 * range check. A pool serves either plain memory or objects of GC types; the
 * latter carry the collector's bits in their header. Callers hold the GIL. */
#ifndef KR_MEMORY_HEAP_H
#define KR_MEMORY_HEAP_H

#include "base/common.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KR_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(KR_ASAN)
#define KR_ASAN 1
#endif

#define KR_POOL_BITS 14
#define KR_POOL_SIZE ((size_t)1 << KR_POOL_BITS)
#define KR_ARENA_BITS 20
#define KR_ARENA_SIZE ((size_t)1 << KR_ARENA_BITS)
#define KR_ARENA_POOLS 64

#ifdef KR_ASAN
/* Every block comes from malloc, so that the sanitizer sees its bounds. */
#define KR_SMALL_MAX 0
#define KR_GC_SMALL_MAX 0
#define KR_GC_POOLED_MAX 0
#else
#define KR_SMALL_MAX 512       /* largest pooled plain block */
#define KR_GC_SMALL_MAX 512    /* largest pooled block of the dense classes */
#define KR_GC_POOLED_MAX 4096  /* largest pooled block of a GC object */
#endif
#define KR_DENSE_CLASSES 32    /* 16-byte steps up to 512 */
#define KR_GC_CLASSES 48       /* then 128-byte, then 512-byte steps */

enum kr_pool_kind {
    KR_POOL_FREE, /* not in use; must be 0: fresh memory reads so */
    KR_POOL_MEM,
    KR_POOL_GC,
};

/* What the collector knows of 64 granules of 16 bytes. The generation of a
 * tracked object is hi:lo; 3 means frozen or just being collected. `lo` and
 * `hi` mean nothing for an untracked object. */
struct kr_gc_word {
    uint64_t tracked;
    uint64_t lo;
    uint64_t hi;
    uint64_t finalized;
};

struct kr_pool {
    void *free;     /* list of given-back blocks */
    char *bump;     /* first block never handed out */
    char *bump_end; /* end of the last whole block */
    uint32_t used;  /* blocks in use, plus one for the current pool */
    uint32_t size;  /* of a block */
    uint32_t recip; /* 2^32 / size, rounded up */
    uint8_t kind;
    uint8_t cls;
    uint8_t full;    /* in no list, nothing to hand out */
    uint8_t current; /* the pool its class allocates from */
    struct kr_pool *next, *prev; /* of the class's pools with free blocks */
    uint32_t *gc_refs;           /* one slot per block while collecting */
    uint32_t young_at;           /* 1 + place in the list of young pools */
    uint32_t mid_at;             /* same for generation 1 */
    uint32_t mark;               /* scratch of the collector */
};

#define KR_POOL_MEM_START 96 /* multiple of 16, >= sizeof(struct kr_pool) */
#define KR_POOL_GC_BITS 128
#define KR_POOL_GC_START (KR_POOL_GC_BITS + 16 * sizeof(struct kr_gc_word))

/* Kept in a table at the start of the range, one entry per arena. */
struct kr_arena {
    uint64_t free_pools; /* bit set: pool is free */
    uint64_t owner;      /* id of the thread that allocates here */
    uint32_t committed;  /* mapped, readable and writable */
    uint32_t untouched;  /* pools from this one on were never used */
};

struct kr_heap {
    uintptr_t base; /* of the usable range, aligned to an arena */
    size_t size;    /* 0 before the first use, or if nothing was granted */
    struct kr_pool *mem[KR_DENSE_CLASSES];
    struct kr_pool *gc[KR_GC_CLASSES];
    struct kr_pool *mem_partial[KR_DENSE_CLASSES];
    struct kr_pool *gc_partial[KR_GC_CLASSES];
    struct kr_arena *arenas;
    size_t arenas_max;
    size_t arenas_used; /* arenas below this index were committed once */
    size_t arenas_hint; /* no arena below has a free pool */
    size_t spare;       /* whole free arenas still backed by memory */
    int tried;
    int reserved; /* the range is mapped as a whole, without access */
};

extern struct kr_heap kr_heap;

static inline bool
kr_heap_owns(const void *p)
{
    return (uintptr_t)p - kr_heap.base < kr_heap.size;
}

static inline struct kr_pool *
kr_pool_of(const void *p)
{
    return (struct kr_pool *)((uintptr_t)p & ~(KR_POOL_SIZE - 1));
}

static inline struct kr_gc_word *
kr_pool_words(struct kr_pool *pool)
{
    return (struct kr_gc_word *)((char *)pool + KR_POOL_GC_BITS);
}

/* The number of the block of `pool` that holds address `p`. */
static inline uint32_t
kr_pool_index(const struct kr_pool *pool, const void *p)
{
    uint32_t off = (uint32_t)((const char *)p - (const char *)pool
                              - KR_POOL_GC_START);
    return (uint32_t)(((uint64_t)off * pool->recip) >> 32);
}

/* A given-back block of the pool, or NULL: then the slow way is due. */
static inline void *
kr_pool_take(struct kr_pool *pool)
{
    void *p = pool->free;
    if (KR_LIKELY(p != NULL)) {
        pool->free = *(void **)p;
        pool->used++;
    }
    return p;
}

/* The collector forgets an empty pool before it is put to another use. */
void kr_gc_forget_pool(struct kr_pool *pool);

/* The part of kr_pool_give for a pool that was full or is empty now. */
void kr_pool_give_slow(struct kr_pool *pool);

static inline void
kr_pool_give(struct kr_pool *pool, void *p)
{
    *(void **)p = pool->free;
    pool->free = p;
    if (KR_UNLIKELY((--pool->used == 0) | pool->full)) {
        kr_pool_give_slow(pool);
    }
}

/* Blocks by the slow way; NULL when the range is exhausted or refused. */
void *kr_heap_mem_slow(unsigned cls);
void *kr_heap_gc_slow(unsigned cls);

/* Size class of a GC block of 1..KR_GC_POOLED_MAX bytes. */
static inline unsigned
kr_gc_class(size_t size)
{
    if (KR_LIKELY(size <= 512)) {
        return (unsigned)((size - 1) >> 4);
    }
    if (size <= 2048) {
        return 32 + (unsigned)((size - 513) >> 7);
    }
    return 44 + (unsigned)((size - 2049) >> 9);
}

/* Plain memory: never NULL for size 0. NULL without an exception on failure. */
void *kr_mem_alloc_large(size_t size);
void *kr_mem_alloc_slow(size_t size);
void kr_mem_free_large(void *p);
void *kr_mem_realloc(void *p, size_t size);
void *kr_mem_calloc(size_t n, size_t size);

static inline void *
kr_mem_alloc(size_t size)
{
    if (KR_LIKELY(size - 1 < KR_SMALL_MAX)) {
        unsigned cls = (unsigned)((size - 1) >> 4);
        void *p = kr_pool_take(kr_heap.mem[cls]);
        if (KR_LIKELY(p != NULL)) {
            return p;
        }
    }
    return kr_mem_alloc_slow(size);
}

static inline void
kr_mem_free(void *p)
{
    if (KR_LIKELY(kr_heap_owns(p))) {
        kr_pool_give(kr_pool_of(p), p);
        return;
    }
    kr_mem_free_large(p);
}

/* Calls `visit` for each pool in use of the kind, lowest address first; it
 * must not allocate from the heap. */
void kr_heap_each_pool(int kind, void (*visit)(struct kr_pool *, void *),
                       void *arg);

/* Blocks handed out of pools of both kinds. */
size_t kr_heap_blocks(void);

#endif
