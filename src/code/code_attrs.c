/* The code type as Python sees it: attributes, methods, comparison, code(). */
#include "base/common.h"
#include "code/code.h"
#include "code/code_type.h"
#include "code/locations.h"
#include "code/opcode_meta.h"
#include "code/verify.h"
#include "objects/args/named.h"

#include <Python.h>
#include <structmember.h>

static PyObject *
code_repr(PyObject *self)
{
    PyCodeObject *co = (PyCodeObject *)self;
    int line = co->co_firstlineno != 0 ? co->co_firstlineno : -1;
    if (co->co_filename && PyUnicode_Check(co->co_filename)) {
        return PyUnicode_FromFormat(
            "<code object %U at %p, file \"%U\", line %d>", co->co_name, co,
            co->co_filename, line);
    }
    return PyUnicode_FromFormat("<code object %U at %p, file ???, line %d>",
                                co->co_name, co, line);
}

static int
same_instructions(PyCodeObject *a, PyCodeObject *b)
{
    if (Py_SIZE(a) != Py_SIZE(b)) {
        return 0;
    }
    PyObject *x = PyCode_GetCode(a);
    PyObject *y = x == NULL ? NULL : PyCode_GetCode(b);
    int result = y == NULL ? -1 : PyObject_RichCompareBool(x, y, Py_EQ);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static int
same_constants(PyCodeObject *a, PyCodeObject *b)
{
    PyObject *x = _PyCode_ConstantKey(a->co_consts);
    PyObject *y = x == NULL ? NULL : _PyCode_ConstantKey(b->co_consts);
    int result = y == NULL ? -1 : PyObject_RichCompareBool(x, y, Py_EQ);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

/* 1, 0, or -1 with an exception set. */
static int
codes_equal(PyCodeObject *a, PyCodeObject *b)
{
    if (a->co_argcount != b->co_argcount ||
        a->co_posonlyargcount != b->co_posonlyargcount ||
        a->co_kwonlyargcount != b->co_kwonlyargcount ||
        a->co_flags != b->co_flags || a->co_firstlineno != b->co_firstlineno) {
        return 0;
    }
    PyObject *pairs[][2] = {
        {a->co_name, b->co_name},
        {a->co_names, b->co_names},
        {a->co_localsplusnames, b->co_localsplusnames},
        {a->co_linetable, b->co_linetable},
        {a->co_exceptiontable, b->co_exceptiontable},
    };
    for (size_t i = 0; i < KR_ARRAY_LEN(pairs); i++) {
        int eq = PyObject_RichCompareBool(pairs[i][0], pairs[i][1], Py_EQ);
        if (eq <= 0) {
            return eq;
        }
    }
    int eq = same_instructions(a, b);
    return eq <= 0 ? eq : same_constants(a, b);
}

static PyObject *
code_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCode_Check(self) ||
        !PyCode_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = codes_equal((PyCodeObject *)self, (PyCodeObject *)other);
    if (eq < 0) {
        return NULL;
    }
    return PyBool_FromLong(eq == (op == Py_EQ));
}

static Py_hash_t
code_hash(PyObject *self)
{
    PyCodeObject *co = (PyCodeObject *)self;
    PyObject *parts[] = {co->co_name,           co->co_consts,
                         co->co_names,          co->co_localsplusnames,
                         co->co_linetable,      co->co_exceptiontable};
    Py_uhash_t hash = 0;
    for (size_t i = 0; i < KR_ARRAY_LEN(parts); i++) {
        Py_hash_t part = PyObject_Hash(parts[i]);
        if (part == -1) {
            return -1;
        }
        hash = hash * 1000003 ^ (Py_uhash_t)part;
    }
    const int numbers[] = {co->co_argcount, co->co_posonlyargcount,
                           co->co_kwonlyargcount, co->co_flags,
                           co->co_firstlineno};
    for (size_t i = 0; i < KR_ARRAY_LEN(numbers); i++) {
        hash = hash * 1000003 ^ (Py_uhash_t)numbers[i];
    }
    return (Py_hash_t)hash == -1 ? -2 : (Py_hash_t)hash;
}

static PyObject *
code_sizeof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyCodeObject *co = (PyCodeObject *)self;
    return PyLong_FromSsize_t(Py_TYPE(co)->tp_basicsize + _PyCode_NBYTES(co) +
                              kr_code_extra_size(co));
}

static PyObject *
code_co_lines(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return kr_code_lines((PyCodeObject *)self);
}

static PyObject *
code_co_positions(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return kr_code_positions((PyCodeObject *)self);
}

static PyObject *
code_varname_from_oparg(PyObject *self, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"oparg", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .format = "i:_varname_from_oparg"};
    int oparg;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &oparg)) {
        return NULL;
    }
    PyCodeObject *co = (PyCodeObject *)self;
    if (oparg < 0 || oparg >= co->co_nlocalsplus) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(co->co_localsplusnames, oparg));
}

/* A tuple of exact str made from the tuple `names`, or TypeError. */
static PyObject *
checked_names(PyObject *names)
{
    Py_ssize_t n = PyTuple_GET_SIZE(names);
    PyObject *result = PyTuple_New(n);
    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CheckExact(name)) {
            Py_INCREF(name);
        }
        else if (!PyUnicode_Check(name)) {
            PyErr_Format(PyExc_TypeError,
                         "name tuples must contain only "
                         "strings, not '%.500s'",
                         Py_TYPE(name)->tp_name);
            name = NULL;
        }
        else {
            name = _PyUnicode_Copy(name);
        }
        if (name == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, name);
    }
    return result;
}

static int
not_negative(int value, const char *message)
{
    if (value < 0) {
        PyErr_SetString(PyExc_ValueError, message);
        return -1;
    }
    return 0;
}

static PyObject *
code_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    int argcount, posonly, kwonly, nlocals, stacksize, flags, firstlineno;
    PyObject *code, *consts, *names, *varnames, *filename, *name, *qualname;
    PyObject *linetable, *exctable, *freevars = NULL, *cellvars = NULL;
    if (!_PyArg_NoKeywords("code", kwargs) ||
        !_PyArg_CheckPositional("code", PyTuple_GET_SIZE(args), 16, 18) ||
        !PyArg_ParseTuple(args, "iiiiiiSO!O!O!UUUiSS|O!O!:code", &argcount,
                          &posonly, &kwonly, &nlocals, &stacksize, &flags,
                          &code, &PyTuple_Type, &consts, &PyTuple_Type, &names,
                          &PyTuple_Type, &varnames, &filename, &name,
                          &qualname, &firstlineno, &linetable, &exctable,
                          &PyTuple_Type, &freevars, &PyTuple_Type,
                          &cellvars)) {
        return NULL;
    }
    if (PySys_Audit("code.__new__", "OOOiiiiii", code, filename, name,
                    argcount, posonly, kwonly, nlocals, stacksize,
                    flags) < 0 ||
        not_negative(argcount, "code: argcount must not be negative") < 0 ||
        not_negative(posonly, "code: posonlyargcount must not be negative") <
            0 ||
        not_negative(kwonly, "code: kwonlyargcount must not be negative") <
            0 ||
        not_negative(nlocals, "code: nlocals must not be negative") < 0) {
        return NULL;
    }
    PyObject *empty = PyTuple_New(0);
    PyObject *n = checked_names(names);
    PyObject *v = n ? checked_names(varnames) : NULL;
    PyObject *f = v ? checked_names(freevars ? freevars : empty) : NULL;
    PyObject *c = f ? checked_names(cellvars ? cellvars : empty) : NULL;
    PyObject *co = NULL;
    if (c != NULL) {
        co = (PyObject *)PyCode_NewWithPosOnlyArgs(
            argcount, posonly, kwonly, nlocals, stacksize, flags, code, consts,
            n, v, f, c, filename, name, qualname, firstlineno, linetable,
            exctable);
    }
    Py_XDECREF(empty);
    Py_XDECREF(n);
    Py_XDECREF(v);
    Py_XDECREF(f);
    Py_XDECREF(c);
    return co;
}

/* New references; each is a caller's argument or what the code object has. */
struct replacement {
    PyObject *code, *varnames, *freevars, *cellvars;
};

static int
complete_replacement(PyCodeObject *co, struct replacement *r)
{
    r->code = r->code ? Py_NewRef(r->code) : PyCode_GetCode(co);
    r->varnames =
        r->varnames ? Py_NewRef(r->varnames) : PyCode_GetVarnames(co);
    r->freevars =
        r->freevars ? Py_NewRef(r->freevars) : PyCode_GetFreevars(co);
    r->cellvars =
        r->cellvars ? Py_NewRef(r->cellvars) : PyCode_GetCellvars(co);
    return r->code && r->varnames && r->freevars && r->cellvars ? 0 : -1;
}

static PyObject *
code_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {
        "co_argcount",       "co_posonlyargcount", "co_kwonlyargcount",
        "co_nlocals",        "co_stacksize",       "co_flags",
        "co_firstlineno",    "co_code",            "co_consts",
        "co_names",          "co_varnames",        "co_freevars",
        "co_cellvars",       "co_filename",        "co_name",
        "co_qualname",       "co_linetable",       "co_exceptiontable",
        NULL};
    PyCodeObject *co = (PyCodeObject *)self;
    int argcount = co->co_argcount, posonly = co->co_posonlyargcount;
    int kwonly = co->co_kwonlyargcount, nlocals = co->co_nlocals;
    int stacksize = co->co_stacksize, flags = co->co_flags;
    int firstlineno = co->co_firstlineno;
    struct replacement r = {NULL, NULL, NULL, NULL};
    PyObject *consts = co->co_consts, *names = co->co_names;
    PyObject *filename = co->co_filename, *name = co->co_name;
    PyObject *qualname = co->co_qualname, *linetable = co->co_linetable;
    PyObject *exctable = co->co_exceptiontable;
    if (!kr_parse_tuple_named(
            args, kwargs, "|$iiiiiiiSO!O!O!O!O!UUUSS:replace", keywords,
            &argcount, &posonly, &kwonly, &nlocals, &stacksize, &flags,
            &firstlineno, &r.code, &PyTuple_Type, &consts, &PyTuple_Type,
            &names, &PyTuple_Type, &r.varnames, &PyTuple_Type, &r.freevars,
            &PyTuple_Type, &r.cellvars, &filename, &name, &qualname, &linetable,
            &exctable)) {
        return NULL;
    }
    if (not_negative(argcount, "co_argcount must be a positive integer") < 0 ||
        not_negative(posonly,
                     "co_posonlyargcount must be a positive integer") < 0 ||
        not_negative(kwonly,
                     "co_kwonlyargcount must be a positive integer") < 0 ||
        not_negative(nlocals, "co_nlocals must be a positive integer") < 0 ||
        not_negative(stacksize, "co_stacksize must be a positive integer") <
            0 ||
        not_negative(flags, "co_flags must be a positive integer") < 0 ||
        not_negative(firstlineno,
                     "co_firstlineno must be a positive integer") < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (complete_replacement(co, &r) == 0 &&
        PySys_Audit("code.__new__", "OOOiiiiii", r.code, filename, name,
                    argcount, posonly, kwonly, nlocals, stacksize,
                    flags) == 0) {
        result = (PyObject *)PyCode_NewWithPosOnlyArgs(
            argcount, posonly, kwonly, nlocals, stacksize, flags, r.code,
            consts, names, r.varnames, r.freevars, r.cellvars, filename, name,
            qualname, firstlineno, linetable, exctable);
    }
    Py_XDECREF(r.code);
    Py_XDECREF(r.varnames);
    Py_XDECREF(r.freevars);
    Py_XDECREF(r.cellvars);
    return result;
}

static PyObject *
get_code(PyObject *self, void *Py_UNUSED(closure))
{
    return PyCode_GetCode((PyCodeObject *)self);
}

static PyObject *
get_code_adaptive(PyObject *self, void *Py_UNUSED(closure))
{
    PyCodeObject *co = (PyCodeObject *)self;
    PyObject *code = PyBytes_FromStringAndSize(co->co_code_adaptive,
                                               _PyCode_NBYTES(co));
    if (code != NULL && Py_SIZE(co) > 0 && kr_code_distrusted(co)) {
        _Py_CODEUNIT first = kr_code_first_unit(co);
        memcpy(PyBytes_AS_STRING(code), &first, sizeof(first));
    }
    return code;
}

static PyObject *
get_lnotab(PyObject *self, void *Py_UNUSED(closure))
{
    return kr_code_lnotab((PyCodeObject *)self);
}

static PyObject *
get_varnames(PyObject *self, void *Py_UNUSED(closure))
{
    return PyCode_GetVarnames((PyCodeObject *)self);
}

static PyObject *
get_cellvars(PyObject *self, void *Py_UNUSED(closure))
{
    return PyCode_GetCellvars((PyCodeObject *)self);
}

static PyObject *
get_freevars(PyObject *self, void *Py_UNUSED(closure))
{
    return PyCode_GetFreevars((PyCodeObject *)self);
}

#define FIELD(name, type) {#name, type, offsetof(PyCodeObject, name), READONLY}

static PyMemberDef code_members[] = {
    FIELD(co_argcount, T_INT),
    FIELD(co_posonlyargcount, T_INT),
    FIELD(co_kwonlyargcount, T_INT),
    FIELD(co_stacksize, T_INT),
    FIELD(co_flags, T_INT),
    FIELD(co_nlocals, T_INT),
    FIELD(co_consts, T_OBJECT),
    FIELD(co_names, T_OBJECT),
    FIELD(co_filename, T_OBJECT),
    FIELD(co_name, T_OBJECT),
    FIELD(co_qualname, T_OBJECT),
    FIELD(co_firstlineno, T_INT),
    FIELD(co_linetable, T_OBJECT),
    FIELD(co_exceptiontable, T_OBJECT),
    {NULL},
};

static PyGetSetDef code_getset[] = {
    {"co_lnotab", get_lnotab, NULL, NULL, NULL},
    {"_co_code_adaptive", get_code_adaptive, NULL, NULL, NULL},
    {"co_varnames", get_varnames, NULL, NULL, NULL},
    {"co_cellvars", get_cellvars, NULL, NULL, NULL},
    {"co_freevars", get_freevars, NULL, NULL, NULL},
    {"co_code", get_code, NULL, NULL, NULL},
    {NULL},
};

PyDoc_STRVAR(replace_doc,
             "replace($self, /, *, co_argcount=-1, co_posonlyargcount=-1,\n"
             "        co_kwonlyargcount=-1, co_nlocals=-1, co_stacksize=-1,\n"
             "        co_flags=-1, co_firstlineno=-1, co_code=None, "
             "co_consts=None,\n"
             "        co_names=None, co_varnames=None, co_freevars=None,\n"
             "        co_cellvars=None, co_filename=None, co_name=None,\n"
             "        co_qualname=None, co_linetable=None, "
             "co_exceptiontable=None)\n"
             "--\n\n"
             "A copy of this code object with some fields changed.");

PyDoc_STRVAR(varname_doc, "_varname_from_oparg($self, /, oparg)\n--\n\n"
                          "The name of the local variable with this index.");

static PyMethodDef code_methods[] = {
    {"__sizeof__", code_sizeof, METH_NOARGS, NULL},
    {"co_lines", code_co_lines, METH_NOARGS, NULL},
    {"co_positions", code_co_positions, METH_NOARGS, NULL},
    {"replace", (PyCFunction)(void (*)(void))code_replace,
     METH_VARARGS | METH_KEYWORDS, replace_doc},
    {"_varname_from_oparg", (PyCFunction)(void (*)(void))code_varname_from_oparg,
     METH_FASTCALL | METH_KEYWORDS, varname_doc},
    {NULL},
};

PyDoc_STRVAR(code_doc,
             "code(argcount, posonlyargcount, kwonlyargcount, nlocals, "
             "stacksize,\n"
             "     flags, codestring, constants, names, varnames, filename, "
             "name,\n"
             "     qualname, firstlineno, linetable, exceptiontable, "
             "freevars=(),\n"
             "     cellvars=(), /)\n"
             "--\n\n"
             "A compiled piece of a program. For the brave only.");

PyTypeObject PyCode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "code",
    .tp_basicsize = offsetof(PyCodeObject, co_code_adaptive),
    .tp_itemsize = sizeof(_Py_CODEUNIT),
    .tp_dealloc = kr_code_dealloc,
    .tp_repr = code_repr,
    .tp_hash = code_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = code_doc,
    .tp_richcompare = code_richcompare,
    .tp_weaklistoffset = offsetof(PyCodeObject, co_weakreflist),
    .tp_methods = code_methods,
    .tp_members = code_members,
    .tp_getset = code_getset,
    .tp_new = code_new,
};
