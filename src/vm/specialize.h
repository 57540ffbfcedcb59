/* Adaptive specialisation: counters in the inline caches, and the functions that
 * pick a special form of an instruction from what they see (PEP 659). */
#ifndef KR_VM_SPECIALIZE_H
#define KR_VM_SPECIALIZE_H

#include <Python.h>

/* A counter unit holds value << 4 | back-off exponent. */
#define KR_BACKOFF_BITS 4
#define KR_MAX_BACKOFF 12

/* A guard of the instruction before `cache` failed. */
static inline void
kr_cache_miss(_Py_CODEUNIT *cache)
{
    if (*cache >= 1 << KR_BACKOFF_BITS) {
        *cache -= 1 << KR_BACKOFF_BITS;
    }
}

#endif
