/* The _bisect module: insertion points in sorted sequences. */
#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/unpack.h"

enum { LEFT, RIGHT };

/* Whether x < y by the quick way if both have one type. 1, 0, -1. */
static int
less(PyObject *x, PyObject *y)
{
    return PyObject_RichCompareBool(x, y, Py_LT);
}

/* Item i, through sq_item if there is one: no int object needed. */
static PyObject *
item_at(PyObject *list, Py_ssize_t i)
{
    PySequenceMethods *sq = Py_TYPE(list)->tp_as_sequence;
    return sq != NULL && sq->sq_item != NULL ? sq->sq_item(list, i)
                                             : PySequence_GetItem(list, i);
}

/* Insertion point of `item`, or -1 with an exception. */
static Py_ssize_t
search(PyObject *list, PyObject *item, Py_ssize_t lo, Py_ssize_t hi,
       PyObject *key, int side)
{
    if (lo < 0) {
        PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (hi == -1) {
        hi = PySequence_Size(list);
        if (hi < 0) {
            return -1;
        }
    }
    while (lo < hi) {
        Py_ssize_t mid = (Py_ssize_t)(((size_t)lo + (size_t)hi) / 2);
        PyObject *x = item_at(list, mid);
        if (x != NULL && key != Py_None) {
            Py_SETREF(x, PyObject_CallOneArg(key, x));
        }
        if (x == NULL) {
            return -1;
        }
        int res = side == LEFT ? less(x, item) : less(item, x);
        Py_DECREF(x);
        if (res < 0) {
            return -1;
        }
        if (res == (side == LEFT)) {
            lo = mid + 1;
        }
        else {
            hi = mid;
        }
    }
    return lo;
}

struct arguments {
    PyObject *a, *x, *key;
    Py_ssize_t lo, hi;
};

static int
index_arg(PyObject *o, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(o);
    if (index == NULL) {
        return -1;
    }
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int
parse(struct arguments *out, PyObject *const *args, Py_ssize_t nargs,
      PyObject *kwnames, _PyArg_Parser *parser)
{
    PyObject *buf[5];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, parser, 2, 4, buf, 5);
    if (args == NULL) {
        return -1;
    }
    *out = (struct arguments){args[0], args[1], Py_None, 0, -1};
    if (args[2] != NULL && index_arg(args[2], &out->lo) < 0) {
        return -1;
    }
    if (args[3] != NULL && args[3] != Py_None
        && index_arg(args[3], &out->hi) < 0) {
        return -1;
    }
    if (args[4] != NULL) {
        out->key = args[4];
    }
    return 0;
}

static const char *const keywords[] = {"a", "x", "lo", "hi", "key", NULL};

static PyObject *
bisect(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
       _PyArg_Parser *parser, int side)
{
    struct arguments a;
    if (parse(&a, args, nargs, kwnames, parser) < 0) {
        return NULL;
    }
    Py_ssize_t i = search(a.a, a.x, a.lo, a.hi, a.key, side);
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

static PyObject *
insort(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
       _PyArg_Parser *parser, int side)
{
    struct arguments a;
    if (parse(&a, args, nargs, kwnames, parser) < 0) {
        return NULL;
    }
    PyObject *probe = a.key == Py_None ? Py_NewRef(a.x)
                                       : PyObject_CallOneArg(a.key, a.x);
    if (probe == NULL) {
        return NULL;
    }
    Py_ssize_t i = search(a.a, probe, a.lo, a.hi, a.key, side);
    Py_DECREF(probe);
    if (i < 0) {
        return NULL;
    }
    if (PyList_CheckExact(a.a)) {
        return PyList_Insert(a.a, i, a.x) < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *result =
        PyObject_CallMethod(a.a, "insert", "nO", i, a.x);
    Py_XDECREF(result);
    return result == NULL ? NULL : Py_NewRef(Py_None);
}

#define FUNCTION(name, worker, side)                                           \
    static PyObject *name(PyObject *module, PyObject *const *args,             \
                          Py_ssize_t nargs, PyObject *kwnames)                 \
    {                                                                          \
        static _PyArg_Parser parser = {.keywords = keywords, .fname = #name};  \
        return worker(args, nargs, kwnames, &parser, side);                    \
    }

FUNCTION(bisect_right, bisect, RIGHT)
FUNCTION(bisect_left, bisect, LEFT)
FUNCTION(insort_right, insort, RIGHT)
FUNCTION(insort_left, insort, LEFT)

#define DEF(name, doc)                                                         \
    {                                                                          \
        #name, (PyCFunction)(void *)name, METH_FASTCALL | METH_KEYWORDS,       \
            #name "($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n" doc \
    }

static PyMethodDef functions[] = {
    DEF(bisect_right,
        "Return the index where to insert item x in list a, assuming a is "
        "sorted.\n\nIf x is there already, the index is behind the last x."),
    DEF(insort_right,
        "Insert item x in list a, and keep it sorted assuming a is sorted.\n\n"
        "If x is there already, it goes behind the last x."),
    DEF(bisect_left,
        "Return the index where to insert item x in list a, assuming a is "
        "sorted.\n\nIf x is there already, the index is that of the first x."),
    DEF(insort_left,
        "Insert item x in list a, and keep it sorted assuming a is sorted.\n\n"
        "If x is there already, it goes before the first x."),
    {NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bisect",
    .m_doc = "Bisection algorithms for lists that are kept in sorted order.",
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__bisect(void)
{
    return PyModuleDef_Init(&definition);
}
