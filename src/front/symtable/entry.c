/* Blocks of the table, and the objects that show them to module symtable. */
#include "front/symtable/symtable.h"

#include <structmember.h>

struct entry {
    PyObject_HEAD
    PyObject *id;       /* int: address of the tree node */
    PyObject *symbols;  /* dict: name -> flags */
    PyObject *name;
    PyObject *varnames; /* list: parameters in order */
    PyObject *children; /* list of entries */
    int type, nested, lineno;
};

static PyObject *
entry_repr(struct entry *self)
{
    return PyUnicode_FromFormat("<symtable entry %U(%R), line %d>", self->name,
                                self->id, self->lineno);
}

static void
entry_dealloc(struct entry *self)
{
    Py_XDECREF(self->id);
    Py_XDECREF(self->name);
    Py_XDECREF(self->symbols);
    Py_XDECREF(self->varnames);
    Py_XDECREF(self->children);
    PyObject_Free(self);
}

#define MEMBER(name, type, field)                                              \
    {name, type, offsetof(struct entry, field), READONLY, NULL}
static PyMemberDef entry_members[] = {
    MEMBER("id", T_OBJECT, id),
    MEMBER("name", T_OBJECT, name),
    MEMBER("symbols", T_OBJECT, symbols),
    MEMBER("varnames", T_OBJECT, varnames),
    MEMBER("children", T_OBJECT, children),
    MEMBER("nested", T_INT, nested),
    MEMBER("type", T_INT, type),
    MEMBER("lineno", T_INT, lineno),
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject PySTEntry_Type = {
    .ob_base = {.ob_base = {1, NULL}},
    .tp_name = "symtable entry",
    .tp_basicsize = sizeof(struct entry),
    .tp_dealloc = (destructor)entry_dealloc,
    .tp_repr = (reprfunc)entry_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_members = entry_members,
};

static PyObject *
symbols_dict(const struct kr_symbols *symbols)
{
    PyObject *dict = PyDict_New();
    for (int i = 0; dict != NULL && i < symbols->map.count; i++) {
        PyObject *flags = PyLong_FromLong(symbols->flags[i]);
        if (flags == NULL ||
            PyDict_SetItem(dict, symbols->map.names[i], flags) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(flags);
    }
    return dict;
}

static PyObject *
params_list(const KrSte *ste)
{
    PyObject *list = PyList_New(ste->nparams);
    for (int i = 0; list != NULL && i < ste->nparams; i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(ste->params[i]));
    }
    return list;
}

static PyObject *
children_list(KrSte *ste)
{
    PyObject *list = PyList_New(0);
    for (KrSte *child = ste->first; list != NULL && child != NULL;
         child = child->next) {
        PyObject *entry = kr_symtable_entry(child);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    return list;
}

PyObject *
kr_symtable_entry(KrSte *ste)
{
    if (PySTEntry_Type.tp_dict == NULL && PyType_Ready(&PySTEntry_Type) < 0) {
        return NULL;
    }
    struct entry *self = PyObject_New(struct entry, &PySTEntry_Type);
    if (self == NULL) {
        return NULL;
    }
    self->id = PyLong_FromVoidPtr(ste->key);
    self->name = Py_NewRef(ste->name);
    self->symbols = symbols_dict(&ste->symbols);
    self->varnames = params_list(ste);
    self->children = children_list(ste);
    self->type = (int)ste->ste_type;
    self->nested = ste->ste_nested;
    self->lineno = ste->ste_lineno;
    if (self->id == NULL || self->symbols == NULL || self->varnames == NULL ||
        self->children == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyAPI_FUNC(PyObject *) PySymtable_Lookup(struct kr_symtable *st, void *key);
PyObject *
PySymtable_Lookup(struct kr_symtable *st, void *key)
{
    KrSte *ste = kr_symtable_lookup(st, key);
    return ste == NULL ? NULL : kr_symtable_entry(ste);
}

/* --- Look-ups ------------------------------------------------------------- */

int
kr_symbols_add(struct kr_symbols *symbols, PyObject *name, KrArena *arena)
{
    int known = symbols->map.count;
    int index = kr_names_add(&symbols->map, name, arena);
    if (index < known) {
        return index;
    }
    if (index == symbols->capacity) {
        long *flags = kr_arena_grow(
            arena, symbols->flags, (size_t)symbols->capacity * sizeof(long),
            (size_t)symbols->map.capacity * sizeof(long));
        if (flags == NULL) {
            symbols->map.count--;
            return -1;
        }
        symbols->flags = flags;
        symbols->capacity = symbols->map.capacity;
    }
    symbols->flags[index] = 0;
    return index;
}

KrSte *
kr_symtable_lookup(struct kr_symtable *st, void *key)
{
    int index = kr_names_find(&st->keys, key);
    if (index < 0) {
        PyErr_SetString(PyExc_KeyError, "unknown symbol table entry");
        return NULL;
    }
    return st->blocks[index];
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
