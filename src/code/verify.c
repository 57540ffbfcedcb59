/* Code objects from outside: .pyc files, marshal, code(...), replace(...).
 *
 * The interpreter trusts its instructions: operands are in range, the stack holds
 * what they take, jumps land on instructions, variables that are used as cells
 * are cells. The compiler's output is like that. Anything else is walked here
 * before it runs for the first time, by abstract interpretation: at each
 * instruction that can be reached the state is
 *
 *     how deep the stack is; which of its entries may be NULL;
 *     which variables are surely cells; whether the generator has been made.
 *
 * Where ways meet, the depths must be equal and the rest is joined to what
 * holds on all ways; what is behind goes round again until nothing changes. That
 * ends, as each bit changes once. A state is kept for jump targets and handlers
 * only; in between there is one that moves along.
 *
 * What values *are* (a list for LIST_APPEND, an exception for RERAISE) is no
 * part of the state: those rare instructions check it when they run. Code that
 * can't be reached may be anything but the interpreter's own special forms.
 *
 * The tables of locations and exceptions are read with care by their users, so
 * only the handlers matter here. */
#include "code/verify.h"

#include <opcode.h>
#include <stddef.h>

#include "code/code.h"
#include "code/code_type.h"

/* What is known of a unit. */
#define START 1    /* an instruction begins here */
#define PREFIXED 2 /* behind an EXTENDED_ARG: part of that instruction */
#define TARGET 4   /* a jump or a handler leads here: has a state */
#define DIRTY 8    /* the state has changed since it was walked */

#define MAYBE_NULL 1 /* of a stack entry */
#define NO_CELL 1    /* of a variable: perhaps not a cell */

struct state {
    int depth;
    bool started;    /* RETURN_GENERATOR is done */
    uint8_t flags[]; /* of the variables, if there are cells; of the stack */
};

struct handler {
    int start, end, target, depth;
    bool lasti;
};

struct verify {
    PyCodeObject *co;
    const _Py_CODEUNIT *units; /* the first one as it was given */
    int n;
    bool foreign; /* not specialised by us: special forms are wrong */
    bool dirty;   /* some cache is not empty */
    int nflags; /* variables that states tell of: all or none */
    struct chunk *chunks; /* what is allocated behind `first` */
    char *free, *limit;
    uint8_t *marks;        /* n */
    struct state **states; /* n; NULL: not reached */
    int *handler_of;       /* n indexes, -1: none; NULL if there are none */
    struct handler *handlers;
    int nhandlers;
    struct state *now; /* room for co_stacksize entries */
    int room;
    int at;    /* the unit that is walked */
    bool live; /* it is reached */
    bool again;
    int wanted[2]; /* units whose states are asked for, too; -1: none */
    /* the last handler that was reached, and the lowest entry that has changed
     * since then */
    int settled, lowest;
    const char *why; /* the complaint; "" if memory is out */
    max_align_t first[3072 / sizeof(max_align_t)];
};

/* Memory is given back all at once; most code needs no more than `first`. */
struct chunk {
    struct chunk *next;
    max_align_t data[];
};

static bool
refuse(struct verify *v, const char *why)
{
    if (v->why == NULL) {
        v->why = why;
    }
    return false;
}

/* `size` bytes; NULL, with the complaint made, if there are none. */
static void *
allocate(struct verify *v, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    size = (size + unit - 1) / unit * unit;
    if (size > (size_t)(v->limit - v->free)) {
        size_t room = size > 16384 ? size : 16384;
        struct chunk *chunk = PyMem_Malloc(sizeof(*chunk) + room);
        if (chunk == NULL) {
            refuse(v, "");
            return NULL;
        }
        chunk->next = v->chunks;
        v->chunks = chunk;
        v->free = (char *)chunk->data;
        v->limit = v->free + room;
    }
    void *p = v->free;
    v->free += size;
    return p;
}

static int
opcode_at(struct verify *v, int i)
{
    return kr_opcode_deopt[KR_OPCODE(v->units[i])];
}

/* The instruction at `i` with its prefixes: opcode, oparg, and its own unit. */
static int
decode(struct verify *v, int i, int *opcode, int *own)
{
    unsigned oparg = 0;
    for (;; i++) {
        *opcode = opcode_at(v, i);
        oparg = oparg << 8 | KR_OPARG(v->units[i]);
        if (*opcode != EXTENDED_ARG || i + 1 >= v->n) {
            break;
        }
    }
    *own = i;
    return (int)oparg;
}

static bool
jumps_backward(int op)
{
    switch (op) {
        case JUMP_BACKWARD:
        case JUMP_BACKWARD_NO_INTERRUPT:
        case POP_JUMP_BACKWARD_IF_FALSE:
        case POP_JUMP_BACKWARD_IF_TRUE:
        case POP_JUMP_BACKWARD_IF_NONE:
        case POP_JUMP_BACKWARD_IF_NOT_NONE:
            return true;
        default:
            return false;
    }
}

/* Where a jump leads; -1: outside. */
static int
target_of(struct verify *v, int own, int op, int oparg)
{
    int64_t to = (int64_t)own + 1 + kr_opcode_caches[op];
    to += jumps_backward(op) ? -(int64_t)oparg : (int64_t)oparg;
    return to < 0 || to >= v->n ? -1 : (int)to;
}

static void
mark_target(struct verify *v, int unit)
{
    if (unit >= 0 && unit < v->n) {
        v->marks[unit] |= TARGET;
    }
}

/* One pass over all units, reachable or not: where instructions begin and where
 * jumps lead. */
static bool
find_instructions(struct verify *v)
{
    int prefixes = 0;
    unsigned oparg = 0;
    for (int i = 0; i < v->n;) {
        _Py_CODEUNIT unit = v->units[i];
        int op = kr_opcode_deopt[KR_OPCODE(unit)];
        if (op != KR_OPCODE(unit) && v->foreign) {
            v->at = i;
            return refuse(v, "opcode of a special form");
        }
        v->marks[i] |= prefixes ? START | PREFIXED : START;
        oparg = oparg << 8 | KR_OPARG(unit);
        if (op == EXTENDED_ARG) {
            if (++prefixes > 3 || i + 1 == v->n || (int)oparg >= 1 << 23) {
                v->at = i;
                return refuse(v, "bad EXTENDED_ARG");
            }
            i++;
            continue;
        }
        if (kr_opcode_flags[op] & KR_OP_JUMP) {
            mark_target(v, target_of(v, i, op, (int)oparg));
        }
        int caches = kr_opcode_caches[op];
        if (caches > v->n - 1 - i) {
            v->at = i;
            return refuse(v, "inline cache cut off");
        }
        for (i++; caches > 0; caches--) {
            v->dirty |= v->units[i++] != 0;
        }
        prefixes = 0;
        oparg = 0;
    }
    return true;
}

/* Exception handlers. */

/* A number of the exception table; false at the end or if it is too big. */
static bool
read_number(const uint8_t **p, const uint8_t *end, bool first, int *result)
{
    int64_t value = 0;
    bool more = true;
    for (; more; first = false) {
        if (*p == end || (**p & 128) != (first ? 128 : 0) ||
            value > INT_MAX >> 6) {
            return false;
        }
        value = value << 6 | (**p & 63);
        more = **p & 64;
        ++*p;
    }
    *result = (int)value;
    return value <= INT_MAX;
}

static bool
read_handler(const uint8_t **p, const uint8_t *end, struct handler *h)
{
    int length, last;
    if (!read_number(p, end, true, &h->start) ||
        !read_number(p, end, false, &length) ||
        !read_number(p, end, false, &h->target) ||
        !read_number(p, end, false, &last) || length > INT_MAX - h->start) {
        return false;
    }
    h->end = h->start + length;
    h->depth = last >> 1;
    h->lasti = last & 1;
    return true;
}

/* As kr_code_find_handler looks: the first entry that covers a unit, as long as
 * they are sorted. */
static bool
find_handlers(struct verify *v)
{
    const uint8_t *p =
        (const uint8_t *)PyBytes_AS_STRING(v->co->co_exceptiontable);
    Py_ssize_t size = PyBytes_GET_SIZE(v->co->co_exceptiontable);
    const uint8_t *end = p + size;
    if (size == 0) {
        return true;
    }
    v->handlers =
        allocate(v, (size_t)(size / 4 + 1) * sizeof(struct handler));
    v->handler_of = allocate(v, (size_t)v->n * sizeof(int));
    if (v->handlers == NULL || v->handler_of == NULL) {
        return false;
    }
    memset(v->handler_of, -1, (size_t)v->n * sizeof(int));
    int last_start = 0, covered = 0; /* units before have their handler */
    while (p < end) {
        struct handler *h = &v->handlers[v->nhandlers];
        if (!read_handler(&p, end, h) || h->start < last_start) {
            return refuse(v, "bad exception table");
        }
        last_start = h->start;
        int i = h->start > covered ? h->start : covered;
        for (; i < h->end && i < v->n; i++) {
            v->handler_of[i] = v->nhandlers;
        }
        covered = i > covered ? i : covered;
        mark_target(v, h->target);
        v->nhandlers++;
    }
    return true;
}

/* States. */

static size_t
state_size(struct verify *v, int depth)
{
    return offsetof(struct state, flags) + (size_t)v->nflags + (size_t)depth;
}

static uint8_t *
stack_of(struct verify *v, struct state *s)
{
    return s->flags + v->nflags;
}

/* A way leads from v->now, cut to `depth`, to `unit`. */
static bool
reach(struct verify *v, int unit, int depth)
{
    if (unit < 0 || unit >= v->n ||
        (v->marks[unit] & (START | PREFIXED)) != START) {
        return refuse(v, "jump to where no instruction begins");
    }
    struct state *s = v->states[unit];
    size_t nflags = (size_t)v->nflags + (size_t)depth;
    if (s == NULL) {
        s = allocate(v, state_size(v, depth));
        if (s == NULL) {
            return false;
        }
        memcpy(s, v->now, state_size(v, depth));
        s->depth = depth;
        v->states[unit] = s;
        v->marks[unit] |= TARGET | DIRTY;
        v->again |= unit <= v->at;
        return true;
    }
    if (s->depth != depth || s->started != v->now->started) {
        return refuse(v, "ways with different stacks meet");
    }
    if (memcmp(s->flags, v->now->flags, nflags) == 0) {
        return true;
    }
    bool changed = false;
    for (size_t i = 0; i < nflags; i++) {
        changed |= v->now->flags[i] & ~s->flags[i];
        s->flags[i] |= v->now->flags[i];
    }
    if (changed) {
        v->marks[unit] |= DIRTY;
        v->again |= unit <= v->at;
    }
    return true;
}

/* The instruction at `unit` may raise, and then has at least `depth` entries of
 * v->now left. */
static bool
reach_handler(struct verify *v, int unit, int depth)
{
    if (v->handler_of == NULL || unit >= v->n || v->handler_of[unit] < 0) {
        return true;
    }
    struct handler *h = &v->handlers[v->handler_of[unit]];
    int pushed = h->lasti ? 2 : 1;
    if (v->settled == v->handler_of[unit] && h->depth <= v->lowest &&
        h->depth <= depth) {
        return true;
    }
    if (h->depth > depth || h->depth > v->co->co_stacksize - pushed) {
        return refuse(v, "handler with a wrong stack depth");
    }
    /* the entries pushed are never NULL */
    uint8_t *stack = stack_of(v, v->now), kept[2];
    memcpy(kept, stack + h->depth, 2);
    memset(stack + h->depth, 0, 2);
    bool ok = reach(v, h->target, h->depth + pushed);
    memcpy(stack + h->depth, kept, 2);
    v->settled = v->handler_of[unit];
    v->lowest = INT_MAX;
    return ok;
}

/* Room for `depth` entries, and two more for reach_handler. */
static bool
make_room(struct verify *v, int depth)
{
    if (depth <= v->room - 2) {
        return true;
    }
    if (depth > 1 << 28) {
        return refuse(v, "");
    }
    int room = depth < 20 ? 30 : 2 * depth;
    struct state *s = allocate(v, state_size(v, room));
    if (s == NULL) {
        return false;
    }
    if (v->now != NULL) {
        memcpy(s, v->now, state_size(v, v->room));
    }
    v->now = s;
    v->room = room;
    return true;
}

/* Instructions. */

/* The stack has `n` entries or more, and the top `n` are not NULL. */
static bool
need(struct verify *v, long n)
{
    if (n > v->now->depth) {
        return refuse(v, "stack underflow");
    }
    uint8_t *top = stack_of(v, v->now) + v->now->depth;
    for (long i = 1; i <= n; i++) {
        if (top[-i] & MAYBE_NULL) {
            return refuse(v, "NULL where a value is needed");
        }
    }
    return true;
}

/* Entry `n` from the top is there and not NULL. */
static bool
need_entry(struct verify *v, long n)
{
    if (n < 1 || n > v->now->depth) {
        return refuse(v, "stack underflow");
    }
    if (stack_of(v, v->now)[v->now->depth - n] & MAYBE_NULL) {
        return refuse(v, "NULL where a value is needed");
    }
    return true;
}

/* Of a call: `n` entries, of which only the lowest may be NULL. */
static bool
need_call(struct verify *v, long n)
{
    if (n > v->now->depth) {
        return refuse(v, "stack underflow");
    }
    return need(v, n - 1);
}

static bool
check_operand(struct verify *v, int op, int oparg)
{
    int flags = kr_opcode_flags[op];
    Py_ssize_t limit = INT_MAX;
    if (flags & KR_OP_NAME) {
        limit = PyTuple_GET_SIZE(v->co->co_names);
        oparg = op == LOAD_GLOBAL ? oparg >> 1 : oparg;
    }
    else if (flags & KR_OP_CONST) {
        limit = PyTuple_GET_SIZE(v->co->co_consts);
    }
    else if (flags & KR_OP_LOCAL) {
        limit = v->co->co_nlocalsplus;
    }
    return oparg < limit ? true : refuse(v, "operand out of range");
}

static int
kind_of(struct verify *v, int variable)
{
    return PyBytes_AS_STRING(v->co->co_localspluskinds)[variable] & 255;
}

static bool
need_cell(struct verify *v, int variable)
{
    if (v->nflags == 0 || v->now->flags[variable] & NO_CELL) {
        return refuse(v, "variable is no cell");
    }
    return true;
}

/* The instruction behind the one at `own` is `op` with this oparg (if it is not
 * negative); *oparg becomes that. */
static bool
followed_by(struct verify *v, int own, int op, int *oparg)
{
    int next = own + 1 + kr_opcode_caches[opcode_at(v, own)];
    int opcode, unused;
    if (next >= v->n) {
        return refuse(v, "code ends in a call");
    }
    int arg = decode(v, next, &opcode, &unused);
    if (opcode != op || (*oparg >= 0 && *oparg != arg)) {
        return refuse(v, "call in pieces");
    }
    *oparg = arg;
    return true;
}

static bool
check_kw_names(struct verify *v, int own, int oparg)
{
    PyObject *names = PyTuple_GET_ITEM(v->co->co_consts, oparg);
    int nargs = -1;
    if (!PyTuple_CheckExact(names)) {
        return refuse(v, "keyword names are no tuple");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            return refuse(v, "keyword name is no str");
        }
    }
    if (!followed_by(v, own, PRECALL, &nargs)) {
        return false;
    }
    return PyTuple_GET_SIZE(names) <= nargs
               ? true
               : refuse(v, "more keyword names than arguments");
}

/* `yield from` and `await`: throw() and close() look at the units around, take
 * the delegate off the stack and go on where SEND would have jumped to. */
static bool
check_yield(struct verify *v, int own)
{
    if (!v->now->started) {
        return refuse(v, "yield outside of a generator");
    }
    if (own + 1 >= v->n || opcode_at(v, own + 1) != RESUME ||
        KR_OPARG(v->units[own + 1]) < 2) {
        return true;
    }
    if (!need(v, 2)) {
        return false;
    }
    if (own == 0 || opcode_at(v, own - 1) != SEND ||
        (v->marks[own - 1] & (START | PREFIXED)) != START) {
        return refuse(v, "delegating yield without SEND");
    }
    int after = own + KR_OPARG(v->units[own - 1]);
    return reach(v, after, v->now->depth - 1) &&
           reach_handler(v, after - 1, v->now->depth - 2);
}

/* What the tables of takes and leaves don't say. */
static bool
check_special(struct verify *v, int own, int op, int oparg)
{
    bool ok = true;
    switch (op) {
        case CACHE:
        case KR_VERIFY:
        case DO_TRACING:
            return refuse(v, "opcode that is not to be run");
        case COPY:
            return need_entry(v, oparg);
        case SWAP:
            return oparg >= 1 && oparg <= v->now->depth
                       ? true
                       : refuse(v, "stack underflow");
        case LIST_APPEND:
        case SET_ADD:
        case LIST_EXTEND:
        case SET_UPDATE:
        case DICT_UPDATE:
            return need_entry(v, (long)oparg + 1);
        case MAP_ADD:
            return need_entry(v, (long)oparg + 2);
        case DICT_MERGE:
            return need_entry(v, (long)oparg + 1) &&
                   need_entry(v, (long)oparg + 3);
        case RERAISE:
            return oparg == 0 || need_entry(v, (long)oparg + 1);
        case BINARY_OP:
            ok = oparg <= NB_INPLACE_XOR;
            break;
        case COMPARE_OP:
            ok = oparg <= Py_GE;
            break;
        case RAISE_VARARGS:
            ok = oparg <= 2;
            break;
        case BUILD_SLICE:
            ok = oparg == 2 || oparg == 3;
            break;
        case MAKE_FUNCTION:
            ok = oparg <= 15;
            break;
        case KW_NAMES:
            return check_kw_names(v, own, oparg);
        case PRECALL:
            return need_call(v, (long)oparg + 2) &&
                   followed_by(v, own, CALL, &oparg);
        case LOAD_DEREF:
        case STORE_DEREF:
        case DELETE_DEREF:
        case LOAD_CLASSDEREF:
            return need_cell(v, oparg);
        case STORE_FAST:
        case DELETE_FAST:
            if (v->nflags && kind_of(v, oparg) & KR_LOCAL_FREE) {
                return refuse(v, "free variable set as a local one");
            }
            break;
        case COPY_FREE_VARS:
            ok = oparg == v->co->co_nfreevars;
            break;
        case RETURN_GENERATOR:
            if (v->now->started ||
                !(v->co->co_flags &
                  (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR))) {
                return refuse(v, "generator made twice or unasked");
            }
            break;
        case YIELD_VALUE:
            return check_yield(v, own);
        default:
            break;
    }
    return ok ? true : refuse(v, "operand out of range");
}

/* Effects on v->now besides its depth, which is the new one. */
static void
apply_special(struct verify *v, int op, int oparg)
{
    uint8_t *top = stack_of(v, v->now) + v->now->depth;
    switch (op) {
        case PUSH_NULL:
            top[-1] = MAYBE_NULL;
            break;
        case LOAD_METHOD:
            top[-2] = MAYBE_NULL;
            break;
        case LOAD_GLOBAL:
            if (oparg & 1) {
                top[-2] = MAYBE_NULL;
            }
            break;
        case SWAP: {
            uint8_t other = top[-oparg];
            top[-oparg] = top[-1];
            top[-1] = other;
            if (v->now->depth - oparg < v->lowest) {
                v->lowest = v->now->depth - oparg;
            }
            break;
        }
        case MAKE_CELL:
            if (v->nflags) {
                v->now->flags[oparg] = 0;
                v->settled = -1;
            }
            break;
        case STORE_FAST:
        case DELETE_FAST:
            if (v->nflags && v->now->flags[oparg] != NO_CELL) {
                v->now->flags[oparg] = NO_CELL;
                v->settled = -1;
            }
            break;
        case COPY_FREE_VARS:
            v->settled = -1;
            for (int i = v->nflags - oparg; i < v->nflags; i++) {
                v->now->flags[i] = 0;
            }
            break;
        case RETURN_GENERATOR:
            v->now->started = true;
            v->settled = -1;
            break;
        default:
            break;
    }
}

/* Where an exception of the instruction leads. */
static bool
check_raise(struct verify *v, int own, int op, int oparg, int takes)
{
    /* a tracer may raise before any instruction */
    int left = v->now->depth;
    if (op == PRECALL) {
        left -= oparg + 2; /* its special forms make the call */
    }
    else if (kr_opcode_flags[op] & KR_OP_ERR && op != PUSH_EXC_INFO &&
             op != POP_EXCEPT) {
        left -= takes - kr_opcode_keeps[op];
    }
    /* an error of a call may belong to the last unit of its cache */
    return reach_handler(v, own, left) &&
           (kr_opcode_caches[op] == 0 ||
            reach_handler(v, own + kr_opcode_caches[op], left));
}

static bool
never_falls_through(int op)
{
    switch (op) {
        case RETURN_VALUE:
        case RAISE_VARARGS:
        case RERAISE:
        case JUMP_FORWARD:
        case JUMP_BACKWARD:
        case JUMP_BACKWARD_NO_INTERRUPT:
            return true;
        default:
            return false;
    }
}

/* How deep the stack is where the jump leads, seen from behind the instruction
 * on its other way. */
static int
depth_at_target(struct verify *v, int op)
{
    switch (op) {
        case JUMP_IF_FALSE_OR_POP:
        case JUMP_IF_TRUE_OR_POP:
            return v->now->depth + 1;
        case FOR_ITER:
            return v->now->depth - 2;
        case SEND:
            return v->now->depth - 1;
        default:
            return v->now->depth;
    }
}

/* The frequent ones among those that have no special rules. */
static const bool plain_opcodes[256] = {
    [LOAD_FAST] = true,       [LOAD_CONST] = true,
    [LOAD_ATTR] = true,       [STORE_ATTR] = true,
    [LOAD_NAME] = true,       [STORE_NAME] = true,
    [POP_TOP] = true,         [RETURN_VALUE] = true,
    [RESUME] = true,          [CALL] = true,
    [JUMP_FORWARD] = true,    [JUMP_BACKWARD] = true,
    [BUILD_TUPLE] = true,     [BUILD_LIST] = true,
    [IMPORT_NAME] = true,     [IMPORT_FROM] = true,
    [BINARY_SUBSCR] = true,   [STORE_SUBSCR] = true,
    [CONTAINS_OP] = true,     [IS_OP] = true,
    [FOR_ITER] = true,        [GET_ITER] = true,
    [LOAD_CLOSURE] = true,    [LOAD_BUILD_CLASS] = true,
    [CHECK_EXC_MATCH] = true, [PUSH_EXC_INFO] = true,
    [POP_EXCEPT] = true,      [UNPACK_SEQUENCE] = true,
    [POP_JUMP_FORWARD_IF_FALSE] = true,
    [POP_JUMP_FORWARD_IF_TRUE] = true,
    [POP_JUMP_FORWARD_IF_NONE] = true,
    [POP_JUMP_FORWARD_IF_NOT_NONE] = true,
};

/* The instruction with its own unit at `own`: checks it and moves v->now behind
 * it. */
static bool
step(struct verify *v, int own, int op, int oparg)
{
    if (!kr_opcode_flags[op]) {
        return refuse(v, "unknown opcode");
    }
    long takes = kr_opcode_takes[op], leaves = kr_opcode_leaves[op];
    takes = takes < 0 ? kr_opcode_takes_for(op, oparg) : takes;
    leaves = leaves < 0 ? kr_opcode_leaves_for(op, oparg) : leaves;
    bool lowest_null = op == CALL || op == CALL_FUNCTION_EX;
    bool plain = plain_opcodes[op];
    if (!check_operand(v, op, oparg) ||
        !(lowest_null ? need_call(v, takes) : need(v, takes)) ||
        (!plain && !check_special(v, own, op, oparg))) {
        return false;
    }
    if (v->handler_of != NULL && !check_raise(v, own, op, oparg, (int)takes)) {
        return false;
    }
    long depth = v->now->depth - takes + leaves;
    if (depth > v->co->co_stacksize) {
        return refuse(v, "stack overflow");
    }
    if (!make_room(v, (int)depth)) {
        return false;
    }
    int kept = v->now->depth - (int)takes;
    uint8_t *left = stack_of(v, v->now) + kept;
    for (long i = 0; i < leaves; i++) {
        left[i] = 0;
    }
    v->lowest = kept < v->lowest ? kept : v->lowest;
    v->now->depth = (int)depth;
    if (!plain) {
        apply_special(v, op, oparg);
    }
    if (kr_opcode_flags[op] & KR_OP_JUMP &&
        !reach(v, target_of(v, own, op, oparg), depth_at_target(v, op))) {
        return false;
    }
    v->live = !never_falls_through(op);
    return true;
}

/* Before the instruction at v->at: false if there is no need to walk it. */
static bool
enter(struct verify *v)
{
    int mark = v->marks[v->at];
    if (mark & TARGET) {
        bool again = v->again;
        if (v->live && !reach(v, v->at, v->now->depth)) {
            return false;
        }
        v->again = again; /* it is walked now */
        struct state *s = v->states[v->at];
        v->live = v->marks[v->at] & DIRTY;
        if (v->live) {
            v->marks[v->at] &= (uint8_t)~DIRTY;
            if (!make_room(v, s->depth)) {
                return false;
            }
            memcpy(v->now, s, state_size(v, s->depth));
            v->settled = -1;
        }
    }
    return v->live;
}

static bool
walk(struct verify *v)
{
    v->again = false;
    v->live = false;
    for (int i = 0; i < v->n;) {
        v->at = i;
        int op = opcode_at(v, i), oparg = KR_OPARG(v->units[i]), own = i;
        if (!enter(v)) {
            if (v->why != NULL) {
                return false;
            }
            while (op == EXTENDED_ARG) {
                op = opcode_at(v, ++own);
            }
            i = own + 1 + kr_opcode_caches[op];
            continue;
        }
        if (op == EXTENDED_ARG) {
            oparg = decode(v, i, &op, &own);
            /* a tracer may raise before each unit */
            for (int prefix = i; prefix < own; prefix++) {
                if (!reach_handler(v, prefix, v->now->depth)) {
                    return false;
                }
            }
        }
        if (!step(v, own, op, oparg)) {
            return false;
        }
        i = own + 1 + kr_opcode_caches[op];
    }
    v->at = v->n - 1;
    return v->live ? refuse(v, "code without an end") : true;
}

/* Cells and free variables are where the interpreter expects them. */
static bool
check_variables(struct verify *v)
{
    int first_free = v->co->co_nlocalsplus - v->co->co_nfreevars;
    for (int i = 0; i < v->co->co_nlocalsplus; i++) {
        int kind = kind_of(v, i);
        bool is_free = kind & KR_LOCAL_FREE;
        if (is_free != (i >= first_free) ||
            (is_free && kind & (KR_LOCAL_LOCAL | KR_LOCAL_CELL))) {
            return refuse(v, "variables in the wrong order");
        }
    }
    return true;
}

static bool
analyse(struct verify *v)
{
    if (v->n == 0) {
        return refuse(v, "no instructions");
    }
    size_t bytes = (size_t)v->n * sizeof(struct state *);
    v->states = allocate(v, bytes);
    v->marks = v->states == NULL ? NULL : allocate(v, (size_t)v->n);
    if (v->marks == NULL || !make_room(v, 0)) {
        return false;
    }
    memset(v->states, 0, bytes);
    memset(v->marks, 0, (size_t)v->n);
    if (!check_variables(v) || !find_instructions(v) || !find_handlers(v)) {
        return false;
    }
    mark_target(v, v->wanted[0]);
    mark_target(v, v->wanted[1]);
    v->now->depth = 0;
    v->now->started = false;
    memset(v->now->flags, NO_CELL, (size_t)v->nflags);
    if (!reach(v, 0, 0)) {
        return false;
    }
    do {
        if (!walk(v)) {
            return false;
        }
    } while (v->again);
    return true;
}

static void
begin(struct verify *v, PyCodeObject *co)
{
    memset(v, 0, offsetof(struct verify, first));
    v->co = co;
    v->units = _PyCode_CODE(co);
    v->n = (int)Py_SIZE(co);
    v->wanted[0] = v->wanted[1] = v->settled = -1;
    v->nflags = co->co_ncellvars + co->co_nfreevars ? co->co_nlocalsplus : 0;
    v->free = (char *)v->first;
    v->limit = v->free + sizeof(v->first);
}

static void
end(struct verify *v)
{
    while (v->chunks != NULL) {
        struct chunk *next = v->chunks->next;
        PyMem_Free(v->chunks);
        v->chunks = next;
    }
}

/* Distrust: where the first opcode is kept meanwhile. */
#define HIDDEN INT16_MIN

void
kr_code_distrust(PyCodeObject *co)
{
    _Py_CODEUNIT *first = _PyCode_CODE(co);
    co->co_warmup = (short)(HIDDEN + KR_OPCODE(*first));
    *first = KR_UNIT(KR_VERIFY, KR_OPARG(*first));
}

_Py_CODEUNIT
kr_code_first_unit(PyCodeObject *co)
{
    return KR_UNIT(co->co_warmup - HIDDEN, KR_OPARG(_PyCode_CODE(co)[0]));
}

/* Specialisation expects caches that are empty. */
static void
clear_caches(struct verify *v)
{
    _Py_CODEUNIT *code = _PyCode_CODE(v->co);
    for (int i = 0; i < v->n;) {
        int caches = kr_opcode_caches[KR_OPCODE(code[i++])];
        for (; caches > 0; caches--) {
            code[i++] = 0;
        }
    }
}

int
kr_code_admit(PyCodeObject *co)
{
    struct verify v;
    begin(&v, co);
    v.foreign = true;
    *_PyCode_CODE(co) = kr_code_first_unit(co);
    if (analyse(&v)) {
        co->co_warmup = KR_CODE_WARMUP;
        if (v.dirty) {
            clear_caches(&v);
        }
    }
    else {
        kr_code_distrust(co);
    }
    end(&v);
    if (v.why == NULL) {
        return 0;
    }
    if (*v.why == 0) {
        PyErr_NoMemory();
    }
    else {
        PyErr_Format(PyExc_SystemError, "bad code object: %s (%U, offset %d)",
                     v.why, co->co_qualname,
                     v.at * (int)sizeof(_Py_CODEUNIT));
    }
    return -1;
}

/* Whether what `to` relies on holds in `from`. */
static bool
holds(struct verify *v, struct state *from, struct state *to)
{
    if (to == NULL || from->started != to->started ||
        from->depth < to->depth) {
        return false;
    }
    for (int i = 0; i < v->nflags + to->depth; i++) {
        if (from->flags[i] & ~to->flags[i]) {
            return false;
        }
    }
    return true;
}

int
kr_code_may_jump(PyCodeObject *co, int from, int to, int depth)
{
    struct verify v;
    int result = 0;
    begin(&v, co);
    v.wanted[0] = from;
    v.wanted[1] = to;
    if (analyse(&v)) {
        struct state *s = v.states[from];
        result = s != NULL && s->depth == depth && holds(&v, s, v.states[to]);
    }
    else if (*v.why == 0) {
        PyErr_NoMemory();
        result = -1;
    }
    end(&v);
    return result;
}
