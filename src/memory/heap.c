/* Arenas and pools: where small blocks come from.
 *
 * All lie in one range of addresses, of which nothing else makes use; arenas
 * are mapped when they are needed, lowest address first, and give their pages
 * back when all their pools are free. */
#include "memory/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* Allocating from it always takes the slow path. */
static struct kr_pool empty_pool;

struct kr_heap kr_heap = {
    .mem = {[0 ... KR_DENSE_CLASSES - 1] = &empty_pool},
    .gc = {[0 ... KR_GC_CLASSES - 1] = &empty_pool},
};

#define SPARE_ARENAS 2 /* free arenas that keep their pages */

static size_t
round_to_arena(size_t n)
{
    return (n + KR_ARENA_SIZE - 1) & ~(KR_ARENA_SIZE - 1);
}

#define MAP_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* Maps memory at `at` if nothing else is there. */
static bool
map_at(uintptr_t at, size_t size)
{
    void *mem = mmap((void *)at, size, PROT_READ | PROT_WRITE,
                     MAP_FLAGS | MAP_FIXED_NOREPLACE, -1, 0);
    if (mem != MAP_FAILED && (uintptr_t)mem != at) {
        munmap(mem, size); /* an old kernel took the address for a hint */
        return false;
    }
    return mem != MAP_FAILED;
}

static void
set_range(uintptr_t start, size_t table, size_t size)
{
    kr_heap.arenas = (struct kr_arena *)start;
    kr_heap.arenas_max = (size - table) / KR_ARENA_SIZE;
    kr_heap.base = start + table;
    kr_heap.size = kr_heap.arenas_max * KR_ARENA_SIZE;
}

static size_t
table_size(size_t size)
{
    return round_to_arena(size / KR_ARENA_SIZE * sizeof(struct kr_arena));
}

/* Takes a range where the kernel puts nothing unasked: above what belongs to
 * sanitizers, below a third of the address space. Only the table is mapped, so
 * that a limit of the address space (ulimit -v) counts what is used. */
static bool
claim_range(size_t size)
{
    uint64_t seed = 0;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random != NULL) {
        memcpy(&seed, random, sizeof(seed)); /* it may lie anywhere */
    }
    uintptr_t step = seed >> 50; /* of 1 GiB */
    uintptr_t start = ((uintptr_t)20 << 40) + (step << 30);
    if (!map_at(start, table_size(size))) {
        return false;
    }
    set_range(start, table_size(size), size);
    return true;
}

/* Elsewhere, and reserved. */
static bool
reserve_range(size_t size)
{
    char *mem = mmap(NULL, size + KR_ARENA_SIZE, PROT_NONE, MAP_FLAGS, -1, 0);
    if (mem == MAP_FAILED) {
        return false;
    }
    char *start = (char *)round_to_arena((uintptr_t)mem);
    size_t table = table_size(size);
    if (mprotect(start, table, PROT_READ | PROT_WRITE) != 0) {
        munmap(mem, size + KR_ARENA_SIZE);
        return false;
    }
    set_range((uintptr_t)start, table, size);
    kr_heap.reserved = 1;
    return true;
}

static void
heap_init(void)
{
    if (kr_heap.tried) {
        return;
    }
    kr_heap.tried = 1;
    if (claim_range((size_t)1 << 38)) {
        return;
    }
    for (size_t size = (size_t)1 << 38; size >= (size_t)1 << 28; size >>= 1) {
        if (reserve_range(size)) {
            return;
        }
    }
}

static char *
arena_start(size_t i)
{
    return (char *)kr_heap.base + (i << KR_ARENA_BITS);
}

/* Makes an arena usable. */
static bool
commit_arena(size_t i)
{
    char *start = arena_start(i);
    if (kr_heap.reserved
            ? mprotect(start, KR_ARENA_SIZE, PROT_READ | PROT_WRITE) != 0
            : !map_at((uintptr_t)start, KR_ARENA_SIZE)) {
        return false;
    }
    kr_heap.arenas[i].committed = 1;
    return true;
}

/* Makes the next arena of the range usable; its index, or -1. */
static ptrdiff_t
new_arena(void)
{
    size_t i = kr_heap.arenas_used;
    if (i >= kr_heap.arenas_max || !commit_arena(i)) {
        return -1;
    }
    kr_heap.arenas[i].free_pools = ~(uint64_t)0;
    kr_heap.arenas_used++;
    return (ptrdiff_t)i;
}

static struct kr_pool *
take_pool(void)
{
    heap_init();
    size_t i = kr_heap.arenas_hint;
    while (i < kr_heap.arenas_used && kr_heap.arenas[i].free_pools == 0) {
        i++;
    }
    kr_heap.arenas_hint = i;
    if (i >= kr_heap.arenas_used && new_arena() < 0) {
        return NULL;
    }
    struct kr_arena *a = &kr_heap.arenas[i];
    if (a->free_pools == ~(uint64_t)0 && kr_heap.spare > 0
        && a->untouched > 0) {
        kr_heap.spare--;
    }
    unsigned bit = (unsigned)__builtin_ctzll(a->free_pools);
    a->free_pools &= a->free_pools - 1;
    if (bit >= a->untouched) {
        a->untouched = bit + 1;
    }
    return (struct kr_pool *)(arena_start(i) + ((size_t)bit << KR_POOL_BITS));
}

static void
release_pool(struct kr_pool *pool)
{
    size_t off = (uintptr_t)pool - kr_heap.base;
    size_t i = off >> KR_ARENA_BITS;
    unsigned bit = (unsigned)(off >> KR_POOL_BITS) & (KR_ARENA_POOLS - 1);
    struct kr_arena *a = &kr_heap.arenas[i];
    pool->kind = KR_POOL_FREE;
    a->free_pools |= (uint64_t)1 << bit;
    if (i < kr_heap.arenas_hint) {
        kr_heap.arenas_hint = i;
    }
    if (a->free_pools == ~(uint64_t)0) {
        if (kr_heap.spare < SPARE_ARENAS) {
            kr_heap.spare++;
        }
        else {
            /* still mapped: headers of pools that are gone may be read */
            madvise(arena_start(i), KR_ARENA_SIZE, MADV_DONTNEED);
            a->untouched = 0;
        }
    }
}

static void
list_remove(struct kr_pool **head, struct kr_pool *pool)
{
    if (pool->prev != NULL) {
        pool->prev->next = pool->next;
    }
    else {
        *head = pool->next;
    }
    if (pool->next != NULL) {
        pool->next->prev = pool->prev;
    }
    pool->next = pool->prev = NULL;
}

static void
list_push(struct kr_pool **head, struct kr_pool *pool)
{
    pool->prev = NULL;
    pool->next = *head;
    if (*head != NULL) {
        (*head)->prev = pool;
    }
    *head = pool;
}

static struct kr_pool **
partial_head(const struct kr_pool *pool)
{
    return pool->kind == KR_POOL_GC ? &kr_heap.gc_partial[pool->cls]
                                    : &kr_heap.mem_partial[pool->cls];
}

void
kr_pool_give_slow(struct kr_pool *pool)
{
    struct kr_pool **head = partial_head(pool);
    if (pool->full) {
        pool->full = 0;
        list_push(head, pool);
    }
    if (pool->used == 0 && !pool->current) {
        list_remove(head, pool);
        if (pool->kind == KR_POOL_GC) {
            kr_gc_forget_pool(pool);
        }
        release_pool(pool);
    }
}

static size_t
gc_class_size(unsigned cls)
{
    if (cls < 32) {
        return ((size_t)cls + 1) * 16;
    }
    if (cls < 44) {
        return 512 + ((size_t)cls - 31) * 128;
    }
    return 2048 + ((size_t)cls - 43) * 512;
}

static void
init_pool(struct kr_pool *pool, int kind, unsigned cls)
{
    memset(pool, 0, sizeof(*pool));
    size_t start = KR_POOL_MEM_START;
    pool->size = (cls + 1) * 16;
    if (kind == KR_POOL_GC) {
        start = KR_POOL_GC_START;
        pool->size = (uint32_t)gc_class_size(cls);
        memset(kr_pool_words(pool), 0, 16 * sizeof(struct kr_gc_word));
    }
    pool->recip = (uint32_t)((((uint64_t)1 << 32) + pool->size - 1)
                             / pool->size);
    pool->kind = (uint8_t)kind;
    pool->cls = (uint8_t)cls;
    pool->bump = (char *)pool + start;
    pool->bump_end = pool->bump
                     + (KR_POOL_SIZE - start) / pool->size * pool->size;
}

#define CARVE_BYTES 1024 /* made into free blocks at once */

/* Makes free blocks of the part that was never handed out, at least one if
 * there is any. */
static void
carve(struct kr_pool *pool)
{
    char *p = pool->bump, *end = p + CARVE_BYTES;
    void **link = &pool->free;
    while (p != pool->bump_end && (p == pool->bump || p < end)) {
        *link = p;
        link = (void **)p;
        p += pool->size;
    }
    *link = NULL;
    pool->bump = p;
}

/* Takes a block of the current pool if that has room left; else replaces the
 * pool and allocates from the new one. */
static void *
next_pool(struct kr_pool **current, struct kr_pool **partial, int kind,
          unsigned cls)
{
    struct kr_pool *old = *current, *pool = *partial;
    if (old->bump != old->bump_end) {
        carve(old);
        return kr_pool_take(old);
    }
    if (pool != NULL) {
        list_remove(partial, pool);
    }
    else {
        pool = take_pool();
        if (pool == NULL) {
            return NULL;
        }
        init_pool(pool, kind, cls);
    }
    if (old != &empty_pool) {
        old->current = 0;
        old->full = 1;
        old->used--;
    }
    pool->current = 1;
    pool->used++;
    *current = pool;
    if (pool->free == NULL) {
        carve(pool);
    }
    return kr_pool_take(pool);
}

void *
kr_heap_mem_slow(unsigned cls)
{
    return next_pool(&kr_heap.mem[cls], &kr_heap.mem_partial[cls], KR_POOL_MEM,
                     cls);
}

void *
kr_heap_gc_slow(unsigned cls)
{
    return next_pool(&kr_heap.gc[cls], &kr_heap.gc_partial[cls], KR_POOL_GC,
                     cls);
}

void *
kr_mem_alloc_slow(size_t size)
{
    if (size - 1 < KR_SMALL_MAX) {
        void *p = kr_heap_mem_slow((unsigned)((size - 1) >> 4));
        if (p != NULL) {
            return p;
        }
    }
    return kr_mem_alloc_large(size);
}

void *
kr_mem_alloc_large(size_t size)
{
    if (size == 0) {
        size = 1;
#ifndef KR_ASAN
        return kr_mem_alloc(1);
#endif
    }
    if (size > (size_t)PTRDIFF_MAX) {
        return NULL;
    }
    return malloc(size);
}

void
kr_mem_free_large(void *p)
{
    free(p);
}

void *
kr_mem_calloc(size_t n, size_t size)
{
    if (size != 0 && n > (size_t)PTRDIFF_MAX / size) {
        return NULL;
    }
    size_t total = n * size;
    if (total - 1 < KR_SMALL_MAX) {
        void *p = kr_mem_alloc(total);
        if (p != NULL) {
            memset(p, 0, total);
        }
        return p;
    }
    return calloc(total ? total : 1, 1);
}

void *
kr_mem_realloc(void *p, size_t size)
{
    if (p == NULL) {
        return kr_mem_alloc(size);
    }
    if (size > (size_t)PTRDIFF_MAX) {
        return NULL;
    }
    if (!kr_heap_owns(p)) {
        return realloc(p, size ? size : 1);
    }
    size_t old = kr_pool_of(p)->size;
    if (size <= old && size * 4 > old * 3) {
        return p;
    }
    void *q = kr_mem_alloc(size);
    if (q == NULL) {
        return size <= old ? p : NULL;
    }
    memcpy(q, p, size < old ? size : old);
    kr_pool_give(kr_pool_of(p), p);
    return q;
}

void
kr_heap_each_pool(int kind, void (*visit)(struct kr_pool *, void *), void *arg)
{
    for (size_t i = 0; i < kr_heap.arenas_used; i++) {
        uint64_t used = ~kr_heap.arenas[i].free_pools;
        for (; used != 0; used &= used - 1) {
            size_t bit = (size_t)__builtin_ctzll(used);
            struct kr_pool *pool = (struct kr_pool *)(arena_start(i)
                                                      + (bit << KR_POOL_BITS));
            if (pool->kind == kind) {
                visit(pool, arg);
            }
        }
    }
}

static void
add_blocks(struct kr_pool *pool, void *arg)
{
    *(size_t *)arg += pool->used - pool->current;
}

size_t
kr_heap_blocks(void)
{
    size_t n = 0;
    kr_heap_each_pool(KR_POOL_MEM, add_blocks, &n);
    kr_heap_each_pool(KR_POOL_GC, add_blocks, &n);
    return n;
}
