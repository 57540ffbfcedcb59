/* Future statements. */
#ifndef KR_FRONT_COMPILER_FUTURE_H
#define KR_FRONT_COMPILER_FUTURE_H

#include "front/ast/ast.h"

/* Reads the future statements at the start of a tree: the CO_FUTURE_* bits
 * they ask for, and the line of the last one (-1: none). 0, or -1 with
 * SyntaxError set. */
int kr_future_read(mod_ty tree, PyObject *filename, PyFutureFeatures *found);

#endif
