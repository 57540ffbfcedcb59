/* What the modules of the databases of accounts share: pwd, grp, spwd. */
#include "modules/accounts.h"

#include <errno.h>
#include <unistd.h>

char *
kr_accounts_search(int hint, kr_accounts_try attempt, void *query)
{
    long wanted = sysconf(hint);
    size_t size = wanted > 0 ? (size_t)wanted : 1024;
    int status = ERANGE;
    char *buf = NULL;
    while (status == ERANGE) {
        char *bigger = PyMem_RawRealloc(buf, size);
        if (bigger == NULL) {
            status = ENOMEM;
            break;
        }
        buf = bigger;
        Py_BEGIN_ALLOW_THREADS
        status = attempt(query, buf, size);
        Py_END_ALLOW_THREADS
        size *= 2;
    }
    if (status == ENOMEM) {
        PyMem_RawFree(buf);
        PyErr_NoMemory();
        return NULL;
    }
    return buf;
}

PyObject *
kr_accounts_name(PyObject *name, char **chars)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(name);
    if (bytes != NULL && PyBytes_AsStringAndSize(bytes, chars, NULL) < 0) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

PyObject *
kr_accounts_text(const char *s)
{
    return s ? PyUnicode_DecodeFSDefault(s) : Py_NewRef(Py_None);
}

void
kr_accounts_add(PyObject **list, PyObject *entry)
{
    if (entry == NULL || PyList_Append(*list, entry) < 0) {
        Py_CLEAR(*list);
    }
    Py_XDECREF(entry);
}
