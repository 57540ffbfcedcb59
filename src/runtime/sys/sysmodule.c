/* Module `sys`: its functions on the interpreter and the thread. */
#include "memory/domains.h"
#include "memory/tstate.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/int/int.h"
#include "objects/interp.h"
#include "runtime/sys/sys.h"
#include "vm/frame.h"
#include "vm/trace.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>
#include <structseq.h>

#define FAST(f) (PyCFunction)(void (*)(void))(f)

/* --- Exceptions and exit -------------------------------------------------------- */

static PyObject *
sys_exc_info(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *type, *value, *tb;
    PyErr_GetExcInfo(&type, &value, &tb);
    return Py_BuildValue("(NNN)", type ? type : Py_NewRef(Py_None),
                         value ? value : Py_NewRef(Py_None),
                         tb ? tb : Py_NewRef(Py_None));
}

static PyObject *
sys_exception(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *exc = PyErr_GetHandledException();
    return exc != NULL ? exc : Py_NewRef(Py_None);
}

static PyObject *
sys_exit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (_PyArg_CheckPositional("exit", nargs, 0, 1)) {
        PyErr_SetObject(PyExc_SystemExit, nargs > 0 ? args[0] : Py_None);
    }
    return NULL;
}

/* --- Encodings and interning ------------------------------------------------------ */

static PyObject *
sys_getdefaultencoding(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromString(PyUnicode_GetDefaultEncoding());
}

static PyObject *
sys_getfilesystemencoding(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromWideChar(kr_interp()->config.filesystem_encoding, -1);
}

static PyObject *
sys_getfilesystemencodeerrors(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromWideChar(kr_interp()->config.filesystem_errors, -1);
}

static PyObject *
sys_intern(PyObject *module, PyObject *s)
{
    if (!PyUnicode_Check(s)) {
        _PyArg_BadArgument("intern", "argument", "str", s);
        return NULL;
    }
    if (!PyUnicode_CheckExact(s)) {
        PyErr_Format(PyExc_TypeError, "can't intern %.400s",
                     Py_TYPE(s)->tp_name);
        return NULL;
    }
    Py_INCREF(s);
    PyUnicode_InternInPlace(&s);
    return s;
}

/* --- Tracing ------------------------------------------------------------------------ */

/* The functions behind sys.settrace and sys.setprofile: they call a Python
 * callable, which sits in c_traceobj or c_profileobj. */
static PyObject *
call_trampoline(PyObject *callback, PyFrameObject *frame, int what,
                PyObject *arg)
{
    PyObject *const names[] = {
        KR_ID(call), KR_ID(exception), KR_ID(line), KR_ID(return),
        KR_ID(c_call), KR_ID(c_exception), KR_ID(c_return), KR_ID(opcode)};
    PyObject *stack[3] = {(PyObject *)frame, names[what],
                          arg != NULL ? arg : Py_None};
    /* the callback may look at f_locals, and change them */
    PyObject *locals = PyObject_GetAttr((PyObject *)frame, KR_ID(f_locals));
    if (locals == NULL) {
        return NULL;
    }
    Py_DECREF(locals);
    PyObject *res = PyObject_Vectorcall(callback, stack, 3, NULL);
    void PyFrame_LocalsToFast(PyFrameObject *, int);
    PyFrame_LocalsToFast(frame, 1);
    if (res == NULL) {
        PyTraceBack_Here(frame);
    }
    return res;
}

static int
profile_trampoline(PyObject *self, PyFrameObject *frame, int what,
                   PyObject *arg)
{
    PyObject *res = call_trampoline(self, frame, what, arg);
    if (res == NULL) {
        PyEval_SetProfile(NULL, NULL);
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

static int
trace_trampoline(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *trace = PyObject_GetAttr((PyObject *)frame, KR_ID(f_trace));
    if (trace == NULL) {
        return -1;
    }
    PyObject *callback = what == PyTrace_CALL ? self : trace;
    if (callback == Py_None) {
        Py_DECREF(trace);
        return 0;
    }
    PyObject *res = call_trampoline(callback, frame, what, arg);
    Py_DECREF(trace);
    if (res == NULL) {
        PyEval_SetTrace(NULL, NULL);
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyObject_SetAttr((PyObject *)frame, KR_ID(f_trace), Py_None);
        PyErr_Restore(type, value, tb);
        return -1;
    }
    int status = 0;
    if (res != Py_None) {
        status = PyObject_SetAttr((PyObject *)frame, KR_ID(f_trace), res);
    }
    Py_DECREF(res);
    return status;
}

static PyObject *
sys_settrace(PyObject *module, PyObject *arg)
{
    PyThreadState *tstate = PyThreadState_Get();
    if (_PyEval_SetTrace(tstate, arg == Py_None ? NULL : trace_trampoline,
                         arg == Py_None ? NULL : arg) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sys_gettrace(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *obj = PyThreadState_Get()->c_traceobj;
    return Py_NewRef(obj != NULL ? obj : Py_None);
}

static PyObject *
sys_setprofile(PyObject *module, PyObject *arg)
{
    PyThreadState *tstate = PyThreadState_Get();
    if (_PyEval_SetProfile(tstate, arg == Py_None ? NULL : profile_trampoline,
                           arg == Py_None ? NULL : arg) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sys_getprofile(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *obj = PyThreadState_Get()->c_profileobj;
    return Py_NewRef(obj != NULL ? obj : Py_None);
}

static PyObject *
sys_call_tracing(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("call_tracing", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyTuple_Check(args[1])) {
        _PyArg_BadArgument("call_tracing", "argument 2", "tuple", args[1]);
        return NULL;
    }
    return _PyEval_CallTracing(args[0], args[1]);
}

/* --- Frames ------------------------------------------------------------------------- */

static PyObject *
sys__getframe(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int depth = 0;
    if (!_PyArg_CheckPositional("_getframe", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs > 0) {
        depth = _PyLong_AsInt(args[0]);
        if (depth == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    PyFrameObject *frame = kr_thread_frame_object(PyThreadState_Get());
    while (depth > 0 && frame != NULL) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
        depth--;
    }
    if (frame == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        PyErr_SetString(PyExc_ValueError, "call stack is not deep enough");
        return NULL;
    }
    if (PySys_Audit("sys._getframe", "(O)", frame) < 0) {
        Py_DECREF(frame);
        return NULL;
    }
    return (PyObject *)frame;
}

static PyObject *
sys__current_frames(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return _PyThread_CurrentFrames();
}

static PyObject *
sys__current_exceptions(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return _PyThread_CurrentExceptions();
}

/* --- Limits and switches ---------------------------------------------------------------- */

static PyObject *
sys_setswitchinterval(PyObject *module, PyObject *arg)
{
    double interval = PyFloat_AsDouble(arg);
    if (interval == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    if (!(interval > 0.0)) {
        PyErr_SetString(PyExc_ValueError,
                        "switch interval must be strictly positive");
        return NULL;
    }
    void _PyEval_SetSwitchInterval(unsigned long);
    _PyEval_SetSwitchInterval((unsigned long)(1e6 * interval));
    Py_RETURN_NONE;
}

static PyObject *
sys_getswitchinterval(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    unsigned long _PyEval_GetSwitchInterval(void);
    return PyFloat_FromDouble(1e-6 * (double)_PyEval_GetSwitchInterval());
}

static PyObject *
sys_setrecursionlimit(PyObject *module, PyObject *arg)
{
    int limit = _PyLong_AsInt(arg);
    if (limit == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (limit < 1) {
        PyErr_SetString(PyExc_ValueError,
                        "recursion limit must be greater or equal than 1");
        return NULL;
    }
    PyThreadState *tstate = PyThreadState_Get();
    int depth = tstate->recursion_limit - tstate->recursion_remaining;
    if (depth >= limit) {
        PyErr_Format(PyExc_RecursionError,
                     "cannot set the recursion limit to %i at the recursion "
                     "depth %i: the limit is too low",
                     limit, depth);
        return NULL;
    }
    Py_SetRecursionLimit(limit);
    Py_RETURN_NONE;
}

static PyObject *
sys_getrecursionlimit(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(Py_GetRecursionLimit());
}

static PyObject *
sys_get_int_max_str_digits(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(kr_int_max_str_digits());
}

static PyObject *
sys_set_int_max_str_digits(PyObject *module, PyObject *const *args,
                           Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"maxdigits", NULL};
    static _PyArg_Parser parser = {.format = "i:set_int_max_str_digits",
                                   .keywords = keywords};
    int digits;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &digits)) {
        return NULL;
    }
    if (digits != 0 && digits < 640) {
        PyErr_Format(PyExc_ValueError,
                     "maxdigits must be 0 or larger than %d", 640);
        return NULL;
    }
    kr_int_set_max_str_digits(digits);
    Py_RETURN_NONE;
}

static PyObject *
sys_setdlopenflags(PyObject *module, PyObject *arg)
{
    int flags = _PyLong_AsInt(arg);
    if (flags == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *value = PyLong_FromLong(flags);
    int res = value == NULL ? -1 : PySys_SetObject("_dlopenflags", value);
    Py_XDECREF(value);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sys_getdlopenflags(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *flags = PySys_GetObject("_dlopenflags");
    return flags != NULL ? Py_NewRef(flags) : PyLong_FromLong(RTLD_NOW);
}

static PyObject *
sys_is_finalizing(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(_Py_IsFinalizing());
}

/* --- Memory ------------------------------------------------------------------------------- */

static PyObject *
sys_getrefcount(PyObject *module, PyObject *object)
{
    return PyLong_FromSsize_t(Py_REFCNT(object));
}

static PyObject *
sys_getallocatedblocks(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(_Py_GetAllocatedBlocks());
}

/* Size by __sizeof__, with the header that CPython's collector would put in
 * front, so that figures compare. (size_t)-1 on failure. */
size_t
_PySys_GetSizeOf(PyObject *o)
{
    if (PyType_Ready(Py_TYPE(o)) < 0) {
        return (size_t)-1;
    }
    PyObject *method = NULL;
    PyObject *found = _PyType_Lookup(Py_TYPE(o), KR_ID(__sizeof__));
    if (found == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Type %.100s doesn't define __sizeof__",
                     Py_TYPE(o)->tp_name);
        return (size_t)-1;
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    method = get != NULL ? get(found, o, (PyObject *)Py_TYPE(o))
                         : Py_NewRef(found);
    PyObject *res = method == NULL ? NULL : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    if (res == NULL) {
        return (size_t)-1;
    }
    Py_ssize_t size = PyLong_AsSsize_t(res);
    Py_DECREF(res);
    if (size == -1 && PyErr_Occurred()) {
        return (size_t)-1;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "__sizeof__() should return >= 0");
        return (size_t)-1;
    }
    size_t header = PyType_IS_GC(Py_TYPE(o)) ? 16 : 0;
    if (PyType_HasFeature(Py_TYPE(o), Py_TPFLAGS_MANAGED_DICT)) {
        header += 16;
    }
    return (size_t)size + header;
}

static PyObject *
sys_getsizeof(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *kwlist[] = {"object", "default", NULL};
    PyObject *o, *fallback = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|O:getsizeof", kwlist, &o,
                                     &fallback)) {
        return NULL;
    }
    size_t size = _PySys_GetSizeOf(o);
    if (size == (size_t)-1 && PyErr_Occurred()) {
        if (fallback != NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            return Py_NewRef(fallback);
        }
        return NULL;
    }
    return PyLong_FromSize_t(size);
}

static PyObject *
sys__debugmallocstats(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    int _PyObject_DebugMallocStats(FILE *);
    if (_PyObject_DebugMallocStats(stderr)) {
        fputc('\n', stderr);
    }
    _PyObject_DebugTypeStats(stderr);
    Py_RETURN_NONE;
}

static PyObject *
sys__clear_type_cache(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyType_ClearCache();
    Py_RETURN_NONE;
}

/* --- Coroutines ------------------------------------------------------------------------------ */

static PyObject *
sys_set_coroutine_depth(PyObject *module, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"depth", NULL};
    static _PyArg_Parser parser = {
        .format = "i:set_coroutine_origin_tracking_depth",
        .keywords = keywords};
    int depth;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &depth)) {
        return NULL;
    }
    if (depth < 0) {
        PyErr_SetString(PyExc_ValueError, "depth must be >= 0");
        return NULL;
    }
    PyThreadState_Get()->coroutine_origin_tracking_depth = depth;
    Py_RETURN_NONE;
}

static PyObject *
sys_get_coroutine_depth(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(
        PyThreadState_Get()->coroutine_origin_tracking_depth);
}

/* Checks one hook: callable, None, or not given. 0 or -1. */
static int
check_hook(PyObject *hook, const char *name)
{
    if (hook != NULL && hook != Py_None && !PyCallable_Check(hook)) {
        PyErr_Format(PyExc_TypeError, "callable %s expected, got %.50s", name,
                     Py_TYPE(hook)->tp_name);
        return -1;
    }
    return 0;
}

static void
set_hook(PyObject **slot, PyObject *hook)
{
    if (hook != NULL) {
        Py_XSETREF(*slot, hook == Py_None ? NULL : Py_NewRef(hook));
    }
}

static PyObject *
sys_set_asyncgen_hooks(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *kwlist[] = {"firstiter", "finalizer", NULL};
    PyObject *firstiter = NULL, *finalizer = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO", kwlist, &firstiter,
                                     &finalizer) ||
        check_hook(finalizer, "finalizer") < 0 ||
        check_hook(firstiter, "firstiter") < 0) {
        return NULL;
    }
    PyThreadState *tstate = PyThreadState_Get();
    if (finalizer != NULL &&
        PySys_Audit("sys.set_asyncgen_hook_finalizer", NULL) < 0) {
        return NULL;
    }
    if (firstiter != NULL &&
        PySys_Audit("sys.set_asyncgen_hook_firstiter", NULL) < 0) {
        return NULL;
    }
    set_hook(&tstate->async_gen_finalizer, finalizer);
    set_hook(&tstate->async_gen_firstiter, firstiter);
    Py_RETURN_NONE;
}

static PyObject *
sys_get_asyncgen_hooks(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyThreadState *tstate = PyThreadState_Get();
    PyObject *res = PyStructSequence_New(&kr_asyncgen_hooks_type);
    if (res == NULL) {
        return NULL;
    }
    PyObject *first = tstate->async_gen_firstiter;
    PyObject *final = tstate->async_gen_finalizer;
    PyStructSequence_SET_ITEM(res, 0, Py_NewRef(first ? first : Py_None));
    PyStructSequence_SET_ITEM(res, 1, Py_NewRef(final ? final : Py_None));
    return res;
}

/* --- The module -------------------------------------------------------------------------------- */

static PyMethodDef sys_methods[] = {
    {"exc_info", sys_exc_info, METH_NOARGS,
     "exc_info($module, /)\n--\n\n"
     "Return current exception information: (type, value, traceback)."},
    {"exception", sys_exception, METH_NOARGS,
     "exception($module, /)\n--\n\n"
     "Return the current exception, or None."},
    {"exit", FAST(sys_exit), METH_FASTCALL,
     "exit($module, status=None, /)\n--\n\n"
     "Exit the interpreter by raising SystemExit(status)."},
    {"getdefaultencoding", sys_getdefaultencoding, METH_NOARGS,
     "getdefaultencoding($module, /)\n--\n\n"
     "Return the current default encoding used by the Unicode "
     "implementation."},
    {"getfilesystemencoding", sys_getfilesystemencoding, METH_NOARGS,
     "getfilesystemencoding($module, /)\n--\n\n"
     "Return the encoding used to convert Unicode filenames to OS "
     "filenames."},
    {"getfilesystemencodeerrors", sys_getfilesystemencodeerrors, METH_NOARGS,
     "getfilesystemencodeerrors($module, /)\n--\n\n"
     "Return the error mode used for Unicode to OS filename conversion."},
    {"intern", sys_intern, METH_O,
     "intern($module, string, /)\n--\n\n``Intern'' the given string."},
    {"settrace", sys_settrace, METH_O,
     "settrace(function)\n\nSet the global debug tracing function."},
    {"gettrace", sys_gettrace, METH_NOARGS,
     "gettrace($module, /)\n--\n\n"
     "Return the global debug tracing function set with sys.settrace."},
    {"setprofile", sys_setprofile, METH_O,
     "setprofile(function)\n\nSet the profiling function."},
    {"getprofile", sys_getprofile, METH_NOARGS,
     "getprofile($module, /)\n--\n\n"
     "Return the profiling function set with sys.setprofile."},
    {"call_tracing", FAST(sys_call_tracing), METH_FASTCALL,
     "call_tracing($module, func, args, /)\n--\n\n"
     "Call func(*args), while tracing is enabled."},
    {"_getframe", FAST(sys__getframe), METH_FASTCALL,
     "_getframe($module, depth=0, /)\n--\n\n"
     "Return a frame object from the call stack."},
    {"_current_frames", sys__current_frames, METH_NOARGS,
     "_current_frames($module, /)\n--\n\n"
     "Return a dict mapping each thread's thread id to its current stack "
     "frame."},
    {"_current_exceptions", sys__current_exceptions, METH_NOARGS,
     "_current_exceptions($module, /)\n--\n\n"
     "Return a dict mapping each thread's identifier to its current raised "
     "exception."},
    {"setswitchinterval", sys_setswitchinterval, METH_O,
     "setswitchinterval($module, interval, /)\n--\n\n"
     "Set the ideal thread switching delay inside the Python interpreter."},
    {"getswitchinterval", sys_getswitchinterval, METH_NOARGS,
     "getswitchinterval($module, /)\n--\n\n"
     "Return the current thread switch interval; see "
     "sys.setswitchinterval()."},
    {"setrecursionlimit", sys_setrecursionlimit, METH_O,
     "setrecursionlimit($module, limit, /)\n--\n\n"
     "Set the maximum depth of the Python interpreter stack to n."},
    {"getrecursionlimit", sys_getrecursionlimit, METH_NOARGS,
     "getrecursionlimit($module, /)\n--\n\n"
     "Return the current value of the recursion limit."},
    {"get_int_max_str_digits", sys_get_int_max_str_digits, METH_NOARGS,
     "get_int_max_str_digits($module, /)\n--\n\n"
     "Return the maximum string digits limit for non-binary int<->str "
     "conversions."},
    {"set_int_max_str_digits", FAST(sys_set_int_max_str_digits),
     METH_FASTCALL | METH_KEYWORDS,
     "set_int_max_str_digits($module, /, maxdigits)\n--\n\n"
     "Set the maximum string digits limit for non-binary int<->str "
     "conversions."},
    {"setdlopenflags", sys_setdlopenflags, METH_O,
     "setdlopenflags($module, flags, /)\n--\n\n"
     "Set the flags used by the interpreter for dlopen calls."},
    {"getdlopenflags", sys_getdlopenflags, METH_NOARGS,
     "getdlopenflags($module, /)\n--\n\n"
     "Return the current value of the flags that are used for dlopen "
     "calls."},
    {"is_finalizing", sys_is_finalizing, METH_NOARGS,
     "is_finalizing($module, /)\n--\n\n"
     "Return True if Python is exiting."},
    {"getrefcount", sys_getrefcount, METH_O,
     "getrefcount($module, object, /)\n--\n\n"
     "Return the reference count of object."},
    {"getallocatedblocks", sys_getallocatedblocks, METH_NOARGS,
     "getallocatedblocks($module, /)\n--\n\n"
     "Return the number of memory blocks currently allocated."},
    {"getsizeof", FAST(sys_getsizeof), METH_VARARGS | METH_KEYWORDS,
     "getsizeof(object [, default]) -> int\n\n"
     "Return the size of object in bytes."},
    {"_debugmallocstats", sys__debugmallocstats, METH_NOARGS,
     "_debugmallocstats($module, /)\n--\n\n"
     "Print statistics of the memory allocator to stderr."},
    {"_clear_type_cache", sys__clear_type_cache, METH_NOARGS,
     "_clear_type_cache($module, /)\n--\n\n"
     "Clear the internal type lookup cache."},
    {"set_coroutine_origin_tracking_depth", FAST(sys_set_coroutine_depth),
     METH_FASTCALL | METH_KEYWORDS,
     "set_coroutine_origin_tracking_depth($module, /, depth)\n--\n\n"
     "Enable or disable origin tracking for coroutine objects in this "
     "thread."},
    {"get_coroutine_origin_tracking_depth", sys_get_coroutine_depth,
     METH_NOARGS,
     "get_coroutine_origin_tracking_depth($module, /)\n--\n\n"
     "Check status of origin tracking for coroutine objects in this "
     "thread."},
    {"set_asyncgen_hooks", FAST(sys_set_asyncgen_hooks),
     METH_VARARGS | METH_KEYWORDS,
     "set_asyncgen_hooks(* [, firstiter] [, finalizer])\n\n"
     "Set a finalizer for async generators objects."},
    {"get_asyncgen_hooks", sys_get_asyncgen_hooks, METH_NOARGS,
     "get_asyncgen_hooks($module, /)\n--\n\n"
     "Return the installed asynchronous generators hooks."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef sys_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sys",
    .m_doc = "This module provides access to some objects used or maintained "
             "by the\ninterpreter and to functions that interact strongly "
             "with the interpreter.",
    .m_size = -1,
    .m_methods = sys_methods,
};

/* Keeps the originals of hooks that programs replace. */
static int
save_originals(PyObject *dict)
{
    static const char *const names[] = {"displayhook", "excepthook",
                                        "breakpointhook", "unraisablehook"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char saved[32];
        snprintf(saved, sizeof(saved), "__%s__", names[i]);
        PyObject *hook = PyDict_GetItemString(dict, names[i]);
        if (hook == NULL || PyDict_SetItemString(dict, saved, hook) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
kr_sys_create(PyInterpreterState *interp)
{
    PyObject *mod = PyModule_Create(&sys_module);
    if (mod == NULL) {
        return NULL;
    }
    PyObject *dict = PyModule_GetDict(mod);
    interp->sysdict = Py_NewRef(dict);
    PyObject *flags = PyLong_FromLong(RTLD_NOW);
    if (PyModule_AddFunctions(mod, kr_sys_hook_methods) < 0 ||
        PyDict_SetItemString(dict, "modules", interp->modules) < 0 ||
        flags == NULL ||
        PyDict_SetItemString(dict, "_dlopenflags", flags) < 0 ||
        save_originals(dict) < 0 || kr_sys_set_info(dict) < 0) {
        Py_CLEAR(mod);
    }
    Py_XDECREF(flags);
    return mod;
}
