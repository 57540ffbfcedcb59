/* PyConfig: defaults, copies, the environment, and the derived values. */
#include "runtime/config/config.h"

#include "objects/dict.h"
#include "objects/int/int.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The Py_*Flag variables are deprecated names that still have to exist. */
#define FLAGS(X)                                                               \
    X(Py_DebugFlag, parser_debug, 0)                                           \
    X(Py_VerboseFlag, verbose, 0)                                              \
    X(Py_QuietFlag, quiet, 0)                                                  \
    X(Py_InteractiveFlag, interactive, 0)                                      \
    X(Py_InspectFlag, inspect, 0)                                              \
    X(Py_OptimizeFlag, optimization_level, 0)                                  \
    X(Py_NoSiteFlag, site_import, 1)                                           \
    X(Py_BytesWarningFlag, bytes_warning, 0)                                   \
    X(Py_IgnoreEnvironmentFlag, use_environment, 1)                            \
    X(Py_DontWriteBytecodeFlag, write_bytecode, 1)                             \
    X(Py_NoUserSiteDirectory, user_site_directory, 1)                          \
    X(Py_UnbufferedStdioFlag, buffered_stdio, 1)                               \
    X(Py_IsolatedFlag, isolated, 0)                                            \
    X(Py_FrozenFlag, pathconfig_warnings, 1)

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS

#define X(flag, field, inverted) int flag = 0;
FLAGS(X)
#undef X
int Py_HashRandomizationFlag = 0;

void
kr_config_publish_flags(const PyConfig *config)
{
#define X(flag, field, inverted)                                               \
    flag = (inverted) ? !config->field : config->field;
    FLAGS(X)
#undef X
    Py_HashRandomizationFlag =
        !config->use_hash_seed || config->hash_seed != 0;
}

/* Values that an embedding program set through the old variables. */
static void
read_global_flags(PyConfig *config)
{
    if (config->_config_init != 1) {
        return; /* only the compatible configuration looks at them */
    }
#define X(flag, field, inverted)                                               \
    if (config->field < 0) {                                                   \
        config->field = (inverted) ? !flag : flag;                             \
    }
    FLAGS(X)
#undef X
}

static PyObject *
text_or_none(const char *text)
{
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
}

PyAPI_DATA(int) _Py_HasFileSystemDefaultEncodeErrors;

PyObject *
kr_global_config_as_dict(void)
{
    PyObject *d = PyDict_New();
    if (d == NULL) {
        return NULL;
    }
#define NUMBER(flag) kr_dict_put(d, #flag, PyLong_FromLong(flag))
#define X(flag, field, inverted) || NUMBER(flag) < 0
    int failed = kr_dict_put(d, "Py_FileSystemDefaultEncoding",
                             text_or_none(Py_FileSystemDefaultEncoding)) < 0
                 || kr_dict_put(
                        d, "Py_FileSystemDefaultEncodeErrors",
                        text_or_none(Py_FileSystemDefaultEncodeErrors)) < 0
                 || NUMBER(Py_HasFileSystemDefaultEncoding) < 0
                 || NUMBER(_Py_HasFileSystemDefaultEncodeErrors) < 0
                 || NUMBER(Py_UTF8Mode) < 0
                 || NUMBER(Py_HashRandomizationFlag) < 0 FLAGS(X);
#undef X
#undef NUMBER
    if (failed) {
        Py_CLEAR(d);
    }
    return d;
}
_Py_COMP_DIAG_POP

void
PyConfig_Clear(PyConfig *config)
{
    for (const struct kr_config_field *f = kr_config_fields; f->name != NULL;
         f++) {
        if (f->kind == KR_FIELD_WSTR) {
            PyMem_RawFree(*KR_FIELD_AT(config, f, wchar_t *));
            *KR_FIELD_AT(config, f, wchar_t *) = NULL;
        }
        else if (f->kind == KR_FIELD_LIST) {
            _PyWideStringList_Clear(KR_FIELD_AT(config, f, PyWideStringList));
        }
    }
}

PyStatus
PyConfig_SetString(PyConfig *config, wchar_t **target, const wchar_t *str)
{
    (void)config;
    wchar_t *copy = NULL;
    if (str != NULL) {
        size_t size = (wcslen(str) + 1) * sizeof(wchar_t);
        copy = PyMem_RawMalloc(size);
        if (copy == NULL) {
            return PyStatus_NoMemory();
        }
        memcpy(copy, str, size);
    }
    PyMem_RawFree(*target);
    *target = copy;
    return PyStatus_Ok();
}

PyStatus
PyConfig_SetBytesString(PyConfig *config, wchar_t **target, const char *str)
{
    PyStatus status = _Py_PreInitializeFromConfig(config, NULL);
    if (PyStatus_Exception(status)) {
        return status;
    }
    wchar_t *decoded = NULL;
    if (str != NULL) {
        size_t len;
        decoded = Py_DecodeLocale(str, &len);
        if (decoded == NULL) {
            return len == (size_t)-2 ? PyStatus_Error("cannot decode string")
                                     : PyStatus_NoMemory();
        }
    }
    PyMem_RawFree(*target);
    *target = decoded;
    return PyStatus_Ok();
}

PyStatus
kr_config_copy(PyConfig *to, const PyConfig *from)
{
    for (const struct kr_config_field *f = kr_config_fields; f->name != NULL;
         f++) {
        PyStatus status = PyStatus_Ok();
        switch (f->kind) {
        case KR_FIELD_INT:
            *KR_FIELD_AT(to, f, int) = *KR_FIELD_AT(from, f, int);
            break;
        case KR_FIELD_ULONG:
            *KR_FIELD_AT(to, f, unsigned long) =
                *KR_FIELD_AT(from, f, unsigned long);
            break;
        case KR_FIELD_WSTR:
            status = PyConfig_SetString(to, KR_FIELD_AT(to, f, wchar_t *),
                                        *KR_FIELD_AT(from, f, wchar_t *));
            break;
        case KR_FIELD_LIST:
            if (_PyWideStringList_Copy(
                    KR_FIELD_AT(to, f, PyWideStringList),
                    KR_FIELD_AT(from, f, PyWideStringList)) < 0) {
                status = PyStatus_NoMemory();
            }
        }
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return PyStatus_Ok();
}

/* --- Defaults ------------------------------------------------------------ */

/* -1 means: not set, to be found out by PyConfig_Read. */
static void
init_common(PyConfig *config, int config_init)
{
    memset(config, 0, sizeof(*config));
    config->_config_init = config_init;
    config->isolated = -1;
    config->use_environment = -1;
    config->dev_mode = -1;
    config->install_signal_handlers = 1;
    config->use_hash_seed = -1;
    config->faulthandler = -1;
    config->tracemalloc = -1;
    config->import_time = -1;
    config->code_debug_ranges = 1;
    config->module_search_paths_set = 0;
    config->parse_argv = 0;
    config->site_import = -1;
    config->bytes_warning = -1;
    config->inspect = -1;
    config->interactive = -1;
    config->optimization_level = -1;
    config->parser_debug = -1;
    config->write_bytecode = -1;
    config->verbose = -1;
    config->quiet = -1;
    config->user_site_directory = -1;
    config->configure_c_stdio = 0;
    config->buffered_stdio = -1;
    config->_install_importlib = 1;
    config->pathconfig_warnings = -1;
    config->_init_main = 1;
    config->use_frozen_modules = 1;
    config->safe_path = 0;
}

PyAPI_FUNC(void) _PyConfig_InitCompatConfig(PyConfig *config);
void
_PyConfig_InitCompatConfig(PyConfig *config)
{
    init_common(config, 1);
}

static void
init_defaults(PyConfig *config, int config_init)
{
    init_common(config, config_init);
    config->isolated = 0;
    config->use_environment = 1;
    config->site_import = 1;
    config->bytes_warning = 0;
    config->inspect = 0;
    config->interactive = 0;
    config->optimization_level = 0;
    config->parser_debug = 0;
    config->write_bytecode = 1;
    config->verbose = 0;
    config->quiet = 0;
    config->user_site_directory = 1;
    config->buffered_stdio = 1;
    config->pathconfig_warnings = 1;
}

void
PyConfig_InitPythonConfig(PyConfig *config)
{
    init_defaults(config, 2);
    config->configure_c_stdio = 1;
    config->parse_argv = 1;
}

void
PyConfig_InitIsolatedConfig(PyConfig *config)
{
    init_defaults(config, 3);
    config->isolated = 1;
    config->use_environment = 0;
    config->user_site_directory = 0;
    config->dev_mode = 0;
    config->install_signal_handlers = 0;
    config->use_hash_seed = 0;
    config->faulthandler = 0;
    config->tracemalloc = 0;
    config->safe_path = 1;
    config->pathconfig_warnings = 0;
}

/* --- Reading ------------------------------------------------------------- */

const wchar_t *
kr_config_xoption(const PyConfig *config, const wchar_t *name)
{
    const wchar_t *option = _Py_get_xoption(&config->xoptions, name);
    if (option == NULL) {
        return NULL;
    }
    const wchar_t *value = option + wcslen(name);
    return *value == L'=' ? value + 1 : value;
}

static const char *
environment(const PyConfig *config, const char *name)
{
    return _Py_GetEnv(config->use_environment, name);
}

wchar_t *
kr_config_env(const PyConfig *config, const char *name, int *failed)
{
    const char *value = environment(config, name);
    *failed = 0;
    if (value == NULL) {
        return NULL;
    }
    wchar_t *text = Py_DecodeLocale(value, NULL);
    *failed = text == NULL;
    return text;
}

static void
env_flag(const PyConfig *config, int *flag, const char *name)
{
    _Py_get_env_flag(config->use_environment, flag, name);
}

static PyStatus
env_string(PyConfig *config, wchar_t **target, const char *name)
{
    int failed;
    if (*target != NULL) {
        return PyStatus_Ok();
    }
    *target = kr_config_env(config, name, &failed);
    return failed ? PyStatus_Error("cannot decode an environment variable")
                  : PyStatus_Ok();
}

static PyStatus
read_hash_seed(PyConfig *config)
{
    if (config->use_hash_seed >= 0) {
        return PyStatus_Ok();
    }
    const char *text = environment(config, "PYTHONHASHSEED");
    config->use_hash_seed = 0;
    config->hash_seed = 0;
    if (text == NULL || strcmp(text, "random") == 0) {
        return PyStatus_Ok();
    }
    char *end;
    unsigned long seed = strtoul(text, &end, 10);
    if (*end != '\0' || seed > 4294967295UL ||
        (errno == ERANGE && seed == ULONG_MAX)) {
        return KR_STATUS_ERROR("config_init_hash_seed",
                               "PYTHONHASHSEED must be \"random\" or an "
                               "integer in range [0; 4294967295]");
    }
    config->use_hash_seed = 1;
    config->hash_seed = seed;
    return PyStatus_Ok();
}

static PyStatus
read_tracemalloc(PyConfig *config)
{
    if (config->tracemalloc >= 0) {
        return PyStatus_Ok();
    }
    config->tracemalloc = 0;
    const char *text = environment(config, "PYTHONTRACEMALLOC");
    char *end;
    if (text != NULL) {
        long n = strtol(text, &end, 10);
        if (*end != '\0' || n < 0 || n > 65535) {
            return KR_STATUS_ERROR(
                "config_init_tracemalloc",
                "PYTHONTRACEMALLOC: invalid number of frames");
        }
        config->tracemalloc = (int)n;
    }
    const wchar_t *option = kr_config_xoption(config, L"tracemalloc");
    if (option != NULL) {
        wchar_t *wend;
        long n = *option == L'\0' ? 1 : wcstol(option, &wend, 10);
        if ((*option != L'\0' && *wend != L'\0') || n < 0 || n > 65535) {
            return KR_STATUS_ERROR(
                "config_init_tracemalloc",
                "-X tracemalloc=NFRAME: invalid number of frames");
        }
        config->tracemalloc = (int)n;
    }
    return PyStatus_Ok();
}

static struct kr_digits_state {
    int limit; /* -1: not configured */
} kr_digits_state = {-1};

int
kr_config_int_max_str_digits(void)
{
    return kr_digits_state.limit;
}

/* A digit limit: 0 or at least 640. 0 or -1. */
static int
parse_digit_limit(const wchar_t *text, int *limit)
{
    wchar_t *end;
    long n = wcstol(text, &end, 10);
    if (*text == L'\0' || *end != L'\0' || n < 0 || n > INT_MAX ||
        (n > 0 && n < 640)) {
        return -1;
    }
    *limit = (int)n;
    return 0;
}

static PyStatus
read_digit_limit(PyConfig *config)
{
    int failed;
    wchar_t *env = kr_config_env(config, "PYTHONINTMAXSTRDIGITS", &failed);
    if (env != NULL) {
        int res = parse_digit_limit(env, &kr_digits_state.limit);
        PyMem_RawFree(env);
        if (res < 0) {
            return KR_STATUS_ERROR("config_init_int_max_str_digits",
                                   "PYTHONINTMAXSTRDIGITS: invalid limit; "
                                   "must be >= 640 or 0 for unlimited.");
        }
    }
    const wchar_t *option = kr_config_xoption(config, L"int_max_str_digits");
    if (option != NULL &&
        parse_digit_limit(option, &kr_digits_state.limit) < 0) {
        return KR_STATUS_ERROR("config_init_int_max_str_digits",
                               "-X int_max_str_digits: invalid limit; must "
                               "be >= 640 or 0 for unlimited.");
    }
    if (kr_digits_state.limit >= 0) {
        kr_int_set_max_str_digits(kr_digits_state.limit);
    }
    return PyStatus_Ok();
}

static PyStatus
read_frozen_modules(PyConfig *config)
{
    const wchar_t *option = kr_config_xoption(config, L"frozen_modules");
    if (option == NULL) {
        return PyStatus_Ok();
    }
    if (wcscmp(option, L"on") == 0 || *option == L'\0') {
        config->use_frozen_modules = 1;
    }
    else if (wcscmp(option, L"off") == 0) {
        config->use_frozen_modules = 0;
    }
    else {
        return PyStatus_Error("bad value for option -X frozen_modules "
                              "(expected \"on\" or \"off\")");
    }
    return PyStatus_Ok();
}

/* What -X options and variables switch on alike. */
static void
read_switches(PyConfig *config)
{
    if (config->dev_mode < 0 && kr_preconfig()->dev_mode > 0) {
        config->dev_mode = 1;
    }
    if (config->dev_mode < 0) {
        config->dev_mode = kr_config_xoption(config, L"dev") != NULL ||
                           environment(config, "PYTHONDEVMODE") != NULL;
    }
    if (config->faulthandler < 0) {
        config->faulthandler =
            config->dev_mode ||
            kr_config_xoption(config, L"faulthandler") != NULL ||
            environment(config, "PYTHONFAULTHANDLER") != NULL;
    }
    if (config->import_time < 0) {
        config->import_time =
            kr_config_xoption(config, L"importtime") != NULL ||
            environment(config, "PYTHONPROFILEIMPORTTIME") != NULL;
    }
    if (kr_config_xoption(config, L"no_debug_ranges") != NULL ||
        environment(config, "PYTHONNODEBUGRANGES") != NULL) {
        config->code_debug_ranges = 0;
    }
    if (kr_config_xoption(config, L"showrefcount") != NULL) {
        config->show_ref_count = 1;
    }
    if (kr_config_xoption(config, L"warn_default_encoding") != NULL ||
        environment(config, "PYTHONWARNDEFAULTENCODING") != NULL) {
        config->warn_default_encoding = 1;
    }
    if (environment(config, "PYTHONMALLOCSTATS") != NULL) {
        config->malloc_stats = 1;
    }
    if (environment(config, "PYTHONSAFEPATH") != NULL) {
        config->safe_path = 1;
    }
}

static void
read_flag_variables(PyConfig *config)
{
    env_flag(config, &config->parser_debug, "PYTHONDEBUG");
    env_flag(config, &config->verbose, "PYTHONVERBOSE");
    env_flag(config, &config->optimization_level, "PYTHONOPTIMIZE");
    env_flag(config, &config->inspect, "PYTHONINSPECT");
    int off = 0;
    env_flag(config, &off, "PYTHONDONTWRITEBYTECODE");
    if (off > 0) {
        config->write_bytecode = 0;
    }
    off = 0;
    env_flag(config, &off, "PYTHONNOUSERSITE");
    if (off > 0) {
        config->user_site_directory = 0;
    }
    off = 0;
    env_flag(config, &off, "PYTHONUNBUFFERED");
    if (off > 0) {
        config->buffered_stdio = 0;
    }
}

/* Order of filters: dev mode, PYTHONWARNINGS, command line, -b. */
static PyStatus
read_warn_options(PyConfig *config)
{
    PyWideStringList list = {0, NULL};
    PyStatus status = PyStatus_Ok();
    if (config->dev_mode) {
        status = PyWideStringList_Append(&list, L"default");
    }
    int failed;
    wchar_t *env = kr_config_env(config, "PYTHONWARNINGS", &failed);
    if (env != NULL) {
        wchar_t *state = NULL;
        for (wchar_t *w = wcstok(env, L",", &state);
             w != NULL && !PyStatus_Exception(status);
             w = wcstok(NULL, L",", &state)) {
            status = PyWideStringList_Append(&list, w);
        }
        PyMem_RawFree(env);
    }
    if (!PyStatus_Exception(status)) {
        status = _PyWideStringList_Extend(&list, &config->warnoptions);
    }
    if (!PyStatus_Exception(status) && config->bytes_warning > 0) {
        status = PyWideStringList_Append(&list, config->bytes_warning > 1
                                                    ? L"error::BytesWarning"
                                                    : L"default::BytesWarning");
    }
    if (PyStatus_Exception(status)) {
        _PyWideStringList_Clear(&list);
        return status;
    }
    _PyWideStringList_Clear(&config->warnoptions);
    config->warnoptions = list;
    return status;
}

/* Gives what is still unset its default. */
static void
set_defaults(PyConfig *config)
{
#define DEFAULT(field, value)                                                  \
    if (config->field < 0) {                                                   \
        config->field = (value);                                               \
    }
    DEFAULT(isolated, 0)
    DEFAULT(use_environment, !config->isolated)
    DEFAULT(site_import, 1)
    DEFAULT(bytes_warning, 0)
    DEFAULT(inspect, 0)
    DEFAULT(interactive, 0)
    DEFAULT(optimization_level, 0)
    DEFAULT(parser_debug, 0)
    DEFAULT(write_bytecode, 1)
    DEFAULT(verbose, 0)
    DEFAULT(quiet, 0)
    DEFAULT(user_site_directory, 1)
    DEFAULT(buffered_stdio, 1)
    DEFAULT(pathconfig_warnings, 1)
#undef DEFAULT
}

static PyStatus
read_environment(PyConfig *config)
{
    read_switches(config);
    if (config->use_environment) {
        read_flag_variables(config);
    }
    PyStatus status = read_hash_seed(config);
    if (!PyStatus_Exception(status)) {
        status = read_tracemalloc(config);
    }
    if (!PyStatus_Exception(status)) {
        status = read_digit_limit(config);
    }
    if (!PyStatus_Exception(status)) {
        status = read_frozen_modules(config);
    }
    if (!PyStatus_Exception(status)) {
        const wchar_t *option = kr_config_xoption(config, L"pycache_prefix");
        if (option != NULL && config->pycache_prefix == NULL) {
            status = PyConfig_SetString(config, &config->pycache_prefix,
                                        *option != L'\0' ? option : NULL);
        }
        else {
            status = env_string(config, &config->pycache_prefix,
                                "PYTHONPYCACHEPREFIX");
        }
    }
    return status;
}

PyStatus
PyConfig_Read(PyConfig *config)
{
    PyStatus status = _Py_PreInitializeFromConfig(config, NULL);
    if (PyStatus_Exception(status)) {
        return status;
    }
    if (config->orig_argv.length == 0 &&
        !(config->argv.length == 1 && config->argv.items[0][0] == L'\0') &&
        _PyWideStringList_Copy(&config->orig_argv, &config->argv) < 0) {
        return PyStatus_NoMemory();
    }
    if (config->isolated > 0) {
        config->safe_path = 1;
        config->use_environment = 0;
        config->user_site_directory = 0;
    }
    read_global_flags(config);
    if (config->parse_argv == 1) {
        if (config->argv.length > 0 && config->program_name == NULL) {
            status = PyConfig_SetString(config, &config->program_name,
                                        config->argv.items[0]);
        }
        if (!PyStatus_Exception(status)) {
            status = kr_config_parse_command_line(config);
        }
        if (PyStatus_Exception(status)) {
            return status;
        }
        config->parse_argv = 2;
    }
    set_defaults(config);
    status = read_environment(config);
    if (!PyStatus_Exception(status) && config->check_hash_pycs_mode == NULL) {
        status = PyConfig_SetString(config, &config->check_hash_pycs_mode,
                                    L"default");
    }
    if (!PyStatus_Exception(status)) {
        status = read_warn_options(config);
    }
    if (!PyStatus_Exception(status)) {
        status = kr_config_read_encodings(config);
    }
    if (!PyStatus_Exception(status)) {
        status = kr_config_read_paths(config);
    }
    if (!PyStatus_Exception(status) && config->argv.length == 0) {
        status = PyWideStringList_Append(&config->argv, L"");
    }
    return status;
}

/* --- Arguments ----------------------------------------------------------- */

PyStatus
PyConfig_SetArgv(PyConfig *config, Py_ssize_t argc, wchar_t *const *argv)
{
    const _PyArgv args = {.argc = argc, .wchar_argv = argv};
    PyStatus status = _Py_PreInitializeFromConfig(config, &args);
    if (PyStatus_Exception(status)) {
        return status;
    }
    return PyConfig_SetWideStringList(config, &config->argv, argc,
                                      (wchar_t **)argv);
}

PyStatus
PyConfig_SetBytesArgv(PyConfig *config, Py_ssize_t argc, char *const *argv)
{
    const _PyArgv args = {.argc = argc, .use_bytes_argv = 1,
                          .bytes_argv = argv};
    PyStatus status = _Py_PreInitializeFromConfig(config, &args);
    if (PyStatus_Exception(status)) {
        return status;
    }
    return _PyArgv_AsWstrList(&args, &config->argv);
}

PyStatus
PyConfig_SetWideStringList(PyConfig *config, PyWideStringList *list,
                           Py_ssize_t length, wchar_t **items)
{
    PyStatus status = _Py_PreInitializeFromConfig(config, NULL);
    if (PyStatus_Exception(status)) {
        return status;
    }
    PyWideStringList from = {length, items};
    return _PyWideStringList_Copy(list, &from) < 0 ? PyStatus_NoMemory()
                                                   : PyStatus_Ok();
}
