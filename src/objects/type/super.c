/* super: attribute lookup that starts behind a class in the MRO. */
#include "objects/super.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/object.h"
#include "objects/type/type.h"

#include <structmember.h>

struct super_object {
    PyObject_HEAD
    PyTypeObject *type;
    PyObject *obj;
    PyTypeObject *obj_type;
};

static void
super_dealloc(PyObject *self)
{
    struct super_object *su = (struct super_object *)self;
    kr_gc_untrack(self);
    Py_XDECREF(su->obj);
    Py_XDECREF(su->type);
    Py_XDECREF(su->obj_type);
    Py_TYPE(self)->tp_free(self);
}

static int
super_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct super_object *su = (struct super_object *)self;
    Py_VISIT(su->obj);
    Py_VISIT(su->type);
    Py_VISIT(su->obj_type);
    return 0;
}

static PyObject *
super_repr(PyObject *self)
{
    struct super_object *su = (struct super_object *)self;
    const char *type = su->type ? su->type->tp_name : "NULL";
    if (su->obj_type != NULL) {
        return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>",
                                    type, su->obj_type->tp_name);
    }
    return PyUnicode_FromFormat("<super: <class '%s'>, NULL>", type);
}

/* The raw attribute behind `type` in the MRO of `start`: 1 and a new
 * reference, 0 missing, -1 error. */
static int
find_behind(PyTypeObject *type, PyTypeObject *start, PyObject *name,
            PyObject **res)
{
    PyObject *mro = start->tp_mro;
    *res = NULL;
    if (mro == NULL) {
        return 0;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(mro);
    Py_ssize_t i = 0;
    /* The last class of all has nothing behind it. */
    while (i + 1 < n && PyTuple_GET_ITEM(mro, i) != (PyObject *)type) {
        i++;
    }
    i++;
    Py_INCREF(mro);
    for (; i < n && *res == NULL; i++) {
        PyObject *cls = PyTuple_GET_ITEM(mro, i);
        PyObject *dict = ((PyTypeObject *)cls)->tp_dict;
        *res = Py_XNewRef(PyDict_GetItemWithError(dict, name));
        if (*res == NULL && PyErr_Occurred()) {
            Py_DECREF(mro);
            return -1;
        }
    }
    Py_DECREF(mro);
    return *res != NULL;
}

static PyObject *
super_getattro(PyObject *self, PyObject *name)
{
    struct super_object *su = (struct super_object *)self;
    PyTypeObject *start = su->obj_type;
    /* __class__ is that of the super object itself. */
    if (start == NULL
        || (PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == 9
            && _PyUnicode_EQ(name, KR_ID(__class__)))) {
        return PyObject_GenericGetAttr(self, name);
    }
    PyObject *res;
    int r = find_behind(su->type, start, name, &res);
    if (r < 0) {
        return NULL;
    }
    if (r == 0) {
        return PyObject_GenericGetAttr(self, name);
    }
    descrgetfunc f = Py_TYPE(res)->tp_descr_get;
    if (f != NULL) {
        PyObject *obj = su->obj == (PyObject *)start ? NULL : su->obj;
        Py_SETREF(res, f(res, obj, (PyObject *)start));
    }
    return res;
}

/* The class whose MRO counts: that of an instance, or a subclass itself. New
 * reference, or NULL with TypeError. */
static PyTypeObject *
super_check(PyTypeObject *type, PyObject *obj)
{
    if (PyType_Check(obj) && PyType_IsSubtype((PyTypeObject *)obj, type)) {
        return (PyTypeObject *)Py_NewRef(obj);
    }
    if (PyType_IsSubtype(Py_TYPE(obj), type)) {
        return (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(obj));
    }
    /* A proxy may claim another __class__. */
    PyObject *cls;
    if (_PyObject_LookupAttr(obj, KR_ID(__class__), &cls) < 0) {
        return NULL;
    }
    if (cls != NULL && PyType_Check(cls) && cls != (PyObject *)Py_TYPE(obj)
        && PyType_IsSubtype((PyTypeObject *)cls, type)) {
        return (PyTypeObject *)cls;
    }
    Py_XDECREF(cls);
    PyErr_SetString(PyExc_TypeError,
                    "super(type, obj): obj must be an instance or subtype "
                    "of type");
    return NULL;
}

PyObject *
kr_super_lookup(PyTypeObject *type, PyObject *self, PyObject *name,
                int *method)
{
    PyTypeObject *start = super_check(type, self);
    if (start == NULL) {
        return NULL;
    }
    if (method != NULL) {
        *method = 0;
    }
    PyObject *res;
    int r = find_behind(type, start, name, &res);
    if (r == 0) {
        PyObject *su = PyObject_CallFunctionObjArgs(
            (PyObject *)&PySuper_Type, (PyObject *)type, self, NULL);
        if (su != NULL) {
            res = PyObject_GenericGetAttr(su, name);
            Py_DECREF(su);
        }
    }
    else if (r > 0) {
        bool of_class = self == (PyObject *)start;
        descrgetfunc f = Py_TYPE(res)->tp_descr_get;
        if (method != NULL && !of_class
            && PyType_HasFeature(Py_TYPE(res),
                                 Py_TPFLAGS_METHOD_DESCRIPTOR)) {
            *method = 1;
        }
        else if (f != NULL) {
            Py_SETREF(res,
                      f(res, of_class ? NULL : self, (PyObject *)start));
        }
    }
    Py_DECREF(start);
    return res;
}

/* ---- making and binding ------------------------------------------------- */

static int
super_setup(struct super_object *su, PyTypeObject *type, PyObject *obj)
{
    PyTypeObject *obj_type = NULL;
    if (type == NULL) {
        if (kr_super_frame_args(&type, &obj) < 0) {
            return -1;
        }
    }
    if (obj == Py_None) {
        obj = NULL;
    }
    if (obj != NULL) {
        obj_type = super_check(type, obj);
        if (obj_type == NULL) {
            return -1;
        }
    }
    Py_INCREF(type);
    Py_XINCREF(obj);
    Py_XSETREF(su->type, type);
    Py_XSETREF(su->obj, obj);
    Py_XSETREF(su->obj_type, obj_type);
    return 0;
}

static int
super_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = NULL;
    PyObject *obj = NULL;
    if (!_PyArg_NoKeywords("super", kwds)
        || !PyArg_ParseTuple(args, "|O!O:super", &PyType_Type, &type,
                             &obj)) {
        return -1;
    }
    return super_setup((struct super_object *)self, type, obj);
}

static PyObject *
super_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("super", kwnames)) {
        return NULL;
    }
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_CheckPositional("super()", n, 0, 2)) {
        return NULL;
    }
    PyTypeObject *type = NULL;
    PyObject *obj = NULL;
    if (n != 0) {
        if (!PyType_Check(args[0])) {
            PyErr_Format(PyExc_TypeError,
                         "super() argument 1 must be a type, not %.200s",
                         Py_TYPE(args[0])->tp_name);
            return NULL;
        }
        type = (PyTypeObject *)args[0];
    }
    if (n == 2) {
        obj = args[1];
    }
    PyTypeObject *cls = (PyTypeObject *)self;
    struct super_object *su = (struct super_object *)cls->tp_alloc(cls, 0);
    if (su != NULL && super_setup(su, type, obj) < 0) {
        Py_CLEAR(su);
    }
    return (PyObject *)su;
}

static PyObject *
super_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    struct super_object *su = (struct super_object *)self;
    if (obj == NULL || obj == Py_None || su->obj != NULL) {
        return Py_NewRef(self); /* not bindable, or bound already */
    }
    if (!Py_IS_TYPE(su, &PySuper_Type)) {
        /* A subclass may do things of its own when made. */
        return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(su),
                                            su->type, obj, NULL);
    }
    PyTypeObject *obj_type = super_check(su->type, obj);
    if (obj_type == NULL) {
        return NULL;
    }
    struct super_object *res =
        (struct super_object *)PySuper_Type.tp_alloc(&PySuper_Type, 0);
    if (res == NULL) {
        Py_DECREF(obj_type);
        return NULL;
    }
    res->type = (PyTypeObject *)Py_XNewRef((PyObject *)su->type);
    res->obj = Py_NewRef(obj);
    res->obj_type = obj_type;
    return (PyObject *)res;
}

static PyMemberDef super_members[] = {
    {"__thisclass__", T_OBJECT, offsetof(struct super_object, type), READONLY,
     PyDoc_STR("the class that lookup starts behind")},
    {"__self__", T_OBJECT, offsetof(struct super_object, obj), READONLY,
     PyDoc_STR("the object, or None if unbound")},
    {"__self_class__", T_OBJECT, offsetof(struct super_object, obj_type),
     READONLY, PyDoc_STR("the class of the object, or None if unbound")},
    {NULL},
};

PyTypeObject PySuper_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "super",
    .tp_basicsize = sizeof(struct super_object),
    .tp_dealloc = super_dealloc,
    .tp_repr = super_repr,
    .tp_getattro = super_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("super() -> same as super(__class__, <first "
                        "argument>)\n"
                        "super(type) -> unbound super object\n"
                        "super(type, obj) -> bound super object\n"
                        "super(type, type2) -> bound super object\n\n"
                        "Lookup that goes on behind a class."),
    .tp_traverse = super_traverse,
    .tp_members = super_members,
    .tp_descr_get = super_descr_get,
    .tp_init = super_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = super_vectorcall,
};
