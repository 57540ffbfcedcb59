/* find, findtext, findall and iterfind: plain tags are compared here, paths
 * and namespaces are left to xml.etree.ElementPath. */
#include "modules/kwargs.h"
#include "modules/shared/_elementtree/etree.h"

/* Whether a path is more than a tag. */
static bool
is_path(PyObject *path)
{
    Py_ssize_t n;
    int kind = PyUnicode_1BYTE_KIND;
    const void *data;
    if (PyBytes_Check(path)) {
        n = PyBytes_GET_SIZE(path);
        data = PyBytes_AS_STRING(path);
    }
    else if (PyUnicode_Check(path) && PyUnicode_READY(path) == 0) {
        n = PyUnicode_GET_LENGTH(path);
        kind = PyUnicode_KIND(path);
        data = PyUnicode_DATA(path);
    }
    else {
        PyErr_Clear();
        return true;
    }
#define AT(i) PyUnicode_READ(kind, data, i)
    if (n >= 3 && AT(0) == '{'
        && (AT(1) == '}' || (AT(1) == '*' && AT(2) == '}'))) {
        return true; /* any namespace, or none */
    }
    bool in_namespace = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = AT(i);
        if (ch == '{' || ch == '}') {
            in_namespace = ch == '{';
        }
        else if (!in_namespace && ch < 128 && strchr("/*[@.", (int)ch)
                 && ch != 0) {
            return true;
        }
    }
#undef AT
    return false;
}

/* Calls a function of ElementPath: f(element, path[, default], namespaces). */
static PyObject *
by_path(const char *func, PyObject *self, PyObject *path, PyObject *dflt,
        PyObject *namespaces)
{
    PyObject *f = PyObject_GetAttrString(kr_etree()->element_path, func);
    if (f == NULL) {
        return NULL;
    }
    PyObject *ns = namespaces ? namespaces : Py_None;
    PyObject *res =
        dflt != NULL
            ? PyObject_CallFunctionObjArgs(f, self, path, dflt, ns, NULL)
            : PyObject_CallFunctionObjArgs(f, self, path, ns, NULL);
    Py_DECREF(f);
    return res;
}

/* The next child from *i on with that tag, and *i behind it: a new reference;
 * NULL if there is none, or with an exception. */
static PyObject *
next_with_tag(struct kr_element *e, PyObject *tag, Py_ssize_t *i)
{
    while (*i < kr_element_len(e)) {
        PyObject *child = Py_NewRef(e->extra->children[(*i)++]);
        PyObject *own = Py_NewRef(KR_ELEMENT(child)->tag);
        int eq = PyObject_RichCompareBool(own, tag, Py_EQ);
        Py_DECREF(own);
        if (eq > 0) {
            return child;
        }
        Py_DECREF(child);
        if (eq < 0) {
            return NULL;
        }
    }
    return NULL;
}

PyObject *
kr_element_find(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("find", "path", "namespaces");
    PyObject *a[2];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)) {
        return NULL;
    }
    if ((a[1] != NULL && a[1] != Py_None) || is_path(a[0])) {
        return by_path("find", self, a[0], NULL, a[1]);
    }
    Py_ssize_t i = 0;
    PyObject *child = next_with_tag(KR_ELEMENT(self), a[0], &i);
    return child != NULL || PyErr_Occurred() ? child : Py_NewRef(Py_None);
}

PyObject *
kr_element_findtext(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("findtext", "path", "default", "namespaces");
    PyObject *a[3];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 3, 3, a)) {
        return NULL;
    }
    PyObject *dflt = a[1] ? a[1] : Py_None;
    if ((a[2] != NULL && a[2] != Py_None) || is_path(a[0])) {
        return by_path("findtext", self, a[0], dflt, a[2]);
    }
    Py_ssize_t i = 0;
    PyObject *child = next_with_tag(KR_ELEMENT(self), a[0], &i);
    if (child == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(dflt);
    }
    PyObject *text = KR_ELEMENT(child)->text;
    text = text == NULL || text == Py_None ? PyUnicode_FromString("")
                                           : Py_NewRef(text);
    Py_DECREF(child);
    return text;
}

PyObject *
kr_element_findall(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("findall", "path", "namespaces");
    PyObject *a[2];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)) {
        return NULL;
    }
    if ((a[1] != NULL && a[1] != Py_None) || is_path(a[0])) {
        return by_path("findall", self, a[0], NULL, a[1]);
    }
    PyObject *list = PyList_New(0), *child;
    Py_ssize_t i = 0;
    while (list != NULL
           && (child = next_with_tag(KR_ELEMENT(self), a[0], &i)) != NULL) {
        if (PyList_Append(list, child) < 0) {
            Py_CLEAR(list);
        }
        Py_DECREF(child);
    }
    if (list != NULL && PyErr_Occurred()) {
        Py_CLEAR(list);
    }
    return list;
}

PyObject *
kr_element_iterfind(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("iterfind", "path", "namespaces");
    PyObject *a[2];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)) {
        return NULL;
    }
    return by_path("iterfind", self, a[0], NULL, a[1]);
}
