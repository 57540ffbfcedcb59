/* Variables of the environment and -X options, as text. */
#include "runtime/config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#undef Py_GETENV
char *
Py_GETENV(const char *name)
{
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    return Py_IgnoreEnvironmentFlag ? NULL : getenv(name);
    _Py_COMP_DIAG_POP
}

const char *
_Py_GetEnv(int use_environment, const char *name)
{
    const char *value = use_environment ? getenv(name) : NULL;
    return value != NULL && *value != '\0' ? value : NULL;
}

int
_Py_str_to_int(const char *text, int *result)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || errno == ERANGE || value < INT_MIN
        || value > INT_MAX) {
        return -1;
    }
    *result = (int)value;
    return 0;
}

void
_Py_get_env_flag(int use_environment, int *flag, const char *name)
{
    const char *text = _Py_GetEnv(use_environment, name);
    int value;
    if (text == NULL) {
        return;
    }
    if (_Py_str_to_int(text, &value) < 0 || value < 0) {
        value = 1; /* PYTHONDEBUG=text */
    }
    if (*flag < value) {
        *flag = value;
    }
}

const wchar_t *
_Py_get_xoption(const PyWideStringList *options, const wchar_t *name)
{
    size_t len = wcslen(name);
    for (Py_ssize_t i = 0; i < options->length; i++) {
        const wchar_t *option = options->items[i];
        if (wcsncmp(option, name, len) == 0
            && (option[len] == L'\0' || option[len] == L'=')) {
            return option;
        }
    }
    return NULL;
}
