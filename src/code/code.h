/* Code objects: construction and the accessors that other layers use.
 *
 * A PyCodeObject is immutable as Python sees it; only its instruction stream is
 * rewritten in place by the specialiser (see opcode_meta.h), which every
 * reader of co_code undoes. */
#ifndef KR_CODE_CODE_H
#define KR_CODE_CODE_H

#include <Python.h>
#include <stdbool.h>

/* Everything a code object is made of. All references are borrowed from the
 * caller; kr_code_new takes its own. The field order is ABI (_PyCode_New). */
struct kr_code_spec {
    PyObject *filename; /* str */
    PyObject *name;     /* str */
    PyObject *qualname; /* str */
    int flags;          /* CO_* */

    PyObject *code; /* bytes: units of opcode, oparg, with CACHE units */
    int firstlineno;
    PyObject *linetable; /* bytes, PEP 626/657 location table */

    PyObject *consts; /* tuple */
    PyObject *names;  /* tuple of str */

    PyObject *localsplusnames; /* tuple of str */
    PyObject *localspluskinds; /* bytes of KR_LOCAL_* bits, one per name */

    int argcount; /* positional ones, with the positional-only ones */
    int posonlyargcount;
    int kwonlyargcount;
    int stacksize;
    PyObject *exceptiontable; /* bytes */
};

/* Bits of co_localspluskinds. An argument that is also a cell has both. */
#define KR_LOCAL_LOCAL 0x20
#define KR_LOCAL_CELL 0x40
#define KR_LOCAL_FREE 0x80

/* Checks `spec` (SystemError or ValueError), interns its names and the
 * identifier-like strings of its constants, and returns a new code object;
 * NULL on failure. */
PyObject *kr_code_new(struct kr_code_spec *spec);

/* The same for what comes from outside: checked by code/verify.h before it first
 * runs. */
PyObject *kr_code_new_foreign(struct kr_code_spec *spec);

/* The names whose kind has a bit of `kind`, as a new tuple; NULL on failure. */
PyObject *kr_code_local_names(PyCodeObject *co, int kind);

/* Index of the exception handler for the unit at index `unit`: fills in the
 * handler's unit, the stack depth to unwind to, and whether lasti is pushed.
 * Returns false if there is none. Never fails. */
bool kr_code_find_handler(PyCodeObject *co, int unit, int *handler, int *depth,
                          bool *push_lasti);

/* Walks the location table entry by entry. */
struct kr_code_loc {
    const uint8_t *next;
    const uint8_t *limit;
    int computed_line; /* running line, valid also inside entries without one */
    int start, end;    /* byte offsets of the current entry */
    int line;          /* -1: no line */
    int end_line, col, end_col; /* -1: unknown; columns count from 0 */
};
void kr_code_loc_init(struct kr_code_loc *loc, PyCodeObject *co);
/* Moves to the next entry; false at the end. */
bool kr_code_loc_next(struct kr_code_loc *loc);

/* A location table that has the lines of `linetable` and no columns: a new
 * reference, NULL with an exception. */
PyObject *kr_code_without_columns(PyObject *linetable);

/* Maps constants to keys that are equal exactly if the constants may be merged
 * (same types all the way down); new reference, NULL on failure. */
PyAPI_FUNC(PyObject *) _PyCode_ConstantKey(PyObject *op);

#endif
