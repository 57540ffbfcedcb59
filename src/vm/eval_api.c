/* PyEval_ functions: running code, and questions about what is running. */
#include "objects/ids.h"
#include "code/code.h"
#include "vm/function.h"
#include "vm/support.h"
#include "vm/eval.h"

/* A function for code that has no `def`: a module, an eval string. */
static PyFunctionObject *
bare_function(PyObject *code, PyObject *globals)
{
    if (!PyCode_Check(code)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return (PyFunctionObject *)PyFunction_New(code, globals);
}

PyObject *
PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals)
{
    PyThreadState *ts = kr_tstate();
    if (globals == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "PyEval_EvalCode: NULL globals");
        return NULL;
    }
    PyFunctionObject *func = bare_function(code, globals);
    if (func == NULL) {
        return NULL;
    }
    PyObject *result = _PyEval_Vector(
        ts, func, locals == NULL ? globals : locals, NULL, 0, NULL);
    Py_DECREF(func);
    return result;
}

PyObject *
PyEval_EvalCodeEx(PyObject *code, PyObject *globals, PyObject *locals,
                  PyObject *const *args, int argcount, PyObject *const *kws,
                  int kwcount, PyObject *const *defs, int defcount,
                  PyObject *kwdefs, PyObject *closure)
{
    PyFunctionObject *func = bare_function(code, globals);
    if (func == NULL) {
        return NULL;
    }
    PyObject *result = NULL, *kwnames = NULL;
    PyObject **all = PyMem_New(PyObject *, argcount + kwcount + 1);
    PyObject *defaults = PyTuple_New(defcount);
    if (kwcount > 0) {
        kwnames = PyTuple_New(kwcount);
    }
    if (all == NULL || defaults == NULL || (kwcount > 0 && kwnames == NULL)) {
        if (all == NULL) {
            PyErr_NoMemory();
        }
        goto done;
    }
    for (int i = 0; i < argcount; i++) {
        all[i] = args[i];
    }
    for (int i = 0; i < kwcount; i++) {
        PyTuple_SET_ITEM(kwnames, i, Py_NewRef(kws[2 * i]));
        all[argcount + i] = kws[2 * i + 1];
    }
    for (int i = 0; i < defcount; i++) {
        PyTuple_SET_ITEM(defaults, i, Py_NewRef(defs[i]));
    }
    func->func_defaults = Py_NewRef(defaults);
    func->func_kwdefaults = Py_XNewRef(kwdefs);
    func->func_closure = Py_XNewRef(closure);
    if (locals == NULL &&
        !(((PyCodeObject *)code)->co_flags & CO_OPTIMIZED)) {
        locals = globals;
    }
    result = _PyEval_Vector(kr_tstate(), func, locals, all, (size_t)argcount,
                            kwnames);
done:
    PyMem_Free(all);
    Py_XDECREF(kwnames);
    Py_XDECREF(defaults);
    Py_DECREF(func);
    return result;
}

PyObject *
PyEval_EvalFrameEx(PyFrameObject *f, int throwing)
{
    return kr_eval_frame(kr_tstate(), f->f_frame, throwing);
}

PyObject *
PyEval_EvalFrame(PyFrameObject *f)
{
    return PyEval_EvalFrameEx(f, 0);
}

PyFrameObject *
PyEval_GetFrame(void)
{
    _PyInterpreterFrame *f = kr_current_frame(PyThreadState_Get());
    if (f == NULL) {
        return NULL;
    }
    PyFrameObject *object = kr_frame_object(f);
    if (object == NULL) {
        PyErr_Clear();
    }
    return object;
}

PyFrameObject *
kr_thread_frame_object(PyThreadState *ts)
{
    _PyInterpreterFrame *f = kr_current_frame(ts);
    return f == NULL ? NULL
                     : (PyFrameObject *)Py_XNewRef(
                           (PyObject *)kr_frame_object(f));
}

PyFrameObject *
PyThreadState_GetFrame(PyThreadState *ts)
{
    _PyInterpreterFrame *f = kr_current_frame(ts);
    PyFrameObject *object = kr_thread_frame_object(ts);
    if (object == NULL && f != NULL) {
        PyErr_Clear();
    }
    return object;
}

PyObject *
PyEval_GetLocals(void)
{
    _PyInterpreterFrame *f = kr_current_frame(PyThreadState_Get());
    if (f == NULL) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    return kr_frame_fast_to_locals(f) < 0 ? NULL : f->f_locals;
}

PyObject *
PyEval_GetGlobals(void)
{
    _PyInterpreterFrame *f = kr_current_frame(PyThreadState_Get());
    return f == NULL ? NULL : f->f_globals;
}

PyObject *
PyEval_GetBuiltins(void)
{
    PyThreadState *ts = PyThreadState_Get();
    _PyInterpreterFrame *f = kr_current_frame(ts);
    return f != NULL ? f->f_builtins : ts->interp->builtins;
}

PyObject *
_PyEval_GetBuiltin(PyObject *name)
{
    PyObject *value =
        PyDict_GetItemWithError(PyEval_GetBuiltins(), name);
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return Py_XNewRef(value);
}

PyObject *
_PyEval_GetBuiltinId(_Py_Identifier *name)
{
    return _PyEval_GetBuiltin(_PyUnicode_FromId(name));
}

int
PyEval_MergeCompilerFlags(PyCompilerFlags *cf)
{
    _PyInterpreterFrame *f = kr_tstate()->cframe->current_frame;
    int result = cf->cf_flags != 0;
    if (f != NULL) {
        int flags = f->f_code->co_flags & PyCF_MASK;
        if (flags) {
            result = 1;
            cf->cf_flags |= flags;
        }
    }
    return result;
}

const char *
PyEval_GetFuncName(PyObject *func)
{
    if (PyMethod_Check(func)) {
        return PyEval_GetFuncName(PyMethod_GET_FUNCTION(func));
    }
    if (PyFunction_Check(func)) {
        return PyUnicode_AsUTF8(((PyFunctionObject *)func)->func_name);
    }
    if (PyCFunction_Check(func)) {
        return ((PyCFunctionObject *)func)->m_ml->ml_name;
    }
    return Py_TYPE(func)->tp_name;
}

const char *
PyEval_GetFuncDesc(PyObject *func)
{
    return PyMethod_Check(func) || PyFunction_Check(func) ||
                   PyCFunction_Check(func)
               ? "()"
               : " object";
}

/* Index of a slice: None leaves *result alone. */
int
_PyEval_SliceIndexNotNone(PyObject *v, Py_ssize_t *result)
{
    if (!PyIndex_Check(v)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or have an "
                        "__index__ method");
        return 0;
    }
    Py_ssize_t x = PyNumber_AsSsize_t(v, NULL);
    if (x == -1 && PyErr_Occurred()) {
        return 0;
    }
    *result = x;
    return 1;
}

int
_PyEval_SliceIndex(PyObject *v, Py_ssize_t *result)
{
    if (Py_IsNone(v)) {
        return 1;
    }
    if (!PyIndex_Check(v)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or None or have an "
                        "__index__ method");
        return 0;
    }
    return _PyEval_SliceIndexNotNone(v, result);
}
