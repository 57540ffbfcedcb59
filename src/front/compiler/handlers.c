/* Exception handlers: which handler covers an instruction is found by
 * following the SETUP_* and POP_BLOCK pseudo-instructions along all paths;
 * afterwards nothing of them remains in the code. */
#include "front/compiler/passes.h"

#include <string.h>

enum { MAX_DEPTH = CO_MAXBLOCKS + 2 };

/* The stack that block `to` starts with: a copy of `b`'s current one. */
static int
give_stack(struct kr_cfg *cfg, struct kr_block *to, struct kr_block **stack,
           int depth)
{
    to->except_stack =
        kr_arena_alloc(cfg->arena, MAX_DEPTH * sizeof *to->except_stack);
    if (to->except_stack == NULL) {
        return -1;
    }
    memcpy(to->except_stack, stack, (size_t)depth * sizeof *stack);
    to->except_depth = depth;
    to->visited = true;
    return 0;
}

static int
bad_nesting(void)
{
    PyErr_SetString(PyExc_SystemError, "unbalanced exception handlers");
    return -1;
}

/* Labels one block; puts the blocks it leads to on the work list. */
static int
label_block(struct kr_cfg *cfg, struct kr_block *b, struct kr_block **todo,
            int *ntodo)
{
    struct kr_block **stack = b->except_stack; /* [0]: no handler */
    int depth = b->except_depth;
    for (int i = 0; i < b->used; i++) {
        struct kr_instr *instr = &b->instr[i];
        bool push = kr_op_is_block_push(instr->opcode);
        if (instr->opcode == POP_BLOCK) {
            if (--depth < 1) {
                return bad_nesting();
            }
            continue;
        }
        if (!push) {
            instr->except = stack[depth - 1];
        }
        if ((push || kr_op_is_jump(instr->opcode)) &&
            !instr->target->visited) {
            if (give_stack(cfg, instr->target, stack, depth) < 0) {
                return -1;
            }
            todo[(*ntodo)++] = instr->target;
        }
        if (push) {
            if (depth == MAX_DEPTH) {
                return bad_nesting();
            }
            instr->target->preserve_lasti |= instr->opcode != SETUP_FINALLY;
            stack[depth++] = instr->target;
        }
    }
    if (!b->nofallthrough && b->next != NULL && !b->next->visited) {
        if (give_stack(cfg, b->next, stack, depth) < 0) {
            return -1;
        }
        todo[(*ntodo)++] = b->next;
    }
    return 0;
}

int
kr_pass_label_handlers(struct kr_cfg *cfg)
{
    size_t n = (size_t)cfg->nblocks;
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        b->visited = false;
    }
    struct kr_block **todo = kr_arena_alloc(cfg->arena, n * sizeof *todo);
    struct kr_block *none = NULL;
    if (todo == NULL || give_stack(cfg, cfg->entry, &none, 1) < 0) {
        return -1;
    }
    int ntodo = 0;
    todo[ntodo++] = cfg->entry;
    while (ntodo > 0) {
        struct kr_block *b = todo[--ntodo];
        if (label_block(cfg, b, todo, &ntodo) < 0) {
            return -1;
        }
    }
    return 0;
}

void
kr_pass_drop_setups(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            int opcode = b->instr[i].opcode;
            if (kr_op_is_block_push(opcode) || opcode == POP_BLOCK) {
                b->instr[i].opcode = NOP;
            }
        }
    }
}
