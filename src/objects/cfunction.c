/* Built-in functions and methods: PyCFunction, and PyCMethod with a defining
 * class. Each kind of C signature has its own vectorcall function. */
#include <Python.h>
#include <structmember.h>

#include "base/common.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/recursion.h"

/* ---- calls -------------------------------------------------------------- */

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

static inline bool
no_keywords(PyObject *func, PyObject *kwnames)
{
    if (KR_UNLIKELY(kwnames != NULL && PyTuple_GET_SIZE(kwnames))) {
        call_error(func, "%U takes no keyword arguments", 0);
        return false;
    }
    return true;
}

static inline void *
enter(PyThreadState *tstate, PyObject *func)
{
    if (KR_UNLIKELY(kr_enter_call(tstate) < 0)) {
        return NULL;
    }
    return (void *)((PyCFunctionObject *)func)->m_ml->ml_meth;
}

static inline PyObject *
self_of(PyObject *func)
{
    return PyCFunction_GET_SELF(func);
}

static PyObject *
call_fastcall(PyObject *func, PyObject *const *args, size_t nargsf,
              PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    if (!no_keywords(func, kwnames)) {
        return NULL;
    }
    _PyCFunctionFast meth = (_PyCFunctionFast)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(self_of(func), args, PyVectorcall_NARGS(nargsf));
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_fastcall_keywords(PyObject *func, PyObject *const *args, size_t nargsf,
                       PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    _PyCFunctionFastWithKeywords meth =
        (_PyCFunctionFastWithKeywords)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(self_of(func), args, PyVectorcall_NARGS(nargsf),
                         kwnames);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_method_keywords(PyObject *func, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    PyTypeObject *cls = PyCFunction_GET_CLASS(func);
    PyCMethod meth = (PyCMethod)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(self_of(func), cls, args,
                         (size_t)PyVectorcall_NARGS(nargsf), kwnames);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_noargs(PyObject *func, PyObject *const *args, size_t nargsf,
            PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    if (!no_keywords(func, kwnames)) {
        return NULL;
    }
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (KR_UNLIKELY(n != 0)) {
        return call_error(func, "%U takes no arguments (%zd given)", n);
    }
    PyCFunction meth = (PyCFunction)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(self_of(func), NULL);
    kr_leave_call(tstate);
    return res;
}

static PyObject *
call_o(PyObject *func, PyObject *const *args, size_t nargsf,
       PyObject *kwnames)
{
    PyThreadState *tstate = kr_tstate();
    if (!no_keywords(func, kwnames)) {
        return NULL;
    }
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (KR_UNLIKELY(n != 1)) {
        return call_error(func, "%U takes exactly one argument (%zd given)",
                          n);
    }
    PyCFunction meth = (PyCFunction)enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res = meth(self_of(func), args[0]);
    kr_leave_call(tstate);
    return res;
}

/* tp_call: for signatures that want a tuple; others go by vectorcall. */
static PyObject *
cfunction_call(PyObject *func, PyObject *args, PyObject *kwargs)
{
    if (((PyCFunctionObject *)func)->vectorcall != NULL) {
        return PyVectorcall_Call(func, args, kwargs);
    }
    PyThreadState *tstate = kr_tstate();
    int flags = PyCFunction_GET_FLAGS(func);
    if (!(flags & METH_KEYWORDS) && kwargs != NULL
        && PyDict_GET_SIZE(kwargs) != 0) {
        PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments",
                     ((PyCFunctionObject *)func)->m_ml->ml_name);
        return NULL;
    }
    void *meth = enter(tstate, func);
    if (meth == NULL) {
        return NULL;
    }
    PyObject *res =
        flags & METH_KEYWORDS
            ? ((PyCFunctionWithKeywords)meth)(self_of(func), args, kwargs)
            : ((PyCFunction)meth)(self_of(func), args);
    kr_leave_call(tstate);
    return _Py_CheckFunctionResult(tstate, func, res, NULL);
}

PyObject *
PyCFunction_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    return PyObject_Call(callable, args, kwargs);
}

/* ---- making ------------------------------------------------------------- */

PyObject *
PyCMethod_New(PyMethodDef *ml, PyObject *self, PyObject *module,
              PyTypeObject *cls)
{
    vectorcallfunc vectorcall;
    switch (ml->ml_flags
            & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O
               | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS:
    case METH_VARARGS | METH_KEYWORDS:
        vectorcall = NULL; /* these take a tuple */
        break;
    case METH_FASTCALL:
        vectorcall = call_fastcall;
        break;
    case METH_FASTCALL | METH_KEYWORDS:
        vectorcall = call_fastcall_keywords;
        break;
    case METH_NOARGS:
        vectorcall = call_noargs;
        break;
    case METH_O:
        vectorcall = call_o;
        break;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS:
        vectorcall = call_method_keywords;
        break;
    default:
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags",
                     ml->ml_name);
        return NULL;
    }
    PyCFunctionObject *op;
    if (ml->ml_flags & METH_METHOD) {
        if (cls == NULL) {
            PyErr_SetString(PyExc_SystemError,
                            "attempting to create PyCMethod with a "
                            "METH_METHOD flag but no class");
            return NULL;
        }
        PyCMethodObject *om = PyObject_GC_New(PyCMethodObject,
                                              &PyCMethod_Type);
        if (om == NULL) {
            return NULL;
        }
        om->mm_class = (PyTypeObject *)Py_NewRef((PyObject *)cls);
        op = (PyCFunctionObject *)om;
    }
    else {
        if (cls != NULL) {
            PyErr_SetString(PyExc_SystemError,
                            "attempting to create PyCFunction with class "
                            "but no METH_METHOD flag");
            return NULL;
        }
        op = PyObject_GC_New(PyCFunctionObject, &PyCFunction_Type);
        if (op == NULL) {
            return NULL;
        }
    }
    op->m_weakreflist = NULL;
    op->m_ml = ml;
    op->m_self = Py_XNewRef(self);
    op->m_module = Py_XNewRef(module);
    op->vectorcall = vectorcall;
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

#undef PyCFunction_New
#undef PyCFunction_NewEx

PyObject *
PyCFunction_New(PyMethodDef *ml, PyObject *self)
{
    return PyCMethod_New(ml, self, NULL, NULL);
}

PyObject *
PyCFunction_NewEx(PyMethodDef *ml, PyObject *self, PyObject *module)
{
    return PyCMethod_New(ml, self, module, NULL);
}

PyCFunction
PyCFunction_GetFunction(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_FUNCTION(op);
}

PyObject *
PyCFunction_GetSelf(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_SELF(op);
}

int
PyCFunction_GetFlags(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyCFunction_GET_FLAGS(op);
}

/* ---- the type ----------------------------------------------------------- */

static void
meth_dealloc(PyObject *self)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(self, meth_dealloc)
    if (m->m_weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    /* The class first: m_ml may be in memory that m_self keeps. */
    Py_XDECREF(PyCFunction_GET_CLASS(self));
    Py_XDECREF(m->m_self);
    Py_XDECREF(m->m_module);
    PyObject_GC_Del(self);
    Py_TRASHCAN_END
}

static int
meth_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    Py_VISIT(PyCFunction_GET_CLASS(self));
    Py_VISIT(m->m_self);
    Py_VISIT(m->m_module);
    return 0;
}

static PyObject *
meth_repr(PyObject *self)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    if (m->m_self == NULL || PyModule_Check(m->m_self)) {
        return PyUnicode_FromFormat("<built-in function %s>",
                                    m->m_ml->ml_name);
    }
    return PyUnicode_FromFormat("<built-in method %s of %s object at %p>",
                                m->m_ml->ml_name,
                                Py_TYPE(m->m_self)->tp_name, m->m_self);
}

static PyObject *
meth_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCFunction_Check(self)
        || !PyCFunction_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyCFunctionObject *a = (PyCFunctionObject *)self;
    PyCFunctionObject *b = (PyCFunctionObject *)other;
    bool eq = a->m_self == b->m_self
              && a->m_ml->ml_meth == b->m_ml->ml_meth;
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static Py_hash_t
meth_hash(PyObject *self)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    Py_hash_t x = _Py_HashPointer(m->m_self);
    x ^= _Py_HashPointer((void *)m->m_ml->ml_meth);
    return x == -1 ? -2 : x;
}

static PyObject *
meth_reduce(PyObject *self, PyObject *unused)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    if (m->m_self == NULL || PyModule_Check(m->m_self)) {
        return PyUnicode_FromString(m->m_ml->ml_name);
    }
    return Py_BuildValue("N(Os)", _PyEval_GetBuiltin(KR_ID(getattr)),
                         m->m_self, m->m_ml->ml_name);
}

static PyObject *
meth_get_name(PyObject *self, void *context)
{
    return PyUnicode_FromString(((PyCFunctionObject *)self)->m_ml->ml_name);
}

static PyObject *
meth_get_qualname(PyObject *self, void *context)
{
    PyCFunctionObject *m = (PyCFunctionObject *)self;
    if (m->m_self == NULL || PyModule_Check(m->m_self)) {
        return PyUnicode_FromString(m->m_ml->ml_name);
    }
    PyObject *type = PyType_Check(m->m_self) ? m->m_self
                                             : (PyObject *)Py_TYPE(m->m_self);
    PyObject *name = PyObject_GetAttr(type, KR_ID(__qualname__));
    if (name == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    if (PyUnicode_Check(name)) {
        res = PyUnicode_FromFormat("%S.%s", name, m->m_ml->ml_name);
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "<method>.__class__.__qualname__ is not a unicode "
                        "object");
    }
    Py_DECREF(name);
    return res;
}

static PyObject *
meth_get_self(PyObject *self, void *context)
{
    PyObject *s = PyCFunction_GET_SELF(self);
    return Py_NewRef(s == NULL ? Py_None : s);
}

static PyObject *
meth_get_doc(PyObject *self, void *context)
{
    PyMethodDef *ml = ((PyCFunctionObject *)self)->m_ml;
    return _PyType_GetDocFromInternalDoc(ml->ml_name, ml->ml_doc);
}

static PyObject *
meth_get_text_signature(PyObject *self, void *context)
{
    PyMethodDef *ml = ((PyCFunctionObject *)self)->m_ml;
    return _PyType_GetTextSignatureFromInternalDoc(ml->ml_name, ml->ml_doc);
}

static PyMethodDef meth_methods[] = {
    {"__reduce__", meth_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef meth_getsets[] = {
    {"__doc__", meth_get_doc, NULL},
    {"__name__", meth_get_name, NULL},
    {"__qualname__", meth_get_qualname, NULL},
    {"__self__", meth_get_self, NULL},
    {"__text_signature__", meth_get_text_signature, NULL},
    {NULL},
};

static PyMemberDef meth_members[] = {
    {"__module__", T_OBJECT, offsetof(PyCFunctionObject, m_module), 0},
    {NULL},
};

PyTypeObject PyCFunction_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "builtin_function_or_method",
    .tp_basicsize = sizeof(PyCFunctionObject),
    .tp_dealloc = meth_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_repr = meth_repr,
    .tp_hash = meth_hash,
    .tp_call = cfunction_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = meth_traverse,
    .tp_richcompare = meth_richcompare,
    .tp_weaklistoffset = offsetof(PyCFunctionObject, m_weakreflist),
    .tp_methods = meth_methods,
    .tp_members = meth_members,
    .tp_getset = meth_getsets,
};

PyTypeObject PyCMethod_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "builtin_method",
    .tp_basicsize = sizeof(PyCMethodObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_dealloc = meth_dealloc,
    .tp_traverse = meth_traverse,
    .tp_call = cfunction_call,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_base = &PyCFunction_Type,
};
