/* Built-in functions that compile, run or look at code: __import__, compile,
 * eval, exec, globals, locals, vars, dir, breakpoint, input. */
#include "front/front.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/builtins/builtins.h"

#include <Python.h>
#include <string.h>

static PyObject *
builtin___import__(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    static const char *const keywords[] = {"name", "globals", "locals",
                                           "fromlist", "level", NULL};
    static _PyArg_Parser parser = {.format = "O|OOOi:__import__",
                                   .keywords = keywords};
    PyObject *name, *globals = NULL, *locals = NULL, *fromlist = NULL;
    int level = 0;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &name, &globals, &locals,
                        &fromlist, &level)) {
        return NULL;
    }
    return PyImport_ImportModuleLevelObject(name, globals, locals, fromlist,
                                            level);
}

/* The text of a source argument: NUL-terminated, borrowed from *owner (new)
 * or from `source`. NULL with an exception set. */
static const char *
source_text(PyObject *source, const char *funcname, const char *what,
            PyCompilerFlags *flags, Py_ssize_t *size, PyObject **owner)
{
    const char *text;
    *owner = NULL;
    if (PyUnicode_Check(source)) {
        flags->cf_flags |= PyCF_IGNORE_COOKIE;
        text = PyUnicode_AsUTF8AndSize(source, size);
        if (text == NULL) {
            return NULL;
        }
    }
    else if (PyBytes_Check(source)) {
        text = PyBytes_AS_STRING(source);
        *size = PyBytes_GET_SIZE(source);
    }
    else if (PyObject_CheckBuffer(source)) {
        /* a copy, for the terminator and against changes */
        *owner = PyBytes_FromObject(source);
        if (*owner == NULL) {
            return NULL;
        }
        text = PyBytes_AS_STRING(*owner);
        *size = PyBytes_GET_SIZE(*owner);
    }
    else {
        PyErr_Format(PyExc_TypeError, "%s() arg 1 must be a %s object",
                     funcname, what);
        return NULL;
    }
    if (strlen(text) != (size_t)*size) {
        PyErr_SetString(PyExc_ValueError,
                        "source code string cannot contain null bytes");
        Py_CLEAR(*owner);
        return NULL;
    }
    return text;
}

const char *
_Py_SourceAsString(PyObject *cmd, const char *funcname, const char *what,
                   PyCompilerFlags *cf, PyObject **cmd_copy)
{
    Py_ssize_t size;
    return source_text(cmd, funcname, what, cf, &size, cmd_copy);
}

static int
parse_mode(const char *mode, int only_ast)
{
    if (strcmp(mode, "exec") == 0) {
        return Py_file_input;
    }
    if (strcmp(mode, "eval") == 0) {
        return Py_eval_input;
    }
    if (strcmp(mode, "single") == 0) {
        return Py_single_input;
    }
    if (strcmp(mode, "func_type") == 0) {
        if (only_ast) {
            return Py_func_type_input;
        }
        PyErr_SetString(PyExc_ValueError,
                        "compile() mode 'func_type' requires flag "
                        "PyCF_ONLY_AST");
        return -1;
    }
    PyErr_SetString(PyExc_ValueError,
                    only_ast ? "compile() mode must be 'exec', 'eval', "
                               "'single' or 'func_type'"
                             : "compile() mode must be 'exec', 'eval' or "
                               "'single'");
    return -1;
}

static PyObject *
compile_source(PyObject *source, PyObject *filename, int start,
               PyCompilerFlags *cf, int optimize)
{
    int is_tree = kr_front_is_tree(source);
    if (is_tree < 0) {
        return NULL;
    }
    if (is_tree) {
        return kr_front_compile_tree(source, filename, start, cf, optimize);
    }
    PyObject *owner;
    Py_ssize_t size;
    const char *text = source_text(source, "compile",
                                   "string, bytes or AST", cf, &size, &owner);
    if (text == NULL) {
        return NULL;
    }
    PyObject *res =
        kr_front_compile(text, size, filename, start, cf, optimize);
    Py_XDECREF(owner);
    return res;
}

static PyObject *
builtin_compile(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const keywords[] = {
        "source",   "filename", "mode", "flags", "dont_inherit",
        "optimize", "_feature_version", NULL};
    static _PyArg_Parser parser = {.format = "OO&s|iii$i:compile",
                                   .keywords = keywords};
    PyObject *source, *filename;
    const char *mode;
    int flags = 0, dont_inherit = 0, optimize = -1, feature_version = -1;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &source,
                        PyUnicode_FSDecoder, &filename, &mode, &flags,
                        &dont_inherit, &optimize, &feature_version)) {
        return NULL;
    }
    PyObject *res = NULL;
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = flags | PyCF_SOURCE_IS_UTF8;
    if (feature_version >= 0 && (flags & PyCF_ONLY_AST)) {
        cf.cf_feature_version = feature_version;
    }
    if (flags & ~(PyCF_MASK | PyCF_MASK_OBSOLETE | PyCF_COMPILE_MASK)) {
        PyErr_SetString(PyExc_ValueError, "compile(): unrecognised flags");
        goto done;
    }
    if (optimize < -1 || optimize > 2) {
        PyErr_SetString(PyExc_ValueError,
                        "compile(): invalid optimize value");
        goto done;
    }
    if (!dont_inherit) {
        PyEval_MergeCompilerFlags(&cf);
    }
    int start = parse_mode(mode, flags & PyCF_ONLY_AST);
    if (start >= 0) {
        res = compile_source(source, filename, start, &cf, optimize);
    }
done:
    Py_DECREF(filename);
    return res;
}

/* --- eval and exec --------------------------------------------------------- */

/* Sets the namespaces that were not given, and __builtins__. Borrowed
 * results. 0, or -1 with an exception set. */
static int
prepare_namespaces(PyObject **globals, PyObject **locals, const char *what)
{
    if (*globals == Py_None || *globals == NULL) {
        *globals = PyEval_GetGlobals();
        if (*locals == Py_None || *locals == NULL) {
            *locals = PyEval_GetLocals();
            if (*locals == NULL && PyErr_Occurred()) {
                return -1;
            }
        }
    }
    else if (*locals == Py_None || *locals == NULL) {
        *locals = *globals;
    }
    if (*globals == NULL || *locals == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be given globals and locals when called without "
                     "a frame",
                     what);
        return -1;
    }
    int res = PyDict_Contains(*globals, KR_ID(__builtins__));
    if (res == 0) {
        res = PyDict_SetItem(*globals, KR_ID(__builtins__),
                             PyEval_GetBuiltins());
    }
    return res < 0 ? -1 : 0;
}

/* Compiles and runs text in the namespaces. New or NULL. */
static PyObject *
run_text(PyObject *source, const char *funcname, int start, PyObject *globals,
         PyObject *locals)
{
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = PyCF_SOURCE_IS_UTF8;
    PyObject *owner;
    Py_ssize_t size;
    const char *text = source_text(source, funcname, "string, bytes or code",
                                   &cf, &size, &owner);
    if (text == NULL) {
        return NULL;
    }
    if (start == Py_eval_input) {
        while (*text == ' ' || *text == '\t') {
            text++;
            size--;
        }
    }
    PyEval_MergeCompilerFlags(&cf);
    PyObject *filename = PyUnicode_FromString("<string>");
    PyObject *code =
        filename == NULL
            ? NULL
            : kr_front_compile(text, size, filename, start, &cf, -1);
    Py_XDECREF(filename);
    Py_XDECREF(owner);
    if (code == NULL) {
        return NULL;
    }
    PyObject *res = PySys_Audit("exec", "O", code) < 0
                        ? NULL
                        : PyEval_EvalCode(code, globals, locals);
    Py_DECREF(code);
    return res;
}

static PyObject *
builtin_eval(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("eval", nargs, 1, 3)) {
        return NULL;
    }
    PyObject *source = args[0];
    PyObject *globals = nargs > 1 ? args[1] : Py_None;
    PyObject *locals = nargs > 2 ? args[2] : Py_None;
    if (locals != Py_None && !PyMapping_Check(locals)) {
        PyErr_SetString(PyExc_TypeError, "locals must be a mapping");
        return NULL;
    }
    if (globals != Py_None && !PyDict_Check(globals)) {
        PyErr_SetString(PyExc_TypeError,
                        PyMapping_Check(globals)
                            ? "globals must be a real dict; try eval(expr, {}, "
                              "mapping)"
                            : "globals must be a dict");
        return NULL;
    }
    if (prepare_namespaces(&globals, &locals, "eval") < 0) {
        return NULL;
    }
    if (!PyCode_Check(source)) {
        return run_text(source, "eval", Py_eval_input, globals, locals);
    }
    if (PySys_Audit("exec", "O", source) < 0) {
        return NULL;
    }
    if (PyCode_GetNumFree((PyCodeObject *)source) > 0) {
        PyErr_SetString(PyExc_TypeError, "code object passed to eval() may "
                                         "not contain free variables");
        return NULL;
    }
    return PyEval_EvalCode(source, globals, locals);
}

/* Whether `closure` fits the free variables of `code`; sets TypeError. */
static int
closure_fits(PyCodeObject *code, PyObject *closure)
{
    Py_ssize_t nfree = PyCode_GetNumFree(code);
    if (nfree == 0) {
        if (closure != NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "cannot use a closure with this code object");
            return 0;
        }
        return 1;
    }
    int fits = closure != NULL && PyTuple_CheckExact(closure) &&
               PyTuple_GET_SIZE(closure) == nfree;
    for (Py_ssize_t i = 0; fits && i < nfree; i++) {
        fits = PyCell_Check(PyTuple_GET_ITEM(closure, i));
    }
    if (!fits) {
        PyErr_Format(PyExc_TypeError,
                     "code object requires a closure of exactly length %zd",
                     nfree);
    }
    return fits;
}

static PyObject *
exec_code(PyObject *code, PyObject *globals, PyObject *locals,
          PyObject *closure)
{
    if (!closure_fits((PyCodeObject *)code, closure) ||
        PySys_Audit("exec", "O", code) < 0) {
        return NULL;
    }
    if (closure == NULL) {
        return PyEval_EvalCode(code, globals, locals);
    }
    return PyEval_EvalCodeEx(code, globals, locals, NULL, 0, NULL, 0, NULL, 0,
                             NULL, closure);
}

static PyObject *
builtin_exec(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const keywords[] = {"", "", "", "closure", NULL};
    static _PyArg_Parser parser = {.format = "O|OO$O:exec",
                                   .keywords = keywords};
    PyObject *source, *globals = Py_None, *locals = Py_None, *closure = NULL;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &source, &globals,
                        &locals, &closure)) {
        return NULL;
    }
    if (globals != Py_None && !PyDict_Check(globals)) {
        PyErr_Format(PyExc_TypeError, "exec() globals must be a dict, not %.100s",
                     Py_TYPE(globals)->tp_name);
        return NULL;
    }
    if (locals != Py_None && !PyMapping_Check(locals)) {
        PyErr_Format(PyExc_TypeError,
                     "locals must be a mapping or None, not %.100s",
                     Py_TYPE(locals)->tp_name);
        return NULL;
    }
    if (prepare_namespaces(&globals, &locals, "exec") < 0) {
        return NULL;
    }
    if (closure == Py_None) {
        closure = NULL;
    }
    PyObject *res;
    if (PyCode_Check(source)) {
        res = exec_code(source, globals, locals, closure);
    }
    else if (closure != NULL) {
        PyErr_SetString(PyExc_TypeError, "closure can only be used when source "
                                         "is a code object");
        return NULL;
    }
    else {
        res = run_text(source, "exec", Py_file_input, globals, locals);
    }
    if (res == NULL) {
        return NULL;
    }
    Py_DECREF(res);
    Py_RETURN_NONE;
}

/* --- Namespaces ------------------------------------------------------------- */

static PyObject *
builtin_globals(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return Py_XNewRef(PyEval_GetGlobals());
}

static PyObject *
builtin_locals(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return Py_XNewRef(PyEval_GetLocals());
}

static PyObject *
builtin_vars(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("vars", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 0) {
        return Py_XNewRef(PyEval_GetLocals());
    }
    PyObject *dict;
    if (_PyObject_LookupAttr(args[0], KR_ID(__dict__), &dict) == 0) {
        PyErr_SetString(PyExc_TypeError,
                        "vars() argument must have __dict__ attribute");
    }
    return dict;
}

static PyObject *
builtin_dir(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("dir", nargs, 0, 1)) {
        return NULL;
    }
    return PyObject_Dir(nargs > 0 ? args[0] : NULL);
}

/* --- breakpoint and input ----------------------------------------------------- */

static PyObject *
builtin_breakpoint(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    PyObject *hook = PySys_GetObject("breakpointhook");
    if (hook == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.breakpointhook");
        return NULL;
    }
    if (PySys_Audit("builtins.breakpoint", "O", hook) < 0) {
        return NULL;
    }
    Py_INCREF(hook);
    PyObject *res = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_DECREF(hook);
    return res;
}

/* Borrowed sys.<name>, which must exist and not be None. */
static PyObject *
need_stream(const char *name)
{
    PyObject *stream = PySys_GetObject(name);
    if (stream == NULL || stream == Py_None) {
        PyErr_Format(PyExc_RuntimeError, "input(): lost sys.%s", name);
        return NULL;
    }
    return stream;
}

static void
flush_quietly(PyObject *stream)
{
    PyObject *res = PyObject_CallMethodNoArgs(stream, KR_ID(flush));
    if (res == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(res);
}

/* Whether `stream` is the C stream `fp` on a terminal; -1 on failure. */
static int
is_terminal(PyObject *stream, FILE *fp)
{
    PyObject *number = PyObject_CallMethodNoArgs(stream, KR_ID(fileno));
    if (number == NULL) {
        PyErr_Clear();
        return 0;
    }
    long fd = PyLong_AsLong(number);
    Py_DECREF(number);
    if (fd == -1 && PyErr_Occurred()) {
        return -1;
    }
    return fd == fileno(fp) && isatty((int)fd);
}

/* New bytes: str(prompt) in the encoding of `out`. */
static PyObject *
encode_prompt(PyObject *prompt, PyObject *out)
{
    PyObject *encoding = PyObject_GetAttr(out, KR_ID(encoding));
    PyObject *errors = PyObject_GetAttr(out, KR_ID(errors));
    PyObject *text = NULL, *res = NULL;
    if (encoding != NULL && errors != NULL && PyUnicode_Check(encoding) &&
        PyUnicode_Check(errors)) {
        text = PyObject_Str(prompt);
        if (text != NULL) {
            res = PyUnicode_AsEncodedString(text, PyUnicode_AsUTF8(encoding),
                                            PyUnicode_AsUTF8(errors));
        }
    }
    else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "bad stream encoding");
    }
    Py_XDECREF(encoding);
    Py_XDECREF(errors);
    Py_XDECREF(text);
    return res;
}

/* One line from the terminal through the line editor. NULL with an exception,
 * or with none when the streams are of no use for that. */
static PyObject *
read_terminal(PyObject *in, PyObject *out, PyObject *prompt)
{
    PyObject *prompt_bytes = NULL;
    if (prompt != NULL) {
        prompt_bytes = encode_prompt(prompt, out);
        if (prompt_bytes == NULL) {
            PyErr_Clear();
            return NULL;
        }
        if (strlen(PyBytes_AS_STRING(prompt_bytes)) !=
            (size_t)PyBytes_GET_SIZE(prompt_bytes)) {
            Py_DECREF(prompt_bytes);
            PyErr_SetString(PyExc_ValueError,
                            "input: prompt string cannot contain null "
                            "characters");
            return NULL;
        }
    }
    char *line = PyOS_Readline(
        stdin, stdout,
        prompt_bytes != NULL ? PyBytes_AS_STRING(prompt_bytes) : "");
    Py_XDECREF(prompt_bytes);
    if (line == NULL) {
        PyErr_CheckSignals();
        if (!PyErr_Occurred()) {
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        }
        return NULL;
    }
    size_t len = strlen(line);
    PyObject *res = NULL;
    if (len == 0) {
        PyErr_SetNone(PyExc_EOFError);
    }
    else {
        len -= line[len - 1] == '\n';
        PyObject *encoding = PyObject_GetAttr(in, KR_ID(encoding));
        PyObject *errors = PyObject_GetAttr(in, KR_ID(errors));
        if (encoding != NULL && errors != NULL) {
            res = PyUnicode_Decode(line, (Py_ssize_t)len,
                                   PyUnicode_AsUTF8(encoding),
                                   PyUnicode_AsUTF8(errors));
        }
        Py_XDECREF(encoding);
        Py_XDECREF(errors);
    }
    PyMem_Free(line);
    if (res != NULL && PySys_Audit("builtins.input/result", "O", res) < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
read_stream(PyObject *in, PyObject *out, PyObject *prompt)
{
    if (prompt != NULL && PyFile_WriteObject(prompt, out, Py_PRINT_RAW) != 0) {
        return NULL;
    }
    flush_quietly(out);
    return PyFile_GetLine(in, -1);
}

static PyObject *
builtin_input(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("input", nargs, 0, 1)) {
        return NULL;
    }
    PyObject *prompt = nargs > 0 ? args[0] : NULL;
    PyObject *in, *out, *err;
    if ((in = need_stream("stdin")) == NULL ||
        (out = need_stream("stdout")) == NULL ||
        (err = need_stream("stderr")) == NULL) {
        return NULL;
    }
    if (PySys_Audit("builtins.input", "O", prompt ? prompt : Py_None) < 0) {
        return NULL;
    }
    flush_quietly(err);
    Py_INCREF(in);
    Py_INCREF(out);
    PyObject *res = NULL;
    int tty = is_terminal(in, stdin);
    if (tty > 0) {
        tty = is_terminal(out, stdout);
    }
    if (tty > 0) {
        flush_quietly(out);
        res = read_terminal(in, out, prompt);
    }
    if (tty >= 0 && res == NULL && !PyErr_Occurred()) {
        res = read_stream(in, out, prompt);
    }
    Py_DECREF(in);
    Py_DECREF(out);
    return res;
}

#define FAST(f) (PyCFunction)(void (*)(void))(f)

PyMethodDef kr_builtins_code_methods[] = {
    {"__import__", FAST(builtin___import__), METH_FASTCALL | METH_KEYWORDS,
     "__import__($module, /, name, globals=None, locals=None, fromlist=(),\n"
     "           level=0)\n--\n\n"
     "Import a module; the function behind the import statement."},
    {"compile", FAST(builtin_compile), METH_FASTCALL | METH_KEYWORDS,
     "compile($module, /, source, filename, mode, flags=0,\n"
     "        dont_inherit=False, optimize=-1, *, _feature_version=-1)\n"
     "--\n\n"
     "Compile source into a code object that exec() or eval() can run."},
    {"eval", FAST(builtin_eval), METH_FASTCALL,
     "eval($module, source, globals=None, locals=None, /)\n--\n\n"
     "Evaluate the given source in the context of globals and locals."},
    {"exec", FAST(builtin_exec), METH_FASTCALL | METH_KEYWORDS,
     "exec($module, source, globals=None, locals=None, /, *, closure=None)\n"
     "--\n\n"
     "Execute the given source in the context of globals and locals."},
    {"globals", builtin_globals, METH_NOARGS,
     "globals($module, /)\n--\n\n"
     "Return the dictionary containing the current scope's global "
     "variables."},
    {"locals", builtin_locals, METH_NOARGS,
     "locals($module, /)\n--\n\n"
     "Return a dictionary containing the current scope's local variables."},
    {"vars", FAST(builtin_vars), METH_FASTCALL,
     "vars([object]) -> dictionary\n\n"
     "Without arguments, equivalent to locals().\n"
     "With an argument, equivalent to object.__dict__."},
    {"dir", FAST(builtin_dir), METH_FASTCALL,
     "dir([object]) -> list of strings\n\n"
     "The names in the current scope, or the attributes of an object."},
    {"breakpoint", FAST(builtin_breakpoint), METH_FASTCALL | METH_KEYWORDS,
     "breakpoint(*args, **kws)\n\n"
     "Call sys.breakpointhook(*args, **kws), by default to start pdb."},
    {"input", FAST(builtin_input), METH_FASTCALL,
     "input($module, prompt='', /)\n--\n\n"
     "Read a string from standard input, without its newline."},
    {NULL, NULL, 0, NULL},
};
