/* Text of the operating system before and after Python objects exist.
 *
 * Buffers come from PyMem_RawMalloc unless said otherwise. Status codes: 0, -1
 * out of memory, -2 cannot convert (reason and position given), -3 unsupported
 * error handler. */
#ifndef KR_OBJECTS_STR_LOCALE_H
#define KR_OBJECTS_STR_LOCALE_H

#include <Python.h>

#include "objects/str/codec_errors.h"

PyAPI_FUNC(int)
_Py_DecodeUTF8Ex(const char *s, Py_ssize_t size, wchar_t **wstr, size_t *wlen,
                 const char **reason, _Py_error_handler errors);
PyAPI_FUNC(int)
_Py_EncodeUTF8Ex(const wchar_t *text, char **str, size_t *error_pos,
                 const char **reason, int raw_malloc,
                 _Py_error_handler errors);
PyAPI_FUNC(wchar_t *)
_Py_DecodeUTF8_surrogateescape(const char *arg, Py_ssize_t arglen,
                               size_t *wlen);
PyAPI_FUNC(int)
_Py_DecodeLocaleEx(const char *arg, wchar_t **wstr, size_t *wlen,
                   const char **reason, int current_locale,
                   _Py_error_handler errors);
PyAPI_FUNC(int)
_Py_EncodeLocaleEx(const wchar_t *text, char **str, size_t *error_pos,
                   const char **reason, int current_locale,
                   _Py_error_handler errors);
PyAPI_FUNC(char *) _Py_EncodeLocaleRaw(const wchar_t *text, size_t *error_pos);

/* Whether the locale lies about being more than ASCII: never, with glibc. */
PyAPI_FUNC(int) _Py_GetForceASCII(void);
PyAPI_FUNC(void) _Py_ResetForceASCII(void);

/* Name of the locale's encoding; NULL on failure (the object form with an
 * exception set). */
PyAPI_FUNC(wchar_t *) _Py_GetLocaleEncoding(void);
PyAPI_FUNC(PyObject *) _Py_GetLocaleEncodingObject(void);

#endif
