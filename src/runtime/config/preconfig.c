/* Pre-initialisation: the locale, UTF-8 mode and the allocator, which must be
 * right before the first argument is decoded. */
#include "runtime/config/config.h"

#include "memory/domains.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static struct kr_preinit_state {
    int done;
    int utf8_mode;
    int legacy_locale; /* LC_CTYPE was C or POSIX */
} kr_preinit_state;

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
int Py_UTF8Mode = 0;
const char *Py_FileSystemDefaultEncoding = NULL;
int Py_HasFileSystemDefaultEncoding = 0;
const char *Py_FileSystemDefaultEncodeErrors = NULL;
_Py_COMP_DIAG_POP

PyAPI_DATA(int) _Py_HasFileSystemDefaultEncodeErrors;
int _Py_HasFileSystemDefaultEncodeErrors = 0;

int
kr_preinitialized(void)
{
    return kr_preinit_state.done;
}

int
kr_utf8_mode(void)
{
    return kr_preinit_state.utf8_mode;
}

static void
init_pre(PyPreConfig *config)
{
    memset(config, 0, sizeof(*config));
    config->parse_argv = 1;
    config->isolated = -1;
    config->use_environment = -1;
    config->configure_locale = 1;
    config->coerce_c_locale = -1;
    config->utf8_mode = -1;
    config->dev_mode = -1;
    config->allocator = PYMEM_ALLOCATOR_NOT_SET;
}

PyAPI_FUNC(void) _PyPreConfig_InitCompatConfig(PyPreConfig *config);
void
_PyPreConfig_InitCompatConfig(PyPreConfig *config)
{
    init_pre(config);
    config->_config_init = 1;
    config->parse_argv = 0;
    config->coerce_c_locale = 0;
    config->utf8_mode = 0;
}

void
PyPreConfig_InitPythonConfig(PyPreConfig *config)
{
    init_pre(config);
    config->_config_init = 2;
    config->isolated = 0;
    config->use_environment = 1;
}

void
PyPreConfig_InitIsolatedConfig(PyPreConfig *config)
{
    init_pre(config);
    config->_config_init = 3;
    config->configure_locale = 0;
    config->isolated = 1;
    config->use_environment = 0;
    config->utf8_mode = 0;
    config->dev_mode = 0;
    config->coerce_c_locale = 0;
}

/* Whether LC_CTYPE is the bare C locale, whose encoding is only ASCII. */
static int
is_legacy_locale(void)
{
    const char *locale = setlocale(LC_CTYPE, NULL);
    return locale != NULL &&
           (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0);
}

PyAPI_FUNC(int) _Py_LegacyLocaleDetected(int warn);
int
_Py_LegacyLocaleDetected(int warn)
{
    (void)warn;
    return is_legacy_locale();
}

/* Turns the C locale into a UTF-8 one (PEP 538). */
static void
coerce_c_locale(void)
{
    static const char *const targets[] = {"C.UTF-8", "C.utf8", "UTF-8"};
    const char *all = getenv("LC_ALL");
    const char *wish = getenv("PYTHONCOERCECLOCALE");
    if ((all != NULL && *all != '\0') ||
        (wish != NULL && strcmp(wish, "0") == 0)) {
        return;
    }
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        if (setlocale(LC_CTYPE, targets[i]) != NULL) {
            const char *codeset = nl_langinfo(CODESET);
            if (codeset != NULL && *codeset != '\0') {
                setenv("LC_CTYPE", targets[i], 1);
                setlocale(LC_ALL, "");
                return;
            }
        }
    }
    setlocale(LC_CTYPE, "C");
}

/* Value of -X utf8 among the still undecoded or decoded arguments: 1, 0, or
 * -1 when not given. */
static int
utf8_option(const PyConfig *config)
{
    int value = -1;
    for (Py_ssize_t i = 1; i < config->argv.length; i++) {
        const wchar_t *arg = config->argv.items[i];
        if (arg[0] != L'-' || wcscmp(arg, L"-c") == 0 ||
            wcscmp(arg, L"-m") == 0) {
            break;
        }
        if (wcsncmp(arg, L"-X", 2) != 0) {
            continue;
        }
        const wchar_t *option = arg + 2;
        if (*option == L'\0' && i + 1 < config->argv.length) {
            option = config->argv.items[++i];
        }
        if (wcscmp(option, L"utf8") == 0 || wcscmp(option, L"utf8=1") == 0) {
            value = 1;
        }
        else if (wcscmp(option, L"utf8=0") == 0) {
            value = 0;
        }
    }
    return value;
}

PyStatus
kr_preinitialize(const PyConfig *config)
{
    struct kr_preinit_state *s = &kr_preinit_state;
    if (s->done) {
        return PyStatus_Ok();
    }
    s->done = 1;
    setlocale(LC_CTYPE, ""); /* the others are the program's to set */
    int use_env = config == NULL || config->use_environment != 0;
    int mode = config != NULL ? utf8_option(config) : -1;
    if (mode < 0 && use_env) {
        const char *text = getenv("PYTHONUTF8");
        if (text != NULL && *text != '\0') {
            if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
                return PyStatus_Error(
                    "invalid PYTHONUTF8 environment variable value");
            }
            mode = *text == '1';
        }
    }
    const char *allocator = use_env ? getenv("PYTHONMALLOC") : NULL;
    if (allocator != NULL && *allocator != '\0') {
        PyMemAllocatorName name;
        if (_PyMem_GetAllocatorName(allocator, &name) < 0) {
            return PyStatus_Error("PYTHONMALLOC: unknown allocator");
        }
        if (_PyMem_SetupAllocators(name) < 0) {
            return PyStatus_Error("PYTHONMALLOC: can't set the allocator");
        }
    }
    s->legacy_locale = is_legacy_locale();
    if (mode < 0) {
        mode = s->legacy_locale;
    }
    if (s->legacy_locale && (config == NULL || config->_config_init != 3)) {
        coerce_c_locale();
    }
    s->utf8_mode = mode;
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    Py_UTF8Mode = mode;
    Py_FileSystemDefaultEncoding = "utf-8";
    Py_HasFileSystemDefaultEncoding = 1;
    Py_FileSystemDefaultEncodeErrors = "surrogateescape";
    _Py_COMP_DIAG_POP
    return PyStatus_Ok();
}

PyStatus
Py_PreInitialize(const PyPreConfig *src_config)
{
    if (src_config->utf8_mode >= 0 && !kr_preinit_state.done) {
        kr_preinit_state.utf8_mode = src_config->utf8_mode;
    }
    return kr_preinitialize(NULL);
}

PyStatus
Py_PreInitializeFromBytesArgs(const PyPreConfig *src_config, Py_ssize_t argc,
                              char **argv)
{
    (void)argc;
    (void)argv;
    return Py_PreInitialize(src_config);
}

PyStatus
Py_PreInitializeFromArgs(const PyPreConfig *src_config, Py_ssize_t argc,
                         wchar_t **argv)
{
    (void)argc;
    (void)argv;
    return Py_PreInitialize(src_config);
}
