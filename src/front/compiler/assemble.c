/* From the graph of a scope to its code object: runs the passes in their
 * order, and gives cells and constants their final places. */
#include <string.h>

#include "code/code.h"
#include "front/compiler/observer.h"
#include "front/compiler/passes.h"

static int
insert(struct kr_cfg *cfg, int at, int opcode, int oparg, struct kr_loc loc)
{
    struct kr_block *b = cfg->entry;
    if (kr_block_append(cfg->arena, b) == NULL) {
        return -1;
    }
    memmove(&b->instr[at + 1], &b->instr[at],
            (size_t)(b->used - 1 - at) * sizeof *b->instr);
    b->instr[at] =
        (struct kr_instr){.opcode = opcode, .oparg = oparg, .loc = loc};
    return 0;
}

static int
add_return(struct kr_unit *unit, struct kr_cfg *cfg, bool add_none)
{
    struct kr_block *b = cfg->current;
    if (b->used && kr_block_last(b)->opcode == RETURN_VALUE) {
        return 0;
    }
    if (add_none) {
        int index = kr_names_add(&unit->consts, Py_None, cfg->arena);
        if (index < 0 || kr_cfg_addop(cfg, LOAD_CONST, index, KR_NO_LOC) < 0) {
            return -1;
        }
    }
    return kr_cfg_addop(cfg, RETURN_VALUE, 0, KR_NO_LOC);
}

/* Where each cell and free variable is among the fast locals: a cell that is
 * also an argument has the place of the argument. Sets *dropped to the number
 * of those. `place` has room for all. */
static void
place_cells(struct kr_unit *unit, int *place, int *dropped)
{
    int nlocals = unit->varnames.count, ncells = unit->cellvars.count;
    int n = ncells + unit->freevars.count, i = 0;
    *dropped = 0;
    for (; i < ncells; i++) {
        int local = kr_names_find(&unit->varnames, unit->cellvars.names[i]);
        if (local >= 0) {
            place[i] = local;
            ++*dropped;
        }
        else {
            place[i] = nlocals + i - *dropped;
        }
    }
    for (; i < n; i++) {
        place[i] = nlocals + i - *dropped;
    }
}

static bool
uses_cell(int opcode)
{
    return opcode == LOAD_CLOSURE || opcode == LOAD_DEREF ||
           opcode == STORE_DEREF || opcode == DELETE_DEREF ||
           opcode == LOAD_CLASSDEREF;
}

static void
fix_cells(struct kr_cfg *cfg, const int *place)
{
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        for (int i = 0; i < b->used; i++) {
            if (uses_cell(b->instr[i].opcode)) {
                b->instr[i].oparg = place[b->instr[i].oparg];
            }
        }
    }
}

/* MAKE_CELL for each cell, by place. */
static int
insert_make_cells(struct kr_unit *unit, struct kr_cfg *cfg, const int *place)
{
    int nlocals = unit->varnames.count, ncells = unit->cellvars.count;
    for (int i = 0, made = 0; made < ncells && i < nlocals + ncells; i++) {
        for (int j = 0; j < ncells; j++) {
            if (place[j] == i) {
                if (insert(cfg, made++, MAKE_CELL, i, KR_NO_LOC) < 0) {
                    return -1;
                }
                break;
            }
        }
    }
    return 0;
}

static bool
is_generator(struct kr_unit *unit)
{
    return unit->flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
}

/* What comes before RESUME. */
static int
insert_prefix(struct kr_unit *unit, struct kr_cfg *cfg, const int *place)
{
    if (is_generator(unit)) {
        struct kr_loc loc = {unit->firstlineno, unit->firstlineno, -1, -1};
        if (insert(cfg, 0, RETURN_GENERATOR, 0, loc) < 0 ||
            insert(cfg, 1, POP_TOP, 0, KR_NO_LOC) < 0) {
            return -1;
        }
    }
    if (insert_make_cells(unit, cfg, place) < 0) {
        return -1;
    }
    int nfree = unit->freevars.count;
    return nfree ? insert(cfg, 0, COPY_FREE_VARS, nfree, KR_NO_LOC) : 0;
}

/* New tuple of the names (or constants), merged. */
static PyObject *
merged_tuple(struct kr_constants *merged, const struct kr_names *names)
{
    PyObject *tuple = PyTuple_New(names->count);
    for (int i = 0; tuple != NULL && i < names->count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(names->names[i]));
    }
    return kr_constants_merge(merged, tuple);
}

static void
set_local(PyObject *names, PyObject *kinds, Py_ssize_t i, PyObject *name,
          int kind)
{
    PyTuple_SET_ITEM(names, i, Py_NewRef(name));
    PyBytes_AS_STRING(kinds)[i] = (char)kind;
}

/* Fills in localsplusnames and localspluskinds of `spec`. */
static int
describe_locals(struct kr_unit *unit, struct kr_code_spec *spec, int dropped)
{
    const struct kr_names *locals = &unit->varnames;
    const struct kr_names *cells = &unit->cellvars, *frees = &unit->freevars;
    Py_ssize_t n = locals->count + cells->count + frees->count - dropped;
    PyObject *names = PyTuple_New(n);
    PyObject *kinds = PyBytes_FromStringAndSize(NULL, n);
    spec->localsplusnames = names;
    spec->localspluskinds = kinds;
    if (names == NULL || kinds == NULL) {
        return -1;
    }
    Py_ssize_t at = 0;
    for (int i = 0; i < locals->count; i++) {
        bool cell = kr_names_find(cells, locals->names[i]) >= 0;
        set_local(names, kinds, at++, locals->names[i],
                  KR_LOCAL_LOCAL | (cell ? KR_LOCAL_CELL : 0));
    }
    for (int i = 0; i < cells->count; i++) {
        if (kr_names_find(locals, cells->names[i]) < 0) {
            set_local(names, kinds, at++, cells->names[i], KR_LOCAL_CELL);
        }
    }
    for (int i = 0; i < frees->count; i++) {
        set_local(names, kinds, at++, frees->names[i], KR_LOCAL_FREE);
    }
    return 0;
}

/* Shows the graph to the observer of the compilation, if there is one: 0, or
 * -1 with an exception set. */
static int
show(struct kr_unit *unit, struct kr_cfg *cfg, const char *pass)
{
    if (KR_LIKELY(cfg->observer == NULL)) {
        return 0;
    }
    PyObject *graph = kr_cfg_dump(cfg);
    if (graph == NULL) {
        return -1;
    }
    PyObject *scope = unit->qualname ? unit->qualname : unit->name;
    int status =
        cfg->observer->seen(cfg->observer->data, scope, pass, graph);
    Py_DECREF(graph);
    return status;
}

/* What the code does not depend on: constant operands, dead code, NOPs. */
static int
simplify(struct kr_unit *unit, struct kr_cfg *cfg, struct kr_constants *merged)
{
    if (kr_pass_peephole(cfg, &unit->consts, merged) < 0 ||
        show(unit, cfg, "peephole") < 0) {
        return -1;
    }
    kr_pass_remove_nops(cfg);
    if (show(unit, cfg, "remove_nops") < 0 || kr_pass_inline_exits(cfg) < 0 ||
        show(unit, cfg, "inline_exits") < 0 || kr_pass_reachable(cfg) < 0 ||
        show(unit, cfg, "reachable") < 0) {
        return -1;
    }
    kr_pass_remove_nops(cfg);
    kr_pass_remove_empty(cfg);
    if (show(unit, cfg, "remove_empty") < 0) {
        return -1;
    }
    kr_pass_remove_jumps(cfg);
    kr_pass_trim_consts(cfg, &unit->consts);
    return show(unit, cfg, "remove_jumps");
}

static int
settle_lines(struct kr_unit *unit, struct kr_cfg *cfg)
{
    if (kr_pass_duplicate_exits(cfg) < 0 ||
        show(unit, cfg, "duplicate_exits") < 0) {
        return -1;
    }
    kr_pass_propagate_lines(cfg);
    kr_pass_exit_lines(cfg, unit->firstlineno);
    return show(unit, cfg, "propagate_lines");
}

/* Everything up to the layout that is emitted, whose size is put in *units.
 * Returns the stack size, or -1 with an exception set. */
static int
optimise(struct kr_unit *unit, struct kr_cfg *cfg, struct kr_constants *merged,
         int *units)
{
    if (simplify(unit, cfg, merged) < 0 || settle_lines(unit, cfg) < 0) {
        return -1;
    }
    int stacksize = kr_pass_stackdepth(cfg, is_generator(unit));
    if (stacksize < 0) {
        return -1;
    }
    if (cfg->has_handlers) {
        if (kr_pass_label_handlers(cfg) < 0 ||
            show(unit, cfg, "label_handlers") < 0) {
            return -1;
        }
        kr_pass_drop_setups(cfg);
    }
    kr_pass_remove_nops(cfg);
    kr_pass_direct_jumps(cfg);
    *units = kr_pass_jump_offsets(cfg);
    return show(unit, cfg, "layout") < 0 ? -1 : stacksize;
}

static void
clear_spec(struct kr_code_spec *spec)
{
    Py_XDECREF(spec->code);
    Py_XDECREF(spec->linetable);
    Py_XDECREF(spec->exceptiontable);
    Py_XDECREF(spec->consts);
    Py_XDECREF(spec->names);
    Py_XDECREF(spec->localsplusnames);
    Py_XDECREF(spec->localspluskinds);
}

/* Makes the code object of the final graph. */
static PyObject *
make_code(struct kr_unit *unit, struct kr_cfg *cfg, PyObject *filename,
          struct kr_constants *merged, int stacksize, int units, int dropped)
{
    struct kr_emitted out;
    if (kr_emit(cfg, unit->firstlineno, units, &out) < 0) {
        return NULL;
    }
    struct kr_code_spec spec = {
        .filename = filename,
        .name = unit->name,
        .qualname = unit->qualname ? unit->qualname : unit->name,
        .flags = unit->flags,
        .firstlineno = unit->firstlineno,
        .argcount = unit->posonlyargcount + unit->argcount,
        .posonlyargcount = unit->posonlyargcount,
        .kwonlyargcount = unit->kwonlyargcount,
        .stacksize = stacksize,
    };
    PyObject *co = NULL;
    spec.exceptiontable =
        kr_constants_bytes(merged, out.handlers, out.handlers_size);
    spec.linetable = kr_constants_bytes(merged, out.lines, out.lines_size);
    spec.code = PyBytes_FromStringAndSize((char *)out.code,
                                          (Py_ssize_t)out.code_size);
    spec.names = merged_tuple(merged, &unit->names);
    spec.consts = merged_tuple(merged, &unit->consts);
    if (spec.exceptiontable && spec.linetable && spec.code && spec.names &&
        spec.consts && describe_locals(unit, &spec, dropped) == 0) {
        spec.localsplusnames =
            kr_constants_merge(merged, spec.localsplusnames);
        if (spec.localsplusnames != NULL) {
            co = kr_code_new(&spec);
        }
    }
    clear_spec(&spec);
    return co;
}

PyObject *
kr_assemble(struct kr_unit *unit, struct kr_cfg *cfg, PyObject *filename,
            struct kr_constants *constants, bool add_none)
{
    int ncells = unit->cellvars.count + unit->freevars.count;
    int *place =
        kr_arena_alloc(cfg->arena, (size_t)(ncells + 1) * sizeof *place);
    int dropped, units;
    if (place == NULL || add_return(unit, cfg, add_none) < 0 ||
        show(unit, cfg, "codegen") < 0 || kr_pass_normalise(cfg) < 0 ||
        kr_pass_inline_exits(cfg) < 0 || show(unit, cfg, "normalise") < 0) {
        return NULL;
    }
    place_cells(unit, place, &dropped);
    if (unit->firstlineno == 0) {
        int line = cfg->entry->used ? cfg->entry->instr[0].loc.lineno : 0;
        unit->firstlineno = line > 0 ? line : 1;
    }
    if (ncells != 0) {
        fix_cells(cfg, place);
    }
    if (insert_prefix(unit, cfg, place) < 0 ||
        show(unit, cfg, "prefix") < 0) {
        return NULL;
    }
    int stacksize = optimise(unit, cfg, constants, &units);
    return stacksize < 0 ? NULL
                         : make_code(unit, cfg, filename, constants, stacksize,
                                     units, dropped);
}
