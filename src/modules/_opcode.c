/* The _opcode module: what dis and opcode ask about bytecode. */
#include "code/opcode_meta.h"
#include "objects/args/named.h"

#include <Python.h>
#include <opcode.h>

static PyObject *
stack_effect(PyObject *Py_UNUSED(module), PyObject *const *args,
             Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"", "", "jump", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .format = "i|O$O:stack_effect"};
    int opcode;
    PyObject *arg = Py_None, *jump = Py_None;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &opcode, &arg, &jump)) {
        return NULL;
    }
    int oparg = 0, direction = -1;
    if (HAS_ARG(opcode)) {
        if (arg == Py_None) {
            PyErr_SetString(PyExc_ValueError,
                            "stack_effect: opcode requires oparg but oparg "
                            "was not specified");
            return NULL;
        }
        oparg = _PyLong_AsInt(arg);
        if (oparg == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    else if (arg != Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "stack_effect: opcode does not permit oparg but "
                        "oparg was specified");
        return NULL;
    }
    if (jump != Py_None && jump != Py_True && jump != Py_False) {
        PyErr_SetString(PyExc_ValueError,
                        "stack_effect: jump must be False, True or None");
        return NULL;
    }
    if (jump != Py_None) {
        direction = jump == Py_True;
    }
    int effect = PyCompile_OpcodeStackEffectWithJump(opcode, oparg, direction);
    if (effect == PY_INVALID_STACK_EFFECT) {
        PyErr_SetString(PyExc_ValueError, "invalid opcode or oparg");
        return NULL;
    }
    return PyLong_FromLong(effect);
}

static PyObject *
get_specialization_stats(PyObject *Py_UNUSED(module),
                         PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stack_effect_doc,
             "stack_effect($module, opcode, oparg=None, /, *, jump=None)\n"
             "--\n\n"
             "By how much the instruction changes the depth of the stack.");
PyDoc_STRVAR(stats_doc, "get_specialization_stats($module, /)\n--\n\n"
                        "Counts of the specialiser, or None if not counted.");

static PyMethodDef methods[] = {
    {"stack_effect", (PyCFunction)(void (*)(void))stack_effect,
     METH_FASTCALL | METH_KEYWORDS, stack_effect_doc},
    {"get_specialization_stats", get_specialization_stats, METH_NOARGS,
     stats_doc},
    {NULL},
};

static PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_opcode",
    .m_doc = "Questions about bytecode.",
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__opcode(void);

PyMODINIT_FUNC
PyInit__opcode(void)
{
    return PyModuleDef_Init(&def);
}
