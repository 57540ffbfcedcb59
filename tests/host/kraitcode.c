/* _kraitcode: the whole front end inside CPython.
 * compile(source: bytes, filename, optimize, start, flags) -> code object. Link with
 * host_code.c, which makes the code objects CPython's. */
#define PY_SSIZE_T_CLEAN
#include "front/front.h"

#include "front/ast/ast.h"

PyMODINIT_FUNC PyInit__kraitcode(void);

static PyObject *
compile(PyObject *self, PyObject *args)
{
    const char *source;
    Py_ssize_t len;
    PyObject *filename;
    int optimize = 0, start = Py_file_input;
    PyCompilerFlags flags = {0, PY_MINOR_VERSION};
    if (!PyArg_ParseTuple(args, "s#U|iii", &source, &len, &filename, &optimize,
                          &start, &flags.cf_flags)) {
        return NULL;
    }
    return kr_front_compile(source, len, filename, start, &flags, optimize);
}

static PyMethodDef methods[] = {
    {"compile", compile, METH_VARARGS, NULL},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kraitcode",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__kraitcode(void)
{
    return PyModule_Create(&module);
}
