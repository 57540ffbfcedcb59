/* The verifier, on hand-made instructions and, with arguments, on .pyc files:
 *
 *     test_verify [FILE.pyc...]     (a file of names: @LIST)
 */
#include <Python.h>
#include <marshal.h>
#include <opcode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "code/code.h"
#include "code/verify.h"

static int failures, checked, refused;
static double seconds;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static void
check_tree(PyObject *code, const char *path)
{
    PyCodeObject *co = (PyCodeObject *)code;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    int err = kr_code_distrusted(co) ? kr_code_admit(co) : 0;
    clock_gettime(CLOCK_MONOTONIC, &b);
    seconds += (double)(b.tv_sec - a.tv_sec) +
               (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    checked++;
    if (err < 0) {
        refused++;
        fprintf(stderr, "%s: ", path);
        PyErr_Print();
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(co->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(co->co_consts, i);
        if (PyCode_Check(item)) {
            check_tree(item, path);
        }
    }
}

static void
check_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 16, SEEK_SET) != 0) {
        perror(path);
        failures++;
        return;
    }
    PyObject *code = PyMarshal_ReadLastObjectFromFile(f);
    fclose(f);
    if (code == NULL || !PyCode_Check(code)) {
        fprintf(stderr, "%s: no code\n", path);
        PyErr_Clear();
        return;
    }
    check_tree(code, path);
    Py_DECREF(code);
}

static void
check_list(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        check_file(line);
    }
    if (f != NULL) {
        fclose(f);
    }
}

/* The compiler's effects are those of the instructions' definitions. */
static void
test_effects(void)
{
    for (int op = 0; op < 256; op++) {
        for (int oparg = 0; oparg < 20; oparg++) {
            if (!(kr_opcode_flags[op] & KR_OP_KNOWN) || op >= KR_VERIFY) {
                continue;
            }
            int expected = PyCompile_OpcodeStackEffectWithJump(op, oparg, 0);
            long found = kr_opcode_leaves_for(op, oparg) -
                         kr_opcode_takes_for(op, oparg);
            switch (op) {
                case PRECALL: /* the arguments count as taken there */
                    expected += oparg;
                    break;
                case CALL:
                    expected -= oparg;
                    break;
                case RETURN_GENERATOR: /* counted from the start */
                    expected += 1;
                    break;
                default:
                    break;
            }
            if ((op == BUILD_SLICE && oparg < 2) ||
                (op == RAISE_VARARGS && oparg > 2) || op == CACHE ||
                (op == JUMP_IF_FALSE_OR_POP || op == JUMP_IF_TRUE_OR_POP)) {
                continue;
            }
            if (found != expected) {
                fprintf(stderr, "%s %d: %ld, compiler %d\n",
                        kr_opcode_names[op], oparg, found, expected);
                failures++;
            }
        }
    }
}

struct sample {
    const char *why; /* part of the complaint; NULL: fine */
    int stacksize, flags;
    const uint8_t code[64];
    int size;
    const uint8_t table[16]; /* exceptions, up to a zero */
};

#define CODE(...) {__VA_ARGS__}, (int)sizeof((uint8_t[]){__VA_ARGS__})
#define PRECALL_0 PRECALL, 0, 0, 0
#define CALL_0 CALL, 0, 0, 0, 0, 0, 0, 0, 0, 0

/* Consts: None, ("a",), 1. Names: x. Variables: v, cell c, free f. */
static const struct sample samples[] = {
    {NULL, 1, 0, CODE(RESUME, 0, LOAD_CONST, 0, RETURN_VALUE, 0)},
    {"no instr", 1, 0, {0}, 0},
    {"without an end", 1, 0, CODE(RESUME, 0, LOAD_CONST, 0)},
    {"stack overflow", 0, 0, CODE(LOAD_CONST, 0, RETURN_VALUE, 0)},
    {"stack underflow", 1, 0, CODE(RETURN_VALUE, 0)},
    {"stack underflow", 2, 0, CODE(LOAD_CONST, 0, BINARY_OP, 0, 0, 0)},
    {"out of range", 1, 0, CODE(LOAD_CONST, 3, RETURN_VALUE, 0)},
    {"out of range", 1, 0, CODE(LOAD_FAST, 3, RETURN_VALUE, 0)},
    {"out of range", 1, 0, CODE(LOAD_NAME, 1, RETURN_VALUE, 0)},
    {"cache cut off", 1, 0, CODE(LOAD_CONST, 0, RETURN_VALUE, 0,
                                 LOAD_GLOBAL, 0)},
    {"unknown opcode", 1, 0, CODE(200, 0, LOAD_CONST, 0, RETURN_VALUE, 0)},
    {NULL, 1, 0, CODE(LOAD_CONST, 0, RETURN_VALUE, 0, 200, 0)},
    {"special form", 1, 0, CODE(LOAD_FAST__LOAD_FAST, 0, RETURN_VALUE, 0)},
    {"not to be run", 1, 0, CODE(CACHE, 0, RETURN_VALUE, 0)},
    {"not to be run", 1, 0, CODE(KR_VERIFY, 0, RETURN_VALUE, 0)},
    {"not to be run", 1, 0, CODE(DO_TRACING, 0, RETURN_VALUE, 0)},
    {"NULL where", 1, 0, CODE(PUSH_NULL, 0, RETURN_VALUE, 0)},
    {"NULL where", 2, 0, CODE(PUSH_NULL, 0, COPY, 1, RETURN_VALUE, 0)},
    {"underflow", 2, 0, CODE(LOAD_CONST, 0, COPY, 2, RETURN_VALUE, 0)},
    {"underflow", 2, 0, CODE(LOAD_CONST, 0, SWAP, 2, RETURN_VALUE, 0)},
    {"NULL where", 2, 0, CODE(LOAD_CONST, 0, PUSH_NULL, 0, SWAP, 2, SWAP, 2,
                              RETURN_VALUE, 0)},
    {NULL, 2, 0, CODE(LOAD_CONST, 0, PUSH_NULL, 0, SWAP, 2, RETURN_VALUE, 0)},
    {"no instruction begins", 1, 0, CODE(JUMP_FORWARD, 5, LOAD_CONST, 0,
                                         RETURN_VALUE, 0)},
    {"no instruction begins", 1, 0, CODE(JUMP_BACKWARD, 5, LOAD_CONST, 0)},
    {"no instruction begins", 2, 0,
     CODE(JUMP_FORWARD, 1, LOAD_GLOBAL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
          RETURN_VALUE, 0)},
    {"no instruction begins", 2, 0,
     CODE(JUMP_FORWARD, 1, EXTENDED_ARG, 0, LOAD_CONST, 0, RETURN_VALUE, 0)},
    {"EXTENDED_ARG", 1, 0, CODE(LOAD_CONST, 0, RETURN_VALUE, 0, EXTENDED_ARG,
                                0)},
    {"EXTENDED_ARG", 1, 0, CODE(EXTENDED_ARG, 255, EXTENDED_ARG, 0,
                                EXTENDED_ARG, 0, LOAD_CONST, 0)},
    {"different stacks", 3, 0, CODE(LOAD_CONST, 0, JUMP_BACKWARD, 2)},
    {"different stacks", 3, 0,
     CODE(LOAD_CONST, 0, POP_JUMP_FORWARD_IF_TRUE, 1, LOAD_CONST, 0,
          LOAD_CONST, 0, RETURN_VALUE, 0)},
    {NULL, 3, 0, CODE(LOAD_CONST, 0, POP_JUMP_BACKWARD_IF_TRUE, 2,
                      JUMP_BACKWARD, 3)},
    {"no cell", 1, 0, CODE(LOAD_DEREF, 1, RETURN_VALUE, 0)},
    {NULL, 1, 0, CODE(MAKE_CELL, 1, LOAD_DEREF, 1, RETURN_VALUE, 0)},
    {"no cell", 1, 0, CODE(LOAD_DEREF, 2, RETURN_VALUE, 0)},
    {NULL, 1, 0, CODE(COPY_FREE_VARS, 1, LOAD_DEREF, 2, RETURN_VALUE, 0)},
    {"out of range", 1, 0, CODE(COPY_FREE_VARS, 2, LOAD_CONST, 0,
                                RETURN_VALUE, 0)},
    {"no cell", 1, 0, CODE(MAKE_CELL, 1, DELETE_FAST, 1, LOAD_DEREF, 1,
                           RETURN_VALUE, 0)},
    {"no cell", 1, 0, CODE(LOAD_CONST, 0, POP_JUMP_FORWARD_IF_TRUE, 1,
                           MAKE_CELL, 1, LOAD_DEREF, 1, RETURN_VALUE, 0)},
    {"free variable", 1, 0, CODE(COPY_FREE_VARS, 1, LOAD_CONST, 0, STORE_FAST,
                                 2, LOAD_CONST, 0, RETURN_VALUE, 0)},
    {NULL, 3, 0, CODE(PUSH_NULL, 0, LOAD_CONST, 0, PRECALL_0, CALL_0,
                      RETURN_VALUE, 0)},
    {"NULL where", 3, 0, CODE(PUSH_NULL, 0, PUSH_NULL, 0, PRECALL_0, CALL_0,
                              RETURN_VALUE, 0)},
    {"in pieces", 3, 0, CODE(PUSH_NULL, 0, LOAD_CONST, 0, PRECALL_0, NOP, 0,
                             CALL_0, RETURN_VALUE, 0)},
    {"more keyword names", 3, 0,
     CODE(PUSH_NULL, 0, LOAD_CONST, 0, KW_NAMES, 1, PRECALL_0, CALL_0,
          RETURN_VALUE, 0)},
    {"no tuple", 3, 0,
     CODE(PUSH_NULL, 0, LOAD_CONST, 0, KW_NAMES, 0, PRECALL_0, CALL_0,
          RETURN_VALUE, 0)},
    {"in pieces", 3, 0, CODE(KW_NAMES, 1, LOAD_CONST, 0, RETURN_VALUE, 0)},
    {"unasked", 1, 0, CODE(RETURN_GENERATOR, 0, RETURN_VALUE, 0)},
    {"twice", 2, CO_GENERATOR,
     CODE(RETURN_GENERATOR, 0, POP_TOP, 0, RETURN_GENERATOR, 0, RETURN_VALUE,
          0)},
    {"outside of a generator", 1, CO_GENERATOR,
     CODE(LOAD_CONST, 0, YIELD_VALUE, 0, RETURN_VALUE, 0)},
    {NULL, 1, CO_GENERATOR,
     CODE(RETURN_GENERATOR, 0, YIELD_VALUE, 0, RESUME, 1, RETURN_VALUE, 0)},
    {"stack underflow", 1, CO_GENERATOR,
     CODE(RETURN_GENERATOR, 0, YIELD_VALUE, 0, RESUME, 2, RETURN_VALUE, 0)},
    {"without SEND", 2, CO_GENERATOR,
     CODE(RETURN_GENERATOR, 0, LOAD_CONST, 0, YIELD_VALUE, 0, RESUME, 2,
          RETURN_VALUE, 0)},
    {NULL, 2, CO_GENERATOR,
     CODE(RETURN_GENERATOR, 0, GET_ITER, 0, LOAD_CONST, 0, SEND, 3,
          YIELD_VALUE, 0, RESUME, 2, JUMP_BACKWARD_NO_INTERRUPT, 4,
          RETURN_VALUE, 0)},
    {"out of range", 2, 0, CODE(LOAD_CONST, 0, LOAD_CONST, 0, BINARY_OP, 26,
                                0, 0, RETURN_VALUE, 0)},
    {"out of range", 2, 0, CODE(LOAD_CONST, 0, LOAD_CONST, 0, COMPARE_OP, 6,
                                0, 0, 0, 0, RETURN_VALUE, 0)},
    {NULL, 2, 0, CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0),
     {128, 2, 2, 0}},
    {"handler with", 1, 0, CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0),
     {128, 1, 2, 1}},
    {"handler with", 1, 0, CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0),
     {128, 1, 2, 2}},
    {"no instruction begins", 1, 0,
     CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0), {128, 1, 3}},
    {"exception table", 1, 0,
     CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0), {128, 1}},
    {"exception table", 1, 0,
     CODE(LOAD_NAME, 0, RETURN_VALUE, 0, RERAISE, 0), {1, 1, 1, 1}},
};

static void
test_sample(const struct sample *s)
{
    /* the zero that ends a table is a number of it where four are due */
    size_t table = strnlen((const char *)s->table, sizeof(s->table));
    table = table == 3 ? 4 : table;
    PyObject *consts = Py_BuildValue("(O(s)i)", Py_None, "a", 1);
    PyObject *names = Py_BuildValue("(s)", "x");
    PyObject *locals = Py_BuildValue("(sss)", "v", "c", "f");
    PyObject *name = PyUnicode_FromString("sample");
    PyObject *code = PyBytes_FromStringAndSize((const char *)s->code, s->size);
    PyObject *kinds = PyBytes_FromString("\x20\x40\x80");
    PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
    PyObject *exceptions =
        PyBytes_FromStringAndSize((const char *)s->table, (Py_ssize_t)table);
    struct kr_code_spec spec = {
        .filename = name,
        .name = name,
        .qualname = name,
        .flags = s->flags,
        .code = code,
        .linetable = empty,
        .consts = consts,
        .names = names,
        .localsplusnames = locals,
        .localspluskinds = kinds,
        .stacksize = s->stacksize,
        .exceptiontable = exceptions,
    };
    PyCodeObject *co = (PyCodeObject *)kr_code_new_foreign(&spec);
    int number = (int)(s - samples);
    if (co == NULL) {
        PyErr_Print();
        failures++;
    }
    else if (kr_code_admit(co) < 0) {
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyErr_NormalizeException(&type, &value, &tb);
        PyObject *text = PyObject_Str(value);
        if (s->why == NULL ||
            strstr(PyUnicode_AsUTF8(text), s->why) == NULL) {
            fprintf(stderr, "sample %d: %s\n", number,
                    PyUnicode_AsUTF8(text));
            failures++;
        }
        CHECK(kr_code_distrusted(co));
        Py_XDECREF(text);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(tb);
    }
    else {
        if (s->why != NULL) {
            fprintf(stderr, "sample %d: not refused: %s\n", number, s->why);
            failures++;
        }
        CHECK(!kr_code_distrusted(co));
        PyObject *back = PyCode_GetCode(co);
        CHECK(PyObject_RichCompareBool(back, code, Py_EQ) == 1);
        Py_XDECREF(back);
    }
    Py_XDECREF(co);
    Py_DECREF(consts);
    Py_DECREF(names);
    Py_DECREF(locals);
    Py_DECREF(name);
    Py_DECREF(code);
    Py_DECREF(kinds);
    Py_DECREF(empty);
    Py_DECREF(exceptions);
}

int
main(int argc, char **argv)
{
    Py_Initialize();
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '@') {
            check_list(argv[i] + 1);
        }
        else {
            check_file(argv[i]);
        }
    }
    if (argc > 1) {
        printf("%d code objects, %d refused, %.3f s\n", checked, refused,
               seconds);
    }
    test_effects();
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        test_sample(&samples[i]);
    }
    if (failures) {
        printf("%d failures\n", failures);
    }
    return failures != 0;
}
