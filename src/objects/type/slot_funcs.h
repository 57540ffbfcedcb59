/* The functions that slots of Python classes hold: each calls a special method
 * found in the type. */
#ifndef KR_OBJECTS_TYPE_SLOT_FUNCS_H
#define KR_OBJECTS_TYPE_SLOT_FUNCS_H

#include <Python.h>

PyObject *kr_slot_tp_repr(PyObject *self);
PyObject *kr_slot_tp_str(PyObject *self);
Py_hash_t kr_slot_tp_hash(PyObject *self);
PyObject *kr_slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *kr_slot_tp_getattro(PyObject *self, PyObject *name);
PyObject *kr_slot_tp_getattr_hook(PyObject *self, PyObject *name);
int kr_slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value);
PyObject *kr_slot_tp_richcompare(PyObject *self, PyObject *other, int op);
PyObject *kr_slot_tp_iter(PyObject *self);
PyObject *kr_slot_tp_iternext(PyObject *self);
PyObject *kr_slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type);
int kr_slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value);
int kr_slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *kr_slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
void kr_slot_tp_finalize(PyObject *self);

PyObject *kr_slot_am_await(PyObject *self);
PyObject *kr_slot_am_aiter(PyObject *self);
PyObject *kr_slot_am_anext(PyObject *self);

Py_ssize_t kr_slot_sq_length(PyObject *self);
PyObject *kr_slot_sq_item(PyObject *self, Py_ssize_t i);
int kr_slot_sq_ass_item(PyObject *self, Py_ssize_t index, PyObject *value);
int kr_slot_sq_contains(PyObject *self, PyObject *value);
PyObject *kr_slot_mp_subscript(PyObject *self, PyObject *key);
int kr_slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value);

int kr_slot_nb_bool(PyObject *self);
PyObject *kr_slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus);
PyObject *kr_slot_nb_inplace_power(PyObject *self, PyObject *other,
                                   PyObject *modulus);

/* X(slot, special method, reflected method): plain binary operators. */
#define KR_SLOT_BINARY(X)                                                      \
    X(nb_add, __add__, __radd__)                                               \
    X(nb_subtract, __sub__, __rsub__)                                          \
    X(nb_multiply, __mul__, __rmul__)                                          \
    X(nb_remainder, __mod__, __rmod__)                                         \
    X(nb_divmod, __divmod__, __rdivmod__)                                      \
    X(nb_lshift, __lshift__, __rlshift__)                                      \
    X(nb_rshift, __rshift__, __rrshift__)                                      \
    X(nb_and, __and__, __rand__)                                               \
    X(nb_xor, __xor__, __rxor__)                                               \
    X(nb_or, __or__, __ror__)                                                  \
    X(nb_floor_divide, __floordiv__, __rfloordiv__)                            \
    X(nb_true_divide, __truediv__, __rtruediv__)                               \
    X(nb_matrix_multiply, __matmul__, __rmatmul__)

#define KR_SLOT_INPLACE(X)                                                     \
    X(nb_inplace_add, __iadd__)                                                \
    X(nb_inplace_subtract, __isub__)                                           \
    X(nb_inplace_multiply, __imul__)                                           \
    X(nb_inplace_remainder, __imod__)                                          \
    X(nb_inplace_lshift, __ilshift__)                                          \
    X(nb_inplace_rshift, __irshift__)                                          \
    X(nb_inplace_and, __iand__)                                                \
    X(nb_inplace_xor, __ixor__)                                                \
    X(nb_inplace_or, __ior__)                                                  \
    X(nb_inplace_floor_divide, __ifloordiv__)                                  \
    X(nb_inplace_true_divide, __itruediv__)                                    \
    X(nb_inplace_matrix_multiply, __imatmul__)

#define KR_SLOT_UNARY(X)                                                       \
    X(nb_negative, __neg__)                                                    \
    X(nb_positive, __pos__)                                                    \
    X(nb_absolute, __abs__)                                                    \
    X(nb_invert, __invert__)                                                   \
    X(nb_int, __int__)                                                         \
    X(nb_float, __float__)                                                     \
    X(nb_index, __index__)

#define KR_DECLARE(slot, ...)                                                  \
    PyObject *kr_slot_##slot(PyObject *self, PyObject *other);
KR_SLOT_BINARY(KR_DECLARE)
KR_SLOT_INPLACE(KR_DECLARE)
#undef KR_DECLARE
#define KR_DECLARE(slot, name) PyObject *kr_slot_##slot(PyObject *self);
KR_SLOT_UNARY(KR_DECLARE)
#undef KR_DECLARE

#endif
