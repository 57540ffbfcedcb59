/* What code generation and assembly share: the control-flow graph of one code
 * object and the facts about the scope it comes from.
 *
 * Code generation appends to the graph with the builder functions; assembly
 * optimises the graph and lays it out. Blocks and instructions live in the
 * arena of the compilation. */
#ifndef KR_FRONT_COMPILER_FLOWGRAPH_H
#define KR_FRONT_COMPILER_FLOWGRAPH_H

#include <Python.h>
#include <opcode.h>
#include <stdbool.h>

#include "front/arena/arena.h"
#include "front/compiler/constants.h"
#include "front/arena/names.h"

/* Instructions that exist only before assembly. */
enum kr_pseudo_op {
    SETUP_FINALLY = -1,  /* target: handler, entered with the exception */
    SETUP_CLEANUP = -2,  /* as SETUP_FINALLY, and lasti is pushed too */
    SETUP_WITH = -3,     /* as SETUP_CLEANUP, __exit__ stays below */
    POP_BLOCK = -4,      /* ends the innermost SETUP_* */
    JUMP = -5,           /* in either direction */
    JUMP_NO_INTERRUPT = -6,
    POP_JUMP_IF_FALSE = -7,
    POP_JUMP_IF_TRUE = -8,
    POP_JUMP_IF_NONE = -9,
    POP_JUMP_IF_NOT_NONE = -10,
};

/* Where an instruction comes from. */
struct kr_loc {
    int lineno; /* -1: none */
    int end_lineno;
    int col_offset;
    int end_col_offset; /* -1 each: unknown */
};

#define KR_NO_LOC ((struct kr_loc){-1, -1, -1, -1})

struct kr_block;

struct kr_instr {
    int opcode;
    int oparg;
    struct kr_block *target; /* of jumps and SETUP_*, else NULL */
    struct kr_block *except; /* innermost handler; set by assembly */
    struct kr_loc loc;
};

struct kr_block {
    struct kr_block *list; /* previously created block */
    struct kr_block *next; /* in layout order */
    struct kr_instr *instr;
    int used, capacity;
    /* The rest belongs to assembly. */
    struct kr_block **except_stack;
    int except_depth;
    int predecessors;
    int startdepth; /* INT_MIN: not known; the builder sets that */
    int offset;
    bool return_, exit, nofallthrough, preserve_lasti;
    bool cold, warm, visited, except_predecessor;
    void *scratch;
};

struct kr_observer;

struct kr_cfg {
    KrArena *arena;
    struct kr_block *entry;   /* first block in layout order */
    struct kr_block *current; /* where the builder appends */
    struct kr_block *blocks;  /* newest block; chained by `list` */
    int nblocks;
    bool has_handlers; /* is there a SETUP_*? */
    const struct kr_observer *observer; /* of the passes, or NULL */
};

/* Starts an empty graph whose entry block is current; 0, or -1 with
 * MemoryError set. */
int kr_cfg_init(struct kr_cfg *cfg, KrArena *arena);

/* A new block outside the layout; NULL with MemoryError set. */
struct kr_block *kr_cfg_new_block(struct kr_cfg *cfg);

/* Appends `block` to the layout and makes it current. */
void kr_cfg_use_next_block(struct kr_cfg *cfg, struct kr_block *block);

/* Appends an instruction to `block` itself; borrowed, NULL with MemoryError
 * set. Moves the instructions of the block. */
struct kr_instr *kr_block_append(KrArena *arena, struct kr_block *block);

/* Appends an instruction, in a new block if the current one is closed by a
 * jump or an exit; 0, or -1 with MemoryError set. */
int kr_cfg_addop(struct kr_cfg *cfg, int opcode, int oparg, struct kr_loc loc);
int kr_cfg_addop_jump(struct kr_cfg *cfg, int opcode, struct kr_block *target,
                      struct kr_loc loc);

/* Properties of instructions, from the pseudo-instructions on. */
enum {
    KR_OP_JUMP = 1,
    KR_OP_EXIT = 2,
    KR_OP_PUSH = 4,
    KR_OP_LOWEST = -16,
};
extern const uint8_t kr_op_flags[256 - KR_OP_LOWEST];

static inline unsigned
kr_op_has(int opcode, unsigned flags)
{
    return kr_op_flags[opcode - KR_OP_LOWEST] & flags;
}

/* Is the instruction a jump (SETUP_* are not)? */
static inline bool
kr_op_is_jump(int opcode)
{
    return kr_op_has(opcode, KR_OP_JUMP);
}

/* RETURN_VALUE, RAISE_VARARGS, RERAISE. */
static inline bool
kr_op_is_scope_exit(int opcode)
{
    return kr_op_has(opcode, KR_OP_EXIT);
}

/* SETUP_FINALLY, SETUP_CLEANUP, SETUP_WITH. */
static inline bool
kr_op_is_block_push(int opcode)
{
    return kr_op_has(opcode, KR_OP_PUSH);
}

/* Facts about the scope being compiled; owned by code generation. Constants
 * are representatives of the compilation's, so they can be told apart by
 * address as names can. */
struct kr_unit {
    PyObject *name, *qualname; /* qualname is NULL in modules: use name */
    struct kr_names consts, names, varnames, cellvars, freevars;
    int argcount; /* without the positional-only ones */
    int posonlyargcount;
    int kwonlyargcount;
    /* 0: take the first instruction's line (modules); is then changed. */
    int firstlineno;
    int flags; /* final co_flags */
};

/* Optimises and lays out the graph, and makes the code object. Adds the
 * implicit return (of None if `add_none`, else of the value on the stack)
 * when the last block does not end in one. `constants` are those of the whole
 * compilation. New reference; NULL with an exception set. */
PyObject *kr_assemble(struct kr_unit *unit, struct kr_cfg *cfg,
                      PyObject *filename, struct kr_constants *constants,
                      bool add_none);

/* The stack change of an instruction; jump is 1, 0 or -1 for the larger of
 * both. PY_INVALID_STACK_EFFECT if there is no such opcode. */
int kr_stack_effect(int opcode, int oparg, int jump);

#endif
