/* InterpreterID: a number that names an interpreter and counts as a reference
 * to it. */
#include "objects/interp_id.h"

#include <inttypes.h>

typedef struct {
    PyObject_HEAD
    int64_t id;
} InterpreterID;

#define ID_OF(op) (((InterpreterID *)(op))->id)

/* `force`: an id without interpreter is fine. */
static PyObject *
new_id(PyTypeObject *type, int64_t id, int force)
{
    PyInterpreterState *interp = _PyInterpreterState_LookUpID(id);
    if (interp == NULL) {
        if (!force) {
            return NULL;
        }
        PyErr_Clear();
    }
    else if (_PyInterpreterState_IDIncref(interp) < 0) {
        return NULL;
    }
    InterpreterID *self = PyObject_New(InterpreterID, type);
    if (self == NULL) {
        if (interp != NULL) {
            _PyInterpreterState_IDDecref(interp);
        }
        return NULL;
    }
    self->id = id;
    return (PyObject *)self;
}

/* An argument converter: 1 or 0. */
static int
convert(PyObject *arg, void *result)
{
    int64_t id;
    if (PyObject_TypeCheck(arg, &_PyInterpreterID_Type)) {
        id = ID_OF(arg);
    }
    else if (PyIndex_Check(arg)) {
        id = PyLong_AsLongLong(arg);
        if (id == -1 && PyErr_Occurred()) {
            return 0;
        }
        if (id < 0) {
            PyErr_Format(PyExc_ValueError,
                         "interpreter ID must be a non-negative int, got %R",
                         arg);
            return 0;
        }
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "interpreter ID must be an int, got %.100s",
                     Py_TYPE(arg)->tp_name);
        return 0;
    }
    *(int64_t *)result = id;
    return 1;
}

static PyObject *
id_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"id", "force", NULL};
    int64_t id;
    int force = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs,
                                     "O&|$p:InterpreterID.__init__", keywords,
                                     convert, &id, &force)) {
        return NULL;
    }
    return new_id(type, id, force);
}

static void
id_dealloc(PyObject *self)
{
    PyInterpreterState *interp = _PyInterpreterState_LookUpID(ID_OF(self));
    if (interp != NULL) {
        _PyInterpreterState_IDDecref(interp);
    }
    else {
        PyErr_Clear(); /* it has ended */
    }
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
id_repr(PyObject *self)
{
    return PyUnicode_FromFormat("%s(%lld)", _PyType_Name(Py_TYPE(self)),
                                (long long)ID_OF(self));
}

static PyObject *
id_str(PyObject *self)
{
    return PyUnicode_FromFormat("%lld", (long long)ID_OF(self));
}

static PyObject *
id_int(PyObject *self)
{
    return PyLong_FromLongLong(ID_OF(self));
}

static Py_hash_t
id_hash(PyObject *self)
{
    PyObject *number = id_int(self);
    if (number == NULL) {
        return -1;
    }
    Py_hash_t hash = PyObject_Hash(number);
    Py_DECREF(number);
    return hash;
}

static PyObject *
id_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE)
        || !PyObject_TypeCheck(self, &_PyInterpreterID_Type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_TypeCheck(other, &_PyInterpreterID_Type)) {
        return PyBool_FromLong((ID_OF(self) == ID_OF(other)) == (op == Py_EQ));
    }
    if (!PyNumber_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *number = id_int(self);
    if (number == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_RichCompare(number, other, op);
    Py_DECREF(number);
    return res;
}

static PyNumberMethods id_as_number = {
    .nb_int = id_int,
    .nb_index = id_int,
};

PyTypeObject _PyInterpreterID_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "InterpreterID",
    .tp_doc = "A interpreter ID identifies a interpreter and may be used as "
              "an int.",
    .tp_basicsize = sizeof(InterpreterID),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_dealloc = id_dealloc,
    .tp_repr = id_repr,
    .tp_str = id_str,
    .tp_hash = id_hash,
    .tp_richcompare = id_richcompare,
    .tp_as_number = &id_as_number,
    .tp_new = id_new,
};

PyObject *
_PyInterpreterID_New(int64_t id)
{
    return new_id(&_PyInterpreterID_Type, id, 0);
}

PyObject *
_PyInterpreterState_GetIDObject(PyInterpreterState *interp)
{
    if (_PyInterpreterState_IDInitref(interp) != 0) {
        return NULL;
    }
    int64_t id = PyInterpreterState_GetID(interp);
    return id < 0 ? NULL : new_id(&_PyInterpreterID_Type, id, 0);
}

PyInterpreterState *
_PyInterpreterID_LookUp(PyObject *requested)
{
    int64_t id;
    return convert(requested, &id) ? _PyInterpreterState_LookUpID(id) : NULL;
}
