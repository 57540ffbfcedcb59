/* Capsules: C pointers that travel through Python. */
#include <Python.h>

#include "base/common.h"
#include "objects/immortal.h"

struct capsule {
    PyObject_HEAD
    void *pointer;
    const char *name;
    void *context;
    PyCapsule_Destructor destructor;
};

static bool
same_name(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The capsule, or NULL with ValueError if `o` is not a live one. */
static struct capsule *
checked(PyObject *o, const char *error)
{
    if (o == NULL || !PyCapsule_CheckExact(o)
        || ((struct capsule *)o)->pointer == NULL) {
        PyErr_SetString(PyExc_ValueError, error);
        return NULL;
    }
    return (struct capsule *)o;
}

PyObject *
PyCapsule_New(void *pointer, const char *name, PyCapsule_Destructor destructor)
{
    if (pointer == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "PyCapsule_New called with null pointer");
        return NULL;
    }
    struct capsule *c = PyObject_New(struct capsule, &PyCapsule_Type);
    if (c == NULL) {
        return NULL;
    }
    c->pointer = pointer;
    c->name = name;
    c->context = NULL;
    c->destructor = destructor;
    return (PyObject *)c;
}

int
PyCapsule_IsValid(PyObject *o, const char *name)
{
    struct capsule *c = (struct capsule *)o;
    return o != NULL && PyCapsule_CheckExact(o) && c->pointer != NULL
           && same_name(c->name, name);
}

void *
PyCapsule_GetPointer(PyObject *o, const char *name)
{
    struct capsule *c = checked(
        o, "PyCapsule_GetPointer called with invalid PyCapsule object");
    if (c == NULL) {
        return NULL;
    }
    if (!same_name(name, c->name)) {
        PyErr_SetString(PyExc_ValueError,
                        "PyCapsule_GetPointer called with incorrect name");
        return NULL;
    }
    return c->pointer;
}

const char *
PyCapsule_GetName(PyObject *o)
{
    struct capsule *c =
        checked(o, "PyCapsule_GetName called with invalid PyCapsule object");
    return c == NULL ? NULL : c->name;
}

PyCapsule_Destructor
PyCapsule_GetDestructor(PyObject *o)
{
    struct capsule *c = checked(
        o, "PyCapsule_GetDestructor called with invalid PyCapsule object");
    return c == NULL ? NULL : c->destructor;
}

void *
PyCapsule_GetContext(PyObject *o)
{
    struct capsule *c = checked(
        o, "PyCapsule_GetContext called with invalid PyCapsule object");
    return c == NULL ? NULL : c->context;
}

int
PyCapsule_SetPointer(PyObject *o, void *pointer)
{
    struct capsule *c = checked(
        o, "PyCapsule_SetPointer called with invalid PyCapsule object");
    if (c == NULL) {
        return -1;
    }
    if (pointer == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "PyCapsule_SetPointer called with null pointer");
        return -1;
    }
    c->pointer = pointer;
    return 0;
}

int
PyCapsule_SetName(PyObject *o, const char *name)
{
    struct capsule *c =
        checked(o, "PyCapsule_SetName called with invalid PyCapsule object");
    if (c == NULL) {
        return -1;
    }
    c->name = name;
    return 0;
}

int
PyCapsule_SetDestructor(PyObject *o, PyCapsule_Destructor destructor)
{
    struct capsule *c = checked(
        o, "PyCapsule_SetDestructor called with invalid PyCapsule object");
    if (c == NULL) {
        return -1;
    }
    c->destructor = destructor;
    return 0;
}

int
PyCapsule_SetContext(PyObject *o, void *context)
{
    struct capsule *c = checked(
        o, "PyCapsule_SetContext called with invalid PyCapsule object");
    if (c == NULL) {
        return -1;
    }
    c->context = context;
    return 0;
}

/* "package.module.attribute": the module is imported, the rest looked up. */
void *
PyCapsule_Import(const char *name, int no_block)
{
    size_t size = strlen(name) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(copy, name, size);
    PyObject *object = NULL;
    for (char *part = copy; part != NULL;) {
        char *dot = strchr(part, '.');
        if (dot != NULL) {
            *dot++ = '\0';
        }
        if (object == NULL) {
            object = PyImport_ImportModule(part);
            if (object == NULL) {
                PyErr_Format(PyExc_ImportError,
                             "PyCapsule_Import could not import module "
                             "\"%s\"",
                             part);
            }
        }
        else {
            Py_SETREF(object, PyObject_GetAttrString(object, part));
        }
        if (object == NULL) {
            break;
        }
        part = dot;
    }
    void *res = NULL;
    if (object != NULL) {
        if (PyCapsule_IsValid(object, name)) {
            res = ((struct capsule *)object)->pointer;
        }
        else {
            PyErr_Format(PyExc_AttributeError,
                         "PyCapsule_Import \"%s\" is not valid", name);
        }
        Py_DECREF(object);
    }
    PyMem_Free(copy);
    return res;
}

static void
capsule_dealloc(PyObject *o)
{
    struct capsule *c = (struct capsule *)o;
    if (c->destructor != NULL) {
        c->destructor(o);
    }
    PyObject_Free(o);
}

static PyObject *
capsule_repr(PyObject *o)
{
    struct capsule *c = (struct capsule *)o;
    const char *quote = c->name != NULL ? "\"" : "";
    return PyUnicode_FromFormat("<capsule object %s%s%s at %p>", quote,
                                c->name != NULL ? c->name : "NULL", quote, o);
}

PyTypeObject PyCapsule_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "PyCapsule",
    .tp_basicsize = sizeof(struct capsule),
    .tp_dealloc = capsule_dealloc,
    .tp_repr = capsule_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = PyDoc_STR("A C pointer, with which extension modules offer "
                        "functions to each other."),
};
