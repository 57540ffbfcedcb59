/* Bound methods, and instance methods (C callables that bind like functions).
 */
#include <Python.h>
#include <structmember.h>

#include "base/common.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/immortal.h"

/* ---- calling ------------------------------------------------------------ */

static PyObject *
method_vectorcall(PyObject *method, PyObject *const *args, size_t nargsf,
                  PyObject *kwnames)
{
    PyObject *self = PyMethod_GET_SELF(method);
    PyObject *func = PyMethod_GET_FUNCTION(method);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        /* The caller lends the word before the arguments. */
        PyObject **shifted = (PyObject **)args - 1;
        PyObject *saved = shifted[0];
        shifted[0] = self;
        PyObject *res =
            PyObject_Vectorcall(func, shifted, (size_t)nargs + 1, kwnames);
        shifted[0] = saved;
        return res;
    }
    Py_ssize_t total =
        nargs + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    if (total == 0) {
        return PyObject_Vectorcall(func, &self, 1, NULL);
    }
    PyObject *small[6];
    PyObject **stack = small;
    if (total + 1 > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        stack = PyMem_New(PyObject *, total + 1);
        if (stack == NULL) {
            return PyErr_NoMemory();
        }
    }
    stack[0] = self;
    memcpy(stack + 1, args, (size_t)total * sizeof(PyObject *));
    PyObject *res =
        PyObject_Vectorcall(func, stack, (size_t)nargs + 1, kwnames);
    if (stack != small) {
        PyMem_Free(stack);
    }
    return res;
}

PyObject *
PyMethod_New(PyObject *func, PyObject *self)
{
    if (self == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyMethodObject *im = PyObject_GC_New(PyMethodObject, &PyMethod_Type);
    if (im == NULL) {
        return NULL;
    }
    im->im_weakreflist = NULL;
    im->im_func = Py_NewRef(func);
    im->im_self = Py_NewRef(self);
    im->vectorcall = method_vectorcall;
    kr_gc_track((PyObject *)im);
    return (PyObject *)im;
}

PyObject *
PyMethod_Function(PyObject *im)
{
    if (!PyMethod_Check(im)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_FUNCTION(im);
}

PyObject *
PyMethod_Self(PyObject *im)
{
    if (!PyMethod_Check(im)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_SELF(im);
}

/* ---- the type ----------------------------------------------------------- */

static PyObject *
method_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func, *self;
    if (!_PyArg_NoKeywords("method", kwds)
        || !PyArg_UnpackTuple(args, "method", 2, 2, &func, &self)) {
        return NULL;
    }
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return NULL;
    }
    if (self == Py_None) {
        PyErr_SetString(PyExc_TypeError, "instance must not be None");
        return NULL;
    }
    return PyMethod_New(func, self);
}

static void
method_dealloc(PyObject *self)
{
    PyMethodObject *im = (PyMethodObject *)self;
    kr_gc_untrack(self);
    if (im->im_weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_DECREF(im->im_func);
    Py_XDECREF(im->im_self);
    PyObject_GC_Del(self);
}

static int
method_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyMethodObject *im = (PyMethodObject *)self;
    Py_VISIT(im->im_func);
    Py_VISIT(im->im_self);
    return 0;
}

/* An attribute of a method; those of its function show through. */
static PyObject *
attribute(PyObject *self, PyObject *func, PyObject *name)
{
    PyTypeObject *tp = Py_TYPE(self);
    if (tp->tp_dict == NULL && PyType_Ready(tp) < 0) {
        return NULL;
    }
    PyObject *descr = _PyType_Lookup(tp, name);
    if (descr == NULL) {
        return PyObject_GetAttr(func, name);
    }
    descrgetfunc f = Py_TYPE(descr)->tp_descr_get;
    Py_INCREF(descr);
    if (f == NULL) {
        return descr;
    }
    PyObject *res = f(descr, self, (PyObject *)tp);
    Py_DECREF(descr);
    return res;
}

static PyObject *
method_getattro(PyObject *self, PyObject *name)
{
    return attribute(self, PyMethod_GET_FUNCTION(self), name);
}

static PyObject *
method_repr(PyObject *self)
{
    PyObject *func = PyMethod_GET_FUNCTION(self);
    PyObject *name;
    if (_PyObject_LookupAttr(func, KR_ID(__qualname__), &name) < 0
        || (name == NULL
            && _PyObject_LookupAttr(func, KR_ID(__name__), &name) < 0)) {
        return NULL;
    }
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_CLEAR(name);
    }
    PyObject *res = PyUnicode_FromFormat("<bound method %V of %R>", name, "?",
                                         PyMethod_GET_SELF(self));
    Py_XDECREF(name);
    return res;
}

static Py_hash_t
method_hash(PyObject *self)
{
    Py_hash_t x = _Py_HashPointer(PyMethod_GET_SELF(self));
    Py_hash_t y = PyObject_Hash(PyMethod_GET_FUNCTION(self));
    if (y == -1) {
        return -1;
    }
    x ^= y;
    return x == -1 ? -2 : x;
}

static PyObject *
method_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMethod_Check(self)
        || !PyMethod_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = PyObject_RichCompareBool(PyMethod_GET_FUNCTION(self),
                                      PyMethod_GET_FUNCTION(other), Py_EQ);
    if (eq < 0) {
        return NULL;
    }
    if (eq) {
        eq = PyMethod_GET_SELF(self) == PyMethod_GET_SELF(other);
    }
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static PyObject *
method_reduce(PyObject *self, PyObject *unused)
{
    PyObject *name =
        PyObject_GetAttr(PyMethod_GET_FUNCTION(self), KR_ID(__name__));
    if (name == NULL) {
        return NULL;
    }
    return Py_BuildValue("N(ON)", _PyEval_GetBuiltin(KR_ID(getattr)),
                         PyMethod_GET_SELF(self), name);
}

/* The docstring of what is called, whatever that is. */
static PyObject *
function_doc(PyObject *func)
{
    return PyObject_GetAttr(func, KR_ID(__doc__));
}

static PyObject *
method_get_doc(PyObject *self, void *context)
{
    return function_doc(PyMethod_GET_FUNCTION(self));
}

static PyMethodDef method_methods[] = {
    {"__reduce__", method_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\n")},
    {NULL},
};

static PyMemberDef method_members[] = {
    {"__func__", T_OBJECT, offsetof(PyMethodObject, im_func), READONLY,
     PyDoc_STR("the function that is called")},
    {"__self__", T_OBJECT, offsetof(PyMethodObject, im_self), READONLY,
     PyDoc_STR("the object the method is bound to")},
    {NULL},
};

static PyGetSetDef method_getsets[] = {
    {"__doc__", method_get_doc, NULL},
    {NULL},
};

PyTypeObject PyMethod_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "method",
    .tp_basicsize = sizeof(PyMethodObject),
    .tp_dealloc = method_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodObject, vectorcall),
    .tp_repr = method_repr,
    .tp_hash = method_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = method_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = PyDoc_STR("method(function, instance, /)\n--\n\n"
                        "Bind a function to an instance."),
    .tp_traverse = method_traverse,
    .tp_richcompare = method_richcompare,
    .tp_weaklistoffset = offsetof(PyMethodObject, im_weakreflist),
    .tp_methods = method_methods,
    .tp_members = method_members,
    .tp_getset = method_getsets,
    .tp_new = method_new,
};

/* ---- instancemethod ----------------------------------------------------- */

PyObject *
PyInstanceMethod_New(PyObject *func)
{
    PyInstanceMethodObject *m =
        PyObject_GC_New(PyInstanceMethodObject, &PyInstanceMethod_Type);
    if (m == NULL) {
        return NULL;
    }
    m->func = Py_NewRef(func);
    kr_gc_track((PyObject *)m);
    return (PyObject *)m;
}

PyObject *
PyInstanceMethod_Function(PyObject *im)
{
    if (!PyInstanceMethod_Check(im)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyInstanceMethod_GET_FUNCTION(im);
}

static PyObject *
instancemethod_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func;
    if (!_PyArg_NoKeywords("instancemethod", kwds)
        || !PyArg_UnpackTuple(args, "instancemethod", 1, 1, &func)) {
        return NULL;
    }
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return NULL;
    }
    return PyInstanceMethod_New(func);
}

static void
instancemethod_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_DECREF(PyInstanceMethod_GET_FUNCTION(self));
    PyObject_GC_Del(self);
}

static int
instancemethod_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(PyInstanceMethod_GET_FUNCTION(self));
    return 0;
}

static PyObject *
instancemethod_getattro(PyObject *self, PyObject *name)
{
    return attribute(self, PyInstanceMethod_GET_FUNCTION(self), name);
}

static PyObject *
instancemethod_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return PyObject_Call(PyInstanceMethod_GET_FUNCTION(self), args, kwds);
}

static PyObject *
instancemethod_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyObject *func = PyInstanceMethod_GET_FUNCTION(self);
    return obj == NULL ? Py_NewRef(func) : PyMethod_New(func, obj);
}

static PyObject *
instancemethod_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyInstanceMethod_Check(self)
        || !PyInstanceMethod_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = PyObject_RichCompareBool(PyInstanceMethod_GET_FUNCTION(self),
                                      PyInstanceMethod_GET_FUNCTION(other),
                                      Py_EQ);
    if (eq < 0) {
        return NULL;
    }
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static PyObject *
instancemethod_repr(PyObject *self)
{
    PyObject *func = PyInstanceMethod_Function(self);
    PyObject *name;
    if (_PyObject_LookupAttr(func, KR_ID(__name__), &name) < 0) {
        return NULL;
    }
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_CLEAR(name);
    }
    PyObject *res = PyUnicode_FromFormat("<instancemethod %V at %p>", name,
                                         "?", self);
    Py_XDECREF(name);
    return res;
}

static PyObject *
instancemethod_get_doc(PyObject *self, void *context)
{
    return function_doc(PyInstanceMethod_GET_FUNCTION(self));
}

static PyMemberDef instancemethod_members[] = {
    {"__func__", T_OBJECT, offsetof(PyInstanceMethodObject, func), READONLY,
     PyDoc_STR("the function that is called")},
    {NULL},
};

static PyGetSetDef instancemethod_getsets[] = {
    {"__doc__", instancemethod_get_doc, NULL},
    {NULL},
};

PyTypeObject PyInstanceMethod_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "instancemethod",
    .tp_basicsize = sizeof(PyInstanceMethodObject),
    .tp_dealloc = instancemethod_dealloc,
    .tp_repr = instancemethod_repr,
    .tp_call = instancemethod_call,
    .tp_getattro = instancemethod_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("instancemethod(function)\n\n"
                        "Bind a function to a class."),
    .tp_traverse = instancemethod_traverse,
    .tp_richcompare = instancemethod_richcompare,
    .tp_members = instancemethod_members,
    .tp_getset = instancemethod_getsets,
    .tp_descr_get = instancemethod_descr_get,
    .tp_new = instancemethod_new,
};
