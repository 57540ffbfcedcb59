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
    return kr_op_is_jump(opcode) || kr_op_is_block_push(opcode);
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

/* Peepholes and jump threading inside each block; `consts` is the list of
 * constants, which may grow; `merged` merges those of the compilation. */
int kr_pass_peephole(struct kr_cfg *cfg, PyObject *consts, PyObject *merged);

/* Empties blocks without a path to them, counts predecessors. */
int kr_pass_reachable(struct kr_cfg *cfg);

/* Removes NOPs that no line of their block needs. */
void kr_pass_remove_nops(struct kr_cfg *cfg);

/* Takes empty blocks out of the layout. */
void kr_pass_remove_empty(struct kr_cfg *cfg);

/* Removes jumps to the next block. */
void kr_pass_remove_jumps(struct kr_cfg *cfg);

/* Drops the constants behind the last one in use. */
int kr_pass_trim_consts(struct kr_cfg *cfg, PyObject *consts);

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

/* Computes the offset of each block and the argument of each jump. */
void kr_pass_jump_offsets(struct kr_cfg *cfg);

/* Code units of an instruction with its prefixes and caches. */
int kr_instr_size(const struct kr_instr *instr);

/* New bytes objects of the final graph (emit.c); NULL on failure. */
PyObject *kr_emit_code(struct kr_cfg *cfg);
PyObject *kr_emit_locations(struct kr_cfg *cfg, int firstline);
PyObject *kr_emit_handlers(struct kr_cfg *cfg);

/* The graph as text, one line for each instruction: a new str, or NULL. */
PyObject *kr_cfg_dump(struct kr_cfg *cfg);

/* The representative of `object` (stolen) among equal constants of the
 * compilation: a new reference, or NULL with an exception set. */
PyObject *kr_merge_const(PyObject *merged, PyObject *object);

#endif
