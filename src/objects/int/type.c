/* The type int: construction, methods, slots, sys.int_info. */
#include "objects/format_spec.h"
#include "objects/ids.h"
#include "objects/int/int.h"

static PyObject *
exact(PyObject *self)
{
    return PyLong_CheckExact(self) ? Py_NewRef(self)
                                   : _PyLong_Copy((PyLongObject *)self);
}

/* --- Construction --------------------------------------------------------- */

/* int(x) or int(x, base); base may be NULL. */
static PyObject *
new_exact(PyObject *x, PyObject *obase)
{
    if (x == NULL) {
        if (obase != NULL) {
            PyErr_SetString(PyExc_TypeError, "int() missing string argument");
            return NULL;
        }
        return kr_int_from_i64(0);
    }
    if (obase == NULL) {
        return PyNumber_Long(x);
    }
    Py_ssize_t base = PyNumber_AsSsize_t(obase, NULL);
    if (base == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError,
                        "int() base must be >= 2 and <= 36, or 0");
        return NULL;
    }
    if (PyUnicode_Check(x)) {
        return PyLong_FromUnicodeObject(x, (int)base);
    }
    if (PyBytes_Check(x)) {
        return _PyLong_FromBytes(PyBytes_AS_STRING(x), PyBytes_GET_SIZE(x),
                                 (int)base);
    }
    if (PyByteArray_Check(x)) {
        return _PyLong_FromBytes(PyByteArray_AS_STRING(x),
                                 PyByteArray_GET_SIZE(x), (int)base);
    }
    PyErr_SetString(PyExc_TypeError,
                    "int() can't convert non-string with explicit base");
    return NULL;
}

static PyObject *
new_of_type(PyTypeObject *type, PyObject *x, PyObject *obase)
{
    PyObject *value = new_exact(x, obase);
    if (type == &PyLong_Type || value == NULL) {
        return value;
    }
    Py_ssize_t n = kr_int_ndigits(value);
    PyLongObject *v = (PyLongObject *)type->tp_alloc(type, n);
    if (v != NULL) {
        Py_SET_SIZE(v, Py_SIZE(value));
        memcpy(v->ob_digit, KR_INT_DIGITS(value), n * sizeof(digit));
    }
    Py_DECREF(value);
    return (PyObject *)v;
}

static const char *const new_keywords[] = {"", "base", NULL};
static _PyArg_Parser new_parser = {.keywords = new_keywords, .fname = "int"};

static PyObject *
int_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *buf[2];
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    Py_ssize_t nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *const *fast =
        _PyArg_UnpackKeywords(((PyTupleObject *)args)->ob_item, nargs, kwargs,
                              NULL, &new_parser, 0, 2, 0, buf);
    if (fast == NULL) {
        return NULL;
    }
    return new_of_type(type, nargs > 0 ? fast[0] : NULL,
                       nargs + nkw > 1 || (nkw && nargs == 0) ? fast[1] : NULL);
}

static PyObject *
int_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *buf[2];
    if (KR_LIKELY(nargs == 1 && kwnames == NULL)) {
        return PyNumber_Long(args[0]);
    }
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *const *fast = _PyArg_UnpackKeywords(
        args, nargs, NULL, kwnames, &new_parser, 0, 2, 0, buf);
    if (fast == NULL) {
        return NULL;
    }
    return new_of_type((PyTypeObject *)type, nargs > 0 ? fast[0] : NULL,
                       nargs + nkw > 1 || (nkw && nargs == 0) ? fast[1] : NULL);
}

static void
int_dealloc(PyObject *self)
{
    if (PyLong_CheckExact(self)) {
        PyObject_Free(self);
        return;
    }
    Py_TYPE(self)->tp_free(self);
}

/* --- Methods -------------------------------------------------------------- */

static PyObject *
int_conjugate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return exact(self);
}

static PyObject *
int_bit_length(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    size_t bits = _PyLong_NumBits(self);
    if (bits == (size_t)-1) {
        return NULL;
    }
    return PyLong_FromSize_t(bits);
}

static PyObject *
int_bit_count(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t n = kr_int_ndigits(self), count = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        count += __builtin_popcount(KR_INT_DIGITS(self)[i]);
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
int_as_integer_ratio(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *num = exact(self);
    if (num == NULL) {
        return NULL;
    }
    PyObject *pair = PyTuple_Pack(2, num, KR_SMALL_INT(1));
    Py_DECREF(num);
    return pair;
}

static PyObject *
int_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *value = _PyLong_Copy((PyLongObject *)self);
    if (value == NULL) {
        return NULL;
    }
    PyObject *args = PyTuple_Pack(1, value);
    Py_DECREF(value);
    return args;
}

static PyObject *
int_format(PyObject *self, PyObject *spec)
{
    return kr_format_by(self, spec, _PyLong_FormatAdvancedWriter);
}

/* Rounds to a multiple of 10 ** -ndigits, ties to even. */
static PyObject *
int_round(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("__round__", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 0) {
        return exact(self);
    }
    PyObject *ndigits = PyNumber_Index(args[0]);
    if (ndigits == NULL) {
        return NULL;
    }
    if (Py_SIZE(ndigits) >= 0) {
        Py_DECREF(ndigits);
        return exact(self);
    }
    PyObject *power = NULL, *pair = NULL, *result = NULL;
    Py_SETREF(ndigits, kr_int_neg(ndigits));
    if (ndigits != NULL) {
        power = kr_int_pow(KR_SMALL_INT(10), ndigits, Py_None);
        Py_DECREF(ndigits);
    }
    if (power != NULL) {
        pair = _PyLong_DivmodNear(self, power);
        Py_DECREF(power);
    }
    if (pair != NULL) {
        result = kr_int_sub(self, PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
    }
    return result;
}

static PyObject *
int_sizeof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t n = Py_MAX(kr_int_ndigits(self), 1);
    return PyLong_FromSize_t(offsetof(PyLongObject, ob_digit) +
                             n * sizeof(digit));
}

static PyObject *
int_get_self(PyObject *self, void *Py_UNUSED(closure))
{
    return exact(self);
}

static PyObject *
int_get_constant(PyObject *self, void *closure)
{
    return kr_int_from_i64((intptr_t)closure);
}

static int
int_bool(PyObject *self)
{
    return Py_SIZE(self) != 0;
}

static PyObject *
int_float(PyObject *self)
{
    double x = PyLong_AsDouble(self);
    if (x == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyFloat_FromDouble(x);
}

PyDoc_STRVAR(int_doc,
             "int([x]) -> integer\n"
             "int(x, base=10) -> integer\n"
             "\n"
             "Make an int from a number or from text; int() is 0.\n"
             "Numbers with a fraction are cut towards zero. A str, bytes or\n"
             "bytearray is read as a literal in the given base (2 to 36), or\n"
             "with base 0 as Python source would be read.\n"
             "\n"
             ">>> int('0x1f', base=0)\n31");

static PyMethodDef int_methods[] = {
    {"conjugate", int_conjugate, METH_NOARGS,
     "The complex conjugate of an int is the int itself."},
    {"bit_length", int_bit_length, METH_NOARGS,
     "bit_length($self, /)\n--\n\n"
     "How many bits the absolute value takes in binary.\n\n"
     ">>> bin(20)\n'0b10100'\n>>> (20).bit_length()\n5"},
    {"bit_count", int_bit_count, METH_NOARGS,
     "bit_count($self, /)\n--\n\n"
     "How many bits of the absolute value are 1.\n\n"
     ">>> bin(20)\n'0b10100'\n>>> (20).bit_count()\n2"},
    {"to_bytes", (PyCFunction)(void *)kr_int_to_bytes,
     METH_FASTCALL | METH_KEYWORDS,
     "to_bytes($self, /, length=1, byteorder='big', *, signed=False)\n--\n\n"
     "The value as length bytes, most significant first ('big') or last\n"
     "('little'); negative values need signed=True. OverflowError if it does\n"
     "not fit."},
    {"from_bytes", (PyCFunction)(void *)kr_int_from_bytes,
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "from_bytes($type, /, bytes, byteorder='big', *, signed=False)\n--\n\n"
     "The int that an array of bytes stands for."},
    {"as_integer_ratio", int_as_integer_ratio, METH_NOARGS,
     "as_integer_ratio($self, /)\n--\n\n"
     "The pair (self, 1), a fraction in lowest terms.\n\n"
     ">>> (12).as_integer_ratio()\n(12, 1)\n"
     ">>> (-3).as_integer_ratio()\n(-3, 1)\n"
     ">>> False.as_integer_ratio()\n(0, 1)"},
    {"__trunc__", int_conjugate, METH_NOARGS,
     "Cutting an int gives the int itself."},
    {"__floor__", int_conjugate, METH_NOARGS,
     "The floor of an int is the int itself."},
    {"__ceil__", int_conjugate, METH_NOARGS,
     "The ceiling of an int is the int itself."},
    {"__round__", (PyCFunction)(void *)int_round, METH_FASTCALL,
     "__round__($self, ndigits=<unrepresentable>, /)\n--\n\n"
     "Rounding changes an int only for negative ndigits."},
    {"__getnewargs__", int_getnewargs, METH_NOARGS,
     "__getnewargs__($self, /)\n--\n\n"},
    {"__format__", int_format, METH_O,
     "__format__($self, format_spec, /)\n--\n\n"},
    {"__sizeof__", int_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\n"
     "Size of the object in bytes."},
    {NULL},
};

static PyGetSetDef int_getset[] = {
    {"real", int_get_self, NULL, "the real part of a complex number", NULL},
    {"imag", int_get_constant, NULL, "the imaginary part of a complex number",
     (void *)0},
    {"numerator", int_get_self, NULL,
     "the numerator of the fraction in lowest terms", NULL},
    {"denominator", int_get_constant, NULL,
     "the denominator of the fraction in lowest terms", (void *)1},
    {NULL},
};

static PyNumberMethods int_as_number = {
    .nb_add = kr_int_add,
    .nb_subtract = kr_int_sub,
    .nb_multiply = kr_int_mul,
    .nb_remainder = kr_int_mod,
    .nb_divmod = kr_int_divmod_slot,
    .nb_power = kr_int_pow,
    .nb_negative = kr_int_neg,
    .nb_positive = exact,
    .nb_absolute = kr_int_abs,
    .nb_bool = int_bool,
    .nb_invert = kr_int_invert,
    .nb_lshift = kr_int_lshift,
    .nb_rshift = kr_int_rshift,
    .nb_and = kr_int_and,
    .nb_xor = kr_int_xor,
    .nb_or = kr_int_or,
    .nb_int = exact,
    .nb_float = int_float,
    .nb_floor_divide = kr_int_floor_div,
    .nb_true_divide = kr_int_true_div,
    .nb_index = exact,
};

PyTypeObject PyLong_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "int",
    .tp_basicsize = offsetof(PyLongObject, ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_dealloc = int_dealloc,
    .tp_repr = kr_int_repr,
    .tp_as_number = &int_as_number,
    .tp_hash = kr_int_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                Py_TPFLAGS_LONG_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = int_doc,
    .tp_richcompare = kr_int_richcompare,
    .tp_methods = int_methods,
    .tp_getset = int_getset,
    .tp_new = int_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = int_vectorcall,
};

/* --- sys.int_info --------------------------------------------------------- */

static struct kr_int_state {
    PyTypeObject info_type;
} state;

static PyStructSequence_Field info_fields[] = {
    {"bits_per_digit", "bits of the value held by one digit"},
    {"sizeof_digit", "bytes one digit takes"},
    {"default_max_str_digits",
     "limit of decimal digits in conversions unless set otherwise"},
    {"str_digits_check_threshold",
     "number of digits below which no limit applies"},
    {NULL},
};

static PyStructSequence_Desc info_desc = {
    "sys.int_info",
    "sys.int_info\n\nHow ints are represented inside. Read-only.",
    info_fields,
    4,
};

PyObject *
PyLong_GetInfo(void)
{
    if (state.info_type.tp_name == NULL &&
        PyStructSequence_InitType2(&state.info_type, &info_desc) < 0) {
        return NULL;
    }
    PyObject *info = PyStructSequence_New(&state.info_type);
    if (info == NULL) {
        return NULL;
    }
    static const int values[] = {PyLong_SHIFT, sizeof(digit), 4300, 640};
    for (int i = 0; i < 4; i++) {
        PyStructSequence_SET_ITEM(info, i, PyLong_FromLong(values[i]));
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(info);
    }
    return info;
}
