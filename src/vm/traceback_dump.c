/* Dumping tracebacks from a signal handler: plain write(2), no allocation, no
 * Python code. The state may be damaged, so strings are cut short. */
#include <Python.h>
#include <unistd.h>

#include "objects/interp.h"
#include "vm/frame.h"

#define MAX_TEXT 500
#define MAX_FRAMES 100
#define MAX_THREADS 100

PyAPI_FUNC(void) _Py_DumpASCII(int fd, PyObject *text);
PyAPI_FUNC(void) _Py_DumpDecimal(int fd, size_t value);
PyAPI_FUNC(void) _Py_DumpHexadecimal(int fd, uintptr_t value, Py_ssize_t width);
PyAPI_FUNC(void) _Py_DumpTraceback(int fd, PyThreadState *ts);
PyAPI_FUNC(const char *) _Py_DumpTracebackThreads(int fd,
                                                  PyInterpreterState *interp,
                                                  PyThreadState *current);

static void
put(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done <= 0) {
            return;
        }
        text += done;
        n -= (size_t)done;
    }
}

#define PUT(fd, literal) put(fd, literal, sizeof(literal) - 1)

void
_Py_DumpDecimal(int fd, size_t value)
{
    char digits[24], *p = digits + sizeof(digits);
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(fd, p, (size_t)(digits + sizeof(digits) - p));
}

void
_Py_DumpHexadecimal(int fd, uintptr_t value, Py_ssize_t width)
{
    char digits[2 * sizeof(value)], *end = digits + sizeof(digits), *p = end;
    if (width > (Py_ssize_t)sizeof(digits)) {
        width = sizeof(digits);
    }
    do {
        *--p = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value || end - p < width);
    put(fd, p, (size_t)(end - p));
}

void
_Py_DumpASCII(int fd, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        return;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    int cut = n > MAX_TEXT;
    n = cut ? MAX_TEXT : n;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c >= ' ' && c <= 126) {
            char byte = (char)c;
            put(fd, &byte, 1);
        }
        else if (c <= 0xff) {
            PUT(fd, "\\x");
            _Py_DumpHexadecimal(fd, c, 2);
        }
        else if (c <= 0xffff) {
            PUT(fd, "\\u");
            _Py_DumpHexadecimal(fd, c, 4);
        }
        else {
            PUT(fd, "\\U");
            _Py_DumpHexadecimal(fd, c, 8);
        }
    }
    if (cut) {
        PUT(fd, "...");
    }
}

static void
dump_name(int fd, PyObject *text)
{
    if (text != NULL && PyUnicode_Check(text)) {
        _Py_DumpASCII(fd, text);
    }
    else {
        PUT(fd, "???");
    }
}

static void
dump_frame(int fd, _PyInterpreterFrame *f)
{
    PyCodeObject *co = f->f_code;
    PUT(fd, "  File \"");
    dump_name(fd, co->co_filename);
    PUT(fd, "\", line ");
    int line = PyCode_Addr2Line(co, kr_frame_lasti(f));
    if (line >= 0) {
        _Py_DumpDecimal(fd, (size_t)line);
    }
    else {
        PUT(fd, "???");
    }
    PUT(fd, " in ");
    dump_name(fd, co->co_name);
    PUT(fd, "\n");
}

static void
dump_stack(int fd, PyThreadState *ts, int header)
{
    if (header) {
        PUT(fd, "Stack (most recent call first):\n");
    }
    _PyInterpreterFrame *f =
        ts->cframe == NULL ? NULL : ts->cframe->current_frame;
    if (f == NULL) {
        PUT(fd, "  <no Python frame>\n");
        return;
    }
    for (int n = 0; f != NULL; f = f->previous, n++) {
        if (n >= MAX_FRAMES) {
            PUT(fd, "  ...\n");
            break;
        }
        dump_frame(fd, f);
    }
}

void
_Py_DumpTraceback(int fd, PyThreadState *ts)
{
    dump_stack(fd, ts, 1);
}

const char *
_Py_DumpTracebackThreads(int fd, PyInterpreterState *interp,
                         PyThreadState *current)
{
    if (current == NULL) {
        current = PyGILState_GetThisThreadState();
    }
    if (interp == NULL) {
        interp = current == NULL ? PyInterpreterState_Main() : current->interp;
        if (interp == NULL) {
            return "unable to get the interpreter state";
        }
    }
    PyThreadState *ts = PyInterpreterState_ThreadHead(interp);
    if (ts == NULL) {
        return "unable to get the thread head state";
    }
    for (int n = 0; ts != NULL; ts = PyThreadState_Next(ts), n++) {
        if (n > 0) {
            PUT(fd, "\n");
        }
        if (n >= MAX_THREADS) {
            PUT(fd, "...\n");
            break;
        }
        if (ts == current) {
            PUT(fd, "Current thread 0x");
        }
        else {
            PUT(fd, "Thread 0x");
        }
        _Py_DumpHexadecimal(fd, ts->thread_id, sizeof(unsigned long) * 2);
        PUT(fd, " (most recent call first):\n");
        dump_stack(fd, ts, 0);
    }
    return NULL;
}
