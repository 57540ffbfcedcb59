/* Slots of Python classes: each function finds the special method in the type
 * and calls it, checks its result and converts it to what the slot gives.
 *
 * Guarantees: lookup ignores the instance's own attributes; a method of the
 * METHOD_DESCRIPTOR kind is called without making a bound method. */
#include "objects/type/slot_funcs.h"

#include "base/common.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

/* ---- finding and calling special methods -------------------------------- */

/* New reference, NULL without exception if missing. With *unbound set the
 * function wants `self` as first argument. */
static inline PyObject *
lookup_maybe(PyObject *self, PyObject *name, bool *unbound)
{
    PyObject *res = _PyType_Lookup(Py_TYPE(self), name);
    *unbound = false;
    if (res == NULL) {
        return NULL;
    }
    if (PyType_HasFeature(Py_TYPE(res), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        *unbound = true;
        return Py_NewRef(res);
    }
    descrgetfunc f = Py_TYPE(res)->tp_descr_get;
    Py_INCREF(res);
    if (f == NULL) {
        return res;
    }
    PyObject *bound = f(res, self, (PyObject *)Py_TYPE(self));
    Py_DECREF(res);
    return bound;
}

static PyObject *
lookup_method(PyObject *self, PyObject *name, bool *unbound)
{
    PyObject *res = lookup_maybe(self, name, unbound);
    if (res == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return res;
}

/* args[0] is self. Takes over the reference to `func`. */
static inline PyObject *
call_found(bool unbound, PyObject *func, PyObject **args, size_t nargs)
{
    PyObject *res;
    if (unbound) {
        res = PyObject_Vectorcall(func, args, nargs, NULL);
    }
    else {
        res = PyObject_Vectorcall(
            func, args + 1, (nargs - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET,
            NULL);
    }
    Py_DECREF(func);
    return res;
}

/* Calls the special method; AttributeError if missing. */
static PyObject *
call_method(PyObject *name, PyObject **args, size_t nargs)
{
    bool unbound;
    PyObject *func = lookup_method(args[0], name, &unbound);
    if (func == NULL) {
        return NULL;
    }
    return call_found(unbound, func, args, nargs);
}

/* Calls the special method; NotImplemented if missing. */
static PyObject *
call_maybe(PyObject *name, PyObject **args, size_t nargs)
{
    bool unbound;
    PyObject *func = lookup_maybe(args[0], name, &unbound);
    if (func == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    return call_found(unbound, func, args, nargs);
}

static PyObject *
call1(PyObject *name, PyObject *self)
{
    PyObject *stack[1] = {self};
    return call_method(name, stack, 1);
}

static PyObject *
call2(PyObject *name, PyObject *self, PyObject *arg)
{
    PyObject *stack[2] = {self, arg};
    return call_method(name, stack, 2);
}

/* Calls `func` (new reference, taken over) with tuple and dict. */
static PyObject *
call_with_tuple(bool unbound, PyObject *func, PyObject *self, PyObject *args,
                PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (!unbound) {
        PyObject *res = PyObject_Call(func, args, kwds);
        Py_DECREF(func);
        return res;
    }
    PyObject *small[8];
    PyObject **stack = small;
    if (n + 1 > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        stack = PyMem_New(PyObject *, n + 1);
        if (stack == NULL) {
            Py_DECREF(func);
            return PyErr_NoMemory();
        }
    }
    stack[0] = self;
    memcpy(stack + 1, &PyTuple_GET_ITEM(args, 0),
           (size_t)n * sizeof(PyObject *));
    PyObject *res =
        PyObject_VectorcallDict(func, stack, (size_t)n + 1, kwds);
    if (stack != small) {
        PyMem_Free(stack);
    }
    Py_DECREF(func);
    return res;
}

/* ---- numbers ------------------------------------------------------------ */

/* Whether the right operand's type has another method `name` than the left
 * one's: 1, 0, -1. */
static int
is_overloaded(PyObject *left, PyObject *right, PyObject *name)
{
    PyObject *a, *b;
    if (_PyObject_LookupAttr((PyObject *)Py_TYPE(right), name, &b) < 0) {
        return -1;
    }
    if (b == NULL) {
        return 0;
    }
    if (_PyObject_LookupAttr((PyObject *)Py_TYPE(left), name, &a) < 0) {
        Py_DECREF(b);
        return -1;
    }
    int res = 1;
    if (a != NULL) {
        res = PyObject_RichCompareBool(a, b, Py_NE);
        Py_DECREF(a);
    }
    Py_DECREF(b);
    return res;
}

static inline void *
number_slot(PyObject *o, size_t offset)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb == NULL ? NULL : *(void **)((char *)nb + offset);
}

/* One operator: `own` is the slot function that asks, so that only operands
 * whose types define the operator in Python are called here. */
static PyObject *
binary(PyObject *self, PyObject *other, size_t offset, void *own, PyObject *op,
       PyObject *rop)
{
    PyObject *straight[2] = {self, other};
    PyObject *swapped[2] = {other, self};
    bool do_other = !Py_IS_TYPE(self, Py_TYPE(other))
                    && number_slot(other, offset) == own;
    if (number_slot(self, offset) == own) {
        PyObject *res;
        if (do_other && PyType_IsSubtype(Py_TYPE(other), Py_TYPE(self))) {
            int ok = is_overloaded(self, other, rop);
            if (ok < 0) {
                return NULL;
            }
            if (ok) {
                res = call_maybe(rop, swapped, 2);
                if (res != Py_NotImplemented) {
                    return res;
                }
                Py_DECREF(res);
                do_other = false;
            }
        }
        res = call_maybe(op, straight, 2);
        if (res != Py_NotImplemented || Py_IS_TYPE(other, Py_TYPE(self))) {
            return res;
        }
        Py_DECREF(res);
    }
    if (do_other) {
        return call_maybe(rop, swapped, 2);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

#define DEFINE_BINARY(slot, op, rop)                                           \
    PyObject *kr_slot_##slot(PyObject *self, PyObject *other)                  \
    {                                                                          \
        return binary(self, other, offsetof(PyNumberMethods, slot),            \
                      (void *)kr_slot_##slot, op, rop);          \
    }
#define DEFINE_INPLACE(slot, op)                                               \
    PyObject *kr_slot_##slot(PyObject *self, PyObject *other)                  \
    {                                                                          \
        return call2(op, self, other);                                  \
    }
#define DEFINE_UNARY(slot, op)                                                 \
    PyObject *kr_slot_##slot(PyObject *self)                                   \
    {                                                                          \
        return call1(op, self);                                         \
    }

DEFINE_BINARY(nb_add, KR_ID(__add__), KR_ID(__radd__))
DEFINE_BINARY(nb_subtract, KR_ID(__sub__), KR_ID(__rsub__))
DEFINE_BINARY(nb_multiply, KR_ID(__mul__), KR_ID(__rmul__))
DEFINE_BINARY(nb_remainder, KR_ID(__mod__), KR_ID(__rmod__))
DEFINE_BINARY(nb_divmod, KR_ID(__divmod__), KR_ID(__rdivmod__))
DEFINE_BINARY(nb_lshift, KR_ID(__lshift__), KR_ID(__rlshift__))
DEFINE_BINARY(nb_rshift, KR_ID(__rshift__), KR_ID(__rrshift__))
DEFINE_BINARY(nb_and, KR_ID(__and__), KR_ID(__rand__))
DEFINE_BINARY(nb_xor, KR_ID(__xor__), KR_ID(__rxor__))
DEFINE_BINARY(nb_or, KR_ID(__or__), KR_ID(__ror__))
DEFINE_BINARY(nb_floor_divide, KR_ID(__floordiv__), KR_ID(__rfloordiv__))
DEFINE_BINARY(nb_true_divide, KR_ID(__truediv__), KR_ID(__rtruediv__))
DEFINE_BINARY(nb_matrix_multiply, KR_ID(__matmul__), KR_ID(__rmatmul__))

DEFINE_INPLACE(nb_inplace_add, KR_ID(__iadd__))
DEFINE_INPLACE(nb_inplace_subtract, KR_ID(__isub__))
DEFINE_INPLACE(nb_inplace_multiply, KR_ID(__imul__))
DEFINE_INPLACE(nb_inplace_remainder, KR_ID(__imod__))
DEFINE_INPLACE(nb_inplace_lshift, KR_ID(__ilshift__))
DEFINE_INPLACE(nb_inplace_rshift, KR_ID(__irshift__))
DEFINE_INPLACE(nb_inplace_and, KR_ID(__iand__))
DEFINE_INPLACE(nb_inplace_xor, KR_ID(__ixor__))
DEFINE_INPLACE(nb_inplace_or, KR_ID(__ior__))
DEFINE_INPLACE(nb_inplace_floor_divide, KR_ID(__ifloordiv__))
DEFINE_INPLACE(nb_inplace_true_divide, KR_ID(__itruediv__))
DEFINE_INPLACE(nb_inplace_matrix_multiply, KR_ID(__imatmul__))

DEFINE_UNARY(nb_negative, KR_ID(__neg__))
DEFINE_UNARY(nb_positive, KR_ID(__pos__))
DEFINE_UNARY(nb_absolute, KR_ID(__abs__))
DEFINE_UNARY(nb_invert, KR_ID(__invert__))
DEFINE_UNARY(nb_int, KR_ID(__int__))
DEFINE_UNARY(nb_float, KR_ID(__float__))
DEFINE_UNARY(nb_index, KR_ID(__index__))

PyObject *
kr_slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    void *own = (void *)kr_slot_nb_power;
    size_t offset = offsetof(PyNumberMethods, nb_power);
    if (modulus == Py_None) {
        return binary(self, other, offset, own, KR_ID(__pow__),
                      KR_ID(__rpow__));
    }
    /* With a modulus only the left operand is asked. */
    if (number_slot(self, offset) == own) {
        PyObject *stack[3] = {self, other, modulus};
        return call_method(KR_ID(__pow__), stack, 3);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

PyObject *
kr_slot_nb_inplace_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    return call2(KR_ID(__ipow__), self, other);
}

int
kr_slot_nb_bool(PyObject *self)
{
    bool unbound, by_len = false;
    PyObject *func = lookup_maybe(self, KR_ID(__bool__), &unbound);
    if (func == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        func = lookup_maybe(self, KR_ID(__len__), &unbound);
        if (func == NULL) {
            return PyErr_Occurred() ? -1 : 1;
        }
        by_len = true;
    }
    PyObject *stack[1] = {self};
    PyObject *value = call_found(unbound, func, stack, 1);
    if (value == NULL) {
        return -1;
    }
    int res;
    if (by_len) {
        res = PyObject_IsTrue(value);
    }
    else if (PyBool_Check(value)) {
        res = value == Py_True;
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "__bool__ should return bool, returned %s",
                     Py_TYPE(value)->tp_name);
        res = -1;
    }
    Py_DECREF(value);
    return res;
}

/* ---- containers --------------------------------------------------------- */

Py_ssize_t
kr_slot_sq_length(PyObject *self)
{
    PyObject *res = call1(KR_ID(__len__), self);
    if (res == NULL) {
        return -1;
    }
    Py_SETREF(res, PyNumber_Index(res));
    if (res == NULL) {
        return -1;
    }
    if (Py_SIZE(res) < 0) {
        Py_DECREF(res);
        PyErr_SetString(PyExc_ValueError, "__len__() should return >= 0");
        return -1;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(res, PyExc_OverflowError);
    Py_DECREF(res);
    return n;
}

PyObject *
kr_slot_sq_item(PyObject *self, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (index == NULL) {
        return NULL;
    }
    PyObject *res = call2(KR_ID(__getitem__), self, index);
    Py_DECREF(index);
    return res;
}

PyObject *
kr_slot_mp_subscript(PyObject *self, PyObject *key)
{
    return call2(KR_ID(__getitem__), self, key);
}

int
kr_slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *stack[3] = {self, key, value};
    PyObject *res = value == NULL
                        ? call_method(KR_ID(__delitem__), stack, 2)
                        : call_method(KR_ID(__setitem__), stack, 3);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

int
kr_slot_sq_ass_item(PyObject *self, Py_ssize_t index, PyObject *value)
{
    PyObject *key = PyLong_FromSsize_t(index);
    if (key == NULL) {
        return -1;
    }
    int res = kr_slot_mp_ass_subscript(self, key, value);
    Py_DECREF(key);
    return res;
}

int
kr_slot_sq_contains(PyObject *self, PyObject *value)
{
    bool unbound;
    PyObject *func = lookup_maybe(self, KR_ID(__contains__), &unbound);
    if (func == Py_None) {
        Py_DECREF(func);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a container",
                     Py_TYPE(self)->tp_name);
        return -1;
    }
    if (func == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        return (int)_PySequence_IterSearch(self, value,
                                           PY_ITERSEARCH_CONTAINS);
    }
    PyObject *stack[2] = {self, value};
    PyObject *res = call_found(unbound, func, stack, 2);
    if (res == NULL) {
        return -1;
    }
    int found = PyObject_IsTrue(res);
    Py_DECREF(res);
    return found;
}

/* ---- text, hash, call --------------------------------------------------- */

PyObject *
kr_slot_tp_repr(PyObject *self)
{
    bool unbound;
    PyObject *func = lookup_maybe(self, KR_ID(__repr__), &unbound);
    if (func != NULL) {
        PyObject *stack[1] = {self};
        return call_found(unbound, func, stack, 1);
    }
    PyErr_Clear();
    return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name,
                                self);
}

PyObject *
kr_slot_tp_str(PyObject *self)
{
    return call1(KR_ID(__str__), self);
}

Py_hash_t
kr_slot_tp_hash(PyObject *self)
{
    bool unbound;
    PyObject *func = lookup_maybe(self, KR_ID(__hash__), &unbound);
    if (func == Py_None) {
        Py_DECREF(func);
        func = NULL;
    }
    if (func == NULL) {
        return PyErr_Occurred() ? -1 : PyObject_HashNotImplemented(self);
    }
    PyObject *stack[1] = {self};
    PyObject *res = call_found(unbound, func, stack, 1);
    if (res == NULL) {
        return -1;
    }
    if (!PyLong_Check(res)) {
        Py_DECREF(res);
        PyErr_SetString(PyExc_TypeError,
                        "__hash__ method should return an integer");
        return -1;
    }
    /* A value that fits is the hash; a larger one is hashed as an int. */
    Py_hash_t h = PyLong_AsSsize_t(res);
    if (h == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        h = PyLong_Type.tp_hash(res);
    }
    Py_DECREF(res);
    return h == -1 ? -2 : h;
}

PyObject *
kr_slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    bool unbound;
    PyObject *func = lookup_method(self, KR_ID(__call__), &unbound);
    if (func == NULL) {
        return NULL;
    }
    return call_with_tuple(unbound, func, self, args, kwds);
}

/* ---- attributes --------------------------------------------------------- */

PyObject *
kr_slot_tp_getattro(PyObject *self, PyObject *name)
{
    return call2(KR_ID(__getattribute__), self, name);
}

/* Calls an attribute hook found in the type. */
static PyObject *
call_hook(PyObject *self, PyObject *hook, PyObject *name)
{
    if (PyType_HasFeature(Py_TYPE(hook), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        PyObject *stack[2] = {self, name};
        return PyObject_Vectorcall(hook, stack, 2, NULL);
    }
    descrgetfunc f = Py_TYPE(hook)->tp_descr_get;
    if (f == NULL) {
        return PyObject_CallOneArg(hook, name);
    }
    PyObject *bound = f(hook, self, (PyObject *)Py_TYPE(self));
    if (bound == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallOneArg(bound, name);
    Py_DECREF(bound);
    return res;
}

PyObject *
kr_slot_tp_getattr_hook(PyObject *self, PyObject *name)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject *hook = _PyType_Lookup(tp, KR_ID(__getattr__));
    if (hook == NULL) {
        /* It went away: the next lookups need not look for it. */
        tp->tp_getattro = kr_slot_tp_getattro;
        return kr_slot_tp_getattro(self, name);
    }
    Py_INCREF(hook);
    PyObject *res;
    PyObject *getattribute = _PyType_Lookup(tp, KR_ID(__getattribute__));
    if (getattribute == NULL
        || (Py_IS_TYPE(getattribute, &PyWrapperDescr_Type)
            && ((PyWrapperDescrObject *)getattribute)->d_wrapped
                   == (void *)PyObject_GenericGetAttr)) {
        res = kr_generic_getattr_quiet(self, name);
        if (res == NULL && !PyErr_Occurred()) {
            res = call_hook(self, hook, name);
        }
    }
    else {
        Py_INCREF(getattribute);
        res = call_hook(self, getattribute, name);
        Py_DECREF(getattribute);
        if (res == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            res = call_hook(self, hook, name);
        }
    }
    Py_DECREF(hook);
    return res;
}

int
kr_slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *stack[3] = {self, name, value};
    PyObject *res = value == NULL
                        ? call_method(KR_ID(__delattr__), stack, 2)
                        : call_method(KR_ID(__setattr__), stack, 3);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

PyObject *
kr_slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject *get = _PyType_Lookup(tp, KR_ID(__get__));
    if (get == NULL) {
        if (tp->tp_descr_get == kr_slot_tp_descr_get) {
            tp->tp_descr_get = NULL;
        }
        return Py_NewRef(self);
    }
    PyObject *stack[3] = {self, obj == NULL ? Py_None : obj,
                          type == NULL ? Py_None : type};
    Py_INCREF(get);
    PyObject *res = PyObject_Vectorcall(get, stack, 3, NULL);
    Py_DECREF(get);
    return res;
}

int
kr_slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value)
{
    PyObject *stack[3] = {self, target, value};
    PyObject *res = value == NULL ? call_method(KR_ID(__delete__), stack, 2)
                                  : call_method(KR_ID(__set__), stack, 3);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

/* ---- comparison and iteration ------------------------------------------- */

PyObject *
kr_slot_tp_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *const names[] = {KR_ID(__lt__), KR_ID(__le__), KR_ID(__eq__),
                               KR_ID(__ne__), KR_ID(__gt__), KR_ID(__ge__)};
    PyObject *stack[2] = {self, other};
    bool unbound;
    PyObject *func = lookup_maybe(self, names[op], &unbound);
    if (func == NULL) {
        PyErr_Clear(); /* a method that cannot be had compares nothing */
        Py_RETURN_NOTIMPLEMENTED;
    }
    return call_found(unbound, func, stack, 2);
}

PyObject *
kr_slot_tp_iter(PyObject *self)
{
    bool unbound;
    PyObject *func = lookup_maybe(self, KR_ID(__iter__), &unbound);
    if (func == Py_None) {
        Py_DECREF(func);
    }
    else if (func != NULL) {
        PyObject *stack[1] = {self};
        return call_found(unbound, func, stack, 1);
    }
    else {
        if (PyErr_Occurred()) {
            return NULL;
        }
        func = lookup_maybe(self, KR_ID(__getitem__), &unbound);
        if (func != NULL) {
            Py_DECREF(func);
            return PySeqIter_New(self);
        }
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable",
                 Py_TYPE(self)->tp_name);
    return NULL;
}

PyObject *
kr_slot_tp_iternext(PyObject *self)
{
    return call1(KR_ID(__next__), self);
}

static PyObject *
call_async(PyObject *self, PyObject *name, const char *what)
{
    bool unbound;
    PyObject *func = lookup_maybe(self, name, &unbound);
    if (func != NULL) {
        PyObject *stack[1] = {self};
        return call_found(unbound, func, stack, 1);
    }
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_AttributeError,
                     "object %.50s does not have %s method",
                     Py_TYPE(self)->tp_name, what);
    }
    return NULL;
}

PyObject *
kr_slot_am_await(PyObject *self)
{
    return call_async(self, KR_ID(__await__), "__await__");
}

PyObject *
kr_slot_am_aiter(PyObject *self)
{
    return call_async(self, KR_ID(__aiter__), "__aiter__");
}

PyObject *
kr_slot_am_anext(PyObject *self)
{
    return call_async(self, KR_ID(__anext__), "__anext__");
}

/* ---- life --------------------------------------------------------------- */

int
kr_slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    bool unbound;
    PyObject *func = lookup_method(self, KR_ID(__init__), &unbound);
    if (func == NULL) {
        return -1;
    }
    PyObject *res = call_with_tuple(unbound, func, self, args, kwds);
    if (res == NULL) {
        return -1;
    }
    if (res != Py_None) {
        PyErr_Format(PyExc_TypeError,
                     "__init__() should return None, not '%.200s'",
                     Py_TYPE(res)->tp_name);
        Py_DECREF(res);
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

PyObject *
kr_slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func = PyObject_GetAttr((PyObject *)type, KR_ID(__new__));
    if (func == NULL) {
        return NULL;
    }
    return call_with_tuple(true, func, (PyObject *)type, args, kwds);
}

void
kr_slot_tp_finalize(PyObject *self)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    bool unbound;
    PyObject *del = lookup_maybe(self, KR_ID(__del__), &unbound);
    if (del != NULL) {
        PyObject *stack[1] = {self};
        Py_INCREF(del);
        PyObject *res = call_found(unbound, del, stack, 1);
        if (res == NULL) {
            PyErr_WriteUnraisable(del);
        }
        else {
            Py_DECREF(res);
        }
        Py_DECREF(del);
    }
    PyErr_Restore(type, value, tb);
}
