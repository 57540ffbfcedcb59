/* The final graph as bytes: instructions with their caches, the location
 * table (code/code.h describes its reader), and the exception table. */
#include "front/compiler/passes.h"

#include "base/common.h"
#include "code/opcode_meta.h"

struct writer {
    PyObject *bytes;
    Py_ssize_t used;
};

static int
start(struct writer *w, Py_ssize_t size)
{
    w->used = 0;
    w->bytes = PyBytes_FromStringAndSize(NULL, size);
    return w->bytes == NULL ? -1 : 0;
}

/* Room for `n` more bytes. */
static uint8_t *
reserve(struct writer *w, Py_ssize_t n)
{
    if (w->bytes == NULL) {
        return NULL;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(w->bytes);
    if (size - w->used < n && _PyBytes_Resize(&w->bytes, 2 * size + n) < 0) {
        return NULL; /* bytes is NULL now */
    }
    return (uint8_t *)PyBytes_AS_STRING(w->bytes) + w->used;
}

static PyObject *
finish(struct writer *w)
{
    if (w->bytes != NULL && PyBytes_GET_SIZE(w->bytes) != w->used) {
        _PyBytes_Resize(&w->bytes, w->used);
    }
    return w->bytes;
}

static int
argument(const struct kr_instr *instr)
{
    return instr->opcode >= HAVE_ARGUMENT ? instr->oparg : 0;
}

int
kr_instr_size(const struct kr_instr *instr)
{
    int oparg = argument(instr);
    return (oparg > 0xffffff) + (oparg > 0xffff) + (oparg > 0xff) + 1 +
           kr_opcode_caches[instr->opcode];
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

void
kr_pass_jump_offsets(struct kr_cfg *cfg)
{
    bool again;
    do {
        int total = 0;
        for (struct kr_block *b = cfg->entry; b; b = b->next) {
            b->offset = total;
            for (int i = 0; i < b->used; i++) {
                total += kr_instr_size(&b->instr[i]);
            }
        }
        again = false;
        for (struct kr_block *b = cfg->entry; b; b = b->next) {
            int end = b->offset;
            for (int i = 0; i < b->used; i++) {
                struct kr_instr *instr = &b->instr[i];
                int size = kr_instr_size(instr);
                end += size;
                if (kr_op_is_jump(instr->opcode)) {
                    int target = instr->target->offset;
                    instr->oparg = is_backward(instr->opcode) ? end - target
                                                              : target - end;
                    again |= kr_instr_size(instr) != size;
                }
            }
        }
    } while (again);
}

static void
emit_instr(struct writer *w, const struct kr_instr *instr)
{
    int oparg = argument(instr);
    int caches = kr_opcode_caches[instr->opcode];
    uint8_t *p = reserve(w, 2 * (4 + caches));
    if (p == NULL) {
        return;
    }
    uint8_t *first = p;
    for (int shift = 24; shift > 0; shift -= 8) {
        if (oparg >> shift) {
            *p++ = EXTENDED_ARG;
            *p++ = (uint8_t)(oparg >> shift);
        }
    }
    *p++ = (uint8_t)instr->opcode;
    *p++ = (uint8_t)oparg;
    for (int i = 0; i < caches; i++) {
        *p++ = CACHE;
        *p++ = 0;
    }
    w->used += p - first;
}

PyObject *
kr_emit_code(struct kr_cfg *cfg)
{
    struct writer w;
    if (start(&w, 256) < 0) {
        return NULL;
    }
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            emit_instr(&w, &b->instr[i]);
        }
    }
    return finish(&w);
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
static void
emit_location(struct writer *w, const struct kr_loc *loc, int units, int *line)
{
    uint8_t *p = reserve(w, 32);
    if (p == NULL) {
        return;
    }
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
    w->used += p - first;
}

PyObject *
kr_emit_locations(struct kr_cfg *cfg, int firstline)
{
    struct writer w;
    if (start(&w, 256) < 0) {
        return NULL;
    }
    int line = firstline;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            int units = kr_instr_size(&b->instr[i]);
            for (; units > 8; units -= 8) {
                emit_location(&w, &b->instr[i].loc, 8, &line);
            }
            emit_location(&w, &b->instr[i].loc, units, &line);
        }
    }
    return finish(&w);
}

/* Big-endian base 64, as the exception table has it. */
static void
emit_item(struct writer *w, unsigned value, unsigned mark)
{
    uint8_t *p = reserve(w, 8);
    if (p == NULL) {
        return;
    }
    uint8_t *first = p;
    for (int shift = 24; shift > 0; shift -= 6) {
        if (value >> shift) {
            *p++ = (uint8_t)(64 | mark | (value >> shift & 63));
            mark = 0;
        }
    }
    *p++ = (uint8_t)(mark | (value & 63));
    w->used += p - first;
}

static void
emit_handler(struct writer *w, int from, int to, struct kr_block *handler)
{
    int depth = handler->startdepth - 1 - handler->preserve_lasti;
    emit_item(w, (unsigned)from, 128);
    emit_item(w, (unsigned)(to - from), 0);
    emit_item(w, (unsigned)handler->offset, 0);
    emit_item(w, (unsigned)(depth << 1 | handler->preserve_lasti), 0);
}

PyObject *
kr_emit_handlers(struct kr_cfg *cfg)
{
    struct writer w;
    if (start(&w, 16) < 0) {
        return NULL;
    }
    struct kr_block *handler = NULL;
    int from = 0, offset = 0;
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            struct kr_instr *instr = &b->instr[i];
            if (instr->except != handler) {
                if (handler != NULL) {
                    emit_handler(&w, from, offset, handler);
                }
                from = offset;
                handler = instr->except;
            }
            offset += kr_instr_size(instr);
        }
    }
    if (handler != NULL) {
        emit_handler(&w, from, offset, handler);
    }
    return finish(&w);
}
