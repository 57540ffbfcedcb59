/* Creation, copying and resizing of str objects.
 *
 * A str made here is compact (header and characters in one block) and in the
 * narrowest kind for its characters. */
#include <Python.h>
#include <wchar.h>

#include "base/simd_str.h"
#include "objects/immortal.h"
#include "objects/str/str.h"

/* --- singletons -------------------------------------------------------------- */

#define ASCII_STATE {.kind = 1, .compact = 1, .ascii = 1, .ready = 1}
#define LATIN_STATE {.kind = 1, .compact = 1, .ascii = 0, .ready = 1}
#define HEAD KR_IMMORTAL_HEAD(&PyUnicode_Type)

struct ascii_char {
    PyASCIIObject head;
    unsigned char data[2];
};
struct latin_char {
    PyCompactUnicodeObject head;
    unsigned char data[2];
    char utf8[3];
};

#define A1(n)                                                                  \
    {.head = {.ob_base = HEAD, .length = 1, .hash = -1, .state = ASCII_STATE}, \
     .data = {n}},
#define A4(n) A1(n) A1((n) + 1) A1((n) + 2) A1((n) + 3)
#define A16(n) A4(n) A4((n) + 4) A4((n) + 8) A4((n) + 12)
#define A64(n) A16(n) A16((n) + 16) A16((n) + 32) A16((n) + 48)
#define L1(n)                                                                  \
    {.head = {._base = {.ob_base = HEAD,                                       \
                        .length = 1,                                           \
                        .hash = -1,                                            \
                        .state = LATIN_STATE}},                                \
     .data = {n}},
#define L4(n) L1(n) L1((n) + 1) L1((n) + 2) L1((n) + 3)
#define L16(n) L4(n) L4((n) + 4) L4((n) + 8) L4((n) + 12)
#define L64(n) L16(n) L16((n) + 16) L16((n) + 32) L16((n) + 48)

static struct kr_str_static_state {
    struct ascii_char ascii[128];
    struct latin_char latin[128];
    struct ascii_char empty;
} objects = {
    .ascii = {A64(0) A64(64)},
    .latin = {L64(128) L64(192)},
    .empty = {.head = {.ob_base = HEAD, .hash = -1, .state = ASCII_STATE}},
};

#define P1(n)                                                                  \
    (PyObject *)((n) < 128 ? (void *)&objects.ascii[(n)&127]                   \
                           : (void *)&objects.latin[(n)&127]),
#define P4(n) P1(n) P1((n) + 1) P1((n) + 2) P1((n) + 3)
#define P16(n) P4(n) P4((n) + 4) P4((n) + 8) P4((n) + 12)
#define P64(n) P16(n) P16((n) + 16) P16((n) + 32) P16((n) + 48)

struct kr_str_singletons kr_str_singletons = {
    .chars = {P64(0) P64(64) P64(128) P64(192)},
    .empty = (PyObject *)&objects.empty,
};

/* --- copying between kinds ---------------------------------------------------- */

void
kr_str_copy(int kind, void *data, Py_ssize_t start, int src_kind,
            const void *src, Py_ssize_t src_start, Py_ssize_t n)
{
    char *to = (char *)data + start * kind;
    const char *from = (const char *)src + src_start * src_kind;
    size_t count = (size_t)n;
    if (kind == src_kind) {
        memcpy(to, from, count * (size_t)kind);
    }
    else if (src_kind == 1) {
        if (kind == 2) {
            kr_widen_1_2((const uint8_t *)from, count, (uint16_t *)(void *)to);
        }
        else {
            kr_widen_1_4((const uint8_t *)from, count, (uint32_t *)(void *)to);
        }
    }
    else if (src_kind == 2) {
        const uint16_t *p = (const uint16_t *)(const void *)from;
        if (kind == 1) {
            kr_narrow_2_1(p, count, (uint8_t *)to);
        }
        else {
            kr_widen_2_4(p, count, (uint32_t *)(void *)to);
        }
    }
    else {
        const uint32_t *p = (const uint32_t *)(const void *)from;
        if (kind == 1) {
            kr_narrow_4_1(p, count, (uint8_t *)to);
        }
        else {
            kr_narrow_4_2(p, count, (uint16_t *)(void *)to);
        }
    }
}

void
kr_str_fill(int kind, void *data, Py_ssize_t start, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1) {
        memset((Py_UCS1 *)data + start, (int)ch, (size_t)n);
    }
    else if (kind == 2) {
        Py_UCS2 *p = (Py_UCS2 *)data + start;
        for (Py_ssize_t i = 0; i < n; i++) {
            p[i] = (Py_UCS2)ch;
        }
    }
    else {
        Py_UCS4 *p = (Py_UCS4 *)data + start;
        for (Py_ssize_t i = 0; i < n; i++) {
            p[i] = ch;
        }
    }
}

Py_UCS4
kr_str_max_char(int kind, const void *data, Py_ssize_t n)
{
    switch (kind) {
    case 1:
        return kr_max_char1(data, (size_t)n);
    case 2:
        return kr_max_char2(data, (size_t)n);
    default:
        return kr_max_char4(data, (size_t)n);
    }
}

const void *
kr_str_as_kind(PyObject *op, int kind, void **to_free)
{
    int own = STR_KIND(op);
    *to_free = NULL;
    if (own == kind) {
        return PyUnicode_DATA(op);
    }
    Py_ssize_t n = STR_LEN(op);
    void *copy = PyMem_Malloc((size_t)(n + 1) * (size_t)kind);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    kr_str_copy(kind, copy, 0, own, PyUnicode_DATA(op), 0, n);
    *to_free = copy;
    return copy;
}

/* --- new strings ---------------------------------------------------------------- */

PyObject *
PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
{
    if (size == 0) {
        return kr_str_empty();
    }
    size_t head = sizeof(PyCompactUnicodeObject);
    int kind = kr_kind_of(maxchar), ascii = 0;
    if (maxchar < 128) {
        head = sizeof(PyASCIIObject);
        ascii = 1;
    }
    else if (maxchar > 0x10FFFF) {
        PyErr_SetString(PyExc_SystemError,
                        "invalid maximum character passed to PyUnicode_New");
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError,
                        "Negative size passed to PyUnicode_New");
        return NULL;
    }
    if (size > (PY_SSIZE_T_MAX - (Py_ssize_t)head) / kind - 1) {
        return PyErr_NoMemory();
    }
    PyObject *op = PyObject_Malloc(head + (size_t)(size + 1) * (size_t)kind);
    if (op == NULL) {
        return PyErr_NoMemory();
    }
    /* a static type and a fresh block: nothing else for PyObject_Init to do */
    Py_SET_REFCNT(op, 1);
    Py_SET_TYPE(op, &PyUnicode_Type);
    PyASCIIObject *a = STR_ASCII(op);
    a->length = size;
    a->hash = -1;
    memset(&a->state, 0, sizeof(a->state));
    a->state.kind = (unsigned)kind & 7;
    a->state.compact = 1;
    a->state.ready = 1;
    a->state.ascii = ascii & 1;
    a->wstr = NULL;
    if (!ascii) {
        PyCompactUnicodeObject *c = STR_COMPACT(op);
        c->utf8 = NULL;
        c->utf8_length = 0;
        c->wstr_length = 0;
        if (kind == 4) {
            a->wstr = (wchar_t *)(void *)((char *)op + head);
            c->wstr_length = size;
        }
    }
    memset((char *)op + head + (size_t)size * (size_t)kind, 0, (size_t)kind);
    return op;
}

PyObject *
kr_str_from_ascii(const char *s, Py_ssize_t n)
{
    if (n <= 1) {
        if (n <= 0) {
            return kr_str_empty();
        }
        return Py_NewRef(kr_str_char((unsigned char)s[0]));
    }
    PyObject *op = PyUnicode_New(n, 127);
    if (op != NULL) {
        memcpy(STR_ASCII(op) + 1, s, (size_t)n);
    }
    return op;
}

PyObject *
_PyUnicode_FromASCII(const char *buffer, Py_ssize_t size)
{
    return kr_str_from_ascii(buffer, size);
}

PyObject *
kr_str_from_char(Py_UCS4 ch)
{
    if (ch < 256) {
        return Py_NewRef(kr_str_char((unsigned char)ch));
    }
    PyObject *op = PyUnicode_New(1, ch);
    if (op != NULL) {
        PyUnicode_WRITE(STR_KIND(op), PyUnicode_DATA(op), 0, ch);
    }
    return op;
}

static PyObject *
from_kind(int kind, const void *s, Py_ssize_t n)
{
    if (n <= 0) {
        return kr_str_empty();
    }
    if (n == 1) {
        return kr_str_from_char(PyUnicode_READ(kind, s, 0));
    }
    PyObject *op = PyUnicode_New(n, kr_str_max_char(kind, s, n));
    if (op != NULL) {
        kr_str_copy(STR_KIND(op), PyUnicode_DATA(op), 0, kind, s, 0, n);
    }
    return op;
}

PyObject *
kr_str_from_latin1(const void *s, Py_ssize_t n)
{
    return from_kind(1, s, n);
}

PyObject *
kr_str_from_ucs4(const Py_UCS4 *s, Py_ssize_t n)
{
    return from_kind(4, s, n);
}

PyObject *
PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be positive");
        return NULL;
    }
    if (kind != 1 && kind != 2 && kind != 4) {
        PyErr_SetString(PyExc_SystemError, "invalid kind");
        return NULL;
    }
    return from_kind(kind, buffer, size);
}

PyObject *
PyUnicode_FromString(const char *u)
{
    size_t size = strlen(u);
    if (size > PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "input too long");
        return NULL;
    }
    return PyUnicode_DecodeUTF8Stateful(u, (Py_ssize_t)size, NULL, NULL);
}

PyObject *
PyUnicode_FromOrdinal(int ordinal)
{
    if (ordinal < 0 || ordinal > 0x10FFFF) {
        PyErr_SetString(PyExc_ValueError,
                        "chr() arg not in range(0x110000)");
        return NULL;
    }
    return kr_str_from_char((Py_UCS4)ordinal);
}

PyObject *
_PyUnicode_Copy(PyObject *unicode)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(unicode);
    PyObject *copy = PyUnicode_New(n, PyUnicode_MAX_CHAR_VALUE(unicode));
    if (copy != NULL && n > 0) {
        memcpy(PyUnicode_DATA(copy), PyUnicode_DATA(unicode),
               (size_t)n * (size_t)STR_KIND(unicode));
    }
    return copy;
}

PyObject *
kr_str_unchanged(PyObject *op)
{
    if (PyUnicode_CheckExact(op)) {
        return Py_NewRef(op);
    }
    return _PyUnicode_Copy(op);
}

PyObject *
PyUnicode_FromObject(PyObject *obj)
{
    if (PyUnicode_Check(obj)) {
        if (PyUnicode_READY(obj) < 0) {
            return NULL;
        }
        return kr_str_unchanged(obj);
    }
    PyErr_Format(PyExc_TypeError, "Can't convert '%.100s' object to str "
                                  "implicitly", Py_TYPE(obj)->tp_name);
    return NULL;
}

int
kr_str_require(PyObject *op)
{
    if (!PyUnicode_Check(op)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s",
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    return PyUnicode_READY(op);
}

/* --- parts ------------------------------------------------------------------------ */

PyObject *
kr_str_slice(PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t n = end - start;
    if (n <= 0) {
        return kr_str_empty();
    }
    if (n == STR_LEN(self)) {
        return kr_str_unchanged(self);
    }
    int kind = STR_KIND(self);
    const char *data = (const char *)PyUnicode_DATA(self) + start * kind;
    if (PyUnicode_IS_ASCII(self)) {
        return kr_str_from_ascii(data, n);
    }
    return from_kind(kind, data, n);
}

PyObject *
PyUnicode_Substring(PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    if (end > STR_LEN(self)) {
        end = STR_LEN(self);
    }
    if (start < 0 || end < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    if (start >= STR_LEN(self) || end < start) {
        return kr_str_empty();
    }
    return kr_str_slice(self, start, end);
}

Py_UCS4
_PyUnicode_FindMaxChar(PyObject *unicode, Py_ssize_t start, Py_ssize_t end)
{
    if (end <= start || PyUnicode_IS_ASCII(unicode)) {
        return 127;
    }
    if (start == 0 && end == STR_LEN(unicode)) {
        return PyUnicode_MAX_CHAR_VALUE(unicode);
    }
    int kind = STR_KIND(unicode);
    return kr_str_max_char(
        kind, (const char *)PyUnicode_DATA(unicode) + start * kind,
        end - start);
}

Py_ssize_t
PyUnicode_GetLength(PyObject *unicode)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return -1;
    }
    return PyUnicode_READY(unicode) < 0 ? -1 : STR_LEN(unicode);
}

Py_UCS4
PyUnicode_ReadChar(PyObject *unicode, Py_ssize_t index)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return (Py_UCS4)-1;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return (Py_UCS4)-1;
    }
    if (index < 0 || index >= STR_LEN(unicode)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return (Py_UCS4)-1;
    }
    return PyUnicode_READ_CHAR(unicode, index);
}

Py_UCS4 *
PyUnicode_AsUCS4(PyObject *string, Py_UCS4 *target, Py_ssize_t targetsize,
                 int copy_null)
{
    if (target == NULL || targetsize < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyUnicode_READY(string) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(string);
    if (targetsize < n + (copy_null != 0)) {
        PyErr_SetString(PyExc_SystemError,
                        "string is longer than the buffer");
        if (copy_null && targetsize > 0) {
            target[0] = 0;
        }
        return NULL;
    }
    kr_str_copy(4, target, 0, STR_KIND(string), PyUnicode_DATA(string), 0, n);
    if (copy_null) {
        target[n] = 0;
    }
    return target;
}

Py_UCS4 *
PyUnicode_AsUCS4Copy(PyObject *string)
{
    if (PyUnicode_READY(string) < 0) {
        return NULL;
    }
    size_t n = (size_t)STR_LEN(string) + 1;
    Py_UCS4 *copy = PyMem_Malloc(n * sizeof(*copy));
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return PyUnicode_AsUCS4(string, copy, (Py_ssize_t)n, 1);
}

/* --- changing strings that nobody else sees ------------------------------------- */

int
kr_str_modifiable(PyObject *op)
{
    return Py_REFCNT(op) == 1 && STR_HASH(op) == -1 &&
           !PyUnicode_CHECK_INTERNED(op) && PyUnicode_CheckExact(op);
}

static int
check_modifiable(PyObject *op)
{
    if (!kr_str_modifiable(op)) {
        PyErr_SetString(PyExc_SystemError,
                        "Cannot modify a string currently used");
        return -1;
    }
    return 0;
}

void
_PyUnicode_FastCopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from,
                              Py_ssize_t from_start, Py_ssize_t how_many)
{
    if (how_many > 0) {
        kr_str_copy(STR_KIND(to), PyUnicode_DATA(to), to_start, STR_KIND(from),
                    PyUnicode_DATA(from), from_start, how_many);
    }
}

Py_ssize_t
PyUnicode_CopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from,
                         Py_ssize_t from_start, Py_ssize_t how_many)
{
    if (!PyUnicode_Check(from) || !PyUnicode_Check(to)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyUnicode_READY(from) < 0 || PyUnicode_READY(to) < 0) {
        return -1;
    }
    if (from_start < 0 || from_start > STR_LEN(from) || to_start < 0 ||
        to_start > STR_LEN(to)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (how_many < 0) {
        PyErr_SetString(PyExc_SystemError, "how_many cannot be negative");
        return -1;
    }
    how_many = Py_MIN(STR_LEN(from) - from_start, how_many);
    if (to_start + how_many > STR_LEN(to)) {
        PyErr_Format(PyExc_SystemError,
                     "Cannot write %zi characters at %zi "
                     "in a string of %zi characters",
                     how_many, to_start, STR_LEN(to));
        return -1;
    }
    if (how_many == 0) {
        return 0;
    }
    if (check_modifiable(to) < 0) {
        return -1;
    }
    Py_UCS4 max = _PyUnicode_FindMaxChar(from, from_start,
                                         from_start + how_many);
    if (max > PyUnicode_MAX_CHAR_VALUE(to)) {
        PyErr_Format(PyExc_SystemError,
                     "Cannot copy %s characters into a string of %s "
                     "characters", max > 0xFFFF ? "UCS4"
                     : max > 0xFF ? "UCS2" : "latin1",
                     STR_STATE(to).ascii ? "ascii"
                     : STR_KIND(to) == 1 ? "latin1" : "UCS2");
        return -1;
    }
    _PyUnicode_FastCopyCharacters(to, to_start, from, from_start, how_many);
    return how_many;
}

void
_PyUnicode_FastFill(PyObject *unicode, Py_ssize_t start, Py_ssize_t length,
                    Py_UCS4 fill_char)
{
    kr_str_fill(STR_KIND(unicode), PyUnicode_DATA(unicode), start, length,
                fill_char);
}

Py_ssize_t
PyUnicode_Fill(PyObject *unicode, Py_ssize_t start, Py_ssize_t length,
               Py_UCS4 fill_char)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyUnicode_READY(unicode) < 0 || check_modifiable(unicode) < 0) {
        return -1;
    }
    if (start < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (fill_char > PyUnicode_MAX_CHAR_VALUE(unicode)) {
        PyErr_SetString(PyExc_ValueError,
                        "fill character is bigger than "
                        "the string maximum character");
        return -1;
    }
    length = Py_MIN(STR_LEN(unicode) - start, length);
    if (length <= 0) {
        return 0;
    }
    _PyUnicode_FastFill(unicode, start, length, fill_char);
    return length;
}

int
PyUnicode_WriteChar(PyObject *unicode, Py_ssize_t index, Py_UCS4 ch)
{
    if (!PyUnicode_Check(unicode) || !STR_STATE(unicode).compact) {
        PyErr_BadArgument();
        return -1;
    }
    if (index < 0 || index >= STR_LEN(unicode)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (check_modifiable(unicode) < 0) {
        return -1;
    }
    if (ch > PyUnicode_MAX_CHAR_VALUE(unicode)) {
        PyErr_SetString(PyExc_ValueError, "character out of range");
        return -1;
    }
    PyUnicode_WRITE(STR_KIND(unicode), PyUnicode_DATA(unicode), index, ch);
    return 0;
}

static int
resize_compact(PyObject **p, Py_ssize_t n)
{
    PyObject *op = *p;
    int kind = STR_KIND(op), ascii = STR_STATE(op).ascii;
    size_t head = ascii ? sizeof(PyASCIIObject)
                        : sizeof(PyCompactUnicodeObject);
    if (n > (PY_SSIZE_T_MAX - (Py_ssize_t)head) / kind - 1) {
        PyErr_NoMemory();
        return -1;
    }
    int wstr_shared = kind == 4 && STR_ASCII(op)->wstr != NULL;
    if (!wstr_shared && STR_ASCII(op)->wstr != NULL) {
        PyObject_Free(STR_ASCII(op)->wstr);
        STR_ASCII(op)->wstr = NULL;
    }
    if (!ascii && STR_COMPACT(op)->utf8 != NULL) {
        PyObject_Free(STR_COMPACT(op)->utf8);
        STR_COMPACT(op)->utf8 = NULL;
        STR_COMPACT(op)->utf8_length = 0;
    }
#ifdef Py_REF_DEBUG
    _Py_RefTotal--;
#endif
    PyObject *moved = PyObject_Realloc(op, head + (size_t)(n + 1) *
                                                      (size_t)kind);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *p = op = moved;
    STR_LEN(op) = n;
    if (!ascii) {
        STR_ASCII(op)->wstr =
            wstr_shared ? (wchar_t *)(void *)((char *)op + head) : NULL;
        STR_COMPACT(op)->wstr_length = wstr_shared ? n : 0;
    }
    memset((char *)op + head + (size_t)n * (size_t)kind, 0, (size_t)kind);
    return 0;
}

/* Copies into a fresh string, for what cannot be resized in place. */
static int
resize_copy(PyObject **p, Py_ssize_t n)
{
    PyObject *op = *p;
    PyObject *copy = PyUnicode_New(n, PyUnicode_MAX_CHAR_VALUE(op));
    if (copy == NULL) {
        return -1;
    }
    if (n > 0) {
        _PyUnicode_FastCopyCharacters(copy, 0, op, 0,
                                      Py_MIN(n, STR_LEN(op)));
    }
    Py_SETREF(*p, copy);
    return 0;
}

int
kr_str_resize(PyObject **p, Py_ssize_t n)
{
    PyObject *op = *p;
    if (STR_LEN(op) == n) {
        return 0;
    }
    if (n == 0) {
        Py_SETREF(*p, kr_str_empty());
        return 0;
    }
    if (!kr_str_modifiable(op) || !STR_STATE(op).compact) {
        return resize_copy(p, n);
    }
    return resize_compact(p, n);
}

int
PyUnicode_Resize(PyObject **p, Py_ssize_t n)
{
    if (p == NULL || *p == NULL || !PyUnicode_Check(*p) || n < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!STR_STATE(*p).ready && STR_ASCII(*p)->wstr != NULL &&
        Py_REFCNT(*p) == 1) {
        /* legacy string: only its wchar_t buffer exists yet */
        wchar_t *w = PyObject_Realloc(STR_ASCII(*p)->wstr,
                                      sizeof(wchar_t) * (size_t)(n + 1));
        if (w == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        w[n] = 0;
        STR_ASCII(*p)->wstr = w;
        STR_COMPACT(*p)->wstr_length = n;
        return 0;
    }
    if (PyUnicode_READY(*p) < 0) {
        return -1;
    }
    return kr_str_resize(p, n);
}

int
_PyUnicode_CheckConsistency(PyObject *op, int check_content)
{
    if (!PyUnicode_Check(op)) {
        Py_FatalError("str object of a wrong type");
    }
    if (STR_STATE(op).ready && check_content) {
        Py_UCS4 max = kr_str_max_char(STR_KIND(op), PyUnicode_DATA(op),
                                      STR_LEN(op));
        if (max != PyUnicode_MAX_CHAR_VALUE(op) && STR_LEN(op) > 0) {
            Py_FatalError("str object wider than its characters");
        }
    }
    return 1;
}
