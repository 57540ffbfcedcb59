/* str in the encoding of the locale and of the file system. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <wchar.h>

#include "objects/interp.h"
#include "objects/str/codec_errors.h"
#include "objects/str/locale.h"
#include "objects/str/str.h"

/* --- locale ------------------------------------------------------------------- */

static void
raise_decode(const char *s, Py_ssize_t n, size_t pos, const char *reason)
{
    PyObject *why = PyUnicode_DecodeLocale(reason, "surrogateescape");
    PyObject *exc = NULL;
    if (why != NULL) {
        exc = PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nnO",
                                    "locale", s, (Py_ssize_t)n,
                                    (Py_ssize_t)pos, (Py_ssize_t)pos + 1, why);
    }
    if (exc != NULL) {
        PyCodec_StrictErrors(exc);
        Py_DECREF(exc);
    }
    Py_XDECREF(why);
}

static PyObject *
decode_locale(const char *s, Py_ssize_t n, _Py_error_handler errors,
              int current_locale)
{
    if (s[n] != '\0' || (size_t)n != strlen(s)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    wchar_t *wstr;
    size_t wlen;
    const char *reason = "decoding error";
    int rc = _Py_DecodeLocaleEx(s, &wstr, &wlen, &reason, current_locale,
                                errors);
    if (rc == -1) {
        return PyErr_NoMemory();
    }
    if (rc == -2) {
        raise_decode(s, n, wlen, reason);
        return NULL;
    }
    if (rc == -3) {
        PyErr_SetString(PyExc_ValueError, "unsupported error handler");
        return NULL;
    }
    PyObject *str = PyUnicode_FromWideChar(wstr, (Py_ssize_t)wlen);
    PyMem_RawFree(wstr);
    return str;
}

PyObject *
PyUnicode_DecodeLocaleAndSize(const char *str, Py_ssize_t len,
                              const char *errors)
{
    return decode_locale(str, len, _Py_GetErrorHandler(errors), 1);
}

PyObject *
PyUnicode_DecodeLocale(const char *str, const char *errors)
{
    return decode_locale(str, (Py_ssize_t)strlen(str),
                         _Py_GetErrorHandler(errors), 1);
}

static PyObject *
encode_locale(PyObject *unicode, _Py_error_handler errors, int current_locale)
{
    Py_ssize_t wlen;
    wchar_t *wstr = PyUnicode_AsWideCharString(unicode, &wlen);
    if (wstr == NULL) {
        return NULL;
    }
    if ((size_t)wlen != wcslen(wstr)) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        PyMem_Free(wstr);
        return NULL;
    }
    char *str;
    size_t pos;
    const char *reason = "encoding error";
    int rc = _Py_EncodeLocaleEx(wstr, &str, &pos, &reason, current_locale,
                                errors);
    PyMem_Free(wstr);
    if (rc == 0) {
        PyObject *bytes = PyBytes_FromString(str);
        PyMem_RawFree(str);
        return bytes;
    }
    if (rc == -1) {
        return PyErr_NoMemory();
    }
    if (rc == -3) {
        PyErr_SetString(PyExc_ValueError, "unsupported error handler");
        return NULL;
    }
    PyObject *exc = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns",
                                          "locale", unicode, (Py_ssize_t)pos,
                                          (Py_ssize_t)pos + 1, reason);
    if (exc != NULL) {
        PyCodec_StrictErrors(exc);
        Py_DECREF(exc);
    }
    return NULL;
}

PyObject *
PyUnicode_EncodeLocale(PyObject *unicode, const char *errors)
{
    return encode_locale(unicode, _Py_GetErrorHandler(errors), 1);
}

/* --- file system ------------------------------------------------------------------- */

/* The configured codec as C strings, converted into the buffers. */
struct fs_codec {
    int known; /* the configuration exists */
    int utf8;
    char encoding[64], errors[32];
};

static void
copy_name(char *out, size_t size, const wchar_t *name)
{
    size_t i = 0;
    for (; i + 1 < size && name[i] != 0; i++) {
        out[i] = (char)name[i];
    }
    out[i] = '\0';
}

static void
get_fs_codec(struct fs_codec *fs)
{
    const PyConfig *config = &kr_interp()->config;
    const wchar_t *encoding = config->filesystem_encoding;
    fs->known = encoding != NULL && kr_interp()->fs_codec_ready;
    fs->utf8 = encoding != NULL && wcscmp(encoding, L"utf-8") == 0;
    copy_name(fs->encoding, sizeof(fs->encoding),
              encoding != NULL ? encoding : L"utf-8");
    copy_name(fs->errors, sizeof(fs->errors),
              config->filesystem_errors != NULL ? config->filesystem_errors
                                                : L"surrogateescape");
}

PyObject *
PyUnicode_EncodeFSDefault(PyObject *unicode)
{
    struct fs_codec fs;
    get_fs_codec(&fs);
    if (fs.utf8) {
        return _PyUnicode_AsUTF8String(unicode, fs.errors);
    }
    if (fs.known) {
        return PyUnicode_AsEncodedString(unicode, fs.encoding, fs.errors);
    }
    return encode_locale(unicode, _Py_ERROR_SURROGATEESCAPE, 0);
}

PyObject *
PyUnicode_DecodeFSDefaultAndSize(const char *s, Py_ssize_t size)
{
    struct fs_codec fs;
    get_fs_codec(&fs);
    if (fs.utf8) {
        return PyUnicode_DecodeUTF8Stateful(s, size, fs.errors, NULL);
    }
    if (fs.known) {
        return PyUnicode_Decode(s, size, fs.encoding, fs.errors);
    }
    return decode_locale(s, size, _Py_ERROR_SURROGATEESCAPE, 0);
}

PyObject *
PyUnicode_DecodeFSDefault(const char *s)
{
    return PyUnicode_DecodeFSDefaultAndSize(s, (Py_ssize_t)strlen(s));
}

int
PyUnicode_FSConverter(PyObject *arg, void *addr)
{
    if (arg == NULL) {
        Py_CLEAR(*(PyObject **)addr);
        return 1;
    }
    PyObject *path = PyOS_FSPath(arg);
    if (path == NULL) {
        return 0;
    }
    PyObject *output = path;
    if (!PyBytes_Check(path)) {
        output = PyUnicode_EncodeFSDefault(path);
        Py_DECREF(path);
        if (output == NULL) {
            return 0;
        }
    }
    if ((size_t)PyBytes_GET_SIZE(output) !=
        strlen(PyBytes_AS_STRING(output))) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        Py_DECREF(output);
        return 0;
    }
    *(PyObject **)addr = output;
    return Py_CLEANUP_SUPPORTED;
}

static PyObject *
decode_path(PyObject *path, PyObject *arg)
{
    if (PyUnicode_Check(path)) {
        return Py_NewRef(path);
    }
    int is_bytes = PyBytes_Check(path);
    if (!is_bytes && !PyObject_CheckBuffer(path)) {
        PyErr_Format(PyExc_TypeError,
                     "path should be string, bytes, or os.PathLike, not "
                     "%.200s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!is_bytes &&
        PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "path should be string, bytes, or os.PathLike, not "
                         "%.200s", Py_TYPE(arg)->tp_name) < 0) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromObject(path);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *str = PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(bytes),
                                                     PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return str;
}

int
PyUnicode_FSDecoder(PyObject *arg, void *addr)
{
    if (arg == NULL) {
        Py_CLEAR(*(PyObject **)addr);
        return 1;
    }
    PyObject *path = PyObject_CheckBuffer(arg) ? Py_NewRef(arg)
                                               : PyOS_FSPath(arg);
    if (path == NULL) {
        return 0;
    }
    PyObject *output = decode_path(path, arg);
    Py_DECREF(path);
    if (output == NULL) {
        return 0;
    }
    if (PyUnicode_READY(output) < 0) {
        Py_DECREF(output);
        return 0;
    }
    if (PyUnicode_FindChar(output, 0, 0, STR_LEN(output), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        Py_DECREF(output);
        return 0;
    }
    *(PyObject **)addr = output;
    return Py_CLEANUP_SUPPORTED;
}
