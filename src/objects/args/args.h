/* What the argument parsers share: one format item converted at a time. */
#ifndef KR_OBJECTS_ARGS_ARGS_H
#define KR_OBJECTS_ARGS_ARGS_H

#include <Python.h>
#include <stdarg.h>

enum {
    KR_ARGS_SSIZE_T = 1, /* '#' takes a Py_ssize_t (PY_SSIZE_T_CLEAN) */
    KR_ARGS_COMPAT = 2,  /* PyArg_Parse: the object is the only argument */
    KR_ARGS_NAMED = 4,   /* errors name the parameter */
};

/* Buffers, strings and converters to undo when a later argument fails. */
struct kr_args_cleanup {
    int (*converter)(PyObject *, void *); /* NULL: free *(char **)item */
    void *item;
};

struct kr_args_cleanups {
    struct kr_args_cleanup fixed[16];
    struct kr_args_cleanup *list; /* fixed, or malloced */
    int count, capacity;
};

void kr_args_cleanups_init(struct kr_args_cleanups *c);

/* Ends a parse: undoes everything when `ok` is 0. Returns `ok`. */
int kr_args_cleanups_finish(struct kr_args_cleanups *c, int ok);

/* Converts `arg` by the item at *format into the next pointers of `va`, and
 * moves both on. Returns NULL, or why it failed: a text in `buffer` or
 * static; an exception may be set, which then wins. levels[] names the place
 * in nested tuples, 0-terminated. */
const char *kr_args_convert(PyObject *arg, const char **format, va_list *va,
                            int flags, int *levels, char *buffer,
                            size_t size, struct kr_args_cleanups *cleanups);

/* Moves *format and `va` past one item. NULL, or an error text. */
const char *kr_args_skip(const char **format, va_list *va, int flags);

/* Raises TypeError for argument `i` (1-based), or the one called `name` if
 * that is not NULL, unless an exception is set. */
void kr_args_set_error(Py_ssize_t i, PyObject *name, const char *msg,
                       const int *levels, const char *fname,
                       const char *message);

/* Whether format character `c` cannot begin an item. */
int kr_args_is_end(char c);

#endif
