/* The matcher: its three forms, its stack, and the choice between the forms. */
#include <string.h>

#include "modules/_sre/chars.h"
#include "modules/_sre/sre.h"

#define KR_SRE_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Kinds of entries on the stack; what rep, pc, ptr, aux are: */
enum kind {
    K_BOTTOM,
    K_MARK,       /* mark number, -, its old value, old lastindex */
    K_COUNTER,    /* outer repeat, operands, place of last round, rounds done */
    K_RESUME,     /* go on at pc */
    K_BRANCH,     /* next alternative's skip word at pc */
    K_GREEDY,     /* REPEAT_ONE at pc, aux: the least it may take */
    K_LAZY,       /* MIN_REPEAT_ONE at pc, aux: the most it may take */
    K_ROUND,      /* one more round of the repeat `rep`, body at pc */
    K_ATOMIC,     /* barriers; aux: the outer barrier, pc: what follows */
    K_ASSERT,
    K_ASSERT_NOT,
    K_POSSESSIVE, /* its operands at pc; a K_COUNTER is below */
};

int
kr_sre_grow_stack(struct sre_state *s, size_t used)
{
    size_t size = (size_t)(s->stack_end - s->stack) * 2;
    struct sre_entry *new_stack;
    if (size > UINT32_MAX) {
        PyErr_NoMemory();
        return -1;
    }
    if (s->stack == s->inline_stack) {
        new_stack = PyMem_Malloc(size * sizeof(*new_stack));
        if (new_stack != NULL) {
            memcpy(new_stack, s->stack, used * sizeof(*new_stack));
        }
    }
    else {
        new_stack = PyMem_Realloc(s->stack, size * sizeof(*new_stack));
    }
    if (new_stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    s->stack = new_stack;
    s->stack_end = new_stack + size;
    return 0;
}

#define CHAR uint8_t
#define CHAR_BITS 8
#define NAME(x) ucs1_##x

static inline const uint8_t *
ucs1_find(const uint8_t *p, const uint8_t *end, uint8_t c)
{
    const uint8_t *q = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return q != NULL ? q : end;
}

static inline bool
ucs1_one(const struct sre_state *s, const uint32_t *pc, uint8_t c)
{
    if (pc[0] == OP_ANY) {
        return c != '\n';
    }
    uint32_t word = pc[s->pattern->codesize];
    if (word != 0) {
        return s->pattern->tables[(word & ~255u) + c] & word & 255;
    }
    return kr_sre_one(pc, c);
}

#include "modules/_sre/engine_impl.h"

#undef CHAR
#undef CHAR_BITS
#undef NAME

/* The same two helpers for wider characters. */
#define WIDE_HELPERS(name, type)                                               \
    static inline const type *name##_find(const type *p, const type *end,      \
                                          type c)                              \
    {                                                                          \
        while (p < end && *p != c) {                                           \
            p++;                                                               \
        }                                                                      \
        return p;                                                              \
    }                                                                          \
                                                                               \
    static inline bool name##_one(const struct sre_state *s,                   \
                                  const uint32_t *pc, type c)                  \
    {                                                                          \
        return c < 256 ? ucs1_one(s, pc, (uint8_t)c) : kr_sre_one(pc, c);      \
    }

WIDE_HELPERS(ucs2, uint16_t)

#define CHAR uint16_t
#define CHAR_BITS 16
#define NAME(x) ucs2_##x
#include "modules/_sre/engine_impl.h"
#undef CHAR
#undef CHAR_BITS
#undef NAME

WIDE_HELPERS(ucs4, uint32_t)

#define CHAR uint32_t
#define CHAR_BITS 32
#define NAME(x) ucs4_##x
#include "modules/_sre/engine_impl.h"
#undef CHAR
#undef CHAR_BITS
#undef NAME

int
kr_sre_search(struct sre_state *s)
{
    switch (s->charsize) {
    case 1: return ucs1_search(s);
    case 2: return ucs2_search(s);
    }
    return ucs4_search(s);
}

int
kr_sre_match_here(struct sre_state *s)
{
    const uint32_t *pc = s->pattern->code;
    bool must = s->must_advance;
    if (s->start > s->end) {
        return 0;
    }
    if (pc[0] == OP_INFO) {
        size_t room =
            (size_t)((const char *)s->end - (const char *)s->start) /
            (size_t)s->charsize;
        if (room < pc[3]) {
            return 0;
        }
        pc += 1 + pc[1];
    }
    switch (s->charsize) {
    case 1: return ucs1_run(s, pc, s->start, must);
    case 2: return ucs2_run(s, pc, s->start, must);
    }
    return ucs4_run(s, pc, s->start, must);
}
