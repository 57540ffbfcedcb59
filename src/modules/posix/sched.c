/* Scheduling policy, parameters and CPU affinity. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <time.h>

#include "modules/posix/sched.h"

static PyStructSequence_Field sched_param_fields[] = {
    {"sched_priority", "the scheduling priority"},
    {NULL},
};

static PyStructSequence_Desc sched_param_desc = {
    "posix.sched_param",
    "sched_param(sched_priority)\n--\n\n"
    "Parameters of a scheduling policy.",
    sched_param_fields,
    1,
};

static PyObject *
sched_param_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("sched_param", "sched_priority");
    PyObject *a[1];
    if (!kr_unpack_tuple(args, kwargs, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    PyObject *res = PyStructSequence_New(type);
    if (res != NULL) {
        PyStructSequence_SET_ITEM(res, 0, Py_NewRef(a[0]));
    }
    return res;
}

bool
kr_posix_arg_sched_param(PyObject *module, PyObject *o, struct sched_param *out)
{
    if (!Py_IS_TYPE(o, posix_get_state(module)->sched_param)) {
        PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
        return false;
    }
    long priority = PyLong_AsLong(PyStructSequence_GET_ITEM(o, 0));
    if (priority == -1 && PyErr_Occurred()) {
        return false;
    }
    if (priority > INT_MAX || priority < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "sched_priority out of range");
        return false;
    }
    out->sched_priority = (int)priority;
    return true;
}

static PyObject *
os_sched_get_priority_max(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("sched_get_priority_max", "policy");
    PyObject *a[1];
    int policy;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &policy)) {
        return NULL;
    }
    int value = sched_get_priority_max(policy);
    return value < 0 ? kr_posix_error() : PyLong_FromLong(value);
}

static PyObject *
os_sched_get_priority_min(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("sched_get_priority_min", "policy");
    PyObject *a[1];
    int policy;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &policy)) {
        return NULL;
    }
    int value = sched_get_priority_min(policy);
    return value < 0 ? kr_posix_error() : PyLong_FromLong(value);
}

static PyObject *
os_sched_getscheduler(PyObject *module, PyObject *arg)
{
    int pid;
    if (!kr_arg_parsed_int(arg, &pid)) {
        return NULL;
    }
    int policy = sched_getscheduler(pid);
    return policy < 0 ? kr_posix_error() : PyLong_FromLong(policy);
}

static PyObject *
os_sched_setscheduler(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs)
{
    int pid, policy;
    struct sched_param param;
    if (!_PyArg_CheckPositional("sched_setscheduler", nargs, 3, 3) ||
        !kr_arg_parsed_int(args[0], &pid) || !kr_arg_int(args[1], &policy) ||
        !kr_posix_arg_sched_param(module, args[2], &param)) {
        return NULL;
    }
    return kr_posix_none_or_error(
        sched_setscheduler(pid, policy, &param) == -1 ? -1 : 0);
}

static PyObject *
os_sched_getparam(PyObject *module, PyObject *arg)
{
    int pid;
    struct sched_param param;
    if (!kr_arg_parsed_int(arg, &pid)) {
        return NULL;
    }
    if (sched_getparam(pid, &param)) {
        return kr_posix_error();
    }
    PyObject *priority = PyLong_FromLong(param.sched_priority);
    PyObject *res =
        priority ? PyStructSequence_New(posix_get_state(module)->sched_param)
                 : NULL;
    if (res == NULL) {
        Py_XDECREF(priority);
        return NULL;
    }
    PyStructSequence_SET_ITEM(res, 0, priority);
    return res;
}

static PyObject *
os_sched_setparam(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int pid;
    struct sched_param param;
    if (!_PyArg_CheckPositional("sched_setparam", nargs, 2, 2) ||
        !kr_arg_parsed_int(args[0], &pid) ||
        !kr_posix_arg_sched_param(module, args[1], &param)) {
        return NULL;
    }
    return kr_posix_none_or_error(sched_setparam(pid, &param) ? -1 : 0);
}

static PyObject *
os_sched_rr_get_interval(PyObject *module, PyObject *arg)
{
    int pid;
    struct timespec ts;
    if (!kr_arg_parsed_int(arg, &pid)) {
        return NULL;
    }
    if (sched_rr_get_interval(pid, &ts) == -1) {
        return kr_posix_error();
    }
    return PyFloat_FromDouble((double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec);
}

static PyObject *
os_sched_yield(PyObject *module, PyObject *unused)
{
    int rc;
    POSIX_NO_GIL(rc = sched_yield());
    return kr_posix_none_or_error(rc);
}

/* Puts the CPU numbers of `iterable` into a mask that grows with them. */
static cpu_set_t *
mask_from_iterable(PyObject *iterable, size_t *size)
{
    int ncpus = 64;
    PyObject *it = PyObject_GetIter(iterable), *item;
    if (it == NULL) {
        return NULL;
    }
    cpu_set_t *mask = CPU_ALLOC(ncpus);
    *size = CPU_ALLOC_SIZE(ncpus);
    if (mask == NULL) {
        PyErr_NoMemory();
    }
    else {
        CPU_ZERO_S(*size, mask);
    }
    while (mask != NULL && (item = PyIter_Next(it)) != NULL) {
        if (!PyLong_Check(item)) {
            PyErr_Format(PyExc_TypeError,
                         "expected an iterator of ints, but iterator yielded "
                         "%R",
                         Py_TYPE(item));
            Py_DECREF(item);
            break;
        }
        long cpu = PyLong_AsLong(item);
        Py_DECREF(item);
        if (cpu < 0) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "negative CPU number");
            }
            break;
        }
        if (cpu > INT_MAX - 1) {
            PyErr_SetString(PyExc_OverflowError, "CPU number too large");
            break;
        }
        if (cpu >= ncpus) {
            int bigger = ncpus;
            while (bigger <= cpu) {
                bigger = bigger > INT_MAX / 2 ? (int)cpu + 1 : bigger * 2;
            }
            size_t new_size = CPU_ALLOC_SIZE(bigger);
            cpu_set_t *grown = CPU_ALLOC(bigger);
            if (grown == NULL) {
                PyErr_NoMemory();
                break;
            }
            memset(grown, 0, new_size);
            memcpy(grown, mask, *size);
            CPU_FREE(mask);
            mask = grown;
            *size = new_size;
            ncpus = bigger;
        }
        CPU_SET_S(cpu, *size, mask);
    }
    Py_DECREF(it);
    if (mask != NULL && PyErr_Occurred()) {
        CPU_FREE(mask);
        mask = NULL;
    }
    return mask;
}

static PyObject *
os_sched_setaffinity(PyObject *module, PyObject *const *args,
                     Py_ssize_t nargs)
{
    int pid;
    size_t size;
    if (!_PyArg_CheckPositional("sched_setaffinity", nargs, 2, 2) ||
        !kr_arg_parsed_int(args[0], &pid)) {
        return NULL;
    }
    cpu_set_t *mask = mask_from_iterable(args[1], &size);
    if (mask == NULL) {
        return NULL;
    }
    PyObject *res = kr_posix_none_or_error(sched_setaffinity(pid, size, mask));
    CPU_FREE(mask);
    return res;
}

static PyObject *
os_sched_getaffinity(PyObject *module, PyObject *arg)
{
    int pid, ncpus = 64;
    cpu_set_t *mask;
    size_t size;
    if (!kr_arg_parsed_int(arg, &pid)) {
        return NULL;
    }
    for (;; ncpus *= 2) {
        size = CPU_ALLOC_SIZE(ncpus);
        mask = CPU_ALLOC(ncpus);
        if (mask == NULL) {
            return PyErr_NoMemory();
        }
        if (sched_getaffinity(pid, size, mask) == 0) {
            break;
        }
        CPU_FREE(mask);
        if (errno != EINVAL) {
            return kr_posix_error();
        }
        if (ncpus > INT_MAX / 2) {
            PyErr_SetString(PyExc_OverflowError,
                            "could not allocate a large enough CPU set");
            return NULL;
        }
    }
    PyObject *set = PySet_New(NULL);
    int left = CPU_COUNT_S(size, mask);
    for (int cpu = 0; set != NULL && left > 0; cpu++) {
        if (CPU_ISSET_S((size_t)cpu, size, mask)) {
            PyObject *number = PyLong_FromLong(cpu);
            left--;
            if (number == NULL || PySet_Add(set, number) < 0) {
                Py_CLEAR(set);
            }
            Py_XDECREF(number);
        }
    }
    CPU_FREE(mask);
    return set;
}

int
kr_posix_sched_exec(PyObject *module, posix_state *state)
{
    state->sched_param =
        kr_posix_add_structseq(module, "sched_param", &sched_param_desc);
    if (state->sched_param == NULL) {
        return -1;
    }
    state->sched_param->tp_new = sched_param_new;
    return 0;
}

PyMethodDef kr_posix_sched_methods[] = {
    {"sched_get_priority_max", KR_CAST(os_sched_get_priority_max), KR_FAST,
     "sched_get_priority_max($module, /, policy)\n--\n\n"
     "Highest priority of a policy."},
    {"sched_get_priority_min", KR_CAST(os_sched_get_priority_min), KR_FAST,
     "sched_get_priority_min($module, /, policy)\n--\n\n"
     "Lowest priority of a policy."},
    {"sched_getscheduler", os_sched_getscheduler, METH_O,
     "sched_getscheduler($module, pid, /)\n--\n\nPolicy of a process."},
    {"sched_setscheduler", KR_CAST(os_sched_setscheduler), METH_FASTCALL,
     "sched_setscheduler($module, pid, policy, param, /)\n--\n\n"
     "Set policy and parameters of a process."},
    {"sched_getparam", os_sched_getparam, METH_O,
     "sched_getparam($module, pid, /)\n--\n\n"
     "Scheduling parameters of a process."},
    {"sched_setparam", KR_CAST(os_sched_setparam), METH_FASTCALL,
     "sched_setparam($module, pid, param, /)\n--\n\n"
     "Set the scheduling parameters of a process."},
    {"sched_rr_get_interval", os_sched_rr_get_interval, METH_O,
     "sched_rr_get_interval($module, pid, /)\n--\n\n"
     "Round-robin time slice of a process in seconds."},
    {"sched_yield", os_sched_yield, METH_NOARGS,
     "sched_yield($module, /)\n--\n\nGive up the CPU."},
    {"sched_setaffinity", KR_CAST(os_sched_setaffinity), METH_FASTCALL,
     "sched_setaffinity($module, pid, mask, /)\n--\n\n"
     "Restrict a process to some CPUs."},
    {"sched_getaffinity", os_sched_getaffinity, METH_O,
     "sched_getaffinity($module, pid, /)\n--\n\n"
     "The set of CPUs that a process may run on."},
    {NULL},
};
