/* The buffer protocol: acquiring, walking and copying memory of other objects.
 *
 * An exporter fills a Py_buffer; what it left out (shape, strides) follows from
 * the C order and the item size. */
#include "objects/abstract/abstract.h"

int
PyObject_CheckBuffer(PyObject *obj)
{
    PyBufferProcs *bf = Py_TYPE(obj)->tp_as_buffer;
    return bf != NULL && bf->bf_getbuffer != NULL;
}

int
PyObject_GetBuffer(PyObject *obj, Py_buffer *view, int flags)
{
    PyBufferProcs *bf = Py_TYPE(obj)->tp_as_buffer;
    if (bf == NULL || bf->bf_getbuffer == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "a bytes-like object is required, not '%.100s'",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    return bf->bf_getbuffer(obj, view, flags);
}

void
PyBuffer_Release(Py_buffer *view)
{
    PyObject *obj = view->obj;
    if (obj == NULL) {
        return;
    }
    PyBufferProcs *bf = Py_TYPE(obj)->tp_as_buffer;
    if (bf && bf->bf_releasebuffer) {
        bf->bf_releasebuffer(obj, view);
    }
    view->obj = NULL;
    Py_DECREF(obj);
}

int
PyBuffer_FillInfo(Py_buffer *view, PyObject *obj, void *buf, Py_ssize_t len,
                  int readonly, int flags)
{
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "PyBuffer_FillInfo: view==NULL argument is obsolete");
        return -1;
    }
    if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE && readonly == 1) {
        PyErr_SetString(PyExc_BufferError, "Object is not writable.");
        return -1;
    }
    view->obj = Py_XNewRef(obj);
    view->buf = buf;
    view->len = len;
    view->readonly = readonly;
    view->itemsize = 1;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? "B" : NULL;
    view->ndim = 1;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &view->len : NULL;
    view->strides =
        (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

/* --- Contiguity ----------------------------------------------------------- */

/* One test for both orders: `c` walks the dimensions from the last one. */
static bool
is_contiguous(const Py_buffer *view, bool c)
{
    if (view->len == 0) {
        return true;
    }
    if (view->strides == NULL) {
        /* C order by definition; also Fortran order if at most one dimension
           is larger than 1 */
        if (c || view->ndim <= 1) {
            return true;
        }
        int wide = 0;
        for (int i = 0; view->shape != NULL && i < view->ndim; i++) {
            wide += view->shape[i] > 1;
        }
        return view->shape != NULL && wide <= 1;
    }
    Py_ssize_t expected = view->itemsize;
    for (int k = 0; k < view->ndim; k++) {
        int i = c ? view->ndim - 1 - k : k;
        Py_ssize_t dim = view->shape[i];
        if (dim > 1 && view->strides[i] != expected) {
            return false;
        }
        expected *= dim;
    }
    return true;
}

int
PyBuffer_IsContiguous(const Py_buffer *view, char order)
{
    if (view->suboffsets != NULL) {
        return 0;
    }
    switch (order) {
    case 'C':
        return is_contiguous(view, true);
    case 'F':
        return is_contiguous(view, false);
    case 'A':
        return is_contiguous(view, true) || is_contiguous(view, false);
    default:
        return 0;
    }
}

void
PyBuffer_FillContiguousStrides(int nd, Py_ssize_t *shape, Py_ssize_t *strides,
                               int itemsize, char fort)
{
    Py_ssize_t sd = itemsize;
    bool fortran = nd <= 1 || fort == 'F';
    for (int k = 0; k < nd; k++) {
        int i = fortran ? k : nd - 1 - k;
        strides[i] = sd;
        sd *= shape[i];
    }
}

void *
PyBuffer_GetPointer(const Py_buffer *view, const Py_ssize_t *indices)
{
    char *pointer = view->buf;
    for (int i = 0; i < view->ndim; i++) {
        pointer += view->strides[i] * indices[i];
        if (view->suboffsets != NULL && view->suboffsets[i] >= 0) {
            pointer = *(char **)pointer + view->suboffsets[i];
        }
    }
    return pointer;
}

/* --- Copying -------------------------------------------------------------- */

void
_Py_add_one_to_index_F(int nd, Py_ssize_t *index, const Py_ssize_t *shape)
{
    for (int k = 0; k < nd; k++) {
        if (index[k] < shape[k] - 1) {
            index[k]++;
            break;
        }
        index[k] = 0;
    }
}

void
_Py_add_one_to_index_C(int nd, Py_ssize_t *index, const Py_ssize_t *shape)
{
    for (int k = nd - 1; k >= 0; k--) {
        if (index[k] < shape[k] - 1) {
            index[k]++;
            break;
        }
        index[k] = 0;
    }
}

int
PyBuffer_FromContiguous(const Py_buffer *view, const void *buf, Py_ssize_t len,
                        char fort)
{
    if (len > view->len) {
        len = view->len;
    }
    if (PyBuffer_IsContiguous(view, fort)) {
        memcpy(view->buf, buf, len);
        return 0;
    }
    Py_ssize_t indices[PyBUF_MAX_NDIM] = {0};
    void (*addone)(int, Py_ssize_t *, const Py_ssize_t *) =
        fort == 'F' ? _Py_add_one_to_index_F : _Py_add_one_to_index_C;
    const char *src = buf;
    for (Py_ssize_t n = len / view->itemsize; n > 0; n--) {
        memcpy(PyBuffer_GetPointer(view, indices), src, view->itemsize);
        addone(view->ndim, indices, view->shape);
        src += view->itemsize;
    }
    return 0;
}

/* Copies out item by item, in C or Fortran order. */
static void
copy_out(char *dest, const Py_buffer *src, bool fortran)
{
    Py_ssize_t indices[PyBUF_MAX_NDIM] = {0}, strides[PyBUF_MAX_NDIM];
    Py_buffer view = *src;
    if (view.strides == NULL) { /* C order is implied */
        PyBuffer_FillContiguousStrides(view.ndim, view.shape, strides,
                                       (int)view.itemsize, 'C');
        view.strides = strides;
    }
    for (Py_ssize_t n = view.len / view.itemsize; n > 0; n--) {
        memcpy(dest, PyBuffer_GetPointer(&view, indices), view.itemsize);
        dest += view.itemsize;
        (fortran ? _Py_add_one_to_index_F : _Py_add_one_to_index_C)(
            view.ndim, indices, view.shape);
    }
}

int
PyBuffer_ToContiguous(void *buf, const Py_buffer *src, Py_ssize_t len,
                      char order)
{
    if (len != src->len) {
        PyErr_SetString(PyExc_ValueError,
                        "PyBuffer_ToContiguous: len != view->len");
        return -1;
    }
    if (PyBuffer_IsContiguous(src, order)) {
        memcpy(buf, src->buf, len);
        return 0;
    }
    copy_out(buf, src, order == 'F');
    return 0;
}

/* Copies item by item; both views have the same shape. */
static void
copy_items(const Py_buffer *dest, const Py_buffer *src)
{
    Py_ssize_t indices[PyBUF_MAX_NDIM] = {0};
    Py_ssize_t elements = 1;
    for (int k = 0; k < src->ndim; k++) {
        elements *= src->shape[k];
    }
    while (elements-- > 0) {
        memcpy(PyBuffer_GetPointer(dest, indices),
               PyBuffer_GetPointer(src, indices), src->itemsize);
        _Py_add_one_to_index_C(src->ndim, indices, src->shape);
    }
}

int
PyObject_CopyData(PyObject *dest, PyObject *src)
{
    Py_buffer view_dest, view_src;

    if (!PyObject_CheckBuffer(dest) || !PyObject_CheckBuffer(src)) {
        PyErr_SetString(PyExc_TypeError,
                        "both destination and source must be "
                        "bytes-like objects");
        return -1;
    }
    if (PyObject_GetBuffer(dest, &view_dest, PyBUF_FULL) != 0) {
        return -1;
    }
    if (PyObject_GetBuffer(src, &view_src, PyBUF_FULL_RO) != 0) {
        PyBuffer_Release(&view_dest);
        return -1;
    }
    int result = 0;
    if (view_dest.len < view_src.len) {
        PyErr_SetString(PyExc_BufferError,
                        "destination is too small to receive data from source");
        result = -1;
    }
    else if ((PyBuffer_IsContiguous(&view_dest, 'C') &&
              PyBuffer_IsContiguous(&view_src, 'C')) ||
             (PyBuffer_IsContiguous(&view_dest, 'F') &&
              PyBuffer_IsContiguous(&view_src, 'F'))) {
        memcpy(view_dest.buf, view_src.buf, view_src.len);
    }
    else {
        copy_items(&view_dest, &view_src);
    }
    PyBuffer_Release(&view_dest);
    PyBuffer_Release(&view_src);
    return result;
}

Py_ssize_t
PyBuffer_SizeFromFormat(const char *format)
{
    PyObject *module = PyImport_ImportModule("struct");
    if (module == NULL) {
        return -1;
    }
    Py_ssize_t itemsize = -1;
    PyObject *calcsize = PyObject_GetAttr(module, KR_ID(calcsize));
    PyObject *fmt = calcsize ? PyUnicode_FromString(format) : NULL;
    PyObject *res = fmt ? PyObject_CallOneArg(calcsize, fmt) : NULL;
    if (res) {
        itemsize = PyLong_AsSsize_t(res);
        Py_DECREF(res);
    }
    Py_XDECREF(fmt);
    Py_XDECREF(calcsize);
    Py_DECREF(module);
    return itemsize;
}

/* --- The buffer functions of Python 2 ------------------------------------- */

PyAPI_FUNC(int) PyObject_AsCharBuffer(PyObject *, const char **, Py_ssize_t *);
PyAPI_FUNC(int)
    PyObject_AsReadBuffer(PyObject *, const void **, Py_ssize_t *);
PyAPI_FUNC(int) PyObject_AsWriteBuffer(PyObject *, void **, Py_ssize_t *);
PyAPI_FUNC(int) PyObject_CheckReadBuffer(PyObject *);

/* The view is released at once: the pointer is good only as long as the object
 * stays unchanged, which is what these functions always promised. */
static int
as_buffer(PyObject *obj, void **buffer, Py_ssize_t *buffer_len, int flags)
{
    Py_buffer view;
    if (obj == NULL || buffer == NULL || buffer_len == NULL) {
        kr_null_error();
        return -1;
    }
    if (PyObject_GetBuffer(obj, &view, flags) != 0) {
        return -1;
    }
    *buffer = view.buf;
    *buffer_len = view.len;
    PyBuffer_Release(&view);
    return 0;
}

int
PyObject_CheckReadBuffer(PyObject *obj)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(obj)) {
        return 0;
    }
    if (PyObject_GetBuffer(obj, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return 0;
    }
    PyBuffer_Release(&view);
    return 1;
}

int
PyObject_AsCharBuffer(PyObject *obj, const char **buffer, Py_ssize_t *len)
{
    return as_buffer(obj, (void **)buffer, len, PyBUF_SIMPLE);
}

int
PyObject_AsReadBuffer(PyObject *obj, const void **buffer, Py_ssize_t *len)
{
    return as_buffer(obj, (void **)buffer, len, PyBUF_SIMPLE);
}

int
PyObject_AsWriteBuffer(PyObject *obj, void **buffer, Py_ssize_t *len)
{
    if (obj != NULL && buffer != NULL && len != NULL) {
        Py_buffer view;
        PyBufferProcs *bf = Py_TYPE(obj)->tp_as_buffer;
        if (bf == NULL || bf->bf_getbuffer == NULL ||
            bf->bf_getbuffer(obj, &view, PyBUF_WRITABLE) != 0) {
            PyErr_SetString(PyExc_TypeError,
                            "expected a writable bytes-like object");
            return -1;
        }
        PyBuffer_Release(&view);
    }
    return as_buffer(obj, buffer, len, PyBUF_WRITABLE);
}
