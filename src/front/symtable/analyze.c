/* Resolving scopes, once all blocks are known.
 *
 * A block is analysed with the sets of names that enclosing functions bind
 * and that are declared global around it; it gives back the names that are
 * free in it, so that the enclosing block turns its locals into cells. */
#include "front/symtable/symtable.h"

#include "objects/ids.h"

struct block_sets {
    PyObject *local, *scopes;
    PyObject *newglobal, *newbound, *newfree, *allfree;
};

static int
error_at_directive(KrSte *ste, PyObject *name)
{
    PyObject *list = ste->ste_directives;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *d = PyList_GET_ITEM(list, i);
        if (PyUnicode_Compare(PyTuple_GET_ITEM(d, 0), name) == 0) {
            int at[4];
            for (int k = 0; k < 4; k++) {
                at[k] = (int)PyLong_AsLong(PyTuple_GET_ITEM(d, k + 1));
            }
            PyErr_RangedSyntaxLocationObject(ste->ste_table->filename, at[0],
                                             at[1] + 1, at[2], at[3] + 1);
            break;
        }
    }
    return -1;
}

static int
set_scope(PyObject *scopes, PyObject *name, int scope)
{
    PyObject *value = PyLong_FromLong(scope);
    int res = value == NULL ? -1 : PyDict_SetItem(scopes, name, value);
    Py_XDECREF(value);
    return res;
}

static int
mark_free(KrSte *ste, PyObject *scopes, PyObject *name, PyObject *free)
{
    ste->ste_free = 1;
    return set_scope(scopes, name, KR_FREE) < 0 ? -1 : PySet_Add(free, name);
}

/* Decides the scope of one name. `bound` is NULL in the module. */
static int
analyze_name(KrSte *ste, PyObject *scopes, PyObject *name, long flags,
             PyObject *bound, PyObject *local, PyObject *free,
             PyObject *global)
{
    if (flags & KR_DEF_GLOBAL) {
        if (flags & KR_DEF_NONLOCAL) {
            PyErr_Format(PyExc_SyntaxError,
                         "name '%U' is nonlocal and global", name);
            return error_at_directive(ste, name);
        }
        if (set_scope(scopes, name, KR_GLOBAL_EXPLICIT) < 0 ||
            PySet_Add(global, name) < 0) {
            return -1;
        }
        return bound != NULL && PySet_Discard(bound, name) < 0 ? -1 : 0;
    }
    if (flags & KR_DEF_NONLOCAL) {
        if (bound == NULL) {
            PyErr_Format(PyExc_SyntaxError,
                         "nonlocal declaration not allowed at module level");
            return error_at_directive(ste, name);
        }
        int found = PySet_Contains(bound, name);
        if (found < 0) {
            return -1;
        }
        if (!found) {
            PyErr_Format(PyExc_SyntaxError,
                         "no binding for nonlocal '%U' found", name);
            return error_at_directive(ste, name);
        }
        return mark_free(ste, scopes, name, free);
    }
    if (flags & KR_DEF_BOUND) {
        if (set_scope(scopes, name, KR_LOCAL) < 0 ||
            PySet_Add(local, name) < 0) {
            return -1;
        }
        return PySet_Discard(global, name) < 0 ? -1 : 0;
    }
    if (bound != NULL) {
        int found = PySet_Contains(bound, name);
        if (found != 0) {
            return found < 0 ? -1 : mark_free(ste, scopes, name, free);
        }
    }
    int found = global == NULL ? 0 : PySet_Contains(global, name);
    if (found < 0) {
        return -1;
    }
    if (!found && ste->ste_nested) {
        ste->ste_free = 1;
    }
    return set_scope(scopes, name, KR_GLOBAL_IMPLICIT);
}

/* Locals that are free in an inner block become cells. */
static int
analyze_cells(PyObject *scopes, PyObject *free)
{
    PyObject *name, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(scopes, &pos, &name, &value)) {
        if (PyLong_AsLong(value) != KR_LOCAL) {
            continue;
        }
        int found = PySet_Contains(free, name);
        if (found < 0) {
            return -1;
        }
        if (found && (set_scope(scopes, name, KR_CELL) < 0 ||
                      PySet_Discard(free, name) < 0)) {
            return -1;
        }
    }
    return 0;
}

static int
set_flags(PyObject *symbols, PyObject *name, long flags)
{
    PyObject *value = PyLong_FromLong(flags);
    int res = value == NULL ? -1 : PyDict_SetItem(symbols, name, value);
    Py_XDECREF(value);
    return res;
}

/* A name that is free in inner blocks: passes through this one. */
static int
update_free_symbol(PyObject *symbols, PyObject *name, PyObject *bound,
                   int is_class)
{
    PyObject *value = PyDict_GetItemWithError(symbols, name);
    if (value != NULL) {
        long flags = PyLong_AsLong(value);
        if (is_class && (flags & (KR_DEF_BOUND | KR_DEF_GLOBAL))) {
            return set_flags(symbols, name, flags | KR_DEF_FREE_CLASS);
        }
        return 0; /* a local or cell of this block */
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (bound != NULL) {
        int found = PySet_Contains(bound, name);
        if (found <= 0) {
            return found; /* bound in the block itself */
        }
    }
    return set_flags(symbols, name, (long)KR_FREE << KR_SCOPE_OFFSET);
}

static int
update_symbols(PyObject *symbols, PyObject *scopes, PyObject *bound,
               PyObject *free, int is_class)
{
    PyObject *name, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(symbols, &pos, &name, &value)) {
        PyObject *scope = PyDict_GetItemWithError(scopes, name);
        long flags = PyLong_AsLong(value);
        if (scope == NULL ||
            set_flags(symbols, name,
                      flags | PyLong_AsLong(scope) << KR_SCOPE_OFFSET) < 0) {
            return -1;
        }
    }
    PyObject *it = PyObject_GetIter(free);
    if (it == NULL) {
        return -1;
    }
    while ((name = PyIter_Next(it)) != NULL) {
        int res = update_free_symbol(symbols, name, bound, is_class);
        Py_DECREF(name);
        if (res < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

/* set |= other. 0 or -1. */
static int
merge(PyObject *set, PyObject *other)
{
    PyObject *res = PyNumber_InPlaceOr(set, other);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static int analyze_block(KrSte *ste, PyObject *bound, PyObject *free,
                         PyObject *global);

/* Children see copies: what one of them declares is not the next one's. */
static int
analyze_child(KrSte *entry, PyObject *bound, PyObject *free, PyObject *global,
              PyObject *child_free)
{
    PyObject *temp_bound = PySet_New(bound);
    PyObject *temp_free = PySet_New(free);
    PyObject *temp_global = PySet_New(global);
    int res = -1;
    if (temp_bound != NULL && temp_free != NULL && temp_global != NULL) {
        res = analyze_block(entry, temp_bound, temp_free, temp_global);
    }
    if (res == 0) {
        res = merge(child_free, temp_free);
    }
    Py_XDECREF(temp_bound);
    Py_XDECREF(temp_free);
    Py_XDECREF(temp_global);
    return res;
}

static int
analyze_names(KrSte *ste, struct block_sets *s, PyObject *bound,
              PyObject *free, PyObject *global)
{
    PyObject *name, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(ste->ste_symbols, &pos, &name, &value)) {
        if (analyze_name(ste, s->scopes, name, PyLong_AsLong(value), bound,
                         s->local, free, global) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
analyze_with_sets(KrSte *ste, struct block_sets *s, PyObject *bound,
                  PyObject *free, PyObject *global)
{
    int is_class = ste->ste_type == KR_CLASS_BLOCK;
    /* a class's own names are not seen by its methods, so children get what
     * was known before them */
    if (is_class && (merge(s->newglobal, global) < 0 ||
                     (bound != NULL && merge(s->newbound, bound) < 0))) {
        return -1;
    }
    if (analyze_names(ste, s, bound, free, global) < 0) {
        return -1;
    }
    if (!is_class) {
        if ((ste->ste_type == KR_FUNCTION_BLOCK &&
             merge(s->newbound, s->local) < 0) ||
            (bound != NULL && merge(s->newbound, bound) < 0) ||
            merge(s->newglobal, global) < 0) {
            return -1;
        }
    }
    else if (PySet_Add(s->newbound, KR_ID(__class__)) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(ste->ste_children); i++) {
        KrSte *entry = (KrSte *)PyList_GET_ITEM(ste->ste_children, i);
        if (analyze_child(entry, s->newbound, s->newfree, s->newglobal,
                          s->allfree) < 0) {
            return -1;
        }
        if (entry->ste_free || entry->ste_child_free) {
            ste->ste_child_free = 1;
        }
    }
    if (merge(s->newfree, s->allfree) < 0) {
        return -1;
    }
    if (ste->ste_type == KR_FUNCTION_BLOCK) {
        if (analyze_cells(s->scopes, s->newfree) < 0) {
            return -1;
        }
    }
    else if (is_class) {
        int found = PySet_Discard(s->newfree, KR_ID(__class__));
        if (found < 0) {
            return -1;
        }
        if (found) {
            ste->ste_needs_class_closure = 1;
        }
    }
    if (update_symbols(ste->ste_symbols, s->scopes, bound, s->newfree,
                       is_class) < 0) {
        return -1;
    }
    return merge(free, s->newfree);
}

static int
analyze_block(KrSte *ste, PyObject *bound, PyObject *free, PyObject *global)
{
    struct block_sets s = {
        PySet_New(NULL), PyDict_New(),    PySet_New(NULL),
        PySet_New(NULL), PySet_New(NULL), PySet_New(NULL),
    };
    int res = -1;
    if (s.local != NULL && s.scopes != NULL && s.newglobal != NULL &&
        s.newbound != NULL && s.newfree != NULL && s.allfree != NULL &&
        !Py_EnterRecursiveCall(" during compilation")) {
        res = analyze_with_sets(ste, &s, bound, free, global);
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(s.local);
    Py_XDECREF(s.scopes);
    Py_XDECREF(s.newglobal);
    Py_XDECREF(s.newbound);
    Py_XDECREF(s.newfree);
    Py_XDECREF(s.allfree);
    return res;
}

int
kr_symtable_analyze(struct kr_symtable *st)
{
    PyObject *free = PySet_New(NULL), *global = PySet_New(NULL);
    int res = free == NULL || global == NULL
                  ? -1
                  : analyze_block(st->top, NULL, free, global);
    Py_XDECREF(free);
    Py_XDECREF(global);
    return res;
}
