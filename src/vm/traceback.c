/* Traceback objects. */
#include "vm/traceback.h"

#include "code/code.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/args/named.h"
#include "objects/errors.h"
#include "vm/eval.h"
#include "vm/frame.h"

#include <structmember.h>

#define TB(op) ((PyTracebackObject *)(op))

static PyObject *
new_traceback(PyObject *next, PyFrameObject *frame, int lasti, int lineno)
{
    PyTracebackObject *tb =
        PyObject_GC_New(PyTracebackObject, &PyTraceBack_Type);
    if (tb != NULL) {
        tb->tb_next = TB(Py_XNewRef(next));
        tb->tb_frame = (PyFrameObject *)Py_NewRef((PyObject *)frame);
        tb->tb_lasti = lasti;
        tb->tb_lineno = lineno;
        kr_gc_track((PyObject *)tb);
    }
    return (PyObject *)tb;
}

PyObject *
_PyTraceBack_FromFrame(PyObject *next, PyFrameObject *frame)
{
    /* most exceptions are handled without anybody asking for the line */
    int line = frame->f_lineno != 0 ? PyFrame_GetLineNumber(frame) : -1;
    return new_traceback(next, frame, PyFrame_GetLasti(frame), line);
}

int
PyTraceBack_Here(PyFrameObject *frame)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *newtb = _PyTraceBack_FromFrame(tb, frame);
    if (newtb == NULL) {
        /* keep the first exception, with the new one chained */
        _PyErr_ChainExceptions(type, value, tb);
        return -1;
    }
    PyErr_Restore(type, value, newtb);
    Py_XDECREF(tb);
    return 0;
}

/* tb_lineno is looked up on demand when it is -1. */
int
kr_traceback_line(PyTracebackObject *tb)
{
    return tb->tb_lineno != -1
               ? tb->tb_lineno
               : PyCode_Addr2Line(tb->tb_frame->f_frame->f_code, tb->tb_lasti);
}

static PyObject *
tb_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tb_next", "tb_frame", "tb_lasti", "tb_lineno",
                               NULL};
    PyObject *next, *frame;
    int lasti, lineno;
    if (!kr_parse_tuple_named(args, kwargs, "OO!ii:TracebackType", keywords,
                              &next, &PyFrame_Type, &frame, &lasti, &lineno)) {
        return NULL;
    }
    if (next == Py_None) {
        next = NULL;
    }
    else if (!PyTraceBack_Check(next)) {
        PyErr_Format(PyExc_TypeError,
                     "expected traceback object or None, got '%s'",
                     Py_TYPE(next)->tp_name);
        return NULL;
    }
    return new_traceback(next, (PyFrameObject *)frame, lasti, lineno);
}

static PyObject *
tb_dir(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("[ssss]", "tb_frame", "tb_next", "tb_lasti",
                         "tb_lineno");
}

static PyObject *
get_next(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *next = (PyObject *)TB(self)->tb_next;
    return Py_NewRef(next ? next : Py_None);
}

static int
set_next(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete tb_next attribute");
        return -1;
    }
    if (value == Py_None) {
        value = NULL;
    }
    else if (!PyTraceBack_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "expected traceback object, got '%s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    for (PyTracebackObject *at = TB(value); at != NULL; at = at->tb_next) {
        if ((PyObject *)at == self) {
            PyErr_SetString(PyExc_ValueError, "traceback loop detected");
            return -1;
        }
    }
    PyTracebackObject *old = TB(self)->tb_next;
    TB(self)->tb_next = TB(Py_XNewRef(value));
    Py_XDECREF(old);
    return 0;
}

static PyObject *
get_lineno(PyObject *self, void *Py_UNUSED(closure))
{
    int line = kr_traceback_line(TB(self));
    return line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
}

static void
tb_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(self, tb_dealloc)
    Py_XDECREF(TB(self)->tb_next);
    Py_XDECREF(TB(self)->tb_frame);
    PyObject_GC_Del(self);
    Py_TRASHCAN_END
}

static int
tb_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(TB(self)->tb_next);
    Py_VISIT(TB(self)->tb_frame);
    return 0;
}

static int
tb_clear(PyObject *self)
{
    Py_CLEAR(TB(self)->tb_next);
    Py_CLEAR(TB(self)->tb_frame);
    return 0;
}

static PyMethodDef tb_methods[] = {
    {"__dir__", tb_dir, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef tb_members[] = {
    {"tb_frame", T_OBJECT, offsetof(PyTracebackObject, tb_frame),
     READONLY | PY_AUDIT_READ},
    {"tb_lasti", T_INT, offsetof(PyTracebackObject, tb_lasti), READONLY},
    {NULL},
};

static PyGetSetDef tb_getset[] = {
    {"tb_next", get_next, set_next, NULL, NULL},
    {"tb_lineno", get_lineno, NULL, NULL, NULL},
    {NULL},
};

PyDoc_STRVAR(tb_doc,
             "TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\n"
             "One entry of the way an exception went.");

PyTypeObject PyTraceBack_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "traceback",
    .tp_basicsize = sizeof(PyTracebackObject),
    .tp_dealloc = tb_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = tb_doc,
    .tp_traverse = tb_traverse,
    .tp_clear = tb_clear,
    .tp_methods = tb_methods,
    .tp_members = tb_members,
    .tp_getset = tb_getset,
    .tp_new = tb_new,
};

/* An entry for a function that is written in C. */
void
_PyTraceback_Add(const char *funcname, const char *filename, int lineno)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *globals = PyDict_New();
    PyCodeObject *co =
        globals == NULL ? NULL : PyCode_NewEmpty(filename, funcname, lineno);
    PyFrameObject *frame =
        co == NULL ? NULL : PyFrame_New(kr_tstate(), co, globals, NULL);
    if (frame == NULL) {
        _PyErr_ChainExceptions(type, value, tb);
    }
    else {
        frame->f_lineno = lineno;
        PyErr_Restore(type, value, tb);
        PyTraceBack_Here(frame);
    }
    Py_XDECREF((PyObject *)frame);
    Py_XDECREF(co);
    Py_XDECREF(globals);
}
