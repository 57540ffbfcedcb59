/* PyRun_*: running source text, files and interactive streams. */
#include "runtime/run.h"

#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/front.h"
#include "memory/tstate.h"
#include "objects/errors.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/lifecycle.h"

/* --- Compiling ----------------------------------------------------------- */

PyObject *
Py_CompileStringObject(const char *str, PyObject *filename, int start,
                       PyCompilerFlags *flags, int optimize)
{
    return kr_front_compile(str, (Py_ssize_t)strlen(str), filename, start,
                            flags, optimize);
}

PyObject *
Py_CompileStringExFlags(const char *str, const char *filename_str, int start,
                        PyCompilerFlags *flags, int optimize)
{
    PyObject *filename = PyUnicode_DecodeFSDefault(filename_str);
    if (filename == NULL) {
        return NULL;
    }
    PyObject *co =
        Py_CompileStringObject(str, filename, start, flags, optimize);
    Py_DECREF(filename);
    return co;
}

#undef Py_CompileStringFlags
PyAPI_FUNC(PyObject *) Py_CompileStringFlags(const char *, const char *, int,
                                             PyCompilerFlags *);
PyObject *
Py_CompileStringFlags(const char *str, const char *filename, int start,
                      PyCompilerFlags *flags)
{
    return Py_CompileStringExFlags(str, filename, start, flags, -1);
}

#undef Py_CompileString
PyObject *
Py_CompileString(const char *str, const char *filename, int start)
{
    return Py_CompileStringExFlags(str, filename, start, NULL, -1);
}

/* Runs a code object (consumed) in the namespaces. */
static PyObject *
run_code(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (code == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    int has = PyDict_Contains(globals, KR_ID(__builtins__));
    if (has == 0) {
        has = PyDict_SetItem(globals, KR_ID(__builtins__),
                             kr_interp()->builtins);
    }
    if (has >= 0 && PySys_Audit("exec", "O", code) == 0) {
        kr_note_interrupt(0);
        res = PyEval_EvalCode(code, globals, locals);
        /* by class alone: a subclass is the program's own business */
        kr_note_interrupt(res == NULL &&
                          PyErr_Occurred() == PyExc_KeyboardInterrupt);
    }
    Py_DECREF(code);
    return res;
}

PyObject *
PyRun_StringFlags(const char *str, int start, PyObject *globals,
                  PyObject *locals, PyCompilerFlags *flags)
{
    return run_code(
        Py_CompileStringExFlags(str, "<string>", start, flags, -1), globals,
        locals);
}

/* --- Files --------------------------------------------------------------- */

/* The rest of an open file, NUL-terminated, in PyMem memory. */
static char *
read_all(FILE *fp, Py_ssize_t *len)
{
    size_t size = 0, capacity = 1 << 16;
    char *text = PyMem_Malloc(capacity);
    while (text != NULL) {
        size_t n;
        Py_BEGIN_ALLOW_THREADS
        n = fread(text + size, 1, capacity - size - 1, fp);
        Py_END_ALLOW_THREADS
        size += n;
        if (n == 0) {
            break;
        }
        if (size + 1 == capacity) {
            capacity *= 2;
            char *grown = PyMem_Realloc(text, capacity);
            if (grown == NULL) {
                PyMem_Free(text);
            }
            text = grown;
        }
    }
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    text[size] = '\0';
    *len = (Py_ssize_t)size;
    return text;
}

static PyObject *
run_file(FILE *fp, PyObject *filename, int start, PyObject *globals,
         PyObject *locals, int closeit, PyCompilerFlags *flags)
{
    Py_ssize_t len;
    bool seekable = lseek(fileno(fp), 0, SEEK_CUR) != -1;
    char *text = read_all(fp, &len);
    if (closeit) {
        fclose(fp);
    }
    if (text == NULL) {
        return NULL;
    }
    PyObject *code =
        kr_front_compile_file(text, len, seekable, filename, start, flags);
    PyMem_Free(text);
    return run_code(code, globals, locals);
}

PyObject *
PyRun_FileExFlags(FILE *fp, const char *filename_str, int start,
                  PyObject *globals, PyObject *locals, int closeit,
                  PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_DecodeFSDefault(filename_str);
    if (filename == NULL) {
        return NULL;
    }
    PyObject *res = run_file(fp, filename, start, globals, locals, closeit,
                             flags);
    Py_DECREF(filename);
    return res;
}

/* Whether the file holds a .pyc: by its name, or by its magic number. */
static int
is_pyc(FILE *fp, PyObject *filename, int closeit)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(filename);
    PyObject *end = PyUnicode_Substring(filename, Py_MAX(len - 4, 0), len);
    int res = end != NULL && _PyUnicode_EqualToASCIIString(end, ".pyc");
    Py_XDECREF(end);
    if (res || !closeit || ftell(fp) != 0) {
        return res;
    }
    unsigned char buf[2] = {0, 0};
    int n = (int)fread(buf, 1, 2, fp);
    rewind(fp);
    long magic = PyImport_GetMagicNumber();
    return n == 2 && (buf[1] << 8 | buf[0]) == (magic & 0xFFFF);
}

static PyObject *
run_pyc(FILE *fp, PyObject *globals, PyObject *locals)
{
    if (PyMarshal_ReadLongFromFile(fp) != PyImport_GetMagicNumber()) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
        }
        fclose(fp);
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        (void)PyMarshal_ReadLongFromFile(fp);
    }
    PyObject *code =
        PyErr_Occurred() ? NULL : PyMarshal_ReadLastObjectFromFile(fp);
    fclose(fp);
    if (code == NULL || !PyCode_Check(code)) {
        Py_XDECREF(code);
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
        }
        return NULL;
    }
    return run_code(code, globals, locals);
}

/* Gives __main__ the loader of a file. 0 or -1. */
static int
set_main_loader(PyObject *dict, PyObject *filename, const char *loader_name)
{
    PyObject *external = PyObject_GetAttrString(kr_interp()->importlib,
                                                "_bootstrap_external");
    if (external == NULL) {
        return -1;
    }
    PyObject *type = PyObject_GetAttrString(external, loader_name);
    Py_DECREF(external);
    PyObject *loader =
        type == NULL
            ? NULL
            : PyObject_CallFunction(type, "sO", "__main__", filename);
    Py_XDECREF(type);
    int res = loader == NULL
                  ? -1
                  : PyDict_SetItemString(dict, "__loader__", loader);
    Py_XDECREF(loader);
    return res;
}

PyAPI_FUNC(int) _PyRun_SimpleFileObject(FILE *fp, PyObject *filename,
                                        int closeit, PyCompilerFlags *flags);
int
_PyRun_SimpleFileObject(FILE *fp, PyObject *filename, int closeit,
                        PyCompilerFlags *flags)
{
    PyObject *m = PyImport_AddModule("__main__");
    if (m == NULL) {
        return -1;
    }
    Py_INCREF(m);
    PyObject *d = PyModule_GetDict(m), *v = NULL;
    int set_file = 0, ret = -1;
    int has_file = PyDict_Contains(d, KR_ID(__file__));
    if (has_file < 0) {
        goto done;
    }
    if (!has_file) {
        if (PyDict_SetItem(d, KR_ID(__file__), filename) < 0 ||
            PyDict_SetItem(d, KR_ID(__cached__), Py_None) < 0) {
            goto done;
        }
        set_file = 1;
    }
    if (is_pyc(fp, filename, closeit)) {
        FILE *pyc = closeit ? fp : _Py_fopen_obj(filename, "rb");
        if (pyc == NULL) {
            fprintf(stderr, "python: Can't reopen .pyc file\n");
            goto done;
        }
        if (set_main_loader(d, filename, "SourcelessFileLoader") < 0) {
            fclose(pyc);
        }
        else {
            v = run_pyc(pyc, d, d);
        }
    }
    else {
        /* when running from stdin, leave __main__.__loader__ alone */
        if (!_PyUnicode_EqualToASCIIString(filename, "<stdin>") &&
            set_main_loader(d, filename, "SourceFileLoader") < 0) {
            goto done;
        }
        v = run_file(fp, filename, Py_file_input, d, d, closeit, flags);
    }
    kr_flush_streams();
    if (v != NULL) {
        Py_DECREF(v);
        ret = 0;
    }
    else {
        Py_CLEAR(m); /* so that it can be freed before the interpreter */
        PyErr_Print();
    }
done:
    if (ret < 0 && PyErr_Occurred()) {
        PyErr_Print();
    }
    if (set_file) {
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        if (PyDict_DelItem(d, KR_ID(__file__)) < 0 ||
            PyDict_DelItem(d, KR_ID(__cached__)) < 0) {
            PyErr_Clear();
        }
        PyErr_Restore(type, value, tb);
    }
    Py_XDECREF(m);
    return ret;
}

int
PyRun_SimpleFileExFlags(FILE *fp, const char *filename_str, int closeit,
                        PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_DecodeFSDefault(filename_str);
    if (filename == NULL) {
        return -1;
    }
    int res = _PyRun_SimpleFileObject(fp, filename, closeit, flags);
    Py_DECREF(filename);
    return res;
}

int
PyRun_SimpleStringFlags(const char *command, PyCompilerFlags *flags)
{
    PyObject *m = PyImport_AddModule("__main__");
    if (m == NULL) {
        return -1;
    }
    PyObject *d = PyModule_GetDict(m);
    PyObject *v = PyRun_StringFlags(command, Py_file_input, d, d, flags);
    if (v == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(v);
    return 0;
}

/* --- Interactive --------------------------------------------------------- */

enum { ONE_OK = 0, ONE_ERROR = -1, ONE_EOF = 11 };

/* UTF-8 text of sys.ps1 or ps2; *owner keeps it. */
static const char *
prompt_text(const char *name, PyObject **owner)
{
    *owner = NULL;
    PyObject *v = PySys_GetObject(name);
    if (v == NULL) {
        return "";
    }
    v = PyObject_Str(v);
    if (v == NULL) {
        PyErr_Clear();
        return "";
    }
    *owner = v;
    const char *text = PyUnicode_AsUTF8(v);
    if (text == NULL) {
        PyErr_Clear();
        return "";
    }
    return text;
}

static int
run_one(FILE *fp, PyObject *filename, PyCompilerFlags *flags)
{
    PyObject *ps1_owner = NULL, *ps2_owner = NULL;
    const char *ps1 = "", *ps2 = "";
    if (fp == stdin) {
        ps1 = prompt_text("ps1", &ps1_owner);
        ps2 = prompt_text("ps2", &ps2_owner);
    }
    int eof = 0;
    PyObject *code = kr_front_compile_interactive(fp, filename, ps1, ps2,
                                                  flags, &eof);
    Py_XDECREF(ps1_owner);
    Py_XDECREF(ps2_owner);
    if (code == NULL) {
        return eof ? ONE_EOF : ONE_ERROR;
    }
    PyObject *m = PyImport_AddModule("__main__");
    if (m == NULL) {
        Py_DECREF(code);
        return ONE_ERROR;
    }
    PyObject *d = PyModule_GetDict(m);
    PyObject *v = run_code(code, d, d);
    if (v == NULL) {
        return ONE_ERROR;
    }
    Py_DECREF(v);
    kr_flush_streams();
    return ONE_OK;
}

int
PyRun_InteractiveOneObject(FILE *fp, PyObject *filename,
                           PyCompilerFlags *flags)
{
    int res = run_one(fp, filename, flags);
    if (res == ONE_ERROR) {
        PyErr_Print();
        kr_flush_streams();
    }
    return res;
}

int
PyRun_InteractiveOneFlags(FILE *fp, const char *filename_str,
                          PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_DecodeFSDefault(filename_str);
    if (filename == NULL) {
        PyErr_Print();
        return -1;
    }
    int res = PyRun_InteractiveOneObject(fp, filename, flags);
    Py_DECREF(filename);
    return res;
}

static void
set_default_prompt(const char *name, const char *text)
{
    if (PySys_GetObject(name) == NULL) {
        PyObject *v = PyUnicode_FromString(text);
        if (v != NULL) {
            PySys_SetObject(name, v);
            Py_DECREF(v);
        }
        PyErr_Clear();
    }
}

PyAPI_FUNC(int) _PyRun_InteractiveLoopObject(FILE *fp, PyObject *filename,
                                             PyCompilerFlags *flags);
int
_PyRun_InteractiveLoopObject(FILE *fp, PyObject *filename,
                             PyCompilerFlags *flags)
{
    PyCompilerFlags local = _PyCompilerFlags_INIT;
    if (flags == NULL) {
        flags = &local;
    }
    set_default_prompt("ps1", ">>> ");
    set_default_prompt("ps2", "... ");
    int out_of_memory = 0, res;
    do {
        res = run_one(fp, filename, flags);
        if (res == ONE_ERROR) {
            /* again and again out of memory: give up */
            if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
                if (++out_of_memory > 16) {
                    PyErr_Clear();
                    return -1;
                }
            }
            else {
                out_of_memory = 0;
            }
            PyErr_Print();
            kr_flush_streams();
        }
        else {
            out_of_memory = 0;
        }
    } while (res != ONE_EOF);
    return 0;
}

int
PyRun_InteractiveLoopFlags(FILE *fp, const char *filename_str,
                           PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_DecodeFSDefault(filename_str);
    if (filename == NULL) {
        PyErr_Print();
        return -1;
    }
    int res = _PyRun_InteractiveLoopObject(fp, filename, flags);
    Py_DECREF(filename);
    return res;
}

PyAPI_FUNC(int) _PyRun_AnyFileObject(FILE *fp, PyObject *filename, int closeit,
                                     PyCompilerFlags *flags);
int
_PyRun_AnyFileObject(FILE *fp, PyObject *filename, int closeit,
                     PyCompilerFlags *flags)
{
    PyObject *own = NULL;
    if (filename == NULL) {
        filename = own = PyUnicode_FromString("???");
    }
    int res;
    if (_Py_FdIsInteractive(fp, filename)) {
        res = _PyRun_InteractiveLoopObject(fp, filename, flags);
        if (closeit) {
            fclose(fp);
        }
    }
    else {
        res = _PyRun_SimpleFileObject(fp, filename, closeit, flags);
    }
    Py_XDECREF(own);
    return res;
}

int
PyRun_AnyFileExFlags(FILE *fp, const char *filename_str, int closeit,
                     PyCompilerFlags *flags)
{
    PyObject *filename = NULL;
    if (filename_str != NULL) {
        filename = PyUnicode_DecodeFSDefault(filename_str);
        if (filename == NULL) {
            PyErr_Print();
            return -1;
        }
    }
    int res = _PyRun_AnyFileObject(fp, filename, closeit, flags);
    Py_XDECREF(filename);
    return res;
}

/* --- Shorter forms, which the header also has as macros ------------------ */

#undef PyRun_AnyFile
#undef PyRun_AnyFileEx
#undef PyRun_AnyFileFlags
#undef PyRun_File
#undef PyRun_FileEx
#undef PyRun_FileFlags
#undef PyRun_InteractiveLoop
#undef PyRun_InteractiveOne
#undef PyRun_SimpleFile
#undef PyRun_SimpleFileEx
#undef PyRun_SimpleString
#undef PyRun_String

PyAPI_FUNC(PyObject *) PyRun_String(const char *, int, PyObject *, PyObject *);
PyAPI_FUNC(int) PyRun_AnyFile(FILE *, const char *);
PyAPI_FUNC(int) PyRun_AnyFileEx(FILE *, const char *, int);
PyAPI_FUNC(int) PyRun_AnyFileFlags(FILE *, const char *, PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_SimpleString(const char *);
PyAPI_FUNC(int) PyRun_SimpleFile(FILE *, const char *);
PyAPI_FUNC(int) PyRun_SimpleFileEx(FILE *, const char *, int);
PyAPI_FUNC(int) PyRun_InteractiveOne(FILE *, const char *);
PyAPI_FUNC(int) PyRun_InteractiveLoop(FILE *, const char *);
PyAPI_FUNC(PyObject *) PyRun_File(FILE *, const char *, int, PyObject *,
                                  PyObject *);
PyAPI_FUNC(PyObject *) PyRun_FileEx(FILE *, const char *, int, PyObject *,
                                    PyObject *, int);
PyAPI_FUNC(PyObject *) PyRun_FileFlags(FILE *, const char *, int, PyObject *,
                                       PyObject *, PyCompilerFlags *);

PyObject *
PyRun_String(const char *s, int start, PyObject *g, PyObject *l)
{
    return PyRun_StringFlags(s, start, g, l, NULL);
}

int
PyRun_AnyFile(FILE *fp, const char *name)
{
    return PyRun_AnyFileExFlags(fp, name, 0, NULL);
}

int
PyRun_AnyFileEx(FILE *fp, const char *name, int closeit)
{
    return PyRun_AnyFileExFlags(fp, name, closeit, NULL);
}

int
PyRun_AnyFileFlags(FILE *fp, const char *name, PyCompilerFlags *flags)
{
    return PyRun_AnyFileExFlags(fp, name, 0, flags);
}

int
PyRun_SimpleString(const char *s)
{
    return PyRun_SimpleStringFlags(s, NULL);
}

int
PyRun_SimpleFile(FILE *fp, const char *name)
{
    return PyRun_SimpleFileExFlags(fp, name, 0, NULL);
}

int
PyRun_SimpleFileEx(FILE *fp, const char *name, int closeit)
{
    return PyRun_SimpleFileExFlags(fp, name, closeit, NULL);
}

int
PyRun_InteractiveOne(FILE *fp, const char *name)
{
    return PyRun_InteractiveOneFlags(fp, name, NULL);
}

int
PyRun_InteractiveLoop(FILE *fp, const char *name)
{
    return PyRun_InteractiveLoopFlags(fp, name, NULL);
}

PyObject *
PyRun_File(FILE *fp, const char *name, int start, PyObject *g, PyObject *l)
{
    return PyRun_FileExFlags(fp, name, start, g, l, 0, NULL);
}

PyObject *
PyRun_FileEx(FILE *fp, const char *name, int start, PyObject *g, PyObject *l,
             int closeit)
{
    return PyRun_FileExFlags(fp, name, start, g, l, closeit, NULL);
}

PyObject *
PyRun_FileFlags(FILE *fp, const char *name, int start, PyObject *g,
                PyObject *l, PyCompilerFlags *flags)
{
    return PyRun_FileExFlags(fp, name, start, g, l, 0, flags);
}
