/* Descriptors that types get from their C tables: methods, class methods,
 * members, getsets and slot wrappers.
 *
 * Guarantees: a descriptor applies only to objects of its own type, checked on
 * every use; method descriptors are called by vectorcall for every kind of C
 * signature. */
#include <Python.h>
#include <structmember.h>

#include "base/common.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/descr.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/recursion.h"

/* ---- common parts ------------------------------------------------------- */

static void
descr_dealloc(PyObject *self)
{
    PyDescrObject *descr = (PyDescrObject *)self;
    kr_gc_untrack(self);
    Py_XDECREF(descr->d_type);
    Py_XDECREF(descr->d_name);
    Py_XDECREF(descr->d_qualname);
    PyObject_GC_Del(self);
}

static int
descr_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((PyDescrObject *)self)->d_type);
    return 0;
}

static PyObject *
descr_repr(PyObject *self, const char *kind)
{
    PyDescrObject *descr = (PyDescrObject *)self;
    return PyUnicode_FromFormat("<%s '%U' of '%s' objects>", kind,
                                descr->d_name, descr->d_type->tp_name);
}

static PyObject *
method_repr(PyObject *self)
{
    return descr_repr(self, "method");
}

static PyObject *
member_repr(PyObject *self)
{
    return descr_repr(self, "member");
}

static PyObject *
getset_repr(PyObject *self)
{
    return descr_repr(self, "attribute");
}

static PyObject *
wrapperdescr_repr(PyObject *self)
{
    return descr_repr(self, "slot wrapper");
}

static KR_COLD int
wrong_object(PyDescrObject *descr, PyObject *obj)
{
    PyErr_Format(PyExc_TypeError,
                 "descriptor '%U' for '%.100s' objects doesn't apply to a "
                 "'%.100s' object",
                 descr->d_name, descr->d_type->tp_name,
                 Py_TYPE(obj)->tp_name);
    return -1;
}

static inline int
check_object(PyDescrObject *descr, PyObject *obj)
{
    if (KR_LIKELY(PyObject_TypeCheck(obj, descr->d_type))) {
        return 0;
    }
    return wrong_object(descr, obj);
}

static PyObject *
text_or_none(const char *text)
{
    return text != NULL ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static PyObject *
descr_get_qualname(PyObject *self, void *context)
{
    PyDescrObject *descr = (PyDescrObject *)self;
    if (descr->d_qualname == NULL) {
        PyObject *type_name = PyObject_GetAttr((PyObject *)descr->d_type,
                                               KR_ID(__qualname__));
        if (type_name == NULL) {
            return NULL;
        }
        if (!PyUnicode_Check(type_name)) {
            PyErr_SetString(PyExc_TypeError,
                            "<descriptor>.__objclass__.__qualname__ is not "
                            "a unicode object");
            Py_DECREF(type_name);
            return NULL;
        }
        descr->d_qualname =
            PyUnicode_FromFormat("%U.%U", type_name, descr->d_name);
        Py_DECREF(type_name);
    }
    return Py_XNewRef(descr->d_qualname);
}

static PyObject *
descr_reduce(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("N(OO)", _PyEval_GetBuiltin(KR_ID(getattr)),
                         PyDescr_TYPE(self), PyDescr_NAME(self));
}

static PyMethodDef descr_methods[] = {
    {"__reduce__", descr_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef descr_members[] = {
    {"__objclass__", T_OBJECT, offsetof(PyDescrObject, d_type), READONLY},
    {"__name__", T_OBJECT, offsetof(PyDescrObject, d_name), READONLY},
    {NULL},
};

/* A bare descriptor of one of the types below, tracked. */
static void *
new_descr(PyTypeObject *descr_type, PyTypeObject *type, const char *name)
{
    /* These types may be needed before they are ready. */
    PyDescrObject *descr =
        (PyDescrObject *)PyType_GenericAlloc(descr_type, 0);
    if (descr != NULL) {
        descr->d_type = (PyTypeObject *)Py_XNewRef((PyObject *)type);
        descr->d_name = PyUnicode_InternFromString(name);
        if (descr->d_name == NULL) {
            Py_DECREF(descr);
            descr = NULL;
        }
    }
    return descr;
}

int
PyDescr_IsData(PyObject *ob)
{
    return Py_TYPE(ob)->tp_descr_set != NULL;
}

/* ---- methods: calls ----------------------------------------------------- */

static KR_COLD PyObject *
call_error(PyObject *func, const char *format, Py_ssize_t n)
{
    PyObject *text = _PyObject_FunctionStr(func);
    if (text != NULL) {
        PyErr_Format(PyExc_TypeError, format, text, n);
        Py_DECREF(text);
    }
    return NULL;
}

/* args[0] must be there and be of the right type. */
static inline int
check_self(PyObject *func, PyObject *const *args, Py_ssize_t nargs)
{
    if (KR_UNLIKELY(nargs < 1)) {
        call_error(func, "unbound method %U needs an argument", 0);
        return -1;
    }
    return check_object((PyDescrObject *)func, args[0]);
}

static inline int
check_no_keywords(PyObject *func, PyObject *kwnames)
{
    if (KR_UNLIKELY(kwnames != NULL && PyTuple_GET_SIZE(kwnames))) {
        call_error(func, "%U takes no keyword arguments", 0);
        return -1;
    }
    return 0;
}

static inline void *
enter(PyThreadState *tstate, PyObject *func)
{
    if (KR_UNLIKELY(kr_enter_call(tstate) < 0)) {
        return NULL;
    }
    return (void *)((PyMethodDescrObject *)func)->d_method->ml_meth;
}

static PyObject *
tuple_of(PyObject *const *args, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    return tuple;
}

static PyObject *
call_varargs(PyObject *func, PyObject *const *args, size_t nargsf,
             PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0
        || check_no_keywords(func, kwnames) < 0) {
        return NULL;
    }
    PyObject *tuple = tuple_of(args + 1, nargs - 1);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    PyCFunction meth = (PyCFunction)enter(tstate, func);
    if (meth != NULL) {
        res = meth(args[0], tuple);
        kr_leave_call(tstate);
    }
    Py_DECREF(tuple);
    return res;
}

static PyObject *
call_varargs_keywords(PyObject *func, PyObject *const *args, size_t nargsf,
                      PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0) {
        return NULL;
    }
    PyObject *tuple = tuple_of(args + 1, nargs - 1);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *res = NULL, *kwdict = NULL;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        kwdict = _PyStack_AsDict(args + nargs, kwnames);
        if (kwdict == NULL) {
            goto done;
        }
    }
    PyCFunctionWithKeywords meth =
        (PyCFunctionWithKeywords)enter(tstate, func);
    if (meth != NULL) {
        res = meth(args[0], tuple, kwdict);
        kr_leave_call(tstate);
    }
done:
    Py_DECREF(tuple);
    Py_XDECREF(kwdict);
    return res;
}

static PyObject *
call_fastcall(PyObject *func, PyObject *const *args, size_t nargsf,
              PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0
        || check_no_keywords(func, kwnames) < 0) {
        return NULL;
    }
    _PyCFunctionFast meth = (_PyCFunctionFast)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(args[0], args + 1, nargs - 1);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_fastcall_keywords(PyObject *func, PyObject *const *args, size_t nargsf,
                       PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0) {
        return NULL;
    }
    _PyCFunctionFastWithKeywords meth =
        (_PyCFunctionFastWithKeywords)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(args[0], args + 1, nargs - 1, kwnames);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_method_keywords(PyObject *func, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0) {
        return NULL;
    }
    PyCMethod meth = (PyCMethod)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(args[0], PyDescr_TYPE(func), args + 1,
                         (size_t)(nargs - 1), kwnames);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_noargs(PyObject *func, PyObject *const *args, size_t nargsf,
            PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0
        || check_no_keywords(func, kwnames) < 0) {
        return NULL;
    }
    if (KR_UNLIKELY(nargs != 1)) {
        return call_error(func, "%U takes no arguments (%zd given)",
                          nargs - 1);
    }
    PyCFunction meth = (PyCFunction)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(args[0], NULL);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_o(PyObject *func, PyObject *const *args, size_t nargsf,
       PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_self(func, args, nargs) < 0
        || check_no_keywords(func, kwnames) < 0) {
        return NULL;
    }
    if (KR_UNLIKELY(nargs != 2)) {
        return call_error(func, "%U takes exactly one argument (%zd given)",
                          nargs - 1);
    }
    PyCFunction meth = (PyCFunction)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(args[0], args[1]);
    kr_leave_call(tstate);
    return res;
}

/* ---- methods: binding --------------------------------------------------- */

static PyObject *
method_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)self;
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return NULL;
    }
    if (!(descr->d_method->ml_flags & METH_METHOD)) {
        return PyCFunction_NewEx(descr->d_method, obj, NULL);
    }
    if (type == NULL || !PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' needs a type, not '%s', as arg 2",
                     PyDescr_NAME(self),
                     type == NULL ? "NULL" : Py_TYPE(type)->tp_name);
        return NULL;
    }
    return PyCMethod_New(descr->d_method, obj, NULL, PyDescr_TYPE(self));
}

static PyObject *
method_get_doc(PyObject *self, void *context)
{
    PyMethodDef *m = ((PyMethodDescrObject *)self)->d_method;
    return _PyType_GetDocFromInternalDoc(m->ml_name, m->ml_doc);
}

static PyObject *
method_get_text_signature(PyObject *self, void *context)
{
    PyMethodDef *m = ((PyMethodDescrObject *)self)->d_method;
    return _PyType_GetTextSignatureFromInternalDoc(m->ml_name, m->ml_doc);
}

static PyGetSetDef method_getsets[] = {
    {"__doc__", method_get_doc, NULL},
    {"__qualname__", descr_get_qualname, NULL},
    {"__text_signature__", method_get_text_signature, NULL},
    {NULL},
};

PyTypeObject PyMethodDescr_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "method_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodDescrObject, vectorcall),
    .tp_repr = method_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = method_getsets,
    .tp_descr_get = method_get,
};

/* The vectorcall function for the flags of a method; NULL if they are bad. */
static vectorcallfunc
method_vectorcall(int flags)
{
    switch (flags
            & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O
               | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS:
        return call_varargs;
    case METH_VARARGS | METH_KEYWORDS:
        return call_varargs_keywords;
    case METH_FASTCALL:
        return call_fastcall;
    case METH_FASTCALL | METH_KEYWORDS:
        return call_fastcall_keywords;
    case METH_NOARGS:
        return call_noargs;
    case METH_O:
        return call_o;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS:
        return call_method_keywords;
    default:
        return NULL;
    }
}

PyObject *
PyDescr_NewMethod(PyTypeObject *type, PyMethodDef *method)
{
    vectorcallfunc vectorcall = method_vectorcall(method->ml_flags);
    if (vectorcall == NULL) {
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags",
                     method->ml_name);
        return NULL;
    }
    PyMethodDescrObject *descr =
        new_descr(&PyMethodDescr_Type, type, method->ml_name);
    if (descr != NULL) {
        descr->d_method = method;
        descr->vectorcall = vectorcall;
    }
    return (PyObject *)descr;
}

/* ---- class methods ------------------------------------------------------ */

static PyObject *
classmethod_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)self;
    PyTypeObject *owner = PyDescr_TYPE(self);
    if (type == NULL) {
        if (obj == NULL) {
            PyErr_Format(PyExc_TypeError,
                         "descriptor '%U' for type '%.100s' needs either an "
                         "object or a type",
                         PyDescr_NAME(self), owner->tp_name);
            return NULL;
        }
        type = (PyObject *)Py_TYPE(obj);
    }
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' for type '%.100s' needs a type, not a "
                     "'%.100s' as arg 2",
                     PyDescr_NAME(self), owner->tp_name,
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, owner)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' requires a subtype of '%.100s' but "
                     "received '%.100s'",
                     PyDescr_NAME(self), owner->tp_name,
                     ((PyTypeObject *)type)->tp_name);
        return NULL;
    }
    PyTypeObject *cls =
        descr->d_method->ml_flags & METH_METHOD ? owner : NULL;
    return PyCMethod_New(descr->d_method, type, NULL, cls);
}

static PyObject *
classmethod_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' of '%.100s' object needs an argument",
                     PyDescr_NAME(self), PyDescr_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *bound =
        classmethod_get(self, NULL, PyTuple_GET_ITEM(args, 0));
    if (bound == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_VectorcallDict(
        bound, &PyTuple_GET_ITEM(args, 0) + 1, (size_t)(n - 1), kwds);
    Py_DECREF(bound);
    return res;
}

PyTypeObject PyClassMethodDescr_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "classmethod_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = method_repr,
    .tp_call = classmethod_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = method_getsets,
    .tp_descr_get = classmethod_get,
};

PyObject *
PyDescr_NewClassMethod(PyTypeObject *type, PyMethodDef *method)
{
    PyMethodDescrObject *descr =
        new_descr(&PyClassMethodDescr_Type, type, method->ml_name);
    if (descr != NULL) {
        descr->d_method = method;
    }
    return (PyObject *)descr;
}

/* ---- members ------------------------------------------------------------ */

static PyObject *
member_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return NULL;
    }
    PyMemberDef *m = ((PyMemberDescrObject *)self)->d_member;
    if ((m->flags & PY_AUDIT_READ)
        && PySys_Audit("object.__getattr__", "Os", obj, m->name) < 0) {
        return NULL;
    }
    return PyMember_GetOne((char *)obj, m);
}

static int
member_set(PyObject *self, PyObject *obj, PyObject *value)
{
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return -1;
    }
    return PyMember_SetOne((char *)obj,
                           ((PyMemberDescrObject *)self)->d_member, value);
}

static PyObject *
member_get_doc(PyObject *self, void *context)
{
    return text_or_none(((PyMemberDescrObject *)self)->d_member->doc);
}

static PyGetSetDef member_getsets[] = {
    {"__doc__", member_get_doc, NULL},
    {"__qualname__", descr_get_qualname, NULL},
    {NULL},
};

PyTypeObject PyMemberDescr_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "member_descriptor",
    .tp_basicsize = sizeof(PyMemberDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = member_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = member_getsets,
    .tp_descr_get = member_get,
    .tp_descr_set = member_set,
};

PyObject *
PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member)
{
    PyMemberDescrObject *descr =
        new_descr(&PyMemberDescr_Type, type, member->name);
    if (descr != NULL) {
        descr->d_member = member;
    }
    return (PyObject *)descr;
}

/* ---- getsets ------------------------------------------------------------ */

static PyObject *
getset_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return NULL;
    }
    PyGetSetDef *g = ((PyGetSetDescrObject *)self)->d_getset;
    if (g->get != NULL) {
        return g->get(obj, g->closure);
    }
    PyErr_Format(PyExc_AttributeError,
                 "attribute '%U' of '%.100s' objects is not readable",
                 PyDescr_NAME(self), PyDescr_TYPE(self)->tp_name);
    return NULL;
}

static int
getset_set(PyObject *self, PyObject *obj, PyObject *value)
{
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return -1;
    }
    PyGetSetDef *g = ((PyGetSetDescrObject *)self)->d_getset;
    if (g->set != NULL) {
        return g->set(obj, value, g->closure);
    }
    PyErr_Format(PyExc_AttributeError,
                 "attribute '%U' of '%.100s' objects is not writable",
                 PyDescr_NAME(self), PyDescr_TYPE(self)->tp_name);
    return -1;
}

static PyObject *
getset_get_doc(PyObject *self, void *context)
{
    return text_or_none(((PyGetSetDescrObject *)self)->d_getset->doc);
}

static PyGetSetDef getset_getsets[] = {
    {"__doc__", getset_get_doc, NULL},
    {"__qualname__", descr_get_qualname, NULL},
    {NULL},
};

PyTypeObject PyGetSetDescr_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "getset_descriptor",
    .tp_basicsize = sizeof(PyGetSetDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = getset_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = getset_getsets,
    .tp_descr_get = getset_get,
    .tp_descr_set = getset_set,
};

PyObject *
PyDescr_NewGetSet(PyTypeObject *type, PyGetSetDef *getset)
{
    PyGetSetDescrObject *descr =
        new_descr(&PyGetSetDescr_Type, type, getset->name);
    if (descr != NULL) {
        descr->d_getset = getset;
    }
    return (PyObject *)descr;
}

/* ---- slot wrappers ------------------------------------------------------ */

static PyObject *
wrapperdescr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    if (check_object((PyDescrObject *)self, obj) < 0) {
        return NULL;
    }
    return PyWrapper_New(self, obj);
}

PyObject *
kr_wrapperdescr_call(PyObject *descr, PyObject *self, PyObject *args,
                     PyObject *kwds)
{
    PyWrapperDescrObject *d = (PyWrapperDescrObject *)descr;
    wrapperfunc wrapper = d->d_base->wrapper;
    if (d->d_base->flags & PyWrapperFlag_KEYWORDS) {
        wrapperfunc_kwds wk = (wrapperfunc_kwds)(void *)wrapper;
        return wk(self, args, d->d_wrapped, kwds);
    }
    if (kwds != NULL && (!PyDict_Check(kwds) || PyDict_GET_SIZE(kwds) != 0)) {
        PyErr_Format(PyExc_TypeError,
                     "wrapper %s() takes no keyword arguments",
                     d->d_base->name);
        return NULL;
    }
    return wrapper(self, args, d->d_wrapped);
}

static PyObject *
wrapperdescr_call(PyObject *descr, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' of '%.100s' object needs an argument",
                     PyDescr_NAME(descr), PyDescr_TYPE(descr)->tp_name);
        return NULL;
    }
    PyObject *self = PyTuple_GET_ITEM(args, 0);
    int ok = PyObject_TypeCheck(self, PyDescr_TYPE(descr))
                 ? 1
                 : _PyObject_RealIsSubclass((PyObject *)Py_TYPE(self),
                                            (PyObject *)PyDescr_TYPE(descr));
    if (ok < 0) {
        return NULL;
    }
    if (!ok) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' requires a '%.100s' object but "
                     "received a '%.100s'",
                     PyDescr_NAME(descr), PyDescr_TYPE(descr)->tp_name,
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, n);
    if (rest == NULL) {
        return NULL;
    }
    PyObject *res = kr_wrapperdescr_call(descr, self, rest, kwds);
    Py_DECREF(rest);
    return res;
}

static PyObject *
wrapperdescr_get_doc(PyObject *self, void *context)
{
    struct wrapperbase *b = ((PyWrapperDescrObject *)self)->d_base;
    return _PyType_GetDocFromInternalDoc(b->name, b->doc);
}

static PyObject *
wrapperdescr_get_text_signature(PyObject *self, void *context)
{
    struct wrapperbase *b = ((PyWrapperDescrObject *)self)->d_base;
    return _PyType_GetTextSignatureFromInternalDoc(b->name, b->doc);
}

static PyGetSetDef wrapperdescr_getsets[] = {
    {"__doc__", wrapperdescr_get_doc, NULL},
    {"__qualname__", descr_get_qualname, NULL},
    {"__text_signature__", wrapperdescr_get_text_signature, NULL},
    {NULL},
};

PyTypeObject PyWrapperDescr_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "wrapper_descriptor",
    .tp_basicsize = sizeof(PyWrapperDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = wrapperdescr_repr,
    .tp_call = wrapperdescr_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = wrapperdescr_getsets,
    .tp_descr_get = wrapperdescr_get,
};

PyObject *
PyDescr_NewWrapper(PyTypeObject *type, struct wrapperbase *base,
                   void *wrapped)
{
    PyWrapperDescrObject *descr =
        new_descr(&PyWrapperDescr_Type, type, base->name);
    if (descr != NULL) {
        descr->d_base = base;
        descr->d_wrapped = wrapped;
    }
    return (PyObject *)descr;
}
