/* BaseException: arguments, traceback, cause, context and notes. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

PyObject *
kr_base_exception_new(PyTypeObject *type, PyObject *args,
                      PyObject *Py_UNUSED(kwds))
{
    PyBaseExceptionObject *self =
        (PyBaseExceptionObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    /* tp_alloc zeroed the rest */
    self->args = args != NULL ? Py_NewRef(args) : PyTuple_New(0);
    if (self->args == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

int
kr_base_exception_init(PyBaseExceptionObject *self, PyObject *args,
                       PyObject *kwds)
{
    if (!_PyArg_NoKeywords(Py_TYPE(self)->tp_name, kwds)) {
        return -1;
    }
    Py_INCREF(args);
    Py_XSETREF(self->args, args);
    return 0;
}

int
kr_base_exception_clear(PyBaseExceptionObject *self)
{
    Py_CLEAR(self->dict);
    Py_CLEAR(self->args);
    Py_CLEAR(self->notes);
    Py_CLEAR(self->traceback);
    Py_CLEAR(self->cause);
    Py_CLEAR(self->context);
    return 0;
}

void
kr_base_exception_dealloc(PyBaseExceptionObject *self)
{
    PyObject_GC_UnTrack(self);
    /* a chain of contexts can be as long as the recursion limit and more */
    Py_TRASHCAN_BEGIN(self, kr_base_exception_dealloc)
    /* classes with a dealloc of their own have cleared theirs */
    PyTypeObject *type = Py_TYPE(self);
    while (type->tp_dealloc != (destructor)kr_base_exception_dealloc) {
        type = type->tp_base;
    }
    type->tp_clear((PyObject *)self);
    Py_TYPE(self)->tp_free((PyObject *)self);
    Py_TRASHCAN_END
}

int
kr_base_exception_traverse(PyBaseExceptionObject *self, visitproc visit,
                           void *arg)
{
    Py_VISIT(self->dict);
    Py_VISIT(self->args);
    Py_VISIT(self->notes);
    Py_VISIT(self->traceback);
    Py_VISIT(self->cause);
    Py_VISIT(self->context);
    return 0;
}

PyObject *
kr_base_exception_str(PyBaseExceptionObject *self)
{
    switch (PyTuple_GET_SIZE(self->args)) {
    case 0:
        return PyUnicode_FromString("");
    case 1:
        return PyObject_Str(PyTuple_GET_ITEM(self->args, 0));
    default:
        return PyObject_Str(self->args);
    }
}

static PyObject *
base_exception_repr(PyBaseExceptionObject *self)
{
    const char *name = _PyType_Name(Py_TYPE(self));
    if (PyTuple_GET_SIZE(self->args) == 1) {
        return PyUnicode_FromFormat("%s(%R)", name,
                                    PyTuple_GET_ITEM(self->args, 0));
    }
    return PyUnicode_FromFormat("%s%R", name, self->args);
}

static PyObject *
base_exception_reduce(PyBaseExceptionObject *self, PyObject *Py_UNUSED(ignored))
{
    if (self->args != NULL && self->dict != NULL) {
        return PyTuple_Pack(3, Py_TYPE(self), self->args, self->dict);
    }
    return PyTuple_Pack(2, Py_TYPE(self), self->args);
}

static PyObject *
base_exception_setstate(PyObject *self, PyObject *state)
{
    if (state == Py_None) {
        Py_RETURN_NONE;
    }
    if (!PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a dictionary");
        return NULL;
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(state, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        int res = PyObject_SetAttr(self, key, value);
        Py_DECREF(value);
        Py_DECREF(key);
        if (res < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
base_exception_with_traceback(PyObject *self, PyObject *tb)
{
    if (PyException_SetTraceback(self, tb)) {
        return NULL;
    }
    return Py_NewRef(self);
}

static PyObject *
base_exception_add_note(PyObject *self, PyObject *note)
{
    if (!PyUnicode_Check(note)) {
        PyErr_Format(PyExc_TypeError, "note must be a str, not '%s'",
                     Py_TYPE(note)->tp_name);
        return NULL;
    }
    PyObject *notes;
    if (_PyObject_LookupAttr(self, KR_ID(__notes__), &notes) < 0) {
        return NULL;
    }
    if (notes == NULL) {
        notes = PyList_New(0);
        if (notes == NULL ||
            PyObject_SetAttr(self, KR_ID(__notes__), notes) < 0) {
            Py_XDECREF(notes);
            return NULL;
        }
    }
    else if (!PyList_Check(notes)) {
        Py_DECREF(notes);
        PyErr_SetString(PyExc_TypeError,
                        "Cannot add note: __notes__ is not a list");
        return NULL;
    }
    int res = PyList_Append(notes, note);
    Py_DECREF(notes);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

int
_PyException_AddNote(PyObject *exc, PyObject *note)
{
    if (!PyExceptionInstance_Check(exc)) {
        PyErr_Format(PyExc_TypeError, "exc must be an exception, not '%s'",
                     Py_TYPE(exc)->tp_name);
        return -1;
    }
    PyObject *res = base_exception_add_note(exc, note);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static PyMethodDef base_exception_methods[] = {
    {"__reduce__", (PyCFunction)base_exception_reduce, METH_NOARGS, NULL},
    {"__setstate__", base_exception_setstate, METH_O, NULL},
    {"with_traceback", base_exception_with_traceback, METH_O,
     "Exception.with_traceback(tb) --\n"
     "    set self.__traceback__ to tb and return self."},
    {"add_note", base_exception_add_note, METH_O,
     "Exception.add_note(note) --\n"
     "    add a note to the exception"},
    {NULL, NULL, 0, NULL},
};

/* --- Attributes --------------------------------------------------------- */

static PyObject *
get_args(PyBaseExceptionObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->args != NULL ? self->args : Py_None);
}

static int
set_args(PyBaseExceptionObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "args may not be deleted");
        return -1;
    }
    PyObject *args = PySequence_Tuple(value);
    if (args == NULL) {
        return -1;
    }
    Py_XSETREF(self->args, args);
    return 0;
}

static PyObject *
get_traceback(PyBaseExceptionObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->traceback != NULL ? self->traceback : Py_None);
}

static int
set_traceback(PyBaseExceptionObject *self, PyObject *tb,
              void *Py_UNUSED(closure))
{
    if (tb == NULL) {
        PyErr_SetString(PyExc_TypeError, "__traceback__ may not be deleted");
        return -1;
    }
    if (tb != Py_None && !PyTraceBack_Check(tb)) {
        PyErr_SetString(PyExc_TypeError,
                        "__traceback__ must be a traceback or None");
        return -1;
    }
    Py_XSETREF(self->traceback, tb == Py_None ? NULL : Py_NewRef(tb));
    return 0;
}

/* Checks a value for __context__ or __cause__: NULL is a deletion, None
 * clears. Returns 0 with *exc a new reference or NULL, or -1. */
static int
check_related(PyObject *value, const char *attribute, const char *kind,
              PyObject **exc)
{
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%s may not be deleted", attribute);
        return -1;
    }
    if (value == Py_None) {
        *exc = NULL;
        return 0;
    }
    if (!PyExceptionInstance_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "exception %s must be None or derive from BaseException",
                     kind);
        return -1;
    }
    *exc = Py_NewRef(value);
    return 0;
}

static PyObject *
get_context(PyBaseExceptionObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->context != NULL ? self->context : Py_None);
}

static int
set_context(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    PyObject *exc;
    if (check_related(value, "__context__", "context", &exc) < 0) {
        return -1;
    }
    PyException_SetContext(self, exc);
    return 0;
}

static PyObject *
get_cause(PyBaseExceptionObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->cause != NULL ? self->cause : Py_None);
}

static int
set_cause(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    PyObject *exc;
    if (check_related(value, "__cause__", "cause", &exc) < 0) {
        return -1;
    }
    PyException_SetCause(self, exc);
    return 0;
}

static PyGetSetDef base_exception_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"args", (getter)get_args, (setter)set_args, NULL, NULL},
    {"__traceback__", (getter)get_traceback, (setter)set_traceback, NULL, NULL},
    {"__context__", (getter)get_context, (setter)set_context,
     "exception context", NULL},
    {"__cause__", (getter)get_cause, (setter)set_cause, "exception cause",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef base_exception_members[] = {
    {"__suppress_context__", T_BOOL,
     offsetof(PyBaseExceptionObject, suppress_context), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject KR_EXC(BaseException) = {
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},
    .tp_name = "BaseException",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = (destructor)kr_base_exception_dealloc,
    .tp_repr = (reprfunc)base_exception_repr,
    .tp_str = (reprfunc)kr_base_exception_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_BASE_EXC_SUBCLASS,
    .tp_doc = "Common base class for all exceptions",
    .tp_traverse = (traverseproc)kr_base_exception_traverse,
    .tp_clear = (inquiry)kr_base_exception_clear,
    .tp_methods = base_exception_methods,
    .tp_members = base_exception_members,
    .tp_getset = base_exception_getset,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = (initproc)kr_base_exception_init,
    .tp_new = kr_base_exception_new,
};

/* --- C API -------------------------------------------------------------- */

PyObject *
PyException_GetTraceback(PyObject *self)
{
    return Py_XNewRef(((PyBaseExceptionObject *)self)->traceback);
}

int
PyException_SetTraceback(PyObject *self, PyObject *tb)
{
    return set_traceback((PyBaseExceptionObject *)self, tb, NULL);
}

PyObject *
PyException_GetCause(PyObject *self)
{
    return Py_XNewRef(((PyBaseExceptionObject *)self)->cause);
}

/* Steals `cause`, which may be NULL. */
void
PyException_SetCause(PyObject *self, PyObject *cause)
{
    PyBaseExceptionObject *exc = (PyBaseExceptionObject *)self;
    exc->suppress_context = 1;
    Py_XSETREF(exc->cause, cause);
}

PyObject *
PyException_GetContext(PyObject *self)
{
    return Py_XNewRef(((PyBaseExceptionObject *)self)->context);
}

/* Steals `context`, which may be NULL. */
void
PyException_SetContext(PyObject *self, PyObject *context)
{
    Py_XSETREF(((PyBaseExceptionObject *)self)->context, context);
}

const char *
PyExceptionClass_Name(PyObject *cls)
{
    assert(PyExceptionClass_Check(cls));
    return ((PyTypeObject *)cls)->tp_name;
}
