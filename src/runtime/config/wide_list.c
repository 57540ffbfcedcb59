/* PyWideStringList and PyStatus. */
#include "runtime/config/config.h"

#include <string.h>

void
_PyWideStringList_Clear(PyWideStringList *list)
{
    for (Py_ssize_t i = 0; i < list->length; i++) {
        PyMem_RawFree(list->items[i]);
    }
    PyMem_RawFree(list->items);
    list->length = 0;
    list->items = NULL;
}

static wchar_t *
duplicate(const wchar_t *s)
{
    size_t size = (wcslen(s) + 1) * sizeof(wchar_t);
    wchar_t *copy = PyMem_RawMalloc(size);
    if (copy != NULL) {
        memcpy(copy, s, size);
    }
    return copy;
}

PyStatus
PyWideStringList_Insert(PyWideStringList *list, Py_ssize_t index,
                        const wchar_t *item)
{
    if (index < 0) {
        return PyStatus_Error("PyWideStringList_Insert index must be >= 0");
    }
    index = Py_MIN(index, list->length);
    wchar_t **items = PyMem_RawRealloc(
        list->items, (size_t)(list->length + 1) * sizeof(*items));
    if (items == NULL) {
        return PyStatus_NoMemory();
    }
    list->items = items; /* the old ones are gone, whatever follows */
    wchar_t *copy = duplicate(item);
    if (copy == NULL) {
        return PyStatus_NoMemory();
    }
    memmove(items + index + 1, items + index,
            (size_t)(list->length - index) * sizeof(*items));
    items[index] = copy;
    list->length++;
    return PyStatus_Ok();
}

PyStatus
PyWideStringList_Append(PyWideStringList *list, const wchar_t *item)
{
    return PyWideStringList_Insert(list, list->length, item);
}

PyStatus
_PyWideStringList_Extend(PyWideStringList *to, const PyWideStringList *from)
{
    for (Py_ssize_t i = 0; i < from->length; i++) {
        PyStatus status = PyWideStringList_Append(to, from->items[i]);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return PyStatus_Ok();
}

int
_PyWideStringList_Copy(PyWideStringList *to, const PyWideStringList *from)
{
    PyWideStringList copy = {0, NULL};
    if (PyStatus_Exception(_PyWideStringList_Extend(&copy, from))) {
        _PyWideStringList_Clear(&copy);
        return -1;
    }
    _PyWideStringList_Clear(to);
    *to = copy;
    return 0;
}

PyObject *
_PyWideStringList_AsList(const PyWideStringList *list)
{
    PyObject *res = PyList_New(list->length);
    for (Py_ssize_t i = 0; res != NULL && i < list->length; i++) {
        PyObject *item = PyUnicode_FromWideChar(list->items[i], -1);
        if (item == NULL) {
            Py_CLEAR(res);
            break;
        }
        PyList_SET_ITEM(res, i, item);
    }
    return res;
}

/* --- PyStatus ------------------------------------------------------------- */

PyStatus
PyStatus_Ok(void)
{
    return (PyStatus){._type = _PyStatus_TYPE_OK};
}

PyStatus
PyStatus_Error(const char *err_msg)
{
    return (PyStatus){._type = _PyStatus_TYPE_ERROR, .err_msg = err_msg};
}

PyStatus
PyStatus_NoMemory(void)
{
    return PyStatus_Error("memory allocation failed");
}

PyStatus
PyStatus_Exit(int exitcode)
{
    return (PyStatus){._type = _PyStatus_TYPE_EXIT, .exitcode = exitcode};
}

int
PyStatus_IsError(PyStatus status)
{
    return status._type == _PyStatus_TYPE_ERROR;
}

int
PyStatus_IsExit(PyStatus status)
{
    return status._type == _PyStatus_TYPE_EXIT;
}

int
PyStatus_Exception(PyStatus status)
{
    return PyStatus_IsError(status) || PyStatus_IsExit(status);
}

/* --- arguments ----------------------------------------------------------- */

PyStatus
_PyArgv_AsWstrList(const _PyArgv *args, PyWideStringList *list)
{
    if (!args->use_bytes_argv) {
        const PyWideStringList from = {args->argc,
                                       (wchar_t **)args->wchar_argv};
        return _PyWideStringList_Copy(list, &from) < 0 ? PyStatus_NoMemory()
                                                       : PyStatus_Ok();
    }
    PyStatus status = PyStatus_Ok();
    PyWideStringList decoded = {0, NULL};
    for (Py_ssize_t i = 0; i < args->argc && !PyStatus_Exception(status);
         i++) {
        size_t len;
        wchar_t *arg = Py_DecodeLocale(args->bytes_argv[i], &len);
        if (arg == NULL) {
            status = len == (size_t)-2
                         ? PyStatus_Error("cannot decode command line "
                                          "arguments")
                         : PyStatus_NoMemory();
            break;
        }
        status = PyWideStringList_Append(&decoded, arg);
        PyMem_RawFree(arg);
    }
    if (PyStatus_Exception(status)) {
        _PyWideStringList_Clear(&decoded);
        return status;
    }
    _PyWideStringList_Clear(list);
    *list = decoded;
    return status;
}
