/* Search, count, containment and prefix tests. */
#include <Python.h>

#include "base/strsearch.h"
#include "objects/str/str.h"

static Py_ssize_t
search(int kind, const void *s, Py_ssize_t n, const void *p, Py_ssize_t m,
       int forward)
{
    switch (kind) {
    case 1:
        return forward ? kr_find1(s, n, p, m) : kr_rfind1(s, n, p, m);
    case 2:
        return forward ? kr_find2(s, n, p, m) : kr_rfind2(s, n, p, m);
    default:
        return forward ? kr_find4(s, n, p, m) : kr_rfind4(s, n, p, m);
    }
}

Py_ssize_t
kr_str_search(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
              int forward)
{
    kr_str_clip(&start, &end, STR_LEN(self));
    Py_ssize_t n = end - start, m = STR_LEN(sub);
    int kind = STR_KIND(self);
    if (n < m || STR_KIND(sub) > kind) {
        return -1;
    }
    void *to_free;
    const void *p = kr_str_as_kind(sub, kind, &to_free);
    if (p == NULL) {
        return -2;
    }
    const char *s = (const char *)PyUnicode_DATA(self) + start * kind;
    Py_ssize_t hit = search(kind, s, n, p, m, forward);
    if (to_free != NULL) {
        PyMem_Free(to_free);
    }
    return hit < 0 ? -1 : start + hit;
}

Py_ssize_t
PyUnicode_Find(PyObject *str, PyObject *substr, Py_ssize_t start,
               Py_ssize_t end, int direction)
{
    if (kr_str_require(str) < 0 || kr_str_require(substr) < 0) {
        return -2;
    }
    return kr_str_search(str, substr, start, end, direction > 0);
}

Py_ssize_t
PyUnicode_FindChar(PyObject *str, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end,
                   int direction)
{
    if (PyUnicode_READY(str) < 0) {
        return -2;
    }
    Py_ssize_t len = STR_LEN(str);
    kr_str_clip(&start, &end, len);
    if (end - start < 1 || ch > PyUnicode_MAX_CHAR_VALUE(str)) {
        return -1;
    }
    int kind = STR_KIND(str);
    Py_UCS1 c1 = (Py_UCS1)ch;
    Py_UCS2 c2 = (Py_UCS2)ch;
    const void *p = kind == 1 ? (void *)&c1 : kind == 2 ? (void *)&c2
                                                        : (void *)&ch;
    const char *s = (const char *)PyUnicode_DATA(str) + start * kind;
    Py_ssize_t hit = search(kind, s, end - start, p, 1, direction > 0);
    return hit < 0 ? -1 : start + hit;
}

Py_ssize_t
PyUnicode_Count(PyObject *str, PyObject *substr, Py_ssize_t start,
                Py_ssize_t end)
{
    if (kr_str_require(str) < 0 || kr_str_require(substr) < 0) {
        return -1;
    }
    kr_str_clip(&start, &end, STR_LEN(str));
    Py_ssize_t n = end - start, m = STR_LEN(substr);
    int kind = STR_KIND(str);
    if (n < m || STR_KIND(substr) > kind) {
        return 0;
    }
    if (m == 0) {
        return n + 1;
    }
    void *to_free;
    const void *p = kr_str_as_kind(substr, kind, &to_free);
    if (p == NULL) {
        return -1;
    }
    const char *s = (const char *)PyUnicode_DATA(str) + start * kind;
    Py_ssize_t count =
        kind == 1 ? kr_count1((const void *)s, n, p, m, PY_SSIZE_T_MAX)
        : kind == 2 ? kr_count2((const void *)s, n, p, m, PY_SSIZE_T_MAX)
                    : kr_count4((const void *)s, n, p, m, PY_SSIZE_T_MAX);
    PyMem_Free(to_free);
    return count;
}

int
PyUnicode_Contains(PyObject *str, PyObject *substr)
{
    if (!PyUnicode_Check(substr)) {
        PyErr_Format(PyExc_TypeError,
                     "'in <string>' requires string as left operand, not "
                     "%.100s", Py_TYPE(substr)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(substr) < 0 || kr_str_require(str) < 0) {
        return -1;
    }
    Py_ssize_t hit = kr_str_search(str, substr, 0, PY_SSIZE_T_MAX, 1);
    return hit == -2 ? -1 : hit >= 0;
}

Py_ssize_t
PyUnicode_Tailmatch(PyObject *str, PyObject *substr, Py_ssize_t start,
                    Py_ssize_t end, int direction)
{
    if (kr_str_require(str) < 0 || kr_str_require(substr) < 0) {
        return -1;
    }
    kr_str_clip(&start, &end, STR_LEN(str));
    Py_ssize_t m = STR_LEN(substr);
    if (end - start < m) {
        return 0;
    }
    if (m == 0) {
        return 1;
    }
    int ks = STR_KIND(str), kp = STR_KIND(substr);
    const void *s = PyUnicode_DATA(str), *p = PyUnicode_DATA(substr);
    Py_ssize_t at = direction > 0 ? end - m : start;
    if (kp > ks) {
        return 0;
    }
    if (ks == kp) {
        return memcmp((const char *)s + at * ks, p,
                      (size_t)m * (size_t)ks) == 0;
    }
    for (Py_ssize_t i = 0; i < m; i++) {
        if (PyUnicode_READ(ks, s, at + i) != PyUnicode_READ(kp, p, i)) {
            return 0;
        }
    }
    return 1;
}
