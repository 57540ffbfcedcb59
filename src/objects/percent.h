/* What the % operators of str and bytes share: reading conversions and their
 * arguments, and laying out numbers. */
#ifndef KR_OBJECTS_PERCENT_H
#define KR_OBJECTS_PERCENT_H

#include <Python.h>

enum kr_percent_flag {
    KR_PF_LJUST = 1,
    KR_PF_SIGN = 2,
    KR_PF_BLANK = 4,
    KR_PF_ALT = 8,
    KR_PF_ZERO = 16,
    KR_PF_NO_NEG_0 = 32,
};

struct kr_percent {
    int kind; /* of the format's characters */
    const void *format;
    Py_ssize_t len, pos;
    int bytes; /* formatting bytes, not str */
    PyObject *args; /* a tuple, or the only argument */
    Py_ssize_t arglen, argidx; /* -1, -2: only one argument */
    PyObject *dict; /* borrowed mapping, or NULL */
    int args_owned;
};

struct kr_percent_spec {
    int flags;
    Py_ssize_t width;
    int precision; /* -1: none */
    Py_UCS4 ch;
};

void kr_percent_init(struct kr_percent *p, int kind, const void *format,
                     Py_ssize_t len, PyObject *args, int bytes);
void kr_percent_clear(struct kr_percent *p);

/* Reads the conversion after a '%'; -1 with an exception set. */
int kr_percent_read(struct kr_percent *p, struct kr_percent_spec *spec);

/* The next argument, borrowed; NULL with TypeError set. */
PyObject *kr_percent_next(struct kr_percent *p);

/* Whether arguments are left over: raises TypeError and returns -1. */
int kr_percent_finish(struct kr_percent *p);

/* The text of an integer (d i u o x X) or float (e E f F g G) conversion, with
 * a '-' but neither '+' nor padding; new str or NULL. */
PyObject *kr_percent_integer(PyObject *v, const struct kr_percent_spec *spec);
PyObject *kr_percent_float(PyObject *v, const struct kr_percent_spec *spec);

/* How to lay out a number of `len` characters beginning with s: prefix (sign
 * and 0x) of *prefix_len characters, of which the first *skip belong to the
 * text. Returns the padding. */
struct kr_percent_layout {
    char prefix[4];
    Py_ssize_t prefix_len, skip, left_spaces, zeros, right_spaces;
};
void kr_percent_lay_out(struct kr_percent_layout *out, const char *s,
                        Py_ssize_t len, const struct kr_percent_spec *spec,
                        int numeric);

/* Raises ValueError for an unknown conversion; always -1. */
int kr_percent_unsupported(struct kr_percent *p,
                           const struct kr_percent_spec *spec);

#endif
