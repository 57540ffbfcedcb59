/* Tracing: hooks on the allocators, and the tables of traces and tracebacks.
 *
 * A hook that allocates itself is marked by a flag of the thread, and does not
 * trace. The tables use the system's malloc and are guarded by a mutex, since
 * the raw domain works without the GIL. */
#include "modules/tracemalloc/tracemalloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory/gc_state.h"
#include "memory/tracemalloc.h"
#include "memory/tstate.h"
#include "runtime/dump_traceback.h"
#include "vm/frame.h"

struct kr_tracemalloc_config _Py_tracemalloc_config = {0, 0, 1};

static struct kr_tracemalloc_state {
    pthread_mutex_t mutex;
    struct kr_tm_trace *traces; /* open addressing */
    size_t cap, used;
    struct kr_tm_traceback **tracebacks; /* open addressing */
    size_t tb_cap, tb_used;
    PyObject *names; /* dict {filename: filename} */
    size_t current, peak, own;
    PyMemAllocatorEx under[3];
    PyObject *unknown; /* the name of code without a file */
} st = {.mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

static _Thread_local bool inside;

/* --- tracebacks ---------------------------------------------------------- */

static PyObject *
unknown_name(void)
{
    if (st.unknown == NULL) {
        st.unknown = PyUnicode_InternFromString("<unknown>");
    }
    return st.unknown;
}

static PyObject *
intern_name(PyObject *name)
{
    if (name == NULL || !PyUnicode_Check(name)) {
        return unknown_name();
    }
    PyObject *known = PyDict_SetDefault(st.names, name, name);
    if (known == NULL) {
        PyErr_Clear();
        return unknown_name();
    }
    return known;
}

static Py_uhash_t
hash_traceback(const struct kr_tm_traceback *tb)
{
    Py_uhash_t x = 0x345678UL, mult = 1000003UL;
    for (int i = 0; i < tb->nframe; i++) {
        Py_uhash_t y = (Py_uhash_t)(uintptr_t)tb->frames[i].filename >> 4;
        x = (x ^ y ^ tb->frames[i].lineno) * mult;
        mult += 82520UL + (Py_uhash_t)(tb->nframe - i) * 2;
    }
    return x ^ tb->total_nframe;
}

static bool
same_traceback(const struct kr_tm_traceback *a, const struct kr_tm_traceback *b)
{
    if (a->hash != b->hash || a->nframe != b->nframe
        || a->total_nframe != b->total_nframe) {
        return false;
    }
    for (int i = 0; i < a->nframe; i++) {
        if (a->frames[i].filename != b->frames[i].filename
            || a->frames[i].lineno != b->frames[i].lineno) {
            return false;
        }
    }
    return true;
}

static size_t
traceback_size(int nframe)
{
    return offsetof(struct kr_tm_traceback, frames)
           + (size_t)(nframe ? nframe : 1) * sizeof(struct kr_tm_frame);
}

static bool
grow_tracebacks(void)
{
    size_t cap = st.tb_cap ? st.tb_cap * 2 : 256;
    struct kr_tm_traceback **table = calloc(cap, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < st.tb_cap; i++) {
        if (st.tracebacks[i] != NULL) {
            size_t j = st.tracebacks[i]->hash & (cap - 1);
            while (table[j] != NULL) {
                j = (j + 1) & (cap - 1);
            }
            table[j] = st.tracebacks[i];
        }
    }
    free(st.tracebacks);
    st.own += (cap - st.tb_cap) * sizeof(*table);
    st.tracebacks = table;
    st.tb_cap = cap;
    return true;
}

/* The kept traceback that equals `tb`. */
static struct kr_tm_traceback *
keep_traceback(const struct kr_tm_traceback *tb)
{
    if ((st.tb_used + 1) * 2 > st.tb_cap && !grow_tracebacks()) {
        return NULL;
    }
    size_t i = tb->hash & (st.tb_cap - 1);
    for (; st.tracebacks[i] != NULL; i = (i + 1) & (st.tb_cap - 1)) {
        if (same_traceback(st.tracebacks[i], tb)) {
            return st.tracebacks[i];
        }
    }
    size_t size = traceback_size(tb->nframe);
    struct kr_tm_traceback *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, tb, size);
        st.tracebacks[i] = copy;
        st.tb_used++;
        st.own += size;
    }
    return copy;
}

static struct kr_tm_traceback *
no_traceback(void)
{
    struct kr_tm_traceback tb = {.nframe = 1, .total_nframe = 1};
    tb.frames[0].filename = unknown_name();
    tb.hash = hash_traceback(&tb);
    return keep_traceback(&tb);
}

/* The traceback of the running code. Needs the GIL. */
static struct kr_tm_traceback *
here(PyThreadState *ts)
{
    int max = _Py_tracemalloc_config.max_nframe, total = 0;
    struct kr_tm_traceback *tb = malloc(traceback_size(max)), *kept;
    if (tb == NULL) {
        return NULL;
    }
    tb->nframe = 0;
    _PyInterpreterFrame *f = ts->cframe->current_frame;
    for (; f != NULL; f = f->previous) {
        if (kr_frame_incomplete(f)) {
            continue; /* it is being entered: its caller allocates */
        }
        if (tb->nframe < max) {
            struct kr_tm_frame *to = &tb->frames[tb->nframe++];
            int line = PyCode_Addr2Line(f->f_code, kr_frame_lasti(f));
            to->lineno = line < 0 ? 0 : (unsigned)line;
            to->filename = intern_name(f->f_code->co_filename);
        }
        total += total < UINT16_MAX;
    }
    tb->total_nframe = (uint16_t)total;
    if (tb->nframe == 0) {
        kept = no_traceback();
    }
    else {
        tb->hash = hash_traceback(tb);
        kept = keep_traceback(tb);
    }
    free(tb);
    return kept;
}

/* --- traces -------------------------------------------------------------- */

static size_t
hash_block(unsigned domain, uintptr_t ptr)
{
    return (size_t)(((ptr >> 4) ^ domain) * 0x9E3779B97F4A7C15u >> 20);
}

static struct kr_tm_trace *
find_trace(unsigned domain, uintptr_t ptr)
{
    if (st.used == 0) {
        return NULL;
    }
    size_t i = hash_block(domain, ptr) & (st.cap - 1);
    for (; st.traces[i].ptr != 0; i = (i + 1) & (st.cap - 1)) {
        if (st.traces[i].ptr == ptr && st.traces[i].domain == domain) {
            return &st.traces[i];
        }
    }
    return NULL;
}

static bool
grow_traces(void)
{
    size_t cap = st.cap ? st.cap * 2 : 1024;
    struct kr_tm_trace *table = calloc(cap, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < st.cap; i++) {
        if (st.traces[i].ptr != 0) {
            size_t j = hash_block(st.traces[i].domain, st.traces[i].ptr)
                       & (cap - 1);
            while (table[j].ptr != 0) {
                j = (j + 1) & (cap - 1);
            }
            table[j] = st.traces[i];
        }
    }
    free(st.traces);
    st.own += (cap - st.cap) * sizeof(*table);
    st.traces = table;
    st.cap = cap;
    return true;
}

static void
remove_trace(unsigned domain, uintptr_t ptr)
{
    struct kr_tm_trace *t = find_trace(domain, ptr);
    if (t == NULL) {
        return;
    }
    st.current -= t->size;
    size_t mask = st.cap - 1, hole = (size_t)(t - st.traces);
    for (size_t i = (hole + 1) & mask; st.traces[i].ptr; i = (i + 1) & mask) {
        size_t home = hash_block(st.traces[i].domain, st.traces[i].ptr) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            st.traces[hole] = st.traces[i];
            hole = i;
        }
    }
    st.traces[hole].ptr = 0;
    st.used--;
}

static int
add_trace(unsigned domain, uintptr_t ptr, size_t size,
          struct kr_tm_traceback *tb)
{
    if (tb == NULL) {
        return -1;
    }
    struct kr_tm_trace *t = find_trace(domain, ptr);
    if (t != NULL) {
        st.current -= t->size;
    }
    else {
        if ((st.used + 1) * 2 > st.cap && !grow_traces()) {
            return -1;
        }
        size_t i = hash_block(domain, ptr) & (st.cap - 1);
        while (st.traces[i].ptr != 0) {
            i = (i + 1) & (st.cap - 1);
        }
        t = &st.traces[i];
        st.used++;
    }
    *t = (struct kr_tm_trace){ptr, domain, size, tb};
    st.current += size;
    if (st.current > st.peak) {
        st.peak = st.current;
    }
    return 0;
}

/* Making the traceback may free blocks, which takes the mutex once more. */
static int
trace(unsigned domain, void *ptr, size_t size)
{
    PyThreadState *ts = kr_tstate();
    pthread_mutex_lock(&st.mutex);
    struct kr_tm_traceback *tb = ts == NULL ? no_traceback() : here(ts);
    int res = _Py_tracemalloc_config.tracing
                  ? add_trace(domain, (uintptr_t)ptr, size, tb)
                  : 0;
    pthread_mutex_unlock(&st.mutex);
    return res;
}

static void
untrace(unsigned domain, void *ptr)
{
    pthread_mutex_lock(&st.mutex);
    remove_trace(domain, (uintptr_t)ptr);
    pthread_mutex_unlock(&st.mutex);
}

/* --- hooks --------------------------------------------------------------- */

static void *
traced(PyMemAllocatorEx *a, void *p, size_t size)
{
    if (p != NULL && !inside) {
        inside = true;
        if (trace(0, p, size) < 0) {
            a->free(a->ctx, p);
            p = NULL;
        }
        inside = false;
    }
    return p;
}

static void *
hook_malloc(void *ctx, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    return traced(a, a->malloc(a->ctx, size), size);
}

static void *
hook_calloc(void *ctx, size_t n, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    return traced(a, a->calloc(a->ctx, n, size), n * size);
}

static void *
hook_realloc(void *ctx, void *old, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    void *p = a->realloc(a->ctx, old, size);
    if (p == NULL || inside) {
        return p;
    }
    inside = true;
    if (old != NULL && old != p) {
        untrace(0, old);
    }
    /* the old block is gone, so a failure here only loses the trace */
    if (trace(0, p, size) < 0) {
        untrace(0, p);
    }
    inside = false;
    return p;
}

static void
hook_free(void *ctx, void *p)
{
    PyMemAllocatorEx *a = ctx;
    if (p != NULL) {
        untrace(0, p);
        a->free(a->ctx, p);
    }
}

static void
hook_gc_alloc(void *p, size_t size)
{
    if (!inside) {
        inside = true;
        trace(0, p, size);
        inside = false;
    }
}

static void
hook_gc_free(void *p)
{
    untrace(0, p);
}

void
kr_tracemalloc_new_reference(PyObject *op)
{
    if (inside) {
        return;
    }
    inside = true;
    pthread_mutex_lock(&st.mutex);
    PyThreadState *ts = kr_tstate();
    if (ts != NULL && find_trace(0, (uintptr_t)op) != NULL) {
        struct kr_tm_traceback *tb = here(ts);
        struct kr_tm_trace *t = find_trace(0, (uintptr_t)op);
        if (tb != NULL && t != NULL) {
            t->traceback = tb;
        }
    }
    pthread_mutex_unlock(&st.mutex);
    inside = false;
}

int
kr_tm_start(int max_nframe)
{
    if (max_nframe < 1 || max_nframe > KR_TRACE_MAX_FRAMES) {
        PyErr_Format(PyExc_ValueError,
                     "the number of frames must be in range [1; %lu]",
                     (unsigned long)KR_TRACE_MAX_FRAMES);
        return -1;
    }
    if (_Py_tracemalloc_config.tracing) {
        return 0;
    }
    _Py_tracemalloc_config.initialized = 1;
    _Py_tracemalloc_config.max_nframe = max_nframe;
    if (unknown_name() == NULL) {
        return -1;
    }
    if (st.names == NULL) {
        st.names = PyDict_New();
        if (st.names == NULL) {
            return -1;
        }
    }
    for (int d = 0; d < 3; d++) {
        PyMemAllocatorEx hook = {&st.under[d], hook_malloc, hook_calloc,
                                 hook_realloc, hook_free};
        PyMem_GetAllocator((PyMemAllocatorDomain)d, &st.under[d]);
        PyMem_SetAllocator((PyMemAllocatorDomain)d, &hook);
    }
    _Py_tracemalloc_config.tracing = 1;
    kr_gc.on_alloc = hook_gc_alloc;
    kr_gc.on_free = hook_gc_free;
    return 0;
}

void
kr_tm_clear(void)
{
    pthread_mutex_lock(&st.mutex);
    free(st.traces);
    st.traces = NULL;
    st.cap = st.used = 0;
    for (size_t i = 0; i < st.tb_cap; i++) {
        free(st.tracebacks[i]);
    }
    free(st.tracebacks);
    st.tracebacks = NULL;
    st.tb_cap = st.tb_used = 0;
    st.current = st.peak = st.own = 0;
    PyObject *names = st.names;
    st.names = NULL;
    pthread_mutex_unlock(&st.mutex);
    inside = true;
    Py_XDECREF(names);
    if (_Py_tracemalloc_config.tracing) {
        st.names = PyDict_New();
        if (st.names == NULL) {
            PyErr_Clear();
        }
    }
    inside = false;
}

void
kr_tm_stop(void)
{
    if (!_Py_tracemalloc_config.tracing) {
        return;
    }
    _Py_tracemalloc_config.tracing = 0;
    kr_gc.on_alloc = NULL;
    kr_gc.on_free = NULL;
    for (int d = 0; d < 3; d++) {
        PyMem_SetAllocator((PyMemAllocatorDomain)d, &st.under[d]);
    }
    kr_tm_clear();
}

int
kr_tracemalloc_init(int nframe)
{
    return nframe > 0 ? kr_tm_start(nframe) : 0;
}

/* --- reading ------------------------------------------------------------- */

void
kr_tm_get_memory(size_t *current, size_t *peak, size_t *own)
{
    pthread_mutex_lock(&st.mutex);
    *current = st.current;
    *peak = st.peak;
    *own = st.own;
    pthread_mutex_unlock(&st.mutex);
}

void
kr_tm_reset_peak(void)
{
    pthread_mutex_lock(&st.mutex);
    st.peak = st.current;
    pthread_mutex_unlock(&st.mutex);
}

int
kr_tm_snapshot(struct kr_tm_trace **traces, size_t *n)
{
    pthread_mutex_lock(&st.mutex);
    *n = 0;
    *traces = malloc((st.used + 1) * sizeof(**traces));
    for (size_t i = 0; *traces != NULL && i < st.cap; i++) {
        if (st.traces[i].ptr != 0) {
            (*traces)[(*n)++] = st.traces[i];
        }
    }
    pthread_mutex_unlock(&st.mutex);
    return *traces == NULL ? -1 : 0;
}

struct kr_tm_traceback *
kr_tm_find(unsigned domain, uintptr_t ptr)
{
    pthread_mutex_lock(&st.mutex);
    struct kr_tm_trace *t = find_trace(domain, ptr);
    struct kr_tm_traceback *tb = t == NULL ? NULL : t->traceback;
    pthread_mutex_unlock(&st.mutex);
    return tb;
}

PyObject *
kr_tm_to_tuple(const struct kr_tm_traceback *tb)
{
    PyObject *frames = PyTuple_New(tb->nframe);
    for (int i = 0; frames != NULL && i < tb->nframe; i++) {
        PyObject *frame = Py_BuildValue("(OI)", tb->frames[i].filename,
                                        tb->frames[i].lineno);
        if (frame == NULL) {
            Py_CLEAR(frames);
            break;
        }
        PyTuple_SET_ITEM(frames, i, frame);
    }
    return frames;
}

int
PyTraceMalloc_Track(unsigned domain, uintptr_t ptr, size_t size)
{
    if (!_Py_tracemalloc_config.tracing) {
        return -2;
    }
    PyGILState_STATE gil = PyGILState_Ensure();
    bool was = inside;
    inside = true;
    int res = trace(domain, (void *)ptr, size);
    inside = was;
    PyGILState_Release(gil);
    return res;
}

int
PyTraceMalloc_Untrack(unsigned domain, uintptr_t ptr)
{
    if (!_Py_tracemalloc_config.tracing) {
        return -2;
    }
    untrace(domain, (void *)ptr);
    return 0;
}

PyObject *
_PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t ptr)
{
    struct kr_tm_traceback *tb = _Py_tracemalloc_config.tracing
                                     ? kr_tm_find(domain, ptr)
                                     : NULL;
    return tb == NULL ? Py_NewRef(Py_None) : kr_tm_to_tuple(tb);
}

static void
put(int fd, const char *s)
{
    if (write(fd, s, strlen(s)) < 0) {
        return;
    }
}

/* Where a block was allocated, for the report of a memory error. */
void
_PyMem_DumpTraceback(int fd, const void *ptr)
{
    if (!_Py_tracemalloc_config.tracing) {
        put(fd, "Enable tracemalloc to get the memory block allocation "
                "traceback\n\n");
        return;
    }
    struct kr_tm_traceback *tb = kr_tm_find(0, (uintptr_t)ptr);
    if (tb == NULL) {
        return;
    }
    put(fd, "Memory block allocated at (most recent call first):\n");
    for (int i = 0; i < tb->nframe; i++) {
        put(fd, "  File \"");
        _Py_DumpASCII(fd, tb->frames[i].filename);
        put(fd, "\", line ");
        _Py_DumpDecimal(fd, tb->frames[i].lineno);
        put(fd, "\n");
    }
    put(fd, "\n");
}
