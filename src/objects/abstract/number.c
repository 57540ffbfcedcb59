/* The number protocol: operators by slot, conversion to int and float.
 *
 * A binary operator asks the left operand first, unless the right one is of a
 * proper subclass that brings its own slot; operands of the same slot are
 * asked once. */
#include "objects/abstract/abstract.h"

#include <math.h>

#define NB_SLOT(x) offsetof(PyNumberMethods, x)
#define NB_BINOP(nb, slot) (*(binaryfunc *)((char *)(nb) + (slot)))
#define NB_TERNOP(nb, slot) (*(ternaryfunc *)((char *)(nb) + (slot)))

int
PyNumber_Check(PyObject *o)
{
    if (o == NULL) {
        return 0;
    }
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return (nb && (nb->nb_index || nb->nb_int || nb->nb_float)) ||
           PyComplex_Check(o);
}

static inline binaryfunc
binary_slot(PyObject *o, size_t slot)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb ? NB_BINOP(nb, slot) : NULL;
}

/* New reference, possibly to NotImplemented. */
static inline PyObject *
binary_op1(PyObject *v, PyObject *w, size_t slot)
{
    binaryfunc slotv = binary_slot(v, slot);
    binaryfunc slotw = NULL;
    if (!Py_IS_TYPE(w, Py_TYPE(v))) {
        slotw = binary_slot(w, slot);
        if (slotw == slotv) {
            slotw = NULL;
        }
    }
    PyObject *x;
    if (slotv) {
        if (slotw && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v))) {
            x = slotw(v, w);
            if (x != Py_NotImplemented) {
                return x;
            }
            Py_DECREF(x);
            slotw = NULL;
        }
        x = slotv(v, w);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    if (slotw) {
        return slotw(v, w);
    }
    return Py_NewRef(Py_NotImplemented);
}

static KR_COLD PyObject *
binop_type_error(PyObject *v, PyObject *w, const char *op_name)
{
    PyErr_Format(PyExc_TypeError,
                 "unsupported operand type(s) for %.100s: "
                 "'%.100s' and '%.100s'",
                 op_name, Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name);
    return NULL;
}

/* People coming from Python 2 write `print >> file`. */
static KR_COLD PyObject *
rshift_type_error(PyObject *v, PyObject *w)
{
    if (PyCFunction_CheckExact(v) &&
        strcmp(((PyCFunctionObject *)v)->m_ml->ml_name, "print") == 0) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported operand type(s) for %.100s: "
                     "'%.100s' and '%.100s'. Did you mean \"print(<message>, "
                     "file=<output_stream>)\"?",
                     ">>", Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name);
        return NULL;
    }
    return binop_type_error(v, w, ">>");
}

static inline PyObject *
binary_op(PyObject *v, PyObject *w, size_t slot, const char *op_name)
{
    PyObject *result = binary_op1(v, w, slot);
    if (KR_UNLIKELY(result == Py_NotImplemented)) {
        Py_DECREF(result);
        if (slot == NB_SLOT(nb_rshift)) {
            return rshift_type_error(v, w);
        }
        return binop_type_error(v, w, op_name);
    }
    return result;
}

#define BINARY_FUNC(func, op, op_name)                                         \
    PyObject *func(PyObject *v, PyObject *w)                                   \
    {                                                                          \
        return binary_op(v, w, NB_SLOT(op), op_name);                          \
    }

BINARY_FUNC(PyNumber_Or, nb_or, "|")
BINARY_FUNC(PyNumber_Xor, nb_xor, "^")
BINARY_FUNC(PyNumber_And, nb_and, "&")
BINARY_FUNC(PyNumber_Lshift, nb_lshift, "<<")
BINARY_FUNC(PyNumber_Rshift, nb_rshift, ">>")
BINARY_FUNC(PyNumber_Subtract, nb_subtract, "-")
BINARY_FUNC(PyNumber_Divmod, nb_divmod, "divmod()")
BINARY_FUNC(PyNumber_MatrixMultiply, nb_matrix_multiply, "@")
BINARY_FUNC(PyNumber_FloorDivide, nb_floor_divide, "//")
BINARY_FUNC(PyNumber_TrueDivide, nb_true_divide, "/")
BINARY_FUNC(PyNumber_Remainder, nb_remainder, "%")

PyObject *
PyNumber_Add(PyObject *v, PyObject *w)
{
    PyObject *result = binary_op1(v, w, NB_SLOT(nb_add));
    if (result != Py_NotImplemented) {
        return result;
    }
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(v)->tp_as_sequence;
    if (m && m->sq_concat) {
        return m->sq_concat(v, w);
    }
    return binop_type_error(v, w, "+");
}

static PyObject *
sequence_repeat(ssizeargfunc repeat, PyObject *seq, PyObject *n)
{
    if (!kr_index_check(n)) {
        return kr_type_error("can't multiply sequence by non-int of type "
                             "'%.200s'",
                             n);
    }
    Py_ssize_t count = PyNumber_AsSsize_t(n, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return repeat(seq, count);
}

PyObject *
PyNumber_Multiply(PyObject *v, PyObject *w)
{
    PyObject *result = binary_op1(v, w, NB_SLOT(nb_multiply));
    if (result != Py_NotImplemented) {
        return result;
    }
    Py_DECREF(result);
    PySequenceMethods *mv = Py_TYPE(v)->tp_as_sequence;
    PySequenceMethods *mw = Py_TYPE(w)->tp_as_sequence;
    if (mv && mv->sq_repeat) {
        return sequence_repeat(mv->sq_repeat, v, w);
    }
    if (mw && mw->sq_repeat) {
        return sequence_repeat(mw->sq_repeat, w, v);
    }
    return binop_type_error(v, w, "*");
}

/* --- power ---------------------------------------------------------------- */

static inline ternaryfunc
ternary_slot(PyObject *o, size_t slot)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb ? NB_TERNOP(nb, slot) : NULL;
}

static PyObject *
ternary_op(PyObject *v, PyObject *w, PyObject *z, size_t slot,
           const char *op_name)
{
    ternaryfunc slotv = ternary_slot(v, slot);
    ternaryfunc slotw = NULL;
    if (!Py_IS_TYPE(w, Py_TYPE(v))) {
        slotw = ternary_slot(w, slot);
        if (slotw == slotv) {
            slotw = NULL;
        }
    }
    PyObject *x;
    if (slotv) {
        if (slotw && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v))) {
            x = slotw(v, w, z);
            if (x != Py_NotImplemented) {
                return x;
            }
            Py_DECREF(x);
            slotw = NULL;
        }
        x = slotv(v, w, z);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    if (slotw) {
        x = slotw(v, w, z);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    ternaryfunc slotz = ternary_slot(z, slot);
    if (slotz && slotz != slotv && slotz != slotw) {
        x = slotz(v, w, z);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    if (z == Py_None) {
        return binop_type_error(v, w, op_name);
    }
    PyErr_Format(PyExc_TypeError,
                 "unsupported operand type(s) for %.100s: "
                 "'%.100s', '%.100s', '%.100s'",
                 op_name, Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name,
                 Py_TYPE(z)->tp_name);
    return NULL;
}

PyObject *
PyNumber_Power(PyObject *v, PyObject *w, PyObject *z)
{
    return ternary_op(v, w, z, NB_SLOT(nb_power), "** or pow()");
}

/* --- in place ------------------------------------------------------------- */

static inline PyObject *
binary_iop1(PyObject *v, PyObject *w, size_t iop_slot, size_t op_slot)
{
    binaryfunc slot = binary_slot(v, iop_slot);
    if (slot) {
        PyObject *x = slot(v, w);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    return binary_op1(v, w, op_slot);
}

static inline PyObject *
binary_iop(PyObject *v, PyObject *w, size_t iop_slot, size_t op_slot,
           const char *op_name)
{
    PyObject *result = binary_iop1(v, w, iop_slot, op_slot);
    if (KR_UNLIKELY(result == Py_NotImplemented)) {
        Py_DECREF(result);
        return binop_type_error(v, w, op_name);
    }
    return result;
}

#define INPLACE_BINOP(func, iop, op, op_name)                                  \
    PyObject *func(PyObject *v, PyObject *w)                                   \
    {                                                                          \
        return binary_iop(v, w, NB_SLOT(iop), NB_SLOT(op), op_name);           \
    }

INPLACE_BINOP(PyNumber_InPlaceOr, nb_inplace_or, nb_or, "|=")
INPLACE_BINOP(PyNumber_InPlaceXor, nb_inplace_xor, nb_xor, "^=")
INPLACE_BINOP(PyNumber_InPlaceAnd, nb_inplace_and, nb_and, "&=")
INPLACE_BINOP(PyNumber_InPlaceLshift, nb_inplace_lshift, nb_lshift, "<<=")
INPLACE_BINOP(PyNumber_InPlaceRshift, nb_inplace_rshift, nb_rshift, ">>=")
INPLACE_BINOP(PyNumber_InPlaceSubtract, nb_inplace_subtract, nb_subtract, "-=")
INPLACE_BINOP(PyNumber_InPlaceMatrixMultiply, nb_inplace_matrix_multiply,
              nb_matrix_multiply, "@=")
INPLACE_BINOP(PyNumber_InPlaceFloorDivide, nb_inplace_floor_divide,
              nb_floor_divide, "//=")
INPLACE_BINOP(PyNumber_InPlaceTrueDivide, nb_inplace_true_divide,
              nb_true_divide, "/=")
INPLACE_BINOP(PyNumber_InPlaceRemainder, nb_inplace_remainder, nb_remainder,
              "%=")

PyObject *
PyNumber_InPlaceAdd(PyObject *v, PyObject *w)
{
    PyObject *result =
        binary_iop1(v, w, NB_SLOT(nb_inplace_add), NB_SLOT(nb_add));
    if (result != Py_NotImplemented) {
        return result;
    }
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(v)->tp_as_sequence;
    if (m) {
        binaryfunc func =
            m->sq_inplace_concat ? m->sq_inplace_concat : m->sq_concat;
        if (func) {
            return func(v, w);
        }
    }
    return binop_type_error(v, w, "+=");
}

PyObject *
PyNumber_InPlaceMultiply(PyObject *v, PyObject *w)
{
    PyObject *result =
        binary_iop1(v, w, NB_SLOT(nb_inplace_multiply), NB_SLOT(nb_multiply));
    if (result != Py_NotImplemented) {
        return result;
    }
    Py_DECREF(result);
    PySequenceMethods *mv = Py_TYPE(v)->tp_as_sequence;
    PySequenceMethods *mw = Py_TYPE(w)->tp_as_sequence;
    if (mv) {
        ssizeargfunc f =
            mv->sq_inplace_repeat ? mv->sq_inplace_repeat : mv->sq_repeat;
        if (f) {
            return sequence_repeat(f, v, w);
        }
    }
    else if (mw && mw->sq_repeat) {
        /* the right operand is never changed in place */
        return sequence_repeat(mw->sq_repeat, w, v);
    }
    return binop_type_error(v, w, "*=");
}

PyObject *
PyNumber_InPlacePower(PyObject *v, PyObject *w, PyObject *z)
{
    ternaryfunc slot = ternary_slot(v, NB_SLOT(nb_inplace_power));
    if (slot) {
        PyObject *x = slot(v, w, z);
        if (x != Py_NotImplemented) {
            return x;
        }
        Py_DECREF(x);
    }
    return ternary_op(v, w, z, NB_SLOT(nb_power), "**=");
}

/* --- unary ---------------------------------------------------------------- */

#define UNARY_FUNC(func, slot, message)                                        \
    PyObject *func(PyObject *o)                                                \
    {                                                                          \
        if (o == NULL) {                                                       \
            return kr_null_error();                                            \
        }                                                                      \
        PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;                        \
        if (nb && nb->slot) {                                                  \
            return nb->slot(o);                                                \
        }                                                                      \
        return kr_type_error(message, o);                                      \
    }

UNARY_FUNC(PyNumber_Negative, nb_negative,
           "bad operand type for unary -: '%.200s'")
UNARY_FUNC(PyNumber_Positive, nb_positive,
           "bad operand type for unary +: '%.200s'")
UNARY_FUNC(PyNumber_Invert, nb_invert, "bad operand type for unary ~: '%.200s'")
UNARY_FUNC(PyNumber_Absolute, nb_absolute,
           "bad operand type for abs(): '%.200s'")

/* --- conversion to int ---------------------------------------------------- */

int
PyIndex_Check(PyObject *o)
{
    return kr_index_check(o);
}

/* Warns that the conversion method `method` gave an instance of a strict
 * subclass of int. */
static int
warn_int_subclass(const char *method, PyObject *result)
{
    return PyErr_WarnFormat(
        PyExc_DeprecationWarning, 1,
        "%s returned non-int (type %.200s).  "
        "The ability to return an instance of a strict subclass of int "
        "is deprecated, and may not be supported in a future version of "
        "Python.",
        method, Py_TYPE(result)->tp_name);
}

/* Checks what a conversion method returned; consumes `result`. */
static PyObject *
checked_int(const char *method, PyObject *result)
{
    if (result == NULL || PyLong_CheckExact(result)) {
        return result;
    }
    if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-int (type %.200s)",
                     method, Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (warn_int_subclass(method, result) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

/* Consumes `o`, gives an exact int. */
static PyObject *
exact_int(PyObject *o)
{
    if (o != NULL && !PyLong_CheckExact(o)) {
        Py_SETREF(o, _PyLong_Copy((PyLongObject *)o));
    }
    return o;
}

PyObject *
_PyNumber_Index(PyObject *o)
{
    if (o == NULL) {
        return kr_null_error();
    }
    if (PyLong_Check(o)) {
        return Py_NewRef(o);
    }
    if (!kr_index_check(o)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object cannot be interpreted as an integer",
                     Py_TYPE(o)->tp_name);
        return NULL;
    }
    return checked_int("__index__", Py_TYPE(o)->tp_as_number->nb_index(o));
}

PyObject *
PyNumber_Index(PyObject *o)
{
    return exact_int(_PyNumber_Index(o));
}

Py_ssize_t
PyNumber_AsSsize_t(PyObject *item, PyObject *err)
{
    PyObject *value = _PyNumber_Index(item);
    if (value == NULL) {
        return -1;
    }
    Py_ssize_t result = PyLong_AsSsize_t(value);
    if (result == -1 && PyErr_Occurred() &&
        PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        if (err == NULL) {
            result =
                _PyLong_Sign(value) < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
        }
        else {
            PyErr_Format(err, "cannot fit '%.200s' into an index-sized integer",
                         Py_TYPE(item)->tp_name);
        }
    }
    Py_DECREF(value);
    return result;
}

/* int(o) by o.__trunc__(); consumes `trunc`, the bound method. */
static PyObject *
int_from_trunc(PyObject *trunc)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "The delegation of int() to __trunc__ is deprecated.",
                     1) < 0) {
        Py_DECREF(trunc);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(trunc);
    Py_DECREF(trunc);
    if (result == NULL || PyLong_CheckExact(result)) {
        return result;
    }
    if (PyLong_Check(result)) {
        return exact_int(result);
    }
    if (!kr_index_check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "__trunc__ returned non-Integral (type %.200s)",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    Py_SETREF(result, PyNumber_Index(result));
    return result;
}

static PyObject *
int_from_buffer(PyObject *o)
{
    Py_buffer view;
    if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    /* the parser wants a final NUL, which a foreign buffer may lack */
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *result =
        _PyLong_FromBytes(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), 10);
    Py_DECREF(bytes);
    return result;
}

PyObject *
PyNumber_Long(PyObject *o)
{
    if (o == NULL) {
        return kr_null_error();
    }
    if (PyLong_CheckExact(o)) {
        return Py_NewRef(o);
    }
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    if (nb && nb->nb_int) {
        return exact_int(checked_int("__int__", nb->nb_int(o)));
    }
    if (nb && nb->nb_index) {
        return PyNumber_Index(o);
    }
    PyObject *trunc = kr_lookup_special(o, KR_ID(__trunc__));
    if (trunc) {
        return int_from_trunc(trunc);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (PyUnicode_Check(o)) {
        return PyLong_FromUnicodeObject(o, 10);
    }
    if (PyBytes_Check(o)) {
        return _PyLong_FromBytes(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), 10);
    }
    if (PyByteArray_Check(o)) {
        return _PyLong_FromBytes(PyByteArray_AS_STRING(o),
                                 PyByteArray_GET_SIZE(o), 10);
    }
    if (PyObject_CheckBuffer(o)) {
        return int_from_buffer(o);
    }
    return kr_type_error("int() argument must be a string, a bytes-like object "
                         "or a real number, not '%.200s'",
                         o);
}

/* --- conversion to float -------------------------------------------------- */

/* o.__float__() by its slot. */
static PyObject *
float_from_slot(PyObject *o, unaryfunc slot)
{
    PyObject *res = slot(o);
    if (res == NULL || PyFloat_CheckExact(res)) {
        return res;
    }
    if (!PyFloat_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "%.50s.__float__ returned non-float (type %.50s)",
                     Py_TYPE(o)->tp_name, Py_TYPE(res)->tp_name);
        Py_DECREF(res);
        return NULL;
    }
    if (PyErr_WarnFormat(
            PyExc_DeprecationWarning, 1,
            "%.50s.__float__ returned non-float (type %.50s).  "
            "The ability to return an instance of a strict subclass of float "
            "is deprecated, and may not be supported in a future version of "
            "Python.",
            Py_TYPE(o)->tp_name, Py_TYPE(res)->tp_name) < 0) {
        Py_DECREF(res);
        return NULL;
    }
    double value = PyFloat_AS_DOUBLE(res);
    Py_DECREF(res);
    return PyFloat_FromDouble(value);
}

PyObject *
PyNumber_Float(PyObject *o)
{
    if (o == NULL) {
        return kr_null_error();
    }
    if (PyFloat_CheckExact(o)) {
        return Py_NewRef(o);
    }
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    if (nb && nb->nb_float) {
        return float_from_slot(o, nb->nb_float);
    }
    if (nb && nb->nb_index) {
        PyObject *index = _PyNumber_Index(o);
        if (index == NULL) {
            return NULL;
        }
        double value = PyLong_AsDouble(index);
        Py_DECREF(index);
        if (value == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        return PyFloat_FromDouble(value);
    }
    if (PyFloat_Check(o)) {
        return PyFloat_FromDouble(PyFloat_AS_DOUBLE(o));
    }
    return PyFloat_FromString(o);
}

PyObject *
PyNumber_ToBase(PyObject *n, int base)
{
    if (!(base == 2 || base == 8 || base == 10 || base == 16)) {
        PyErr_SetString(PyExc_SystemError,
                        "PyNumber_ToBase: base must be 2, 8, 10 or 16");
        return NULL;
    }
    PyObject *index = _PyNumber_Index(n);
    if (index == NULL) {
        return NULL;
    }
    PyObject *result = _PyLong_Format(index, base);
    Py_DECREF(index);
    return result;
}

int
_Py_convert_optional_to_ssize_t(PyObject *obj, void *result)
{
    Py_ssize_t limit;
    if (obj == Py_None) {
        return 1;
    }
    if (!kr_index_check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "argument should be integer or None, not '%.200s'",
                     Py_TYPE(obj)->tp_name);
        return 0;
    }
    limit = PyNumber_AsSsize_t(obj, PyExc_OverflowError);
    if (limit == -1 && PyErr_Occurred()) {
        return 0;
    }
    *((Py_ssize_t *)result) = limit;
    return 1;
}
