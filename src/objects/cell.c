/* Cells: variables that inner functions share. */
#include <Python.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/immortal.h"

PyObject *
PyCell_New(PyObject *obj)
{
    PyCellObject *op = PyObject_GC_New(PyCellObject, &PyCell_Type);
    if (op == NULL) {
        return NULL;
    }
    op->ob_ref = Py_XNewRef(obj);
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

static PyObject *
cell_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *obj = NULL;
    if (!_PyArg_NoKeywords("cell", kwds)
        || !PyArg_UnpackTuple(args, "cell", 0, 1, &obj)) {
        return NULL;
    }
    return PyCell_New(obj);
}

PyObject *
PyCell_Get(PyObject *op)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return Py_XNewRef(PyCell_GET(op));
}

int
PyCell_Set(PyObject *op, PyObject *value)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *old = PyCell_GET(op);
    PyCell_SET(op, Py_XNewRef(value));
    Py_XDECREF(old);
    return 0;
}

static void
cell_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(PyCell_GET(self));
    PyObject_GC_Del(self);
}

static PyObject *
cell_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyCell_Check(a) || !PyCell_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    a = PyCell_GET(a);
    b = PyCell_GET(b);
    if (a != NULL && b != NULL) {
        Py_INCREF(a);
        Py_INCREF(b);
        PyObject *res = PyObject_RichCompare(a, b, op);
        Py_DECREF(a);
        Py_DECREF(b);
        return res;
    }
    /* An empty cell is less than a full one. */
    Py_RETURN_RICHCOMPARE(b == NULL, a == NULL, op);
}

static PyObject *
cell_repr(PyObject *self)
{
    PyObject *value = PyCell_GET(self);
    if (value == NULL) {
        return PyUnicode_FromFormat("<cell at %p: empty>", self);
    }
    return PyUnicode_FromFormat("<cell at %p: %.80s object at %p>", self,
                                Py_TYPE(value)->tp_name, value);
}

static int
cell_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(PyCell_GET(self));
    return 0;
}

static int
cell_clear(PyObject *self)
{
    Py_CLEAR(((PyCellObject *)self)->ob_ref);
    return 0;
}

static PyObject *
cell_get_contents(PyObject *self, void *context)
{
    PyObject *value = PyCell_GET(self);
    if (value == NULL) {
        PyErr_SetString(PyExc_ValueError, "Cell is empty");
        return NULL;
    }
    return Py_NewRef(value);
}

static int
cell_set_contents(PyObject *self, PyObject *value, void *context)
{
    return PyCell_Set(self, value);
}

static PyGetSetDef cell_getsets[] = {
    {"cell_contents", cell_get_contents, cell_set_contents},
    {NULL},
};

PyTypeObject PyCell_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "cell",
    .tp_basicsize = sizeof(PyCellObject),
    .tp_dealloc = cell_dealloc,
    .tp_repr = cell_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("cell([contents])\n--\n\n"
                        "A variable that inner functions share.\n\n"
                        "  contents\n    its value; empty if not given"),
    .tp_traverse = cell_traverse,
    .tp_clear = cell_clear,
    .tp_richcompare = cell_richcompare,
    .tp_getset = cell_getsets,
    .tp_new = cell_new,
};
