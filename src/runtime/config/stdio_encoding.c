/* The encodings of the standard streams and of file names. */
#include "runtime/config/config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "objects/str/locale.h"

static struct kr_stdio_state {
    char *encoding, *errors; /* of Py_SetStandardStreamEncoding; or NULL */
    char *fs_encoding, *fs_errors; /* what the old variables point at */
} kr_stdio;

/* --- the old API --------------------------------------------------------- */

void
_Py_ClearStandardStreamEncoding(void)
{
    PyMem_RawFree(kr_stdio.encoding);
    PyMem_RawFree(kr_stdio.errors);
    kr_stdio.encoding = kr_stdio.errors = NULL;
}

int
Py_SetStandardStreamEncoding(const char *encoding, const char *errors)
{
    if (Py_IsInitialized()) {
        return -1;
    }
    _Py_ClearStandardStreamEncoding();
    if (encoding != NULL
        && (kr_stdio.encoding = _PyMem_RawStrdup(encoding)) == NULL) {
        return -2;
    }
    if (errors != NULL
        && (kr_stdio.errors = _PyMem_RawStrdup(errors)) == NULL) {
        _Py_ClearStandardStreamEncoding();
        return -3;
    }
    return 0;
}

static PyStatus
use_old_api(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (config->stdio_encoding == NULL && kr_stdio.encoding != NULL) {
        status = PyConfig_SetBytesString(config, &config->stdio_encoding,
                                         kr_stdio.encoding);
    }
    if (!PyStatus_Exception(status) && config->stdio_errors == NULL
        && kr_stdio.errors != NULL) {
        status = PyConfig_SetBytesString(config, &config->stdio_errors,
                                         kr_stdio.errors);
    }
    return status;
}

/* --- reading ------------------------------------------------------------- */

/* Sets a string that is not set yet. */
static PyStatus
set_default(PyConfig *config, wchar_t **target, const wchar_t *text)
{
    return *target != NULL ? PyStatus_Ok()
                           : PyConfig_SetString(config, target, text);
}

/* PYTHONIOENCODING: encoding, encoding:errors or :errors. */
static PyStatus
read_variable(PyConfig *config)
{
    int failed;
    wchar_t *text = kr_config_env(config, "PYTHONIOENCODING", &failed);
    if (failed) {
        return PyStatus_Error("cannot decode PYTHONIOENCODING");
    }
    if (text == NULL) {
        return PyStatus_Ok();
    }
    PyStatus status = PyStatus_Ok();
    wchar_t *errors = wcschr(text, L':');
    if (errors != NULL) {
        *errors++ = L'\0';
        if (*errors != L'\0') {
            status = set_default(config, &config->stdio_errors, errors);
        }
    }
    if (!PyStatus_Exception(status) && *text != L'\0') {
        status = set_default(config, &config->stdio_encoding, text);
        if (!PyStatus_Exception(status)) {
            status = set_default(config, &config->stdio_errors, L"strict");
        }
    }
    PyMem_RawFree(text);
    return status;
}

static PyStatus
set_locale_encoding(PyConfig *config, wchar_t **target)
{
    wchar_t *name = _Py_GetLocaleEncoding();
    if (name == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = set_default(config, target, name);
    PyMem_RawFree(name);
    return status;
}

/* The C locale can't be trusted to tell the truth. */
static const wchar_t *
locale_errors(void)
{
    const char *locale = setlocale(LC_CTYPE, NULL);
    return locale != NULL
                   && (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0
                       || _Py_IsLocaleCoercionTarget(locale))
               ? L"surrogateescape"
               : L"strict";
}

static PyStatus
read_stdio(PyConfig *config)
{
    PyStatus status = use_old_api(config);
    if (!PyStatus_Exception(status)
        && (config->stdio_encoding == NULL || config->stdio_errors == NULL)) {
        status = read_variable(config);
    }
    if (!PyStatus_Exception(status)) {
        status = kr_utf8_mode()
                     ? set_default(config, &config->stdio_encoding, L"utf-8")
                     : set_locale_encoding(config, &config->stdio_encoding);
    }
    if (!PyStatus_Exception(status)) {
        status = set_default(config, &config->stdio_errors,
                             kr_utf8_mode() ? L"surrogateescape"
                                            : locale_errors());
    }
    return status;
}

PyStatus
kr_config_read_encodings(PyConfig *config)
{
    PyStatus status =
        kr_utf8_mode()
            ? set_default(config, &config->filesystem_encoding, L"utf-8")
            : set_locale_encoding(config, &config->filesystem_encoding);
    if (!PyStatus_Exception(status)) {
        status = set_default(config, &config->filesystem_errors,
                             L"surrogateescape");
    }
    return PyStatus_Exception(status) ? status : read_stdio(config);
}

/* --- names --------------------------------------------------------------- */

/* Fast way for what everybody has: the codec is not even looked up. */
static int
is_utf8(const wchar_t *name)
{
    return wcscmp(name, L"UTF-8") == 0 || wcscmp(name, L"utf-8") == 0;
}

/* Replaces an encoding by the name of its codec; `error` says that this
 * failed. */
static PyStatus
name_codec(PyConfig *config, wchar_t **encoding, PyStatus error)
{
    if (is_utf8(*encoding)) {
        return PyConfig_SetString(config, encoding, L"utf-8");
    }
    PyObject *text = PyUnicode_FromWideChar(*encoding, -1);
    const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8(text);
    PyObject *codec = utf8 == NULL ? NULL : _PyCodec_Lookup(utf8);
    PyObject *name =
        codec == NULL ? NULL : PyObject_GetAttrString(codec, "name");
    wchar_t *wide =
        name == NULL ? NULL : PyUnicode_AsWideCharString(name, NULL);
    PyStatus status = wide == NULL
                          ? error
                          : PyConfig_SetString(config, encoding, wide);
    PyMem_Free(wide);
    Py_XDECREF(name);
    Py_XDECREF(codec);
    Py_XDECREF(text);
    return status;
}

PyStatus
kr_config_name_codecs(PyConfig *config)
{
    PyStatus status = name_codec(
        config, &config->filesystem_encoding,
        KR_STATUS_ERROR("init_fs_encoding", "failed to get the Python codec "
                                            "of the filesystem encoding"));
    if (PyStatus_Exception(status)) {
        return status;
    }
    return name_codec(
        config, &config->stdio_encoding,
        KR_STATUS_ERROR("init_stdio_encoding",
                        "failed to get the Python codec name of the stdio "
                        "encoding"));
}

/* Puts a text of ASCII letters into *slot, in raw memory. 0 or -1. */
static int
keep(char **slot, const wchar_t *text)
{
    char *copy = _Py_EncodeLocaleRaw(text, NULL);
    if (copy == NULL) {
        return -1;
    }
    PyMem_RawFree(*slot);
    *slot = copy;
    return 0;
}

PyStatus
kr_config_publish_encodings(const PyConfig *config)
{
    if (keep(&kr_stdio.fs_encoding, config->filesystem_encoding) < 0
        || keep(&kr_stdio.fs_errors, config->filesystem_errors) < 0) {
        return PyStatus_NoMemory();
    }
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    Py_FileSystemDefaultEncoding = kr_stdio.fs_encoding;
    Py_FileSystemDefaultEncodeErrors = kr_stdio.fs_errors;
    _Py_COMP_DIAG_POP
    return PyStatus_Ok();
}
