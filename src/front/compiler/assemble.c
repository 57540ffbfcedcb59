/* From the graph of a scope to its code object: runs the passes in their
 * order, and gives cells and constants their final places. */
#include <string.h>

#include "code/code.h"
#include "front/compiler/passes.h"

PyObject *
kr_merge_const(PyObject *merged, PyObject *object)
{
    PyObject *key = _PyCode_ConstantKey(object);
    PyObject *found = key == NULL ? NULL : PyDict_SetDefault(merged, key, key);
    if (found != NULL) {
        found = Py_NewRef(PyTuple_CheckExact(found) ? PyTuple_GET_ITEM(found, 1)
                                                    : found);
    }
    Py_XDECREF(key);
    Py_DECREF(object);
    return found;
}

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
count(PyObject *dict)
{
    return dict == NULL ? 0 : (int)PyDict_GET_SIZE(dict);
}

/* Index of the constant None, which is added if missing; -1 on failure. */
static int
none_index(struct kr_unit *unit)
{
    PyObject *key = _PyCode_ConstantKey(Py_None);
    if (key == NULL) {
        return -1;
    }
    PyObject *index = PyDict_GetItemWithError(unit->consts, key);
    int result = -1;
    if (index != NULL) {
        result = (int)PyLong_AsLong(index);
    }
    else if (!PyErr_Occurred()) {
        result = count(unit->consts);
        index = PyLong_FromLong(result);
        if (index == NULL || PyDict_SetItem(unit->consts, key, index) < 0) {
            result = -1;
        }
        Py_XDECREF(index);
    }
    Py_DECREF(key);
    return result;
}

static int
add_return(struct kr_unit *unit, struct kr_cfg *cfg, bool add_none)
{
    struct kr_block *b = cfg->current;
    if (b->used && kr_block_last(b)->opcode == RETURN_VALUE) {
        return 0;
    }
    if (add_none) {
        int index = none_index(unit);
        if (index < 0 || kr_cfg_addop(cfg, LOAD_CONST, index, KR_NO_LOC) < 0) {
            return -1;
        }
    }
    return kr_cfg_addop(cfg, RETURN_VALUE, 0, KR_NO_LOC);
}

/* Where each cell and free variable is among the fast locals: a cell that is
 * also an argument has the place of the argument. Sets *dropped to the number
 * of those. `place` has room for all. */
static int
place_cells(struct kr_unit *unit, int *place, int *dropped)
{
    int nlocals = count(unit->varnames), ncells = count(unit->cellvars);
    int n = ncells + count(unit->freevars), i = 0;
    PyObject *name, *unused;
    Py_ssize_t pos = 0;
    *dropped = 0;
    while (ncells && PyDict_Next(unit->cellvars, &pos, &name, &unused)) {
        PyObject *local = PyDict_GetItemWithError(unit->varnames, name);
        if (local != NULL) {
            place[i++] = (int)PyLong_AsLong(local);
            ++*dropped;
        }
        else if (PyErr_Occurred()) {
            return -1;
        }
        else {
            place[i] = nlocals + i - *dropped;
            i++;
        }
    }
    for (; i < n; i++) {
        place[i] = nlocals + i - *dropped;
    }
    return 0;
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
    int nlocals = count(unit->varnames), ncells = count(unit->cellvars);
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
    int nfree = count(unit->freevars);
    return nfree ? insert(cfg, 0, COPY_FREE_VARS, nfree, KR_NO_LOC) : 0;
}

/* The keys of `dict` in order, unwrapped from constant keys if asked. */
static PyObject *
keys_list(PyObject *dict, bool constants)
{
    PyObject *list = PyList_New(count(dict));
    PyObject *key, *index;
    Py_ssize_t pos = 0, i = 0;
    while (list != NULL && dict != NULL &&
           PyDict_Next(dict, &pos, &key, &index)) {
        if (constants && PyTuple_CheckExact(key)) {
            key = PyTuple_GET_ITEM(key, 1);
        }
        PyList_SET_ITEM(list, i++, Py_NewRef(key));
    }
    return list;
}

/* Consumes the list. */
static PyObject *
merged_tuple(PyObject *merged, PyObject *list)
{
    PyObject *tuple = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple == NULL ? NULL : kr_merge_const(merged, tuple);
}

static PyObject *
merged_bytes(PyObject *merged, PyObject *bytes)
{
    return bytes == NULL ? NULL : kr_merge_const(merged, bytes);
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
    Py_ssize_t n = count(unit->varnames) + count(unit->cellvars) +
                   count(unit->freevars) - dropped;
    PyObject *names = PyTuple_New(n);
    PyObject *kinds = PyBytes_FromStringAndSize(NULL, n);
    spec->localsplusnames = names;
    spec->localspluskinds = kinds;
    if (names == NULL || kinds == NULL) {
        return -1;
    }
    PyObject *name, *unused;
    Py_ssize_t pos = 0, i = 0;
    while (unit->varnames &&
           PyDict_Next(unit->varnames, &pos, &name, &unused)) {
        int cell = unit->cellvars ? PyDict_Contains(unit->cellvars, name) : 0;
        set_local(names, kinds, i++, name,
                  KR_LOCAL_LOCAL | (cell > 0 ? KR_LOCAL_CELL : 0));
    }
    pos = 0;
    while (unit->cellvars &&
           PyDict_Next(unit->cellvars, &pos, &name, &unused)) {
        if (PyDict_Contains(unit->varnames, name) == 0) {
            set_local(names, kinds, i++, name, KR_LOCAL_CELL);
        }
    }
    pos = 0;
    while (unit->freevars &&
           PyDict_Next(unit->freevars, &pos, &name, &unused)) {
        set_local(names, kinds, i++, name, KR_LOCAL_FREE);
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Everything up to the layout that is emitted. Returns the stack size, or -1
 * with an exception set. */
static int
optimise(struct kr_unit *unit, struct kr_cfg *cfg, PyObject *consts,
         PyObject *merged)
{
    if (kr_pass_peephole(cfg, consts, merged) < 0) {
        return -1;
    }
    kr_pass_remove_nops(cfg);
    if (kr_pass_inline_exits(cfg) < 0 || kr_pass_reachable(cfg) < 0) {
        return -1;
    }
    kr_pass_remove_nops(cfg);
    kr_pass_remove_empty(cfg);
    kr_pass_remove_jumps(cfg);
    if (kr_pass_trim_consts(cfg, consts) < 0 ||
        kr_pass_duplicate_exits(cfg) < 0) {
        return -1;
    }
    kr_pass_propagate_lines(cfg);
    kr_pass_exit_lines(cfg, unit->firstlineno);
    int stacksize = kr_pass_stackdepth(cfg, is_generator(unit));
    if (stacksize < 0 || kr_pass_label_handlers(cfg) < 0) {
        return -1;
    }
    kr_pass_drop_setups(cfg);
    kr_pass_remove_nops(cfg);
    kr_pass_direct_jumps(cfg);
    kr_pass_jump_offsets(cfg);
    return stacksize;
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

/* Makes the code object of the final graph; consumes `consts`. */
static PyObject *
make_code(struct kr_unit *unit, struct kr_cfg *cfg, PyObject *filename,
          PyObject *consts, PyObject *merged, int stacksize, int dropped)
{
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
    spec.exceptiontable = merged_bytes(merged, kr_emit_handlers(cfg));
    spec.linetable =
        merged_bytes(merged, kr_emit_locations(cfg, unit->firstlineno));
    spec.code = merged_bytes(merged, kr_emit_code(cfg));
    spec.names = merged_tuple(merged, keys_list(unit->names, false));
    spec.consts = merged_tuple(merged, consts);
    if (spec.exceptiontable && spec.linetable && spec.code && spec.names &&
        spec.consts && describe_locals(unit, &spec, dropped) == 0) {
        spec.localsplusnames = kr_merge_const(merged, spec.localsplusnames);
        if (spec.localsplusnames != NULL) {
            co = kr_code_new(&spec);
        }
    }
    clear_spec(&spec);
    return co;
}

PyObject *
kr_assemble(struct kr_unit *unit, struct kr_cfg *cfg, PyObject *filename,
            PyObject *constants, bool add_none)
{
    int ncells = count(unit->cellvars) + count(unit->freevars);
    int *place =
        kr_arena_alloc(cfg->arena, (size_t)(ncells + 1) * sizeof *place);
    int dropped;
    if (place == NULL || add_return(unit, cfg, add_none) < 0 ||
        kr_pass_normalise(cfg) < 0 || kr_pass_inline_exits(cfg) < 0 ||
        place_cells(unit, place, &dropped) < 0) {
        return NULL;
    }
    if (unit->firstlineno == 0) {
        int line = cfg->entry->used ? cfg->entry->instr[0].loc.lineno : 0;
        unit->firstlineno = line > 0 ? line : 1;
    }
    fix_cells(cfg, place);
    if (insert_prefix(unit, cfg, place) < 0) {
        return NULL;
    }
    PyObject *consts = keys_list(unit->consts, true);
    if (consts == NULL) {
        return NULL;
    }
    int stacksize = optimise(unit, cfg, consts, constants);
    if (stacksize < 0) {
        Py_DECREF(consts);
        return NULL;
    }
    return make_code(unit, cfg, filename, consts, constants, stacksize,
                     dropped);
}
