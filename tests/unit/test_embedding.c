/* The runtime inside another program: started, ended, started again. */
#include <Python.h>
#include <pthread.h>
#include <stdio.h>

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static int left;

static void
count_exit(void)
{
    left++;
}

static void *
foreign_thread(void *arg)
{
    for (int i = 0; i < 3; i++) {
        PyGILState_STATE state = PyGILState_Ensure();
        CHECK(PyRun_SimpleString("seen.append(1)") == 0);
        PyGILState_Release(state);
    }
    return NULL;
}

static void
use_foreign_thread(void)
{
    pthread_t thread;
    CHECK(PyRun_SimpleString("seen = []") == 0);
    CHECK(pthread_create(&thread, NULL, foreign_thread, NULL) == 0);
    Py_BEGIN_ALLOW_THREADS
    pthread_join(thread, NULL);
    Py_END_ALLOW_THREADS
    CHECK(PyRun_SimpleString("assert seen == [1, 1, 1]") == 0);
}

static void
use_subinterpreter(void)
{
    PyThreadState *old = PyThreadState_Get();
    PyThreadState *ts = Py_NewInterpreter();
    CHECK(ts != NULL && PyInterpreterState_GetID(ts->interp) == 1);
    CHECK(PyRun_SimpleString("import sys; assert not hasattr(sys, 'mark')")
          == 0);
    PyGILState_STATE state = PyGILState_Ensure();
    CHECK(state == PyGILState_LOCKED && PyThreadState_Get() == ts);
    PyGILState_Release(state);
    CHECK(PyThreadState_Get() == ts);
    Py_EndInterpreter(ts);
    PyThreadState_Swap(old);
}

/* Everything is as new each time. */
static void
test_again_and_again(void)
{
    for (int round = 1; round <= 3; round++) {
        Py_InitializeEx(0);
        CHECK(Py_IsInitialized());
        CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == 0);
        CHECK(Py_AtExit(count_exit) == 0);
        CHECK(PyRun_SimpleString(
                  "import sys, re, json, threading, collections, ast\n"
                  "assert not hasattr(sys, 'mark')\n"
                  "sys.mark = 1\n"
                  "class A:\n"
                  "    def __del__(self): pass\n"
                  "a = A(); a.a = a\n"
                  "assert json.loads('[1]') == [1]\n"
                  "assert re.sub('a', 'b', 'aa') == 'bb'\n"
                  "assert ast.dump(ast.parse('x'))\n"
                  "t = threading.Thread(target=print, args=('',), "
                  "kwargs={'end': ''})\n"
                  "t.start(); t.join()\n")
              == 0);
        use_foreign_thread();
        use_subinterpreter();
        CHECK(Py_FinalizeEx() == 0);
        CHECK(!Py_IsInitialized() && left == round);
        CHECK(_PyThreadState_UncheckedGet() == NULL);
    }
}

PyAPI_FUNC(PyStatus) _Py_InitializeMain(void);

static void
test_two_steps(void)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config._init_main = 0;
    PyStatus status = PyConfig_SetString(&config, &config.program_name,
                                         L"./program");
    CHECK(!PyStatus_Exception(status));
    status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    CHECK(!PyStatus_Exception(status) && !Py_IsInitialized());
    status = _Py_InitializeMain();
    CHECK(!PyStatus_Exception(status) && Py_IsInitialized());
    CHECK(PyRun_SimpleString("import sys\n"
                             "assert sys.flags.isolated\n"
                             "assert sys.argv == ['']\n")
          == 0);
    CHECK(Py_FinalizeEx() == 0);
}

PyAPI_FUNC(void) _PyPathConfig_ClearGlobal(void);

static void
test_old_setters(void)
{
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    CHECK(Py_GetPrefix() == NULL && Py_GetPath() == NULL);
    Py_SetProgramName(L"some-name");
    CHECK(Py_SetStandardStreamEncoding("latin-1", "replace") == 0);
    Py_InitializeEx(0);
    CHECK(wcscmp(Py_GetProgramName(), L"some-name") == 0);
    CHECK(PyRun_SimpleString("import sys\n"
                             "assert sys.stdout.errors == 'replace'\n"
                             "assert sys.stdout.encoding == 'iso8859-1'\n")
          == 0);
    CHECK(Py_SetStandardStreamEncoding("utf-8", NULL) == -1);
    wchar_t path[4096];
    CHECK(wcslen(Py_GetPath()) < 4000);
    wcscpy(path, L"/nowhere:");
    wcscat(path, Py_GetPath());
    CHECK(Py_FinalizeEx() == 0);
    Py_SetPath(path);
    Py_InitializeEx(0);
    CHECK(PyRun_SimpleString("import sys\n"
                             "assert sys.path[0] == '/nowhere', sys.path\n")
          == 0);
    CHECK(Py_FinalizeEx() == 0);
    _PyPathConfig_ClearGlobal();
    _Py_COMP_DIAG_POP
}

int
main(void)
{
    test_again_and_again();
    test_two_steps();
    test_old_setters();
    return failures != 0;
}
