/* _PyUnicodeWriter: builds a str piece by piece, widening when needed. */
#include <Python.h>

#include "objects/str/str.h"

static void
refresh(_PyUnicodeWriter *w)
{
    w->maxchar = PyUnicode_MAX_CHAR_VALUE(w->buffer);
    w->data = PyUnicode_DATA(w->buffer);
    if (!w->readonly) {
        w->kind = (enum PyUnicode_Kind)STR_KIND(w->buffer);
        w->size = STR_LEN(w->buffer);
    }
    else {
        /* a shared string: the next write has to copy */
        w->kind = PyUnicode_WCHAR_KIND;
        w->size = 0;
    }
}

void
_PyUnicodeWriter_Init(_PyUnicodeWriter *w)
{
    memset(w, 0, sizeof(*w));
    w->min_char = 127;
}

int
_PyUnicodeWriter_PrepareInternal(_PyUnicodeWriter *w, Py_ssize_t length,
                                 Py_UCS4 maxchar)
{
    if (length > PY_SSIZE_T_MAX - w->pos) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t need = w->pos + length;
    maxchar = Py_MAX(maxchar, w->min_char);
    if (w->buffer != NULL) {
        maxchar = Py_MAX(maxchar, w->maxchar);
    }
    Py_ssize_t room = w->buffer == NULL || need > w->size ? need : w->size;
    if (room > w->size) {
        if (w->overallocate && room <= PY_SSIZE_T_MAX - room / 4) {
            room += room / 4;
        }
        room = Py_MAX(room, w->min_length);
    }
    if (w->buffer != NULL && !w->readonly && maxchar <= w->maxchar) {
        if (kr_str_resize(&w->buffer, room) < 0) {
            return -1;
        }
        refresh(w);
        return 0;
    }
    PyObject *buffer = PyUnicode_New(room, maxchar);
    if (buffer == NULL) {
        return -1;
    }
    if (w->buffer != NULL) {
        _PyUnicode_FastCopyCharacters(buffer, 0, w->buffer, 0, w->pos);
        Py_DECREF(w->buffer);
    }
    w->buffer = buffer;
    w->readonly = 0;
    refresh(w);
    return 0;
}

int
_PyUnicodeWriter_PrepareKindInternal(_PyUnicodeWriter *w,
                                     enum PyUnicode_Kind kind)
{
    Py_UCS4 maxchar = kind == 1 ? 0xFF : kind == 2 ? 0xFFFF : 0x10FFFF;
    return _PyUnicodeWriter_PrepareInternal(w, 0, maxchar);
}

int
_PyUnicodeWriter_WriteChar(_PyUnicodeWriter *w, Py_UCS4 ch)
{
    if (_PyUnicodeWriter_Prepare(w, 1, ch) < 0) {
        return -1;
    }
    PyUnicode_WRITE(w->kind, w->data, w->pos, ch);
    w->pos++;
    return 0;
}

int
_PyUnicodeWriter_WriteStr(_PyUnicodeWriter *w, PyObject *str)
{
    if (PyUnicode_READY(str) < 0) {
        return -1;
    }
    Py_ssize_t n = STR_LEN(str);
    if (n == 0) {
        return 0;
    }
    Py_UCS4 maxchar = PyUnicode_MAX_CHAR_VALUE(str);
    if (maxchar > w->maxchar || n > w->size - w->pos) {
        if (w->buffer == NULL && !w->overallocate &&
            PyUnicode_CheckExact(str)) {
            w->readonly = 1;
            w->buffer = Py_NewRef(str);
            refresh(w);
            w->pos += n;
            return 0;
        }
        if (_PyUnicodeWriter_PrepareInternal(w, n, maxchar) < 0) {
            return -1;
        }
    }
    _PyUnicode_FastCopyCharacters(w->buffer, w->pos, str, 0, n);
    w->pos += n;
    return 0;
}

int
_PyUnicodeWriter_WriteSubstring(_PyUnicodeWriter *w, PyObject *str,
                                Py_ssize_t start, Py_ssize_t end)
{
    if (PyUnicode_READY(str) < 0) {
        return -1;
    }
    if (end == 0 || start >= end) {
        return 0;
    }
    if (start == 0 && end == STR_LEN(str)) {
        return _PyUnicodeWriter_WriteStr(w, str);
    }
    Py_ssize_t n = end - start;
    Py_UCS4 maxchar = PyUnicode_MAX_CHAR_VALUE(str) > w->maxchar
                          ? _PyUnicode_FindMaxChar(str, start, end)
                          : w->maxchar;
    if (_PyUnicodeWriter_Prepare(w, n, maxchar) < 0) {
        return -1;
    }
    _PyUnicode_FastCopyCharacters(w->buffer, w->pos, str, start, n);
    w->pos += n;
    return 0;
}

int
_PyUnicodeWriter_WriteASCIIString(_PyUnicodeWriter *w, const char *s,
                                  Py_ssize_t n)
{
    if (n == -1) {
        n = (Py_ssize_t)strlen(s);
    }
    if (n == 0) {
        return 0;
    }
    if (w->buffer == NULL && !w->overallocate) {
        PyObject *str = kr_str_from_ascii(s, n);
        if (str == NULL) {
            return -1;
        }
        w->readonly = 1;
        w->buffer = str;
        refresh(w);
        w->pos += n;
        return 0;
    }
    if (_PyUnicodeWriter_Prepare(w, n, 127) < 0) {
        return -1;
    }
    kr_str_copy(w->kind, w->data, w->pos, 1, s, 0, n);
    w->pos += n;
    return 0;
}

int
_PyUnicodeWriter_WriteLatin1String(_PyUnicodeWriter *w, const char *s,
                                   Py_ssize_t n)
{
    Py_UCS4 maxchar = kr_str_max_char(1, s, n);
    if (_PyUnicodeWriter_Prepare(w, n, maxchar) < 0) {
        return -1;
    }
    if (n > 0) {
        kr_str_copy(w->kind, w->data, w->pos, 1, s, 0, n);
        w->pos += n;
    }
    return 0;
}

/* The buffer may have been made for wider characters than came. */
static PyObject *
narrowed(PyObject *str)
{
    int kind = STR_KIND(str);
    Py_UCS4 max = kr_str_max_char(kind, PyUnicode_DATA(str), STR_LEN(str));
    if (STR_LEN(str) > 1 && max == PyUnicode_MAX_CHAR_VALUE(str)) {
        return str;
    }
    PyObject *copy = PyUnicode_FromKindAndData(kind, PyUnicode_DATA(str),
                                               STR_LEN(str));
    Py_DECREF(str);
    return copy;
}

PyObject *
_PyUnicodeWriter_Finish(_PyUnicodeWriter *w)
{
    PyObject *str = w->buffer;
    w->buffer = NULL;
    if (w->pos == 0) {
        Py_XDECREF(str);
        return kr_str_empty();
    }
    if (w->readonly) {
        return str;
    }
    if (STR_LEN(str) != w->pos && kr_str_resize(&str, w->pos) < 0) {
        Py_DECREF(str);
        return NULL;
    }
    return PyUnicode_IS_ASCII(str) && w->pos > 1 ? str : narrowed(str);
}

void
_PyUnicodeWriter_Dealloc(_PyUnicodeWriter *w)
{
    Py_CLEAR(w->buffer);
}
