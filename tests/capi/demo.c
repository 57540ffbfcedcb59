/* An extension module that uses the C API as extensions do: a static type, a
   heap type from a spec, buffers, vectorcall, capsules and datetime.h.
   It is compiled against our headers and imported by demo.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <datetime.h>

/* Point: a static type with members, accessors and numbers. */
typedef struct {
    PyObject_HEAD
    double x;
    double y;
    PyObject *tag;
    PyObject *weakrefs;
} Point;

static PyTypeObject PointType;

static PyObject *
point_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"x", "y", "tag", NULL};
    double x = 0.0, y = 0.0;
    PyObject *tag = Py_None;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "|dd$O:Point", names, &x, &y, &tag)) {
        return NULL;
    }
    Point *self = (Point *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->x = x;
    self->y = y;
    self->tag = Py_NewRef(tag);
    return (PyObject *)self;
}

static int
point_traverse(Point *self, visitproc visit, void *arg)
{
    Py_VISIT(self->tag);
    return 0;
}

static int
point_clear(Point *self)
{
    Py_CLEAR(self->tag);
    return 0;
}

static void
point_dealloc(Point *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, point_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    point_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
    Py_TRASHCAN_END
}

static PyObject *
point_repr(Point *self)
{
    PyObject *x = PyFloat_FromDouble(self->x);
    PyObject *y = PyFloat_FromDouble(self->y);
    PyObject *text = NULL;
    if (x != NULL && y != NULL) {
        text = PyUnicode_FromFormat("Point(%R, %R)", x, y);
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    return text;
}

static PyObject *
point_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(b, &PointType) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Point *p = (Point *)a, *q = (Point *)b;
    int equal = p->x == q->x && p->y == q->y;
    Py_RETURN_RICHCOMPARE(equal, 1, op);
}

static Py_hash_t
point_hash(Point *self)
{
    Py_hash_t h = _Py_HashDouble((PyObject *)self, self->x)
        ^ (_Py_HashDouble((PyObject *)self, self->y) << 1);
    return h == -1 ? -2 : h;
}

static PyObject *
point_add(PyObject *a, PyObject *b)
{
    if (!PyObject_TypeCheck(a, &PointType)
        || !PyObject_TypeCheck(b, &PointType)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Point *p = (Point *)a, *q = (Point *)b;
    return PyObject_CallFunction(
        (PyObject *)&PointType, "dd", p->x + q->x, p->y + q->y);
}

static PyObject *
point_get_norm(Point *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(sqrt(self->x * self->x + self->y * self->y));
}

static PyObject *
point_scaled(Point *self, PyObject *const *args, Py_ssize_t nargs,
    PyObject *kwnames)
{
    static const char *const names[] = {"factor", NULL};
    static _PyArg_Parser parser = {.keywords = names, .format = "d:scaled"};
    double factor;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &factor)) {
        return NULL;
    }
    return Py_BuildValue("(dd)", self->x * factor, self->y * factor);
}

static PyMethodDef point_methods[] = {
    {"scaled", _PyCFunction_CAST(point_scaled),
        METH_FASTCALL | METH_KEYWORDS,
        PyDoc_STR("scaled($self, /, factor)\n--\n\nBoth coordinates times "
                  "factor.")},
    {NULL, NULL, 0, NULL}};

static PyMemberDef point_members[] = {
    {"x", T_DOUBLE, offsetof(Point, x), 0, NULL},
    {"y", T_DOUBLE, offsetof(Point, y), 0, NULL},
    {"tag", T_OBJECT_EX, offsetof(Point, tag), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef point_getset[] = {
    {"norm", (getter)point_get_norm, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyNumberMethods point_number = {.nb_add = point_add};

static PyTypeObject PointType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "demo.Point",
    .tp_basicsize = sizeof(Point),
    .tp_dealloc = (destructor)point_dealloc,
    .tp_repr = (reprfunc)point_repr,
    .tp_as_number = &point_number,
    .tp_hash = (hashfunc)point_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)point_traverse,
    .tp_clear = (inquiry)point_clear,
    .tp_richcompare = point_richcompare,
    .tp_weaklistoffset = offsetof(Point, weakrefs),
    .tp_methods = point_methods,
    .tp_members = point_members,
    .tp_getset = point_getset,
    .tp_new = point_new,
};

/* Block: a heap type that exports its bytes. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t size;
    Py_ssize_t exports;
    unsigned char *data;
} Block;

static PyObject *
block_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source", NULL};
    Py_buffer source;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "y*:Block", names, &source)) {
        return NULL;
    }
    Block *self = (Block *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->data = PyMem_New(unsigned char, source.len);
        if (self->data == NULL) {
            Py_CLEAR(self);
            PyErr_NoMemory();
        }
        else {
            memcpy(self->data, source.buf, source.len);
            self->size = source.len;
        }
    }
    PyBuffer_Release(&source);
    return (PyObject *)self;
}

static void
block_dealloc(Block *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->data);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
block_getbuffer(Block *self, Py_buffer *view, int flags)
{
    if (PyBuffer_FillInfo(
            view, (PyObject *)self, self->data, self->size, 0, flags) < 0) {
        return -1;
    }
    self->exports++;
    return 0;
}

static void
block_releasebuffer(Block *self, Py_buffer *view)
{
    (void)view;
    self->exports--;
}

static Py_ssize_t
block_length(Block *self)
{
    return self->size;
}

static PyObject *
block_item(Block *self, Py_ssize_t i)
{
    if (i < 0 || i >= self->size) {
        PyErr_Format(PyExc_IndexError, "no byte %zd", i);
        return NULL;
    }
    return PyLong_FromLong(self->data[i]);
}

static PyMemberDef block_members[] = {
    {"exports", T_PYSSIZET, offsetof(Block, exports), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot block_slots[] = {{Py_tp_new, (void *)block_new},
    {Py_tp_dealloc, (void *)block_dealloc},
    {Py_tp_members, block_members},
    {Py_sq_length, (void *)block_length},
    {Py_sq_item, (void *)block_item},
    {Py_bf_getbuffer, (void *)block_getbuffer},
    {Py_bf_releasebuffer, (void *)block_releasebuffer},
    {0, NULL}};

static PyType_Spec block_spec = {.name = "demo.Block",
    .basicsize = sizeof(Block),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = block_slots};

/* Counter: called by vectorcall; returns its number of calls. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Py_ssize_t calls;
} Counter;

static PyObject *
counter_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
    PyObject *kwnames)
{
    Counter *self = (Counter *)callable;
    Py_ssize_t nkw = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    (void)args;
    self->calls++;
    return Py_BuildValue("nnn", self->calls, PyVectorcall_NARGS(nargsf), nkw);
}

static PyObject *
counter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    Counter *self = (Counter *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->vectorcall = counter_vectorcall;
    }
    return (PyObject *)self;
}

static PyTypeObject CounterType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "demo.Counter",
    .tp_basicsize = sizeof(Counter),
    .tp_vectorcall_offset = offsetof(Counter, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = counter_new,
};

/* Functions. */
static PyObject *
code_points(PyObject *module, PyObject *str)
{
    (void)module;
    if (!PyUnicode_Check(str)) {
        PyErr_Format(PyExc_TypeError, "str expected, not %.100s",
            Py_TYPE(str)->tp_name);
        return NULL;
    }
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *item =
            PyLong_FromUnsignedLong(PyUnicode_READ(kind, data, i));
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *
call_each(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "call_each(callable, iterable)");
        return NULL;
    }
    PyObject *items = PySequence_Fast(args[1], "iterable expected");
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items);
    PyObject *results = PyTuple_New(n);
    for (Py_ssize_t i = 0; results != NULL && i < n; i++) {
        PyObject *r =
            PyObject_CallOneArg(args[0], PySequence_Fast_GET_ITEM(items, i));
        if (r == NULL) {
            Py_CLEAR(results);
            break;
        }
        PyTuple_SET_ITEM(results, i, r);
    }
    Py_DECREF(items);
    return results;
}

static int demo_number = 42;

static PyObject *
read_capsule(PyObject *module, PyObject *capsule)
{
    (void)module;
    int *p = (int *)PyCapsule_GetPointer(capsule, "demo.number");
    return p == NULL ? NULL : PyLong_FromLong(*p);
}

static PyObject *
next_day(PyObject *module, PyObject *date)
{
    (void)module;
    if (!PyDate_Check(date)) {
        PyErr_SetString(PyExc_TypeError, "date expected");
        return NULL;
    }
    PyObject *day = PyDelta_FromDSU(1, 0, 0);
    PyObject *same = PyDate_FromDate(PyDateTime_GET_YEAR(date),
        PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date));
    PyObject *next = NULL;
    if (day != NULL && same != NULL) {
        next = PyNumber_Add(same, day);
    }
    Py_XDECREF(day);
    Py_XDECREF(same);
    return next;
}

static PyObject *
unlocked_sum(PyObject *module, PyObject *data)
{
    (void)module;
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_CONTIG_RO) < 0) {
        return NULL;
    }
    unsigned long long sum = 0;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < view.len; i++) {
        sum += ((const unsigned char *)view.buf)[i];
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLongLong(sum);
}

static PyMethodDef demo_methods[] = {{"code_points", code_points, METH_O, NULL},
    {"call_each", _PyCFunction_CAST(call_each), METH_FASTCALL, NULL},
    {"read_capsule", read_capsule, METH_O, NULL},
    {"next_day", next_day, METH_O, NULL},
    {"unlocked_sum", unlocked_sum, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static int
demo_exec(PyObject *module)
{
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL || PyModule_AddType(module, &PointType) < 0
        || PyModule_AddType(module, &CounterType) < 0) {
        return -1;
    }
    PyObject *block = PyType_FromModuleAndSpec(module, &block_spec, NULL);
    int rc = PyModule_AddObjectRef(module, "Block", block);
    Py_XDECREF(block);
    if (rc < 0) {
        return -1;
    }
    PyObject *capsule = PyCapsule_New(&demo_number, "demo.number", NULL);
    rc = PyModule_AddObjectRef(module, "number", capsule);
    Py_XDECREF(capsule);
    return rc < 0 ? -1 : PyModule_AddIntMacro(module, PY_VERSION_HEX);
}

static PyModuleDef_Slot demo_slots[] = {
    {Py_mod_exec, (void *)demo_exec}, {0, NULL}};

static struct PyModuleDef demo_module = {PyModuleDef_HEAD_INIT,
    .m_name = "demo",
    .m_methods = demo_methods,
    .m_slots = demo_slots};

PyMODINIT_FUNC
PyInit_demo(void)
{
    return PyModuleDef_Init(&demo_module);
}
