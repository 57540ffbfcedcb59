/* Builder of control-flow graphs: blocks are filled front to back, and no
 * instruction ever follows a jump or an exit inside one block. */
#include "front/compiler/flowgraph.h"

#include <limits.h>
#include <string.h>

#define AT(opcode) [(opcode) - KR_OP_LOWEST]
const uint8_t kr_op_flags[256 - KR_OP_LOWEST] = {
    AT(JUMP) = KR_OP_JUMP,
    AT(JUMP_NO_INTERRUPT) = KR_OP_JUMP,
    AT(POP_JUMP_IF_FALSE) = KR_OP_JUMP,
    AT(POP_JUMP_IF_TRUE) = KR_OP_JUMP,
    AT(POP_JUMP_IF_NONE) = KR_OP_JUMP,
    AT(POP_JUMP_IF_NOT_NONE) = KR_OP_JUMP,
    AT(FOR_ITER) = KR_OP_JUMP,
    AT(JUMP_FORWARD) = KR_OP_JUMP,
    AT(JUMP_BACKWARD) = KR_OP_JUMP,
    AT(JUMP_BACKWARD_NO_INTERRUPT) = KR_OP_JUMP,
    AT(JUMP_IF_FALSE_OR_POP) = KR_OP_JUMP,
    AT(JUMP_IF_TRUE_OR_POP) = KR_OP_JUMP,
    AT(POP_JUMP_FORWARD_IF_FALSE) = KR_OP_JUMP,
    AT(POP_JUMP_FORWARD_IF_TRUE) = KR_OP_JUMP,
    AT(POP_JUMP_FORWARD_IF_NONE) = KR_OP_JUMP,
    AT(POP_JUMP_FORWARD_IF_NOT_NONE) = KR_OP_JUMP,
    AT(POP_JUMP_BACKWARD_IF_FALSE) = KR_OP_JUMP,
    AT(POP_JUMP_BACKWARD_IF_TRUE) = KR_OP_JUMP,
    AT(POP_JUMP_BACKWARD_IF_NONE) = KR_OP_JUMP,
    AT(POP_JUMP_BACKWARD_IF_NOT_NONE) = KR_OP_JUMP,
    AT(SEND) = KR_OP_JUMP,
    AT(RETURN_VALUE) = KR_OP_EXIT,
    AT(RAISE_VARARGS) = KR_OP_EXIT,
    AT(RERAISE) = KR_OP_EXIT,
    AT(SETUP_FINALLY) = KR_OP_PUSH,
    AT(SETUP_CLEANUP) = KR_OP_PUSH,
    AT(SETUP_WITH) = KR_OP_PUSH,
};

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
    cfg->nblocks++;
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

static int
grow_block(KrArena *arena, struct kr_block *block)
{
    int capacity = block->capacity ? 2 * block->capacity : 4;
    struct kr_instr *instr = kr_arena_grow(
        arena, block->instr, (size_t)block->capacity * sizeof *instr,
        (size_t)capacity * sizeof *instr);
    if (instr == NULL) {
        return -1;
    }
    block->instr = instr;
    block->capacity = capacity;
    return 0;
}

struct kr_instr *
kr_block_append(KrArena *arena, struct kr_block *block)
{
    if (block->used == block->capacity && grow_block(arena, block) < 0) {
        return NULL;
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
        if (kr_op_has(last, KR_OP_JUMP | KR_OP_EXIT)) {
            block = kr_cfg_new_block(cfg);
            if (block == NULL) {
                return -1;
            }
            kr_cfg_use_next_block(cfg, block);
        }
    }
    if (block->used == block->capacity &&
        grow_block(cfg->arena, block) < 0) {
        return -1;
    }
    cfg->has_handlers |= kr_op_is_block_push(opcode);
    block->instr[block->used++] = (struct kr_instr){opcode, oparg, target,
                                                    NULL, loc};
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
