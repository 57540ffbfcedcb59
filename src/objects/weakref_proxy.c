/* Weak proxies: references that hand every operation on to their object. */
#include <Python.h>

#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/weakref.h"

static int
check_alive(PyObject *proxy)
{
    if (PyWeakref_GET_OBJECT(proxy) == Py_None) {
        PyErr_SetString(PyExc_ReferenceError,
                        "weakly-referenced object no longer exists");
        return 0;
    }
    return 1;
}

/* A new reference to the object behind a proxy, or to `op` itself if it is
 * none; NULL with ReferenceError if the object is gone. */
static PyObject *
unwrap(PyObject *op)
{
    if (!PyWeakref_CheckProxy(op)) {
        return Py_NewRef(op);
    }
    return check_alive(op) ? Py_NewRef(PyWeakref_GET_OBJECT(op)) : NULL;
}

#define UNARY(name, generic)                                                   \
    static PyObject *name(PyObject *x)                                         \
    {                                                                          \
        x = unwrap(x);                                                         \
        if (x == NULL) {                                                       \
            return NULL;                                                       \
        }                                                                      \
        PyObject *res = generic(x);                                            \
        Py_DECREF(x);                                                          \
        return res;                                                            \
    }

#define BINARY(name, generic)                                                  \
    static PyObject *name(PyObject *x, PyObject *y)                            \
    {                                                                          \
        x = unwrap(x);                                                         \
        y = x == NULL ? NULL : unwrap(y);                                      \
        PyObject *res = y == NULL ? NULL : generic(x, y);                      \
        Py_XDECREF(x);                                                         \
        Py_XDECREF(y);                                                         \
        return res;                                                            \
    }

#define TERNARY(name, generic)                                                 \
    static PyObject *name(PyObject *x, PyObject *y, PyObject *z)               \
    {                                                                          \
        x = unwrap(x);                                                         \
        y = x == NULL ? NULL : unwrap(y);                                      \
        z = y == NULL || z == NULL ? NULL : unwrap(z);                         \
        PyObject *res = z == NULL ? NULL : generic(x, y, z);                   \
        Py_XDECREF(x);                                                         \
        Py_XDECREF(y);                                                         \
        Py_XDECREF(z);                                                         \
        return res;                                                            \
    }

UNARY(proxy_str, PyObject_Str)
UNARY(proxy_neg, PyNumber_Negative)
UNARY(proxy_pos, PyNumber_Positive)
UNARY(proxy_abs, PyNumber_Absolute)
UNARY(proxy_invert, PyNumber_Invert)
UNARY(proxy_int, PyNumber_Long)
UNARY(proxy_float, PyNumber_Float)
UNARY(proxy_index, PyNumber_Index)
UNARY(proxy_iter, PyObject_GetIter)
BINARY(proxy_getattr, PyObject_GetAttr)
BINARY(proxy_add, PyNumber_Add)
BINARY(proxy_sub, PyNumber_Subtract)
BINARY(proxy_mul, PyNumber_Multiply)
BINARY(proxy_floor_div, PyNumber_FloorDivide)
BINARY(proxy_true_div, PyNumber_TrueDivide)
BINARY(proxy_mod, PyNumber_Remainder)
BINARY(proxy_divmod, PyNumber_Divmod)
BINARY(proxy_lshift, PyNumber_Lshift)
BINARY(proxy_rshift, PyNumber_Rshift)
BINARY(proxy_and, PyNumber_And)
BINARY(proxy_xor, PyNumber_Xor)
BINARY(proxy_or, PyNumber_Or)
BINARY(proxy_matmul, PyNumber_MatrixMultiply)
BINARY(proxy_iadd, PyNumber_InPlaceAdd)
BINARY(proxy_isub, PyNumber_InPlaceSubtract)
BINARY(proxy_imul, PyNumber_InPlaceMultiply)
BINARY(proxy_ifloor_div, PyNumber_InPlaceFloorDivide)
BINARY(proxy_itrue_div, PyNumber_InPlaceTrueDivide)
BINARY(proxy_imod, PyNumber_InPlaceRemainder)
BINARY(proxy_ilshift, PyNumber_InPlaceLshift)
BINARY(proxy_irshift, PyNumber_InPlaceRshift)
BINARY(proxy_iand, PyNumber_InPlaceAnd)
BINARY(proxy_ixor, PyNumber_InPlaceXor)
BINARY(proxy_ior, PyNumber_InPlaceOr)
BINARY(proxy_imatmul, PyNumber_InPlaceMatrixMultiply)
BINARY(proxy_getitem, PyObject_GetItem)
TERNARY(proxy_pow, PyNumber_Power)
TERNARY(proxy_ipow, PyNumber_InPlacePower)

static PyObject *
proxy_repr(PyObject *self)
{
    PyObject *ob = PyWeakref_GET_OBJECT(self);
    return PyUnicode_FromFormat("<weakproxy at %p to %s at %p>", self,
                                Py_TYPE(ob)->tp_name, ob);
}

static int
proxy_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    if (!check_alive(self)) {
        return -1;
    }
    PyObject *ob = Py_NewRef(PyWeakref_GET_OBJECT(self));
    int res = PyObject_SetAttr(ob, name, value);
    Py_DECREF(ob);
    return res;
}

static PyObject *
proxy_richcompare(PyObject *x, PyObject *y, int op)
{
    x = unwrap(x);
    y = x == NULL ? NULL : unwrap(y);
    PyObject *res = y == NULL ? NULL : PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return res;
}

static int
proxy_bool(PyObject *self)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return -1;
    }
    int res = PyObject_IsTrue(ob);
    Py_DECREF(ob);
    return res;
}

static int
proxy_contains(PyObject *self, PyObject *value)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return -1;
    }
    int res = PySequence_Contains(ob, value);
    Py_DECREF(ob);
    return res;
}

static Py_ssize_t
proxy_length(PyObject *self)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return -1;
    }
    Py_ssize_t res = PyObject_Length(ob);
    Py_DECREF(ob);
    return res;
}

static int
proxy_setitem(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return -1;
    }
    int res = value == NULL ? PyObject_DelItem(ob, key)
                            : PyObject_SetItem(ob, key, value);
    Py_DECREF(ob);
    return res;
}

static PyObject *
proxy_iternext(PyObject *self)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    if (PyIter_Check(ob)) {
        res = PyIter_Next(ob);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "Weakref proxy referenced a non-iterator '%.200s' object",
                     Py_TYPE(ob)->tp_name);
    }
    Py_DECREF(ob);
    return res;
}

static PyObject *
call_object(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_Call(ob, args, kwargs);
    Py_DECREF(ob);
    return res;
}

static PyObject *
proxy_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethodNoArgs(ob, KR_ID(__bytes__));
    Py_DECREF(ob);
    return res;
}

static PyObject *
proxy_reversed(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *ob = unwrap(self);
    if (ob == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethodNoArgs(ob, KR_ID(__reversed__));
    Py_DECREF(ob);
    return res;
}

static void
proxy_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyWeakReference *wr = (PyWeakReference *)self;
    PyObject *callback = wr->wr_callback;
    wr->wr_callback = NULL;
    _PyWeakref_ClearRef(wr);
    Py_XDECREF(callback);
    PyObject_GC_Del(self);
}

static int
proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((PyWeakReference *)self)->wr_callback);
    return 0;
}

static int
proxy_clear(PyObject *self)
{
    PyWeakReference *wr = (PyWeakReference *)self;
    PyObject *callback = wr->wr_callback;
    wr->wr_callback = NULL;
    _PyWeakref_ClearRef(wr);
    Py_XDECREF(callback);
    return 0;
}

static PyMethodDef proxy_methods[] = {
    {"__bytes__", proxy_bytes, METH_NOARGS},
    {"__reversed__", proxy_reversed, METH_NOARGS},
    {NULL},
};

static PyNumberMethods proxy_as_number = {
    .nb_add = proxy_add,
    .nb_subtract = proxy_sub,
    .nb_multiply = proxy_mul,
    .nb_remainder = proxy_mod,
    .nb_divmod = proxy_divmod,
    .nb_power = proxy_pow,
    .nb_negative = proxy_neg,
    .nb_positive = proxy_pos,
    .nb_absolute = proxy_abs,
    .nb_bool = proxy_bool,
    .nb_invert = proxy_invert,
    .nb_lshift = proxy_lshift,
    .nb_rshift = proxy_rshift,
    .nb_and = proxy_and,
    .nb_xor = proxy_xor,
    .nb_or = proxy_or,
    .nb_int = proxy_int,
    .nb_float = proxy_float,
    .nb_inplace_add = proxy_iadd,
    .nb_inplace_subtract = proxy_isub,
    .nb_inplace_multiply = proxy_imul,
    .nb_inplace_remainder = proxy_imod,
    .nb_inplace_power = proxy_ipow,
    .nb_inplace_lshift = proxy_ilshift,
    .nb_inplace_rshift = proxy_irshift,
    .nb_inplace_and = proxy_iand,
    .nb_inplace_xor = proxy_ixor,
    .nb_inplace_or = proxy_ior,
    .nb_floor_divide = proxy_floor_div,
    .nb_true_divide = proxy_true_div,
    .nb_inplace_floor_divide = proxy_ifloor_div,
    .nb_inplace_true_divide = proxy_itrue_div,
    .nb_index = proxy_index,
    .nb_matrix_multiply = proxy_matmul,
    .nb_inplace_matrix_multiply = proxy_imatmul,
};

static PySequenceMethods proxy_as_sequence = {
    .sq_length = proxy_length,
    .sq_contains = proxy_contains,
};

static PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_getitem,
    .mp_ass_subscript = proxy_setitem,
};

#define PROXY_SLOTS                                                            \
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                          \
    .tp_basicsize = sizeof(PyWeakReference), .tp_dealloc = proxy_dealloc,      \
    .tp_repr = proxy_repr, .tp_as_number = &proxy_as_number,                   \
    .tp_as_sequence = &proxy_as_sequence,                                      \
    .tp_as_mapping = &proxy_as_mapping, .tp_hash = PyObject_HashNotImplemented,\
    .tp_str = proxy_str, .tp_getattro = proxy_getattr,                         \
    .tp_setattro = proxy_setattr,                                              \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                       \
    .tp_traverse = proxy_traverse, .tp_clear = proxy_clear,                    \
    .tp_richcompare = proxy_richcompare, .tp_iter = proxy_iter,                \
    .tp_iternext = proxy_iternext

PyTypeObject _PyWeakref_ProxyType = {
    PROXY_SLOTS,
    .tp_name = "weakref.ProxyType",
    .tp_methods = proxy_methods,
};

PyTypeObject _PyWeakref_CallableProxyType = {
    PROXY_SLOTS,
    .tp_name = "weakref.CallableProxyType",
    .tp_call = call_object,
};
