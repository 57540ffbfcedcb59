/* The three memory domains of the C API and the allocators behind them.
 *
 * raw: the system's malloc, usable without the GIL; mem and obj: the heap of
 * pools. Extensions and debugging tools may put other allocators in place;
 * while nobody did, calls go straight to the heap. */
#include <Python.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <wchar.h>

#include "memory/domains.h"
#include "memory/heap.h"

static void *
raw_malloc(void *ctx, size_t size)
{
    return malloc(size ? size : 1);
}

static void *
raw_calloc(void *ctx, size_t n, size_t size)
{
    return n == 0 || size == 0 ? calloc(1, 1) : calloc(n, size);
}

static void *
raw_realloc(void *ctx, void *p, size_t size)
{
    return realloc(p, size ? size : 1);
}

static void
raw_free(void *ctx, void *p)
{
    free(p);
}

static void *
heap_malloc(void *ctx, size_t size)
{
    return kr_mem_alloc(size);
}

static void *
heap_calloc(void *ctx, size_t n, size_t size)
{
    return kr_mem_calloc(n, size);
}

static void *
heap_realloc(void *ctx, void *p, size_t size)
{
    return kr_mem_realloc(p, size);
}

static void
heap_free(void *ctx, void *p)
{
    kr_mem_free(p);
}

static void *
map_arena(void *ctx, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void
unmap_arena(void *ctx, void *p, size_t size)
{
    munmap(p, size);
}

#define RAW_ALLOCATOR {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free}
#define HEAP_ALLOCATOR                                                         \
    {NULL, heap_malloc, heap_calloc, heap_realloc, heap_free}

struct kr_domains_state kr_domains = {
    .of = {RAW_ALLOCATOR, HEAP_ALLOCATOR, HEAP_ALLOCATOR},
    .direct = {true, true, true},
    .arena = {NULL, map_arena, unmap_arena},
};

static const PyMemAllocatorEx malloc_allocator = RAW_ALLOCATOR;
static const PyMemAllocatorEx heap_allocator = HEAP_ALLOCATOR;

static bool
same(const PyMemAllocatorEx *a, const PyMemAllocatorEx *b)
{
    return a->ctx == b->ctx && a->malloc == b->malloc && a->free == b->free
           && a->calloc == b->calloc && a->realloc == b->realloc;
}

static const PyMemAllocatorEx *
built_in(int domain)
{
    return domain == PYMEM_DOMAIN_RAW ? &malloc_allocator : &heap_allocator;
}

static void
put(int domain, const PyMemAllocatorEx *a)
{
    kr_domains.of[domain] = *a;
    kr_domains.direct[domain] = same(a, built_in(domain));
}

void
PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain > PYMEM_DOMAIN_OBJ) {
        memset(allocator, 0, sizeof(*allocator));
        return;
    }
    *allocator = kr_domains.of[domain];
}

void
PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain <= PYMEM_DOMAIN_OBJ) {
        put(domain, allocator);
    }
}

void
PyObject_GetArenaAllocator(PyObjectArenaAllocator *allocator)
{
    *allocator = kr_domains.arena;
}

void
PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator)
{
    kr_domains.arena = *allocator;
}

void
PyMem_SetupDebugHooks(void)
{
    for (int d = 0; d < 3; d++) {
        PyMemAllocatorEx hooked;
        if (kr_debug_hook(d, &kr_domains.of[d], &hooked)) {
            put(d, &hooked);
        }
    }
}

/* --- choosing by name ---------------------------------------------------- */

int
_PyMem_GetAllocatorName(const char *name, PyMemAllocatorName *allocator)
{
    static const struct {
        const char *name;
        PyMemAllocatorName value;
    } known[] = {
        {"default", PYMEM_ALLOCATOR_DEFAULT},
        {"debug", PYMEM_ALLOCATOR_DEBUG},
        {"pymalloc", 5},
        {"pymalloc_debug", 6},
        {"malloc", PYMEM_ALLOCATOR_MALLOC},
        {"malloc_debug", PYMEM_ALLOCATOR_MALLOC_DEBUG},
    };
    if (name == NULL || *name == '\0') {
        *allocator = PYMEM_ALLOCATOR_NOT_SET;
        return 0;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            *allocator = known[i].value;
            return 0;
        }
    }
    return -1;
}

int
_PyMem_SetupAllocators(PyMemAllocatorName name)
{
    bool debug = name == PYMEM_ALLOCATOR_DEBUG
                 || name == PYMEM_ALLOCATOR_MALLOC_DEBUG || (int)name == 6;
    bool system = name == PYMEM_ALLOCATOR_MALLOC
                  || name == PYMEM_ALLOCATOR_MALLOC_DEBUG;
    if (name == PYMEM_ALLOCATOR_NOT_SET) {
        return 0;
    }
    if ((unsigned)name > 6) {
        return -1;
    }
    for (int d = 0; d < 3; d++) {
        put(d, system ? &malloc_allocator : built_in(d));
    }
    if (debug) {
        PyMem_SetupDebugHooks();
    }
    return 0;
}

int
_PyMem_SetDefaultAllocator(PyMemAllocatorDomain domain,
                           PyMemAllocatorEx *old_alloc)
{
    if ((unsigned)domain > PYMEM_DOMAIN_OBJ) {
        return -1;
    }
    if (old_alloc != NULL) {
        *old_alloc = kr_domains.of[domain];
    }
    put(domain, built_in(domain));
    return 0;
}

const char *
_PyMem_GetCurrentAllocatorName(void)
{
    PyMemAllocatorEx under[3];
    int hooked = 0;
    for (int d = 0; d < 3; d++) {
        under[d] = kr_domains.of[d];
        hooked += kr_debug_unhook(d, &kr_domains.of[d], &under[d]);
    }
    if (hooked != 0 && hooked != 3) {
        return NULL;
    }
    if (!same(&under[0], &malloc_allocator)) {
        return NULL;
    }
    bool heap = same(&under[1], &heap_allocator)
                && same(&under[2], &heap_allocator);
    if (heap && KR_SMALL_MAX > 0) {
        return hooked ? "pymalloc_debug" : "pymalloc";
    }
    if (heap || (same(&under[1], &malloc_allocator)
                 && same(&under[2], &malloc_allocator))) {
        return hooked ? "malloc_debug" : "malloc";
    }
    return NULL;
}

/* --- the functions of each domain ---------------------------------------- */

static bool
product_overflows(size_t n, size_t size)
{
    return size != 0 && n > (size_t)PY_SSIZE_T_MAX / size;
}

void *
PyMem_RawMalloc(size_t size)
{
    if (size > (size_t)PY_SSIZE_T_MAX) {
        return NULL;
    }
    return kr_domains.of[0].malloc(kr_domains.of[0].ctx, size);
}

void *
PyMem_RawCalloc(size_t n, size_t size)
{
    if (product_overflows(n, size)) {
        return NULL;
    }
    return kr_domains.of[0].calloc(kr_domains.of[0].ctx, n, size);
}

void *
PyMem_RawRealloc(void *p, size_t size)
{
    if (size > (size_t)PY_SSIZE_T_MAX) {
        return NULL;
    }
    return kr_domains.of[0].realloc(kr_domains.of[0].ctx, p, size);
}

void
PyMem_RawFree(void *p)
{
    kr_domains.of[0].free(kr_domains.of[0].ctx, p);
}

#define DOMAIN_FUNCTIONS(prefix, d)                                            \
    void *prefix##_Malloc(size_t size)                                         \
    {                                                                          \
        if (KR_LIKELY(kr_domains.direct[d])) {                                      \
            return kr_mem_alloc(size);                                         \
        }                                                                      \
        if (size > (size_t)PY_SSIZE_T_MAX) {                                   \
            return NULL;                                                       \
        }                                                                      \
        return kr_domains.of[d].malloc(kr_domains.of[d].ctx, size);                      \
    }                                                                          \
                                                                               \
    void *prefix##_Calloc(size_t n, size_t size)                               \
    {                                                                          \
        if (product_overflows(n, size)) {                                      \
            return NULL;                                                       \
        }                                                                      \
        if (KR_LIKELY(kr_domains.direct[d])) {                                      \
            return kr_mem_calloc(n, size);                                     \
        }                                                                      \
        return kr_domains.of[d].calloc(kr_domains.of[d].ctx, n, size);                   \
    }                                                                          \
                                                                               \
    void *prefix##_Realloc(void *p, size_t size)                               \
    {                                                                          \
        if (size > (size_t)PY_SSIZE_T_MAX) {                                   \
            return NULL;                                                       \
        }                                                                      \
        return kr_domains.of[d].realloc(kr_domains.of[d].ctx, p, size);                  \
    }                                                                          \
                                                                               \
    void prefix##_Free(void *p)                                                \
    {                                                                          \
        if (KR_LIKELY(kr_domains.direct[d])) {                                      \
            kr_mem_free(p);                                                    \
            return;                                                            \
        }                                                                      \
        kr_domains.of[d].free(kr_domains.of[d].ctx, p);                                  \
    }

DOMAIN_FUNCTIONS(PyMem, PYMEM_DOMAIN_MEM)
DOMAIN_FUNCTIONS(PyObject, PYMEM_DOMAIN_OBJ)

char *
_PyMem_RawStrdup(const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = PyMem_RawMalloc(size);
    return copy == NULL ? NULL : memcpy(copy, str, size);
}

wchar_t *
_PyMem_RawWcsdup(const wchar_t *str)
{
    size_t len = wcslen(str);
    if (len > (size_t)PY_SSIZE_T_MAX / sizeof(wchar_t) - 1) {
        return NULL;
    }
    size_t size = (len + 1) * sizeof(wchar_t);
    wchar_t *copy = PyMem_RawMalloc(size);
    return copy == NULL ? NULL : memcpy(copy, str, size);
}

char *
_PyMem_Strdup(const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = PyMem_Malloc(size);
    return copy == NULL ? NULL : memcpy(copy, str, size);
}

/* --- statistics ---------------------------------------------------------- */

Py_ssize_t
_Py_GetAllocatedBlocks(void)
{
    return (Py_ssize_t)kr_heap_blocks();
}

struct class_stats {
    size_t pools[KR_GC_CLASSES], used[KR_GC_CLASSES], size[KR_GC_CLASSES];
};

static void
add_pool(struct kr_pool *pool, void *arg)
{
    struct class_stats *s = arg;
    s->pools[pool->cls]++;
    s->used[pool->cls] += pool->used - pool->current;
    s->size[pool->cls] = pool->size;
}

static size_t
print_kind(FILE *out, int kind, const char *title)
{
    struct class_stats s;
    size_t bytes = 0;
    memset(&s, 0, sizeof(s));
    kr_heap_each_pool(kind, add_pool, &s);
    size_t start = kind == KR_POOL_GC ? KR_POOL_GC_START : KR_POOL_MEM_START;
    fprintf(out, "%s\n\nclass   size   num pools   blocks in use  "
                 "avail blocks\n"
                 "-----   ----   ---------   -------------  ------------\n",
            title);
    for (unsigned i = 0; i < KR_GC_CLASSES; i++) {
        if (s.pools[i] != 0) {
            size_t room = (KR_POOL_SIZE - start) / s.size[i] * s.pools[i];
            fprintf(out, "%5u %6zu %11zu %15zu %13zu\n", i, s.size[i],
                    s.pools[i], s.used[i], room - s.used[i]);
            bytes += s.used[i] * s.size[i];
        }
    }
    fprintf(out, "\n");
    return bytes;
}

int
_PyObject_DebugMallocStats(FILE *out)
{
    if (!kr_domains.direct[PYMEM_DOMAIN_OBJ]
        && kr_domains.of[PYMEM_DOMAIN_OBJ].malloc == raw_malloc) {
        return 0;
    }
    fprintf(out, "Small block threshold = %d, in %u size classes.\n\n",
            KR_SMALL_MAX, KR_DENSE_CLASSES);
    size_t used = print_kind(out, KR_POOL_MEM, "Plain memory");
    used += print_kind(out, KR_POOL_GC, "Objects of GC types");
    fprintf(out, "# arenas allocated total           = %15zu\n",
            kr_heap.arenas_used);
    fprintf(out, "%zu arenas * %zu bytes/arena         = %15zu\n",
            kr_heap.arenas_used, KR_ARENA_SIZE,
            kr_heap.arenas_used * KR_ARENA_SIZE);
    fprintf(out, "# bytes in allocated blocks        = %15zu\n", used);
    return 1;
}
