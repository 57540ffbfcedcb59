/* The module _sre: compile() and what re._compiler asks about characters. */
#include "modules/_sre/chars.h"
#include "modules/_sre/sre.h"
#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "objects/args/named.h"

#include <Python.h>
#include <string.h>

/* Copies the code words; false with OverflowError or TypeError. */
static bool
read_code(struct sre_pattern *p, PyObject *code)
{
    for (Py_ssize_t i = 0; i < p->codesize; i++) {
        if (i >= PyList_GET_SIZE(code)) {
            PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
            return false;
        }
        unsigned long value = PyLong_AsUnsignedLong(PyList_GET_ITEM(code, i));
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
                PyErr_SetString(
                    PyExc_OverflowError,
                    "regular expression code size limit exceeded");
            }
            return false;
        }
        p->code[i] = (uint32_t)value;
        if (p->code[i] != value) {
            PyErr_SetString(PyExc_OverflowError,
                            "regular expression code size limit exceeded");
            return false;
        }
    }
    return true;
}

/* Whether the pattern is bytes (1), str (0) or None (-1); -2 if neither. */
static int
kind_of(PyObject *pattern)
{
    if (pattern == Py_None) {
        return -1;
    }
    Py_buffer view;
    Py_ssize_t length;
    bool isbytes, has_view = false;
    int charsize;
    if (kr_sre_open_string(pattern, &length, &isbytes, &charsize, &view,
                           &has_view) == NULL) {
        return -2;
    }
    if (has_view) {
        PyBuffer_Release(&view);
    }
    return isbytes;
}

PyDoc_STRVAR(compile_doc,
"compile($module, /, pattern, flags, code, groups, groupindex,\n"
"        indexgroup)\n"
"--\n"
"\n");

static PyObject *
sre_compile(PyObject *module, KR_FASTCALL_ARGS)
{
    static const char *const keywords[] = {"pattern",    "flags",
                                           "code",       "groups",
                                           "groupindex", "indexgroup", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .format = "OiO!nO!O!:compile"};
    PyObject *pattern, *code, *groupindex, *indexgroup;
    int flags;
    Py_ssize_t groups;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &pattern, &flags,
                        &PyList_Type, &code, &groups, &PyDict_Type, &groupindex,
                        &PyTuple_Type, &indexgroup)) {
        return NULL;
    }
    struct sre_types *types = PyModule_GetState(module);
    Py_ssize_t n = PyList_GET_SIZE(code);
    struct sre_pattern *p =
        PyObject_GC_NewVar(struct sre_pattern, types->pattern, 2 * n);
    if (p == NULL) {
        return NULL;
    }
    p->groups = groups;
    p->groupindex = Py_NewRef(groupindex);
    p->indexgroup = Py_NewRef(indexgroup);
    p->pattern = Py_NewRef(pattern);
    p->weakrefs = NULL;
    p->flags = flags;
    p->isbytes = -1;
    p->codesize = n;
    p->tables = p->first = NULL;
    p->types = types;
    PyObject_GC_Track(p);
    int kind = read_code(p, code) ? kind_of(pattern) : -2;
    if (kind == -2 || !kr_sre_validate(p) || kr_sre_prepare(p) < 0) {
        Py_DECREF(p);
        return NULL;
    }
    p->isbytes = kind;
    return (PyObject *)p;
}

PyDoc_STRVAR(getcodesize_doc, "getcodesize($module, /)\n--\n\n");

static PyObject *
getcodesize(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(sizeof(uint32_t));
}

static PyObject *
ascii_iscased(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int c = _PyLong_AsInt(arg);
    if (c == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(ascii_alpha((uint32_t)c));
}

static PyObject *
unicode_iscased(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int c = _PyLong_AsInt(arg);
    if (c == -1 && PyErr_Occurred()) {
        return NULL;
    }
    uint32_t u = (uint32_t)c;
    return PyBool_FromLong(u != unicode_lower(u) || u != unicode_upper(u));
}

static PyObject *
ascii_tolower(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int c = _PyLong_AsInt(arg);
    if (c == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong((int)ascii_lower((uint32_t)c));
}

static PyObject *
unicode_tolower(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int c = _PyLong_AsInt(arg);
    if (c == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong((int)unicode_lower((uint32_t)c));
}

static PyMethodDef module_methods[] = {
    {"compile", KR_CAST(sre_compile), KR_FAST, compile_doc},
    {"getcodesize", getcodesize, METH_NOARGS, getcodesize_doc},
    {"ascii_iscased", ascii_iscased, METH_O,
     PyDoc_STR("ascii_iscased($module, character, /)\n--\n\n")},
    {"unicode_iscased", unicode_iscased, METH_O,
     PyDoc_STR("unicode_iscased($module, character, /)\n--\n\n")},
    {"ascii_tolower", ascii_tolower, METH_O,
     PyDoc_STR("ascii_tolower($module, character, /)\n--\n\n")},
    {"unicode_tolower", unicode_tolower, METH_O,
     PyDoc_STR("unicode_tolower($module, character, /)\n--\n\n")},
    {NULL},
};

static int
add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **slot)
{
    *slot = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *slot == NULL ? -1 : 0;
}

/* Adds a number and drops the reference to it. */
static int
add_number(PyObject *module, const char *name, unsigned long value)
{
    PyObject *number = PyLong_FromUnsignedLong(value);
    int res = number == NULL ? -1
                             : PyModule_AddObjectRef(module, name, number);
    Py_XDECREF(number);
    return res;
}

static int
module_exec(PyObject *module)
{
    struct sre_types *types = PyModule_GetState(module);
    if (add_type(module, &kr_sre_pattern_spec, &types->pattern) < 0 ||
        add_type(module, &kr_sre_match_spec, &types->match) < 0 ||
        add_type(module, &kr_sre_scanner_spec, &types->scanner) < 0) {
        return -1;
    }
    return add_number(module, "MAGIC", SRE_MAGIC) < 0 ||
                   add_number(module, "CODESIZE", sizeof(uint32_t)) < 0 ||
                   add_number(module, "MAXREPEAT", SRE_MAXREPEAT) < 0 ||
                   add_number(module, "MAXGROUPS", SRE_MAXGROUPS) < 0
               ? -1
               : 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct sre_types *types = PyModule_GetState(module);
    Py_VISIT(types->pattern);
    Py_VISIT(types->match);
    Py_VISIT(types->scanner);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct sre_types *types = PyModule_GetState(module);
    Py_CLEAR(types->pattern);
    Py_CLEAR(types->match);
    Py_CLEAR(types->scanner);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sre",
    .m_size = sizeof(struct sre_types),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__sre(void)
{
    return PyModuleDef_Init(&module_def);
}
