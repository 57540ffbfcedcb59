/* PySys_*: access to sys from C, options and the streams. */
#include <stdio.h>
#include <string.h>

#include "memory/tstate.h"
#include "objects/dict.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/config/config.h"
#include "runtime/sys/sys.h"

PyObject *
PySys_GetObject(const char *name)
{
    PyThreadState *tstate = kr_tstate();
    if (tstate == NULL || tstate->interp->sysdict == NULL) {
        return NULL;
    }
    /* never raises and keeps a pending exception */
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *res = PyDict_GetItemString(tstate->interp->sysdict, name);
    PyErr_Restore(type, value, tb);
    return res;
}

PyObject *
_PySys_GetAttr(PyThreadState *tstate, PyObject *name)
{
    PyObject *dict = tstate->interp->sysdict;
    if (dict == NULL) {
        return NULL;
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *res = PyDict_GetItemWithError(dict, name);
    PyErr_Restore(type, value, tb);
    return res;
}

int
PySys_SetObject(const char *name, PyObject *v)
{
    PyObject *dict = kr_interp()->sysdict;
    PyObject *key = PyUnicode_InternFromString(name);
    if (key == NULL) {
        return -1;
    }
    int res;
    if (v != NULL) {
        res = PyDict_SetItem(dict, key, v);
    }
    else {
        res = PyDict_Contains(dict, key);
        if (res > 0) {
            res = PyDict_DelItem(dict, key);
        }
    }
    Py_DECREF(key);
    return res < 0 ? -1 : 0;
}

/* --- Warning and -X options ------------------------------------------------------ */

/* Borrowed list sys.warnoptions, made if need be. */
static PyObject *
warn_options(void)
{
    PyObject *list = PySys_GetObject("warnoptions");
    if (list == NULL || !PyList_Check(list)) {
        list = PyList_New(0);
        if (list == NULL || PySys_SetObject("warnoptions", list) < 0) {
            Py_XDECREF(list);
            return NULL;
        }
        Py_DECREF(list);
    }
    return list;
}

void
PySys_ResetWarnOptions(void)
{
    PyObject *list = PySys_GetObject("warnoptions");
    if (list != NULL && PyList_Check(list)) {
        PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
    }
}

static void
add_warn_option(PyObject *option)
{
    PyObject *list = warn_options();
    if (list == NULL || PyList_Append(list, option) < 0) {
        PyErr_Clear();
    }
}

void
PySys_AddWarnOptionUnicode(PyObject *option)
{
    add_warn_option(option);
}

void
PySys_AddWarnOption(const wchar_t *s)
{
    PyObject *option = PyUnicode_FromWideChar(s, -1);
    if (option != NULL) {
        add_warn_option(option);
        Py_DECREF(option);
    }
}

int
kr_has_warn_options(void)
{
    PyObject *list = PySys_GetObject("warnoptions");
    return list != NULL && PyList_Check(list) && PyList_GET_SIZE(list) > 0;
}

int
PySys_HasWarnOptions(void)
{
    return kr_has_warn_options();
}

PyObject *
PySys_GetXOptions(void)
{
    PyObject *dict = PySys_GetObject("_xoptions");
    if (dict == NULL || !PyDict_Check(dict)) {
        dict = PyDict_New();
        if (dict == NULL || PySys_SetObject("_xoptions", dict) < 0) {
            Py_XDECREF(dict);
            return NULL;
        }
        Py_DECREF(dict);
    }
    return dict;
}

/* Adds "name" or "name=value" to the dict. 0 or -1. */
static int
add_xoption(PyObject *dict, const wchar_t *s)
{
    const wchar_t *eq = wcschr(s, L'=');
    PyObject *name =
        PyUnicode_FromWideChar(s, eq != NULL ? (Py_ssize_t)(eq - s) : -1);
    PyObject *value = eq != NULL ? PyUnicode_FromWideChar(eq + 1, -1)
                                 : Py_NewRef(Py_True);
    int res = name == NULL || value == NULL
                  ? -1
                  : PyDict_SetItem(dict, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return res;
}

void
PySys_AddXOption(const wchar_t *s)
{
    PyObject *dict = PySys_GetXOptions();
    if (dict == NULL || add_xoption(dict, s) < 0) {
        PyErr_Clear();
    }
}

/* --- From the configuration --------------------------------------------------------- */

static PyObject *
wide_or_none(const wchar_t *text)
{
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromWideChar(text, -1);
}

int
kr_sys_set_config(PyInterpreterState *interp)
{
    const PyConfig *c = &interp->config;
    PyObject *d = interp->sysdict;
    int res = 0;
    PyObject *options = PyDict_New();
    for (Py_ssize_t i = 0; options != NULL && i < c->xoptions.length; i++) {
        if (add_xoption(options, c->xoptions.items[i]) < 0) {
            Py_CLEAR(options);
        }
    }
    res |= kr_dict_put(d, "_xoptions", options);
    if (c->module_search_paths_set) {
        res |= kr_dict_put(d, "path",
                           _PyWideStringList_AsList(&c->module_search_paths));
    }
    const struct {
        const char *name;
        const wchar_t *value;
    } texts[] = {
        {"executable", c->executable ? c->executable : L""},
        {"_base_executable", c->base_executable ? c->base_executable : L""},
        {"prefix", c->prefix},
        {"base_prefix", c->base_prefix},
        {"exec_prefix", c->exec_prefix},
        {"base_exec_prefix", c->base_exec_prefix},
        {"platlibdir", c->platlibdir},
        {"pycache_prefix", c->pycache_prefix},
        {"_stdlib_dir", c->stdlib_dir},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        res |= kr_dict_put(d, texts[i].name, wide_or_none(texts[i].value));
    }
    res |= kr_dict_put(d, "argv", _PyWideStringList_AsList(&c->argv));
    res |= kr_dict_put(d, "orig_argv", _PyWideStringList_AsList(&c->orig_argv));
    res |= kr_dict_put(d, "warnoptions",
                       _PyWideStringList_AsList(&c->warnoptions));
    res |= kr_dict_put(d, "flags", kr_sys_flags(c));
    res |= kr_dict_put(d, "dont_write_bytecode",
                       PyBool_FromLong(!c->write_bytecode));
    return res;
}

/* --- argv and path ------------------------------------------------------------------- */

void
PySys_SetPath(const wchar_t *path)
{
    PyObject *list = PyList_New(0);
    while (list != NULL) {
        const wchar_t *end = wcschr(path, L':');
        PyObject *item = PyUnicode_FromWideChar(
            path, end != NULL ? (Py_ssize_t)(end - path) : -1);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            Py_CLEAR(list);
            break;
        }
        Py_DECREF(item);
        if (end == NULL) {
            break;
        }
        path = end + 1;
    }
    if (list == NULL || PySys_SetObject("path", list) < 0) {
        Py_FatalError("can't assign sys.path");
    }
    Py_DECREF(list);
}

void
PySys_SetArgvEx(int argc, wchar_t **argv, int updatepath)
{
    wchar_t *none[1] = {L""};
    if (argc < 1 || argv == NULL) {
        argc = 1;
        argv = none;
    }
    PyWideStringList args = {argc, argv};
    PyObject *list = _PyWideStringList_AsList(&args);
    if (list == NULL || PySys_SetObject("argv", list) < 0) {
        Py_FatalError("can't assign sys.argv");
    }
    Py_DECREF(list);
    if (updatepath) {
        PyObject *path = PySys_GetObject("path");
        const wchar_t *slash = wcsrchr(argv[0], L'/');
        PyObject *dir = PyUnicode_FromWideChar(
            argv[0], slash != NULL ? (Py_ssize_t)(slash - argv[0]) : 0);
        if (dir == NULL || path == NULL ||
            PyList_Insert(path, 0, dir) < 0) {
            Py_FatalError("can't prepend path0 to sys.path");
        }
        Py_DECREF(dir);
    }
}

void
PySys_SetArgv(int argc, wchar_t **argv)
{
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    PySys_SetArgvEx(argc, argv, !kr_interp()->config.isolated);
    _Py_COMP_DIAG_POP
}

/* --- Writing ------------------------------------------------------------------------ */

/* Writes to sys.<name>, or to the C stream when that fails. */
static void
write_stream(const char *name, FILE *fallback, PyObject *text)
{
    PyObject *file = PySys_GetObject(name);
    if (file == NULL || file == Py_None ||
        PyFile_WriteObject(text, file, Py_PRINT_RAW) != 0) {
        PyErr_Clear();
        const char *utf8 = PyUnicode_AsUTF8(text);
        if (utf8 != NULL) {
            fputs(utf8, fallback);
        }
        PyErr_Clear();
    }
}

static void
write_c_format(const char *name, FILE *fallback, const char *format,
               va_list va)
{
    char buffer[1001];
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    int written = PyOS_vsnprintf(buffer, sizeof(buffer), format, va);
    PyObject *text = PyUnicode_DecodeUTF8(buffer, (Py_ssize_t)strlen(buffer),
                                          "replace");
    if (text != NULL) {
        write_stream(name, fallback, text);
        Py_DECREF(text);
    }
    if (written < 0 || (size_t)written >= sizeof(buffer)) {
        text = PyUnicode_FromString("... truncated");
        if (text != NULL) {
            write_stream(name, fallback, text);
            Py_DECREF(text);
        }
    }
    PyErr_Restore(type, value, tb);
}

static void
write_py_format(const char *name, FILE *fallback, const char *format,
                va_list va)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    if (text != NULL) {
        write_stream(name, fallback, text);
        Py_DECREF(text);
    }
    PyErr_Clear();
    PyErr_Restore(type, value, tb);
}

#define WRITER(function, writer, name, stream)                                 \
    void function(const char *format, ...)                                     \
    {                                                                          \
        va_list va;                                                            \
        va_start(va, format);                                                  \
        writer(name, stream, format, va);                                      \
        va_end(va);                                                            \
    }
WRITER(PySys_WriteStdout, write_c_format, "stdout", stdout)
WRITER(PySys_WriteStderr, write_c_format, "stderr", stderr)
WRITER(PySys_FormatStdout, write_py_format, "stdout", stdout)
WRITER(PySys_FormatStderr, write_py_format, "stderr", stderr)
