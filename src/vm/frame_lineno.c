/* Jumping by assigning to f_lineno.
 *
 * A jump must not make the evaluation stack wrong. What the stack holds before
 * each instruction is computed by walking the bytecode: a word of 3-bit kinds, top
 * in the low bits. A jump may pop entries, it can't make new ones. */
#include <Python.h>
#include <opcode.h>

#include "code/code.h"
#include "code/locations.h"
#include "code/opcode_meta.h"
#include "code/verify.h"
#include "memory/tstate.h"
#include "vm/frame_lineno.h"

enum kind { ITERATOR = 1, EXCEPT, OBJECT, NULL_ENTRY, LASTI };

typedef int64_t stack; /* kinds, 3 bits each; negative: see below */
#define UNKNOWN ((stack)-1)
#define OVERFLOWED ((stack)-2)
#define DEPTH_MAX 20

static stack
push(stack s, int k)
{
    return (uint64_t)s >= (uint64_t)1 << 3 * DEPTH_MAX ? OVERFLOWED
                                                       : s << 3 | k;
}

static stack
pop(stack s, int n)
{
    return s < 0 ? s : s >> 3 * n;
}

static int
entry(stack s, int n)
{
    return (int)(s >> 3 * (n - 1) & 7);
}

static int
depth_of(stack s)
{
    int n = 0;
    for (; s > 0; s >>= 3) {
        n++;
    }
    return n;
}

struct walk {
    PyObject *code; /* de-quickened */
    const _Py_CODEUNIT *units;
    stack *at;
    int n;
    int changed;
};

static void
reach(struct walk *w, int target, stack s)
{
    if (target >= 0 && target < w->n && w->at[target] == UNKNOWN) {
        w->at[target] = s;
        w->changed = 1;
    }
}

static stack
set_entry(stack s, int n, int k)
{
    int shift = 3 * (n - 1);
    return (s & ~((stack)7 << shift)) | (stack)k << shift;
}

/* Stack after the instruction where it falls through; jumps are recorded. */
static stack
step(struct walk *w, int i, int op, int arg, stack s)
{
    int next = i + 1 + kr_opcode_caches[op];
    switch (op) {
        case JUMP_IF_FALSE_OR_POP:
        case JUMP_IF_TRUE_OR_POP:
            reach(w, next + arg, s);
            return pop(s, 1);
        case POP_JUMP_FORWARD_IF_FALSE:
        case POP_JUMP_FORWARD_IF_TRUE:
        case POP_JUMP_FORWARD_IF_NONE:
        case POP_JUMP_FORWARD_IF_NOT_NONE:
            s = pop(s, 1);
            reach(w, next + arg, s);
            return s;
        case POP_JUMP_BACKWARD_IF_FALSE:
        case POP_JUMP_BACKWARD_IF_TRUE:
        case POP_JUMP_BACKWARD_IF_NONE:
        case POP_JUMP_BACKWARD_IF_NOT_NONE:
            s = pop(s, 1);
            reach(w, next - arg, s);
            return s;
        case SEND:
            reach(w, next + arg, pop(s, 1));
            return s;
        case JUMP_FORWARD:
            reach(w, next + arg, s);
            return UNKNOWN;
        case JUMP_BACKWARD:
        case JUMP_BACKWARD_NO_INTERRUPT:
            reach(w, next - arg, s);
            return UNKNOWN;
        case GET_ITER:
        case GET_AITER:
            return push(pop(s, 1), ITERATOR);
        case FOR_ITER:
            reach(w, next + arg, pop(s, 1));
            return push(s, OBJECT);
        case END_ASYNC_FOR:
            return pop(s, 2);
        case PUSH_EXC_INFO:
            return push(push(pop(s, 1), EXCEPT), EXCEPT);
        case POP_EXCEPT:
            return pop(s, 1);
        case RETURN_VALUE:
        case RAISE_VARARGS:
        case RERAISE:
            return UNKNOWN;
        case PUSH_NULL:
            return push(s, NULL_ENTRY);
        case LOAD_GLOBAL:
            return push(arg & 1 ? push(s, NULL_ENTRY) : s, OBJECT);
        case LOAD_METHOD:
            return push(push(pop(s, 1), NULL_ENTRY), OBJECT);
        case PRECALL:
            return s;
        case CALL:
            return push(pop(s, arg + 2), OBJECT);
        case COPY:
            return s < 0 ? s : push(s, entry(s, arg));
        case SWAP: {
            if (s < 0) {
                return s;
            }
            int top = entry(s, 1), other = entry(s, arg);
            return set_entry(set_entry(s, 1, other), arg, top);
        }
        default: {
            int delta = PyCompile_OpcodeStackEffect(op, arg);
            for (; delta < 0; delta++) {
                s = pop(s, 1);
            }
            for (; delta > 0; delta--) {
                s = push(s, OBJECT);
            }
            return s;
        }
    }
}

/* Handlers are entered with the stack at their depth, perhaps lasti, and the
 * exception. */
static void
mark_handler(struct walk *w, PyCodeObject *co, int i)
{
    int handler, depth;
    bool lasti;
    if (!kr_code_find_handler(co, i, &handler, &depth, &lasti)) {
        return;
    }
    stack s = w->at[i];
    int have = depth_of(s);
    if (s < 0 || have < depth) {
        return;
    }
    s = pop(s, have - depth);
    if (lasti) {
        s = push(s, LASTI);
    }
    reach(w, handler, push(s, EXCEPT));
}

/* For each unit the stack before it; freed by the caller. */
static stack *
compute_stacks(PyCodeObject *co)
{
    struct walk w = {.n = (int)Py_SIZE(co), .changed = 1};
    w.code = PyCode_GetCode(co);
    if (w.code == NULL) {
        return NULL;
    }
    w.units = (const _Py_CODEUNIT *)PyBytes_AS_STRING(w.code);
    w.at = PyMem_New(stack, w.n + 1);
    if (w.at == NULL) {
        Py_DECREF(w.code);
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i <= w.n; i++) {
        w.at[i] = UNKNOWN;
    }
    /* generators start with the value that is sent in on the stack */
    w.at[0] = co->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)
                  ? push(0, OBJECT)
                  : 0;
    while (w.changed) {
        w.changed = 0;
        int arg = 0;
        for (int i = 0; i < w.n; i++) {
            int op = KR_OPCODE(w.units[i]);
            arg = arg << 8 | KR_OPARG(w.units[i]);
            int next = i + 1 + kr_opcode_caches[op];
            if (w.at[i] != UNKNOWN) {
                mark_handler(&w, co, i);
                stack s = op == EXTENDED_ARG ? w.at[i]
                                             : step(&w, i, op, arg, w.at[i]);
                if (s != UNKNOWN) {
                    reach(&w, next, s);
                }
            }
            arg = op == EXTENDED_ARG ? arg : 0;
            i = next - 1;
        }
    }
    Py_DECREF(w.code);
    return w.at;
}

static int
compatible(int from, int to)
{
    if (to == 0) {
        return 0;
    }
    switch (to) {
        case OBJECT:
            return from != NULL_ENTRY;
        case NULL_ENTRY:
            return 1;
        default:
            return from == to;
    }
}

static int
stacks_compatible(stack from, stack to)
{
    if (from < 0 || to < 0) {
        return 0;
    }
    int extra = depth_of(from) - depth_of(to);
    if (extra < 0) {
        return 0;
    }
    for (from = pop(from, extra); from && to; from >>= 3, to >>= 3) {
        if (!compatible(entry(from, 1), entry(to, 1))) {
            return 0;
        }
    }
    return to == 0;
}

static const char *
why_incompatible(stack to)
{
    if (to == OVERFLOWED) {
        return "stack is too deep to analyze";
    }
    if (to == UNKNOWN) {
        return "can't jump into an exception handler, or code may be "
               "unreachable";
    }
    switch (entry(to, 1)) {
        case EXCEPT:
            return "can't jump into an 'except' block as there's no "
                   "exception";
        case LASTI:
            return "can't jump into a re-raising block as there's no "
                   "location";
        case ITERATOR:
            return "can't jump into the body of a for loop";
        default:
            return "incompatible stacks";
    }
}

/* First line at or behind `line` that has code, -1 if there is none. */
static int
line_not_before(PyCodeObject *co, int line)
{
    int best = INT_MAX;
    PyCodeAddressRange range;
    kr_code_range_init(co, &range);
    while (kr_code_range_next(&range)) {
        if (range.ar_line >= line && range.ar_line < best) {
            best = range.ar_line;
        }
    }
    return best == INT_MAX ? -1 : best;
}

static int
may_jump_now(PyFrameObject *f)
{
    const char *why = NULL;
    switch (kr_tstate()->tracing_what) {
        case PyTrace_LINE:
            break;
        case PyTrace_CALL:
            why = "can't jump from the 'call' trace event of a new frame";
            break;
        case PyTrace_RETURN:
            if (f->f_frame->owner == KR_FRAME_GENERATOR &&
                kr_frame_generator(f->f_frame)->gi_frame_state ==
                    KR_GEN_SUSPENDED) {
                break; /* at a yield */
            }
            KR_FALLTHROUGH;
        default:
            why = "can only jump from a 'line' trace event";
    }
    if (why == NULL && f->f_trace == NULL) {
        why = "f_lineno can only be set in a trace function";
    }
    if (why != NULL) {
        PyErr_SetString(PyExc_ValueError, why);
        return -1;
    }
    return 0;
}

/* The unit to go to, or -1 with an exception; *best is its stack. */
static int
find_target(PyCodeObject *co, int line, const stack *stacks, stack from,
            stack *best)
{
    int target = -1;
    const char *why = NULL;
    PyCodeAddressRange range;
    kr_code_range_init(co, &range);
    int previous = -1;
    while (kr_code_range_next(&range)) {
        int starts = range.ar_line == line && previous != line;
        previous = range.ar_line;
        if (!starts) {
            continue;
        }
        int unit = range.ar_start / (int)sizeof(_Py_CODEUNIT);
        if (unit >= Py_SIZE(co)) {
            break; /* the table is too long */
        }
        stack to = stacks[unit];
        if (!stacks_compatible(from, to)) {
            why = why ? why : why_incompatible(to);
        }
        else if (target < 0 || depth_of(to) > depth_of(*best)) {
            target = unit;
            *best = to;
        }
    }
    if (target < 0) {
        PyErr_SetString(PyExc_ValueError,
                        why ? why : "cannot find bytecode for specified line");
    }
    return target;
}

/* Leaving an except block: the exception that was handled before is back. */
static void
pop_exception(PyObject *value)
{
    _PyErr_StackItem *info = kr_tstate()->exc_info;
    PyObject *old = info->exc_value;
    info->exc_value = value;
    Py_XDECREF(old);
}

static void
jump(_PyInterpreterFrame *frame, stack from, stack to)
{
    int depth = depth_of(to);
    while (depth_of(from) > depth) {
        int k = entry(from, 1);
        PyObject *v = frame->localsplus[--frame->stacktop];
        if (k == EXCEPT && depth_of(from) - depth >= 1 &&
            entry(pop(from, 1), 1) != EXCEPT) {
            pop_exception(v);
        }
        else {
            Py_XDECREF(v);
        }
        from = pop(from, 1);
    }
}

/* The stacks above are rough, and a frame that is in the middle of an instruction
 * holds something else. */
static int
check_jump(_PyInterpreterFrame *frame, int target, int suspended)
{
    PyCodeObject *co = frame->f_code;
    int depth = frame->stacktop - co->co_nlocalsplus + suspended;
    int ok = frame->stacktop < 0
                 ? 0
                 : kr_code_may_jump(co,
                                    kr_frame_lasti(frame) /
                                        (int)sizeof(_Py_CODEUNIT),
                                    target, depth);
    if (ok == 0) {
        PyErr_SetString(PyExc_ValueError, "incompatible stacks");
    }
    return ok > 0 ? 0 : -1;
}

int
kr_frame_set_lineno(PyFrameObject *f, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_ValueError, "lineno must be an integer");
        return -1;
    }
    if (may_jump_now(f) < 0) {
        return -1;
    }
    int overflow;
    long wanted = PyLong_AsLongAndOverflow(value, &overflow);
    PyCodeObject *co = f->f_frame->f_code;
    if (overflow || wanted > INT_MAX || wanted < INT_MIN) {
        PyErr_SetString(PyExc_ValueError, "lineno out of range");
        return -1;
    }
    if (wanted < co->co_firstlineno) {
        PyErr_Format(PyExc_ValueError,
                     "line %ld comes before the current code block", wanted);
        return -1;
    }
    int line = line_not_before(co, (int)wanted);
    if (line < 0) {
        PyErr_Format(PyExc_ValueError,
                     "line %ld comes after the current code block", wanted);
        return -1;
    }
    _PyInterpreterFrame *frame = f->f_frame;
    if (kr_frame_lasti(frame) < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "can't jump from a frame that has not begun");
        return -1;
    }
    stack *stacks = compute_stacks(co);
    if (stacks == NULL) {
        return -1;
    }
    int suspended = frame->owner == KR_FRAME_GENERATOR &&
                    kr_frame_generator(frame)->gi_frame_state ==
                        KR_GEN_SUSPENDED;
    stack from =
        stacks[kr_frame_lasti(frame) / (int)sizeof(_Py_CODEUNIT)];
    stack to = 0;
    int target = find_target(co, line, stacks, from, &to);
    PyMem_Free(stacks);
    if (target < 0 || check_jump(frame, target, suspended) < 0) {
        return -1;
    }
    if (suspended) {
        /* the yielded value is off the stack already */
        from = pop(from, 1);
    }
    jump(frame, from, to);
    f->f_lineno = 0;
    frame->prev_instr = _PyCode_CODE(co) + target;
    if (suspended) {
        frame->prev_instr--;
    }
    return 0;
}
