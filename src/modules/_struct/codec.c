/* Reading and writing single items, in native and in standard formats. */
#include "modules/_struct/codec.h"

#include <string.h>

/* ---- integers: n bytes in either order, sign by two's complement */

static uint64_t
load(const unsigned char *p, Py_ssize_t n, bool big)
{
    uint64_t x = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        x |= (uint64_t)p[big ? n - 1 - i : i] << (8 * i);
    }
    return x;
}

static void
store(unsigned char *p, Py_ssize_t n, bool big, uint64_t x)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        p[big ? n - 1 - i : i] = (unsigned char)(x >> (8 * i));
    }
}

static PyObject *
signed_of(uint64_t x, Py_ssize_t n)
{
    int shift = (int)(64 - 8 * n);
    return PyLong_FromLong((long)(x << shift) >> shift);
}

static PyObject *
unpack_signed_little(const struct kr_codec *c, const unsigned char *p)
{
    return signed_of(load(p, c->size, false), c->size);
}

static PyObject *
unpack_signed_big(const struct kr_codec *c, const unsigned char *p)
{
    return signed_of(load(p, c->size, true), c->size);
}

static PyObject *
unpack_unsigned_little(const struct kr_codec *c, const unsigned char *p)
{
    return PyLong_FromUnsignedLong(load(p, c->size, false));
}

static PyObject *
unpack_unsigned_big(const struct kr_codec *c, const unsigned char *p)
{
    return PyLong_FromUnsignedLong(load(p, c->size, true));
}

/* The number as int object; new reference. */
static PyObject *
as_int(PyObject *v, PyObject *error)
{
    if (PyLong_Check(v)) {
        return Py_NewRef(v);
    }
    if (PyIndex_Check(v)) {
        PyObject *index = PyNumber_Index(v);
        if (index == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
            return NULL;
        }
        return index;
    }
    PyErr_SetString(error, "required argument is not an integer");
    return NULL;
}

static bool is_native(const struct kr_codec *c);

/* `wide`: not even a C long holds it. */
static int
range_error(const struct kr_codec *c, bool is_signed, bool wide,
            PyObject *error)
{
    if (wide) {
        PyErr_SetString(error, "argument out of range");
        return -1;
    }
    uint64_t top = is_signed ? ((uint64_t)1 << (8 * c->size - 1)) - 1
                             : ((uint64_t)1 << (8 * c->size)) - 1;
    if (c->size <= 2 && is_native(c)) {
        const char *kind = c->size == 1 ? "byte" : "short";
        PyErr_Format(error, "%s%s format requires %ld <= number <= %lu",
                     is_signed ? "" : "u", kind,
                     is_signed ? -(long)top - 1 : 0, top);
    }
    else if (is_signed) {
        PyErr_Format(error, "'%c' format requires %ld <= number <= %ld",
                     c->format, -(long)top - 1, (long)top);
    }
    else {
        PyErr_Format(error, "'%c' format requires 0 <= number <= %lu",
                     c->format, top);
    }
    return -1;
}

static int
pack_integer(const struct kr_codec *c, unsigned char *p, PyObject *v,
             PyObject *error, bool big, bool is_signed)
{
    PyObject *number = as_int(v, error);
    if (number == NULL) {
        return -1;
    }
    if (c->size == 8 && !is_native(c)) {
        int err = _PyLong_AsByteArray((PyLongObject *)number, p, 8, !big,
                                      is_signed);
        Py_DECREF(number);
        return err;
    }
    int overflow = 0;
    uint64_t x;
    bool fits, wide = false;
    if (is_signed || (c->size < 4 && is_native(c))) {
        long value = PyLong_AsLongAndOverflow(number, &overflow);
        if (value == -1 && !overflow && PyErr_Occurred()) {
            Py_DECREF(number);
            return -1;
        }
        x = (uint64_t)value;
        wide = overflow;
        if (c->size == 8) {
            fits = !overflow;
        }
        else if (is_signed) {
            long limit = 1L << (8 * c->size - 1);
            fits = !overflow && value >= -limit && value < limit;
        }
        else {
            fits = !overflow && value >= 0 && value >> (8 * c->size) == 0;
        }
    }
    else {
        x = PyLong_AsUnsignedLong(number);
        fits = !(x == (uint64_t)-1 && PyErr_Occurred());
        wide = !fits;
        if (!fits) {
            PyErr_Clear();
        }
        fits = fits && (c->size == 8 || x >> (8 * c->size) == 0);
    }
    Py_DECREF(number);
    if (!fits) {
        return range_error(c, is_signed, wide, error);
    }
    store(p, c->size, big, x);
    return 0;
}

#define PACK(name, big, is_signed)                                             \
    static int name(const struct kr_codec *c, unsigned char *p, PyObject *v,   \
                    PyObject *error)                                           \
    {                                                                          \
        return pack_integer(c, p, v, error, big, is_signed);                   \
    }

PACK(pack_signed_little, false, true)
PACK(pack_signed_big, true, true)
PACK(pack_unsigned_little, false, false)
PACK(pack_unsigned_big, true, false)

/* ---- the rest */

static PyObject *
unpack_char(const struct kr_codec *c, const unsigned char *p)
{
    return PyBytes_FromStringAndSize((const char *)p, 1);
}

static int
pack_char(const struct kr_codec *c, unsigned char *p, PyObject *v,
          PyObject *error)
{
    if (!PyBytes_Check(v) || PyBytes_GET_SIZE(v) != 1) {
        PyErr_SetString(error,
                        "char format requires a bytes object of length 1");
        return -1;
    }
    *p = (unsigned char)PyBytes_AS_STRING(v)[0];
    return 0;
}

static PyObject *
unpack_bool(const struct kr_codec *c, const unsigned char *p)
{
    return PyBool_FromLong(*p != 0);
}

static int
pack_bool(const struct kr_codec *c, unsigned char *p, PyObject *v,
          PyObject *error)
{
    int truth = PyObject_IsTrue(v);
    if (truth < 0) {
        return -1;
    }
    *p = (unsigned char)truth;
    return 0;
}

static PyObject *
unpack_float(const unsigned char *p, Py_ssize_t size, int little)
{
    double x = size == 2   ? PyFloat_Unpack2((const char *)p, little)
               : size == 4 ? PyFloat_Unpack4((const char *)p, little)
                           : PyFloat_Unpack8((const char *)p, little);
    return x == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(x);
}

static int
pack_float(unsigned char *p, PyObject *v, PyObject *error, Py_ssize_t size,
           int little)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) {
        PyErr_SetString(error, "required argument is not a float");
        return -1;
    }
    return size == 2   ? PyFloat_Pack2(x, (char *)p, little)
           : size == 4 ? PyFloat_Pack4(x, (char *)p, little)
                       : PyFloat_Pack8(x, (char *)p, little);
}

static PyObject *
unpack_float_little(const struct kr_codec *c, const unsigned char *p)
{
    return unpack_float(p, c->size, 1);
}

static PyObject *
unpack_float_big(const struct kr_codec *c, const unsigned char *p)
{
    return unpack_float(p, c->size, 0);
}

static int
pack_float_little(const struct kr_codec *c, unsigned char *p, PyObject *v,
                  PyObject *error)
{
    return pack_float(p, v, error, c->size, 1);
}

static int
pack_float_big(const struct kr_codec *c, unsigned char *p, PyObject *v,
               PyObject *error)
{
    return pack_float(p, v, error, c->size, 0);
}

/* A C float has no room for a large double. */
static int
pack_native_float(const struct kr_codec *c, unsigned char *p, PyObject *v,
                  PyObject *error)
{
    double d = PyFloat_AsDouble(v);
    if (d == -1.0 && PyErr_Occurred()) {
        PyErr_SetString(error, "required argument is not a float");
        return -1;
    }
    float x = (float)d;
    memcpy(p, &x, sizeof(x));
    return 0;
}

static PyObject *
unpack_pointer(const struct kr_codec *c, const unsigned char *p)
{
    void *x;
    memcpy(&x, p, sizeof(x));
    return PyLong_FromVoidPtr(x);
}

static int
pack_pointer(const struct kr_codec *c, unsigned char *p, PyObject *v,
             PyObject *error)
{
    PyObject *number = as_int(v, error);
    if (number == NULL) {
        return -1;
    }
    void *x = PyLong_AsVoidPtr(number);
    Py_DECREF(number);
    if (x == NULL && PyErr_Occurred()) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

/* ---- tables */

#define SIGNED(c, n, a, end)                                                   \
    {                                                                          \
        c, n, a, unpack_signed_##end, pack_signed_##end                        \
    }
#define UNSIGNED(c, n, a, end)                                                 \
    {                                                                          \
        c, n, a, unpack_unsigned_##end, pack_unsigned_##end                    \
    }
#define FLOAT(c, n, end)                                                       \
    {                                                                          \
        c, n, 0, unpack_float_##end, pack_float_##end                          \
    }
#define BYTES                                                                  \
    {'x', 1, 0, NULL, NULL}, {'s', 1, 0, NULL, NULL}, {'p', 1, 0, NULL, NULL}, \
        {'c', 1, 0, unpack_char, pack_char},                                   \
    {                                                                          \
        '?', 1, 0, unpack_bool, pack_bool                                      \
    }
#define STANDARD(end)                                                          \
    {                                                                          \
        BYTES, SIGNED('b', 1, 0, end), UNSIGNED('B', 1, 0, end),               \
            SIGNED('h', 2, 0, end), UNSIGNED('H', 2, 0, end),                  \
            SIGNED('i', 4, 0, end), UNSIGNED('I', 4, 0, end),                  \
            SIGNED('l', 4, 0, end), UNSIGNED('L', 4, 0, end),                  \
            SIGNED('q', 8, 0, end), UNSIGNED('Q', 8, 0, end),                  \
            FLOAT('e', 2, end), FLOAT('f', 4, end), FLOAT('d', 8, end), {0},   \
    }

static const struct kr_codec native[] = {
    BYTES,
    SIGNED('b', 1, 0, little),
    UNSIGNED('B', 1, 0, little),
    SIGNED('h', 2, 2, little),
    UNSIGNED('H', 2, 2, little),
    SIGNED('i', 4, 4, little),
    UNSIGNED('I', 4, 4, little),
    SIGNED('l', 8, 8, little),
    UNSIGNED('L', 8, 8, little),
    SIGNED('n', 8, 8, little),
    UNSIGNED('N', 8, 8, little),
    SIGNED('q', 8, 8, little),
    UNSIGNED('Q', 8, 8, little),
    {'e', 2, 2, unpack_float_little, pack_float_little},
    {'f', 4, 4, unpack_float_little, pack_native_float},
    {'d', 8, 8, unpack_float_little, pack_float_little},
    {'P', 8, 8, unpack_pointer, pack_pointer},
    {0},
};

static const struct kr_codec little[] = STANDARD(little);
static const struct kr_codec big[] = STANDARD(big);

static bool
is_native(const struct kr_codec *c)
{
    /* where order and size are the same, the messages are the native ones */
    return c->size == 1 || (c >= native && c < native + KR_ARRAY_LEN(native))
           || (c >= little && c < little + KR_ARRAY_LEN(little)
               && strchr("hHiIqQ", c->format) != NULL);
}

const struct kr_codec *
kr_codec_find(char order, char format)
{
    const struct kr_codec *c = order == '@' ? native
                               : order == '>' ? big
                                              : little;
    for (; c->format != 0; c++) {
        if (c->format == format) {
            return c;
        }
    }
    return NULL;
}
