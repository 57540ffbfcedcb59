/* Py_BuildValue and the PyModule_Add* helpers: C values to objects. */
#include <Python.h>
#include <stdbool.h>
#include <string.h>

struct builder {
    const char *format;
    va_list *va;
    int ssize_t_clean;
};

static PyObject *make_value(struct builder *b);

/* Number of items before `endchar`, or -1 with SystemError. */
static Py_ssize_t
count_items(const char *format, char endchar)
{
    Py_ssize_t count = 0;
    int level = 0;
    for (; level > 0 || *format != endchar; format++) {
        switch (*format) {
        case '\0':
            PyErr_SetString(PyExc_SystemError,
                            "unmatched paren in format");
            return -1;
        case '(': case '[': case '{':
            count += level++ == 0;
            break;
        case ')': case ']': case '}':
            level--;
            break;
        case '#': case '&': case ',': case ':': case ' ': case '\t':
            break;
        default:
            count += level == 0;
        }
    }
    return count;
}

/* An item failed: takes the remaining values, so that those passed with "N"
 * are not lost, and moves past the end of the group. */
static void
discard_rest(struct builder *b, char endchar, Py_ssize_t n)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *v = make_value(b);
        if (v == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(v);
    }
    PyErr_Restore(type, value, tb);
    if (*b->format == endchar && endchar != '\0') {
        b->format++;
    }
}

static int
expect_end(struct builder *b, char endchar)
{
    if (*b->format != endchar) {
        PyErr_SetString(PyExc_SystemError, "Unmatched paren in format");
        return -1;
    }
    if (endchar != '\0') {
        b->format++;
    }
    return 0;
}

static PyObject *
make_sequence(struct builder *b, char endchar, Py_ssize_t n, bool is_list)
{
    PyObject *seq = n < 0 ? NULL : is_list ? PyList_New(n) : PyTuple_New(n);
    if (seq == NULL) {
        discard_rest(b, endchar, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = make_value(b);
        if (item == NULL) {
            discard_rest(b, endchar, n - i - 1);
            Py_DECREF(seq);
            return NULL;
        }
        if (is_list) {
            PyList_SET_ITEM(seq, i, item);
        }
        else {
            PyTuple_SET_ITEM(seq, i, item);
        }
    }
    if (expect_end(b, endchar) < 0) {
        Py_DECREF(seq);
        return NULL;
    }
    return seq;
}

static PyObject *
make_dict(struct builder *b, char endchar, Py_ssize_t n)
{
    if (n >= 0 && n % 2 != 0) {
        PyErr_SetString(PyExc_SystemError, "Bad dict format");
        discard_rest(b, endchar, n);
        return NULL;
    }
    PyObject *dict = n < 0 ? NULL : PyDict_New();
    if (dict == NULL) {
        discard_rest(b, endchar, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i += 2) {
        PyObject *key = make_value(b);
        if (key == NULL) {
            discard_rest(b, endchar, n - i - 1);
            Py_DECREF(dict);
            return NULL;
        }
        PyObject *value = make_value(b);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            discard_rest(b, endchar, n - i - 2);
            Py_DECREF(key);
            Py_XDECREF(value);
            Py_DECREF(dict);
            return NULL;
        }
        Py_DECREF(key);
        Py_DECREF(value);
    }
    if (expect_end(b, endchar) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}

/* Optional '#' behind a string code: the length, or -1 for "not given";
 * -2 with SystemError. */
static Py_ssize_t
take_length(struct builder *b)
{
    if (*b->format != '#') {
        return -1;
    }
    b->format++;
    if (!b->ssize_t_clean) {
        PyErr_SetString(
            PyExc_SystemError,
            "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
        (void)va_arg(*b->va, int);
        return -2;
    }
    return va_arg(*b->va, Py_ssize_t);
}

static PyObject *
make_text(struct builder *b, char code)
{
    const void *s = code == 'u' ? (const void *)va_arg(*b->va, wchar_t *)
                                : (const void *)va_arg(*b->va, char *);
    Py_ssize_t n = take_length(b);
    if (n == -2) {
        return NULL;
    }
    if (s == NULL) {
        Py_RETURN_NONE;
    }
    if (code == 'u') {
        return PyUnicode_FromWideChar(s, n);
    }
    if (n < 0) {
        size_t len = strlen(s);
        if (len > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError,
                            "string too long for Python string");
            return NULL;
        }
        n = (Py_ssize_t)len;
    }
    return code == 'y' ? PyBytes_FromStringAndSize(s, n)
                       : PyUnicode_FromStringAndSize(s, n);
}

static PyObject *
make_object(struct builder *b, char code)
{
    if (*b->format == '&') {
        b->format++;
        typedef PyObject *(*converter)(void *);
        converter convert = va_arg(*b->va, converter);
        void *arg = va_arg(*b->va, void *);
        return convert(arg);
    }
    PyObject *v = va_arg(*b->va, PyObject *);
    if (v != NULL) {
        return code == 'N' ? v : Py_NewRef(v);
    }
    if (!PyErr_Occurred()) {
        /* a call inside the arguments failed without an exception */
        PyErr_SetString(PyExc_SystemError,
                        "NULL object passed to Py_BuildValue");
    }
    return NULL;
}

static PyObject *
make_value(struct builder *b)
{
    for (;;) {
        char code = *b->format++;
        switch (code) {
        case '(':
            return make_sequence(b, ')', count_items(b->format, ')'), false);
        case '[':
            return make_sequence(b, ']', count_items(b->format, ']'), true);
        case '{':
            return make_dict(b, '}', count_items(b->format, '}'));
        case 'b': case 'B': case 'h': case 'i': case 'H':
            return PyLong_FromLong((long)va_arg(*b->va, int));
        case 'I':
            return PyLong_FromUnsignedLong(
                (unsigned long)va_arg(*b->va, unsigned int));
        case 'n':
            return PyLong_FromSsize_t(va_arg(*b->va, Py_ssize_t));
        case 'l':
            return PyLong_FromLong(va_arg(*b->va, long));
        case 'k':
            return PyLong_FromUnsignedLong(va_arg(*b->va, unsigned long));
        case 'L':
            return PyLong_FromLongLong(va_arg(*b->va, long long));
        case 'K':
            return PyLong_FromUnsignedLongLong(
                va_arg(*b->va, unsigned long long));
        case 'u': case 's': case 'z': case 'U': case 'y':
            return make_text(b, code);
        case 'f': case 'd':
            return PyFloat_FromDouble(va_arg(*b->va, double));
        case 'D':
            return PyComplex_FromCComplex(*va_arg(*b->va, Py_complex *));
        case 'c': {
            char c = (char)va_arg(*b->va, int);
            return PyBytes_FromStringAndSize(&c, 1);
        }
        case 'C':
            return PyUnicode_FromOrdinal(va_arg(*b->va, int));
        case 'N': case 'S': case 'O':
            return make_object(b, code);
        case ':': case ',': case ' ': case '\t':
            break;
        default:
            PyErr_SetString(PyExc_SystemError,
                            "bad format char passed to Py_BuildValue");
            return NULL;
        }
    }
}

static PyObject *
build(const char *format, va_list va, int ssize_t_clean)
{
    Py_ssize_t n = count_items(format, '\0');
    if (n < 0) {
        return NULL;
    }
    if (n == 0) {
        Py_RETURN_NONE;
    }
    va_list copy;
    va_copy(copy, va);
    struct builder b = {format, &copy, ssize_t_clean};
    PyObject *res =
        n == 1 ? make_value(&b) : make_sequence(&b, '\0', n, false);
    va_end(copy);
    return res;
}

#undef Py_BuildValue
#undef Py_VaBuildValue

PyObject *
Py_BuildValue(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *res = build(format, va, 0);
    va_end(va);
    return res;
}

PyAPI_FUNC(PyObject *) _Py_BuildValue_SizeT(const char *, ...);
PyObject *
_Py_BuildValue_SizeT(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *res = build(format, va, 1);
    va_end(va);
    return res;
}

PyObject *
Py_VaBuildValue(const char *format, va_list va)
{
    return build(format, va, 0);
}

PyObject *
_Py_VaBuildValue_SizeT(const char *format, va_list va)
{
    return build(format, va, 1);
}

/* Builds an argument vector: one item gives one argument unless it is a
 * parenthesised tuple. Returns `small` or a PyMem block of new references;
 * *nargs is their number. NULL on failure. */
PyAPI_FUNC(PyObject **) _Py_VaBuildStack(PyObject **, Py_ssize_t, const char *,
                                         va_list, Py_ssize_t *);
PyAPI_FUNC(PyObject **) _Py_VaBuildStack_SizeT(PyObject **, Py_ssize_t,
                                               const char *, va_list,
                                               Py_ssize_t *);
static PyObject **
build_stack(PyObject **small, Py_ssize_t small_len, const char *format,
            va_list va, Py_ssize_t *nargs, int ssize_t_clean)
{
    Py_ssize_t n = count_items(format, '\0');
    *nargs = 0;
    if (n < 0) {
        return NULL;
    }
    PyObject **stack = small;
    if (n > small_len) {
        stack = PyMem_Malloc((size_t)n * sizeof(*stack));
        if (stack == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    va_list copy;
    va_copy(copy, va);
    struct builder b = {format, &copy, ssize_t_clean};
    Py_ssize_t i;
    for (i = 0; i < n; i++) {
        stack[i] = make_value(&b);
        if (stack[i] == NULL) {
            break;
        }
    }
    if (i < n) {
        discard_rest(&b, '\0', n - i - 1);
        while (i > 0) {
            Py_DECREF(stack[--i]);
        }
        if (stack != small) {
            PyMem_Free(stack);
        }
        stack = NULL;
    }
    va_end(copy);
    *nargs = stack == NULL ? 0 : n;
    return stack;
}

PyObject **
_Py_VaBuildStack(PyObject **small, Py_ssize_t small_len, const char *format,
                 va_list va, Py_ssize_t *nargs)
{
    return build_stack(small, small_len, format, va, nargs, 0);
}

PyObject **
_Py_VaBuildStack_SizeT(PyObject **small, Py_ssize_t small_len,
                       const char *format, va_list va, Py_ssize_t *nargs)
{
    return build_stack(small, small_len, format, va, nargs, 1);
}

/* --- Filling modules ------------------------------------------------------ */

int
PyModule_AddObjectRef(PyObject *mod, const char *name, PyObject *value)
{
    if (!PyModule_Check(mod)) {
        PyErr_SetString(PyExc_TypeError,
                        "PyModule_AddObjectRef() first argument must be a "
                        "module");
        return -1;
    }
    if (value == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_SystemError,
                            "PyModule_AddObjectRef() must be called with an "
                            "exception raised if value is NULL");
        }
        return -1;
    }
    PyObject *dict = PyModule_GetDict(mod);
    if (dict == NULL) {
        PyErr_Format(PyExc_SystemError, "module '%s' has no __dict__",
                     PyModule_GetName(mod));
        return -1;
    }
    return PyDict_SetItemString(dict, name, value);
}

int
PyModule_AddObject(PyObject *mod, const char *name, PyObject *value)
{
    int res = PyModule_AddObjectRef(mod, name, value);
    if (res == 0) {
        Py_DECREF(value);
    }
    return res;
}

static int
add_new(PyObject *m, const char *name, PyObject *value)
{
    int res = PyModule_AddObjectRef(m, name, value);
    Py_XDECREF(value);
    return res;
}

int
PyModule_AddIntConstant(PyObject *m, const char *name, long value)
{
    return add_new(m, name, PyLong_FromLong(value));
}

int
PyModule_AddStringConstant(PyObject *m, const char *name, const char *value)
{
    return add_new(m, name, PyUnicode_FromString(value));
}

int
PyModule_AddType(PyObject *module, PyTypeObject *type)
{
    if (PyType_Ready(type) < 0) {
        return -1;
    }
    const char *dot = strrchr(type->tp_name, '.');
    const char *name = dot != NULL ? dot + 1 : type->tp_name;
    return PyModule_AddObjectRef(module, name, (PyObject *)type);
}
