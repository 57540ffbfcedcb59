/* SyntaxError, IndentationError and TabError: a message and a place. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

static void
set_item(PyObject **field, PyObject *details, Py_ssize_t i)
{
    Py_XSETREF(*field, Py_NewRef(PyTuple_GET_ITEM(details, i)));
}

/* The second argument: (filename, lineno, offset, text[, end_lineno,
 * end_offset]). 0 or -1. */
static int
take_details(PySyntaxErrorObject *self, PyObject *arg)
{
    PyObject *details = PySequence_Tuple(arg);
    if (details == NULL) {
        return -1;
    }
    PyObject *filename, *lineno, *offset, *text, *end_lineno = NULL,
                                                 *end_offset = NULL;
    if (!PyArg_ParseTuple(details, "OOOO|OO", &filename, &lineno, &offset,
                          &text, &end_lineno, &end_offset)) {
        Py_DECREF(details);
        return -1;
    }
    if (end_lineno != NULL && end_offset == NULL) {
        PyErr_SetString(PyExc_TypeError, "end_offset must be provided when "
                                         "end_lineno is provided");
        Py_DECREF(details);
        return -1;
    }
    set_item(&self->filename, details, 0);
    set_item(&self->lineno, details, 1);
    set_item(&self->offset, details, 2);
    set_item(&self->text, details, 3);
    Py_XSETREF(self->end_lineno, Py_XNewRef(end_lineno));
    Py_XSETREF(self->end_offset, Py_XNewRef(end_offset));
    Py_DECREF(details);
    return 0;
}

static int
syntax_error_init(PySyntaxErrorObject *self, PyObject *args, PyObject *kwds)
{
    if (kr_base_exception_init((PyBaseExceptionObject *)self, args, kwds) < 0) {
        return -1;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n >= 1) {
        set_item(&self->msg, args, 0);
    }
    if (n != 2) {
        return 0;
    }
    if (take_details(self, PyTuple_GET_ITEM(args, 1)) < 0) {
        return -1;
    }
    Py_XSETREF(self->print_file_and_line, NULL);
    return 0;
}

static int
syntax_error_clear(PySyntaxErrorObject *self)
{
    Py_CLEAR(self->msg);
    Py_CLEAR(self->filename);
    Py_CLEAR(self->lineno);
    Py_CLEAR(self->offset);
    Py_CLEAR(self->end_lineno);
    Py_CLEAR(self->end_offset);
    Py_CLEAR(self->text);
    Py_CLEAR(self->print_file_and_line);
    return kr_base_exception_clear((PyBaseExceptionObject *)self);
}

static int
syntax_error_traverse(PySyntaxErrorObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->msg);
    Py_VISIT(self->filename);
    Py_VISIT(self->lineno);
    Py_VISIT(self->offset);
    Py_VISIT(self->end_lineno);
    Py_VISIT(self->end_offset);
    Py_VISIT(self->text);
    Py_VISIT(self->print_file_and_line);
    return kr_base_exception_traverse((PyBaseExceptionObject *)self, visit,
                                      arg);
}

/* New reference to the last component of a path. */
static PyObject *
basename_of(PyObject *path)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(path);
    Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, size, -1);
    if (slash == -2) {
        return NULL;
    }
    return PyUnicode_Substring(path, slash + 1, size);
}

static PyObject *
syntax_error_str(PySyntaxErrorObject *self)
{
    PyObject *msg = self->msg != NULL ? self->msg : Py_None;
    PyObject *filename = NULL;
    if (self->filename != NULL && PyUnicode_Check(self->filename)) {
        filename = basename_of(self->filename);
        if (filename == NULL) {
            return NULL;
        }
    }
    int has_line = self->lineno != NULL && PyLong_CheckExact(self->lineno);
    int overflow = 0;
    long line = has_line ? PyLong_AsLongAndOverflow(self->lineno, &overflow)
                         : 0;
    PyObject *res;
    if (filename != NULL && has_line) {
        res = PyUnicode_FromFormat("%S (%U, line %ld)", msg, filename, line);
    }
    else if (filename != NULL) {
        res = PyUnicode_FromFormat("%S (%U)", msg, filename);
    }
    else if (has_line) {
        res = PyUnicode_FromFormat("%S (line %ld)", msg, line);
    }
    else {
        res = PyObject_Str(msg);
    }
    Py_XDECREF(filename);
    return res;
}

#define FIELD(name, doc)                                                       \
    {#name, T_OBJECT, offsetof(PySyntaxErrorObject, name), 0, doc}
static PyMemberDef syntax_error_members[] = {
    FIELD(msg, "exception msg"),
    FIELD(filename, "exception filename"),
    FIELD(lineno, "exception lineno"),
    FIELD(offset, "exception offset"),
    FIELD(text, "exception text"),
    FIELD(end_lineno, "exception end lineno"),
    FIELD(end_offset, "exception end offset"),
    FIELD(print_file_and_line, "exception print_file_and_line"),
    {NULL, 0, 0, 0, NULL},
};
#undef FIELD

#define SYNTAX_ERROR(name, base, str, members, doc)                            \
    PyTypeObject KR_EXC(name) = {                                              \
        KR_EXC_TYPE(name, base, PySyntaxErrorObject, doc),                     \
        .tp_str = (reprfunc)str,                                               \
        .tp_traverse = (traverseproc)syntax_error_traverse,                    \
        .tp_clear = (inquiry)syntax_error_clear,                               \
        .tp_members = members,                                                 \
        .tp_init = (initproc)syntax_error_init,                                \
    }

SYNTAX_ERROR(SyntaxError, Exception, syntax_error_str, syntax_error_members,
             "Invalid syntax.");
SYNTAX_ERROR(IndentationError, SyntaxError, NULL, NULL,
             "Improper indentation.");
SYNTAX_ERROR(TabError, IndentationError, NULL, NULL,
             "Improper mixture of spaces and tabs.");
