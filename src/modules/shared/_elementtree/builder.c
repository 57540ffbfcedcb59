/* The type TreeBuilder: makes a tree of start, end and data. Text is kept
 * until the next tag tells whose it is. */
#include "modules/kwargs.h"
#include "modules/shared/_elementtree/etree.h"

/* ---- text */

/* The pieces of data as one object, and none are left: NULL with an
 * exception. A single one is as it came. */
static PyObject *
take_data(struct kr_builder *b)
{
    PyObject *data = b->data;
    b->data = NULL;
    if (!PyList_CheckExact(data)) {
        return data;
    }
    PyObject *empty = PyUnicode_FromString("");
    PyObject *joined = empty ? PyUnicode_Join(empty, data) : NULL;
    Py_XDECREF(empty);
    Py_DECREF(data);
    return joined;
}

/* Adds to an attribute that may have text already. */
static int
extend_attribute(PyObject *e, const char *name, PyObject *text)
{
    PyObject *old = PyObject_GetAttrString(e, name);
    if (old == NULL) {
        return -1;
    }
    PyObject *all =
        old == Py_None ? Py_NewRef(text) : PyNumber_Add(old, text);
    Py_DECREF(old);
    int err = all == NULL ? -1 : PyObject_SetAttrString(e, name, all);
    Py_XDECREF(all);
    return err;
}

/* Gives the text so far to the element that it belongs to. */
static int
flush_data(struct kr_builder *b)
{
    if (b->data == NULL) {
        return 0;
    }
    PyObject *text = take_data(b);
    if (text == NULL) {
        return -1;
    }
    bool tail = b->tail_of != NULL;
    PyObject *e = Py_NewRef(tail ? b->tail_of : b->last);
    int err = 0;
    PyObject **field =
        Py_IS_TYPE(e, &kr_element_type)
            ? (tail ? &KR_ELEMENT(e)->tail : &KR_ELEMENT(e)->text)
            : NULL;
    if (field != NULL && *field == Py_None) {
        Py_SETREF(*field, Py_NewRef(text));
    }
    else {
        err = extend_attribute(e, tail ? "tail" : "text", text);
    }
    Py_DECREF(e);
    Py_DECREF(text);
    return err;
}

PyObject *
kr_builder_data(struct kr_builder *b, PyObject *data)
{
    if (b->last == NULL) {
        Py_RETURN_NONE; /* before the root */
    }
    if (b->data == NULL) {
        b->data = Py_NewRef(data);
        Py_RETURN_NONE;
    }
    if (!PyList_CheckExact(b->data)) {
        PyObject *list = PyList_New(1);
        if (list == NULL) {
            return NULL;
        }
        PyList_SET_ITEM(list, 0, b->data);
        b->data = list;
    }
    return PyList_Append(b->data, data) < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- elements */

int
kr_builder_report(struct kr_builder *b, enum kr_etree_event event,
                  PyObject *what)
{
    if (b->report == NULL || b->events[event] == NULL) {
        return 0;
    }
    PyObject *pair = PyTuple_Pack(2, b->events[event], what);
    PyObject *res = pair ? PyObject_CallOneArg(b->report, pair) : NULL;
    Py_XDECREF(pair);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static int
add_child(PyObject *parent, PyObject *child)
{
    if (Py_IS_TYPE(parent, &kr_element_type)) {
        return kr_element_append(KR_ELEMENT(parent), child);
    }
    PyObject *res = PyObject_CallMethod(parent, "append", "O", child);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static PyObject *
make_element(struct kr_builder *b, PyObject *tag, PyObject *attrib)
{
    if (b->element_factory == NULL) {
        return kr_element_new(tag, attrib);
    }
    PyObject *dict = attrib ? Py_NewRef(attrib) : PyDict_New();
    if (dict == NULL) {
        return NULL;
    }
    PyObject *e = PyObject_CallFunctionObjArgs(b->element_factory, tag, dict,
                                               NULL);
    Py_DECREF(dict);
    return e;
}

/* Puts a new element where the builder is. */
static int
place(struct kr_builder *b, PyObject *e)
{
    if (b->current != NULL) {
        PyObject *parent = Py_NewRef(b->current);
        int err = add_child(parent, e);
        Py_DECREF(parent);
        return err;
    }
    if (b->root != NULL) {
        PyErr_SetString(kr_etree()->parse_error,
                        "multiple elements on top level");
        return -1;
    }
    b->root = Py_NewRef(e);
    return 0;
}

PyObject *
kr_builder_start(struct kr_builder *b, PyObject *tag, PyObject *attrib)
{
    if (flush_data(b) < 0) {
        return NULL;
    }
    PyObject *e = make_element(b, tag, attrib);
    if (e == NULL) {
        return NULL;
    }
    Py_CLEAR(b->tail_of);
    if (place(b, e) < 0
        || PyList_Append(b->stack, b->current ? b->current : Py_None) < 0) {
        Py_DECREF(e);
        return NULL;
    }
    Py_XSETREF(b->current, Py_NewRef(e));
    Py_XSETREF(b->last, Py_NewRef(e));
    if (kr_builder_report(b, KR_EVENT_START, e) < 0) {
        Py_CLEAR(e);
    }
    return e;
}

PyObject *
kr_builder_end(struct kr_builder *b)
{
    if (flush_data(b) < 0) {
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(b->stack);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty stack");
        return NULL;
    }
    PyObject *outer = Py_NewRef(PyList_GET_ITEM(b->stack, n - 1));
    if (PyList_SetSlice(b->stack, n - 1, n, NULL) < 0) {
        Py_DECREF(outer);
        return NULL;
    }
    PyObject *e = b->current;
    if (outer == Py_None) {
        Py_CLEAR(outer);
    }
    b->current = outer;
    Py_XSETREF(b->last, Py_NewRef(e));
    Py_XSETREF(b->tail_of, Py_NewRef(e));
    if (kr_builder_report(b, KR_EVENT_END, e) < 0) {
        Py_CLEAR(e);
    }
    return e;
}

/* Puts what a factory made of a comment or an instruction into the tree. */
static int
insert_single(struct kr_builder *b, PyObject *e)
{
    if (b->current == NULL) {
        return 0;
    }
    PyObject *parent = Py_NewRef(b->current);
    int err = add_child(parent, e);
    Py_DECREF(parent);
    if (err == 0) {
        Py_XSETREF(b->tail_of, Py_NewRef(e));
    }
    return err;
}

PyObject *
kr_builder_comment(struct kr_builder *b, PyObject *text)
{
    if (flush_data(b) < 0) {
        return NULL;
    }
    PyObject *e = b->comment_factory
                      ? PyObject_CallOneArg(b->comment_factory, text)
                      : Py_NewRef(text);
    if (e == NULL) {
        return NULL;
    }
    if ((b->comment_factory != NULL && b->insert_comments
         && insert_single(b, e) < 0)
        || kr_builder_report(b, KR_EVENT_COMMENT, e) < 0) {
        Py_CLEAR(e);
    }
    return e;
}

PyObject *
kr_builder_pi(struct kr_builder *b, PyObject *target, PyObject *text)
{
    if (flush_data(b) < 0) {
        return NULL;
    }
    PyObject *e = b->pi_factory
                      ? PyObject_CallFunctionObjArgs(b->pi_factory, target,
                                                     text, NULL)
                      : PyTuple_Pack(2, target, text);
    if (e == NULL) {
        return NULL;
    }
    if ((b->pi_factory != NULL && b->insert_pis && insert_single(b, e) < 0)
        || kr_builder_report(b, KR_EVENT_PI, e) < 0) {
        Py_CLEAR(e);
    }
    return e;
}

PyObject *
kr_builder_close(struct kr_builder *b)
{
    return Py_NewRef(b->root ? b->root : Py_None);
}

/* ---- methods */

static PyObject *
builder_data(PyObject *self, PyObject *data)
{
    return kr_builder_data(KR_BUILDER(self), data);
}

static PyObject *
builder_start(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("start", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyDict_Check(args[1])) {
        _PyArg_BadArgument("start", "argument 2", "dict", args[1]);
        return NULL;
    }
    return kr_builder_start(KR_BUILDER(self), args[0], args[1]);
}

static PyObject *
builder_end(PyObject *self, PyObject *tag)
{
    return kr_builder_end(KR_BUILDER(self));
}

static PyObject *
builder_comment(PyObject *self, PyObject *text)
{
    return kr_builder_comment(KR_BUILDER(self), text);
}

static PyObject *
builder_pi(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("pi", nargs, 1, 2)) {
        return NULL;
    }
    return kr_builder_pi(KR_BUILDER(self), args[0],
                         nargs > 1 ? args[1] : Py_None);
}

static PyObject *
builder_close(PyObject *self, PyObject *unused)
{
    return kr_builder_close(KR_BUILDER(self));
}

/* ---- the type */

static PyObject *
builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct kr_builder *b = KR_BUILDER(type->tp_alloc(type, 0));
    if (b != NULL && (b->stack = PyList_New(0)) == NULL) {
        Py_CLEAR(b);
    }
    return (PyObject *)b;
}

/* Sets a factory: the one given, or that of the module. */
static void
set_factory(PyObject **slot, PyObject *given, PyObject *usual)
{
    if (given == NULL || given == Py_None) {
        given = usual;
    }
    Py_XSETREF(*slot, Py_XNewRef(given));
}

static int
builder_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("TreeBuilder", "element_factory", "comment_factory",
              "pi_factory", "insert_comments", "insert_pis");
    PyObject *a[5];
    int comments = 0, pis = 0;
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 1, 5, a)
        || (a[3] != NULL && !kr_arg_bool(a[3], &comments))
        || (a[4] != NULL && !kr_arg_bool(a[4], &pis))) {
        return -1;
    }
    struct kr_builder *b = KR_BUILDER(self);
    set_factory(&b->element_factory, a[0], NULL);
    set_factory(&b->comment_factory, a[1], kr_etree()->comment_factory);
    set_factory(&b->pi_factory, a[2], kr_etree()->pi_factory);
    b->insert_comments = comments && b->comment_factory != NULL;
    b->insert_pis = pis && b->pi_factory != NULL;
    return 0;
}

static int
builder_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct kr_builder *b = KR_BUILDER(self);
    Py_VISIT(b->root);
    Py_VISIT(b->current);
    Py_VISIT(b->last);
    Py_VISIT(b->tail_of);
    Py_VISIT(b->data);
    Py_VISIT(b->stack);
    Py_VISIT(b->element_factory);
    Py_VISIT(b->comment_factory);
    Py_VISIT(b->pi_factory);
    Py_VISIT(b->report);
    for (int i = 0; i < KR_EVENTS; i++) {
        Py_VISIT(b->events[i]);
    }
    return 0;
}

static void
builder_dealloc(PyObject *self)
{
    struct kr_builder *b = KR_BUILDER(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(b->stack);
    Py_XDECREF(b->data);
    Py_XDECREF(b->tail_of);
    Py_XDECREF(b->last);
    Py_XDECREF(b->current);
    Py_XDECREF(b->root);
    Py_XDECREF(b->element_factory);
    Py_XDECREF(b->comment_factory);
    Py_XDECREF(b->pi_factory);
    Py_XDECREF(b->report);
    for (int i = 0; i < KR_EVENTS; i++) {
        Py_XDECREF(b->events[i]);
    }
    Py_TYPE(self)->tp_free(self);
}

/* The stack stays, empty: methods may still be called. */
static int
builder_tp_clear(PyObject *self)
{
    struct kr_builder *b = KR_BUILDER(self);
    Py_CLEAR(b->data);
    Py_CLEAR(b->tail_of);
    Py_CLEAR(b->last);
    Py_CLEAR(b->current);
    Py_CLEAR(b->root);
    Py_CLEAR(b->element_factory);
    Py_CLEAR(b->comment_factory);
    Py_CLEAR(b->pi_factory);
    Py_CLEAR(b->report);
    for (int i = 0; i < KR_EVENTS; i++) {
        Py_CLEAR(b->events[i]);
    }
    return PyList_SetSlice(b->stack, 0, PyList_GET_SIZE(b->stack), NULL);
}

static PyMethodDef builder_methods[] = {
    {"data", builder_data, METH_O, "data($self, data, /)\n--\n\n"},
    {"start", KR_CAST(builder_start), METH_FASTCALL,
     "start($self, tag, attrs, /)\n--\n\n"},
    {"end", builder_end, METH_O, "end($self, tag, /)\n--\n\n"},
    {"comment", builder_comment, METH_O, "comment($self, text, /)\n--\n\n"},
    {"pi", KR_CAST(builder_pi), METH_FASTCALL,
     "pi($self, target, text=None, /)\n--\n\n"},
    {"close", builder_close, METH_NOARGS, "close($self, /)\n--\n\n"},
    {NULL},
};

PyTypeObject kr_builder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.TreeBuilder",
    .tp_basicsize = sizeof(struct kr_builder),
    .tp_dealloc = builder_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = builder_traverse,
    .tp_clear = builder_tp_clear,
    .tp_methods = builder_methods,
    .tp_init = builder_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = builder_new,
    .tp_free = PyObject_GC_Del,
};
