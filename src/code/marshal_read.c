/* Reading marshal data, from memory, a C file or a Python file object.
 *
 * The data may be damaged or hostile: every size is checked against what is
 * there before memory is taken, nesting is bounded, and a reference may only name
 * an object that is complete. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <marshal.h>
#include <sys/stat.h>

#include "base/common.h"
#include "code/code.h"
#include "code/marshal_format.h"
#include "memory/tstate.h"
#include "objects/str/str.h"

struct reader {
    const char *ptr, *end; /* memory, or the rest of `chunk` */
    FILE *fp;
    PyObject *readable;
    char *chunk;
    Py_ssize_t chunk_size;
    PyObject *refs; /* list; None marks an object under construction */
    bool trusted;   /* the compiler's own output */
    int depth;
};

static PyObject *get_object(struct reader *r);

static PyObject *
bad(const char *what)
{
    PyErr_Format(PyExc_ValueError, "bad marshal data (%s)", what);
    return NULL;
}

static void
too_short(void)
{
    PyErr_SetString(PyExc_EOFError, "marshal data too short");
}

static int
fill_from_readable(struct reader *r, Py_ssize_t n, Py_ssize_t *got)
{
    PyObject *view =
        PyMemoryView_FromMemory(r->chunk, n, PyBUF_WRITE);
    if (view == NULL) {
        return -1;
    }
    Py_INCREF(view);
    PyObject *res = PyObject_CallMethod(r->readable, "readinto", "N", view);
    /* nobody may keep it: the chunk goes away */
    PyObject *released =
        res == NULL ? NULL : PyObject_CallMethod(view, "release", NULL);
    Py_DECREF(view);
    Py_XDECREF(released);
    if (released == NULL) {
        Py_XDECREF(res);
        return -1;
    }
    *got = PyNumber_AsSsize_t(res, PyExc_ValueError);
    Py_DECREF(res);
    return *got < 0 && PyErr_Occurred() ? -1 : 0;
}

/* The next n bytes, valid until the next call; NULL with an exception. */
static const char *
get_bytes(struct reader *r, Py_ssize_t n)
{
    if (r->ptr != NULL) {
        if (r->end - r->ptr < n) {
            too_short();
            return NULL;
        }
        const char *p = r->ptr;
        r->ptr += n;
        return p;
    }
    if (r->chunk_size < n || r->chunk == NULL) {
        char *chunk = PyMem_Realloc(r->chunk, (size_t)(n > 0 ? n : 1));
        if (chunk == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        r->chunk = chunk;
        r->chunk_size = n;
    }
    Py_ssize_t got = 0;
    if (r->readable == NULL) {
        got = (Py_ssize_t)fread(r->chunk, 1, (size_t)n, r->fp);
    }
    else if (fill_from_readable(r, n, &got) < 0) {
        return NULL;
    }
    if (got != n) {
        if (got > n) {
            PyErr_Format(PyExc_ValueError,
                         "read() returned too much data: "
                         "%zd bytes requested, %zd returned",
                         n, got);
        }
        else {
            too_short();
        }
        return NULL;
    }
    return r->chunk;
}

static int
get_byte(struct reader *r)
{
    if (r->ptr != NULL) {
        return r->ptr < r->end ? (unsigned char)*r->ptr++ : EOF;
    }
    if (r->readable == NULL) {
        return getc(r->fp);
    }
    const char *p = get_bytes(r, 1);
    return p == NULL ? EOF : (unsigned char)*p;
}

/* Little-endian; -1 with an exception set on failure (which -1 alone isn't). */
static int
get_int16(struct reader *r)
{
    const unsigned char *p = (const unsigned char *)get_bytes(r, 2);
    return p == NULL ? -1 : (int16_t)(p[0] | p[1] << 8);
}

static int32_t
get_int32(struct reader *r)
{
    const unsigned char *p = (const unsigned char *)get_bytes(r, 4);
    if (p == NULL) {
        return -1;
    }
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 |
                     (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/* -1 with an exception set if it can't be read or is negative. */
static Py_ssize_t
get_size(struct reader *r, const char *what)
{
    int32_t n = get_int32(r);
    if (PyErr_Occurred()) {
        return -1;
    }
    if (n < 0) {
        PyErr_Format(PyExc_ValueError,
                     "bad marshal data (%s size out of range)", what);
        return -1;
    }
    return n;
}

static int
get_double(struct reader *r, double *value)
{
    const char *p = get_bytes(r, 8);
    if (p == NULL) {
        return -1;
    }
    *value = PyFloat_Unpack8(p, 1);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int
get_double_text(struct reader *r, double *value)
{
    int n = get_byte(r);
    if (n == EOF) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_EOFError,
                            "EOF read where object expected");
        }
        return -1;
    }
    const char *p = get_bytes(r, n);
    if (p == NULL) {
        return -1;
    }
    char text[256];
    memcpy(text, p, (size_t)n);
    text[n] = 0;
    *value = PyOS_string_to_double(text, NULL, NULL);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* Reference bookkeeping. An index is reserved before the parts of an immutable
 * object are read, since writers number an object before its parts. */
static Py_ssize_t
reserve_ref(struct reader *r, int flag)
{
    if (!flag) {
        return 0;
    }
    Py_ssize_t index = PyList_GET_SIZE(r->refs);
    if (index >= INT32_MAX) {
        bad("index list too large");
        return -1;
    }
    return PyList_Append(r->refs, Py_None) < 0 ? -1 : index;
}

static PyObject *
insert_ref(struct reader *r, PyObject *op, Py_ssize_t index, int flag)
{
    if (op != NULL && flag) {
        PyObject *old = PyList_GET_ITEM(r->refs, index);
        PyList_SET_ITEM(r->refs, index, Py_NewRef(op));
        Py_DECREF(old);
    }
    return op;
}

static PyObject *
add_ref(struct reader *r, PyObject *op, int flag)
{
    if (op != NULL && flag && PyList_Append(r->refs, op) < 0) {
        Py_CLEAR(op);
    }
    return op;
}

static PyObject *
get_long(struct reader *r)
{
    int32_t n = get_int32(r);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (n == INT32_MIN) {
        return bad("long size out of range");
    }
    Py_ssize_t count = n < 0 ? -(Py_ssize_t)n : n;
    if (count == 0) {
        return PyLong_FromLong(0);
    }
    if (r->ptr != NULL && (r->end - r->ptr) / 2 < count) {
        too_short();
        return NULL;
    }
    PyLongObject *v = _PyLong_New((count + 1) / 2);
    if (v == NULL) {
        return NULL;
    }
    const char *why = NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        int d = get_int16(r);
        if (d < 0 && PyErr_Occurred()) {
            Py_DECREF(v);
            return NULL;
        }
        if (d < 0) {
            why = "digit out of range in long";
            break;
        }
        if (d == 0 && i == count - 1) {
            why = "unnormalized long data";
            break;
        }
        if (i & 1) {
            v->ob_digit[i / 2] |= (digit)d << KR_M_LONG_SHIFT;
        }
        else {
            v->ob_digit[i / 2] = (digit)d;
        }
    }
    if (why != NULL) {
        Py_DECREF(v);
        return bad(why);
    }
    Py_SET_SIZE(v, n < 0 ? -Py_SIZE(v) : Py_SIZE(v));
    /* small values must be the shared objects */
    if (Py_ABS(Py_SIZE(v)) == 1) {
        PyObject *small = PyLong_FromLong(
            n < 0 ? -(long)v->ob_digit[0] : (long)v->ob_digit[0]);
        Py_DECREF(v);
        return small;
    }
    return (PyObject *)v;
}

static PyObject *
get_int64(struct reader *r)
{
    const unsigned char *p = (const unsigned char *)get_bytes(r, 8);
    return p == NULL ? NULL : _PyLong_FromByteArray(p, 8, 1, 1);
}

static PyObject *
get_ascii(struct reader *r, bool is_short, bool interned)
{
    Py_ssize_t n;
    if (is_short) {
        n = get_byte(r);
        if (n == EOF) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_EOFError,
                                "EOF read where object expected");
            }
            return NULL;
        }
    }
    else if ((n = get_size(r, "string")) < 0) {
        return NULL;
    }
    const char *p = get_bytes(r, n);
    if (p == NULL) {
        return NULL;
    }
    return interned ? kr_str_intern_latin1(p, n)
                    : PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, p, n);
}

static PyObject *
get_unicode(struct reader *r, bool interned)
{
    Py_ssize_t n = get_size(r, "string");
    const char *p = n < 0 ? NULL : get_bytes(r, n);
    if (p == NULL) {
        return NULL;
    }
    PyObject *v = PyUnicode_DecodeUTF8(p, n, "surrogatepass");
    if (v != NULL && interned) {
        PyUnicode_InternInPlace(&v);
    }
    return v;
}

static PyObject *
get_string(struct reader *r)
{
    Py_ssize_t n = get_size(r, "bytes object");
    const char *p = n < 0 ? NULL : get_bytes(r, n);
    return p == NULL ? NULL : PyBytes_FromStringAndSize(p, n);
}

static PyObject *
null_in(const char *what)
{
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "NULL object in marshal data for %s",
                     what);
    }
    return NULL;
}

/* Each element takes a byte or more: a count that the data can't hold need not
 * be tried. Sizes of files are not known. */
static bool
plausible(struct reader *r, Py_ssize_t n)
{
    if (r->ptr != NULL && r->end - r->ptr < n) {
        PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return false;
    }
    return true;
}

static PyObject *
get_tuple(struct reader *r, Py_ssize_t n, int flag)
{
    if (!plausible(r, n)) {
        return NULL;
    }
    Py_ssize_t index = reserve_ref(r, flag);
    PyObject *v = index < 0 ? NULL : PyTuple_New(n);
    for (Py_ssize_t i = 0; v != NULL && i < n; i++) {
        PyObject *item = get_object(r);
        if (item == NULL) {
            Py_DECREF(v);
            return null_in("tuple");
        }
        PyTuple_SET_ITEM(v, i, item);
    }
    return insert_ref(r, v, index, flag);
}

static PyObject *
get_list(struct reader *r, int flag)
{
    Py_ssize_t n = get_size(r, "list");
    if (n < 0 || !plausible(r, n)) {
        return NULL;
    }
    PyObject *v = add_ref(r, PyList_New(0), flag);
    for (Py_ssize_t i = 0; v != NULL && i < n; i++) {
        PyObject *item = get_object(r);
        int err = item == NULL || PyList_Append(v, item) < 0;
        if (err) {
            Py_DECREF(v);
            v = item == NULL ? null_in("list") : NULL;
        }
        Py_XDECREF(item);
        if (err) {
            break;
        }
    }
    return v;
}

static PyObject *
get_dict(struct reader *r, int flag)
{
    PyObject *v = add_ref(r, PyDict_New(), flag);
    while (v != NULL) {
        PyObject *key = get_object(r);
        if (key == NULL) {
            break;
        }
        PyObject *value = get_object(r);
        if (value == NULL) {
            Py_DECREF(key);
            break;
        }
        int err = PyDict_SetItem(v, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
        if (err < 0) {
            break;
        }
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
get_set(struct reader *r, bool frozen, int flag)
{
    Py_ssize_t n = get_size(r, "set");
    if (n < 0 || !plausible(r, n)) {
        return NULL;
    }
    /* an empty frozenset is shared, so it is not one to fill later */
    Py_ssize_t index = 0;
    PyObject *v;
    if (frozen) {
        if ((index = reserve_ref(r, flag)) < 0) {
            return NULL;
        }
        PyObject *items = PyList_New(0);
        for (Py_ssize_t i = 0; items != NULL && i < n; i++) {
            PyObject *item = get_object(r);
            if (item == NULL || PyList_Append(items, item) < 0) {
                Py_CLEAR(items);
                if (item == NULL) {
                    null_in("set");
                }
            }
            Py_XDECREF(item);
        }
        v = items == NULL ? NULL : PyFrozenSet_New(items);
        Py_XDECREF(items);
        return insert_ref(r, v, index, flag);
    }
    v = add_ref(r, PySet_New(NULL), flag);
    for (Py_ssize_t i = 0; v != NULL && i < n; i++) {
        PyObject *item = get_object(r);
        if (item == NULL || PySet_Add(v, item) < 0) {
            Py_CLEAR(v);
            if (item == NULL) {
                null_in("set");
            }
        }
        Py_XDECREF(item);
    }
    return v;
}

/* Reads into *part; false with an exception set on failure. */
static bool
get_part(struct reader *r, PyObject **part)
{
    *part = get_object(r);
    if (*part == NULL) {
        null_in("object");
    }
    return *part != NULL;
}

static bool
get_number(struct reader *r, int *number)
{
    *number = get_int32(r);
    return !(*number == -1 && PyErr_Occurred());
}

static PyObject *
get_code(struct reader *r, int flag)
{
    struct kr_code_spec s = {0};
    Py_ssize_t index = reserve_ref(r, flag);
    if (index < 0) {
        return NULL;
    }
    PyObject *v = NULL;
    if (get_number(r, &s.argcount) && get_number(r, &s.posonlyargcount) &&
        get_number(r, &s.kwonlyargcount) && get_number(r, &s.stacksize) &&
        get_number(r, &s.flags) && get_part(r, &s.code) &&
        get_part(r, &s.consts) && get_part(r, &s.names) &&
        get_part(r, &s.localsplusnames) && get_part(r, &s.localspluskinds) &&
        get_part(r, &s.filename) && get_part(r, &s.name) &&
        get_part(r, &s.qualname) && get_number(r, &s.firstlineno) &&
        get_part(r, &s.linetable) && get_part(r, &s.exceptiontable) &&
        PySys_Audit("code.__new__", "OOOiiiiii", s.code, s.filename, s.name,
                    s.argcount, s.posonlyargcount, s.kwonlyargcount, 0,
                    s.stacksize, s.flags) == 0) {
        PyObject *co =
            r->trusted ? kr_code_new(&s) : kr_code_new_foreign(&s);
        v = insert_ref(r, co, index, flag);
    }
    Py_XDECREF(s.code);
    Py_XDECREF(s.consts);
    Py_XDECREF(s.names);
    Py_XDECREF(s.localsplusnames);
    Py_XDECREF(s.localspluskinds);
    Py_XDECREF(s.filename);
    Py_XDECREF(s.name);
    Py_XDECREF(s.qualname);
    Py_XDECREF(s.linetable);
    Py_XDECREF(s.exceptiontable);
    return v;
}

static PyObject *
get_reference(struct reader *r)
{
    int32_t n = get_int32(r);
    if (n == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (n < 0 || n >= PyList_GET_SIZE(r->refs)) {
        return bad("invalid reference");
    }
    PyObject *v = PyList_GET_ITEM(r->refs, n);
    return v == Py_None ? bad("invalid reference") : Py_NewRef(v);
}

static PyObject *
get_float(struct reader *r, bool binary)
{
    double x;
    int err = binary ? get_double(r, &x) : get_double_text(r, &x);
    return err < 0 ? NULL : PyFloat_FromDouble(x);
}

static PyObject *
get_complex(struct reader *r, bool binary)
{
    double x, y;
    int err = binary ? get_double(r, &x) < 0 || get_double(r, &y) < 0
                     : get_double_text(r, &x) < 0 ||
                           get_double_text(r, &y) < 0;
    return err ? NULL : PyComplex_FromDoubles(x, y);
}

static PyObject *
get_small_int(struct reader *r)
{
    int32_t n = get_int32(r);
    return n == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(n);
}

static PyObject *
get_typed(struct reader *r, int type, int flag)
{
    Py_ssize_t n;
    switch (type) {
        case KR_M_NULL:
            return NULL;
        case KR_M_NONE:
            return Py_NewRef(Py_None);
        case KR_M_STOPITER:
            return Py_NewRef(PyExc_StopIteration);
        case KR_M_ELLIPSIS:
            return Py_NewRef(Py_Ellipsis);
        case KR_M_FALSE:
            return Py_NewRef(Py_False);
        case KR_M_TRUE:
            return Py_NewRef(Py_True);
        case KR_M_INT:
            return add_ref(r, get_small_int(r), flag);
        case KR_M_INT64:
            return add_ref(r, get_int64(r), flag);
        case KR_M_LONG:
            return add_ref(r, get_long(r), flag);
        case KR_M_FLOAT:
        case KR_M_BINARY_FLOAT:
            return add_ref(r, get_float(r, type == KR_M_BINARY_FLOAT), flag);
        case KR_M_COMPLEX:
        case KR_M_BINARY_COMPLEX:
            return add_ref(r, get_complex(r, type == KR_M_BINARY_COMPLEX),
                           flag);
        case KR_M_STRING:
            return add_ref(r, get_string(r), flag);
        case KR_M_ASCII:
        case KR_M_ASCII_INTERNED:
            return add_ref(r, get_ascii(r, false, type == KR_M_ASCII_INTERNED),
                           flag);
        case KR_M_SHORT_ASCII:
        case KR_M_SHORT_ASCII_INTERNED:
            return add_ref(
                r, get_ascii(r, true, type == KR_M_SHORT_ASCII_INTERNED),
                flag);
        case KR_M_INTERNED:
        case KR_M_UNICODE:
            return add_ref(r, get_unicode(r, type == KR_M_INTERNED), flag);
        case KR_M_SMALL_TUPLE:
            n = get_byte(r);
            if (n == EOF) {
                if (!PyErr_Occurred()) {
                    too_short();
                }
                return NULL;
            }
            return get_tuple(r, n, flag);
        case KR_M_TUPLE:
            n = get_size(r, "tuple");
            return n < 0 ? NULL : get_tuple(r, n, flag);
        case KR_M_LIST:
            return get_list(r, flag);
        case KR_M_DICT:
            return get_dict(r, flag);
        case KR_M_SET:
        case KR_M_FROZENSET:
            return get_set(r, type == KR_M_FROZENSET, flag);
        case KR_M_CODE:
            return get_code(r, flag);
        case KR_M_REF:
            return get_reference(r);
        default:
            return bad("unknown type code");
    }
}

static PyObject *
get_object(struct reader *r)
{
    int type = get_byte(r);
    if (type == EOF) {
        if (PyErr_ExceptionMatches(PyExc_EOFError) || !PyErr_Occurred()) {
            PyErr_SetString(PyExc_EOFError,
                            "EOF read where object expected");
        }
        return NULL;
    }
    if (r->depth >= KR_M_MAX_DEPTH || kr_stack_is_low(kr_tstate())) {
        PyErr_SetString(PyExc_ValueError, "recursion limit exceeded");
        return NULL;
    }
    r->depth++;
    PyObject *v = get_typed(r, type & ~KR_M_FLAG_REF, type & KR_M_FLAG_REF);
    r->depth--;
    return v;
}

static PyObject *
read_top(struct reader *r)
{
    if (PyErr_Occurred()) {
        fprintf(stderr, "XXX readobject called with exception set\n");
        return NULL;
    }
    r->refs = PyList_New(0);
    PyObject *v = NULL;
    if (r->refs != NULL) {
        v = get_object(r);
        if (v == NULL) {
            null_in("object");
        }
        Py_DECREF(r->refs);
    }
    PyMem_Free(r->chunk);
    return v;
}

PyObject *
kr_marshal_load_bytes(const char *data, Py_ssize_t size)
{
    struct reader r = {.ptr = data, .end = data + size};
    return read_top(&r);
}

PyObject *
kr_marshal_load_trusted(const char *data, Py_ssize_t size)
{
    if (PySys_Audit("marshal.loads", "y#", data, size) < 0) {
        return NULL;
    }
    struct reader r = {.ptr = data, .end = data + size, .trusted = true};
    return read_top(&r);
}

PyObject *
kr_marshal_load_file(PyObject *file)
{
    /* A text file is told apart before anything is consumed. */
    PyObject *data = PyObject_CallMethod(file, "read", "i", 0);
    if (data == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(data)) {
        PyErr_Format(PyExc_TypeError,
                     "file.read() returned not bytes but %.100s",
                     Py_TYPE(data)->tp_name);
        Py_DECREF(data);
        return NULL;
    }
    Py_DECREF(data);
    if (PySys_Audit("marshal.load", NULL) < 0) {
        return NULL;
    }
    struct reader r = {.readable = file};
    return read_top(&r);
}

PyObject *
PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    if (PySys_Audit("marshal.loads", "y#", data, size) < 0) {
        return NULL;
    }
    return kr_marshal_load_bytes(data, size);
}

PyObject *
PyMarshal_ReadObjectFromFile(FILE *fp)
{
    if (PySys_Audit("marshal.load", NULL) < 0) {
        return NULL;
    }
    struct reader r = {.fp = fp};
    return read_top(&r);
}

/* The rest of the file is known to be one object: reads it in one go. */
PyObject *
PyMarshal_ReadLastObjectFromFile(FILE *fp)
{
    struct stat st;
    if (fstat(fileno(fp), &st) == 0 && st.st_size > 0 &&
        st.st_size < (1 << 26)) {
        char *data = PyMem_Malloc((size_t)st.st_size);
        if (data != NULL) {
            size_t n = fread(data, 1, (size_t)st.st_size, fp);
            PyObject *v =
                PyMarshal_ReadObjectFromString(data, (Py_ssize_t)n);
            PyMem_Free(data);
            return v;
        }
    }
    return PyMarshal_ReadObjectFromFile(fp);
}

int
PyMarshal_ReadShortFromFile(FILE *fp)
{
    struct reader r = {.fp = fp};
    int value = get_int16(&r);
    PyMem_Free(r.chunk);
    return value;
}

long
PyMarshal_ReadLongFromFile(FILE *fp)
{
    struct reader r = {.fp = fp};
    long value = get_int32(&r);
    PyMem_Free(r.chunk);
    return value;
}
