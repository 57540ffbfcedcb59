/* property: attributes computed by functions. */
#include "base/common.h"
#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#include <Python.h>
#include <structmember.h>

struct property {
    PyObject_HEAD
    PyObject *get;
    PyObject *set;
    PyObject *del;
    PyObject *doc;
    PyObject *name;
    int getter_doc; /* doc came from the getter */
};

static PyMemberDef property_members[] = {
    {"fget", T_OBJECT, offsetof(struct property, get), READONLY},
    {"fset", T_OBJECT, offsetof(struct property, set), READONLY},
    {"fdel", T_OBJECT, offsetof(struct property, del), READONLY},
    {"__doc__", T_OBJECT, offsetof(struct property, doc), 0},
    {NULL},
};

/* A property like `old` with the functions that are given replaced. */
static PyObject *
copy_with(PyObject *old, PyObject *get, PyObject *set, PyObject *del)
{
    struct property *p = (struct property *)old;
    PyObject *type = PyObject_Type(old);
    if (type == NULL) {
        return NULL;
    }
    if (get == NULL || get == Py_None) {
        get = p->get ? p->get : Py_None;
    }
    if (set == NULL || set == Py_None) {
        set = p->set ? p->set : Py_None;
    }
    if (del == NULL || del == Py_None) {
        del = p->del ? p->del : Py_None;
    }
    /* A docstring from the getter is taken anew from the new getter. */
    PyObject *doc =
        p->getter_doc && get != Py_None ? Py_None : p->doc;
    PyObject *res = PyObject_CallFunctionObjArgs(
        type, get, set, del, doc == NULL ? Py_None : doc, NULL);
    Py_DECREF(type);
    if (res != NULL && PyObject_TypeCheck(res, &PyProperty_Type)) {
        Py_XINCREF(p->name);
        Py_XSETREF(((struct property *)res)->name, p->name);
    }
    return res;
}

static PyObject *
property_getter(PyObject *self, PyObject *getter)
{
    return copy_with(self, getter, NULL, NULL);
}

static PyObject *
property_setter(PyObject *self, PyObject *setter)
{
    return copy_with(self, NULL, setter, NULL);
}

static PyObject *
property_deleter(PyObject *self, PyObject *deleter)
{
    return copy_with(self, NULL, NULL, deleter);
}

static PyObject *
property_set_name(PyObject *self, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) != 2) {
        PyErr_Format(PyExc_TypeError,
                     "__set_name__() takes 2 positional arguments but %zd "
                     "were given",
                     PyTuple_GET_SIZE(args));
        return NULL;
    }
    struct property *p = (struct property *)self;
    Py_INCREF(PyTuple_GET_ITEM(args, 1));
    Py_XSETREF(p->name, PyTuple_GET_ITEM(args, 1));
    Py_RETURN_NONE;
}

static PyMethodDef property_methods[] = {
    {"getter", property_getter, METH_O,
     PyDoc_STR("Descriptor to obtain a copy of the property with a "
               "different getter.")},
    {"setter", property_setter, METH_O,
     PyDoc_STR("Descriptor to obtain a copy of the property with a "
               "different setter.")},
    {"deleter", property_deleter, METH_O,
     PyDoc_STR("Descriptor to obtain a copy of the property with a "
               "different deleter.")},
    {"__set_name__", property_set_name, METH_VARARGS,
     PyDoc_STR("Method to set name of a property.")},
    {NULL},
};

static void
property_dealloc(PyObject *self)
{
    struct property *p = (struct property *)self;
    kr_gc_untrack(self);
    Py_XDECREF(p->get);
    Py_XDECREF(p->set);
    Py_XDECREF(p->del);
    Py_XDECREF(p->doc);
    Py_XDECREF(p->name);
    Py_TYPE(self)->tp_free(self);
}

/* "property 'x' of 'C' object has no getter", as much of it as is known. */
static KR_COLD void
missing_function(PyObject *self, PyObject *obj, const char *what)
{
    struct property *p = (struct property *)self;
    PyObject *qualname = NULL;
    if (obj != NULL) {
        qualname = PyType_GetQualName(Py_TYPE(obj));
        if (qualname == NULL) {
            return;
        }
    }
    if (p->name != NULL && qualname != NULL) {
        PyErr_Format(PyExc_AttributeError,
                     "property %R of %R object has no %s", p->name, qualname,
                     what);
    }
    else if (qualname != NULL) {
        PyErr_Format(PyExc_AttributeError, "property of %R object has no %s",
                     qualname, what);
    }
    else {
        PyErr_Format(PyExc_AttributeError, "property has no %s", what);
    }
    Py_XDECREF(qualname);
}

static PyObject *
property_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (obj == NULL || obj == Py_None) {
        return Py_NewRef(self);
    }
    struct property *p = (struct property *)self;
    if (KR_UNLIKELY(p->get == NULL)) {
        missing_function(self, obj, "getter");
        return NULL;
    }
    return PyObject_CallOneArg(p->get, obj);
}

static int
property_descr_set(PyObject *self, PyObject *obj, PyObject *value)
{
    struct property *p = (struct property *)self;
    PyObject *func = value == NULL ? p->del : p->set;
    if (func == NULL) {
        missing_function(self, obj, value == NULL ? "deleter" : "setter");
        return -1;
    }
    PyObject *stack[2] = {obj, value};
    PyObject *res =
        PyObject_Vectorcall(func, stack, value == NULL ? 1 : 2, NULL);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

/* The docstring of the getter becomes that of the property: in its own field,
 * or in the dict of an instance of a subclass. */
static int
adopt_getter_doc(PyObject *self, PyObject *get)
{
    struct property *p = (struct property *)self;
    PyObject *doc;
    int r = _PyObject_LookupAttr(get, KR_ID(__doc__), &doc);
    if (r <= 0) {
        return r;
    }
    if (Py_IS_TYPE(self, &PyProperty_Type)) {
        Py_XSETREF(p->doc, doc);
    }
    else {
        /* A __slots__ subclass may have no place for it, or say no. */
        r = PyObject_SetAttr(self, KR_ID(__doc__), doc);
        Py_DECREF(doc);
        if (r < 0) {
            return -1;
        }
    }
    p->getter_doc = 1;
    return 0;
}

static int
property_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"fget", "fset", "fdel", "doc", NULL};
    PyObject *get = NULL, *set = NULL, *del = NULL, *doc = NULL;
    if (!kr_parse_tuple_named(args, kwds, "|OOOO:property", names, &get, &set,
                              &del, &doc)) {
        return -1;
    }
    get = get == Py_None ? NULL : get;
    set = set == Py_None ? NULL : set;
    del = del == Py_None ? NULL : del;
    struct property *p = (struct property *)self;
    Py_XINCREF(get);
    Py_XINCREF(set);
    Py_XINCREF(del);
    Py_XINCREF(doc);
    Py_XSETREF(p->get, get);
    Py_XSETREF(p->set, set);
    Py_XSETREF(p->del, del);
    Py_XSETREF(p->doc, doc);
    Py_CLEAR(p->name);
    p->getter_doc = 0;
    if ((doc == NULL || doc == Py_None) && get != NULL) {
        return adopt_getter_doc(self, get);
    }
    return 0;
}

static PyObject *
property_get_isabstract(PyObject *self, void *context)
{
    struct property *p = (struct property *)self;
    int res = _PyObject_IsAbstract(p->get);
    if (res == 0) {
        res = _PyObject_IsAbstract(p->set);
    }
    if (res == 0) {
        res = _PyObject_IsAbstract(p->del);
    }
    return res < 0 ? NULL : PyBool_FromLong(res);
}

static PyGetSetDef property_getsets[] = {
    {"__isabstractmethod__", property_get_isabstract, NULL},
    {NULL},
};

static int
property_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct property *p = (struct property *)self;
    Py_VISIT(p->get);
    Py_VISIT(p->set);
    Py_VISIT(p->del);
    Py_VISIT(p->doc);
    Py_VISIT(p->name);
    return 0;
}

static int
property_clear(PyObject *self)
{
    Py_CLEAR(((struct property *)self)->doc);
    return 0;
}

PyTypeObject PyProperty_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "property",
    .tp_basicsize = sizeof(struct property),
    .tp_dealloc = property_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR(
        "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\n"
        "Attribute whose value is computed by functions.\n\n"
        "  fget\n    function that gives the value\n"
        "  fset\n    function that sets it\n"
        "  fdel\n    function that deletes it\n"
        "  doc\n    docstring"),
    .tp_traverse = property_traverse,
    .tp_clear = property_clear,
    .tp_methods = property_methods,
    .tp_members = property_members,
    .tp_getset = property_getsets,
    .tp_descr_get = property_descr_get,
    .tp_descr_set = property_descr_set,
    .tp_init = property_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
