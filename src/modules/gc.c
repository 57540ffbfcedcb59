/* The gc module: the collector's controls. */
#include "memory/gc_state.h"
#include "objects/args/named.h"

#include <Python.h>

#define ALL_BUT_FROZEN 7u

static PyObject *
gc_enable(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyGC_Enable();
    Py_RETURN_NONE;
}

static PyObject *
gc_disable(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyGC_Disable();
    Py_RETURN_NONE;
}

static PyObject *
gc_isenabled(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(kr_gc.enabled);
}

static PyObject *
gc_collect(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    static const char *const keywords[] = {"generation", NULL};
    static _PyArg_Parser parser = {.format = "|i:collect",
                                   .keywords = keywords};
    int generation = KR_GC_GENERATIONS - 1;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &generation)) {
        return NULL;
    }
    if (generation < 0 || generation >= KR_GC_GENERATIONS) {
        PyErr_SetString(PyExc_ValueError, "invalid generation");
        return NULL;
    }
    return PyLong_FromSsize_t(kr_gc_collect(generation));
}

static PyObject *
gc_set_debug(PyObject *module, PyObject *arg)
{
    int flags = _PyLong_AsInt(arg);
    if (flags == -1 && PyErr_Occurred()) {
        return NULL;
    }
    kr_gc.debug = flags;
    Py_RETURN_NONE;
}

static PyObject *
gc_get_debug(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(kr_gc.debug);
}

static PyObject *
gc_set_threshold(PyObject *module, PyObject *args)
{
    int t[3] = {0, kr_gc.gen[1].threshold, kr_gc.gen[2].threshold};
    if (!PyArg_ParseTuple(args, "i|ii:set_threshold", &t[0], &t[1], &t[2])) {
        return NULL;
    }
    for (int i = 0; i < KR_GC_GENERATIONS; i++) {
        kr_gc.gen[i].threshold = t[i];
    }
    Py_RETURN_NONE;
}

static PyObject *
gc_get_threshold(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(iii)", kr_gc.gen[0].threshold,
                         kr_gc.gen[1].threshold, kr_gc.gen[2].threshold);
}

static PyObject *
gc_get_count(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(iii)", kr_gc.gen[0].count, kr_gc.gen[1].count,
                         kr_gc.gen[2].count);
}

/* --- lists of objects ---------------------------------------------------- */

/* The walk over the heap must not allocate, so it fills an array first. */
struct found {
    PyObject **items;
    size_t len, cap;
    PyObject *targets; /* a tuple: only objects that refer to one of these */
};

static int
is_target(PyObject *op, void *targets)
{
    PyObject *tuple = targets;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (PyTuple_GET_ITEM(tuple, i) == op) {
            return 1;
        }
    }
    return 0;
}

static int
add_found(PyObject *op, void *arg)
{
    struct found *f = arg;
    if (f->targets != NULL
        && (op == f->targets
            || !Py_TYPE(op)->tp_traverse(op, is_target, f->targets))) {
        return 0;
    }
    if (f->len == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 1024;
        void *items = PyMem_RawRealloc(f->items, cap * sizeof(*f->items));
        if (items == NULL) {
            return -1;
        }
        f->items = items;
        f->cap = cap;
    }
    f->items[f->len++] = Py_NewRef(op);
    return 0;
}

static PyObject *
list_of_found(unsigned gens, PyObject *targets)
{
    struct found f = {.targets = targets};
    int res = kr_gc_each(gens, add_found, &f);
    PyObject *list = res == 0 ? PyList_New((Py_ssize_t)f.len) : NULL;
    for (size_t i = 0; i < f.len; i++) {
        if (list != NULL) {
            PyList_SET_ITEM(list, (Py_ssize_t)i, f.items[i]);
        }
        else {
            Py_DECREF(f.items[i]);
        }
    }
    PyMem_RawFree(f.items);
    return list == NULL && !PyErr_Occurred() ? PyErr_NoMemory() : list;
}

static PyObject *
gc_get_referrers(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referrers", "(O)", args) < 0) {
        return NULL;
    }
    return list_of_found(ALL_BUT_FROZEN, args);
}

static int
append_referent(PyObject *op, void *list)
{
    return PyList_Append(list, op) < 0;
}

static PyObject *
gc_get_referents(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referents", "(O)", args) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *op = PyTuple_GET_ITEM(args, i);
        traverseproc traverse = Py_TYPE(op)->tp_traverse;
        if (!PyObject_IS_GC(op) || traverse == NULL) {
            continue;
        }
        if (traverse(op, append_referent, list)) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *
gc_get_objects(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const keywords[] = {"generation", NULL};
    static _PyArg_Parser parser = {.format = "|O:get_objects",
                                   .keywords = keywords};
    PyObject *arg = Py_None;
    Py_ssize_t generation = -1;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &arg)) {
        return NULL;
    }
    if (arg != Py_None) {
        if (!PyIndex_Check(arg)) {
            PyErr_Format(PyExc_TypeError,
                         "argument should be integer or None, not '%.200s'",
                         Py_TYPE(arg)->tp_name);
            return NULL;
        }
        generation = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
        if (generation == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (PySys_Audit("gc.get_objects", "n", generation) < 0) {
        return NULL;
    }
    if (arg == Py_None) {
        return list_of_found(ALL_BUT_FROZEN, NULL);
    }
    if (generation >= KR_GC_GENERATIONS) {
        PyErr_Format(PyExc_ValueError,
                     "generation parameter must be less than the number of "
                     "available generations (%i)",
                     KR_GC_GENERATIONS);
        return NULL;
    }
    if (generation < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "generation parameter cannot be negative");
        return NULL;
    }
    return list_of_found(1u << generation, NULL);
}

static PyObject *
gc_get_stats(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < KR_GC_GENERATIONS; i++) {
        PyObject *dict = Py_BuildValue(
            "{snsnsn}", "collections", kr_gc.stats[i].collections, "collected",
            kr_gc.stats[i].collected, "uncollectable",
            kr_gc.stats[i].uncollectable);
        if (dict == NULL || PyList_Append(list, dict) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(dict);
    }
    return list;
}

static PyObject *
gc_is_tracked(PyObject *module, PyObject *op)
{
    return PyBool_FromLong(kr_gc_is_tracked(op));
}

static PyObject *
gc_is_finalized(PyObject *module, PyObject *op)
{
    return PyBool_FromLong(kr_gc_is_finalized(op));
}

/* --- the permanent generation -------------------------------------------- */

static int
to_permanent(PyObject *op, void *arg)
{
    kr_gc_set_generation(op, KR_GC_APART);
    return 0;
}

static int
to_old(PyObject *op, void *arg)
{
    kr_gc_set_generation(op, 2);
    return 0;
}

static PyObject *
gc_freeze(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    kr_gc.regrouped++;
    kr_gc_each(ALL_BUT_FROZEN, to_permanent, NULL);
    for (int i = 0; i < KR_GC_GENERATIONS; i++) {
        kr_gc.gen[i].count = 0;
    }
    Py_RETURN_NONE;
}

static PyObject *
gc_unfreeze(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    kr_gc.regrouped++;
    kr_gc_each(1u << KR_GC_APART, to_old, NULL);
    Py_RETURN_NONE;
}

static int
count_one(PyObject *op, void *arg)
{
    ++*(Py_ssize_t *)arg;
    return 0;
}

static PyObject *
gc_get_freeze_count(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t n = 0;
    kr_gc_each(1u << KR_GC_APART, count_one, &n);
    return PyLong_FromSsize_t(n);
}

/* --- the module ---------------------------------------------------------- */

#define FN(f) (PyCFunction)(void *)(f)

static PyMethodDef methods[] = {
    {"enable", gc_enable, METH_NOARGS,
     "enable($module, /)\n--\n\nLet collections start by themselves."},
    {"disable", gc_disable, METH_NOARGS,
     "disable($module, /)\n--\n\nLet no collection start by itself."},
    {"isenabled", gc_isenabled, METH_NOARGS,
     "isenabled($module, /)\n--\n\nWhether collections start by themselves."},
    {"set_debug", gc_set_debug, METH_O,
     "set_debug($module, flags, /)\n--\n\n"
     "Set what the collector writes to sys.stderr: a sum of DEBUG_ flags."},
    {"get_debug", gc_get_debug, METH_NOARGS,
     "get_debug($module, /)\n--\n\nThe current debugging flags."},
    {"get_count", gc_get_count, METH_NOARGS,
     "get_count($module, /)\n--\n\n"
     "The counts of the three generations, as a tuple."},
    {"set_threshold", gc_set_threshold, METH_VARARGS,
     "set_threshold(threshold0, [threshold1, threshold2])\n\n"
     "Set when collections start. Zero for threshold0 means never."},
    {"get_threshold", gc_get_threshold, METH_NOARGS,
     "get_threshold($module, /)\n--\n\nThe thresholds, as a tuple."},
    {"collect", FN(gc_collect), METH_FASTCALL | METH_KEYWORDS,
     "collect($module, /, generation=2)\n--\n\n"
     "Collect a generation and the younger ones; the number of unreachable\n"
     "objects found."},
    {"get_objects", FN(gc_get_objects), METH_FASTCALL | METH_KEYWORDS,
     "get_objects($module, /, generation=None)\n--\n\n"
     "A list of the objects that the collector follows, of all generations\n"
     "or of one."},
    {"get_stats", gc_get_stats, METH_NOARGS,
     "get_stats($module, /)\n--\n\nA list of dicts, one per generation."},
    {"is_tracked", gc_is_tracked, METH_O,
     "is_tracked($module, obj, /)\n--\n\n"
     "Whether the collector follows an object."},
    {"is_finalized", gc_is_finalized, METH_O,
     "is_finalized($module, obj, /)\n--\n\n"
     "Whether the collector has called the object's finalizer."},
    {"get_referrers", gc_get_referrers, METH_VARARGS,
     "get_referrers(*objs) -> list\n\n"
     "The objects that refer directly to any of the arguments."},
    {"get_referents", gc_get_referents, METH_VARARGS,
     "get_referents(*objs) -> list\n\n"
     "The objects that the arguments refer to directly."},
    {"freeze", gc_freeze, METH_NOARGS,
     "freeze($module, /)\n--\n\n"
     "Let later collections ignore all objects that are followed now."},
    {"unfreeze", gc_unfreeze, METH_NOARGS,
     "unfreeze($module, /)\n--\n\nPut frozen objects in generation 2."},
    {"get_freeze_count", gc_get_freeze_count, METH_NOARGS,
     "get_freeze_count($module, /)\n--\n\nHow many objects are frozen."},
    {NULL},
};

static int
add_list(PyObject *module, const char *name, PyObject **where)
{
    if (*where == NULL) {
        *where = PyList_New(0);
        if (*where == NULL) {
            return -1;
        }
    }
    return PyModule_AddObjectRef(module, name, *where);
}

static int
exec(PyObject *module)
{
    if (add_list(module, "garbage", &kr_gc_lists()->garbage) < 0
        || add_list(module, "callbacks", &kr_gc_lists()->callbacks) < 0
        || PyModule_AddIntConstant(module, "DEBUG_STATS", KR_GC_DEBUG_STATS)
        || PyModule_AddIntConstant(module, "DEBUG_COLLECTABLE",
                                   KR_GC_DEBUG_COLLECTABLE)
        || PyModule_AddIntConstant(module, "DEBUG_UNCOLLECTABLE",
                                   KR_GC_DEBUG_UNCOLLECTABLE)
        || PyModule_AddIntConstant(module, "DEBUG_SAVEALL",
                                   KR_GC_DEBUG_SAVEALL)
        || PyModule_AddIntConstant(module, "DEBUG_LEAK", KR_GC_DEBUG_LEAK)) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gc",
    .m_doc = "Controls of the collector of reference cycles.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_gc(void)
{
    return PyModuleDef_Init(&definition);
}
