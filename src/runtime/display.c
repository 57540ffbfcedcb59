/* Showing exceptions: PyErr_Print, PyErr_Display with causes, contexts, notes
 * and groups, SystemExit, and exceptions that nobody can catch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Python.h>
#include <structseq.h>

#include "memory/tstate.h"
#include "objects/errors.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/lifecycle.h"
#include "runtime/run.h"
#include "runtime/sys/sys.h"
#include "vm/traceback.h"

/* An attribute of sys, borrowed; needs no memory. NULL: there is none. */
static PyObject *
get_sys(PyObject *name)
{
    return _PySys_GetAttr(PyThreadState_Get(), name);
}

/* --- Writing with indentation ------------------------------------------------------ */

struct printer {
    PyObject *file;
    PyObject *seen;      /* set of ids of exceptions, or NULL */
    int group_depth;     /* groups around what is printed */
    int need_close;      /* the last of a group has closed its frame */
    Py_ssize_t max_width, max_depth;
};

static int print_chain(struct printer *p, PyObject *exc);

static int
is_group_exception(PyObject *exc)
{
    return PyObject_TypeCheck(exc, &KR_EXC(BaseExceptionGroup));
}

static int
indent_of(struct printer *p)
{
    return 2 * p->group_depth;
}

static const char *
margin_of(struct printer *p)
{
    return p->group_depth > 0 ? "| " : "";
}

static int
write_indent(int indent, PyObject *f)
{
    for (int i = 0; i < indent; i++) {
        if (PyFile_WriteString(" ", f) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
write_margin(struct printer *p)
{
    return write_indent(indent_of(p), p->file) < 0 ||
                   PyFile_WriteString(margin_of(p), p->file) < 0
               ? -1
               : 0;
}

static int
write_object(PyObject *obj, PyObject *f)
{
    return PyFile_WriteObject(obj, f, Py_PRINT_RAW);
}

/* --- One exception ----------------------------------------------------------------------- */

/* The number of a SyntaxError's field, -1 if it is None or missing. Sets
 * `*bad` if it is something else. */
static Py_ssize_t
to_index(PyObject *value, bool *bad)
{
    if (value == NULL || value == Py_None) {
        return -1;
    }
    int i = PyLong_Check(value) ? _PyLong_AsInt(value) : -1;
    if (!PyLong_Check(value) || (i == -1 && PyErr_Occurred())) {
        PyErr_Clear();
        *bad = true;
    }
    return i;
}

/* What is shown of the place of a SyntaxError. */
struct syntax_place {
    Py_ssize_t line, end_line, offset, end_offset;
};

/* Whether `exc` is shown as a SyntaxError: it has a line, and its numbers are
 * numbers. */
static bool
has_syntax_place(PyObject *exc, struct syntax_place *place)
{
    PyObject *mark;
    if (!PyObject_TypeCheck(exc, &KR_EXC(SyntaxError))) {
        return false;
    }
    if (_PyObject_LookupAttr(exc, KR_ID(print_file_and_line), &mark) <= 0) {
        PyErr_Clear();
        return false;
    }
    Py_DECREF(mark);
    PySyntaxErrorObject *e = (PySyntaxErrorObject *)exc;
    bool bad = e->lineno == NULL || e->lineno == Py_None;
    place->line = to_index(e->lineno, &bad);
    place->offset = to_index(e->offset, &bad);
    place->end_line = to_index(e->end_lineno, &bad);
    place->end_offset = to_index(e->end_offset, &bad);
    return !bad;
}

/* SyntaxErrors show their own place, like a frame. */
static int
print_syntax_place(struct printer *p, PySyntaxErrorObject *e, Py_ssize_t line)
{
    PyObject *text =
        e->filename != NULL && e->filename != Py_None
            ? PyUnicode_FromFormat("  File \"%S\", line %zd\n", e->filename,
                                   line)
            : PyUnicode_FromFormat("  File \"<string>\", line %zd\n", line);
    int res = text == NULL || write_margin(p) < 0 ||
                      write_object(text, p->file) < 0
                  ? -1
                  : 0;
    Py_XDECREF(text);
    return res;
}

/* The part of a SyntaxError's text that is shown, in UTF-8, and its carets.
 * The columns are characters, the limits that they are held in are bytes, as
 * in the reference. */
struct syntax_span {
    const char *text;
    Py_ssize_t size;               /* without the newline at the end */
    Py_ssize_t column, end_column; /* column < 0: no carets */
};

static void
skip_text(struct syntax_span *s, Py_ssize_t n)
{
    s->text += n;
    s->size -= n;
    s->column -= n;
    s->end_column -= n;
}

/* Leaves out what indents the first line, and of several lines those before
 * the one that the column is in. */
static void
syntax_span_init(struct syntax_span *s, const struct syntax_place *place)
{
    s->column = place->offset - 1;
    s->end_column = place->end_offset - 1;
    if (place->end_line > place->line) {
        s->end_column = s->size - 1;
    }
    if (s->end_column < 0) {
        s->end_column = s->column;
    }
    /* no line of its own, but carets may stand below it */
    bool newline = s->size > 0 && s->text[s->size - 1] == '\n';
    s->size -= newline;
    while (s->size > 0 && strchr(" \t\f", *s->text) != NULL) {
        skip_text(s, 1);
    }
    const char *end;
    while (s->column > 0
           && (end = memchr(s->text, '\n',
                            (size_t)Py_MIN(s->size, s->column))) != NULL) {
        skip_text(s, end + 1 - s->text);
    }
    s->column = Py_MIN(s->column, s->size);
    s->end_column = Py_MIN(s->end_column, s->size + newline);
    s->end_column = Py_MAX(s->end_column, s->column + 1);
}

/* The source line of a SyntaxError with carets below the range. */
static int
print_syntax_text(struct printer *p, PyObject *text,
                  const struct syntax_place *place)
{
    if (text == NULL || !PyUnicode_Check(text)) {
        return 0;
    }
    struct syntax_span s;
    s.text = PyUnicode_AsUTF8AndSize(text, &s.size);
    if (s.text == NULL) {
        return -1;
    }
    syntax_span_init(&s, place);
    PyObject *line = PyUnicode_DecodeUTF8(s.text, s.size, "replace");
    if (line == NULL || write_margin(p) < 0 ||
        PyFile_WriteString("    ", p->file) < 0 ||
        write_object(line, p->file) < 0 ||
        PyFile_WriteString("\n", p->file) < 0) {
        Py_XDECREF(line);
        return -1;
    }
    Py_DECREF(line);
    if (s.column < 0) {
        return 0;
    }
    int res = write_margin(p) < 0 || PyFile_WriteString("    ", p->file) < 0;
    for (Py_ssize_t i = 0; res == 0 && i < s.end_column; i++) {
        res = PyFile_WriteString(i < s.column ? " " : "^", p->file) < 0;
    }
    return res || PyFile_WriteString("\n", p->file) < 0 ? -1 : 0;
}

/* "module.QualName" of the class. */
static int
print_class(struct printer *p, PyObject *exc)
{
    PyObject *type = (PyObject *)Py_TYPE(exc);
    PyObject *module = PyObject_GetAttr(type, KR_ID(__module__));
    int res = 0;
    if (module == NULL || !PyUnicode_Check(module)) {
        PyErr_Clear();
        res = PyFile_WriteString("<unknown>.", p->file);
    }
    else if (!_PyUnicode_EqualToASCIIString(module, "builtins") &&
             !_PyUnicode_EqualToASCIIString(module, "__main__")) {
        res = write_object(module, p->file);
        if (res == 0) {
            res = PyFile_WriteString(".", p->file);
        }
    }
    Py_XDECREF(module);
    if (res < 0) {
        return -1;
    }
    PyObject *name = PyType_GetQualName((PyTypeObject *)type);
    if (name == NULL || !PyUnicode_Check(name)) {
        PyErr_Clear();
        res = PyFile_WriteString("<unknown>", p->file);
    }
    else {
        res = write_object(name, p->file);
    }
    Py_XDECREF(name);
    return res;
}

/* What stands behind the class: str(message), and a suggestion. */
static int
print_message(struct printer *p, PyObject *exc, PyObject *message)
{
    PyObject *text = message == Py_None ? PyUnicode_New(0, 0)
                                        : PyObject_Str(message);
    int res = 0;
    if (text == NULL) {
        PyErr_Clear();
        res = PyFile_WriteString(": <exception str() failed>", p->file);
    }
    else if (PyUnicode_GET_LENGTH(text) > 0) {
        res = PyFile_WriteString(": ", p->file);
        if (res == 0) {
            res = write_object(text, p->file);
        }
    }
    Py_XDECREF(text);
    if (res < 0) {
        return -1;
    }
    PyObject *suggestion = kr_suggest_name(exc);
    if (suggestion == NULL) {
        PyErr_Clear();
        return 0;
    }
    PyObject *hint =
        PyUnicode_FromFormat(". Did you mean: '%U'?", suggestion);
    Py_DECREF(suggestion);
    res = hint == NULL ? -1 : write_object(hint, p->file);
    Py_XDECREF(hint);
    return res;
}

/* One note, line by line. */
static int
print_note(struct printer *p, PyObject *note)
{
    PyObject *text = PyObject_Str(note);
    if (text == NULL) {
        PyErr_Clear();
        return write_margin(p) < 0 ||
                       PyFile_WriteString("<note str() failed>\n", p->file) < 0
                   ? -1
                   : 0;
    }
    PyObject *newline = PyUnicode_FromString("\n");
    PyObject *lines =
        newline == NULL ? NULL : PyUnicode_Split(text, newline, -1);
    Py_XDECREF(newline);
    Py_DECREF(text);
    int res = lines == NULL ? -1 : 0;
    Py_ssize_t n = lines == NULL ? 0 : PyList_GET_SIZE(lines);
    for (Py_ssize_t i = 0; res == 0 && i < n; i++) {
        res = write_margin(p) < 0 ||
                      write_object(PyList_GET_ITEM(lines, i), p->file) < 0 ||
                      PyFile_WriteString("\n", p->file) < 0
                  ? -1
                  : 0;
    }
    Py_XDECREF(lines);
    return res;
}

static int
print_notes(struct printer *p, PyObject *exc)
{
    PyObject *notes;
    if (_PyObject_LookupAttr(exc, KR_ID(__notes__), &notes) < 0) {
        PyErr_Clear();
        return 0;
    }
    if (notes == NULL) {
        return 0;
    }
    int res = 0;
    if (!PySequence_Check(notes) || PyUnicode_Check(notes) ||
        PyBytes_Check(notes)) {
        PyObject *text = PyObject_Repr(notes);
        if (text == NULL) {
            PyErr_Clear();
            res = write_margin(p) < 0 ||
                  PyFile_WriteString("<__notes__ repr() failed>", p->file) < 0;
        }
        else {
            res = write_margin(p) < 0 || write_object(text, p->file) < 0;
            Py_DECREF(text);
        }
        Py_DECREF(notes);
        return res ? -1 : 0;
    }
    Py_ssize_t n = PySequence_Length(notes);
    for (Py_ssize_t i = 0; res == 0 && i < n; i++) {
        PyObject *note = PySequence_GetItem(notes, i);
        res = note == NULL ? -1 : print_note(p, note);
        Py_XDECREF(note);
    }
    Py_DECREF(notes);
    return res;
}

static int
print_traceback(struct printer *p, PyObject *exc)
{
    PyObject *tb = PyException_GetTraceback(exc);
    if (tb == NULL || tb == Py_None) {
        Py_XDECREF(tb);
        return 0;
    }
    const char *header = "Traceback (most recent call last):\n";
    const char *header_margin = margin_of(p);
    if (is_group_exception(exc)) {
        header = "Exception Group Traceback (most recent call last):\n";
        if (p->group_depth == 1) {
            header_margin = "+ ";
        }
    }
    int res = _PyTraceBack_Print_Indented(tb, indent_of(p), margin_of(p),
                                          header_margin, header, p->file);
    Py_DECREF(tb);
    return res;
}

static int
print_exception(struct printer *p, PyObject *exc)
{
    if (!PyExceptionInstance_Check(exc)) {
        return write_indent(indent_of(p), p->file) < 0 ||
                       PyFile_WriteString("TypeError: print_exception(): "
                                          "Exception expected for value, ",
                                          p->file) < 0 ||
                       PyFile_WriteString(Py_TYPE(exc)->tp_name, p->file) <
                           0 ||
                       PyFile_WriteString(" found\n", p->file) < 0
                   ? -1
                   : 0;
    }
    Py_INCREF(exc);
    fflush(stdout);
    int res = print_traceback(p, exc);
    PyObject *message = exc;
    struct syntax_place place;
    if (res == 0 && has_syntax_place(exc, &place)) {
        PySyntaxErrorObject *e = (PySyntaxErrorObject *)exc;
        message = e->msg != NULL ? e->msg : Py_None;
        res = print_syntax_place(p, e, place.line);
        if (res == 0) {
            res = print_syntax_text(p, e->text, &place);
        }
    }
    if (res == 0) {
        res = write_margin(p) < 0 || print_class(p, exc) < 0 ||
                      print_message(p, exc, message) < 0 ||
                      PyFile_WriteString("\n", p->file) < 0
                  ? -1
                  : 0;
    }
    if (res == 0) {
        res = print_notes(p, exc);
    }
    Py_DECREF(exc);
    return res;
}

/* --- Groups ------------------------------------------------------------------------------- */

/* The line above member `i` of `n`: "+---------------- 1 ----------------". */
static int
print_separator(struct printer *p, Py_ssize_t i, int last_truncated)
{
    char text[64];
    if (write_indent(indent_of(p), p->file) < 0 ||
        PyFile_WriteString(i == 0 ? "+-" : "  ", p->file) < 0) {
        return -1;
    }
    if (last_truncated) {
        snprintf(text, sizeof(text),
                 "+---------------- ... ----------------\n");
    }
    else {
        snprintf(text, sizeof(text),
                 "+---------------- %zd ----------------\n", i + 1);
    }
    return PyFile_WriteString(text, p->file);
}

static int
print_group_members(struct printer *p, PyObject *exc)
{
    PyObject *excs = ((PyBaseExceptionGroupObject *)exc)->excs;
    Py_ssize_t total = PyTuple_GET_SIZE(excs), n = total;
    if (n > p->max_width) {
        n = p->max_width + 1; /* the last line says how many are left out */
    }
    p->need_close = 0;
    int res = 0;
    for (Py_ssize_t i = 0; res == 0 && i < n; i++) {
        int last = i == n - 1;
        int truncated = i >= p->max_width;
        if (last) {
            p->need_close = 1;
        }
        res = print_separator(p, i, truncated);
        if (res < 0) {
            break;
        }
        p->group_depth++;
        if (truncated) {
            char text[64];
            Py_ssize_t more = total - p->max_width;
            snprintf(text, sizeof(text), "and %zd more exception%s\n", more,
                     more == 1 ? "" : "s");
            res = write_margin(p) < 0 || PyFile_WriteString(text, p->file) < 0
                      ? -1
                      : 0;
        }
        else {
            res = print_chain(p, PyTuple_GET_ITEM(excs, i));
        }
        if (res == 0 && last && p->need_close) {
            res = write_indent(indent_of(p), p->file) < 0 ||
                          PyFile_WriteString(
                              "+------------------------------------\n",
                              p->file) < 0
                      ? -1
                      : 0;
            p->need_close = 0;
        }
        p->group_depth--;
    }
    return res;
}

static int
print_group(struct printer *p, PyObject *exc)
{
    if (p->group_depth > p->max_depth) {
        char text[64];
        snprintf(text, sizeof(text), "... (max_group_depth is %zd)\n",
                 p->max_depth);
        return write_margin(p) < 0 || PyFile_WriteString(text, p->file) < 0
                   ? -1
                   : 0;
    }
    int top = p->group_depth == 0;
    if (top) {
        p->group_depth = 1;
    }
    int res = print_exception(p, exc);
    if (res == 0) {
        res = print_group_members(p, exc);
    }
    if (top) {
        p->group_depth = 0;
    }
    return res;
}

/* --- Chains --------------------------------------------------------------------------------- */

static int
was_seen(struct printer *p, PyObject *exc)
{
    if (p->seen == NULL) {
        return 1;
    }
    PyObject *id = PyLong_FromVoidPtr(exc);
    int res = id == NULL ? -1 : PySet_Contains(p->seen, id);
    Py_XDECREF(id);
    if (res < 0) {
        PyErr_Clear();
        res = 1;
    }
    return res;
}

static int
print_link(struct printer *p, PyObject *exc, const char *message)
{
    if (print_chain(p, exc) < 0 || write_margin(p) < 0 ||
        PyFile_WriteString("\n", p->file) < 0 || write_margin(p) < 0 ||
        PyFile_WriteString(message, p->file) < 0 ||
        PyFile_WriteString("\n", p->file) < 0 || write_margin(p) < 0 ||
        PyFile_WriteString("\n", p->file) < 0) {
        return -1;
    }
    return 0;
}

/* Prints the cause or context of `exc` first, if there is one to print. */
static int
print_origin(struct printer *p, PyObject *exc)
{
    PyObject *cause = PyException_GetCause(exc);
    int res = 0;
    if (cause != NULL) {
        if (!was_seen(p, cause)) {
            res = print_link(p, cause,
                             "The above exception was the direct cause of the "
                             "following exception:");
        }
        Py_DECREF(cause);
        return res;
    }
    PyObject *context = PyException_GetContext(exc);
    if (context != NULL &&
        !((PyBaseExceptionObject *)exc)->suppress_context &&
        !was_seen(p, context)) {
        res = print_link(p, context,
                         "During handling of the above exception, another "
                         "exception occurred:");
    }
    Py_XDECREF(context);
    return res;
}

static int
print_chain(struct printer *p, PyObject *exc)
{
    if (Py_EnterRecursiveCall(" in print_exception_recursive")) {
        return -1;
    }
    int res = 0;
    if (p->seen != NULL && PyExceptionInstance_Check(exc)) {
        PyObject *id = PyLong_FromVoidPtr(exc);
        if (id == NULL || PySet_Add(p->seen, id) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(id);
        int close = p->need_close;
        p->need_close = 0;
        res = print_origin(p, exc);
        p->need_close = close;
    }
    if (res == 0) {
        res = is_group_exception(exc) ? print_group(p, exc)
                                      : print_exception(p, exc);
    }
    Py_LeaveRecursiveCall();
    return res;
}

void
_PyErr_Display(PyObject *file, PyObject *exception, PyObject *value,
               PyObject *tb)
{
    (void)exception;
    if (PyExceptionInstance_Check(value) && tb != NULL &&
        PyTraceBack_Check(tb) &&
        ((PyBaseExceptionObject *)value)->traceback == NULL) {
        PyException_SetTraceback(value, tb);
    }
    struct printer p = {.file = file, .max_width = 15, .max_depth = 10};
    p.seen = PySet_New(NULL);
    if (p.seen == NULL) {
        PyErr_Clear();
    }
    if (print_chain(&p, value) < 0) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
            /* the least that can be said takes no memory */
            fprintf(stderr, "%s\n", _PyType_Name(Py_TYPE(value)));
        }
        PyErr_Clear();
    }
    Py_XDECREF(p.seen);
    PyObject *res = PyObject_CallMethodNoArgs(file, KR_ID(flush));
    if (res == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(res);
}

void
PyErr_Display(PyObject *exception, PyObject *value, PyObject *tb)
{
    PyObject *file = get_sys(KR_ID(stderr));
    if (file == NULL) {
        PyErr_Clear();
        _PyObject_Dump(value);
        fputs("lost sys.stderr\n", stderr);
        return;
    }
    if (file == Py_None) {
        return;
    }
    Py_INCREF(file);
    _PyErr_Display(file, exception, value, tb);
    Py_DECREF(file);
}

/* --- PyErr_Print ---------------------------------------------------------------------------- */

int
kr_handle_system_exit(int *exitcode)
{
    if (kr_interp()->config.inspect) {
        return 0;
    }
    PyObject *exception, *value, *tb;
    PyErr_Fetch(&exception, &value, &tb);
    fflush(stdout);
    int code = 0;
    PyErr_NormalizeException(&exception, &value, &tb);
    PyObject *status = NULL;
    if (value != NULL && PyExceptionInstance_Check(value)) {
        if (_PyObject_LookupAttr(value, KR_ID(code), &status) < 0) {
            PyErr_Clear();
        }
    }
    if (status == NULL || status == Py_None) {
        code = 0;
    }
    else if (PyLong_Check(status)) {
        code = (int)PyLong_AsLong(status);
        PyErr_Clear();
    }
    else {
        PyObject *file = get_sys(KR_ID(stderr));
        if (file != NULL && file != Py_None) {
            PyFile_WriteObject(status, file, Py_PRINT_RAW);
        }
        else {
            PyObject_Print(status, stderr, Py_PRINT_RAW);
            fflush(stderr);
        }
        PySys_WriteStderr("\n");
        code = 1;
    }
    Py_XDECREF(status);
    PyErr_Clear();
    Py_XDECREF(exception);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    *exitcode = code;
    return 1;
}

PyAPI_FUNC(int) _Py_HandleSystemExit(int *exitcode);
int
_Py_HandleSystemExit(int *exitcode)
{
    return PyErr_ExceptionMatches(PyExc_SystemExit) &&
           kr_handle_system_exit(exitcode);
}

/* Calls sys.excepthook; when that fails, shows both exceptions. */
static void
call_excepthook(PyObject *exception, PyObject *value, PyObject *tb)
{
    PyObject *hook = get_sys(KR_ID(excepthook));
    if (PySys_Audit("sys.excepthook", "OOOO", hook ? hook : Py_None, exception,
                    value, tb) < 0) {
        if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
            PyErr_Clear();
            return;
        }
        PyErr_WriteUnraisable(NULL);
    }
    if (hook == NULL) {
        PySys_WriteStderr("sys.excepthook is missing\n");
        PyErr_Display(exception, value, tb);
        return;
    }
    PyObject *stack[3] = {exception, value, tb};
    Py_INCREF(hook);
    PyObject *res = PyObject_Vectorcall(hook, stack, 3, NULL);
    Py_DECREF(hook);
    if (res != NULL) {
        Py_DECREF(res);
        return;
    }
    int exitcode;
    if (_Py_HandleSystemExit(&exitcode)) {
        Py_Exit(exitcode);
    }
    PyObject *exception2, *value2, *tb2;
    PyErr_Fetch(&exception2, &value2, &tb2);
    PyErr_NormalizeException(&exception2, &value2, &tb2);
    fflush(stdout);
    PySys_WriteStderr("Error in sys.excepthook:\n");
    PyErr_Display(exception2, value2, tb2 ? tb2 : Py_None);
    PySys_WriteStderr("\nOriginal exception was:\n");
    PyErr_Display(exception, value, tb);
    Py_XDECREF(exception2);
    Py_XDECREF(value2);
    Py_XDECREF(tb2);
}

PyAPI_FUNC(void) _PyErr_Print(PyThreadState *tstate);
void
_PyErr_Print(PyThreadState *tstate)
{
    (void)tstate;
    PyErr_PrintEx(1);
}

void
PyErr_PrintEx(int set_sys_last_vars)
{
    int exitcode;
    if (_Py_HandleSystemExit(&exitcode)) {
        Py_Exit(exitcode);
    }
    PyObject *exception, *value, *tb;
    PyErr_Fetch(&exception, &value, &tb);
    if (exception == NULL) {
        return;
    }
    PyErr_NormalizeException(&exception, &value, &tb);
    if (tb == NULL) {
        tb = Py_NewRef(Py_None);
    }
    PyException_SetTraceback(value, tb);
    if (set_sys_last_vars &&
        (PySys_SetObject("last_type", exception) < 0 ||
         PySys_SetObject("last_value", value) < 0 ||
         PySys_SetObject("last_traceback", tb) < 0)) {
        PyErr_Clear();
    }
    call_excepthook(exception, value, tb);
    Py_XDECREF(exception);
    Py_XDECREF(value);
    Py_XDECREF(tb);
}

void
PyErr_Print(void)
{
    PyErr_PrintEx(1);
}

/* --- Unraisable exceptions ------------------------------------------------------------------- */

static int
write_unraisable(PyObject *exc_type, PyObject *exc_value, PyObject *exc_tb,
                 PyObject *err_msg, PyObject *obj, PyObject *file)
{
    if (obj != NULL && obj != Py_None) {
        if (err_msg != NULL && err_msg != Py_None) {
            if (write_object(err_msg, file) < 0 ||
                PyFile_WriteString(": ", file) < 0) {
                return -1;
            }
        }
        else if (PyFile_WriteString("Exception ignored in: ", file) < 0) {
            return -1;
        }
        if (PyFile_WriteObject(obj, file, 0) < 0) {
            PyErr_Clear();
            if (PyFile_WriteString("<object repr() failed>", file) < 0) {
                return -1;
            }
        }
        if (PyFile_WriteString("\n", file) < 0) {
            return -1;
        }
    }
    else if (err_msg != NULL && err_msg != Py_None) {
        if (write_object(err_msg, file) < 0 ||
            PyFile_WriteString(":\n", file) < 0) {
            return -1;
        }
    }
    if (exc_tb != NULL && exc_tb != Py_None &&
        PyTraceBack_Print(exc_tb, file) < 0) {
        PyErr_Clear();
    }
    if (exc_type == NULL || exc_type == Py_None) {
        return -1;
    }
    struct printer p = {.file = file};
    PyObject *shown = exc_value;
    if (shown == NULL || shown == Py_None) {
        return write_object(((PyTypeObject *)exc_type)->tp_name[0]
                                ? PyType_GetName((PyTypeObject *)exc_type)
                                : Py_None,
                            file) < 0 ||
                       PyFile_WriteString("\n", file) < 0
                   ? -1
                   : 0;
    }
    if (print_class(&p, shown) < 0) {
        return -1;
    }
    PyObject *text = PyObject_Str(shown);
    int res = PyFile_WriteString(": ", file);
    if (text == NULL) {
        PyErr_Clear();
        res |= PyFile_WriteString("<exception str() failed>", file);
    }
    else {
        res |= write_object(text, file);
        Py_DECREF(text);
    }
    res |= PyFile_WriteString("\n", file);
    if (res < 0) {
        return -1;
    }
    PyObject *done = PyObject_CallMethodNoArgs(file, KR_ID(flush));
    if (done == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(done);
    return 0;
}

PyObject *
kr_unraisable_default(PyObject *args)
{
    if (!Py_IS_TYPE(args, &kr_unraisable_args_type)) {
        PyErr_SetString(PyExc_TypeError, "sys.unraisablehook argument type "
                                         "must be UnraisableHookArgs");
        return NULL;
    }
    PyObject *file = get_sys(KR_ID(stderr));
    if (file == NULL || file == Py_None) {
        Py_RETURN_NONE;
    }
    Py_INCREF(file);
    int res = write_unraisable(PyStructSequence_GET_ITEM(args, 0),
                               PyStructSequence_GET_ITEM(args, 1),
                               PyStructSequence_GET_ITEM(args, 2),
                               PyStructSequence_GET_ITEM(args, 3),
                               PyStructSequence_GET_ITEM(args, 4), file);
    Py_DECREF(file);
    if (res < 0 && PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
make_unraisable_args(PyObject *type, PyObject *value, PyObject *tb,
                     PyObject *msg, PyObject *obj)
{
    PyObject *args = PyStructSequence_New(&kr_unraisable_args_type);
    if (args == NULL) {
        return NULL;
    }
    PyObject *const items[5] = {type, value, tb, msg, obj};
    for (int i = 0; i < 5; i++) {
        PyStructSequence_SET_ITEM(args, i,
                                  Py_NewRef(items[i] ? items[i] : Py_None));
    }
    return args;
}

void
_PyErr_WriteUnraisableMsg(const char *err_msg_str, PyObject *obj)
{
    PyObject *type, *value, *tb, *msg = NULL, *args = NULL;
    PyErr_Fetch(&type, &value, &tb);
    if (type == NULL) {
        return;
    }
    if (tb == NULL && PyEval_GetFrame() != NULL) {
        /* raised in C: show at least where that was called */
        PyErr_SetNone(type);
        PyTraceBack_Here(PyEval_GetFrame());
        PyObject *none_type, *none_value;
        PyErr_Fetch(&none_type, &none_value, &tb);
        Py_XDECREF(none_type);
        Py_XDECREF(none_value);
    }
    PyErr_NormalizeException(&type, &value, &tb);
    if (tb == NULL) { /* raised outside any frame: show who was running */
        PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
        if (frame != NULL) {
            tb = _PyTraceBack_FromFrame(NULL, frame);
            Py_DECREF(frame);
            if (tb == NULL) {
                PyErr_Clear();
            }
        }
    }
    if (tb != NULL && value != NULL && PyExceptionInstance_Check(value) &&
        PyException_SetTraceback(value, tb) < 0) {
        PyErr_Clear();
    }
    if (err_msg_str != NULL) {
        msg = PyUnicode_FromFormat("Exception ignored %s", err_msg_str);
        if (msg == NULL) {
            PyErr_Clear();
        }
    }
    args = make_unraisable_args(type, value, tb, msg, obj);
    PyObject *hook = get_sys(KR_ID(unraisablehook));
    PyObject *res = NULL;
    if (args != NULL && hook != NULL) {
        Py_INCREF(hook);
        if (PySys_Audit("sys.unraisablehook", "OO", hook, args) == 0) {
            res = PyObject_CallOneArg(hook, args);
        }
        Py_DECREF(hook);
    }
    PyObject *file = get_sys(KR_ID(stderr));
    if (res == NULL && file != NULL && file != Py_None) {
        if (PyErr_Occurred()) {
            /* the hook failed: show its own exception */
            PyObject *text =
                PyUnicode_FromString("Exception ignored in sys.unraisablehook");
            PyObject *type2, *value2, *tb2;
            PyErr_Fetch(&type2, &value2, &tb2);
            PyErr_NormalizeException(&type2, &value2, &tb2);
            Py_INCREF(file);
            write_unraisable(type2, value2, tb2, text, hook, file);
            Py_DECREF(file);
            Py_XDECREF(type2);
            Py_XDECREF(value2);
            Py_XDECREF(tb2);
            Py_XDECREF(text);
        }
        else {
            write_unraisable(type, value, tb, msg, obj, file);
        }
    }
    PyErr_Clear();
    Py_XDECREF(res);
    Py_XDECREF(args);
    Py_XDECREF(msg);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
}

void
PyErr_WriteUnraisable(PyObject *obj)
{
    _PyErr_WriteUnraisableMsg(NULL, obj);
}
