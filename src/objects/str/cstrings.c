/* Helpers on C strings that the API exports: bounded printing, comparison
 * without case. */
#include <Python.h>
#include <stdarg.h>

int
PyOS_vsnprintf(char *str, size_t size, const char *format, va_list va)
{
    if (size > (size_t)INT_MAX - 1) {
        return -666;
    }
    int n = vsnprintf(str, size, format, va);
    if (size > 0) {
        str[size - 1] = '\0';
    }
    return n;
}

int
PyOS_snprintf(char *str, size_t size, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int n = PyOS_vsnprintf(str, size, format, va);
    va_end(va);
    return n;
}

int
PyOS_mystrnicmp(const char *s1, const char *s2, Py_ssize_t size)
{
    for (; size > 0; size--, s1++, s2++) {
        int diff = Py_TOLOWER(*s1) - Py_TOLOWER(*s2);
        if (diff != 0 || *s1 == '\0') {
            return diff;
        }
    }
    return 0;
}

int
PyOS_mystricmp(const char *s1, const char *s2)
{
    while (*s1 != '\0' && Py_TOLOWER(*s1) == Py_TOLOWER(*s2)) {
        s1++;
        s2++;
    }
    return Py_TOLOWER(*s1) - Py_TOLOWER(*s2);
}
