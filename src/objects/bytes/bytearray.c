/* The bytearray type.
 *
 * The bytes live in ob_bytes[0..ob_alloc); the array begins at ob_start, so
 * that deleting from the front moves nothing. While a buffer is exported the
 * size cannot change. */
#define PY_SSIZE_T_CLEAN
#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/bytes/bytes.h"
#include "objects/bytes/internal.h"
#include "objects/ids.h"

#include <Python.h>

char _PyByteArray_empty_string[] = "";

#define BA(op) ((PyByteArrayObject *)(op))

static int
can_resize(PyByteArrayObject *self)
{
    if (self->ob_exports > 0) {
        PyErr_SetString(PyExc_BufferError,
                        "Existing exports of data: object cannot be re-sized");
        return 0;
    }
    return 1;
}

PyObject *
PyByteArray_FromStringAndSize(const char *bytes, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to "
                                           "PyByteArray_FromStringAndSize");
        return NULL;
    }
    if (size == PY_SSIZE_T_MAX) {
        return PyErr_NoMemory();
    }
    PyByteArrayObject *new = PyObject_New(PyByteArrayObject, &PyByteArray_Type);
    if (new == NULL) {
        return NULL;
    }
    new->ob_bytes = NULL;
    new->ob_alloc = 0;
    if (size > 0) {
        new->ob_alloc = size + 1;
        new->ob_bytes = PyObject_Malloc((size_t)new->ob_alloc);
        if (new->ob_bytes == NULL) {
            Py_SET_SIZE(new, 0);
            new->ob_start = NULL;
            new->ob_exports = 0;
            Py_DECREF(new);
            return PyErr_NoMemory();
        }
        if (bytes != NULL) {
            memcpy(new->ob_bytes, bytes, (size_t)size);
        }
        new->ob_bytes[size] = '\0';
    }
    Py_SET_SIZE(new, size);
    new->ob_start = new->ob_bytes;
    new->ob_exports = 0;
    return (PyObject *)new;
}

PyObject *
PyByteArray_FromObject(PyObject *input)
{
    return PyObject_CallOneArg((PyObject *)&PyByteArray_Type, input);
}

Py_ssize_t
PyByteArray_Size(PyObject *self)
{
    return PyByteArray_GET_SIZE(self);
}

char *
PyByteArray_AsString(PyObject *self)
{
    return PyByteArray_AS_STRING(self);
}

int
PyByteArray_Resize(PyObject *op, Py_ssize_t size)
{
    PyByteArrayObject *self = BA(op);
    size_t alloc = (size_t)self->ob_alloc, want = (size_t)size;
    size_t offset = (size_t)(self->ob_start - self->ob_bytes);
    if (size == Py_SIZE(self)) {
        return 0;
    }
    if (!can_resize(self)) {
        return -1;
    }
    if (size == PY_SSIZE_T_MAX) {
        PyErr_NoMemory();
        return -1;
    }
    if (want + offset + 1 <= alloc && want >= alloc / 2) {
        Py_SET_SIZE(self, size);
        self->ob_start[size] = '\0';
        return 0;
    }
    if (want + offset + 1 > alloc || want < alloc / 2) {
        alloc = want < (size_t)Py_SIZE(self) ? want + 1
                : want <= alloc * 9 / 8
                    ? want + (want >> 3) + (want < 9 ? 3 : 6)
                    : want + 1;
    }
    char *block;
    if (offset > 0) {
        block = PyObject_Malloc(alloc);
        if (block != NULL) {
            memcpy(block, self->ob_start,
                   Py_MIN(want, (size_t)Py_SIZE(self)));
            PyObject_Free(self->ob_bytes);
        }
    }
    else {
        block = PyObject_Realloc(self->ob_bytes, alloc);
    }
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->ob_bytes = self->ob_start = block;
    Py_SET_SIZE(self, size);
    self->ob_alloc = (Py_ssize_t)alloc;
    block[size] = '\0';
    return 0;
}

PyObject *
PyByteArray_Concat(PyObject *a, PyObject *b)
{
    Py_buffer va = {.len = -1}, vb = {.len = -1};
    PyObject *result = NULL;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0 ||
        PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s",
                     Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
    }
    else if (va.len > PY_SSIZE_T_MAX - vb.len) {
        PyErr_NoMemory();
    }
    else {
        result = PyByteArray_FromStringAndSize(NULL, va.len + vb.len);
        if (result != NULL) {
            char *out = PyByteArray_AS_STRING(result);
            memcpy(out, va.buf, (size_t)va.len);
            memcpy(out + va.len, vb.buf, (size_t)vb.len);
        }
    }
    if (va.len != -1) {
        PyBuffer_Release(&va);
    }
    if (vb.len != -1) {
        PyBuffer_Release(&vb);
    }
    return result;
}

/* --- buffer --------------------------------------------------------------------- */

static int
ba_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "bytearray_getbuffer: view==NULL argument is "
                        "obsolete");
        return -1;
    }
    if (PyBuffer_FillInfo(view, self, PyByteArray_AS_STRING(self),
                          Py_SIZE(self), 0, flags) < 0) {
        return -1;
    }
    BA(self)->ob_exports++;
    return 0;
}

static void
ba_releasebuffer(PyObject *self, Py_buffer *view)
{
    BA(self)->ob_exports--;
}

static void
ba_dealloc(PyObject *self)
{
    if (BA(self)->ob_exports > 0) {
        PyErr_SetString(PyExc_SystemError,
                        "deallocated bytearray object has exported buffers");
        PyErr_Print();
    }
    PyObject_Free(BA(self)->ob_bytes);
    Py_TYPE(self)->tp_free(self);
}

/* --- sequence -------------------------------------------------------------------- */

static Py_ssize_t
ba_length(PyObject *self)
{
    return Py_SIZE(self);
}

static PyObject *
ba_iconcat(PyObject *self, PyObject *other)
{
    Py_buffer view;
    if (PyObject_GetBuffer(other, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s",
                     Py_TYPE(other)->tp_name, Py_TYPE(self)->tp_name);
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(self), m = view.len;
    int rc = -1;
    if (n > PY_SSIZE_T_MAX - m) {
        PyErr_NoMemory();
    }
    else if (other == self) {
        /* its own buffer would forbid the resize */
        PyBuffer_Release(&view);
        if (PyByteArray_Resize(self, n + m) < 0) {
            return NULL;
        }
        memcpy(PyByteArray_AS_STRING(self) + n, PyByteArray_AS_STRING(self),
               (size_t)n);
        return Py_NewRef(self);
    }
    else {
        rc = PyByteArray_Resize(self, n + m);
    }
    if (rc == 0) {
        memcpy(PyByteArray_AS_STRING(self) + n, view.buf, (size_t)m);
    }
    PyBuffer_Release(&view);
    return rc < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
ba_repeat(PyObject *self, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(self);
    count = Py_MAX(count, 0);
    if (count > 0 && n > PY_SSIZE_T_MAX / count) {
        return PyErr_NoMemory();
    }
    PyObject *result = PyByteArray_FromStringAndSize(NULL, n * count);
    if (result != NULL && n * count != 0) {
        _PyBytes_Repeat(PyByteArray_AS_STRING(result), n * count,
                        PyByteArray_AS_STRING(self), n);
    }
    return result;
}

static PyObject *
ba_irepeat(PyObject *self, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(self);
    count = Py_MAX(count, 0);
    if (count > 0 && n > PY_SSIZE_T_MAX / count) {
        return PyErr_NoMemory();
    }
    if (PyByteArray_Resize(self, n * count) < 0) {
        return NULL;
    }
    char *s = PyByteArray_AS_STRING(self);
    _PyBytes_Repeat(s, n * count, s, n);
    return Py_NewRef(self);
}

static PyObject *
ba_item(PyObject *self, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        return NULL;
    }
    return PyLong_FromLong((unsigned char)PyByteArray_AS_STRING(self)[i]);
}

static PyObject *
ba_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return ba_item(self, i < 0 ? i + Py_SIZE(self) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "bytearray indices must be integers or slices, not "
                     "%.200s", Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    n = Py_MAX(n, 0);
    const char *s = PyByteArray_AS_STRING(self);
    if (step == 1) {
        return PyByteArray_FromStringAndSize(s + start, n);
    }
    PyObject *result = PyByteArray_FromStringAndSize(NULL, n);
    if (result != NULL) {
        char *out = PyByteArray_AS_STRING(result);
        for (Py_ssize_t i = 0; i < n; i++) {
            out[i] = s[start + i * step];
        }
    }
    return result;
}

/* Replaces [lo:hi] by n bytes that do not belong to self. */
static int
set_linear(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, const char *bytes,
           Py_ssize_t n)
{
    PyByteArrayObject *self = BA(op);
    Py_ssize_t size = Py_SIZE(self), growth = n - (hi - lo);
    if (growth < 0) {
        if (!can_resize(self)) {
            return -1;
        }
        if (lo == 0) {
            /* drop the head without moving the tail */
            self->ob_start -= growth;
        }
        else {
            char *s = self->ob_start;
            memmove(s + lo + n, s + hi, (size_t)(size - hi));
        }
        if (PyByteArray_Resize(op, size + growth) < 0) {
            if (lo == 0) {
                self->ob_start += growth;
            }
            return -1;
        }
    }
    else if (growth > 0) {
        if (size > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (PyByteArray_Resize(op, size + growth) < 0) {
            return -1;
        }
        char *s = self->ob_start;
        memmove(s + lo + n, s + hi, (size_t)(size - hi));
    }
    if (n > 0) {
        memcpy(PyByteArray_AS_STRING(op) + lo, bytes, (size_t)n);
    }
    return 0;
}

/* The value is converted before the index is looked at: the conversion may run
 * code that changes the length. */
static int
set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    int byte = value == NULL ? 0 : kr_bytes_value(value, 0);
    if (byte < 0) {
        return -1;
    }
    if (i < 0) {
        i += Py_SIZE(self);
    }
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        return -1;
    }
    if (value == NULL) {
        return set_linear(self, i, i + 1, NULL, 0);
    }
    PyByteArray_AS_STRING(self)[i] = (char)byte;
    return 0;
}

static int
ba_ass_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    return set_item(self, i, value);
}

static int
delete_stepped(PyObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    if (!can_resize(BA(self))) {
        return -1;
    }
    if (n == 0) {
        return 0;
    }
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    char *s = PyByteArray_AS_STRING(self);
    Py_ssize_t size = Py_SIZE(self), out = start;
    for (Py_ssize_t i = start, k = 0; i < size; i++) {
        if (k < n && i == start + k * step) {
            k++;
        }
        else {
            s[out++] = s[i];
        }
    }
    return PyByteArray_Resize(self, size - n);
}

static int
set_slice(PyObject *self, PyObject *key, const char *bytes, Py_ssize_t m,
          int deleting)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if ((step < 0 && start < stop) || (step > 0 && start > stop)) {
        stop = start;
    }
    if (step == 1) {
        return set_linear(self, start, stop, bytes, m);
    }
    if (deleting || m == 0) { /* assigning nothing deletes, too */
        return delete_stepped(self, start, step, n);
    }
    if (m != n) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign bytes of size %zd "
                     "to extended slice of size %zd", m, n);
        return -1;
    }
    char *s = PyByteArray_AS_STRING(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        s[start + i * step] = bytes[i];
    }
    return 0;
}

static int
ba_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return set_item(self, i, value);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "bytearray indices must be integers or slices, not "
                     "%.200s", Py_TYPE(key)->tp_name);
        return -1;
    }
    if (value == NULL) {
        return set_slice(self, key, NULL, 0, 1);
    }
    PyObject *source;
    if (value != self && PyByteArray_Check(value)) {
        source = Py_NewRef(value);
    }
    else {
        if (PyNumber_Check(value) || PyUnicode_Check(value)) {
            PyErr_SetString(PyExc_TypeError,
                            "can assign only bytes, buffers, or iterables of "
                            "ints in range(0, 256)");
            return -1;
        }
        source = PyByteArray_FromObject(value);
        if (source == NULL) {
            return -1;
        }
    }
    int rc = set_slice(self, key, PyByteArray_AS_STRING(source),
                       Py_SIZE(source), 0);
    Py_DECREF(source);
    return rc;
}

/* --- construction ------------------------------------------------------------------ */

static PyObject *ba_extend(PyObject *self, PyObject *iterable);

static int
fill_from(PyObject *self, PyObject *arg)
{
    if (PyIndex_Check(arg)) {
        Py_ssize_t count = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
        if (count == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
                return -1;
            }
            PyErr_Clear(); /* not a count after all */
        }
        else if (count < 0) {
            PyErr_SetString(PyExc_ValueError, "negative count");
            return -1;
        }
        else {
            if (count > 0) {
                if (PyByteArray_Resize(self, count) < 0) {
                    return -1;
                }
                memset(PyByteArray_AS_STRING(self), 0, (size_t)count);
            }
            return 0;
        }
    }
    if (PyObject_CheckBuffer(arg)) {
        Py_buffer view;
        if (PyObject_GetBuffer(arg, &view, PyBUF_FULL_RO) < 0) {
            return -1;
        }
        int rc = PyByteArray_Resize(self, view.len);
        if (rc == 0) {
            rc = PyBuffer_ToContiguous(PyByteArray_AS_STRING(self), &view,
                                       view.len, 'C');
        }
        PyBuffer_Release(&view);
        return rc;
    }
    PyObject *it = PyObject_GetIter(arg);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "cannot convert '%.200s' object to bytearray",
                         Py_TYPE(arg)->tp_name);
        }
        return -1;
    }
    PyObject *item;
    int rc = 0;
    while (rc == 0 && (item = PyIter_Next(it)) != NULL) {
        int byte = kr_bytes_value(item, 0);
        Py_DECREF(item);
        Py_ssize_t n = Py_SIZE(self);
        rc = byte < 0 ? -1 : PyByteArray_Resize(self, n + 1);
        if (rc == 0) {
            PyByteArray_AS_STRING(self)[n] = (char)byte;
        }
    }
    Py_DECREF(it);
    return rc < 0 || PyErr_Occurred() ? -1 : 0;
}

static int
ba_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source", "encoding", "errors", NULL};
    PyObject *arg = NULL;
    const char *encoding = NULL, *errors = NULL;
    if (!kr_parse_tuple_named(args, kwargs, "|Oss:bytearray", names, &arg,
                              &encoding, &errors)) {
        return -1;
    }
    if (Py_SIZE(self) != 0 && PyByteArray_Resize(self, 0) < 0) {
        return -1;
    }
    if (arg != NULL && PyUnicode_Check(arg)) {
        if (encoding == NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "string argument without an encoding");
            return -1;
        }
        PyObject *bytes = PyUnicode_AsEncodedString(arg, encoding, errors);
        PyObject *r = bytes == NULL ? NULL : ba_iconcat(self, bytes);
        Py_XDECREF(bytes);
        Py_XDECREF(r);
        return r == NULL ? -1 : 0;
    }
    if (encoding != NULL || errors != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        encoding != NULL
                            ? "encoding without a string argument"
                            : "errors without a string argument");
        return -1;
    }
    return arg == NULL ? 0 : fill_from(self, arg);
}

static PyObject *
ba_repr(PyObject *self)
{
    char prefix[128];
    const char *name = strrchr(Py_TYPE(self)->tp_name, '.');
    name = name != NULL ? name + 1 : Py_TYPE(self)->tp_name;
    if (strlen(name) + 2 <= sizeof(prefix)) {
        snprintf(prefix, sizeof(prefix), "%s(", name);
        return kr_bytes_repr(self, prefix, ")");
    }
    PyObject *inner = kr_bytes_repr(self, "", "");
    PyObject *text = inner == NULL ? NULL
                                   : PyUnicode_FromFormat("%s(%U)", name,
                                                          inner);
    Py_XDECREF(inner);
    return text;
}

static PyObject *
ba_str(PyObject *self)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    if (Py_BytesWarningFlag &&
        PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytearray instance", 1) <
            0) {
        return NULL;
    }
#pragma GCC diagnostic pop
    return ba_repr(self);
}

/* --- methods ------------------------------------------------------------------------ */

static PyObject *
ba_append(PyObject *self, PyObject *item)
{
    int byte = kr_bytes_value(item, 0);
    Py_ssize_t n = Py_SIZE(self);
    if (byte < 0) {
        return NULL;
    }
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "cannot add more objects to bytearray");
        return NULL;
    }
    if (PyByteArray_Resize(self, n + 1) < 0) {
        return NULL;
    }
    PyByteArray_AS_STRING(self)[n] = (char)byte;
    Py_RETURN_NONE;
}

static PyObject *
ba_insert(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *number = PyNumber_Index(args[0]);
    Py_ssize_t index = number == NULL ? -1 : PyLong_AsSsize_t(number);
    Py_XDECREF(number);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int byte = kr_bytes_value(args[1], 0);
    if (byte < 0) {
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(self);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "cannot add more objects to bytearray");
        return NULL;
    }
    index = index < 0 ? Py_MAX(index + n, 0) : Py_MIN(index, n);
    char value = (char)byte;
    if (set_linear(self, index, index, &value, 1) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
ba_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t index = -1;
    if (!_PyArg_CheckPositional("pop", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 1) {
        PyObject *number = PyNumber_Index(args[0]);
        index = number == NULL ? -1 : PyLong_AsSsize_t(number);
        Py_XDECREF(number);
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty bytearray");
        return NULL;
    }
    if (index < 0) {
        index += n;
    }
    if (index < 0 || index >= n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    int value = (unsigned char)PyByteArray_AS_STRING(self)[index];
    if (set_linear(self, index, index + 1, NULL, 0) < 0) {
        return NULL;
    }
    return PyLong_FromLong(value);
}

static PyObject *
ba_remove(PyObject *self, PyObject *item)
{
    int byte = kr_bytes_value(item, 0);
    if (byte < 0) {
        return NULL;
    }
    const char *s = PyByteArray_AS_STRING(self);
    const char *hit = memchr(s, byte, (size_t)Py_SIZE(self));
    if (hit == NULL) {
        PyErr_SetString(PyExc_ValueError, "value not found in bytearray");
        return NULL;
    }
    if (set_linear(self, hit - s, hit - s + 1, NULL, 0) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
ba_extend(PyObject *self, PyObject *iterable)
{
    if (PyObject_CheckBuffer(iterable)) {
        PyObject *r = ba_iconcat(self, iterable);
        Py_XDECREF(r);
        return r == NULL ? NULL : Py_NewRef(Py_None);
    }
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError, "can't extend bytearray with %.100s",
                         Py_TYPE(iterable)->tp_name);
        }
        return NULL;
    }
    /* collected first: the iterable may look at self */
    PyObject *more = NULL, *item;
    if (PyObject_LengthHint(iterable, 32) >= 0) {
        more = PyByteArray_FromStringAndSize(NULL, 0);
    }
    while (more != NULL && (item = PyIter_Next(it)) != NULL) {
        PyObject *r = ba_append(more, item);
        Py_DECREF(item);
        if (r == NULL) {
            Py_CLEAR(more);
        }
        Py_XDECREF(r);
    }
    Py_DECREF(it);
    if (more == NULL || PyErr_Occurred()) {
        Py_XDECREF(more);
        return NULL;
    }
    PyObject *r = ba_iconcat(self, more);
    Py_DECREF(more);
    Py_XDECREF(r);
    return r == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *
ba_clear(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyByteArray_Resize(self, 0) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
ba_copy(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyByteArray_FromStringAndSize(PyByteArray_AS_STRING(self),
                                         Py_SIZE(self));
}

static PyObject *
ba_reverse(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    char *s = PyByteArray_AS_STRING(self);
    for (Py_ssize_t i = 0, j = Py_SIZE(self) - 1; i < j; i++, j--) {
        char c = s[i];
        s[i] = s[j];
        s[j] = c;
    }
    Py_RETURN_NONE;
}

static PyObject *
ba_fromhex(PyObject *type, PyObject *string)
{
    if (!PyUnicode_Check(string)) {
        _PyArg_BadArgument("fromhex", "argument", "str", string);
        return NULL;
    }
    PyObject *result = _PyBytes_FromHex(string, 1);
    if (result != NULL && type != (PyObject *)&PyByteArray_Type) {
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    }
    return result;
}

static PyObject *
ba_alloc(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(BA(self)->ob_alloc);
}

static PyObject *
ba_sizeof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize +
                              BA(self)->ob_alloc);
}

static PyObject *
reduce(PyObject *self, int proto)
{
    PyObject *state = _PyObject_GetState(self);
    if (state == NULL) {
        return NULL;
    }
    const char *s = PyByteArray_AS_STRING(self);
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        return Py_BuildValue("(O()N)", Py_TYPE(self), state);
    }
    if (proto >= 3) {
        return Py_BuildValue("(O(y#)N)", Py_TYPE(self), s, n, state);
    }
    PyObject *text = PyUnicode_DecodeLatin1(s, n, NULL);
    if (text == NULL) {
        Py_DECREF(state);
        return NULL;
    }
    return Py_BuildValue("(O(Ns)N)", Py_TYPE(self), text, "latin-1", state);
}

static PyObject *
ba_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return reduce(self, 2);
}

static PyObject *
ba_reduce_ex(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    int proto = 0;
    if (!_PyArg_CheckPositional("__reduce_ex__", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 1) {
        proto = _PyLong_AsInt(args[0]);
        if (proto == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    return reduce(self, proto);
}

#define FAST(f) (PyCFunction)(void (*)(void))(f), METH_FASTCALL

static PyMethodDef ba_methods[] = {
    {"__alloc__", ba_alloc, METH_NOARGS,
     "B.__alloc__() -> int\n\nReturn the number of bytes allocated."},
    {"__reduce__", ba_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\nReturn state information for pickling."},
    {"__reduce_ex__", FAST(ba_reduce_ex),
     "__reduce_ex__($self, proto=0, /)\n--\n\n"
     "Return state information for pickling."},
    {"__sizeof__", ba_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nReturn the size in memory, in bytes."},
    {"append", ba_append, METH_O,
     "append($self, item, /)\n--\n\nAppend one byte."},
    {"clear", ba_clear, METH_NOARGS,
     "clear($self, /)\n--\n\nRemove all bytes."},
    {"copy", ba_copy, METH_NOARGS, "copy($self, /)\n--\n\nReturn a copy."},
    {"extend", ba_extend, METH_O,
     "extend($self, iterable_of_ints, /)\n--\n\nAppend all the bytes."},
    {"fromhex", ba_fromhex, METH_O | METH_CLASS,
     "fromhex($type, string, /)\n--\n\n"
     "Make a bytearray from hexadecimal digits; spaces are skipped."},
    {"insert", FAST(ba_insert),
     "insert($self, index, item, /)\n--\n\nInsert one byte before an index."},
    {"pop", FAST(ba_pop),
     "pop($self, index=-1, /)\n--\n\nRemove and return one byte."},
    {"remove", ba_remove, METH_O,
     "remove($self, value, /)\n--\n\nRemove the first such byte."},
    {"reverse", ba_reverse, METH_NOARGS,
     "reverse($self, /)\n--\n\nReverse the order in place."},
    KR_BYTES_METHODS,
    {NULL},
};

static PyObject *
ba_mod(PyObject *self, PyObject *args)
{
    if (!PyByteArray_Check(self)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return kr_bytes_mod(self, args);
}

static PyNumberMethods ba_as_number = {.nb_remainder = ba_mod};

static PySequenceMethods ba_as_sequence = {
    .sq_length = ba_length,
    .sq_concat = PyByteArray_Concat,
    .sq_repeat = ba_repeat,
    .sq_item = ba_item,
    .sq_ass_item = ba_ass_item,
    .sq_contains = kr_bytes_contains,
    .sq_inplace_concat = ba_iconcat,
    .sq_inplace_repeat = ba_irepeat,
};

static PyMappingMethods ba_as_mapping = {
    .mp_length = ba_length,
    .mp_subscript = ba_subscript,
    .mp_ass_subscript = ba_ass_subscript,
};

static PyBufferProcs ba_as_buffer = {
    .bf_getbuffer = ba_getbuffer,
    .bf_releasebuffer = ba_releasebuffer,
};


PyTypeObject PyByteArray_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytearray",
    .tp_basicsize = sizeof(PyByteArrayObject),
    .tp_dealloc = ba_dealloc,
    .tp_repr = ba_repr,
    .tp_as_number = &ba_as_number,
    .tp_as_sequence = &ba_as_sequence,
    .tp_as_mapping = &ba_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_str = ba_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &ba_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                Py_TPFLAGS_IMMUTABLETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "bytearray(iterable_of_ints) -> bytearray\n"
              "bytearray(string, encoding[, errors]) -> bytearray\n"
              "bytearray(bytes_or_buffer) -> mutable copy\n"
              "bytearray(int) -> that many zero bytes\n"
              "bytearray() -> empty bytearray",
    .tp_richcompare = kr_bytes_richcompare,
    .tp_iter = kr_bytearray_iter,
    .tp_methods = ba_methods,
    .tp_init = ba_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_Del,
};
