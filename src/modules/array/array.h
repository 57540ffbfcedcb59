/* What the files of the array module share. */
#ifndef KR_MODULES_ARRAY_H
#define KR_MODULES_ARRAY_H

#include <Python.h>

#include "base/common.h"

typedef struct {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct kr_array_kind *kind;
    PyObject *weakreflist;
    Py_ssize_t exports;
} array;

struct kr_array_state {
    PyTypeObject *array_type;
    PyTypeObject *iter_type;
    PyObject *reconstructor; /* array._array_reconstructor */
};

#define A(op) ((array *)(op))
#define AT(a, i) ((a)->items + (i) * (a)->kind->itemsize)

/* How the items of one type code are stored. */
struct kr_array_kind {
    char typecode;
    int itemsize;
    bool is_integer, is_signed;
    const char *format; /* of the buffer */
    PyObject *(*get)(const char *p);
    int (*set)(char *p, PyObject *v);
};

/* NULL-terminated by typecode 0. */
extern const struct kr_array_kind kr_array_kinds[];

/* One machine format of pickled arrays. */
struct kr_array_machine {
    int size;
    bool is_signed, big_endian;
};

enum {
    KR_MACHINE_UNKNOWN = -1,
    KR_MACHINE_UINT8 = 0,
    KR_MACHINE_FLOAT_LE = 14,
    KR_MACHINE_FLOAT_BE = 15,
    KR_MACHINE_DOUBLE_LE = 16,
    KR_MACHINE_DOUBLE_BE = 17,
    KR_MACHINE_UTF16_LE = 18,
    KR_MACHINE_UTF16_BE = 19,
    KR_MACHINE_UTF32_LE = 20,
    KR_MACHINE_UTF32_BE = 21,
    KR_MACHINE_LAST = 21,
};

/* The machine format code of a kind here, and what a code means. */
int kr_array_machine_of(const struct kr_array_kind *kind);
struct kr_array_machine kr_array_machine(int code);

/* The items of machine format `code` in `bytes` as list; NULL on failure. */
PyObject *kr_array_decode(int code, PyObject *bytes);

/* The kind of a type code; NULL, without exception, if there is none. */
const struct kr_array_kind *kr_array_find_kind(int typecode);

/* The module's state; by type NULL with exception. */
struct kr_array_state *kr_array_state_of(PyObject *module);
struct kr_array_state *kr_array_state_of_type(PyTypeObject *type);

/* Whether op is an array; `self` is one. */
bool kr_array_is_array(PyObject *self, PyObject *op);

/* A new array of `size` items not yet set; NULL on failure. */
array *kr_array_make(PyTypeObject *type, Py_ssize_t size,
                     const struct kr_array_kind *kind);

/* Changes the number of items; -1 without memory or while exported. */
int kr_array_resize(array *self, Py_ssize_t newsize);

/* Item i < length, new reference; insertion before `where`, counted and
 * clipped as by list.insert; removal of [low, high). */
PyObject *kr_array_item_at(array *a, Py_ssize_t i);
int kr_array_insert_at(array *self, Py_ssize_t where, PyObject *v);
int kr_array_delete_range(array *a, Py_ssize_t low, Py_ssize_t high);

/* Appends the items of an iterable or array; -1 on failure. */
int kr_array_extend_iterable(PyObject *self, PyObject *iterable);

/* Slots and methods, with the contracts of their slots. */
Py_ssize_t kr_array_length(PyObject *op);
PyObject *kr_array_item(PyObject *op, Py_ssize_t i);
PyObject *kr_array_copy(PyObject *op, PyObject *ignored);
PyObject *kr_array_concat(PyObject *a, PyObject *b);
PyObject *kr_array_repeat(PyObject *op, Py_ssize_t n);
PyObject *kr_array_inplace_repeat(PyObject *op, Py_ssize_t n);
PyObject *kr_array_inplace_concat(PyObject *self, PyObject *other);
int kr_array_ass_item(PyObject *op, Py_ssize_t i, PyObject *v);
int kr_array_contains(PyObject *op, PyObject *v);
PyObject *kr_array_subscript(PyObject *op, PyObject *item);
int kr_array_ass_subscript(PyObject *op, PyObject *item, PyObject *value);
PyObject *kr_array_richcompare(PyObject *v, PyObject *w, int op);
PyObject *kr_array_repr(PyObject *op);
PyObject *kr_array_iter(PyObject *op);
PyObject *kr_array_tolist(PyObject *op, PyObject *ignored);
PyObject *kr_array_tounicode(PyObject *op, PyObject *ignored);
PyObject *kr_array_frombytes(PyObject *op, PyObject *arg);
PyObject *kr_array_tobytes(PyObject *op, PyObject *ignored);
PyObject *kr_array_reduce_ex(PyObject *op, PyObject *protocol);
PyObject *kr_array_reconstructor(PyObject *module, PyObject *const *args,
                                 Py_ssize_t nargs);

extern PyMethodDef kr_array_methods[];
extern PyType_Spec kr_array_iter_spec;

#endif
