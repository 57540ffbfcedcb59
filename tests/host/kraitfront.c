/* _kraitfront: our front end inside CPython, to compare the two.
 * parse(source: bytes, filename, mode, flags=0, feature_version=11) -> ast
 * fold(source: bytes, filename, optimize, features) -> folded ast */
#define PY_SSIZE_T_CLEAN
#include "front/compiler/fold.h"
#include "front/parser/parser.h"

PyMODINIT_FUNC PyInit__kraitfront(void);
PyMODINIT_FUNC PyInit__ast(void);

static PyObject *
parse(PyObject *self, PyObject *args)
{
    const char *src, *mode;
    Py_ssize_t len;
    PyObject *filename;
    int bits = 0, version = PY_MINOR_VERSION, convert = 1;
    if (!PyArg_ParseTuple(args, "s#Us|iii", &src, &len, &filename, &mode,
                          &bits, &version, &convert)) {
        return NULL;
    }
    int start = mode[0] == 'f'   ? Py_func_type_input
                : mode[0] == 's' ? Py_single_input
                : mode[1] == 'v' ? Py_eval_input
                                 : Py_file_input;
    PyCompilerFlags flags = {bits | PyCF_ONLY_AST, version};
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    mod_ty tree = kr_parse_string(src, (size_t)len, filename, start, &flags,
                                  arena);
    PyObject *result = NULL;
    if (tree != NULL && (convert == 0 || kr_ast_validate(tree))) {
        result = convert ? kr_ast_to_object(tree) : Py_NewRef(Py_None);
    }
    kr_arena_free(arena);
    return result;
}

static PyObject *
from_object(PyObject *self, PyObject *args)
{
    PyObject *object;
    int mode = 0;
    if (!PyArg_ParseTuple(args, "O|i", &object, &mode)) {
        return NULL;
    }
    KrArena *arena = kr_arena_new();
    mod_ty tree = arena ? kr_ast_from_object(object, arena, mode) : NULL;
    PyObject *result =
        tree && kr_ast_validate(tree) ? kr_ast_to_object(tree) : NULL;
    kr_arena_free(arena);
    return result;
}

static PyObject *
fold(PyObject *self, PyObject *args)
{
    const char *src;
    Py_ssize_t len;
    PyObject *filename, *result = NULL;
    int optimize, features;
    if (!PyArg_ParseTuple(args, "s#Uii", &src, &len, &filename, &optimize,
                          &features)) {
        return NULL;
    }
    KrArena *arena = kr_arena_new();
    mod_ty tree = kr_parse_string(src, (size_t)len, filename, Py_file_input,
                                  NULL, arena);
    if (tree != NULL && kr_fold(tree, arena, optimize, features)) {
        result = kr_ast_to_object(tree);
    }
    kr_arena_free(arena);
    return result;
}

static PyMethodDef methods[] = {
    {"fold", fold, METH_VARARGS, NULL},
    {"parse", parse, METH_VARARGS, NULL},
    {"from_object", from_object, METH_VARARGS, NULL},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kraitfront",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__kraitfront(void)
{
    PyObject *m = PyModule_Create(&module);
    if (m == NULL || kr_ast_classes_init() < 0 ||
        PyModule_AddObjectRef(m, "AST", kr_ast_base_class()) < 0) {
        return NULL;
    }
    return m;
}
