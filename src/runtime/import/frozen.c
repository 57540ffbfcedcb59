/* Frozen modules: code objects of the library inside the executable, made at
 * build time by our own compiler (tools/freeze). */
#include "runtime/import/import.h"

#include <marshal.h>
#include <string.h>

#include "code/marshal_format.h"
#include "objects/interp.h"

/* The build's table; empty in the executable that makes the table. Terminated
 * by a NULL name. */
extern const struct _frozen kr_frozen_table[];
__attribute__((weak)) const struct _frozen kr_frozen_table[] = {
    {NULL, NULL, 0, 0, NULL},
};

/* Applications may put a table of their own here before initialisation. */
const struct _frozen *PyImport_FrozenModules = NULL;

PyAPI_DATA(const struct _frozen *) _PyImport_FrozenBootstrap;
PyAPI_DATA(const struct _frozen *) _PyImport_FrozenStdlib;
PyAPI_DATA(const struct _frozen *) _PyImport_FrozenTest;
static const struct _frozen no_frozen[] = {{NULL, NULL, 0, 0, NULL}};
const struct _frozen *_PyImport_FrozenBootstrap = kr_frozen_table;
const struct _frozen *_PyImport_FrozenStdlib = no_frozen;
const struct _frozen *_PyImport_FrozenTest = no_frozen;

/* Modules that go by another name than their file. */
static const struct {
    const char *name, *origname;
} aliases[] = {
    {"_frozen_importlib", "importlib._bootstrap"},
    {"_frozen_importlib_external", "importlib._bootstrap_external"},
    {"os.path", "posixpath"},
    {"__hello_alias__", "__hello__"},
    {"__phello_alias__", "__hello__"},
    {"__phello_alias__.spam", "__hello__"},
    {"__phello__.__init__", "<__phello__"},
    {"__phello__.ham.__init__", "<__phello__.ham"},
    {"__hello_only__", NULL},
};

static struct kr_frozen_state {
    int override;
} kr_frozen_state;

void
kr_frozen_override(int value)
{
    kr_frozen_state.override = value;
}

static int
enabled(void)
{
    if (kr_frozen_state.override != 0) {
        return kr_frozen_state.override > 0;
    }
    return kr_interp()->config.use_frozen_modules;
}

/* The import system itself is taken from the table in any case. */
static int
is_essential(const char *name)
{
    return strcmp(name, "_frozen_importlib") == 0 ||
           strcmp(name, "_frozen_importlib_external") == 0 ||
           strcmp(name, "zipimport") == 0;
}

static const struct _frozen *
lookup(const struct _frozen *table, const char *name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

enum kr_frozen_status
kr_frozen_find(PyObject *nameobj, struct kr_frozen_info *info)
{
    memset(info, 0, sizeof(*info));
    if (nameobj == NULL || nameobj == Py_None) {
        return KR_FROZEN_BAD_NAME;
    }
    const char *name = PyUnicode_AsUTF8(nameobj);
    if (name == NULL) {
        PyErr_Clear();
        return KR_FROZEN_BAD_NAME;
    }
    const struct _frozen *p = lookup(PyImport_FrozenModules, name);
    if (p == NULL) {
        p = lookup(kr_frozen_table, name);
        info->trusted = true;
        if (p != NULL && !is_essential(name) && !enabled()) {
            return KR_FROZEN_DISABLED;
        }
    }
    if (p == NULL) {
        return KR_FROZEN_NOT_FOUND;
    }
    info->name = nameobj;
    info->data = (const char *)p->code;
    info->size = p->size;
    info->is_package = p->is_package;
    info->get_code = p->get_code;
    info->origname = name;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
        if (strcmp(aliases[i].name, name) == 0) {
            info->origname = aliases[i].origname;
        }
    }
    if (p->code == NULL) {
        return KR_FROZEN_EXCLUDED;
    }
    if (p->size == 0 || p->code[0] == '\0') {
        return KR_FROZEN_INVALID;
    }
    return KR_FROZEN_OK;
}

void
kr_frozen_error(enum kr_frozen_status status, PyObject *name)
{
    const char *format = NULL;
    switch (status) {
    case KR_FROZEN_OK:
        return;
    case KR_FROZEN_BAD_NAME:
    case KR_FROZEN_NOT_FOUND:
        format = "No such frozen object named %R";
        break;
    case KR_FROZEN_DISABLED:
        format = "Frozen modules are disabled and the frozen object named %R "
                 "is not essential";
        break;
    case KR_FROZEN_EXCLUDED:
        format = "Excluded frozen object named %R";
        break;
    case KR_FROZEN_INVALID:
        format = "Frozen object named %R is invalid";
        break;
    }
    PyObject *msg = PyUnicode_FromFormat(format, name);
    if (msg != NULL) {
        PyErr_SetImportError(msg, name, NULL);
        Py_DECREF(msg);
    }
}

PyObject *
kr_frozen_code(const struct kr_frozen_info *info)
{
    if (info->get_code != NULL) {
        return info->get_code();
    }
    PyObject *code = info->trusted
                         ? kr_marshal_load_trusted(info->data, info->size)
                         : PyMarshal_ReadObjectFromString(info->data,
                                                          info->size);
    if (code == NULL) {
        kr_frozen_error(KR_FROZEN_INVALID, info->name);
        return NULL;
    }
    if (!PyCode_Check(code)) {
        PyErr_Format(PyExc_TypeError, "frozen object %R is not a code object",
                     info->name);
        Py_DECREF(code);
        return NULL;
    }
    return code;
}

static int
append_names(PyObject *list, const struct _frozen *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        PyObject *name = PyUnicode_FromString(table->name);
        int res = name == NULL ? -1 : PySequence_Contains(list, name);
        if (res == 0) {
            res = PyList_Append(list, name);
        }
        Py_XDECREF(name);
        if (res < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
kr_frozen_names(void)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    if (append_names(list, PyImport_FrozenModules) < 0 ||
        (enabled() && append_names(list, kr_frozen_table) < 0)) {
        Py_CLEAR(list);
    }
    return list;
}
