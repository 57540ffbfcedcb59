/* Iterators that pass on some items of another: dropwhile, takewhile,
 * filterfalse, compress, islice, pairwise, starmap, accumulate, groupby. */
#include "modules/itertools/itertools.h"

/* ---- a function and an iterator */

typedef struct {
    PyObject_HEAD
    PyObject *func;
    PyObject *it;
    long flag;
} func_it;

#define FUNC_IT(op) ((func_it *)(op))

REFS(func_it, 2, )

static PyObject *
func_it_make(PyTypeObject *type, PyTypeObject *base, const char *name,
             PyObject *args, PyObject *kwds)
{
    PyObject *func, *seq;
    if (!it_no_keywords(type, base, name, kwds)
        || !PyArg_UnpackTuple(args, name, 2, 2, &func, &seq)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL) {
        return NULL;
    }
    func_it *lz = (func_it *)type->tp_alloc(type, 0);
    if (lz == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    lz->func = Py_NewRef(func);
    lz->it = it;
    return (PyObject *)lz;
}

static PyObject *
func_it_reduce(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("O(OO)", Py_TYPE(self), FUNC_IT(self)->func,
                         FUNC_IT(self)->it);
}

static PyObject *
func_it_reduce_flag(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("O(OO)l", Py_TYPE(self), FUNC_IT(self)->func,
                         FUNC_IT(self)->it, FUNC_IT(self)->flag);
}

static PyObject *
func_it_setstate(PyObject *self, PyObject *state)
{
    int flag = PyObject_IsTrue(state);
    if (flag < 0) {
        return NULL;
    }
    FUNC_IT(self)->flag = flag;
    Py_RETURN_NONE;
}

/* Truth of func(item); -1 with an exception. */
static int
test_item(PyObject *func, PyObject *item)
{
    PyObject *good = PyObject_CallOneArg(func, item);
    if (good == NULL) {
        return -1;
    }
    int ok = PyObject_IsTrue(good);
    Py_DECREF(good);
    return ok;
}

static PyMethodDef plain_methods[] = {REDUCE(func_it_reduce), {NULL}};
static PyMethodDef flag_methods[] = {
    REDUCE(func_it_reduce_flag),
    SETSTATE(func_it_setstate),
    {NULL},
};

#define dropwhile_dealloc func_it_dealloc
#define dropwhile_traverse func_it_traverse
#define takewhile_dealloc func_it_dealloc
#define takewhile_traverse func_it_traverse
#define filterfalse_dealloc func_it_dealloc
#define filterfalse_traverse func_it_traverse
#define starmap_dealloc func_it_dealloc
#define starmap_traverse func_it_traverse

static PyObject *
dropwhile_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return func_it_make(type, &kr_it_dropwhile, "dropwhile", args, kwds);
}

static PyObject *
dropwhile_next(PyObject *self)
{
    func_it *lz = FUNC_IT(self);
    for (;;) {
        PyObject *item = it_next(lz->it);
        if (item == NULL || lz->flag) {
            return item;
        }
        int ok = test_item(lz->func, item);
        if (ok == 0) {
            lz->flag = 1;
            return item;
        }
        Py_DECREF(item);
        if (ok < 0) {
            return NULL;
        }
    }
}

ITERATOR(kr_it_dropwhile, "dropwhile", dropwhile, func_it, flag_methods,
         "dropwhile(predicate, iterable, /)\n--\n\n"
         "Drop items from the iterable while predicate(item) is true.\n\n"
         "Afterwards, return every element until the iterable is exhausted.");

static PyObject *
takewhile_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return func_it_make(type, &kr_it_takewhile, "takewhile", args, kwds);
}

static PyObject *
takewhile_next(PyObject *self)
{
    func_it *lz = FUNC_IT(self);
    if (lz->flag) {
        return NULL;
    }
    PyObject *item = it_next(lz->it);
    if (item == NULL) {
        return NULL;
    }
    int ok = test_item(lz->func, item);
    if (ok == 1) {
        return item;
    }
    Py_DECREF(item);
    if (ok == 0) {
        lz->flag = 1;
    }
    return NULL;
}

ITERATOR(kr_it_takewhile, "takewhile", takewhile, func_it, flag_methods,
         "takewhile(predicate, iterable, /)\n--\n\n"
         "Return successive entries as long as predicate(entry) is true.");

static PyObject *
filterfalse_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return func_it_make(type, &kr_it_filterfalse, "filterfalse", args, kwds);
}

static PyObject *
filterfalse_next(PyObject *self)
{
    func_it *lz = FUNC_IT(self);
    for (;;) {
        PyObject *item = it_next(lz->it);
        if (item == NULL) {
            return NULL;
        }
        int ok = lz->func == Py_None || lz->func == (PyObject *)&PyBool_Type
                     ? PyObject_IsTrue(item)
                     : test_item(lz->func, item);
        if (ok == 0) {
            return item;
        }
        Py_DECREF(item);
        if (ok < 0) {
            return NULL;
        }
    }
}

ITERATOR(kr_it_filterfalse, "filterfalse", filterfalse, func_it, plain_methods,
         "filterfalse(function, iterable, /)\n--\n\n"
         "Return those items for which function(item) is false.\n\n"
         "If function is None, return the items that are false.");

static PyObject *
starmap_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return func_it_make(type, &kr_it_starmap, "starmap", args, kwds);
}

static PyObject *
starmap_next(PyObject *self)
{
    func_it *lz = FUNC_IT(self);
    PyObject *args = it_next(lz->it);
    if (args == NULL) {
        return NULL;
    }
    if (!PyTuple_CheckExact(args)) {
        Py_SETREF(args, PySequence_Tuple(args));
        if (args == NULL) {
            return NULL;
        }
    }
    PyObject *result = PyObject_Call(lz->func, args, NULL);
    Py_DECREF(args);
    return result;
}

ITERATOR(kr_it_starmap, "starmap", starmap, func_it, plain_methods,
         "starmap(function, iterable, /)\n--\n\n"
         "Call the function with the items of the iterable as arguments.");

/* ---- compress */

typedef struct {
    PyObject_HEAD
    PyObject *data;
    PyObject *selectors;
} compress;

REFS(compress, 2, )

static PyObject *
compress_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"data", "selectors", NULL};
    PyObject *seq1, *seq2;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "OO:compress", keywords,
                                     &seq1, &seq2)) {
        return NULL;
    }
    PyObject *data = PyObject_GetIter(seq1);
    PyObject *selectors = data ? PyObject_GetIter(seq2) : NULL;
    compress *lz = selectors ? (compress *)type->tp_alloc(type, 0) : NULL;
    if (lz == NULL) {
        Py_XDECREF(data);
        Py_XDECREF(selectors);
        return NULL;
    }
    lz->data = data;
    lz->selectors = selectors;
    return (PyObject *)lz;
}

static PyObject *
compress_next(PyObject *self)
{
    compress *lz = (compress *)self;
    for (;;) {
        /* data first: no selector is lost when it ends */
        PyObject *datum = it_next(lz->data);
        if (datum == NULL) {
            return NULL;
        }
        PyObject *selector = it_next(lz->selectors);
        if (selector == NULL) {
            Py_DECREF(datum);
            return NULL;
        }
        int ok = PyObject_IsTrue(selector);
        Py_DECREF(selector);
        if (ok == 1) {
            return datum;
        }
        Py_DECREF(datum);
        if (ok < 0) {
            return NULL;
        }
    }
}

static PyObject *
compress_reduce(PyObject *self, PyObject *ignored)
{
    compress *lz = (compress *)self;
    return Py_BuildValue("O(OO)", Py_TYPE(lz), lz->data, lz->selectors);
}

static PyMethodDef compress_methods[] = {REDUCE(compress_reduce), {NULL}};

ITERATOR(kr_it_compress, "compress", compress, compress, compress_methods,
         "compress(data, selectors)\n--\n\n"
         "Return data elements whose selector is true.");

/* ---- islice */

typedef struct {
    PyObject_HEAD
    PyObject *it; /* NULL when exhausted */
    Py_ssize_t next;
    Py_ssize_t stop; /* -1: none */
    Py_ssize_t step;
    Py_ssize_t cnt;
} islice;

REFS(islice, 1, )

/* A bound: None (then `value` stays) or a non-negative index. */
static int
islice_bound(PyObject *o, Py_ssize_t *value)
{
    if (o == Py_None) {
        return 0;
    }
    *value = PyNumber_AsSsize_t(o, PyExc_OverflowError);
    if (*value == -1 && PyErr_Occurred()) {
        PyErr_Clear();
    }
    return *value < 0 ? -1 : 0;
}

static PyObject *
islice_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *seq, *a1 = NULL, *a2 = NULL, *a3 = NULL;
    Py_ssize_t start = 0, stop = -1, step = 1;
    if (!it_no_keywords(type, &kr_it_islice, "islice", kwds)
        || !PyArg_UnpackTuple(args, "islice", 2, 4, &seq, &a1, &a2, &a3)) {
        return NULL;
    }
    if (a2 == NULL) {
        if (islice_bound(a1, &stop) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Stop argument for islice() must be None or an "
                            "integer: 0 <= x <= sys.maxsize.");
            return NULL;
        }
    }
    else {
        if (islice_bound(a2, &stop) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Stop argument for islice() must be None or an "
                            "integer: 0 <= x <= sys.maxsize.");
            return NULL;
        }
        if (islice_bound(a1, &start) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Indices for islice() must be None or an integer: "
                            "0 <= x <= sys.maxsize.");
            return NULL;
        }
        if (a3 != NULL && (islice_bound(a3, &step) < 0 || step < 1)) {
            PyErr_SetString(PyExc_ValueError,
                            "Step for islice() must be a positive integer or "
                            "None.");
            return NULL;
        }
    }
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL) {
        return NULL;
    }
    islice *lz = (islice *)type->tp_alloc(type, 0);
    if (lz == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    lz->it = it;
    lz->next = start;
    lz->stop = stop;
    lz->step = step;
    return (PyObject *)lz;
}

static PyObject *
islice_next(PyObject *self)
{
    islice *lz = (islice *)self;
    PyObject *it = lz->it;
    if (it == NULL) {
        return NULL;
    }
    while (lz->cnt < lz->next) {
        PyObject *item = it_next(it);
        if (item == NULL) {
            goto empty;
        }
        Py_DECREF(item);
        lz->cnt++;
    }
    if (lz->stop != -1 && lz->cnt >= lz->stop) {
        goto empty;
    }
    PyObject *item = it_next(it);
    if (item == NULL) {
        goto empty;
    }
    lz->cnt++;
    Py_ssize_t oldnext = lz->next;
    lz->next += (size_t)lz->step;
    if (lz->next < oldnext || (lz->stop != -1 && lz->next > lz->stop)) {
        lz->next = lz->stop;
    }
    return item;
empty:
    Py_CLEAR(lz->it);
    return NULL;
}

static PyObject *
islice_reduce(PyObject *self, PyObject *ignored)
{
    islice *lz = (islice *)self;
    if (lz->it == NULL) {
        PyObject *empty = PyList_New(0);
        PyObject *it = empty ? PyObject_GetIter(empty) : NULL;
        Py_XDECREF(empty);
        return it ? Py_BuildValue("O(Nn)n", Py_TYPE(lz), it, (Py_ssize_t)0,
                                  (Py_ssize_t)0)
                  : NULL;
    }
    PyObject *stop = lz->stop == -1 ? Py_NewRef(Py_None)
                                    : PyLong_FromSsize_t(lz->stop);
    return stop ? Py_BuildValue("O(OnNn)n", Py_TYPE(lz), lz->it, lz->next,
                                stop, lz->step, lz->cnt)
                : NULL;
}

static PyObject *
islice_setstate(PyObject *self, PyObject *state)
{
    Py_ssize_t cnt = PyLong_AsSsize_t(state);
    if (cnt == -1 && PyErr_Occurred()) {
        return NULL;
    }
    ((islice *)self)->cnt = cnt;
    Py_RETURN_NONE;
}

static PyMethodDef islice_methods[] = {
    REDUCE(islice_reduce),
    SETSTATE(islice_setstate),
    {NULL},
};

ITERATOR(kr_it_islice, "islice", islice, islice, islice_methods,
         "islice(iterable, stop) --> islice object\n"
         "islice(iterable, start, stop[, step]) --> islice object\n\n"
         "An iterator over the values that the slice selects.");

/* ---- pairwise */

typedef struct {
    PyObject_HEAD
    PyObject *it;
    PyObject *old;
} pairwise;

REFS(pairwise, 2, )

static PyObject *
pairwise_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable;
    if (!it_no_keywords(type, &kr_it_pairwise, "pairwise", kwds)
        || !PyArg_UnpackTuple(args, "pairwise", 1, 1, &iterable)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(iterable);
    pairwise *po = it ? (pairwise *)type->tp_alloc(type, 0) : NULL;
    if (po == NULL) {
        Py_XDECREF(it);
        return NULL;
    }
    po->it = it;
    return (PyObject *)po;
}

static PyObject *
pairwise_next(PyObject *self)
{
    pairwise *po = (pairwise *)self;
    PyObject *it = po->it;
    if (it == NULL) {
        return NULL;
    }
    if (po->old == NULL) {
        PyObject *first = it_next(it);
        Py_XSETREF(po->old, first);
        if (first == NULL) {
            Py_CLEAR(po->it);
            return NULL;
        }
        it = po->it; /* a reentrant call may have ended the iteration */
        if (it == NULL) {
            Py_CLEAR(po->old);
            return NULL;
        }
    }
    PyObject *old = Py_NewRef(po->old);
    PyObject *fresh = it_next(it);
    if (fresh == NULL) {
        Py_CLEAR(po->it);
        Py_CLEAR(po->old);
        Py_DECREF(old);
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, old, fresh);
    Py_XSETREF(po->old, fresh);
    Py_DECREF(old);
    return result;
}

ITERATOR(kr_it_pairwise, "pairwise", pairwise, pairwise, NULL,
         "pairwise(iterable, /)\n--\n\n"
         "Return an iterator of overlapping pairs taken from the input.");

/* ---- accumulate */

typedef struct {
    PyObject_HEAD
    PyObject *total; /* NULL before the first item */
    PyObject *it;
    PyObject *binop; /* NULL: addition */
    PyObject *initial;
} accumulate;

REFS(accumulate, 4, )

static PyObject *
accumulate_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"iterable", "func", "initial", NULL};
    PyObject *iterable, *binop = Py_None, *initial = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|O$O:accumulate", keywords,
                                     &iterable, &binop, &initial)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(iterable);
    accumulate *lz = it ? (accumulate *)type->tp_alloc(type, 0) : NULL;
    if (lz == NULL) {
        Py_XDECREF(it);
        return NULL;
    }
    lz->binop = binop == Py_None ? NULL : Py_NewRef(binop);
    lz->it = it;
    lz->initial = Py_NewRef(initial);
    return (PyObject *)lz;
}

static PyObject *
accumulate_next(PyObject *self)
{
    accumulate *lz = (accumulate *)self;
    if (lz->initial != Py_None) {
        lz->total = lz->initial;
        lz->initial = Py_NewRef(Py_None);
        return Py_NewRef(lz->total);
    }
    PyObject *val = it_next(lz->it);
    if (val == NULL) {
        return NULL;
    }
    if (lz->total == NULL) {
        lz->total = Py_NewRef(val);
        return val;
    }
    PyObject *total = Py_NewRef(lz->total);
    PyObject *args[] = {NULL, total, val};
    PyObject *fresh =
        lz->binop == NULL
            ? PyNumber_Add(total, val)
            : PyObject_Vectorcall(lz->binop, args + 1,
                                  2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(val);
    Py_DECREF(total);
    if (fresh == NULL) {
        return NULL;
    }
    Py_INCREF(fresh);
    Py_XSETREF(lz->total, fresh);
    return fresh;
}

static PyObject *
accumulate_reduce(PyObject *self, PyObject *ignored)
{
    accumulate *lz = (accumulate *)self;
    PyObject *binop = lz->binop ? lz->binop : Py_None;
    if (lz->initial != Py_None) {
        PyObject *it = PyObject_CallFunction((PyObject *)&kr_it_chain, "(O)O",
                                             lz->initial, lz->it);
        return it ? Py_BuildValue("O(NO)O", Py_TYPE(lz), it, binop, Py_None)
                  : NULL;
    }
    if (lz->total == Py_None) {
        /* a state of None would be taken for no state */
        PyObject *it = PyObject_CallFunction((PyObject *)&kr_it_chain, "(O)O",
                                             Py_None, lz->it);
        it = it ? PyObject_CallFunction((PyObject *)Py_TYPE(lz), "NO", it,
                                        binop)
                : NULL;
        return it ? Py_BuildValue("O(NiO)", &kr_it_islice, it, 1, Py_None)
                  : NULL;
    }
    return Py_BuildValue("O(OO)O", Py_TYPE(lz), lz->it, binop,
                         lz->total ? lz->total : Py_None);
}

static PyObject *
accumulate_setstate(PyObject *self, PyObject *state)
{
    Py_INCREF(state);
    Py_XSETREF(((accumulate *)self)->total, state);
    Py_RETURN_NONE;
}

static PyMethodDef accumulate_methods[] = {
    REDUCE(accumulate_reduce),
    SETSTATE(accumulate_setstate),
    {NULL},
};

ITERATOR(kr_it_accumulate, "accumulate", accumulate, accumulate,
         accumulate_methods,
         "accumulate(iterable, func=None, *, initial=None)\n--\n\n"
         "Return series of accumulated sums (or other binary function "
         "results).");

/* ---- groupby */

typedef struct {
    PyObject_HEAD
    PyObject *it;
    PyObject *keyfunc;
    PyObject *tgtkey;
    PyObject *currkey;
    PyObject *currvalue;
    void *currgrouper; /* borrowed */
} groupby;

typedef struct {
    PyObject_HEAD
    PyObject *parent;
    PyObject *tgtkey;
} grouper;

REFS(groupby, 5, )
REFS(grouper, 2, )

static PyObject *
groupby_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"iterable", "key", NULL};
    PyObject *iterable, *keyfunc = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|O:groupby", keywords,
                                     &iterable, &keyfunc)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(iterable);
    groupby *gbo = it ? (groupby *)type->tp_alloc(type, 0) : NULL;
    if (gbo == NULL) {
        Py_XDECREF(it);
        return NULL;
    }
    gbo->keyfunc = Py_NewRef(keyfunc);
    gbo->it = it;
    return (PyObject *)gbo;
}

static int
groupby_step(groupby *gbo)
{
    PyObject *value = it_next(gbo->it);
    if (value == NULL) {
        return -1;
    }
    PyObject *key = gbo->keyfunc == Py_None
                        ? Py_NewRef(value)
                        : PyObject_CallOneArg(gbo->keyfunc, value);
    if (key == NULL) {
        Py_DECREF(value);
        return -1;
    }
    Py_XSETREF(gbo->currvalue, value);
    Py_XSETREF(gbo->currkey, key);
    return 0;
}

static PyObject *
grouper_make(groupby *parent, PyObject *tgtkey)
{
    grouper *igo = PyObject_GC_New(grouper, &kr_it_grouper);
    if (igo == NULL) {
        return NULL;
    }
    igo->parent = Py_NewRef((PyObject *)parent);
    igo->tgtkey = Py_NewRef(tgtkey);
    parent->currgrouper = igo;
    PyObject_GC_Track(igo);
    return (PyObject *)igo;
}

static PyObject *
groupby_next(PyObject *self)
{
    groupby *gbo = (groupby *)self;
    gbo->currgrouper = NULL;
    /* skip the rest of the last group */
    for (;;) {
        if (gbo->currkey != NULL) {
            if (gbo->tgtkey == NULL) {
                break;
            }
            PyObject *tgt = Py_NewRef(gbo->tgtkey);
            PyObject *curr = Py_NewRef(gbo->currkey);
            int same = PyObject_RichCompareBool(tgt, curr, Py_EQ);
            Py_DECREF(tgt);
            Py_DECREF(curr);
            if (same < 0) {
                return NULL;
            }
            if (same == 0) {
                break;
            }
        }
        if (groupby_step(gbo) < 0) {
            return NULL;
        }
    }
    Py_INCREF(gbo->currkey);
    Py_XSETREF(gbo->tgtkey, gbo->currkey);
    PyObject *group = grouper_make(gbo, gbo->tgtkey);
    if (group == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, gbo->currkey, group);
    Py_DECREF(group);
    return result;
}

static PyObject *
groupby_reduce(PyObject *self, PyObject *ignored)
{
    groupby *lz = (groupby *)self;
    if (lz->tgtkey && lz->currkey && lz->currvalue) {
        return Py_BuildValue("O(OO)(OOO)", Py_TYPE(lz), lz->it, lz->keyfunc,
                             lz->currkey, lz->currvalue, lz->tgtkey);
    }
    return Py_BuildValue("O(OO)", Py_TYPE(lz), lz->it, lz->keyfunc);
}

static PyObject *
groupby_setstate(PyObject *self, PyObject *state)
{
    groupby *lz = (groupby *)self;
    PyObject *currkey, *currvalue, *tgtkey;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "OOO", &currkey, &currvalue, &tgtkey)) {
        return NULL;
    }
    Py_INCREF(currkey);
    Py_XSETREF(lz->currkey, currkey);
    Py_INCREF(currvalue);
    Py_XSETREF(lz->currvalue, currvalue);
    Py_INCREF(tgtkey);
    Py_XSETREF(lz->tgtkey, tgtkey);
    Py_RETURN_NONE;
}

static PyMethodDef groupby_methods[] = {
    REDUCE(groupby_reduce),
    SETSTATE(groupby_setstate),
    {NULL},
};

ITERATOR(kr_it_groupby, "groupby", groupby, groupby, groupby_methods,
         "groupby(iterable, key=None)\n--\n\n"
         "Make an iterator that returns consecutive keys and groups.\n\n"
         "  iterable\n    Elements to divide into groups.\n"
         "  key\n    A function that gives the group of an element; by\n"
         "    default the element itself.");

static PyObject *
grouper_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *parent, *tgtkey;
    if ((type == &kr_it_grouper && !_PyArg_NoKeywords("_grouper", kwds)) ||
        !PyArg_UnpackTuple(args, "_grouper", 2, 2, &parent, &tgtkey)) {
        return NULL;
    }
    if (!PyObject_TypeCheck(parent, &kr_it_groupby)) {
        _PyArg_BadArgument("_grouper", "argument 1", "itertools.groupby",
                           parent);
        return NULL;
    }
    return grouper_make((groupby *)parent, tgtkey);
}

static PyObject *
grouper_next(PyObject *self)
{
    grouper *igo = (grouper *)self;
    groupby *gbo = (groupby *)igo->parent;
    if (gbo->currgrouper != igo) {
        return NULL;
    }
    if (gbo->currvalue == NULL && groupby_step(gbo) < 0) {
        return NULL;
    }
    PyObject *key = Py_NewRef(gbo->currkey);
    int same = PyObject_RichCompareBool(igo->tgtkey, key, Py_EQ);
    Py_DECREF(key);
    if (same <= 0) {
        return NULL; /* an error, or the end of the group */
    }
    PyObject *value = gbo->currvalue;
    gbo->currvalue = NULL;
    Py_CLEAR(gbo->currkey);
    return value;
}

static PyObject *
grouper_reduce(PyObject *self, PyObject *ignored)
{
    grouper *lz = (grouper *)self;
    if (((groupby *)lz->parent)->currgrouper != lz) {
        return Py_BuildValue("N(())", _PyEval_GetBuiltin(KR_ID(iter)));
    }
    return Py_BuildValue("O(OO)", Py_TYPE(lz), lz->parent, lz->tgtkey);
}

static PyMethodDef grouper_methods[] = {REDUCE(grouper_reduce), {NULL}};

PyTypeObject kr_it_grouper = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "itertools._grouper",
    .tp_basicsize = sizeof(grouper),
    .tp_dealloc = grouper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = grouper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = grouper_next,
    .tp_methods = grouper_methods,
    .tp_new = grouper_new,
    .tp_free = PyObject_GC_Del,
};
