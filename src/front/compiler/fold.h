/* Constant folding on the tree, before scopes are looked at. */
#ifndef KR_FRONT_COMPILER_FOLD_H
#define KR_FRONT_COMPILER_FOLD_H

#include "front/ast/ast.h"

/* Replaces constant expressions of `tree` in place. `optimize` is the level
 * (for __debug__), `features` the CO_FUTURE_* bits in force. 1, or 0 with an
 * exception set. */
int kr_fold(mod_ty tree, KrArena *arena, int optimize, int features);

/* Folds what happens to one operator of constants (fold_ops.c). They change
 * `node` in place; 1, or 0 with an exception set. */
int kr_fold_unary(expr_ty node, KrArena *arena);
int kr_fold_binary(expr_ty node, KrArena *arena);

/* Turns `node` into the constant `value` (steals the reference). With NULL it
 * drops the pending exception and leaves the node as it is. */
int kr_fold_set(expr_ty node, PyObject *value, KrArena *arena);

#endif
