/* The data object _PyRuntime, which binaries reach into at fixed offsets.
 *
 * Only the small ints are in it from the start; the thread state pointer is
 * written by whoever attaches threads. */
#include "objects/immortal.h"
#include "objects/smallints.h"

#define INT(i)                                                                 \
    {.ob_base = KR_IMMORTAL_VAR_HEAD(&PyLong_Type,                             \
                                     (i) < 0 ? -1 : (i) > 0 ? 1 : 0),          \
     .ob_digit = {(digit)((i) < 0 ? -(i) : (i))}}
#define INT8(i)                                                                \
    INT(i), INT((i) + 1), INT((i) + 2), INT((i) + 3), INT((i) + 4),            \
        INT((i) + 5), INT((i) + 6), INT((i) + 7)
#define INT32(i) INT8(i), INT8((i) + 8), INT8((i) + 16), INT8((i) + 24)

#define COUNT (KR_SMALL_INT_MAX - KR_SMALL_INT_MIN + 1)

_Static_assert(sizeof(PyLongObject) == 32, "small ints are 32 bytes apart");

/* Same size, offsets and symbol as the char array of the header. */
struct runtime_data {
    char before[680];
    PyLongObject small_ints[COUNT];
    char after[166688 - 680 - COUNT * 32];
};

_Static_assert(sizeof(struct runtime_data) == 166688, "recorded size");

/* Defined under an internal name and aliased, as the type differs. */
__attribute__((visibility("default"))) struct runtime_data kr_runtime_data
    __asm__("_PyRuntime") = {
        .small_ints = {INT(-5), INT(-4), INT(-3), INT(-2), INT(-1), INT32(0),
                       INT32(32), INT32(64), INT32(96), INT32(128), INT32(160),
                       INT32(192), INT32(224), INT(256)},
};
