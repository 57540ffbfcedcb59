/* method-wrapper (a slot bound to an object) and mappingproxy (a read-only
 * view of a mapping). */
#include "base/common.h"
#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/descr.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#include <Python.h>
#include <structmember.h>

/* ---- method-wrapper ----------------------------------------------------- */

struct wrapper_object {
    PyObject_HEAD
    PyWrapperDescrObject *descr;
    PyObject *self;
};

static void
wrapper_dealloc(PyObject *self)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(self, wrapper_dealloc)
    Py_XDECREF(w->descr);
    Py_XDECREF(w->self);
    PyObject_GC_Del(self);
    Py_TRASHCAN_END
}

static int
wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    Py_VISIT(w->descr);
    Py_VISIT(w->self);
    return 0;
}

static PyObject *
wrapper_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE)
        || !Py_IS_TYPE(a, &_PyMethodWrapper_Type)
        || !Py_IS_TYPE(b, &_PyMethodWrapper_Type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct wrapper_object *wa = (struct wrapper_object *)a;
    struct wrapper_object *wb = (struct wrapper_object *)b;
    bool eq = wa->descr == wb->descr && wa->self == wb->self;
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static Py_hash_t
wrapper_hash(PyObject *self)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    Py_hash_t x = _Py_HashPointer(w->self) ^ _Py_HashPointer(w->descr);
    return x == -1 ? -2 : x;
}

static PyObject *
wrapper_repr(PyObject *self)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    return PyUnicode_FromFormat("<method-wrapper '%s' of %s object at %p>",
                                w->descr->d_base->name,
                                Py_TYPE(w->self)->tp_name, w->self);
}

static PyObject *
wrapper_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    return kr_wrapperdescr_call((PyObject *)w->descr, w->self, args, kwds);
}

static PyObject *
wrapper_reduce(PyObject *self, PyObject *unused)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    return Py_BuildValue("N(OO)", _PyEval_GetBuiltin(KR_ID(getattr)),
                         w->self, PyDescr_NAME(w->descr));
}

static PyObject *
wrapper_objclass(PyObject *self, void *context)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    return Py_NewRef((PyObject *)PyDescr_TYPE(w->descr));
}

static PyObject *
wrapper_name(PyObject *self, void *context)
{
    struct wrapper_object *w = (struct wrapper_object *)self;
    return PyUnicode_FromString(w->descr->d_base->name);
}

static PyObject *
wrapper_doc(PyObject *self, void *context)
{
    struct wrapperbase *b = ((struct wrapper_object *)self)->descr->d_base;
    return _PyType_GetDocFromInternalDoc(b->name, b->doc);
}

static PyObject *
wrapper_text_signature(PyObject *self, void *context)
{
    struct wrapperbase *b = ((struct wrapper_object *)self)->descr->d_base;
    return _PyType_GetTextSignatureFromInternalDoc(b->name, b->doc);
}

static PyObject *
wrapper_qualname(PyObject *self, void *context)
{
    return PyObject_GetAttr((PyObject *)((struct wrapper_object *)self)->descr,
                            KR_ID(__qualname__));
}

static PyMethodDef wrapper_methods[] = {
    {"__reduce__", wrapper_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef wrapper_members[] = {
    {"__self__", T_OBJECT, offsetof(struct wrapper_object, self), READONLY},
    {NULL},
};

static PyGetSetDef wrapper_getsets[] = {
    {"__objclass__", wrapper_objclass},
    {"__name__", wrapper_name},
    {"__qualname__", wrapper_qualname},
    {"__doc__", wrapper_doc},
    {"__text_signature__", wrapper_text_signature},
    {NULL},
};

PyTypeObject _PyMethodWrapper_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "method-wrapper",
    .tp_basicsize = sizeof(struct wrapper_object),
    .tp_dealloc = wrapper_dealloc,
    .tp_repr = wrapper_repr,
    .tp_hash = wrapper_hash,
    .tp_call = wrapper_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = wrapper_traverse,
    .tp_richcompare = wrapper_richcompare,
    .tp_methods = wrapper_methods,
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getsets,
};

PyObject *
PyWrapper_New(PyObject *d, PyObject *self)
{
    struct wrapper_object *w =
        PyObject_GC_New(struct wrapper_object, &_PyMethodWrapper_Type);
    if (w != NULL) {
        w->descr = (PyWrapperDescrObject *)Py_NewRef(d);
        w->self = Py_NewRef(self);
        kr_gc_track((PyObject *)w);
    }
    return (PyObject *)w;
}

/* ---- mappingproxy ------------------------------------------------------- */

struct proxy_object {
    PyObject_HEAD
    PyObject *mapping;
};

static inline PyObject *
target(PyObject *self)
{
    return ((struct proxy_object *)self)->mapping;
}

static Py_ssize_t
proxy_len(PyObject *self)
{
    return PyObject_Size(target(self));
}

static PyObject *
proxy_getitem(PyObject *self, PyObject *key)
{
    return PyObject_GetItem(target(self), key);
}

static int
proxy_contains(PyObject *self, PyObject *key)
{
    if (PyDict_CheckExact(target(self))) {
        return PyDict_Contains(target(self), key);
    }
    return PySequence_Contains(target(self), key);
}

static PyObject *
proxy_or(PyObject *left, PyObject *right)
{
    if (PyObject_TypeCheck(left, &PyDictProxy_Type)) {
        left = target(left);
    }
    if (PyObject_TypeCheck(right, &PyDictProxy_Type)) {
        right = target(right);
    }
    return PyNumber_Or(left, right);
}

static PyObject *
proxy_ior(PyObject *self, PyObject *other)
{
    return PyErr_Format(PyExc_TypeError,
                        "'|=' is not supported by %s; use '|' instead",
                        Py_TYPE(self)->tp_name);
}

static PyObject *
proxy_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("get", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *stack[3] = {target(self), args[0],
                          nargs == 2 ? args[1] : Py_None};
    return PyObject_VectorcallMethod(
        KR_ID(get), stack, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static PyObject *
proxy_keys(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(target(self), KR_ID(keys));
}

static PyObject *
proxy_values(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(target(self), KR_ID(values));
}

static PyObject *
proxy_items(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(target(self), KR_ID(items));
}

static PyObject *
proxy_copy(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(target(self), KR_ID(copy));
}

static PyObject *
proxy_reversed(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(target(self), KR_ID(__reversed__));
}

static PyMethodDef proxy_methods[] = {
    {"get", (PyCFunction)(void *)proxy_get, METH_FASTCALL,
     PyDoc_STR("get($self, key, default=None, /)\n--\n\n"
               "Item of the mapping, or the default if there is none.")},
    {"keys", proxy_keys, METH_NOARGS,
     PyDoc_STR("D.keys() -> view of the keys")},
    {"values", proxy_values, METH_NOARGS,
     PyDoc_STR("D.values() -> view of the values")},
    {"items", proxy_items, METH_NOARGS,
     PyDoc_STR("D.items() -> view of the pairs (key, value)")},
    {"copy", proxy_copy, METH_NOARGS,
     PyDoc_STR("D.copy() -> shallow copy of the mapping")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("See PEP 585")},
    {"__reversed__", proxy_reversed, METH_NOARGS,
     PyDoc_STR("D.__reversed__() -> reverse iterator")},
    {NULL},
};

static void
proxy_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_DECREF(target(self));
    PyObject_GC_Del(self);
}

static int
proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(target(self));
    return 0;
}

static PyObject *
proxy_iter(PyObject *self)
{
    return PyObject_GetIter(target(self));
}

static PyObject *
proxy_str(PyObject *self)
{
    return PyObject_Str(target(self));
}

static PyObject *
proxy_repr(PyObject *self)
{
    return PyUnicode_FromFormat("mappingproxy(%R)", target(self));
}

static PyObject *
proxy_richcompare(PyObject *self, PyObject *other, int op)
{
    if (Py_IS_TYPE(other, &PyDictProxy_Type)) {
        other = target(other);
    }
    return PyObject_RichCompare(target(self), other, op);
}

static int
check_mapping(PyObject *mapping)
{
    if (PyMapping_Check(mapping) && !PyList_Check(mapping)
        && !PyTuple_Check(mapping)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "mappingproxy() argument must be a mapping, not %s",
                 Py_TYPE(mapping)->tp_name);
    return -1;
}

PyObject *
PyDictProxy_New(PyObject *mapping)
{
    if (check_mapping(mapping) < 0) {
        return NULL;
    }
    struct proxy_object *p =
        PyObject_GC_New(struct proxy_object, &PyDictProxy_Type);
    if (p != NULL) {
        p->mapping = Py_NewRef(mapping);
        kr_gc_track((PyObject *)p);
    }
    return (PyObject *)p;
}

static PyObject *
proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"mapping", NULL};
    PyObject *mapping;
    if (!kr_parse_tuple_named(args, kwds, "O:mappingproxy", names, &mapping)) {
        return NULL;
    }
    return PyDictProxy_New(mapping);
}

static PyNumberMethods proxy_as_number = {
    .nb_or = proxy_or,
    .nb_inplace_or = proxy_ior,
};

static PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_len,
    .mp_subscript = proxy_getitem,
};

static PySequenceMethods proxy_as_sequence = {.sq_contains = proxy_contains};

PyTypeObject PyDictProxy_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "mappingproxy",
    .tp_basicsize = sizeof(struct proxy_object),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_as_number,
    .tp_as_sequence = &proxy_as_sequence,
    .tp_as_mapping = &proxy_as_mapping,
    .tp_str = proxy_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_doc = PyDoc_STR("mappingproxy(mapping)\n--\n\n"
                        "Read-only view of a mapping."),
    .tp_traverse = proxy_traverse,
    .tp_richcompare = proxy_richcompare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_new = proxy_new,
};
