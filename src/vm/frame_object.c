/* Frame objects: the view of a frame that Python code and the C API get. Made on
 * demand; while the function runs, the data stays in the data stack. */
#include <Python.h>
#include <opcode.h>
#include <structmember.h>

#include "code/code.h"
#include "code/opcode_meta.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "vm/eval.h"
#include "vm/frame.h"
#include "vm/frame_lineno.h"
#include "vm/function.h"

#define F(op) ((PyFrameObject *)(op))

static PyFrameObject *
new_object(PyCodeObject *co)
{
    PyFrameObject *f = PyObject_GC_NewVar(
        PyFrameObject, &PyFrame_Type, co->co_nlocalsplus + co->co_stacksize);
    if (f != NULL) {
        f->f_back = NULL;
        f->f_frame = NULL;
        f->f_trace = NULL;
        f->f_lineno = 0;
        f->f_trace_lines = 1;
        f->f_trace_opcodes = 0;
        f->f_fast_as_locals = 0;
        f->f_back_lost = 0;
    }
    return f;
}

PyFrameObject *
kr_frame_make_object(_PyInterpreterFrame *frame)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyFrameObject *f = new_object(frame->f_code);
    if (f == NULL) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(tb);
        return NULL;
    }
    PyErr_Restore(type, value, tb);
    if (frame->frame_obj != NULL) {
        /* a collection during the allocation made one: that one stays */
        f->f_frame = (_PyInterpreterFrame *)f->_f_frame_data;
        f->f_frame->owner = KR_FRAME_THREAD;
        Py_DECREF(f);
        return frame->frame_obj;
    }
    f->f_frame = frame;
    frame->frame_obj = f;
    return f;
}

/* A frame that is not running: for C code that writes traceback entries. */
PyFrameObject *
PyFrame_New(PyThreadState *Py_UNUSED(ts), PyCodeObject *co, PyObject *globals,
            PyObject *locals)
{
    PyFunctionObject *func =
        (PyFunctionObject *)PyFunction_New((PyObject *)co, globals);
    PyFrameObject *f = func == NULL ? NULL : new_object(co);
    if (f == NULL) {
        Py_XDECREF(func);
        return NULL;
    }
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)f->_f_frame_data;
    kr_frame_init(frame, func, Py_XNewRef(locals), co, 0);
    f->f_frame = frame;
    frame->owner = KR_FRAME_OBJECT;
    /* as if it had passed its RESUME, else it would be invisible */
    frame->prev_instr = _PyCode_CODE(co) + co->_co_firsttraceable;
    kr_gc_track((PyObject *)f);
    return f;
}

static int
frame_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyFrameObject *f = F(op);
    Py_VISIT(f->f_back);
    Py_VISIT(f->f_trace);
    return f->f_frame->owner == KR_FRAME_OBJECT
               ? kr_frame_traverse(f->f_frame, visit, arg)
               : 0;
}

/* Empties locals and stack; the rest stays for tracebacks. */
static int
frame_tp_clear(PyObject *op)
{
    PyFrameObject *f = F(op);
    Py_CLEAR(f->f_trace);
    int n = f->f_frame->stacktop;
    f->f_frame->stacktop = 0;
    for (int i = 0; i < n; i++) {
        Py_CLEAR(f->f_frame->localsplus[i]);
    }
    /* the locals are gone but their places are still valid */
    if (n >= f->f_frame->f_code->co_nlocalsplus) {
        f->f_frame->stacktop = f->f_frame->f_code->co_nlocalsplus;
    }
    Py_CLEAR(f->f_frame->f_locals);
    return 0;
}

static void
frame_dealloc(PyObject *op)
{
    PyFrameObject *f = F(op);
    if (PyObject_GC_IsTracked(op)) {
        kr_gc_untrack(op);
    }
    Py_TRASHCAN_BEGIN(op, frame_dealloc)
    _PyInterpreterFrame *frame = f->f_frame;
    PyObject *code = NULL;
    if (frame != NULL && frame->owner == KR_FRAME_OBJECT) {
        int n = frame->stacktop;
        frame->stacktop = 0;
        for (int i = 0; i < n; i++) {
            Py_CLEAR(frame->localsplus[i]);
        }
        code = (PyObject *)frame->f_code;
        frame->f_code = NULL;
        Py_CLEAR(frame->f_func);
        Py_CLEAR(frame->f_locals);
    }
    Py_CLEAR(f->f_back);
    Py_CLEAR(f->f_trace);
    PyObject_GC_Del(f);
    Py_XDECREF(code);
    Py_TRASHCAN_END
}

/* The C API. */

PyCodeObject *
PyFrame_GetCode(PyFrameObject *f)
{
    return (PyCodeObject *)Py_NewRef((PyObject *)f->f_frame->f_code);
}

PyFrameObject *
PyFrame_GetBack(PyFrameObject *f)
{
    PyFrameObject *back = f->f_back;
    if (f->f_back_lost) {
        PyErr_NoMemory();
        return NULL;
    }
    if (back == NULL) {
        _PyInterpreterFrame *previous = f->f_frame->previous;
        while (previous != NULL && kr_frame_incomplete(previous)) {
            previous = previous->previous;
        }
        if (previous != NULL) {
            back = kr_frame_object(previous);
        }
    }
    return (PyFrameObject *)Py_XNewRef((PyObject *)back);
}

PyObject *
PyFrame_GetGlobals(PyFrameObject *f)
{
    return Py_NewRef(f->f_frame->f_globals);
}

PyObject *
PyFrame_GetBuiltins(PyFrameObject *f)
{
    return Py_NewRef(f->f_frame->f_builtins);
}

int
PyFrame_GetLasti(PyFrameObject *f)
{
    int lasti = kr_frame_lasti(f->f_frame);
    return lasti < 0 ? -1 : lasti;
}

PyObject *
PyFrame_GetGenerator(PyFrameObject *f)
{
    if (f->f_frame->owner != KR_FRAME_GENERATOR) {
        return NULL;
    }
    return Py_NewRef((PyObject *)kr_frame_generator(f->f_frame));
}

int
PyFrame_GetLineNumber(PyFrameObject *f)
{
    return f->f_lineno != 0
               ? f->f_lineno
               : PyCode_Addr2Line(f->f_frame->f_code,
                                  kr_frame_lasti(f->f_frame));
}

int
_PyFrame_IsEntryFrame(PyFrameObject *f)
{
    return f->f_frame->is_entry == KR_EXIT_C;
}

PyObject *
PyFrame_GetLocals(PyFrameObject *f)
{
    if (PyFrame_FastToLocalsWithError(f) < 0) {
        return NULL;
    }
    return Py_NewRef(f->f_frame->f_locals);
}

/* Variables and f_locals. */

/* The value of variable `i`, or NULL; borrowed. Arguments that are cells hold
 * the bare value until MAKE_CELL has run; the free variables of a function
 * that has not started are in its closure. */
static PyObject *
variable(_PyInterpreterFrame *f, int i)
{
    PyCodeObject *co = f->f_code;
    int kind = PyBytes_AS_STRING(co->co_localspluskinds)[i] & 255;
    PyObject *v = f->localsplus[i];
    if (kind & KR_LOCAL_FREE) {
        return v != NULL ? PyCell_GET(v) : NULL;
    }
    if (kind & KR_LOCAL_CELL && v != NULL && PyCell_Check(v) &&
        kr_frame_lasti(f) >= 0) {
        return PyCell_GET(v);
    }
    return v;
}

/* A frame before its COPY_FREE_VARS has no free variables yet. */
static void
copy_free_vars(_PyInterpreterFrame *f)
{
    PyCodeObject *co = f->f_code;
    PyObject *closure = f->f_func->func_closure;
    if (kr_frame_lasti(f) >= 0 || co->co_nfreevars == 0 || closure == NULL ||
        KR_OPCODE(_PyCode_CODE(co)[0]) != COPY_FREE_VARS) {
        return;
    }
    int at = co->co_nlocalsplus - co->co_nfreevars;
    for (int i = 0; i < co->co_nfreevars; i++) {
        Py_XINCREF(PyTuple_GET_ITEM(closure, i));
        Py_XSETREF(f->localsplus[at + i], PyTuple_GET_ITEM(closure, i));
    }
    f->prev_instr = _PyCode_CODE(co); /* COPY_FREE_VARS is done */
}

int
kr_frame_fast_to_locals(_PyInterpreterFrame *f)
{
    if (f->f_locals == NULL) {
        f->f_locals = PyDict_New();
        if (f->f_locals == NULL) {
            return -1;
        }
    }
    copy_free_vars(f);
    PyCodeObject *co = f->f_code;
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        int kind = PyBytes_AS_STRING(co->co_localspluskinds)[i] & 255;
        if (kind & KR_LOCAL_FREE && !(co->co_flags & CO_OPTIMIZED)) {
            continue; /* class bodies see only their own names */
        }
        PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, i);
        PyObject *value = variable(f, i);
        if (value != NULL) {
            if (PyObject_SetItem(f->f_locals, name, value) < 0) {
                return -1;
            }
        }
        else if (PyObject_DelItem(f->f_locals, name) != 0) {
            if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
                return -1;
            }
            PyErr_Clear();
        }
    }
    return 0;
}

static void
set_variable(_PyInterpreterFrame *f, int i, PyObject *value)
{
    int kind = PyBytes_AS_STRING(f->f_code->co_localspluskinds)[i] & 255;
    PyObject *old = f->localsplus[i];
    PyObject *cell = NULL;
    if (kind & KR_LOCAL_FREE) {
        cell = old;
    }
    else if (kind & KR_LOCAL_CELL && old != NULL && PyCell_Check(old) &&
             kr_frame_lasti(f) >= 0) {
        cell = old;
    }
    if (cell != NULL) {
        old = PyCell_GET(cell);
        if (value != old) {
            Py_XINCREF(value);
            PyCell_SET(cell, value);
            Py_XDECREF(old);
        }
    }
    else if (value != old) {
        Py_XINCREF(value);
        f->localsplus[i] = value;
        Py_XDECREF(old);
    }
}

void
kr_frame_locals_to_fast(_PyInterpreterFrame *f, int clear)
{
    PyObject *locals = f->f_locals;
    PyCodeObject *co = f->f_code;
    if (locals == NULL) {
        return;
    }
    PyObject *type, *exc, *tb;
    PyErr_Fetch(&type, &exc, &tb);
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        int kind = PyBytes_AS_STRING(co->co_localspluskinds)[i] & 255;
        if (kind & KR_LOCAL_FREE && !(co->co_flags & CO_OPTIMIZED)) {
            continue;
        }
        PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, i);
        PyObject *value = PyObject_GetItem(locals, name);
        if (value == NULL) {
            PyErr_Clear();
            if (!clear) {
                continue;
            }
        }
        set_variable(f, i, value);
        Py_XDECREF(value);
    }
    PyErr_Restore(type, exc, tb);
}

int
PyFrame_FastToLocalsWithError(PyFrameObject *f)
{
    if (f == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    int err = kr_frame_fast_to_locals(f->f_frame);
    if (err == 0) {
        f->f_fast_as_locals = 1;
    }
    return err;
}

void
PyFrame_FastToLocals(PyFrameObject *f)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    if (PyFrame_FastToLocalsWithError(f) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, value, tb);
}

void
PyFrame_LocalsToFast(PyFrameObject *f, int clear)
{
    if (f == NULL || !f->f_fast_as_locals) {
        return;
    }
    kr_frame_locals_to_fast(f->f_frame, clear);
    f->f_fast_as_locals = 0;
}

/* Attributes. */

static PyObject *
get_back(PyObject *f, void *Py_UNUSED(closure))
{
    PyObject *back = (PyObject *)PyFrame_GetBack(F(f));
    return back != NULL       ? back
           : PyErr_Occurred() ? NULL
                              : Py_NewRef(Py_None);
}

static PyObject *
get_code(PyObject *f, void *Py_UNUSED(closure))
{
    if (PySys_Audit("object.__getattr__", "Os", f, "f_code") < 0) {
        return NULL;
    }
    return (PyObject *)PyFrame_GetCode(F(f));
}

static PyObject *
get_builtins(PyObject *f, void *Py_UNUSED(closure))
{
    return PyFrame_GetBuiltins(F(f));
}

static PyObject *
get_globals(PyObject *f, void *Py_UNUSED(closure))
{
    return PyFrame_GetGlobals(F(f));
}

static PyObject *
get_locals(PyObject *f, void *Py_UNUSED(closure))
{
    return PyFrame_GetLocals(F(f));
}

static PyObject *
get_lasti(PyObject *f, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(PyFrame_GetLasti(F(f)));
}

static PyObject *
get_lineno(PyObject *f, void *Py_UNUSED(closure))
{
    int line = PyFrame_GetLineNumber(F(f));
    return line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
}

static int
set_lineno(PyObject *f, PyObject *value, void *Py_UNUSED(closure))
{
    return kr_frame_set_lineno(F(f), value);
}

static PyObject *
get_trace(PyObject *f, void *Py_UNUSED(closure))
{
    return Py_NewRef(F(f)->f_trace ? F(f)->f_trace : Py_None);
}

static int
set_trace(PyObject *f, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == Py_None) {
        value = NULL;
    }
    Py_XINCREF(value);
    Py_XSETREF(F(f)->f_trace, value);
    return 0;
}

static PyObject *
get_trace_opcodes(PyObject *f, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(F(f)->f_trace_opcodes);
}

static int
set_trace_opcodes(PyObject *f, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL || !PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
        return -1;
    }
    F(f)->f_trace_opcodes = value == Py_True;
    return 0;
}

static PyObject *
frame_clear(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    _PyInterpreterFrame *frame = F(op)->f_frame;
    if (frame->owner == KR_FRAME_GENERATOR) {
        PyGenObject *gen = kr_frame_generator(frame);
        if (gen->gi_frame_state == KR_GEN_EXECUTING) {
            goto running;
        }
        _PyGen_Finalize((PyObject *)gen);
    }
    else if (frame->owner == KR_FRAME_THREAD) {
        goto running;
    }
    else {
        frame_tp_clear(op);
    }
    Py_RETURN_NONE;
running:
    PyErr_SetString(PyExc_RuntimeError, "cannot clear an executing frame");
    return NULL;
}

static PyObject *
frame_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyCodeObject *co = F(op)->f_frame->f_code;
    return PyLong_FromSize_t(offsetof(PyFrameObject, _f_frame_data) +
                             kr_frame_words(co) * sizeof(PyObject *));
}

static PyObject *
frame_repr(PyObject *op)
{
    PyCodeObject *co = F(op)->f_frame->f_code;
    return PyUnicode_FromFormat("<frame at %p, file %R, line %d, code %S>", op,
                                co->co_filename, PyFrame_GetLineNumber(F(op)),
                                co->co_name);
}

static PyMemberDef frame_members[] = {
    {"f_trace_lines", T_BOOL, offsetof(PyFrameObject, f_trace_lines), 0},
    {NULL},
};

static PyGetSetDef frame_getset[] = {
    {"f_back", get_back, NULL, NULL, NULL},
    {"f_locals", get_locals, NULL, NULL, NULL},
    {"f_lineno", get_lineno, set_lineno, NULL, NULL},
    {"f_trace", get_trace, set_trace, NULL, NULL},
    {"f_lasti", get_lasti, NULL, NULL, NULL},
    {"f_globals", get_globals, NULL, NULL, NULL},
    {"f_builtins", get_builtins, NULL, NULL, NULL},
    {"f_code", get_code, NULL, NULL, NULL},
    {"f_trace_opcodes", get_trace_opcodes, set_trace_opcodes, NULL, NULL},
    {NULL},
};

static PyMethodDef frame_methods[] = {
    {"clear", frame_clear, METH_NOARGS,
     "F.clear(): clear most references held by the frame"},
    {"__sizeof__", frame_sizeof, METH_NOARGS,
     "F.__sizeof__() -> size of F in memory, in bytes"},
    {NULL},
};

PyTypeObject PyFrame_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "frame",
    .tp_basicsize = offsetof(PyFrameObject, _f_frame_data) +
                    offsetof(_PyInterpreterFrame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = frame_dealloc,
    .tp_repr = frame_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = frame_traverse,
    .tp_clear = frame_tp_clear,
    .tp_methods = frame_methods,
    .tp_members = frame_members,
    .tp_getset = frame_getset,
};
