/* The iterator of iter() and itertext(): the tree in document order, without
 * recursion. The tree may change meanwhile: the stack holds the elements
 * around the place, and which child of each comes next. */
#include "modules/shared/_elementtree/etree.h"

struct level {
    struct kr_element *parent;
    Py_ssize_t next;
};

struct element_iter {
    PyObject_HEAD
    struct level *stack;
    Py_ssize_t used, size;
    PyObject *root; /* until it is the first one */
    PyObject *tag;  /* None: every element */
    int texts;
};

#define ITER(op) ((struct element_iter *)(op))

PyObject *
kr_element_iter(struct kr_element *e, PyObject *tag, bool texts)
{
    struct element_iter *it =
        PyObject_GC_New(struct element_iter, &kr_element_iter_type);
    if (it == NULL) {
        return NULL;
    }
    it->stack = NULL;
    it->used = it->size = 0;
    it->root = Py_NewRef((PyObject *)e);
    it->tag = Py_NewRef(tag);
    it->texts = texts;
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct element_iter *it = ITER(self);
    for (Py_ssize_t i = 0; i < it->used; i++) {
        Py_VISIT(it->stack[i].parent);
    }
    Py_VISIT(it->root);
    Py_VISIT(it->tag);
    return 0;
}

static void
iter_dealloc(PyObject *self)
{
    struct element_iter *it = ITER(self);
    PyObject_GC_UnTrack(self);
    while (it->used > 0) {
        Py_DECREF(it->stack[--it->used].parent);
    }
    PyMem_Free(it->stack);
    Py_XDECREF(it->root);
    Py_XDECREF(it->tag);
    PyObject_GC_Del(self);
}

/* Goes into an element; takes over the reference, also on failure (-1). */
static int
enter(struct element_iter *it, PyObject *e)
{
    if (it->used >= it->size) {
        Py_ssize_t size = it->size == 0 ? 8 : it->size * 2;
        struct level *stack =
            PyMem_Realloc(it->stack, (size_t)size * sizeof(*stack));
        if (stack == NULL) {
            PyErr_NoMemory();
            Py_DECREF(e);
            return -1;
        }
        it->stack = stack;
        it->size = size;
    }
    it->stack[it->used++] = (struct level){KR_ELEMENT(e), 0};
    return 0;
}

/* Whether the iterator gives the text: it does not if the text is false. -1
 * with an exception. */
static int
is_text(PyObject *text)
{
    return text == NULL || text == Py_None ? 0 : PyObject_IsTrue(text);
}

/* What is given when an element is entered: 1 and a new reference, 0, or -1
 * with an exception. */
static int
at_entry(struct element_iter *it, PyObject *e, PyObject **result)
{
    if (it->texts) {
        *result = Py_XNewRef(KR_ELEMENT(e)->text);
    }
    else {
        *result = Py_NewRef(e);
        if (it->tag == Py_None) {
            return 1;
        }
    }
    PyObject *own = Py_XNewRef(KR_ELEMENT(e)->tag);
    int ok = it->texts ? is_text(*result)
             : own == NULL ? 0
                         : PyObject_RichCompareBool(own, it->tag, Py_EQ);
    Py_XDECREF(own);
    if (ok <= 0) {
        Py_CLEAR(*result);
    }
    return ok;
}

/* Leaves the innermost element; gives its tail among texts, but not that of
 * the root. Result as at_entry's. */
static int
leave(struct element_iter *it, PyObject **result)
{
    struct kr_element *e = it->stack[--it->used].parent;
    PyObject *tail = it->texts && it->used > 0 ? Py_XNewRef(e->tail) : NULL;
    Py_DECREF(e);
    int ok = is_text(tail);
    if (ok > 0) {
        *result = tail;
    }
    else {
        Py_XDECREF(tail);
    }
    return ok;
}

static PyObject *
iter_next(PyObject *self)
{
    struct element_iter *it = ITER(self);
    PyObject *result = NULL;
    for (;;) {
        int ok;
        PyObject *e = NULL;
        if (it->root != NULL) {
            e = it->root;
            it->root = NULL;
        }
        else if (it->used == 0) {
            return NULL;
        }
        else {
            struct level *top = &it->stack[it->used - 1];
            if (top->next < kr_element_len(top->parent)) {
                e = Py_NewRef(top->parent->extra->children[top->next++]);
            }
        }
        if (e == NULL) {
            ok = leave(it, &result);
        }
        else {
            Py_INCREF(e);
            ok = enter(it, e) < 0 ? -1 : at_entry(it, e, &result);
            Py_DECREF(e);
        }
        if (ok != 0) {
            return ok < 0 ? NULL : result;
        }
    }
}

PyTypeObject kr_element_iter_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_elementtree._element_iterator",
    .tp_basicsize = sizeof(struct element_iter),
    .tp_dealloc = iter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
};
