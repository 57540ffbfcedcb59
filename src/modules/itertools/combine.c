/* product, permutations, combinations with and without replacement. They
 * share a pool of items, an array of indices into it and the last result,
 * which is changed in place when nobody else holds it. */
#include <string.h>

#include "modules/itertools/itertools.h"

typedef struct {
    PyObject_HEAD
    PyObject *pool;   /* a tuple; for product: of tuples */
    PyObject *result; /* the last one, NULL before the first */
    Py_ssize_t *indices;
    int stopped;
} product;

/* The same with the length of a result, which a product has by its pool. */
typedef struct {
    PyObject_HEAD
    PyObject *pool;
    PyObject *result;
    Py_ssize_t *indices;
    int stopped;
    Py_ssize_t r;
} combine;

typedef struct {
    combine base;
    Py_ssize_t *cycles;
} permutations;

#define C(op) ((combine *)(op))
#define CYCLES(op) (((permutations *)(op))->cycles)

REFS(combine, 2, PyMem_Free(C(self)->indices))
REFS(permutations, 2, {
    PyMem_Free(C(self)->indices);
    PyMem_Free(CYCLES(self));
})

#define product_dealloc combine_dealloc
#define product_traverse combine_traverse
#define combinations_dealloc combine_dealloc
#define combinations_traverse combine_traverse
#define cwr_dealloc combine_dealloc
#define cwr_traverse combine_traverse

/* Takes over pool and array. r < 0: a product. */
static PyObject *
combine_make(PyTypeObject *type, PyObject *pool, Py_ssize_t *indices,
             Py_ssize_t r, int stopped)
{
    combine *lz = (combine *)type->tp_alloc(type, 0);
    if (lz == NULL) {
        Py_DECREF(pool);
        PyMem_Free(indices);
        return NULL;
    }
    lz->pool = pool;
    lz->indices = indices;
    if (r >= 0) {
        lz->r = r;
    }
    lz->stopped = stopped;
    return (PyObject *)lz;
}

/* Array of n numbers; NULL with MemoryError. */
static Py_ssize_t *
make_indices(Py_ssize_t n)
{
    Py_ssize_t *indices = PyMem_New(Py_ssize_t, n > 0 ? n : 1);
    if (indices == NULL) {
        PyErr_NoMemory();
    }
    return indices;
}

static Py_ssize_t
length_of(combine *lz, bool nested)
{
    return nested ? PyTuple_GET_SIZE(lz->pool) : lz->r;
}

/* Item i of the result. */
static PyObject *
item_of(combine *lz, Py_ssize_t i, bool nested)
{
    PyObject *pool = nested ? PyTuple_GET_ITEM(lz->pool, i) : lz->pool;
    return PyTuple_GET_ITEM(pool, lz->indices[i]);
}

/* First result; sets lz->result and returns a new reference. */
static PyObject *
first_result(combine *lz, bool nested)
{
    Py_ssize_t r = length_of(lz, nested);
    PyObject *result = PyTuple_New(r);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        PyTuple_SET_ITEM(result, i, Py_NewRef(item_of(lz, i, nested)));
    }
    lz->result = result;
    return Py_NewRef(result);
}

/* Makes lz->result writable: a copy if someone else has it. */
static PyObject *
own_result(combine *lz)
{
    PyObject *result = lz->result;
    Py_ssize_t r = PyTuple_GET_SIZE(result);
    if (Py_REFCNT(result) == 1) {
        /* the collector may have found it free of cycles */
        if (r > 0 && !PyObject_GC_IsTracked(result)) {
            PyObject_GC_Track(result);
        }
        return result;
    }
    PyObject *copy = PyTuple_New(r);
    if (copy == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        PyTuple_SET_ITEM(copy, i, Py_NewRef(PyTuple_GET_ITEM(result, i)));
    }
    lz->result = copy;
    Py_DECREF(result);
    return copy;
}

/* Brings the items from `first` on up to date. */
static PyObject *
refresh(combine *lz, PyObject *result, Py_ssize_t first, bool nested)
{
    Py_ssize_t r = length_of(lz, nested);
    for (Py_ssize_t i = first; i < r; i++) {
        PyObject *item = Py_NewRef(item_of(lz, i, nested));
        PyObject *old = PyTuple_GET_ITEM(result, i);
        PyTuple_SET_ITEM(result, i, item);
        Py_DECREF(old);
    }
    return Py_NewRef(result);
}

static PyObject *
tuple_of_numbers(const Py_ssize_t *numbers, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *number = PyLong_FromSsize_t(numbers[i]);
        if (number == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, number);
    }
    return tuple;
}

/* Reads tuple[i] into out[i], brought into [low, high]. */
static int
read_numbers(PyObject *tuple, Py_ssize_t n, Py_ssize_t *out, Py_ssize_t low)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t v = PyLong_AsSsize_t(PyTuple_GET_ITEM(tuple, i));
        if (v < 0 && PyErr_Occurred()) {
            return -1;
        }
        out[i] = v < low ? low : v;
    }
    return 0;
}

static void
clamp(Py_ssize_t *v, Py_ssize_t low, Py_ssize_t high)
{
    *v = *v > high ? high : *v;
    *v = *v < low ? low : *v;
}

static PyObject *
sizeof_indices(PyObject *self, Py_ssize_t n)
{
    return PyLong_FromSsize_t(_PyObject_SIZE(Py_TYPE(self))
                              + n * (Py_ssize_t)sizeof(Py_ssize_t));
}

static PyObject *
plain_sizeof(PyObject *self, PyObject *ignored)
{
    return sizeof_indices(self, C(self)->r);
}

#define SIZEOF(f)                                                              \
    {                                                                          \
        "__sizeof__", f, METH_NOARGS, "Returns size in memory, in bytes."      \
    }

/* ---- product */

static PyObject *
product_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    Py_ssize_t repeat = 1, n = PyTuple_GET_SIZE(args);
    if (kwds != NULL) {
        static char *keywords[] = {"repeat", NULL};
        PyObject *none = PyTuple_New(0);
        if (none == NULL) {
            return NULL;
        }
        int ok = PyArg_ParseTupleAndKeywords(none, kwds, "|n:product",
                                             keywords, &repeat);
        Py_DECREF(none);
        if (!ok) {
            return NULL;
        }
        if (repeat < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "repeat argument cannot be negative");
            return NULL;
        }
    }
    if (repeat == 0) {
        n = 0;
    }
    else if (n > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Py_ssize_t) / repeat) {
        PyErr_SetString(PyExc_OverflowError, "repeat argument too large");
        return NULL;
    }
    Py_ssize_t r = n * repeat;
    Py_ssize_t *indices = make_indices(r);
    PyObject *pools = indices ? PyTuple_New(r) : NULL;
    if (pools == NULL) {
        PyMem_Free(indices);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        PyObject *pool = i < n ? PySequence_Tuple(PyTuple_GET_ITEM(args, i))
                               : Py_NewRef(PyTuple_GET_ITEM(pools, i - n));
        if (pool == NULL) {
            Py_DECREF(pools);
            PyMem_Free(indices);
            return NULL;
        }
        PyTuple_SET_ITEM(pools, i, pool);
        indices[i] = 0;
    }
    return combine_make(type, pools, indices, -1, 0);
}

static PyObject *
product_next(PyObject *self)
{
    combine *lz = C(self);
    if (lz->stopped) {
        return NULL;
    }
    if (lz->result == NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(lz->pool); i++) {
            if (PyTuple_GET_SIZE(PyTuple_GET_ITEM(lz->pool, i)) == 0) {
                lz->stopped = 1;
                return NULL;
            }
        }
        return first_result(lz, true);
    }
    PyObject *result = own_result(lz);
    if (result == NULL) {
        return NULL;
    }
    /* as an odometer turns, from the right */
    for (Py_ssize_t i = PyTuple_GET_SIZE(lz->pool) - 1; i >= 0; i--) {
        if (++lz->indices[i]
            < PyTuple_GET_SIZE(PyTuple_GET_ITEM(lz->pool, i))) {
            return refresh(lz, result, i, true);
        }
        lz->indices[i] = 0;
    }
    lz->stopped = 1;
    return NULL;
}

static PyObject *
product_reduce(PyObject *self, PyObject *ignored)
{
    combine *lz = C(self);
    if (lz->stopped) {
        return Py_BuildValue("O(())", Py_TYPE(lz));
    }
    if (lz->result == NULL) {
        return Py_BuildValue("OO", Py_TYPE(lz), lz->pool);
    }
    PyObject *indices =
        tuple_of_numbers(lz->indices, PyTuple_GET_SIZE(lz->pool));
    return indices ? Py_BuildValue("OON", Py_TYPE(lz), lz->pool, indices)
                   : NULL;
}

static PyObject *
product_setstate(PyObject *self, PyObject *state)
{
    combine *lz = C(self);
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool);
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != n) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return NULL;
    }
    if (read_numbers(state, n, lz->indices, 0) < 0) {
        memset(lz->indices, 0, (size_t)n * sizeof(Py_ssize_t));
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t size = PyTuple_GET_SIZE(PyTuple_GET_ITEM(lz->pool, i));
        if (size == 0) {
            lz->stopped = 1;
            Py_RETURN_NONE;
        }
        clamp(&lz->indices[i], 0, size - 1);
    }
    Py_CLEAR(lz->result);
    PyObject *result = first_result(lz, true);
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyObject *
product_sizeof(PyObject *self, PyObject *ignored)
{
    return sizeof_indices(self, PyTuple_GET_SIZE(C(self)->pool));
}

static PyMethodDef product_methods[] = {
    REDUCE(product_reduce),
    SETSTATE(product_setstate),
    SIZEOF(product_sizeof),
    {NULL},
};

ITERATOR(kr_it_product, "product", product, product, product_methods,
         "product(*iterables, repeat=1) --> product object\n\n"
         "Cartesian product of the iterables: as many nested for-loops.\n"
         "The product of an iterable with itself is given by repeat.");

/* ---- combinations and permutations: the shared beginning */

static int
parse_iterable_r(PyObject *args, PyObject *kwds, const char *format,
                 PyObject **iterable, PyObject **robj)
{
    static char *keywords[] = {"iterable", "r", NULL};
    *robj = Py_None;
    return PyArg_ParseTupleAndKeywords(args, kwds, format, keywords, iterable,
                                       robj)
               ? 0
               : -1;
}

static int
read_r(PyObject *robj, Py_ssize_t *r)
{
    PyObject *index = PyNumber_Index(robj);
    if (index == NULL) {
        return -1;
    }
    *r = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *r == -1 && PyErr_Occurred() ? -1 : 0;
}

static int
check_r(Py_ssize_t r)
{
    if (r < 0) {
        PyErr_SetString(PyExc_ValueError, "r must be non-negative");
        return -1;
    }
    return 0;
}

static PyObject *
make_combinations(PyTypeObject *type, PyObject *args, PyObject *kwds,
                  const char *format, bool with_replacement)
{
    PyObject *iterable, *robj;
    Py_ssize_t r;
    if (parse_iterable_r(args, kwds, format, &iterable, &robj) < 0 ||
        read_r(robj, &r) < 0) {
        return NULL;
    }
    PyObject *pool = PySequence_Tuple(iterable);
    if (pool == NULL) {
        return NULL;
    }
    Py_ssize_t *indices = check_r(r) < 0 ? NULL : make_indices(r);
    if (indices == NULL) {
        Py_DECREF(pool);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        indices[i] = with_replacement ? 0 : i;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(pool);
    return combine_make(type, pool, indices, r,
                        with_replacement ? n == 0 && r > 0 : r > n);
}

static PyObject *
combinations_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return make_combinations(type, args, kwds, "OO:combinations", false);
}

static PyObject *
combinations_next(PyObject *self)
{
    combine *lz = C(self);
    if (lz->stopped) {
        return NULL;
    }
    if (lz->result == NULL) {
        return first_result(lz, false);
    }
    PyObject *result = own_result(lz);
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool), r = lz->r, i = r - 1;
    while (i >= 0 && lz->indices[i] == i + n - r) {
        i--;
    }
    if (i < 0) {
        lz->stopped = 1;
        return NULL;
    }
    lz->indices[i]++;
    for (Py_ssize_t j = i + 1; j < r; j++) {
        lz->indices[j] = lz->indices[j - 1] + 1;
    }
    return refresh(lz, result, i, false);
}

static PyObject *
combinations_reduce(PyObject *self, PyObject *ignored)
{
    combine *lz = C(self);
    if (lz->result == NULL) {
        return Py_BuildValue("O(On)", Py_TYPE(lz), lz->pool, lz->r);
    }
    if (lz->stopped) {
        return Py_BuildValue("O(()n)", Py_TYPE(lz), lz->r);
    }
    PyObject *indices = tuple_of_numbers(lz->indices, lz->r);
    return indices ? Py_BuildValue("O(On)N", Py_TYPE(lz), lz->pool, lz->r,
                                   indices)
                   : NULL;
}

/* Indices from a pickle; each within what its place allows. */
static PyObject *
set_indices(combine *lz, PyObject *state, bool with_replacement)
{
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool);
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != lz->r) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < lz->r; i++) {
        Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(state, i));
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
        clamp(&index, 0, with_replacement ? n - 1 : i + n - lz->r);
        lz->indices[i] = index;
    }
    Py_CLEAR(lz->result);
    if (lz->r > 0 && n == 0) {
        lz->stopped = 1;
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 0; i < lz->r; i++) {
        if (lz->indices[i] >= n) {
            PyErr_SetString(PyExc_ValueError, "invalid arguments");
            return NULL;
        }
    }
    PyObject *result = first_result(lz, false);
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyObject *
combinations_setstate(PyObject *self, PyObject *state)
{
    return set_indices(C(self), state, false);
}

static PyMethodDef combinations_methods[] = {
    REDUCE(combinations_reduce),
    SETSTATE(combinations_setstate),
    SIZEOF(plain_sizeof),
    {NULL},
};

ITERATOR(kr_it_combinations, "combinations", combinations, combine,
         combinations_methods,
         "combinations(iterable, r)\n--\n\n"
         "Return successive r-length combinations of elements in the "
         "iterable.");

/* ---- combinations with replacement */

static PyObject *
cwr_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return make_combinations(type, args, kwds,
                             "OO:combinations_with_replacement", true);
}

static PyObject *
cwr_next(PyObject *self)
{
    combine *lz = C(self);
    if (lz->stopped) {
        return NULL;
    }
    if (lz->result == NULL) {
        return first_result(lz, false);
    }
    PyObject *result = own_result(lz);
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool), i = lz->r - 1;
    while (i >= 0 && lz->indices[i] == n - 1) {
        i--;
    }
    if (i < 0) {
        lz->stopped = 1;
        return NULL;
    }
    Py_ssize_t index = lz->indices[i] + 1;
    for (Py_ssize_t j = i; j < lz->r; j++) {
        lz->indices[j] = index;
    }
    return refresh(lz, result, i, false);
}

static PyObject *
cwr_setstate(PyObject *self, PyObject *state)
{
    return set_indices(C(self), state, true);
}

static PyMethodDef cwr_methods[] = {
    REDUCE(combinations_reduce),
    SETSTATE(cwr_setstate),
    SIZEOF(plain_sizeof),
    {NULL},
};

ITERATOR(kr_it_combinations_wr, "combinations_with_replacement", cwr, combine,
         cwr_methods,
         "combinations_with_replacement(iterable, r)\n--\n\n"
         "Return successive r-length combinations of elements in the "
         "iterable.\n\nElements may repeat.");

/* ---- permutations */

static PyObject *
permutations_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable, *robj;
    if (parse_iterable_r(args, kwds, "O|O:permutations", &iterable,
                         &robj) < 0) {
        return NULL;
    }
    PyObject *pool = PySequence_Tuple(iterable);
    if (pool == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(pool), r = n;
    if (robj != Py_None && !PyLong_Check(robj)) {
        PyErr_SetString(PyExc_TypeError, "Expected int as r");
        Py_DECREF(pool);
        return NULL;
    }
    if (robj != Py_None && (read_r(robj, &r) < 0 || check_r(r) < 0)) {
        Py_DECREF(pool);
        return NULL;
    }
    Py_ssize_t *indices = make_indices(n);
    Py_ssize_t *cycles = indices ? make_indices(r) : NULL;
    if (cycles == NULL) {
        PyMem_Free(indices);
        Py_DECREF(pool);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        indices[i] = i;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        cycles[i] = n - i;
    }
    PyObject *self = combine_make(type, pool, indices, r, r > n);
    if (self == NULL) {
        PyMem_Free(cycles);
        return NULL;
    }
    CYCLES(self) = cycles;
    return self;
}

static PyObject *
permutations_next(PyObject *self)
{
    combine *lz = C(self);
    if (lz->stopped) {
        return NULL;
    }
    if (lz->result == NULL) {
        return first_result(lz, false);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool);
    if (n == 0) {
        lz->stopped = 1;
        return NULL;
    }
    PyObject *result = own_result(lz);
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t *indices = lz->indices, *cycles = CYCLES(self);
    for (Py_ssize_t i = lz->r - 1; i >= 0; i--) {
        if (--cycles[i] > 0) {
            Py_ssize_t j = n - cycles[i], t = indices[i];
            indices[i] = indices[j];
            indices[j] = t;
            return refresh(lz, result, i, false);
        }
        /* this place has had all: put the tail back in order */
        Py_ssize_t index = indices[i];
        memmove(&indices[i], &indices[i + 1],
                (size_t)(n - 1 - i) * sizeof(Py_ssize_t));
        indices[n - 1] = index;
        cycles[i] = n - i;
    }
    lz->stopped = 1;
    return NULL;
}

static PyObject *
permutations_sizeof(PyObject *self, PyObject *ignored)
{
    return sizeof_indices(self,
                          PyTuple_GET_SIZE(C(self)->pool) + C(self)->r);
}

static PyObject *
permutations_reduce(PyObject *self, PyObject *ignored)
{
    combine *lz = C(self);
    if (lz->result == NULL) {
        return Py_BuildValue("O(On)", Py_TYPE(lz), lz->pool, lz->r);
    }
    if (lz->stopped) {
        return Py_BuildValue("O(()n)", Py_TYPE(lz), lz->r);
    }
    PyObject *indices =
        tuple_of_numbers(lz->indices, PyTuple_GET_SIZE(lz->pool));
    PyObject *cycles = indices ? tuple_of_numbers(CYCLES(self), lz->r) : NULL;
    if (cycles == NULL) {
        Py_XDECREF(indices);
        return NULL;
    }
    return Py_BuildValue("O(On)(NN)", Py_TYPE(lz), lz->pool, lz->r, indices,
                         cycles);
}

static PyObject *
permutations_setstate(PyObject *self, PyObject *state)
{
    combine *lz = C(self);
    PyObject *indices, *cycles;
    Py_ssize_t n = PyTuple_GET_SIZE(lz->pool);
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O!O!", &PyTuple_Type, &indices,
                          &PyTuple_Type, &cycles)) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(indices) != n || PyTuple_GET_SIZE(cycles) != lz->r
        || lz->stopped) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return NULL;
    }
    if (read_numbers(indices, n, lz->indices, 0) < 0
        || read_numbers(cycles, lz->r, CYCLES(self), 1) < 0) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        clamp(&lz->indices[i], 0, n - 1);
    }
    for (Py_ssize_t i = 0; i < lz->r; i++) {
        clamp(&CYCLES(self)[i], 1, n - i);
    }
    Py_CLEAR(lz->result);
    PyObject *result = first_result(lz, false);
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyMethodDef permutations_methods[] = {
    REDUCE(permutations_reduce),
    SETSTATE(permutations_setstate),
    SIZEOF(permutations_sizeof),
    {NULL},
};

ITERATOR(kr_it_permutations, "permutations", permutations, permutations,
         permutations_methods,
         "permutations(iterable, r=None)\n--\n\n"
         "Return successive r-length permutations of elements in the "
         "iterable.");
