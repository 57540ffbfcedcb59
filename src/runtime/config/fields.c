/* PyConfig field by field: to and from dicts. */
#include "runtime/config/config.h"

#include <limits.h>
#include <string.h>

const struct kr_config_field kr_config_fields[] = {
#define F(name, kind) {#name, offsetof(PyConfig, name), KR_FIELD_##kind, 0},
#define REQUIRED(name) {#name, offsetof(PyConfig, name), KR_FIELD_WSTR, 1},
    F(_config_init, INT)
    F(isolated, INT)
    F(use_environment, INT)
    F(dev_mode, INT)
    F(install_signal_handlers, INT)
    F(use_hash_seed, INT)
    F(hash_seed, ULONG)
    F(faulthandler, INT)
    F(tracemalloc, INT)
    F(import_time, INT)
    F(code_debug_ranges, INT)
    F(show_ref_count, INT)
    F(dump_refs, INT)
    F(dump_refs_file, WSTR)
    F(malloc_stats, INT)
    REQUIRED(filesystem_encoding)
    REQUIRED(filesystem_errors)
    F(pycache_prefix, WSTR)
    F(parse_argv, INT)
    F(orig_argv, LIST)
    F(argv, LIST)
    F(xoptions, LIST)
    F(warnoptions, LIST)
    F(site_import, INT)
    F(bytes_warning, INT)
    F(warn_default_encoding, INT)
    F(inspect, INT)
    F(interactive, INT)
    F(optimization_level, INT)
    F(parser_debug, INT)
    F(write_bytecode, INT)
    F(verbose, INT)
    F(quiet, INT)
    F(user_site_directory, INT)
    F(configure_c_stdio, INT)
    F(buffered_stdio, INT)
    REQUIRED(stdio_encoding)
    REQUIRED(stdio_errors)
    REQUIRED(check_hash_pycs_mode)
    F(use_frozen_modules, INT)
    F(safe_path, INT)
    F(pathconfig_warnings, INT)
    REQUIRED(program_name)
    F(pythonpath_env, WSTR)
    F(home, WSTR)
    REQUIRED(platlibdir)
    F(module_search_paths_set, INT)
    F(module_search_paths, LIST)
    F(stdlib_dir, WSTR)
    F(executable, WSTR)
    F(base_executable, WSTR)
    F(prefix, WSTR)
    F(base_prefix, WSTR)
    F(exec_prefix, WSTR)
    F(base_exec_prefix, WSTR)
    F(skip_source_first_line, INT)
    F(run_command, WSTR)
    F(run_module, WSTR)
    F(run_filename, WSTR)
    F(_install_importlib, INT)
    F(_init_main, INT)
    F(_isolated_interpreter, INT)
    F(_is_python_build, INT)
#undef F
#undef REQUIRED
    {NULL, 0, KR_FIELD_INT, 0},
};

static PyObject *
field_value(const PyConfig *config, const struct kr_config_field *f)
{
    switch (f->kind) {
    case KR_FIELD_INT:
        return PyLong_FromLong(*KR_FIELD_AT(config, f, int));
    case KR_FIELD_ULONG:
        return PyLong_FromUnsignedLong(*KR_FIELD_AT(config, f, unsigned long));
    case KR_FIELD_WSTR: {
        wchar_t *s = *KR_FIELD_AT(config, f, wchar_t *);
        return s == NULL ? Py_NewRef(Py_None) : PyUnicode_FromWideChar(s, -1);
    }
    default:
        return _PyWideStringList_AsList(
            KR_FIELD_AT(config, f, PyWideStringList));
    }
}

/* Not told: it only exists in builds that trace references. */
static int
is_hidden(const struct kr_config_field *f)
{
    return strcmp(f->name, "dump_refs_file") == 0;
}

PyObject *
_PyConfig_AsDict(const PyConfig *config)
{
    PyObject *dict = PyDict_New();
    for (const struct kr_config_field *f = kr_config_fields;
         dict != NULL && f->name != NULL; f++) {
        if (is_hidden(f)) {
            continue;
        }
        PyObject *value = field_value(config, f);
        if (value == NULL || PyDict_SetItemString(dict, f->name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *
_Py_GetConfigsAsDict(void)
{
    PyObject *globals = kr_global_config_as_dict();
    PyObject *pre = globals == NULL ? NULL : kr_preconfig_as_dict();
    PyObject *config = pre == NULL ? NULL : _PyConfig_AsDict(_Py_GetConfig());
    PyObject *res = NULL;
    if (config != NULL) {
        res = Py_BuildValue("{sOsOsO}", "global_config", globals,
                            "pre_config", pre, "config", config);
    }
    Py_XDECREF(globals);
    Py_XDECREF(pre);
    Py_XDECREF(config);
    return res;
}

/* --- from a dict --------------------------------------------------------- */

static int
bad(PyObject *type, const char *what, const char *name)
{
    PyErr_Format(type, "%s: %s", what, name);
    return -1;
}

static int
bad_type(const char *name)
{
    return bad(PyExc_TypeError, "invalid config type", name);
}

static int
bad_value(const char *name)
{
    return bad(PyExc_ValueError, "invalid config value", name);
}

/* Tells an error of a conversion in terms of the field. */
static int
number_error(const char *name)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        return bad_type(name);
    }
    return PyErr_ExceptionMatches(PyExc_OverflowError)
                   || PyErr_ExceptionMatches(PyExc_ValueError)
               ? bad_value(name)
               : -1;
}

static int
set_int(PyConfig *config, const struct kr_config_field *f, PyObject *value)
{
    int number = _PyLong_AsInt(value);
    if (number == -1 && PyErr_Occurred()) {
        return number_error(f->name);
    }
    if (number < 0) {
        return bad_value(f->name);
    }
    *KR_FIELD_AT(config, f, int) = number;
    return 0;
}

static int
set_ulong(PyConfig *config, const struct kr_config_field *f, PyObject *value)
{
    unsigned long number = PyLong_AsUnsignedLong(value);
    if (number == (unsigned long)-1 && PyErr_Occurred()) {
        return number_error(f->name);
    }
    *KR_FIELD_AT(config, f, unsigned long) = number;
    return 0;
}

/* A wide copy in memory of PyMem; NULL with an exception. */
static wchar_t *
wide_text(PyObject *value, const char *name)
{
    if (!PyUnicode_Check(value)) {
        bad_type(name);
        return NULL;
    }
    return PyUnicode_AsWideCharString(value, NULL);
}

static int
set_string(PyConfig *config, const struct kr_config_field *f, PyObject *value)
{
    wchar_t *text = NULL;
    if (value == Py_None) {
        if (f->required) {
            return bad_value(f->name);
        }
    }
    else if ((text = wide_text(value, f->name)) == NULL) {
        return -1;
    }
    PyStatus status = PyConfig_SetString(
        config, KR_FIELD_AT(config, f, wchar_t *), text);
    PyMem_Free(text);
    if (PyStatus_Exception(status)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static int
append(PyWideStringList *list, PyObject *item, const char *name)
{
    if (item == Py_None) {
        return bad_value(name);
    }
    wchar_t *text = wide_text(item, name);
    if (text == NULL) {
        return -1;
    }
    PyStatus status = PyWideStringList_Append(list, text);
    PyMem_Free(text);
    if (PyStatus_Exception(status)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static int
set_list(PyConfig *config, const struct kr_config_field *f, PyObject *value)
{
    if (!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) {
        return bad_type(f->name);
    }
    PyWideStringList list = {0, NULL};
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); i++) {
        if (append(&list, PySequence_Fast_GET_ITEM(value, i), f->name) < 0) {
            _PyWideStringList_Clear(&list);
            return -1;
        }
    }
    _PyWideStringList_Clear(KR_FIELD_AT(config, f, PyWideStringList));
    *KR_FIELD_AT(config, f, PyWideStringList) = list;
    return 0;
}

static int
set_field(PyConfig *config, const struct kr_config_field *f, PyObject *value)
{
    switch (f->kind) {
    case KR_FIELD_INT:
        return set_int(config, f, value);
    case KR_FIELD_ULONG:
        return set_ulong(config, f, value);
    case KR_FIELD_WSTR:
        return set_string(config, f, value);
    default:
        return set_list(config, f, value);
    }
}

int
_PyConfig_FromDict(PyConfig *config, PyObject *dict)
{
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "dict expected");
        return -1;
    }
    for (const struct kr_config_field *f = kr_config_fields; f->name != NULL;
         f++) {
        if (is_hidden(f)) {
            continue;
        }
        PyObject *value = PyDict_GetItemString(dict, f->name);
        if (value == NULL) {
            return bad(PyExc_ValueError, "missing config key", f->name);
        }
        if (set_field(config, f, value) < 0) {
            return -1;
        }
    }
    if (config->_config_init < 1 || config->_config_init > 3) {
        return bad_value("_config_init");
    }
    if (config->hash_seed > 4294967295UL) {
        return bad_value("hash_seed");
    }
    return 0;
}
