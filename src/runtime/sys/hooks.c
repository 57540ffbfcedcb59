/* Hooks of `sys`: audit, display, breakpoint, unraisable exceptions. */
#include "memory/tstate.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/run.h"
#include "runtime/sys/sys.h"

#include <stdlib.h>
#include <string.h>
#include <structseq.h>

/* --- Audit (PEP 578) -------------------------------------------------------------- */

struct audit_hook {
    struct audit_hook *next;
    Py_AuditHookFunction func;
    void *data;
};

static struct kr_audit_state {
    struct audit_hook *hooks;
} kr_audit_state;

static int
call_c_hooks(const char *event, PyObject *args)
{
    for (struct audit_hook *h = kr_audit_state.hooks; h != NULL; h = h->next) {
        if (h->func(event, args, h->data) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Calls one Python hook, with tracing off unless it asks for it. */
static int
call_python_hook(PyThreadState *tstate, PyObject *hook, PyObject *event,
                 PyObject *args)
{
    PyObject *can_trace;
    int trace = 0;
    if (_PyObject_LookupAttr(hook, KR_ID(__cantrace__), &can_trace) < 0) {
        return -1;
    }
    if (can_trace != NULL) {
        trace = PyObject_IsTrue(can_trace);
        Py_DECREF(can_trace);
    }
    if (trace <= 0) {
        PyThreadState_EnterTracing(tstate);
    }
    PyObject *stack[2] = {event, args};
    PyObject *res = PyObject_Vectorcall(hook, stack, 2, NULL);
    if (trace <= 0) {
        PyThreadState_LeaveTracing(tstate);
    }
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static int
call_python_hooks(PyThreadState *tstate, const char *event, PyObject *args)
{
    PyObject *hooks = tstate->interp->audit_hooks;
    PyObject *name = PyUnicode_FromString(event);
    if (name == NULL) {
        return -1;
    }
    int res = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks) && res == 0; i++) {
        PyObject *hook = Py_NewRef(PyList_GET_ITEM(hooks, i));
        res = call_python_hook(tstate, hook, name, args);
        Py_DECREF(hook);
    }
    Py_DECREF(name);
    return res;
}

static int
run_hooks(PyThreadState *tstate, const char *event, PyObject *args)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    int res = call_c_hooks(event, args);
    if (res == 0 && tstate->interp->audit_hooks != NULL) {
        res = call_python_hooks(tstate, event, args);
    }
    if (res == 0) {
        PyErr_Restore(type, value, tb);
    }
    else {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(tb);
    }
    return res;
}

static int
has_hooks(PyThreadState *tstate)
{
    return tstate != NULL && (kr_audit_state.hooks != NULL ||
                              tstate->interp->audit_hooks != NULL);
}

int
PySys_Audit(const char *event, const char *format, ...)
{
    PyThreadState *tstate = kr_tstate();
    if (!has_hooks(tstate)) {
        return 0;
    }
    PyObject *args;
    if (format == NULL || *format == '\0') {
        args = PyTuple_New(0);
    }
    else {
        va_list va;
        va_start(va, format);
        args = _Py_VaBuildValue_SizeT(format, va);
        va_end(va);
    }
    if (args != NULL && !PyTuple_Check(args)) {
        Py_SETREF(args, PyTuple_Pack(1, args));
    }
    if (args == NULL) {
        return -1;
    }
    int res = run_hooks(tstate, event, args);
    Py_DECREF(args);
    return res;
}

int
PySys_AddAuditHook(Py_AuditHookFunction hook, void *data)
{
    if (kr_tstate() != NULL && PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
            PyErr_Clear(); /* refused, without telling */
            return 0;
        }
        return -1;
    }
    struct audit_hook *entry = PyMem_RawMalloc(sizeof(*entry));
    if (entry == NULL) {
        if (kr_tstate() != NULL) {
            PyErr_NoMemory();
        }
        return -1;
    }
    *entry = (struct audit_hook){NULL, hook, data};
    struct audit_hook **end = &kr_audit_state.hooks;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = entry;
    return 0;
}

void
kr_sys_clear_audit_hooks(void)
{
    struct audit_hook *h = kr_audit_state.hooks;
    kr_audit_state.hooks = NULL;
    while (h != NULL) {
        struct audit_hook *next = h->next;
        PyMem_RawFree(h);
        h = next;
    }
}

static PyObject *
sys_addaudithook(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    static const char *const keywords[] = {"hook", NULL};
    static _PyArg_Parser parser = {.format = "O:addaudithook",
                                   .keywords = keywords};
    PyObject *hook;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &hook)) {
        return NULL;
    }
    if (PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            return NULL;
        }
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    PyInterpreterState *interp = kr_interp();
    if (interp->audit_hooks == NULL) {
        interp->audit_hooks = PyList_New(0);
        if (interp->audit_hooks == NULL) {
            return NULL;
        }
        /* programs must not find the hooks through module gc */
        PyObject_GC_UnTrack(interp->audit_hooks);
    }
    if (PyList_Append(interp->audit_hooks, hook) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sys_audit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "audit() missing 1 required "
                                         "positional argument: 'event'");
        return NULL;
    }
    PyThreadState *tstate = PyThreadState_Get();
    if (!has_hooks(tstate)) {
        Py_RETURN_NONE;
    }
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError,
                     "expected str for argument 'event', not %.200s",
                     Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    const char *event = PyUnicode_AsUTF8(args[0]);
    if (event == NULL) {
        return NULL;
    }
    PyObject *rest = PyTuple_New(nargs - 1);
    if (rest == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 1; i < nargs; i++) {
        PyTuple_SET_ITEM(rest, i - 1, Py_NewRef(args[i]));
    }
    int res = run_hooks(tstate, event, rest);
    Py_DECREF(rest);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- displayhook ---------------------------------------------------------------------- */

/* Writes repr(o) when stdout cannot encode it: with backslashes. 0 or -1. */
static int
display_unencodable(PyObject *out, PyObject *o)
{
    PyObject *encoding = PyObject_GetAttr(out, KR_ID(encoding));
    PyObject *repr = encoding == NULL ? NULL : PyObject_Repr(o);
    PyObject *encoded = NULL, *buffer = NULL, *res = NULL;
    if (repr == NULL) {
        goto done;
    }
    const char *name = PyUnicode_AsUTF8(encoding);
    encoded = name == NULL ? NULL
                           : PyUnicode_AsEncodedString(repr, name,
                                                       "backslashreplace");
    if (encoded == NULL ||
        _PyObject_LookupAttr(out, KR_ID(buffer), &buffer) < 0) {
        goto done;
    }
    if (buffer != NULL) {
        res = PyObject_CallMethodOneArg(buffer, KR_ID(write), encoded);
    }
    else {
        PyObject *text = PyUnicode_FromEncodedObject(encoded, name, "strict");
        if (text != NULL && PyFile_WriteObject(text, out, Py_PRINT_RAW) == 0) {
            res = Py_NewRef(Py_None);
        }
        Py_XDECREF(text);
    }
done:
    Py_XDECREF(encoding);
    Py_XDECREF(repr);
    Py_XDECREF(encoded);
    Py_XDECREF(buffer);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static PyObject *
sys_displayhook(PyObject *module, PyObject *o)
{
    PyObject *builtins = PyDict_GetItemString(kr_interp()->modules, "builtins");
    if (builtins == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost builtins module");
        return NULL;
    }
    if (o == Py_None) {
        Py_RETURN_NONE;
    }
    /* before printing, so that a failing repr leaves no stale value */
    if (PyObject_SetAttr(builtins, KR_ID(_), Py_None) != 0) {
        return NULL;
    }
    PyObject *out = PySys_GetObject("stdout");
    if (out == NULL || out == Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        return NULL;
    }
    if (PyFile_WriteObject(o, out, 0) != 0) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return NULL;
        }
        PyErr_Clear();
        if (display_unencodable(out, o) != 0) {
            return NULL;
        }
    }
    if (PyFile_WriteString("\n", out) != 0 ||
        PyObject_SetAttr(builtins, KR_ID(_), o) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- breakpointhook --------------------------------------------------------------------- */

static PyObject *
sys_breakpointhook(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    const char *env = kr_interp()->config.use_environment
                          ? getenv("PYTHONBREAKPOINT")
                          : NULL;
    if (env == NULL || *env == '\0') {
        env = "pdb.set_trace";
    }
    else if (strcmp(env, "0") == 0) {
        Py_RETURN_NONE;
    }
    char *text = _PyMem_RawStrdup(env);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    char *dot = strrchr(text, '.');
    const char *attr = text, *modname = "builtins";
    if (dot != NULL) {
        *dot = '\0';
        attr = dot + 1;
        modname = text;
    }
    PyObject *hook = NULL;
    if (*modname != '\0') {
        PyObject *mod = PyImport_ImportModule(modname);
        if (mod != NULL) {
            hook = PyObject_GetAttrString(mod, attr);
            Py_DECREF(mod);
        }
    }
    PyObject *res = NULL;
    if (hook != NULL) {
        res = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
        Py_DECREF(hook);
    }
    else if (!PyErr_Occurred() ||
             PyErr_ExceptionMatches(PyExc_ImportError) ||
             PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0,
                             "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"",
                             getenv("PYTHONBREAKPOINT")) == 0) {
            res = Py_NewRef(Py_None);
        }
    }
    PyMem_RawFree(text);
    return res;
}

/* --- Exceptions --------------------------------------------------------------------------- */

static PyObject *
sys_excepthook(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("excepthook", nargs, 3, 3)) {
        return NULL;
    }
    PyErr_Display(args[0], args[1], args[2]);
    Py_RETURN_NONE;
}

static PyObject *
sys_unraisablehook(PyObject *module, PyObject *unraisable)
{
    return kr_unraisable_default(unraisable);
}

#define FAST(f) (PyCFunction)(void (*)(void))(f)

PyMethodDef kr_sys_hook_methods[] = {
    {"addaudithook", FAST(sys_addaudithook), METH_FASTCALL | METH_KEYWORDS,
     "addaudithook($module, /, hook)\n--\n\n"
     "Adds a new audit hook callback."},
    {"audit", FAST(sys_audit), METH_FASTCALL,
     "audit(event, *args)\n\n"
     "Passes the event to any hooks that are attached."},
    {"displayhook", sys_displayhook, METH_O,
     "displayhook($module, object, /)\n--\n\n"
     "Print an object to sys.stdout and also save it in builtins._"},
    {"breakpointhook", FAST(sys_breakpointhook),
     METH_FASTCALL | METH_KEYWORDS,
     "breakpointhook(*args, **kws)\n\n"
     "The function that breakpoint() calls: starts pdb, or what\n"
     "PYTHONBREAKPOINT names."},
    {"excepthook", FAST(sys_excepthook), METH_FASTCALL,
     "excepthook($module, exctype, value, traceback, /)\n--\n\n"
     "Handle an exception by displaying it with a traceback on sys.stderr."},
    {"unraisablehook", sys_unraisablehook, METH_O,
     "unraisablehook($module, unraisable, /)\n--\n\n"
     "Handle an unraisable exception."},
    {NULL, NULL, 0, NULL},
};
