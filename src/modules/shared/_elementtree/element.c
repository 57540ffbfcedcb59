/* The type Element: tag, text, tail, attributes and its methods. What it has
 * as a sequence of children is in children.c, what finds children in find.c.
 *
 * Anything that may run Python code (comparing, releasing an object) may also
 * change the element: nothing in it is held across such a point without a
 * reference. */
#include "modules/kwargs.h"
#include "modules/shared/_elementtree/etree.h"

/* ---- the extra part */

static int
add_extra(struct kr_element *e)
{
    struct kr_element_extra *x = PyMem_Malloc(sizeof(*x));
    if (x == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    x->attrib = NULL;
    x->length = 0;
    x->allocated = (Py_ssize_t)Py_ARRAY_LENGTH(x->few);
    x->children = x->few;
    e->extra = x;
    return 0;
}

static void
drop_extra(struct kr_element *e)
{
    struct kr_element_extra *x = e->extra;
    if (x == NULL) {
        return;
    }
    e->extra = NULL;
    Py_XDECREF(x->attrib);
    for (Py_ssize_t i = 0; i < x->length; i++) {
        Py_DECREF(x->children[i]);
    }
    if (x->children != x->few) {
        PyMem_Free(x->children);
    }
    PyMem_Free(x);
}

/* Room for `more` children: -1 with an exception. */
static int
reserve(struct kr_element *e, Py_ssize_t more)
{
    if (e->extra == NULL && add_extra(e) < 0) {
        return -1;
    }
    struct kr_element_extra *x = e->extra;
    Py_ssize_t size = x->length + more;
    if (size <= x->allocated) {
        return 0;
    }
    size += (size >> 3) + (size < 9 ? 3 : 6);
    PyObject **old = x->children == x->few ? NULL : x->children;
    PyObject **block =
        PyMem_Realloc(old, (size_t)size * sizeof(PyObject *));
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (old == NULL) {
        memcpy(block, x->few, (size_t)x->length * sizeof(*block));
    }
    x->children = block;
    x->allocated = size;
    return 0;
}

PyObject *
kr_element_attrib(struct kr_element *e)
{
    if (e->extra == NULL && add_extra(e) < 0) {
        return NULL;
    }
    if (e->extra->attrib == NULL) {
        e->extra->attrib = PyDict_New();
    }
    return e->extra->attrib;
}

int
kr_element_check(PyObject *child)
{
    if (kr_is_element(child)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "expected an Element, not \"%.200s\"",
                 Py_TYPE(child)->tp_name);
    return -1;
}

int
kr_element_append(struct kr_element *e, PyObject *child)
{
    if (kr_element_check(child) < 0 || reserve(e, 1) < 0) {
        return -1;
    }
    e->extra->children[e->extra->length++] = Py_NewRef(child);
    return 0;
}

/* ---- making */

static PyObject *
element_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct kr_element *e = KR_ELEMENT(type->tp_alloc(type, 0));
    if (e != NULL) {
        e->tag = Py_NewRef(Py_None);
        e->text = Py_NewRef(Py_None);
        e->tail = Py_NewRef(Py_None);
    }
    return (PyObject *)e;
}

PyObject *
kr_element_new(PyObject *tag, PyObject *attrib)
{
    struct kr_element *e =
        PyObject_GC_New(struct kr_element, &kr_element_type);
    if (e == NULL) {
        return NULL;
    }
    e->tag = Py_NewRef(tag);
    e->text = Py_NewRef(Py_None);
    e->tail = Py_NewRef(Py_None);
    e->extra = NULL;
    e->weakrefs = NULL;
    PyObject_GC_Track((PyObject *)e);
    if (attrib != NULL && PyDict_GET_SIZE(attrib) > 0) {
        if (add_extra(e) < 0) {
            Py_DECREF(e);
            return NULL;
        }
        e->extra->attrib = Py_NewRef(attrib);
    }
    return (PyObject *)e;
}

/* The attributes of a call as a new dict: those of `attrib` (or of the keyword
 * of that name), and all other keywords. */
static PyObject *
merge_attributes(PyObject *attrib, PyObject *kwargs)
{
    if (attrib != NULL || kwargs == NULL) {
        PyObject *merged = attrib ? PyDict_Copy(attrib) : PyDict_New();
        if (merged != NULL && kwargs != NULL
            && PyDict_Update(merged, kwargs) < 0) {
            Py_CLEAR(merged);
        }
        return merged;
    }
    PyObject *given = PyDict_GetItemString(kwargs, "attrib");
    if (given == NULL) {
        return PyDict_Copy(kwargs);
    }
    if (!PyDict_Check(given)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.100s",
                     Py_TYPE(given)->tp_name);
        return NULL;
    }
    PyObject *merged = PyDict_Copy(given), *rest = PyDict_Copy(kwargs);
    if (merged != NULL
        && (rest == NULL || PyDict_DelItemString(rest, "attrib") < 0
            || PyDict_Update(merged, rest) < 0)) {
        Py_CLEAR(merged);
    }
    Py_XDECREF(rest);
    return merged;
}

static int
element_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *tag, *attrib = NULL;
    if (!PyArg_ParseTuple(args, "O|O!:Element", &tag, &PyDict_Type,
                          &attrib)) {
        return -1;
    }
    struct kr_element *e = KR_ELEMENT(self);
    PyObject *merged = merge_attributes(attrib, kwargs);
    if (merged == NULL) {
        return -1;
    }
    if (PyDict_GET_SIZE(merged) > 0) {
        if (e->extra == NULL && add_extra(e) < 0) {
            Py_DECREF(merged);
            return -1;
        }
        Py_XSETREF(e->extra->attrib, Py_NewRef(merged));
    }
    Py_DECREF(merged);
    Py_XSETREF(e->tag, Py_NewRef(tag));
    Py_XSETREF(e->text, Py_NewRef(Py_None));
    Py_XSETREF(e->tail, Py_NewRef(Py_None));
    return 0;
}

static int
element_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct kr_element *e = KR_ELEMENT(self);
    Py_VISIT(e->tag);
    Py_VISIT(e->text);
    Py_VISIT(e->tail);
    if (e->extra != NULL) {
        Py_VISIT(e->extra->attrib);
        for (Py_ssize_t i = 0; i < e->extra->length; i++) {
            Py_VISIT(e->extra->children[i]);
        }
    }
    return 0;
}

/* An element that a finaliser still sees is an empty one. */
static int
element_tp_clear(PyObject *self)
{
    struct kr_element *e = KR_ELEMENT(self);
    Py_XSETREF(e->tag, Py_NewRef(Py_None));
    Py_XSETREF(e->text, Py_NewRef(Py_None));
    Py_XSETREF(e->tail, Py_NewRef(Py_None));
    drop_extra(e);
    return 0;
}

static void
element_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, element_dealloc)
    if (KR_ELEMENT(self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_XDECREF(KR_ELEMENT(self)->tag);
    Py_XDECREF(KR_ELEMENT(self)->text);
    Py_XDECREF(KR_ELEMENT(self)->tail);
    drop_extra(KR_ELEMENT(self));
    Py_TYPE(self)->tp_free(self);
    Py_TRASHCAN_END
}

/* ---- attributes of the object */

static PyObject *
element_getattro(PyObject *self, PyObject *name)
{
    return PyObject_GenericGetAttr(self, name);
}

/* The closure of these is the offset of the field. */
static PyObject **
field(PyObject *self, void *offset)
{
    return (PyObject **)((char *)self + (size_t)offset);
}

static PyObject *
get_field(PyObject *self, void *offset)
{
    PyObject *v = *field(self, offset);
    return Py_NewRef(v == NULL ? Py_None : v);
}

static bool
is_deletion(PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError,
                        "can't delete element attribute");
    }
    return value == NULL;
}

static int
set_field(PyObject *self, PyObject *value, void *offset)
{
    if (is_deletion(value)) {
        return -1;
    }
    Py_XSETREF(*field(self, offset), Py_NewRef(value));
    return 0;
}

static PyObject *
get_attrib(PyObject *self, void *unused)
{
    return Py_XNewRef(kr_element_attrib(KR_ELEMENT(self)));
}

static int
set_attrib(PyObject *self, PyObject *value, void *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (is_deletion(value)) {
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (e->extra == NULL && add_extra(e) < 0) {
        return -1;
    }
    Py_XSETREF(e->extra->attrib, Py_NewRef(value));
    return 0;
}

#define FIELD(name, doc)                                                       \
    {#name, get_field, set_field, doc,                                         \
     (void *)offsetof(struct kr_element, name)}

static PyGetSetDef element_getset[] = {
    FIELD(tag, "What kind of data the element is, a string."),
    FIELD(text, "The text behind the start tag, or None."),
    FIELD(tail, "The text behind the end tag, or None."),
    {"attrib", get_attrib, set_attrib, "The attributes, a dict.", NULL},
    {NULL},
};

/* ---- methods: attributes of XML */

static PyObject *
element_get(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("get", "key", "default");
    PyObject *a[2];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)) {
        return NULL;
    }
    struct kr_element *e = KR_ELEMENT(self);
    PyObject *value = NULL;
    if (e->extra != NULL && e->extra->attrib != NULL) {
        PyObject *attrib = Py_NewRef(e->extra->attrib);
        value = Py_XNewRef(PyDict_GetItemWithError(attrib, a[0]));
        Py_DECREF(attrib);
        if (value == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    return value ? value : Py_NewRef(a[1] ? a[1] : Py_None);
}

static PyObject *
element_set(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("set", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *attrib = kr_element_attrib(KR_ELEMENT(self));
    if (attrib == NULL) {
        return NULL;
    }
    Py_INCREF(attrib);
    int err = PyDict_SetItem(attrib, args[0], args[1]);
    Py_DECREF(attrib);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
element_items(PyObject *self, PyObject *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    return e->extra != NULL && e->extra->attrib != NULL
               ? PyDict_Items(e->extra->attrib)
               : PyList_New(0);
}

static PyObject *
element_keys(PyObject *self, PyObject *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    return e->extra != NULL && e->extra->attrib != NULL
               ? PyDict_Keys(e->extra->attrib)
               : PyList_New(0);
}

/* ---- methods: children */

static bool
is_element_argument(const char *func, const char *arg, PyObject *v)
{
    if (!kr_is_element(v)) {
        _PyArg_BadArgument(func, arg, kr_element_type.tp_name, v);
        return false;
    }
    return true;
}

static PyObject *
element_append(PyObject *self, PyObject *child)
{
    if (!is_element_argument("append", "argument", child)
        || kr_element_append(KR_ELEMENT(self), child) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
element_extend(PyObject *self, PyObject *elements)
{
    PyObject *seq = PySequence_Fast(elements, "");
    if (seq == NULL) {
        PyErr_Format(PyExc_TypeError, "expected sequence, not \"%.200s\"",
                     Py_TYPE(elements)->tp_name);
        return NULL;
    }
    int err = 0;
    for (Py_ssize_t i = 0; err == 0 && i < PySequence_Fast_GET_SIZE(seq);
         i++) {
        err = kr_element_append(KR_ELEMENT(self),
                                PySequence_Fast_GET_ITEM(seq, i));
    }
    Py_DECREF(seq);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
element_insert(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct kr_element *e = KR_ELEMENT(self);
    Py_ssize_t at;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2)
        || !kr_arg_ssize(args[0], &at)
        || !is_element_argument("insert", "argument 2", args[1])
        || reserve(e, 1) < 0) {
        return NULL;
    }
    struct kr_element_extra *x = e->extra;
    if (at < 0) {
        at = Py_MAX(at + x->length, 0);
    }
    at = Py_MIN(at, x->length);
    memmove(x->children + at + 1, x->children + at,
            (size_t)(x->length - at) * sizeof(*x->children));
    x->children[at] = Py_NewRef(args[1]);
    x->length++;
    Py_RETURN_NONE;
}

/* Where `child` is, by identity first; -1 if nowhere, -2 with an exception. */
static Py_ssize_t
index_of(struct kr_element *e, PyObject *child)
{
    for (Py_ssize_t i = 0; i < kr_element_len(e); i++) {
        if (e->extra->children[i] == child) {
            return i;
        }
    }
    for (Py_ssize_t i = 0; i < kr_element_len(e); i++) {
        PyObject *other = Py_NewRef(e->extra->children[i]);
        int eq = PyObject_RichCompareBool(other, child, Py_EQ);
        Py_DECREF(other);
        if (eq != 0) {
            /* the comparison may have moved it */
            return eq < 0 ? -2 : i < kr_element_len(e) ? i : -1;
        }
    }
    return -1;
}

static PyObject *
element_remove(PyObject *self, PyObject *child)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (!is_element_argument("remove", "argument", child)) {
        return NULL;
    }
    Py_ssize_t at = index_of(e, child);
    if (at < 0) {
        if (at == -1) {
            PyErr_SetString(PyExc_ValueError,
                            "list.remove(x): x not in list");
        }
        return NULL;
    }
    struct kr_element_extra *x = e->extra;
    PyObject *found = x->children[at];
    x->length--;
    memmove(x->children + at, x->children + at + 1,
            (size_t)(x->length - at) * sizeof(*x->children));
    Py_DECREF(found);
    Py_RETURN_NONE;
}

static PyObject *
element_clear(PyObject *self, PyObject *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    drop_extra(e);
    Py_XSETREF(e->text, Py_NewRef(Py_None));
    Py_XSETREF(e->tail, Py_NewRef(Py_None));
    Py_RETURN_NONE;
}

static PyObject *
element_makeelement(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("makeelement", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyDict_Check(args[1])) {
        _PyArg_BadArgument("makeelement", "argument 2", "dict", args[1]);
        return NULL;
    }
    PyObject *attrib = PyDict_Copy(args[1]);
    PyObject *e = attrib ? kr_element_new(args[0], attrib) : NULL;
    Py_XDECREF(attrib);
    return e;
}

/* ---- methods: iterating */

static PyObject *
element_iter(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("iter", "tag");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, a)) {
        return NULL;
    }
    PyObject *tag = a[0] == NULL ? Py_None : a[0];
    if (PyUnicode_Check(tag)
        && _PyUnicode_EqualToASCIIString(tag, "*")) {
        tag = Py_None;
    }
    return kr_element_iter(KR_ELEMENT(self), tag, false);
}

static PyObject *
element_itertext(PyObject *self, PyObject *unused)
{
    return kr_element_iter(KR_ELEMENT(self), Py_None, true);
}

/* ---- methods: copies */

static PyObject *
element_copy(PyObject *self, PyObject *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    PyObject *attrib = e->extra != NULL ? e->extra->attrib : NULL;
    struct kr_element *copy = KR_ELEMENT(kr_element_new(e->tag, attrib));
    if (copy == NULL) {
        return NULL;
    }
    Py_SETREF(copy->text, Py_NewRef(e->text));
    Py_SETREF(copy->tail, Py_NewRef(e->tail));
    Py_ssize_t n = kr_element_len(e);
    if (n > 0) {
        if (reserve(copy, n) < 0) {
            Py_DECREF(copy);
            return NULL;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            copy->extra->children[i] = Py_NewRef(e->extra->children[i]);
        }
        copy->extra->length = n;
    }
    return (PyObject *)copy;
}

static PyObject *element_deepcopy(PyObject *self, PyObject *memo);

static PyObject *
deepcopy(PyObject *v, PyObject *memo)
{
    if (v == NULL || v == Py_None || PyUnicode_CheckExact(v)) {
        return Py_NewRef(v == NULL ? Py_None : v);
    }
    if (Py_IS_TYPE(v, &kr_element_type) && Py_REFCNT(v) == 1) {
        /* nobody else can have put it into the memo */
        return element_deepcopy(v, memo);
    }
    PyObject *args[] = {NULL, v, memo};
    return PyObject_Vectorcall(kr_etree()->deepcopy, args + 1,
                               2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static int
deepcopy_children(struct kr_element *e, struct kr_element *copy,
                  PyObject *memo)
{
    for (Py_ssize_t i = 0; i < kr_element_len(e); i++) {
        PyObject *old = e->extra->children[i];
        bool plain = Py_IS_TYPE(old, &kr_element_type) && Py_REFCNT(old) == 1;
        if (!plain) {
            Py_INCREF(old);
        }
        PyObject *child = deepcopy(old, memo);
        if (!plain) {
            Py_DECREF(old);
        }
        int err = child == NULL ? -1 : kr_element_append(copy, child);
        Py_XDECREF(child);
        if (err < 0) {
            return -1;
        }
    }
    return 0;
}

/* Copies one of the three fields, which the copying may change. */
static int
deepcopy_field(PyObject **to, PyObject *from, PyObject *memo)
{
    Py_XINCREF(from);
    PyObject *copy = deepcopy(from, memo);
    Py_XDECREF(from);
    if (copy != NULL) {
        Py_XSETREF(*to, copy);
    }
    return copy == NULL ? -1 : 0;
}

static int
deepcopy_into(struct kr_element *e, struct kr_element *copy, PyObject *memo)
{
    if (deepcopy_field(&copy->tag, e->tag, memo) < 0
        || deepcopy_field(&copy->text, e->text, memo) < 0
        || deepcopy_field(&copy->tail, e->tail, memo) < 0) {
        return -1;
    }
    if (e->extra != NULL && e->extra->attrib != NULL) {
        PyObject *attrib = NULL;
        if (deepcopy_field(&attrib, e->extra->attrib, memo) < 0) {
            return -1;
        }
        int err = set_attrib((PyObject *)copy, attrib, NULL);
        Py_DECREF(attrib);
        if (err < 0) {
            return -1;
        }
    }
    if (deepcopy_children(e, copy, memo) < 0) {
        return -1;
    }
    PyObject *id = PyLong_FromVoidPtr(e);
    int err = id == NULL ? -1 : PyDict_SetItem(memo, id, (PyObject *)copy);
    Py_XDECREF(id);
    return err;
}

static PyObject *
element_deepcopy(PyObject *self, PyObject *memo)
{
    if (!PyDict_Check(memo)) {
        _PyArg_BadArgument("__deepcopy__", "argument", "dict", memo);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" while copying an element")) {
        return NULL;
    }
    PyObject *copy = kr_element_new(Py_None, NULL);
    if (copy != NULL
        && deepcopy_into(KR_ELEMENT(self), KR_ELEMENT(copy), memo) < 0) {
        Py_CLEAR(copy);
    }
    Py_LeaveRecursiveCall();
    return copy;
}

/* ---- methods: pickling, size */

static PyObject *
element_getstate(PyObject *self, PyObject *unused)
{
    struct kr_element *e = KR_ELEMENT(self);
    Py_ssize_t n = kr_element_len(e);
    PyObject *children = PyList_New(n);
    if (children == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyList_SET_ITEM(children, i, Py_NewRef(e->extra->children[i]));
    }
    PyObject *attrib = e->extra != NULL && e->extra->attrib != NULL
                           ? Py_NewRef(e->extra->attrib)
                           : PyDict_New();
    if (attrib == NULL) {
        Py_DECREF(children);
        return NULL;
    }
    return Py_BuildValue("{sOsNsNsOsO}", "tag", e->tag, "_children", children,
                         "attrib", attrib, "text", e->text, "tail", e->tail);
}

/* Takes over the children of a list: -1 with an exception. */
static int
set_children(struct kr_element *e, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "'_children' is not a list");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (kr_element_append(e, PyList_GET_ITEM(list, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
element_setstate(PyObject *self, PyObject *dict)
{
    static char *keywords[] = {"tag",  "_children", "attrib",
                               "text", "tail",      NULL};
    struct kr_element *e = KR_ELEMENT(self);
    if (!PyDict_CheckExact(dict)) {
        PyErr_Format(PyExc_TypeError,
                     "Don't know how to unpickle \"%.200R\" as an Element",
                     dict);
        return NULL;
    }
    PyObject *tag = NULL, *attrib = NULL, *text = NULL, *tail = NULL,
             *children = NULL, *none = PyTuple_New(0);
    if (none == NULL) {
        return NULL;
    }
    int ok = PyArg_ParseTupleAndKeywords(none, dict, "|$OOOOO", keywords,
                                         &tag, &children, &attrib, &text,
                                         &tail);
    Py_DECREF(none);
    if (!ok) {
        return NULL;
    }
    if (tag == NULL) {
        PyErr_SetString(PyExc_TypeError, "tag may not be NULL");
        return NULL;
    }
    Py_XSETREF(e->tag, Py_NewRef(tag));
    Py_XSETREF(e->text, Py_NewRef(text ? text : Py_None));
    Py_XSETREF(e->tail, Py_NewRef(tail ? tail : Py_None));
    drop_extra(e);
    if ((children != NULL && set_children(e, children) < 0)
        || (attrib != NULL && set_attrib(self, attrib, NULL) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
element_sizeof(PyObject *self, PyObject *unused)
{
    size_t size = _PyObject_SIZE(Py_TYPE(self));
    struct kr_element_extra *x = KR_ELEMENT(self)->extra;
    if (x != NULL) {
        size += sizeof(*x);
        if (x->children != x->few) {
            size += sizeof(PyObject *) * (size_t)x->allocated;
        }
    }
    return PyLong_FromSize_t(size);
}

static PyObject *
element_repr(PyObject *self)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (e->tag == NULL) {
        return PyUnicode_FromFormat("<%s at %p>", "Element", self);
    }
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        if (entered > 0) {
            PyErr_Format(PyExc_RuntimeError,
                         "reentrant call inside %s.__repr__",
                         Py_TYPE(self)->tp_name);
        }
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("<Element %R at %p>", e->tag, self);
    Py_ReprLeave(self);
    return text;
}

/* ---- the type */

static PyMethodDef element_methods[] = {
    {"clear", element_clear, METH_NOARGS, "clear($self, /)\n--\n\n"},
    {"get", KR_CAST(element_get), KR_FAST,
     "get($self, /, key, default=None)\n--\n\n"},
    {"set", KR_CAST(element_set), METH_FASTCALL,
     "set($self, key, value, /)\n--\n\n"},
    {"find", KR_CAST(kr_element_find), KR_FAST,
     "find($self, /, path, namespaces=None)\n--\n\n"},
    {"findtext", KR_CAST(kr_element_findtext), KR_FAST,
     "findtext($self, /, path, default=None, namespaces=None)\n--\n\n"},
    {"findall", KR_CAST(kr_element_findall), KR_FAST,
     "findall($self, /, path, namespaces=None)\n--\n\n"},
    {"append", element_append, METH_O,
     "append($self, subelement, /)\n--\n\n"},
    {"extend", element_extend, METH_O, "extend($self, elements, /)\n--\n\n"},
    {"insert", KR_CAST(element_insert), METH_FASTCALL,
     "insert($self, index, subelement, /)\n--\n\n"},
    {"remove", element_remove, METH_O,
     "remove($self, subelement, /)\n--\n\n"},
    {"iter", KR_CAST(element_iter), KR_FAST,
     "iter($self, /, tag=None)\n--\n\n"},
    {"itertext", element_itertext, METH_NOARGS,
     "itertext($self, /)\n--\n\n"},
    {"iterfind", KR_CAST(kr_element_iterfind), KR_FAST,
     "iterfind($self, /, path, namespaces=None)\n--\n\n"},
    {"items", element_items, METH_NOARGS, "items($self, /)\n--\n\n"},
    {"keys", element_keys, METH_NOARGS, "keys($self, /)\n--\n\n"},
    {"makeelement", KR_CAST(element_makeelement), METH_FASTCALL,
     "makeelement($self, tag, attrib, /)\n--\n\n"},
    {"__copy__", element_copy, METH_NOARGS, "__copy__($self, /)\n--\n\n"},
    {"__deepcopy__", element_deepcopy, METH_O,
     "__deepcopy__($self, memo, /)\n--\n\n"},
    {"__sizeof__", element_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\n"},
    {"__getstate__", element_getstate, METH_NOARGS,
     "__getstate__($self, /)\n--\n\n"},
    {"__setstate__", element_setstate, METH_O,
     "__setstate__($self, state, /)\n--\n\n"},
    {NULL},
};

PyTypeObject kr_element_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.Element",
    .tp_basicsize = sizeof(struct kr_element),
    .tp_dealloc = element_dealloc,
    .tp_repr = element_repr,
    .tp_as_sequence = &kr_element_as_sequence,
    .tp_as_mapping = &kr_element_as_mapping,
    .tp_getattro = element_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = element_traverse,
    .tp_clear = element_tp_clear,
    .tp_weaklistoffset = offsetof(struct kr_element, weakrefs),
    .tp_methods = element_methods,
    .tp_getset = element_getset,
    .tp_init = element_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = element_tp_new,
    .tp_free = PyObject_GC_Del,
};
