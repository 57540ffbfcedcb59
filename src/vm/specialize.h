/* Adaptive specialisation: counters in the inline caches, and the functions that
 * pick a special form of an instruction from what they see (PEP 659).
 *
 * An X_ADAPTIVE instruction runs the general form until its counter is used up,
 * then asks kr_specialize_x, which rewrites the opcode and fills the cache, or
 * doubles the wait. A special form whose guards fail often enough goes back to
 * X_ADAPTIVE. The caches hold data only, so that other tiers can read them. */
#ifndef KR_VM_SPECIALIZE_H
#define KR_VM_SPECIALIZE_H

#include <Python.h>

#include "base/stress.h"
#include "code/opcode_meta.h"

/* A counter unit holds value << 4 | back-off exponent. */
#define KR_BACKOFF_BITS 4
#define KR_MAX_BACKOFF KR_IN_STRESS(1, 12)
#define KR_COUNTER(value, backoff)                                             \
    ((_Py_CODEUNIT)((value) << KR_BACKOFF_BITS | (backoff)))
#define KR_MISSES KR_IN_STRESS(2, 53) /* failed guards that a special form survives */

/* Objects that instructions compare with; filled in when first specialised. */
struct kr_spec_state {
    PyObject *len, *isinstance, *list_append;
};
extern struct kr_spec_state kr_spec;

/* Whether the adaptive instruction before `cache` is due; counts down. */
static inline int
kr_spec_due(_Py_CODEUNIT *cache)
{
    if (*cache >> KR_BACKOFF_BITS == 0) {
        return 1;
    }
    *cache -= 1 << KR_BACKOFF_BITS;
    return 0;
}

/* A guard of the instruction before `cache` failed. */
static inline void
kr_cache_miss(_Py_CODEUNIT *cache, int adaptive)
{
    *cache -= 1 << KR_BACKOFF_BITS;
    if (*cache >> KR_BACKOFF_BITS == 0) {
        cache[-1] = KR_UNIT(adaptive, KR_OPARG(cache[-1]));
        *cache = KR_STRESS ? KR_COUNTER(1, 1) : KR_COUNTER(15, 4);
    }
}

/* All of these get the instruction (its cache follows), never raise, and borrow
 * everything. */
void kr_specialize_load_global(PyObject *globals, PyObject *builtins,
                               _Py_CODEUNIT *instr, PyObject *name);
void kr_specialize_load_attr(PyObject *owner, _Py_CODEUNIT *instr,
                             PyObject *name);
void kr_specialize_store_attr(PyObject *owner, _Py_CODEUNIT *instr,
                              PyObject *name);
void kr_specialize_load_method(PyObject *owner, _Py_CODEUNIT *instr,
                               PyObject *name);
void kr_specialize_binary_subscr(PyObject *container, PyObject *sub,
                                 _Py_CODEUNIT *instr);
void kr_specialize_store_subscr(PyObject *container, PyObject *sub,
                                _Py_CODEUNIT *instr);
void kr_specialize_binary_op(PyObject *left, PyObject *right,
                             _Py_CODEUNIT *instr, int oparg,
                             PyObject **locals);
void kr_specialize_compare_op(PyObject *left, PyObject *right,
                              _Py_CODEUNIT *instr, int oparg);
void kr_specialize_unpack_sequence(PyObject *seq, _Py_CODEUNIT *instr,
                                   int oparg);
void kr_specialize_precall(PyObject *callable, _Py_CODEUNIT *instr,
                           int is_method, int nargs, PyObject *kwnames);
void kr_specialize_call(PyObject *callable, _Py_CODEUNIT *instr, int nargs,
                        PyObject *kwnames);

/* The value of an int of at most one digit. */
static inline int
kr_is_small(PyObject *v)
{
    return (size_t)(Py_SIZE(v) + 1) <= 2;
}

static inline Py_ssize_t
kr_small_value(PyObject *v)
{
    return Py_SIZE(v) * (Py_ssize_t)((PyLongObject *)v)->ob_digit[0];
}

#endif
