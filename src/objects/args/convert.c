/* Conversion of one argument by one item of a PyArg_Parse format. */
#include "objects/args/args.h"

#include <float.h>
#include <limits.h>
#include <string.h>

#define CONVERTING_FAILED "(unspecified)"

/* --- Cleanups ------------------------------------------------------------- */

void
kr_args_cleanups_init(struct kr_args_cleanups *c)
{
    c->list = c->fixed;
    c->count = 0;
    c->capacity = sizeof(c->fixed) / sizeof(*c->fixed);
}

static int
add_cleanup(struct kr_args_cleanups *c, void *item,
            int (*converter)(PyObject *, void *))
{
    if (c->count == c->capacity) {
        int capacity = c->capacity * 2;
        struct kr_args_cleanup *list =
            PyMem_Malloc((size_t)capacity * sizeof(*list));
        if (list == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(list, c->list, (size_t)c->count * sizeof(*list));
        if (c->list != c->fixed) {
            PyMem_Free(c->list);
        }
        c->list = list;
        c->capacity = capacity;
    }
    c->list[c->count++] = (struct kr_args_cleanup){converter, item};
    return 0;
}

static int
release_buffer(PyObject *Py_UNUSED(arg), void *item)
{
    PyBuffer_Release(item);
    return 0;
}

static int
free_string(PyObject *Py_UNUSED(arg), void *item)
{
    PyMem_Free(*(void **)item);
    *(void **)item = NULL;
    return 0;
}

int
kr_args_cleanups_finish(struct kr_args_cleanups *c, int ok)
{
    if (!ok) {
        for (int i = 0; i < c->count; i++) {
            c->list[i].converter(NULL, c->list[i].item);
        }
    }
    if (c->list != c->fixed) {
        PyMem_Free(c->list);
    }
    return ok;
}

/* --- Errors ------------------------------------------------------------------ */

static const char *
wrong_type(const char *expected, PyObject *arg, char *buffer, size_t size)
{
    if (expected[0] == '(') {
        snprintf(buffer, size, "%.100s", expected);
    }
    else {
        snprintf(buffer, size, "must be %.50s, not %.50s", expected,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    }
    return buffer;
}

void
kr_args_set_error(Py_ssize_t iarg, PyObject *name, const char *msg,
                  const int *levels, const char *fname, const char *message)
{
    if (PyErr_Occurred()) {
        return;
    }
    char buf[512];
    if (message != NULL) {
        PyErr_SetString(PyExc_TypeError, message);
        return;
    }
    size_t len = 0;
    buf[0] = '\0';
    if (fname != NULL) {
        len += (size_t)snprintf(buf, sizeof(buf), "%.200s() ", fname);
    }
    if (name != NULL) {
        len += (size_t)snprintf(buf + len, sizeof(buf) - len,
                                "argument '%.100s'", PyUnicode_AsUTF8(name));
    }
    else if (iarg != 0) {
        len += (size_t)snprintf(buf + len, sizeof(buf) - len, "argument %d",
                                (int)iarg);
        for (int i = 0; i < 32 && levels[i] > 0 && len < 220; i++) {
            len += (size_t)snprintf(buf + len, sizeof(buf) - len, ", item %d",
                                    levels[i] - 1);
        }
    }
    else {
        len += (size_t)snprintf(buf + len, sizeof(buf) - len, "argument");
    }
    snprintf(buf + len, sizeof(buf) - len, " %.256s", msg);
    if (msg[0] == '(') {
        PyErr_SetString(PyExc_SystemError, buf);
    }
    else {
        PyErr_SetString(PyExc_TypeError, buf);
    }
}

int
kr_args_is_end(char c)
{
    return c == '\0' || c == ';' || c == ':';
}

/* --- Buffers and strings ------------------------------------------------------ */

/* A read-only view without release: *p and its length, or -1 and *errmsg. */
static Py_ssize_t
simple_buffer(PyObject *arg, const void **p, const char **errmsg)
{
    PyBufferProcs *procs = Py_TYPE(arg)->tp_as_buffer;
    *errmsg = NULL;
    *p = NULL;
    if (procs != NULL && procs->bf_releasebuffer != NULL) {
        *errmsg = "read-only bytes-like object";
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) != 0) {
        *errmsg = "bytes-like object";
        return -1;
    }
    Py_ssize_t len = view.len;
    *p = view.buf;
    if (!PyBuffer_IsContiguous(&view, 'C')) {
        *errmsg = "contiguous buffer";
        len = -1;
    }
    PyBuffer_Release(&view);
    return len;
}

static const char *
full_buffer(PyObject *arg, Py_buffer *view)
{
    if (PyObject_GetBuffer(arg, view, PyBUF_SIMPLE) != 0) {
        return "bytes-like object";
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return "contiguous buffer";
    }
    return NULL;
}

struct item {
    PyObject *arg;
    const char *format; /* behind the code letter */
    va_list *va;
    int flags;
    char *buffer;
    size_t size;
    struct kr_args_cleanups *cleanups;
};

#define NEXT(type) va_arg(*it->va, type)
#define WRONG(expected)                                                        \
    wrong_type(expected, it->arg, it->buffer, it->size)

static const char *
need_ssize_t(struct item *it)
{
    if (it->flags & KR_ARGS_SSIZE_T) {
        return NULL;
    }
    PyErr_SetString(
        PyExc_SystemError,
        "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
    return CONVERTING_FAILED;
}

static const char *
convert_bytes(struct item *it)
{
    const char *errmsg;
    if (*it->format == '*') {
        it->format++;
        Py_buffer *view = NEXT(Py_buffer *);
        if ((errmsg = full_buffer(it->arg, view)) != NULL) {
            return WRONG(errmsg);
        }
        return add_cleanup(it->cleanups, view, release_buffer) < 0
                   ? CONVERTING_FAILED
                   : NULL;
    }
    const void **p = (const void **)NEXT(const char **);
    Py_ssize_t count = simple_buffer(it->arg, p, &errmsg);
    if (count < 0) {
        return WRONG(errmsg);
    }
    if (*it->format == '#') {
        it->format++;
        if ((errmsg = need_ssize_t(it)) != NULL) {
            return errmsg;
        }
        *NEXT(Py_ssize_t *) = count;
        return NULL;
    }
    if (strlen(*p) != (size_t)count) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return CONVERTING_FAILED;
    }
    return NULL;
}

static const char *
convert_text_view(struct item *it, int none_ok)
{
    it->format++;
    Py_buffer *view = NEXT(Py_buffer *);
    if (none_ok && it->arg == Py_None) {
        PyBuffer_FillInfo(view, NULL, NULL, 0, 1, 0);
    }
    else if (PyUnicode_Check(it->arg)) {
        Py_ssize_t len;
        const char *s = PyUnicode_AsUTF8AndSize(it->arg, &len);
        if (s == NULL) {
            return WRONG("(unicode conversion error)");
        }
        PyBuffer_FillInfo(view, it->arg, (void *)s, len, 1, 0);
    }
    else {
        const char *errmsg = full_buffer(it->arg, view);
        if (errmsg != NULL) {
            return WRONG(errmsg);
        }
    }
    return add_cleanup(it->cleanups, view, release_buffer) < 0
               ? CONVERTING_FAILED
               : NULL;
}

static const char *
convert_text(struct item *it, int none_ok)
{
    if (*it->format == '*') {
        return convert_text_view(it, none_ok);
    }
    const char **p = NEXT(const char **);
    int sized = *it->format == '#';
    Py_ssize_t len = 0;
    if (sized) {
        it->format++;
        const char *errmsg = need_ssize_t(it);
        if (errmsg != NULL) {
            return errmsg;
        }
    }
    if (none_ok && it->arg == Py_None) {
        *p = NULL;
    }
    else if (PyUnicode_Check(it->arg)) {
        *p = PyUnicode_AsUTF8AndSize(it->arg, &len);
        if (*p == NULL) {
            return WRONG("(unicode conversion error)");
        }
    }
    else if (sized) {
        const char *errmsg;
        len = simple_buffer(it->arg, (const void **)p, &errmsg);
        if (len < 0) {
            return WRONG(errmsg);
        }
    }
    else {
        return WRONG(none_ok ? "str or None" : "str");
    }
    if (sized) {
        *NEXT(Py_ssize_t *) = len;
    }
    else if (*p != NULL && strlen(*p) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return CONVERTING_FAILED;
    }
    return NULL;
}

static const char *
convert_wide(struct item *it, int none_ok)
{
    Py_UNICODE **p = NEXT(Py_UNICODE **);
    int sized = *it->format == '#';
    Py_ssize_t len = 0;
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "getargs: The '%c' format is deprecated. Use 'U' "
                         "instead.",
                         none_ok ? 'Z' : 'u') < 0) {
        return CONVERTING_FAILED;
    }
    if (sized) {
        it->format++;
        const char *errmsg = need_ssize_t(it);
        if (errmsg != NULL) {
            return errmsg;
        }
    }
    if (none_ok && it->arg == Py_None) {
        *p = NULL;
    }
    else if (PyUnicode_Check(it->arg)) {
        _Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS
        *p = PyUnicode_AsUnicodeAndSize(it->arg, &len);
        _Py_COMP_DIAG_POP
        if (*p == NULL) {
            return CONVERTING_FAILED;
        }
        if (!sized && wcslen(*p) != (size_t)len) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return CONVERTING_FAILED;
        }
    }
    else {
        return WRONG(none_ok ? "str or None" : "str");
    }
    if (sized) {
        *NEXT(Py_ssize_t *) = len;
    }
    return NULL;
}

/* New bytes of the argument in `encoding`; NULL with *errmsg set. */
static PyObject *
encode_argument(struct item *it, const char *encoding, int recode,
                const char **errmsg)
{
    if (!recode &&
        (PyBytes_Check(it->arg) || PyByteArray_Check(it->arg))) {
        return PyBytes_FromObject(it->arg);
    }
    if (!PyUnicode_Check(it->arg)) {
        *errmsg = WRONG(recode ? "str" : "str, bytes or bytearray");
        return NULL;
    }
    PyObject *s = PyUnicode_AsEncodedString(
        it->arg, encoding != NULL ? encoding : "utf-8", NULL);
    if (s == NULL) {
        *errmsg = WRONG("(encoding failed)");
    }
    return s;
}

/* "es#": into the caller's buffer when *buffer is set, else a new one. */
static const char *
encoded_with_size(struct item *it, char **buffer, const char *data,
                  Py_ssize_t size)
{
    it->format++;
    const char *errmsg = need_ssize_t(it);
    if (errmsg != NULL) {
        return errmsg;
    }
    Py_ssize_t *psize = NEXT(Py_ssize_t *);
    if (*buffer == NULL) {
        *buffer = PyMem_Malloc((size_t)size + 1);
        if (*buffer == NULL) {
            PyErr_NoMemory();
            return CONVERTING_FAILED;
        }
        if (add_cleanup(it->cleanups, buffer, free_string) < 0) {
            return CONVERTING_FAILED;
        }
    }
    else if (size + 1 > *psize) {
        PyErr_Format(PyExc_ValueError,
                     "encoded string too long (%zd, maximum length %zd)", size,
                     *psize - 1);
        return CONVERTING_FAILED;
    }
    memcpy(*buffer, data, (size_t)size + 1);
    *psize = size;
    return NULL;
}

static const char *
convert_encoded(struct item *it)
{
    const char *encoding = NEXT(const char *);
    int recode;
    if (*it->format == 's') {
        recode = 1;
    }
    else if (*it->format == 't') {
        recode = 0;
    }
    else {
        return WRONG("(unknown parser marker combination)");
    }
    it->format++;
    char **buffer = NEXT(char **);
    if (buffer == NULL) {
        return WRONG("(buffer is NULL)");
    }
    const char *errmsg = NULL;
    PyObject *s = encode_argument(it, encoding, recode, &errmsg);
    if (s == NULL) {
        return errmsg != NULL ? errmsg : CONVERTING_FAILED;
    }
    const char *data = PyBytes_AS_STRING(s);
    Py_ssize_t size = PyBytes_GET_SIZE(s);
    if (*it->format == '#') {
        errmsg = encoded_with_size(it, buffer, data, size);
    }
    else if (strlen(data) != (size_t)size) {
        errmsg = WRONG("encoded string without null bytes");
    }
    else {
        *buffer = PyMem_Malloc((size_t)size + 1);
        if (*buffer == NULL) {
            PyErr_NoMemory();
            errmsg = CONVERTING_FAILED;
        }
        else {
            memcpy(*buffer, data, (size_t)size + 1);
            if (add_cleanup(it->cleanups, buffer, free_string) < 0) {
                errmsg = CONVERTING_FAILED;
            }
        }
    }
    Py_DECREF(s);
    return errmsg;
}

/* --- Numbers ---------------------------------------------------------------------- */

static int
failed(long value)
{
    return value == -1 && PyErr_Occurred();
}

static const char *
out_of_range(const char *what, int above)
{
    PyErr_Format(PyExc_OverflowError, "%s is %s than %s", what,
                 above ? "greater" : "less", above ? "maximum" : "minimum");
    return CONVERTING_FAILED;
}

/* A long that must lie in low..high, described as `what`. */
static const char *
ranged(struct item *it, long low, long high, const char *what, long *value)
{
    *value = PyLong_AsLong(it->arg);
    if (failed(*value)) {
        return CONVERTING_FAILED;
    }
    if (*value < low) {
        return out_of_range(what, 0);
    }
    if (*value > high) {
        return out_of_range(what, 1);
    }
    return NULL;
}

static const char *
convert_small_int(struct item *it, char code)
{
    long value;
    const char *errmsg = NULL;
    switch (code) {
    case 'b': {
        unsigned char *p = NEXT(unsigned char *);
        errmsg = ranged(it, 0, UCHAR_MAX, "unsigned byte integer", &value);
        if (errmsg == NULL) {
            *p = (unsigned char)value;
        }
        break;
    }
    case 'h': {
        short *p = NEXT(short *);
        errmsg =
            ranged(it, SHRT_MIN, SHRT_MAX, "signed short integer", &value);
        if (errmsg == NULL) {
            *p = (short)value;
        }
        break;
    }
    case 'i': {
        int *p = NEXT(int *);
        if (it->flags & KR_ARGS_NAMED) {
            *p = _PyLong_AsInt(it->arg);
            return failed(*p) ? CONVERTING_FAILED : NULL;
        }
        errmsg = ranged(it, INT_MIN, INT_MAX, "signed integer", &value);
        if (errmsg == NULL) {
            *p = (int)value;
        }
        break;
    }
    default: /* 'B' 'H' 'I': no overflow check */ {
        void *p = NEXT(void *);
        unsigned long bits = PyLong_AsUnsignedLongMask(it->arg);
        if (failed((long)bits)) {
            return CONVERTING_FAILED;
        }
        if (code == 'B') {
            *(unsigned char *)p = (unsigned char)bits;
        }
        else if (code == 'H') {
            *(unsigned short *)p = (unsigned short)bits;
        }
        else {
            *(unsigned int *)p = (unsigned int)bits;
        }
    }
    }
    return errmsg;
}

static const char *
convert_large_int(struct item *it, char code)
{
    switch (code) {
    case 'n': {
        Py_ssize_t *p = NEXT(Py_ssize_t *);
        PyObject *index = _PyNumber_Index(it->arg);
        Py_ssize_t value = -1;
        if (index != NULL) {
            value = PyLong_AsSsize_t(index);
            Py_DECREF(index);
        }
        if (failed(value)) {
            return CONVERTING_FAILED;
        }
        *p = value;
        return NULL;
    }
    case 'l': {
        long *p = NEXT(long *);
        long value = PyLong_AsLong(it->arg);
        if (failed(value)) {
            return CONVERTING_FAILED;
        }
        *p = value;
        return NULL;
    }
    case 'L': {
        long long *p = NEXT(long long *);
        long long value = PyLong_AsLongLong(it->arg);
        if (failed(value)) {
            return CONVERTING_FAILED;
        }
        *p = value;
        return NULL;
    }
    case 'k': {
        unsigned long *p = NEXT(unsigned long *);
        if (!PyLong_Check(it->arg)) {
            return WRONG("int");
        }
        *p = PyLong_AsUnsignedLongMask(it->arg);
        return NULL;
    }
    default: /* 'K' */ {
        unsigned long long *p = NEXT(unsigned long long *);
        if (!PyLong_Check(it->arg)) {
            return WRONG("int");
        }
        *p = PyLong_AsUnsignedLongLongMask(it->arg);
        return NULL;
    }
    }
}

static const char *
convert_float(struct item *it, char code)
{
    if (code == 'D') {
        Py_complex *p = NEXT(Py_complex *);
        *p = PyComplex_AsCComplex(it->arg);
        return PyErr_Occurred() ? CONVERTING_FAILED : NULL;
    }
    void *p = NEXT(void *);
    double value = PyFloat_AsDouble(it->arg);
    if (value == -1.0 && PyErr_Occurred()) {
        return CONVERTING_FAILED;
    }
    if (code == 'f') {
        *(float *)p = (float)value;
    }
    else {
        *(double *)p = value;
    }
    return NULL;
}

static const char *
convert_character(struct item *it, char code)
{
    if (code == 'C') {
        int *p = NEXT(int *);
        if (!PyUnicode_Check(it->arg) || PyUnicode_GetLength(it->arg) != 1) {
            return WRONG("a unicode character");
        }
        *p = (int)PyUnicode_ReadChar(it->arg, 0);
        return NULL;
    }
    char *p = NEXT(char *);
    if (PyBytes_Check(it->arg) && PyBytes_GET_SIZE(it->arg) == 1) {
        *p = PyBytes_AS_STRING(it->arg)[0];
    }
    else if (PyByteArray_Check(it->arg) &&
             PyByteArray_GET_SIZE(it->arg) == 1) {
        *p = PyByteArray_AS_STRING(it->arg)[0];
    }
    else {
        return WRONG("a byte string of length 1");
    }
    return NULL;
}

/* --- Objects ------------------------------------------------------------------------ */

static const char *
convert_object(struct item *it)
{
    if (*it->format == '!') {
        it->format++;
        PyTypeObject *type = NEXT(PyTypeObject *);
        PyObject **p = NEXT(PyObject **);
        if (!PyObject_TypeCheck(it->arg, type)) {
            return WRONG(type->tp_name);
        }
        *p = it->arg;
        return NULL;
    }
    if (*it->format == '&') {
        it->format++;
        typedef int (*converter)(PyObject *, void *);
        converter convert = NEXT(converter);
        void *address = NEXT(void *);
        int res = convert(it->arg, address);
        if (res == 0) {
            return WRONG("(unspecified)");
        }
        if (res == Py_CLEANUP_SUPPORTED &&
            add_cleanup(it->cleanups, address, convert) < 0) {
            return CONVERTING_FAILED;
        }
        return NULL;
    }
    *NEXT(PyObject **) = it->arg;
    return NULL;
}

static const char *
convert_exact(struct item *it, int ok, const char *name)
{
    PyObject **p = NEXT(PyObject **);
    if (!ok) {
        return WRONG(name);
    }
    *p = it->arg;
    return NULL;
}

static const char *
convert_writable(struct item *it)
{
    Py_buffer *view = NEXT(Py_buffer *);
    if (*it->format != '*') {
        return WRONG("(invalid use of 'w' format character)");
    }
    it->format++;
    if (PyObject_GetBuffer(it->arg, view, PyBUF_WRITABLE) != 0) {
        PyErr_Clear();
        return WRONG("read-write bytes-like object");
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return WRONG("contiguous buffer");
    }
    return add_cleanup(it->cleanups, view, release_buffer) < 0
               ? CONVERTING_FAILED
               : NULL;
}

static const char *
convert_simple(struct item *it)
{
    char code = *it->format++;
    switch (code) {
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I':
        return convert_small_int(it, code);
    case 'n': case 'l': case 'k': case 'L': case 'K':
        return convert_large_int(it, code);
    case 'f': case 'd': case 'D':
        return convert_float(it, code);
    case 'c': case 'C':
        return convert_character(it, code);
    case 'p': {
        int *p = NEXT(int *);
        int value = PyObject_IsTrue(it->arg);
        if (value < 0) {
            return CONVERTING_FAILED;
        }
        *p = value;
        return NULL;
    }
    case 'y':
        return convert_bytes(it);
    case 's':
        return convert_text(it, 0);
    case 'z':
        return convert_text(it, 1);
    case 'u':
        return convert_wide(it, 0);
    case 'Z':
        return convert_wide(it, 1);
    case 'e':
        return convert_encoded(it);
    case 'S':
        return convert_exact(it, PyBytes_Check(it->arg), "bytes");
    case 'Y':
        return convert_exact(it, PyByteArray_Check(it->arg), "bytearray");
    case 'U':
        return convert_exact(it, PyUnicode_Check(it->arg), "str");
    case 'O':
        return convert_object(it);
    case 'w':
        return convert_writable(it);
    default:
        return WRONG("(impossible<bad format char>)");
    }
}

/* --- Items ------------------------------------------------------------------------- */

/* Number of items up to the closing parenthesis. */
static Py_ssize_t
count_nested(const char *format)
{
    Py_ssize_t n = 0;
    int level = 0;
    for (;; format++) {
        char c = *format;
        if (c == '(') {
            if (level == 0) {
                n++;
            }
            level++;
        }
        else if (c == ')') {
            if (level == 0) {
                return n;
            }
            level--;
        }
        else if (kr_args_is_end(c)) {
            return n;
        }
        else if (level == 0 && Py_ISALPHA(c)) {
            n++;
            if (c == 'e' && format[1] != '\0') {
                format++;
            }
        }
    }
}

/* "(...)": a sequence, whose items are converted in turn. */
static const char *
convert_tuple(PyObject *arg, const char **p_format, va_list *va, int flags,
              int *levels, char *buffer, size_t size,
              struct kr_args_cleanups *cleanups)
{
    const char *format = *p_format;
    Py_ssize_t n = count_nested(format);
    if (!PySequence_Check(arg) || PyBytes_Check(arg)) {
        levels[0] = 0;
        snprintf(buffer, size, "must be %d-item sequence, not %.50s", (int)n,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return buffer;
    }
    Py_ssize_t len = PySequence_Size(arg);
    if (len != n) {
        levels[0] = 0;
        snprintf(buffer, size, "must be sequence of length %d, not %zd",
                 (int)n, len);
        return buffer;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (item == NULL) {
            PyErr_Clear();
            levels[0] = (int)i + 1;
            levels[1] = 0;
            return "is not retrievable";
        }
        const char *msg = kr_args_convert(item, &format, va, flags, levels + 1,
                                          buffer, size, cleanups);
        Py_DECREF(item);
        if (msg != NULL) {
            levels[0] = (int)i + 1;
            return msg;
        }
    }
    *p_format = format;
    return NULL;
}

const char *
kr_args_convert(PyObject *arg, const char **p_format, va_list *va, int flags,
                int *levels, char *buffer, size_t size,
                struct kr_args_cleanups *cleanups)
{
    const char *format = *p_format;
    const char *msg;
    if (*format == '(') {
        format++;
        msg = convert_tuple(arg, &format, va, flags, levels, buffer, size,
                            cleanups);
        if (msg == NULL) {
            format++;
        }
    }
    else {
        struct item it = {arg, format, va, flags, buffer, size, cleanups};
        msg = convert_simple(&it);
        format = it.format;
        if (msg != NULL) {
            levels[0] = 0;
        }
    }
    if (msg == NULL) {
        *p_format = format;
    }
    return msg;
}

const char *
kr_args_skip(const char **p_format, va_list *va, int flags)
{
    const char *format = *p_format;
    char c = *format++;
    switch (c) {
    case 'e':
        (void)va_arg(*va, const char *);
        if (*format != 's' && *format != 't') {
            return "impossible<bad format char>";
        }
        format++;
        /* fall through */
    case 's': case 'z': case 'y': case 'u': case 'Z': case 'w':
        (void)va_arg(*va, void *);
        if (*format == '#') {
            if (!(flags & KR_ARGS_SSIZE_T)) {
                return "PY_SSIZE_T_CLEAN macro must be defined for '#' "
                       "formats";
            }
            (void)va_arg(*va, Py_ssize_t *);
            format++;
        }
        else if (*format == '*') {
            format++;
        }
        break;
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l':
    case 'k': case 'L': case 'K': case 'n': case 'f': case 'd': case 'D':
    case 'c': case 'p': case 'S': case 'Y': case 'U': case 'C':
        (void)va_arg(*va, void *);
        break;
    case 'O':
        (void)va_arg(*va, void *);
        if (*format == '!' || *format == '&') {
            (void)va_arg(*va, void *);
            format++;
        }
        break;
    case '(':
        while (*format != ')') {
            const char *msg;
            if (kr_args_is_end(*format)) {
                return "Unmatched left paren in format string";
            }
            msg = kr_args_skip(&format, va, flags);
            if (msg != NULL) {
                return msg;
            }
        }
        format++;
        break;
    case ')':
        return "Unmatched right paren in format string";
    default:
        return "impossible<bad format char>";
    }
    *p_format = format;
    return NULL;
}
