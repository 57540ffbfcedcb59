/* Writing tracebacks by hand, for signal handlers and fatal errors. */
#include "runtime/dump_traceback.h"

#include <string.h>
#include <unistd.h>

#include "memory/gc_state.h"
#include "runtime/tstate.h"
#include "vm/frame.h"

#define MAX_TEXT 500
#define MAX_FRAMES 100
#define MAX_THREADS 100

static void
put_bytes(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, s, n);
        if (done <= 0) {
            return;
        }
        s += done;
        n -= (size_t)done;
    }
}

static void
put(int fd, const char *s)
{
    put_bytes(fd, s, strlen(s));
}

void
_Py_DumpDecimal(int fd, size_t value)
{
    char buf[24], *p = buf + sizeof(buf);
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put_bytes(fd, p, (size_t)(buf + sizeof(buf) - p));
}

void
_Py_DumpHexadecimal(int fd, uintptr_t value, Py_ssize_t width)
{
    char buf[sizeof(value) * 2], *end = buf + sizeof(buf), *p = end;
    if (width > (Py_ssize_t)sizeof(buf)) {
        width = sizeof(buf);
    }
    do {
        *--p = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value || end - p < width);
    put_bytes(fd, p, (size_t)(end - p));
}

static void
put_char(int fd, Py_UCS4 c)
{
    if (c >= ' ' && c < 127) {
        char ch = (char)c;
        put_bytes(fd, &ch, 1);
    }
    else if (c <= 0xff) {
        put(fd, "\\x");
        _Py_DumpHexadecimal(fd, c, 2);
    }
    else if (c <= 0xffff) {
        put(fd, "\\u");
        _Py_DumpHexadecimal(fd, c, 4);
    }
    else {
        put(fd, "\\U");
        _Py_DumpHexadecimal(fd, c, 8);
    }
}

void
_Py_DumpASCII(int fd, PyObject *text)
{
    if (!PyUnicode_Check(text) || !PyUnicode_IS_READY(text)) {
        return;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    bool cut = n > MAX_TEXT;
    n = cut ? MAX_TEXT : n;
    for (Py_ssize_t i = 0; i < n; i++) {
        put_char(fd, PyUnicode_READ_CHAR(text, i));
    }
    if (cut) {
        put(fd, "...");
    }
}

static void
dump_frame(int fd, _PyInterpreterFrame *f)
{
    PyCodeObject *code = f->f_code;
    put(fd, "  File ");
    if (code->co_filename != NULL && PyUnicode_Check(code->co_filename)) {
        put(fd, "\"");
        _Py_DumpASCII(fd, code->co_filename);
        put(fd, "\"");
    }
    else {
        put(fd, "???");
    }
    int line = PyCode_Addr2Line(code, kr_frame_lasti(f));
    put(fd, ", line ");
    if (line >= 0) {
        _Py_DumpDecimal(fd, (size_t)line);
    }
    else {
        put(fd, "???");
    }
    put(fd, " in ");
    if (code->co_name != NULL && PyUnicode_Check(code->co_name)) {
        _Py_DumpASCII(fd, code->co_name);
    }
    else {
        put(fd, "???");
    }
    put(fd, "\n");
}

static void
dump(int fd, PyThreadState *ts, bool headline)
{
    if (headline) {
        put(fd, "Stack (most recent call first):\n");
    }
    _PyInterpreterFrame *f = ts->cframe == NULL ? NULL
                                                : ts->cframe->current_frame;
    if (f == NULL) {
        put(fd, "  <no Python frame>\n");
        return;
    }
    for (int depth = 0; f != NULL; f = f->previous, depth++) {
        if (depth == MAX_FRAMES) {
            put(fd, "  ...\n");
            break;
        }
        dump_frame(fd, f);
    }
}

void
_Py_DumpTraceback(int fd, PyThreadState *ts)
{
    dump(fd, ts, true);
}

const char *
_Py_DumpTracebackThreads(int fd, PyInterpreterState *interp,
                         PyThreadState *current)
{
    if (interp == NULL) {
        interp = current != NULL ? current->interp : PyInterpreterState_Main();
    }
    if (interp == NULL) {
        return "unable to get the interpreter state";
    }
    PyThreadState *ts = PyInterpreterState_ThreadHead(interp);
    if (ts == NULL) {
        return "unable to get the thread head state";
    }
    for (int n = 0; ts != NULL; ts = PyThreadState_Next(ts), n++) {
        if (n > 0) {
            put(fd, "\n");
        }
        if (n >= MAX_THREADS) {
            put(fd, "...\n");
            break;
        }
        put(fd, ts == current ? "Current thread 0x" : "Thread 0x");
        _Py_DumpHexadecimal(fd, ts->thread_id, sizeof(unsigned long) * 2);
        put(fd, " (most recent call first):\n");
        if (ts == current && kr_gc.collecting) {
            put(fd, "  Garbage-collecting\n");
        }
        dump(fd, ts, false);
    }
    return NULL;
}

/* --- extension modules ---------------------------------------------------- */

/* The value of a str key in a dict, found without hashing or allocating. */
static PyObject *
find_value(PyObject *dict, const char *name)
{
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (dict != NULL && PyDict_Next(dict, &pos, &key, &value)) {
        if (PyUnicode_Check(key)
            && _PyUnicode_EqualToASCIIString(key, name)) {
            return value;
        }
    }
    return NULL;
}

static bool
is_extension(PyObject *module)
{
    PyModuleDef *def = PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    return def != NULL && def->m_methods != NULL;
}

static bool
set_has_name(PyObject *set, PyObject *name)
{
    PyObject *item;
    Py_ssize_t pos = 0;
    Py_hash_t hash;
    while (set != NULL && _PySet_NextEntry(set, &pos, &item, &hash)) {
        if (PyUnicode_Check(item) && PyUnicode_Compare(item, name) == 0) {
            return true;
        }
    }
    return false;
}

void
_Py_DumpExtensionModules(int fd, PyInterpreterState *interp)
{
    if (interp == NULL || interp->modules == NULL
        || !PyDict_Check(interp->modules)) {
        return;
    }
    PyObject *known = find_value(interp->sysdict, "stdlib_module_names");
    if (known != NULL && !PyFrozenSet_Check(known)) {
        known = NULL;
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    size_t count = 0;
    while (PyDict_Next(interp->modules, &pos, &key, &value)) {
        if (!PyUnicode_Check(key) || !is_extension(value)
            || set_has_name(known, key)) {
            continue;
        }
        put(fd, count++ == 0 ? "\nExtension modules: " : ", ");
        _Py_DumpASCII(fd, key);
    }
    if (count > 0) {
        put(fd, " (total: ");
        _Py_DumpDecimal(fd, count);
        put(fd, ")\n");
    }
}
