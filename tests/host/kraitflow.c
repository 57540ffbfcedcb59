/* _kraitflow: the assembler inside CPython. reassemble(code, instructions,
 * handlers, optimise) rebuilds a graph from a finished code object and gives
 * back what the assembler makes of it: (code, locations, exception table,
 * stack size).
 *
 * instructions: list of (opcode, oparg, target or -1, handler or -1, line,
 * end_line, col, end_col, is_leader), -1 for unknown; targets are indices.
 * handlers: dict index -> (start depth, lasti). */
#define PY_SSIZE_T_CLEAN
#include "front/compiler/passes.h"

PyMODINIT_FUNC PyInit__kraitflow(void);

static int
undirected(int opcode)
{
    switch (opcode) {
    case JUMP_FORWARD:
    case JUMP_BACKWARD: return JUMP;
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_FALSE: return POP_JUMP_IF_FALSE;
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_TRUE: return POP_JUMP_IF_TRUE;
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NONE: return POP_JUMP_IF_NONE;
    case POP_JUMP_FORWARD_IF_NOT_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE: return POP_JUMP_IF_NOT_NONE;
    default: return opcode;
    }
}

static int
build(struct kr_cfg *cfg, PyObject *list, PyObject *handlers)
{
    Py_ssize_t n = PyList_GET_SIZE(list);
    struct kr_block **at = kr_arena_alloc(cfg->arena, (size_t)n * sizeof *at);
    struct kr_block *b = cfg->entry;
    int op, arg, target, handler, leader;
    struct kr_loc loc;
    for (Py_ssize_t i = 0; i < n; i++) {
        leader = PyLong_AsLong(PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 8));
        if (i > 0 && leader) {
            b = kr_cfg_new_block(cfg);
            kr_cfg_use_next_block(cfg, b);
        }
        at[i] = b;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "iiiiiiiii", &op, &arg,
                              &target, &handler, &loc.lineno, &loc.end_lineno,
                              &loc.col_offset, &loc.end_col_offset, &leader)) {
            return -1;
        }
        struct kr_instr *instr = kr_block_append(cfg->arena, at[i]);
        instr->opcode = undirected(op);
        instr->oparg = arg;
        instr->loc = loc;
        instr->target = target < 0 ? NULL : at[target];
        instr->except = handler < 0 ? NULL : at[handler];
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(handlers, &pos, &key, &value)) {
        b = at[PyLong_AsLong(key)];
        b->startdepth = PyLong_AsLong(PyTuple_GET_ITEM(value, 0));
        b->preserve_lasti = PyLong_AsLong(PyTuple_GET_ITEM(value, 1));
    }
    return 0;
}

static int
optimise(struct kr_cfg *cfg, PyObject *consts)
{
    PyObject *merged = PyDict_New();
    int status = kr_pass_normalise(cfg) < 0 || kr_pass_inline_exits(cfg) < 0 ||
                 kr_pass_peephole(cfg, consts, merged) < 0;
    if (status == 0) {
        kr_pass_remove_nops(cfg);
        status = kr_pass_inline_exits(cfg) < 0 || kr_pass_reachable(cfg) < 0;
    }
    if (status == 0) {
        kr_pass_remove_nops(cfg);
        kr_pass_remove_empty(cfg);
        kr_pass_remove_jumps(cfg);
        status = kr_pass_duplicate_exits(cfg) < 0;
        kr_pass_propagate_lines(cfg);
    }
    Py_DECREF(merged);
    return -status;
}

static PyObject *
reassemble(PyObject *self, PyObject *args)
{
    PyCodeObject *co;
    PyObject *list, *handlers, *result = NULL;
    int full, depth = -1;
    if (!PyArg_ParseTuple(args, "O!O!O!i", &PyCode_Type, &co, &PyList_Type,
                          &list, &PyDict_Type, &handlers, &full)) {
        return NULL;
    }
    struct kr_cfg cfg;
    KrArena *arena = kr_arena_new();
    PyObject *consts = PySequence_List(co->co_consts);
    if (kr_cfg_init(&cfg, arena) == 0 && build(&cfg, list, handlers) == 0 &&
        (!full || optimise(&cfg, consts) == 0)) {
        if (full) {
            bool generator = co->co_flags & (CO_GENERATOR | CO_COROUTINE |
                                             CO_ASYNC_GENERATOR);
            depth = kr_pass_stackdepth(&cfg, generator);
        }
        kr_pass_direct_jumps(&cfg);
        kr_pass_jump_offsets(&cfg);
        result = Py_BuildValue("NNNi", kr_emit_code(&cfg),
                               kr_emit_locations(&cfg, co->co_firstlineno),
                               kr_emit_handlers(&cfg), depth);
    }
    Py_DECREF(consts);
    kr_arena_free(arena);
    return result;
}

static PyMethodDef methods[] = {
    {"reassemble", reassemble, METH_VARARGS, NULL},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kraitflow",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__kraitflow(void)
{
    return PyModule_Create(&module);
}
