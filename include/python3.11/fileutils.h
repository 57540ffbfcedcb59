/* Text of the locale.
   The wide strings go to PyMem_RawFree, the narrow ones to PyMem_Free. */
#ifndef Py_FILEUTILS_H
#define Py_FILEUTILS_H

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03050000
/* Conversions of multibyte text. */
PyAPI_FUNC(wchar_t *) Py_DecodeLocale(const char *, size_t *);
PyAPI_FUNC(char *) Py_EncodeLocale(const wchar_t *, size_t *);
#endif

#ifndef Py_LIMITED_API
#include "cpython/fileutils.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
