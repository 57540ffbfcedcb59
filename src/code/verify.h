/* Checking code objects that come from outside before they run. */
#ifndef KR_CODE_VERIFY_H
#define KR_CODE_VERIFY_H

#include <Python.h>
#include <stdbool.h>

#include "code/opcode_meta.h"

/* Makes the new code object `co` one that nobody trusts: in place of its first
 * instruction stands KR_VERIFY, which asks kr_code_admit when it runs. */
void kr_code_distrust(PyCodeObject *co);

/* Whether `co` has not run yet and may be bad. */
static inline bool
kr_code_distrusted(PyCodeObject *co)
{
    return KR_OPCODE(_PyCode_CODE(co)[0]) == KR_VERIFY;
}

/* The first unit of a distrusted code object as it was given. */
_Py_CODEUNIT kr_code_first_unit(PyCodeObject *co);

/* Checks a distrusted code object and gives it its first instruction back. 0,
 * or -1 with SystemError or MemoryError. Does not run Python code. */
int kr_code_admit(PyCodeObject *co);

/* Whether what the instruction `to` of the admitted `co` relies on is there before
 * the instruction `from`, but for stack entries above that can be dropped: 1, 0,
 * or -1 with MemoryError. Both are units inside of `co`; `depth` is what the
 * stack really holds at `from`. */
int kr_code_may_jump(PyCodeObject *co, int from, int to, int depth);

#endif
