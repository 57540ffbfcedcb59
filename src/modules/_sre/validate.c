/* Checks that the code of a pattern is well formed, so that the engine need not
 * look: every jump stays inside its construct, every set is terminated, every
 * group number exists. Anybody can call _sre.compile(). */
#include "modules/_sre/sre.h"

static bool code_ok(const uint32_t *pc, const uint32_t *end,
                    Py_ssize_t groups);

/* A set and its terminator, exactly from `pc` to `end`. */
static bool
charset_ok(const uint32_t *pc, const uint32_t *end)
{
    while (pc < end) {
        size_t left = (size_t)(end - pc) - 1, need;
        switch (*pc++) {
        case OP_FAILURE:
            return left == 0;
        case OP_NEGATE:
            need = 0;
            break;
        case OP_LITERAL:
            need = 1;
            break;
        case OP_RANGE:
        case OP_RANGE_UNI_IGNORE:
            need = 2;
            break;
        case OP_CHARSET:
            need = 8;
            break;
        case OP_CATEGORY:
            if (left < 1 || pc[0] >= CH_COUNT) {
                return false;
            }
            need = 1;
            break;
        case OP_BIGCHARSET:
            if (left < 65) {
                return false;
            }
            for (int i = 0; i < 256; i++) {
                if (((const unsigned char *)(pc + 1))[i] >= pc[0]) {
                    return false;
                }
            }
            need = 65 + 8 * (size_t)pc[0];
            break;
        default:
            return false;
        }
        if (left <= need) { /* the terminator must still come */
            return false;
        }
        pc += need;
    }
    return false;
}

static bool
info_ok(const uint32_t *pc, const uint32_t *end)
{
    /* pc: flags, min, max, then prefix or set */
    if (end - pc < 3) {
        return false;
    }
    uint32_t flags = pc[0];
    pc += 3;
    if ((flags & ~(uint32_t)7) ||
        ((flags & INFO_PREFIX) && (flags & INFO_CHARSET)) ||
        ((flags & INFO_LITERAL) && !(flags & INFO_PREFIX))) {
        return false;
    }
    if (flags & INFO_PREFIX) {
        if (end - pc < 2) {
            return false;
        }
        size_t len = pc[0], skip = pc[1];
        pc += 2;
        if (len == 0 || skip > len || (size_t)(end - pc) != 2 * len) {
            return false;
        }
        for (size_t i = 0; i < len; i++) {
            if (pc[len + i] > i) {
                return false;
            }
        }
        return true;
    }
    if (flags & INFO_CHARSET) {
        return charset_ok(pc, end);
    }
    return pc == end;
}

static bool
branch_ok(const uint32_t **pos, const uint32_t *end, Py_ssize_t groups)
{
    const uint32_t *pc = *pos, *target = NULL;
    for (;;) {
        if (pc >= end) {
            return false;
        }
        size_t skip = pc[0];
        if (skip == 0) {
            break;
        }
        if (skip < 3 || skip >= (size_t)(end - pc)) {
            return false;
        }
        const uint32_t *next = pc + skip;
        /* the alternative, JUMP and its distance */
        if (next[-2] != OP_JUMP || !code_ok(pc + 1, next - 2, groups)) {
            return false;
        }
        if (next[-1] > (size_t)(end - (next - 1))) {
            return false;
        }
        const uint32_t *to = next - 1 + next[-1];
        if (target != NULL && to != target) {
            return false;
        }
        target = to;
        pc = next;
    }
    pc++; /* the terminating 0 */
    *pos = pc;
    return target == NULL || target == pc;
}

/* skip, min, max at `pc`, then the body. */
static bool
repeat_ok(uint32_t op, const uint32_t **pos, const uint32_t *end,
          Py_ssize_t groups)
{
    const uint32_t *pc = *pos;
    if (end - pc < 3 || pc[0] < 4 || pc[0] > (size_t)(end - pc) ||
        pc[1] > pc[2]) {
        return false;
    }
    const uint32_t *after = pc + pc[0];
    if (op == OP_REPEAT || op == OP_POSSESSIVE_REPEAT) {
        if (after >= end || !code_ok(pc + 3, after, groups)) {
            return false;
        }
        if (op == OP_REPEAT ? *after != OP_MAX_UNTIL && *after != OP_MIN_UNTIL
                            : *after != OP_SUCCESS) {
            return false;
        }
        *pos = after + 1;
        return true;
    }
    if (after[-1] != OP_SUCCESS || !code_ok(pc + 3, after - 1, groups)) {
        return false;
    }
    *pos = after;
    return kr_sre_one_length(pc + 3) == (size_t)(after - 1 - (pc + 3));
}

/* A skip word at `pc`, body, SUCCESS. `extra` words come before the body. */
static bool
group_ok(const uint32_t **pos, const uint32_t *end, Py_ssize_t groups,
         size_t extra)
{
    const uint32_t *pc = *pos;
    if ((size_t)(end - pc) < 1 + extra || pc[0] < 2 + extra ||
        pc[0] > (size_t)(end - pc)) {
        return false;
    }
    const uint32_t *after = pc + pc[0];
    *pos = after;
    return after[-1] == OP_SUCCESS && code_ok(pc + 1 + extra, after - 1, groups);
}

/* group, skip at `pc`: the form with an "else" ends its "then" by a JUMP. */
static bool
conditional_ok(const uint32_t **pos, const uint32_t *end, Py_ssize_t groups)
{
    const uint32_t *pc = *pos;
    if (end - pc < 2 || pc[0] >= (size_t)groups || pc[1] < 2 ||
        pc[1] > (size_t)(end - pc)) {
        return false;
    }
    const uint32_t *other = pc + pc[1], *yes = pc + 2;
    *pos = other;
    /* An operand of the last operation could look like a JUMP, so try the form
     * without "else" first. */
    if (code_ok(yes, other, groups)) {
        return true;
    }
    if (PyErr_Occurred() || other - yes < 2 || other[-2] != OP_JUMP ||
        other[-1] < 1 || other[-1] > (size_t)(end - (other - 1))) {
        return false;
    }
    const uint32_t *after = other - 1 + other[-1];
    *pos = after;
    return code_ok(yes, other - 2, groups) && code_ok(other, after, groups);
}

/* One operation, or false. */
static bool
op_ok(const uint32_t **pos, const uint32_t *end, Py_ssize_t groups)
{
    const uint32_t *pc = *pos;
    uint32_t op = *pc++;
    size_t left = (size_t)(end - pc);
    *pos = pc + 1; /* most have one operand */
    switch (op) {
    case OP_MARK:
        return left >= 1 && pc[0] < 2 * (size_t)groups;
    case OP_LITERAL:
    case OP_NOT_LITERAL:
    case OP_LITERAL_IGNORE:
    case OP_NOT_LITERAL_IGNORE:
    case OP_LITERAL_UNI_IGNORE:
    case OP_NOT_LITERAL_UNI_IGNORE:
    case OP_LITERAL_LOC_IGNORE:
    case OP_NOT_LITERAL_LOC_IGNORE:
        return left >= 1;
    case OP_ANY:
    case OP_ANY_ALL:
    case OP_FAILURE:
    case OP_SUCCESS:
        *pos = pc;
        return true;
    case OP_AT:
        return left >= 1 && pc[0] < AT_COUNT;
    case OP_CATEGORY:
        return left >= 1 && pc[0] < CH_COUNT;
    case OP_IN:
    case OP_IN_IGNORE:
    case OP_IN_UNI_IGNORE:
    case OP_IN_LOC_IGNORE:
        if (left < 2 || pc[0] < 2 || pc[0] > left) {
            return false;
        }
        *pos = pc + pc[0];
        return charset_ok(pc + 1, pc + pc[0]);
    case OP_INFO:
        if (left < 1 || pc[0] < 4 || pc[0] > left) {
            return false;
        }
        *pos = pc + pc[0];
        return info_ok(pc + 1, pc + pc[0]);
    case OP_BRANCH:
        *pos = pc;
        return branch_ok(pos, end, groups);
    case OP_REPEAT:
    case OP_REPEAT_ONE:
    case OP_MIN_REPEAT_ONE:
    case OP_POSSESSIVE_REPEAT:
    case OP_POSSESSIVE_REPEAT_ONE:
        *pos = pc;
        return repeat_ok(op, pos, end, groups);
    case OP_ATOMIC_GROUP:
        *pos = pc;
        return group_ok(pos, end, groups, 0);
    case OP_ASSERT:
    case OP_ASSERT_NOT:
        *pos = pc;
        return group_ok(pos, end, groups, 1);
    case OP_GROUPREF:
    case OP_GROUPREF_IGNORE:
    case OP_GROUPREF_UNI_IGNORE:
    case OP_GROUPREF_LOC_IGNORE:
        return left >= 1 && pc[0] < (size_t)groups;
    case OP_GROUPREF_EXISTS:
        *pos = pc;
        return conditional_ok(pos, end, groups);
    }
    return false;
}

static bool
code_ok(const uint32_t *pc, const uint32_t *end, Py_ssize_t groups)
{
    if (pc > end || Py_EnterRecursiveCall(" while checking a pattern")) {
        return false;
    }
    bool ok = true;
    while (ok && pc < end) {
        /* a SUCCESS or a JUMP in the middle would leave its construct */
        ok = *pc != OP_SUCCESS && op_ok(&pc, end, groups) && pc <= end;
    }
    Py_LeaveRecursiveCall();
    return ok;
}

bool
kr_sre_validate(const struct sre_pattern *p)
{
    const uint32_t *end = p->code + p->codesize;
    if (p->groups >= 0 && p->groups <= SRE_MAXGROUPS && p->codesize > 0 &&
        end[-1] == OP_SUCCESS && code_ok(p->code, end - 1, p->groups)) {
        return true;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
    }
    return false;
}
