/* Module _tokenize: our lexer as an iterator, for tests and tools. */
#define PY_SSIZE_T_CLEAN
#include "front/lexer/lexer.h"
#include "objects/args/named.h"

PyMODINIT_FUNC PyInit__tokenize(void);

struct tokenizer_iter {
    PyObject_HEAD
    KrLexer *lexer;
    PyObject *filename;
};

static PyObject *
iter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source", NULL};
    const char *source;
    if (!kr_parse_tuple_named(args, kwargs, "s:tokenizeriter", names,
                              &source)) {
        return NULL;
    }
    struct tokenizer_iter *self =
        (struct tokenizer_iter *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->filename = PyUnicode_FromString("<string>");
    self->lexer = PyMem_Calloc(1, sizeof(KrLexer));
    if (self->lexer == NULL) {
        PyErr_NoMemory();
    }
    if (self->filename == NULL || self->lexer == NULL ||
        kr_lexer_init(self->lexer, source, strlen(source), true,
                      self->filename) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
iter_next(PyObject *op)
{
    KrLexer *t = ((struct tokenizer_iter *)op)->lexer;
    const char *start, *end;
    int type = kr_lexer_next(t, &start, &end);
    if (type == T_ERRORTOKEN || type == T_ENDMARKER) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_StopIteration, "EOF");
        }
        return NULL;
    }
    if (type == T_NAME) {
        int keyword = kr_keyword_type(start, (size_t)(end - start));
        type = keyword == T_ASYNC || keyword == T_AWAIT ? keyword : T_NAME;
    }
    const char *line = type == T_STRING ? t->multi_line_start : t->line_start;
    PyObject *text = start == NULL
                         ? PyUnicode_FromString("")
                         : PyUnicode_DecodeUTF8(start, end - start, NULL);
    PyObject *context =
        PyUnicode_DecodeUTF8(t->context, t->inp - t->context, "replace");
    if (text == NULL || context == NULL) {
        Py_XDECREF(text);
        Py_XDECREF(context);
        return NULL;
    }
    int col = start != NULL && start >= line ? (int)(start - line) : -1;
    int end_col = end != NULL && end >= t->line_start
                      ? (int)(end - t->line_start)
                      : -1;
    return Py_BuildValue("(NiiiiiN)", text, type,
                         type == T_STRING ? t->first_lineno : t->lineno,
                         t->lineno, col, end_col, context);
}

static void
iter_dealloc(PyObject *op)
{
    struct tokenizer_iter *self = (struct tokenizer_iter *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->lexer != NULL) {
        kr_lexer_fini(self->lexer);
        PyMem_Free(self->lexer);
    }
    Py_XDECREF(self->filename);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot iter_slots[] = {
    {Py_tp_new, iter_new},
    {Py_tp_dealloc, iter_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iter_next},
    {0, NULL},
};

static PyType_Spec iter_spec = {
    .name = "_tokenize.TokenizerIter",
    .basicsize = sizeof(struct tokenizer_iter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iter_slots,
};

static int
tokenize_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}

static PyModuleDef_Slot tokenize_slots[] = {
    {Py_mod_exec, tokenize_exec},
    {0, NULL},
};

static struct PyModuleDef tokenize_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tokenize",
    .m_slots = tokenize_slots,
};

PyMODINIT_FUNC
PyInit__tokenize(void)
{
    return PyModuleDef_Init(&tokenize_module);
}
