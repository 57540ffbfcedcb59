/* The object of one block, symtable.entry, and look-ups in the table. */
#include "front/symtable/symtable.h"

#include <structmember.h>

static PyObject *
ste_repr(KrSte *ste)
{
    return PyUnicode_FromFormat("<symtable entry %U(%R), line %d>",
                                ste->ste_name, ste->ste_id, ste->ste_lineno);
}

static void
ste_dealloc(KrSte *ste)
{
    Py_XDECREF(ste->ste_id);
    Py_XDECREF(ste->ste_name);
    Py_XDECREF(ste->ste_symbols);
    Py_XDECREF(ste->ste_varnames);
    Py_XDECREF(ste->ste_children);
    Py_XDECREF(ste->ste_directives);
    PyObject_Free(ste);
}

#define MEMBER(name, type, field, flags)                                       \
    {name, type, offsetof(KrSte, field), flags, NULL}
static PyMemberDef ste_members[] = {
    MEMBER("id", T_OBJECT, ste_id, READONLY),
    MEMBER("name", T_OBJECT, ste_name, READONLY),
    MEMBER("symbols", T_OBJECT, ste_symbols, READONLY),
    MEMBER("varnames", T_OBJECT, ste_varnames, READONLY),
    MEMBER("children", T_OBJECT, ste_children, READONLY),
    MEMBER("nested", T_INT, ste_nested, READONLY),
    MEMBER("type", T_INT, ste_type, READONLY),
    MEMBER("lineno", T_INT, ste_lineno, READONLY),
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject PySTEntry_Type = {
    .ob_base = {.ob_base = {1, NULL}},
    .tp_name = "symtable entry",
    .tp_basicsize = sizeof(KrSte),
    .tp_dealloc = (destructor)ste_dealloc,
    .tp_repr = (reprfunc)ste_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_members = ste_members,
};

long
kr_ste_flags(KrSte *ste, PyObject *name)
{
    PyObject *v = PyDict_GetItemWithError(ste->ste_symbols, name);
    return v == NULL ? 0 : PyLong_AsLong(v);
}

int
kr_ste_scope(KrSte *ste, PyObject *name)
{
    return (int)(kr_ste_flags(ste, name) >> KR_SCOPE_OFFSET) & KR_SCOPE_MASK;
}

KrSte *
kr_symtable_lookup(struct kr_symtable *st, void *key)
{
    PyObject *id = PyLong_FromVoidPtr(key);
    if (id == NULL) {
        return NULL;
    }
    PyObject *v = PyDict_GetItemWithError(st->blocks, id);
    Py_DECREF(id);
    if (v == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_KeyError, "unknown symbol table entry");
        }
        return NULL;
    }
    return (KrSte *)Py_NewRef(v);
}

PyObject *
kr_mangle(PyObject *private, PyObject *ident)
{
    Py_ssize_t nlen = PyUnicode_GET_LENGTH(ident);
    if (private == NULL || !PyUnicode_Check(private) || nlen < 2 ||
        PyUnicode_READ_CHAR(ident, 0) != '_' ||
        PyUnicode_READ_CHAR(ident, 1) != '_') {
        return Py_NewRef(ident);
    }
    /* not __id__, nor a dotted name */
    if ((PyUnicode_READ_CHAR(ident, nlen - 1) == '_' &&
         PyUnicode_READ_CHAR(ident, nlen - 2) == '_') ||
        PyUnicode_FindChar(ident, '.', 0, nlen, 1) != -1) {
        return Py_NewRef(ident);
    }
    Py_ssize_t plen = PyUnicode_GET_LENGTH(private), start = 0;
    while (start < plen && PyUnicode_READ_CHAR(private, start) == '_') {
        start++;
    }
    if (start == plen) {
        return Py_NewRef(ident); /* the class name is all underscores */
    }
    PyObject *bare = PyUnicode_Substring(private, start, plen);
    if (bare == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_FromFormat("_%U%U", bare, ident);
    Py_DECREF(bare);
    if (res != NULL) {
        PyUnicode_InternInPlace(&res);
    }
    return res;
}
