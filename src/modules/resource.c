/* The `resource` module: limits and usage of system resources. */
#include <Python.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "modules/kwargs.h"
#include "modules/modfree.h"

typedef struct {
    PyTypeObject *struct_rusage;
} resource_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"RLIMIT_AS", (long)RLIMIT_AS},
    {"RLIMIT_CORE", (long)RLIMIT_CORE},
    {"RLIMIT_CPU", (long)RLIMIT_CPU},
    {"RLIMIT_DATA", (long)RLIMIT_DATA},
    {"RLIMIT_FSIZE", (long)RLIMIT_FSIZE},
    {"RLIMIT_MEMLOCK", (long)RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", (long)RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", (long)RLIMIT_NICE},
    {"RLIMIT_NOFILE", (long)RLIMIT_NOFILE},
    {"RLIMIT_NPROC", (long)RLIMIT_NPROC},
    {"RLIMIT_OFILE", (long)RLIMIT_OFILE},
    {"RLIMIT_RSS", (long)RLIMIT_RSS},
    {"RLIMIT_RTPRIO", (long)RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", (long)RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", (long)RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", (long)RLIMIT_STACK},
    {"RLIM_INFINITY", (long)RLIM_INFINITY},
    {"RUSAGE_CHILDREN", (long)RUSAGE_CHILDREN},
    {"RUSAGE_SELF", (long)RUSAGE_SELF},
    {"RUSAGE_THREAD", (long)RUSAGE_THREAD},
};

static PyStructSequence_Field rusage_fields[] = {
    {"ru_utime", "user time used"},
    {"ru_stime", "system time used"},
    {"ru_maxrss", "max. resident set size"},
    {"ru_ixrss", "shared memory size"},
    {"ru_idrss", "unshared data size"},
    {"ru_isrss", "unshared stack size"},
    {"ru_minflt", "page faults not requiring I/O"},
    {"ru_majflt", "page faults requiring I/O"},
    {"ru_nswap", "number of swap outs"},
    {"ru_inblock", "block input operations"},
    {"ru_oublock", "block output operations"},
    {"ru_msgsnd", "IPC messages sent"},
    {"ru_msgrcv", "IPC messages received"},
    {"ru_nsignals", "signals received"},
    {"ru_nvcsw", "voluntary context switches"},
    {"ru_nivcsw", "involuntary context switches"},
    {NULL},
};

static PyStructSequence_Desc rusage_desc = {
    "resource.struct_rusage",
    "struct_rusage: what resource.getrusage() gives.",
    rusage_fields,
    16,
};

static double
seconds(const struct timeval *tv)
{
    return (double)tv->tv_sec + (double)tv->tv_usec * 0.000001;
}

static PyObject *
resource_getrusage(PyObject *module, PyObject *arg)
{
    resource_state *state = PyModule_GetState(module);
    struct rusage ru;
    int who;
    if (!kr_arg_int(arg, &who)) {
        return NULL;
    }
    if (getrusage((__rusage_who_t)who, &ru) == -1) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "invalid who parameter");
            return NULL;
        }
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *v = PyStructSequence_New(state->struct_rusage);
    if (v == NULL) {
        return NULL;
    }
    const long counts[] = {
        ru.ru_maxrss,  ru.ru_ixrss,  ru.ru_idrss,    ru.ru_isrss,
        ru.ru_minflt,  ru.ru_majflt, ru.ru_nswap,    ru.ru_inblock,
        ru.ru_oublock, ru.ru_msgsnd, ru.ru_msgrcv,   ru.ru_nsignals,
        ru.ru_nvcsw,   ru.ru_nivcsw,
    };
    PyStructSequence_SET_ITEM(v, 0, PyFloat_FromDouble(seconds(&ru.ru_utime)));
    PyStructSequence_SET_ITEM(v, 1, PyFloat_FromDouble(seconds(&ru.ru_stime)));
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(counts); i++) {
        PyStructSequence_SET_ITEM(v, i + 2, PyLong_FromLong(counts[i]));
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static int
take_limits(PyObject *limits, struct rlimit *rl)
{
    PyObject *tuple = PySequence_Tuple(limits);
    if (tuple == NULL) {
        return -1;
    }
    if (PyTuple_GET_SIZE(tuple) != 2) {
        PyErr_SetString(PyExc_ValueError, "expected a tuple of 2 integers");
        Py_DECREF(tuple);
        return -1;
    }
    rl->rlim_cur = (rlim_t)PyLong_AsLong(PyTuple_GET_ITEM(tuple, 0));
    if (rl->rlim_cur != (rlim_t)-1 || !PyErr_Occurred()) {
        rl->rlim_max = (rlim_t)PyLong_AsLong(PyTuple_GET_ITEM(tuple, 1));
    }
    Py_DECREF(tuple);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
limits_tuple(const struct rlimit *rl)
{
    return Py_BuildValue("LL", (long long)rl->rlim_cur,
                         (long long)rl->rlim_max);
}

static bool
known_resource(int resource)
{
    if (resource < 0 || resource >= (int)RLIM_NLIMITS) {
        PyErr_SetString(PyExc_ValueError, "invalid resource specified");
        return false;
    }
    return true;
}

static PyObject *
resource_getrlimit(PyObject *module, PyObject *arg)
{
    struct rlimit rl;
    int resource;
    if (!kr_arg_int(arg, &resource) || !known_resource(resource)) {
        return NULL;
    }
    if (getrlimit((__rlimit_resource_t)resource, &rl) == -1) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return limits_tuple(&rl);
}

static PyObject *
set_error(void)
{
    if (errno == EINVAL) {
        PyErr_SetString(PyExc_ValueError,
                        "current limit exceeds maximum limit");
    }
    else if (errno == EPERM) {
        PyErr_SetString(PyExc_ValueError,
                        "not allowed to raise maximum limit");
    }
    else {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return NULL;
}

static PyObject *
resource_setrlimit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct rlimit rl;
    int resource;
    if (!_PyArg_CheckPositional("setrlimit", nargs, 2, 2) ||
        !kr_arg_int(args[0], &resource) || !known_resource(resource) ||
        PySys_Audit("resource.setrlimit", "iO", resource, args[1]) < 0 ||
        take_limits(args[1], &rl) < 0) {
        return NULL;
    }
    if (setrlimit((__rlimit_resource_t)resource, &rl) == -1) {
        return set_error();
    }
    Py_RETURN_NONE;
}

static PyObject *
resource_prlimit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct rlimit new_limit, old_limit;
    int pid, resource;
    bool set = nargs > 2 && args[2] != Py_None;
    if (!_PyArg_CheckPositional("prlimit", nargs, 2, 3) ||
        !kr_arg_int(args[0], &pid) || !kr_arg_int(args[1], &resource) ||
        !known_resource(resource) ||
        PySys_Audit("resource.prlimit", "iiO", pid, resource,
                    nargs > 2 ? args[2] : Py_None) < 0 ||
        (set && take_limits(args[2], &new_limit) < 0)) {
        return NULL;
    }
    if (prlimit(pid, (__rlimit_resource_t)resource, set ? &new_limit : NULL,
                &old_limit) == -1) {
        if (errno == EINVAL) {
            return set_error();
        }
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return limits_tuple(&old_limit);
}

static PyObject *
resource_getpagesize(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(sysconf(_SC_PAGESIZE));
}

static PyMethodDef resource_methods[] = {
    {"getrusage", resource_getrusage, METH_O,
     "getrusage($module, who, /)\n--\n\nResources used so far."},
    {"getrlimit", resource_getrlimit, METH_O,
     "getrlimit($module, resource, /)\n--\n\n"
     "Soft and hard limit of a resource."},
    {"prlimit", KR_CAST(resource_prlimit), METH_FASTCALL,
     "prlimit(pid, resource, [limits])\n\n"
     "Get and maybe set the limits of a process."},
    {"setrlimit", KR_CAST(resource_setrlimit), METH_FASTCALL,
     "setrlimit($module, resource, limits, /)\n--\n\n"
     "Set the limits of a resource."},
    {"getpagesize", resource_getpagesize, METH_NOARGS,
     "getpagesize($module, /)\n--\n\nBytes in a page of memory."},
    {NULL},
};

static int
resource_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    resource_state *state = PyModule_GetState(module);
    state->struct_rusage = PyStructSequence_NewType(&rusage_desc);
    if (state->struct_rusage == NULL ||
        PyModule_AddType(module, state->struct_rusage) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "error", PyExc_OSError);
}

static int
resource_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((resource_state *)PyModule_GetState(module))->struct_rusage);
    return 0;
}

static int
resource_clear(PyObject *module)
{
    Py_CLEAR(((resource_state *)PyModule_GetState(module))->struct_rusage);
    return 0;
}

static PyModuleDef_Slot resource_slots[] = {
    {Py_mod_exec, resource_exec},
    {0, NULL},
};

static PyModuleDef resource_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "resource",
    .m_doc = "Limits and usage of system resources.",
    .m_size = sizeof(resource_state),
    .m_methods = resource_methods,
    .m_slots = resource_slots,
    .m_traverse = resource_traverse,
    .m_clear = resource_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_resource(void)
{
    return PyModuleDef_Init(&resource_def);
}
