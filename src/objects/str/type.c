/* The str type: construction, protocols and the method table. The work of
 * most methods is in the other files of this folder. */
#include "objects/args/named.h"
#include "objects/args/slice.h"
#include "objects/ids.h"
#include "objects/str/chartype.h"
#include "objects/str/concat.h"
#include "objects/str/str.h"

#include <Python.h>

#define READY_OR_NULL(op)                                                      \
    do {                                                                       \
        if (PyUnicode_READY(op) < 0) {                                         \
            return NULL;                                                       \
        }                                                                      \
    } while (0)

/* --- protocols -------------------------------------------------------------- */

static void
str_dealloc(PyObject *self)
{
    if (KR_UNLIKELY(STR_STATE(self).interned == SSTATE_INTERNED_MORTAL)) {
        kr_str_forget_interned(self);
    }
    if (!STR_STATE(self).ready) {
        PyObject_Free(STR_ASCII(self)->wstr);
    }
    else {
        void *data = PyUnicode_DATA(self);
        if (STR_ASCII(self)->wstr != NULL &&
            (void *)STR_ASCII(self)->wstr != data) {
            PyObject_Free(STR_ASCII(self)->wstr);
        }
        if (!PyUnicode_IS_COMPACT_ASCII(self) &&
            STR_COMPACT(self)->utf8 != NULL &&
            (void *)STR_COMPACT(self)->utf8 != data) {
            PyObject_Free(STR_COMPACT(self)->utf8);
        }
        if (!STR_STATE(self).compact) {
            PyObject_Free(data);
        }
    }
    Py_TYPE(self)->tp_free(self);
}

static Py_hash_t
str_hash(PyObject *self)
{
    if (STR_HASH(self) != -1) {
        return STR_HASH(self);
    }
    if (PyUnicode_READY(self) < 0) {
        return -1;
    }
    STR_HASH(self) = _Py_HashBytes(PyUnicode_DATA(self),
                                   STR_LEN(self) * STR_KIND(self));
    return STR_HASH(self);
}

static PyObject *
str_str(PyObject *self)
{
    READY_OR_NULL(self);
    return kr_str_unchanged(self);
}

static Py_ssize_t
str_length(PyObject *self)
{
    return PyUnicode_READY(self) < 0 ? -1 : STR_LEN(self);
}

static PyObject *
str_item(PyObject *self, Py_ssize_t index)
{
    READY_OR_NULL(self);
    if (index < 0 || index >= STR_LEN(self)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    return kr_str_from_char(PyUnicode_READ_CHAR(self, index));
}

static PyObject *
stepped_slice(PyObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_UCS4 max = 0;
    if (STR_STATE(self).ascii) {
        max = 127;
    }
    else {
        for (Py_ssize_t i = 0; i < n; i++) {
            max |= PyUnicode_READ(kind, s, start + i * step);
        }
        max = Py_MIN(max, 0x10FFFF);
    }
    PyObject *result = PyUnicode_New(n, max);
    if (result == NULL) {
        return NULL;
    }
    int to = STR_KIND(result);
    void *out = PyUnicode_DATA(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyUnicode_WRITE(to, out, i,
                        PyUnicode_READ(kind, s, start + i * step));
    }
    return n == 1 ? kr_str_interned_char(result) : result;
}

static PyObject *
str_subscript(PyObject *self, PyObject *key)
{
    READY_OR_NULL(self);
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return str_item(self, i < 0 ? i + STR_LEN(self) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "string indices must be integers, not '%.200s'",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(STR_LEN(self), &start, &stop, step);
    if (n <= 0) {
        return kr_str_empty();
    }
    if (step == 1) {
        return kr_str_slice(self, start, start + n);
    }
    return stepped_slice(self, start, step, n);
}

static PyObject *
str_mod(PyObject *v, PyObject *w)
{
    if (!PyUnicode_Check(v)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyUnicode_Format(v, w);
}

/* --- construction ----------------------------------------------------------- */

/* An instance of a subclass: the characters live in a block of their own. */
static PyObject *
subtype_new(PyTypeObject *type, PyObject *value)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    int kind = STR_KIND(value);
    Py_ssize_t n = STR_LEN(value);
    void *data = PyObject_Malloc((size_t)(n + 1) * (size_t)kind);
    STR_HASH(self) = -1;
    if (data == NULL) {
        /* leave something that can be deallocated */
        STR_STATE(self).ready = 0;
        Py_DECREF(self);
        Py_DECREF(value);
        return PyErr_NoMemory();
    }
    memcpy(data, PyUnicode_DATA(value), (size_t)(n + 1) * (size_t)kind);
    STR_LEN(self) = n;
    STR_HASH(self) = STR_HASH(value);
    STR_STATE(self).kind = (unsigned)kind & 7;
    STR_STATE(self).ascii = STR_STATE(value).ascii;
    STR_STATE(self).ready = 1;
    STR_FULL(self)->data.any = data;
    if (STR_STATE(self).ascii) {
        STR_COMPACT(self)->utf8 = data;
        STR_COMPACT(self)->utf8_length = n;
    }
    if (kind == 4) {
        STR_ASCII(self)->wstr = data;
        STR_COMPACT(self)->wstr_length = n;
    }
    Py_DECREF(value);
    return self;
}

static PyObject *
new_of(PyTypeObject *type, PyObject *object, const char *encoding,
       const char *errors)
{
    PyObject *value;
    if (object == NULL) {
        value = kr_str_empty();
    }
    else if (encoding == NULL && errors == NULL) {
        value = PyObject_Str(object);
    }
    else {
        value = PyUnicode_FromEncodedObject(object, encoding, errors);
    }
    if (value == NULL || type == &PyUnicode_Type) {
        return value;
    }
    return subtype_new(type, value);
}

static PyObject *
str_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"object", "encoding", "errors", NULL};
    PyObject *object = NULL;
    const char *encoding = NULL, *errors = NULL;
    if (!kr_parse_tuple_named(args, kwargs, "|Oss:str", names, &object,
                              &encoding, &errors)) {
        return NULL;
    }
    return new_of(type, object, encoding, errors);
}

static PyObject *
str_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    static const char *const names[] = {"object", "encoding", "errors", NULL};
    static _PyArg_Parser parser = {.keywords = names, .format = "|Oss:str"};
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (KR_LIKELY(kwnames == NULL && nargs == 1)) {
        return new_of((PyTypeObject *)type, args[0], NULL, NULL);
    }
    PyObject *object = NULL;
    const char *encoding = NULL, *errors = NULL;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &object, &encoding,
                        &errors)) {
        return NULL;
    }
    return new_of((PyTypeObject *)type, object, encoding, errors);
}

/* --- predicates -------------------------------------------------------------- */

static int
is_alnum(Py_UCS4 ch)
{
    return Py_UNICODE_ISALNUM(ch);
}

static int
is_space(Py_UCS4 ch)
{
    return Py_UNICODE_ISSPACE(ch);
}

/* Whether the string is not empty and all its characters pass. */
static PyObject *
all_are(PyObject *self, int (*test)(Py_UCS4))
{
    READY_OR_NULL(self);
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!test(PyUnicode_READ(kind, s, i))) {
            Py_RETURN_FALSE;
        }
    }
    return PyBool_FromLong(n > 0);
}

#define ALL_METHOD(name, test)                                                 \
    static PyObject *name(PyObject *self, PyObject *Py_UNUSED(ignored))        \
    {                                                                          \
        return all_are(self, test);                                            \
    }

ALL_METHOD(str_isalpha, _PyUnicode_IsAlpha)
ALL_METHOD(str_isalnum, is_alnum)
ALL_METHOD(str_isdecimal, _PyUnicode_IsDecimalDigit)
ALL_METHOD(str_isdigit, _PyUnicode_IsDigit)
ALL_METHOD(str_isnumeric, _PyUnicode_IsNumeric)
ALL_METHOD(str_isspace, is_space)

static PyObject *
str_isprintable(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    READY_OR_NULL(self);
    if (STR_LEN(self) == 0) {
        Py_RETURN_TRUE;
    }
    return all_are(self, _PyUnicode_IsPrintable);
}

static PyObject *
str_isascii(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    READY_OR_NULL(self);
    return PyBool_FromLong(STR_STATE(self).ascii);
}

static PyObject *
cased(PyObject *self, int want_upper)
{
    READY_OR_NULL(self);
    int kind = STR_KIND(self), found = 0;
    const void *s = PyUnicode_DATA(self);
    for (Py_ssize_t i = 0; i < STR_LEN(self); i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        int upper = Py_UNICODE_ISUPPER(ch), lower = Py_UNICODE_ISLOWER(ch);
        if ((want_upper ? lower : upper) || Py_UNICODE_ISTITLE(ch)) {
            Py_RETURN_FALSE;
        }
        found |= want_upper ? upper : lower;
    }
    return PyBool_FromLong(found);
}

static PyObject *
str_islower(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return cased(self, 0);
}

static PyObject *
str_isupper(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return cased(self, 1);
}

static PyObject *
str_istitle(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    READY_OR_NULL(self);
    int kind = STR_KIND(self), found = 0, inside = 0;
    const void *s = PyUnicode_DATA(self);
    for (Py_ssize_t i = 0; i < STR_LEN(self); i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (Py_UNICODE_ISUPPER(ch) || Py_UNICODE_ISTITLE(ch)) {
            if (inside) {
                Py_RETURN_FALSE;
            }
            inside = found = 1;
        }
        else if (Py_UNICODE_ISLOWER(ch)) {
            if (!inside) {
                Py_RETURN_FALSE;
            }
            found = 1;
        }
        else {
            inside = 0;
        }
    }
    return PyBool_FromLong(found);
}

Py_ssize_t
_PyUnicode_ScanIdentifier(PyObject *self)
{
    if (PyUnicode_READY(self) < 0) {
        return -1;
    }
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 1;
    if (n == 0) {
        return 0;
    }
    Py_UCS4 ch = PyUnicode_READ(kind, s, 0);
    if (!_PyUnicode_IsXidStart(ch) && ch != '_') {
        return 0;
    }
    while (i < n && _PyUnicode_IsXidContinue(PyUnicode_READ(kind, s, i))) {
        i++;
    }
    return i;
}

int
PyUnicode_IsIdentifier(PyObject *self)
{
    Py_ssize_t i = _PyUnicode_ScanIdentifier(self);
    return i > 0 && i == STR_LEN(self);
}

static PyObject *
str_isidentifier(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    READY_OR_NULL(self);
    return PyBool_FromLong(PyUnicode_IsIdentifier(self));
}

/* --- methods ------------------------------------------------------------------ */

#define CASE_METHOD(name)                                                      \
    static PyObject *str_##name(PyObject *self, PyObject *Py_UNUSED(ignored))  \
    {                                                                          \
        return kr_str_##name(self);                                            \
    }

CASE_METHOD(lower)
CASE_METHOD(upper)
CASE_METHOD(casefold)
CASE_METHOD(title)
CASE_METHOD(capitalize)
CASE_METHOD(swapcase)

static PyObject *
str_encode(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    static const char *const names[] = {"encoding", "errors", NULL};
    static _PyArg_Parser parser = {.keywords = names, .format = "|ss:encode"};
    const char *encoding = NULL, *errors = NULL;
    if ((nargs != 0 || kwnames != NULL) &&
        !kr_parse_named(args, nargs, kwnames, &parser, &encoding, &errors)) {
        return NULL;
    }
    return PyUnicode_AsEncodedString(self, encoding, errors);
}

static PyObject *
two_keywords(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames, _PyArg_Parser *parser,
             PyObject *(*split)(PyObject *, PyObject *, Py_ssize_t))
{
    PyObject *slots[2];
    Py_ssize_t given = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    PyObject *sep = Py_None;
    Py_ssize_t max = -1;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, parser, 0, 2, 0,
                                 slots);
    if (args == NULL) {
        return NULL;
    }
    if (given > 0) {
        /* without keywords, args is the caller's array of nargs items */
        if (args[0] != NULL) {
            sep = args[0];
        }
        if ((kwnames != NULL || nargs > 1) && args[1] != NULL) {
            PyObject *index = PyNumber_Index(args[1]);
            if (index == NULL) {
                return NULL;
            }
            max = PyLong_AsSsize_t(index);
            Py_DECREF(index);
            if (max == -1 && PyErr_Occurred()) {
                return NULL;
            }
        }
    }
    if (sep == Py_None) {
        return split(self, NULL, max);
    }
    if (PyUnicode_Check(sep)) {
        return split(self, sep, max);
    }
    PyErr_Format(PyExc_TypeError, "must be str or None, not %.100s",
                 Py_TYPE(sep)->tp_name);
    return NULL;
}

static const char *const split_names[] = {"sep", "maxsplit", NULL};

static PyObject *
str_split(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames)
{
    static _PyArg_Parser parser = {.keywords = split_names, .fname = "split"};
    return two_keywords(self, args, nargs, kwnames, &parser, kr_str_split);
}

static PyObject *
str_rsplit(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    static _PyArg_Parser parser = {.keywords = split_names, .fname = "rsplit"};
    return two_keywords(self, args, nargs, kwnames, &parser, kr_str_rsplit);
}

static PyObject *
str_replace(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t count = -1;
    if (!_PyArg_CheckPositional("replace", nargs, 2, 3)) {
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("replace", i ? "argument 2" : "argument 1",
                               "str", args[i]);
            return NULL;
        }
        READY_OR_NULL(args[i]);
    }
    if (nargs == 3) {
        PyObject *index = PyNumber_Index(args[2]);
        if (index == NULL) {
            return NULL;
        }
        count = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (count == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    READY_OR_NULL(self);
    return kr_str_replace(self, args[0], args[1], count);
}

static int
find_args(const char *name, PyObject *self, PyObject *args, PyObject **sub,
          Py_ssize_t *start, Py_ssize_t *end)
{
    if (kr_slice_args(name, args, sub, start, end) < 0 ||
        kr_str_require(*sub) < 0) {
        return -1;
    }
    return PyUnicode_READY(self);
}

static Py_ssize_t
find_method(PyObject *self, PyObject *args, const char *name, int forward)
{
    PyObject *sub;
    Py_ssize_t start, end;
    if (find_args(name, self, args, &sub, &start, &end) < 0) {
        return -2;
    }
    return kr_str_search(self, sub, start, end, forward);
}

static PyObject *
found(Py_ssize_t index, int required)
{
    if (index == -2) {
        return NULL;
    }
    if (index < 0 && required) {
        PyErr_SetString(PyExc_ValueError, "substring not found");
        return NULL;
    }
    return PyLong_FromSsize_t(index);
}

static PyObject *
str_find(PyObject *self, PyObject *args)
{
    return found(find_method(self, args, "find", 1), 0);
}

static PyObject *
str_rfind(PyObject *self, PyObject *args)
{
    return found(find_method(self, args, "rfind", 0), 0);
}

static PyObject *
str_index(PyObject *self, PyObject *args)
{
    return found(find_method(self, args, "index", 1), 1);
}

static PyObject *
str_rindex(PyObject *self, PyObject *args)
{
    return found(find_method(self, args, "rindex", 0), 1);
}

static PyObject *
str_count(PyObject *self, PyObject *args)
{
    PyObject *sub;
    Py_ssize_t start, end;
    if (find_args("count", self, args, &sub, &start, &end) < 0) {
        return NULL;
    }
    Py_ssize_t n = PyUnicode_Count(self, sub, start, end);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *
tail_method(PyObject *self, PyObject *args, const char *name, int direction)
{
    PyObject *sub;
    Py_ssize_t start, end;
    if (kr_slice_args(name, args, &sub, &start, &end) < 0) {
        return NULL;
    }
    if (PyTuple_Check(sub)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sub); i++) {
            PyObject *item = PyTuple_GET_ITEM(sub, i);
            if (!PyUnicode_Check(item)) {
                PyErr_Format(PyExc_TypeError,
                             "tuple for %s must only contain str, not %.100s",
                             name, Py_TYPE(item)->tp_name);
                return NULL;
            }
            Py_ssize_t r = PyUnicode_Tailmatch(self, item, start, end,
                                               direction);
            if (r != 0) {
                return r < 0 ? NULL : Py_NewRef(Py_True);
            }
        }
        Py_RETURN_FALSE;
    }
    if (!PyUnicode_Check(sub)) {
        PyErr_Format(PyExc_TypeError,
                     "%s first arg must be str or a tuple of str, not %.100s",
                     name, Py_TYPE(sub)->tp_name);
        return NULL;
    }
    Py_ssize_t r = PyUnicode_Tailmatch(self, sub, start, end, direction);
    return r < 0 ? NULL : PyBool_FromLong(r);
}

static PyObject *
str_startswith(PyObject *self, PyObject *args)
{
    return tail_method(self, args, "startswith", -1);
}

static PyObject *
str_endswith(PyObject *self, PyObject *args)
{
    return tail_method(self, args, "endswith", 1);
}

static PyObject *
str_removeprefix(PyObject *self, PyObject *prefix)
{
    if (!PyUnicode_Check(prefix)) {
        _PyArg_BadArgument("removeprefix", "argument", "str", prefix);
        return NULL;
    }
    Py_ssize_t r = PyUnicode_Tailmatch(self, prefix, 0, PY_SSIZE_T_MAX, -1);
    if (r < 0) {
        return NULL;
    }
    return r ? kr_str_slice(self, STR_LEN(prefix), STR_LEN(self))
             : kr_str_unchanged(self);
}

static PyObject *
str_removesuffix(PyObject *self, PyObject *suffix)
{
    if (!PyUnicode_Check(suffix)) {
        _PyArg_BadArgument("removesuffix", "argument", "str", suffix);
        return NULL;
    }
    Py_ssize_t r = PyUnicode_Tailmatch(self, suffix, 0, PY_SSIZE_T_MAX, 1);
    if (r < 0) {
        return NULL;
    }
    return r ? kr_str_slice(self, 0, STR_LEN(self) - STR_LEN(suffix))
             : kr_str_unchanged(self);
}

/* strip types: 0 left, 1 right, 2 both */
PyObject *
_PyUnicode_XStrip(PyObject *self, int striptype, PyObject *sepobj)
{
    if (PyUnicode_READY(self) < 0 || PyUnicode_READY(sepobj) < 0) {
        return NULL;
    }
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t i = 0, j = STR_LEN(self), m = STR_LEN(sepobj);
    if (striptype != 1) {
        while (i < j && PyUnicode_FindChar(sepobj, PyUnicode_READ(kind, s, i),
                                           0, m, 1) >= 0) {
            i++;
        }
    }
    if (striptype != 0) {
        while (j > i &&
               PyUnicode_FindChar(sepobj, PyUnicode_READ(kind, s, j - 1), 0, m,
                                  1) >= 0) {
            j--;
        }
    }
    return kr_str_slice(self, i, j);
}

static PyObject *
strip_space(PyObject *self, int striptype)
{
    READY_OR_NULL(self);
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t i = 0, j = STR_LEN(self);
    if (striptype != 1) {
        while (i < j && is_space(PyUnicode_READ(kind, s, i))) {
            i++;
        }
    }
    if (striptype != 0) {
        while (j > i && is_space(PyUnicode_READ(kind, s, j - 1))) {
            j--;
        }
    }
    return kr_str_slice(self, i, j);
}

static PyObject *
do_strip(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
         const char *name, int striptype)
{
    if (!_PyArg_CheckPositional(name, nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 0 || args[0] == Py_None) {
        return strip_space(self, striptype);
    }
    if (PyUnicode_Check(args[0])) {
        return _PyUnicode_XStrip(self, striptype, args[0]);
    }
    PyErr_Format(PyExc_TypeError, "%s arg must be None or str", name);
    return NULL;
}

static PyObject *
str_strip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return do_strip(self, args, nargs, "strip", 2);
}

static PyObject *
str_lstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return do_strip(self, args, nargs, "lstrip", 0);
}

static PyObject *
str_rstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return do_strip(self, args, nargs, "rstrip", 1);
}

static PyObject *
pad(PyObject *self, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill)
{
    left = Py_MAX(left, 0);
    right = Py_MAX(right, 0);
    if (left == 0 && right == 0) {
        return kr_str_unchanged(self);
    }
    Py_ssize_t n = STR_LEN(self);
    if (left > PY_SSIZE_T_MAX - n || right > PY_SSIZE_T_MAX - (left + n)) {
        PyErr_SetString(PyExc_OverflowError, "padded string is too long");
        return NULL;
    }
    Py_UCS4 max = Py_MAX(PyUnicode_MAX_CHAR_VALUE(self), fill);
    PyObject *result = PyUnicode_New(left + n + right, max);
    if (result != NULL) {
        int kind = STR_KIND(result);
        void *out = PyUnicode_DATA(result);
        kr_str_fill(kind, out, 0, left, fill);
        kr_str_copy(kind, out, left, STR_KIND(self), PyUnicode_DATA(self), 0,
                    n);
        kr_str_fill(kind, out, left + n, right, fill);
    }
    return result;
}

/* -1: left-justified, 0: centred, 1: right-justified */
static PyObject *
justify(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
        const char *name, int how)
{
    Py_UCS4 fill = ' ';
    if (!_PyArg_CheckPositional(name, nargs, 1, 2)) {
        return NULL;
    }
    PyObject *index = PyNumber_Index(args[0]);
    if (index == NULL) {
        return NULL;
    }
    Py_ssize_t width = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (width == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (nargs == 2) {
        if (!PyUnicode_Check(args[1])) {
            PyErr_Format(PyExc_TypeError,
                         "The fill character must be a unicode character, "
                         "not %.100s", Py_TYPE(args[1])->tp_name);
            return NULL;
        }
        READY_OR_NULL(args[1]);
        if (STR_LEN(args[1]) != 1) {
            PyErr_SetString(PyExc_TypeError, "The fill character must be "
                                             "exactly one character long");
            return NULL;
        }
        fill = PyUnicode_READ_CHAR(args[1], 0);
    }
    READY_OR_NULL(self);
    Py_ssize_t n = STR_LEN(self);
    if (n >= width) {
        return kr_str_unchanged(self);
    }
    Py_ssize_t total = width - n;
    Py_ssize_t left = how < 0 ? 0
                      : how > 0 ? total
                                : total / 2 + (total & width & 1);
    return pad(self, left, total - left, fill);
}

static PyObject *
str_ljust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return justify(self, args, nargs, "ljust", -1);
}

static PyObject *
str_center(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return justify(self, args, nargs, "center", 0);
}

static PyObject *
str_rjust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return justify(self, args, nargs, "rjust", 1);
}

static PyObject *
str_zfill(PyObject *self, PyObject *arg)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return NULL;
    }
    Py_ssize_t width = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (width == -1 && PyErr_Occurred()) {
        return NULL;
    }
    READY_OR_NULL(self);
    Py_ssize_t n = STR_LEN(self);
    if (n >= width) {
        return kr_str_unchanged(self);
    }
    PyObject *result = pad(self, width - n, 0, '0');
    if (result != NULL && n > 0) {
        int kind = STR_KIND(result);
        void *out = PyUnicode_DATA(result);
        Py_UCS4 sign = PyUnicode_READ(kind, out, width - n);
        if (sign == '+' || sign == '-') {
            PyUnicode_WRITE(kind, out, 0, sign);
            PyUnicode_WRITE(kind, out, width - n, '0');
        }
    }
    return result;
}

static PyObject *
str_expandtabs(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const names[] = {"tabsize", NULL};
    static _PyArg_Parser parser = {.keywords = names,
                                   .format = "|i:expandtabs"};
    int tabsize = 8;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &tabsize)) {
        return NULL;
    }
    READY_OR_NULL(self);
    return kr_str_expandtabs(self, tabsize);
}

static PyObject *
str_splitlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const names[] = {"keepends", NULL};
    static _PyArg_Parser parser = {.keywords = names,
                                   .format = "|i:splitlines"};
    int keepends = 0;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &keepends)) {
        return NULL;
    }
    return PyUnicode_Splitlines(self, keepends);
}

static PyObject *
str_dunder_format(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    READY_OR_NULL(spec);
    return kr_str_dunder_format(self, spec);
}

static PyObject *
str_sizeof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    size_t size;
    if (!STR_STATE(self).ready) {
        size = sizeof(PyUnicodeObject);
    }
    else {
        size_t data = (size_t)(STR_LEN(self) + 1) * (size_t)STR_KIND(self);
        size = PyUnicode_IS_COMPACT_ASCII(self) ? sizeof(PyASCIIObject)
               : STR_STATE(self).compact ? sizeof(PyCompactUnicodeObject)
                                         : sizeof(PyUnicodeObject);
        size += data;
    }
    void *start = STR_STATE(self).ready ? PyUnicode_DATA(self) : NULL;
    if (!PyUnicode_IS_COMPACT_ASCII(self)) {
        PyCompactUnicodeObject *c = STR_COMPACT(self);
        if (c->utf8 != NULL && (void *)c->utf8 != start) {
            size += (size_t)c->utf8_length + 1;
        }
        if (c->_base.wstr != NULL && (void *)c->_base.wstr != start) {
            size += (size_t)(c->wstr_length + 1) * sizeof(wchar_t);
        }
    }
    else if (STR_ASCII(self)->wstr != NULL) {
        size += (size_t)(STR_LEN(self) + 1) * sizeof(wchar_t);
    }
    return PyLong_FromSize_t(size);
}

static PyObject *
str_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *copy = _PyUnicode_Copy(self);
    return copy == NULL ? NULL : Py_BuildValue("(N)", copy);
}

#define NOARGS(name, doc) {#name, str_##name, METH_NOARGS,                     \
    #name "($self, /)\n--\n\n" doc}
#define KEYWORDS(name, sig, doc) {#name, (PyCFunction)(void (*)(void))         \
    str_##name, METH_FASTCALL | METH_KEYWORDS, #name sig "\n--\n\n" doc}
#define FAST(name, sig, doc) {#name, (PyCFunction)(void (*)(void))str_##name,  \
    METH_FASTCALL, #name sig "\n--\n\n" doc}

static PyMethodDef str_methods[] = {
    KEYWORDS(encode, "($self, /, encoding='utf-8', errors='strict')",
             "Return the string as bytes in the given encoding."),
    FAST(replace, "($self, old, new, count=-1, /)",
         "Return a copy with occurrences of old replaced by new."),
    KEYWORDS(split, "($self, /, sep=None, maxsplit=-1)",
             "Return a list of the parts between separators."),
    KEYWORDS(rsplit, "($self, /, sep=None, maxsplit=-1)",
             "Return a list of the parts, splitting from the end."),
    {"join", PyUnicode_Join, METH_O,
     "join($self, iterable, /)\n--\n\n"
     "Concatenate the strings, with this one between them."},
    NOARGS(capitalize, "Return a copy with the first character in title "
                       "case and the rest in lower case."),
    NOARGS(casefold, "Return a copy for caseless comparison."),
    NOARGS(title, "Return a copy with each word in title case."),
    FAST(center, "($self, width, fillchar=' ', /)",
         "Return the string centred in the given width."),
    {"count", str_count, METH_VARARGS,
     "S.count(sub[, start[, end]]) -> int\n\nCount non-overlapping "
     "occurrences of sub in S[start:end]."},
    KEYWORDS(expandtabs, "($self, /, tabsize=8)",
             "Return a copy with tabs replaced by spaces."),
    {"find", str_find, METH_VARARGS,
     "S.find(sub[, start[, end]]) -> int\n\nLowest index of sub in "
     "S[start:end], or -1."},
    {"partition", PyUnicode_Partition, METH_O,
     "partition($self, sep, /)\n--\n\n"
     "Split at the first separator: (before, separator, after)."},
    {"index", str_index, METH_VARARGS,
     "S.index(sub[, start[, end]]) -> int\n\nLike find, but raises "
     "ValueError when sub is missing."},
    FAST(ljust, "($self, width, fillchar=' ', /)",
         "Return the string left-justified in the given width."),
    NOARGS(lower, "Return a copy in lower case."),
    FAST(lstrip, "($self, chars=None, /)",
         "Return a copy without leading whitespace (or chars)."),
    {"rfind", str_rfind, METH_VARARGS,
     "S.rfind(sub[, start[, end]]) -> int\n\nHighest index of sub in "
     "S[start:end], or -1."},
    {"rindex", str_rindex, METH_VARARGS,
     "S.rindex(sub[, start[, end]]) -> int\n\nLike rfind, but raises "
     "ValueError when sub is missing."},
    FAST(rjust, "($self, width, fillchar=' ', /)",
         "Return the string right-justified in the given width."),
    FAST(rstrip, "($self, chars=None, /)",
         "Return a copy without trailing whitespace (or chars)."),
    {"rpartition", PyUnicode_RPartition, METH_O,
     "rpartition($self, sep, /)\n--\n\n"
     "Split at the last separator: (before, separator, after)."},
    KEYWORDS(splitlines, "($self, /, keepends=False)",
             "Return a list of the lines."),
    FAST(strip, "($self, chars=None, /)",
         "Return a copy without surrounding whitespace (or chars)."),
    NOARGS(swapcase, "Return a copy with upper and lower case swapped."),
    {"translate", kr_str_translate, METH_O,
     "translate($self, table, /)\n--\n\n"
     "Replace each character by what the table gives for its ordinal."},
    NOARGS(upper, "Return a copy in upper case."),
    {"startswith", str_startswith, METH_VARARGS,
     "S.startswith(prefix[, start[, end]]) -> bool\n\nWhether S begins with "
     "the prefix, or one of a tuple of them."},
    {"endswith", str_endswith, METH_VARARGS,
     "S.endswith(suffix[, start[, end]]) -> bool\n\nWhether S ends with "
     "the suffix, or one of a tuple of them."},
    {"removeprefix", str_removeprefix, METH_O,
     "removeprefix($self, prefix, /)\n--\n\n"
     "Return the string without the prefix, if it has it."},
    {"removesuffix", str_removesuffix, METH_O,
     "removesuffix($self, suffix, /)\n--\n\n"
     "Return the string without the suffix, if it has it."},
    NOARGS(isascii, "Whether all characters are ASCII."),
    NOARGS(islower, "Whether all cased characters are lower case."),
    NOARGS(isupper, "Whether all cased characters are upper case."),
    NOARGS(istitle, "Whether each word is in title case."),
    NOARGS(isspace, "Whether all characters are whitespace."),
    NOARGS(isdecimal, "Whether all characters are decimal digits."),
    NOARGS(isdigit, "Whether all characters are digits."),
    NOARGS(isnumeric, "Whether all characters are numeric."),
    NOARGS(isalpha, "Whether all characters are alphabetic."),
    NOARGS(isalnum, "Whether all characters are alphanumeric."),
    NOARGS(isidentifier, "Whether the string is a valid identifier."),
    NOARGS(isprintable, "Whether all characters are printable."),
    {"zfill", str_zfill, METH_O,
     "zfill($self, width, /)\n--\n\n"
     "Pad with zeros on the left, after a sign."},
    {"format", (PyCFunction)(void (*)(void))kr_str_do_format,
     METH_VARARGS | METH_KEYWORDS,
     "S.format(*args, **kwargs) -> str\n\nReplace the fields in braces by "
     "the formatted arguments."},
    {"format_map", kr_str_do_format_map, METH_O,
     "S.format_map(mapping) -> str\n\nReplace the fields in braces by the "
     "formatted values of the mapping."},
    {"__format__", str_dunder_format, METH_O,
     "__format__($self, format_spec, /)\n--\n\n"
     "Return the string formatted as the specification says."},
    {"maketrans", (PyCFunction)(void (*)(void))kr_str_maketrans,
     METH_FASTCALL | METH_STATIC,
     "Return a translation table for str.translate()."},
    {"__sizeof__", str_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nReturn the size in memory, in bytes."},
    {"__getnewargs__", str_getnewargs, METH_NOARGS, NULL},
    {NULL},
};

static PyNumberMethods str_as_number = {.nb_remainder = str_mod};

static PySequenceMethods str_as_sequence = {
    .sq_length = str_length,
    .sq_concat = PyUnicode_Concat,
    .sq_repeat = kr_str_repeat,
    .sq_item = str_item,
    .sq_contains = PyUnicode_Contains,
};

static PyMappingMethods str_as_mapping = {
    .mp_length = str_length,
    .mp_subscript = str_subscript,
};

PyTypeObject PyUnicode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str",
    .tp_basicsize = sizeof(PyUnicodeObject),
    .tp_dealloc = str_dealloc,
    .tp_repr = kr_str_repr,
    .tp_as_number = &str_as_number,
    .tp_as_sequence = &str_as_sequence,
    .tp_as_mapping = &str_as_mapping,
    .tp_hash = str_hash,
    .tp_str = str_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_IMMUTABLETYPE |
                _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "str(object='') -> str\n"
              "str(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
              "A string: of an object as str() shows it, or decoded from\n"
              "bytes when an encoding or error handler is given.",
    .tp_richcompare = PyUnicode_RichCompare,
    .tp_iter = kr_str_iter,
    .tp_methods = str_methods,
    .tp_new = str_new,
    .tp_free = PyObject_Del,
    .tp_vectorcall = str_vectorcall,
};
