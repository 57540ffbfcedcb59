/* PyOS_Readline: one line from a terminal or a plain stream.
 *
 * The readline module puts its editor into PyOS_ReadlineFunctionPointer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <Python.h>

#include "memory/tstate.h"

PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;
PyThreadState *_PyOS_ReadlineTState = NULL;
int (*PyOS_InputHook)(void) = NULL;
char *(*PyOS_ReadlineFunctionPointer)(FILE *, FILE *, const char *) = NULL;

static struct kr_line_input_state {
    PyThread_type_lock lock; /* one reader at a time */
} kr_line_input_state;

enum { LINE_OK, LINE_EOF, LINE_INTERRUPTED, LINE_ERROR };

/* fgets that goes on after signals whose handlers raise nothing. */
static int
read_chunk(PyThreadState *tstate, char *buf, int len, FILE *fp)
{
    for (;;) {
        if (PyOS_InputHook != NULL) {
            (void)PyOS_InputHook();
        }
        errno = 0;
        clearerr(fp);
        if (fgets(buf, len, fp) != NULL) {
            return LINE_OK;
        }
        int err = errno;
        if (feof(fp)) {
            clearerr(fp);
            return LINE_EOF;
        }
        if (err != EINTR) {
            return LINE_ERROR;
        }
        PyEval_RestoreThread(tstate);
        int raised = PyErr_CheckSignals();
        PyEval_SaveThread();
        if (raised < 0) {
            return LINE_INTERRUPTED;
        }
    }
}

/* Reads without an editor. The prompt goes to stderr. The pieces are as long
 * as the reference's: what follows a NUL in one is lost. */
static char *
read_plain(PyThreadState *tstate, FILE *fp, const char *prompt)
{
    fflush(stdout);
    if (prompt != NULL) {
        fputs(prompt, stderr);
    }
    fflush(stderr);
    size_t len = 0, room = 100;
    char *text = PyMem_RawMalloc(room);
    while (text != NULL) {
        text[len] = '\0';
        int res = read_chunk(tstate, text + len, (int)room, fp);
        if (res == LINE_INTERRUPTED) {
            PyMem_RawFree(text);
            return NULL;
        }
        if (res != LINE_OK) {
            break;
        }
        len += strlen(text + len);
        if (len > 0 && text[len - 1] == '\n') {
            break;
        }
        room = len > 0 ? len + 2 : 100;
        char *grown = PyMem_RawRealloc(text, len + room);
        if (grown == NULL) {
            PyMem_RawFree(text);
        }
        text = grown;
    }
    return text;
}

char *
PyOS_Readline(FILE *in, FILE *out, const char *prompt)
{
    struct kr_line_input_state *s = &kr_line_input_state;
    PyThreadState *tstate = PyThreadState_Get();
    if (_PyOS_ReadlineTState == tstate) {
        PyErr_SetString(PyExc_RuntimeError, "can't re-enter readline");
        return NULL;
    }
    if (s->lock == NULL && (s->lock = PyThread_allocate_lock()) == NULL) {
        PyErr_SetString(PyExc_MemoryError, "can't allocate lock");
        return NULL;
    }
    PyEval_SaveThread();
    PyThread_acquire_lock(s->lock, 1);
    _PyOS_ReadlineTState = tstate;
    char *raw;
    if (PyOS_ReadlineFunctionPointer != NULL && isatty(fileno(in)) &&
        isatty(fileno(out))) {
        raw = PyOS_ReadlineFunctionPointer(in, out, prompt);
    }
    else {
        raw = read_plain(tstate, in, prompt);
    }
    PyEval_RestoreThread(tstate);
    PyThread_release_lock(s->lock);
    _PyOS_ReadlineTState = NULL;
    if (raw == NULL) {
        return NULL;
    }
    /* callers free with PyMem_Free */
    size_t size = strlen(raw) + 1;
    char *line = PyMem_Malloc(size);
    if (line != NULL) {
        memcpy(line, raw, size);
    }
    else {
        PyErr_NoMemory();
    }
    PyMem_RawFree(raw);
    return line;
}
