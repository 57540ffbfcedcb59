/* sys.settrace and sys.setprofile: delivering call, line, opcode, return and
 * exception events.
 *
 * `use_tracing` of the running C frame is 255 while something is to be traced: it
 * is or-ed into each opcode, so that every instruction goes through DO_TRACING
 * and untraced code pays nothing but that. */
#include "vm/trace.h"

#include <opcode.h>

#include "code/code.h"
#include "code/locations.h"
#include "code/opcode_meta.h"
#include "vm/breaker.h"
#include "vm/support.h"

static void
update_use_tracing(PyThreadState *ts)
{
    ts->cframe->use_tracing =
        ts->tracing == 0 &&
                (ts->c_tracefunc != NULL || ts->c_profilefunc != NULL)
            ? 255
            : 0;
}

int
kr_trace_event(PyThreadState *ts, _PyInterpreterFrame *f, Py_tracefunc func,
               PyObject *self, int what, PyObject *arg)
{
    if (ts->tracing) {
        return 0;
    }
    PyFrameObject *object = kr_frame_object(f);
    if (object == NULL) {
        return -1;
    }
    int old_what = ts->tracing_what;
    ts->tracing_what = what;
    PyThreadState_EnterTracing(ts);
    int result = func(self, object, what, arg);
    object->f_lineno = 0;
    PyThreadState_LeaveTracing(ts);
    ts->tracing_what = old_what;
    return result;
}

/* The same with an exception pending, which is kept. */
static int
event_protected(PyThreadState *ts, _PyInterpreterFrame *f, Py_tracefunc func,
                PyObject *self, int what, PyObject *arg)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    int err = kr_trace_event(ts, f, func, self, what, arg);
    if (err == 0) {
        PyErr_Restore(type, value, tb);
        return 0;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    return -1;
}

PyObject *
kr_trace_c_result(PyThreadState *ts, _PyInterpreterFrame *f, PyObject *func,
                  PyObject *result)
{
    if (result == NULL) {
        event_protected(ts, f, ts->c_profilefunc, ts->c_profileobj,
                        PyTrace_C_EXCEPTION, func);
    }
    else if (kr_trace_event(ts, f, ts->c_profilefunc, ts->c_profileobj,
                            PyTrace_C_RETURN, func) != 0) {
        Py_CLEAR(result);
    }
    return result;
}

void
kr_trace_exception(PyThreadState *ts, _PyInterpreterFrame *f)
{
    if (ts->tracing || ts->c_tracefunc == NULL) {
        return;
    }
    PyObject *type, *value, *orig, *tb;
    PyErr_Fetch(&type, &value, &tb);
    if (type == NULL) {
        return;
    }
    if (value == NULL) {
        value = Py_NewRef(Py_None);
    }
    orig = tb;
    PyErr_NormalizeException(&type, &value, &tb);
    (void)orig;
    PyObject *arg = PyTuple_Pack(3, type, value, tb != NULL ? tb : Py_None);
    if (arg == NULL) {
        PyErr_Restore(type, value, tb);
        return;
    }
    int err = kr_trace_event(ts, f, ts->c_tracefunc, ts->c_traceobj,
                             PyTrace_EXCEPTION, arg);
    Py_DECREF(arg);
    if (err == 0) {
        PyErr_Restore(type, value, tb);
    }
    else {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(tb);
    }
}

int
kr_trace_return(PyThreadState *ts, _PyInterpreterFrame *f, PyObject *retval)
{
    if (ts->c_tracefunc != NULL &&
        kr_trace_event(ts, f, ts->c_tracefunc, ts->c_traceobj, PyTrace_RETURN,
                       retval) != 0) {
        return -1;
    }
    if (ts->c_profilefunc != NULL &&
        kr_trace_event(ts, f, ts->c_profilefunc, ts->c_profileobj,
                       PyTrace_RETURN, retval) != 0) {
        return -1;
    }
    return 0;
}

void
kr_trace_unwind(PyThreadState *ts, _PyInterpreterFrame *f)
{
    if (ts->c_tracefunc != NULL) {
        event_protected(ts, f, ts->c_tracefunc, ts->c_traceobj,
                        PyTrace_RETURN, NULL);
    }
    if (ts->c_profilefunc != NULL) {
        event_protected(ts, f, ts->c_profilefunc, ts->c_profileobj,
                        PyTrace_RETURN, NULL);
    }
}

int
kr_trace_call(PyThreadState *ts, _PyInterpreterFrame *f)
{
    ts->trace_info.code = NULL;
    if (ts->c_tracefunc != NULL &&
        event_protected(ts, f, ts->c_tracefunc, ts->c_traceobj, PyTrace_CALL,
                        Py_None) != 0) {
        return -1;
    }
    if (ts->c_profilefunc != NULL &&
        event_protected(ts, f, ts->c_profilefunc, ts->c_profileobj,
                        PyTrace_CALL, Py_None) != 0) {
        return -1;
    }
    return 0;
}

/* Keeps the thread's range of the current line up to date. */
static int
line_of(PyThreadState *ts, PyCodeObject *co, int addr)
{
    PyTraceInfo *info = &ts->trace_info;
    const uint8_t *end =
        (const uint8_t *)PyBytes_AS_STRING(co->co_linetable) +
        PyBytes_GET_SIZE(co->co_linetable);
    /* what is remembered may be about a code object that is gone and had the
     * same address */
    if (info->code != co || info->bounds.opaque.limit != end) {
        info->code = co;
        kr_code_range_init(co, &info->bounds);
    }
    return _PyCode_CheckLineNumber(addr, &info->bounds);
}

/* Line and opcode events before the instruction that frame->prev_instr names;
 * `before` is the unit that ran last. */
static int
line_events(PyThreadState *ts, _PyInterpreterFrame *f, int before)
{
    PyFrameObject *object = kr_frame_object(f);
    if (object == NULL) {
        return -1;
    }
    const int size = (int)sizeof(_Py_CODEUNIT);
    PyCodeObject *co = f->f_code;
    int at = kr_frame_lasti(f);
    int line = line_of(ts, co, at);
    if (line != -1 && object->f_trace_lines) {
        /* a backward jump is a new line event even on the same line */
        int trace;
        if (before <= co->_co_firsttraceable) {
            trace = 1;
        }
        else {
            int last_line = PyCode_Addr2Line(co, before * size);
            trace = line != last_line;
            if (!trace && at < before * size) {
                /* waiting in `yield from` goes round without being a loop */
                trace = kr_opcode_deopt[KR_OPCODE(*f->prev_instr)] != SEND;
            }
        }
        if (trace && kr_trace_event(ts, f, ts->c_tracefunc, ts->c_traceobj,
                                    PyTrace_LINE, Py_None) != 0) {
            return -1;
        }
    }
    if (object->f_trace_opcodes && ts->c_tracefunc != NULL) {
        return kr_trace_event(ts, f, ts->c_tracefunc, ts->c_traceobj,
                              PyTrace_OPCODE, Py_None);
    }
    return 0;
}

PyObject **
kr_trace_instruction(PyThreadState *ts, _PyInterpreterFrame *f,
                     _PyCFrame *cframe, PyObject **sp,
                     _Py_CODEUNIT **next_instr, _Py_CODEUNIT *prev_instr)
{
    _Py_CODEUNIT *code = _PyCode_CODE(f->f_code);
    if (ts->tracing || *next_instr - code < f->f_code->_co_firsttraceable ||
        KR_OPCODE(**next_instr) == KR_VERIFY) {
        return sp;
    }
    int before = (int)(prev_instr - code);
    f->prev_instr = *next_instr;
    int op = kr_opcode_deopt[KR_OPCODE(**next_instr)];
    kr_frame_set_sp(f, sp);
    int err = 0;
    if (op == RESUME) {
        if (KR_OPARG(**next_instr) < 2 && ts->interp->eval_breaker) {
            err = kr_eval_breaker_handle(ts);
        }
        if (err == 0 && cframe->use_tracing) {
            err = kr_trace_call(ts, f);
        }
    }
    else if (cframe->use_tracing && ts->c_tracefunc != NULL) {
        err = line_events(ts, f, before);
        *next_instr = f->prev_instr; /* a debugger may have jumped */
    }
    if (err != 0) {
        return NULL;
    }
    sp = f->localsplus + f->stacktop;
    f->stacktop = -1;
    return sp;
}

static struct kr_trace_state {
    int installing_trace, installing_profile;
} kr_trace_state;

/* Sets one of the two functions, *slot with its argument *obj. The finaliser of
 * the old one must not set one in between, which *installing tells. */
static int
install(PyThreadState *ts, const char *what, Py_tracefunc *slot,
        PyObject **obj, int *installing, Py_tracefunc func, PyObject *arg)
{
    if (*installing) {
        PyErr_Format(PyExc_RuntimeError,
                     "Cannot install a %s function while another %s function "
                     "is being installed", what, what);
        return -1;
    }
    *installing = 1;
    PyObject *old = *obj;
    *slot = NULL;
    *obj = NULL;
    update_use_tracing(ts);
    Py_XDECREF(old);
    *installing = 0;
    *obj = Py_XNewRef(arg);
    *slot = func;
    update_use_tracing(ts);
    return 0;
}

int
_PyEval_SetProfile(PyThreadState *ts, Py_tracefunc func, PyObject *arg)
{
    if (PySys_Audit("sys.setprofile", NULL) < 0) {
        return -1;
    }
    return install(ts, "profile", &ts->c_profilefunc, &ts->c_profileobj,
                   &kr_trace_state.installing_profile, func, arg);
}

void
PyEval_SetProfile(Py_tracefunc func, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_Get();
    if (_PyEval_SetProfile(ts, func, arg) < 0) {
        PyErr_WriteUnraisable(NULL);
    }
}

int
_PyEval_SetTrace(PyThreadState *ts, Py_tracefunc func, PyObject *arg)
{
    if (PySys_Audit("sys.settrace", NULL) < 0) {
        return -1;
    }
    return install(ts, "trace", &ts->c_tracefunc, &ts->c_traceobj,
                   &kr_trace_state.installing_trace, func, arg);
}

void
PyEval_SetTrace(Py_tracefunc func, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_Get();
    if (_PyEval_SetTrace(ts, func, arg) < 0) {
        PyErr_WriteUnraisable(NULL);
    }
}

/* sys.call_tracing: calls with tracing on, even inside a trace function. */
PyObject *
_PyEval_CallTracing(PyObject *func, PyObject *args)
{
    PyThreadState *ts = PyThreadState_Get();
    int tracing = ts->tracing;
    uint8_t use_tracing = ts->cframe->use_tracing;
    ts->tracing = 0;
    update_use_tracing(ts);
    PyObject *result = PyObject_Call(func, args, NULL);
    ts->tracing = tracing;
    ts->cframe->use_tracing = use_tracing;
    return result;
}
