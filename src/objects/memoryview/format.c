/* Items of memoryviews: reading, writing, copying, comparing, casting. */
#include <Python.h>

#include <string.h>

#include "objects/memoryview/memoryview.h"
#include "objects/unpack.h"

/* ---- single items */

char
kr_mv_native_char(const char *format, Py_ssize_t *size)
{
    static const struct {
        char c;
        unsigned char size;
    } sizes[] = {
        {'c', 1}, {'b', 1}, {'B', 1}, {'?', 1}, {'h', 2}, {'H', 2},
        {'i', 4}, {'I', 4}, {'l', 8}, {'L', 8}, {'q', 8}, {'Q', 8},
        {'n', 8}, {'N', 8}, {'f', 4}, {'d', 8}, {'e', 2}, {'P', 8},
    };
    if (format[0] == '@') {
        format++;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(sizes); i++) {
        if (format[0] == sizes[i].c && format[1] == '\0') {
            if (size != NULL) {
                *size = sizes[i].size;
            }
            return format[0];
        }
    }
    return 0;
}

#define LOAD(type)                                                             \
    type x;                                                                    \
    memcpy(&x, ptr, sizeof(x))

PyObject *
kr_mv_unpack(const char *ptr, const char *format)
{
    switch (kr_mv_native_char(format, NULL)) {
    case 'B':
        return PyLong_FromLong(*(const unsigned char *)ptr);
    case 'b':
        return PyLong_FromLong(*(const signed char *)ptr);
    case 'c':
        return PyBytes_FromStringAndSize(ptr, 1);
    case '?': {
        return PyBool_FromLong(*ptr != 0);
    }
    case 'h': {
        LOAD(short);
        return PyLong_FromLong(x);
    }
    case 'H': {
        LOAD(unsigned short);
        return PyLong_FromLong(x);
    }
    case 'i': {
        LOAD(int);
        return PyLong_FromLong(x);
    }
    case 'I': {
        LOAD(unsigned int);
        return PyLong_FromUnsignedLong(x);
    }
    case 'l':
    case 'q':
    case 'n': {
        LOAD(long);
        return PyLong_FromLong(x);
    }
    case 'L':
    case 'Q':
    case 'N': {
        LOAD(unsigned long);
        return PyLong_FromUnsignedLong(x);
    }
    case 'e': {
        double x = PyFloat_Unpack2(ptr, 1);
        return x == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(x);
    }
    case 'f': {
        LOAD(float);
        return PyFloat_FromDouble(x);
    }
    case 'd': {
        LOAD(double);
        return PyFloat_FromDouble(x);
    }
    case 'P': {
        LOAD(void *);
        return PyLong_FromVoidPtr(x);
    }
    default:
        PyErr_Format(PyExc_NotImplementedError,
                     "memoryview: format %s not supported", format);
        return NULL;
    }
}

/* Turns what a conversion raised into the view's own words. */
static int
fix_error(const char *format)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError,
                     "memoryview: invalid type for format '%s'", format);
    }
    else if (PyErr_ExceptionMatches(PyExc_OverflowError)
             || PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Format(PyExc_ValueError,
                     "memoryview: invalid value for format '%s'", format);
    }
    return -1;
}

static int
value_error(const char *format)
{
    PyErr_Format(PyExc_ValueError, "memoryview: invalid value for format '%s'",
                 format);
    return -1;
}

static int
pack_signed(char *ptr, Py_ssize_t size, const char *format, PyObject *item)
{
    PyObject *index = PyNumber_Index(item);
    long x = index == NULL ? -1 : PyLong_AsLong(index);
    Py_XDECREF(index);
    if (x == -1 && PyErr_Occurred()) {
        return fix_error(format);
    }
    if (size < 8) {
        long limit = 1L << (8 * size - 1);
        if (x < -limit || x >= limit) {
            return value_error(format);
        }
    }
    memcpy(ptr, &x, (size_t)size); /* little-endian */
    return 0;
}

static int
pack_unsigned(char *ptr, Py_ssize_t size, const char *format, PyObject *item)
{
    PyObject *index = PyNumber_Index(item);
    unsigned long x =
        index == NULL ? (unsigned long)-1 : PyLong_AsUnsignedLong(index);
    Py_XDECREF(index);
    if (x == (unsigned long)-1 && PyErr_Occurred()) {
        return fix_error(format);
    }
    if (size < 8 && x >> (8 * size) != 0) {
        return value_error(format);
    }
    memcpy(ptr, &x, (size_t)size);
    return 0;
}

int
kr_mv_pack(char *ptr, const char *format, PyObject *item)
{
    Py_ssize_t size;
    char c = kr_mv_native_char(format, &size);
    switch (c) {
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n':
        return pack_signed(ptr, size, format, item);
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N':
        return pack_unsigned(ptr, size, format, item);
    case 'e':
    case 'f':
    case 'd': {
        double d = PyFloat_AsDouble(item);
        if (d == -1.0 && PyErr_Occurred()) {
            return fix_error(format);
        }
        if (c == 'e') {
            return PyFloat_Pack2(d, ptr, 1) < 0 ? fix_error(format) : 0;
        }
        if (c == 'f') {
            float f = (float)d;
            memcpy(ptr, &f, sizeof(f));
        }
        else {
            memcpy(ptr, &d, sizeof(d));
        }
        return 0;
    }
    case '?': {
        int truth = PyObject_IsTrue(item);
        if (truth < 0) {
            return -1; /* as it was raised */
        }
        *ptr = (char)truth;
        return 0;
    }
    case 'c':
        if (!PyBytes_Check(item)) {
            PyErr_Format(PyExc_TypeError,
                         "memoryview: invalid type for format '%s'", format);
            return -1;
        }
        if (PyBytes_GET_SIZE(item) != 1) {
            return value_error(format);
        }
        *ptr = PyBytes_AS_STRING(item)[0];
        return 0;
    case 'P': {
        void *x = PyLong_AsVoidPtr(item);
        if (x == NULL && PyErr_Occurred()) {
            return fix_error(format);
        }
        memcpy(ptr, &x, sizeof(x));
        return 0;
    }
    default:
        PyErr_Format(PyExc_NotImplementedError,
                     "memoryview: format %s not supported", format);
        return -1;
    }
}

/* ---- copying */

/* Rows of one dimension, by way of `mem` if they may overlap. */
static void
copy_row(const Py_ssize_t *shape, Py_ssize_t itemsize, char *dptr,
         Py_ssize_t dstride, const Py_ssize_t *dsub, const char *sptr,
         Py_ssize_t sstride, const Py_ssize_t *ssub, char *mem)
{
    if (mem == NULL) { /* contiguous */
        memmove(dptr, sptr, (size_t)(shape[0] * itemsize));
        return;
    }
    char *p = mem;
    for (Py_ssize_t i = 0; i < shape[0]; i++, p += itemsize, sptr += sstride) {
        memcpy(p, MV_ADJUST(sptr, ssub, 0), (size_t)itemsize);
    }
    p = mem;
    for (Py_ssize_t i = 0; i < shape[0]; i++, p += itemsize, dptr += dstride) {
        memcpy(MV_ADJUST(dptr, dsub, 0), p, (size_t)itemsize);
    }
}

static void
copy_rec(const Py_ssize_t *shape, Py_ssize_t ndim, Py_ssize_t itemsize,
         char *dptr, const Py_ssize_t *dstrides, const Py_ssize_t *dsub,
         const char *sptr, const Py_ssize_t *sstrides, const Py_ssize_t *ssub,
         char *mem)
{
    if (ndim == 1) {
        copy_row(shape, itemsize, dptr, dstrides[0], dsub, sptr, sstrides[0],
                 ssub, mem);
        return;
    }
    for (Py_ssize_t i = 0; i < shape[0]; i++) {
        copy_rec(shape + 1, ndim - 1, itemsize, MV_ADJUST(dptr, dsub, 0),
                 dstrides + 1, dsub ? dsub + 1 : NULL,
                 MV_ADJUST(sptr, ssub, 0), sstrides + 1,
                 ssub ? ssub + 1 : NULL, mem);
        dptr += dstrides[0];
        sptr += sstrides[0];
    }
}

static bool
last_dim_contiguous(const Py_buffer *dest, const Py_buffer *src)
{
    int n = dest->ndim - 1;
    return !(dest->suboffsets && dest->suboffsets[n] >= 0)
           && !(src->suboffsets && src->suboffsets[n] >= 0)
           && dest->strides[n] == dest->itemsize
           && src->strides[n] == src->itemsize;
}

/* Both have shape and strides, and ndim > 0. */
static int
copy_buffer(const Py_buffer *dest, const Py_buffer *src)
{
    char *mem = NULL;
    if (!last_dim_contiguous(dest, src)) {
        Py_ssize_t row = dest->shape[dest->ndim - 1] * dest->itemsize;
        mem = PyMem_Malloc(row > 0 ? (size_t)row : 1);
        if (mem == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    copy_rec(dest->shape, dest->ndim, dest->itemsize, dest->buf, dest->strides,
             dest->suboffsets, src->buf, src->strides, src->suboffsets, mem);
    PyMem_Free(mem);
    return 0;
}

static const char *
format_of(const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    return format[0] == '@' ? format + 1 : format;
}

static bool
same_shape(const Py_buffer *a, const Py_buffer *b)
{
    if (a->ndim != b->ndim) {
        return false;
    }
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i]) {
            return false;
        }
        if (a->shape[i] == 0) {
            break;
        }
    }
    return true;
}

int
kr_mv_copy(const Py_buffer *dest, const Py_buffer *src)
{
    if (strcmp(format_of(dest), format_of(src)) != 0
        || dest->itemsize != src->itemsize || !same_shape(dest, src)) {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview assignment: lvalue and rvalue have "
                        "different structures");
        return -1;
    }
    return copy_buffer(dest, src);
}

/* Row of a buffer without shape or strides, filled in. */
static void
complete(Py_buffer *view, Py_ssize_t *strides)
{
    if (view->strides == NULL) {
        Py_ssize_t step = view->itemsize;
        for (int i = view->ndim; --i >= 0;) {
            strides[i] = step;
            step *= view->shape[i];
        }
        view->strides = strides;
    }
}

int
kr_mv_to_contiguous(char *mem, const Py_buffer *view, char order)
{
    Py_ssize_t strides[PyBUF_MAX_NDIM], own[PyBUF_MAX_NDIM];
    if (view->ndim == 0) {
        memcpy(mem, view->buf, (size_t)view->len);
        return 0;
    }
    Py_buffer src = *view, dest = *view;
    complete(&src, own);
    if (order == 'F' || (order == 'A' && PyBuffer_IsContiguous(view, 'F'))) {
        PyBuffer_FillContiguousStrides(view->ndim, view->shape, strides,
                                       (int)view->itemsize, 'F');
    }
    else {
        PyBuffer_FillContiguousStrides(view->ndim, view->shape, strides,
                                       (int)view->itemsize, 'C');
    }
    dest.buf = mem;
    dest.strides = strides;
    dest.suboffsets = NULL;
    return copy_buffer(&dest, &src);
}

/* ---- lists */

static PyObject *
tolist_rec(const char *ptr, Py_ssize_t ndim, const Py_ssize_t *shape,
           const Py_ssize_t *strides, const Py_ssize_t *sub,
           const char *format)
{
    PyObject *list = PyList_New(shape[0]);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < shape[0]; i++, ptr += strides[0]) {
        const char *at = MV_ADJUST(ptr, sub, 0);
        PyObject *item = ndim == 1 ? kr_mv_unpack(at, format)
                                   : tolist_rec(at, ndim - 1, shape + 1,
                                                strides + 1,
                                                sub ? sub + 1 : NULL, format);
        if (item == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

PyObject *
kr_mv_tolist(PyMemoryViewObject *mv)
{
    Py_buffer *view = &mv->view;
    const char *format = format_of(view);
    if (!kr_mv_native_char(format, NULL)) {
        PyErr_Format(PyExc_NotImplementedError,
                     "memoryview: format %s not supported", format);
        return NULL;
    }
    if (view->ndim == 0) {
        return kr_mv_unpack(view->buf, format);
    }
    return tolist_rec(view->buf, view->ndim, view->shape, view->strides,
                      view->suboffsets, format);
}

/* ---- comparison */

/* How the items of one buffer are read. */
struct reader {
    const char *format;
    Py_ssize_t itemsize;
    PyObject *unpack; /* struct.Struct(format).unpack, or NULL if native */
};

static int
reader_init(struct reader *r, const Py_buffer *view)
{
    r->format = format_of(view);
    r->itemsize = view->itemsize;
    r->unpack = NULL;
    if (kr_mv_native_char(r->format, NULL)) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("struct");
    PyObject *obj = module ? PyObject_CallMethod(module, "Struct", "s",
                                                 r->format)
                           : NULL;
    Py_XDECREF(module);
    if (obj != NULL) {
        r->unpack = PyObject_GetAttrString(obj, "unpack");
        Py_DECREF(obj);
    }
    return r->unpack == NULL ? -1 : 0;
}

static PyObject *
reader_get(struct reader *r, const char *ptr)
{
    if (r->unpack == NULL) {
        return kr_mv_unpack(ptr, r->format);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(ptr, r->itemsize);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *items = PyObject_CallOneArg(r->unpack, bytes);
    Py_DECREF(bytes);
    if (items != NULL && PyTuple_GET_SIZE(items) == 1) {
        Py_SETREF(items, Py_NewRef(PyTuple_GET_ITEM(items, 0)));
    }
    return items;
}

static int
equal_items(struct reader *a, const char *p, struct reader *b, const char *q)
{
    /* one format of plain integers: the bytes say it all */
    if (a->unpack == NULL && b->unpack == NULL && a->format[0] == b->format[0]
        && strchr("bBhHiIlLqQnNcP", a->format[0])) {
        return memcmp(p, q, (size_t)a->itemsize) == 0;
    }
    PyObject *x = reader_get(a, p), *y = x ? reader_get(b, q) : NULL;
    int eq = y == NULL ? -1 : PyObject_RichCompareBool(x, y, Py_EQ);
    /* a NaN is not equal to itself, whatever identity says */
    Py_XDECREF(x);
    Py_XDECREF(y);
    return eq;
}

static int
equal_rec(const char *p, const char *q, Py_ssize_t ndim,
          const Py_ssize_t *shape, const Py_ssize_t *pstrides,
          const Py_ssize_t *psub, const Py_ssize_t *qstrides,
          const Py_ssize_t *qsub, struct reader *a, struct reader *b)
{
    for (Py_ssize_t i = 0; i < shape[0]; i++) {
        const char *x = MV_ADJUST(p, psub, 0), *y = MV_ADJUST(q, qsub, 0);
        int eq = ndim == 1
                     ? equal_items(a, x, b, y)
                     : equal_rec(x, y, ndim - 1, shape + 1, pstrides + 1,
                                 psub ? psub + 1 : NULL, qstrides + 1,
                                 qsub ? qsub + 1 : NULL, a, b);
        if (eq <= 0) {
            return eq;
        }
        p += pstrides[0];
        q += qstrides[0];
    }
    return 1;
}

static int
equal_buffers(Py_buffer *a, Py_buffer *b)
{
    Py_ssize_t astrides[PyBUF_MAX_NDIM], bstrides[PyBUF_MAX_NDIM];
    if (!same_shape(a, b)) {
        return 0;
    }
    struct reader ra = {0}, rb = {0};
    int eq = -1;
    if (reader_init(&ra, a) < 0 || reader_init(&rb, b) < 0) {
        /* an unknown format compares as unequal */
        if (PyErr_ExceptionMatches(PyExc_ImportError)
            || PyErr_ExceptionMatches(PyExc_MemoryError)) {
            goto done;
        }
        PyErr_Clear();
        eq = 0;
        goto done;
    }
    if (a->ndim == 0) {
        eq = equal_items(&ra, a->buf, &rb, b->buf);
        goto done;
    }
    Py_buffer va = *a, vb = *b;
    complete(&va, astrides);
    complete(&vb, bstrides);
    eq = equal_rec(va.buf, vb.buf, va.ndim, va.shape, va.strides,
                   va.suboffsets, vb.strides, vb.suboffsets, &ra, &rb);
done:
    Py_XDECREF(ra.unpack);
    Py_XDECREF(rb.unpack);
    return eq;
}

PyObject *
kr_mv_richcompare(PyObject *v, PyObject *w, int op)
{
    int equal = -1;
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (MV_IS_RELEASED(MV(v))
        || (PyMemoryView_Check(w) && MV_IS_RELEASED(MV(w)))) {
        equal = v == w;
    }
    else if (PyMemoryView_Check(w)) {
        equal = equal_buffers(&MV(v)->view, &MV(w)->view);
    }
    else {
        Py_buffer other;
        if (PyObject_GetBuffer(w, &other, PyBUF_FULL_RO) < 0) {
            PyErr_Clear();
            Py_RETURN_NOTIMPLEMENTED;
        }
        equal = equal_buffers(&MV(v)->view, &other);
        PyBuffer_Release(&other);
    }
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

/* ---- cast */

static const char *
static_format(const char *format)
{
    static const char texts[] = "c\0b\0B\0?\0h\0H\0i\0I\0l\0L\0q\0Q\0n\0N\0f\0"
                                "d\0e\0P\0@c\0@b\0@B\0@?\0@h\0@H\0@i\0@I\0@l\0"
                                "@L\0@q\0@Q\0@n\0@N\0@f\0@d\0@e\0@P";
    for (const char *p = texts; p < texts + sizeof(texts) - 1;
         p += strlen(p) + 1) {
        if (strcmp(p, format) == 0) {
            return p;
        }
    }
    return NULL;
}

static bool
is_byte(char c)
{
    return c == 'b' || c == 'B' || c == 'c';
}

static int
cast_to_1d(PyMemoryViewObject *mv, PyObject *format_text)
{
    Py_buffer *view = &mv->view;
    Py_ssize_t itemsize;
    PyObject *ascii = PyUnicode_AsASCIIString(format_text);
    if (ascii == NULL) {
        return -1;
    }
    const char *format = PyBytes_AS_STRING(ascii);
    char src = kr_mv_native_char(view->format ? view->format : "B", NULL);
    char dest = kr_mv_native_char(format, &itemsize);
    view->format = (char *)static_format(format);
    Py_DECREF(ascii);
    if (!dest) {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview: destination format must be a native "
                        "single character format prefixed with an optional "
                        "'@'");
        return -1;
    }
    if (!is_byte(src) && !is_byte(dest)) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: cannot cast between two non-byte "
                        "formats");
        return -1;
    }
    if (view->len % itemsize) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: length is not a multiple of itemsize");
        return -1;
    }
    view->itemsize = itemsize;
    view->ndim = 1;
    view->shape = mv->ob_array;
    view->strides = mv->ob_array + 1;
    view->suboffsets = NULL;
    view->shape[0] = view->len / itemsize;
    view->strides[0] = itemsize;
    kr_mv_init_flags(mv);
    return 0;
}

static int
cast_to_nd(PyMemoryViewObject *mv, PyObject *shape, int ndim)
{
    Py_buffer *view = &mv->view;
    Py_ssize_t product = view->itemsize;
    view->ndim = ndim;
    view->shape = view->strides = view->suboffsets = NULL;
    if (ndim > 0) {
        view->shape = mv->ob_array;
        view->strides = mv->ob_array + ndim;
    }
    for (int i = 0; i < ndim; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(shape, i);
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError,
                            "memoryview.cast(): elements of shape must be "
                            "integers");
            return -1;
        }
        Py_ssize_t x = PyLong_AsSsize_t(item);
        if (x == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (x <= 0) {
            PyErr_Format(PyExc_ValueError,
                         "memoryview.cast(): elements of shape must be "
                         "integers > 0");
            return -1;
        }
        if (x > PY_SSIZE_T_MAX / product) {
            PyErr_Format(PyExc_ValueError,
                         "memoryview.cast(): product(shape) > SSIZE_MAX");
            return -1;
        }
        product *= x;
        view->shape[i] = x;
    }
    if (product != view->len) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: product(shape) * itemsize != buffer "
                        "size");
        return -1;
    }
    Py_ssize_t step = view->itemsize;
    for (int i = ndim; --i >= 0;) {
        view->strides[i] = step;
        step *= view->shape[i];
    }
    kr_mv_init_flags(mv);
    return 0;
}

static bool
has_zero(const Py_buffer *view)
{
    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 0 || view->strides[i] == 0) {
            return true;
        }
    }
    return false;
}

PyObject *
kr_mv_cast(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    static const char *const keywords[] = {"format", "shape", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "cast"};
    PyObject *buf[2], *shape = NULL;
    PyMemoryViewObject *self = MV(op);
    int ndim = 1;
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    if (args == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(args[0])) {
        _PyArg_BadArgument("cast", "argument 'format'", "str", args[0]);
        return NULL;
    }
    if (kr_mv_check(self) < 0) {
        return NULL;
    }
    if (!(self->flags & _Py_MEMORYVIEW_C)) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: casts are restricted to C-contiguous "
                        "views");
        return NULL;
    }
    if ((args[1] != NULL || self->view.ndim != 1) && has_zero(&self->view)) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: cannot cast view with zeros in shape or "
                        "strides");
        return NULL;
    }
    if (args[1] != NULL) {
        shape = args[1];
        if (!PyList_Check(shape) && !PyTuple_Check(shape)) {
            PyErr_SetString(PyExc_TypeError,
                            "shape must be a list or a tuple");
            return NULL;
        }
        Py_ssize_t n = PySequence_Fast_GET_SIZE(shape);
        if (n > PyBUF_MAX_NDIM) {
            PyErr_SetString(PyExc_ValueError,
                            "memoryview: number of dimensions must not exceed "
                            Py_STRINGIFY(PyBUF_MAX_NDIM));
            return NULL;
        }
        ndim = (int)n;
        if (self->view.ndim != 1 && ndim != 1) {
            PyErr_SetString(PyExc_TypeError,
                            "memoryview: cast must be 1D -> ND or ND -> 1D");
            return NULL;
        }
    }
    /* a template with enough dimensions, whose arrays are then replaced */
    Py_ssize_t zeros[PyBUF_MAX_NDIM] = {0};
    Py_buffer template = self->view;
    template.ndim = ndim == 0 ? 1 : ndim;
    template.shape = template.strides = zeros;
    template.suboffsets = NULL;
    PyMemoryViewObject *mv = MV(kr_mv_add_view(self->mbuf, &template));
    if (mv == NULL) {
        return NULL;
    }
    if (cast_to_1d(mv, args[0]) < 0
        || (shape != NULL && cast_to_nd(mv, shape, ndim) < 0)) {
        Py_DECREF(mv);
        return NULL;
    }
    return (PyObject *)mv;
}
