/* Instructions that move values: stack, locals, cells, constants, names. */

inst(CACHE, 0, (), (--), end, CACHE)
{
    kr_unreachable();
}

inst(NOP, 9, (), (--), none, NOP)
{
}

inst(POP_TOP, 1, (), (value --), esc, POP_TOP)
{
    Py_DECREF(value);
}

inst(PUSH_NULL, 2, (), (-- null), none, PUSH_NULL)
{
    null = NULL;
}

inst(COPY, 120, (), (-- value), none, COPY)
{
    value = Py_NewRef(PEEK(oparg));
}

inst(SWAP, 99, (), (--), none, SWAP)
{
    PyObject *top = PEEK(1);
    PEEK(1) = PEEK(oparg);
    PEEK(oparg) = top;
}

inst(LOAD_CONST, 100, (), (-- value), const, LOAD_CONST)
{
    value = Py_NewRef(CONST(oparg));
}

inst(LOAD_FAST, 124, (), (-- value), err|local, LOAD_FAST)
{
    value = LOCAL(oparg);
    if (KR_UNLIKELY(value == NULL)) {
        GOTO(unbound_local);
    }
    Py_INCREF(value);
}

inst(STORE_FAST, 125, (), (value --), esc|local, STORE_FAST)
{
    SET_LOCAL(oparg, value);
}

inst(DELETE_FAST, 126, (), (--), err|esc|local, DELETE_FAST)
{
    if (LOCAL(oparg) == NULL) {
        GOTO(unbound_local);
    }
    SET_LOCAL(oparg, NULL);
}

inst(LOAD_FAST__LOAD_FAST, 46, (), (-- a, b), err|local, LOAD_FAST)
{
    a = LOCAL(oparg);
    if (KR_UNLIKELY(a == NULL)) {
        GOTO(unbound_local);
    }
    /* the second half is an instruction of its own as far as errors go */
    oparg = KR_OPARG(*next_instr);
    frame->prev_instr = next_instr++;
    Py_INCREF(a);
    b = LOCAL(oparg);
    if (KR_UNLIKELY(b == NULL)) {
        *stack_pointer++ = a;
        GOTO(unbound_local);
    }
    Py_INCREF(b);
}

inst(LOAD_FAST__LOAD_CONST, 45, (), (-- a, b), err|local, LOAD_FAST)
{
    a = LOCAL(oparg);
    if (KR_UNLIKELY(a == NULL)) {
        GOTO(unbound_local);
    }
    oparg = KR_OPARG(*next_instr);
    frame->prev_instr = next_instr++;
    Py_INCREF(a);
    b = Py_NewRef(CONST(oparg));
}

inst(LOAD_CONST__LOAD_FAST, 44, (), (-- a, b), err|local, LOAD_CONST)
{
    a = Py_NewRef(CONST(oparg));
    oparg = KR_OPARG(*next_instr);
    frame->prev_instr = next_instr++;
    b = LOCAL(oparg);
    if (KR_UNLIKELY(b == NULL)) {
        *stack_pointer++ = a;
        GOTO(unbound_local);
    }
    Py_INCREF(b);
}

inst(STORE_FAST__LOAD_FAST, 161, (), (value -- next), err|esc|local, STORE_FAST)
{
    SET_LOCAL(oparg, value);
    oparg = KR_OPARG(*next_instr);
    frame->prev_instr = next_instr++;
    next = LOCAL(oparg);
    if (KR_UNLIKELY(next == NULL)) {
        stack_pointer--;
        GOTO(unbound_local);
    }
    Py_INCREF(next);
}

inst(STORE_FAST__STORE_FAST, 167, (), (b, a --), esc|local, STORE_FAST)
{
    SET_LOCAL(oparg, a);
    oparg = KR_OPARG(*next_instr);
    frame->prev_instr = next_instr++;
    SET_LOCAL(oparg, b);
}

label(unbound_local)
{
    kr_raise_unbound_local(frame->f_code, oparg);
    GOTO(error);
}

inst(MAKE_CELL, 135, (), (--), err|local, MAKE_CELL)
{
    PyObject *cell = PyCell_New(LOCAL(oparg));
    ERROR_IF(cell == NULL);
    SET_LOCAL(oparg, cell);
}

inst(LOAD_CLOSURE, 136, (), (-- cell), err|local, LOAD_CLOSURE)
{
    cell = LOCAL(oparg);
    if (cell == NULL) {
        GOTO(unbound_local);
    }
    Py_INCREF(cell);
}

inst(LOAD_DEREF, 137, (), (-- value), err|local, LOAD_DEREF)
{
    value = PyCell_GET(LOCAL(oparg));
    if (KR_UNLIKELY(value == NULL)) {
        kr_raise_unbound_deref(frame->f_code, oparg);
        GOTO(error);
    }
    Py_INCREF(value);
}

inst(STORE_DEREF, 138, (), (value --), esc|local, STORE_DEREF)
{
    PyObject *cell = LOCAL(oparg);
    PyObject *old = PyCell_GET(cell);
    PyCell_SET(cell, value);
    Py_XDECREF(old);
}

inst(DELETE_DEREF, 139, (), (--), err|esc|local, DELETE_DEREF)
{
    PyObject *cell = LOCAL(oparg);
    PyObject *old = PyCell_GET(cell);
    if (old == NULL) {
        kr_raise_unbound_deref(frame->f_code, oparg);
        GOTO(error);
    }
    PyCell_SET(cell, NULL);
    Py_DECREF(old);
}

inst(LOAD_CLASSDEREF, 148, (), (-- value), err|esc|local, LOAD_CLASSDEREF)
{
    value = kr_load_classderef(frame, oparg);
    ERROR_IF(value == NULL);
}

inst(COPY_FREE_VARS, 149, (), (--), none, COPY_FREE_VARS)
{
    PyCodeObject *co = frame->f_code;
    PyObject *closure = frame->f_func->func_closure;
    int at = co->co_nlocalsplus - oparg;
    for (int i = 0; i < oparg; i++) {
        frame->localsplus[at + i] = Py_NewRef(PyTuple_GET_ITEM(closure, i));
    }
}

inst(LOAD_NAME, 101, (), (-- value), err|esc|name, LOAD_NAME)
{
    value = kr_load_name(frame, NAME(oparg));
    ERROR_IF(value == NULL);
}

inst(STORE_NAME, 90, (), (value --), err|esc|name, STORE_NAME)
{
    int err = kr_store_name(frame, NAME(oparg), value);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(DELETE_NAME, 91, (), (--), err|esc|name, DELETE_NAME)
{
    ERROR_IF(kr_delete_name(frame, NAME(oparg)) < 0);
}

inst(STORE_GLOBAL, 97, (), (value --), err|esc|name, STORE_GLOBAL)
{
    int err = PyDict_SetItem(frame->f_globals, NAME(oparg), value);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(DELETE_GLOBAL, 98, (), (--), err|esc|name, DELETE_GLOBAL)
{
    ERROR_IF(kr_delete_global(frame, NAME(oparg)) < 0);
}

inst(LOAD_GLOBAL, 116,
     (counter:1, index:1, module_keys_version:2, builtin_keys_version:1),
     (-- null[oparg & 1], value), err|esc|name, LOAD_GLOBAL)
{
    null = NULL;
    value = kr_load_global(frame, NAME(oparg >> 1));
    ERROR_IF(value == NULL);
}

inst(SETUP_ANNOTATIONS, 85, (), (--), err|esc, SETUP_ANNOTATIONS)
{
    ERROR_IF(kr_setup_annotations(frame) < 0);
}

inst(LOAD_ASSERTION_ERROR, 74, (), (-- value), none, LOAD_ASSERTION_ERROR)
{
    value = Py_NewRef(PyExc_AssertionError);
}

inst(LOAD_BUILD_CLASS, 71, (), (-- value), err|esc, LOAD_BUILD_CLASS)
{
    value = kr_load_build_class(frame);
    ERROR_IF(value == NULL);
}

inst(PRINT_EXPR, 70, (), (value --), err|esc, PRINT_EXPR)
{
    int err = kr_print_expr(value);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(EXTENDED_ARG, 144, (), (--), end, EXTENDED_ARG)
{
    int op = kr_opcode_deopt[KR_OPCODE(*next_instr)];
    oparg = oparg << 8 | KR_OPARG(*next_instr);
    GOTO_OP(op);
}

inst(EXTENDED_ARG_QUICK, 34, (), (--), end, EXTENDED_ARG)
{
    int op = KR_OPCODE(*next_instr);
    oparg = oparg << 8 | KR_OPARG(*next_instr);
    GOTO_OP(op);
}
