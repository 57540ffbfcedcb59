/* Interpreter frames: the state of one running Python function.
 *
 * A frame lives in the thread's data stack, inside a generator, or (once its
 * function has returned while someone still holds the frame object) inside that
 * object. Between two instructions all state is in the frame; `stacktop` is -1
 * while the eval loop keeps the stack pointer in a register. The layout is
 * CPython's, since debuggers and greenlets know it. */
#ifndef KR_VM_FRAME_H
#define KR_VM_FRAME_H

#include <Python.h>
#include <frameobject.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/common.h"

enum kr_frame_owner {
    KR_FRAME_THREAD,
    KR_FRAME_GENERATOR,
    KR_FRAME_OBJECT,
};

/* What happens when the frame returns. */
enum kr_frame_exit {
    KR_EXIT_FRAME,     /* the caller's frame goes on with the value */
    KR_EXIT_C,         /* the eval loop returns to C */
    KR_EXIT_INIT,      /* of an __init__: the instance waits on the stack */
    KR_EXIT_GENERATOR, /* of a generator, run by FOR_ITER or SEND */
};

/* gi_frame_state of generators. */
enum kr_gen_state {
    KR_GEN_CREATED = -2,
    KR_GEN_SUSPENDED = -1,
    KR_GEN_EXECUTING = 0,
    KR_GEN_COMPLETED = 1,
    KR_GEN_CLEARED = 4,
};

typedef struct _PyInterpreterFrame {
    PyFunctionObject *f_func; /* strong */
    PyObject *f_globals;      /* borrowed from f_func */
    PyObject *f_builtins;     /* borrowed from f_func */
    PyObject *f_locals;       /* strong, may be NULL */
    PyCodeObject *f_code;     /* strong */
    PyFrameObject *frame_obj; /* strong, may be NULL */
    struct _PyInterpreterFrame *previous;
    _Py_CODEUNIT *prev_instr; /* the instruction begun last */
    int stacktop;             /* used entries of localsplus, or -1 */
    uint8_t is_entry;         /* enum kr_frame_exit */
    char owner;               /* enum kr_frame_owner */
    uint16_t return_offset;   /* of the loop that runs a generator here */
    PyObject *localsplus[1];  /* locals, cells, free variables, stack */
} _PyInterpreterFrame;

struct _frame {
    PyObject_HEAD
    PyFrameObject *f_back; /* only set once the frame is detached */
    _PyInterpreterFrame *f_frame;
    PyObject *f_trace;
    int f_lineno; /* 0: compute it from the position */
    char f_trace_lines;
    char f_trace_opcodes;
    char f_fast_as_locals; /* f_locals has been handed out */
    char f_back_lost;      /* there was no memory for its object */
    PyObject *_f_frame_data[1];
};

#define KR_FRAME_SPECIALS                                                      \
    ((sizeof(_PyInterpreterFrame) - sizeof(PyObject *)) / sizeof(PyObject *))

/* Words that a frame of `co` needs. */
static inline size_t
kr_frame_words(PyCodeObject *co)
{
    return (size_t)co->co_nlocalsplus + (size_t)co->co_stacksize +
           KR_FRAME_SPECIALS;
}

static inline int
kr_frame_lasti(_PyInterpreterFrame *f)
{
    return (int)(f->prev_instr - _PyCode_CODE(f->f_code)) *
           (int)sizeof(_Py_CODEUNIT);
}

static inline PyObject **
kr_frame_stack_base(_PyInterpreterFrame *f)
{
    return f->localsplus + f->f_code->co_nlocalsplus;
}

static inline void
kr_frame_set_sp(_PyInterpreterFrame *f, PyObject **sp)
{
    f->stacktop = (int)(sp - f->localsplus);
}

/* The frame has not passed its first RESUME: it is invisible to Python. */
static inline bool
kr_frame_incomplete(_PyInterpreterFrame *f)
{
    return f->owner != KR_FRAME_GENERATOR &&
           f->prev_instr < _PyCode_CODE(f->f_code) +
                               f->f_code->_co_firsttraceable;
}

static inline PyGenObject *
kr_frame_generator(_PyInterpreterFrame *f)
{
    return (PyGenObject *)((char *)f - offsetof(PyGenObject, gi_iframe));
}

/* Prepares a frame for `func`; takes over the reference to it. `locals` is the
 * f_locals namespace or NULL (taken over). Variables before `nlocals_done` are
 * the caller's to fill, the others are set to NULL. */
static inline void
kr_frame_init(_PyInterpreterFrame *f, PyFunctionObject *func,
              PyObject *locals, PyCodeObject *co, int nlocals_done)
{
    f->f_func = func;
    f->f_code = (PyCodeObject *)Py_NewRef((PyObject *)co);
    f->f_builtins = func->func_builtins;
    f->f_globals = func->func_globals;
    f->f_locals = locals;
    f->stacktop = co->co_nlocalsplus;
    f->frame_obj = NULL;
    f->previous = NULL;
    f->prev_instr = _PyCode_CODE(co) - 1;
    f->is_entry = KR_EXIT_FRAME;
    f->owner = KR_FRAME_THREAD;
    /* few: a loop that is not widened is quicker */
#pragma GCC unroll 1
    for (int i = nlocals_done; i < co->co_nlocalsplus; i++) {
        f->localsplus[i] = NULL;
        __asm__("" ::: "memory");
    }
}

/* Slow path of kr_stack_push: takes a new chunk. NULL without an exception if
 * memory is out. */
KR_COLD _PyInterpreterFrame *kr_stack_push_chunk(PyThreadState *ts,
                                                 size_t words);

/* Room for a frame on the data stack; see kr_stack_push_chunk. */
static inline _PyInterpreterFrame *
kr_stack_push(PyThreadState *ts, size_t words)
{
    PyObject **base = ts->datastack_top;
    if (base != NULL && words < (size_t)(ts->datastack_limit - base)) {
        ts->datastack_top = base + words;
        return (_PyInterpreterFrame *)base;
    }
    return kr_stack_push_chunk(ts, words);
}

/* Slow path of kr_stack_pop: gives back a chunk. */
KR_COLD void kr_stack_pop_chunk(PyThreadState *ts);

/* Gives back the newest frame, which must have been cleared. */
static inline void
kr_stack_pop(PyThreadState *ts, _PyInterpreterFrame *f)
{
    if (KR_LIKELY((PyObject **)f != ts->datastack_chunk->data)) {
        ts->datastack_top = (PyObject **)f;
        return;
    }
    kr_stack_pop_chunk(ts);
}

/* Gives back all chunks when a thread state goes away. */
void kr_stack_free(PyThreadState *ts);

/* Drops what the frame holds. If somebody else has its frame object, the data
 * moves there instead. */
void kr_frame_clear(_PyInterpreterFrame *f);

/* Moves frame `src` to `dest`, which has room for it. */
void kr_frame_copy(_PyInterpreterFrame *src, _PyInterpreterFrame *dest);

int kr_frame_traverse(_PyInterpreterFrame *f, visitproc visit, void *arg);

/* The frame object of `f`, made on demand. Borrowed; NULL with MemoryError. */
PyFrameObject *kr_frame_make_object(_PyInterpreterFrame *f);

static inline PyFrameObject *
kr_frame_object(_PyInterpreterFrame *f)
{
    return f->frame_obj != NULL ? f->frame_obj : kr_frame_make_object(f);
}

/* The object of the innermost frame of a thread; new. NULL: there is none, or
 * MemoryError is set. */
PyFrameObject *kr_thread_frame_object(PyThreadState *ts);

/* The innermost frame that Python code can see, or NULL. Borrowed. */
_PyInterpreterFrame *kr_current_frame(PyThreadState *ts);

/* Copies variables between a frame and its f_locals. -1 with an exception. */
int kr_frame_fast_to_locals(_PyInterpreterFrame *f);
void kr_frame_locals_to_fast(_PyInterpreterFrame *f, int clear);

/* For super(): code, first argument and the __class__ cell of the running
 * function; see objects/super.h. */

#endif
