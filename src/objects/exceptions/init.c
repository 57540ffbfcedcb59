/* The table of built-in exceptions: the PyExc_ pointers, start-up, and what
 * `builtins` shows. */
#include <Python.h>

#include "objects/exceptions/exc.h"
#include "objects/exceptions/group.h"

#define X(name, base)                                                          \
    PyObject *PyExc_##name = (PyObject *)&KR_EXC(name);
#include "objects/exceptions/exceptions.def"
#undef X
PyObject *PyExc_EnvironmentError = (PyObject *)&KR_EXC(OSError);
PyObject *PyExc_IOError = (PyObject *)&KR_EXC(OSError);

static const struct {
    const char *name;
    PyTypeObject *type;
} exception_types[] = {
#define X(name, base) {#name, &KR_EXC(name)},
#include "objects/exceptions/exceptions.def"
#undef X
    {"EnvironmentError", &KR_EXC(OSError)},
    {"IOError", &KR_EXC(OSError)},
};

#define COUNT (sizeof(exception_types) / sizeof(*exception_types))

int
kr_exceptions_init(void)
{
    KR_EXC(BaseException).tp_base = &PyBaseObject_Type;
    for (size_t i = 0; i < COUNT; i++) {
        if (PyType_Ready(exception_types[i].type) < 0) {
            return -1;
        }
    }
    return kr_memory_error_init();
}

int
kr_exceptions_publish(PyObject *dict)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (PyDict_SetItemString(dict, exception_types[i].name,
                                 (PyObject *)exception_types[i].type) < 0) {
            return -1;
        }
    }
    if (kr_exception_group_class() == NULL && kr_exception_group_init() < 0) {
        return -1;
    }
    return PyDict_SetItemString(dict, "ExceptionGroup",
                                kr_exception_group_class());
}
