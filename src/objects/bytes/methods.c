/* The methods that bytes and bytearray have in common. */
#include "base/simd_str.h"
#include "base/strsearch.h"
#include "objects/args/named.h"
#include "objects/args/slice.h"
#include "objects/bytes/bytes.h"
#include "objects/str/parts.h"

#include <Python.h>

PyObject *
kr_bytes_same(PyObject *self)
{
    if (PyBytes_CheckExact(self)) {
        return Py_NewRef(self);
    }
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    return kr_bytes_make(self, s, n);
}

static PyObject *
slice(PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    if (start == 0 && end == n) {
        return kr_bytes_same(self);
    }
    return kr_bytes_make(self, s + start, end > start ? end - start : 0);
}

/* --- predicates ---------------------------------------------------------------- */

static PyObject *
all_have(PyObject *self, unsigned int mask)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!(_Py_ctype_table[Py_CHARMASK(s[i])] & mask)) {
            Py_RETURN_FALSE;
        }
    }
    return PyBool_FromLong(n > 0);
}

#define IS(name, mask)                                                         \
    KR_BM_NOARGS(name)                                                         \
    {                                                                          \
        return all_have(self, mask);                                           \
    }

IS(isalnum, PY_CTF_ALNUM)
IS(isalpha, PY_CTF_ALPHA)
IS(isdigit, PY_CTF_DIGIT)
IS(isspace, PY_CTF_SPACE)

KR_BM_NOARGS(isascii)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    return PyBool_FromLong(kr_ascii_prefix(s, (size_t)n) == (size_t)n);
}

static PyObject *
cased(PyObject *self, unsigned int wanted)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    int found = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned int bits = _Py_ctype_table[Py_CHARMASK(s[i])] & PY_CTF_ALPHA;
        if (bits != 0 && bits != wanted) {
            Py_RETURN_FALSE;
        }
        found |= bits != 0;
    }
    return PyBool_FromLong(found);
}

KR_BM_NOARGS(islower)
{
    return cased(self, PY_CTF_LOWER);
}

KR_BM_NOARGS(isupper)
{
    return cased(self, PY_CTF_UPPER);
}

KR_BM_NOARGS(istitle)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    int found = 0, inside = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (Py_ISUPPER(s[i])) {
            if (inside) {
                Py_RETURN_FALSE;
            }
            inside = found = 1;
        }
        else if (Py_ISLOWER(s[i])) {
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

/* --- case ------------------------------------------------------------------------ */

#define MAP(name, expr)                                                        \
    KR_BM_NOARGS(name)                                                         \
    {                                                                          \
        Py_ssize_t n;                                                          \
        const char *s = kr_bytes_view(self, &n);                               \
        PyObject *result = kr_bytes_make(self, NULL, n);                       \
        if (result != NULL && n > 0) {                                         \
            char *out = kr_bytes_data(result);                                 \
            int inside = 0;                                                    \
            (void)inside;                                                      \
            for (Py_ssize_t i = 0; i < n; i++) {                               \
                unsigned char c = (unsigned char)s[i];                         \
                out[i] = (char)(expr);                                         \
                inside = Py_ISALPHA(c) != 0;                                   \
            }                                                                  \
        }                                                                      \
        return result;                                                         \
    }

MAP(lower, c ^ ((unsigned char)(c - 'A') < 26 ? 0x20 : 0))
MAP(upper, c ^ ((unsigned char)(c - 'a') < 26 ? 0x20 : 0))
MAP(swapcase, c ^ ((unsigned char)((c | 0x20) - 'a') < 26 ? 0x20 : 0))
MAP(title, inside ? Py_TOLOWER(c) : Py_TOUPPER(c))
MAP(capitalize, i > 0 ? Py_TOLOWER(c) : Py_TOUPPER(c))

/* --- arguments -------------------------------------------------------------------- */

static int
get_index(PyObject *arg, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return -1;
    }
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

/* A substring argument: a byte value or something with a buffer. */
struct needle {
    Py_buffer view;
    unsigned char byte;
    const char *s;
    Py_ssize_t n;
    int has_view;
};

static void
needle_error(const char *format, PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, format, Py_TYPE(arg)->tp_name);
}

/* Of `in` (contains), a failing __index__ counts as none. */
static int
get_needle(PyObject *arg, struct needle *p, bool contains)
{
    static const char required[] =
        "a bytes-like object is required, not '%.200s'";
    p->has_view = 0;
    if (PyObject_CheckBuffer(arg)) {
        if (PyObject_GetBuffer(arg, &p->view, PyBUF_SIMPLE) < 0) {
            return -1;
        }
        p->has_view = 1;
        p->s = p->view.buf;
        p->n = p->view.len;
        return 0;
    }
    if (!PyIndex_Check(arg)) {
        needle_error(contains ? required
                              : "argument should be integer or bytes-like "
                                "object, not '%.200s'",
                     arg);
        return -1;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(arg, NULL);
    if (value == -1 && PyErr_Occurred()) {
        if (contains) {
            PyErr_Clear();
            needle_error(required, arg);
        }
        return -1;
    }
    if (value < 0 || value > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    p->byte = (unsigned char)value;
    p->s = (const char *)&p->byte;
    p->n = 1;
    return 0;
}

static void
release(struct needle *p)
{
    if (p->has_view) {
        PyBuffer_Release(&p->view);
    }
}

static void
clip(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t n)
{
    if (*end > n) {
        *end = n;
    }
    else if (*end < 0) {
        *end = Py_MAX(*end + n, 0);
    }
    if (*start < 0) {
        *start = Py_MAX(*start + n, 0);
    }
}

/* --- searching ---------------------------------------------------------------------- */

static Py_ssize_t
search(const char *s, Py_ssize_t n, const char *p, Py_ssize_t m, int forward)
{
    return forward ? kr_find1((const uint8_t *)s, n, (const uint8_t *)p, m)
                   : kr_rfind1((const uint8_t *)s, n, (const uint8_t *)p, m);
}

static Py_ssize_t
find_in(PyObject *self, PyObject *args, const char *name, int forward)
{
    PyObject *sub;
    Py_ssize_t start, end, n;
    struct needle p;
    if (kr_slice_args(name, args, &sub, &start, &end) < 0 ||
        get_needle(sub, &p, false) < 0) {
        return -2;
    }
    const char *s = kr_bytes_view(self, &n);
    clip(&start, &end, n);
    Py_ssize_t hit = -1;
    if (end - start >= p.n) {
        hit = search(s + start, end - start, p.s, p.n, forward);
    }
    release(&p);
    return hit < 0 ? -1 : hit + start;
}

static PyObject *
found(Py_ssize_t index, int required)
{
    if (index == -2) {
        return NULL;
    }
    if (index < 0 && required) {
        PyErr_SetString(PyExc_ValueError, "subsection not found");
        return NULL;
    }
    return PyLong_FromSsize_t(index);
}

#define FIND(name, forward, required)                                          \
    PyObject *kr_bm_##name(PyObject *self, PyObject *args)                     \
    {                                                                          \
        return found(find_in(self, args, #name, forward), required);           \
    }

FIND(find, 1, 0)
FIND(rfind, 0, 0)
FIND(index, 1, 1)
FIND(rindex, 0, 1)

PyObject *
kr_bm_count(PyObject *self, PyObject *args)
{
    PyObject *sub;
    Py_ssize_t start, end, n, count = 0;
    struct needle p;
    if (kr_slice_args("count", args, &sub, &start, &end) < 0 ||
        get_needle(sub, &p, false) < 0) {
        return NULL;
    }
    const char *s = kr_bytes_view(self, &n);
    clip(&start, &end, n);
    if (end - start >= p.n) {
        count = p.n == 0 ? end - start + 1
                         : kr_count1((const uint8_t *)s + start, end - start,
                                     (const uint8_t *)p.s, p.n,
                                     PY_SSIZE_T_MAX);
    }
    release(&p);
    return PyLong_FromSsize_t(count);
}

int
kr_bytes_contains(PyObject *self, PyObject *arg)
{
    struct needle p;
    if (get_needle(arg, &p, true) < 0) {
        return -1;
    }
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    Py_ssize_t hit = search(s, n, p.s, p.n, 1);
    release(&p);
    return hit >= 0;
}

/* Whether self[start:end] has `sub` at the head (-1) or tail (1); -1 on
 * error. */
static int
tail_match(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
           int direction)
{
    Py_buffer view;
    if (PyObject_GetBuffer(sub, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    clip(&start, &end, n);
    int match = 0;
    if (end - start >= view.len && start <= n) {
        Py_ssize_t at = direction > 0 ? end - view.len : start;
        match = memcmp(s + at, view.buf, (size_t)view.len) == 0;
    }
    PyBuffer_Release(&view);
    return match;
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
            int r = tail_match(self, PyTuple_GET_ITEM(sub, i), start, end,
                               direction);
            if (r != 0) {
                return r < 0 ? NULL : Py_NewRef(Py_True);
            }
        }
        Py_RETURN_FALSE;
    }
    int r = tail_match(self, sub, start, end, direction);
    if (r < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "%s first arg must be bytes or a tuple of bytes, "
                         "not %s", name, Py_TYPE(sub)->tp_name);
        }
        return NULL;
    }
    return PyBool_FromLong(r);
}

PyObject *
kr_bm_startswith(PyObject *self, PyObject *args)
{
    return tail_method(self, args, "startswith", -1);
}

PyObject *
kr_bm_endswith(PyObject *self, PyObject *args)
{
    return tail_method(self, args, "endswith", 1);
}

static PyObject *
remove_tail(PyObject *self, PyObject *arg, int direction)
{
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Py_ssize_t n, m = view.len;
    const char *s = kr_bytes_view(self, &n);
    Py_ssize_t at = direction > 0 ? n - m : 0;
    int match = m > 0 && n >= m && memcmp(s + at, view.buf, (size_t)m) == 0;
    PyBuffer_Release(&view);
    if (!match) {
        return kr_bytes_same(self);
    }
    return direction > 0 ? slice(self, 0, n - m) : slice(self, m, n);
}

PyObject *
kr_bm_removeprefix(PyObject *self, PyObject *arg)
{
    return remove_tail(self, arg, -1);
}

PyObject *
kr_bm_removesuffix(PyObject *self, PyObject *arg)
{
    return remove_tail(self, arg, 1);
}

/* --- stripping and padding --------------------------------------------------------- */

static PyObject *
do_strip(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
         const char *name, int left, int right)
{
    Py_buffer view = {.buf = " \t\n\r\f\v", .len = 6};
    if (!_PyArg_CheckPositional(name, nargs, 0, 1)) {
        return NULL;
    }
    int own = nargs == 1 && args[0] != Py_None;
    if (own && PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Py_ssize_t j, i = 0;
    const char *s = kr_bytes_view(self, &j);
    size_t m = (size_t)view.len;
    while (left && i < j && memchr(view.buf, Py_CHARMASK(s[i]), m) != NULL) {
        i++;
    }
    while (right && j > i &&
           memchr(view.buf, Py_CHARMASK(s[j - 1]), m) != NULL) {
        j--;
    }
    PyObject *result = slice(self, i, j);
    if (own) {
        PyBuffer_Release(&view);
    }
    return result;
}

KR_BM_FAST(strip)
{
    return do_strip(self, args, nargs, "strip", 1, 1);
}

KR_BM_FAST(lstrip)
{
    return do_strip(self, args, nargs, "lstrip", 1, 0);
}

KR_BM_FAST(rstrip)
{
    return do_strip(self, args, nargs, "rstrip", 0, 1);
}

static PyObject *
pad(PyObject *self, Py_ssize_t left, Py_ssize_t right, char fill)
{
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    if (left <= 0 && right <= 0) {
        return kr_bytes_same(self);
    }
    PyObject *result = kr_bytes_make(self, NULL, left + n + right);
    if (result != NULL) {
        char *out = kr_bytes_data(result);
        memset(out, fill, (size_t)left);
        memcpy(out + left, s, (size_t)n);
        memset(out + left + n, fill, (size_t)right);
    }
    return result;
}

static PyObject *
justify(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
        const char *name, int how)
{
    Py_ssize_t width, n;
    char fill = ' ';
    if (!_PyArg_CheckPositional(name, nargs, 1, 2) ||
        get_index(args[0], &width) < 0) {
        return NULL;
    }
    if (nargs == 2) {
        if (!(PyBytes_Check(args[1]) || PyByteArray_Check(args[1])) ||
            Py_SIZE(args[1]) != 1) {
            _PyArg_BadArgument(name, "argument 2",
                               "a byte string of length 1", args[1]);
            return NULL;
        }
        fill = kr_bytes_view(args[1], &n)[0];
    }
    kr_bytes_view(self, &n);
    if (n >= width) {
        return kr_bytes_same(self);
    }
    Py_ssize_t total = width - n;
    Py_ssize_t left = how < 0 ? 0
                      : how > 0 ? total
                                : total / 2 + (total & width & 1);
    return pad(self, left, total - left, fill);
}

KR_BM_FAST(ljust)
{
    return justify(self, args, nargs, "ljust", -1);
}

KR_BM_FAST(center)
{
    return justify(self, args, nargs, "center", 0);
}

KR_BM_FAST(rjust)
{
    return justify(self, args, nargs, "rjust", 1);
}

PyObject *
kr_bm_zfill(PyObject *self, PyObject *arg)
{
    Py_ssize_t width, n;
    if (get_index(arg, &width) < 0) {
        return NULL;
    }
    kr_bytes_view(self, &n);
    if (n >= width) {
        return kr_bytes_same(self);
    }
    PyObject *result = pad(self, width - n, 0, '0');
    if (result != NULL && n > 0) {
        char *out = kr_bytes_data(result);
        if (out[width - n] == '+' || out[width - n] == '-') {
            out[0] = out[width - n];
            out[width - n] = '0';
        }
    }
    return result;
}

KR_BM_KEYWORDS(expandtabs)
{
    static const char *const names[] = {"tabsize", NULL};
    static _PyArg_Parser parser = {.keywords = names,
                                   .format = "|i:expandtabs"};
    int tabsize = 8;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &tabsize)) {
        return NULL;
    }
    Py_ssize_t n, total = 0, column = 0;
    const char *s = kr_bytes_view(self, &n);
    for (int pass = 0;; pass++) {
        PyObject *result = NULL;
        char *out = NULL;
        if (pass == 1) {
            result = kr_bytes_make(self, NULL, total);
            if (result == NULL) {
                return NULL;
            }
            out = kr_bytes_data(result);
            column = 0;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_ssize_t width = 1;
            if (s[i] == '\t') {
                width = tabsize > 0 ? tabsize - column % tabsize : 0;
                column += width;
            }
            else {
                column = s[i] == '\n' || s[i] == '\r' ? 0 : column + 1;
            }
            if (out != NULL) {
                memset(out, s[i] == '\t' ? ' ' : s[i], (size_t)width);
                out += width;
            }
            else if (width > PY_SSIZE_T_MAX - total) {
                PyErr_SetString(PyExc_OverflowError, "result too long");
                return NULL;
            }
            else {
                total += width;
            }
        }
        if (result != NULL) {
            return result;
        }
    }
}

/* --- splitting ------------------------------------------------------------------------ */

static inline int
append(struct kr_parts *parts, PyObject *self, Py_ssize_t start,
       Py_ssize_t end)
{
    return kr_parts_add(parts, slice(self, start, end));
}

static int
split_space(struct kr_parts *list, PyObject *self, Py_ssize_t max)
{
    Py_ssize_t n, i = 0;
    const char *s = kr_bytes_view(self, &n);
    for (;;) {
        while (i < n && Py_ISSPACE(s[i])) {
            i++;
        }
        if (i == n) {
            return 0;
        }
        if (max-- <= 0) {
            return append(list, self, i, n);
        }
        Py_ssize_t start = i;
        while (i < n && !Py_ISSPACE(s[i])) {
            i++;
        }
        if (append(list, self, start, i) < 0) {
            return -1;
        }
    }
}

static int
rsplit_space(struct kr_parts *list, PyObject *self, Py_ssize_t max)
{
    Py_ssize_t i;
    const char *s = kr_bytes_view(self, &i);
    for (;;) {
        while (i > 0 && Py_ISSPACE(s[i - 1])) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        if (max-- <= 0) {
            return append(list, self, 0, i);
        }
        Py_ssize_t end = i;
        while (i > 0 && !Py_ISSPACE(s[i - 1])) {
            i--;
        }
        if (append(list, self, i, end) < 0) {
            return -1;
        }
    }
}

static int
split_at(struct kr_parts *list, PyObject *self, const char *p, Py_ssize_t m,
         Py_ssize_t max)
{
    Py_ssize_t n, start = 0;
    const char *s = kr_bytes_view(self, &n);
    for (;;) {
        Py_ssize_t hit = max-- > 0 ? search(s + start, n - start, p, m, 1)
                                   : -1;
        if (hit < 0) {
            return append(list, self, start, n);
        }
        if (append(list, self, start, start + hit) < 0) {
            return -1;
        }
        start += hit + m;
    }
}

static int
rsplit_at(struct kr_parts *list, PyObject *self, const char *p, Py_ssize_t m,
          Py_ssize_t max)
{
    Py_ssize_t end;
    const char *s = kr_bytes_view(self, &end);
    for (;;) {
        Py_ssize_t hit = max-- > 0 ? search(s, end, p, m, 0) : -1;
        if (hit < 0) {
            return append(list, self, 0, end);
        }
        if (append(list, self, hit + m, end) < 0) {
            return -1;
        }
        end = hit;
    }
}

static PyObject *
do_split(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
         PyObject *kwnames, _PyArg_Parser *parser, int reverse)
{
    PyObject *slots[2];
    Py_ssize_t max = -1;
    Py_ssize_t given = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, parser, 0, 2, 0,
                                 slots);
    /* without keywords `args` is as long as the call's */
    PyObject *sep = args != NULL && given > 0 ? args[0] : NULL;
    PyObject *limit = args != NULL && given > (kwnames == NULL) ? args[1] : NULL;
    if (args == NULL || (limit != NULL && get_index(limit, &max) < 0)) {
        return NULL;
    }
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    Py_buffer view = {.len = 0};
    int own = sep != NULL && sep != Py_None;
    if (own && PyObject_GetBuffer(sep, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (own && view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        PyBuffer_Release(&view);
        return NULL;
    }
    struct kr_parts parts;
    int rc = kr_parts_init(&parts, max);
    if (rc == 0 && own) {
        rc = (reverse ? rsplit_at : split_at)(&parts, self, view.buf,
                                              view.len, max);
    }
    else if (rc == 0) {
        rc = (reverse ? rsplit_space : split_space)(&parts, self, max);
    }
    if (own) {
        PyBuffer_Release(&view);
    }
    return kr_parts_finish(&parts, rc, reverse);
}

static const char *const split_names[] = {"sep", "maxsplit", NULL};

KR_BM_KEYWORDS(split)
{
    static _PyArg_Parser parser = {.keywords = split_names, .fname = "split"};
    return do_split(self, args, nargs, kwnames, &parser, 0);
}

KR_BM_KEYWORDS(rsplit)
{
    static _PyArg_Parser parser = {.keywords = split_names, .fname = "rsplit"};
    return do_split(self, args, nargs, kwnames, &parser, 1);
}

KR_BM_KEYWORDS(splitlines)
{
    static const char *const names[] = {"keepends", NULL};
    static _PyArg_Parser parser = {.keywords = names,
                                   .format = "|i:splitlines"};
    int keepends = 0;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &keepends)) {
        return NULL;
    }
    struct kr_parts parts;
    if (kr_parts_init(&parts, KR_PARTS_ROOM) < 0) {
        return NULL;
    }
    int rc = 0;
    Py_ssize_t n, i = 0;
    const char *s = kr_bytes_view(self, &n);
    while (rc == 0 && i < n) {
        Py_ssize_t start = i, end;
        while (i < n && s[i] != '\n' && s[i] != '\r') {
            i++;
        }
        end = i;
        if (i < n) {
            i += s[i] == '\r' && i + 1 < n && s[i + 1] == '\n' ? 2 : 1;
            end = keepends ? i : end;
        }
        rc = append(&parts, self, start, end);
    }
    return kr_parts_finish(&parts, rc, 0);
}

static PyObject *
three(PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *result = NULL;
    if (a != NULL && b != NULL && c != NULL) {
        result = PyTuple_Pack(3, a, b, c);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(c);
    return result;
}

static PyObject *
do_partition(PyObject *self, PyObject *sep, int forward)
{
    Py_buffer view;
    if (PyObject_GetBuffer(sep, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
    }
    else {
        Py_ssize_t n, m = view.len;
        const char *s = kr_bytes_view(self, &n);
        Py_ssize_t hit = search(s, n, view.buf, m, forward);
        if (hit >= 0) {
            PyObject *mid = PyBytes_Check(self) ? Py_NewRef(sep)
                                                : kr_bytes_make(self, view.buf,
                                                                m);
            result = three(slice(self, 0, hit), mid, slice(self, hit + m, n));
        }
        else {
            PyObject *all = kr_bytes_same(self);
            PyObject *e1 = kr_bytes_make(self, NULL, 0);
            PyObject *e2 = kr_bytes_make(self, NULL, 0);
            result = forward ? three(all, e1, e2) : three(e1, e2, all);
        }
    }
    PyBuffer_Release(&view);
    return result;
}

PyObject *
kr_bm_partition(PyObject *self, PyObject *sep)
{
    return do_partition(self, sep, 1);
}

PyObject *
kr_bm_rpartition(PyObject *self, PyObject *sep)
{
    return do_partition(self, sep, 0);
}

/* --- replace and translate ------------------------------------------------------------- */

static PyObject *
replace(PyObject *self, const Py_buffer *old, const Py_buffer *new_,
        Py_ssize_t max)
{
    Py_ssize_t n, m = old->len, k = new_->len;
    const char *s = kr_bytes_view(self, &n), *p = old->buf, *r = new_->buf;
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    Py_ssize_t count = 0;
    if (max > 0 && n >= m) {
        count = m == 0 ? Py_MIN(n + 1, max)
                       : kr_count1((const uint8_t *)s, n, (const uint8_t *)p,
                                   m, max);
    }
    if (count == 0) {
        return kr_bytes_same(self);
    }
    if (k > m && count > (PY_SSIZE_T_MAX - n) / (k - m)) {
        PyErr_SetString(PyExc_OverflowError, "replace bytes is too long");
        return NULL;
    }
    PyObject *result = kr_bytes_make(self, NULL, n + count * (k - m));
    if (result == NULL) {
        return NULL;
    }
    char *out = kr_bytes_data(result);
    while (count-- > 0) {
        Py_ssize_t hit = 0;
        if (m != 0) {
            hit = search(s, n, p, m, 1);
            memcpy(out, s, (size_t)hit);
            out += hit;
        }
        memcpy(out, r, (size_t)k);
        out += k;
        if (m == 0 && n > 0) {
            *out++ = *s;
            hit = 1;
        }
        s += hit + m;
        n -= hit + m;
    }
    memcpy(out, s, (size_t)n);
    return result;
}

KR_BM_FAST(replace)
{
    Py_buffer old, new_;
    Py_ssize_t count = -1;
    if (!_PyArg_CheckPositional("replace", nargs, 2, 3) ||
        PyObject_GetBuffer(args[0], &old, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &new_, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&old);
        return NULL;
    }
    PyObject *result = NULL;
    if (nargs < 3 || get_index(args[2], &count) == 0) {
        result = replace(self, &old, &new_, count);
    }
    PyBuffer_Release(&new_);
    PyBuffer_Release(&old);
    return result;
}

static PyObject *
translate(PyObject *self, const char *table, const Py_buffer *del)
{
    Py_ssize_t n, kept = 0;
    const char *s = kr_bytes_view(self, &n);
    char drop[256] = {0};
    for (Py_ssize_t i = 0; i < del->len; i++) {
        drop[((unsigned char *)del->buf)[i]] = 1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        kept += !drop[Py_CHARMASK(s[i])];
    }
    PyObject *result = kr_bytes_make(self, NULL, kept);
    if (result == NULL) {
        return NULL;
    }
    char *out = kr_bytes_data(result);
    int changed = kept != n;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = Py_CHARMASK(s[i]);
        if (!drop[c]) {
            char to = table != NULL ? table[c] : (char)c;
            changed |= to != s[i];
            *out++ = to;
        }
    }
    if (!changed && PyBytes_CheckExact(self)) {
        Py_DECREF(result);
        return Py_NewRef(self);
    }
    return result;
}

KR_BM_KEYWORDS(translate)
{
    static const char *const names[] = {"", "delete", NULL};
    static _PyArg_Parser parser = {.keywords = names, .fname = "translate"};
    PyObject *slots[2];
    Py_buffer table = {.len = 0}, del = {.len = 0};
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 1, 2, 0,
                                 slots);
    if (args == NULL) {
        return NULL;
    }
    PyObject *drop = nargs > 1 || kwnames != NULL ? args[1] : NULL;
    int has_table = args[0] != Py_None;
    if (has_table && PyObject_GetBuffer(args[0], &table, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (has_table && table.len != 256) {
        PyErr_SetString(PyExc_ValueError,
                        "translation table must be 256 characters long");
    }
    else if (drop == NULL ||
             PyObject_GetBuffer(drop, &del, PyBUF_SIMPLE) == 0) {
        result = translate(self, has_table ? table.buf : NULL, &del);
        if (drop != NULL) {
            PyBuffer_Release(&del);
        }
    }
    if (has_table) {
        PyBuffer_Release(&table);
    }
    return result;
}

PyObject *
kr_bm_maketrans(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer from, to;
    if (!_PyArg_CheckPositional("maketrans", nargs, 2, 2) ||
        PyObject_GetBuffer(args[0], &from, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &to, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&from);
        return NULL;
    }
    PyObject *result = NULL;
    if (from.len != to.len) {
        PyErr_SetString(PyExc_ValueError,
                        "maketrans arguments must have same length");
    }
    else if ((result = PyBytes_FromStringAndSize(NULL, 256)) != NULL) {
        char *out = PyBytes_AS_STRING(result);
        for (int i = 0; i < 256; i++) {
            out[i] = (char)i;
        }
        for (Py_ssize_t i = 0; i < from.len; i++) {
            out[((unsigned char *)from.buf)[i]] = ((char *)to.buf)[i];
        }
    }
    PyBuffer_Release(&to);
    PyBuffer_Release(&from);
    return result;
}

/* --- the rest ----------------------------------------------------------------------- */

KR_BM_KEYWORDS(decode)
{
    static const char *const names[] = {"encoding", "errors", NULL};
    static _PyArg_Parser parser = {.keywords = names, .format = "|ss:decode"};
    const char *encoding = NULL, *errors = NULL;
    if ((nargs != 0 || kwnames != NULL) &&
        !kr_parse_named(args, nargs, kwnames, &parser, &encoding, &errors)) {
        return NULL;
    }
    return PyUnicode_FromEncodedObject(self, encoding, errors);
}

PyObject *
kr_bm_join(PyObject *self, PyObject *iterable)
{
    return kr_bytes_join(self, iterable);
}
