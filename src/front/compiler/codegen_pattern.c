/* The match statement.
 *
 * A pattern consumes the subject on top of the stack. Names it captures stay on
 * the stack until the whole pattern has matched; a failure jumps to the block
 * that pops as many values as lie on the stack at that point. */
#include <limits.h>

#include "front/compiler/codegen_expr.h"

struct pattern_context {
    PyObject *stores;          /* list of names captured so far; owned */
    bool allow_irrefutable;    /* may this pattern match everything? */
    struct kr_block **fail_pop; /* [n]: pops n values, then fails; in the arena */
    Py_ssize_t nfail_pop, capacity;
    Py_ssize_t on_top; /* values above the captured ones to be popped */
};

static int visit_pattern(struct kr_compiler *c, pattern_ty p,
                         struct pattern_context *pc);

static bool
is_wildcard(pattern_ty p)
{
    return p->kind == MatchAs_kind && p->v.MatchAs.name == NULL;
}

static bool
is_star_wildcard(pattern_ty p)
{
    return p->kind == MatchStar_kind && p->v.MatchStar.name == NULL;
}

/* --- failing -------------------------------------------------------------- */

static int
ensure_fail_pop(struct kr_compiler *c, struct pattern_context *pc,
                Py_ssize_t n)
{
    if (n >= pc->capacity) {
        Py_ssize_t capacity = Py_MAX(n + 1, 2 * pc->capacity);
        struct kr_block **blocks =
            kr_arena_alloc(c->arena, (size_t)capacity * sizeof *blocks);
        if (blocks == NULL) {
            return -1;
        }
        for (Py_ssize_t i = 0; i < pc->nfail_pop; i++) {
            blocks[i] = pc->fail_pop[i];
        }
        pc->fail_pop = blocks;
        pc->capacity = capacity;
    }
    while (pc->nfail_pop <= n) {
        struct kr_block *block = kr_cg_new_block(c);
        if (block == NULL) {
            return -1;
        }
        pc->fail_pop[pc->nfail_pop++] = block;
    }
    return 0;
}

static int
jump_to_fail(struct kr_compiler *c, struct pattern_context *pc, int opcode)
{
    Py_ssize_t pops = pc->on_top + PyList_GET_SIZE(pc->stores);
    TRY(ensure_fail_pop(c, pc, pops));
    return kr_cg_jump(c, opcode, pc->fail_pop[pops]);
}

static int
emit_fail_pop(struct kr_compiler *c, struct pattern_context *pc)
{
    Py_ssize_t n = pc->nfail_pop;
    pc->nfail_pop = 0;
    for (Py_ssize_t i = n - 1; i > 0; i--) {
        kr_cg_use_block(c, pc->fail_pop[i]);
        TRY(kr_cg_op(c, POP_TOP));
    }
    if (n) {
        kr_cg_use_block(c, pc->fail_pop[0]);
    }
    return 0;
}

/* --- capturing ------------------------------------------------------------ */

/* Moves the top below the `count` - 1 values under it. */
static int
rotate(struct kr_compiler *c, Py_ssize_t count)
{
    while (count > 1) {
        TRY(kr_cg_op_i(c, SWAP, count--));
    }
    return 0;
}

static int
add_store(struct kr_compiler *c, PyObject *name, struct pattern_context *pc)
{
    int duplicate = PySequence_Contains(pc->stores, name);
    TRY(duplicate);
    if (duplicate) {
        return kr_cg_error(c, "multiple assignments to name %R in pattern",
                           name);
    }
    return PyList_Append(pc->stores, name);
}

static int
capture(struct kr_compiler *c, PyObject *name, struct pattern_context *pc)
{
    if (name == NULL) {
        return kr_cg_op(c, POP_TOP);
    }
    TRY(kr_cg_forbidden_name(c, name, Store));
    Py_ssize_t depth = pc->on_top + PyList_GET_SIZE(pc->stores) + 1;
    TRY(add_store(c, name, pc));
    return rotate(c, depth);
}

static int
visit_subpattern(struct kr_compiler *c, pattern_ty p,
                 struct pattern_context *pc)
{
    bool old = pc->allow_irrefutable;
    pc->allow_irrefutable = true;
    TRY(visit_pattern(c, p, pc));
    pc->allow_irrefutable = old;
    return 0;
}

static int
visit_as(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    PyObject *name = p->v.MatchAs.name;
    if (p->v.MatchAs.pattern == NULL) {
        if (pc->allow_irrefutable) {
            return capture(c, name, pc);
        }
        if (name != NULL) {
            return kr_cg_error(c,
                               "name capture %R makes remaining patterns "
                               "unreachable",
                               name);
        }
        return kr_cg_error(c, "wildcard makes remaining patterns unreachable");
    }
    pc->on_top++;
    TRY(kr_cg_op_i(c, COPY, 1));
    TRY(visit_pattern(c, p->v.MatchAs.pattern, pc));
    pc->on_top--;
    return capture(c, name, pc);
}

/* --- values --------------------------------------------------------------- */

static int
visit_value(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    expr_ty value = p->v.MatchValue.value;
    if (value->kind != Constant_kind && value->kind != Attribute_kind) {
        return kr_cg_error(
            c, "patterns may only match literals and attribute lookups");
    }
    TRY(kr_cg_expr(c, value));
    TRY(kr_cg_compare_op(c, Eq));
    return jump_to_fail(c, pc, POP_JUMP_IF_FALSE);
}

static int
visit_singleton(struct kr_compiler *c, pattern_ty p,
                struct pattern_context *pc)
{
    TRY(kr_cg_const(c, p->v.MatchSingleton.value));
    TRY(kr_cg_compare_op(c, Is));
    return jump_to_fail(c, pc, POP_JUMP_IF_FALSE);
}

/* Fails if the value on top is None, and leaves it there. */
static int
fail_if_none(struct kr_compiler *c, struct pattern_context *pc)
{
    TRY(kr_cg_op_i(c, COPY, 1));
    TRY(kr_cg_const(c, Py_None));
    TRY(kr_cg_op_i(c, IS_OP, 1));
    return jump_to_fail(c, pc, POP_JUMP_IF_FALSE);
}

/* Fails unless len(subject) `op` n. */
static int
check_length(struct kr_compiler *c, struct pattern_context *pc, cmpop_ty op,
             Py_ssize_t n)
{
    TRY(kr_cg_op(c, GET_LEN));
    TRY(kr_cg_const_new(c, PyLong_FromSsize_t(n)));
    TRY(kr_cg_compare_op(c, op));
    return jump_to_fail(c, pc, POP_JUMP_IF_FALSE);
}

/* --- sequences ------------------------------------------------------------ */

static int
unpack_sequence(struct kr_compiler *c, asdl_pattern_seq *patterns)
{
    Py_ssize_t n = asdl_seq_LEN(patterns);
    bool seen_star = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (asdl_seq_GET(patterns, i)->kind != MatchStar_kind) {
            continue;
        }
        if (seen_star) {
            return kr_cg_error(
                c, "multiple starred expressions in sequence pattern");
        }
        if (i >= 1 << 8 || n - i - 1 >= INT_MAX >> 8) {
            return kr_cg_error(
                c, "too many expressions in star-unpacking sequence pattern");
        }
        TRY(kr_cg_op_i(c, UNPACK_EX, i + ((n - i - 1) << 8)));
        seen_star = true;
    }
    return seen_star ? 0 : kr_cg_op_i(c, UNPACK_SEQUENCE, n);
}

static int
match_unpacked(struct kr_compiler *c, asdl_pattern_seq *patterns,
               struct pattern_context *pc)
{
    TRY(unpack_sequence(c, patterns));
    Py_ssize_t n = asdl_seq_LEN(patterns);
    pc->on_top += n;
    for (Py_ssize_t i = 0; i < n; i++) {
        pc->on_top--;
        TRY(visit_subpattern(c, asdl_seq_GET(patterns, i), pc));
    }
    return 0;
}

/* With a star that captures nothing, only the other items are fetched. */
static int
match_by_index(struct kr_compiler *c, asdl_pattern_seq *patterns,
               Py_ssize_t star, struct pattern_context *pc)
{
    Py_ssize_t n = asdl_seq_LEN(patterns);
    pc->on_top++;
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty p = asdl_seq_GET(patterns, i);
        if (is_wildcard(p) || i == star) {
            continue;
        }
        TRY(kr_cg_op_i(c, COPY, 1));
        if (i < star) {
            TRY(kr_cg_const_new(c, PyLong_FromSsize_t(i)));
        }
        else {
            /* Not every sequence understands a negative index. */
            TRY(kr_cg_op(c, GET_LEN));
            TRY(kr_cg_const_new(c, PyLong_FromSsize_t(n - i)));
            TRY(kr_cg_binary(c, Sub, false));
        }
        TRY(kr_cg_op(c, BINARY_SUBSCR));
        TRY(visit_subpattern(c, p, pc));
    }
    pc->on_top--;
    return kr_cg_op(c, POP_TOP);
}

static int
visit_sequence(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    asdl_pattern_seq *patterns = p->v.MatchSequence.patterns;
    Py_ssize_t n = asdl_seq_LEN(patterns), star = -1;
    bool only_wildcards = true, star_wildcard = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty item = asdl_seq_GET(patterns, i);
        if (item->kind != MatchStar_kind) {
            only_wildcards &= is_wildcard(item);
            continue;
        }
        if (star >= 0) {
            return kr_cg_error(c,
                               "multiple starred names in sequence pattern");
        }
        star_wildcard = is_star_wildcard(item);
        only_wildcards &= star_wildcard;
        star = i;
    }
    pc->on_top++;
    TRY(kr_cg_op(c, MATCH_SEQUENCE));
    TRY(jump_to_fail(c, pc, POP_JUMP_IF_FALSE));
    if (star < 0) {
        TRY(check_length(c, pc, Eq, n));
    }
    else if (n > 1) {
        TRY(check_length(c, pc, GtE, n - 1));
    }
    pc->on_top--;
    if (only_wildcards) {
        return kr_cg_op(c, POP_TOP);
    }
    return star_wildcard ? match_by_index(c, patterns, star, pc)
                         : match_unpacked(c, patterns, pc);
}

/* --- mappings ------------------------------------------------------------- */

static int
check_key(struct kr_compiler *c, expr_ty key, pattern_ty pattern,
          PyObject *seen)
{
    if (key == NULL) {
        kr_cg_at_pattern(c, pattern);
        return kr_cg_error(c, "can't use NULL keys in MatchMapping "
                              "(set 'rest' parameter instead)");
    }
    if (key->kind == Constant_kind) {
        PyObject *value = key->v.Constant.value;
        int duplicate = PySet_Contains(seen, value);
        TRY(duplicate);
        if (duplicate) {
            return kr_cg_error(
                c, "mapping pattern checks duplicate key (%R)", value);
        }
        return PySet_Add(seen, value);
    }
    if (key->kind != Attribute_kind) {
        return kr_cg_error(c, "mapping pattern keys may only match literals "
                              "and attribute lookups");
    }
    return 0;
}

static int
push_keys(struct kr_compiler *c, pattern_ty p)
{
    asdl_expr_seq *keys = p->v.MatchMapping.keys;
    PyObject *seen = PySet_New(NULL);
    int rc = seen == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; rc == 0 && i < asdl_seq_LEN(keys); i++) {
        expr_ty key = asdl_seq_GET(keys, i);
        rc = check_key(c, key, asdl_seq_GET(p->v.MatchMapping.patterns, i),
                       seen);
        if (rc == 0) {
            rc = kr_cg_expr(c, key);
        }
    }
    Py_XDECREF(seen);
    return rc;
}

/* [subject, keys]: captures a dict of the items with other keys. */
static int
capture_rest(struct kr_compiler *c, PyObject *name, Py_ssize_t n,
             struct pattern_context *pc)
{
    TRY(kr_cg_op_i(c, BUILD_MAP, 0));       /* [subject, keys, rest] */
    TRY(kr_cg_op_i(c, SWAP, 3));            /* [rest, keys, subject] */
    TRY(kr_cg_op_i(c, DICT_UPDATE, 2));     /* [rest, keys] */
    TRY(kr_cg_op_i(c, UNPACK_SEQUENCE, n)); /* [rest, key, ...] */
    for (; n > 0; n--) {
        TRY(kr_cg_op_i(c, COPY, 1 + n));
        TRY(kr_cg_op_i(c, SWAP, 2));
        TRY(kr_cg_op(c, DELETE_SUBSCR));
    }
    return capture(c, name, pc);
}

static int
match_items(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    asdl_pattern_seq *patterns = p->v.MatchMapping.patterns;
    Py_ssize_t n = asdl_seq_LEN(patterns);
    TRY(push_keys(c, p));
    TRY(kr_cg_op_i(c, BUILD_TUPLE, n));
    TRY(kr_cg_op(c, MATCH_KEYS));
    pc->on_top += 2; /* keys and values */
    TRY(fail_if_none(c, pc));
    TRY(kr_cg_op_i(c, UNPACK_SEQUENCE, n));
    pc->on_top += n - 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        pc->on_top--;
        TRY(visit_subpattern(c, asdl_seq_GET(patterns, i), pc));
    }
    pc->on_top -= 2; /* keys and subject are taken now */
    if (p->v.MatchMapping.rest != NULL) {
        return capture_rest(c, p->v.MatchMapping.rest, n, pc);
    }
    TRY(kr_cg_op(c, POP_TOP));
    return kr_cg_op(c, POP_TOP);
}

static int
visit_mapping(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    Py_ssize_t n = asdl_seq_LEN(p->v.MatchMapping.keys);
    Py_ssize_t npatterns = asdl_seq_LEN(p->v.MatchMapping.patterns);
    if (n != npatterns) {
        return kr_cg_error(
            c, "keys (%d) / patterns (%d) length mismatch in mapping pattern",
            (int)n, (int)npatterns);
    }
    pc->on_top++;
    TRY(kr_cg_op(c, MATCH_MAPPING));
    TRY(jump_to_fail(c, pc, POP_JUMP_IF_FALSE));
    if (n == 0 && p->v.MatchMapping.rest == NULL) {
        pc->on_top--;
        return kr_cg_op(c, POP_TOP);
    }
    if (n) {
        TRY(check_length(c, pc, GtE, n));
    }
    if (n - 1 > INT_MAX) {
        return kr_cg_error(c, "too many sub-patterns in mapping pattern");
    }
    return match_items(c, p, pc);
}

/* --- classes -------------------------------------------------------------- */

static int
check_attributes(struct kr_compiler *c, asdl_identifier_seq *attrs,
                 asdl_pattern_seq *patterns)
{
    Py_ssize_t n = asdl_seq_LEN(attrs);
    for (Py_ssize_t i = 0; i < n; i++) {
        /* Names have no location; their patterns do. */
        PyObject *attr = asdl_seq_GET(attrs, i);
        kr_cg_at_pattern(c, asdl_seq_GET(patterns, i));
        TRY(kr_cg_forbidden_name(c, attr, Store));
        for (Py_ssize_t j = i + 1; j < n; j++) {
            if (PyUnicode_Compare(attr, asdl_seq_GET(attrs, j)) == 0) {
                kr_cg_at_pattern(c, asdl_seq_GET(patterns, j));
                return kr_cg_error(
                    c, "attribute name repeated in class pattern: %U", attr);
            }
        }
    }
    return 0;
}

static int
check_class(struct kr_compiler *c, pattern_ty p, Py_ssize_t nargs,
            Py_ssize_t nattrs)
{
    Py_ssize_t nkw = asdl_seq_LEN(p->v.MatchClass.kwd_patterns);
    if (nattrs != nkw) {
        return kr_cg_error(c,
                           "kwd_attrs (%d) / kwd_patterns (%d) length "
                           "mismatch in class pattern",
                           (int)nattrs, (int)nkw);
    }
    if (nargs > INT_MAX || nargs + nattrs - 1 > INT_MAX) {
        return kr_cg_error(c, "too many sub-patterns in class pattern %R",
                           p->v.MatchClass.cls);
    }
    if (nattrs) {
        TRY(check_attributes(c, p->v.MatchClass.kwd_attrs,
                             p->v.MatchClass.kwd_patterns));
        kr_cg_at_pattern(c, p);
    }
    return 0;
}

static int
push_attribute_names(struct kr_compiler *c, asdl_identifier_seq *attrs)
{
    PyObject *names = PyTuple_New(asdl_seq_LEN(attrs));
    if (names == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(attrs); i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(asdl_seq_GET(attrs, i)));
    }
    return kr_cg_const_new(c, names);
}

static int
visit_class(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    asdl_pattern_seq *args = p->v.MatchClass.patterns;
    asdl_pattern_seq *kwargs = p->v.MatchClass.kwd_patterns;
    Py_ssize_t nargs = asdl_seq_LEN(args);
    Py_ssize_t nattrs = asdl_seq_LEN(p->v.MatchClass.kwd_attrs);
    TRY(check_class(c, p, nargs, nattrs));
    TRY(kr_cg_expr(c, p->v.MatchClass.cls));
    TRY(push_attribute_names(c, p->v.MatchClass.kwd_attrs));
    TRY(kr_cg_op_i(c, MATCH_CLASS, nargs));
    pc->on_top++; /* a tuple of attributes, or None */
    TRY(fail_if_none(c, pc));
    TRY(kr_cg_op_i(c, UNPACK_SEQUENCE, nargs + nattrs));
    pc->on_top += nargs + nattrs - 1;
    for (Py_ssize_t i = 0; i < nargs + nattrs; i++) {
        pc->on_top--;
        pattern_ty sub = i < nargs ? asdl_seq_GET(args, i)
                                   : asdl_seq_GET(kwargs, i - nargs);
        TRY(is_wildcard(sub) ? kr_cg_op(c, POP_TOP)
                             : visit_subpattern(c, sub, pc));
    }
    return 0;
}

/* --- alternatives --------------------------------------------------------- */

/* rotated = stores[:n]; del stores[:n]; stores[at:at] = rotated */
static int
rotate_list(PyObject *stores, Py_ssize_t n, Py_ssize_t at)
{
    PyObject *rotated = PyList_GetSlice(stores, 0, n);
    if (rotated == NULL) {
        return -1;
    }
    int rc = PyList_SetSlice(stores, 0, n, NULL);
    if (rc == 0) {
        rc = PyList_SetSlice(stores, at, at, rotated);
    }
    Py_DECREF(rotated);
    return rc;
}

/* Brings the captures of an alternative into the order of the first one's,
 * `control`; error if the names differ. */
static int
reorder_captures(struct kr_compiler *c, PyObject *stores, PyObject *control)
{
    Py_ssize_t n = PyList_GET_SIZE(stores);
    bool same = n == PyList_GET_SIZE(control);
    for (Py_ssize_t i = n - 1; same && i >= 0; i--) {
        Py_ssize_t at = PySequence_Index(stores, PyList_GET_ITEM(control, i));
        if (at < 0) {
            PyErr_Clear();
            same = false;
        }
        else if (at != i) {
            Py_ssize_t rotations = at + 1;
            TRY(rotate_list(stores, rotations, i - at));
            while (rotations--) {
                TRY(rotate(c, i + 1));
            }
        }
    }
    return same ? 0
                : kr_cg_error(c, "alternative patterns bind different names");
}

/* One alternative with a context of its own. *control is the list of the first
 * one's captures, owned by the caller. */
static int
visit_alternative(struct kr_compiler *c, pattern_ty alt, bool allow_irrefutable,
                  struct kr_block *end, PyObject **control)
{
    struct pattern_context pc = {.allow_irrefutable = allow_irrefutable};
    pc.stores = PyList_New(0);
    if (pc.stores == NULL) {
        return -1;
    }
    kr_cg_at_pattern(c, alt);
    int rc = kr_cg_op_i(c, COPY, 1);
    if (rc == 0) {
        rc = visit_pattern(c, alt, &pc);
    }
    if (rc == 0) {
        if (*control == NULL) {
            *control = Py_NewRef(pc.stores);
        }
        else {
            rc = reorder_captures(c, pc.stores, *control);
        }
    }
    if (rc == 0) {
        rc = kr_cg_jump(c, JUMP, end);
    }
    if (rc == 0) {
        rc = emit_fail_pop(c, &pc);
    }
    Py_DECREF(pc.stores);
    return rc;
}

/* After a match: moves the captures below everything that has to be kept. */
static int
keep_captures(struct kr_compiler *c, PyObject *control,
              struct pattern_context *pc)
{
    Py_ssize_t n = PyList_GET_SIZE(control);
    Py_ssize_t depth = n + 1 + pc->on_top + PyList_GET_SIZE(pc->stores);
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(rotate(c, depth));
        TRY(add_store(c, PyList_GET_ITEM(control, i), pc));
    }
    return kr_cg_op(c, POP_TOP);
}

static int
visit_alternatives(struct kr_compiler *c, pattern_ty p,
                   struct pattern_context *pc, struct kr_block *end,
                   PyObject **control)
{
    asdl_pattern_seq *patterns = p->v.MatchOr.patterns;
    Py_ssize_t n = asdl_seq_LEN(patterns);
    for (Py_ssize_t i = 0; i < n; i++) {
        bool last = i == n - 1;
        TRY(visit_alternative(c, asdl_seq_GET(patterns, i),
                              last && pc->allow_irrefutable, end, control));
    }
    TRY(kr_cg_op(c, POP_TOP));
    TRY(jump_to_fail(c, pc, JUMP));
    kr_cg_use_block(c, end);
    return keep_captures(c, *control, pc);
}

static int
visit_or(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    struct kr_block *end = kr_cg_new_block(c);
    PyObject *control = NULL;
    if (end == NULL) {
        return -1;
    }
    int rc = visit_alternatives(c, p, pc, end, &control);
    Py_XDECREF(control);
    return rc;
}

/* --- the statement -------------------------------------------------------- */

/* The location stays at the innermost pattern that was visited last. */
static int
visit_pattern(struct kr_compiler *c, pattern_ty p, struct pattern_context *pc)
{
    TRY(kr_cg_room(c));
    kr_cg_at_pattern(c, p);
    switch (p->kind) {
    case MatchValue_kind:
        return visit_value(c, p, pc);
    case MatchSingleton_kind:
        return visit_singleton(c, p, pc);
    case MatchSequence_kind:
        return visit_sequence(c, p, pc);
    case MatchMapping_kind:
        return visit_mapping(c, p, pc);
    case MatchClass_kind:
        return visit_class(c, p, pc);
    case MatchStar_kind:
        return capture(c, p->v.MatchStar.name, pc);
    case MatchAs_kind:
        return visit_as(c, p, pc);
    case MatchOr_kind:
        return visit_or(c, p, pc);
    }
    Py_UNREACHABLE();
}

/* The pattern of a case; its captures go into their variables. */
static int
match_and_store(struct kr_compiler *c, pattern_ty p,
                struct pattern_context *pc)
{
    pc->stores = PyList_New(0);
    if (pc->stores == NULL) {
        return -1;
    }
    int rc = visit_pattern(c, p, pc);
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(pc->stores); i++) {
        rc = kr_cg_name(c, PyList_GET_ITEM(pc->stores, i), Store);
    }
    Py_CLEAR(pc->stores);
    return rc;
}

/* A case that needs the subject; all but the last one need it kept. */
static int
visit_case(struct kr_compiler *c, match_case_ty m, bool keep_subject,
           bool allow_irrefutable, struct kr_block *end)
{
    struct pattern_context pc = {.allow_irrefutable = allow_irrefutable};
    kr_cg_at_pattern(c, m->pattern);
    if (keep_subject) {
        TRY(kr_cg_op_i(c, COPY, 1));
    }
    TRY(match_and_store(c, m->pattern, &pc));
    if (m->guard != NULL) {
        TRY(ensure_fail_pop(c, &pc, 0));
        TRY(kr_cg_jump_if(c, m->guard, pc.fail_pop[0], 0));
    }
    if (keep_subject) {
        TRY(kr_cg_op(c, POP_TOP));
    }
    TRY(kr_cg_stmts(c, m->body));
    TRY(kr_cg_jump(c, JUMP, end));
    /* Cleaning up belongs to the pattern, not to the end of the body. */
    kr_cg_at_pattern(c, m->pattern);
    return emit_fail_pop(c, &pc);
}

/* A final `case _` after others. */
static int
visit_default(struct kr_compiler *c, match_case_ty m, struct kr_block *end)
{
    kr_cg_at_pattern(c, m->pattern);
    /* Makes the line count as executed. */
    TRY(kr_cg_op(c, NOP));
    if (m->guard != NULL) {
        TRY(kr_cg_jump_if(c, m->guard, end, 0));
    }
    return kr_cg_stmts(c, m->body);
}

int
kr_cg_match(struct kr_compiler *c, stmt_ty s)
{
    asdl_match_case_seq *cases = s->v.Match.cases;
    Py_ssize_t n = asdl_seq_LEN(cases);
    TRY(kr_cg_expr(c, s->v.Match.subject));
    struct kr_block *end = kr_cg_new_block(c);
    if (end == NULL) {
        return -1;
    }
    match_case_ty last = asdl_seq_GET(cases, n - 1);
    bool has_default = n > 1 && is_wildcard(last->pattern);
    Py_ssize_t tested = n - has_default;
    for (Py_ssize_t i = 0; i < tested; i++) {
        match_case_ty m = asdl_seq_GET(cases, i);
        TRY(visit_case(c, m, i != tested - 1, m->guard != NULL || i == n - 1,
                       end));
    }
    if (has_default) {
        TRY(visit_default(c, last, end));
    }
    kr_cg_use_block(c, end);
    return 0;
}
