/* The common part of % formatting; see percent.h. */
#include "objects/percent.h"

#include "objects/int/int.h"

void
kr_percent_init(struct kr_percent *p, int kind, const void *format,
                Py_ssize_t len, PyObject *args, int bytes)
{
    *p = (struct kr_percent){.kind = kind, .format = format, .len = len,
                             .args = args, .bytes = bytes};
    if (PyTuple_Check(args)) {
        p->arglen = PyTuple_GET_SIZE(args);
        p->argidx = 0;
    }
    else {
        p->arglen = -1;
        p->argidx = -2;
    }
    int is_text = PyUnicode_Check(args);
    if (bytes) {
        is_text |= PyBytes_Check(args) || PyByteArray_Check(args);
    }
    if (PyMapping_Check(args) && !PyTuple_Check(args) && !is_text) {
        p->dict = args;
    }
}

void
kr_percent_clear(struct kr_percent *p)
{
    if (p->args_owned) {
        Py_DECREF(p->args);
        p->args_owned = 0;
    }
}

PyObject *
kr_percent_next(struct kr_percent *p)
{
    if (p->argidx < p->arglen) {
        Py_ssize_t i = p->argidx++;
        return p->arglen < 0 ? p->args : PyTuple_GET_ITEM(p->args, i);
    }
    PyErr_SetString(PyExc_TypeError,
                    "not enough arguments for format string");
    return NULL;
}

int
kr_percent_finish(struct kr_percent *p)
{
    if (p->argidx < p->arglen && p->dict == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        p->bytes ? "not all arguments converted during bytes "
                                   "formatting"
                                 : "not all arguments converted during "
                                   "string formatting");
        return -1;
    }
    return 0;
}

/* The character at the position, which is moved; 0xFFFFFFFF at the end. */
static Py_UCS4
take(struct kr_percent *p)
{
    if (p->pos >= p->len) {
        p->pos++;
        return 0xFFFFFFFF;
    }
    return PyUnicode_READ(p->kind, p->format, p->pos++);
}

static int
read_key(struct kr_percent *p)
{
    Py_ssize_t start = p->pos;
    int depth = 1;
    if (p->dict == NULL) {
        PyErr_SetString(PyExc_TypeError, "format requires a mapping");
        return -1;
    }
    while (depth > 0) {
        Py_UCS4 c = take(p);
        if (c == 0xFFFFFFFF) {
            PyErr_SetString(PyExc_ValueError, "incomplete format key");
            return -1;
        }
        depth += (c == '(') - (c == ')');
    }
    Py_ssize_t n = p->pos - 1 - start;
    const char *s = (const char *)p->format + start * p->kind;
    PyObject *key = p->bytes ? PyBytes_FromStringAndSize(s, n)
                             : PyUnicode_FromKindAndData(p->kind, s, n);
    if (key == NULL) {
        return -1;
    }
    PyObject *value = PyObject_GetItem(p->dict, key);
    Py_DECREF(key);
    if (value == NULL) {
        return -1;
    }
    kr_percent_clear(p);
    p->args = value;
    p->args_owned = 1;
    p->arglen = -1;
    p->argidx = -2;
    return 0;
}

/* Digits, the first of which is c; returns the character after them. */
static int
read_digits(struct kr_percent *p, Py_UCS4 *c, Py_ssize_t max,
            Py_ssize_t *value, const char *message)
{
    *value = 0;
    while (*c >= '0' && *c <= '9') {
        int digit = (int)(*c - '0');
        if (*value > (max - digit) / 10) {
            PyErr_SetString(PyExc_ValueError, message);
            return -1;
        }
        *value = *value * 10 + digit;
        *c = take(p);
    }
    return 0;
}

static PyObject *
star(struct kr_percent *p)
{
    PyObject *v = kr_percent_next(p);
    if (v != NULL && !PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "* wants int");
        return NULL;
    }
    return v;
}

static int
read_width(struct kr_percent *p, struct kr_percent_spec *s, Py_UCS4 *c)
{
    if (*c == '*') {
        PyObject *v = star(p);
        if (v == NULL) {
            return -1;
        }
        s->width = PyLong_AsSsize_t(v);
        if (s->width == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (s->width < 0) {
            s->flags |= KR_PF_LJUST;
            s->width = -s->width;
        }
        *c = take(p);
        return 0;
    }
    if (*c >= '0' && *c <= '9') {
        return read_digits(p, c, PY_SSIZE_T_MAX, &s->width, "width too big");
    }
    return 0;
}

static int
read_precision(struct kr_percent *p, struct kr_percent_spec *s, Py_UCS4 *c)
{
    if (*c != '.') {
        return 0;
    }
    s->precision = 0;
    *c = take(p);
    if (*c == '*') {
        PyObject *v = star(p);
        if (v == NULL) {
            return -1;
        }
        s->precision = _PyLong_AsInt(v);
        if (s->precision == -1 && PyErr_Occurred()) {
            return -1;
        }
        s->precision = s->precision < 0 ? 0 : s->precision;
        *c = take(p);
        return 0;
    }
    Py_ssize_t value;
    if (read_digits(p, c, INT_MAX, &value,
                    p->bytes ? "prec too big" : "precision too big") < 0) {
        return -1;
    }
    s->precision = (int)value;
    return 0;
}

int
kr_percent_read(struct kr_percent *p, struct kr_percent_spec *s)
{
    /* 'z' (no negative zero) exists for bytes only */
    const char *flags = p->bytes ? "-+ #0z" : "-+ #0";
    *s = (struct kr_percent_spec){.width = -1, .precision = -1};
    Py_UCS4 c = take(p);
    if (c == '(') {
        if (read_key(p) < 0) {
            return -1;
        }
        c = take(p);
    }
    const char *hit;
    while (c < 128 && c != 0 && (hit = strchr(flags, (int)c)) != NULL) {
        s->flags |= 1 << (hit - flags);
        c = take(p);
    }
    if (read_width(p, s, &c) < 0 || read_precision(p, s, &c) < 0) {
        return -1;
    }
    if (c == 'h' || c == 'l' || c == 'L') {
        c = take(p);
    }
    if (c == 0xFFFFFFFF) {
        PyErr_SetString(PyExc_ValueError, "incomplete format");
        return -1;
    }
    s->ch = c;
    return 0;
}

int
kr_percent_unsupported(struct kr_percent *p, const struct kr_percent_spec *s)
{
    PyErr_Format(PyExc_ValueError,
                 "unsupported format character '%c' (0x%x) at index %zd",
                 s->ch > 31 && s->ch < 127 ? (int)s->ch : '?', (int)s->ch,
                 p->pos - 1);
    return -1;
}

/* --- numbers ---------------------------------------------------------------------- */

PyObject *
_PyUnicode_FormatLong(PyObject *val, int alt, int prec, int type)
{
    PyObject *text;
    Py_ssize_t skip = 0;
    switch (type) {
    case 'd':
    case 'i':
    case 'u':
        /* not str(val): a bool prints as number */
        text = PyLong_Type.tp_repr(val);
        break;
    case 'o':
        text = _PyLong_Format(val, 8);
        skip = 2;
        break;
    default:
        text = _PyLong_Format(val, 16);
        skip = 2;
        break;
    }
    if (text == NULL) {
        return NULL;
    }
    const char *s = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    int negative = s[0] == '-';
    s += negative;
    Py_ssize_t digits = n - negative - skip;
    Py_ssize_t zeros = prec > digits ? prec - digits : 0;
    if (!(zeros == 0 && (alt || skip == 0) && type != 'X')) {
        Py_ssize_t head = alt ? skip : 0;
        PyObject *out = PyUnicode_New(negative + head + zeros + digits, 127);
        if (out != NULL) {
            Py_UCS1 *p = PyUnicode_1BYTE_DATA(out);
            if (negative) {
                *p++ = '-';
            }
            memcpy(p, s, (size_t)head);
            memset(p + head, '0', (size_t)zeros);
            memcpy(p + head + zeros, s + skip, (size_t)digits);
            for (Py_ssize_t i = 0; type == 'X' && i < head + zeros + digits;
                 i++) {
                p[i] = Py_TOUPPER(p[i]);
            }
        }
        Py_SETREF(text, out);
    }
    return text;
}

PyObject *
kr_percent_integer(PyObject *v, const struct kr_percent_spec *spec)
{
    int type = (int)spec->ch;
    int integral = type == 'x' || type == 'o' || type == 'X';
    PyObject *number = NULL;
    if (PyLong_Check(v)) {
        number = Py_NewRef(v);
    }
    else if (PyNumber_Check(v)) {
        number = integral ? PyNumber_Index(v) : PyNumber_Long(v);
        if (number == NULL && !PyErr_ExceptionMatches(PyExc_TypeError)) {
            return NULL;
        }
    }
    if (number == NULL) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError,
                     integral ? "%%%c format: an integer is required, not "
                                "%.200s"
                              : "%%%c format: a real number is required, not "
                                "%.200s", type, Py_TYPE(v)->tp_name);
        return NULL;
    }
    PyObject *text = _PyUnicode_FormatLong(number,
                                           spec->flags & KR_PF_ALT,
                                           spec->precision, type);
    Py_DECREF(number);
    return text;
}

PyObject *
kr_percent_float(PyObject *v, const struct kr_percent_spec *spec)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    int precision = spec->precision < 0 ? 6 : spec->precision;
    int flags = spec->flags & KR_PF_ALT ? Py_DTSF_ALT : 0;
    if (spec->flags & KR_PF_NO_NEG_0) {
        flags |= Py_DTSF_NO_NEG_0;
    }
    char *s = PyOS_double_to_string(x, (char)spec->ch, precision, flags,
                                    NULL);
    if (s == NULL) {
        return NULL;
    }
    PyObject *text = _PyUnicode_FromASCII(s, (Py_ssize_t)strlen(s));
    PyMem_Free(s);
    return text;
}

void
kr_percent_lay_out(struct kr_percent_layout *out, const char *s,
                   Py_ssize_t len, const struct kr_percent_spec *spec,
                   int numeric)
{
    *out = (struct kr_percent_layout){.skip = 0};
    if (numeric) {
        if (len > 0 && (s[0] == '-' || s[0] == '+')) {
            out->prefix[out->prefix_len++] = s[0];
            out->skip = 1;
        }
        else if (spec->flags & KR_PF_SIGN) {
            out->prefix[out->prefix_len++] = '+';
        }
        else if (spec->flags & KR_PF_BLANK) {
            out->prefix[out->prefix_len++] = ' ';
        }
        if ((spec->flags & KR_PF_ALT) &&
            (spec->ch == 'x' || spec->ch == 'X' || spec->ch == 'o')) {
            out->prefix[out->prefix_len++] = s[out->skip++];
            out->prefix[out->prefix_len++] = s[out->skip++];
        }
    }
    Py_ssize_t total = out->prefix_len + len - out->skip;
    Py_ssize_t pad = spec->width > total ? spec->width - total : 0;
    if (spec->flags & KR_PF_LJUST) {
        out->right_spaces = pad;
    }
    else if (numeric && (spec->flags & KR_PF_ZERO)) {
        out->zeros = pad;
    }
    else {
        out->left_spaces = pad;
    }
}
