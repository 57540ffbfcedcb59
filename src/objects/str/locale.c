/* Conversions between bytes of the operating system and wide characters, in the
 * encoding of the locale or in UTF-8. See locale.h. */
#include <Python.h>
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

#include "base/utf8.h"
#include "objects/str/locale.h"
#include "objects/str/str.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int
handler_flags(_Py_error_handler errors, int *escape, int *pass)
{
    *escape = errors == _Py_ERROR_SURROGATEESCAPE;
    *pass = errors == _Py_ERROR_SURROGATEPASS;
    return *escape || *pass || errors == _Py_ERROR_STRICT ? 0 : -3;
}

/* --- UTF-8 ------------------------------------------------------------------- */

/* A surrogate in its three-byte form, or 0. */
static uint32_t
encoded_surrogate(const uint8_t *s, const uint8_t *end)
{
    if (end - s >= 3 && s[0] == 0xED && (s[1] & 0xE0) == 0xA0 &&
        (s[2] & 0xC0) == 0x80) {
        return 0xD000u | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    }
    return 0;
}

int
_Py_DecodeUTF8Ex(const char *s, Py_ssize_t size, wchar_t **wstr, size_t *wlen,
                 const char **reason, _Py_error_handler errors)
{
    int escape, pass;
    if (handler_flags(errors, &escape, &pass) < 0) {
        return -3;
    }
    wchar_t *out = PyMem_RawMalloc((size_t)(size + 1) * sizeof(wchar_t));
    if (out == NULL) {
        return -1;
    }
    const uint8_t *p = (const uint8_t *)s, *end = p + size;
    size_t n = 0;
    while (p < end) {
        uint32_t ch = 0;
        int len = kr_utf8_read(p, end, &ch);
        if (len <= 0) {
            if (pass && (ch = encoded_surrogate(p, end)) != 0) {
                len = 3;
            }
            else if (escape) {
                ch = 0xDC00u + *p;
                len = 1;
            }
            else {
                PyMem_RawFree(out);
                if (reason != NULL) {
                    *reason = len == 0    ? "unexpected end of data"
                              : len == -1 ? "invalid start byte"
                                          : "invalid continuation byte";
                }
                if (wlen != NULL) {
                    *wlen = (size_t)(p - (const uint8_t *)s);
                }
                return -2;
            }
        }
        out[n++] = (wchar_t)ch;
        p += len;
    }
    out[n] = 0;
    *wstr = out;
    if (wlen != NULL) {
        *wlen = n;
    }
    return 0;
}

wchar_t *
_Py_DecodeUTF8_surrogateescape(const char *arg, Py_ssize_t arglen,
                               size_t *wlen)
{
    wchar_t *wstr;
    int rc = _Py_DecodeUTF8Ex(arg, arglen, &wstr, wlen, NULL,
                              _Py_ERROR_SURROGATEESCAPE);
    if (rc != 0) {
        if (wlen != NULL) {
            *wlen = (size_t)rc;
        }
        return NULL;
    }
    return wstr;
}

int
_Py_EncodeUTF8Ex(const wchar_t *text, char **str, size_t *error_pos,
                 const char **reason, int raw_malloc,
                 _Py_error_handler errors)
{
    int escape, pass;
    if (handler_flags(errors, &escape, &pass) < 0) {
        return -3;
    }
    size_t n = wcslen(text);
    char *out = raw_malloc ? PyMem_RawMalloc(n * 4 + 1)
                           : PyMem_Malloc(n * 4 + 1);
    if (out == NULL) {
        return -1;
    }
    char *p = out;
    for (size_t i = 0; i < n; i++) {
        uint32_t ch = (uint32_t)text[i];
        if (Py_UNICODE_IS_SURROGATE(ch) && !pass) {
            if (!escape || ch < 0xDC80 || ch > 0xDCFF) {
                (raw_malloc ? PyMem_RawFree : PyMem_Free)(out);
                if (error_pos != NULL) {
                    *error_pos = i;
                }
                if (reason != NULL) {
                    *reason = "encoding error";
                }
                return -2;
            }
            *p++ = (char)(ch & 0xFF);
            continue;
        }
        p += kr_utf8_write(ch, p);
    }
    *p++ = '\0';
    char *fit = raw_malloc ? PyMem_RawRealloc(out, (size_t)(p - out))
                           : PyMem_Realloc(out, (size_t)(p - out));
    *str = fit != NULL ? fit : out;
    return 0;
}

/* --- the locale's encoding -------------------------------------------------------- */

int
_Py_GetForceASCII(void)
{
    return 0;
}

void
_Py_ResetForceASCII(void)
{
}

static int
locale_is_utf8(int current_locale)
{
    return (!current_locale && Py_UTF8Mode == 1) ||
           strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int
_Py_DecodeLocaleEx(const char *arg, wchar_t **wstr, size_t *wlen,
                   const char **reason, int current_locale,
                   _Py_error_handler errors)
{
    size_t size = strlen(arg);
    if (locale_is_utf8(current_locale)) {
        return _Py_DecodeUTF8Ex(arg, (Py_ssize_t)size, wstr, wlen, reason,
                                errors);
    }
    int escape, pass;
    if (handler_flags(errors, &escape, &pass) < 0 || pass) {
        return -3;
    }
    wchar_t *out = PyMem_RawMalloc((size + 1) * sizeof(wchar_t));
    if (out == NULL) {
        return -1;
    }
    mbstate_t state;
    memset(&state, 0, sizeof(state));
    size_t n = 0, i = 0;
    while (i < size) {
        size_t len = mbrtowc(&out[n], arg + i, size - i, &state);
        if (len == 0) {
            break;
        }
        if (len == (size_t)-1 || len == (size_t)-2 ||
            Py_UNICODE_IS_SURROGATE((Py_UCS4)out[n])) {
            if (!escape) {
                PyMem_RawFree(out);
                if (wlen != NULL) {
                    *wlen = i;
                }
                if (reason != NULL) {
                    *reason = "decoding error";
                }
                return -2;
            }
            out[n] = (wchar_t)(0xDC00 + (unsigned char)arg[i]);
            memset(&state, 0, sizeof(state));
            len = 1;
        }
        n++;
        i += len;
    }
    out[n] = 0;
    *wstr = out;
    if (wlen != NULL) {
        *wlen = n;
    }
    return 0;
}

static int
encode_locale(const wchar_t *text, char **str, size_t *error_pos,
              const char **reason, int raw_malloc, int current_locale,
              _Py_error_handler errors)
{
    if (locale_is_utf8(current_locale)) {
        return _Py_EncodeUTF8Ex(text, str, error_pos, reason, raw_malloc,
                                errors);
    }
    int escape, pass;
    if (handler_flags(errors, &escape, &pass) < 0 || pass) {
        return -3;
    }
    size_t len = wcslen(text), n = 0;
    size_t room = len * MB_CUR_MAX + MB_CUR_MAX + 1;
    char *out = raw_malloc ? PyMem_RawMalloc(room) : PyMem_Malloc(room);
    if (out == NULL) {
        return -1;
    }
    mbstate_t state;
    memset(&state, 0, sizeof(state));
    for (size_t i = 0; i < len; i++) {
        wchar_t c = text[i];
        if (escape && c >= 0xDC80 && c <= 0xDCFF) {
            out[n++] = (char)(c - 0xDC00);
            continue;
        }
        size_t k = wcrtomb(out + n, c, &state);
        if (k == (size_t)-1) {
            (raw_malloc ? PyMem_RawFree : PyMem_Free)(out);
            if (error_pos != NULL) {
                *error_pos = i;
            }
            if (reason != NULL) {
                *reason = "encoding error";
            }
            return -2;
        }
        n += k;
    }
    out[n] = '\0';
    *str = out;
    return 0;
}

int
_Py_EncodeLocaleEx(const wchar_t *text, char **str, size_t *error_pos,
                   const char **reason, int current_locale,
                   _Py_error_handler errors)
{
    return encode_locale(text, str, error_pos, reason, 1, current_locale,
                         errors);
}

static char *
encode_escaped(const wchar_t *text, size_t *error_pos, int raw_malloc)
{
    char *str;
    int rc = encode_locale(text, &str, error_pos, NULL, raw_malloc, 0,
                           _Py_ERROR_SURROGATEESCAPE);
    if (rc != 0) {
        if (rc != -2 && error_pos != NULL) {
            *error_pos = (size_t)-1;
        }
        return NULL;
    }
    return str;
}

char *
_Py_EncodeLocaleRaw(const wchar_t *text, size_t *error_pos)
{
    return encode_escaped(text, error_pos, 1);
}

char *
Py_EncodeLocale(const wchar_t *text, size_t *error_pos)
{
    return encode_escaped(text, error_pos, 0);
}

wchar_t *
Py_DecodeLocale(const char *arg, size_t *wlen)
{
    wchar_t *wstr;
    int rc = _Py_DecodeLocaleEx(arg, &wstr, wlen, NULL, 0,
                                _Py_ERROR_SURROGATEESCAPE);
    if (rc != 0) {
        if (wlen != NULL) {
            *wlen = (size_t)rc;
        }
        return NULL;
    }
    return wstr;
}

wchar_t *
_Py_GetLocaleEncoding(void)
{
    const char *name = nl_langinfo(CODESET);
    if (name == NULL || name[0] == '\0') {
        name = "UTF-8";
    }
    wchar_t *wstr;
    int rc = _Py_DecodeLocaleEx(name, &wstr, NULL, NULL, 1,
                                _Py_ERROR_SURROGATEESCAPE);
    return rc == 0 ? wstr : NULL;
}

PyObject *
_Py_GetLocaleEncodingObject(void)
{
    wchar_t *name = _Py_GetLocaleEncoding();
    if (name == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *str = PyUnicode_FromWideChar(name, -1);
    PyMem_RawFree(name);
    return str;
}
