/* BaseExceptionGroup and ExceptionGroup (PEP 654).
 *
 * A group is a message and a tuple of exceptions, which may be groups. split()
 * and subgroup() walk that tree and rebuild the part that matches with
 * derive(), keeping the tree's shape and each node's traceback, context, cause
 * and notes. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/exceptions/group.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#define GROUP(op) ((PyBaseExceptionGroupObject *)(op))

static int
is_group(PyObject *exc)
{
    return PyObject_TypeCheck(exc, &KR_EXC(BaseExceptionGroup));
}

/* Checks the members of `excs`; *nested_base tells whether one of them is not
 * an Exception. 0 or -1. */
static int
check_members(PyObject *excs, int *nested_base)
{
    *nested_base = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs); i++) {
        PyObject *exc = PyTuple_GET_ITEM(excs, i);
        if (!PyExceptionInstance_Check(exc)) {
            PyErr_Format(
                PyExc_ValueError,
                "Item %zd of second argument (exceptions) is not an exception",
                i);
            return -1;
        }
        int is_exception = PyObject_IsInstance(exc, PyExc_Exception);
        if (is_exception < 0) {
            return -1;
        }
        *nested_base |= !is_exception;
    }
    return 0;
}

/* The class to create: BaseExceptionGroup becomes ExceptionGroup when it may.
 * Borrowed, or NULL with TypeError. */
static PyTypeObject *
choose_class(PyTypeObject *cls, int nested_base)
{
    PyTypeObject *exception_group = (PyTypeObject *)kr_exception_group_class();
    if (cls == &KR_EXC(BaseExceptionGroup)) {
        return nested_base ? cls : exception_group;
    }
    if (!nested_base) {
        return cls;
    }
    if (cls == exception_group) {
        PyErr_SetString(PyExc_TypeError,
                        "Cannot nest BaseExceptions in an ExceptionGroup");
        return NULL;
    }
    int derived = PyObject_IsSubclass((PyObject *)cls, PyExc_Exception);
    if (derived < 0) {
        return NULL;
    }
    if (derived) {
        PyErr_Format(PyExc_TypeError, "Cannot nest BaseExceptions in '%.200s'",
                     cls->tp_name);
        return NULL;
    }
    return cls;
}

static PyObject *
group_new(PyTypeObject *cls, PyObject *args, PyObject *kwds)
{
    PyObject *message, *exceptions;
    if (!PyArg_ParseTuple(args, "UO:BaseExceptionGroup.__new__", &message,
                          &exceptions)) {
        return NULL;
    }
    if (!PySequence_Check(exceptions)) {
        PyErr_SetString(PyExc_TypeError,
                        "second argument (exceptions) must be a sequence");
        return NULL;
    }
    PyObject *excs = PySequence_Tuple(exceptions);
    if (excs == NULL) {
        return NULL;
    }
    int nested_base;
    if (PyTuple_GET_SIZE(excs) == 0) {
        PyErr_SetString(
            PyExc_ValueError,
            "second argument (exceptions) must be a non-empty sequence");
        goto error;
    }
    if (check_members(excs, &nested_base) < 0 ||
        (cls = choose_class(cls, nested_base)) == NULL) {
        goto error;
    }
    PyObject *self = kr_base_exception_new(cls, args, kwds);
    if (self == NULL) {
        goto error;
    }
    GROUP(self)->msg = Py_NewRef(message);
    GROUP(self)->excs = excs;
    return self;

error:
    Py_DECREF(excs);
    return NULL;
}

static int
group_init(PyBaseExceptionGroupObject *self, PyObject *args, PyObject *kwds)
{
    return kr_base_exception_init((PyBaseExceptionObject *)self, args, kwds);
}

static int
group_clear(PyBaseExceptionGroupObject *self)
{
    Py_CLEAR(self->msg);
    Py_CLEAR(self->excs);
    return kr_base_exception_clear((PyBaseExceptionObject *)self);
}

static int
group_traverse(PyBaseExceptionGroupObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->msg);
    Py_VISIT(self->excs);
    return kr_base_exception_traverse((PyBaseExceptionObject *)self, visit,
                                      arg);
}

static PyObject *
group_str(PyBaseExceptionGroupObject *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->excs);
    return PyUnicode_FromFormat("%S (%zd sub-exception%s)", self->msg, n,
                                n > 1 ? "s" : "");
}

static PyObject *
group_derive(PyBaseExceptionGroupObject *self, PyObject *given)
{
    PyObject *excs;
    if (!PyArg_ParseTuple(given, "O", &excs)) {
        return NULL;
    }
    PyObject *args = PyTuple_Pack(2, self->msg, excs);
    if (args == NULL) {
        return NULL;
    }
    PyObject *eg = PyObject_CallObject(PyExc_BaseExceptionGroup, args);
    Py_DECREF(args);
    return eg;
}

/* Gives `to` a copy of the notes of `from`, if these are a sequence. */
static int
copy_notes(PyObject *from, PyObject *to)
{
    PyObject *notes;
    if (_PyObject_LookupAttr(from, KR_ID(__notes__), &notes) < 0) {
        return -1;
    }
    if (notes == NULL) {
        return 0;
    }
    int res = 0;
    if (PySequence_Check(notes)) {
        PyObject *copy = PySequence_List(notes);
        res = copy == NULL
                  ? -1
                  : PyObject_SetAttr(to, KR_ID(__notes__), copy);
        Py_XDECREF(copy);
    }
    Py_DECREF(notes);
    return res;
}

/* New: orig.derive(excs) with orig's metadata; None if `excs` is empty. */
static PyObject *
group_subset(PyObject *orig, PyObject *excs)
{
    if (PyList_GET_SIZE(excs) == 0) {
        Py_RETURN_NONE;
    }
    PyObject *eg = PyObject_CallMethodOneArg(orig, KR_ID(derive), excs);
    if (eg == NULL) {
        return NULL;
    }
    if (!is_group(eg)) {
        PyErr_SetString(PyExc_TypeError,
                        "derive must return an instance of BaseExceptionGroup");
        Py_DECREF(eg);
        return NULL;
    }
    PyBaseExceptionObject *from = (PyBaseExceptionObject *)orig;
    if (from->traceback != NULL &&
        PyException_SetTraceback(eg, from->traceback) < 0) {
        Py_DECREF(eg);
        return NULL;
    }
    PyException_SetContext(eg, PyException_GetContext(orig));
    PyException_SetCause(eg, PyException_GetCause(orig));
    if (copy_notes(orig, eg) < 0) {
        Py_DECREF(eg);
        return NULL;
    }
    return eg;
}

/* --- Splitting ----------------------------------------------------------- */

enum matcher_kind {
    MATCH_TYPE,      /* exception class or tuple of them */
    MATCH_PREDICATE, /* callable */
    MATCH_IDS,       /* set of the addresses of leaves, as ints */
};

struct matcher {
    enum matcher_kind kind;
    PyObject *value; /* borrowed */
};

static int
is_class_or_tuple_of(PyObject *value)
{
    if (PyExceptionClass_Check(value)) {
        return 1;
    }
    if (!PyTuple_CheckExact(value)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) {
        if (!PyExceptionClass_Check(PyTuple_GET_ITEM(value, i))) {
            return 0;
        }
    }
    return 1;
}

static int
make_matcher(PyObject *value, struct matcher *m)
{
    m->value = value;
    if (PyFunction_Check(value)) {
        m->kind = MATCH_PREDICATE;
        return 0;
    }
    if (is_class_or_tuple_of(value)) {
        m->kind = MATCH_TYPE;
        return 0;
    }
    PyErr_SetString(
        PyExc_TypeError,
        "expected a function, exception type or tuple of exception types");
    return -1;
}

static int
matches(PyObject *exc, struct matcher *m)
{
    switch (m->kind) {
    case MATCH_TYPE:
        return PyErr_GivenExceptionMatches(exc, m->value);
    case MATCH_PREDICATE: {
        PyObject *res = PyObject_CallOneArg(m->value, exc);
        if (res == NULL) {
            return -1;
        }
        int truth = PyObject_IsTrue(res);
        Py_DECREF(res);
        return truth;
    }
    case MATCH_IDS: {
        if (is_group(exc)) {
            return 0;
        }
        PyObject *id = PyLong_FromVoidPtr(exc);
        if (id == NULL) {
            return -1;
        }
        int res = PySet_Contains(m->value, id);
        Py_DECREF(id);
        return res;
    }
    }
    return 0;
}

struct split {
    PyObject *match; /* owned, None when empty */
    PyObject *rest;  /* the same; NULL when not asked for */
};

static int split_tree(PyObject *exc, struct matcher *m, int want_rest,
                      struct split *out);

/* Appends a part to its list unless it is None or not wanted; consumes it. */
static int
collect(PyObject *list, PyObject *part)
{
    int res = 0;
    if (part != NULL && part != Py_None && list != NULL) {
        res = PyList_Append(list, part);
    }
    Py_XDECREF(part);
    return res;
}

static int
split_members(PyObject *group, struct matcher *m, PyObject *match_list,
              PyObject *rest_list)
{
    PyObject *excs = Py_NewRef(GROUP(group)->excs);
    int res = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs) && res == 0; i++) {
        struct split part = {NULL, NULL};
        res = split_tree(PyTuple_GET_ITEM(excs, i), m, rest_list != NULL,
                         &part);
        if (res < 0) {
            break;
        }
        int first = collect(match_list, part.match);
        int second = collect(rest_list, part.rest);
        res = first < 0 || second < 0 ? -1 : 0;
    }
    Py_DECREF(excs);
    return res;
}

static int
split_group(PyObject *exc, struct matcher *m, int want_rest, struct split *out)
{
    PyObject *match_list = PyList_New(0);
    PyObject *rest_list = want_rest ? PyList_New(0) : NULL;
    int res = -1;
    if (match_list == NULL || (want_rest && rest_list == NULL) ||
        split_members(exc, m, match_list, rest_list) < 0) {
        goto done;
    }
    out->match = group_subset(exc, match_list);
    if (out->match == NULL) {
        goto done;
    }
    if (want_rest) {
        out->rest = group_subset(exc, rest_list);
        if (out->rest == NULL) {
            Py_CLEAR(out->match);
            goto done;
        }
    }
    res = 0;
done:
    Py_XDECREF(match_list);
    Py_XDECREF(rest_list);
    return res;
}

/* Splits the tree below `exc`; fills *out with new references. 0 or -1. */
static int
split_tree(PyObject *exc, struct matcher *m, int want_rest, struct split *out)
{
    out->match = out->rest = NULL;
    int whole = matches(exc, m);
    if (whole < 0) {
        return -1;
    }
    if (whole) {
        out->match = Py_NewRef(exc);
        out->rest = want_rest ? Py_NewRef(Py_None) : NULL;
        return 0;
    }
    if (!is_group(exc)) {
        out->match = Py_NewRef(Py_None);
        out->rest = want_rest ? Py_NewRef(exc) : NULL;
        return 0;
    }
    if (Py_EnterRecursiveCall(" in exceptiongroup_split_recursive")) {
        return -1;
    }
    int res = split_group(exc, m, want_rest, out);
    Py_LeaveRecursiveCall();
    return res;
}

static PyObject *
group_split(PyObject *self, PyObject *args)
{
    PyObject *value;
    struct matcher m;
    struct split out;
    if (!PyArg_UnpackTuple(args, "split", 1, 1, &value) ||
        make_matcher(value, &m) < 0 || split_tree(self, &m, 1, &out) < 0) {
        return NULL;
    }
    PyObject *res = PyTuple_Pack(2, out.match, out.rest);
    Py_DECREF(out.match);
    Py_DECREF(out.rest);
    return res;
}

static PyObject *
group_subgroup(PyObject *self, PyObject *args)
{
    PyObject *value;
    struct matcher m;
    struct split out;
    if (!PyArg_UnpackTuple(args, "subgroup", 1, 1, &value) ||
        make_matcher(value, &m) < 0 || split_tree(self, &m, 0, &out) < 0) {
        return NULL;
    }
    return out.match;
}

/* --- For except* ---------------------------------------------------------- */

PyObject *
kr_exception_group_split(PyObject *group, PyObject *type, PyObject **rest)
{
    struct matcher m = {MATCH_TYPE, type};
    struct split out;
    if (split_tree(group, &m, 1, &out) < 0) {
        return NULL;
    }
    *rest = out.rest;
    return out.match;
}

PyObject *
_PyExc_CreateExceptionGroup(const char *msg, PyObject *excs)
{
    return PyObject_CallFunction(PyExc_BaseExceptionGroup, "sO", msg, excs);
}

/* Adds the addresses of the leaves below `exc` to the set. 0 or -1. */
static int
collect_leaf_ids(PyObject *exc, PyObject *ids)
{
    if (exc == Py_None) {
        return 0;
    }
    if (!is_group(exc)) {
        PyObject *id = PyLong_FromVoidPtr(exc);
        if (id == NULL) {
            return -1;
        }
        int res = PySet_Add(ids, id);
        Py_DECREF(id);
        return res;
    }
    PyObject *excs = GROUP(exc)->excs;
    if (Py_EnterRecursiveCall(" in collect_exception_group_leaf_ids")) {
        return -1;
    }
    int res = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs) && res == 0; i++) {
        res = collect_leaf_ids(PyTuple_GET_ITEM(excs, i), ids);
    }
    Py_LeaveRecursiveCall();
    return res;
}

/* New: the part of `group` whose leaves occur in the list `keep`, or None. */
static PyObject *
projection(PyObject *group, PyObject *keep)
{
    PyObject *ids = PySet_New(NULL);
    if (ids == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keep); i++) {
        if (collect_leaf_ids(PyList_GET_ITEM(keep, i), ids) < 0) {
            Py_DECREF(ids);
            return NULL;
        }
    }
    struct matcher m = {MATCH_IDS, ids};
    struct split out;
    int res = split_tree(group, &m, 0, &out);
    Py_DECREF(ids);
    return res < 0 ? NULL : out.match;
}

/* Whether `exc` is a piece that split() made of `orig`, raised again as it
 * was: then its metadata are the same objects. */
static int
is_piece_of(PyObject *exc, PyObject *orig)
{
    PyBaseExceptionObject *a = (PyBaseExceptionObject *)exc;
    PyBaseExceptionObject *b = (PyBaseExceptionObject *)orig;
    return a->notes == b->notes && a->traceback == b->traceback &&
           a->cause == b->cause && a->context == b->context;
}

static PyObject *
merge_raised(PyObject *orig, PyObject *raised, PyObject *reraised)
{
    PyObject *rest = projection(orig, reraised);
    if (rest == NULL || PyList_GET_SIZE(raised) == 0) {
        return rest;
    }
    if (rest != Py_None && PyList_Append(raised, rest) < 0) {
        Py_DECREF(rest);
        return NULL;
    }
    Py_DECREF(rest);
    return _PyExc_CreateExceptionGroup("", raised);
}

PyObject *
_PyExc_PrepReraiseStar(PyObject *orig, PyObject *excs)
{
    Py_ssize_t n = PyList_Check(excs) ? PyList_GET_SIZE(excs) : -1;
    bool good = n >= 0 && PyExceptionInstance_Check(orig);
    for (Py_ssize_t i = 0; good && i < n; i++) {
        PyObject *exc = PyList_GET_ITEM(excs, i);
        good = exc == Py_None || PyExceptionInstance_Check(exc);
    }
    if (!good) {
        PyErr_SetString(PyExc_SystemError,
                        "bad code object: no list of exceptions");
        return NULL;
    }
    if (n == 0) {
        Py_RETURN_NONE;
    }
    if (!is_group(orig)) {
        /* a naked exception was wrapped: one clause at most has run */
        return Py_NewRef(PyList_GET_ITEM(excs, 0));
    }
    PyObject *res = NULL;
    PyObject *raised = PyList_New(0), *reraised = PyList_New(0);
    if (raised == NULL || reraised == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *exc = PyList_GET_ITEM(excs, i);
        if (exc == Py_None) {
            continue;
        }
        if (PyList_Append(is_piece_of(exc, orig) ? reraised : raised, exc) <
            0) {
            goto done;
        }
    }
    res = merge_raised(orig, raised, reraised);
done:
    Py_XDECREF(raised);
    Py_XDECREF(reraised);
    return res;
}

/* --- Types ------------------------------------------------------------------ */

static PyMethodDef group_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {"derive", (PyCFunction)group_derive, METH_VARARGS, NULL},
    {"split", group_split, METH_VARARGS, NULL},
    {"subgroup", group_subgroup, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef group_members[] = {
    {"message", T_OBJECT, offsetof(PyBaseExceptionGroupObject, msg), READONLY,
     "exception message"},
    {"exceptions", T_OBJECT, offsetof(PyBaseExceptionGroupObject, excs),
     READONLY, "nested exceptions"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject KR_EXC(BaseExceptionGroup) = {
    KR_EXC_TYPE(BaseExceptionGroup, BaseException, PyBaseExceptionGroupObject,
                "A combination of multiple unrelated exceptions."),
    .tp_str = (reprfunc)group_str,
    .tp_traverse = (traverseproc)group_traverse,
    .tp_clear = (inquiry)group_clear,
    .tp_methods = group_methods,
    .tp_members = group_members,
    .tp_init = (initproc)group_init,
    .tp_new = group_new,
};

static struct kr_group_state {
    PyObject *exception_group; /* the class, made at start-up */
} kr_group_state;

PyObject *
kr_exception_group_class(void)
{
    return kr_group_state.exception_group;
}

int
kr_exception_group_init(void)
{
    kr_group_state.exception_group = PyObject_CallFunction(
        (PyObject *)&PyType_Type, "s(OO){ss}", "ExceptionGroup",
        PyExc_BaseExceptionGroup, PyExc_Exception, "__module__", "builtins");
    return kr_group_state.exception_group == NULL ? -1 : 0;
}
