/* The interpreter: runs the instruction bodies of src/vm/ops, which tools/opgen
 * turns into kr_ops.h.
 *
 * One set of bodies, three ways to get from one to the next (KR_DISPATCH):
 * tail calls, each instruction a function whose seven state variables stay in
 * registers; computed goto; a switch. */
#include <opcode.h>

#include "code/code.h"
#include "code/opcode_meta.h"
#include "code/verify.h"
#include "objects/dict.h"
#include "objects/errors.h"
#include "objects/exceptions/group.h"
#include "objects/float.h"
#include "objects/int/int.h"
#include "objects/list.h"
#include "objects/range.h"
#include "objects/shape.h"
#include "objects/tuple.h"
#include "vm/breaker.h"
#include "vm/eval.h"
#include "vm/generator.h"
#include "vm/specialize.h"
#include "vm/support.h"

#define KR_DISPATCH_TAIL 1
#define KR_DISPATCH_GOTO 2
#define KR_DISPATCH_SWITCH 3

#ifndef KR_DISPATCH
#if defined(__clang__) && __clang_major__ >= 19 && defined(__x86_64__)
#define KR_DISPATCH KR_DISPATCH_TAIL
#elif defined(__GNUC__)
#define KR_DISPATCH KR_DISPATCH_GOTO
#else
#define KR_DISPATCH KR_DISPATCH_SWITCH
#endif
#endif

#define PEEK(n) (stack_pointer[-(n)])
#define LOCAL(i) (frame->localsplus[i])
#define CONST(i) PyTuple_GET_ITEM(frame->f_code->co_consts, i)
#define NAME(i) PyTuple_GET_ITEM(frame->f_code->co_names, i)
#define JUMP_BY(n) (next_instr += (n))
#define SET_LOCAL(i, v)                                                        \
    do {                                                                       \
        PyObject *kr_old = LOCAL(i);                                           \
        LOCAL(i) = (v);                                                        \
        Py_XDECREF(kr_old);                                                    \
    } while (0)

#define CACHE16(field) (next_instr[CACHE_##field])
#define CACHE32(field) kr_read_u32(&next_instr[CACHE_##field])
#define CACHEPTR(field) kr_read_ptr(&next_instr[CACHE_##field])

static inline uint32_t
kr_read_u32(const _Py_CODEUNIT *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline PyObject *
kr_read_ptr(const _Py_CODEUNIT *p)
{
    PyObject *v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* The inputs are gone (ERROR_IF) or still on the stack (ERROR_KEEP). */
#define ERROR_IF(cond)                                                         \
    do {                                                                       \
        if (KR_UNLIKELY(cond)) {                                               \
            stack_pointer -= kr_in;                                            \
            GOTO(error);                                                       \
        }                                                                      \
    } while (0)
#define ERROR_KEEP(cond)                                                       \
    do {                                                                       \
        if (KR_UNLIKELY(cond)) {                                               \
            GOTO(error);                                                       \
        }                                                                      \
    } while (0)

/* A failed guard: the family's general form runs instead, and the
 * specialisation is given up after enough misses. Nothing has happened yet. */
#define DEOPT_IF(cond)                                                         \
    do {                                                                       \
        if (KR_UNLIKELY(cond)) {                                               \
            GOTO(miss);                                                        \
        }                                                                      \
    } while (0)

/* For adaptive forms: the general one, or whatever the opcode is now. */
#define GENERAL_FORM()                                                         \
    do {                                                                       \
        next_instr--;                                                          \
        GOTO_FAMILY();                                                 \
    } while (0)
#define REDISPATCH()                                                           \
    do {                                                                       \
        int kr_again = KR_OPCODE(*next_instr);                                 \
        GOTO_OP(kr_again);                                                     \
    } while (0)

/* The layout of a call on the stack. */
#define CALL_SHAPE()                                                           \
    int is_method = PEEK(oparg + 2) != NULL;                                   \
    int total = oparg + is_method;                                             \
    PyObject *callable = PEEK(total + 1);                                      \
    PyObject **args = stack_pointer - total

#define COPY_ARGUMENTS()                                                       \
    do {                                                                       \
        for (int kr_i = 0; kr_i < total; kr_i++) {                             \
            callee->localsplus[kr_i] = args[kr_i];                             \
            __asm__("" ::: "memory"); /* few: not worth widening */            \
        }                                                                      \
    } while (0)

/* The end of a call made by PRECALL: results replace `n` entries; its cache and
 * the CALL with its caches are skipped. */
#define CALL_DONE(res, n)                                                      \
    do {                                                                       \
        stack_pointer -= (n);                                                  \
        if (KR_UNLIKELY((res) == NULL)) {                                      \
            GOTO(error);                                                       \
        }                                                                      \
        *stack_pointer++ = (res);                                              \
        next_instr += 6;                                                       \
        CHECK_BREAKER();                                                       \
        DISPATCH();                                                            \
    } while (0)
#define CALL_CLEANUP(res)                                                      \
    do {                                                                       \
        for (int kr_i = 0; kr_i < total; kr_i++) {                             \
            Py_DECREF(args[kr_i]);                                             \
        }                                                                      \
        Py_DECREF(callable);                                                   \
        CALL_DONE(res, oparg + 2);                                             \
    } while (0)
#define C_RECURSION_CHECK()                                                    \
    do {                                                                       \
        if (KR_UNLIKELY(kr_enter_recursive(                                    \
                tstate, " while calling a Python object"))) {                  \
            GOTO(error);                                                       \
        }                                                                      \
    } while (0)

/* A result of two ints: at once if both are small. An int that nobody else has
 * is reused. */
#define INT_RESULT(expression, general)                                        \
    do {                                                                       \
        if (KR_LIKELY(kr_is_small(left) && kr_is_small(right))) {              \
            int64_t kr_value = (expression);                                   \
            if (KR_LIKELY(kr_is_small_int(kr_value))) {                        \
                res = Py_NewRef(KR_SMALL_INT(kr_value));                       \
            }                                                                  \
            else if (Py_REFCNT(left) == 1 && Py_ABS(kr_value) < PyLong_BASE) { \
                ((PyLongObject *)left)->ob_digit[0] = (digit)Py_ABS(kr_value); \
                Py_SET_SIZE(left, kr_value < 0 ? -1 : 1);                      \
                kr_int_decref(right);                                          \
                res = left;                                                    \
                break;                                                         \
            }                                                                  \
            else {                                                             \
                res = kr_int_from_i64(kr_value);                               \
            }                                                                  \
        }                                                                      \
        else {                                                                 \
            res = general(left, right);                                        \
        }                                                                      \
        ERROR_KEEP(res == NULL);                                               \
        kr_int_decref(left);                                                   \
        kr_int_decref(right);                                                  \
    } while (0)

/* A float that nobody else has is reused for the result. */
#define FLOAT_RESULT(expression)                                               \
    do {                                                                       \
        double kr_value = (expression);                                        \
        if (Py_REFCNT(left) == 1) {                                            \
            ((PyFloatObject *)left)->ob_fval = kr_value;                       \
            res = left;                                                        \
            kr_float_decref(right);                                            \
        }                                                                      \
        else if (Py_REFCNT(right) == 1) {                                      \
            ((PyFloatObject *)right)->ob_fval = kr_value;                      \
            res = right;                                                       \
            left->ob_refcnt--;                                                 \
        }                                                                      \
        else {                                                                 \
            res = kr_float_new(kr_value);                                      \
            ERROR_KEEP(res == NULL);                                           \
            left->ob_refcnt--;                                                 \
            kr_float_decref(right);                                            \
        }                                                                      \
    } while (0)

/* The end of a comparison that takes the conditional jump behind with it. */
#define COMPARED(jump)                                                         \
    do {                                                                       \
        stack_pointer -= 2;                                                    \
        int kr_backward = CACHE16(mask) & 8;                                   \
        next_instr += 2; /* at the jump */                                     \
        int kr_distance = KR_OPARG(*next_instr);                               \
        next_instr++;                                                          \
        if (jump) {                                                            \
            if (kr_backward) {                                                 \
                next_instr -= kr_distance;                                     \
                CHECK_BREAKER();                                               \
            }                                                                  \
            else {                                                             \
                next_instr += kr_distance;                                     \
            }                                                                  \
        }                                                                      \
        DISPATCH();                                                            \
    } while (0)

#define KR_MODULE_DICT(op) (((PyObject **)(op))[2])

#define CHECK_BREAKER()                                                        \
    do {                                                                       \
        if (KR_UNLIKELY(atomic_load_explicit(&tstate->interp->eval_breaker,    \
                                             memory_order_relaxed))) {         \
            GOTO(breaker);                                                     \
        }                                                                      \
    } while (0)

/* Runs `callee` next, a frame that has not begun; the caller goes on behind the
 * call when it returns. */
#define ENTER_FRAME(callee)                                                    \
    do {                                                                       \
        kr_frame_set_sp(frame, stack_pointer);                                 \
        frame->prev_instr = next_instr - 1;                                    \
        (callee)->previous = frame;                                            \
        cframe->current_frame = frame = (callee);                              \
        if (KR_UNLIKELY(tstate->recursion_remaining <= 0)) {                   \
            GOTO(start_frame);                                                 \
        }                                                                      \
        tstate->recursion_remaining--;                                         \
        next_instr = _PyCode_CODE(frame->f_code);                              \
        stack_pointer = frame->localsplus + frame->stacktop;                   \
        frame->stacktop = -1;                                                  \
        DISPATCH();                                                            \
    } while (0)

/* Goes on in `frame`, which a call or a generator of its has just left, with
 * `value` on its stack. */
#define RESUME_WITH(value)                                                     \
    do {                                                                       \
        next_instr = frame->prev_instr + 1;                                    \
        stack_pointer = frame->localsplus + frame->stacktop;                   \
        frame->stacktop = -1;                                                  \
        *stack_pointer++ = (value);                                            \
        DISPATCH();                                                            \
    } while (0)

/* Whether FOR_ITER or SEND may run the generator without leaving the loop. */
#define CAN_ENTER_GENERATOR(gen)                                               \
    ((gen)->gi_frame_state < KR_GEN_EXECUTING && oparg <= UINT16_MAX &&        \
     !cframe->use_tracing && tstate->interp->eval_frame == NULL)

/* Runs the generator, which gets `value` (taken over); the stack pointer is what
 * the result will be pushed to. */
#define ENTER_GENERATOR(gen, value)                                            \
    do {                                                                       \
        _PyInterpreterFrame *kr_inside = kr_gen_frame(gen);                    \
        kr_inside->localsplus[kr_inside->stacktop++] = (value);                \
        (gen)->gi_exc_state.previous_item = tstate->exc_info;                  \
        tstate->exc_info = &(gen)->gi_exc_state;                               \
        (gen)->gi_frame_state = KR_GEN_EXECUTING;                              \
        kr_inside->is_entry = KR_EXIT_GENERATOR;                               \
        kr_inside->previous = frame;                                           \
        frame->return_offset = (uint16_t)oparg;                                \
        kr_frame_set_sp(frame, stack_pointer);                                 \
        cframe->current_frame = frame = kr_inside;                             \
        if (KR_UNLIKELY(tstate->recursion_remaining <= 0)) {                   \
            GOTO(start_frame);                                                 \
        }                                                                      \
        tstate->recursion_remaining--;                                         \
        GOTO_RESUME();                                                         \
    } while (0)

#define GOTO_RESUME()                                                          \
    do {                                                                       \
        next_instr = frame->prev_instr + 1;                                    \
        stack_pointer = frame->localsplus + frame->stacktop;                   \
        frame->stacktop = -1;                                                  \
        DISPATCH();                                                            \
    } while (0)

#define KR_BEGIN(name)                                                         \
    _Py_CODEUNIT *kr_prev = frame->prev_instr;                                 \
    (void)kr_prev;                                                             \
    frame->prev_instr = next_instr++
#define KR_PREV_INSTR kr_prev
#define KR_NEXT(caches)                                                        \
    next_instr += (caches);                                                    \
    DISPATCH()
#define DISPATCH()                                                             \
    do {                                                                       \
        int kr_next = KR_OPCODE(*next_instr) | cframe->use_tracing;            \
        oparg = KR_OPARG(*next_instr);                                         \
        GOTO_OP(kr_next);                                                      \
    } while (0)

static KR_COLD void
unknown_opcode(_PyInterpreterFrame *frame, int opcode)
{
    PyErr_Format(PyExc_SystemError, "unknown opcode %d in %U", opcode,
                 frame->f_code->co_qualname);
}

/* One run of the loop. It lives on the C stack: extensions that switch stacks
 * rely on it. */
struct run {
    _PyCFrame cframe;  /* must be first */
    PyObject *kwnames; /* between KW_NAMES and its CALL, borrowed; else NULL */
};

#define kwnames (((struct run *)cframe)->kwnames)

/* A reference that is the last one leads out of line, by a call that leaves all
 * registers alone, so that the instructions save none on their usual way. */
#if defined(__clang__) && defined(__x86_64__)
#define KR_SAVES_ALL __attribute__((preserve_most))
#else
#define KR_SAVES_ALL
#endif

static KR_NOINLINE KR_SAVES_ALL void
dealloc_any(PyObject *op)
{
    Py_TYPE(op)->tp_dealloc(op);
}

static KR_NOINLINE KR_SAVES_ALL void
dealloc_number(PyObject *op)
{
    kr_object_free(op);
}

static KR_NOINLINE KR_SAVES_ALL void
dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type == &PyFloat_Type || type == &PyLong_Type) {
        dealloc_number(op);
    }
    else {
        dealloc_any(op);
    }
}

#undef Py_DECREF
#define Py_DECREF(op)                                                          \
    do {                                                                       \
        PyObject *kr_op = (PyObject *)(op);                                    \
        if (--kr_op->ob_refcnt == 0) {                                         \
            dealloc(kr_op);                                                    \
        }                                                                      \
    } while (0)
#undef Py_XDECREF
#define Py_XDECREF(op)                                                         \
    do {                                                                       \
        PyObject *kr_xop = (PyObject *)(op);                                   \
        if (kr_xop != NULL) {                                                  \
            Py_DECREF(kr_xop);                                                 \
        }                                                                      \
    } while (0)

/* Operators without a special form, on ints of at most one digit. NULL without
 * an exception: the general function has to do it. */
static PyObject *
small_int_op(int op, PyObject *left, PyObject *right)
{
    int32_t a = (int32_t)kr_small_value(left);
    int32_t b = (int32_t)kr_small_value(right);
    switch (op) {
        case NB_ADD:
        case NB_INPLACE_ADD:
            return kr_int_from_i64((int64_t)a + b);
        case NB_SUBTRACT:
        case NB_INPLACE_SUBTRACT:
            return kr_int_from_i64((int64_t)a - b);
        case NB_MULTIPLY:
        case NB_INPLACE_MULTIPLY:
            return kr_int_from_i64((int64_t)a * b);
        case NB_AND:
        case NB_INPLACE_AND:
            return kr_int_from_i64(a & b);
        case NB_OR:
        case NB_INPLACE_OR:
            return kr_int_from_i64(a | b);
        case NB_XOR:
        case NB_INPLACE_XOR:
            return kr_int_from_i64(a ^ b);
        case NB_RSHIFT:
        case NB_INPLACE_RSHIFT:
            return b < 0 ? NULL : kr_int_from_i64(a >> (b > 31 ? 31 : b));
        case NB_LSHIFT:
        case NB_INPLACE_LSHIFT:
            return b < 0 || b > 32 ? NULL
                                   : kr_int_from_i64((int64_t)a * (1LL << b));
        case NB_FLOOR_DIVIDE:
        case NB_INPLACE_FLOOR_DIVIDE:
            return b == 0 ? NULL
                          : kr_int_from_i64(a / b -
                                            (a % b != 0 && (a ^ b) < 0));
        case NB_REMAINDER:
        case NB_INPLACE_REMAINDER: {
            if (b == 0) {
                return NULL;
            }
            int32_t rest = a % b;
            return kr_int_from_i64(rest != 0 && (rest ^ b) < 0 ? rest + b
                                                               : rest);
        }
        default:
            return NULL;
    }
}

static PyObject *
float_op(int op, PyObject *left, PyObject *right)
{
    double a = PyFloat_AS_DOUBLE(left), b = PyFloat_AS_DOUBLE(right);
    switch (op) {
        case NB_ADD:
        case NB_INPLACE_ADD:
            return kr_float_new(a + b);
        case NB_SUBTRACT:
        case NB_INPLACE_SUBTRACT:
            return kr_float_new(a - b);
        case NB_MULTIPLY:
        case NB_INPLACE_MULTIPLY:
            return kr_float_new(a * b);
        case NB_TRUE_DIVIDE:
        case NB_INPLACE_TRUE_DIVIDE:
            return b == 0.0 ? NULL : kr_float_new(a / b);
        default:
            return NULL;
    }
}

/* What ends a frame that nobody looks at from outside. */
static inline void
end_frame(PyThreadState *tstate, _PyInterpreterFrame *f, PyObject **top)
{
    for (PyObject **p = f->localsplus; p < top; p++) {
        Py_XDECREF(*p);
    }
    Py_DECREF(f->f_func);
    Py_DECREF(f->f_code);
    kr_stack_pop(tstate, f);
}

#if KR_DISPATCH == KR_DISPATCH_TAIL

#define KR_PARAMS                                                              \
    PyThreadState *tstate, _PyInterpreterFrame *frame,                         \
        PyObject **stack_pointer, _Py_CODEUNIT *next_instr, int oparg,         \
        _PyCFrame *cframe
#define KR_ARGS tstate, frame, stack_pointer, next_instr, oparg, cframe
#define KR_CONV __attribute__((preserve_none))

typedef KR_CONV PyObject *(*handler)(KR_PARAMS);

#define GOTO(label) __attribute__((musttail)) return label_##label(KR_ARGS)
#define GOTO_FAMILY() __attribute__((musttail)) return KR_FAMILY(KR_ARGS)
#define GOTO_OP(op) __attribute__((musttail)) return handlers[op](KR_ARGS)
#define KR_OP(name) static KR_CONV PyObject *op_##name(KR_PARAMS)
#define KR_LABEL(name) static KR_CONV KR_NOINLINE PyObject *label_##name(KR_PARAMS)

#define X(name, number) static KR_CONV PyObject *op_##name(KR_PARAMS);
#define L(name) static KR_CONV PyObject *label_##name(KR_PARAMS);
#include "kr_op_list.h"
#undef X
#undef L
static KR_CONV PyObject *op_unknown(KR_PARAMS);

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const handler handlers[256] = {
    [0 ... 255] = op_unknown,
#define X(name, number) [number] = op_##name,
#define L(name)
#include "kr_op_list.h"
#undef X
#undef L
};
#pragma clang diagnostic pop

KR_OP(unknown)
{
    unknown_opcode(frame, KR_OPCODE(*next_instr));
    frame->prev_instr = next_instr++;
    GOTO(error);
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-variable"
#include "kr_ops.h"
#pragma clang diagnostic pop

static PyObject *
run(PyThreadState *tstate, _PyInterpreterFrame *frame, _PyCFrame *cframe,
    bool throwing)
{
    if (throwing) {
        return label_throw_into(tstate, frame, NULL, NULL, 0, cframe);
    }
    return label_start_frame(tstate, frame, NULL, NULL, 0, cframe);
}

#else

static PyObject *
run(PyThreadState *tstate, _PyInterpreterFrame *frame, _PyCFrame *cframe,
    bool throwing)
{
    PyObject **stack_pointer = NULL;
    _Py_CODEUNIT *next_instr = NULL;
    int oparg = 0;

#define GOTO(label) goto label_##label
#define GOTO_FAMILY() goto KR_FAMILY
#define KR_LABEL(name) label_##name:

#if KR_DISPATCH == KR_DISPATCH_GOTO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
    static const void *const targets[256] = {
        [0 ... 255] = &&op_unknown,
#define X(name, number) [number] = &&op_##name,
#define L(name)
#include "kr_op_list.h"
#undef X
#undef L
    };
#pragma GCC diagnostic pop
#define GOTO_OP(op) goto *targets[op]
#define KR_OP(name) op_##name:
    if (throwing) {
        goto label_throw_into;
    }
    goto label_start_frame;
#else
    enum {
#define X(name, number) OPCODE_##name = (number),
#define L(name)
#include "kr_op_list.h"
#undef X
#undef L
    };
    int kr_opcode = 0;
#define GOTO_OP(op)                                                            \
    do {                                                                       \
        kr_opcode = (op);                                                      \
        goto dispatch;                                                         \
    } while (0)
#define KR_OP(name) case OPCODE_##name: op_##name:
    if (throwing) {
        goto label_throw_into;
    }
    goto label_start_frame;
dispatch:
    switch (kr_opcode) {
    default:
        goto op_unknown;
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-label"
#include "kr_ops.h"
#pragma GCC diagnostic pop
#if KR_DISPATCH == KR_DISPATCH_SWITCH
    }
#endif
op_unknown:
    unknown_opcode(frame, KR_OPCODE(*next_instr));
    frame->prev_instr = next_instr++;
    goto label_error;
}

#endif
#undef kwnames

PyObject *
_PyEval_EvalFrameDefault(PyThreadState *tstate, _PyInterpreterFrame *frame,
                         int throwing)
{
    struct run here;
    _PyCFrame *outer = tstate->cframe;
    here.cframe.use_tracing = outer->use_tracing;
    here.cframe.previous = outer;
    here.kwnames = NULL;
    tstate->cframe = &here.cframe;
    frame->is_entry = KR_EXIT_C;
    frame->previous = outer->current_frame;
    here.cframe.current_frame = frame;
    PyObject *result = run(tstate, frame, &here.cframe, throwing);
    /* tracing may have begun or ended meanwhile */
    outer->use_tracing = here.cframe.use_tracing;
    return result;
}

PyObject *
_PyEval_Vector(PyThreadState *ts, PyFunctionObject *func, PyObject *locals,
               PyObject *const *args, size_t argcount, PyObject *kwnames)
{
    Py_INCREF(func);
    Py_XINCREF(locals);
    size_t total = argcount + (size_t)KR_KWCOUNT(kwnames);
    for (size_t i = 0; i < total; i++) {
        Py_INCREF(args[i]);
    }
    _PyInterpreterFrame *frame =
        kr_push_call(ts, func, locals, args, (Py_ssize_t)argcount, kwnames);
    if (frame == NULL) {
        return NULL;
    }
    PyObject *result = kr_eval_frame(ts, frame, 0);
    if (frame->f_func == NULL) {
        kr_stack_pop(ts, frame); /* its contents became a generator's */
    }
    else {
        kr_end_frame(ts, frame);
    }
    return result;
}

PyObject *
_PyFunction_Vectorcall(PyObject *func, PyObject *const *args, size_t nargsf,
                       PyObject *kwnames)
{
    PyFunctionObject *f = (PyFunctionObject *)func;
    PyCodeObject *co = (PyCodeObject *)f->func_code;
    return _PyEval_Vector(kr_tstate(), f,
                          co->co_flags & CO_OPTIMIZED ? NULL
                                                      : f->func_globals,
                          args, (size_t)PyVectorcall_NARGS(nargsf), kwnames);
}
