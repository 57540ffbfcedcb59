/* The bytes type: construction, protocols, iterator. */
#define PY_SSIZE_T_CLEAN
#include "base/strsearch.h"
#include "memory/gc.h"
#include "objects/abstract/abstract.h"
#include "objects/args/named.h"
#include "objects/bytes/bytes.h"
#include "objects/bytes/internal.h"
#include "objects/ids.h"
#include "objects/object.h"

#include <Python.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* --- helpers of both types ------------------------------------------------------ */

Py_ssize_t
_PyBytes_Find(const char *haystack, Py_ssize_t len_haystack,
              const char *needle, Py_ssize_t len_needle, Py_ssize_t offset)
{
    Py_ssize_t hit = kr_find1((const uint8_t *)haystack, len_haystack,
                              (const uint8_t *)needle, len_needle);
    return hit < 0 ? hit : hit + offset;
}

Py_ssize_t
_PyBytes_ReverseFind(const char *haystack, Py_ssize_t len_haystack,
                     const char *needle, Py_ssize_t len_needle,
                     Py_ssize_t offset)
{
    Py_ssize_t hit = kr_rfind1((const uint8_t *)haystack, len_haystack,
                               (const uint8_t *)needle, len_needle);
    return hit < 0 ? hit : hit + offset;
}

void
_PyBytes_Repeat(char *dest, Py_ssize_t len_dest, const char *src,
                Py_ssize_t len_src)
{
    if (len_dest == 0) {
        return;
    }
    if (len_src == 1) {
        memset(dest, src[0], (size_t)len_dest);
        return;
    }
    if (src != dest) {
        memcpy(dest, src, (size_t)len_src);
    }
    for (Py_ssize_t done = len_src; done < len_dest;) {
        Py_ssize_t more = Py_MIN(done, len_dest - done);
        memcpy(dest + done, dest, (size_t)more);
        done += more;
    }
}

int
kr_bytes_value(PyObject *arg, int plural)
{
    int overflow;
    long value = PyLong_CheckExact(arg) ? PyLong_AsLongAndOverflow(arg,
                                                                   &overflow)
                                        : -2;
    if (value == -2) {
        PyObject *index = PyNumber_Index(arg);
        if (index == NULL) {
            return -1;
        }
        value = PyLong_AsLongAndOverflow(index, &overflow);
        Py_DECREF(index);
    }
    if (value < 0 || value > 255) {
        PyErr_SetString(PyExc_ValueError,
                        plural ? "bytes must be in range(0, 256)"
                               : "byte must be in range(0, 256)");
        return -1;
    }
    return (int)value;
}

PyObject *
kr_bytes_repr(PyObject *self, const char *prefix, const char *suffix)
{
    Py_ssize_t n, total = 3, single = 0, dbl = 0;
    const char *s = kr_bytes_view(self, &n);
    size_t pre = strlen(prefix), post = strlen(suffix);
    total += (Py_ssize_t)(pre + post);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        single += c == '\'';
        dbl += c == '"';
        Py_ssize_t size = c == '\\' || c == '\t' || c == '\n' || c == '\r' ? 2
                          : c < ' ' || c >= 0x7F ? 4 : 1;
        if (total > PY_SSIZE_T_MAX - size - 1) {
            PyErr_SetString(PyExc_OverflowError,
                            "bytes object is too large to make repr");
            return NULL;
        }
        total += size;
    }
    char quote = single > 0 && dbl == 0 ? '"' : '\'';
    /* a bytearray escapes single quotes even between double ones */
    int escape_single = quote == '\'' || PyByteArray_Check(self);
    if (escape_single) {
        total += single;
    }
    PyObject *result = PyUnicode_New(total, 127);
    if (result == NULL) {
        return NULL;
    }
    Py_UCS1 *p = PyUnicode_1BYTE_DATA(result);
    memcpy(p, prefix, pre);
    p += pre;
    *p++ = 'b';
    *p++ = (Py_UCS1)quote;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\\' || (c == '\'' && escape_single)) {
            *p++ = '\\';
            *p++ = c;
        }
        else if (c == '\t' || c == '\n' || c == '\r') {
            *p++ = '\\';
            *p++ = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
        }
        else if (c < ' ' || c >= 0x7F) {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = (Py_UCS1)Py_hexdigits[c >> 4];
            *p++ = (Py_UCS1)Py_hexdigits[c & 15];
        }
        else {
            *p++ = c;
        }
    }
    *p++ = (Py_UCS1)quote;
    memcpy(p, suffix, post);
    return result;
}

PyObject *
PyBytes_Repr(PyObject *obj, int smartquotes)
{
    if (smartquotes) {
        return kr_bytes_repr(obj, "", "");
    }
    /* never choose double quotes: hide that there are no other ones */
    PyObject *text = kr_bytes_repr(obj, "", "");
    if (text == NULL || PyUnicode_READ_CHAR(text, 1) == '\'') {
        return text;
    }
    PyObject *inner = PyUnicode_Substring(text, 2,
                                          PyUnicode_GET_LENGTH(text) - 1);
    Py_DECREF(text);
    PyObject *quote = PyUnicode_FromString("'");
    PyObject *escaped = PyUnicode_FromString("\\'");
    PyObject *body = NULL;
    if (inner != NULL && quote != NULL && escaped != NULL) {
        body = PyUnicode_Replace(inner, quote, escaped, -1);
    }
    Py_XDECREF(inner);
    Py_XDECREF(quote);
    Py_XDECREF(escaped);
    if (body == NULL) {
        return NULL;
    }
    text = PyUnicode_FromFormat("b'%U'", body);
    Py_DECREF(body);
    return text;
}

static int
warn_compare(PyObject *a, PyObject *b)
{
    if (!Py_BytesWarningFlag) {
        return 0;
    }
    if (PyUnicode_Check(a) || PyUnicode_Check(b)) {
        return PyErr_WarnEx(PyExc_BytesWarning,
                            PyByteArray_Check(a)
                                ? "Comparison between bytearray and string"
                                : "Comparison between bytes and string", 1);
    }
    if (PyLong_Check(a) || PyLong_Check(b)) {
        return PyErr_WarnEx(PyExc_BytesWarning,
                            "Comparison between bytes and int", 1);
    }
    return 0;
}

PyObject *
kr_bytes_richcompare(PyObject *a, PyObject *b, int op)
{
    Py_buffer va, vb;
    if (PyUnicode_Check(a) || PyUnicode_Check(b)) {
        if ((op == Py_EQ || op == Py_NE) && warn_compare(a, b) < 0) {
            return NULL;
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        PyBuffer_Release(&va);
        Py_RETURN_NOTIMPLEMENTED;
    }
    int c = 0;
    if (va.len != vb.len && (op == Py_EQ || op == Py_NE)) {
        c = 1;
    }
    else {
        c = memcmp(va.buf, vb.buf, (size_t)Py_MIN(va.len, vb.len));
        if (c == 0) {
            c = va.len < vb.len ? -1 : va.len > vb.len;
        }
    }
    PyBuffer_Release(&va);
    PyBuffer_Release(&vb);
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

/* --- join ----------------------------------------------------------------------- */

static PyObject *
join_items(PyObject *sep, PyObject *const *items, Py_ssize_t count,
           Py_buffer *views)
{
    Py_ssize_t total = 0, got = 0, sep_len;
    PyObject *result = NULL;
    kr_bytes_view(sep, &sep_len);
    for (; got < count; got++) {
        PyObject *item = items[got];
        if (PyBytes_CheckExact(item)) {
            views[got].obj = Py_NewRef(item);
            views[got].buf = PyBytes_AS_STRING(item);
            views[got].len = PyBytes_GET_SIZE(item);
        }
        else if (PyObject_GetBuffer(item, &views[got], PyBUF_SIMPLE) < 0) {
            if (PyErr_ExceptionMatches(PyExc_TypeError)) {
                PyErr_Format(PyExc_TypeError,
                             "sequence item %zd: expected a bytes-like "
                             "object, %.80s found",
                             got, Py_TYPE(item)->tp_name);
            }
            goto done;
        }
        Py_ssize_t add = views[got].len;
        if (got > 0 && add <= PY_SSIZE_T_MAX - sep_len) {
            add += sep_len;
        }
        if (add > PY_SSIZE_T_MAX - total) {
            PyErr_SetString(PyExc_OverflowError,
                            "join() result is too long");
            got++;
            goto done;
        }
        total += add;
    }
    result = kr_bytes_make(sep, NULL, total);
    if (result != NULL) {
        const char *s = kr_bytes_view(sep, &sep_len);
        char *out = kr_bytes_data(result);
        for (Py_ssize_t i = 0; i < count; i++) {
            if (i > 0 && sep_len > 0) {
                memcpy(out, s, (size_t)sep_len);
                out += sep_len;
            }
            memcpy(out, views[i].buf, (size_t)views[i].len);
            out += views[i].len;
        }
    }
done:
    for (Py_ssize_t i = 0; i < got; i++) {
        if (PyBytes_CheckExact(items[i])) {
            Py_DECREF(views[i].obj);
        }
        else {
            PyBuffer_Release(&views[i]);
        }
    }
    return result;
}

PyObject *
kr_bytes_join(PyObject *sep, PyObject *iterable)
{
    Py_buffer small[10], *views = small;
    PyObject *seq = PySequence_Fast(iterable, "can only join an iterable");
    if (seq == NULL) {
        return NULL;
    }
    /* buffers of foreign objects may run code that changes a list */
    PyObject *items = PySequence_Tuple(seq);
    Py_DECREF(seq);
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *result = NULL;
    if (n == 0) {
        result = kr_bytes_make(sep, NULL, 0);
    }
    else if (n == 1 && PyBytes_CheckExact(PyTuple_GET_ITEM(items, 0)) &&
             PyBytes_Check(sep)) {
        result = Py_NewRef(PyTuple_GET_ITEM(items, 0));
    }
    else if (n > (Py_ssize_t)KR_ARRAY_LEN(small) &&
             (views = PyMem_New(Py_buffer, n)) == NULL) {
        PyErr_NoMemory();
    }
    else {
        result = join_items(sep, &PyTuple_GET_ITEM(items, 0), n, views);
    }
    if (views != small) {
        PyMem_Free(views);
    }
    Py_DECREF(items);
    return result;
}

PyObject *
_PyBytes_Join(PyObject *sep, PyObject *x)
{
    return kr_bytes_join(sep, x);
}

/* --- protocols -------------------------------------------------------------------- */

static Py_ssize_t
bytes_length(PyObject *self)
{
    return Py_SIZE(self);
}

static PyObject *
bytes_str(PyObject *self)
{
    if (Py_BytesWarningFlag &&
        PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytes instance", 1) < 0) {
        return NULL;
    }
    return kr_bytes_repr(self, "", "");
}

static PyObject *
bytes_repr(PyObject *self)
{
    return kr_bytes_repr(self, "", "");
}

static PyObject *
bytes_repeat(PyObject *self, Py_ssize_t times)
{
    Py_ssize_t n = Py_SIZE(self);
    times = Py_MAX(times, 0);
    if (n > 0 && times > PY_SSIZE_T_MAX / n) {
        PyErr_SetString(PyExc_OverflowError, "repeated bytes are too long");
        return NULL;
    }
    if (n * times == n && PyBytes_CheckExact(self)) {
        return Py_NewRef(self);
    }
    /* never the shared b'': tracemalloc finds where the object was made */
    PyObject *result = kr_bytes_new(n * times);
    if (result != NULL) {
        _PyBytes_Repeat(PyBytes_AS_STRING(result), n * times,
                        PyBytes_AS_STRING(self), n);
    }
    return result;
}

static PyObject *
bytes_item(PyObject *self, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    return PyLong_FromLong((unsigned char)PyBytes_AS_STRING(self)[i]);
}

static PyObject *
bytes_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return bytes_item(self, i < 0 ? i + Py_SIZE(self) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "byte indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (n <= 0) {
        return PyBytes_FromStringAndSize("", 0);
    }
    const char *s = PyBytes_AS_STRING(self);
    if (step == 1) {
        if (n == Py_SIZE(self) && PyBytes_CheckExact(self)) {
            return Py_NewRef(self);
        }
        return PyBytes_FromStringAndSize(s + start, n);
    }
    if (n == 1) {
        return kr_bytes_char((unsigned char)s[start]);
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (result != NULL) {
        char *out = PyBytes_AS_STRING(result);
        for (Py_ssize_t i = 0; i < n; i++) {
            out[i] = s[start + i * step];
        }
    }
    return result;
}

static int
bytes_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, self, PyBytes_AS_STRING(self),
                             Py_SIZE(self), 1, flags);
}

static Py_hash_t
bytes_hash(PyObject *self)
{
    PyBytesObject *op = (PyBytesObject *)self;
    if (op->ob_shash == -1) {
        op->ob_shash = _Py_HashBytes(op->ob_sval, Py_SIZE(op));
    }
    return op->ob_shash;
}

static PyObject *
bytes_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyBytes_Check(a) || !PyBytes_Check(b)) {
        if ((op == Py_EQ || op == Py_NE) && warn_compare(a, b) < 0) {
            return NULL;
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t na = Py_SIZE(a), nb = Py_SIZE(b);
    const char *pa = PyBytes_AS_STRING(a), *pb = PyBytes_AS_STRING(b);
    if (op == Py_EQ || op == Py_NE) {
        int equal = a == b || (na == nb && memcmp(pa, pb, (size_t)na) == 0);
        return Py_NewRef(equal == (op == Py_EQ) ? Py_True : Py_False);
    }
    int c = memcmp(pa, pb, (size_t)Py_MIN(na, nb));
    if (c == 0) {
        c = na < nb ? -1 : na > nb;
    }
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

/* --- construction ------------------------------------------------------------------- */

/* Collects an iterable of ints. */
static PyObject *
from_iterator(PyObject *x)
{
    PyObject *it = PyObject_GetIter(x);
    if (it == NULL) {
        return NULL;
    }
    Py_ssize_t hint = PyObject_LengthHint(x, 64);
    if (hint < 0) {
        Py_DECREF(it);
        return NULL;
    }
    _PyBytesWriter w;
    _PyBytesWriter_Init(&w);
    char *out = _PyBytesWriter_Alloc(&w, hint);
    Py_ssize_t room = hint;
    if (out == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    w.overallocate = 1;
    PyObject *item;
    while ((item = PyIter_Next(it)) != NULL) {
        int value = kr_bytes_value(item, 1);
        Py_DECREF(item);
        if (value < 0) {
            goto fail;
        }
        if (room == 0) {
            out = _PyBytesWriter_Resize(&w, out, w.allocated + 1);
            if (out == NULL) {
                Py_DECREF(it);
                return NULL;
            }
            char *start = w.use_small_buffer ? w.small_buffer
                                             : PyBytes_AS_STRING(w.buffer);
            room = w.allocated - (out - start);
        }
        *out++ = (char)value;
        room--;
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        _PyBytesWriter_Dealloc(&w);
        return NULL;
    }
    return _PyBytesWriter_Finish(&w, out);
fail:
    Py_DECREF(it);
    _PyBytesWriter_Dealloc(&w);
    return NULL;
}

static PyObject *
from_sequence(PyObject *x)
{
    /* a list may shrink or grow while its items are converted */
    Py_ssize_t n = PySequence_Fast_GET_SIZE(x);
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t i = 0;
    for (; i < PySequence_Fast_GET_SIZE(x); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(x, i));
        int value = kr_bytes_value(item, 1);
        Py_DECREF(item);
        if (value < 0) {
            Py_DECREF(result);
            return NULL;
        }
        if (i >= n) {
            n = Py_MAX(PySequence_Fast_GET_SIZE(x), i + 1);
            if (_PyBytes_Resize(&result, n) < 0) {
                return NULL;
            }
        }
        PyBytes_AS_STRING(result)[i] = (char)value;
    }
    if (i == 1 && n == 1) {
        unsigned char c = (unsigned char)PyBytes_AS_STRING(result)[0];
        Py_DECREF(result);
        return kr_bytes_char(c);
    }
    _PyBytes_Resize(&result, i);
    return result;
}

PyObject *
PyBytes_FromObject(PyObject *x)
{
    if (x == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_CheckExact(x)) {
        return Py_NewRef(x);
    }
    if (PyObject_CheckBuffer(x)) {
        Py_buffer view;
        if (PyObject_GetBuffer(x, &view, PyBUF_FULL_RO) < 0) {
            return NULL;
        }
        PyObject *result = PyBytes_FromStringAndSize(NULL, view.len);
        if (result != NULL &&
            PyBuffer_ToContiguous(PyBytes_AS_STRING(result), &view, view.len,
                                  'C') < 0) {
            Py_CLEAR(result);
        }
        PyBuffer_Release(&view);
        return result;
    }
    if (PyList_CheckExact(x) || PyTuple_CheckExact(x)) {
        return from_sequence(x);
    }
    if (!PyUnicode_Check(x)) {
        PyObject *result = from_iterator(x);
        if (result != NULL || !PyErr_ExceptionMatches(PyExc_TypeError) ||
            Py_TYPE(x)->tp_iter != NULL || PySequence_Check(x)) {
            return result;
        }
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes",
                 Py_TYPE(x)->tp_name);
    return NULL;
}

/* bytes(x) without an encoding; NULL with an exception set. */
static PyObject *
from_argument(PyObject *x)
{
    PyObject *bytes = kr_bytes_by_method(x);
    if (bytes != NULL || PyErr_Occurred()) {
        return bytes;
    }
    if (PyUnicode_Check(x)) {
        PyErr_SetString(PyExc_TypeError,
                        "string argument without an encoding");
        return NULL;
    }
    if (PyIndex_Check(x)) {
        Py_ssize_t size = PyNumber_AsSsize_t(x, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
                return NULL;
            }
            PyErr_Clear(); /* not a count after all */
        }
        else if (size < 0) {
            PyErr_SetString(PyExc_ValueError, "negative count");
            return NULL;
        }
        else {
            PyObject *result = PyBytes_FromStringAndSize(NULL, size);
            if (result != NULL && size > 0) {
                memset(PyBytes_AS_STRING(result), 0, (size_t)size);
            }
            return result;
        }
    }
    return PyBytes_FromObject(x);
}

static PyObject *
bytes_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source", "encoding", "errors", NULL};
    PyObject *x = NULL, *bytes;
    const char *encoding = NULL, *errors = NULL;
    if (!kr_parse_tuple_named(args, kwargs, "|Oss:bytes", names, &x, &encoding,
                              &errors)) {
        return NULL;
    }
    if (x == NULL || encoding != NULL || errors != NULL) {
        if ((x == NULL && (encoding || errors)) ||
            (x != NULL && !PyUnicode_Check(x))) {
            PyErr_SetString(PyExc_TypeError,
                            encoding != NULL
                                ? "encoding without a string argument"
                                : "errors without a string argument");
            return NULL;
        }
        if (x != NULL && encoding == NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "string argument without an encoding");
            return NULL;
        }
        bytes = x == NULL ? PyBytes_FromStringAndSize(NULL, 0)
                          : PyUnicode_AsEncodedString(x, encoding, errors);
    }
    else {
        bytes = from_argument(x);
    }
    if (bytes == NULL || type == &PyBytes_Type) {
        return bytes;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    PyObject *self = type->tp_alloc(type, n);
    if (self != NULL) {
        memcpy(PyBytes_AS_STRING(self), PyBytes_AS_STRING(bytes),
               (size_t)n + 1);
        ((PyBytesObject *)self)->ob_shash = ((PyBytesObject *)bytes)->ob_shash;
    }
    Py_DECREF(bytes);
    return self;
}

/* --- own methods --------------------------------------------------------------------- */

static PyObject *
bytes_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(y#)", PyBytes_AS_STRING(self), Py_SIZE(self));
}

static PyObject *
bytes_dunder_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBytes_CheckExact(self)
               ? Py_NewRef(self)
               : PyBytes_FromStringAndSize(PyBytes_AS_STRING(self),
                                           Py_SIZE(self));
}

static PyObject *
bytes_fromhex(PyObject *type, PyObject *string)
{
    if (!PyUnicode_Check(string)) {
        _PyArg_BadArgument("fromhex", "argument", "str", string);
        return NULL;
    }
    PyObject *result = _PyBytes_FromHex(string, 0);
    if (result != NULL && type != (PyObject *)&PyBytes_Type) {
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    }
    return result;
}

static PyMethodDef bytes_methods[] = {
    {"__getnewargs__", bytes_getnewargs, METH_NOARGS, NULL},
    {"__bytes__", bytes_dunder_bytes, METH_NOARGS,
     "__bytes__($self, /)\n--\n\nReturn an exact bytes copy."},
    {"fromhex", bytes_fromhex, METH_O | METH_CLASS,
     "fromhex($type, string, /)\n--\n\n"
     "Make bytes from hexadecimal digits; spaces are skipped."},
    KR_BYTES_METHODS,
    {NULL},
};

static PyObject *
bytes_mod(PyObject *self, PyObject *args)
{
    if (!PyBytes_Check(self)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return kr_bytes_mod(self, args);
}

static PyNumberMethods bytes_as_number = {.nb_remainder = bytes_mod};

static PySequenceMethods bytes_as_sequence = {
    .sq_length = bytes_length,
    .sq_concat = kr_bytes_concat,
    .sq_repeat = bytes_repeat,
    .sq_item = bytes_item,
    .sq_contains = kr_bytes_contains,
};

static PyMappingMethods bytes_as_mapping = {
    .mp_length = bytes_length,
    .mp_subscript = bytes_subscript,
};

static PyBufferProcs bytes_as_buffer = {.bf_getbuffer = bytes_getbuffer};


PyTypeObject PyBytes_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytes",
    .tp_basicsize = offsetof(PyBytesObject, ob_sval) + 1,
    .tp_itemsize = sizeof(char),
    .tp_repr = bytes_repr,
    .tp_as_number = &bytes_as_number,
    .tp_as_sequence = &bytes_as_sequence,
    .tp_as_mapping = &bytes_as_mapping,
    .tp_hash = bytes_hash,
    .tp_str = bytes_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &bytes_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                Py_TPFLAGS_BYTES_SUBCLASS | Py_TPFLAGS_IMMUTABLETYPE |
                _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "bytes(iterable_of_ints) -> bytes\n"
              "bytes(string, encoding[, errors]) -> bytes\n"
              "bytes(bytes_or_buffer) -> immutable copy\n"
              "bytes(int) -> that many zero bytes\n"
              "bytes() -> empty bytes object",
    .tp_richcompare = bytes_richcompare,
    .tp_iter = kr_bytes_iter,
    .tp_methods = bytes_methods,
    .tp_new = bytes_new,
    .tp_free = PyObject_Del,
};
