/* The final graph as bytes: instructions with their caches, the location
 * table (code/code.h describes its reader), and the exception table. */
#include "front/compiler/passes.h"

#include "base/common.h"
#include "code/opcode_meta.h"

static inline int
argument(const struct kr_instr *instr)
{
    return instr->opcode >= HAVE_ARGUMENT ? instr->oparg : 0;
}

/* Code units of an instruction with its prefixes and caches. */
static inline int
size_of(const struct kr_instr *instr)
{
    unsigned oparg = (unsigned)argument(instr);
    int size = 1 + kr_opcode_caches[instr->opcode];
    if (KR_UNLIKELY(oparg > 0xff)) {
        size += 1 + (oparg > 0xffff) + (oparg > 0xffffff);
    }
    return size;
}

static bool
is_backward(int opcode)
{
    switch (opcode) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE: return true;
    default: return false;
    }
}

/* Sets the offset of each block; the size of all. */
static int
place_blocks(struct kr_cfg *cfg)
{
    int total = 0;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        b->offset = total;
        for (int i = 0; i < b->used; i++) {
            total += size_of(&b->instr[i]);
        }
    }
    return total;
}

int
kr_pass_jump_offsets(struct kr_cfg *cfg)
{
    int total;
    bool again;
    do {
        total = place_blocks(cfg);
        again = false;
        for (struct kr_block *b = cfg->entry; b; b = b->next) {
            struct kr_instr *last = b->used ? kr_block_last(b) : NULL;
            if (last != NULL && kr_op_is_jump(last->opcode)) {
                int size = size_of(last);
                int end = b->next ? b->next->offset : total;
                int target = last->target->offset;
                last->oparg = is_backward(last->opcode) ? end - target
                                                        : target - end;
                again |= size_of(last) != size;
            }
        }
    } while (again);
    return total;
}

static uint8_t *
emit_instr(uint8_t *p, const struct kr_instr *instr)
{
    unsigned oparg = (unsigned)argument(instr);
    if (KR_UNLIKELY(oparg > 0xff)) {
        for (int shift = 24; shift > 0; shift -= 8) {
            if (oparg >> shift) {
                *p++ = EXTENDED_ARG;
                *p++ = (uint8_t)(oparg >> shift);
            }
        }
    }
    *p++ = (uint8_t)instr->opcode;
    *p++ = (uint8_t)oparg;
    for (int caches = kr_opcode_caches[instr->opcode]; caches > 0; caches--) {
        *p++ = CACHE;
        *p++ = 0;
    }
    return p;
}

/* Little-endian base 64, as the location table has it. */
static uint8_t *
put_number(uint8_t *p, unsigned value)
{
    for (; value >= 64; value >>= 6) {
        *p++ = 64 | (value & 63);
    }
    *p++ = (uint8_t)value;
    return p;
}

static uint8_t *
put_signed(uint8_t *p, int value)
{
    return put_number(p, value < 0 ? (unsigned)-value << 1 | 1
                                   : (unsigned)value << 1);
}

enum {
    ENTRY_ONE_LINE = 10, /* below: short ones, by group of columns */
    ENTRY_NO_COLUMNS = 13,
    ENTRY_LONG = 14,
    ENTRY_NONE = 15,
};

/* The shortest entry for `units` code units; *line is the running line. */
static uint8_t *
emit_location(uint8_t *p, const struct kr_loc *loc, int units, int *line)
{
    uint8_t *first = p++;
    int delta = loc->lineno - *line, kind;
    int col = loc->col_offset, end = loc->end_col_offset;
    bool columns = col >= 0 && end >= 0;
    bool one_line = loc->end_lineno == loc->lineno;
    if (loc->lineno < 0) {
        kind = ENTRY_NONE;
        delta = 0;
    }
    else if (!columns && (one_line || loc->end_lineno == -1)) {
        kind = ENTRY_NO_COLUMNS;
        p = put_signed(p, delta);
    }
    else if (columns && one_line && delta == 0 && col < 80 && end >= col &&
             end - col < 16) {
        kind = col >> 3;
        *p++ = (uint8_t)((col & 7) << 4 | (end - col));
    }
    else if (columns && one_line && delta >= 0 && delta < 3 && col < 128 &&
             end < 128) {
        kind = ENTRY_ONE_LINE + delta;
        *p++ = (uint8_t)col;
        *p++ = (uint8_t)end;
    }
    else {
        kind = ENTRY_LONG;
        p = put_signed(p, delta);
        p = put_number(p, (unsigned)(loc->end_lineno - loc->lineno));
        p = put_number(p, (unsigned)(col + 1));
        p = put_number(p, (unsigned)(end + 1));
    }
    *first = (uint8_t)(128 | kind << 3 | (units - 1));
    *line += delta;
    return p;
}

/* Big-endian base 64, as the exception table has it. */
static uint8_t *
emit_item(uint8_t *p, unsigned value, unsigned mark)
{
    for (int shift = 24; shift > 0; shift -= 6) {
        if (value >> shift) {
            *p++ = (uint8_t)(64 | mark | (value >> shift & 63));
            mark = 0;
        }
    }
    *p++ = (uint8_t)(mark | (value & 63));
    return p;
}

static uint8_t *
emit_handler(uint8_t *p, int from, int to, struct kr_block *handler)
{
    int depth = handler->startdepth - 1 - handler->preserve_lasti;
    p = emit_item(p, (unsigned)from, 128);
    p = emit_item(p, (unsigned)(to - from), 0);
    p = emit_item(p, (unsigned)handler->offset, 0);
    return emit_item(p, (unsigned)(depth << 1 | handler->preserve_lasti), 0);
}

static uint8_t *
emit_handlers(uint8_t *p, struct kr_cfg *cfg)
{
    struct kr_block *handler = NULL;
    int from = 0, offset = 0;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            struct kr_instr *instr = &b->instr[i];
            if (instr->except != handler) {
                if (handler != NULL) {
                    p = emit_handler(p, from, offset, handler);
                }
                from = offset;
                handler = instr->except;
            }
            offset += size_of(instr);
        }
    }
    return handler == NULL ? p : emit_handler(p, from, offset, handler);
}

int
kr_emit(struct kr_cfg *cfg, int firstline, int units, struct kr_emitted *out)
{
    enum { MAX_ENTRY = 32 };
    size_t ninstrs = 0;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        ninstrs += (size_t)b->used;
    }
    /* an instruction has one location entry for 8 units */
    size_t nentries = ninstrs + (size_t)units / 8;
    out->code = kr_arena_alloc(cfg->arena, 2 * (size_t)units);
    out->lines = kr_arena_alloc(cfg->arena, nentries * MAX_ENTRY);
    out->handlers = cfg->has_handlers
                        ? kr_arena_alloc(cfg->arena, ninstrs * MAX_ENTRY)
                        : out->lines;
    if (out->code == NULL || out->lines == NULL || out->handlers == NULL) {
        return -1;
    }
    uint8_t *code = out->code, *lines = out->lines;
    int line = firstline;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            const struct kr_instr *instr = &b->instr[i];
            uint8_t *end = emit_instr(code, instr);
            int size = (int)(end - code) / 2;
            for (; size > 8; size -= 8) {
                lines = emit_location(lines, &instr->loc, 8, &line);
            }
            lines = emit_location(lines, &instr->loc, size, &line);
            code = end;
        }
    }
    out->code_size = (size_t)(code - out->code);
    out->lines_size = (size_t)(lines - out->lines);
    out->handlers_size =
        cfg->has_handlers
            ? (size_t)(emit_handlers(out->handlers, cfg) - out->handlers)
            : 0;
    return 0;
}
