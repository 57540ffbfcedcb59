/* Adaptive forms: count down, then specialise and run again. */

/* A guard of the special form before next_instr failed. */
label(miss)
{
    next_instr--;
    int family = kr_opcode_deopt[KR_OPCODE(*next_instr)];
    kr_cache_miss(next_instr + 1, kr_adaptive_form[family]);
    GOTO_OP(family);
}

inst(LOAD_GLOBAL_ADAPTIVE, 47, (counter:1), (--), end, LOAD_GLOBAL)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_load_global(frame->f_globals, frame->f_builtins,
                                  next_instr, NAME(oparg >> 1));
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(LOAD_ATTR_ADAPTIVE, 39, (counter:1), (--), end, LOAD_ATTR)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_load_attr(PEEK(1), next_instr, NAME(oparg));
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(STORE_ATTR_ADAPTIVE, 153, (counter:1), (--), end, STORE_ATTR)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_store_attr(PEEK(1), next_instr, NAME(oparg));
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(LOAD_METHOD_ADAPTIVE, 56, (counter:1), (--), end, LOAD_METHOD)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_load_method(PEEK(1), next_instr, NAME(oparg));
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(BINARY_SUBSCR_ADAPTIVE, 17, (counter:1), (--), end, BINARY_SUBSCR)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_binary_subscr(PEEK(2), PEEK(1), next_instr);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(STORE_SUBSCR_ADAPTIVE, 168, (counter:1), (--), end, STORE_SUBSCR)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_store_subscr(PEEK(2), PEEK(1), next_instr);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(BINARY_OP_ADAPTIVE, 3, (counter:1), (--), end, BINARY_OP)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_binary_op(PEEK(2), PEEK(1), next_instr, oparg,
                                frame->localsplus);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(COMPARE_OP_ADAPTIVE, 26, (counter:1), (--), end, COMPARE_OP)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_compare_op(PEEK(2), PEEK(1), next_instr, oparg);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(UNPACK_SEQUENCE_ADAPTIVE, 177, (counter:1), (--), end, UNPACK_SEQUENCE)
{
    if (kr_spec_due(next_instr)) {
        next_instr--;
        kr_specialize_unpack_sequence(PEEK(1), next_instr, oparg);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(PRECALL_ADAPTIVE, 64, (counter:1), (--), end, PRECALL)
{
    if (kr_spec_due(next_instr)) {
        int is_method = PEEK(oparg + 2) != NULL;
        next_instr--;
        kr_specialize_precall(PEEK(oparg + is_method + 1), next_instr,
                              is_method, oparg, kwnames);
        REDISPATCH();
    }
    GENERAL_FORM();
}

inst(CALL_ADAPTIVE, 22, (counter:1), (--), end, CALL)
{
    if (kr_spec_due(next_instr)) {
        int is_method = PEEK(oparg + 2) != NULL;
        next_instr--;
        kr_specialize_call(PEEK(oparg + is_method + 1), next_instr,
                           oparg + is_method, kwnames);
        REDISPATCH();
    }
    GENERAL_FORM();
}
