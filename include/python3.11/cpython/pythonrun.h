/* Running source text in files and strings.
   The int functions show the exception and give -1. */
#ifndef Py_CPYTHON_PYTHONRUN_H
#define Py_CPYTHON_PYTHONRUN_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) Py_CompileStringExFlags(const char *, const char *, int,
    PyCompilerFlags *, int);
PyAPI_FUNC(PyObject *) Py_CompileStringObject(const char *, PyObject *, int,
    PyCompilerFlags *, int);
PyAPI_FUNC(PyObject *) PyRun_File(FILE *, const char *, int, PyObject *,
    PyObject *);
PyAPI_FUNC(PyObject *) PyRun_FileEx(FILE *, const char *, int, PyObject *,
    PyObject *, int);
PyAPI_FUNC(PyObject *) PyRun_FileExFlags(FILE *, const char *, int, PyObject *,
    PyObject *, int, PyCompilerFlags *);
PyAPI_FUNC(PyObject *) PyRun_FileFlags(FILE *, const char *, int, PyObject *,
    PyObject *, PyCompilerFlags *);
PyAPI_FUNC(PyObject *) PyRun_String(const char *, int, PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) PyRun_StringFlags(const char *, int, PyObject *,
    PyObject *, PyCompilerFlags *);

/* Run and show. */
PyAPI_FUNC(const char *) _Py_SourceAsString(PyObject *, const char *,
    const char *, PyCompilerFlags *, PyObject **);
PyAPI_FUNC(char *) PyOS_Readline(FILE *, FILE *, const char *);
PyAPI_FUNC(int) PyRun_AnyFile(FILE *, const char *);
PyAPI_FUNC(int) PyRun_AnyFileEx(FILE *, const char *, int);
PyAPI_FUNC(int) PyRun_AnyFileExFlags(FILE *, const char *, int,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_AnyFileFlags(FILE *, const char *, PyCompilerFlags *);
PyAPI_FUNC(int) _PyRun_AnyFileObject(FILE *, PyObject *, int,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_InteractiveLoop(FILE *, const char *);
PyAPI_FUNC(int) PyRun_InteractiveLoopFlags(FILE *, const char *,
    PyCompilerFlags *);
PyAPI_FUNC(int) _PyRun_InteractiveLoopObject(FILE *, PyObject *,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_InteractiveOne(FILE *, const char *);
PyAPI_FUNC(int) PyRun_InteractiveOneFlags(FILE *, const char *,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_InteractiveOneObject(FILE *, PyObject *,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_SimpleFile(FILE *, const char *);
PyAPI_FUNC(int) PyRun_SimpleFileEx(FILE *, const char *, int);
PyAPI_FUNC(int) PyRun_SimpleFileExFlags(FILE *, const char *, int,
    PyCompilerFlags *);
PyAPI_FUNC(int) _PyRun_SimpleFileObject(FILE *, PyObject *, int,
    PyCompilerFlags *);
PyAPI_FUNC(int) PyRun_SimpleString(const char *);
PyAPI_FUNC(int) PyRun_SimpleStringFlags(const char *, PyCompilerFlags *);

/* The shorter forms are the longer ones with defaults. */
#define Py_CompileString(str, file, start) \
    Py_CompileStringExFlags((str), (file), (start), NULL, -1)
#define Py_CompileStringFlags(str, file, start, flags) \
    Py_CompileStringExFlags((str), (file), (start), (flags), -1)
#define PyRun_String(str, start, globals, locals) \
    PyRun_StringFlags((str), (start), (globals), (locals), NULL)
#define PyRun_SimpleString(str) PyRun_SimpleStringFlags((str), NULL)
#define PyRun_AnyFile(fp, name) PyRun_AnyFileExFlags((fp), (name), 0, NULL)
#define PyRun_AnyFileEx(fp, name, closeit) \
    PyRun_AnyFileExFlags((fp), (name), (closeit), NULL)
#define PyRun_AnyFileFlags(fp, name, flags) \
    PyRun_AnyFileExFlags((fp), (name), 0, (flags))
#define PyRun_SimpleFile(fp, name) \
    PyRun_SimpleFileExFlags((fp), (name), 0, NULL)
#define PyRun_SimpleFileEx(fp, name, closeit) \
    PyRun_SimpleFileExFlags((fp), (name), (closeit), NULL)
#define PyRun_InteractiveOne(fp, name) \
    PyRun_InteractiveOneFlags((fp), (name), NULL)
#define PyRun_InteractiveLoop(fp, name) \
    PyRun_InteractiveLoopFlags((fp), (name), NULL)
#define PyRun_File(fp, name, start, globals, locals) \
    PyRun_FileExFlags((fp), (name), (start), (globals), (locals), 0, NULL)
#define PyRun_FileEx(fp, name, start, globals, locals, closeit) \
    PyRun_FileExFlags( \
        (fp), (name), (start), (globals), (locals), (closeit), NULL)
#define PyRun_FileFlags(fp, name, start, globals, locals, flags) \
    PyRun_FileExFlags( \
        (fp), (name), (start), (globals), (locals), 0, (flags))

/* Line input: the thread reading, and a function to read with. */
PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;
PyAPI_DATA(char) *(*PyOS_ReadlineFunctionPointer)(FILE *, FILE *,
    const char *);
#endif

#ifdef __cplusplus
}
#endif

#endif
