/* Control flow: jumps, loops, exceptions, with, imports. */

inst(JUMP_FORWARD, 110, (), (--), jump, JUMP_FORWARD)
{
    JUMP_BY(oparg);
}

inst(JUMP_BACKWARD, 140, (), (--), end|jump|err|esc, JUMP_BACKWARD)
{
    kr_code_warm_up(frame->f_code);
    JUMP_BY(-oparg);
    CHECK_BREAKER();
    DISPATCH();
}

inst(JUMP_BACKWARD_QUICK, 38, (), (--), end|jump|err|esc, JUMP_BACKWARD)
{
    JUMP_BY(-oparg);
    CHECK_BREAKER();
    DISPATCH();
}

inst(JUMP_BACKWARD_NO_INTERRUPT, 134, (), (--), jump,
     JUMP_BACKWARD_NO_INTERRUPT)
{
    JUMP_BY(-oparg);
}

inst(RESUME, 151, (), (--), end|err|esc, RESUME)
{
    kr_code_warm_up(frame->f_code);
    if (oparg < 2) {
        CHECK_BREAKER();
    }
    DISPATCH();
}

inst(RESUME_QUICK, 150, (), (--), end|err|esc, RESUME)
{
    if (oparg < 2) {
        CHECK_BREAKER();
    }
    DISPATCH();
}

/* Errors of the breaker belong to the instruction that polled it, wherever it
 * was about to jump. */
label(breaker)
{
    frame->stacktop = -1;
    if (kr_eval_breaker_handle(tstate) != 0) {
        next_instr = frame->prev_instr + 1;
        GOTO(error);
    }
    DISPATCH();
}

inst(POP_JUMP_FORWARD_IF_FALSE, 114, (), (cond --), err|esc|jump,
     POP_JUMP_FORWARD_IF_FALSE)
{
    int truth = kr_truth_steal(cond);
    ERROR_IF(truth < 0);
    if (!truth) {
        JUMP_BY(oparg);
    }
}

inst(POP_JUMP_FORWARD_IF_TRUE, 115, (), (cond --), err|esc|jump,
     POP_JUMP_FORWARD_IF_TRUE)
{
    int truth = kr_truth_steal(cond);
    ERROR_IF(truth < 0);
    if (truth) {
        JUMP_BY(oparg);
    }
}

inst(POP_JUMP_BACKWARD_IF_FALSE, 175, (), (cond --), end|err|esc|jump,
     POP_JUMP_BACKWARD_IF_FALSE)
{
    int truth = kr_truth_steal(cond);
    ERROR_IF(truth < 0);
    stack_pointer--;
    if (!truth) {
        JUMP_BY(-oparg);
        CHECK_BREAKER();
    }
    DISPATCH();
}

inst(POP_JUMP_BACKWARD_IF_TRUE, 176, (), (cond --), end|err|esc|jump,
     POP_JUMP_BACKWARD_IF_TRUE)
{
    int truth = kr_truth_steal(cond);
    ERROR_IF(truth < 0);
    stack_pointer--;
    if (truth) {
        JUMP_BY(-oparg);
        CHECK_BREAKER();
    }
    DISPATCH();
}

inst(POP_JUMP_FORWARD_IF_NONE, 129, (), (value --), esc|jump,
     POP_JUMP_FORWARD_IF_NONE)
{
    if (Py_IsNone(value)) {
        JUMP_BY(oparg);
    }
    Py_DECREF(value);
}

inst(POP_JUMP_FORWARD_IF_NOT_NONE, 128, (), (value --), esc|jump,
     POP_JUMP_FORWARD_IF_NOT_NONE)
{
    if (!Py_IsNone(value)) {
        JUMP_BY(oparg);
    }
    Py_DECREF(value);
}

inst(POP_JUMP_BACKWARD_IF_NONE, 174, (), (value --), end|esc|err|jump,
     POP_JUMP_BACKWARD_IF_NONE)
{
    int jump = Py_IsNone(value);
    stack_pointer--;
    Py_DECREF(value);
    if (jump) {
        JUMP_BY(-oparg);
        CHECK_BREAKER();
    }
    DISPATCH();
}

inst(POP_JUMP_BACKWARD_IF_NOT_NONE, 173, (), (value --), end|esc|err|jump,
     POP_JUMP_BACKWARD_IF_NOT_NONE)
{
    int jump = !Py_IsNone(value);
    stack_pointer--;
    Py_DECREF(value);
    if (jump) {
        JUMP_BY(-oparg);
        CHECK_BREAKER();
    }
    DISPATCH();
}

inst(JUMP_IF_FALSE_OR_POP, 111, (), (cond --), end|err|esc|jump,
     JUMP_IF_FALSE_OR_POP)
{
    int truth = kr_truth(cond);
    ERROR_KEEP(truth < 0);
    if (truth) {
        stack_pointer--;
        Py_DECREF(cond);
    }
    else {
        JUMP_BY(oparg);
    }
    DISPATCH();
}

inst(JUMP_IF_TRUE_OR_POP, 112, (), (cond --), end|err|esc|jump,
     JUMP_IF_TRUE_OR_POP)
{
    int truth = kr_truth(cond);
    ERROR_KEEP(truth < 0);
    if (!truth) {
        stack_pointer--;
        Py_DECREF(cond);
    }
    else {
        JUMP_BY(oparg);
    }
    DISPATCH();
}

inst(GET_ITER, 68, (), (iterable -- iter), err|esc, GET_ITER)
{
    iter = PyObject_GetIter(iterable);
    Py_DECREF(iterable);
    ERROR_IF(iter == NULL);
}

inst(FOR_ITER, 93, (), (iter -- iter, unused), end|err|esc|jump, FOR_ITER)
{
    PyTypeObject *type = Py_TYPE(iter);
    PyObject *next;
    if (type == &PyListIter_Type) {
        kr_list_iterator *it = (kr_list_iterator *)iter;
        PyListObject *seq = it->seq;
        if (KR_UNLIKELY(seq == NULL || it->index >= Py_SIZE(seq))) {
            next = type->tp_iternext(iter);
        }
        else {
            next = Py_NewRef(PyList_GET_ITEM(seq, it->index));
            it->index++;
        }
    }
    else if (type == &PyTupleIter_Type) {
        kr_tuple_iterator *it = (kr_tuple_iterator *)iter;
        PyTupleObject *seq = it->seq;
        if (KR_UNLIKELY(seq == NULL || it->index >= Py_SIZE(seq))) {
            next = type->tp_iternext(iter);
        }
        else {
            next = Py_NewRef(PyTuple_GET_ITEM(seq, it->index));
            it->index++;
        }
    }
    else if (type == &PyRangeIter_Type) {
        _PyRangeIterObject *r = (_PyRangeIterObject *)iter;
        if (r->index >= r->len) {
            goto exhausted;
        }
        next = kr_int_from_i64((int64_t)((uint64_t)r->start +
                                         (uint64_t)r->index++ *
                                             (uint64_t)r->step));
    }
    else if (type == &PyGen_Type &&
             CAN_ENTER_GENERATOR((PyGenObject *)iter)) {
        ENTER_GENERATOR((PyGenObject *)iter, Py_NewRef(Py_None));
    }
    else {
        ERROR_KEEP(type->tp_iternext == NULL && kr_no_iterator(iter));
        next = type->tp_iternext(iter);
    }
    if (KR_LIKELY(next != NULL)) {
        *stack_pointer++ = next;
        DISPATCH();
    }
    if (tstate->curexc_type != NULL) {
        ERROR_KEEP(!PyErr_ExceptionMatches(PyExc_StopIteration));
        if (tstate->c_tracefunc != NULL) {
            kr_trace_exception(tstate, frame);
        }
        PyErr_Clear();
    }
exhausted:
    stack_pointer--;
    Py_DECREF(iter);
    JUMP_BY(oparg);
    DISPATCH();
}

/* Exceptions. */

inst(RAISE_VARARGS, 130, (), (args[oparg] --), end|err|esc, RAISE_VARARGS)
{
    PyObject *exc = oparg > 0 ? args[0] : NULL;
    PyObject *cause = oparg > 1 ? args[1] : NULL;
    stack_pointer -= oparg;
    if (kr_do_raise(tstate, exc, cause)) {
        GOTO(exception_unwind); /* a bare raise adds no traceback entry */
    }
    GOTO(error);
}

inst(RERAISE, 119, (), (exc --), end|err, RERAISE)
{
    if (oparg) {
        ERROR_KEEP(kr_bad_lasti(frame, PEEK(oparg + 1)));
    }
    ERROR_KEEP(kr_no_exception(exc));
    stack_pointer--;
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exc)), exc,
                  PyException_GetTraceback(exc));
    GOTO(exception_unwind);
}

inst(PUSH_EXC_INFO, 35, (), (exc -- previous, current), err, PUSH_EXC_INFO)
{
    ERROR_KEEP(kr_no_exception(exc));
    _PyErr_StackItem *info = tstate->exc_info;
    previous = info->exc_value != NULL ? info->exc_value : Py_NewRef(Py_None);
    current = exc;
    info->exc_value = Py_NewRef(exc);
}

inst(POP_EXCEPT, 89, (), (exc --), err|esc, POP_EXCEPT)
{
    ERROR_KEEP(exc != Py_None && kr_no_exception(exc));
    _PyErr_StackItem *info = tstate->exc_info;
    PyObject *old = info->exc_value;
    info->exc_value = exc;
    Py_XDECREF(old);
}

inst(CHECK_EXC_MATCH, 36, (), (exc, type -- exc, res), err|esc,
     CHECK_EXC_MATCH)
{
    int match = kr_except_match(exc, type);
    Py_DECREF(type);
    if (match < 0) {
        stack_pointer--;
        GOTO(error);
    }
    res = Py_NewRef(match ? Py_True : Py_False);
}

inst(CHECK_EG_MATCH, 37, (), (exc, type -- rest, match), err|esc,
     CHECK_EG_MATCH)
{
    rest = match = NULL;
    ERROR_KEEP(kr_except_star_match(exc, type, &match, &rest) < 0);
    Py_DECREF(type);
    Py_DECREF(exc);
    if (!Py_IsNone(match)) {
        PyErr_SetHandledException(match);
    }
}

inst(PREP_RERAISE_STAR, 88, (), (orig, excs -- res), err|esc,
     PREP_RERAISE_STAR)
{
    res = _PyExc_PrepReraiseStar(orig, excs);
    Py_DECREF(excs);
    Py_DECREF(orig);
    ERROR_IF(res == NULL);
}

inst(BEFORE_WITH, 53, (), (mgr -- exit, res), err|esc, BEFORE_WITH)
{
    exit = NULL;
    res = kr_enter_context(mgr, &exit, 0);
    ERROR_KEEP(res == NULL);
    Py_DECREF(mgr);
}

inst(BEFORE_ASYNC_WITH, 52, (), (mgr -- exit, res), err|esc,
     BEFORE_ASYNC_WITH)
{
    exit = NULL;
    res = kr_enter_context(mgr, &exit, 1);
    ERROR_KEEP(res == NULL);
    Py_DECREF(mgr);
}

inst(WITH_EXCEPT_START, 49, (),
     (exit, lasti, unused, exc -- exit, lasti, unused, exc, res), err|esc,
     WITH_EXCEPT_START)
{
    (void)lasti;
    ERROR_KEEP(kr_no_exception(exc));
    res = kr_call_exit(exit, exc);
    ERROR_KEEP(res == NULL);
}

/* Imports. */

inst(IMPORT_NAME, 108, (), (level, fromlist -- res), err|esc|name, IMPORT_NAME)
{
    res = kr_import_name(tstate, frame, NAME(oparg), fromlist, level);
    Py_DECREF(level);
    Py_DECREF(fromlist);
    ERROR_IF(res == NULL);
}

inst(IMPORT_FROM, 109, (), (module -- module, res), err|esc|name, IMPORT_FROM)
{
    res = kr_import_from(module, NAME(oparg));
    ERROR_KEEP(res == NULL);
}

inst(IMPORT_STAR, 84, (), (module --), err|esc, IMPORT_STAR)
{
    int err = kr_import_star(frame, module);
    Py_DECREF(module);
    ERROR_IF(err < 0);
}

/* The way of an exception. */

label(error)
{
    kwnames = NULL;
    if (tstate->curexc_type == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "error return without exception set");
    }
    if (!kr_frame_incomplete(frame)) {
        PyFrameObject *f = kr_frame_object(frame);
        if (f != NULL) {
            PyTraceBack_Here(f);
        }
    }
    if (tstate->c_tracefunc != NULL) {
        kr_trace_exception(tstate, frame);
    }
    GOTO(exception_unwind);
}

label(exception_unwind)
{
    stack_pointer = kr_unwind(tstate, frame, stack_pointer, &next_instr);
    if (stack_pointer == NULL) {
        GOTO(exit_unwind);
    }
    kwnames = NULL;
    DISPATCH();
}

/* No handler here: leave the frame with the exception set. */
label(exit_unwind)
{
    kr_leave_recursive(tstate);
    if (frame->is_entry == KR_EXIT_C) {
        tstate->cframe = cframe->previous;
        tstate->cframe->current_frame = frame->previous;
        return NULL;
    }
    _PyInterpreterFrame *done = frame;
    frame = cframe->current_frame = done->previous;
    if (done->is_entry == KR_EXIT_GENERATOR) {
        kr_gen_ended(tstate, kr_frame_generator(done), 1);
    }
    else {
        kr_end_frame(tstate, done);
    }
    GOTO(resume_with_error);
}

label(resume_with_error)
{
    next_instr = frame->prev_instr + 1;
    stack_pointer = frame->localsplus + frame->stacktop;
    frame->stacktop = -1;
    GOTO(error);
}

/* A frame ends whose caller does not just get the value, which is above the top
 * of the stack. */
label(exit_special)
{
    PyObject *retval = *stack_pointer;
    _PyInterpreterFrame *done = frame;
    kr_leave_recursive(tstate);
    if (done->is_entry == KR_EXIT_C) {
        tstate->cframe = cframe->previous;
        tstate->cframe->current_frame = frame->previous;
        return retval;
    }
    frame = cframe->current_frame = done->previous;
    if (done->is_entry == KR_EXIT_INIT) {
        kr_end_frame(tstate, done);
        if (KR_UNLIKELY(retval != Py_None)) {
            PyErr_Format(PyExc_TypeError,
                         "__init__() should return None, not '%.200s'",
                         Py_TYPE(retval)->tp_name);
            Py_DECREF(retval);
            GOTO(resume_with_error);
        }
        Py_DECREF(retval);
        GOTO_RESUME();
    }
    kr_gen_ended(tstate, kr_frame_generator(done), 0);
    next_instr = frame->prev_instr + 1 + frame->return_offset;
    stack_pointer = frame->localsplus + frame->stacktop;
    frame->stacktop = -1;
    PyObject *gen = PEEK(1);
    if (KR_OPCODE(*frame->prev_instr) == FOR_ITER) {
        stack_pointer--;
        Py_DECREF(retval);
    }
    else {
        PEEK(1) = retval; /* of SEND */
    }
    Py_DECREF(gen);
    DISPATCH();
}

label(start_frame)
{
    if (KR_UNLIKELY(kr_enter_recursive(tstate, ""))) {
        tstate->recursion_remaining--; /* exit_unwind gives it back */
        GOTO(exit_unwind);
    }
    GOTO(resume_frame);
}

label(resume_frame)
{
    next_instr = frame->prev_instr + 1;
    stack_pointer = frame->localsplus + frame->stacktop;
    frame->stacktop = -1;
    DISPATCH();
}

/* The first instruction of code that nobody has checked yet. Its tables are not
 * to be used, so an error just leaves the frame. */
inst(VERIFY, 254, (), (--), end|err, VERIFY)
{
    next_instr--;
    frame->prev_instr = next_instr - 1;
    if (kr_code_admit(frame->f_code) < 0) {
        kr_frame_set_sp(frame, stack_pointer);
        GOTO(exit_unwind);
    }
    DISPATCH();
}

/* Number 255: every instruction of a traced thread comes here first. */
inst(DO_TRACING, 255, (), (--), end, DO_TRACING)
{
    _Py_CODEUNIT *next = --next_instr;
    stack_pointer = kr_trace_instruction(tstate, frame, cframe, stack_pointer,
                                         &next_instr, KR_PREV_INSTR);
    if (stack_pointer == NULL) {
        stack_pointer = frame->localsplus + frame->stacktop;
        frame->stacktop = -1;
        next_instr++;
        GOTO(error);
    }
    if (next_instr != next) {
        kwnames = NULL; /* jumped away from a call */
    }
    int op = kr_opcode_deopt[KR_OPCODE(*next_instr)];
    oparg = KR_OPARG(*next_instr);
    GOTO_OP(op);
}

/* An exception thrown into a suspended generator. */
label(throw_into)
{
    if (KR_UNLIKELY(kr_enter_recursive(tstate, ""))) {
        tstate->recursion_remaining--; /* exit_unwind gives it back */
        GOTO(exit_unwind);
    }
    if (KR_UNLIKELY(cframe->use_tracing) && kr_trace_call(tstate, frame) < 0) {
        GOTO(resume_with_error);
    }
    GOTO(resume_with_error);
}
