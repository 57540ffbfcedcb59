/* Stack effects of instructions, and how deep the stack of a code object
 * gets. */
#include "front/compiler/passes.h"

#include <limits.h>

/* Effects that depend on the argument or on whether a jump is taken. */
static int
variable_effect(int opcode, int oparg, int jump)
{
    switch (opcode) {
    case UNPACK_SEQUENCE: return oparg - 1;
    case UNPACK_EX: return (oparg & 0xff) + (oparg >> 8);
    case FOR_ITER: return jump > 0 ? -1 : 1;
    case SEND: return jump > 0 ? -1 : 0;
    case BUILD_TUPLE:
    case BUILD_LIST:
    case BUILD_SET:
    case BUILD_STRING: return 1 - oparg;
    case BUILD_MAP: return 1 - 2 * oparg;
    case BUILD_CONST_KEY_MAP: return -oparg;
    case JUMP_IF_TRUE_OR_POP:
    case JUMP_IF_FALSE_OR_POP: return jump ? 0 : -1;
    case LOAD_GLOBAL: return (oparg & 1) + 1;
    case SETUP_FINALLY: return jump ? 1 : 0;
    case SETUP_CLEANUP: return jump ? 2 : 0;
    case SETUP_WITH: return jump ? 1 : 0;
    case RAISE_VARARGS:
    case PRECALL: return -oparg;
    case CALL_FUNCTION_EX: return -2 - (oparg & 1);
    case MAKE_FUNCTION:
        return -!!(oparg & 1) - !!(oparg & 2) - !!(oparg & 4) - !!(oparg & 8);
    case BUILD_SLICE: return oparg == 3 ? -2 : -1;
    case FORMAT_VALUE: return (oparg & 4) ? -1 : 0;
    default: return PY_INVALID_STACK_EFFECT;
    }
}

int
kr_stack_effect(int opcode, int oparg, int jump)
{
    switch (opcode) {
    case NOP:
    case EXTENDED_ARG:
    case RESUME:
    case CACHE:
    case SWAP:
    case UNARY_POSITIVE:
    case UNARY_NEGATIVE:
    case UNARY_NOT:
    case UNARY_INVERT:
    case GET_ITER:
    case SETUP_ANNOTATIONS:
    case ASYNC_GEN_WRAP:
    case YIELD_VALUE:
    case POP_BLOCK:
    case DELETE_NAME:
    case DELETE_GLOBAL:
    case DELETE_FAST:
    case DELETE_DEREF:
    case LOAD_ATTR:
    case CHECK_EXC_MATCH:
    case CHECK_EG_MATCH:
    case JUMP:
    case JUMP_NO_INTERRUPT:
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case COPY_FREE_VARS:
    case MAKE_CELL:
    case RETURN_GENERATOR:
    case KW_NAMES:
    case GET_AWAITABLE:
    case GET_AITER:
    case GET_YIELD_FROM_ITER:
    case LIST_TO_TUPLE: return 0;

    case LOAD_BUILD_CLASS:
    case LOAD_CONST:
    case LOAD_NAME:
    case IMPORT_FROM:
    case LOAD_CLOSURE:
    case PUSH_EXC_INFO:
    case WITH_EXCEPT_START:
    case LOAD_FAST:
    case LOAD_CLASSDEREF:
    case LOAD_DEREF:
    case BEFORE_ASYNC_WITH:
    case BEFORE_WITH:
    case GET_ANEXT:
    case LOAD_METHOD:
    case LOAD_ASSERTION_ERROR:
    case GET_LEN:
    case MATCH_MAPPING:
    case MATCH_SEQUENCE:
    case MATCH_KEYS:
    case COPY:
    case PUSH_NULL: return 1;

    case POP_TOP:
    case SET_ADD:
    case LIST_APPEND:
    case BINARY_SUBSCR:
    case PRINT_EXPR:
    case RETURN_VALUE:
    case IMPORT_STAR:
    case POP_EXCEPT:
    case STORE_NAME:
    case DELETE_ATTR:
    case STORE_GLOBAL:
    case COMPARE_OP:
    case IS_OP:
    case CONTAINS_OP:
    case IMPORT_NAME:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case PREP_RERAISE_STAR:
    case RERAISE:
    case STORE_FAST:
    case BINARY_OP:
    case CALL:
    case STORE_DEREF:
    case LIST_EXTEND:
    case SET_UPDATE:
    case DICT_MERGE:
    case DICT_UPDATE: return -1;

    case MAP_ADD:
    case DELETE_SUBSCR:
    case STORE_ATTR:
    case END_ASYNC_FOR:
    case MATCH_CLASS: return -2;

    case STORE_SUBSCR: return -3;

    default: return variable_effect(opcode, oparg, jump);
    }
}

PyAPI_FUNC(int)
PyCompile_OpcodeStackEffectWithJump(int opcode, int oparg, int jump)
{
    return opcode < 0 ? PY_INVALID_STACK_EFFECT
                      : kr_stack_effect(opcode, oparg, jump);
}

PyAPI_FUNC(int)
PyCompile_OpcodeStackEffect(int opcode, int oparg)
{
    return PyCompile_OpcodeStackEffectWithJump(opcode, oparg, -1);
}

struct worklist {
    struct kr_block **blocks;
    int n, deepest;
};

static void
reach(struct worklist *list, struct kr_block *block, int depth)
{
    if (depth > list->deepest) {
        list->deepest = depth;
    }
    if (block->startdepth < 0 && block->startdepth < depth) {
        block->startdepth = depth;
        list->blocks[list->n++] = block;
    }
}

static int
follow(struct worklist *list, struct kr_block *b)
{
    int depth = b->startdepth;
    for (int i = 0; i < b->used; i++) {
        struct kr_instr *instr = &b->instr[i];
        int op = instr->opcode;
        int effect = kr_stack_effect(op, instr->oparg, 0);
        if (effect == PY_INVALID_STACK_EFFECT) {
            PyErr_Format(PyExc_SystemError,
                         "compiler stack_effect(opcode=%d, arg=%i) failed", op,
                         instr->oparg);
            return -1;
        }
        if (depth + effect > list->deepest) {
            list->deepest = depth + effect;
        }
        if (kr_op_has_target(op)) {
            reach(list, instr->target,
                  depth + kr_stack_effect(op, instr->oparg, 1));
        }
        depth += effect;
        if (op == JUMP || op == JUMP_NO_INTERRUPT ||
            kr_op_is_scope_exit(op)) {
            return 0;
        }
    }
    if (b->next != NULL) {
        reach(list, b->next, depth);
    }
    return 0;
}

int
kr_pass_stackdepth(struct kr_cfg *cfg, bool generator)
{
    size_t n = (size_t)cfg->nblocks;
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        b->startdepth = INT_MIN;
    }
    struct worklist list = {
        .blocks = kr_arena_alloc(cfg->arena, n * sizeof *list.blocks)};
    if (list.blocks == NULL) {
        return -1;
    }
    cfg->entry->startdepth = generator ? 1 : 0;
    list.blocks[list.n++] = cfg->entry;
    while (list.n > 0) {
        if (follow(&list, list.blocks[--list.n]) < 0) {
            return -1;
        }
    }
    return list.deepest;
}
