/* Compiler idioms that every layer uses; knows nothing of Python objects. */
#ifndef KR_BASE_COMMON_H
#define KR_BASE_COMMON_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KR_LIKELY(x) __builtin_expect(!!(x), 1)
#define KR_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define KR_NOINLINE __attribute__((noinline))
#define KR_COLD __attribute__((cold, noinline))
#define KR_UNUSED __attribute__((unused))
#define KR_FALLTHROUGH __attribute__((fallthrough))

#define KR_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* An invariant of ours, checked in builds without NDEBUG. The message names
 * what was broken; the expression must have no side effect. */
#define kr_assert(cond, msg) assert((cond) && (msg))

/* Marks a place that no input can reach. */
#define kr_unreachable()                                                       \
    do {                                                                       \
        assert(!"unreachable");                                                \
        __builtin_unreachable();                                               \
    } while (0)

#endif
