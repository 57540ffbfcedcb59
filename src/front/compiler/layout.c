/* Passes over the blocks of a graph: what is reachable, which NOPs, jumps and
 * blocks can go, and which jump points in which direction. */
#include "front/compiler/passes.h"

enum { MAX_INLINED_EXIT = 4 };

static bool
is_unconditional(int opcode)
{
    return opcode == JUMP || opcode == JUMP_NO_INTERRUPT;
}

int
kr_pass_normalise(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        for (int i = 0; i < b->used; i++) {
            struct kr_instr *instr = &b->instr[i];
            if (kr_op_is_scope_exit(instr->opcode)) {
                b->exit = b->nofallthrough = true;
            }
            else if (kr_op_is_jump(instr->opcode)) {
                if (i != b->used - 1) {
                    PyErr_SetString(PyExc_SystemError,
                                    "malformed control flow graph.");
                    return -1;
                }
                b->nofallthrough |= is_unconditional(instr->opcode);
                instr->target = kr_block_skip_empty(instr->target);
            }
        }
    }
    return 0;
}

static int
inline_exit(struct kr_cfg *cfg, struct kr_block *b)
{
    if (b->used == 0) {
        return 0;
    }
    struct kr_instr *last = kr_block_last(b);
    if (last->opcode != JUMP || !kr_block_is_lineless_exit(last->target) ||
        last->target->used > MAX_INLINED_EXIT) {
        return 0;
    }
    struct kr_block *target = last->target;
    last->opcode = NOP;
    for (int i = 0; i < target->used; i++) {
        struct kr_instr *copy = kr_block_append(cfg->arena, b);
        if (copy == NULL) {
            return -1;
        }
        *copy = target->instr[i];
    }
    b->exit = true;
    return 0;
}

int
kr_pass_inline_exits(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        if (inline_exit(cfg, b) < 0) {
            return -1;
        }
    }
    return 0;
}

int
kr_pass_reachable(struct kr_cfg *cfg)
{
    struct kr_block **stack = kr_arena_alloc(
        cfg->arena, (size_t)cfg->nblocks * sizeof *stack);
    if (stack == NULL) {
        return -1;
    }
    int depth = 0;
    cfg->entry->predecessors = 1;
    stack[depth++] = cfg->entry;
    while (depth > 0) {
        struct kr_block *b = stack[--depth];
        if (b->next != NULL && !b->nofallthrough) {
            if (b->next->predecessors++ == 0) {
                stack[depth++] = b->next;
            }
        }
        for (int i = 0; i < b->used; i++) {
            struct kr_instr *instr = &b->instr[i];
            if (kr_op_has_target(instr->opcode) &&
                instr->target->predecessors++ == 0) {
                stack[depth++] = instr->target;
            }
        }
    }
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        if (b->predecessors == 0) {
            b->used = 0;
            b->nofallthrough = false;
        }
    }
    return 0;
}

/* Whether the NOP at index `i`, after an instruction of line `previous`, has
 * no line event of its own to give. May pass its location on. */
static bool
nop_is_useless(struct kr_block *b, int i, int previous)
{
    struct kr_instr *nop = &b->instr[i];
    int line = nop->loc.lineno;
    if (line < 0 || line == previous) {
        return true;
    }
    if (i < b->used - 1) {
        int next_line = nop[1].loc.lineno;
        if (next_line < 0) {
            nop[1].loc = nop->loc;
        }
        return next_line < 0 || next_line == line;
    }
    struct kr_block *next = b->next;
    while (next != NULL && next->used == 0) {
        next = next->next;
    }
    return next != NULL && next->instr[0].loc.lineno == line;
}

static void
remove_nops(struct kr_block *b)
{
    int kept = 0, previous = -1;
    for (int i = 0; i < b->used; i++) {
        int line = b->instr[i].loc.lineno;
        if (b->instr[i].opcode == NOP && nop_is_useless(b, i, previous)) {
            continue;
        }
        if (kept != i) {
            b->instr[kept] = b->instr[i];
        }
        kept++;
        previous = line;
    }
    b->used = kept;
}

void
kr_pass_remove_nops(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        remove_nops(b);
    }
}

void
kr_pass_remove_empty(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        if (b->next != NULL) {
            b->next = kr_block_skip_empty(b->next);
        }
    }
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            if (kr_op_has_target(b->instr[i].opcode)) {
                b->instr[i].target = kr_block_skip_empty(b->instr[i].target);
            }
        }
    }
}

void
kr_pass_remove_jumps(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        if (b->used == 0) {
            continue;
        }
        struct kr_instr *last = kr_block_last(b);
        if (is_unconditional(last->opcode) && last->target == b->next) {
            /* The NOP stays until lines are propagated. */
            b->nofallthrough = false;
            last->opcode = NOP;
        }
    }
}

void
kr_pass_trim_consts(struct kr_cfg *cfg, struct kr_names *consts)
{
    int last = 0; /* the first may be a docstring */
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            struct kr_instr *instr = &b->instr[i];
            if ((instr->opcode == LOAD_CONST || instr->opcode == KW_NAMES) &&
                instr->oparg > last) {
                last = instr->oparg;
            }
        }
    }
    if (last + 1 < consts->count) {
        consts->count = last + 1;
    }
}

static int
directed(int opcode, bool forward)
{
    switch (opcode) {
    case JUMP: return forward ? JUMP_FORWARD : JUMP_BACKWARD;
    case JUMP_NO_INTERRUPT:
        return forward ? JUMP_FORWARD : JUMP_BACKWARD_NO_INTERRUPT;
    case POP_JUMP_IF_FALSE:
        return forward ? POP_JUMP_FORWARD_IF_FALSE : POP_JUMP_BACKWARD_IF_FALSE;
    case POP_JUMP_IF_TRUE:
        return forward ? POP_JUMP_FORWARD_IF_TRUE : POP_JUMP_BACKWARD_IF_TRUE;
    case POP_JUMP_IF_NONE:
        return forward ? POP_JUMP_FORWARD_IF_NONE : POP_JUMP_BACKWARD_IF_NONE;
    case POP_JUMP_IF_NOT_NONE:
        return forward ? POP_JUMP_FORWARD_IF_NOT_NONE
                       : POP_JUMP_BACKWARD_IF_NOT_NONE;
    default: return opcode;
    }
}

void
kr_pass_direct_jumps(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        b->visited = false;
    }
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        b->visited = true;
        if (b->used > 0) {
            struct kr_instr *last = kr_block_last(b);
            if (kr_op_is_jump(last->opcode)) {
                last->opcode = directed(last->opcode, !last->target->visited);
            }
        }
    }
}
