/* Function objects. */
#include "vm/function.h"

#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "objects/str/str.h"
#include "vm/eval.h"

#include <Python.h>
#include <structmember.h>

#define FUNC(op) ((PyFunctionObject *)(op))

/* Versions tell the specialiser whether a function is as it was. */
static struct kr_function_state {
    uint32_t next_version;
} function_state = {1};

uint32_t
kr_function_version(PyFunctionObject *func)
{
    if (func->func_version == 0 && function_state.next_version != 0 &&
        func->vectorcall == _PyFunction_Vectorcall) {
        func->func_version = function_state.next_version++;
    }
    return func->func_version;
}

/* The builtins that functions with these globals use. Borrowed; NULL with an
 * exception. */
PyObject *
kr_builtins_of(PyObject *globals)
{
    PyObject *builtins =
        PyDict_GetItemWithError(globals, KR_ID(__builtins__));
    if (builtins != NULL) {
        return PyModule_Check(builtins) ? PyModule_GetDict(builtins)
                                        : builtins;
    }
    return PyErr_Occurred() ? NULL : PyEval_GetBuiltins();
}

PyObject *
PyFunction_NewWithQualName(PyObject *code, PyObject *globals,
                           PyObject *qualname)
{
    PyCodeObject *co = (PyCodeObject *)code;
    PyObject *doc = Py_None;
    if (PyTuple_GET_SIZE(co->co_consts) > 0 &&
        PyUnicode_Check(PyTuple_GET_ITEM(co->co_consts, 0))) {
        doc = PyTuple_GET_ITEM(co->co_consts, 0);
    }
    PyObject *module = PyDict_GetItemWithError(globals, KR_ID(__name__));
    PyObject *builtins =
        module == NULL && PyErr_Occurred() ? NULL : kr_builtins_of(globals);
    PyFunctionObject *f =
        builtins == NULL ? NULL
                         : PyObject_GC_New(PyFunctionObject, &PyFunction_Type);
    if (f == NULL) {
        return NULL;
    }
    f->func_globals = Py_NewRef(globals);
    f->func_builtins = Py_NewRef(builtins);
    f->func_name = Py_NewRef(co->co_name);
    f->func_qualname = Py_NewRef(qualname ? qualname : co->co_qualname);
    f->func_code = Py_NewRef(code);
    f->func_defaults = NULL;
    f->func_kwdefaults = NULL;
    f->func_closure = NULL;
    f->func_doc = Py_NewRef(doc);
    f->func_dict = NULL;
    f->func_weakreflist = NULL;
    f->func_module = Py_XNewRef(module);
    f->func_annotations = NULL;
    f->vectorcall = _PyFunction_Vectorcall;
    f->func_version = 0;
    kr_gc_track((PyObject *)f);
    return (PyObject *)f;
}

PyObject *
PyFunction_New(PyObject *code, PyObject *globals)
{
    return PyFunction_NewWithQualName(code, globals, NULL);
}

#define GETTER(api, field)                                                     \
    PyObject *api(PyObject *op)                                                \
    {                                                                          \
        if (!PyFunction_Check(op)) {                                           \
            PyErr_BadInternalCall();                                           \
            return NULL;                                                       \
        }                                                                      \
        return FUNC(op)->field;                                                \
    }

GETTER(PyFunction_GetCode, func_code)
GETTER(PyFunction_GetGlobals, func_globals)
GETTER(PyFunction_GetModule, func_module)
GETTER(PyFunction_GetDefaults, func_defaults)
GETTER(PyFunction_GetKwDefaults, func_kwdefaults)
GETTER(PyFunction_GetClosure, func_closure)

/* Annotations made by the compiler are a flat tuple until somebody looks. */
static PyObject *
annotations_dict(PyFunctionObject *f)
{
    PyObject *ann = f->func_annotations;
    if (ann == NULL || !PyTuple_CheckExact(ann)) {
        return ann;
    }
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i + 1 < PyTuple_GET_SIZE(ann);
         i += 2) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(ann, i),
                           PyTuple_GET_ITEM(ann, i + 1)) < 0) {
            Py_CLEAR(dict);
        }
    }
    if (dict != NULL) {
        Py_SETREF(f->func_annotations, dict);
    }
    return dict;
}

PyObject *
PyFunction_GetAnnotations(PyObject *op)
{
    if (!PyFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return annotations_dict(FUNC(op));
}

/* Sets a field to a value of the right type; None means NULL. */
static int
set_field(PyObject *op, PyObject **field, PyObject *value, int right_type,
          const char *message)
{
    if (!PyFunction_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (value == Py_None) {
        value = NULL;
    }
    else if (value == NULL || !right_type) {
        PyErr_SetString(PyExc_SystemError, message);
        return -1;
    }
    FUNC(op)->func_version = 0;
    Py_XINCREF(value);
    Py_XSETREF(*field, value);
    return 0;
}

int
PyFunction_SetDefaults(PyObject *op, PyObject *value)
{
    return set_field(op, &FUNC(op)->func_defaults, value,
                     value && PyTuple_Check(value), "non-tuple default args");
}

int
PyFunction_SetKwDefaults(PyObject *op, PyObject *value)
{
    return set_field(op, &FUNC(op)->func_kwdefaults, value,
                     value && PyDict_Check(value),
                     "non-dict keyword only default args");
}

int
PyFunction_SetClosure(PyObject *op, PyObject *value)
{
    return set_field(op, &FUNC(op)->func_closure, value,
                     value && PyTuple_Check(value), "expected tuple for closure");
}

int
PyFunction_SetAnnotations(PyObject *op, PyObject *value)
{
    return set_field(op, &FUNC(op)->func_annotations, value,
                     value && PyDict_Check(value), "non-dict annotations");
}

/* Attributes. */

static PyMemberDef func_members[] = {
    {"__closure__", T_OBJECT, offsetof(PyFunctionObject, func_closure),
     READONLY},
    {"__doc__", T_OBJECT, offsetof(PyFunctionObject, func_doc), 0},
    {"__globals__", T_OBJECT, offsetof(PyFunctionObject, func_globals),
     READONLY},
    {"__module__", T_OBJECT, offsetof(PyFunctionObject, func_module), 0},
    {"__builtins__", T_OBJECT, offsetof(PyFunctionObject, func_builtins),
     READONLY},
    {NULL},
};

static PyObject *
get_code(PyObject *op, void *Py_UNUSED(closure))
{
    if (PySys_Audit("object.__getattr__", "Os", op, "__code__") < 0) {
        return NULL;
    }
    return Py_NewRef(FUNC(op)->func_code);
}

static int
set_code(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL || !PyCode_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "__code__ must be set to a code object");
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", op, "__code__", value) < 0) {
        return -1;
    }
    PyObject *closure = FUNC(op)->func_closure;
    Py_ssize_t cells = closure == NULL ? 0 : PyTuple_GET_SIZE(closure);
    int frees = ((PyCodeObject *)value)->co_nfreevars;
    if (cells != frees) {
        PyErr_Format(PyExc_ValueError,
                     "%U() requires a code object with %zd free vars, not %d",
                     FUNC(op)->func_name, cells, frees);
        return -1;
    }
    FUNC(op)->func_version = 0;
    Py_INCREF(value);
    Py_XSETREF(FUNC(op)->func_code, value);
    return 0;
}

int
kr_set_str_field(PyObject **field, PyObject *value, const char *name)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be set to a string object",
                     name);
        return -1;
    }
    Py_INCREF(value);
    Py_XSETREF(*field, value);
    return 0;
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(FUNC(op)->func_name);
}

static int
set_name(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return kr_set_str_field(&FUNC(op)->func_name, value, "__name__");
}

static PyObject *
get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(FUNC(op)->func_qualname);
}

static int
set_qualname(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return kr_set_str_field(&FUNC(op)->func_qualname, value, "__qualname__");
}

static PyObject *
get_defaults(PyObject *op, void *Py_UNUSED(closure))
{
    if (PySys_Audit("object.__getattr__", "Os", op, "__defaults__") < 0) {
        return NULL;
    }
    PyObject *v = FUNC(op)->func_defaults;
    return Py_NewRef(v ? v : Py_None);
}

static int
set_defaults(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == Py_None) {
        value = NULL;
    }
    if (value != NULL && !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "__defaults__ must be set to a tuple object");
        return -1;
    }
    if ((value ? PySys_Audit("object.__setattr__", "OsO", op, "__defaults__",
                             value)
               : PySys_Audit("object.__delattr__", "Os", op,
                             "__defaults__")) < 0) {
        return -1;
    }
    FUNC(op)->func_version = 0;
    Py_XINCREF(value);
    Py_XSETREF(FUNC(op)->func_defaults, value);
    return 0;
}

static PyObject *
get_kwdefaults(PyObject *op, void *Py_UNUSED(closure))
{
    if (PySys_Audit("object.__getattr__", "Os", op, "__kwdefaults__") < 0) {
        return NULL;
    }
    PyObject *v = FUNC(op)->func_kwdefaults;
    return Py_NewRef(v ? v : Py_None);
}

static int
set_kwdefaults(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == Py_None) {
        value = NULL;
    }
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "__kwdefaults__ must be set to a dict object");
        return -1;
    }
    if ((value ? PySys_Audit("object.__setattr__", "OsO", op,
                             "__kwdefaults__", value)
               : PySys_Audit("object.__delattr__", "Os", op,
                             "__kwdefaults__")) < 0) {
        return -1;
    }
    FUNC(op)->func_version = 0;
    Py_XINCREF(value);
    Py_XSETREF(FUNC(op)->func_kwdefaults, value);
    return 0;
}

static PyObject *
get_annotations(PyObject *op, void *Py_UNUSED(closure))
{
    if (FUNC(op)->func_annotations == NULL) {
        FUNC(op)->func_annotations = PyDict_New();
    }
    return Py_XNewRef(annotations_dict(FUNC(op)));
}

static int
set_annotations(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == Py_None) {
        value = NULL;
    }
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "__annotations__ must be set to a dict object");
        return -1;
    }
    FUNC(op)->func_version = 0;
    Py_XINCREF(value);
    Py_XSETREF(FUNC(op)->func_annotations, value);
    return 0;
}

static PyGetSetDef func_getset[] = {
    {"__code__", get_code, set_code},
    {"__defaults__", get_defaults, set_defaults},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults},
    {"__annotations__", get_annotations, set_annotations},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict},
    {"__name__", get_name, set_name},
    {"__qualname__", get_qualname, set_qualname},
    {NULL},
};

/* function(code, globals, name=None, argdefs=None, closure=None) */

static int
check_closure(PyObject *closure, PyCodeObject *co)
{
    if (!PyTuple_Check(closure) &&
        !(closure == Py_None && co->co_nfreevars == 0)) {
        PyErr_SetString(PyExc_TypeError,
                        co->co_nfreevars && closure == Py_None
                            ? "arg 5 (closure) must be tuple"
                            : "arg 5 (closure) must be None or tuple");
        return -1;
    }
    Py_ssize_t n = closure == Py_None ? 0 : PyTuple_GET_SIZE(closure);
    if (n != co->co_nfreevars) {
        PyErr_Format(PyExc_ValueError,
                     "%U requires closure of length %d, not %zd", co->co_name,
                     co->co_nfreevars, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *cell = PyTuple_GET_ITEM(closure, i);
        if (!PyCell_Check(cell)) {
            PyErr_Format(PyExc_TypeError,
                         "arg 5 (closure) expected cell, found %s",
                         Py_TYPE(cell)->tp_name);
            return -1;
        }
    }
    return 0;
}

static PyObject *
func_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"code",    "globals", "name",
                               "argdefs", "closure", NULL};
    PyObject *code, *globals, *name = Py_None, *defaults = Py_None;
    PyObject *closure = Py_None;
    if (!kr_parse_tuple_named(args, kwargs, "O!O!|OOO:function", keywords,
                              &PyCode_Type, &code, &PyDict_Type, &globals,
                              &name, &defaults, &closure)) {
        return NULL;
    }
    if (name != Py_None && !PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError,
                        "arg 3 (name) must be None or string");
        return NULL;
    }
    if (defaults != Py_None && !PyTuple_Check(defaults)) {
        PyErr_SetString(PyExc_TypeError,
                        "arg 4 (defaults) must be None or tuple");
        return NULL;
    }
    if (check_closure(closure, (PyCodeObject *)code) < 0 ||
        PySys_Audit("function.__new__", "O", code) < 0) {
        return NULL;
    }
    PyFunctionObject *f = FUNC(PyFunction_New(code, globals));
    if (f == NULL) {
        return NULL;
    }
    if (name != Py_None) {
        Py_INCREF(name);
        Py_SETREF(f->func_name, name);
    }
    if (defaults != Py_None) {
        f->func_defaults = Py_NewRef(defaults);
    }
    if (closure != Py_None) {
        f->func_closure = Py_NewRef(closure);
    }
    return (PyObject *)f;
}

static int
func_clear(PyObject *op)
{
    PyFunctionObject *f = FUNC(op);
    f->func_version = 0;
    Py_CLEAR(f->func_globals);
    Py_CLEAR(f->func_builtins);
    Py_CLEAR(f->func_module);
    Py_CLEAR(f->func_defaults);
    Py_CLEAR(f->func_kwdefaults);
    Py_CLEAR(f->func_doc);
    Py_CLEAR(f->func_dict);
    Py_CLEAR(f->func_closure);
    Py_CLEAR(f->func_annotations);
    /* These stay, as a finaliser may still show or call a cleared function,
     * but names may be of a str subclass that is part of the cycle. */
    Py_SETREF(f->func_name, kr_str_empty());
    Py_SETREF(f->func_qualname, kr_str_empty());
    return 0;
}

static void
func_dealloc(PyObject *op)
{
    kr_gc_untrack(op);
    if (FUNC(op)->func_weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    func_clear(op);
    Py_XDECREF(FUNC(op)->func_code);
    Py_XDECREF(FUNC(op)->func_name);
    Py_XDECREF(FUNC(op)->func_qualname);
    PyObject_GC_Del(op);
}

static PyObject *
func_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<function %U at %p>",
                                FUNC(op)->func_qualname, op);
}

static int
func_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyFunctionObject *f = FUNC(op);
    Py_VISIT(f->func_code);
    Py_VISIT(f->func_globals);
    Py_VISIT(f->func_builtins);
    Py_VISIT(f->func_module);
    Py_VISIT(f->func_defaults);
    Py_VISIT(f->func_kwdefaults);
    Py_VISIT(f->func_doc);
    Py_VISIT(f->func_name);
    Py_VISIT(f->func_dict);
    Py_VISIT(f->func_closure);
    Py_VISIT(f->func_annotations);
    Py_VISIT(f->func_qualname);
    return 0;
}

static PyObject *
func_descr_get(PyObject *func, PyObject *obj, PyObject *Py_UNUSED(type))
{
    return obj == NULL || Py_IsNone(obj) ? Py_NewRef(func)
                                         : PyMethod_New(func, obj);
}

PyDoc_STRVAR(func_doc,
             "function(code, globals, name=None, argdefs=None, closure=None)\n"
             "--\n\n"
             "A function made from a code object and its globals.");

PyTypeObject PyFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "function",
    .tp_basicsize = sizeof(PyFunctionObject),
    .tp_dealloc = func_dealloc,
    .tp_vectorcall_offset = offsetof(PyFunctionObject, vectorcall),
    .tp_repr = func_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = func_doc,
    .tp_traverse = func_traverse,
    .tp_clear = func_clear,
    .tp_weaklistoffset = offsetof(PyFunctionObject, func_weakreflist),
    .tp_members = func_members,
    .tp_getset = func_getset,
    .tp_descr_get = func_descr_get,
    .tp_dictoffset = offsetof(PyFunctionObject, func_dict),
    .tp_new = func_new,
};
