/* The slot table: which special method stands for which slot of a type, the
 * function that a Python class puts there, and the wrapper by which Python
 * code calls a slot written in C.
 *
 * Guarantees: the table is sorted by offset; number methods come before
 * mapping and those before sequence methods, so the first that a type fills
 * gives the special method its meaning. */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/slot_funcs.h"
#include "objects/type/type.h"

/* ---- wrappers ----------------------------------------------------------- */

static bool
check_count(PyObject *args, Py_ssize_t n)
{
    if (!PyTuple_CheckExact(args)) {
        PyErr_SetString(PyExc_SystemError,
                        "PyArg_UnpackTuple() argument list is not a tuple");
        return false;
    }
    if (PyTuple_GET_SIZE(args) == n) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "expected %zd argument%s, got %zd", n,
                 n == 1 ? "" : "s", PyTuple_GET_SIZE(args));
    return false;
}

static inline PyObject *
arg(PyObject *args, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(args, i);
}

static PyObject *
none_if(int res)
{
    if (res < 0 && PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
wrap_len(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0)) {
        return NULL;
    }
    Py_ssize_t n = ((lenfunc)wrapped)(self);
    if (n < 0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
wrap_inquiry(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0)) {
        return NULL;
    }
    int res = ((inquiry)wrapped)(self);
    if (res < 0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(res);
}

static PyObject *
wrap_unary(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 0) ? ((unaryfunc)wrapped)(self) : NULL;
}

static PyObject *
wrap_binary(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    return ((binaryfunc)wrapped)(self, arg(args, 0));
}

static PyObject *
wrap_binary_l(PyObject *self, PyObject *args, void *wrapped)
{
    return wrap_binary(self, args, wrapped);
}

static PyObject *
wrap_binary_r(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    return ((binaryfunc)wrapped)(arg(args, 0), self);
}

static PyObject *
wrap_ternary(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *third = Py_None;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &third)) {
        return NULL;
    }
    return ((ternaryfunc)wrapped)(self, other, third);
}

static PyObject *
wrap_ternary_r(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *third = Py_None;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &third)) {
        return NULL;
    }
    return ((ternaryfunc)wrapped)(other, self, third);
}

static PyObject *
wrap_index_arg(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *count;
    /* a function without a name: its message starts with a blank */
    if (!PyArg_UnpackTuple(args, "", 1, 1, &count)) {
        return NULL;
    }
    Py_ssize_t i = PyNumber_AsSsize_t(count, PyExc_OverflowError);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return ((ssizeargfunc)wrapped)(self, i);
}

/* An index as sequence slots want it: counted from the front. */
static Py_ssize_t
sequence_index(PyObject *self, PyObject *key)
{
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_OverflowError);
    if (i == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (i < 0) {
        PySequenceMethods *sq = Py_TYPE(self)->tp_as_sequence;
        if (sq != NULL && sq->sq_length != NULL) {
            Py_ssize_t n = sq->sq_length(self);
            if (n < 0) {
                return -1;
            }
            i += n;
        }
    }
    return i;
}

static PyObject *
wrap_sq_item(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    Py_ssize_t i = sequence_index(self, arg(args, 0));
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return ((ssizeargfunc)wrapped)(self, i);
}

static PyObject *
wrap_sq_setitem(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *key, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value)) {
        return NULL;
    }
    Py_ssize_t i = sequence_index(self, key);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return none_if(((ssizeobjargproc)wrapped)(self, i, value));
}

static PyObject *
wrap_sq_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    Py_ssize_t i = sequence_index(self, arg(args, 0));
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return none_if(((ssizeobjargproc)wrapped)(self, i, NULL));
}

static PyObject *
wrap_contains(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    int res = ((objobjproc)wrapped)(self, arg(args, 0));
    if (res < 0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(res);
}

static PyObject *
wrap_setitem(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *key, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value)) {
        return NULL;
    }
    return none_if(((objobjargproc)wrapped)(self, key, value));
}

static PyObject *
wrap_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    return none_if(((objobjargproc)wrapped)(self, arg(args, 0), NULL));
}

/* Keeps object.__setattr__ and the like from jumping over a C-level override
 * between the object's type and `func`: types protect themselves that way. */
static bool
may_call_setattro(PyObject *self, setattrofunc func, const char *what)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *mro = type->tp_mro;
    if (mro == NULL) {
        return true;
    }
    PyTypeObject *defining = type;
    for (Py_ssize_t i = PyTuple_GET_SIZE(mro) - 1; i >= 0; i--) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (base->tp_setattro != kr_slot_tp_setattro
            && base->tp_setattro == type->tp_setattro) {
            defining = base;
            break;
        }
    }
    for (PyTypeObject *b = defining; b != NULL; b = b->tp_base) {
        if (b->tp_setattro == func) {
            break;
        }
        if (b->tp_setattro != kr_slot_tp_setattro) {
            PyErr_Format(PyExc_TypeError, "can't apply this %s to %s object",
                         what, type->tp_name);
            return false;
        }
    }
    return true;
}

static PyObject *
wrap_setattr(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *name, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &name, &value)
        || !may_call_setattro(self, (setattrofunc)wrapped, "__setattr__")) {
        return NULL;
    }
    return none_if(((setattrofunc)wrapped)(self, name, value));
}

static PyObject *
wrap_delattr(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)
        || !may_call_setattro(self, (setattrofunc)wrapped, "__delattr__")) {
        return NULL;
    }
    return none_if(((setattrofunc)wrapped)(self, arg(args, 0), NULL));
}

static PyObject *
wrap_hash(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0)) {
        return NULL;
    }
    Py_hash_t h = ((hashfunc)wrapped)(self);
    if (h == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromSsize_t(h);
}

static PyObject *
wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return ((ternaryfunc)wrapped)(self, args, kwds);
}

static PyObject *
wrap_del(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0)) {
        return NULL;
    }
    ((destructor)wrapped)(self);
    Py_RETURN_NONE;
}

#define WRAP_COMPARE(name, op)                                                 \
    static PyObject *wrap_##name(PyObject *self, PyObject *args,               \
                                 void *wrapped)                                \
    {                                                                          \
        if (!check_count(args, 1)) {                                           \
            return NULL;                                                       \
        }                                                                      \
        return ((richcmpfunc)wrapped)(self, arg(args, 0), op);                 \
    }
WRAP_COMPARE(lt, Py_LT)
WRAP_COMPARE(le, Py_LE)
WRAP_COMPARE(eq, Py_EQ)
WRAP_COMPARE(ne, Py_NE)
WRAP_COMPARE(gt, Py_GT)
WRAP_COMPARE(ge, Py_GE)

static PyObject *
wrap_next(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0)) {
        return NULL;
    }
    PyObject *res = ((iternextfunc)wrapped)(self);
    if (res == NULL && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return res;
}

static PyObject *
wrap_descr_get(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *type = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &obj, &type)) {
        return NULL;
    }
    obj = obj == Py_None ? NULL : obj;
    type = type == Py_None ? NULL : type;
    if (obj == NULL && type == NULL) {
        PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
        return NULL;
    }
    return ((descrgetfunc)wrapped)(self, obj, type);
}

static PyObject *
wrap_descr_set(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &obj, &value)) {
        return NULL;
    }
    return none_if(((descrsetfunc)wrapped)(self, obj, value));
}

static PyObject *
wrap_descr_delete(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1)) {
        return NULL;
    }
    return none_if(((descrsetfunc)wrapped)(self, arg(args, 0), NULL));
}

static PyObject *
wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return none_if(((initproc)wrapped)(self, args, kwds));
}

/* ---- __new__ ------------------------------------------------------------ */

PyObject *
kr_tp_new_wrapper(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (self == NULL || !PyType_Check(self)) {
        PyErr_Format(PyExc_SystemError,
                     "__new__() called with non-type 'self'");
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)self;
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(): not enough arguments",
                     type->tp_name);
        return NULL;
    }
    PyObject *first = PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(first)) {
        PyErr_Format(PyExc_TypeError,
                     "%s.__new__(X): X is not a type object (%s)",
                     type->tp_name, Py_TYPE(first)->tp_name);
        return NULL;
    }
    PyTypeObject *subtype = (PyTypeObject *)first;
    if (!PyType_IsSubtype(subtype, type)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s): %s is not a subtype "
                                      "of %s",
                     type->tp_name, subtype->tp_name, subtype->tp_name,
                     type->tp_name);
        return NULL;
    }
    /* object.__new__(dict) would make a broken dict: the nearest base that
     * is not a Python class must make its objects itself. */
    PyTypeObject *fixed = subtype;
    while (fixed != NULL && fixed->tp_new == kr_slot_tp_new) {
        fixed = fixed->tp_base;
    }
    if (fixed != NULL && fixed->tp_new != type->tp_new) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s) is not safe, use "
                                      "%s.__new__()",
                     type->tp_name, subtype->tp_name, fixed->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (rest == NULL) {
        return NULL;
    }
    PyObject *res = type->tp_new(subtype, rest, kwds);
    Py_DECREF(rest);
    return res;
}

static PyMethodDef new_method = {
    "__new__", (PyCFunction)(void *)kr_tp_new_wrapper,
    METH_VARARGS | METH_KEYWORDS,
    PyDoc_STR("__new__($type, *args, **kwargs)\n--\n\n"
              "Make a new object of the type; see help(type).")};

int
kr_type_add_new(PyTypeObject *type)
{
    int has = PyDict_Contains(type->tp_dict, KR_ID(__new__));
    if (has != 0) {
        return has < 0 ? -1 : 0;
    }
    PyObject *func = PyCFunction_NewEx(&new_method, (PyObject *)type, NULL);
    if (func == NULL) {
        return -1;
    }
    int res = PyDict_SetItem(type->tp_dict, KR_ID(__new__), func);
    Py_DECREF(func);
    return res;
}

/* ---- the table ---------------------------------------------------------- */

#define AT(field) offsetof(PyHeapTypeObject, field)
#define SIGNED(signature, text) PyDoc_STR(signature "\n--\n\n" text)

struct wrapperbase kr_slotdefs[] = {
    {"__getattribute__", AT(ht_type.tp_getattr), NULL,
     NULL,
     NULL,
     0, KR_ID(__getattribute__)},
    {"__getattr__", AT(ht_type.tp_getattr), NULL,
     NULL,
     NULL,
     0, KR_ID(__getattr__)},
    {"__setattr__", AT(ht_type.tp_setattr), NULL,
     NULL,
     NULL,
     0, KR_ID(__setattr__)},
    {"__delattr__", AT(ht_type.tp_setattr), NULL,
     NULL,
     NULL,
     0, KR_ID(__delattr__)},
    {"__repr__", AT(ht_type.tp_repr), kr_slot_tp_repr,
     wrap_unary,
     SIGNED("__repr__($self, /)",
           "Text that describes self to a programmer."),
     0, KR_ID(__repr__)},
    {"__hash__", AT(ht_type.tp_hash), kr_slot_tp_hash,
     wrap_hash,
     SIGNED("__hash__($self, /)",
           "Hash value of self."),
     0, KR_ID(__hash__)},
    {"__call__", AT(ht_type.tp_call), kr_slot_tp_call,
     (wrapperfunc)(void *)wrap_call,
     SIGNED("__call__($self, /, *args, **kwargs)",
           "Call self as a function."),
     PyWrapperFlag_KEYWORDS, KR_ID(__call__)},
    {"__str__", AT(ht_type.tp_str), kr_slot_tp_str,
     wrap_unary,
     SIGNED("__str__($self, /)",
           "Text of self."),
     0, KR_ID(__str__)},
    {"__getattribute__", AT(ht_type.tp_getattro), kr_slot_tp_getattr_hook,
     wrap_binary,
     SIGNED("__getattribute__($self, name, /)",
           "Value of the attribute called name."),
     0, KR_ID(__getattribute__)},
    {"__getattr__", AT(ht_type.tp_getattro), kr_slot_tp_getattr_hook,
     NULL,
     NULL,
     0, KR_ID(__getattr__)},
    {"__setattr__", AT(ht_type.tp_setattro), kr_slot_tp_setattro,
     wrap_setattr,
     SIGNED("__setattr__($self, name, value, /)",
           "Do setattr(self, name, value)."),
     0, KR_ID(__setattr__)},
    {"__delattr__", AT(ht_type.tp_setattro), kr_slot_tp_setattro,
     wrap_delattr,
     SIGNED("__delattr__($self, name, /)",
           "Do delattr(self, name)."),
     0, KR_ID(__delattr__)},
    {"__lt__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_lt,
     SIGNED("__lt__($self, value, /)",
           "Result of self<value."),
     0, KR_ID(__lt__)},
    {"__le__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_le,
     SIGNED("__le__($self, value, /)",
           "Result of self<=value."),
     0, KR_ID(__le__)},
    {"__eq__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_eq,
     SIGNED("__eq__($self, value, /)",
           "Result of self==value."),
     0, KR_ID(__eq__)},
    {"__ne__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_ne,
     SIGNED("__ne__($self, value, /)",
           "Result of self!=value."),
     0, KR_ID(__ne__)},
    {"__gt__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_gt,
     SIGNED("__gt__($self, value, /)",
           "Result of self>value."),
     0, KR_ID(__gt__)},
    {"__ge__", AT(ht_type.tp_richcompare), kr_slot_tp_richcompare,
     wrap_ge,
     SIGNED("__ge__($self, value, /)",
           "Result of self>=value."),
     0, KR_ID(__ge__)},
    {"__iter__", AT(ht_type.tp_iter), kr_slot_tp_iter,
     wrap_unary,
     SIGNED("__iter__($self, /)",
           "Give an iterator over self."),
     0, KR_ID(__iter__)},
    {"__next__", AT(ht_type.tp_iternext), kr_slot_tp_iternext,
     wrap_next,
     SIGNED("__next__($self, /)",
           "Implement next(self)."),
     0, KR_ID(__next__)},
    {"__get__", AT(ht_type.tp_descr_get), kr_slot_tp_descr_get,
     wrap_descr_get,
     SIGNED("__get__($self, instance, owner=None, /)",
           "Value of this descriptor for instance."),
     0, KR_ID(__get__)},
    {"__set__", AT(ht_type.tp_descr_set), kr_slot_tp_descr_set,
     wrap_descr_set,
     SIGNED("__set__($self, instance, value, /)",
           "Set this attribute of instance to value."),
     0, KR_ID(__set__)},
    {"__delete__", AT(ht_type.tp_descr_set), kr_slot_tp_descr_set,
     wrap_descr_delete,
     SIGNED("__delete__($self, instance, /)",
           "Delete this attribute of instance."),
     0, KR_ID(__delete__)},
    {"__init__", AT(ht_type.tp_init), kr_slot_tp_init,
     (wrapperfunc)(void *)wrap_init,
     SIGNED("__init__($self, /, *args, **kwargs)",
           "Set up self; see help(type(self)) for the signature."),
     PyWrapperFlag_KEYWORDS, KR_ID(__init__)},
    {"__new__", AT(ht_type.tp_new), kr_slot_tp_new,
     NULL,
     SIGNED("__new__(type, /, *args, **kwargs)",
           "Make a new object of the type."),
     0, KR_ID(__new__)},
    {"__del__", AT(ht_type.tp_finalize), kr_slot_tp_finalize,
     wrap_del,
     SIGNED("__del__($self, /)",
           "Called when the object is about to go away."),
     0, KR_ID(__del__)},
    {"__await__", AT(as_async.am_await), kr_slot_am_await,
     wrap_unary,
     SIGNED("__await__($self, /)",
           "Give an iterator for an await expression."),
     0, KR_ID(__await__)},
    {"__aiter__", AT(as_async.am_aiter), kr_slot_am_aiter,
     wrap_unary,
     SIGNED("__aiter__($self, /)",
           "Give an asynchronous iterator over self."),
     0, KR_ID(__aiter__)},
    {"__anext__", AT(as_async.am_anext), kr_slot_am_anext,
     wrap_unary,
     SIGNED("__anext__($self, /)",
           "Give an awaitable for the next item."),
     0, KR_ID(__anext__)},
    {"__add__", AT(as_number.nb_add), kr_slot_nb_add,
     wrap_binary_l,
     SIGNED("__add__($self, value, /)",
           "Result of self+value."),
     0, KR_ID(__add__)},
    {"__radd__", AT(as_number.nb_add), kr_slot_nb_add,
     wrap_binary_r,
     SIGNED("__radd__($self, value, /)",
           "Result of value+self."),
     0, KR_ID(__radd__)},
    {"__sub__", AT(as_number.nb_subtract), kr_slot_nb_subtract,
     wrap_binary_l,
     SIGNED("__sub__($self, value, /)",
           "Result of self-value."),
     0, KR_ID(__sub__)},
    {"__rsub__", AT(as_number.nb_subtract), kr_slot_nb_subtract,
     wrap_binary_r,
     SIGNED("__rsub__($self, value, /)",
           "Result of value-self."),
     0, KR_ID(__rsub__)},
    {"__mul__", AT(as_number.nb_multiply), kr_slot_nb_multiply,
     wrap_binary_l,
     SIGNED("__mul__($self, value, /)",
           "Result of self*value."),
     0, KR_ID(__mul__)},
    {"__rmul__", AT(as_number.nb_multiply), kr_slot_nb_multiply,
     wrap_binary_r,
     SIGNED("__rmul__($self, value, /)",
           "Result of value*self."),
     0, KR_ID(__rmul__)},
    {"__mod__", AT(as_number.nb_remainder), kr_slot_nb_remainder,
     wrap_binary_l,
     SIGNED("__mod__($self, value, /)",
           "Result of self%value."),
     0, KR_ID(__mod__)},
    {"__rmod__", AT(as_number.nb_remainder), kr_slot_nb_remainder,
     wrap_binary_r,
     SIGNED("__rmod__($self, value, /)",
           "Result of value%self."),
     0, KR_ID(__rmod__)},
    {"__divmod__", AT(as_number.nb_divmod), kr_slot_nb_divmod,
     wrap_binary_l,
     SIGNED("__divmod__($self, value, /)",
           "Result of divmod(self, value)."),
     0, KR_ID(__divmod__)},
    {"__rdivmod__", AT(as_number.nb_divmod), kr_slot_nb_divmod,
     wrap_binary_r,
     SIGNED("__rdivmod__($self, value, /)",
           "Result of divmod(value, self)."),
     0, KR_ID(__rdivmod__)},
    {"__pow__", AT(as_number.nb_power), kr_slot_nb_power,
     wrap_ternary,
     SIGNED("__pow__($self, value, mod=None, /)",
           "Result of pow(self, value, mod)."),
     0, KR_ID(__pow__)},
    {"__rpow__", AT(as_number.nb_power), kr_slot_nb_power,
     wrap_ternary_r,
     SIGNED("__rpow__($self, value, mod=None, /)",
           "Result of pow(value, self, mod)."),
     0, KR_ID(__rpow__)},
    {"__neg__", AT(as_number.nb_negative), kr_slot_nb_negative,
     wrap_unary,
     SIGNED("__neg__($self, /)",
           "Result of -self."),
     0, KR_ID(__neg__)},
    {"__pos__", AT(as_number.nb_positive), kr_slot_nb_positive,
     wrap_unary,
     SIGNED("__pos__($self, /)",
           "Result of +self."),
     0, KR_ID(__pos__)},
    {"__abs__", AT(as_number.nb_absolute), kr_slot_nb_absolute,
     wrap_unary,
     SIGNED("__abs__($self, /)",
           "Result of abs(self)."),
     0, KR_ID(__abs__)},
    {"__bool__", AT(as_number.nb_bool), kr_slot_nb_bool,
     wrap_inquiry,
     SIGNED("__bool__($self, /)",
           "True if self is true, else False."),
     0, KR_ID(__bool__)},
    {"__invert__", AT(as_number.nb_invert), kr_slot_nb_invert,
     wrap_unary,
     SIGNED("__invert__($self, /)",
           "Result of ~self."),
     0, KR_ID(__invert__)},
    {"__lshift__", AT(as_number.nb_lshift), kr_slot_nb_lshift,
     wrap_binary_l,
     SIGNED("__lshift__($self, value, /)",
           "Result of self<<value."),
     0, KR_ID(__lshift__)},
    {"__rlshift__", AT(as_number.nb_lshift), kr_slot_nb_lshift,
     wrap_binary_r,
     SIGNED("__rlshift__($self, value, /)",
           "Result of value<<self."),
     0, KR_ID(__rlshift__)},
    {"__rshift__", AT(as_number.nb_rshift), kr_slot_nb_rshift,
     wrap_binary_l,
     SIGNED("__rshift__($self, value, /)",
           "Result of self>>value."),
     0, KR_ID(__rshift__)},
    {"__rrshift__", AT(as_number.nb_rshift), kr_slot_nb_rshift,
     wrap_binary_r,
     SIGNED("__rrshift__($self, value, /)",
           "Result of value>>self."),
     0, KR_ID(__rrshift__)},
    {"__and__", AT(as_number.nb_and), kr_slot_nb_and,
     wrap_binary_l,
     SIGNED("__and__($self, value, /)",
           "Result of self&value."),
     0, KR_ID(__and__)},
    {"__rand__", AT(as_number.nb_and), kr_slot_nb_and,
     wrap_binary_r,
     SIGNED("__rand__($self, value, /)",
           "Result of value&self."),
     0, KR_ID(__rand__)},
    {"__xor__", AT(as_number.nb_xor), kr_slot_nb_xor,
     wrap_binary_l,
     SIGNED("__xor__($self, value, /)",
           "Result of self^value."),
     0, KR_ID(__xor__)},
    {"__rxor__", AT(as_number.nb_xor), kr_slot_nb_xor,
     wrap_binary_r,
     SIGNED("__rxor__($self, value, /)",
           "Result of value^self."),
     0, KR_ID(__rxor__)},
    {"__or__", AT(as_number.nb_or), kr_slot_nb_or,
     wrap_binary_l,
     SIGNED("__or__($self, value, /)",
           "Result of self|value."),
     0, KR_ID(__or__)},
    {"__ror__", AT(as_number.nb_or), kr_slot_nb_or,
     wrap_binary_r,
     SIGNED("__ror__($self, value, /)",
           "Result of value|self."),
     0, KR_ID(__ror__)},
    {"__int__", AT(as_number.nb_int), kr_slot_nb_int,
     wrap_unary,
     SIGNED("__int__($self, /)",
           "Result of int(self)."),
     0, KR_ID(__int__)},
    {"__float__", AT(as_number.nb_float), kr_slot_nb_float,
     wrap_unary,
     SIGNED("__float__($self, /)",
           "Result of float(self)."),
     0, KR_ID(__float__)},
    {"__iadd__", AT(as_number.nb_inplace_add), kr_slot_nb_inplace_add,
     wrap_binary,
     SIGNED("__iadd__($self, value, /)",
           "Do self+=value."),
     0, KR_ID(__iadd__)},
    {"__isub__", AT(as_number.nb_inplace_subtract), kr_slot_nb_inplace_subtract,
     wrap_binary,
     SIGNED("__isub__($self, value, /)",
           "Do self-=value."),
     0, KR_ID(__isub__)},
    {"__imul__", AT(as_number.nb_inplace_multiply), kr_slot_nb_inplace_multiply,
     wrap_binary,
     SIGNED("__imul__($self, value, /)",
           "Do self*=value."),
     0, KR_ID(__imul__)},
    {"__imod__", AT(as_number.nb_inplace_remainder), kr_slot_nb_inplace_remainder,
     wrap_binary,
     SIGNED("__imod__($self, value, /)",
           "Do self%=value."),
     0, KR_ID(__imod__)},
    {"__ipow__", AT(as_number.nb_inplace_power), kr_slot_nb_inplace_power,
     wrap_ternary,
     SIGNED("__ipow__($self, value, /)",
           "Do self**=value."),
     0, KR_ID(__ipow__)},
    {"__ilshift__", AT(as_number.nb_inplace_lshift), kr_slot_nb_inplace_lshift,
     wrap_binary,
     SIGNED("__ilshift__($self, value, /)",
           "Do self<<=value."),
     0, KR_ID(__ilshift__)},
    {"__irshift__", AT(as_number.nb_inplace_rshift), kr_slot_nb_inplace_rshift,
     wrap_binary,
     SIGNED("__irshift__($self, value, /)",
           "Do self>>=value."),
     0, KR_ID(__irshift__)},
    {"__iand__", AT(as_number.nb_inplace_and), kr_slot_nb_inplace_and,
     wrap_binary,
     SIGNED("__iand__($self, value, /)",
           "Do self&=value."),
     0, KR_ID(__iand__)},
    {"__ixor__", AT(as_number.nb_inplace_xor), kr_slot_nb_inplace_xor,
     wrap_binary,
     SIGNED("__ixor__($self, value, /)",
           "Do self^=value."),
     0, KR_ID(__ixor__)},
    {"__ior__", AT(as_number.nb_inplace_or), kr_slot_nb_inplace_or,
     wrap_binary,
     SIGNED("__ior__($self, value, /)",
           "Do self|=value."),
     0, KR_ID(__ior__)},
    {"__floordiv__", AT(as_number.nb_floor_divide), kr_slot_nb_floor_divide,
     wrap_binary_l,
     SIGNED("__floordiv__($self, value, /)",
           "Result of self//value."),
     0, KR_ID(__floordiv__)},
    {"__rfloordiv__", AT(as_number.nb_floor_divide), kr_slot_nb_floor_divide,
     wrap_binary_r,
     SIGNED("__rfloordiv__($self, value, /)",
           "Result of value//self."),
     0, KR_ID(__rfloordiv__)},
    {"__truediv__", AT(as_number.nb_true_divide), kr_slot_nb_true_divide,
     wrap_binary_l,
     SIGNED("__truediv__($self, value, /)",
           "Result of self/value."),
     0, KR_ID(__truediv__)},
    {"__rtruediv__", AT(as_number.nb_true_divide), kr_slot_nb_true_divide,
     wrap_binary_r,
     SIGNED("__rtruediv__($self, value, /)",
           "Result of value/self."),
     0, KR_ID(__rtruediv__)},
    {"__ifloordiv__", AT(as_number.nb_inplace_floor_divide), kr_slot_nb_inplace_floor_divide,
     wrap_binary,
     SIGNED("__ifloordiv__($self, value, /)",
           "Do self//=value."),
     0, KR_ID(__ifloordiv__)},
    {"__itruediv__", AT(as_number.nb_inplace_true_divide), kr_slot_nb_inplace_true_divide,
     wrap_binary,
     SIGNED("__itruediv__($self, value, /)",
           "Do self/=value."),
     0, KR_ID(__itruediv__)},
    {"__index__", AT(as_number.nb_index), kr_slot_nb_index,
     wrap_unary,
     SIGNED("__index__($self, /)",
           "The integer that self stands for, for use as an index."),
     0, KR_ID(__index__)},
    {"__matmul__", AT(as_number.nb_matrix_multiply), kr_slot_nb_matrix_multiply,
     wrap_binary_l,
     SIGNED("__matmul__($self, value, /)",
           "Result of self@value."),
     0, KR_ID(__matmul__)},
    {"__rmatmul__", AT(as_number.nb_matrix_multiply), kr_slot_nb_matrix_multiply,
     wrap_binary_r,
     SIGNED("__rmatmul__($self, value, /)",
           "Result of value@self."),
     0, KR_ID(__rmatmul__)},
    {"__imatmul__", AT(as_number.nb_inplace_matrix_multiply), kr_slot_nb_inplace_matrix_multiply,
     wrap_binary,
     SIGNED("__imatmul__($self, value, /)",
           "Do self@=value."),
     0, KR_ID(__imatmul__)},
    {"__len__", AT(as_mapping.mp_length), kr_slot_sq_length,
     wrap_len,
     SIGNED("__len__($self, /)",
           "Number of items: len(self)."),
     0, KR_ID(__len__)},
    {"__getitem__", AT(as_mapping.mp_subscript), kr_slot_mp_subscript,
     wrap_binary,
     SIGNED("__getitem__($self, key, /)",
           "Item self[key]."),
     0, KR_ID(__getitem__)},
    {"__setitem__", AT(as_mapping.mp_ass_subscript), kr_slot_mp_ass_subscript,
     wrap_setitem,
     SIGNED("__setitem__($self, key, value, /)",
           "Set self[key] to value."),
     0, KR_ID(__setitem__)},
    {"__delitem__", AT(as_mapping.mp_ass_subscript), kr_slot_mp_ass_subscript,
     wrap_delitem,
     SIGNED("__delitem__($self, key, /)",
           "Delete self[key]."),
     0, KR_ID(__delitem__)},
    {"__len__", AT(as_sequence.sq_length), kr_slot_sq_length,
     wrap_len,
     SIGNED("__len__($self, /)",
           "Number of items: len(self)."),
     0, KR_ID(__len__)},
    {"__add__", AT(as_sequence.sq_concat), NULL,
     wrap_binary,
     SIGNED("__add__($self, value, /)",
           "Result of self+value."),
     0, KR_ID(__add__)},
    {"__mul__", AT(as_sequence.sq_repeat), NULL,
     wrap_index_arg,
     SIGNED("__mul__($self, value, /)",
           "Result of self*value."),
     0, KR_ID(__mul__)},
    {"__rmul__", AT(as_sequence.sq_repeat), NULL,
     wrap_index_arg,
     SIGNED("__rmul__($self, value, /)",
           "Result of value*self."),
     0, KR_ID(__rmul__)},
    {"__getitem__", AT(as_sequence.sq_item), kr_slot_sq_item,
     wrap_sq_item,
     SIGNED("__getitem__($self, key, /)",
           "Item self[key]."),
     0, KR_ID(__getitem__)},
    {"__setitem__", AT(as_sequence.sq_ass_item), kr_slot_sq_ass_item,
     wrap_sq_setitem,
     SIGNED("__setitem__($self, key, value, /)",
           "Set self[key] to value."),
     0, KR_ID(__setitem__)},
    {"__delitem__", AT(as_sequence.sq_ass_item), kr_slot_sq_ass_item,
     wrap_sq_delitem,
     SIGNED("__delitem__($self, key, /)",
           "Delete self[key]."),
     0, KR_ID(__delitem__)},
    {"__contains__", AT(as_sequence.sq_contains), kr_slot_sq_contains,
     wrap_contains,
     SIGNED("__contains__($self, key, /)",
           "Whether key is in self."),
     0, KR_ID(__contains__)},
    {"__iadd__", AT(as_sequence.sq_inplace_concat), NULL,
     wrap_binary,
     SIGNED("__iadd__($self, value, /)",
           "Do self+=value."),
     0, KR_ID(__iadd__)},
    {"__imul__", AT(as_sequence.sq_inplace_repeat), NULL,
     wrap_index_arg,
     SIGNED("__imul__($self, value, /)",
           "Do self*=value."),
     0, KR_ID(__imul__)},
    {NULL},
};

void **
kr_slot_ptr(PyTypeObject *type, int offset)
{
    size_t at = (size_t)offset;
    char *table;
    if (at >= offsetof(PyHeapTypeObject, as_buffer)) {
        table = (char *)type->tp_as_buffer;
        at -= offsetof(PyHeapTypeObject, as_buffer);
    }
    else if (at >= offsetof(PyHeapTypeObject, as_sequence)) {
        table = (char *)type->tp_as_sequence;
        at -= offsetof(PyHeapTypeObject, as_sequence);
    }
    else if (at >= offsetof(PyHeapTypeObject, as_mapping)) {
        table = (char *)type->tp_as_mapping;
        at -= offsetof(PyHeapTypeObject, as_mapping);
    }
    else if (at >= offsetof(PyHeapTypeObject, as_number)) {
        table = (char *)type->tp_as_number;
        at -= offsetof(PyHeapTypeObject, as_number);
    }
    else if (at >= offsetof(PyHeapTypeObject, as_async)) {
        table = (char *)type->tp_as_async;
        at -= offsetof(PyHeapTypeObject, as_async);
    }
    else {
        table = (char *)type;
    }
    return table == NULL ? NULL : (void **)(table + at);
}

int
kr_type_add_wrappers(PyTypeObject *type)
{
    PyObject *dict = type->tp_dict;
    for (struct wrapperbase *p = kr_slotdefs; p->name != NULL; p++) {
        if (p->wrapper == NULL) {
            continue;
        }
        void **ptr = kr_slot_ptr(type, p->offset);
        if (ptr == NULL || *ptr == NULL) {
            continue;
        }
        int has = PyDict_Contains(dict, p->name_strobj);
        if (has < 0) {
            return -1;
        }
        if (has) {
            continue;
        }
        PyObject *value;
        if (*ptr == (void *)PyObject_HashNotImplemented) {
            /* An explicit "not hashable" shows as __hash__ = None. */
            value = Py_NewRef(Py_None);
        }
        else {
            value = PyDescr_NewWrapper(type, p, *ptr);
        }
        if (value == NULL) {
            return -1;
        }
        int res = PyDict_SetItem(dict, p->name_strobj, value);
        Py_DECREF(value);
        if (res < 0) {
            return -1;
        }
    }
    return 0;
}
