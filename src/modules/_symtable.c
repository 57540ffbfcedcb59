/* Module `_symtable`: the compiler's symbol tables, for module symtable. */
#include <Python.h>
#include <string.h>

#include "front/arena/arena.h"
#include "front/compiler/future.h"
#include "front/parser/parser.h"
#include "front/symtable/symtable.h"

/* The text of str or bytes, without null bytes; *owner keeps it. */
static const char *
source_text(PyObject *source, Py_ssize_t *len, int *flags, PyObject **owner)
{
    *owner = NULL;
    const char *text;
    if (PyUnicode_Check(source)) {
        *flags |= PyCF_IGNORE_COOKIE;
        text = PyUnicode_AsUTF8AndSize(source, len);
    }
    else {
        if (!PyBytes_Check(source) && !PyObject_CheckBuffer(source)) {
            PyErr_SetString(PyExc_TypeError, "symtable() arg 1 must be a "
                                             "string or bytes object");
            return NULL;
        }
        *owner = PyBytes_FromObject(source);
        if (*owner == NULL) {
            return NULL;
        }
        text = PyBytes_AS_STRING(*owner);
        *len = PyBytes_GET_SIZE(*owner);
    }
    if (text != NULL && strlen(text) != (size_t)*len) {
        PyErr_SetString(PyExc_ValueError,
                        "source code string cannot contain null bytes");
        text = NULL;
    }
    return text;
}

static PyObject *
build_table(const char *text, Py_ssize_t len, PyObject *filename, int start,
            int flags)
{
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = flags;
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    PyObject *top = NULL;
    mod_ty mod = kr_parse_string(text, (size_t)len, filename, start, &cf,
                                 arena);
    if (mod != NULL) {
        PyFutureFeatures future;
        struct kr_symtable *st = NULL;
        if (kr_future_read(mod, filename, &future) == 0) {
            st = kr_symtable_build(mod, filename,
                                   future.ff_features & CO_FUTURE_ANNOTATIONS);
        }
        if (st != NULL) {
            top = kr_symtable_entry(st->top);
            kr_symtable_free(st);
        }
    }
    kr_arena_free(arena);
    return top;
}

static PyObject *
symtable_symtable(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("symtable", nargs, 3, 3)) {
        return NULL;
    }
    PyObject *filename;
    if (!PyUnicode_FSDecoder(args[1], &filename)) {
        return NULL;
    }
    PyObject *owner = NULL, *res = NULL;
    Py_ssize_t len;
    int flags = PyCF_SOURCE_IS_UTF8, start;
    const char *mode = PyUnicode_Check(args[2]) ? PyUnicode_AsUTF8(args[2])
                                                : NULL;
    const char *text = source_text(args[0], &len, &flags, &owner);
    if (text == NULL) {
        goto done;
    }
    if (mode == NULL) {
        _PyArg_BadArgument("symtable", "argument 3", "str", args[2]);
        goto done;
    }
    if (strcmp(mode, "exec") == 0) {
        start = Py_file_input;
    }
    else if (strcmp(mode, "eval") == 0) {
        start = Py_eval_input;
    }
    else if (strcmp(mode, "single") == 0) {
        start = Py_single_input;
    }
    else {
        PyErr_SetString(PyExc_ValueError, "symtable() arg 3 must be 'exec' or "
                                          "'eval' or 'single'");
        goto done;
    }
    res = build_table(text, len, filename, start, flags);
done:
    Py_XDECREF(owner);
    Py_DECREF(filename);
    return res;
}

static PyMethodDef symtable_methods[] = {
    {"symtable", (PyCFunction)(void (*)(void))symtable_symtable,
     METH_FASTCALL,
     "symtable($module, source, filename, startstr, /)\n--\n\n"
     "Return symbol and scope dictionaries used internally by compiler."},
    {NULL, NULL, 0, NULL},
};

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"USE", KR_USE},
    {"DEF_GLOBAL", KR_DEF_GLOBAL},
    {"DEF_NONLOCAL", KR_DEF_NONLOCAL},
    {"DEF_LOCAL", KR_DEF_LOCAL},
    {"DEF_PARAM", KR_DEF_PARAM},
    {"DEF_IMPORT", KR_DEF_IMPORT},
    {"DEF_BOUND", KR_DEF_BOUND},
    {"DEF_ANNOT", KR_DEF_ANNOT},
    {"TYPE_FUNCTION", KR_FUNCTION_BLOCK},
    {"TYPE_CLASS", KR_CLASS_BLOCK},
    {"TYPE_MODULE", KR_MODULE_BLOCK},
    {"LOCAL", KR_LOCAL},
    {"GLOBAL_EXPLICIT", KR_GLOBAL_EXPLICIT},
    {"GLOBAL_IMPLICIT", KR_GLOBAL_IMPLICIT},
    {"FREE", KR_FREE},
    {"CELL", KR_CELL},
    {"SCOPE_OFF", KR_SCOPE_OFFSET},
    {"SCOPE_MASK", KR_SCOPE_MASK},
};

static int
symtable_exec(PyObject *module)
{
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot symtable_slots[] = {
    {Py_mod_exec, symtable_exec},
    {0, NULL},
};

static struct PyModuleDef symtable_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_symtable",
    .m_size = 0,
    .m_methods = symtable_methods,
    .m_slots = symtable_slots,
};

PyMODINIT_FUNC
PyInit__symtable(void)
{
    return PyModuleDef_Init(&symtable_module);
}
