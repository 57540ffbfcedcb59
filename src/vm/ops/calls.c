/* Calls, functions, generators. */

inst(KW_NAMES, 172, (), (--), const, KW_NAMES)
{
    kwnames = CONST(oparg);
}

inst(PRECALL, 166, (counter:1), (--), none, PRECALL)
{
    int is_method = PEEK(oparg + 2) != NULL;
    PyObject *callable = PEEK(oparg + is_method + 1);
    if (!is_method && Py_IS_TYPE(callable, &PyMethod_Type)) {
        PEEK(oparg + 1) = Py_NewRef(PyMethod_GET_SELF(callable));
        PEEK(oparg + 2) = Py_NewRef(PyMethod_GET_FUNCTION(callable));
        Py_DECREF(callable);
    }
}

inst(CALL, 171, (counter:1, func_version:2, min_args:1),
     (unused[oparg + 2] -- unused), end|err|esc, CALL)
{
    int is_method = PEEK(oparg + 2) != NULL;
    int total = oparg + is_method;
    PyObject *callable = PEEK(total + 1);
    Py_ssize_t positional = total - KR_KWCOUNT(kwnames);
    if (kr_is_plain_function(tstate, callable)) {
        PyFunctionObject *func = (PyFunctionObject *)callable;
        PyCodeObject *co = (PyCodeObject *)func->func_code;
        PyObject *locals = co->co_flags & CO_OPTIMIZED
                               ? NULL
                               : Py_NewRef(func->func_globals);
        stack_pointer -= total;
        _PyInterpreterFrame *callee = kr_push_call(
            tstate, func, locals, stack_pointer, positional, kwnames);
        stack_pointer -= 2 - is_method;
        kwnames = NULL;
        /* without a method there is a NULL below the callable */
        if (callee == NULL) {
            GOTO(error);
        }
        next_instr += 4;
        ENTER_FRAME(callee);
    }
    PyFunctionObject *init;
    if (!is_method && !cframe->use_tracing &&
        (init = kr_plain_init(tstate, callable)) != NULL) {
        PyObject *self = ((PyTypeObject *)callable)
                             ->tp_alloc((PyTypeObject *)callable, 0);
        if (KR_UNLIKELY(self == NULL)) {
            GOTO(error);
        }
        Py_INCREF(init);
        PEEK(oparg + 1) = Py_NewRef(self); /* in front of the arguments */
        stack_pointer -= oparg + 1;
        _PyInterpreterFrame *callee = kr_push_call(
            tstate, init, NULL, stack_pointer, positional + 1, kwnames);
        kwnames = NULL;
        Py_DECREF(callable);
        PEEK(1) = self; /* for the NULL below the callable */
        if (callee == NULL) {
            GOTO(error);
        }
        callee->is_entry = KR_EXIT_INIT;
        next_instr += 4;
        ENTER_FRAME(callee);
    }
    PyObject *res =
        kr_call(tstate, frame, cframe, callable, stack_pointer - total,
                (size_t)positional | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    kwnames = NULL;
    Py_DECREF(callable);
    for (int i = 1; i <= total; i++) {
        Py_DECREF(stack_pointer[-i]);
    }
    stack_pointer -= 2 + oparg;
    if (res == NULL) {
        GOTO(error);
    }
    *stack_pointer++ = res;
    next_instr += 4;
    CHECK_BREAKER();
    DISPATCH();
}

inst(CALL_FUNCTION_EX, 142, (), (unused[3 + (oparg & 1)] -- unused), end|err|esc, CALL_FUNCTION_EX)
{
    PyObject *kwargs = oparg & 1 ? PEEK(1) : NULL;
    PyObject **base = stack_pointer - (oparg & 1) - 2; /* callable, args */
    if (kr_prepare_call_ex(base, kwargs, &stack_pointer[-1]) < 0) {
        GOTO(error);
    }
    kwargs = oparg & 1 ? PEEK(1) : NULL;
    if (kr_is_plain_function(tstate, base[0])) {
        _PyInterpreterFrame *callee =
            kr_push_call_ex(tstate, base[0], base[1], kwargs);
        Py_DECREF(base[1]);
        Py_XDECREF(kwargs);
        stack_pointer = base - 1;
        if (callee == NULL) {
            GOTO(error);
        }
        ENTER_FRAME(callee);
    }
    PyObject *res = kr_call_ex(tstate, frame, cframe, base[0], base[1], kwargs);
    Py_DECREF(base[0]);
    Py_DECREF(base[1]);
    Py_XDECREF(kwargs);
    stack_pointer = base - 1; /* the NULL below the callable */
    if (res == NULL) {
        GOTO(error);
    }
    *stack_pointer++ = res;
    CHECK_BREAKER();
    DISPATCH();
}

inst(MAKE_FUNCTION, 132, (),
     (closure_parts[KR_POPCOUNT4(oparg)], code -- res), err, MAKE_FUNCTION)
{
    res = kr_make_function(frame, code, oparg, closure_parts);
    Py_DECREF(code);
    ERROR_IF(res == NULL);
}

inst(RETURN_VALUE, 83, (), (retval --), end|esc, RETURN_VALUE)
{
    stack_pointer--;
    kr_frame_set_sp(frame, stack_pointer);
    if (KR_UNLIKELY(cframe->use_tracing) &&
        kr_trace_return(tstate, frame, retval) < 0) {
        Py_DECREF(retval);
        GOTO(exit_unwind);
    }
    if (KR_UNLIKELY(frame->is_entry)) {
        GOTO(exit_special);
    }
    _PyInterpreterFrame *done = frame;
    frame = cframe->current_frame = done->previous;
    /* destructors that run now count as called from the caller */
    if (KR_LIKELY(done->frame_obj == NULL && done->f_locals == NULL)) {
        end_frame(tstate, done, stack_pointer);
        kr_leave_recursive(tstate);
    }
    else {
        kr_leave_recursive(tstate);
        kr_end_frame(tstate, done);
    }
    RESUME_WITH(retval);
}

/* Generators. */

inst(RETURN_GENERATOR, 75, (), (-- unused), end|err, RETURN_GENERATOR)
{
    PyObject *gen = kr_gen_from_function(frame->f_func, frame->f_code);
    if (gen == NULL) {
        GOTO(error);
    }
    kr_frame_set_sp(frame, stack_pointer);
    _PyInterpreterFrame *inside =
        (_PyInterpreterFrame *)((PyGenObject *)gen)->gi_iframe;
    kr_frame_copy(frame, inside);
    ((PyGenObject *)gen)->gi_frame_state = KR_GEN_CREATED;
    inside->owner = KR_FRAME_GENERATOR;
    kr_leave_recursive(tstate);
    if (frame->is_entry == KR_EXIT_C) {
        tstate->cframe = cframe->previous;
        tstate->cframe->current_frame = frame->previous;
        /* the C caller ends the frame; what it held has moved away */
        frame->f_func = NULL;
        return gen;
    }
    _PyInterpreterFrame *done = frame;
    frame = cframe->current_frame = done->previous;
    kr_stack_pop(tstate, done);
    RESUME_WITH(gen);
}

inst(YIELD_VALUE, 86, (), (retval -- unused), end|esc, YIELD_VALUE)
{
    PyGenObject *gen = kr_frame_generator(frame);
    gen->gi_frame_state = KR_GEN_SUSPENDED;
    kr_frame_set_sp(frame, stack_pointer - 1);
    if (KR_UNLIKELY(cframe->use_tracing) &&
        kr_trace_return(tstate, frame, retval) < 0) {
        gen->gi_frame_state = KR_GEN_EXECUTING;
        Py_DECREF(retval);
        GOTO(exit_unwind);
    }
    kr_leave_recursive(tstate);
    _PyInterpreterFrame *caller = frame->previous;
    if (frame->is_entry == KR_EXIT_C) {
        tstate->cframe = cframe->previous;
        tstate->cframe->current_frame = caller;
        return retval;
    }
    tstate->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    frame->previous = NULL;
    frame = cframe->current_frame = caller;
    RESUME_WITH(retval);
}

inst(SEND, 123, (), (receiver, value -- receiver, unused), end|err|esc|jump, SEND)
{
    if ((PyGen_CheckExact(receiver) || PyCoro_CheckExact(receiver)) &&
        CAN_ENTER_GENERATOR((PyGenObject *)receiver) &&
        (Py_IsNone(value) ||
         ((PyGenObject *)receiver)->gi_frame_state != KR_GEN_CREATED)) {
        stack_pointer--;
        ENTER_GENERATOR((PyGenObject *)receiver, value);
    }
    PyObject *result = NULL;
    PySendResult status =
        kr_send(tstate, frame, receiver, value, &result);
    stack_pointer--;
    Py_DECREF(value);
    if (status == PYGEN_ERROR) {
        GOTO(error);
    }
    if (status == PYGEN_RETURN) {
        PEEK(1) = result;
        Py_DECREF(receiver);
        JUMP_BY(oparg);
        DISPATCH();
    }
    *stack_pointer++ = result;
    DISPATCH();
}

inst(ASYNC_GEN_WRAP, 87, (), (value -- res), err, ASYNC_GEN_WRAP)
{
    res = kr_async_gen_wrap(value);
    ERROR_KEEP(res == NULL);
    Py_DECREF(value);
}

inst(GET_YIELD_FROM_ITER, 69, (), (iterable -- iter), err|esc,
     GET_YIELD_FROM_ITER)
{
    iter = kr_yield_from_iter(frame->f_code, iterable);
    ERROR_KEEP(iter == NULL);
    Py_DECREF(iterable);
}

inst(GET_AWAITABLE, 131, (), (iterable -- iter), err|esc, GET_AWAITABLE)
{
    iter = kr_get_awaitable(iterable, oparg);
    Py_DECREF(iterable);
    ERROR_IF(iter == NULL);
}

inst(GET_AITER, 50, (), (obj -- iter), err|esc, GET_AITER)
{
    iter = kr_get_aiter(obj);
    Py_DECREF(obj);
    ERROR_IF(iter == NULL);
}

inst(GET_ANEXT, 51, (), (aiter -- aiter, awaitable), err|esc, GET_ANEXT)
{
    awaitable = kr_get_anext(aiter);
    ERROR_KEEP(awaitable == NULL);
}

inst(END_ASYNC_FOR, 54, (), (aiter, exc --), end|err|esc, END_ASYNC_FOR)
{
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopAsyncIteration)) {
        stack_pointer -= 2;
        Py_DECREF(exc);
        Py_DECREF(aiter);
        DISPATCH();
    }
    ERROR_KEEP(kr_no_exception(exc));
    stack_pointer--;
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exc)), exc,
                  PyException_GetTraceback(exc));
    GOTO(exception_unwind);
}
