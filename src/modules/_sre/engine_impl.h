/* The matcher for one width of characters; included by engine.c with CHAR and
 * NAME() defined.
 *
 * A backtracking machine with its own stack, no C recursion. On the stack are
 * choices (where to go on when the current way fails), records of what a group
 * was before it was set, and immutable counters of repeats. Failing pops
 * entries: a record is undone, a choice is resumed. Entry 0 is the bottom.
 * A lookaround or atomic group is a barrier: when its body succeeds, all above
 * the barrier but the group records is dropped. `rep` and `barrier` are indices
 * of the innermost open repeat and barrier, 0 if none. */

#define PC_SIDE(pc) ((pc)[side])

static inline bool
NAME(in_set)(const uint8_t *tables, const uint32_t *pc, uint32_t word,
             uint32_t ch)
{
    if (word != 0 && ch < 256) {
        return tables[(word & ~255u) + ch] & word & 255;
    }
    return kr_sre_in_set_of(pc[0], pc + 2, ch);
}

/* How many characters from `ptr`, at most `max`, satisfy the one-character
 * operation at `pc`. */
static Py_ssize_t
NAME(count)(const struct sre_state *s, const uint32_t *pc, const CHAR *ptr,
            Py_ssize_t max)
{
    const CHAR *p = ptr, *end = ptr + max;
    switch (pc[0]) {
    case OP_ANY_ALL:
        return max;
    case OP_ANY:
        p = NAME(find)(p, end, '\n');
        break;
    case OP_NOT_LITERAL:
        p = pc[1] > (CHAR)-1 ? end : NAME(find)(p, end, (CHAR)pc[1]);
        break;
    case OP_LITERAL:
        while (p < end && *p == pc[1]) {
            p++;
        }
        break;
    case OP_IN:
    case OP_IN_IGNORE:
    case OP_IN_UNI_IGNORE: {
        uint32_t word = pc[s->pattern->codesize];
        if (word == 0) {
            goto slowly;
        }
        const uint8_t *table = s->pattern->tables + (word & ~255u);
        uint8_t bit = word & 255;
#if CHAR_BITS == 8
        while (p < end && (table[*p] & bit)) {
            p++;
        }
#else
        for (; p < end; p++) {
            if (*p < 256 ? !(table[*p] & bit)
                         : !kr_sre_in_set_of(pc[0], pc + 2, *p)) {
                break;
            }
        }
#endif
        break;
    }
    default:
    slowly:
        while (p < end && kr_sre_one(pc, *p)) {
            p++;
        }
    }
    return p - ptr;
}

static bool
NAME(at)(const struct sre_state *s, uint32_t where, const CHAR *p)
{
    const CHAR *begin = s->beginning, *end = s->end;
    bool before, after;
    switch (where) {
    case AT_BEGINNING:
    case AT_BEGINNING_STRING:
        return p == begin;
    case AT_BEGINNING_LINE:
        return p == begin || p[-1] == '\n';
    case AT_END:
        return p == end || (p + 1 == end && *p == '\n');
    case AT_END_LINE:
        return p == end || *p == '\n';
    case AT_END_STRING:
        return p == end;
    case AT_BOUNDARY:
    case AT_NON_BOUNDARY:
        before = p > begin && ascii_word(p[-1]);
        after = p < end && ascii_word(*p);
        return begin != end && (before != after) == (where == AT_BOUNDARY);
    case AT_LOC_BOUNDARY:
    case AT_LOC_NON_BOUNDARY:
        before = p > begin && locale_word(p[-1]);
        after = p < end && locale_word(*p);
        return begin != end && (before != after) == (where == AT_LOC_BOUNDARY);
    case AT_UNI_BOUNDARY:
    case AT_UNI_NON_BOUNDARY:
        before = p > begin && unicode_word(p[-1]);
        after = p < end && unicode_word(*p);
        return begin != end && (before != after) == (where == AT_UNI_BOUNDARY);
    }
    return false;
}

/* The end of what group `op` refers to if it stands at `p`, else NULL. */
static const CHAR *
NAME(backref)(const struct sre_state *s, uint32_t op, uint32_t group,
              const CHAR *p)
{
    const CHAR *q = s->mark[2 * group], *qend = s->mark[2 * group + 1];
    if (q == NULL || qend == NULL || qend < q ||
        qend - q > (const CHAR *)s->end - p) {
        return NULL;
    }
    for (; q < qend; p++, q++) {
        if (*p == *q) {
            continue;
        }
        switch (op) {
        case OP_GROUPREF_IGNORE:
            if (ascii_lower(*p) != ascii_lower(*q)) {
                return NULL;
            }
            break;
        case OP_GROUPREF_UNI_IGNORE:
            if (unicode_lower(*p) != unicode_lower(*q)) {
                return NULL;
            }
            break;
        case OP_GROUPREF_LOC_IGNORE:
            if (locale_lower(*p) != locale_lower(*q)) {
                return NULL;
            }
            break;
        default:
            return NULL;
        }
    }
    return p;
}

/* Whether an alternative that begins at `pc` could match at `p`. */
static inline bool
NAME(plausible)(const struct sre_state *s, const uint32_t *pc, const CHAR *p)
{
    if (pc[0] == OP_LITERAL) {
        return p < (const CHAR *)s->end && *p == pc[1];
    }
    if (pc[0] == OP_IN) {
        return p < (const CHAR *)s->end &&
               NAME(in_set)(s->pattern->tables, pc, pc[s->pattern->codesize],
                            *p);
    }
    return true;
}

/* The literal that must follow, or -1. */
static inline int64_t
NAME(next_literal)(const uint32_t *pc)
{
    while (pc[0] == OP_MARK) {
        pc += 2;
    }
    return pc[0] == OP_LITERAL ? (int64_t)pc[1] : -1;
}

#define PUSH(k, r, c, p, x)                                                    \
    do {                                                                       \
        if (KR_SRE_UNLIKELY(top == limit)) {                                   \
            if (kr_sre_grow_stack(s, (size_t)(top - base)) < 0) {              \
                return SRE_ERROR;                                              \
            }                                                                  \
            top = s->stack + (top - base);                                     \
            base = s->stack;                                                   \
            limit = s->stack_end;                                              \
        }                                                                      \
        *top++ = (struct sre_entry){(k), (r), (c), (p), (uintptr_t)(x)};       \
    } while (0)

#define POLL()                                                                 \
    do {                                                                       \
        if (KR_SRE_UNLIKELY((++s->steps & 0xfff) == 0) &&                      \
            PyErr_CheckSignals()) {                                            \
            return SRE_ERROR;                                                  \
        }                                                                      \
    } while (0)

/* Drops all above entry `from` but the records of groups. */
static inline struct sre_entry *
NAME(cut)(struct sre_entry *from, struct sre_entry *top)
{
    struct sre_entry *to = from;
    for (struct sre_entry *e = from; e < top; e++) {
        if (e->kind == K_MARK) {
            *to++ = *e;
        }
    }
    return to;
}

/* Runs the code at `pc` on the text at `ptr`. 1, 0 or SRE_ERROR. `must`: an
 * empty match does not count. */
static int
NAME(run)(struct sre_state *s, const uint32_t *pc, const CHAR *ptr, bool must)
{
    const CHAR *const end = s->end, *const first = ptr;
    const Py_ssize_t side = s->pattern->codesize;
    const uint8_t *const tables = s->pattern->tables;
    struct sre_entry *base = s->stack, *limit = s->stack_end, *top = base;
    uint32_t rep = 0, barrier = 0;
    *top++ = (struct sre_entry){.kind = K_BOTTOM};

    for (;;) {
        switch (*pc++) {
        case OP_MARK: {
            uint32_t i = *pc++;
            PUSH(K_MARK, i, NULL, s->mark[i], s->lastindex);
            if (i & 1) {
                s->lastindex = i / 2 + 1;
            }
            s->mark[i] = ptr;
            continue;
        }
        case OP_LITERAL:
            if (ptr < end && *ptr == pc[0]) {
                pc++;
                ptr++;
                continue;
            }
            goto fail;
        case OP_NOT_LITERAL:
            if (ptr < end && *ptr != pc[0]) {
                pc++;
                ptr++;
                continue;
            }
            goto fail;
        case OP_IN:
        case OP_IN_IGNORE:
        case OP_IN_UNI_IGNORE:
            pc--;
            if (ptr < end && NAME(in_set)(tables, pc, PC_SIDE(pc), *ptr)) {
                pc += 1 + pc[1];
                ptr++;
                continue;
            }
            goto fail;
        case OP_IN_LOC_IGNORE:
            if (ptr < end && kr_sre_one(pc - 1, *ptr)) {
                pc += pc[0];
                ptr++;
                continue;
            }
            goto fail;
        case OP_ANY:
            if (ptr < end && *ptr != '\n') {
                ptr++;
                continue;
            }
            goto fail;
        case OP_ANY_ALL:
            if (ptr < end) {
                ptr++;
                continue;
            }
            goto fail;
        case OP_CATEGORY:
        case OP_LITERAL_IGNORE:
        case OP_NOT_LITERAL_IGNORE:
        case OP_LITERAL_UNI_IGNORE:
        case OP_NOT_LITERAL_UNI_IGNORE:
        case OP_LITERAL_LOC_IGNORE:
        case OP_NOT_LITERAL_LOC_IGNORE:
            if (ptr < end && kr_sre_one(pc - 1, *ptr)) {
                pc++;
                ptr++;
                continue;
            }
            goto fail;
        case OP_AT:
            if (NAME(at)(s, *pc++, ptr)) {
                continue;
            }
            goto fail;
        case OP_JUMP:
        case OP_INFO:
            pc += pc[0];
            continue;
        case OP_BRANCH:
        next_alternative: {
            /* the first alternative that is worth a try, then whether there is
             * a second one */
            while (pc[0] != 0 && !NAME(plausible)(s, pc + 1, ptr)) {
                pc += pc[0];
            }
            if (pc[0] == 0) {
                goto fail;
            }
            const uint32_t *other = pc + pc[0];
            while (other[0] != 0 && !NAME(plausible)(s, other + 1, ptr)) {
                other += other[0];
            }
            if (other[0] != 0) {
                PUSH(K_BRANCH, rep, other, ptr, 0);
            }
            pc++;
            continue;
        }
        case OP_REPEAT_ONE: {
            const uint32_t *op = pc - 1, *tail = pc + pc[0];
            Py_ssize_t room = end - ptr, min = pc[1];
            if (room < min) {
                goto fail;
            }
            if (pc[2] != SRE_MAXREPEAT && (Py_ssize_t)pc[2] < room) {
                room = pc[2];
            }
            Py_ssize_t n = NAME(count)(s, pc + 3, ptr, room);
            if (n < min) {
                goto fail;
            }
            const CHAR *least = ptr + min;
            ptr += n;
            pc = tail;
            if (n == min || tail[0] == OP_SUCCESS
#if CHAR_BITS == 8
                || PC_SIDE(op) != 0
#endif
            ) {
                continue;
            }
            int64_t lit = NAME(next_literal)(tail);
            if (lit >= 0) {
                while (ptr == end || *ptr != lit) {
                    if (ptr == least) {
                        goto fail;
                    }
                    ptr--;
                }
                if (ptr == least) {
                    continue;
                }
            }
            PUSH(K_GREEDY, rep, op, ptr, least);
            continue;
        }
        case OP_MIN_REPEAT_ONE: {
            const uint32_t *op = pc - 1, *tail = pc + pc[0];
            Py_ssize_t room = end - ptr, min = pc[1];
            if (room < min) {
                goto fail;
            }
            if (min != 0 && NAME(count)(s, pc + 3, ptr, min) < min) {
                goto fail;
            }
            if (pc[2] != SRE_MAXREPEAT && (Py_ssize_t)pc[2] < room) {
                room = pc[2];
            }
            const CHAR *most = ptr + room;
            ptr += min;
            pc = tail;
            if (ptr < most &&
                (tail[0] != OP_SUCCESS || s->match_all || must)) {
                PUSH(K_LAZY, rep, op, ptr, most);
            }
            continue;
        }
        case OP_POSSESSIVE_REPEAT_ONE: {
            Py_ssize_t room = end - ptr, min = pc[1];
            if (room < min) {
                goto fail;
            }
            if (pc[2] != SRE_MAXREPEAT && (Py_ssize_t)pc[2] < room) {
                room = pc[2];
            }
            Py_ssize_t n = NAME(count)(s, pc + 3, ptr, room);
            if (n < min) {
                goto fail;
            }
            ptr += n;
            pc += pc[0];
            continue;
        }
        case OP_REPEAT:
            /* a counter before the first round, then to the UNTIL */
            PUSH(K_COUNTER, rep, pc, NULL, -1);
            rep = (uint32_t)(top - base - 1);
            pc += pc[0];
            continue;
        case OP_MAX_UNTIL: {
            struct sre_entry *c = base + rep;
            const uint32_t *r = c->pc;
            uintptr_t done = c->aux + 1;
            const CHAR *last = c->ptr;
            uint32_t outer = c->rep;
            POLL();
            if (done < r[1]) {
                PUSH(K_COUNTER, outer, r, last, done);
                rep = (uint32_t)(top - base - 1);
                pc = r + 3;
                continue;
            }
            if ((done < r[2] || r[2] == SRE_MAXREPEAT) && ptr != last) {
                PUSH(K_RESUME, outer, pc, ptr, 0);
                PUSH(K_COUNTER, outer, r, ptr, done);
                rep = (uint32_t)(top - base - 1);
                pc = r + 3;
                continue;
            }
            rep = outer;
            continue;
        }
        case OP_MIN_UNTIL: {
            struct sre_entry *c = base + rep;
            const uint32_t *r = c->pc;
            uintptr_t done = c->aux + 1;
            const CHAR *last = c->ptr;
            uint32_t outer = c->rep;
            POLL();
            if (done < r[1]) {
                PUSH(K_COUNTER, outer, r, last, done);
                rep = (uint32_t)(top - base - 1);
                pc = r + 3;
                continue;
            }
            if ((done < r[2] || r[2] == SRE_MAXREPEAT) && ptr != last) {
                PUSH(K_ROUND, rep, r + 3, ptr, 0);
            }
            rep = outer;
            continue;
        }
        case OP_ATOMIC_GROUP:
            PUSH(K_ATOMIC, rep, pc + pc[0], ptr, barrier);
            barrier = (uint32_t)(top - base - 1);
            pc++;
            continue;
        case OP_POSSESSIVE_REPEAT:
            if (pc[2] == 0) {
                pc += pc[0] + 1;
                continue;
            }
            PUSH(K_COUNTER, rep, pc, NULL, 0);
            PUSH(K_POSSESSIVE, rep, pc, ptr, barrier);
            barrier = (uint32_t)(top - base - 1);
            pc += 3;
            continue;
        case OP_ASSERT:
        case OP_ASSERT_NOT: {
            bool positive = pc[-1] == OP_ASSERT;
            const uint32_t *after = pc + pc[0];
            if (ptr - (const CHAR *)s->beginning < (Py_ssize_t)pc[1]) {
                if (positive) {
                    goto fail;
                }
                pc = after;
                continue;
            }
            PUSH(positive ? K_ASSERT : K_ASSERT_NOT, rep, after, ptr, barrier);
            barrier = (uint32_t)(top - base - 1);
            ptr -= pc[1];
            pc += 2;
            continue;
        }
        case OP_GROUPREF:
        case OP_GROUPREF_IGNORE:
        case OP_GROUPREF_UNI_IGNORE:
        case OP_GROUPREF_LOC_IGNORE: {
            const CHAR *q = NAME(backref)(s, pc[-1], pc[0], ptr);
            if (q == NULL) {
                goto fail;
            }
            ptr = q;
            pc++;
            continue;
        }
        case OP_GROUPREF_EXISTS: {
            const void *from = s->mark[2 * pc[0]], *to = s->mark[2 * pc[0] + 1];
            bool set = from != NULL && to != NULL && from <= to;
            pc += set ? 2 : pc[1];
            continue;
        }
        case OP_SUCCESS: {
            if (barrier == 0) {
                if ((s->match_all && ptr != end) || (must && ptr == first)) {
                    goto fail;
                }
                s->ptr = ptr;
                return 1;
            }
            struct sre_entry b = base[barrier];
            struct sre_entry *at = base + barrier;
            rep = b.rep;
            barrier = (uint32_t)b.aux;
            if (b.kind == K_ATOMIC || b.kind == K_ASSERT) {
                top = NAME(cut)(at, top);
                pc = b.pc;
                if (b.kind == K_ASSERT) {
                    ptr = b.ptr;
                }
                continue;
            }
            if (b.kind == K_ASSERT_NOT) {
                /* undo the groups its body has set, then fail */
                while (--top > at) {
                    if (top->kind == K_MARK) {
                        s->mark[top->rep] = top->ptr;
                        s->lastindex = (Py_ssize_t)top->aux;
                    }
                }
                goto fail;
            }
            /* K_POSSESSIVE: one more round is done */
            POLL();
            uintptr_t done = at[-1].aux + 1;
            const uint32_t *r = b.pc;
            top = NAME(cut)(at - 1, top);
            if ((done >= r[2] && r[2] != SRE_MAXREPEAT) || ptr == b.ptr) {
                pc = r + r[0] + 1;
                continue;
            }
            PUSH(K_COUNTER, rep, r, NULL, done);
            PUSH(K_POSSESSIVE, rep, r, ptr, barrier);
            barrier = (uint32_t)(top - base - 1);
            pc = r + 3;
            continue;
        }
        case OP_FAILURE:
            goto fail;
        default:
            PyErr_SetString(PyExc_RuntimeError,
                            "internal error in regular expression engine");
            return SRE_ERROR;
        }

    fail:
        POLL();
        for (;;) {
            struct sre_entry *e = --top;
            switch (e->kind) {
            case K_MARK:
                s->mark[e->rep] = e->ptr;
                s->lastindex = (Py_ssize_t)e->aux;
                continue;
            case K_COUNTER:
                continue;
            case K_RESUME:
                rep = e->rep;
                pc = e->pc;
                ptr = e->ptr;
                break;
            case K_BRANCH:
                rep = e->rep;
                pc = e->pc;
                ptr = e->ptr;
                goto next_alternative;
            case K_GREEDY: {
                const uint32_t *tail = e->pc + 1 + e->pc[1];
                const CHAR *least = (const CHAR *)e->aux;
                ptr = (const CHAR *)e->ptr - 1;
                int64_t lit = NAME(next_literal)(tail);
                if (lit >= 0) {
                    while (*ptr != lit) {
                        if (ptr == least) {
                            goto fail;
                        }
                        ptr--;
                    }
                }
                if (ptr > least) {
                    e->ptr = ptr;
                    top++;
                }
                rep = e->rep;
                pc = tail;
                break;
            }
            case K_LAZY: {
                const uint32_t *body = e->pc + 4, *tail = e->pc + 1 + e->pc[1];
                const CHAR *most = (const CHAR *)e->aux;
                int64_t lit = NAME(next_literal)(tail);
                ptr = e->ptr;
                do {
                    if (ptr == most || !NAME(one)(s, body, *ptr)) {
                        goto fail;
                    }
                    ptr++;
                } while (lit >= 0 && (ptr == end || *ptr != lit));
                if (ptr < most) {
                    e->ptr = ptr;
                    top++;
                }
                rep = e->rep;
                pc = tail;
                break;
            }
            case K_ROUND: { /* one more round of a lazy repeat */
                struct sre_entry c = base[e->rep];
                ptr = e->ptr;
                pc = e->pc;
                PUSH(K_COUNTER, c.rep, c.pc, ptr, c.aux + 1);
                rep = (uint32_t)(top - base - 1);
                break;
            }
            case K_ATOMIC:
            case K_ASSERT:
                barrier = (uint32_t)e->aux;
                continue;
            case K_ASSERT_NOT:
                barrier = (uint32_t)e->aux;
                rep = e->rep;
                pc = e->pc;
                ptr = e->ptr;
                break;
            case K_POSSESSIVE: {
                const uint32_t *r = e->pc;
                uintptr_t done = e[-1].aux;
                barrier = (uint32_t)e->aux;
                top--; /* the counter */
                if (done < r[1]) {
                    continue;
                }
                rep = e->rep;
                ptr = e->ptr;
                pc = r + r[0] + 1;
                break;
            }
            default: /* K_BOTTOM */
                return 0;
            }
            break;
        }
    }
}

/* Finds the leftmost match from s->start on. */
static int
NAME(search)(struct sre_state *s)
{
    const struct sre_pattern *p = s->pattern;
    const uint32_t *pc = p->code;
    const CHAR *ptr = s->start, *end = s->end;
    const CHAR *last = end; /* the last place where a match can begin */
    Py_ssize_t plen = 0, pskip = 0;
    const uint32_t *prefix = NULL;
    uint32_t flags = 0;
    if (ptr > end) {
        return 0;
    }
    if (pc[0] == OP_INFO) {
        flags = pc[2];
        if (pc[3] > (size_t)(end - ptr)) {
            return 0;
        }
        last = end - pc[3];
        if (flags & INFO_PREFIX) {
            plen = pc[5];
            pskip = pc[6];
            prefix = pc + 7;
        }
        pc += 1 + pc[1];
    }
    if (pc[0] == OP_AT
        && (pc[1] == AT_BEGINNING || pc[1] == AT_BEGINNING_STRING)) {
        last = ptr; /* it matches here or nowhere */
    }
    if (prefix != NULL && plen > 0) {
        if (last > end - plen) { /* in code not of re's own making */
            if (end - ptr < plen) {
                return 0;
            }
            last = end - plen;
        }
        for (Py_ssize_t i = 0; i < plen; i++) {
            if (prefix[i] > (CHAR)-1) {
                return 0;
            }
        }
        for (;; ptr++) {
            ptr = NAME(find)(ptr, last + 1, (CHAR)prefix[0]);
            if (ptr > last) {
                return 0;
            }
            Py_ssize_t i = 1;
            while (i < plen && ptr[i] == prefix[i]) {
                i++;
            }
            if (i < plen) {
                continue;
            }
            s->start = ptr;
            if (flags & INFO_LITERAL && !s->match_all) {
                s->ptr = ptr + plen;
                return 1;
            }
            int res = NAME(run)(s, pc + 2 * pskip, ptr + pskip, false);
            if (res != 0) {
                return res;
            }
        }
    }
    const uint8_t *first = p->first;
    if (first != NULL) { /* then no match is empty */
        if (last == end) {
            if (ptr == end) {
                return 0;
            }
            last--;
        }
        for (;; ptr++) {
#if CHAR_BITS == 8
            while (ptr <= last && !first[*ptr]) {
                ptr++;
            }
#else
            while (ptr <= last && *ptr < 256 && !first[*ptr]) {
                ptr++;
            }
#endif
            if (ptr > last) {
                return 0;
            }
            s->start = ptr;
            int res = NAME(run)(s, pc, ptr, false);
            if (res != 0) {
                return res;
            }
        }
    }
    bool must = s->must_advance;
    for (; ptr <= last; ptr++) {
        s->start = ptr;
        int res = NAME(run)(s, pc, ptr, must);
        if (res != 0) {
            return res;
        }
        must = false;
    }
    return 0;
}

#undef PUSH
#undef POLL
#undef PC_SIDE
