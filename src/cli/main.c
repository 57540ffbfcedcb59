/* The command line program: Py_Main, Py_RunMain and main(). */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <Python.h>

#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/config/config.h"
#include "runtime/lifecycle.h"
#include "runtime/run.h"

/* Shows the pending exception; gives the exit status. */
static int
print_error(void)
{
    int exitcode;
    if (PyErr_ExceptionMatches(PyExc_SystemExit) &&
        kr_handle_system_exit(&exitcode)) {
        return exitcode;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Print();
        return -SIGINT;
    }
    PyErr_Print();
    return 1;
}

/* --- sys.path[0] ------------------------------------------------------------------- */

/* New: the folder that scripts find their neighbours in; None when there is
 * none. NULL on failure. */
static PyObject *
compute_path0(const PyConfig *config)
{
    const wchar_t *argv0 =
        config->argv.length > 0 ? config->argv.items[0] : NULL;
    if (argv0 == NULL) {
        Py_RETURN_NONE;
    }
    if (config->run_module != NULL) {
        char cwd[4096];
        if (getcwd(cwd, sizeof(cwd)) == NULL) {
            Py_RETURN_NONE;
        }
        return PyUnicode_DecodeFSDefault(cwd);
    }
    if (config->run_command != NULL || wcscmp(argv0, L"-c") == 0) {
        return PyUnicode_FromString("");
    }
    char *path = Py_EncodeLocale(argv0, NULL);
    if (path == NULL) {
        return PyErr_NoMemory();
    }
    char *real = realpath(path, NULL);
    const char *use = real != NULL ? real : path;
    const char *slash = strrchr(use, '/');
    Py_ssize_t len = slash == NULL ? 0 : slash == use ? 1 : slash - use;
    PyObject *res = PyUnicode_DecodeFSDefaultAndSize(use, len);
    free(real);
    PyMem_Free(path);
    return res;
}

static int
prepend_path(PyObject *path0)
{
    PyObject *path = PySys_GetObject("path");
    if (path == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "unable to get sys.path");
        return -1;
    }
    return PyList_Insert(path, 0, path0);
}

/* --- What to run ---------------------------------------------------------------------- */

static int
run_command(const wchar_t *command, PyCompilerFlags *flags)
{
    PyObject *text = PyUnicode_FromWideChar(command, -1);
    if (text == NULL) {
        return print_error();
    }
    if (PySys_Audit("cpython.run_command", "O", text) < 0) {
        Py_DECREF(text);
        return print_error();
    }
    PyObject *bytes = PyUnicode_AsUTF8String(text);
    Py_DECREF(text);
    if (bytes == NULL) {
        fprintf(stderr, "Unable to decode the command from the command "
                        "line:\n");
        return print_error();
    }
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    PyObject *d = PyModule_GetDict(PyImport_AddModule("__main__"));
    PyObject *v = PyRun_StringFlags(PyBytes_AsString(bytes), Py_file_input, d,
                                    d, flags);
    Py_DECREF(bytes);
    if (v == NULL) {
        return print_error();
    }
    Py_DECREF(v);
    return 0;
}

/* Runs a module as __main__ through runpy. */
static int
run_module(const wchar_t *modname, int set_argv0)
{
    PyObject *name = PyUnicode_FromWideChar(modname, -1);
    PyObject *runpy = NULL, *res = NULL;
    if (name != NULL && PySys_Audit("cpython.run_module", "O", name) == 0) {
        runpy = PyImport_ImportModule("runpy");
    }
    if (runpy != NULL) {
        res = PyObject_CallMethod(runpy, "_run_module_as_main", "OO", name,
                                  set_argv0 ? Py_True : Py_False);
    }
    Py_XDECREF(runpy);
    Py_XDECREF(name);
    if (res == NULL) {
        return print_error();
    }
    Py_DECREF(res);
    return 0;
}

/* The path item of a folder or zip file that can be run: 1 and new *importer,
 * 0, or -1. */
static int
find_importer(const wchar_t *filename, PyObject **path)
{
    *path = NULL;
    PyObject *name = PyUnicode_FromWideChar(filename, -1);
    if (name == NULL) {
        return -1;
    }
    PyObject *importer = PyImport_GetImporter(name);
    if (importer == NULL) {
        Py_DECREF(name);
        return -1;
    }
    int found = importer != Py_None;
    Py_DECREF(importer);
    if (found) {
        *path = name;
    }
    else {
        Py_DECREF(name);
    }
    return found;
}

/* Skips the first line, for -x, keeping the newline for line numbers. */
static void
skip_first_line(FILE *fp)
{
    int ch;
    while ((ch = getc(fp)) != EOF) {
        if (ch == '\n') {
            ungetc(ch, fp);
            break;
        }
    }
}

static int
run_file(const PyConfig *config, PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_FromWideChar(config->run_filename, -1);
    if (filename == NULL) {
        return print_error();
    }
    if (PySys_Audit("cpython.run_file", "O", filename) < 0) {
        Py_DECREF(filename);
        return print_error();
    }
    FILE *fp = _Py_fopen_obj(filename, "rb");
    if (fp == NULL) {
        int err = errno;
        PyErr_Clear();
        fprintf(stderr, "%ls: can't open file '%ls': [Errno %d] %s\n",
                config->program_name, config->run_filename, err,
                strerror(err));
        Py_DECREF(filename);
        return 2;
    }
    if (config->skip_source_first_line) {
        skip_first_line(fp);
    }
    struct stat sb;
    if (fstat(fileno(fp), &sb) == 0 && S_ISDIR(sb.st_mode)) {
        fprintf(stderr, "%ls: '%ls' is a directory, cannot continue\n",
                config->program_name, config->run_filename);
        fclose(fp);
        Py_DECREF(filename);
        return 1;
    }
    int res = Py_MakePendingCalls() == -1
                  ? print_error()
                  : _PyRun_AnyFileObject(fp, filename, 1, flags) != 0;
    Py_DECREF(filename);
    return res;
}

static int
run_startup(PyCompilerFlags *flags)
{
    if (!kr_interp()->config.use_environment) {
        return 0;
    }
    const char *env = getenv("PYTHONSTARTUP");
    if (env == NULL || *env == '\0') {
        return 0;
    }
    PyObject *startup = PyUnicode_DecodeFSDefault(env);
    if (startup == NULL) {
        return print_error();
    }
    FILE *fp = _Py_fopen_obj(startup, "r");
    if (fp == NULL) {
        int err = errno;
        PyErr_Clear();
        PySys_WriteStderr("Could not open PYTHONSTARTUP\n");
        errno = err;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, startup);
        PyErr_Print();
    }
    else {
        _PyRun_SimpleFileObject(fp, startup, 1, flags);
        PyErr_Clear();
    }
    Py_DECREF(startup);
    return 0;
}

/* readline and the history of sys.__interactivehook__. */
static int
run_interactive_hook(void)
{
    PyObject *hook = PySys_GetObject("__interactivehook__");
    if (hook == NULL) {
        return 0;
    }
    if (PySys_Audit("cpython.run_interactivehook", "O", hook) < 0) {
        return -1;
    }
    Py_INCREF(hook);
    PyObject *res = PyObject_CallNoArgs(hook);
    Py_DECREF(hook);
    if (res == NULL) {
        PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
        PyErr_Print();
        return 0;
    }
    Py_DECREF(res);
    return 0;
}

static void
load_readline(const PyConfig *config)
{
    if (config->isolated || !isatty(fileno(stdin))) {
        return;
    }
    PyObject *mod = PyImport_ImportModule("readline");
    if (mod == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(mod);
}

static int
run_stdin(PyConfig *config, PyCompilerFlags *flags)
{
    int interactive = isatty(fileno(stdin)) || config->interactive;
    if (interactive) {
        config->inspect = 0; /* SystemExit ends the session */
        run_startup(flags);
        run_interactive_hook();
    }
    if (Py_MakePendingCalls() == -1 ||
        PySys_Audit("cpython.run_stdin", NULL) < 0) {
        return print_error();
    }
    PyObject *filename = PyUnicode_FromString("<stdin>");
    if (filename == NULL) {
        return print_error();
    }
    int res = _PyRun_AnyFileObject(stdin, filename, 0, flags);
    Py_DECREF(filename);
    return res != 0;
}

/* -i: goes on at the prompt after the program. */
static void
run_repl_after(PyConfig *config, PyCompilerFlags *flags, int *exitcode)
{
    const char *env = config->use_environment ? getenv("PYTHONINSPECT") : NULL;
    if (!config->inspect && env != NULL && *env != '\0') {
        config->inspect = 1;
    }
    if (!(config->inspect &&
          (isatty(fileno(stdin)) || config->interactive) &&
          (config->run_filename != NULL || config->run_command != NULL ||
           config->run_module != NULL))) {
        return;
    }
    config->inspect = 0;
    run_interactive_hook();
    PyObject *filename = PyUnicode_FromString("<stdin>");
    if (filename == NULL) {
        PyErr_Clear();
        return;
    }
    *exitcode = _PyRun_InteractiveLoopObject(stdin, filename, flags) != 0;
    Py_DECREF(filename);
}

static void
print_header(const PyConfig *config)
{
    if (config->quiet) {
        return;
    }
    if (config->verbose ||
        (config->run_filename == NULL && config->run_command == NULL &&
         config->run_module == NULL &&
         (isatty(fileno(stdin)) || config->interactive))) {
        fprintf(stderr, "Python %s on %s\n", Py_GetVersion(),
                Py_GetPlatform());
        if (config->site_import) {
            fprintf(stderr, "Type \"help\", \"copyright\", \"credits\" or "
                            "\"license\" for more information.\n");
        }
    }
}

static int
run_program(PyConfig *config)
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    PyObject *main_path = NULL;
    int exitcode = 0;
    if (config->run_filename != NULL &&
        find_importer(config->run_filename, &main_path) < 0) {
        return print_error();
    }
    if (main_path != NULL) {
        int res = prepend_path(main_path);
        Py_DECREF(main_path);
        if (res < 0) {
            return print_error();
        }
    }
    else if (!config->safe_path) {
        PyObject *path0 = compute_path0(config);
        int res = path0 == NULL ? -1
                  : path0 == Py_None ? 0
                                     : prepend_path(path0);
        Py_XDECREF(path0);
        if (res < 0) {
            return print_error();
        }
    }
    print_header(config);
    if ((config->run_filename == NULL && config->run_command == NULL &&
         config->run_module == NULL) ||
        config->inspect) {
        load_readline(config);
    }
    if (config->run_command != NULL) {
        exitcode = run_command(config->run_command, &flags);
    }
    else if (config->run_module != NULL) {
        exitcode = run_module(config->run_module, 1);
    }
    else if (main_path != NULL) {
        exitcode = run_module(L"__main__", 0);
    }
    else if (config->run_filename != NULL) {
        exitcode = run_file(config, &flags);
    }
    else {
        exitcode = run_stdin(config, &flags);
    }
    run_repl_after(config, &flags, &exitcode);
    return exitcode;
}

/* Ends the process as an uncaught Ctrl-C does, so that shells notice. */
static int
exit_by_sigint(void)
{
    PyOS_setsig(SIGINT, SIG_DFL);
    kill(getpid(), SIGINT);
    return SIGINT + 128;
}

int
Py_RunMain(void)
{
    int exitcode = run_program(&kr_interp()->config);
    if (exitcode == -SIGINT) {
        exitcode = 1;
        kr_note_interrupt(1);
    }
    kr_note_process_end();
    if (Py_FinalizeEx() < 0) {
        exitcode = 120;
    }
    if (kr_interrupt_unhandled()) {
        return exit_by_sigint();
    }
    return exitcode;
}

static struct kr_argv_state {
    Py_ssize_t argc;
    wchar_t **argv;
} kr_argv_state;

void
Py_GetArgcArgv(int *argc, wchar_t ***argv)
{
    *argc = (int)kr_argv_state.argc;
    *argv = kr_argv_state.argv;
}

PyAPI_FUNC(void) _Py_ClearArgcArgv(void);
void
_Py_ClearArgcArgv(void)
{
    kr_argv_state.argc = 0;
    kr_argv_state.argv = NULL;
}

static int
run_with(PyConfig *config, PyStatus status)
{
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(config);
    }
    PyConfig_Clear(config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    PyConfig *live = &kr_interp()->config;
    kr_argv_state.argc = live->orig_argv.length;
    kr_argv_state.argv = live->orig_argv.items;
    return Py_RunMain();
}

int
Py_BytesMain(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    return run_with(&config, PyConfig_SetBytesArgv(&config, argc, argv));
}

int
Py_Main(int argc, wchar_t **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    return run_with(&config, PyConfig_SetArgv(&config, argc, argv));
}

/* Programs that freezing tools make: the frozen module __main__ is the
 * program, and all arguments are its own. */
int
Py_FrozenMain(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.pathconfig_warnings = 0;
    config.parse_argv = 0;
    PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
    const char *inspect = Py_GETENV("PYTHONINSPECT");
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    int found = PyImport_ImportFrozenModule("__main__");
    if (found == 0) {
        Py_FatalError("the __main__ module is not frozen");
    }
    int exitcode = found < 0;
    if (found < 0) {
        PyErr_Print();
    }
    if (inspect != NULL && *inspect != '\0' && isatty(fileno(stdin))) {
        exitcode = PyRun_AnyFile(stdin, "<stdin>") != 0;
    }
    return Py_FinalizeEx() < 0 ? 120 : exitcode;
}
