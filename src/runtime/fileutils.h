/* Operating-system file helpers shared by the runtime and native modules.
 *
 * Exported under CPython's names. Functions without "noraise" set OSError on
 * failure; all of them retry on EINTR and release the GIL around the system
 * call when the caller holds it. */
#ifndef KR_RUNTIME_FILEUTILS_H
#define KR_RUNTIME_FILEUTILS_H

#include <Python.h>
#include <locale.h>
#include <sys/stat.h>

/* read(2); at most PY_SSIZE_T_MAX bytes. -1 with OSError set. */
PyAPI_FUNC(Py_ssize_t) _Py_read(int fd, void *buf, size_t count);

/* write(2); a partial write is a success. -1 with OSError set. */
PyAPI_FUNC(Py_ssize_t) _Py_write(int fd, const void *buf, size_t count);

/* As _Py_write, without GIL or exceptions: -1 with errno set. */
PyAPI_FUNC(Py_ssize_t) _Py_write_noraise(int fd, const void *buf, size_t n);

/* open(2), the result not inheritable. Audited as "open". -1 with OSError. */
PyAPI_FUNC(int) _Py_open(const char *pathname, int flags);

/* As _Py_open, without GIL or exceptions: -1 with errno set. */
PyAPI_FUNC(int) _Py_open_noraise(const char *pathname, int flags);

/* fopen of a wide path; NULL with errno set. */
PyAPI_FUNC(FILE *) _Py_wfopen(const wchar_t *path, const wchar_t *mode);

/* fstat(2); -1 with OSError set. */
PyAPI_FUNC(int) _Py_fstat(int fd, struct stat *st);

/* fstat(2); -1 with errno set. */
PyAPI_FUNC(int) _Py_fstat_noraise(int fd, struct stat *st);

/* stat(2) of a str: 0, -1 with errno set, or -2 with an exception set. */
PyAPI_FUNC(int) _Py_stat(PyObject *path, struct stat *st);

/* 1 or 0; -1 with OSError set. */
PyAPI_FUNC(int) _Py_get_inheritable(int fd);

/* Sets or clears close-on-exec. `atomic_flag_works`, when given, caches
 * whether O_CLOEXEC was honoured. -1 with OSError set. */
PyAPI_FUNC(int)
_Py_set_inheritable(int fd, int inheritable, int *atomic_flag_works);

/* As above for use between fork and exec: -1 with errno set. */
PyAPI_FUNC(int)
_Py_set_inheritable_async_safe(int fd, int inheritable, int *atomic_flag);

/* dup(2), the result not inheritable; -1 with OSError set. */
PyAPI_FUNC(int) _Py_dup(int fd);

/* 1 when O_NONBLOCK is clear, 0 when set; -1 with OSError set. */
PyAPI_FUNC(int) _Py_get_blocking(int fd);
PyAPI_FUNC(int) _Py_set_blocking(int fd, int blocking);

/* New reference: the encoding of terminal `fd`, None if it is no terminal. */
PyAPI_FUNC(PyObject *) _Py_device_encoding(int fd);

/* Decimal point and thousands separator of LC_NUMERIC as new str. */
PyAPI_FUNC(int)
_Py_GetLocaleconvNumeric(struct lconv *lc, PyObject **decimal_point,
                         PyObject **thousands_sep);

/* Closes the descriptors from `first` to `last`, both included. */
PyAPI_FUNC(void) _Py_closerange(int first, int last);

/* Wide-character forms of getcwd, readlink and realpath into the caller's
 * buffer; NULL or -1 on failure. */
PyAPI_FUNC(wchar_t *) _Py_wgetcwd(wchar_t *buf, size_t buflen);
PyAPI_FUNC(int)
_Py_wreadlink(const wchar_t *path, wchar_t *buf, size_t buflen);
PyAPI_FUNC(wchar_t *)
_Py_wrealpath(const wchar_t *path, wchar_t *resolved, size_t resolved_len);

/* Removes "." and ".." steps and doubled slashes in place; `size` is the
 * length or -1. Never fails. */
PyAPI_FUNC(wchar_t *) _Py_normpath(wchar_t *path, Py_ssize_t size);

/* As above for `size` characters, NUL included; the new length. */
size_t kr_normpath(wchar_t *path, size_t size);

/* The locale's encoding as a new str (helpers of the text layer). */
PyAPI_FUNC(PyObject *) _Py_GetLocaleEncodingObject(void);

#endif
