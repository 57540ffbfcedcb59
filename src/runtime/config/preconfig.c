/* Pre-initialisation: the locale, UTF-8 mode and the allocator, which must be
 * right before the first argument is decoded. */
#include "runtime/config/config.h"

#include "memory/domains.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static struct kr_preinit_state {
    int begun, done;
    PyPreConfig config; /* as read */
} kr_preinit_state;

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
int Py_UTF8Mode = 0;
const char *Py_FileSystemDefaultEncoding = NULL;
int Py_HasFileSystemDefaultEncoding = 0;
const char *Py_FileSystemDefaultEncodeErrors = NULL;

PyAPI_DATA(int) _Py_HasFileSystemDefaultEncodeErrors;
int _Py_HasFileSystemDefaultEncodeErrors = 0;

const char *
kr_preinit_stage(void)
{
    return kr_preinit_state.done    ? "preinitialized"
           : kr_preinit_state.begun ? "preinitializing"
                                    : "unknown";
}

void
kr_preinit_reset(void)
{
    memset(&kr_preinit_state, 0, sizeof(kr_preinit_state));
}

const PyPreConfig *
kr_preconfig(void)
{
    return &kr_preinit_state.config;
}

int
kr_utf8_mode(void)
{
    return kr_preinit_state.config.utf8_mode > 0;
}

/* --- defaults ------------------------------------------------------------ */

enum { COMPAT = 1, PYTHON = 2, ISOLATED = 3 };

PyAPI_FUNC(void) _PyPreConfig_InitCompatConfig(PyPreConfig *config);
void
_PyPreConfig_InitCompatConfig(PyPreConfig *config)
{
    memset(config, 0, sizeof(*config));
    config->_config_init = COMPAT;
    config->isolated = -1;
    config->use_environment = -1;
    config->configure_locale = 1;
    config->dev_mode = -1;
    config->allocator = PYMEM_ALLOCATOR_NOT_SET;
}

void
PyPreConfig_InitPythonConfig(PyPreConfig *config)
{
    _PyPreConfig_InitCompatConfig(config);
    config->_config_init = PYTHON;
    config->isolated = 0;
    config->parse_argv = 1;
    config->use_environment = 1;
    config->coerce_c_locale = -1;
    config->coerce_c_locale_warn = -1;
    config->utf8_mode = -1;
}

void
PyPreConfig_InitIsolatedConfig(PyPreConfig *config)
{
    _PyPreConfig_InitCompatConfig(config);
    config->_config_init = ISOLATED;
    config->configure_locale = 0;
    config->isolated = 1;
    config->use_environment = 0;
    config->dev_mode = 0;
}

static void
init_from_config(PyPreConfig *pre, const PyConfig *config)
{
    switch (config->_config_init) {
    case PYTHON:
        PyPreConfig_InitPythonConfig(pre);
        break;
    case ISOLATED:
        PyPreConfig_InitIsolatedConfig(pre);
        break;
    default:
        _PyPreConfig_InitCompatConfig(pre);
    }
#define COPY(field)                                                            \
    if (config->field != -1) {                                                 \
        pre->field = config->field;                                            \
    }
    COPY(parse_argv)
    COPY(isolated)
    COPY(use_environment)
    COPY(dev_mode)
#undef COPY
}

/* Values that an embedding program set through the old variables. */
static void
read_global_variables(PyPreConfig *pre)
{
    if (pre->_config_init != COMPAT) {
        return;
    }
    if (pre->isolated < 0) {
        pre->isolated = Py_IsolatedFlag;
    }
    if (pre->use_environment < 0) {
        pre->use_environment = !Py_IgnoreEnvironmentFlag;
    }
    if (Py_UTF8Mode > 0) {
        pre->utf8_mode = 1;
    }
}

/* --- reading ------------------------------------------------------------- */

static const char *
environment(const PyPreConfig *pre, const char *name)
{
    const char *value = pre->use_environment ? getenv(name) : NULL;
    return value != NULL && *value != '\0' ? value : NULL;
}

/* What the command line and the environment say about the environment. */
static void
read_switches(PyPreConfig *pre, const struct kr_preoptions *options)
{
    if (options->isolated) {
        pre->isolated = 1;
    }
    if (options->ignore_environment || pre->isolated > 0) {
        pre->use_environment = 0;
    }
    pre->isolated = pre->isolated > 0;
    if (pre->use_environment < 0) {
        pre->use_environment = 1;
    }
    if (pre->dev_mode < 0) {
        pre->dev_mode = options->dev_mode
                        || environment(pre, "PYTHONDEVMODE") != NULL;
    }
}

static PyStatus
read_utf8_mode(PyPreConfig *pre, const struct kr_preoptions *options)
{
    if (pre->utf8_mode >= 0) {
        return PyStatus_Ok();
    }
    const wchar_t *option = options->utf8;
    if (option != NULL) {
        if (wcscmp(option, L"") != 0 && wcscmp(option, L"1") != 0
            && wcscmp(option, L"0") != 0) {
            return KR_STATUS_ERROR(
                "preconfig_init_utf8_mode",
                "invalid -X utf8 option value");
        }
        pre->utf8_mode = wcscmp(option, L"0") != 0;
        return PyStatus_Ok();
    }
    const char *text = environment(pre, "PYTHONUTF8");
    if (text != NULL) {
        if (strcmp(text, "1") != 0 && strcmp(text, "0") != 0) {
            return KR_STATUS_ERROR(
                "preconfig_init_utf8_mode",
                "invalid PYTHONUTF8 environment variable value");
        }
        pre->utf8_mode = *text == '1';
        return PyStatus_Ok();
    }
    const char *locale = setlocale(LC_CTYPE, NULL);
    pre->utf8_mode = locale != NULL && (strcmp(locale, "C") == 0
                                        || strcmp(locale, "POSIX") == 0);
    return PyStatus_Ok();
}

static void
read_coercion(PyPreConfig *pre)
{
    if (!pre->configure_locale) {
        pre->coerce_c_locale = 0;
        pre->coerce_c_locale_warn = 0;
        return;
    }
    const char *text = environment(pre, "PYTHONCOERCECLOCALE");
    if (text != NULL && strcmp(text, "0") == 0) {
        if (pre->coerce_c_locale < 0) {
            pre->coerce_c_locale = 0;
        }
    }
    else if (text != NULL && strcmp(text, "warn") == 0) {
        if (pre->coerce_c_locale_warn < 0) {
            pre->coerce_c_locale_warn = 1;
        }
    }
    else if (text != NULL && pre->coerce_c_locale < 0) {
        pre->coerce_c_locale = 1;
    }
    if (pre->coerce_c_locale < 0 || pre->coerce_c_locale == 1) {
        pre->coerce_c_locale = _Py_LegacyLocaleDetected(0) ? 2 : 0;
    }
    if (pre->coerce_c_locale_warn < 0) {
        pre->coerce_c_locale_warn = 0;
    }
}

static PyStatus
read_allocator(PyPreConfig *pre)
{
    if (pre->allocator == PYMEM_ALLOCATOR_NOT_SET) {
        const char *text = environment(pre, "PYTHONMALLOC");
        PyMemAllocatorName name = PYMEM_ALLOCATOR_NOT_SET;
        if (text != NULL && _PyMem_GetAllocatorName(text, &name) < 0) {
            return KR_STATUS_ERROR(
                "preconfig_init_allocator",
                "PYTHONMALLOC: unknown allocator");
        }
        pre->allocator = (int)name;
    }
    if (pre->dev_mode && pre->allocator == PYMEM_ALLOCATOR_NOT_SET) {
        pre->allocator = PYMEM_ALLOCATOR_DEBUG;
    }
    return PyStatus_Ok();
}

static PyStatus
read_all(PyPreConfig *pre, const _PyArgv *args)
{
    PyWideStringList list = {0, NULL};
    struct kr_preoptions options = {0};
    read_global_variables(pre);
    if (pre->configure_locale) {
        _Py_SetLocaleFromEnv(LC_CTYPE);
    }
    PyStatus status = PyStatus_Ok();
    if (args != NULL && pre->parse_argv) {
        status = _PyArgv_AsWstrList(args, &list);
        if (PyStatus_Exception(status)) {
            return status;
        }
        kr_config_scan_preoptions(&list, &options);
    }
    read_switches(pre, &options);
    status = read_utf8_mode(pre, &options);
    if (!PyStatus_Exception(status)) {
        read_coercion(pre);
        status = read_allocator(pre);
    }
    _PyWideStringList_Clear(&list);
    return status;
}

/* --- writing ------------------------------------------------------------- */

static PyStatus
apply(PyPreConfig *pre)
{
    if (pre->allocator != PYMEM_ALLOCATOR_NOT_SET
        && _PyMem_SetupAllocators((PyMemAllocatorName)pre->allocator) < 0) {
        return PyStatus_NoMemory();
    }
    if (pre->coerce_c_locale
        && !_Py_CoerceLegacyLocale(pre->coerce_c_locale_warn)) {
        pre->coerce_c_locale = 0;
    }
    Py_UTF8Mode = pre->utf8_mode;
    return PyStatus_Ok();
}

PyStatus
_Py_PreInitializeFromPyArgv(const PyPreConfig *src, const _PyArgv *args)
{
    struct kr_preinit_state *s = &kr_preinit_state;
    if (src == NULL) {
        return PyStatus_Error("preinitialization config is NULL");
    }
    if (s->done) {
        return PyStatus_Ok();
    }
    s->begun = 1;
    PyPreConfig pre = *src;
    PyStatus status = read_all(&pre, args);
    if (!PyStatus_Exception(status)) {
        status = apply(&pre);
    }
    if (!PyStatus_Exception(status)) {
        s->config = pre;
        s->done = 1;
    }
    return status;
}
_Py_COMP_DIAG_POP

PyStatus
_Py_PreInitializeFromConfig(const PyConfig *config, const _PyArgv *args)
{
    if (kr_preinit_state.done) {
        return PyStatus_Ok();
    }
    PyPreConfig pre;
    init_from_config(&pre, config);
    const _PyArgv own = {.argc = config->argv.length,
                         .wchar_argv = config->argv.items};
    return _Py_PreInitializeFromPyArgv(&pre, args != NULL ? args : &own);
}

PyStatus
Py_PreInitialize(const PyPreConfig *src_config)
{
    return _Py_PreInitializeFromPyArgv(src_config, NULL);
}

PyStatus
Py_PreInitializeFromBytesArgs(const PyPreConfig *src_config, Py_ssize_t argc,
                              char **argv)
{
    const _PyArgv args = {.argc = argc, .use_bytes_argv = 1,
                          .bytes_argv = argv};
    return _Py_PreInitializeFromPyArgv(src_config, &args);
}

PyStatus
Py_PreInitializeFromArgs(const PyPreConfig *src_config, Py_ssize_t argc,
                         wchar_t **argv)
{
    const _PyArgv args = {.argc = argc, .wchar_argv = argv};
    return _Py_PreInitializeFromPyArgv(src_config, &args);
}

/* --- looking ------------------------------------------------------------- */

PyObject *
kr_preconfig_as_dict(void)
{
    const PyPreConfig *pre = kr_preconfig();
    return Py_BuildValue(
        "{sisisisisisisisisisi}", "_config_init", pre->_config_init,
        "parse_argv", pre->parse_argv, "isolated", pre->isolated,
        "use_environment", pre->use_environment, "configure_locale",
        pre->configure_locale, "coerce_c_locale", pre->coerce_c_locale,
        "coerce_c_locale_warn", pre->coerce_c_locale_warn, "utf8_mode",
        pre->utf8_mode, "dev_mode", pre->dev_mode, "allocator",
        pre->allocator);
}
