/* Debug hooks: blocks with fences, which find writes outside a block, use of
 * the wrong domain and calls without the GIL.
 *
 * A block of n bytes lies in one of n + 24: the size (8 bytes, big-endian), a
 * letter for the domain, 7 fence bytes, the data, 8 fence bytes. */
#include <Python.h>
#include <stdio.h>
#include <string.h>

#include "base/common.h"
#include "memory/domains.h"
#include "memory/tracemalloc.h"

#define HEAD 16
#define TAIL 8
#define CLEAN_BYTE 0xCD
#define DEAD_BYTE 0xDD
#define FENCE_BYTE 0xFD

struct layer {
    char letter;
    PyMemAllocatorEx under;
};

static struct kr_debug_hooks_state {
    struct layer layers[3];
} state = {{{'r', {0}}, {'m', {0}}, {'o', {0}}}};

static void
write_size(uint8_t *p, size_t n)
{
    for (int i = 7; i >= 0; i--, n >>= 8) {
        p[i] = (uint8_t)n;
    }
}

static size_t
read_size(const uint8_t *p)
{
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        n = n << 8 | p[i];
    }
    return n;
}

static void
print_fence(const uint8_t *p, int n, const char *where, const char *unit)
{
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok &= p[i] == FENCE_BYTE;
    }
    if (ok) {
        fprintf(stderr, "FORBIDDENBYTE, as expected.\n");
        return;
    }
    fprintf(stderr, "not all FORBIDDENBYTE (0x%02x):\n", FENCE_BYTE);
    for (int i = 0; i < n; i++) {
        fprintf(stderr, "        at %s%s%d: 0x%02x", where, unit,
                *unit == '-' ? n - i : i, p[i]);
        fputs(p[i] == FENCE_BYTE ? "\n" : " *** OUCH\n", stderr);
    }
}

static void
print_data(const uint8_t *q, size_t n)
{
    fprintf(stderr, "    Data at p:");
    for (size_t i = 0; i < n; i++) {
        if (n > 16 && i == 8) {
            fprintf(stderr, " ...");
            i = n - 8;
        }
        fprintf(stderr, " %02x", q[i]);
    }
    fputc('\n', stderr);
}

static void
dump_block(const void *p)
{
    const uint8_t *q = p;
    fprintf(stderr, "Debug memory block at address p=%p:", p);
    if (p == NULL) {
        fprintf(stderr, "\n");
        return;
    }
    fprintf(stderr, " API '%c'\n", q[-8]);
    size_t n = read_size(q - HEAD);
    fprintf(stderr, "    %zu bytes originally requested\n", n);
    fprintf(stderr, "    The %d pad bytes at p-%d are ", 7, 7);
    print_fence(q - 7, 7, "p", "-");
    fprintf(stderr, "    The %d pad bytes at tail=%p are ", TAIL,
            (const void *)(q + n));
    print_fence(q + n, TAIL, "tail", "+");
    if (n > 0) {
        print_data(q, n);
    }
    fputc('\n', stderr);
    fflush(stderr);
    _PyMem_DumpTraceback(fileno(stderr), p);
}

static KR_COLD void
fail(const char *func, const void *p, const char *message)
{
    dump_block(p);
    _Py_FatalErrorFunc(func, message);
}

static void
check_block(const char *func, char letter, const void *p)
{
    const uint8_t *q = p;
    if (p == NULL) {
        fail(func, p, "didn't expect a NULL pointer");
    }
    if (q[-8] != (uint8_t)letter) {
        char message[100];
        snprintf(message, sizeof(message),
                 "bad ID: Allocated using API '%c', verified using API '%c'",
                 q[-8], letter);
        fail(func, p, message);
    }
    for (int i = 7; i > 0; i--) {
        if (q[-i] != FENCE_BYTE) {
            fail(func, p, "bad leading pad byte");
        }
    }
    const uint8_t *tail = q + read_size(q - HEAD);
    for (int i = 0; i < TAIL; i++) {
        if (tail[i] != FENCE_BYTE) {
            fail(func, p, "bad trailing pad byte");
        }
    }
}

static void
check_gil(const struct layer *layer, const char *func)
{
    if (layer->letter != 'r' && !PyGILState_Check()) {
        _Py_FatalErrorFunc(func, "Python memory allocator called without "
                                 "holding the GIL");
    }
}

static void *
dress(const struct layer *layer, uint8_t *block, size_t size)
{
    if (block == NULL) {
        return NULL;
    }
    write_size(block, size);
    block[8] = (uint8_t)layer->letter;
    memset(block + 9, FENCE_BYTE, 7);
    memset(block + HEAD + size, FENCE_BYTE, TAIL);
    return block + HEAD;
}

static void *
debug_alloc(struct layer *layer, size_t size, bool zero)
{
    if (size > (size_t)PY_SSIZE_T_MAX - HEAD - TAIL) {
        return NULL;
    }
    size_t total = size + HEAD + TAIL;
    PyMemAllocatorEx *a = &layer->under;
    uint8_t *block = zero ? a->calloc(a->ctx, 1, total)
                          : a->malloc(a->ctx, total);
    if (block != NULL && !zero) {
        memset(block + HEAD, CLEAN_BYTE, size);
    }
    return dress(layer, block, size);
}

static void *
debug_malloc(void *ctx, size_t size)
{
    check_gil(ctx, "_PyMem_DebugMalloc");
    return debug_alloc(ctx, size, false);
}

static void *
debug_calloc(void *ctx, size_t n, size_t size)
{
    check_gil(ctx, "_PyMem_DebugCalloc");
    return debug_alloc(ctx, n * size, true);
}

static void
debug_free(void *ctx, void *p)
{
    struct layer *layer = ctx;
    check_gil(layer, "_PyMem_DebugFree");
    if (p == NULL) {
        return;
    }
    check_block("_PyMem_DebugRawFree", layer->letter, p);
    uint8_t *block = (uint8_t *)p - HEAD;
    memset(block, DEAD_BYTE, read_size(block) + HEAD + TAIL);
    layer->under.free(layer->under.ctx, block);
}

static void *
debug_realloc(void *ctx, void *p, size_t size)
{
    struct layer *layer = ctx;
    check_gil(layer, "_PyMem_DebugRealloc");
    if (p == NULL) {
        return debug_alloc(layer, size, false);
    }
    check_block("_PyMem_DebugRawRealloc", layer->letter, p);
    size_t old = read_size((uint8_t *)p - HEAD);
    /* always moves, so that stale pointers are noticed */
    uint8_t *copy = debug_alloc(layer, size, false);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, p, old < size ? old : size);
    debug_free(layer, p);
    return copy;
}

bool
kr_debug_hook(int domain, const PyMemAllocatorEx *under,
              PyMemAllocatorEx *hooked)
{
    struct layer *layer = &state.layers[domain];
    if (under->malloc == debug_malloc) {
        return false;
    }
    layer->under = *under;
    *hooked = (PyMemAllocatorEx){layer, debug_malloc, debug_calloc,
                                 debug_realloc, debug_free};
    return true;
}

bool
kr_debug_unhook(int domain, const PyMemAllocatorEx *hooked,
                PyMemAllocatorEx *under)
{
    if (hooked->malloc != debug_malloc) {
        return false;
    }
    *under = state.layers[domain].under;
    return true;
}
