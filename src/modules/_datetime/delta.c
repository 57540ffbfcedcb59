/* datetime.timedelta. Arithmetic goes through a 128-bit count of
 * microseconds, and through int where that could overflow. */
#include "modules/_datetime/internal.h"

#include <math.h>
#include <structmember.h>

/* floor division; the remainder is in 0..d-1 */
static __int128
floor_div(__int128 n, __int128 d, __int128 *rem)
{
    __int128 q = n / d, r = n % d;
    if (r < 0) {
        r += d;
        q--;
    }
    *rem = r;
    return q;
}

PyObject *
kr_dt_new_delta(int days, int seconds, int us, int normalize,
                PyTypeObject *type)
{
    long long d = days, s = seconds, u = us;
    if (normalize && (u < 0 || u >= US_PER_SECOND || s < 0 ||
                      s >= SECONDS_PER_DAY)) {
        __int128 rem;
        s += (long long)floor_div(u, US_PER_SECOND, &rem);
        u = (long long)rem;
        d += (long long)floor_div(s, SECONDS_PER_DAY, &rem);
        s = (long long)rem;
    }
    if (d < -MAX_DELTA_DAYS || d > MAX_DELTA_DAYS) {
        PyErr_Format(PyExc_OverflowError,
                     "days=%d; must have magnitude <= %d", (int)d,
                     MAX_DELTA_DAYS);
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        DELTA(self)->hashcode = -1;
        DELTA(self)->days = (int)d;
        DELTA(self)->seconds = (int)s;
        DELTA(self)->microseconds = (int)u;
    }
    return self;
}

static PyObject *
int_too_large(void)
{
    PyErr_SetString(PyExc_OverflowError,
                    "Python int too large to convert to C int");
    return NULL;
}

PyObject *
kr_dt_delta_from_us(__int128 us, PyTypeObject *type)
{
    __int128 u, s;
    __int128 rest = floor_div(us, US_PER_SECOND, &u);
    __int128 d = floor_div(rest, SECONDS_PER_DAY, &s);
    if (d < INT_MIN || d > INT_MAX) {
        return int_too_large();
    }
    return kr_dt_new_delta((int)d, (int)s, (int)u, 0, type);
}

__int128
kr_dt_delta_us(PyObject *delta)
{
    return ((__int128)DELTA(delta)->days * SECONDS_PER_DAY +
            DELTA(delta)->seconds) *
               US_PER_SECOND +
           DELTA(delta)->microseconds;
}

bool
kr_dt_offset_too_large(PyObject *delta)
{
    int days = DELTA(delta)->days;
    return (days == -1 && DELTA(delta)->seconds == 0 &&
            DELTA(delta)->microseconds < 1) ||
           days < -1 || days >= 1;
}

static PyObject *
int_from_i128(__int128 n)
{
    if (n >= LLONG_MIN && n <= LLONG_MAX) {
        return PyLong_FromLongLong((long long)n);
    }
    return _PyLong_FromByteArray((unsigned char *)&n, sizeof n, 1, 1);
}

static PyObject *
us_as_int(PyObject *delta)
{
    return int_from_i128(kr_dt_delta_us(delta));
}

/* Steals the int. */
static PyObject *
delta_from_int(PyObject *us, PyTypeObject *type)
{
    if (us == NULL) {
        return NULL;
    }
    __int128 n;
    bool fits = _PyLong_NumBits(us) < 127 && !PyErr_Occurred() &&
                _PyLong_AsByteArray((PyLongObject *)us, (unsigned char *)&n,
                                    sizeof n, 1, 1) == 0;
    Py_DECREF(us);
    if (!fits) {
        PyErr_Clear();
        return int_too_large();
    }
    return kr_dt_delta_from_us(n, type);
}

/* What the constructor has added up: exact microseconds in two parts and a
 * fraction of one. */
struct sum {
    __int128 us;
    PyObject *big; /* owned, what does not fit into us; or NULL */
    double fraction;
};

static int
add_big(struct sum *sum, PyObject *num, __int128 factor)
{
    PyObject *f = int_from_i128(factor), *total = NULL;
    PyObject *product = f ? PyNumber_Multiply(num, f) : NULL;
    if (product != NULL) {
        if (sum->big == NULL) {
            total = Py_NewRef(product);
        }
        else {
            total = PyNumber_Add(sum->big, product);
        }
        Py_DECREF(product);
    }
    Py_XDECREF(f);
    if (total == NULL) {
        return -1;
    }
    Py_XSETREF(sum->big, total);
    return 0;
}

static int
add_int(struct sum *sum, PyObject *num, __int128 factor)
{
    int overflow;
    long long n = PyLong_AsLongLongAndOverflow(num, &overflow);
    if (overflow) {
        return add_big(sum, num, factor);
    }
    if (n == -1 && PyErr_Occurred()) {
        return -1;
    }
    sum->us += n * factor;
    return 0;
}

static int
add_component(struct sum *sum, const char *name, PyObject *num,
              __int128 factor)
{
    if (PyLong_Check(num)) {
        return add_int(sum, num, factor);
    }
    if (!PyFloat_Check(num)) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported type for timedelta %s component: %s", name,
                     Py_TYPE(num)->tp_name);
        return -1;
    }
    double value = PyFloat_AsDouble(num), whole;
    double fraction = modf(value, &whole);
    PyObject *x = PyLong_FromDouble(whole);
    if (x == NULL) {
        return -1;
    }
    int rc = add_int(sum, x, factor);
    Py_DECREF(x);
    if (rc == 0 && fraction != 0.0) {
        fraction = modf((double)factor * fraction, &whole);
        sum->us += (__int128)whole;
        sum->fraction += fraction;
    }
    return rc;
}

/* Rounds the fraction, half to even of the total. */
static void
round_fraction(struct sum *sum)
{
    if (sum->fraction == 0.0) {
        return;
    }
    double whole = round(sum->fraction);
    if (fabs(whole - sum->fraction) == 0.5) {
        bool odd = sum->us & 1;
        if (sum->big != NULL) {
            unsigned long low = PyLong_AsUnsignedLongMask(sum->big);
            odd ^= low & 1;
        }
        whole = 2.0 * round((sum->fraction + odd) * 0.5) - odd;
    }
    sum->us += (__int128)whole;
}

static PyObject *
delta_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"days",         "seconds", "microseconds",
                               "milliseconds", "minutes", "hours",
                               "weeks",        NULL};
    /* in the order in which CPython adds, which the rounding shows */
    static const struct {
        int arg;
        long long factor;
    } parts[] = {{2, 1},
                 {3, 1000},
                 {1, 1000000},
                 {4, 60000000},
                 {5, 3600000000LL},
                 {0, 86400000000LL},
                 {6, 604800000000LL}};
    PyObject *in[7] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOO:__new__", keywords,
                                     in, in + 1, in + 2, in + 3, in + 4,
                                     in + 5, in + 6)) {
        return NULL;
    }
    struct sum sum = {0};
    for (int i = 0; i < 7; i++) {
        int a = parts[i].arg;
        if (in[a] != NULL &&
            add_component(&sum, keywords[a], in[a], parts[i].factor) < 0) {
            Py_XDECREF(sum.big);
            return NULL;
        }
    }
    round_fraction(&sum);
    if (sum.big == NULL) {
        return kr_dt_delta_from_us(sum.us, type);
    }
    PyObject *small = int_from_i128(sum.us);
    PyObject *total = small ? PyNumber_Add(sum.big, small) : NULL;
    Py_XDECREF(small);
    Py_DECREF(sum.big);
    return delta_from_int(total, type);
}

static PyObject *
delta_add(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a) || !IS_DELTA(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return kr_dt_new_delta(
        DELTA(a)->days + DELTA(b)->days, DELTA(a)->seconds + DELTA(b)->seconds,
        DELTA(a)->microseconds + DELTA(b)->microseconds, 1, &kr_delta_type);
}

static PyObject *
delta_subtract(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a) || !IS_DELTA(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return kr_dt_new_delta(
        DELTA(a)->days - DELTA(b)->days, DELTA(a)->seconds - DELTA(b)->seconds,
        DELTA(a)->microseconds - DELTA(b)->microseconds, 1, &kr_delta_type);
}

static PyObject *
delta_negative(PyObject *self)
{
    return kr_dt_new_delta(-DELTA(self)->days, -DELTA(self)->seconds,
                           -DELTA(self)->microseconds, 1, &kr_delta_type);
}

static PyObject *
delta_positive(PyObject *self)
{
    return kr_dt_new_delta(DELTA(self)->days, DELTA(self)->seconds,
                           DELTA(self)->microseconds, 0, &kr_delta_type);
}

static PyObject *
delta_abs(PyObject *self)
{
    return DELTA(self)->days < 0 ? delta_negative(self)
                                 : delta_positive(self);
}

static int
delta_bool(PyObject *self)
{
    return DELTA(self)->days != 0 || DELTA(self)->seconds != 0 ||
           DELTA(self)->microseconds != 0;
}

/* n / d rounded half to even; steals both, which may be NULL. */
static PyObject *
divide_nearest(PyObject *n, PyObject *d)
{
    PyObject *result = NULL;
    if (n != NULL && d != NULL) {
        PyObject *pair = _PyLong_DivmodNear(n, d);
        if (pair != NULL) {
            result = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
            Py_DECREF(pair);
        }
    }
    Py_XDECREF(n);
    Py_XDECREF(d);
    return result;
}

/* delta * f, or delta / f, by the exact ratio that f is. */
static PyObject *
scale_float(PyObject *delta, PyObject *f, bool divide)
{
    PyObject *ratio =
        PyObject_CallMethodNoArgs(f, KR_ID(as_integer_ratio));
    if (ratio == NULL) {
        return NULL;
    }
    if (!PyTuple_Check(ratio)) {
        PyErr_Format(PyExc_TypeError,
                     "unexpected return type from as_integer_ratio(): "
                     "expected tuple, got '%.200s'",
                     Py_TYPE(ratio)->tp_name);
        Py_DECREF(ratio);
        return NULL;
    }
    if (PyTuple_GET_SIZE(ratio) != 2) {
        PyErr_SetString(PyExc_ValueError,
                        "as_integer_ratio() must return a 2-tuple");
        Py_DECREF(ratio);
        return NULL;
    }
    PyObject *up = PyTuple_GET_ITEM(ratio, divide),
             *down = PyTuple_GET_ITEM(ratio, !divide), *us = us_as_int(delta);
    PyObject *product = us ? PyNumber_Multiply(us, up) : NULL;
    Py_XDECREF(us);
    PyObject *q = divide_nearest(product, Py_NewRef(down));
    Py_DECREF(ratio);
    return delta_from_int(q, &kr_delta_type);
}

static PyObject *
delta_multiply(PyObject *a, PyObject *b)
{
    PyObject *delta = IS_DELTA(a) ? a : b, *num = IS_DELTA(a) ? b : a;
    if (PyLong_Check(num)) {
        int overflow;
        long long n = PyLong_AsLongLongAndOverflow(num, &overflow);
        __int128 product;
        if (!overflow && !__builtin_mul_overflow(kr_dt_delta_us(delta),
                                                 (__int128)n, &product)) {
            return kr_dt_delta_from_us(product, &kr_delta_type);
        }
        PyObject *us = us_as_int(delta);
        PyObject *big = us ? PyNumber_Multiply(us, num) : NULL;
        Py_XDECREF(us);
        return delta_from_int(big, &kr_delta_type);
    }
    if (PyFloat_Check(num)) {
        return scale_float(delta, num, false);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
delta_truedivide(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (IS_DELTA(b)) {
        PyObject *n = us_as_int(a), *d = us_as_int(b);
        PyObject *q = n && d ? PyNumber_TrueDivide(n, d) : NULL;
        Py_XDECREF(n);
        Py_XDECREF(d);
        return q;
    }
    if (PyFloat_Check(b)) {
        return scale_float(a, b, true);
    }
    if (PyLong_Check(b)) {
        return delta_from_int(divide_nearest(us_as_int(a), Py_NewRef(b)),
                              &kr_delta_type);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
delta_floordivide(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a) || !(IS_DELTA(b) || PyLong_Check(b))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *n = us_as_int(a),
             *d = IS_DELTA(b) ? us_as_int(b) : Py_NewRef(b);
    PyObject *q = n && d ? PyNumber_FloorDivide(n, d) : NULL;
    Py_XDECREF(n);
    Py_XDECREF(d);
    return IS_DELTA(b) ? q : delta_from_int(q, &kr_delta_type);
}

static PyObject *
delta_remainder(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a) || !IS_DELTA(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *n = us_as_int(a), *d = us_as_int(b);
    PyObject *r = n && d ? PyNumber_Remainder(n, d) : NULL;
    Py_XDECREF(n);
    Py_XDECREF(d);
    return delta_from_int(r, &kr_delta_type);
}

static PyObject *
delta_divmod(PyObject *a, PyObject *b)
{
    if (!IS_DELTA(a) || !IS_DELTA(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *n = us_as_int(a), *d = us_as_int(b), *result = NULL;
    PyObject *pair = n && d ? PyNumber_Divmod(n, d) : NULL;
    Py_XDECREF(n);
    Py_XDECREF(d);
    if (pair != NULL) {
        PyObject *rest = delta_from_int(Py_NewRef(PyTuple_GET_ITEM(pair, 1)),
                                        &kr_delta_type);
        if (rest != NULL) {
            result = PyTuple_Pack(2, PyTuple_GET_ITEM(pair, 0), rest);
            Py_DECREF(rest);
        }
        Py_DECREF(pair);
    }
    return result;
}

static PyObject *
delta_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!IS_DELTA(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    __int128 x = kr_dt_delta_us(a), y = kr_dt_delta_us(b);
    Py_RETURN_RICHCOMPARE(x, y, op);
}

static PyObject *
delta_state(PyObject *self)
{
    return Py_BuildValue("iii", DELTA(self)->days, DELTA(self)->seconds,
                         DELTA(self)->microseconds);
}

static Py_hash_t
delta_hash(PyObject *self)
{
    if (DELTA(self)->hashcode == -1) {
        PyObject *state = delta_state(self);
        if (state != NULL) {
            DELTA(self)->hashcode = PyObject_Hash(state);
            Py_DECREF(state);
        }
    }
    return DELTA(self)->hashcode;
}

static PyObject *
delta_repr(PyObject *self)
{
    char text[100];
    size_t n = 0;
    const char *sep = "";
    const struct {
        const char *name;
        int value;
    } parts[] = {{"days", DELTA(self)->days},
                 {"seconds", DELTA(self)->seconds},
                 {"microseconds", DELTA(self)->microseconds}};
    for (int i = 0; i < 3; i++) {
        if (parts[i].value != 0) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s=%d", sep,
                                  parts[i].name, parts[i].value);
            sep = ", ";
        }
    }
    return PyUnicode_FromFormat("%s(%s)", Py_TYPE(self)->tp_name,
                                n ? text : "0");
}

static PyObject *
delta_str(PyObject *self)
{
    int d = DELTA(self)->days, s = DELTA(self)->seconds,
        us = DELTA(self)->microseconds;
    char text[64];
    size_t n = 0;
    if (d != 0) {
        n = (size_t)snprintf(text, sizeof text, "%d day%s, ", d,
                             d == 1 || d == -1 ? "" : "s");
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "%d:%02d:%02d", s / 3600,
                          s / 60 % 60, s % 60);
    if (us != 0) {
        snprintf(text + n, sizeof text - n, ".%06d", us);
    }
    return PyUnicode_FromString(text);
}

static PyObject *
delta_total_seconds(PyObject *self, PyObject *ignored)
{
    __int128 us = kr_dt_delta_us(self);
    if (us > -(1LL << 53) && us < 1LL << 53) {
        return PyFloat_FromDouble((double)us / 1e6);
    }
    PyObject *n = int_from_i128(us), *d = PyLong_FromLong(US_PER_SECOND);
    PyObject *q = n && d ? PyNumber_TrueDivide(n, d) : NULL;
    Py_XDECREF(n);
    Py_XDECREF(d);
    return q;
}

static PyObject *
delta_reduce(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("ON", Py_TYPE(self), delta_state(self));
}

static PyMemberDef delta_members[] = {
    {"days", T_INT, offsetof(PyDateTime_Delta, days), READONLY,
     "Number of days."},
    {"seconds", T_INT, offsetof(PyDateTime_Delta, seconds), READONLY,
     "Number of seconds, from 0 to less than one day."},
    {"microseconds", T_INT, offsetof(PyDateTime_Delta, microseconds), READONLY,
     "Number of microseconds, from 0 to less than one second."},
    {NULL},
};

static PyMethodDef delta_methods[] = {
    {"total_seconds", delta_total_seconds, METH_NOARGS,
     "The whole duration in seconds."},
    {"__reduce__", delta_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL},
};

static PyNumberMethods delta_number = {
    .nb_add = delta_add,
    .nb_subtract = delta_subtract,
    .nb_multiply = delta_multiply,
    .nb_remainder = delta_remainder,
    .nb_divmod = delta_divmod,
    .nb_negative = delta_negative,
    .nb_positive = delta_positive,
    .nb_absolute = delta_abs,
    .nb_bool = delta_bool,
    .nb_floor_divide = delta_floordivide,
    .nb_true_divide = delta_truedivide,
};

PyTypeObject kr_delta_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.timedelta",
    .tp_basicsize = sizeof(PyDateTime_Delta),
    .tp_repr = delta_repr,
    .tp_as_number = &delta_number,
    .tp_hash = delta_hash,
    .tp_str = delta_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The difference between two points in time.\n\n"
              "timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, "
              "minutes=0, hours=0, weeks=0)\n\n"
              "Each argument may be an int or a float, of either sign.",
    .tp_richcompare = delta_richcompare,
    .tp_methods = delta_methods,
    .tp_members = delta_members,
    .tp_new = delta_new,
};
