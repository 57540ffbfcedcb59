/* str.replace and str.expandtabs. */
#include <Python.h>

#include "base/strsearch.h"
#include "objects/str/str.h"

static Py_ssize_t
count_in(int kind, const void *s, Py_ssize_t n, const void *p, Py_ssize_t m,
         Py_ssize_t max)
{
    return kind == 1   ? kr_count1(s, n, p, m, max)
           : kind == 2 ? kr_count2(s, n, p, m, max)
                       : kr_count4(s, n, p, m, max);
}

static Py_ssize_t
find_in(int kind, const void *s, Py_ssize_t n, const void *p, Py_ssize_t m)
{
    return kind == 1   ? kr_find1(s, n, p, m)
           : kind == 2 ? kr_find2(s, n, p, m)
                       : kr_find4(s, n, p, m);
}

/* All three strings in one kind; `count` matches are known to exist. */
struct job {
    int kind;
    const char *s, *p, *r;
    Py_ssize_t n, m, k, count;
};

static void
put(const struct job *j, char **out, const char *from, Py_ssize_t n)
{
    size_t size = (size_t)n * (size_t)j->kind;
    memcpy(*out, from, size);
    *out += size;
}

/* An empty needle matches before each character and at the end. */
static void
interleave(const struct job *j, char *out)
{
    Py_ssize_t i = 0;
    for (; i < j->count; i++) {
        put(j, &out, j->r, j->k);
        if (i < j->n) {
            put(j, &out, j->s + i * j->kind, 1);
        }
    }
    if (i < j->n) {
        put(j, &out, j->s + i * j->kind, j->n - i);
    }
}

static void
fill_replaced(const struct job *j, char *out)
{
    const char *s = j->s;
    Py_ssize_t left = j->n;
    for (Py_ssize_t i = 0; i < j->count; i++) {
        Py_ssize_t hit = find_in(j->kind, s, left, j->p, j->m);
        put(j, &out, s, hit);
        put(j, &out, j->r, j->k);
        s += (hit + j->m) * j->kind;
        left -= hit + j->m;
    }
    put(j, &out, s, left);
}

static PyObject *
run(const struct job *j, Py_UCS4 maxchar, PyObject *self)
{
    Py_ssize_t grow = j->k - j->m;
    if (grow > 0 && j->count > (PY_SSIZE_T_MAX - j->n) / grow) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        return NULL;
    }
    Py_ssize_t size = j->n + j->count * grow;
    if (size == 0) {
        return kr_str_empty();
    }
    PyObject *result = PyUnicode_New(size, maxchar);
    if (result == NULL) {
        return NULL;
    }
    if (j->m == 0) {
        interleave(j, PyUnicode_DATA(result));
    }
    else {
        fill_replaced(j, PyUnicode_DATA(result));
    }
    /* the widest characters may be gone, and singletons stay unique */
    if (size == 1 || (maxchar > 127 && maxchar ==
                      PyUnicode_MAX_CHAR_VALUE(self))) {
        PyObject *narrow = PyUnicode_FromKindAndData(
            STR_KIND(result), PyUnicode_DATA(result), size);
        Py_DECREF(result);
        return narrow;
    }
    return result;
}

PyObject *
kr_str_replace(PyObject *self, PyObject *old, PyObject *new_, Py_ssize_t max)
{
    Py_ssize_t n = STR_LEN(self), m = STR_LEN(old);
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    if (max == 0 || n < m || STR_KIND(old) > STR_KIND(self) || old == new_) {
        return kr_str_unchanged(self);
    }
    Py_UCS4 maxchar = Py_MAX(PyUnicode_MAX_CHAR_VALUE(self),
                             PyUnicode_MAX_CHAR_VALUE(new_));
    int kind = STR_KIND(self);
    void *free_p, *free_s = NULL, *free_r = NULL;
    PyObject *result = NULL;
    const void *p = kr_str_as_kind(old, kind, &free_p), *s, *r;
    if (p == NULL) {
        return NULL;
    }
    Py_ssize_t count = m == 0 ? Py_MIN(n + 1, max)
                              : count_in(kind, PyUnicode_DATA(self), n, p, m,
                                         max);
    if (count == 0) {
        result = kr_str_unchanged(self);
        goto done;
    }
    int wide = kr_kind_of(maxchar);
    if (wide != kind) {
        PyMem_Free(free_p);
        p = kr_str_as_kind(old, wide, &free_p);
        if (p == NULL) {
            return NULL;
        }
    }
    s = kr_str_as_kind(self, wide, &free_s);
    r = kr_str_as_kind(new_, wide, &free_r);
    if (s != NULL && r != NULL) {
        struct job j = {wide, s, p, r, n, m, STR_LEN(new_), count};
        result = run(&j, maxchar, self);
    }
done:
    PyMem_Free(free_p);
    PyMem_Free(free_s);
    PyMem_Free(free_r);
    return result;
}

PyObject *
PyUnicode_Replace(PyObject *str, PyObject *substr, PyObject *replstr,
                  Py_ssize_t maxcount)
{
    if (kr_str_require(str) < 0 || kr_str_require(substr) < 0 ||
        kr_str_require(replstr) < 0) {
        return NULL;
    }
    return kr_str_replace(str, substr, replstr, maxcount);
}

static int
tab_step(Py_UCS4 ch, Py_ssize_t tabsize, Py_ssize_t *column)
{
    if (ch == '\t') {
        Py_ssize_t pad = tabsize > 0 ? tabsize - *column % tabsize : 0;
        *column += pad;
        return 1;
    }
    *column = ch == '\n' || ch == '\r' ? 0 : *column + 1;
    return 0;
}

PyObject *
kr_str_expandtabs(PyObject *self, Py_ssize_t tabsize)
{
    int kind = STR_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), column = 0, total = 0;
    int found = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        Py_ssize_t before = column;
        Py_ssize_t add = 1;
        if (tab_step(ch, tabsize, &column)) {
            found = 1;
            add = column - before;
        }
        if (add > PY_SSIZE_T_MAX - total) {
            PyErr_SetString(PyExc_OverflowError, "new string is too long");
            return NULL;
        }
        total += add;
    }
    if (!found) {
        return kr_str_unchanged(self);
    }
    PyObject *result = PyUnicode_New(total, PyUnicode_MAX_CHAR_VALUE(self));
    if (result == NULL || total == 0) {
        return result;
    }
    void *out = PyUnicode_DATA(result);
    Py_ssize_t at = 0;
    column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        Py_ssize_t before = column;
        if (tab_step(ch, tabsize, &column)) {
            kr_str_fill(kind, out, at, column - before, ' ');
            at += column - before;
        }
        else {
            PyUnicode_WRITE(kind, out, at, ch);
            at++;
        }
    }
    return result;
}
