/* PyUnicode_FromFormat: C-style formats with object conversions. */
#include <Python.h>
#include <stdarg.h>

#include "objects/str/str.h"

struct spec {
    int zero_pad;
    Py_ssize_t width, precision; /* -1: none */
    enum { PLAIN, LONG, LONGLONG, SIZE } size;
};

/* Reads a run of digits; -1 on overflow. */
static Py_ssize_t
read_number(const char **f)
{
    Py_ssize_t value = 0;
    while (Py_ISDIGIT(**f)) {
        int digit = **f - '0';
        if (value > (PY_SSIZE_T_MAX - digit) / 10) {
            return -1;
        }
        value = value * 10 + digit;
        (*f)++;
    }
    return value;
}

static int
read_spec(const char **f, struct spec *s)
{
    *s = (struct spec){0, -1, -1, PLAIN};
    if (**f == '0') {
        s->zero_pad = 1;
        (*f)++;
    }
    if (Py_ISDIGIT(**f)) {
        s->width = read_number(f);
        if (s->width < 0) {
            PyErr_SetString(PyExc_ValueError, "width too big");
            return -1;
        }
    }
    if (**f == '.') {
        (*f)++;
        if (Py_ISDIGIT(**f)) {
            s->precision = read_number(f);
            if (s->precision < 0) {
                PyErr_SetString(PyExc_ValueError, "precision too big");
                return -1;
            }
        }
        if (**f == '%') {
            /* "%.3%s" means "%.3" followed by "%s" */
            (*f)--;
        }
    }
    const char *p = *f;
    if (*p == 'l') {
        if (p[1] == 'd' || p[1] == 'u' || p[1] == 'i') {
            s->size = LONG;
            (*f)++;
        }
        else if (p[1] == 'l' &&
                 (p[2] == 'd' || p[2] == 'u' || p[2] == 'i')) {
            s->size = LONGLONG;
            *f += 2;
        }
    }
    else if (*p == 'z' && (p[1] == 'd' || p[1] == 'u' || p[1] == 'i')) {
        s->size = SIZE;
        (*f)++;
    }
    return 0;
}

static int
write_str(_PyUnicodeWriter *w, PyObject *str, Py_ssize_t width,
          Py_ssize_t precision)
{
    if (PyUnicode_READY(str) < 0) {
        return -1;
    }
    Py_ssize_t n = STR_LEN(str);
    if (precision >= 0 && precision < n) {
        n = precision;
    }
    Py_ssize_t fill = width > n ? width - n : 0;
    if (fill > 0) {
        if (_PyUnicodeWriter_Prepare(w, fill, 127) < 0) {
            return -1;
        }
        kr_str_fill(w->kind, w->data, w->pos, fill, ' ');
        w->pos += fill;
    }
    return _PyUnicodeWriter_WriteSubstring(w, str, 0, n);
}

static int
write_owned(_PyUnicodeWriter *w, PyObject *str, const struct spec *s)
{
    if (str == NULL) {
        return -1;
    }
    int rc = write_str(w, str, s->width, s->precision);
    Py_DECREF(str);
    return rc;
}

static int
write_cstr(_PyUnicodeWriter *w, const char *text, const struct spec *s)
{
    size_t n = s->precision < 0 ? strlen(text)
                                : strnlen(text, (size_t)s->precision);
    PyObject *str = PyUnicode_DecodeUTF8Stateful(text, (Py_ssize_t)n,
                                                 "replace", NULL);
    return write_owned(w, str, s);
}

static int
write_number(_PyUnicodeWriter *w, char conversion, const struct spec *s,
             va_list *vargs)
{
    char buf[32];
    int n;
    if (conversion == 'x') {
        n = sprintf(buf, "%x", va_arg(*vargs, unsigned int));
    }
    else if (conversion == 'u') {
        n = s->size == LONG ? sprintf(buf, "%lu", va_arg(*vargs, unsigned long))
            : s->size == LONGLONG
                ? sprintf(buf, "%llu", va_arg(*vargs, unsigned long long))
            : s->size == SIZE ? sprintf(buf, "%zu", va_arg(*vargs, size_t))
                              : sprintf(buf, "%u",
                                        va_arg(*vargs, unsigned int));
    }
    else {
        n = s->size == LONG       ? sprintf(buf, "%ld", va_arg(*vargs, long))
            : s->size == LONGLONG ? sprintf(buf, "%lld",
                                            va_arg(*vargs, long long))
            : s->size == SIZE     ? sprintf(buf, "%zd",
                                            va_arg(*vargs, Py_ssize_t))
                                  : sprintf(buf, "%d", va_arg(*vargs, int));
    }
    Py_ssize_t precision = Py_MAX(s->precision, n);
    Py_ssize_t width = Py_MAX(s->width, precision);
    if (_PyUnicodeWriter_Prepare(w, width, 127) < 0) {
        return -1;
    }
    if (width > precision) {
        Py_ssize_t fill = width - precision;
        kr_str_fill(w->kind, w->data, w->pos, fill, s->zero_pad ? '0' : ' ');
        w->pos += fill;
    }
    if (precision > n) {
        kr_str_fill(w->kind, w->data, w->pos, precision - n, '0');
        w->pos += precision - n;
    }
    return _PyUnicodeWriter_WriteASCIIString(w, buf, n);
}

static int
write_pointer(_PyUnicodeWriter *w, void *pointer)
{
    char buf[32];
    int n = snprintf(buf, sizeof(buf), "0x%lx", (unsigned long)pointer);
    return _PyUnicodeWriter_WriteASCIIString(w, buf, n);
}

static int
write_char(_PyUnicodeWriter *w, int ordinal)
{
    if (ordinal < 0 || ordinal > 0x10FFFF) {
        PyErr_SetString(PyExc_OverflowError,
                        "character argument not in range(0x110000)");
        return -1;
    }
    return _PyUnicodeWriter_WriteChar(w, (Py_UCS4)ordinal);
}

/* One conversion; `f` is after its '%'. Returns the position after it, NULL on
 * error. */
static const char *
write_conversion(_PyUnicodeWriter *w, const char *f, va_list *vargs)
{
    const char *start = f - 1;
    struct spec s;
    if (read_spec(&f, &s) < 0) {
        return NULL;
    }
    int rc;
    switch (*f) {
    case 'c':
        rc = write_char(w, va_arg(*vargs, int));
        break;
    case 'i':
    case 'd':
    case 'u':
    case 'x':
        rc = write_number(w, *f, &s, vargs);
        break;
    case 'p':
        rc = write_pointer(w, va_arg(*vargs, void *));
        break;
    case 's':
        rc = write_cstr(w, va_arg(*vargs, const char *), &s);
        break;
    case 'U':
        rc = write_str(w, va_arg(*vargs, PyObject *), s.width, s.precision);
        break;
    case 'V': {
        PyObject *obj = va_arg(*vargs, PyObject *);
        const char *text = va_arg(*vargs, const char *);
        rc = obj != NULL ? write_str(w, obj, s.width, s.precision)
                         : write_cstr(w, text, &s);
        break;
    }
    case 'S':
        rc = write_owned(w, PyObject_Str(va_arg(*vargs, PyObject *)), &s);
        break;
    case 'R':
        rc = write_owned(w, PyObject_Repr(va_arg(*vargs, PyObject *)), &s);
        break;
    case 'A':
        rc = write_owned(w, PyObject_ASCII(va_arg(*vargs, PyObject *)), &s);
        break;
    case '%':
        rc = _PyUnicodeWriter_WriteChar(w, '%');
        break;
    default: {
        /* not a conversion: the rest is copied as it is */
        Py_ssize_t n = (Py_ssize_t)strlen(start);
        rc = _PyUnicodeWriter_WriteLatin1String(w, start, n);
        return rc < 0 ? NULL : start + n;
    }
    }
    return rc < 0 ? NULL : f + 1;
}

PyObject *
PyUnicode_FromFormatV(const char *format, va_list vargs)
{
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = (Py_ssize_t)strlen(format) + 100;
    w.overallocate = 1;
    va_list copy;
    va_copy(copy, vargs);
    const char *f = format;
    while (f != NULL && *f != '\0') {
        if (*f == '%') {
            f = write_conversion(&w, f + 1, &copy);
            continue;
        }
        const char *p = f;
        while (*p != '\0' && *p != '%') {
            if ((unsigned char)*p > 127) {
                PyErr_Format(PyExc_ValueError,
                             "PyUnicode_FromFormatV() expects an ASCII-encoded "
                             "format string, got a non-ASCII byte: 0x%02x",
                             (unsigned char)*p);
                goto fail;
            }
            p++;
        }
        if (*p == '\0') {
            w.overallocate = 0;
        }
        if (_PyUnicodeWriter_WriteASCIIString(&w, f, p - f) < 0) {
            goto fail;
        }
        f = p;
    }
    if (f == NULL) {
        goto fail;
    }
    va_end(copy);
    return _PyUnicodeWriter_Finish(&w);
fail:
    va_end(copy);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *
PyUnicode_FromFormat(const char *format, ...)
{
    va_list vargs;
    va_start(vargs, format);
    PyObject *result = PyUnicode_FromFormatV(format, vargs);
    va_end(vargs);
    return result;
}
