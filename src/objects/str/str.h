/* What the files of the str type share.
 *
 * Strings are "ready" (PEP 393) everywhere below the API; functions that take
 * objects from outside check that first. Unless said otherwise, results are
 * new references and NULL or -1 means an exception is set. */
#ifndef KR_OBJECTS_STR_STR_H
#define KR_OBJECTS_STR_STR_H

#include <Python.h>

#include "base/common.h"

#define STR_ASCII(op) ((PyASCIIObject *)(op))
#define STR_COMPACT(op) ((PyCompactUnicodeObject *)(op))
#define STR_FULL(op) ((PyUnicodeObject *)(op))
#define STR_STATE(op) (STR_ASCII(op)->state)
#define STR_LEN(op) (STR_ASCII(op)->length)
#define STR_KIND(op) ((int)STR_STATE(op).kind)
#define STR_HASH(op) (STR_ASCII(op)->hash)

/* The empty string and the strings of one character below 256: immortal,
 * each exists once. */
struct kr_str_singletons {
    PyObject *chars[256];
    PyObject *empty;
};
extern struct kr_str_singletons kr_str_singletons;

/* Borrowed. */
static inline PyObject *
kr_str_char(unsigned char ch)
{
    return kr_str_singletons.chars[ch];
}

static inline PyObject *
kr_str_empty(void)
{
    PyObject *op = kr_str_singletons.empty;
    Py_INCREF(op);
    return op;
}

/* The smallest kind that holds maxchar. */
static inline int
kr_kind_of(Py_UCS4 maxchar)
{
    return maxchar < 256 ? 1 : maxchar < 65536 ? 2 : 4;
}

/* Characters of `src` copied to index `start` of `data` (of a kind not less
 * than needed by them). */
void kr_str_copy(int kind, void *data, Py_ssize_t start, int src_kind,
                 const void *src, Py_ssize_t src_start, Py_ssize_t n);

/* `n` times the character. */
void kr_str_fill(int kind, void *data, Py_ssize_t start, Py_ssize_t n,
                 Py_UCS4 ch);

/* Upper bound of characters: 0x7F, 0xFF, 0xFFFF or 0x10FFFF. */
Py_UCS4 kr_str_max_char(int kind, const void *data, Py_ssize_t n);

/* From characters of one kind, narrowed as far as possible. */
PyObject *kr_str_from_ucs4(const Py_UCS4 *s, Py_ssize_t n);
PyObject *kr_str_from_latin1(const void *s, Py_ssize_t n);
PyObject *kr_str_from_ascii(const char *s, Py_ssize_t n);

/* A one-character string. */
PyObject *kr_str_from_char(Py_UCS4 ch);

/* self[start:end] with indexes in range; self itself if that is all of it and
 * it is an exact str. */
PyObject *kr_str_slice(PyObject *self, Py_ssize_t start, Py_ssize_t end);

/* A new reference to `op`, or an exact copy of an instance of a subclass. */
PyObject *kr_str_unchanged(PyObject *op);

/* The characters of `op` in `kind` >= its own: its own data, or a copy in
 * *to_free (to be freed with PyMem_Free). NULL with MemoryError. */
const void *kr_str_as_kind(PyObject *op, int kind, void **to_free);

/* Makes `op` shrink or grow in place; *op may change. */
int kr_str_resize(PyObject **op, Py_ssize_t n);

/* Whether nobody else can see that `op` changes. */
int kr_str_modifiable(PyObject *op);

/* TypeError unless `op` is a str; makes it ready. */
int kr_str_require(PyObject *op);

/* Same content; both ready. Never fails. */
int kr_str_equal(PyObject *a, PyObject *b);

/* Searches a ready substring in self[start:end] (indexes clipped as in
 * slices). -1: not found, -2: error. */
Py_ssize_t kr_str_search(PyObject *self, PyObject *sub, Py_ssize_t start,
                         Py_ssize_t end, int forward);

/* Clips a slice as Python does. */
static inline void
kr_str_clip(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t len)
{
    if (*end > len) {
        *end = len;
    }
    else if (*end < 0) {
        *end += len;
        if (*end < 0) {
            *end = 0;
        }
    }
    if (*start < 0) {
        *start += len;
        if (*start < 0) {
            *start = 0;
        }
    }
}

/* --- the parts of the type ------------------------------------------------ */

PyObject *kr_str_repr(PyObject *self);
PyObject *kr_str_iter(PyObject *self);
PyObject *kr_str_do_format(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *kr_str_do_format_map(PyObject *self, PyObject *mapping);
PyObject *kr_str_dunder_format(PyObject *self, PyObject *spec);
PyObject *kr_str_translate(PyObject *self, PyObject *table);
PyObject *kr_str_maketrans(PyObject *null, PyObject *const *args,
                           Py_ssize_t nargs);
PyObject *kr_str_expandtabs(PyObject *self, Py_ssize_t tabsize);
PyObject *kr_str_replace(PyObject *self, PyObject *old, PyObject *new_,
                         Py_ssize_t max);
PyObject *kr_str_split(PyObject *self, PyObject *sep, Py_ssize_t max);
PyObject *kr_str_rsplit(PyObject *self, PyObject *sep, Py_ssize_t max);

/* Case mappings of whole strings. */
PyObject *kr_str_lower(PyObject *self);
PyObject *kr_str_upper(PyObject *self);
PyObject *kr_str_casefold(PyObject *self);
PyObject *kr_str_title(PyObject *self);
PyObject *kr_str_capitalize(PyObject *self);
PyObject *kr_str_swapcase(PyObject *self);

/* New reference to the interned string of these characters; NULL with an
 * exception on failure. */
PyObject *kr_str_intern_latin1(const char *p, Py_ssize_t n);

/* Takes `op` out of the table of interned strings; called when it dies. */
void kr_str_forget_interned(PyObject *op);

/* The formatter iterator of _string.formatter_parser and the pair of
 * _string.formatter_field_name_split. */
PyObject *kr_str_formatter_parser(PyObject *self);
PyObject *kr_str_field_name_split(PyObject *self);

#endif
