/* count, cycle, repeat, chain, tee, zip_longest, and the module. */
#include "modules/itertools/itertools.h"

/* ---- count */

/* While everything is small, `cnt` counts in steps of 1; else it is
 * PY_SSIZE_T_MAX and the objects do. */
typedef struct {
    PyObject_HEAD
    PyObject *long_cnt;
    PyObject *long_step;
    Py_ssize_t cnt;
} count;

REFS(count, 2, )

static PyObject *
count_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"start", "step", NULL};
    PyObject *start = NULL, *step = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO:count", keywords, &start,
                                     &step)) {
        return NULL;
    }
    if ((start != NULL && !PyNumber_Check(start))
        || (step != NULL && !PyNumber_Check(step))) {
        PyErr_SetString(PyExc_TypeError, "a number is required");
        return NULL;
    }
    bool fast = (start == NULL || PyLong_Check(start))
                && (step == NULL || PyLong_Check(step));
    Py_ssize_t cnt = 0;
    if (fast && start != NULL) {
        cnt = PyLong_AsSsize_t(start);
        if (cnt == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            fast = false;
        }
    }
    if (fast && step != NULL) {
        int overflow;
        fast = PyLong_AsLongAndOverflow(step, &overflow) == 1;
        if (!fast && PyErr_Occurred()) {
            return NULL;
        }
    }
    count *lz = (count *)type->tp_alloc(type, 0);
    if (lz == NULL) {
        return NULL;
    }
    lz->long_step = step != NULL ? Py_NewRef(step) : PyLong_FromLong(1);
    if (!fast || cnt == PY_SSIZE_T_MAX) {
        lz->cnt = PY_SSIZE_T_MAX;
        lz->long_cnt = start != NULL ? Py_NewRef(start) : PyLong_FromLong(0);
    }
    else {
        lz->cnt = cnt;
    }
    return (PyObject *)lz;
}

static PyObject *
count_next(PyObject *self)
{
    count *lz = (count *)self;
    if (KR_LIKELY(lz->cnt != PY_SSIZE_T_MAX)) {
        return PyLong_FromSsize_t(lz->cnt++);
    }
    PyObject *now = lz->long_cnt;
    if (now == NULL) {
        now = PyLong_FromSsize_t(PY_SSIZE_T_MAX);
        if (now == NULL) {
            return NULL;
        }
    }
    lz->long_cnt = NULL;
    PyObject *next = PyNumber_Add(now, lz->long_step);
    if (next == NULL) {
        Py_XSETREF(lz->long_cnt, now);
        return NULL;
    }
    Py_XSETREF(lz->long_cnt, next);
    return now;
}

static PyObject *
count_repr(PyObject *self)
{
    count *lz = (count *)self;
    if (lz->cnt != PY_SSIZE_T_MAX) {
        return PyUnicode_FromFormat("%s(%zd)",
                                    _PyType_Name(Py_TYPE(lz)), lz->cnt);
    }
    PyObject *now = lz->long_cnt;
    PyObject *own = now == NULL ? PyLong_FromSsize_t(PY_SSIZE_T_MAX)
                                : Py_NewRef(now);
    if (own == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PyLong_Check(lz->long_step)) {
        long step = PyLong_AsLong(lz->long_step);
        if (step == -1 && PyErr_Occurred()) {
            PyErr_Clear();
        }
        if (step == 1) {
            result = PyUnicode_FromFormat("%s(%R)", _PyType_Name(Py_TYPE(lz)),
                                          own);
            Py_DECREF(own);
            return result;
        }
    }
    result = PyUnicode_FromFormat("%s(%R, %R)", _PyType_Name(Py_TYPE(lz)),
                                  own, lz->long_step);
    Py_DECREF(own);
    return result;
}

static PyObject *
count_reduce(PyObject *self, PyObject *ignored)
{
    count *lz = (count *)self;
    if (lz->cnt == PY_SSIZE_T_MAX && lz->long_cnt != NULL) {
        return Py_BuildValue("O(OO)", Py_TYPE(lz), lz->long_cnt,
                             lz->long_step);
    }
    return Py_BuildValue("O(n)", Py_TYPE(lz), lz->cnt);
}

static PyMethodDef count_methods[] = {REDUCE(count_reduce), {NULL}};

ITERATOR(kr_it_count, "count", count, count, count_methods,
         "count(start=0, step=1)\n--\n\n"
         "Return start, start+step, start+2*step, ...",
         .tp_repr = count_repr);

/* ---- cycle */

typedef struct {
    PyObject_HEAD
    PyObject *it; /* NULL: from `saved` now */
    PyObject *saved;
    Py_ssize_t index;
    int firstpass; /* items of `it` are saved already */
} cycle;

REFS(cycle, 2, )

static PyObject *
cycle_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable;
    if (!it_no_keywords(type, &kr_it_cycle, "cycle", kwds)
        || !PyArg_UnpackTuple(args, "cycle", 1, 1, &iterable)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(iterable);
    PyObject *saved = it ? PyList_New(0) : NULL;
    cycle *lz = saved ? (cycle *)type->tp_alloc(type, 0) : NULL;
    if (lz == NULL) {
        Py_XDECREF(it);
        Py_XDECREF(saved);
        return NULL;
    }
    lz->it = it;
    lz->saved = saved;
    return (PyObject *)lz;
}

static PyObject *
cycle_next(PyObject *self)
{
    cycle *lz = (cycle *)self;
    if (lz->it != NULL) {
        PyObject *item = PyIter_Next(lz->it);
        if (item != NULL) {
            if (!lz->firstpass && PyList_Append(lz->saved, item) < 0) {
                Py_DECREF(item);
                return NULL;
            }
            return item;
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
        Py_CLEAR(lz->it);
    }
    if (PyList_GET_SIZE(lz->saved) == 0) {
        return NULL;
    }
    PyObject *item = Py_NewRef(PyList_GET_ITEM(lz->saved, lz->index));
    if (++lz->index >= PyList_GET_SIZE(lz->saved)) {
        lz->index = 0;
    }
    return item;
}

static PyObject *
cycle_reduce(PyObject *self, PyObject *ignored)
{
    cycle *lz = (cycle *)self;
    if (lz->it != NULL) {
        return Py_BuildValue("O(O)(OO)", Py_TYPE(lz), lz->it, lz->saved,
                             lz->firstpass ? Py_True : Py_False);
    }
    PyObject *it = PyObject_GetIter(lz->saved);
    if (it == NULL) {
        return NULL;
    }
    if (lz->index != 0) {
        PyObject *res = PyObject_CallMethod(it, "__setstate__", "n", lz->index);
        if (res == NULL) {
            Py_DECREF(it);
            return NULL;
        }
        Py_DECREF(res);
    }
    return Py_BuildValue("O(N)(OO)", Py_TYPE(lz), it, lz->saved, Py_True);
}

static PyObject *
cycle_setstate(PyObject *self, PyObject *state)
{
    PyObject *saved = NULL;
    int firstpass;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    /* before 3.5, the second was the index */
    if (!PyArg_ParseTuple(state, "O!i", &PyList_Type, &saved, &firstpass)) {
        return NULL;
    }
    cycle *lz = (cycle *)self;
    Py_INCREF(saved);
    Py_XSETREF(lz->saved, saved);
    lz->firstpass = firstpass != 0;
    lz->index = 0;
    Py_RETURN_NONE;
}

static PyMethodDef cycle_methods[] = {
    REDUCE(cycle_reduce),
    SETSTATE(cycle_setstate),
    {NULL},
};

ITERATOR(kr_it_cycle, "cycle", cycle, cycle, cycle_methods,
         "cycle(iterable, /)\n--\n\n"
         "Return the elements of the iterable, then all again, without end.");

/* ---- repeat */

typedef struct {
    PyObject_HEAD
    PyObject *element;
    Py_ssize_t cnt; /* -1: for ever */
} repeat;

REFS(repeat, 1, )

static PyObject *
repeat_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"object", "times", NULL};
    PyObject *element;
    Py_ssize_t cnt = -1, given = PyTuple_GET_SIZE(args);
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|n:repeat", keywords,
                                     &element, &cnt)) {
        return NULL;
    }
    given += kwds != NULL ? PyDict_GET_SIZE(kwds) : 0;
    if (given == 2 && cnt < 0) {
        cnt = 0;
    }
    repeat *ro = (repeat *)type->tp_alloc(type, 0);
    if (ro == NULL) {
        return NULL;
    }
    ro->element = Py_NewRef(element);
    ro->cnt = cnt;
    return (PyObject *)ro;
}

static PyObject *
repeat_next(PyObject *self)
{
    repeat *ro = (repeat *)self;
    if (ro->cnt == 0) {
        return NULL;
    }
    if (ro->cnt > 0) {
        ro->cnt--;
    }
    return Py_NewRef(ro->element);
}

static PyObject *
repeat_repr(PyObject *self)
{
    repeat *ro = (repeat *)self;
    if (ro->cnt == -1) {
        return PyUnicode_FromFormat("%s(%R)", _PyType_Name(Py_TYPE(ro)),
                                    ro->element);
    }
    return PyUnicode_FromFormat("%s(%R, %zd)", _PyType_Name(Py_TYPE(ro)),
                                ro->element, ro->cnt);
}

static PyObject *
repeat_len(PyObject *self, PyObject *ignored)
{
    repeat *ro = (repeat *)self;
    if (ro->cnt == -1) {
        PyErr_SetString(PyExc_TypeError, "len() of unsized object");
        return NULL;
    }
    return PyLong_FromSsize_t(ro->cnt);
}

static PyObject *
repeat_reduce(PyObject *self, PyObject *ignored)
{
    repeat *ro = (repeat *)self;
    if (ro->cnt >= 0) {
        return Py_BuildValue("O(On)", Py_TYPE(ro), ro->element, ro->cnt);
    }
    return Py_BuildValue("O(O)", Py_TYPE(ro), ro->element);
}

static PyMethodDef repeat_methods[] = {
    {"__length_hint__", repeat_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    REDUCE(repeat_reduce),
    {NULL},
};

ITERATOR(kr_it_repeat, "repeat", repeat, repeat, repeat_methods,
         "repeat(object [,times]) -> the object, times times\n\n"
         "Without times, the object is returned endlessly.",
         .tp_repr = repeat_repr);

/* ---- chain */

typedef struct {
    PyObject_HEAD
    PyObject *source; /* iterator over iterables, NULL when exhausted */
    PyObject *active;
} chain;

REFS(chain, 2, )

/* Takes over the iterator. */
static PyObject *
chain_make(PyTypeObject *type, PyObject *source)
{
    chain *lz = source ? (chain *)type->tp_alloc(type, 0) : NULL;
    if (lz == NULL) {
        Py_XDECREF(source);
        return NULL;
    }
    lz->source = source;
    return (PyObject *)lz;
}

static PyObject *
chain_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (!it_no_keywords(type, &kr_it_chain, "chain", kwds)) {
        return NULL;
    }
    return chain_make(type, PyObject_GetIter(args));
}

static PyObject *
chain_from_iterable(PyObject *type, PyObject *arg)
{
    return chain_make((PyTypeObject *)type, PyObject_GetIter(arg));
}

static PyObject *
chain_next(PyObject *self)
{
    chain *lz = (chain *)self;
    while (lz->source != NULL) {
        if (lz->active == NULL) {
            PyObject *iterable = PyIter_Next(lz->source);
            if (iterable == NULL) {
                Py_CLEAR(lz->source);
                return NULL;
            }
            lz->active = PyObject_GetIter(iterable);
            Py_DECREF(iterable);
            if (lz->active == NULL) {
                Py_CLEAR(lz->source);
                return NULL;
            }
        }
        PyObject *item = it_next(lz->active);
        if (item != NULL) {
            return item;
        }
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
                return NULL;
            }
            PyErr_Clear();
        }
        Py_CLEAR(lz->active);
    }
    return NULL;
}

static PyObject *
chain_reduce(PyObject *self, PyObject *ignored)
{
    chain *lz = (chain *)self;
    if (lz->source == NULL) {
        return Py_BuildValue("O()", Py_TYPE(lz));
    }
    if (lz->active != NULL) {
        return Py_BuildValue("O()(OO)", Py_TYPE(lz), lz->source, lz->active);
    }
    return Py_BuildValue("O()(O)", Py_TYPE(lz), lz->source);
}

static PyObject *
chain_setstate(PyObject *self, PyObject *state)
{
    chain *lz = (chain *)self;
    PyObject *source, *active = NULL;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O|O", &source, &active)) {
        return NULL;
    }
    if (!PyIter_Check(source) || (active != NULL && !PyIter_Check(active))) {
        PyErr_SetString(PyExc_TypeError, "Arguments must be iterators.");
        return NULL;
    }
    Py_INCREF(source);
    Py_XSETREF(lz->source, source);
    Py_XINCREF(active);
    Py_XSETREF(lz->active, active);
    Py_RETURN_NONE;
}

static PyMethodDef chain_methods[] = {
    {"from_iterable", chain_from_iterable, METH_O | METH_CLASS,
     "from_iterable($type, iterable, /)\n--\n\n"
     "Make a chain of the iterables that an iterable gives."},
    REDUCE(chain_reduce),
    SETSTATE(chain_setstate),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

ITERATOR(kr_it_chain, "chain", chain, chain, chain_methods,
         "chain(*iterables) --> chain object\n\n"
         "The items of the first iterable, then those of the next, and so "
         "on.");

/* ---- tee: a list of blocks that the copies walk at their own pace */

#define LINK_CELLS 57

typedef struct {
    PyObject_HEAD
    PyObject *it;
    PyObject *nextlink;
    int numread; /* cells that are filled */
    int running;
    PyObject *values[LINK_CELLS];
} teedata;

typedef struct {
    PyObject_HEAD
    PyObject *dataobj;
    PyObject *weakreflist;
    int index;
} tee;

static PyObject *
teedata_make(PyObject *it)
{
    teedata *tdo = PyObject_GC_New(teedata, &kr_it_teedata);
    if (tdo == NULL) {
        return NULL;
    }
    tdo->running = 0;
    tdo->numread = 0;
    tdo->nextlink = NULL;
    tdo->it = Py_NewRef(it);
    PyObject_GC_Track(tdo);
    return (PyObject *)tdo;
}

static PyObject *
teedata_jumplink(teedata *tdo)
{
    if (tdo->nextlink == NULL) {
        tdo->nextlink = teedata_make(tdo->it);
    }
    return Py_XNewRef(tdo->nextlink);
}

static PyObject *
teedata_item(teedata *tdo, int i)
{
    if (i < tdo->numread) {
        return Py_NewRef(tdo->values[i]);
    }
    if (tdo->running) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot re-enter the tee iterator");
        return NULL;
    }
    tdo->running = 1;
    PyObject *value = PyIter_Next(tdo->it);
    tdo->running = 0;
    if (value == NULL) {
        return NULL;
    }
    tdo->numread++;
    tdo->values[i] = value;
    return Py_NewRef(value);
}

static int
teedata_traverse(PyObject *self, visitproc visit, void *arg)
{
    teedata *tdo = (teedata *)self;
    Py_VISIT(tdo->it);
    for (int i = 0; i < tdo->numread; i++) {
        Py_VISIT(tdo->values[i]);
    }
    Py_VISIT(tdo->nextlink);
    return 0;
}

/* Frees a chain of blocks without recursion. */
static void
free_links(PyObject *link)
{
    while (link != NULL && Py_IS_TYPE(link, &kr_it_teedata)
           && Py_REFCNT(link) == 1) {
        PyObject *next = ((teedata *)link)->nextlink;
        ((teedata *)link)->nextlink = NULL;
        Py_DECREF(link);
        link = next;
    }
    Py_XDECREF(link);
}

static int
teedata_clear(PyObject *self)
{
    teedata *tdo = (teedata *)self;
    Py_CLEAR(tdo->it);
    for (int i = 0; i < tdo->numread; i++) {
        Py_CLEAR(tdo->values[i]);
    }
    PyObject *link = tdo->nextlink;
    tdo->nextlink = NULL;
    free_links(link);
    return 0;
}

static void
teedata_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    teedata_clear(self);
    PyObject_GC_Del(self);
}

static PyObject *
teedata_reduce(PyObject *self, PyObject *ignored)
{
    teedata *tdo = (teedata *)self;
    PyObject *values = PyList_New(tdo->numread);
    if (values == NULL) {
        return NULL;
    }
    for (int i = 0; i < tdo->numread; i++) {
        PyList_SET_ITEM(values, i, Py_NewRef(tdo->values[i]));
    }
    return Py_BuildValue("O(ONO)", Py_TYPE(tdo), tdo->it, values,
                         tdo->nextlink ? tdo->nextlink : Py_None);
}

static PyObject *
teedata_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    PyObject *it, *values, *next;
    if ((type == &kr_it_teedata && !_PyArg_NoKeywords("teedataobject", kw)) ||
        !PyArg_UnpackTuple(args, "teedataobject", 3, 3, &it, &values,
                           &next)) {
        return NULL;
    }
    if (!PyList_Check(values)) {
        _PyArg_BadArgument("teedataobject", "argument 2", "list", values);
        return NULL;
    }
    teedata *tdo = (teedata *)teedata_make(it);
    if (tdo == NULL) {
        return NULL;
    }
    Py_ssize_t len = PyList_GET_SIZE(values);
    if (len > LINK_CELLS) {
        goto error;
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        tdo->values[i] = Py_NewRef(PyList_GET_ITEM(values, i));
        tdo->numread++;
    }
    if (len == LINK_CELLS) {
        if (next != Py_None) {
            if (!Py_IS_TYPE(next, &kr_it_teedata)) {
                goto error;
            }
            tdo->nextlink = Py_NewRef(next);
        }
    }
    else if (next != Py_None) {
        goto error; /* only a full block has a successor */
    }
    return (PyObject *)tdo;
error:
    Py_DECREF(tdo);
    PyErr_SetString(PyExc_ValueError, "Invalid arguments");
    return NULL;
}

static PyMethodDef teedata_methods[] = {REDUCE(teedata_reduce), {NULL}};

PyTypeObject kr_it_teedata = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "itertools._tee_dataobject",
    .tp_basicsize = sizeof(teedata),
    .tp_dealloc = teedata_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "teedataobject(iterable, values, next, /)\n--\n\n"
              "Data container common to multiple tee objects.",
    .tp_traverse = teedata_traverse,
    .tp_clear = teedata_clear,
    .tp_methods = teedata_methods,
    .tp_new = teedata_new,
    .tp_free = PyObject_GC_Del,
};

static PyObject *
tee_next(PyObject *self)
{
    tee *to = (tee *)self;
    if (to->index >= LINK_CELLS) {
        PyObject *link = teedata_jumplink((teedata *)to->dataobj);
        if (link == NULL) {
            return NULL;
        }
        Py_SETREF(to->dataobj, link);
        to->index = 0;
    }
    PyObject *value = teedata_item((teedata *)to->dataobj, to->index);
    if (value != NULL) {
        to->index++;
    }
    return value;
}

static int
tee_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((tee *)self)->dataobj);
    return 0;
}

static PyObject *
tee_copy(PyObject *self, PyObject *ignored)
{
    tee *to = (tee *)self, *copy = PyObject_GC_New(tee, &kr_it_tee);
    if (copy == NULL) {
        return NULL;
    }
    copy->dataobj = Py_NewRef(to->dataobj);
    copy->index = to->index;
    copy->weakreflist = NULL;
    PyObject_GC_Track(copy);
    return (PyObject *)copy;
}

static PyObject *
tee_from_iterable(PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return NULL;
    }
    if (Py_IS_TYPE(it, &kr_it_tee)) {
        PyObject *copy = tee_copy(it, NULL);
        Py_DECREF(it);
        return copy;
    }
    PyObject *dataobj = teedata_make(it);
    Py_DECREF(it);
    tee *to = dataobj ? PyObject_GC_New(tee, &kr_it_tee) : NULL;
    if (to == NULL) {
        Py_XDECREF(dataobj);
        return NULL;
    }
    to->dataobj = dataobj;
    to->index = 0;
    to->weakreflist = NULL;
    PyObject_GC_Track(to);
    return (PyObject *)to;
}

static PyObject *
tee_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    PyObject *iterable;
    if ((type == &kr_it_tee && !_PyArg_NoKeywords("_tee", kw)) ||
        !PyArg_UnpackTuple(args, "_tee", 1, 1, &iterable)) {
        return NULL;
    }
    return tee_from_iterable(iterable);
}

static int
tee_clear(PyObject *self)
{
    tee *to = (tee *)self;
    if (to->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_CLEAR(to->dataobj);
    return 0;
}

static void
tee_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    tee_clear(self);
    PyObject_GC_Del(self);
}

static PyObject *
tee_reduce(PyObject *self, PyObject *ignored)
{
    tee *to = (tee *)self;
    return Py_BuildValue("O(())(Oi)", Py_TYPE(to), to->dataobj, to->index);
}

static PyObject *
tee_setstate(PyObject *self, PyObject *state)
{
    tee *to = (tee *)self;
    PyObject *data;
    int index;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O!i", &kr_it_teedata, &data, &index)) {
        return NULL;
    }
    if (index < 0 || index > LINK_CELLS) {
        PyErr_SetString(PyExc_ValueError, "Index out of range");
        return NULL;
    }
    Py_INCREF(data);
    Py_XSETREF(to->dataobj, data);
    to->index = index;
    Py_RETURN_NONE;
}

static PyMethodDef tee_methods[] = {
    {"__copy__", tee_copy, METH_NOARGS, "Returns an independent iterator."},
    REDUCE(tee_reduce),
    SETSTATE(tee_setstate),
    {NULL},
};

PyTypeObject kr_it_tee = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "itertools._tee",
    .tp_basicsize = sizeof(tee),
    .tp_dealloc = tee_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Iterator wrapped to make it copyable.",
    .tp_traverse = tee_traverse,
    .tp_clear = tee_clear,
    .tp_weaklistoffset = offsetof(tee, weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = tee_next,
    .tp_methods = tee_methods,
    .tp_new = tee_new,
    .tp_free = PyObject_GC_Del,
};

PyObject *
kr_it_tee_function(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = 2;
    if (!_PyArg_CheckPositional("tee", nargs, 1, 2)) {
        return NULL;
    }
    if (nargs == 2) {
        PyObject *index = PyNumber_Index(args[1]);
        if (index == NULL) {
            return NULL;
        }
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred()) {
            return NULL;
        }
        if (n < 0) {
            PyErr_SetString(PyExc_ValueError, "n must be >= 0");
            return NULL;
        }
    }
    PyObject *result = PyTuple_New(n);
    if (result == NULL || n == 0) {
        return result;
    }
    PyObject *it = PyObject_GetIter(args[0]), *func = NULL;
    if (it == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    if (_PyObject_LookupAttr(it, KR_ID(__copy__), &func) < 0) {
        goto error;
    }
    if (func == NULL) {
        Py_SETREF(it, tee_from_iterable(it));
        func = it ? PyObject_GetAttr(it, KR_ID(__copy__)) : NULL;
        if (func == NULL) {
            goto error;
        }
    }
    PyTuple_SET_ITEM(result, 0, it);
    it = NULL;
    for (Py_ssize_t i = 1; i < n; i++) {
        PyObject *copy = PyObject_CallNoArgs(func);
        if (copy == NULL) {
            goto error;
        }
        PyTuple_SET_ITEM(result, i, copy);
    }
    Py_DECREF(func);
    return result;
error:
    Py_XDECREF(func);
    Py_XDECREF(it);
    Py_DECREF(result);
    return NULL;
}

/* ---- zip_longest */

typedef struct {
    PyObject_HEAD
    PyObject *ittuple; /* NULL items are exhausted */
    PyObject *result;
    PyObject *fillvalue;
    Py_ssize_t numactive;
} zip_longest;

REFS(zip_longest, 3, )

static PyObject *
zip_longest_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *fillvalue = Py_None;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (kwds != NULL && PyDict_GET_SIZE(kwds) > 0) {
        fillvalue = PyDict_GET_SIZE(kwds) == 1
                        ? PyDict_GetItemWithError(kwds, KR_ID(fillvalue))
                        : NULL;
        if (fillvalue == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_TypeError,
                                "zip_longest() got an unexpected keyword "
                                "argument");
            }
            return NULL;
        }
    }
    PyObject *ittuple = PyTuple_New(n);
    if (ittuple == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *it = PyObject_GetIter(PyTuple_GET_ITEM(args, i));
        if (it == NULL) {
            Py_DECREF(ittuple);
            return NULL;
        }
        PyTuple_SET_ITEM(ittuple, i, it);
    }
    PyObject *result = PyTuple_New(n);
    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        PyTuple_SET_ITEM(result, i, Py_NewRef(Py_None));
    }
    zip_longest *lz =
        result ? (zip_longest *)type->tp_alloc(type, 0) : NULL;
    if (lz == NULL) {
        Py_DECREF(ittuple);
        Py_XDECREF(result);
        return NULL;
    }
    lz->ittuple = ittuple;
    lz->numactive = n;
    lz->result = result;
    lz->fillvalue = Py_NewRef(fillvalue);
    return (PyObject *)lz;
}

static PyObject *
zip_longest_next(PyObject *self)
{
    zip_longest *lz = (zip_longest *)self;
    Py_ssize_t n = PyTuple_GET_SIZE(lz->ittuple);
    if (n == 0 || lz->numactive == 0) {
        return NULL;
    }
    PyObject *result = lz->result;
    if (Py_REFCNT(result) == 1) {
        Py_INCREF(result);
        if (!PyObject_GC_IsTracked(result)) {
            PyObject_GC_Track(result);
        }
    }
    else {
        result = PyTuple_New(n);
        if (result == NULL) {
            return NULL;
        }
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *it = PyTuple_GET_ITEM(lz->ittuple, i), *item;
        if (it == NULL) {
            item = Py_NewRef(lz->fillvalue);
        }
        else if ((item = PyIter_Next(it)) == NULL) {
            lz->numactive--;
            if (lz->numactive == 0 || PyErr_Occurred()) {
                lz->numactive = 0;
                Py_DECREF(result);
                return NULL;
            }
            item = Py_NewRef(lz->fillvalue);
            PyTuple_SET_ITEM(lz->ittuple, i, NULL);
            Py_DECREF(it);
        }
        PyObject *old = PyTuple_GET_ITEM(result, i);
        PyTuple_SET_ITEM(result, i, item);
        Py_XDECREF(old);
    }
    return result;
}

static PyObject *
zip_longest_reduce(PyObject *self, PyObject *ignored)
{
    zip_longest *lz = (zip_longest *)self;
    Py_ssize_t n = PyTuple_GET_SIZE(lz->ittuple);
    PyObject *args = PyTuple_New(n);
    for (Py_ssize_t i = 0; args != NULL && i < n; i++) {
        PyObject *elem = PyTuple_GET_ITEM(lz->ittuple, i);
        if (elem == NULL) {
            elem = PyTuple_New(0);
            if (elem == NULL) {
                Py_CLEAR(args);
                break;
            }
        }
        else {
            Py_INCREF(elem);
        }
        PyTuple_SET_ITEM(args, i, elem);
    }
    return args ? Py_BuildValue("ONO", Py_TYPE(lz), args, lz->fillvalue)
                : NULL;
}

static PyObject *
zip_longest_setstate(PyObject *self, PyObject *state)
{
    Py_INCREF(state);
    Py_XSETREF(((zip_longest *)self)->fillvalue, state);
    Py_RETURN_NONE;
}

static PyMethodDef zip_longest_methods[] = {
    REDUCE(zip_longest_reduce),
    SETSTATE(zip_longest_setstate),
    {NULL},
};

ITERATOR(kr_it_zip_longest, "zip_longest", zip_longest, zip_longest,
         zip_longest_methods,
         "zip_longest(*iterables, fillvalue=None) --> zip_longest object\n\n"
         "Tuples of the i-th items of all iterables; what ends early is\n"
         "continued with the fill value.");

/* ---- module */

static int
exec(PyObject *module)
{
    static PyTypeObject *const types[] = {
        &kr_it_accumulate,  &kr_it_combinations, &kr_it_combinations_wr,
        &kr_it_cycle,       &kr_it_dropwhile,    &kr_it_takewhile,
        &kr_it_islice,      &kr_it_starmap,      &kr_it_chain,
        &kr_it_compress,    &kr_it_filterfalse,  &kr_it_count,
        &kr_it_zip_longest, &kr_it_pairwise,     &kr_it_permutations,
        &kr_it_product,     &kr_it_repeat,       &kr_it_groupby,
        &kr_it_grouper,     &kr_it_tee,          &kr_it_teedata,
    };
    for (size_t i = 0; i < KR_ARRAY_LEN(types); i++) {
        if (PyModule_AddType(module, types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyMethodDef functions[] = {
    {"tee", (PyCFunction)(void *)kr_it_tee_function, METH_FASTCALL,
     "tee($module, iterable, n=2, /)\n--\n\n"
     "Returns a tuple of n independent iterators."},
    {NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "itertools",
    .m_doc = "Fast building blocks of iterators.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_itertools(void)
{
    return PyModuleDef_Init(&definition);
}
