/* classmethod and staticmethod, which differ only in how they bind.
 *
 * Both take over the name, docstring and other attributes of the callable
 * they wrap, so that they look like it. */
#include <Python.h>
#include <structmember.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

struct wrapped_callable {
    PyObject_HEAD
    PyObject *callable;
    PyObject *dict;
};

static inline struct wrapped_callable *
cast(PyObject *self)
{
    return (struct wrapped_callable *)self;
}

/* ---- what both share ---------------------------------------------------- */

static int
copy_attribute(PyObject *to, PyObject *from, PyObject *name)
{
    PyObject *value;
    int r = _PyObject_LookupAttr(from, name, &value);
    if (r > 0) {
        r = PyObject_SetAttr(to, name, value);
        Py_DECREF(value);
    }
    return r < 0 ? -1 : 0;
}

static int
look_like(PyObject *self, PyObject *callable)
{
    PyObject *const names[] = {KR_ID(__module__), KR_ID(__name__),
                               KR_ID(__qualname__), KR_ID(__doc__)};
    for (size_t i = 0; i < KR_ARRAY_LEN(names); i++) {
        if (copy_attribute(self, callable, names[i]) < 0) {
            return -1;
        }
    }
    /* A function makes its annotations on demand; take only what is there. */
    return copy_attribute(self, callable, KR_ID(__annotations__));
}

static void
wc_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(cast(self)->callable);
    Py_XDECREF(cast(self)->dict);
    Py_TYPE(self)->tp_free(self);
}

static int
wc_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->dict);
    Py_VISIT(cast(self)->callable);
    return 0;
}

static int
wc_clear(PyObject *self)
{
    Py_CLEAR(cast(self)->dict);
    Py_CLEAR(cast(self)->callable);
    return 0;
}

static int
init(PyObject *self, PyObject *args, PyObject *kwds, const char *name)
{
    PyObject *callable;
    if (!_PyArg_NoKeywords(name, kwds)
        || !PyArg_UnpackTuple(args, name, 1, 1, &callable)) {
        return -1;
    }
    Py_INCREF(callable);
    Py_XSETREF(cast(self)->callable, callable);
    return look_like(self, callable);
}

static PyObject *
make(PyTypeObject *type, PyObject *callable)
{
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        cast(self)->callable = Py_NewRef(callable);
    }
    return self;
}

static PyObject *
wc_get_isabstract(PyObject *self, void *context)
{
    int res = _PyObject_IsAbstract(cast(self)->callable);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

static PyMemberDef wc_members[] = {
    {"__func__", T_OBJECT, offsetof(struct wrapped_callable, callable),
     READONLY},
    {"__wrapped__", T_OBJECT, offsetof(struct wrapped_callable, callable),
     READONLY},
    {NULL},
};

static PyGetSetDef wc_getsets[] = {
    {"__isabstractmethod__", wc_get_isabstract, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict},
    {NULL},
};

static PyObject *
cannot_use(const char *text)
{
    PyErr_SetString(PyExc_RuntimeError, text);
    return NULL;
}

/* ---- classmethod -------------------------------------------------------- */

static PyObject *
cm_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyObject *callable = cast(self)->callable;
    if (callable == NULL) {
        return cannot_use("uninitialized classmethod object");
    }
    if (type == NULL) {
        type = (PyObject *)Py_TYPE(obj);
    }
    descrgetfunc get = Py_TYPE(callable)->tp_descr_get;
    if (get != NULL && get != PyFunction_Type.tp_descr_get) {
        return get(callable, type, type);
    }
    return PyMethod_New(callable, type);
}

static int
cm_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    return init(self, args, kwds, "classmethod");
}

static PyObject *
cm_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<classmethod(%R)>", cast(self)->callable);
}

PyTypeObject PyClassMethod_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "classmethod",
    .tp_basicsize = sizeof(struct wrapped_callable),
    .tp_dealloc = wc_dealloc,
    .tp_repr = cm_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("classmethod(function) -> method\n\n"
                        "Make a method that gets the class as its first "
                        "argument."),
    .tp_traverse = wc_traverse,
    .tp_clear = wc_clear,
    .tp_members = wc_members,
    .tp_getset = wc_getsets,
    .tp_descr_get = cm_descr_get,
    .tp_dictoffset = offsetof(struct wrapped_callable, dict),
    .tp_init = cm_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

PyObject *
PyClassMethod_New(PyObject *callable)
{
    return make(&PyClassMethod_Type, callable);
}

/* ---- staticmethod ------------------------------------------------------- */

static PyObject *
sm_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyObject *callable = cast(self)->callable;
    if (callable == NULL) {
        return cannot_use("uninitialized staticmethod object");
    }
    return Py_NewRef(callable);
}

static int
sm_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    return init(self, args, kwds, "staticmethod");
}

static PyObject *
sm_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (cast(self)->callable == NULL) {
        return cannot_use("uninitialized staticmethod object");
    }
    return PyObject_Call(cast(self)->callable, args, kwds);
}

static PyObject *
sm_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<staticmethod(%R)>", cast(self)->callable);
}

PyTypeObject PyStaticMethod_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "staticmethod",
    .tp_basicsize = sizeof(struct wrapped_callable),
    .tp_dealloc = wc_dealloc,
    .tp_repr = sm_repr,
    .tp_call = sm_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("staticmethod(function) -> method\n\n"
                        "Make a method that gets neither instance nor "
                        "class."),
    .tp_traverse = wc_traverse,
    .tp_clear = wc_clear,
    .tp_members = wc_members,
    .tp_getset = wc_getsets,
    .tp_descr_get = sm_descr_get,
    .tp_dictoffset = offsetof(struct wrapped_callable, dict),
    .tp_init = sm_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

PyObject *
PyStaticMethod_New(PyObject *callable)
{
    return make(&PyStaticMethod_Type, callable);
}
