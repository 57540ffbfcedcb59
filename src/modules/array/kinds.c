/* The type codes of arrays, and the machine formats they are pickled in. */
#include "modules/array/array.h"

#include <string.h>

#define LOAD(type)                                                             \
    type x;                                                                    \
    memcpy(&x, p, sizeof(x))

#define SIGNED(name, type)                                                     \
    static PyObject *get_##name(const char *p)                                 \
    {                                                                          \
        LOAD(type);                                                            \
        return PyLong_FromLong(x);                                             \
    }
#define UNSIGNED(name, type)                                                   \
    static PyObject *get_##name(const char *p)                                 \
    {                                                                          \
        LOAD(type);                                                            \
        return PyLong_FromUnsignedLong(x);                                     \
    }

SIGNED(b, signed char)
SIGNED(h, short)
SIGNED(i, int)
SIGNED(l, long)
UNSIGNED(B, unsigned char)
UNSIGNED(H, unsigned short)
UNSIGNED(I, unsigned int)
UNSIGNED(L, unsigned long)

static int
range_error(const char *text)
{
    PyErr_SetString(PyExc_OverflowError, text);
    return -1;
}

static int
set_b(char *p, PyObject *v)
{
    /* in steps, as the messages of the reference come from two places */
    short x;
    if (!PyArg_Parse(v, "h;array item must be integer", &x)) {
        return -1;
    }
    if (x < -128) {
        return range_error("signed char is less than minimum");
    }
    if (x > 127) {
        return range_error("signed char is greater than maximum");
    }
    *p = (char)x;
    return 0;
}

static int
set_B(char *p, PyObject *v)
{
    unsigned char x;
    if (!PyArg_Parse(v, "b;array item must be integer", &x)) {
        return -1;
    }
    *p = (char)x;
    return 0;
}

static int
set_h(char *p, PyObject *v)
{
    short x;
    if (!PyArg_Parse(v, "h;array item must be integer", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

static int
set_H(char *p, PyObject *v)
{
    int x;
    if (!PyArg_Parse(v, "i;array item must be integer", &x)) {
        return -1;
    }
    if (x < 0) {
        return range_error("unsigned short is less than minimum");
    }
    if (x > USHRT_MAX) {
        return range_error("unsigned short is greater than maximum");
    }
    unsigned short s = (unsigned short)x;
    memcpy(p, &s, sizeof(s));
    return 0;
}

static int
set_i(char *p, PyObject *v)
{
    int x;
    if (!PyArg_Parse(v, "i;array item must be integer", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

static int
set_l(char *p, PyObject *v)
{
    long x;
    if (!PyArg_Parse(v, "l;array item must be integer", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

static int
set_q(char *p, PyObject *v)
{
    long long x;
    if (!PyArg_Parse(v, "L;array item must be integer", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

/* An unsigned number that may be given by __index__. */
static int
get_unsigned(PyObject *v, unsigned long *x)
{
    PyObject *number = PyLong_Check(v) ? Py_NewRef(v) : PyNumber_Index(v);
    if (number == NULL) {
        return -1;
    }
    *x = PyLong_AsUnsignedLong(number);
    Py_DECREF(number);
    return *x == (unsigned long)-1 && PyErr_Occurred() ? -1 : 0;
}

static int
set_I(char *p, PyObject *v)
{
    unsigned long x;
    if (get_unsigned(v, &x) < 0) {
        return -1;
    }
    if (x > UINT_MAX) {
        return range_error("unsigned int is greater than maximum");
    }
    unsigned int y = (unsigned int)x;
    memcpy(p, &y, sizeof(y));
    return 0;
}

static int
set_L(char *p, PyObject *v)
{
    unsigned long x;
    if (get_unsigned(v, &x) < 0) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

static PyObject *
get_u(const char *p)
{
    LOAD(wchar_t);
    return PyUnicode_FromOrdinal((int)x);
}

static int
set_u(char *p, PyObject *v)
{
    if (!PyUnicode_Check(v)) {
        PyErr_Format(PyExc_TypeError,
                     "array item must be a unicode character, not %.200s",
                     Py_TYPE(v)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(v) < 0) {
        return -1;
    }
    if (PyUnicode_GET_LENGTH(v) != 1) {
        PyErr_SetString(PyExc_TypeError,
                        "array item must be a unicode character, not str");
        return -1;
    }
    wchar_t x = (wchar_t)PyUnicode_READ_CHAR(v, 0);
    memcpy(p, &x, sizeof(x));
    return 0;
}

static PyObject *
get_f(const char *p)
{
    LOAD(float);
    return PyFloat_FromDouble(x);
}

static int
set_f(char *p, PyObject *v)
{
    float x;
    if (!PyArg_Parse(v, "f;array item must be float", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

static PyObject *
get_d(const char *p)
{
    LOAD(double);
    return PyFloat_FromDouble(x);
}

static int
set_d(char *p, PyObject *v)
{
    double x;
    if (!PyArg_Parse(v, "d;array item must be float", &x)) {
        return -1;
    }
    memcpy(p, &x, sizeof(x));
    return 0;
}

const struct kr_array_kind kr_array_kinds[] = {
    {'b', 1, true, true, "b", get_b, set_b},
    {'B', 1, true, false, "B", get_B, set_B},
    {'u', 4, false, false, "w", get_u, set_u},
    {'h', 2, true, true, "h", get_h, set_h},
    {'H', 2, true, false, "H", get_H, set_H},
    {'i', 4, true, true, "i", get_i, set_i},
    {'I', 4, true, false, "I", get_I, set_I},
    {'l', 8, true, true, "l", get_l, set_l},
    {'L', 8, true, false, "L", get_L, set_L},
    {'q', 8, true, true, "q", get_l, set_q},
    {'Q', 8, true, false, "Q", get_L, set_L},
    {'f', 4, false, false, "f", get_f, set_f},
    {'d', 8, false, false, "d", get_d, set_d},
    {0},
};

/* ---- machine formats: 2 of one byte, then (size, sign, order), then
 * floating point and characters */

static const struct kr_array_machine machines[] = {
    {1, false, false}, {1, true, false},  {2, false, false}, {2, false, true},
    {2, true, false},  {2, true, true},   {4, false, false}, {4, false, true},
    {4, true, false},  {4, true, true},   {8, false, false}, {8, false, true},
    {8, true, false},  {8, true, true},   {4, false, false}, {4, false, true},
    {8, false, false}, {8, false, true},  {4, false, false}, {4, false, true},
    {8, false, false}, {8, false, true},
};

struct kr_array_machine
kr_array_machine(int code)
{
    struct kr_array_machine m = machines[code];
    if (code == KR_MACHINE_UTF16_LE || code == KR_MACHINE_UTF16_BE) {
        m.size = 2;
    }
    else if (code == KR_MACHINE_UTF32_LE || code == KR_MACHINE_UTF32_BE) {
        m.size = 4;
    }
    return m;
}

const struct kr_array_kind *
kr_array_find_kind(int typecode)
{
    const struct kr_array_kind *kind = kr_array_kinds;
    while (kind->typecode != 0 && kind->typecode != typecode) {
        kind++;
    }
    return kind->typecode ? kind : NULL;
}

int
kr_array_machine_of(const struct kr_array_kind *kind)
{
    switch (kind->typecode) {
    case 'u':
        return KR_MACHINE_UTF32_LE;
    case 'f':
        return KR_MACHINE_FLOAT_LE;
    case 'd':
        return KR_MACHINE_DOUBLE_LE;
    }
    for (int code = 0; code < KR_MACHINE_FLOAT_LE; code++) {
        if (machines[code].size == kind->itemsize
            && machines[code].is_signed == kind->is_signed
            && !machines[code].big_endian) {
            return code;
        }
    }
    return KR_MACHINE_UNKNOWN;
}

PyObject *
kr_array_decode(int code, PyObject *bytes)
{
    struct kr_array_machine m = kr_array_machine(code);
    const char *p = PyBytes_AS_STRING(bytes);
    if (code >= KR_MACHINE_UTF16_LE) {
        int order = m.big_endian ? 1 : -1;
        return m.size == 2
                   ? PyUnicode_DecodeUTF16(p, PyBytes_GET_SIZE(bytes),
                                           "strict", &order)
                   : PyUnicode_DecodeUTF32(p, PyBytes_GET_SIZE(bytes),
                                           "strict", &order);
    }
    Py_ssize_t n = PyBytes_GET_SIZE(bytes) / m.size;
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++, p += m.size) {
        PyObject *item;
        if (code >= KR_MACHINE_FLOAT_LE) {
            item = PyFloat_FromDouble(
                m.size == 4 ? PyFloat_Unpack4(p, !m.big_endian)
                            : PyFloat_Unpack8(p, !m.big_endian));
        }
        else {
            item = _PyLong_FromByteArray((const unsigned char *)p,
                                         (size_t)m.size, !m.big_endian,
                                         m.is_signed);
        }
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}
