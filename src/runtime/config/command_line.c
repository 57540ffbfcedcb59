/* The command line: options of the interpreter, then what to run. */
#include "runtime/config/config.h"

#include "runtime/fileutils.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options with an argument are followed by ':'. */
static const wchar_t short_options[] = L"+bBc:dEhiIJm:OPqRsStuvVW:xX:?";

struct parser {
    const PyWideStringList *args;
    Py_ssize_t index;      /* of the argument being read */
    const wchar_t *letter; /* next letter in it, or NULL */
    const wchar_t *value;  /* of the option just returned */
    int quiet;             /* say nothing of wrong options */
};

enum { OPTION_END = -1, OPTION_ERROR = '_', LONG_OPTION = 1 };

/* Gives the next option letter, or OPTION_END in front of the first argument
 * that is none. */
static int
next_option(struct parser *p)
{
    if (p->letter == NULL || *p->letter == L'\0') {
        if (p->index >= p->args->length) {
            return OPTION_END;
        }
        const wchar_t *arg = p->args->items[p->index];
        if (arg[0] != L'-' || arg[1] == L'\0') {
            return OPTION_END;
        }
        if (wcscmp(arg, L"--") == 0) {
            p->index++;
            return OPTION_END;
        }
        p->index++;
        if (arg[1] == L'-') {
            p->value = arg;
            return LONG_OPTION;
        }
        p->letter = arg + 1;
    }
    wchar_t option = *p->letter++;
    const wchar_t *known = wcschr(short_options, option);
    if (known == NULL || option == L':' || option == L'+') {
        if (!p->quiet) {
            fprintf(stderr, "Unknown option: -%c\n", (char)option);
        }
        return OPTION_ERROR;
    }
    if (known[1] == L':') {
        if (*p->letter != L'\0') {
            p->value = p->letter;
            p->letter = NULL;
        }
        else if (p->index < p->args->length) {
            p->value = p->args->items[p->index++];
        }
        else {
            if (!p->quiet) {
                fprintf(stderr, "Argument expected for the -%c option\n",
                        (char)option);
            }
            return OPTION_ERROR;
        }
    }
    return (int)option;
}

static void
print_help(FILE *f, const wchar_t *program)
{
    fprintf(f,
        "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"
        "Options (and corresponding environment variables):\n"
        "-b     : issue warnings about str(bytes_instance), str(bytearray_instance)\n"
        "         and comparing bytes/bytearray with str. (-bb: issue errors)\n"
        "-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x\n"
        "-c cmd : program passed in as string (terminates option list)\n"
        "-d     : turn on parser debugging output; also PYTHONDEBUG=x\n"
        "-E     : ignore PYTHON* environment variables (such as PYTHONPATH)\n"
        "-h     : print this help message and exit (also -? or --help)\n"
        "-i     : inspect interactively after running script; also PYTHONINSPECT=x\n"
        "-I     : isolate from the user's environment (implies -E, -P and -s)\n"
        "-m mod : run library module as a script (terminates option list)\n"
        "-O     : remove assert and __debug__-dependent statements; also\n"
        "         PYTHONOPTIMIZE=x\n"
        "-OO    : do -O changes and also discard docstrings\n"
        "-P     : don't prepend a potentially unsafe path to sys.path; also\n"
        "         PYTHONSAFEPATH\n"
        "-q     : don't print version and copyright messages on interactive startup\n"
        "-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE\n"
        "-S     : don't imply 'import site' on initialization\n"
        "-u     : force the stdout and stderr streams to be unbuffered; also\n"
        "         PYTHONUNBUFFERED=x\n"
        "-v     : trace import statements; also PYTHONVERBOSE=x; can be repeated\n"
        "-V     : print the version number and exit (also --version)\n"
        "         when given twice, print more information about the build\n"
        "-W arg : warning control; arg is action:message:category:module:lineno\n"
        "         also PYTHONWARNINGS=arg\n"
        "-x     : skip first line of source, for forms of #!cmd outside Unix\n"
        "-X opt : set implementation-specific option (dev, utf8, importtime,\n"
        "         tracemalloc, faulthandler, frozen_modules, int_max_str_digits, ...)\n"
        "--check-hash-based-pycs always|default|never:\n"
        "         control how Python invalidates hash-based .pyc files\n"
        "file   : program read from script file, a directory or a zip file\n"
        "-      : program read from stdin (default; interactive mode if a tty)\n"
        "arg ...: arguments passed to program in sys.argv[1:]\n",
        program);
}

static void
print_variables(void)
{
    fputs("Environment variables that change behavior:\n"
          "PYTHONSTARTUP   : file executed on interactive startup\n"
          "PYTHONPATH      : ':'-separated folders in front of the default\n"
          "                  module search path\n"
          "PYTHONHOME      : where the standard library is (prefix or\n"
          "                  prefix:exec_prefix)\n"
          "PYTHONSAFEPATH  : don't prepend an unsafe path to sys.path (-P)\n"
          "PYTHONPLATLIBDIR: overrides sys.platlibdir\n"
          "PYTHONDEBUG, PYTHONINSPECT, PYTHONOPTIMIZE, PYTHONVERBOSE,\n"
          "PYTHONUNBUFFERED, PYTHONDONTWRITEBYTECODE, PYTHONNOUSERSITE:\n"
          "                  as the options -d -i -O -v -u -B -s\n"
          "PYTHONCASEOK    : ignore case in 'import' statements (Windows)\n"
          "PYTHONUTF8      : 1 turns UTF-8 mode on, 0 off\n"
          "PYTHONIOENCODING: Encoding[:errors] of stdin/stdout/stderr\n"
          "PYTHONFAULTHANDLER: dump the traceback on fatal errors\n"
          "PYTHONHASHSEED  : 'random' or a number that seeds the hashes\n"
          "PYTHONMALLOC    : set the memory allocators\n"
          "PYTHONCOERCECLOCALE: 0 leaves the C locale alone\n"
          "PYTHONBREAKPOINT: what breakpoint() calls; 0 switches it off\n"
          "PYTHONDEVMODE   : enable the development mode\n"
          "PYTHONPYCACHEPREFIX: root of the bytecode cache (pyc) files\n"
          "PYTHONWARNINGS  : warning control, as -W\n"
          "PYTHONWARNDEFAULTENCODING: warn of locale-dependent encodings\n"
          "PYTHONNODEBUGRANGES: leave columns out of code objects\n"
          "PYTHONINTMAXSTRDIGITS: limit of int <-> str conversions, 0: none\n"
          "PYTHONPROFILEIMPORTTIME: show the time of each import\n"
          "PYTHONTRACEMALLOC: trace memory with that many frames\n",
          stdout);
}

static void
print_x_options(void)
{
    fputs("The following implementation-specific options are available:\n"
          "-X dev          : enable the development mode\n"
          "-X faulthandler : dump the traceback on fatal errors\n"
          "-X frozen_modules=[on|off]: whether frozen modules are used\n"
          "-X importtime   : show the time of each import\n"
          "-X int_max_str_digits=number: limit of int <-> str conversions,\n"
          "                  0: none\n"
          "-X no_debug_ranges: leave columns out of code objects\n"
          "-X pycache_prefix=PATH: root of the bytecode cache (pyc) files\n"
          "-X showrefcount : count of references at exit\n"
          "-X tracemalloc[=N]: trace memory with N frames (default 1)\n"
          "-X utf8[=0|1]   : UTF-8 mode\n"
          "-X warn_default_encoding: warn of locale-dependent encodings\n",
          stdout);
}

static void
print_version(int detailed)
{
    if (detailed) {
        printf("Python %s\n", Py_GetVersion());
    }
    else {
        printf("Python %s\n", PY_VERSION);
    }
}

static PyStatus
usage_error(const PyConfig *config)
{
    fprintf(stderr,
            "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"
            "Try `%ls -h' for more information.\n",
            config->program_name, config->program_name);
    return PyStatus_Exit(2);
}

/* --check-hash-based-pycs, --help, --version. */
static PyStatus
long_option(PyConfig *config, struct parser *p, int *print_info)
{
    const wchar_t *option = p->value;
    static const wchar_t check[] = L"--check-hash-based-pycs";
    size_t len = wcslen(check);
    static const struct {
        const wchar_t *option;
        int info;
    } helps[] = {
        {L"--help", 'h'},
        {L"--help-all", 'a'},
        {L"--help-env", 'e'},
        {L"--help-xoptions", 'x'},
    };
    for (size_t i = 0; i < sizeof(helps) / sizeof(*helps); i++) {
        if (wcscmp(option, helps[i].option) == 0) {
            *print_info = helps[i].info;
            return PyStatus_Ok();
        }
    }
    if (wcscmp(option, L"--version") == 0) {
        *print_info = 'V';
        return PyStatus_Ok();
    }
    if (wcsncmp(option, check, len) == 0 &&
        (option[len] == L'=' || option[len] == L'\0')) {
        const wchar_t *mode = NULL;
        if (option[len] == L'=') {
            mode = option + len + 1;
        }
        else if (p->index < p->args->length) {
            mode = p->args->items[p->index++];
        }
        if (mode != NULL && (wcscmp(mode, L"always") == 0 ||
                             wcscmp(mode, L"never") == 0 ||
                             wcscmp(mode, L"default") == 0)) {
            return PyConfig_SetString(config, &config->check_hash_pycs_mode,
                                      mode);
        }
        fprintf(stderr, "--check-hash-based-pycs must be one of 'default', "
                        "'always', or 'never'\n");
        return usage_error(config);
    }
    fprintf(stderr, "unknown option %ls\n", option);
    return usage_error(config);
}

/* A flag without argument. 0, or -1 when the letter is not one. */
static int
simple_flag(PyConfig *config, int letter)
{
    switch (letter) {
    case 'b': config->bytes_warning++; break;
    case 'd': config->parser_debug++; break;
    case 'i': config->inspect++; config->interactive++; break;
    case 'E': config->use_environment = 0; break;
    case 'I':
        config->isolated = 1;
        config->use_environment = 0;
        config->user_site_directory = 0;
        config->safe_path = 1;
        break;
    case 'O': config->optimization_level++; break;
    case 'P': config->safe_path = 1; break;
    case 'B': config->write_bytecode = 0; break;
    case 's': config->user_site_directory = 0; break;
    case 'S': config->site_import = 0; break;
    case 't': break; /* accepted and ignored */
    case 'u': config->buffered_stdio = 0; break;
    case 'v': config->verbose++; break;
    case 'x': config->skip_source_first_line = 1; break;
    case 'q': config->quiet++; break;
    case 'R': config->use_hash_seed = 0; break;
    default: return -1;
    }
    return 0;
}

static PyStatus
set_command(PyConfig *config, const wchar_t *command)
{
    size_t len = wcslen(command);
    wchar_t *text = PyMem_RawMalloc((len + 2) * sizeof(wchar_t));
    if (text == NULL) {
        return PyStatus_NoMemory();
    }
    wmemcpy(text, command, len);
    text[len] = L'\n';
    text[len + 1] = L'\0';
    PyMem_RawFree(config->run_command);
    config->run_command = text;
    return PyStatus_Ok();
}

/* The program's file, by its full path: __file__ outlives chdir(). */
static PyStatus
set_run_filename(PyConfig *config, const wchar_t *name)
{
    wchar_t cwd[PATH_MAX];
    if (name[0] == L'/' || name[0] == L'\0' ||
        _Py_wgetcwd(cwd, PATH_MAX) == NULL) {
        return PyConfig_SetString(config, &config->run_filename, name);
    }
    size_t size = wcslen(cwd) + wcslen(name) + 2;
    wchar_t *path = PyMem_RawMalloc(size * sizeof(wchar_t));
    if (path == NULL) {
        return PyStatus_NoMemory();
    }
    swprintf(path, size, L"%ls/%ls", cwd, name);
    PyMem_RawFree(config->run_filename);
    config->run_filename = path;
    return PyStatus_Ok();
}

/* Leaves in argv what belongs to the program: argv[0] names it. */
static PyStatus
update_argv(PyConfig *config, Py_ssize_t index)
{
    PyWideStringList rest = {0, NULL};
    const wchar_t *first = L"";
    if (config->run_command != NULL) {
        first = L"-c";
    }
    else if (config->run_module != NULL) {
        first = L"-m";
    }
    else if (index < config->argv.length) {
        first = config->argv.items[index++];
    }
    PyStatus status = PyWideStringList_Append(&rest, first);
    for (; index < config->argv.length && !PyStatus_Exception(status);
         index++) {
        status = PyWideStringList_Append(&rest, config->argv.items[index]);
    }
    if (PyStatus_Exception(status)) {
        _PyWideStringList_Clear(&rest);
        return status;
    }
    _PyWideStringList_Clear(&config->argv);
    config->argv = rest;
    return status;
}

/* Handles one option. *done is set for -c and -m, which end the list. */
static PyStatus
take_option(PyConfig *config, struct parser *p, int option, int *print_info,
            int *done)
{
    if (simple_flag(config, option) == 0) {
        return PyStatus_Ok();
    }
    switch (option) {
    case 'c':
        *done = 1;
        return set_command(config, p->value);
    case 'm':
        *done = 1;
        return PyConfig_SetString(config, &config->run_module, p->value);
    case 'h':
    case '?':
        *print_info = 'h';
        return PyStatus_Ok();
    case 'V':
        *print_info = *print_info == 'V' ? 'W' : 'V';
        return PyStatus_Ok();
    case 'W':
        return PyWideStringList_Append(&config->warnoptions, p->value);
    case 'X':
        return PyWideStringList_Append(&config->xoptions, p->value);
    case 'J':
        fprintf(stderr, "-J is reserved for Jython\n");
        return usage_error(config);
    case LONG_OPTION:
        return long_option(config, p, print_info);
    default:
        return usage_error(config);
    }
}

PyStatus
kr_config_parse_command_line(PyConfig *config)
{
    if (config->argv.length == 0) {
        return PyStatus_Ok();
    }
    struct parser p = {.args = &config->argv, .index = 1};
    int print_info = 0, option, done = 0;
    while (!done && (option = next_option(&p)) != OPTION_END) {
        PyStatus status =
            take_option(config, &p, option, &print_info, &done);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    if (print_info != 0 && strchr("haex", print_info) != NULL) {
        if (print_info == 'h' || print_info == 'a') {
            print_help(stdout, config->program_name);
        }
        if (print_info == 'e' || print_info == 'a') {
            print_variables();
        }
        if (print_info == 'x' || print_info == 'a') {
            print_x_options();
        }
        return PyStatus_Exit(0);
    }
    if (print_info != 0) {
        print_version(print_info == 'W');
        return PyStatus_Exit(0);
    }
    if (config->run_command == NULL && config->run_module == NULL &&
        p.index < config->argv.length &&
        wcscmp(config->argv.items[p.index], L"-") != 0 &&
        config->run_filename == NULL) {
        PyStatus status =
            set_run_filename(config, config->argv.items[p.index]);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return update_argv(config, p.index);
}

void
kr_config_scan_preoptions(const PyWideStringList *args,
                          struct kr_preoptions *options)
{
    struct parser p = {.args = args, .index = 1, .quiet = 1};
    int option;
    while ((option = next_option(&p)) != OPTION_END) {
        if (option == 'c' || option == 'm') {
            return;
        }
        if (option == 'I') {
            options->isolated = 1;
        }
        else if (option == 'E') {
            options->ignore_environment = 1;
        }
        else if (option == 'X' && wcscmp(p.value, L"dev") == 0) {
            options->dev_mode = 1;
        }
        else if (option == 'X' && wcsncmp(p.value, L"utf8", 4) == 0
                 && (p.value[4] == L'\0' || p.value[4] == L'=')) {
            options->utf8 = p.value + 4 + (p.value[4] == L'=');
            if (p.value[4] == L'=' && p.value[5] == L'\0') {
                options->utf8 = L"="; /* an empty value is a wrong one */
            }
        }
        else if (option == LONG_OPTION
                 && wcscmp(p.value, L"--check-hash-based-pycs") == 0) {
            p.index++;
        }
    }
}
