/* Side information of a pattern: charsets as tables, the set of characters that
 * can begin a match, and repetitions that never give anything back. */
#include "modules/_sre/sre.h"

#include <string.h>

/* The operation after the one at `pc`, or the first inside it. */
static const uint32_t *
next_op(const uint32_t *pc)
{
    size_t one = kr_sre_one_length(pc);
    if (one != 0) {
        return pc + one;
    }
    switch (pc[0]) {
    case OP_MARK:
    case OP_AT:
    case OP_GROUPREF:
    case OP_GROUPREF_IGNORE:
    case OP_GROUPREF_UNI_IGNORE:
    case OP_GROUPREF_LOC_IGNORE:
    case OP_JUMP:
    case OP_ATOMIC_GROUP:
        return pc + 2;
    case OP_GROUPREF_EXISTS:
    case OP_ASSERT:
    case OP_ASSERT_NOT:
        return pc + 3;
    case OP_REPEAT:
    case OP_REPEAT_ONE:
    case OP_MIN_REPEAT_ONE:
    case OP_POSSESSIVE_REPEAT:
    case OP_POSSESSIVE_REPEAT_ONE:
        return pc + 4;
    case OP_INFO:
        return pc + 1 + pc[1];
    }
    return pc + 1; /* FAILURE, SUCCESS, UNTIL */
}

static bool
is_in(uint32_t op)
{
    return op == OP_IN || op == OP_IN_IGNORE || op == OP_IN_UNI_IGNORE;
}

/* Whether a set asks the locale, which can change. */
static bool
depends_on_locale(const uint32_t *set)
{
    for (;;) {
        switch (*set++) {
        case OP_CATEGORY:
            if (set[0] == CH_LOC_WORD || set[0] == CH_LOC_NOT_WORD) {
                return true;
            }
            set++;
            break;
        case OP_LITERAL: set++; break;
        case OP_RANGE:
        case OP_RANGE_UNI_IGNORE: set += 2; break;
        case OP_CHARSET: set += 8; break;
        case OP_BIGCHARSET: set += 65 + 8 * (size_t)set[0]; break;
        case OP_NEGATE: break;
        default: return false;
        }
    }
}

/* ---- what can come first ------------------------------------------------ */

struct first {
    uint8_t *set; /* 256 flags */
    int fuel;     /* operations still to look at */
    bool rounds;  /* what ends a round of a repeat may begin the next one */
};

enum { FIRST_KNOWN = 0, FIRST_REACHED_END = 1, FIRST_UNKNOWN = 2 };

static void
add_one(const uint32_t *pc, uint8_t *set)
{
    if (pc[0] == OP_LITERAL) { /* the usual case, without a loop */
        if (pc[1] < 256) {
            set[pc[1]] = 1;
        }
        return;
    }
    for (uint32_t c = 0; c < 256; c++) {
        set[c] |= kr_sre_one(pc, c);
    }
}

static bool
locale_op(const uint32_t *pc)
{
    switch (pc[0]) {
    case OP_LITERAL_LOC_IGNORE:
    case OP_NOT_LITERAL_LOC_IGNORE:
    case OP_IN_LOC_IGNORE:
        return true;
    case OP_CATEGORY:
        return pc[1] == CH_LOC_WORD || pc[1] == CH_LOC_NOT_WORD;
    case OP_IN:
        return depends_on_locale(pc + 2);
    }
    return false;
}

/* Adds to f->set the characters that code at `pc` can consume first, or more;
 * says whether it may end without consuming any. */
static int
first_of(struct first *f, const uint32_t *pc, int depth)
{
    int end = 0;
    for (;;) {
        if (--f->fuel < 0 || depth > 20) {
            return FIRST_UNKNOWN;
        }
        if (kr_sre_one_length(pc) != 0) {
            if (locale_op(pc)) {
                return FIRST_UNKNOWN;
            }
            add_one(pc, f->set);
            return end;
        }
        switch (pc[0]) {
        case OP_FAILURE:
            return end;
        case OP_SUCCESS:
            return end | FIRST_REACHED_END;
        case OP_MAX_UNTIL:
        case OP_MIN_UNTIL:
            if (f->rounds) {
                return FIRST_UNKNOWN;
            }
            pc++;
            break;
        case OP_MARK:
        case OP_AT:
            pc += 2;
            break;
        case OP_INFO:
        case OP_ASSERT:
        case OP_ASSERT_NOT:
        case OP_JUMP:
            pc += 1 + pc[1];
            break;
        case OP_BRANCH:
            for (pc++; pc[0] != 0; pc += pc[0]) {
                end |= first_of(f, pc + 1, depth + 1);
            }
            return end;
        case OP_REPEAT:
            if (pc[2] == 0) { /* the body may be left out */
                end |= first_of(f, pc + 1 + pc[1] + 1, depth + 1);
            }
            pc += 4;
            break;
        case OP_REPEAT_ONE:
        case OP_MIN_REPEAT_ONE:
        case OP_POSSESSIVE_REPEAT_ONE: {
            if (locale_op(pc + 4)) {
                return FIRST_UNKNOWN;
            }
            add_one(pc + 4, f->set);
            if (pc[2] != 0) {
                return end;
            }
            pc += 1 + pc[1];
            break;
        }
        case OP_POSSESSIVE_REPEAT:
        case OP_ATOMIC_GROUP: {
            bool atomic = pc[0] == OP_ATOMIC_GROUP;
            int inner = first_of(f, pc + (atomic ? 2 : 4), depth + 1);
            if (inner & FIRST_UNKNOWN) {
                return FIRST_UNKNOWN;
            }
            if (inner == FIRST_KNOWN && (atomic || pc[2] != 0)) {
                return end;
            }
            pc += 1 + pc[1] + (atomic ? 0 : 1);
            break;
        }
        default: /* references to groups */
            return FIRST_UNKNOWN;
        }
    }
}

/* ---- the passes --------------------------------------------------------- */

typedef void (*visit_fn)(struct sre_pattern *p, uint32_t *pc, size_t *count);

/* Calls `visit` for each operation, those inside others too. Only BRANCH needs
 * recursion: a skip word begins each of its alternatives. */
static void
walk(struct sre_pattern *p, uint32_t *pc, const uint32_t *end, visit_fn visit,
     size_t *count)
{
    while (pc < end) {
        visit(p, pc, count);
        if (pc[0] == OP_BRANCH) {
            for (pc++; pc[0] != 0; pc += pc[0]) {
                walk(p, pc + 1, pc + pc[0], visit, count);
            }
            pc++;
        }
        else {
            pc = (uint32_t *)next_op(pc);
        }
    }
}

static void
count_sets(struct sre_pattern *p, uint32_t *pc, size_t *count)
{
    *count += is_in(pc[0]);
}

static void
fill_set(struct sre_pattern *p, uint32_t *pc, size_t *count)
{
    if (!is_in(pc[0]) || depends_on_locale(pc + 2)) {
        return;
    }
    size_t n = (*count)++;
    uint8_t *table = p->tables + 256 * (n / 8), bit = (uint8_t)(1 << n % 8);
    for (uint32_t c = 0; c < 256; c++) {
        if (kr_sre_in_set_of(pc[0], pc + 2, c)) {
            table[c] |= bit;
        }
    }
    pc[p->codesize] = (uint32_t)(n / 8) << 8 | bit;
}

static void
mark_possessive(struct sre_pattern *p, uint32_t *pc, size_t *count)
{
    if (pc[0] != OP_REPEAT_ONE || locale_op(pc + 4)) {
        return;
    }
    uint8_t body[256] = {0}, tail[256] = {0};
    struct first f = {tail, 60, true};
    if (first_of(&f, pc + 1 + pc[1], 0) != FIRST_KNOWN) {
        return;
    }
    add_one(pc + 4, body);
    for (int c = 0; c < 256; c++) {
        if (body[c] & tail[c]) {
            return;
        }
    }
    pc[p->codesize] = 1;
}

int
kr_sre_prepare(struct sre_pattern *p)
{
    memset(p->code + p->codesize, 0, (size_t)p->codesize * sizeof(uint32_t));
    const uint32_t *end = p->code + p->codesize;
    size_t sets = 0, done = 0;
    walk(p, p->code, end, count_sets, &sets);
    if (sets > 0) {
        p->tables = PyMem_Calloc((sets + 7) / 8, 256);
        if (p->tables == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        walk(p, p->code, end, fill_set, &done);
    }
    walk(p, p->code, end, mark_possessive, &done);
    uint8_t set[256] = {0};
    struct first f = {set, 2000, false};
    if (first_of(&f, p->code, 0) == FIRST_KNOWN) {
        p->first = PyMem_Malloc(256);
        if (p->first == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(p->first, set, 256);
    }
    return 0;
}
