/* Optimisation inside one block: constant tests, threading of jumps to jumps,
 * tuples of constants, and swaps. */
#include "front/compiler/passes.h"

#include <stdlib.h>
#include <string.h>

static void
make_nop(struct kr_instr *instr)
{
    instr->opcode = NOP;
}

/* Lets `instr` jump where the jump at its target goes. */
static bool
thread_jump(struct kr_instr *instr, struct kr_instr *target, int opcode)
{
    /* both the line event at the target and an endless loop must stay */
    if (instr->loc.lineno != target->loc.lineno ||
        instr->target == target->target) {
        return false;
    }
    instr->target = target->target;
    instr->opcode = opcode;
    return true;
}

/* JUMP_IF_*_OR_POP: `same` and `opposite` are tests of the same and of the
 * other truth. Returns whether to look at the instruction again. */
static bool
thread_or_pop(struct kr_instr *instr, struct kr_instr *target, bool truth)
{
    int pop_same = truth ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE;
    int pop_other = truth ? POP_JUMP_IF_FALSE : POP_JUMP_IF_TRUE;
    int keep_same = truth ? JUMP_IF_TRUE_OR_POP : JUMP_IF_FALSE_OR_POP;
    int keep_other = truth ? JUMP_IF_FALSE_OR_POP : JUMP_IF_TRUE_OR_POP;
    int op = target->opcode;
    if (op == pop_same) {
        return thread_jump(instr, target, pop_same);
    }
    if (op == JUMP || op == keep_same) {
        return thread_jump(instr, target, keep_same);
    }
    if ((op == pop_other || op == keep_other) &&
        instr->loc.lineno == target->loc.lineno) {
        /* the second test fails: continue behind it */
        instr->opcode = pop_same;
        instr->target = instr->target->next;
        return true;
    }
    return false;
}

/* A constant before a test: decides the test. */
static int
fold_test(struct kr_block *block, int i, struct kr_names *consts)
{
    struct kr_instr *load = &block->instr[i], *test = load + 1;
    PyObject *value = consts->names[load->oparg];
    int truth = PyObject_IsTrue(value);
    if (truth < 0) {
        return -1;
    }
    bool keep = test->opcode == JUMP_IF_FALSE_OR_POP ||
                test->opcode == JUMP_IF_TRUE_OR_POP;
    bool jumps_if = test->opcode == POP_JUMP_IF_TRUE ||
                    test->opcode == JUMP_IF_TRUE_OR_POP;
    bool jumps = (truth != 0) == jumps_if;
    if (!keep || !jumps) {
        make_nop(load);
    }
    if (jumps) {
        test->opcode = JUMP;
        block->nofallthrough = true;
    }
    else {
        make_nop(test);
        test->target = NULL;
    }
    return 0;
}

/* `x is None` before a test becomes a test for None. */
static void
fold_is_none(struct kr_block *block, int i, struct kr_names *consts)
{
    struct kr_instr *load = &block->instr[i];
    if (consts->names[load->oparg] != Py_None ||
        i + 2 >= block->used) {
        return;
    }
    struct kr_instr *test = load + 2;
    if (test->opcode == POP_JUMP_IF_FALSE || test->opcode == POP_JUMP_IF_TRUE) {
        bool is_not = load[1].oparg == 1;
        make_nop(load);
        make_nop(load + 1);
        test->opcode = is_not ^ (test->opcode == POP_JUMP_IF_FALSE)
                           ? POP_JUMP_IF_NOT_NONE
                           : POP_JUMP_IF_NONE;
    }
}

static int
fold_load_const(struct kr_block *block, int i, int next,
                struct kr_names *consts)
{
    switch (next) {
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP: return fold_test(block, i, consts);
    case IS_OP: fold_is_none(block, i, consts); return 0;
    default: return 0;
    }
}

/* BUILD_TUPLE of `n` constants becomes one constant. */
static int
fold_tuple(struct kr_cfg *cfg, struct kr_instr *instr, int n,
           struct kr_names *consts, struct kr_constants *merged)
{
    for (int i = 0; i < n; i++) {
        if (instr[i].opcode != LOAD_CONST) {
            return 0;
        }
    }
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        PyTuple_SET_ITEM(
            tuple, i, Py_NewRef(consts->names[instr[i].oparg]));
    }
    tuple = kr_constants_merge(merged, tuple);
    if (tuple == NULL) {
        return -1;
    }
    int index = kr_names_add(consts, tuple, cfg->arena);
    Py_DECREF(tuple); /* `merged` has it */
    if (index < 0) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        make_nop(&instr[i]);
    }
    instr[n].opcode = LOAD_CONST;
    instr[n].oparg = index;
    return 0;
}

static int
fold_build_tuple(struct kr_cfg *cfg, struct kr_block *block, int i, int next,
                 struct kr_names *consts, struct kr_constants *merged)
{
    struct kr_instr *instr = &block->instr[i];
    int n = instr->oparg;
    if (next == UNPACK_SEQUENCE && n == instr[1].oparg && n >= 1 && n <= 3) {
        make_nop(instr);
        instr[1].opcode = n == 1 ? NOP : SWAP;
        return 0;
    }
    return i >= n ? fold_tuple(cfg, instr - n, n, consts, merged) : 0;
}

/* Writes the shortest swaps for the permutation `stack` so that they end at
 * instr[last]; the instructions before become NOP. */
static void
write_swaps(struct kr_instr *instr, int last, int *stack, int depth)
{
    enum { VISITED = -1 };
    for (int i = 0; i < depth; i++) {
        if (stack[i] == VISITED || stack[i] == i) {
            continue;
        }
        /* follow the cycle, swapping each item with the next */
        for (int j = i;;) {
            if (j != 0) {
                instr[last].opcode = SWAP;
                instr[last--].oparg = j + 1;
            }
            if (stack[j] == VISITED) {
                break;
            }
            int next = stack[j];
            stack[j] = VISITED;
            j = next;
        }
    }
    while (last >= 0) {
        make_nop(&instr[last--]);
    }
}

/* Shortens the run of swaps that begins at *index, and moves *index to its
 * end. */
static int
shorten_swaps(struct kr_block *block, int *index)
{
    struct kr_instr *instr = &block->instr[*index];
    int depth = instr->oparg, length = 0;
    bool several = false;
    while (++length < block->used - *index) {
        if (instr[length].opcode == SWAP) {
            depth = Py_MAX(depth, instr[length].oparg);
            several = true;
        }
        else if (instr[length].opcode != NOP) {
            break;
        }
    }
    if (!several) {
        return 0;
    }
    int *stack = PyMem_Malloc((size_t)depth * sizeof *stack);
    if (stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < depth; i++) {
        stack[i] = i;
    }
    for (int i = 0; i < length; i++) {
        if (instr[i].opcode == SWAP) {
            int oparg = instr[i].oparg, top = stack[0];
            stack[0] = stack[oparg - 1];
            stack[oparg - 1] = top;
        }
    }
    write_swaps(instr, length - 1, stack, depth);
    PyMem_Free(stack);
    *index += length - 1;
    return 0;
}

static bool
swappable(int opcode)
{
    return opcode == STORE_FAST || opcode == POP_TOP;
}

/* The next instruction that consumes one item and nothing else; -1 if another
 * one comes first, or (with line >= 0) another line. */
static int
next_swappable(struct kr_block *block, int i, int line)
{
    while (++i < block->used) {
        struct kr_instr *instr = &block->instr[i];
        if (line >= 0 && instr->loc.lineno != line) {
            return -1;
        }
        if (instr->opcode != NOP) {
            return swappable(instr->opcode) ? i : -1;
        }
    }
    return -1;
}

/* Replaces swaps up to instruction `i` by another order of the stores behind
 * them. */
static void
apply_swaps(struct kr_block *block, int i)
{
    for (; i >= 0; i--) {
        struct kr_instr *swap = &block->instr[i];
        if (swap->opcode != SWAP) {
            if (swap->opcode == NOP || swappable(swap->opcode)) {
                continue;
            }
            return;
        }
        int j = next_swappable(block, i, -1);
        if (j < 0) {
            return;
        }
        int k = j, line = block->instr[j].loc.lineno;
        for (int count = swap->oparg - 1; count > 0; count--) {
            k = next_swappable(block, k, line);
            if (k < 0) {
                return;
            }
        }
        make_nop(swap);
        struct kr_instr saved = block->instr[j];
        block->instr[j] = block->instr[k];
        block->instr[k] = saved;
    }
}

/* Threads the jump; returns whether to look at it again. */
static bool
optimise_jump(struct kr_instr *instr)
{
    instr->target = kr_block_skip_empty(instr->target);
    if (instr->target->used == 0) {
        return false;
    }
    struct kr_instr *target = &instr->target->instr[0];
    switch (instr->opcode) {
    case JUMP_IF_FALSE_OR_POP: return thread_or_pop(instr, target, false);
    case JUMP_IF_TRUE_OR_POP: return thread_or_pop(instr, target, true);
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case JUMP:
        return target->opcode == JUMP &&
               thread_jump(instr, target, instr->opcode);
    default: return false;
    }
}

/* Looks at instruction *index; may move *index. */
static int
optimise(struct kr_cfg *cfg, struct kr_block *block, int *index,
         struct kr_names *consts, struct kr_constants *merged)
{
    struct kr_instr *instr = &block->instr[*index];
    int next = *index + 1 < block->used ? instr[1].opcode : 0;
    if (kr_op_has_target(instr->opcode)) {
        *index -= optimise_jump(instr);
        return 0;
    }
    switch (instr->opcode) {
    case LOAD_CONST: return fold_load_const(block, *index, next, consts);
    case BUILD_TUPLE:
        return fold_build_tuple(cfg, block, *index, next, consts, merged);
    case SWAP:
        if (instr->oparg == 1) {
            make_nop(instr);
            return 0;
        }
        if (shorten_swaps(block, index) < 0) {
            return -1;
        }
        apply_swaps(block, *index);
        return 0;
    case PUSH_NULL:
        if (next == LOAD_GLOBAL) {
            make_nop(instr);
            instr->oparg = 0;
            instr[1].oparg |= 1;
        }
        return 0;
    default: return 0;
    }
}

int
kr_pass_peephole(struct kr_cfg *cfg, struct kr_names *consts,
                 struct kr_constants *merged)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            if (optimise(cfg, b, &i, consts, merged) < 0) {
                return -1;
            }
        }
    }
    return 0;
}
