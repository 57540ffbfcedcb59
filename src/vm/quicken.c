/* Quickening: a code object that has run a few times gets the adaptive forms of
 * its instructions and its superinstructions, in place. */
#include <opcode.h>

#include "code/opcode_meta.h"
#include "vm/support.h"

/* Whether the pair of instructions has a form of its own. */
static int
pair(int first, int second)
{
    switch (first) {
        case LOAD_FAST:
            return second == LOAD_FAST    ? LOAD_FAST__LOAD_FAST
                   : second == LOAD_CONST ? LOAD_FAST__LOAD_CONST
                                          : 0;
        case LOAD_CONST:
            return second == LOAD_FAST ? LOAD_CONST__LOAD_FAST : 0;
        case STORE_FAST:
            return second == LOAD_FAST    ? STORE_FAST__LOAD_FAST
                   : second == STORE_FAST ? STORE_FAST__STORE_FAST
                                          : 0;
        default:
            return 0;
    }
}

/* The adaptive form of each opcode that has one. */
const uint8_t kr_adaptive_form[256] = {
    [RESUME] = RESUME_QUICK,
    [JUMP_BACKWARD] = JUMP_BACKWARD_QUICK,
    [EXTENDED_ARG] = EXTENDED_ARG_QUICK,
    [LOAD_GLOBAL] = LOAD_GLOBAL_ADAPTIVE,
    [LOAD_ATTR] = LOAD_ATTR_ADAPTIVE,
    [STORE_ATTR] = STORE_ATTR_ADAPTIVE,
    [LOAD_METHOD] = LOAD_METHOD_ADAPTIVE,
    [BINARY_SUBSCR] = BINARY_SUBSCR_ADAPTIVE,
    [STORE_SUBSCR] = STORE_SUBSCR_ADAPTIVE,
    [BINARY_OP] = BINARY_OP_ADAPTIVE,
    [COMPARE_OP] = COMPARE_OP_ADAPTIVE,
    [UNPACK_SEQUENCE] = UNPACK_SEQUENCE_ADAPTIVE,
    [PRECALL] = PRECALL_ADAPTIVE,
    [CALL] = CALL_ADAPTIVE,
};

void
kr_code_quicken(PyCodeObject *co)
{
    _Py_CODEUNIT *code = _PyCode_CODE(co);
    Py_ssize_t n = Py_SIZE(co);
    int previous = -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        int op = KR_OPCODE(code[i]);
        int form = kr_adaptive_form[op];
        int both = previous >= 0 ? pair(previous, op) : 0;
        if (form) {
            code[i] = KR_UNIT(form, KR_OPARG(code[i]));
        }
        if (both) {
            code[i - 1] = KR_UNIT(both, KR_OPARG(code[i - 1]));
        }
        /* the second of a pair may begin another one, as a jump may lead
         * there; the argument of an EXTENDED_ARG may not */
        previous = op == EXTENDED_ARG ? -1 : op;
        if (i > 0 && kr_opcode_deopt[KR_OPCODE(code[i - 1])] == EXTENDED_ARG) {
            previous = -1;
        }
        i += kr_opcode_caches[op];
    }
}
