/* Helpers behind the instruction bodies of src/vm/ops. Unless said otherwise
 * they borrow their arguments, return new references, and report failure with
 * NULL or -1 and an exception. */
#ifndef KR_VM_SUPPORT_H
#define KR_VM_SUPPORT_H

#include "code/opcode_meta.h"
#include "vm/eval.h"

/* names.c */
void kr_raise_unbound_local(PyCodeObject *co, int index);
void kr_raise_unbound_deref(PyCodeObject *co, int index);
PyObject *kr_load_classderef(_PyInterpreterFrame *f, int index);
PyObject *kr_load_name(_PyInterpreterFrame *f, PyObject *name);
PyObject *kr_load_global(_PyInterpreterFrame *f, PyObject *name);
int kr_store_name(_PyInterpreterFrame *f, PyObject *name, PyObject *value);
int kr_delete_name(_PyInterpreterFrame *f, PyObject *name);
int kr_delete_global(_PyInterpreterFrame *f, PyObject *name);
int kr_setup_annotations(_PyInterpreterFrame *f);
PyObject *kr_load_build_class(_PyInterpreterFrame *f);
int kr_print_expr(PyObject *value);
PyObject *kr_import_name(PyThreadState *ts, _PyInterpreterFrame *f,
                         PyObject *name, PyObject *fromlist, PyObject *level);
PyObject *kr_import_from(PyObject *module, PyObject *name);
int kr_import_star(_PyInterpreterFrame *f, PyObject *module);

/* containers.c */
extern const binaryfunc kr_binary_ops[26];
PyObject *kr_format_value(PyObject *value, PyObject *spec, int conversion);
PyObject *kr_empty_str(void); /* borrowed */
/* container[start:stop:step] of a list, tuple or str with plain bounds; `step`
 * may be NULL. 1 and a new reference, 0: do it the long way, -1: exception. */
int kr_take_slice(PyObject *container, PyObject *start, PyObject *stop,
                  PyObject *step, PyObject **part);
/* The same for container[start:stop] = value. */
int kr_put_slice(PyObject *container, PyObject *start, PyObject *stop,
                 PyObject *value);
/* Takes over the items, also on failure. */
PyObject *kr_tuple_steal(PyObject *const *items, Py_ssize_t n);
PyObject *kr_build_map(PyObject **items, Py_ssize_t n);
PyObject *kr_build_const_key_map(PyObject **values, PyObject *keys,
                                 Py_ssize_t n);
int kr_extend_list(PyObject *list, PyObject *iterable);
int kr_dict_update(PyObject *dict, PyObject *mapping);
int kr_dict_merge(PyObject *dict, PyObject *mapping, PyObject *func);
/* Writes the items downwards from top[-1]; 0 on failure. */
int kr_unpack_iterable(PyObject *v, int before, int after, PyObject **top);
PyObject *kr_match_keys(PyObject *map, PyObject *keys);
/* NULL without an exception: no match. */
PyObject *kr_match_class(PyObject *subject, PyObject *type, Py_ssize_t nargs,
                         PyObject *names);

/* exceptions.c */
KR_COLD bool kr_bad_operand(PyObject *v); /* raises: true */
/* Takes over its references; true for a bare re-raise. */
int kr_do_raise(PyThreadState *ts, PyObject *exc, PyObject *cause);
int kr_except_match(PyObject *exc, PyObject *type);
int kr_except_star_match(PyObject *exc, PyObject *type, PyObject **match,
                         PyObject **rest);
PyObject *kr_enter_context(PyObject *mgr, PyObject **exit, int is_async);
PyObject *kr_call_exit(PyObject *exit, PyObject *exc);
/* These raise SystemError if the operand is not what only bad code could make it
 * be: an exception, an iterator, a unit of the code. */
static inline bool
kr_no_exception(PyObject *v)
{
    return KR_UNLIKELY(!PyExceptionInstance_Check(v)) && kr_bad_operand(v);
}
bool kr_no_iterator(PyObject *v);
/* Goes to the place in `f` that kr_unwind pushed; true with an exception. */
bool kr_bad_lasti(_PyInterpreterFrame *f, PyObject *lasti);
/* Finds the handler of the pending exception, pops the stack down to it and
 * pushes the exception: the new stack pointer. NULL: no handler; the stack is
 * empty then and saved in the frame. */
PyObject **kr_unwind(PyThreadState *ts, _PyInterpreterFrame *f, PyObject **sp,
                     _Py_CODEUNIT **next_instr);

/* calls.c */
static inline bool
kr_is_plain_function(PyThreadState *ts, PyObject *callable)
{
    return Py_IS_TYPE(callable, &PyFunction_Type) &&
           ((PyFunctionObject *)callable)->vectorcall ==
               _PyFunction_Vectorcall &&
           ts->interp->eval_frame == NULL;
}

/* The __init__ of a class whose instances are made by object.__new__ and that
 * is a plain function: borrowed. NULL without an exception: something else. */
PyFunctionObject *kr_plain_init(PyThreadState *ts, PyObject *callable);

/* A call of something other than a Python function, with profiling events. */
PyObject *kr_call_traced(PyThreadState *ts, _PyInterpreterFrame *f,
                         PyObject *callable, PyObject *const *args,
                         size_t nargsf, PyObject *kwnames);
static inline PyObject *
kr_call(PyThreadState *ts, _PyInterpreterFrame *f, _PyCFrame *cframe,
        PyObject *callable, PyObject *const *args, size_t nargsf,
        PyObject *kwnames)
{
    if (KR_UNLIKELY(cframe->use_tracing)) {
        return kr_call_traced(ts, f, callable, args, nargsf, kwnames);
    }
    return PyObject_Vectorcall(callable, args, nargsf, kwnames);
}
/* Makes base[1] a tuple and *kwargs (if not NULL) a dict, or raises. */
int kr_prepare_call_ex(PyObject **base, PyObject *kwargs, PyObject **slot);
/* Takes over the function, not the arguments. */
_PyInterpreterFrame *kr_push_call_ex(PyThreadState *ts, PyObject *func,
                                     PyObject *args, PyObject *kwargs);
PyObject *kr_call_ex(PyThreadState *ts, _PyInterpreterFrame *f,
                     _PyCFrame *cframe, PyObject *callable, PyObject *args,
                     PyObject *kwargs);
/* Takes over `parts`: what the bits of `flags` name, in order. */
PyObject *kr_make_function(_PyInterpreterFrame *f, PyObject *code, int flags,
                           PyObject **parts);

/* generator.c, asyncgen.c */
PyObject *kr_gen_from_function(PyFunctionObject *func, PyCodeObject *co);
PySendResult kr_send(PyThreadState *ts, _PyInterpreterFrame *f,
                     PyObject *receiver, PyObject *value, PyObject **result);
PyObject *kr_yield_from_iter(PyCodeObject *co, PyObject *iterable);
PyObject *kr_get_awaitable(PyObject *iterable, int where);
PyObject *kr_get_aiter(PyObject *obj);
PyObject *kr_get_anext(PyObject *aiter);
PyObject *kr_async_gen_wrap(PyObject *value);

/* trace.c */
void kr_trace_exception(PyThreadState *ts, _PyInterpreterFrame *f);
int kr_trace_return(PyThreadState *ts, _PyInterpreterFrame *f,
                    PyObject *retval);
void kr_trace_unwind(PyThreadState *ts, _PyInterpreterFrame *f);
int kr_trace_call(PyThreadState *ts, _PyInterpreterFrame *f);
/* Events before the instruction at *next_instr, which a trace function may
 * move. The new stack pointer; NULL with an exception and the stack pointer
 * saved in the frame. */
PyObject **kr_trace_instruction(PyThreadState *ts, _PyInterpreterFrame *f,
                                _PyCFrame *cframe, PyObject **sp,
                                _Py_CODEUNIT **next_instr,
                                _Py_CODEUNIT *prev_instr);

/* quicken.c */
extern const uint8_t kr_adaptive_form[256]; /* 0: none */
void kr_code_quicken(PyCodeObject *co);
static inline void
kr_code_warm_up(PyCodeObject *co)
{
    if (co->co_warmup < 0 && ++co->co_warmup == 0) {
        kr_code_quicken(co);
    }
}

static inline int
kr_truth(PyObject *v)
{
    return v == Py_True ? 1 : v == Py_False ? 0 : PyObject_IsTrue(v);
}

/* Takes over the reference. */
static inline int
kr_truth_steal(PyObject *v)
{
    int truth = kr_truth(v);
    Py_DECREF(v);
    return truth;
}

#define KR_KWCOUNT(kwnames) ((kwnames) ? PyTuple_GET_SIZE(kwnames) : 0)

#endif
