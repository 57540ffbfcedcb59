/* Resolving scopes, once all blocks are known.
 *
 * A name that a block does not bind itself is looked for in the blocks around
 * it. A block hands the names that are free in it to the enclosing one, which
 * turns its locals among them into cells and passes the others on. */
#include "front/symtable/symtable.h"

#include "memory/tstate.h"
#include "objects/ids.h"

static int
error_at_directive(struct kr_symtable *st, KrSte *ste, PyObject *name)
{
    for (struct kr_directive *d = ste->directives; d != NULL; d = d->next) {
        if (d->name == name) {
            PyErr_RangedSyntaxLocationObject(st->filename, d->lineno,
                                             d->col_offset + 1, d->end_lineno,
                                             d->end_col_offset + 1);
            break;
        }
    }
    return -1;
}

enum found { NOWHERE, BOUND, DECLARED_GLOBAL };

/* What a name means that blocks in `ste` use without binding it: does a
 * function bind it, or is it declared global? The names of classes are not
 * seen from inside, except for __class__. */
static enum found
resolve(const KrSte *ste, PyObject *name)
{
    for (; ste != NULL; ste = ste->outer) {
        if (ste->ste_type == KR_CLASS_BLOCK) {
            if (name == KR_ID(__class__)) {
                return BOUND;
            }
            continue;
        }
        long flags = kr_ste_flags(ste, name);
        if (flags & KR_DEF_GLOBAL) {
            return DECLARED_GLOBAL;
        }
        if (ste->ste_type == KR_FUNCTION_BLOCK &&
            (flags & (KR_DEF_BOUND | KR_DEF_NONLOCAL))) {
            return BOUND;
        }
    }
    return NOWHERE;
}

/* Scope of a nonlocal name, or 0 with an exception set. */
static int
nonlocal_scope(struct kr_symtable *st, KrSte *ste, PyObject *name)
{
    if (ste->outer == NULL) {
        PyErr_Format(PyExc_SyntaxError,
                     "nonlocal declaration not allowed at module level");
    }
    else if (resolve(ste->outer, name) != BOUND) {
        PyErr_Format(PyExc_SyntaxError, "no binding for nonlocal '%U' found",
                     name);
    }
    else {
        return KR_FREE;
    }
    error_at_directive(st, ste, name);
    return 0;
}

/* Decides the scope of one name; 0 with an exception set. */
static int
scope_of(struct kr_symtable *st, KrSte *ste, PyObject *name, long flags)
{
    if (flags & KR_DEF_GLOBAL) {
        if (flags & KR_DEF_NONLOCAL) {
            PyErr_Format(PyExc_SyntaxError,
                         "name '%U' is nonlocal and global", name);
            error_at_directive(st, ste, name);
            return 0;
        }
        return KR_GLOBAL_EXPLICIT;
    }
    if (flags & KR_DEF_NONLOCAL) {
        return nonlocal_scope(st, ste, name);
    }
    if (flags & KR_DEF_BOUND) {
        return KR_LOCAL;
    }
    enum found found = resolve(ste->outer, name);
    if (found == BOUND) {
        return KR_FREE;
    }
    if (found == NOWHERE && ste->ste_nested) {
        ste->ste_free = 1;
    }
    return KR_GLOBAL_IMPLICIT;
}

static int
analyze_names(struct kr_symtable *st, KrSte *ste, struct kr_names *free)
{
    struct kr_symbols *symbols = &ste->symbols;
    for (int i = 0; i < symbols->map.count; i++) {
        PyObject *name = symbols->map.names[i];
        int scope = scope_of(st, ste, name, symbols->flags[i]);
        if (scope == 0) {
            return -1;
        }
        symbols->flags[i] |= (long)scope << KR_SCOPE_OFFSET;
        if (scope == KR_FREE) {
            ste->ste_free = 1;
            if (kr_names_add(free, name, st->arena) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* A name that is free in inner blocks: the block's own local becomes a cell,
 * others pass through to `free`. */
static int
pass_free(struct kr_symtable *st, KrSte *ste, PyObject *name,
          struct kr_names *free)
{
    bool is_class = ste->ste_type == KR_CLASS_BLOCK;
    int index = kr_names_find(&ste->symbols.map, name);
    long *flags = index < 0 ? NULL : &ste->symbols.flags[index];
    if (is_class && name == KR_ID(__class__)) {
        ste->ste_needs_class_closure = 1;
        return 0;
    }
    if (flags != NULL) {
        if (ste->ste_type == KR_FUNCTION_BLOCK &&
            *flags >> KR_SCOPE_OFFSET == KR_LOCAL) {
            *flags += (long)(KR_CELL - KR_LOCAL) << KR_SCOPE_OFFSET;
            return 0;
        }
        if (is_class && (*flags & (KR_DEF_BOUND | KR_DEF_GLOBAL))) {
            *flags |= KR_DEF_FREE_CLASS;
        }
    }
    else if (ste->outer == NULL || resolve(ste->outer, name) == BOUND) {
        index = kr_symbols_add(&ste->symbols, name, st->arena);
        if (index < 0) {
            return -1;
        }
        ste->symbols.flags[index] = (long)KR_FREE << KR_SCOPE_OFFSET;
    }
    return kr_names_add(free, name, st->arena) < 0 ? -1 : 0;
}

static int
analyze_block(struct kr_symtable *st, KrSte *ste, struct kr_names *free)
{
    struct kr_names inner = {0};
    if (kr_stack_is_low(kr_tstate())) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded during compilation");
        return -1;
    }
    int res = analyze_names(st, ste, free);
    for (KrSte *child = ste->first; res == 0 && child != NULL;
         child = child->next) {
        res = analyze_block(st, child, &inner);
        ste->ste_child_free |= child->ste_free || child->ste_child_free;
    }
    for (int i = 0; res == 0 && i < inner.count; i++) {
        res = pass_free(st, ste, inner.names[i], free);
    }
    return res;
}

int
kr_symtable_analyze(struct kr_symtable *st)
{
    struct kr_names free = {0};
    return analyze_block(st, st->top, &free);
}
