/* Special forms of PRECALL and CALL. Those that make the call in PRECALL skip the
 * CALL that follows; `args` below begins with self for methods. */

inst(PRECALL_PYFUNC, 143, (counter:1), (--), deopt, PRECALL)
{
    int is_method = PEEK(oparg + 2) != NULL;
    DEOPT_IF(!Py_IS_TYPE(PEEK(oparg + is_method + 1), &PyFunction_Type));
}

inst(PRECALL_BOUND_METHOD, 65, (counter:1), (--), deopt, PRECALL)
{
    DEOPT_IF(PEEK(oparg + 2) != NULL);
    PyObject *bound = PEEK(oparg + 1);
    DEOPT_IF(!Py_IS_TYPE(bound, &PyMethod_Type));
    PEEK(oparg + 1) = Py_NewRef(PyMethod_GET_SELF(bound));
    PEEK(oparg + 2) = Py_NewRef(PyMethod_GET_FUNCTION(bound));
    Py_DECREF(bound);
}

inst(PRECALL_NO_KW_TYPE_1, 141, (counter:1), (null, callable, arg -- res),
     end|deopt|esc, PRECALL)
{
    DEOPT_IF(oparg != 1 || kwnames != NULL || null != NULL);
    DEOPT_IF(callable != (PyObject *)&PyType_Type);
    res = Py_NewRef((PyObject *)Py_TYPE(arg));
    Py_DECREF(callable);
    Py_DECREF(arg);
    CALL_DONE(res, 3);
}

inst(PRECALL_NO_KW_STR_1, 121, (counter:1), (null, callable, arg -- res),
     end|deopt|err|esc, PRECALL)
{
    DEOPT_IF(oparg != 1 || kwnames != NULL || null != NULL);
    DEOPT_IF(callable != (PyObject *)&PyUnicode_Type);
    res = PyObject_Str(arg);
    Py_DECREF(callable);
    Py_DECREF(arg);
    CALL_DONE(res, 3);
}

inst(PRECALL_NO_KW_TUPLE_1, 127, (counter:1), (null, callable, arg -- res),
     end|deopt|err|esc, PRECALL)
{
    DEOPT_IF(oparg != 1 || kwnames != NULL || null != NULL);
    DEOPT_IF(callable != (PyObject *)&PyTuple_Type);
    res = PySequence_Tuple(arg);
    Py_DECREF(callable);
    Py_DECREF(arg);
    CALL_DONE(res, 3);
}

inst(PRECALL_BUILTIN_CLASS, 66, (counter:1), (--), end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(!PyType_Check(callable));
    PyTypeObject *type = (PyTypeObject *)callable;
    DEOPT_IF(type->tp_vectorcall == NULL);
    PyObject *res =
        type->tp_vectorcall(callable, args,
                            (size_t)(total - KR_KWCOUNT(kwnames)), kwnames);
    kwnames = NULL;
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_BUILTIN_O, 76, (counter:1), (--), end|deopt|err|esc,
     PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 1 || kwnames != NULL);
    DEOPT_IF(!PyCFunction_CheckExact(callable));
    DEOPT_IF(PyCFunction_GET_FLAGS(callable) != METH_O);
    C_RECURSION_CHECK();
    PyObject *res = PyCFunction_GET_FUNCTION(callable)(
        PyCFunction_GET_SELF(callable), args[0]);
    kr_leave_recursive(tstate);
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_BUILTIN_FAST, 73, (counter:1), (--), end|deopt|err|esc,
     PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(kwnames != NULL || !PyCFunction_CheckExact(callable));
    DEOPT_IF(PyCFunction_GET_FLAGS(callable) != METH_FASTCALL);
    C_RECURSION_CHECK();
    PyObject *res =
        ((_PyCFunctionFast)(void (*)(void))PyCFunction_GET_FUNCTION(callable))(
            PyCFunction_GET_SELF(callable), args, total);
    kr_leave_recursive(tstate);
    CALL_CLEANUP(res);
}

inst(PRECALL_BUILTIN_FAST_WITH_KEYWORDS, 67, (counter:1), (--),
     end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(!PyCFunction_CheckExact(callable));
    DEOPT_IF(PyCFunction_GET_FLAGS(callable) !=
             (METH_FASTCALL | METH_KEYWORDS));
    C_RECURSION_CHECK();
    PyObject *res = ((_PyCFunctionFastWithKeywords)(void (*)(
        void))PyCFunction_GET_FUNCTION(callable))(
        PyCFunction_GET_SELF(callable), args, total - KR_KWCOUNT(kwnames),
        kwnames);
    kr_leave_recursive(tstate);
    kwnames = NULL;
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_LEN, 78, (counter:1), (--), end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 1 || kwnames != NULL || callable != kr_spec.len);
    Py_ssize_t n = PyObject_Size(args[0]);
    PyObject *res = n < 0 ? NULL : PyLong_FromSsize_t(n);
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_ISINSTANCE, 77, (counter:1), (--), end|deopt|err|esc,
     PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 2 || kwnames != NULL || callable != kr_spec.isinstance);
    int yes = PyObject_IsInstance(args[0], args[1]);
    PyObject *res = yes < 0 ? NULL : Py_NewRef(yes ? Py_True : Py_False);
    CALL_CLEANUP(res);
}

/* Also skips the POP_TOP behind, as the result is always dropped there. */
inst(PRECALL_NO_KW_LIST_APPEND, 79, (counter:1), (--), end|deopt|err|esc,
     PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 2 || oparg != 1 || kwnames != NULL);
    DEOPT_IF(callable != kr_spec.list_append || !PyList_Check(args[0]));
    PyObject *res =
        PyList_Append(args[0], args[1]) < 0 ? NULL : Py_NewRef(Py_None);
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS, 81, (counter:1), (--),
     end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 1 || kwnames != NULL);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyMethodDescr_Type));
    PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
    DEOPT_IF(descr->d_method->ml_flags != METH_NOARGS);
    DEOPT_IF(!PyObject_TypeCheck(args[0], descr->d_common.d_type));
    C_RECURSION_CHECK();
    PyObject *res = descr->d_method->ml_meth(args[0], NULL);
    kr_leave_recursive(tstate);
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_METHOD_DESCRIPTOR_O, 113, (counter:1), (--),
     end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total != 2 || kwnames != NULL);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyMethodDescr_Type));
    PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
    DEOPT_IF(descr->d_method->ml_flags != METH_O);
    DEOPT_IF(!PyObject_TypeCheck(args[0], descr->d_common.d_type));
    C_RECURSION_CHECK();
    PyObject *res = descr->d_method->ml_meth(args[0], args[1]);
    kr_leave_recursive(tstate);
    CALL_CLEANUP(res);
}

inst(PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST, 80, (counter:1), (--),
     end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total < 1 || kwnames != NULL);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyMethodDescr_Type));
    PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
    DEOPT_IF(descr->d_method->ml_flags != METH_FASTCALL);
    DEOPT_IF(!PyObject_TypeCheck(args[0], descr->d_common.d_type));
    C_RECURSION_CHECK();
    PyObject *res =
        ((_PyCFunctionFast)(void (*)(void))descr->d_method->ml_meth)(
            args[0], args + 1, total - 1);
    kr_leave_recursive(tstate);
    CALL_CLEANUP(res);
}

inst(PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS, 72, (counter:1), (--),
     end|deopt|err|esc, PRECALL)
{
    CALL_SHAPE();
    DEOPT_IF(total < 1);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyMethodDescr_Type));
    PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
    DEOPT_IF(descr->d_method->ml_flags != (METH_FASTCALL | METH_KEYWORDS));
    DEOPT_IF(total - KR_KWCOUNT(kwnames) < 1);
    DEOPT_IF(!PyObject_TypeCheck(args[0], descr->d_common.d_type));
    C_RECURSION_CHECK();
    PyObject *res = ((_PyCFunctionFastWithKeywords)(void (*)(
        void))descr->d_method->ml_meth)(
        args[0], args + 1, total - 1 - KR_KWCOUNT(kwnames), kwnames);
    kr_leave_recursive(tstate);
    kwnames = NULL;
    CALL_CLEANUP(res);
}

inst(CALL_PY_EXACT_ARGS, 23, (counter:1, func_version:2, min_args:1), (--),
     end|deopt|err, CALL)
{
    DEOPT_IF(kwnames != NULL);
    CALL_SHAPE();
    DEOPT_IF(tstate->interp->eval_frame != NULL);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyFunction_Type));
    PyFunctionObject *func = (PyFunctionObject *)callable;
    DEOPT_IF(func->func_version != CACHE32(func_version));
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    DEOPT_IF(co->co_argcount != total);
    _PyInterpreterFrame *callee = kr_stack_push(tstate, kr_frame_words(co));
    if (KR_UNLIKELY(callee == NULL)) {
        PyErr_NoMemory();
        GOTO(error);
    }
    kr_frame_init(callee, func, NULL, co, total);
    COPY_ARGUMENTS();
    stack_pointer = args - 2 + is_method;
    next_instr += 4;
    ENTER_FRAME(callee);
}

inst(CALL_PY_WITH_DEFAULTS, 24, (counter:1, func_version:2, min_args:1), (--),
     end|deopt|err, CALL)
{
    DEOPT_IF(kwnames != NULL);
    CALL_SHAPE();
    DEOPT_IF(tstate->interp->eval_frame != NULL);
    DEOPT_IF(!Py_IS_TYPE(callable, &PyFunction_Type));
    PyFunctionObject *func = (PyFunctionObject *)callable;
    DEOPT_IF(func->func_version != CACHE32(func_version));
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    int least = CACHE16(min_args);
    DEOPT_IF(total > co->co_argcount || total < least);
    _PyInterpreterFrame *callee = kr_stack_push(tstate, kr_frame_words(co));
    if (KR_UNLIKELY(callee == NULL)) {
        PyErr_NoMemory();
        GOTO(error);
    }
    kr_frame_init(callee, func, NULL, co, co->co_argcount);
    COPY_ARGUMENTS();
    for (int i = total; i < co->co_argcount; i++) {
        callee->localsplus[i] =
            Py_NewRef(PyTuple_GET_ITEM(func->func_defaults, i - least));
    }
    stack_pointer = args - 2 + is_method;
    next_instr += 4;
    ENTER_FRAME(callee);
}
