/* The place of a SyntaxError: PyErr_SyntaxLocation and the source line. */
#include <stdio.h>
#include <string.h>

#include <Python.h>

#include "objects/exceptions/exc.h"
#include "objects/ids.h"

/* Sets an attribute to a new object (consumed), without raising. */
static void
set_quietly(PyObject *exc, PyObject *name, PyObject *value)
{
    if (value == NULL || PyObject_SetAttr(exc, name, value) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(value);
}

static PyObject *
number_or_none(int n)
{
    return n == -1 ? Py_NewRef(Py_None) : PyLong_FromLong(n);
}

static void
set_location(PyObject *filename, int lineno, int col_offset, int end_lineno,
             int end_col_offset)
{
    PyObject *type, *exc, *tb;
    PyErr_Fetch(&type, &exc, &tb);
    PyErr_NormalizeException(&type, &exc, &tb);
    set_quietly(exc, KR_ID(lineno), PyLong_FromLong(lineno));
    set_quietly(exc, KR_ID(offset), number_or_none(col_offset));
    set_quietly(exc, KR_ID(end_lineno), number_or_none(end_lineno));
    set_quietly(exc, KR_ID(end_offset), number_or_none(end_col_offset));
    if (filename != NULL) {
        set_quietly(exc, KR_ID(filename), Py_NewRef(filename));
        PyObject *text = PyErr_ProgramTextObject(filename, lineno);
        set_quietly(exc, KR_ID(text), text ? text : Py_NewRef(Py_None));
    }
    if (type != PyExc_SyntaxError) {
        PyObject *value;
        if (_PyObject_LookupAttr(exc, KR_ID(msg), &value) == 0) {
            set_quietly(exc, KR_ID(msg), PyObject_Str(exc));
        }
        Py_XDECREF(value);
        if (_PyObject_LookupAttr(exc, KR_ID(print_file_and_line), &value) ==
            0) {
            set_quietly(exc, KR_ID(print_file_and_line), Py_NewRef(Py_None));
        }
        Py_XDECREF(value);
        PyErr_Clear();
    }
    PyErr_Restore(type, exc, tb);
}

void
PyErr_SyntaxLocationObject(PyObject *filename, int lineno, int col_offset)
{
    set_location(filename, lineno, col_offset, lineno, -1);
}

void
PyErr_RangedSyntaxLocationObject(PyObject *filename, int lineno,
                                 int col_offset, int end_lineno,
                                 int end_col_offset)
{
    set_location(filename, lineno, col_offset, end_lineno, end_col_offset);
}

void
PyErr_SyntaxLocationEx(const char *filename, int lineno, int col_offset)
{
    PyObject *name =
        filename == NULL ? NULL : PyUnicode_DecodeFSDefault(filename);
    if (name == NULL) {
        PyErr_Clear();
    }
    set_location(name, lineno, col_offset, lineno, -1);
    Py_XDECREF(name);
}

void
PyErr_SyntaxLocation(const char *filename, int lineno)
{
    PyErr_SyntaxLocationEx(filename, lineno, -1);
}

/* --- The line ------------------------------------------------------------------ */

/* Line `lineno` of an open file (closed here), in `encoding`; without one it
 * must be UTF-8. */
static PyObject *
read_line(FILE *fp, int lineno, const char *encoding)
{
    if (fp == NULL) {
        return NULL;
    }
    char line[1000];
    int current = 0, at_start = 1;
    while (current < lineno &&
           Py_UniversalNewlineFgets(line, sizeof(line), fp, NULL) != NULL) {
        current += at_start;
        at_start = strchr(line, '\n') != NULL;
    }
    fclose(fp);
    if (current < lineno || lineno <= 0) {
        return NULL;
    }
    PyObject *res =
        encoding == NULL
            ? PyUnicode_FromString(line)
            : PyUnicode_Decode(line, (Py_ssize_t)strlen(line), encoding,
                               "replace");
    if (res == NULL) {
        PyErr_Clear();
    }
    return res;
}

PyObject *
PyErr_ProgramTextObject(PyObject *filename, int lineno)
{
    if (filename == NULL || lineno <= 0) {
        return NULL;
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    FILE *fp = _Py_fopen_obj(filename, "rb");
    PyErr_Clear();
    PyObject *res = read_line(fp, lineno, NULL);
    PyErr_Restore(type, value, tb);
    return res;
}

PyObject *
_PyErr_ProgramDecodedTextObject(PyObject *filename, int lineno,
                                const char *encoding)
{
    if (filename == NULL || lineno <= 0) {
        return NULL;
    }
    FILE *fp = _Py_fopen_obj(filename, "rb");
    if (fp == NULL) {
        PyErr_Clear();
    }
    return read_line(fp, lineno, encoding);
}

PyObject *
PyErr_ProgramText(const char *filename, int lineno)
{
    if (filename == NULL) {
        return NULL;
    }
    return read_line(fopen(filename, "rb"), lineno, NULL);
}
