/* Module _ast: the classes of the syntax tree and the flags of compile(). */
#include "front/ast/ast.h"

PyMODINIT_FUNC PyInit__ast(void);

static int
ast_exec(PyObject *module)
{
    if (kr_ast_classes_init() < 0 ||
        PyModule_AddObjectRef(module, "AST", kr_ast_base_class()) < 0 ||
        PyModule_AddIntMacro(module, PyCF_ALLOW_TOP_LEVEL_AWAIT) < 0 ||
        PyModule_AddIntMacro(module, PyCF_ONLY_AST) < 0 ||
        PyModule_AddIntMacro(module, PyCF_TYPE_COMMENTS) < 0) {
        return -1;
    }
    for (int i = 0; i < KR_AST_GROUP_COUNT; i++) {
        const struct kr_ast_group *g = &kr_ast_groups[i];
        if (PyModule_AddObjectRef(module, g->name, kr_ast_group_class(i)) <
            0) {
            return -1;
        }
        for (int k = 0; k < g->nclasses && !g->product; k++) {
            int kind = g->first_class + k;
            if (PyModule_AddObjectRef(module, kr_ast_classes[kind].name,
                                      kr_ast_kind_class(kind)) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static PyModuleDef_Slot ast_module_slots[] = {
    {Py_mod_exec, ast_exec},
    {0, NULL},
};

static struct PyModuleDef ast_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ast",
    .m_slots = ast_module_slots,
};

PyMODINIT_FUNC
PyInit__ast(void)
{
    return PyModuleDef_Init(&ast_module);
}
