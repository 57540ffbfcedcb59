/* isinstance() and issubclass(), with the hooks that abstract base classes use
 * and with objects that only look like classes (they have __bases__). */
#include "objects/abstract/abstract.h"

static const char isinstance_arg2[] =
    "isinstance() arg 2 must be a type, a tuple of types, or a union";
static const char issubclass_arg2[] =
    "issubclass() arg 2 must be a class, a tuple of classes, or a union";

/* cls.__bases__ if that is a tuple: new reference; NULL, with an exception only
 * on a real failure. */
static PyObject *
get_bases(PyObject *cls)
{
    PyObject *bases;
    (void)_PyObject_LookupAttr(cls, KR_ID(__bases__), &bases);
    if (bases != NULL && !PyTuple_Check(bases)) {
        Py_DECREF(bases);
        return NULL;
    }
    return bases;
}

static int
abstract_issubclass(PyObject *derived, PyObject *cls)
{
    PyObject *bases = NULL;
    int r = 0;

    for (;;) {
        if (derived == cls) {
            r = 1;
            break;
        }
        /* keeps `derived`, an item of the old tuple, alive for the lookup */
        PyObject *next = get_bases(derived);
        Py_XSETREF(bases, next);
        if (bases == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        Py_ssize_t n = PyTuple_GET_SIZE(bases);
        if (n == 0) {
            break;
        }
        if (n == 1) { /* no recursion along single inheritance */
            derived = PyTuple_GET_ITEM(bases, 0);
            continue;
        }
        if (Py_EnterRecursiveCall(" in __subclasscheck__")) {
            r = -1;
            break;
        }
        for (Py_ssize_t i = 0; i < n && r == 0; i++) {
            r = abstract_issubclass(PyTuple_GET_ITEM(bases, i), cls);
        }
        Py_LeaveRecursiveCall();
        break;
    }
    Py_XDECREF(bases);
    return r;
}

/* Whether cls looks like a class; sets TypeError if not. */
static bool
check_class(PyObject *cls, const char *error)
{
    PyObject *bases = get_bases(cls);
    if (bases == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, error);
        }
        return false;
    }
    Py_DECREF(bases);
    return true;
}

int
_PyObject_RealIsInstance(PyObject *inst, PyObject *cls)
{
    PyObject *icls;
    int r;

    if (PyType_Check(cls)) {
        r = PyObject_TypeCheck(inst, (PyTypeObject *)cls);
        if (r) {
            return r;
        }
        r = _PyObject_LookupAttr(inst, KR_ID(__class__), &icls);
        if (icls != NULL) {
            r = 0;
            if (icls != (PyObject *)Py_TYPE(inst) && PyType_Check(icls)) {
                r = PyType_IsSubtype((PyTypeObject *)icls, (PyTypeObject *)cls);
            }
            Py_DECREF(icls);
        }
        return r;
    }
    if (!check_class(cls, isinstance_arg2)) {
        return -1;
    }
    r = _PyObject_LookupAttr(inst, KR_ID(__class__), &icls);
    if (icls != NULL) {
        r = abstract_issubclass(icls, cls);
        Py_DECREF(icls);
    }
    return r;
}

int
_PyObject_RealIsSubclass(PyObject *derived, PyObject *cls)
{
    if (PyType_Check(cls) && PyType_Check(derived)) {
        return PyType_IsSubtype((PyTypeObject *)derived, (PyTypeObject *)cls);
    }
    if (!check_class(derived, "issubclass() arg 1 must be a class") ||
        !check_class(cls, issubclass_arg2)) {
        return -1;
    }
    return abstract_issubclass(derived, cls);
}

/* Calls the bound hook with `arg`; consumes the hook. */
static int
call_hook(PyObject *hook, PyObject *arg, const char *where)
{
    if (Py_EnterRecursiveCall(where)) {
        Py_DECREF(hook);
        return -1;
    }
    PyObject *res = PyObject_CallOneArg(hook, arg);
    Py_LeaveRecursiveCall();
    Py_DECREF(hook);
    if (res == NULL) {
        return -1;
    }
    int ok = PyObject_IsTrue(res);
    Py_DECREF(res);
    return ok;
}

/* Asks `test` for each member of the tuple until one answers yes. */
static int
any_of(PyObject *o, PyObject *tuple, int (*test)(PyObject *, PyObject *),
       const char *where)
{
    if (Py_EnterRecursiveCall(where)) {
        return -1;
    }
    int r = 0;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t i = 0; i < n && r == 0; i++) {
        r = test(o, PyTuple_GET_ITEM(tuple, i));
    }
    Py_LeaveRecursiveCall();
    return r;
}

/* Whether cls is what int | str gives. By name: the type lives in a file that
 * nothing here depends on. */
static bool
is_union(PyObject *cls)
{
    PyTypeObject *tp = Py_TYPE(cls);
    return !PyType_HasFeature(tp, Py_TPFLAGS_HEAPTYPE) &&
           strcmp(tp->tp_name, "types.UnionType") == 0;
}

/* The same for the members of a union type. */
static int
any_of_union(PyObject *o, PyObject *cls, int (*test)(PyObject *, PyObject *),
             const char *where)
{
    PyObject *args = PyObject_GetAttr(cls, KR_ID(__args__));
    if (args == NULL) {
        return -1;
    }
    int r = any_of(o, args, test, where);
    Py_DECREF(args);
    return r;
}

int
PyObject_IsInstance(PyObject *inst, PyObject *cls)
{
    if (Py_IS_TYPE(inst, (PyTypeObject *)cls)) {
        return 1;
    }
    if (PyType_CheckExact(cls)) {
        return _PyObject_RealIsInstance(inst, cls);
    }
    if (PyTuple_Check(cls)) {
        return any_of(inst, cls, PyObject_IsInstance, " in __instancecheck__");
    }
    if (is_union(cls)) {
        return any_of_union(inst, cls, PyObject_IsInstance,
                            " in __instancecheck__");
    }
    PyObject *hook = kr_lookup_special(cls, KR_ID(__instancecheck__));
    if (hook != NULL) {
        return call_hook(hook, inst, " in __instancecheck__");
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    return _PyObject_RealIsInstance(inst, cls);
}

int
PyObject_IsSubclass(PyObject *derived, PyObject *cls)
{
    if (PyType_CheckExact(cls)) {
        if (derived == cls) {
            return 1;
        }
        return _PyObject_RealIsSubclass(derived, cls);
    }
    if (PyTuple_Check(cls)) {
        return any_of(derived, cls, PyObject_IsSubclass,
                      " in __subclasscheck__");
    }
    if (is_union(cls)) {
        return any_of_union(derived, cls, PyObject_IsSubclass,
                            " in __subclasscheck__");
    }
    PyObject *hook = kr_lookup_special(cls, KR_ID(__subclasscheck__));
    if (hook != NULL) {
        return call_hook(hook, derived, " in __subclasscheck__");
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    return _PyObject_RealIsSubclass(derived, cls);
}
