/* The type bool and its two objects. */
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/int/int.h"

PyLongObject _Py_FalseStruct = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyBool_Type, 0), .ob_digit = {0}};
PyLongObject _Py_TrueStruct = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyBool_Type, 1), .ob_digit = {1}};

#undef Py_IsTrue
#undef Py_IsFalse

int
Py_IsTrue(PyObject *x)
{
    return x == Py_True;
}

int
Py_IsFalse(PyObject *x)
{
    return x == Py_False;
}

PyObject *
PyBool_FromLong(long ok)
{
    return Py_NewRef(ok ? Py_True : Py_False);
}

static PyObject *
bool_repr(PyObject *self)
{
    return Py_NewRef(self == Py_True ? KR_ID(True) : KR_ID(False));
}

static PyObject *
bool_from(PyObject *x)
{
    int ok = PyObject_IsTrue(x);
    return ok < 0 ? NULL : PyBool_FromLong(ok);
}

static PyObject *
bool_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *x = Py_False;
    if (!_PyArg_NoKeywords("bool", kwargs) ||
        !PyArg_UnpackTuple(args, "bool", 0, 1, &x)) {
        return NULL;
    }
    return bool_from(x);
}

static PyObject *
bool_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("bool", kwnames) ||
        !_PyArg_CheckPositional("bool", nargs, 0, 1)) {
        return NULL;
    }
    return bool_from(nargs ? args[0] : Py_False);
}

/* Two bools give a bool, everything else is up to int. */
#define BOOL_OP(name, op)                                                      \
    static PyObject *name(PyObject *a, PyObject *b)                            \
    {                                                                          \
        if (!PyBool_Check(a) || !PyBool_Check(b)) {                            \
            return kr_int##name(a, b);                                         \
        }                                                                      \
        return PyBool_FromLong((a == Py_True)op(b == Py_True));                \
    }

BOOL_OP(_and, &)
BOOL_OP(_or, |)
BOOL_OP(_xor, ^)

/* Reached only when foreign code loses references: revives the count. */
static void
bool_dealloc(PyObject *self)
{
    self->ob_refcnt = KR_IMMORTAL_REFCNT;
}

PyDoc_STRVAR(bool_doc, "bool(x) -> bool\n"
                       "\n"
                       "The truth value of x, which is either True or False.\n"
                       "Both are ints, too: 1 and 0.");

static PyNumberMethods bool_as_number = {
    .nb_and = _and,
    .nb_xor = _xor,
    .nb_or = _or,
};

PyTypeObject PyBool_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bool",
    .tp_basicsize = sizeof(struct _longobject),
    .tp_dealloc = bool_dealloc,
    .tp_repr = bool_repr,
    .tp_as_number = &bool_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = bool_doc,
    .tp_base = &PyLong_Type,
    .tp_new = bool_new,
    .tp_vectorcall = bool_vectorcall,
};
