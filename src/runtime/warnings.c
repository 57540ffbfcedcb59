/* Warnings: the module _warnings and the C functions that issue them.
 *
 * A warning passes the filters, then a registry of what was shown before, and
 * is shown by warnings._showwarnmsg() once that module is imported, and
 * plainly on sys.stderr until then. All state is in interp->warnings. */
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "vm/frame.h"

#include <Python.h>
#include <frameobject.h>
#include <stdbool.h>

PyAPI_FUNC(PyObject *) _PyWarnings_Init(void);

/* One warning on its way; all references are borrowed. */
struct warning {
    PyObject *category;
    PyObject *message; /* an instance of Warning */
    PyObject *text;
    PyObject *filename;
    PyObject *lineno_obj;
    PyObject *source;     /* or NULL */
    PyObject *sourceline; /* or NULL */
    int lineno;
};

/* ---- state -------------------------------------------------------------- */

/* Appends (action, None, category, module, 0). */
static int
add_filter(PyObject *list, const char *action, PyObject *category,
           const char *module)
{
    PyObject *item = module == NULL
                         ? Py_BuildValue("(sOOOi)", action, Py_None, category,
                                         Py_None, 0)
                         : Py_BuildValue("(sOOsi)", action, Py_None, category,
                                         module, 0);
    int res = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return res;
}

static PyObject *
default_filters(void)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    if (add_filter(list, "default", PyExc_DeprecationWarning, "__main__") < 0 ||
        add_filter(list, "ignore", PyExc_DeprecationWarning, NULL) < 0 ||
        add_filter(list, "ignore", PyExc_PendingDeprecationWarning, NULL) < 0 ||
        add_filter(list, "ignore", PyExc_ImportWarning, NULL) < 0 ||
        add_filter(list, "ignore", PyExc_ResourceWarning, NULL) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static int
ensure_state(PyInterpreterState *interp)
{
    if (interp->warnings.filters == NULL) {
        interp->warnings.filters = default_filters();
        interp->warnings.filters_version = 0;
    }
    if (interp->warnings.once_registry == NULL) {
        interp->warnings.once_registry = PyDict_New();
    }
    if (interp->warnings.default_action == NULL) {
        interp->warnings.default_action = PyUnicode_FromString("default");
    }
    return interp->warnings.filters != NULL &&
                   interp->warnings.once_registry != NULL &&
                   interp->warnings.default_action != NULL
               ? 0
               : -1;
}

/* New reference to an attribute of the module warnings; NULL without an
 * exception if there is none. Imports the module only if asked to. */
static PyObject *
warnings_attr(PyInterpreterState *interp, PyObject *name, bool import)
{
    PyObject *module;
    if (import && !interp->finalizing) {
        module = PyImport_Import(KR_ID(warnings));
        if (module == NULL) {
            if (PyErr_ExceptionMatches(PyExc_ImportError)) {
                PyErr_Clear();
            }
            return NULL;
        }
    }
    else {
        if (interp->finalizing && interp->modules == NULL) {
            return NULL;
        }
        module = PyImport_GetModule(KR_ID(warnings));
        if (module == NULL) {
            return NULL;
        }
    }
    PyObject *res;
    (void)_PyObject_LookupAttr(module, name, &res);
    Py_DECREF(module);
    return res;
}

/* Borrowed: the module's current value of `name`, kept in *slot, after a check
 * of its type. */
static PyObject *
refresh(PyInterpreterState *interp, PyObject *name, PyObject **slot,
        PyTypeObject *type, const char *what, PyObject *error)
{
    PyObject *value = warnings_attr(interp, name, false);
    if (value == NULL) {
        return PyErr_Occurred() ? NULL : *slot;
    }
    if (!PyObject_TypeCheck(value, type)) {
        if (error == PyExc_ValueError) {
            PyErr_Format(error, "_warnings.%U must be a %s", name, what);
        }
        else {
            PyErr_Format(error, "_warnings.%U must be a %s, not '%.200s'", name,
                         what, Py_TYPE(value)->tp_name);
        }
        Py_DECREF(value);
        return NULL;
    }
    Py_XSETREF(*slot, value);
    return value;
}

/* ---- filters ------------------------------------------------------------ */

/* Whether a filter's message or module field accepts `arg`: None accepts all,
 * a str is compared, anything else is a compiled pattern. */
static int
field_matches(PyObject *field, PyObject *arg)
{
    if (field == Py_None) {
        return 1;
    }
    if (PyUnicode_CheckExact(field)) {
        int diff = PyUnicode_Compare(field, arg);
        return diff == -1 && PyErr_Occurred() ? -1 : diff == 0;
    }
    PyObject *res = PyObject_CallMethodOneArg(field, KR_ID(match), arg);
    if (res == NULL) {
        return -1;
    }
    int ok = PyObject_IsTrue(res);
    Py_DECREF(res);
    return ok;
}

/* Whether `item`, a valid filter, applies: 1, 0 or -1. */
static int
filter_applies(PyObject *item, struct warning *w, PyObject *module)
{
    int ok = field_matches(PyTuple_GET_ITEM(item, 1), w->text);
    if (ok <= 0) {
        return ok;
    }
    ok = field_matches(PyTuple_GET_ITEM(item, 3), module);
    if (ok <= 0) {
        return ok;
    }
    ok = PyObject_IsSubclass(w->category, PyTuple_GET_ITEM(item, 2));
    if (ok <= 0) {
        return ok;
    }
    Py_ssize_t line = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 4));
    if (line == -1 && PyErr_Occurred()) {
        return -1;
    }
    return line == 0 || line == w->lineno;
}

/* The action for a warning as a new reference, and the filter that said so
 * (new, None for the default). */
static PyObject *
find_action(PyInterpreterState *interp, struct warning *w, PyObject *module,
            PyObject **filter)
{
    PyObject *filters =
        refresh(interp, KR_ID(filters), &interp->warnings.filters, &PyList_Type,
                "list", PyExc_ValueError);
    if (filters == NULL) {
        return NULL;
    }
    Py_INCREF(filters);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(filters); i++) {
        PyObject *item = PyList_GET_ITEM(filters, i);
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 5) {
            PyErr_Format(PyExc_ValueError,
                         "_warnings.filters item %zd isn't a 5-tuple", i);
            Py_DECREF(filters);
            return NULL;
        }
        PyObject *action = PyTuple_GET_ITEM(item, 0);
        if (!PyUnicode_Check(action)) {
            PyErr_Format(PyExc_TypeError,
                         "action must be a string, not '%.200s'",
                         Py_TYPE(action)->tp_name);
            Py_DECREF(filters);
            return NULL;
        }
        Py_INCREF(item);
        int ok = filter_applies(item, w, module);
        if (ok != 0) {
            Py_DECREF(filters);
            if (ok < 0) {
                Py_DECREF(item);
                return NULL;
            }
            *filter = item;
            return Py_NewRef(action);
        }
        Py_DECREF(item);
    }
    Py_DECREF(filters);
    PyObject *action =
        refresh(interp, KR_ID(defaultaction), &interp->warnings.default_action,
                &PyUnicode_Type, "string", PyExc_TypeError);
    if (action == NULL) {
        return NULL;
    }
    *filter = Py_NewRef(Py_None);
    return Py_NewRef(action);
}

/* ---- registries --------------------------------------------------------- */

/* Whether `key` is in the registry, which is emptied first if the filters have
 * changed since. Adds it if `set`. -1 with an exception. */
static int
already_warned(PyInterpreterState *interp, PyObject *registry, PyObject *key,
               bool set)
{
    PyObject *version = PyDict_GetItemWithError(registry, KR_ID(version));
    if (version == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (version == NULL || !PyLong_CheckExact(version) ||
        PyLong_AsLong(version) != interp->warnings.filters_version) {
        if (PyErr_Occurred()) {
            return -1;
        }
        PyDict_Clear(registry);
        version = PyLong_FromLong(interp->warnings.filters_version);
        int res = version == NULL ? -1
                                  : PyDict_SetItem(registry, KR_ID(version),
                                                   version);
        Py_XDECREF(version);
        if (res < 0) {
            return -1;
        }
    }
    else {
        PyObject *seen = PyDict_GetItemWithError(registry, key);
        if (seen == NULL && PyErr_Occurred()) {
            return -1;
        }
        if (seen != NULL) {
            Py_INCREF(seen);
            int res = PyObject_IsTrue(seen);
            Py_DECREF(seen);
            if (res != 0) {
                return res;
            }
        }
    }
    return set ? PyDict_SetItem(registry, key, Py_True) : 0;
}

static int
update_registry(PyInterpreterState *interp, PyObject *registry,
                struct warning *w)
{
    PyObject *key = PyTuple_Pack(2, w->text, w->category);
    if (key == NULL) {
        return -1;
    }
    int res = already_warned(interp, registry, key, true);
    Py_DECREF(key);
    return res;
}

/* ---- showing ------------------------------------------------------------ */

/* Writes a warning to sys.stderr without the help of Python code. */
static void
show_plainly(struct warning *w)
{
    PyObject *err = PySys_GetObject("stderr");
    if (err == NULL) {
        fputs("lost sys.stderr\n", stderr);
        return;
    }
    Py_INCREF(err);
    PyObject *name = PyObject_GetAttr(w->category, KR_ID(__name__));
    PyObject *line =
        name == NULL ? NULL
                     : PyUnicode_FromFormat("%U:%d: %S: %U\n", w->filename,
                                            w->lineno, name, w->text);
    Py_XDECREF(name);
    if (line == NULL || PyFile_WriteObject(line, err, Py_PRINT_RAW) < 0) {
        goto done;
    }
    if (w->sourceline == NULL) {
        _Py_DisplaySourceLine(err, w->filename, w->lineno, 2, NULL, NULL);
        goto done;
    }
    Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(w->sourceline);
    while (i < n) {
        Py_UCS4 c = PyUnicode_READ_CHAR(w->sourceline, i);
        if (c != ' ' && c != '\t' && c != '\014') {
            break;
        }
        i++;
    }
    PyObject *rest = PyUnicode_Substring(w->sourceline, i, n);
    if (rest != NULL && PyFile_WriteString("  ", err) == 0 &&
        PyFile_WriteObject(rest, err, Py_PRINT_RAW) == 0) {
        PyFile_WriteString("\n", err);
    }
    Py_XDECREF(rest);
done:
    Py_XDECREF(line);
    Py_DECREF(err);
    PyErr_Clear();
}

/* Shows through warnings._showwarnmsg(WarningMessage(...)) if possible. */
static int
show(PyInterpreterState *interp, struct warning *w)
{
    /* only the Python version can tell where `source` was allocated */
    PyObject *fn =
        warnings_attr(interp, KR_ID(_showwarnmsg), w->source != NULL);
    if (fn == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        show_plainly(w);
        return 0;
    }
    if (!PyCallable_Check(fn)) {
        PyErr_SetString(PyExc_TypeError,
                        "warnings._showwarnmsg() must be set to a callable");
        Py_DECREF(fn);
        return -1;
    }
    PyObject *cls = warnings_attr(interp, KR_ID(WarningMessage), false);
    if (cls == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError,
                            "unable to get warnings.WarningMessage");
        }
        Py_DECREF(fn);
        return -1;
    }
    PyObject *msg = PyObject_CallFunctionObjArgs(
        cls, w->message, w->category, w->filename, w->lineno_obj, Py_None,
        Py_None, w->source, NULL);
    Py_DECREF(cls);
    PyObject *res = msg == NULL ? NULL : PyObject_CallOneArg(fn, msg);
    Py_XDECREF(msg);
    Py_DECREF(fn);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

/* ---- issuing ------------------------------------------------------------ */

/* The module name that a file name stands for; new reference. */
static PyObject *
module_of_file(PyObject *filename)
{
    Py_ssize_t n = PyUnicode_GetLength(filename);
    if (n < 0) {
        return NULL;
    }
    if (n == 0) {
        return PyUnicode_FromString("<unknown>");
    }
    if (n >= 3 && PyUnicode_READ_CHAR(filename, n - 3) == '.' &&
        PyUnicode_READ_CHAR(filename, n - 2) == 'p' &&
        PyUnicode_READ_CHAR(filename, n - 1) == 'y') {
        return PyUnicode_Substring(filename, 0, n - 3);
    }
    return Py_NewRef(filename);
}

/* Follows `action`: raises, remembers, shows. 0 or -1. */
static int
follow(PyInterpreterState *interp, struct warning *w, PyObject *action,
       PyObject *filter, PyObject *registry, PyObject *key)
{
    if (_PyUnicode_EqualToASCIIString(action, "error")) {
        PyErr_SetObject(w->category, w->message);
        return -1;
    }
    if (_PyUnicode_EqualToASCIIString(action, "ignore")) {
        return 0;
    }
    int seen = 0;
    if (!_PyUnicode_EqualToASCIIString(action, "always")) {
        if (registry != NULL && PyDict_SetItem(registry, key, Py_True) < 0) {
            return -1;
        }
        if (_PyUnicode_EqualToASCIIString(action, "once")) {
            if (registry == NULL) {
                registry = refresh(interp, KR_ID(onceregistry),
                                   &interp->warnings.once_registry,
                                   &PyDict_Type, "dict", PyExc_TypeError);
                if (registry == NULL) {
                    return -1;
                }
            }
            Py_INCREF(registry);
            seen = update_registry(interp, registry, w);
            Py_DECREF(registry);
        }
        else if (_PyUnicode_EqualToASCIIString(action, "module")) {
            if (registry != NULL) {
                seen = update_registry(interp, registry, w);
            }
        }
        else if (!_PyUnicode_EqualToASCIIString(action, "default")) {
            PyErr_Format(PyExc_RuntimeError,
                         "Unrecognized action (%R) in warnings.filters:\n %R",
                         action, filter);
            return -1;
        }
    }
    return seen != 0 ? (seen < 0 ? -1 : 0) : show(interp, w);
}

/* Issues a warning whose message, text and category are settled. */
static int
issue_normalized(PyInterpreterState *interp, struct warning *w,
                 PyObject *module, PyObject *registry)
{
    PyObject *key = PyTuple_Pack(3, w->text, w->category, w->lineno_obj);
    if (key == NULL) {
        return -1;
    }
    int res = registry == NULL
                  ? 0
                  : already_warned(interp, registry, key, false);
    if (res == 0) {
        PyObject *filter = NULL;
        PyObject *action = find_action(interp, w, module, &filter);
        res = action == NULL
                  ? -1
                  : follow(interp, w, action, filter, registry, key);
        Py_XDECREF(action);
        Py_XDECREF(filter);
    }
    Py_DECREF(key);
    return res < 0 ? -1 : 0;
}

/* The heart of all entry points. New reference to None, or NULL. `module`,
 * `registry`, `sourceline` and `source` may be NULL. */
static PyObject *
issue(PyObject *category, PyObject *message, PyObject *filename, int lineno,
      PyObject *module, PyObject *registry, PyObject *sourceline,
      PyObject *source)
{
    PyInterpreterState *interp = kr_interp();
    if (ensure_state(interp) < 0) {
        return NULL;
    }
    if (module == Py_None) { /* the interpreter is going away */
        Py_RETURN_NONE;
    }
    if (registry == Py_None) {
        registry = NULL;
    }
    if (registry != NULL && !PyDict_Check(registry)) {
        PyErr_SetString(PyExc_TypeError, "'registry' must be a dict or None");
        return NULL;
    }
    struct warning w = {
        .filename = filename,
        .lineno = lineno,
        .sourceline = sourceline,
        .source = source == Py_None ? NULL : source,
    };
    PyObject *result = NULL;
    PyObject *mod = module != NULL ? Py_NewRef(module)
                                   : module_of_file(filename);
    if (mod == NULL) {
        return NULL;
    }
    int is_warning = PyObject_IsInstance(message, PyExc_Warning);
    if (is_warning < 0) {
        Py_DECREF(mod);
        return NULL;
    }
    if (is_warning) {
        w.text = PyObject_Str(message);
        w.message = Py_NewRef(message);
        w.category = (PyObject *)Py_TYPE(message);
    }
    else {
        w.text = Py_NewRef(message);
        w.message = PyObject_CallOneArg(category, message);
        w.category = category;
    }
    w.lineno_obj = PyLong_FromLong(lineno);
    Py_XINCREF(registry);
    if (w.text != NULL && w.message != NULL && w.lineno_obj != NULL &&
        issue_normalized(interp, &w, mod, registry) == 0) {
        result = Py_NewRef(Py_None);
    }
    Py_XDECREF(registry);
    Py_XDECREF(w.text);
    Py_XDECREF(w.message);
    Py_XDECREF(w.lineno_obj);
    Py_DECREF(mod);
    return result;
}

/* ---- where the warning comes from --------------------------------------- */

/* Whether the frame belongs to the import system's own code. */
static bool
is_internal(PyFrameObject *frame)
{
    if (frame == NULL) {
        return false;
    }
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool internal =
        code->co_filename != NULL && PyUnicode_Check(code->co_filename) &&
        PyUnicode_Contains(code->co_filename, KR_ID(importlib)) > 0 &&
        PyUnicode_Contains(code->co_filename, KR_ID(_bootstrap)) > 0;
    Py_DECREF(code);
    return internal;
}

/* Takes over `frame`; returns its caller as a new reference, or NULL. */
static PyFrameObject *
caller_of(PyFrameObject *frame, bool skip_internal)
{
    do {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    } while (skip_internal && frame != NULL && is_internal(frame));
    return frame;
}

/* The frame that `level` callers up stands for; new. NULL beyond the last, or
 * with MemoryError. */
static PyFrameObject *
frame_at(Py_ssize_t level)
{
    PyFrameObject *frame = kr_thread_frame_object(PyThreadState_Get());
    bool skip = !(level <= 0 || is_internal(frame));
    while (--level > 0 && frame != NULL) {
        frame = caller_of(frame, skip);
    }
    return frame;
}

struct origin {
    PyObject *filename, *module, *registry; /* new references */
    int lineno;
};

static void
release_origin(struct origin *o)
{
    Py_XDECREF(o->filename);
    Py_XDECREF(o->module);
    Py_XDECREF(o->registry);
}

/* Finds registry and module name in a namespace. 0 or -1. */
static int
read_globals(struct origin *o, PyObject *globals)
{
    o->registry =
        PyDict_GetItemWithError(globals, KR_ID(__warningregistry__));
    if (o->registry != NULL) {
        Py_INCREF(o->registry);
    }
    else {
        if (PyErr_Occurred()) {
            return -1;
        }
        o->registry = PyDict_New();
        if (o->registry == NULL ||
            PyDict_SetItem(globals, KR_ID(__warningregistry__), o->registry) <
                0) {
            return -1;
        }
    }
    o->module = PyDict_GetItemWithError(globals, KR_ID(__name__));
    if (o->module == Py_None ||
        (o->module != NULL && PyUnicode_Check(o->module))) {
        Py_INCREF(o->module);
    }
    else {
        if (PyErr_Occurred()) {
            o->module = NULL;
            return -1;
        }
        o->module = PyUnicode_FromString("<string>");
    }
    return o->module == NULL ? -1 : 0;
}

static int
find_origin(struct origin *o, Py_ssize_t level)
{
    *o = (struct origin){NULL, NULL, NULL, 1};
    PyFrameObject *frame = frame_at(level);
    PyObject *globals;
    if (frame == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (frame == NULL) {
        globals = Py_NewRef(kr_interp()->sysdict);
        o->filename = PyUnicode_FromString("sys");
    }
    else {
        PyCodeObject *code = PyFrame_GetCode(frame);
        globals = PyFrame_GetGlobals(frame);
        o->filename = Py_NewRef(code->co_filename);
        o->lineno = PyFrame_GetLineNumber(frame);
        Py_DECREF(code);
        Py_DECREF(frame);
    }
    int res = o->filename == NULL ? -1 : read_globals(o, globals);
    Py_DECREF(globals);
    if (res < 0) {
        release_origin(o);
    }
    return res;
}

static PyObject *
warn_from_frame(PyObject *message, PyObject *category, Py_ssize_t level,
                PyObject *source)
{
    struct origin o;
    if (ensure_state(kr_interp()) < 0 || find_origin(&o, level) < 0) {
        return NULL;
    }
    PyObject *res = issue(category, message, o.filename, o.lineno, o.module,
                          o.registry, NULL, source);
    release_origin(&o);
    return res;
}

/* ---- the module --------------------------------------------------------- */

/* Borrowed: the category to use, checked. */
static PyObject *
settle_category(PyObject *message, PyObject *category)
{
    int res = PyObject_IsInstance(message, PyExc_Warning);
    if (res < 0) {
        return NULL;
    }
    if (res) {
        category = (PyObject *)Py_TYPE(message);
    }
    else if (category == NULL || category == Py_None) {
        category = PyExc_UserWarning;
    }
    res = PyObject_IsSubclass(category, PyExc_Warning);
    if (res < 0 && !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return NULL;
    }
    if (res <= 0) {
        PyErr_Format(PyExc_TypeError,
                     "category must be a Warning subclass, not '%s'",
                     Py_TYPE(category)->tp_name);
        return NULL;
    }
    return category;
}

PyDoc_STRVAR(warn_doc,
"warn($module, /, message, category=None, stacklevel=1, source=None)\n"
"--\n"
"\n"
"Issue a warning, or raise an exception if the filters say so.");

static PyObject *
warn(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
     PyObject *kwnames)
{
    static const char *const keywords[] = {"message", "category", "stacklevel",
                                           "source", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .format = "O|OnO:warn"};
    PyObject *message, *category = Py_None, *source = Py_None;
    Py_ssize_t level = 1;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &message, &category,
                        &level, &source)) {
        return NULL;
    }
    category = settle_category(message, category);
    if (category == NULL) {
        return NULL;
    }
    return warn_from_frame(message, category, level, source);
}

/* The text of a line as the module's loader knows it. New; NULL without an
 * exception if the loader cannot tell. */
static PyObject *
line_from_loader(PyObject *globals, int lineno)
{
    PyObject *loader = PyDict_GetItemWithError(globals, KR_ID(__loader__));
    if (loader == NULL) {
        return NULL;
    }
    PyObject *name = PyDict_GetItemWithError(globals, KR_ID(__name__));
    if (name == NULL) {
        return NULL;
    }
    Py_INCREF(name);
    PyObject *get, *source = NULL, *lines = NULL, *line = NULL;
    (void)_PyObject_LookupAttr(loader, KR_ID(get_source), &get);
    if (get != NULL) {
        source = PyObject_CallOneArg(get, name);
        Py_DECREF(get);
    }
    Py_DECREF(name);
    if (source != NULL && source != Py_None) {
        lines = PyUnicode_Splitlines(source, 0);
    }
    Py_XDECREF(source);
    if (lines != NULL) {
        line = PySequence_GetItem(lines, (Py_ssize_t)lineno - 1);
        Py_DECREF(lines);
    }
    return line;
}

PyDoc_STRVAR(warn_explicit_doc,
"Issue a warning with its position given by the caller.");

static PyObject *
warn_explicit(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"message",  "category",       "filename",
                               "lineno",   "module",         "registry",
                               "module_globals", "source",   NULL};
    PyObject *message, *category, *filename, *module = NULL, *registry = NULL;
    PyObject *globals = NULL, *source = NULL, *line = NULL;
    int lineno;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwds, "OOUi|OOOO:warn_explicit", keywords, &message,
            &category, &filename, &lineno, &module, &registry, &globals,
            &source)) {
        return NULL;
    }
    if (globals != NULL && globals != Py_None) {
        if (!PyDict_Check(globals)) {
            PyErr_Format(PyExc_TypeError,
                         "module_globals must be a dict, not '%.200s'",
                         Py_TYPE(globals)->tp_name);
            return NULL;
        }
        line = line_from_loader(globals, lineno);
        if (line == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    PyObject *res = issue(category, message, filename, lineno, module,
                          registry, line, source);
    Py_XDECREF(line);
    return res;
}

PyDoc_STRVAR(mutated_doc, "Make the registries forget what they have seen.");

static PyObject *
filters_mutated(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    kr_interp()->warnings.filters_version++;
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"warn", (PyCFunction)(void (*)(void))warn, METH_FASTCALL | METH_KEYWORDS,
     warn_doc},
    {"warn_explicit", (PyCFunction)(void (*)(void))warn_explicit,
     METH_VARARGS | METH_KEYWORDS, warn_explicit_doc},
    {"_filters_mutated", filters_mutated, METH_NOARGS, mutated_doc},
    {NULL},
};

static int
module_exec(PyObject *module)
{
    PyInterpreterState *interp = kr_interp();
    if (ensure_state(interp) < 0 ||
        PyModule_AddObjectRef(module, "filters", interp->warnings.filters) <
            0 ||
        PyModule_AddObjectRef(module, "_onceregistry",
                              interp->warnings.once_registry) < 0 ||
        PyModule_AddObjectRef(module, "_defaultaction",
                              interp->warnings.default_action) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

PyDoc_STRVAR(module_doc,
"_warnings provides basic warning filtering support.\n"
"It is a helper module to speed up interpreter start-up.");

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_warnings",
    .m_doc = module_doc,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyObject *
_PyWarnings_Init(void)
{
    return PyModuleDef_Init(&module_def);
}

/* ---- the C API ---------------------------------------------------------- */

static int
status(PyObject *res)
{
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static int
warn_text(PyObject *source, PyObject *category, Py_ssize_t level,
          PyObject *message)
{
    if (message == NULL) {
        return -1;
    }
    PyObject *res =
        warn_from_frame(message, category != NULL ? category
                                                  : PyExc_RuntimeWarning,
                        level, source);
    Py_DECREF(message);
    return status(res);
}

int
PyErr_WarnEx(PyObject *category, const char *text, Py_ssize_t stack_level)
{
    return warn_text(NULL, category, stack_level, PyUnicode_FromString(text));
}

int
PyErr_WarnFormat(PyObject *category, Py_ssize_t stack_level,
                 const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    PyObject *message = PyUnicode_FromFormatV(format, ap);
    va_end(ap);
    return warn_text(NULL, category, stack_level, message);
}

int
PyErr_ResourceWarning(PyObject *source, Py_ssize_t stack_level,
                      const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    PyObject *message = PyUnicode_FromFormatV(format, ap);
    va_end(ap);
    return warn_text(source, PyExc_ResourceWarning, stack_level, message);
}

int
PyErr_WarnExplicitObject(PyObject *category, PyObject *message,
                         PyObject *filename, int lineno, PyObject *module,
                         PyObject *registry)
{
    if (category == NULL) {
        category = PyExc_RuntimeWarning;
    }
    return status(issue(category, message, filename, lineno, module, registry,
                        NULL, NULL));
}

/* As above with C strings; takes over `message`, which may be NULL. */
static int
explicit_text(PyObject *category, PyObject *message, const char *filename,
              int lineno, const char *module, PyObject *registry)
{
    int res = -1;
    PyObject *file = NULL, *mod = NULL;
    if (message == NULL) {
        return -1;
    }
    file = PyUnicode_DecodeFSDefault(filename);
    if (file == NULL) {
        goto done;
    }
    if (module != NULL) {
        mod = PyUnicode_FromString(module);
        if (mod == NULL) {
            goto done;
        }
    }
    res = PyErr_WarnExplicitObject(category, message, file, lineno, mod,
                                   registry);
done:
    Py_XDECREF(mod);
    Py_XDECREF(file);
    Py_DECREF(message);
    return res;
}

int
PyErr_WarnExplicit(PyObject *category, const char *text, const char *filename,
                   int lineno, const char *module, PyObject *registry)
{
    return explicit_text(category, PyUnicode_FromString(text), filename,
                         lineno, module, registry);
}

int
PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno,
                         const char *module, PyObject *registry,
                         const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    PyObject *message = PyUnicode_FromFormatV(format, ap);
    va_end(ap);
    return explicit_text(category, message, filename, lineno, module,
                         registry);
}
