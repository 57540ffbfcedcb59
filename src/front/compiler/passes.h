/* The passes between code generation and the code object, in the order in
 * which kr_assemble runs them. All work on a graph in place; those that can
 * fail return 0, or -1 with an exception set. */
#ifndef KR_FRONT_COMPILER_PASSES_H
#define KR_FRONT_COMPILER_PASSES_H

#include "front/compiler/flowgraph.h"

/* Last instruction of a block that is not empty. */
static inline struct kr_instr *
kr_block_last(struct kr_block *block)
{
    return &block->instr[block->used - 1];
}

/* Whether the instruction refers to a block. */
static inline bool
kr_op_has_target(int opcode)
{
    return kr_op_has(opcode, KR_OP_JUMP | KR_OP_PUSH);
}

/* The first block from `block` on that has instructions (the last block has). */
static inline struct kr_block *
kr_block_skip_empty(struct kr_block *block)
{
    while (block->used == 0 && block->next != NULL) {
        block = block->next;
    }
    return block;
}

/* Whether the block leaves the scope and has no line at all. */
bool kr_block_is_lineless_exit(const struct kr_block *block);

/* Marks blocks that leave the scope or never fall through, and lets jumps
 * point to blocks that are not empty. */
int kr_pass_normalise(struct kr_cfg *cfg);

/* Copies small exits without a line over the jumps to them. */
int kr_pass_inline_exits(struct kr_cfg *cfg);

/* Peepholes and jump threading inside each block; `consts`, those of the
 * scope, may grow; `merged` are those of the compilation. */
int kr_pass_peephole(struct kr_cfg *cfg, struct kr_names *consts,
                     struct kr_constants *merged);

/* Empties blocks without a path to them, counts predecessors. */
int kr_pass_reachable(struct kr_cfg *cfg);

/* Removes NOPs that no line of their block needs. */
void kr_pass_remove_nops(struct kr_cfg *cfg);

/* Takes empty blocks out of the layout. */
void kr_pass_remove_empty(struct kr_cfg *cfg);

/* Removes jumps to the next block. */
void kr_pass_remove_jumps(struct kr_cfg *cfg);

/* Drops the constants behind the last one in use. */
void kr_pass_trim_consts(struct kr_cfg *cfg, struct kr_names *consts);

/* Gives every jump its own copy of an exit without line, and lines to
 * instructions without. `firstline` is the last resort. */
int kr_pass_duplicate_exits(struct kr_cfg *cfg);
void kr_pass_propagate_lines(struct kr_cfg *cfg);
void kr_pass_exit_lines(struct kr_cfg *cfg, int firstline);

/* Greatest stack depth, also the depth at the start of each block; -1 with
 * an exception set. */
int kr_pass_stackdepth(struct kr_cfg *cfg, bool generator);

/* Sets the handler of each instruction. */
int kr_pass_label_handlers(struct kr_cfg *cfg);

/* Turns SETUP_* and POP_BLOCK, which have served, into NOP. */
void kr_pass_drop_setups(struct kr_cfg *cfg);

/* Chooses the directed opcode of each jump. */
void kr_pass_direct_jumps(struct kr_cfg *cfg);

/* Computes the offset of each block and the argument of each jump. Returns the
 * size of all. */
int kr_pass_jump_offsets(struct kr_cfg *cfg);

/* The final graph as bytes, in the arena of the graph. */
struct kr_emitted {
    uint8_t *code, *lines, *handlers;
    size_t code_size, lines_size, handlers_size;
};

/* `units` is the size of the code. 0, or -1 with MemoryError set. */
int kr_emit(struct kr_cfg *cfg, int firstline, int units,
            struct kr_emitted *out);

/* The graph as text, one line for each instruction: a new str, or NULL. */
PyObject *kr_cfg_dump(struct kr_cfg *cfg);

#endif
