/* What the files of `int` share, and fast paths for others.
 *
 * An int of at most one digit is called compact; its value fits an int64_t as
 * any result of + - * on two of them does. */
#ifndef KR_OBJECTS_INT_H
#define KR_OBJECTS_INT_H

#include <Python.h>

#include "base/common.h"
#include "base/intmath.h"
#include "memory/domains.h"
#include "objects/smallints.h"

#define KR_INT_MAX_DIGITS                                                      \
    ((PY_SSIZE_T_MAX - (Py_ssize_t)offsetof(PyLongObject, ob_digit)) /         \
     (Py_ssize_t)sizeof(digit))

static inline bool
kr_int_is_compact(PyObject *v)
{
    return (size_t)(Py_SIZE(v) + 1) < 3;
}

/* Value of a compact int. */
static inline int64_t
kr_int_compact_value(PyObject *v)
{
    return (int64_t)Py_SIZE(v) * ((PyLongObject *)v)->ob_digit[0];
}

static inline Py_ssize_t
kr_int_ndigits(PyObject *v)
{
    return Py_ABS(Py_SIZE(v));
}

#define KR_INT_DIGITS(v) (((PyLongObject *)(v))->ob_digit)

/* New reference; out of line part of kr_int_from_i64 for big values. */
PyObject *kr_int_from_i64_big(int64_t value);

/* An uninitialised int of one digit whose value and sign the caller sets; NULL
 * with MemoryError. */
static inline PyObject *
kr_int_alloc1(void)
{
    PyLongObject *v = kr_object_alloc(sizeof(PyLongObject));
    if (KR_UNLIKELY(v == NULL)) {
        return PyErr_NoMemory();
    }
    /* what PyObject_Init does, for a type that is known to be static */
    Py_SET_TYPE(v, &PyLong_Type);
    Py_SET_REFCNT(v, 1);
    return (PyObject *)v;
}

static inline PyObject *
kr_int_from_i64(int64_t value)
{
    if (kr_is_small_int(value)) {
        return Py_NewRef(KR_SMALL_INT(value));
    }
    if (value > -(int64_t)PyLong_BASE && value < (int64_t)PyLong_BASE) {
        PyObject *v = kr_int_alloc1();
        if (v != NULL) {
            KR_INT_DIGITS(v)[0] = (digit)(value < 0 ? -value : value);
            Py_SET_SIZE(v, value < 0 ? -1 : 1);
        }
        return v;
    }
    return kr_int_from_i64_big(value);
}

/* Py_DECREF of an exact int. */
static inline void
kr_int_decref(PyObject *v)
{
    if (--v->ob_refcnt == 0) {
        kr_object_free(v);
    }
}

/* Drops leading zero digits of a new int, keeps its sign. */
void kr_int_normalize(PyLongObject *v);

/* Normalises a new int and replaces it by the shared object if it is small;
 * consumes v, which may be NULL. Gives a new reference. */
PyObject *kr_int_finish(PyLongObject *v);

/* Division of ints (any sign, not by 0), rounding down. Either result pointer
 * may be NULL; results are new references. -1 with an exception on failure. */
int kr_int_divmod(PyObject *a, PyObject *b, PyObject **div, PyObject **mod);

/* Truncating division of magnitudes with signs as C has them. */
int kr_int_divrem(PyObject *a, PyObject *b, PyObject **div, PyObject **rem);

/* Slots of int that bool and float use as well. Operands may be anything. */
PyObject *kr_int_add(PyObject *a, PyObject *b);
PyObject *kr_int_sub(PyObject *a, PyObject *b);
PyObject *kr_int_mul(PyObject *a, PyObject *b);
PyObject *kr_int_and(PyObject *a, PyObject *b);
PyObject *kr_int_or(PyObject *a, PyObject *b);
PyObject *kr_int_xor(PyObject *a, PyObject *b);
PyObject *kr_int_neg(PyObject *v);
PyObject *kr_int_abs(PyObject *v);
PyObject *kr_int_invert(PyObject *v);
PyObject *kr_int_floor_div(PyObject *a, PyObject *b);
PyObject *kr_int_mod(PyObject *a, PyObject *b);
PyObject *kr_int_divmod_slot(PyObject *a, PyObject *b);
PyObject *kr_int_true_div(PyObject *a, PyObject *b);
PyObject *kr_int_pow(PyObject *a, PyObject *b, PyObject *mod);
PyObject *kr_int_lshift(PyObject *a, PyObject *b);
PyObject *kr_int_rshift(PyObject *a, PyObject *b);
int kr_int_compare(PyObject *a, PyObject *b);
PyObject *kr_int_richcompare(PyObject *a, PyObject *b, int op);
Py_hash_t kr_int_hash(PyObject *v);
PyObject *kr_int_repr(PyObject *v);

/* The limit of decimal digits in conversions; 0 means none. The setter checks
 * nothing: 0 or at least 640 must come in. */
int kr_int_max_str_digits(void);
void kr_int_set_max_str_digits(int limit);

/* After a kr_mag function failed: MemoryError, unless a signal's handler raised
 * another exception. */
void kr_int_stopped(void);

/* Methods of int in the other files. */
PyObject *kr_int_to_bytes(PyObject *self, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_int_from_bytes(PyObject *type, PyObject *const *args,
                            Py_ssize_t nargs, PyObject *kwnames);

PyAPI_FUNC(int)
    _PyLong_FormatWriter(_PyUnicodeWriter *writer, PyObject *obj, int base,
                         int alternate);
PyAPI_FUNC(char *)
    _PyLong_FormatBytesWriter(_PyBytesWriter *writer, char *str, PyObject *obj,
                              int base, int alternate);

#endif
