/* Stack effects of instructions, and how deep the stack of a code object
 * gets. */
#include "front/compiler/passes.h"

#include <limits.h>

#include "code/opcode_meta.h"

/* Of instructions that only the compiler knows. */
static int
pseudo_effect(int opcode, int jump)
{
    switch (opcode) {
    case POP_BLOCK:
    case JUMP:
    case JUMP_NO_INTERRUPT: return 0;
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE: return -1;
    case SETUP_FINALLY:
    case SETUP_WITH: return jump ? 1 : 0;
    case SETUP_CLEANUP: return jump ? 2 : 0;
    default: return PY_INVALID_STACK_EFFECT;
    }
}

int
kr_stack_effect(int opcode, int oparg, int jump)
{
    if (opcode < 0 || opcode >= KR_VERIFY) {
        return pseudo_effect(opcode, jump);
    }
    switch (opcode) {
    case FOR_ITER: return jump > 0 ? -1 : 1;
    case SEND: return jump > 0 ? -1 : 0;
    case JUMP_IF_TRUE_OR_POP:
    case JUMP_IF_FALSE_OR_POP: return jump ? 0 : -1;
    /* the arguments count as taken at the first of the pair */
    case PRECALL: return -oparg;
    case CALL: return -1;
    /* its result is there from the start, see kr_pass_stackdepth */
    case RETURN_GENERATOR: return 0;
    default: break;
    }
    return kr_opcode_flags[opcode] & KR_OP_KNOWN
               ? (int)(kr_opcode_leaves_for(opcode, oparg) -
                       kr_opcode_takes_for(opcode, oparg))
               : PY_INVALID_STACK_EFFECT;
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
