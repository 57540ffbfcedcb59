/* What bytes and bytearray share.
 *
 * A method of both types is one function that works on either: it takes the
 * data with kr_bytes_view and builds results of the same type with
 * kr_bytes_make. Views are taken after the arguments have been converted, since
 * conversions may run Python code that resizes a bytearray. */
#ifndef KR_OBJECTS_BYTES_BYTES_H
#define KR_OBJECTS_BYTES_BYTES_H

#include <Python.h>

#include "base/common.h"

/* The 1-byte objects, immortal. */
PyObject *kr_bytes_char(unsigned char ch);

/* Borrowed data of a bytes or bytearray. */
static inline const char *
kr_bytes_view(PyObject *op, Py_ssize_t *n)
{
    *n = Py_SIZE(op);
    return PyBytes_Check(op) ? PyBytes_AS_STRING(op) : PyByteArray_AS_STRING(op);
}

/* A new bytes (or bytearray, if `like` is one) with a copy of the data, which
 * may be NULL: uninitialised. */
static inline PyObject *
kr_bytes_make(PyObject *like, const char *s, Py_ssize_t n)
{
    return PyByteArray_Check(like) ? PyByteArray_FromStringAndSize(s, n)
                                   : PyBytes_FromStringAndSize(s, n);
}

/* Writable data of what kr_bytes_make returned. */
static inline char *
kr_bytes_data(PyObject *op)
{
    return PyBytes_Check(op) ? PyBytes_AS_STRING(op) : PyByteArray_AS_STRING(op);
}

/* A bytes object or bytearray that equals self: self if it is exact bytes. */
PyObject *kr_bytes_same(PyObject *self);

/* A value in range(256), or -1 with ValueError ("bytes must ..." or "byte must
 * ..." as `plural` says) or TypeError set. */
int kr_bytes_value(PyObject *arg, int plural);

PyObject *kr_bytes_repr(PyObject *self, const char *prefix,
                        const char *suffix);
PyObject *kr_bytes_join(PyObject *sep, PyObject *iterable);
int kr_bytes_contains(PyObject *self, PyObject *arg);
PyObject *kr_bytes_mod(PyObject *self, PyObject *args);

/* Compares with anything that has a buffer. */
PyObject *kr_bytes_richcompare(PyObject *a, PyObject *b, int op);

/* --- methods of both types -------------------------------------------------- */

#define KR_BM(name) PyObject *kr_bm_##name
#define KR_BM_FAST(name)                                                       \
    PyObject *kr_bm_##name(PyObject *self, PyObject *const *args,              \
                           Py_ssize_t nargs)
#define KR_BM_KEYWORDS(name)                                                   \
    PyObject *kr_bm_##name(PyObject *self, PyObject *const *args,              \
                           Py_ssize_t nargs, PyObject *kwnames)
#define KR_BM_NOARGS(name)                                                     \
    PyObject *kr_bm_##name(PyObject *self, PyObject *ignored)

KR_BM_NOARGS(capitalize);
KR_BM_FAST(center);
KR_BM(count)(PyObject *, PyObject *);
KR_BM_KEYWORDS(decode);
KR_BM(endswith)(PyObject *, PyObject *);
KR_BM_KEYWORDS(expandtabs);
KR_BM(find)(PyObject *, PyObject *);
KR_BM_KEYWORDS(hex);
KR_BM(index)(PyObject *, PyObject *);
KR_BM_NOARGS(isalnum);
KR_BM_NOARGS(isalpha);
KR_BM_NOARGS(isascii);
KR_BM_NOARGS(isdigit);
KR_BM_NOARGS(islower);
KR_BM_NOARGS(isspace);
KR_BM_NOARGS(istitle);
KR_BM_NOARGS(isupper);
KR_BM(join)(PyObject *, PyObject *);
KR_BM_FAST(ljust);
KR_BM_NOARGS(lower);
KR_BM_FAST(lstrip);
KR_BM_FAST(maketrans);
KR_BM(partition)(PyObject *, PyObject *);
KR_BM(removeprefix)(PyObject *, PyObject *);
KR_BM(removesuffix)(PyObject *, PyObject *);
KR_BM_FAST(replace);
KR_BM(rfind)(PyObject *, PyObject *);
KR_BM(rindex)(PyObject *, PyObject *);
KR_BM_FAST(rjust);
KR_BM(rpartition)(PyObject *, PyObject *);
KR_BM_KEYWORDS(rsplit);
KR_BM_FAST(rstrip);
KR_BM_KEYWORDS(split);
KR_BM_KEYWORDS(splitlines);
KR_BM(startswith)(PyObject *, PyObject *);
KR_BM_FAST(strip);
KR_BM_NOARGS(swapcase);
KR_BM_NOARGS(title);
KR_BM_KEYWORDS(translate);
KR_BM_NOARGS(upper);
KR_BM(zfill)(PyObject *, PyObject *);

#define KR_BM_F(name) ((PyCFunction)(void (*)(void))kr_bm_##name)
#define KR_BM_IS(name, what)                                                   \
    {#name, kr_bm_##name, METH_NOARGS,                                         \
     "B." #name "() -> bool\n\nWhether " what}
#define KR_BM_CASE(name, what)                                                 \
    {#name, kr_bm_##name, METH_NOARGS,                                         \
     "B." #name "() -> copy of B\n\nReturn a copy " what}
#define KR_BM_SIG(name, flags, sig, what)                                      \
    {#name, KR_BM_F(name), flags, #name sig "\n--\n\n" what}
#define KR_BM_VAR(name, result, what)                                          \
    {#name, kr_bm_##name, METH_VARARGS,                                        \
     "B." #name "(sub[, start[, end]]) -> " result "\n\n" what}

/* Rows of a PyMethodDef table. */
#define KR_BYTES_METHODS                                                       \
    KR_BM_CASE(capitalize, "with the first letter in upper case."),            \
    KR_BM_SIG(center, METH_FASTCALL, "($self, width, fillchar=b' ', /)",       \
              "Return the bytes centred in the given width."),                 \
    KR_BM_VAR(count, "int", "Count occurrences of sub."),                      \
    KR_BM_SIG(decode, METH_FASTCALL | METH_KEYWORDS,                           \
              "($self, /, encoding='utf-8', errors='strict')",                 \
              "Return the str that the bytes encode."),                        \
    KR_BM_VAR(endswith, "bool", "Whether B ends with sub."),                   \
    KR_BM_SIG(expandtabs, METH_FASTCALL | METH_KEYWORDS,                       \
              "($self, /, tabsize=8)", "Replace tabs by spaces."),             \
    KR_BM_VAR(find, "int", "Lowest index of sub, or -1."),                     \
    KR_BM_SIG(hex, METH_FASTCALL | METH_KEYWORDS,                              \
              "($self, /, sep=<unrepresentable>, bytes_per_sep=1)",            \
              "Return the hexadecimal digits as a str.\n\n"                    \
              ">>> b'\\x08\\x00E\\x1f\\x90'.hex()\n'0800451f90'\n"             \
              ">>> mac = b'\\x52\\x54\\x00\\xab\\xcd\\xef'\n"                  \
              ">>> mac.hex(':')\n'52:54:00:ab:cd:ef'\n"                        \
              ">>> mac.hex('.', 2)\n'5254.00ab.cdef'\n"                        \
              ">>> mac.hex(' ', -4)\n'525400ab cdef'"),                        \
    KR_BM_VAR(index, "int", "Lowest index of sub, or ValueError."),            \
    KR_BM_IS(isalnum, "all bytes are ASCII letters or digits."),               \
    KR_BM_IS(isalpha, "all bytes are ASCII letters."),                         \
    KR_BM_IS(isascii, "all bytes are below 128."),                             \
    KR_BM_IS(isdigit, "all bytes are ASCII digits."),                          \
    KR_BM_IS(islower, "all ASCII letters are lower case."),                    \
    KR_BM_IS(isspace, "all bytes are ASCII whitespace."),                      \
    KR_BM_IS(istitle, "all words are capitalised."),                           \
    KR_BM_IS(isupper, "all ASCII letters are upper case."),                    \
    KR_BM_SIG(join, METH_O, "($self, iterable_of_bytes, /)",                   \
              "Concatenate the items, with these bytes between them."),        \
    KR_BM_SIG(ljust, METH_FASTCALL, "($self, width, fillchar=b' ', /)",        \
              "Return the bytes left-justified."),                             \
    KR_BM_CASE(lower, "in lower case."),                                       \
    KR_BM_SIG(lstrip, METH_FASTCALL, "($self, bytes=None, /)",                 \
              "Strip leading whitespace or the given bytes."),                 \
    KR_BM_SIG(partition, METH_O, "($self, sep, /)",                            \
              "Split at the first separator."),                                \
    KR_BM_SIG(removeprefix, METH_O, "($self, prefix, /)",                      \
              "Remove the prefix, if it is there."),                           \
    KR_BM_SIG(removesuffix, METH_O, "($self, suffix, /)",                      \
              "Remove the suffix, if it is there."),                           \
    KR_BM_SIG(replace, METH_FASTCALL, "($self, old, new, count=-1, /)",        \
              "Return a copy with old replaced by new."),                      \
    KR_BM_VAR(rfind, "int", "Highest index of sub, or -1."),                   \
    KR_BM_VAR(rindex, "int", "Highest index of sub, or ValueError."),          \
    KR_BM_SIG(rjust, METH_FASTCALL, "($self, width, fillchar=b' ', /)",        \
              "Return the bytes right-justified."),                            \
    KR_BM_SIG(rpartition, METH_O, "($self, sep, /)",                           \
              "Split at the last separator."),                                 \
    KR_BM_SIG(rsplit, METH_FASTCALL | METH_KEYWORDS,                           \
              "($self, /, sep=None, maxsplit=-1)",                             \
              "Return a list of the parts, splitting from the end."),          \
    KR_BM_SIG(rstrip, METH_FASTCALL, "($self, bytes=None, /)",                 \
              "Strip trailing whitespace or the given bytes."),                \
    KR_BM_SIG(split, METH_FASTCALL | METH_KEYWORDS,                            \
              "($self, /, sep=None, maxsplit=-1)",                             \
              "Return a list of the parts between separators."),               \
    KR_BM_SIG(splitlines, METH_FASTCALL | METH_KEYWORDS,                       \
              "($self, /, keepends=False)", "Return a list of the lines."),    \
    KR_BM_VAR(startswith, "bool", "Whether B begins with sub."),               \
    KR_BM_SIG(strip, METH_FASTCALL, "($self, bytes=None, /)",                  \
              "Strip surrounding whitespace or the given bytes."),             \
    KR_BM_CASE(swapcase, "with the case of ASCII letters swapped."),           \
    KR_BM_CASE(title, "with words capitalised."),                              \
    KR_BM_SIG(translate, METH_FASTCALL | METH_KEYWORDS,                        \
              "($self, table, /, delete=b'')",                                 \
              "Map each byte through the table, after deleting some."),        \
    KR_BM_CASE(upper, "in upper case."),                                       \
    KR_BM_SIG(zfill, METH_O, "($self, width, /)",                              \
              "Pad with zeros on the left."),                                  \
    {"maketrans", KR_BM_F(maketrans), METH_FASTCALL | METH_STATIC,             \
     "maketrans(frm, to, /)\n--\n\nReturn a table for translate()."}

#endif
