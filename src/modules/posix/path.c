/* Path, descriptor and id arguments of `posix`, and the fspath protocol. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A method looked up on the type and bound; new reference. NULL without an
 * exception when the type has none. */
static PyObject *
lookup_special(PyObject *o, PyObject *name)
{
    PyObject *func = _PyType_Lookup(Py_TYPE(o), name);
    if (func == NULL) {
        return NULL;
    }
    descrgetfunc get = Py_TYPE(func)->tp_descr_get;
    return get == NULL ? Py_NewRef(func)
                       : get(func, o, (PyObject *)Py_TYPE(o));
}

PyObject *
PyOS_FSPath(PyObject *path)
{
    if (PyUnicode_Check(path) || PyBytes_Check(path)) {
        return Py_NewRef(path);
    }
    PyObject *func = lookup_special(path, KR_ID(__fspath__));
    if (func == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "expected str, bytes or os.PathLike object, "
                         "not %.200s",
                         Py_TYPE(path)->tp_name);
        }
        return NULL;
    }
    PyObject *res = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (res != NULL && !PyUnicode_Check(res) && !PyBytes_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "expected %.200s.__fspath__() to return str or bytes, "
                     "not %.200s",
                     Py_TYPE(path)->tp_name, Py_TYPE(res)->tp_name);
        Py_CLEAR(res);
    }
    return res;
}

PyObject *
kr_posix_error(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

PyObject *
kr_posix_path_error(posix_path *path)
{
    return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path->object);
}

PyObject *
kr_posix_path_error2(posix_path *path, posix_path *path2)
{
    return PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, path->object,
                                                 path2->object);
}

PyObject *
kr_posix_none_or_error(int rc)
{
    if (rc < 0) {
        return kr_posix_error();
    }
    Py_RETURN_NONE;
}

static bool
convert_fd(PyObject *o, int *out)
{
    PyObject *index = PyNumber_Index(o);
    int overflow;
    if (index == NULL) {
        return false;
    }
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred()) {
        return false;
    }
    if (overflow > 0 || value > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "fd is greater than maximum");
        return false;
    }
    if (overflow < 0 || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "fd is less than minimum");
        return false;
    }
    *out = (int)value;
    return true;
}

bool
kr_posix_arg_dir_fd(PyObject *o, int *out)
{
    *out = AT_FDCWD;
    if (o == NULL || o == Py_None) {
        return true;
    }
    if (PyIndex_Check(o)) {
        return convert_fd(o, out);
    }
    PyErr_Format(PyExc_TypeError,
                 "argument should be integer or None, not %.200s",
                 Py_TYPE(o)->tp_name);
    return false;
}

bool
kr_posix_arg_fileno(PyObject *o, int *out)
{
    *out = PyObject_AsFileDescriptor(o);
    return *out >= 0;
}

bool
kr_posix_arg_fspath(PyObject *o, PyObject **out)
{
    return PyUnicode_FSConverter(o, out) != 0;
}

static bool
path_type_error(posix_path *path, PyObject *o)
{
    PyErr_Format(
        PyExc_TypeError, "%s%s%s should be %s, not %.200s",
        path->function ? path->function : "", path->function ? ": " : "",
        path->argument ? path->argument : "path",
        path->allow_fd && path->nullable
            ? "string, bytes, os.PathLike, integer or None"
        : path->allow_fd ? "string, bytes, os.PathLike or integer"
        : path->nullable ? "string, bytes, os.PathLike or None"
                         : "string, bytes or os.PathLike",
        Py_TYPE(o)->tp_name);
    return false;
}

/* Takes the characters of the bytes object `bytes`, which it steals. */
static bool
path_from_bytes(posix_path *path, PyObject *bytes)
{
    path->cleanup = bytes;
    path->narrow = PyBytes_AS_STRING(bytes);
    path->length = PyBytes_GET_SIZE(bytes);
    if (strlen(path->narrow) != (size_t)path->length) {
        PyErr_Format(PyExc_ValueError, "%s%sembedded null character in %s",
                     path->function ? path->function : "",
                     path->function ? ": " : "",
                     path->argument ? path->argument : "path");
        return false;
    }
    return true;
}

static bool
path_from_str(posix_path *path, PyObject *str)
{
    PyObject *bytes;
    return PyUnicode_FSConverter(str, &bytes) && path_from_bytes(path, bytes);
}

/* Any other object with the buffer protocol: deprecated, still taken. */
static bool
path_from_buffer(posix_path *path, PyObject *o)
{
    if (PyErr_WarnFormat(
            PyExc_DeprecationWarning, 1, "%s%s%s should be %s, not %.200s",
            path->function ? path->function : "", path->function ? ": " : "",
            path->argument ? path->argument : "path",
            path->allow_fd && path->nullable
                ? "string, bytes, os.PathLike, integer or None"
            : path->allow_fd ? "string, bytes, os.PathLike or integer"
            : path->nullable ? "string, bytes, os.PathLike or None"
                             : "string, bytes or os.PathLike",
            Py_TYPE(o)->tp_name)) {
        return false;
    }
    PyObject *bytes = PyBytes_FromObject(o);
    return bytes != NULL && path_from_bytes(path, bytes);
}

bool
kr_posix_path_convert(PyObject *o, posix_path *path)
{
    path->object = o;
    if (o == NULL || o == Py_None) {
        if (path->nullable) {
            return true;
        }
        return path_type_error(path, Py_None);
    }
    if (PyUnicode_Check(o)) {
        return path_from_str(path, o);
    }
    if (PyBytes_Check(o)) {
        return path_from_bytes(path, Py_NewRef(o));
    }
    if (PyObject_CheckBuffer(o)) {
        return path_from_buffer(path, o);
    }
    if (path->allow_fd && PyIndex_Check(o)) {
        return convert_fd(o, &path->fd);
    }
    PyObject *func = lookup_special(o, KR_ID(__fspath__));
    if (func == NULL) {
        return PyErr_Occurred() ? false : path_type_error(path, o);
    }
    PyObject *res = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (res == NULL) {
        return false;
    }
    if (PyUnicode_Check(res) || PyBytes_Check(res)) {
        path->object = path->fspath = res;
        return PyUnicode_Check(res) ? path_from_str(path, res)
                                    : path_from_bytes(path, Py_NewRef(res));
    }
    PyErr_Format(PyExc_TypeError,
                 "expected %.200s.__fspath__() to return str or bytes, "
                 "not %.200s",
                 Py_TYPE(o)->tp_name, Py_TYPE(res)->tp_name);
    Py_DECREF(res);
    return false;
}

void
kr_posix_path_done(posix_path *path)
{
    Py_CLEAR(path->cleanup);
    Py_CLEAR(path->fspath);
}

/* Ids are unsigned but -1 means "leave as it is" to chown and setreuid. */
static bool
convert_id(PyObject *o, const char *name, unsigned int *out)
{
    PyObject *index = PyNumber_Index(o);
    int overflow;
    if (index == NULL) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", name,
                     Py_TYPE(o)->tp_name);
        return false;
    }
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow > 0 || value > (long)UINT_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", name);
        return false;
    }
    if (overflow < 0 || value < -1) {
        PyErr_Format(PyExc_OverflowError, "%s is less than minimum", name);
        return false;
    }
    /* the largest value is what -1 becomes */
    *out = (unsigned int)value;
    return true;
}

int
_Py_Uid_Converter(PyObject *o, uid_t *p)
{
    return convert_id(o, "uid", p);
}

int
_Py_Gid_Converter(PyObject *o, gid_t *p)
{
    return convert_id(o, "gid", p);
}

PyObject *
_PyLong_FromUid(uid_t uid)
{
    return uid == (uid_t)-1 ? PyLong_FromLong(-1)
                            : PyLong_FromUnsignedLong(uid);
}

PyObject *
_PyLong_FromGid(gid_t gid)
{
    return gid == (gid_t)-1 ? PyLong_FromLong(-1)
                            : PyLong_FromUnsignedLong(gid);
}

bool
kr_posix_arg_dev(PyObject *o, dev_t *out)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(o);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) {
        return false;
    }
    *out = (dev_t)value;
    return true;
}

static PyObject *
os_fspath(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fspath", "path");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    return PyOS_FSPath(a[0]);
}

/* str in, str out; the work is shared with sys.path computation. */
static PyObject *
os_path_normpath(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("_path_normpath", "path");
    PyObject *a[1];
    Py_ssize_t len;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!PyUnicode_Check(a[0])) {
        PyErr_Format(PyExc_TypeError, "expected 'str', not '%.200s'",
                     Py_TYPE(a[0])->tp_name);
        return NULL;
    }
    wchar_t *buf = PyUnicode_AsWideCharString(a[0], &len);
    if (buf == NULL) {
        return NULL;
    }
    size_t n = kr_normpath(buf, (size_t)len);
    PyObject *res = PyUnicode_FromWideChar(buf, (Py_ssize_t)n);
    PyMem_Free(buf);
    return res;
}

PyMethodDef kr_posix_path_methods[] = {
    {"fspath", KR_CAST(os_fspath), KR_FAST,
     "fspath($module, /, path)\n--\n\n"
     "The file system path of an object: a str or bytes as it is, else what "
     "its __fspath__() gives."},
    {"_path_normpath", KR_CAST(os_path_normpath), KR_FAST,
     "_path_normpath($module, /, path)\n--\n\nNormalise a path."},
    {NULL},
};
