/* The _lsprof module: the profiler behind cProfile.
 *
 * Every call event pushes a context onto the profiler's stack, every return
 * pops one and books its time on an entry: one for each code object or
 * built-in function, and one more for each pair of caller and called. */
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <structmember.h>

#include "modules/kwargs.h"

struct entry;

/* Entries by key, in order of arrival: `slots` is an open table of indexes
 * plus one into `entries`. */
struct table {
    struct entry **entries;
    uint32_t *slots;
    uint32_t count, cap; /* cap: slots, a power of two or 0 */
};

/* The account of a function, or of a function under one caller. */
struct entry {
    const void *key;  /* the code object or the PyMethodDef */
    PyObject *user;   /* owned: what users see; NULL under a caller */
    _PyTime_t total;  /* with subcalls, of the outermost call only */
    _PyTime_t inner;  /* without subcalls */
    long calls, recursive_calls;
    long level;       /* calls now running */
    struct table callees;
};

/* A call that is running. */
struct context {
    _PyTime_t start;
    _PyTime_t subcalls; /* time spent in calls made from here */
    struct context *previous;
    struct entry *entry;
};

typedef struct {
    PyObject_HEAD
    struct table entries;
    struct context *current;
    struct context *spare; /* free contexts */
    bool enabled, subcalls, builtins, no_memory;
    bool timing; /* `timer` is running: contexts must stay */
    PyObject *timer; /* owned, or NULL for the performance counter */
    double unit;     /* seconds a tick of `timer`, 0 if it gives seconds */
} Profiler;

typedef struct {
    PyTypeObject *profiler, *entry, *subentry;
} lsprof_state;

/* Tables of entries. */

static uint32_t
slot_of(const struct table *table, const void *key)
{
    uint32_t mask = table->cap - 1;
    uint32_t i = (uint32_t)(((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15u >> 32);
    for (i &= mask; table->slots[i] != 0; i = (i + 1) & mask) {
        if (table->entries[table->slots[i] - 1]->key == key) {
            break;
        }
    }
    return i;
}

static struct entry *
table_find(const struct table *table, const void *key)
{
    if (table->cap == 0) {
        return NULL;
    }
    uint32_t i = table->slots[slot_of(table, key)];
    return i ? table->entries[i - 1] : NULL;
}

static bool
table_grow(struct table *table)
{
    uint32_t cap = table->cap ? table->cap * 2 : 8;
    struct entry **entries = PyMem_Realloc(table->entries,
                                           cap / 2 * sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    table->entries = entries;
    uint32_t *slots = PyMem_Calloc(cap, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    PyMem_Free(table->slots);
    table->slots = slots;
    table->cap = cap;
    for (uint32_t i = 0; i < table->count; i++) {
        slots[slot_of(table, entries[i]->key)] = i + 1;
    }
    return true;
}

/* A new entry of a key that has none, or NULL without an exception. */
static struct entry *
table_add(struct table *table, const void *key)
{
    if (table->count >= table->cap / 2 && !table_grow(table)) {
        return NULL;
    }
    struct entry *entry = PyMem_Calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return NULL;
    }
    entry->key = key;
    table->slots[slot_of(table, key)] = table->count + 1;
    table->entries[table->count++] = entry;
    return entry;
}

static void
table_clear(struct table *table)
{
    struct table old = *table;
    *table = (struct table){0};
    for (uint32_t i = 0; i < old.count; i++) {
        table_clear(&old.entries[i]->callees);
        Py_XDECREF(old.entries[i]->user);
        PyMem_Free(old.entries[i]);
    }
    PyMem_Free(old.entries);
    PyMem_Free(old.slots);
}

/* Time. */

static _PyTime_t
external_time(Profiler *self)
{
    PyObject *timer = Py_NewRef(self->timer);
    self->timing = true;
    PyObject *ticks = PyObject_CallNoArgs(timer);
    self->timing = false;
    _PyTime_t t = 0;
    bool failed = ticks == NULL;
    if (!failed && self->unit > 0) {
        t = PyLong_AsLongLong(ticks);
        failed = t == -1 && PyErr_Occurred() != NULL;
    }
    else if (!failed) {
        failed = _PyTime_FromSecondsObject(&t, ticks,
                                           _PyTime_ROUND_FLOOR) < 0;
    }
    Py_XDECREF(ticks);
    if (failed) {
        PyErr_WriteUnraisable(timer);
        t = 0;
    }
    Py_DECREF(timer);
    return t;
}

static inline _PyTime_t
now(Profiler *self)
{
    return self->timer != NULL ? external_time(self)
                               : _PyTime_GetPerfCounter();
}

/* What users see in place of a built-in function: the text of its method
 * descriptor, or its name. */
static PyObject *
builtin_text(PyCFunctionObject *func)
{
    const char *name = func->m_ml->ml_name;
    if (func->m_self == NULL || PyModule_Check(func->m_self)) {
        if (func->m_module != NULL && PyUnicode_Check(func->m_module)) {
            return PyUnicode_FromFormat("<built-in method %U.%s>",
                                        func->m_module, name);
        }
        return PyUnicode_FromFormat("<built-in method %s>", name);
    }
    PyObject *attribute = PyUnicode_FromString(name);
    if (attribute == NULL) {
        return NULL;
    }
    PyObject *method = _PyType_Lookup(Py_TYPE(func->m_self), attribute);
    Py_DECREF(attribute);
    if (method != NULL) {
        Py_INCREF(method);
        PyObject *text = PyObject_Repr(method);
        Py_DECREF(method);
        if (text != NULL) {
            return text;
        }
        PyErr_Clear();
    }
    return PyUnicode_FromFormat("<built-in method %s>", name);
}

/* Events. Each runs with no exception set, or with the one that ends the
 * call kept aside. */

static struct entry *
new_entry(Profiler *self, const void *key, PyObject *func)
{
    PyObject *user = PyCFunction_Check(func)
                         ? builtin_text((PyCFunctionObject *)func)
                         : Py_NewRef(func);
    struct entry *entry = user ? table_add(&self->entries, key) : NULL;
    if (entry == NULL) {
        PyErr_Clear();
        Py_XDECREF(user);
        self->no_memory = true;
        return NULL;
    }
    entry->user = user;
    return entry;
}

static struct context *
new_context(Profiler *self)
{
    struct context *context = self->spare;
    if (context != NULL) {
        self->spare = context->previous;
        return context;
    }
    context = PyMem_Malloc(sizeof(*context));
    self->no_memory |= context == NULL;
    return context;
}

static void
start_call(Profiler *self, struct context *context, struct entry *entry)
{
    context->entry = entry;
    context->subcalls = 0;
    context->previous = self->current;
    self->current = context;
    entry->level++;
    if (self->subcalls && context->previous != NULL) {
        struct table *callees = &context->previous->entry->callees;
        struct entry *under = table_find(callees, entry->key);
        if (under == NULL && (under = table_add(callees, entry->key)) == NULL) {
            self->no_memory = true;
        }
        else {
            under->level++;
        }
    }
    context->start = now(self);
}

static void
book(struct entry *entry, _PyTime_t total, _PyTime_t inner)
{
    if (--entry->level == 0) {
        entry->total += total;
    }
    else {
        entry->recursive_calls++;
    }
    entry->inner += inner;
    entry->calls++;
}

/* Ends the running call, in favour of `entry`. */
static void
stop_call(Profiler *self, struct context *context, struct entry *entry)
{
    _PyTime_t total = now(self) - context->start;
    _PyTime_t inner = total - context->subcalls;
    struct context *caller = context->previous;
    self->current = caller;
    if (caller != NULL) {
        caller->subcalls += total;
    }
    book(entry, total, inner);
    if (self->subcalls && caller != NULL) {
        struct entry *under = table_find(&caller->entry->callees, entry->key);
        if (under != NULL) {
            book(under, total, inner);
        }
    }
}

static void
enter_call(Profiler *self, const void *key, PyObject *func)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    struct entry *entry = table_find(&self->entries, key);
    if (entry == NULL) {
        entry = new_entry(self, key, func);
    }
    struct context *context = entry ? new_context(self) : NULL;
    if (context != NULL) {
        start_call(self, context, entry);
    }
    PyErr_Restore(type, value, tb);
}

static void
leave_call(Profiler *self, const void *key)
{
    struct context *context = self->current;
    if (context == NULL) {
        return;
    }
    struct entry *entry = table_find(&self->entries, key);
    if (entry != NULL) {
        stop_call(self, context, entry);
    }
    else {
        self->current = context->previous;
    }
    context->previous = self->spare;
    self->spare = context;
}

static int
callback(PyObject *object, PyFrameObject *frame, int what, PyObject *arg)
{
    Profiler *self = (Profiler *)object;
    Py_INCREF(object); /* the timer may drop the last other reference */
    if (what == PyTrace_CALL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        enter_call(self, code, (PyObject *)code);
        Py_DECREF(code);
    }
    else if (what == PyTrace_RETURN) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        leave_call(self, code);
        Py_DECREF(code);
    }
    else if (self->builtins && (what == PyTrace_C_CALL ||
                                what == PyTrace_C_RETURN ||
                                what == PyTrace_C_EXCEPTION)
             && PyCFunction_Check(arg)) {
        const void *key = ((PyCFunctionObject *)arg)->m_ml;
        if (what == PyTrace_C_CALL) {
            enter_call(self, key, arg);
        }
        else {
            leave_call(self, key);
        }
    }
    Py_DECREF(object);
    return 0;
}

/* What was measured. */

static bool
out_of_memory(Profiler *self)
{
    if (!self->no_memory) {
        return false;
    }
    self->no_memory = false;
    PyErr_SetString(PyExc_MemoryError, "memory was exhausted while profiling");
    return true;
}

/* The tuple of one account; `user` is borrowed, `calls` is taken over or NULL
 * for the short form. NULL with an exception set. */
static PyObject *
account(PyTypeObject *type, PyObject *user, const struct entry *entry,
        double unit, PyObject *calls)
{
    PyObject *items[] = {Py_NewRef(user),
                         PyLong_FromLong(entry->calls),
                         PyLong_FromLong(entry->recursive_calls),
                         PyFloat_FromDouble(unit * (double)entry->total),
                         PyFloat_FromDouble(unit * (double)entry->inner),
                         calls};
    PyObject *tuple = PyStructSequence_New(type);
    int n = calls != NULL ? 6 : 5;
    bool complete = tuple != NULL;
    for (int i = 0; i < n; i++) {
        complete &= items[i] != NULL;
        if (tuple != NULL) {
            PyStructSequence_SET_ITEM(tuple, i, items[i]);
        }
        else {
            Py_XDECREF(items[i]);
        }
    }
    if (!complete) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

/* Appends a new reference, given up; -1 on failure, also of its maker. */
static int
append_new(PyObject *list, PyObject *item)
{
    int status = item != NULL ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return status;
}

/* The list of calls made from an entry, None without any. */
static PyObject *
callees_list(Profiler *self, lsprof_state *state, const struct entry *entry,
             double unit)
{
    if (entry->callees.count == 0) {
        return Py_NewRef(Py_None);
    }
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < entry->callees.count; i++) {
        struct entry *under = entry->callees.entries[i];
        struct entry *called = table_find(&self->entries, under->key);
        if (called != NULL && called->user != NULL
            && append_new(list, account(state->subentry, called->user, under,
                                        unit, NULL)) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
profiler_getstats(PyObject *object, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    Profiler *self = (Profiler *)object;
    lsprof_state *state = PyType_GetModuleState(cls);
    if (nargs != 0) {
        PyErr_SetString(PyExc_TypeError, "getstats() takes no arguments");
        return NULL;
    }
    if (out_of_memory(self)) {
        return NULL;
    }
    double unit = self->timer == NULL || self->unit == 0.0
                      ? _PyTime_AsSecondsDouble(1)
                      : self->unit;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < self->entries.count; i++) {
        struct entry *entry = self->entries.entries[i];
        if (entry->calls == 0) {
            continue;
        }
        PyObject *calls = callees_list(self, state, entry, unit);
        if (calls == NULL
            || append_new(list, account(state->entry, entry->user, entry,
                                        unit, calls)) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* The object. */

/* Books the calls still running as if they ended now. */
static void
end_all_calls(Profiler *self)
{
    while (self->current != NULL) {
        struct context *context = self->current;
        stop_call(self, context, context->entry);
        context->previous = self->spare;
        self->spare = context;
    }
}

static void
free_contexts(struct context **stack)
{
    while (*stack != NULL) {
        struct context *context = *stack;
        *stack = context->previous;
        PyMem_Free(context);
    }
}

static void
forget_all(Profiler *self)
{
    free_contexts(&self->current);
    free_contexts(&self->spare);
    table_clear(&self->entries);
}

/* Whether it is the timer that asks, with an exception set. */
static bool
in_timer(Profiler *self, const char *what)
{
    if (self->timing) {
        PyErr_Format(PyExc_RuntimeError,
                     "cannot %s profiler in external timer", what);
    }
    return self->timing;
}

static PyObject *
profiler_enable(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"subcalls", "builtins", NULL};
    Profiler *self = (Profiler *)object;
    int subcalls = -1, builtins = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ii:enable", keywords,
                                     &subcalls, &builtins)) {
        return NULL;
    }
    self->subcalls = subcalls < 0 ? self->subcalls : subcalls > 0;
    self->builtins = builtins < 0 ? self->builtins : builtins > 0;
    if (_PyEval_SetProfile(PyThreadState_Get(), callback, object) < 0) {
        return NULL;
    }
    self->enabled = true;
    Py_RETURN_NONE;
}

static PyObject *
profiler_disable(PyObject *object, PyObject *unused)
{
    Profiler *self = (Profiler *)object;
    if (in_timer(self, "disable")
        || _PyEval_SetProfile(PyThreadState_Get(), NULL, NULL) < 0) {
        return NULL;
    }
    self->enabled = false;
    end_all_calls(self);
    if (out_of_memory(self)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
profiler_clear(PyObject *object, PyObject *unused)
{
    if (in_timer((Profiler *)object, "clear")) {
        return NULL;
    }
    forget_all((Profiler *)object);
    Py_RETURN_NONE;
}

static int
profiler_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timer", "timeunit", "subcalls", "builtins",
                               NULL};
    Profiler *self = (Profiler *)object;
    PyObject *timer = NULL;
    double unit = 0.0;
    int subcalls = 1, builtins = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Odii:Profiler", keywords,
                                     &timer, &unit, &subcalls, &builtins)) {
        return -1;
    }
    self->subcalls = subcalls < 0 ? self->subcalls : subcalls > 0;
    self->builtins = builtins < 0 ? self->builtins : builtins > 0;
    self->unit = unit;
    Py_XSETREF(self->timer, Py_XNewRef(timer));
    return 0;
}

static int
profiler_traverse(PyObject *object, visitproc visit, void *arg)
{
    Profiler *self = (Profiler *)object;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->timer);
    for (uint32_t i = 0; i < self->entries.count; i++) {
        Py_VISIT(self->entries.entries[i]->user);
    }
    return 0;
}

static int
profiler_tp_clear(PyObject *object)
{
    Py_CLEAR(((Profiler *)object)->timer);
    return 0;
}

static void
profiler_dealloc(PyObject *object)
{
    Profiler *self = (Profiler *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->enabled
        && _PyEval_SetProfile(PyThreadState_Get(), NULL, NULL) < 0) {
        _PyErr_WriteUnraisableMsg("When destroying _lsprof profiler", NULL);
    }
    end_all_calls(self);
    forget_all(self);
    Py_XDECREF(self->timer);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef profiler_methods[] = {
    {"getstats", KR_CAST(profiler_getstats),
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "getstats() -> list of profiler_entry objects\n\n"
     "What was measured, a profiler_entry for each function:\n\n"
     "    code          its code object, or a text for a built-in one\n"
     "    callcount     number of calls\n"
     "    reccallcount  number of those that were recursive\n"
     "    totaltime     time in it and in what it called\n"
     "    inlinetime    time in it alone\n"
     "    calls         None, or a list of profiler_subentry: the same\n"
     "                  numbers for each function called from it"},
    {"enable", KR_CAST(profiler_enable), METH_VARARGS | METH_KEYWORDS,
     "enable(subcalls=True, builtins=True)\n\n"
     "Begin to measure.\n\n"
     "With subcalls, calls are also counted apart for each caller. With\n"
     "builtins, built-in functions have entries of their own."},
    {"disable", profiler_disable, METH_NOARGS,
     "disable()\n\nMeasure no more."},
    {"clear", profiler_clear, METH_NOARGS,
     "clear()\n\nForget all that was measured."},
    {NULL},
};

static PyType_Slot profiler_slots[] = {
    {Py_tp_doc,
     "Profiler(timer=None, timeunit=None, subcalls=True, builtins=True)\n\n"
     "A profiler. The timer is by default the system's performance counter;\n"
     "another one returns seconds, or integers of `timeunit` seconds each."},
    {Py_tp_methods, profiler_methods},
    {Py_tp_init, profiler_init},
    {Py_tp_traverse, profiler_traverse},
    {Py_tp_clear, profiler_tp_clear},
    {Py_tp_dealloc, profiler_dealloc},
    {0, NULL},
};

static PyType_Spec profiler_spec = {
    .name = "_lsprof.Profiler",
    .basicsize = sizeof(Profiler),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = profiler_slots,
};

static PyStructSequence_Field entry_fields[] = {
    {"code", "code object or built-in function name"},
    {"callcount", "how many times this was called"},
    {"reccallcount", "how many times called recursively"},
    {"totaltime", "total time in this entry"},
    {"inlinetime", "inline time in this entry (not in subcalls)"},
    {"calls", "details of the calls"},
    {NULL},
};

static PyStructSequence_Field subentry_fields[] = {
    {"code", "called code object or built-in function name"},
    {"callcount", "how many times this is called"},
    {"reccallcount", "how many times this is called recursively"},
    {"totaltime", "total time spent in this call"},
    {"inlinetime", "inline time (not in further subcalls)"},
    {NULL},
};

static PyStructSequence_Desc entry_desc = {
    .name = "_lsprof.profiler_entry",
    .fields = entry_fields,
    .n_in_sequence = 6,
};

static PyStructSequence_Desc subentry_desc = {
    .name = "_lsprof.profiler_subentry",
    .fields = subentry_fields,
    .n_in_sequence = 5,
};

/* The module. */

static int
lsprof_exec(PyObject *module)
{
    lsprof_state *state = PyModule_GetState(module);
    state->profiler = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &profiler_spec, NULL);
    state->entry = PyStructSequence_NewType(&entry_desc);
    state->subentry = PyStructSequence_NewType(&subentry_desc);
    if (state->profiler == NULL || state->entry == NULL
        || state->subentry == NULL) {
        return -1;
    }
    return PyModule_AddType(module, state->profiler) < 0
                   || PyModule_AddType(module, state->entry) < 0
                   || PyModule_AddType(module, state->subentry) < 0
               ? -1
               : 0;
}

static int
lsprof_traverse(PyObject *module, visitproc visit, void *arg)
{
    lsprof_state *state = PyModule_GetState(module);
    Py_VISIT(state->profiler);
    Py_VISIT(state->entry);
    Py_VISIT(state->subentry);
    return 0;
}

static int
lsprof_clear(PyObject *module)
{
    lsprof_state *state = PyModule_GetState(module);
    Py_CLEAR(state->profiler);
    Py_CLEAR(state->entry);
    Py_CLEAR(state->subentry);
    return 0;
}

static void
lsprof_free(void *module)
{
    lsprof_clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, lsprof_exec}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_lsprof",
    .m_doc = "A profiler with little cost.",
    .m_size = sizeof(lsprof_state),
    .m_slots = slots,
    .m_traverse = lsprof_traverse,
    .m_clear = lsprof_clear,
    .m_free = lsprof_free,
};

PyMODINIT_FUNC
PyInit__lsprof(void)
{
    return PyModuleDef_Init(&definition);
}
