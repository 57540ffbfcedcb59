/* Builder of control-flow graphs: blocks are filled front to back, and no
 * instruction ever follows a jump or an exit inside one block. */
#include "front/compiler/flowgraph.h"

#include <limits.h>
#include <string.h>

bool
kr_op_is_jump(int opcode)
{
    switch (opcode) {
    case JUMP:
    case JUMP_NO_INTERRUPT:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case FOR_ITER:
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP:
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
    case SEND:
        return true;
    default:
        return false;
    }
}

bool
kr_op_is_scope_exit(int opcode)
{
    return opcode == RETURN_VALUE || opcode == RAISE_VARARGS ||
           opcode == RERAISE;
}

bool
kr_op_is_block_push(int opcode)
{
    return opcode == SETUP_FINALLY || opcode == SETUP_CLEANUP ||
           opcode == SETUP_WITH;
}

struct kr_block *
kr_cfg_new_block(struct kr_cfg *cfg)
{
    struct kr_block *block = kr_arena_alloc(cfg->arena, sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    memset(block, 0, sizeof *block);
    block->startdepth = INT_MIN;
    block->list = cfg->blocks;
    cfg->blocks = block;
    return block;
}

int
kr_cfg_init(struct kr_cfg *cfg, KrArena *arena)
{
    *cfg = (struct kr_cfg){.arena = arena};
    cfg->entry = cfg->current = kr_cfg_new_block(cfg);
    return cfg->entry == NULL ? -1 : 0;
}

void
kr_cfg_use_next_block(struct kr_cfg *cfg, struct kr_block *block)
{
    cfg->current->next = block;
    cfg->current = block;
}

struct kr_instr *
kr_block_append(KrArena *arena, struct kr_block *block)
{
    if (block->used == block->capacity) {
        int capacity = block->capacity ? 2 * block->capacity : 8;
        struct kr_instr *instr =
            kr_arena_alloc(arena, (size_t)capacity * sizeof *instr);
        if (instr == NULL) {
            return NULL;
        }
        if (block->used) {
            memcpy(instr, block->instr, (size_t)block->used * sizeof *instr);
        }
        block->instr = instr;
        block->capacity = capacity;
    }
    struct kr_instr *instr = &block->instr[block->used++];
    *instr = (struct kr_instr){.opcode = NOP, .loc = KR_NO_LOC};
    return instr;
}

static int
add(struct kr_cfg *cfg, int opcode, int oparg, struct kr_block *target,
    struct kr_loc loc)
{
    struct kr_block *block = cfg->current;
    if (block->used) {
        int last = block->instr[block->used - 1].opcode;
        if (kr_op_is_jump(last) || kr_op_is_scope_exit(last)) {
            block = kr_cfg_new_block(cfg);
            if (block == NULL) {
                return -1;
            }
            kr_cfg_use_next_block(cfg, block);
        }
    }
    struct kr_instr *instr = kr_block_append(cfg->arena, block);
    if (instr == NULL) {
        return -1;
    }
    instr->opcode = opcode;
    instr->oparg = oparg;
    instr->target = target;
    instr->loc = loc;
    return 0;
}

int
kr_cfg_addop(struct kr_cfg *cfg, int opcode, int oparg, struct kr_loc loc)
{
    return add(cfg, opcode, oparg, NULL, loc);
}

int
kr_cfg_addop_jump(struct kr_cfg *cfg, int opcode, struct kr_block *target,
                  struct kr_loc loc)
{
    return add(cfg, opcode, 0, target, loc);
}
