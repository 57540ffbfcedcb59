/* Writing marshal data.
 *
 * An object with more than one reference is written once and referred to by its
 * index afterwards, in the order in which objects are met: readers number them
 * the same way. */
#include <Python.h>
#include <marshal.h>
#include <opcode.h>

#include "base/common.h"
#include "code/code.h"
#include "code/marshal_format.h"
#include "memory/tstate.h"

enum write_error { OK, UNMARSHALLABLE, TOO_DEEP, NO_MEMORY };

struct slot {
    PyObject *object; /* strong; NULL: free */
    int index;
};

struct writer {
    FILE *fp;      /* NULL: to memory */
    PyObject *out; /* bytes being filled */
    char *ptr, *end;
    char buffer[4096]; /* for fp */
    int version;
    int depth;
    enum write_error error;
    struct slot *refs; /* hash table by address, power of two in size */
    size_t refs_size;
    int refs_used;
};

static void
flush(struct writer *w)
{
    fwrite(w->buffer, 1, (size_t)(w->ptr - w->buffer), w->fp);
    w->ptr = w->buffer;
}

static int
reserve(struct writer *w, Py_ssize_t need)
{
    if (need <= w->end - w->ptr) {
        return 1;
    }
    if (w->fp != NULL) {
        flush(w);
        return need <= w->end - w->ptr;
    }
    if (w->out == NULL) {
        return 0;
    }
    Py_ssize_t used = w->ptr - PyBytes_AS_STRING(w->out);
    Py_ssize_t size = PyBytes_GET_SIZE(w->out);
    Py_ssize_t extra = size > (16 << 20) ? size >> 3 : size + 1024;
    if (extra < need) {
        extra = need;
    }
    if (size > PY_SSIZE_T_MAX - extra ||
        _PyBytes_Resize(&w->out, size + extra) < 0) {
        w->error = NO_MEMORY;
        w->ptr = w->end = NULL;
        w->out = NULL;
        return 0;
    }
    w->ptr = PyBytes_AS_STRING(w->out) + used;
    w->end = PyBytes_AS_STRING(w->out) + size + extra;
    return 1;
}

static void
put_bytes(struct writer *w, const void *data, Py_ssize_t n)
{
    if (reserve(w, n)) {
        memcpy(w->ptr, data, (size_t)n);
        w->ptr += n;
    }
    else if (w->fp != NULL) {
        fwrite(data, 1, (size_t)n, w->fp);
    }
}

static void
put_byte(struct writer *w, int byte)
{
    if (w->ptr != w->end || reserve(w, 1)) {
        *w->ptr++ = (char)byte;
    }
}

static void
put_int16(struct writer *w, int value)
{
    put_byte(w, value & 255);
    put_byte(w, value >> 8 & 255);
}

static void
put_int32(struct writer *w, long value)
{
    char le[4] = {(char)value, (char)(value >> 8), (char)(value >> 16),
                  (char)(value >> 24)};
    put_bytes(w, le, 4);
}

static void
put_size(struct writer *w, Py_ssize_t n)
{
    if (n > INT32_MAX) {
        w->error = UNMARSHALLABLE;
        n = 0;
    }
    put_int32(w, (long)n);
}

static void
put_sized(struct writer *w, const char *data, Py_ssize_t n)
{
    put_size(w, n);
    put_bytes(w, data, n);
}

static void
put_double(struct writer *w, double value)
{
    char le[8];
    if (PyFloat_Pack8(value, le, 1) < 0) {
        w->error = UNMARSHALLABLE;
        return;
    }
    put_bytes(w, le, 8);
}

static void
put_double_text(struct writer *w, double value)
{
    char *text = PyOS_double_to_string(value, 'g', 17, 0, NULL);
    if (text == NULL) {
        w->error = NO_MEMORY;
        return;
    }
    size_t n = strlen(text);
    put_byte(w, (int)n);
    put_bytes(w, text, (Py_ssize_t)n);
    PyMem_Free(text);
}

/* The 30-bit digits of an int, halved; the sign goes with the count. */
static void
put_long(struct writer *w, PyObject *op, int flag)
{
    const PyLongObject *v = (const PyLongObject *)op;
    put_byte(w, KR_M_LONG | flag);
    Py_ssize_t n = Py_ABS(Py_SIZE(v));
    if (n == 0) {
        put_int32(w, 0);
        return;
    }
    digit top = v->ob_digit[n - 1];
    Py_ssize_t count = (n - 1) * 2 + 1 + (top >> KR_M_LONG_SHIFT != 0);
    if (count > INT32_MAX) {
        w->error = UNMARSHALLABLE;
        return;
    }
    put_int32(w, Py_SIZE(v) > 0 ? (long)count : -(long)count);
    for (Py_ssize_t i = 0; i < count; i++) {
        digit d = v->ob_digit[i / 2];
        put_int16(w, (int)(i & 1 ? d >> KR_M_LONG_SHIFT
                                 : d & (KR_M_LONG_BASE - 1)));
    }
}

static size_t
address_hash(PyObject *op)
{
    size_t x = (size_t)op;
    return (x >> 4 | x << (8 * sizeof(x) - 4)) * 0x9E3779B97F4A7C15u >> 20;
}

static int
grow_refs(struct writer *w)
{
    size_t size = w->refs_size ? w->refs_size * 2 : 64;
    struct slot *table = PyMem_Calloc(size, sizeof(*table));
    if (table == NULL) {
        w->error = NO_MEMORY;
        return -1;
    }
    for (size_t i = 0; i < w->refs_size; i++) {
        if (w->refs[i].object != NULL) {
            size_t at = address_hash(w->refs[i].object) & (size - 1);
            while (table[at].object != NULL) {
                at = (at + 1) & (size - 1);
            }
            table[at] = w->refs[i];
        }
    }
    PyMem_Free(w->refs);
    w->refs = table;
    w->refs_size = size;
    return 0;
}

/* Writes a reference if the object has been written: true. Otherwise sets the
 * flag to write with its type. */
static bool
put_ref(struct writer *w, PyObject *op, int *flag)
{
    if (w->version < 3 || Py_REFCNT(op) == 1) {
        return false;
    }
    if ((size_t)w->refs_used * 2 >= w->refs_size && grow_refs(w) < 0) {
        return true;
    }
    size_t at = address_hash(op) & (w->refs_size - 1);
    for (; w->refs[at].object != NULL; at = (at + 1) & (w->refs_size - 1)) {
        if (w->refs[at].object == op) {
            put_byte(w, KR_M_REF);
            put_int32(w, w->refs[at].index);
            return true;
        }
    }
    w->refs[at] = (struct slot){Py_NewRef(op), w->refs_used++};
    *flag = KR_M_FLAG_REF;
    return false;
}

static void put_object(struct writer *w, PyObject *op);

static void
put_str(struct writer *w, PyObject *op, int flag)
{
    int interned = PyUnicode_CHECK_INTERNED(op) != 0;
    Py_ssize_t n = PyUnicode_GET_LENGTH(op);
    if (w->version >= 4 && PyUnicode_IS_ASCII(op)) {
        int is_short = n < 256;
        int type = is_short ? (interned ? KR_M_SHORT_ASCII_INTERNED
                                        : KR_M_SHORT_ASCII)
                            : (interned ? KR_M_ASCII_INTERNED : KR_M_ASCII);
        put_byte(w, type | flag);
        if (is_short) {
            put_byte(w, (int)n);
        }
        else {
            put_size(w, n);
        }
        put_bytes(w, (const char *)PyUnicode_1BYTE_DATA(op), n);
        return;
    }
    PyObject *utf8 = PyUnicode_AsEncodedString(op, "utf8", "surrogatepass");
    if (utf8 == NULL) {
        w->error = UNMARSHALLABLE;
        return;
    }
    put_byte(w, (w->version >= 3 && interned ? KR_M_INTERNED : KR_M_UNICODE) |
                    flag);
    put_sized(w, PyBytes_AS_STRING(utf8), PyBytes_GET_SIZE(utf8));
    Py_DECREF(utf8);
}

static void
put_dict(struct writer *w, PyObject *op, int flag)
{
    put_byte(w, KR_M_DICT | flag);
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(op, &pos, &key, &value)) {
        put_object(w, key);
        put_object(w, value);
    }
    put_object(w, NULL);
}

/* Members are ordered by their own marshal data, so that a set is always
 * written the same way, whatever its hash order. */
static void
put_set(struct writer *w, PyObject *op, int flag)
{
    put_byte(w, (PyFrozenSet_CheckExact(op) ? KR_M_FROZENSET : KR_M_SET) |
                    flag);
    put_size(w, PySet_GET_SIZE(op));
    PyObject *pairs = PyList_New(0);
    PyObject *it = pairs == NULL ? NULL : PyObject_GetIter(op);
    PyObject *item = NULL;
    bool failed = it == NULL;
    while (!failed && (item = PyIter_Next(it)) != NULL) {
        PyObject *dump = PyMarshal_WriteObjectToString(item, w->version);
        PyObject *pair = dump == NULL ? NULL : PyTuple_Pack(2, dump, item);
        failed = pair == NULL || PyList_Append(pairs, pair) < 0;
        Py_XDECREF(dump);
        Py_XDECREF(pair);
        Py_DECREF(item);
    }
    if (failed || PyErr_Occurred() || PyList_Sort(pairs) < 0) {
        if (it == NULL || !PyErr_ExceptionMatches(PyExc_ValueError)) {
            w->error = NO_MEMORY;
        }
        else {
            w->error = UNMARSHALLABLE;
        }
    }
    else {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); i++) {
            put_object(w, PyTuple_GET_ITEM(PyList_GET_ITEM(pairs, i), 1));
        }
    }
    Py_XDECREF(it);
    Py_XDECREF(pairs);
}

static void
put_code(struct writer *w, PyObject *op, int flag)
{
    PyCodeObject *co = (PyCodeObject *)op;
    PyObject *code = PyCode_GetCode(co);
    if (code == NULL) {
        w->error = NO_MEMORY;
        return;
    }
    put_byte(w, KR_M_CODE | flag);
    put_int32(w, co->co_argcount);
    put_int32(w, co->co_posonlyargcount);
    put_int32(w, co->co_kwonlyargcount);
    put_int32(w, co->co_stacksize);
    put_int32(w, co->co_flags);
    put_object(w, code);
    put_object(w, co->co_consts);
    put_object(w, co->co_names);
    put_object(w, co->co_localsplusnames);
    put_object(w, co->co_localspluskinds);
    put_object(w, co->co_filename);
    put_object(w, co->co_name);
    put_object(w, co->co_qualname);
    put_int32(w, co->co_firstlineno);
    put_object(w, co->co_linetable);
    put_object(w, co->co_exceptiontable);
    Py_DECREF(code);
}

static void
put_int(struct writer *w, PyObject *op, int flag)
{
    int overflow;
    long x = PyLong_AsLongAndOverflow(op, &overflow);
    if (overflow || x > INT32_MAX || x < INT32_MIN) {
        put_long(w, op, flag);
        return;
    }
    put_byte(w, KR_M_INT | flag);
    put_int32(w, x);
}

static void
put_float(struct writer *w, PyObject *op, int flag)
{
    if (w->version > 1) {
        put_byte(w, KR_M_BINARY_FLOAT | flag);
        put_double(w, PyFloat_AS_DOUBLE(op));
        return;
    }
    put_byte(w, KR_M_FLOAT | flag);
    put_double_text(w, PyFloat_AS_DOUBLE(op));
}

static void
put_complex(struct writer *w, PyObject *op, int flag)
{
    Py_complex z = PyComplex_AsCComplex(op);
    if (w->version > 1) {
        put_byte(w, KR_M_BINARY_COMPLEX | flag);
        put_double(w, z.real);
        put_double(w, z.imag);
        return;
    }
    put_byte(w, KR_M_COMPLEX | flag);
    put_double_text(w, z.real);
    put_double_text(w, z.imag);
}

static void
put_sequence(struct writer *w, PyObject *op, int flag)
{
    Py_ssize_t n = Py_SIZE(op);
    if (PyList_CheckExact(op)) {
        put_byte(w, KR_M_LIST | flag);
        put_size(w, n);
    }
    else if (w->version >= 4 && n < 256) {
        put_byte(w, KR_M_SMALL_TUPLE | flag);
        put_byte(w, (int)n);
    }
    else {
        put_byte(w, KR_M_TUPLE | flag);
        put_size(w, n);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        put_object(w, PyList_CheckExact(op) ? PyList_GET_ITEM(op, i)
                                            : PyTuple_GET_ITEM(op, i));
    }
}

static void
put_buffer(struct writer *w, PyObject *op, int flag)
{
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) != 0) {
        put_byte(w, KR_M_UNKNOWN);
        w->error = UNMARSHALLABLE;
        return;
    }
    put_byte(w, KR_M_STRING | flag);
    put_sized(w, view.buf, view.len);
    PyBuffer_Release(&view);
}

static void
put_any(struct writer *w, PyObject *op, int flag)
{
    if (PyLong_CheckExact(op)) {
        put_int(w, op, flag);
    }
    else if (PyFloat_CheckExact(op)) {
        put_float(w, op, flag);
    }
    else if (PyComplex_CheckExact(op)) {
        put_complex(w, op, flag);
    }
    else if (PyBytes_CheckExact(op)) {
        put_byte(w, KR_M_STRING | flag);
        put_sized(w, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op));
    }
    else if (PyUnicode_CheckExact(op)) {
        put_str(w, op, flag);
    }
    else if (PyTuple_CheckExact(op) || PyList_CheckExact(op)) {
        put_sequence(w, op, flag);
    }
    else if (PyDict_CheckExact(op)) {
        put_dict(w, op, flag);
    }
    else if (PyAnySet_CheckExact(op)) {
        put_set(w, op, flag);
    }
    else if (PyCode_Check(op)) {
        put_code(w, op, flag);
    }
    else if (PyObject_CheckBuffer(op)) {
        put_buffer(w, op, flag);
    }
    else {
        put_byte(w, KR_M_UNKNOWN);
        w->error = UNMARSHALLABLE;
    }
}

static int
singleton_type(PyObject *op)
{
    return op == NULL             ? KR_M_NULL
           : op == Py_None        ? KR_M_NONE
           : op == Py_False       ? KR_M_FALSE
           : op == Py_True        ? KR_M_TRUE
           : op == Py_Ellipsis    ? KR_M_ELLIPSIS
           : op == PyExc_StopIteration ? KR_M_STOPITER
                                       : 0;
}

static void
put_object(struct writer *w, PyObject *op)
{
    int type = singleton_type(op);
    if (type) {
        put_byte(w, type);
        return;
    }
    int flag = 0;
    if (++w->depth > KR_M_MAX_DEPTH || kr_stack_is_low(kr_tstate())) {
        w->error = TOO_DEEP;
    }
    else if (!put_ref(w, op, &flag)) {
        put_any(w, op, flag);
    }
    w->depth--;
}

static void
release_refs(struct writer *w)
{
    for (size_t i = 0; i < w->refs_size; i++) {
        Py_XDECREF(w->refs[i].object);
    }
    PyMem_Free(w->refs);
}

void
PyMarshal_WriteLongToFile(long value, FILE *fp, int version)
{
    struct writer w = {.fp = fp, .version = version};
    w.ptr = w.buffer;
    w.end = w.buffer + sizeof(w.buffer);
    put_int32(&w, value);
    flush(&w);
}

void
PyMarshal_WriteObjectToFile(PyObject *op, FILE *fp, int version)
{
    if (PySys_Audit("marshal.dumps", "Oi", op, version) < 0) {
        return;
    }
    struct writer w = {.fp = fp, .version = version};
    w.ptr = w.buffer;
    w.end = w.buffer + sizeof(w.buffer);
    put_object(&w, op);
    release_refs(&w);
    flush(&w);
}

PyObject *
PyMarshal_WriteObjectToString(PyObject *op, int version)
{
    if (PySys_Audit("marshal.dumps", "Oi", op, version) < 0) {
        return NULL;
    }
    struct writer w = {.version = version};
    w.out = PyBytes_FromStringAndSize(NULL, 50);
    if (w.out == NULL) {
        return NULL;
    }
    w.ptr = PyBytes_AS_STRING(w.out);
    w.end = w.ptr + PyBytes_GET_SIZE(w.out);
    put_object(&w, op);
    release_refs(&w);
    if (w.out != NULL && w.error == OK) {
        _PyBytes_Resize(&w.out, w.ptr - PyBytes_AS_STRING(w.out));
        return w.out;
    }
    Py_XDECREF(w.out);
    if (w.error == NO_MEMORY) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
    }
    else {
        PyErr_SetString(PyExc_ValueError,
                        w.error == UNMARSHALLABLE
                            ? "unmarshallable object"
                            : "object too deeply nested to marshal");
    }
    return NULL;
}
