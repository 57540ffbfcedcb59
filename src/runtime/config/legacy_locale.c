/* The C locale, whose encoding is only ASCII, and its coercion (PEP 538). */
#include "runtime/config/config.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char *const targets[] = {"C.UTF-8", "C.utf8", "UTF-8"};

#define COUNT (sizeof(targets) / sizeof(*targets))

static int
is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && *value != '\0';
}

int
_Py_LegacyLocaleDetected(int warn)
{
    /* LC_ALL is an order that is not to be overruled */
    if (!warn && is_set("LC_ALL")) {
        return 0;
    }
    const char *locale = setlocale(LC_CTYPE, NULL);
    return locale != NULL && strcmp(locale, "C") == 0;
}

int
_Py_IsLocaleCoercionTarget(const char *locale)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(locale, targets[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

char *
_Py_SetLocaleFromEnv(int category)
{
    return setlocale(category, "");
}

/* Tells child processes, too. 1 or 0. */
static int
use_target(const char *target, int warn)
{
    if (setenv("LC_CTYPE", target, 1) != 0) {
        fprintf(stderr, "Error setting LC_CTYPE, skipping C locale "
                        "coercion\n");
        return 0;
    }
    if (warn) {
        fprintf(stderr,
                "Python detected LC_CTYPE=C: LC_CTYPE coerced to %.20s (set "
                "another locale or PYTHONCOERCECLOCALE=0 to disable this "
                "locale coercion behavior).\n",
                target);
    }
    _Py_SetLocaleFromEnv(LC_ALL);
    return 1;
}

int
_Py_CoerceLegacyLocale(int warn)
{
    const char *current = setlocale(LC_CTYPE, NULL);
    if (current == NULL || is_set("LC_ALL")) {
        return 0;
    }
    char *old = strdup(current);
    if (old == NULL) {
        return 0;
    }
    int coerced = 0;
    for (size_t i = 0; i < COUNT && !coerced; i++) {
        if (setlocale(LC_CTYPE, targets[i]) == NULL) {
            continue;
        }
        const char *codeset = nl_langinfo(CODESET);
        if (codeset != NULL && *codeset != '\0') {
            coerced = use_target(targets[i], warn);
        }
    }
    if (!coerced) {
        setlocale(LC_CTYPE, old);
    }
    free(old);
    return coerced;
}

void
kr_warn_legacy_locale(void)
{
    if (kr_preconfig()->coerce_c_locale_warn && _Py_LegacyLocaleDetected(1)) {
        fprintf(stderr,
                "Python runtime initialized with LC_CTYPE=C (a locale with "
                "default ASCII encoding), which may cause Unicode "
                "compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if "
                "available) as alternative Unicode-compatible locales is "
                "recommended.\n");
    }
}
