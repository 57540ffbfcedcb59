/* Line numbers of instructions that code generation left without one: each
 * takes the line of the only instruction before it, so that a frame always
 * knows the line it left from. */
#include "front/compiler/passes.h"

bool
kr_block_is_lineless_exit(const struct kr_block *b)
{
    if (!b->exit) {
        return false;
    }
    for (int i = 0; i < b->used; i++) {
        if (b->instr[i].loc.lineno >= 0) {
            return false;
        }
    }
    return true;
}

static struct kr_block *
copy_exit(struct kr_cfg *cfg, struct kr_block *block)
{
    struct kr_block *copy = kr_cfg_new_block(cfg);
    for (int i = 0; copy != NULL && i < block->used; i++) {
        struct kr_instr *instr = kr_block_append(cfg->arena, copy);
        if (instr == NULL) {
            return NULL;
        }
        *instr = block->instr[i];
    }
    if (copy != NULL) {
        copy->exit = block->exit;
        copy->nofallthrough = true;
    }
    return copy;
}

static int
duplicate_target(struct kr_cfg *cfg, struct kr_block *b)
{
    if (b->used == 0 || !kr_op_is_jump(kr_block_last(b)->opcode)) {
        return 0;
    }
    struct kr_block *target = kr_block_last(b)->target;
    if (!kr_block_is_lineless_exit(target) || target->predecessors <= 1) {
        return 0;
    }
    struct kr_block *copy = copy_exit(cfg, target);
    if (copy == NULL) {
        return -1;
    }
    copy->instr[0].loc = kr_block_last(b)->loc;
    kr_block_last(b)->target = copy;
    target->predecessors--;
    copy->predecessors = 1;
    copy->next = target->next;
    target->next = copy;
    return 0;
}

int
kr_pass_duplicate_exits(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        if (duplicate_target(cfg, b) < 0) {
            return -1;
        }
    }
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        while (b->next != NULL && b->next->used == 0) {
            b->next = b->next->next;
        }
    }
    /* those that remain are reached from the block before only */
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        if (!b->nofallthrough && b->next != NULL && b->used > 0 &&
            kr_block_is_lineless_exit(b->next)) {
            b->next->instr[0].loc = kr_block_last(b)->loc;
        }
    }
    return 0;
}

static void
pass_on(struct kr_loc loc, struct kr_block *to)
{
    if (to->predecessors == 1 && to->used > 0 && to->instr[0].loc.lineno < 0) {
        to->instr[0].loc = loc;
    }
}

void
kr_pass_propagate_lines(struct kr_cfg *cfg)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        if (b->used == 0) {
            continue;
        }
        struct kr_loc loc = KR_NO_LOC;
        for (int i = 0; i < b->used; i++) {
            if (b->instr[i].loc.lineno < 0) {
                b->instr[i].loc = loc;
            }
            else {
                loc = b->instr[i].loc;
            }
        }
        if (!b->nofallthrough && b->next != NULL) {
            pass_on(loc, b->next);
        }
        if (kr_op_is_jump(kr_block_last(b)->opcode)) {
            pass_on(loc, kr_block_last(b)->target);
        }
    }
}

void
kr_pass_exit_lines(struct kr_cfg *cfg, int firstline)
{
    int line = firstline;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        if (b->used == 0) {
            continue;
        }
        struct kr_instr *last = kr_block_last(b);
        if (last->loc.lineno >= 0) {
            line = last->loc.lineno;
        }
        else if (last->opcode == RETURN_VALUE) {
            for (int i = 0; i < b->used; i++) {
                b->instr[i].loc.lineno = line;
            }
        }
    }
}
