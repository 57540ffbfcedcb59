/* Powers of int, also modulo an int. */
#include "objects/int/int.h"

/* Exponents of more digits than this use a window of five bits. */
#define WINDOW_DIGITS 8

/* *z = *z * f [% mod]; consumes the old *z. */
static int
mul_into(PyObject **z, PyObject *f, PyObject *mod)
{
    PyObject *x = kr_int_mul(*z, f);
    if (x != NULL && mod != NULL) {
        PyObject *r;
        if (kr_int_divmod(x, mod, NULL, &r) < 0) {
            Py_DECREF(x);
            return -1;
        }
        Py_SETREF(x, r);
    }
    if (x == NULL) {
        return -1;
    }
    Py_SETREF(*z, x);
    return 0;
}

/* Left to right, bit by bit. */
static PyObject *
pow_binary(PyObject *a, PyObject *e, PyObject *mod)
{
    Py_ssize_t bits = (Py_ssize_t)_PyLong_NumBits(e);
    PyObject *z = Py_NewRef(a);
    for (Py_ssize_t i = bits - 2; i >= 0; i--) {
        digit d = KR_INT_DIGITS(e)[i / PyLong_SHIFT];
        if (mul_into(&z, z, mod) < 0 ||
            ((d >> (i % PyLong_SHIFT) & 1) && mul_into(&z, a, mod) < 0)) {
            Py_DECREF(z);
            return NULL;
        }
    }
    return z;
}

/* Left to right with a sliding window over odd powers. */
static PyObject *
pow_window(PyObject *a, PyObject *e, PyObject *mod)
{
    PyObject *odd[16] = {Py_NewRef(a)}; /* a^1, a^3, ... a^31 */
    PyObject *z = NULL, *square = Py_NewRef(a);
    const digit *d = KR_INT_DIGITS(e);
    Py_ssize_t i = (Py_ssize_t)_PyLong_NumBits(e) - 1;

    if (mul_into(&square, a, mod) < 0) {
        goto done;
    }
    for (int k = 1; k < 16; k++) {
        odd[k] = Py_NewRef(odd[k - 1]);
        if (mul_into(&odd[k], square, mod) < 0) {
            goto done;
        }
    }
#define BIT(i) (d[(i) / PyLong_SHIFT] >> ((i) % PyLong_SHIFT) & 1)
    while (i >= 0) {
        if (!BIT(i)) {
            if (mul_into(&z, z, mod) < 0) {
                Py_CLEAR(z);
                goto done;
            }
            i--;
            continue;
        }
        Py_ssize_t low = i >= 4 ? i - 4 : 0;
        while (!BIT(low)) {
            low++;
        }
        int window = 0;
        for (Py_ssize_t k = i; k >= low; k--) {
            window = window * 2 + (int)BIT(k);
            if (z != NULL && mul_into(&z, z, mod) < 0) {
                Py_CLEAR(z);
                goto done;
            }
        }
        if (z == NULL) {
            z = Py_NewRef(odd[window / 2]);
        }
        else if (mul_into(&z, odd[window / 2], mod) < 0) {
            Py_CLEAR(z);
            goto done;
        }
        i = low - 1;
    }
#undef BIT
done:
    Py_DECREF(square);
    for (int k = 0; k < 16; k++) {
        Py_XDECREF(odd[k]);
    }
    return z;
}

/* The inverse of a modulo n > 0 by Euclid's extended algorithm. */
static PyObject *
inverse_mod(PyObject *a, PyObject *n)
{
    PyObject *r0 = Py_NewRef(a), *r1 = Py_NewRef(n);
    PyObject *s0 = kr_int_from_i64(1), *s1 = kr_int_from_i64(0);
    while (Py_SIZE(r1) != 0) {
        PyObject *q, *r;
        if (kr_int_divmod(r0, r1, &q, &r) < 0) {
            goto error;
        }
        Py_SETREF(r0, r1);
        r1 = r;
        PyObject *t = kr_int_mul(q, s1);
        Py_DECREF(q);
        if (t == NULL) {
            goto error;
        }
        PyObject *s = kr_int_sub(s0, t);
        Py_DECREF(t);
        if (s == NULL) {
            goto error;
        }
        Py_SETREF(s0, s1);
        s1 = s;
    }
    if (!(Py_SIZE(r0) == 1 && KR_INT_DIGITS(r0)[0] == 1)) {
        PyErr_SetString(PyExc_ValueError,
                        "base is not invertible for the given modulus");
        goto error;
    }
    Py_DECREF(r0);
    Py_DECREF(r1);
    Py_DECREF(s1);
    return s0;

error:
    Py_XDECREF(r0);
    Py_XDECREF(r1);
    Py_XDECREF(s0);
    Py_XDECREF(s1);
    return NULL;
}

static bool
is_one(PyObject *v)
{
    return Py_SIZE(v) == 1 && KR_INT_DIGITS(v)[0] == 1;
}

/* Powers of compact ints that fit 64 bits. */
static PyObject *
pow_small(int64_t base, uint64_t e)
{
    int64_t r = 1;
    for (;;) {
        if ((e & 1) && __builtin_mul_overflow(r, base, &r)) {
            return NULL;
        }
        e >>= 1;
        if (e == 0) {
            return kr_int_from_i64(r);
        }
        if (__builtin_mul_overflow(base, base, &base)) {
            return NULL;
        }
    }
}

/* a ** b % c for c > 0; consumes nothing. */
static PyObject *
pow_any(PyObject *a, PyObject *b, PyObject *c)
{
    if (c != NULL && is_one(c)) {
        return kr_int_from_i64(0);
    }
    if (Py_SIZE(b) == 0) {
        return kr_int_from_i64(1);
    }
    PyObject *base;
    if (c != NULL && (Py_SIZE(a) < 0 || Py_SIZE(a) > Py_SIZE(c))) {
        if (kr_int_divmod(a, c, NULL, &base) < 0) {
            return NULL;
        }
    }
    else {
        base = PyLong_CheckExact(a) ? Py_NewRef(a)
                                    : _PyLong_Copy((PyLongObject *)a);
        if (base == NULL) {
            return NULL;
        }
    }
    PyObject *z;
    if (kr_int_ndigits(b) > WINDOW_DIGITS && Py_SIZE(base) != 0) {
        z = pow_window(base, b, c);
    }
    else {
        z = pow_binary(base, b, c);
        if (z != NULL && c != NULL && kr_int_compare(z, c) >= 0) {
            PyObject *r;
            if (kr_int_divmod(z, c, NULL, &r) < 0) {
                Py_CLEAR(z);
            }
            else {
                Py_SETREF(z, r);
            }
        }
    }
    Py_DECREF(base);
    return z;
}

static PyObject *
pow_modulo(PyObject *a, PyObject *b, PyObject *c)
{
    if (Py_SIZE(c) == 0) {
        PyErr_SetString(PyExc_ValueError, "pow() 3rd argument cannot be 0");
        return NULL;
    }
    bool negative = Py_SIZE(c) < 0;
    PyObject *m = kr_int_abs(c), *base = Py_NewRef(a), *e = Py_NewRef(b);
    PyObject *z = NULL;
    if (m == NULL) {
        goto done;
    }
    if (Py_SIZE(b) < 0) {
        Py_SETREF(e, kr_int_neg(b));
        Py_SETREF(base, inverse_mod(a, m));
        if (e == NULL || base == NULL) {
            goto done;
        }
    }
    z = pow_any(base, e, m);
    if (z != NULL && negative && Py_SIZE(z) != 0) {
        Py_SETREF(z, kr_int_sub(z, m));
    }
done:
    Py_XDECREF(m);
    Py_XDECREF(base);
    Py_XDECREF(e);
    return z;
}

PyObject *
kr_int_pow(PyObject *a, PyObject *b, PyObject *mod)
{
    if (!PyLong_Check(a) || !PyLong_Check(b) ||
        !(mod == Py_None || PyLong_Check(mod))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (mod != Py_None) {
        return pow_modulo(a, b, mod);
    }
    if (Py_SIZE(b) < 0) {
        return PyFloat_Type.tp_as_number->nb_power(a, b, mod);
    }
    if (kr_int_is_compact(a) && kr_int_is_compact(b)) {
        PyObject *z = pow_small(kr_int_compact_value(a),
                                (uint64_t)kr_int_compact_value(b));
        if (z != NULL || PyErr_Occurred()) {
            return z;
        }
    }
    return pow_any(a, b, NULL);
}
