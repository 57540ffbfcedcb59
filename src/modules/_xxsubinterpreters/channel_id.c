/* ChannelID: a number that names a channel, or one end of it, and counts as a
 * reference to the channel. */
#include "modules/_xxsubinterpreters/module.h"
#include "modules/addtype.h"
#include "runtime/xid.h"

typedef struct {
    PyObject_HEAD
    int64_t id;
    int end;
    int resolve;
    void *reserved;
} ChannelID;

static PyObject *
module_of(PyTypeObject *type)
{
    return PyType_GetModuleByDef(type, &kr_subinterp_definition);
}

PyObject *
kr_channel_id_new(PyObject *module, int64_t id, enum kr_chan_end end,
                  int force, int resolve)
{
    struct kr_subinterp_module *st = kr_subinterp_state(module);
    enum kr_chan_status status = kr_chan_add_ref(id);
    if (status != KR_CHAN_OK && !force) {
        return kr_channel_raise(st, status, id);
    }
    ChannelID *self = PyObject_New(ChannelID, st->channel_id);
    if (self == NULL) {
        kr_chan_drop_ref(id);
        return NULL;
    }
    self->id = id;
    self->end = end;
    self->resolve = resolve;
    self->reserved = NULL;
    return (PyObject *)self;
}

static int
is_channel_id(PyTypeObject *type, PyObject *op)
{
    PyObject *module = module_of(type);
    if (module == NULL) {
        PyErr_Clear();
        return 0;
    }
    return PyObject_TypeCheck(op, kr_subinterp_state(module)->channel_id);
}

int
kr_channel_id_convert(PyObject *arg, void *result)
{
    struct kr_channel_arg *channel = result;
    channel->end = KR_CHAN_BOTH;
    if (PyObject_TypeCheck(arg,
                           kr_subinterp_state(channel->module)->channel_id)) {
        channel->id = ((ChannelID *)arg)->id;
        channel->end = ((ChannelID *)arg)->end;
        return 1;
    }
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError,
                     "channel ID must be an int, got %.100s",
                     Py_TYPE(arg)->tp_name);
        return 0;
    }
    channel->id = PyLong_AsLongLong(arg);
    if (channel->id == -1 && PyErr_Occurred()) {
        return 0;
    }
    if (channel->id < 0) {
        PyErr_Format(PyExc_ValueError,
                     "channel ID must be a non-negative int, got %R", arg);
        return 0;
    }
    return 1;
}

static void
channel_id_dealloc(ChannelID *self)
{
    PyTypeObject *type = Py_TYPE(self);
    kr_chan_drop_ref(self->id);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
channel_id_repr(ChannelID *self)
{
    const char *end = self->end == KR_CHAN_SEND   ? ", send=True"
                      : self->end == KR_CHAN_RECV ? ", recv=True"
                                                  : "";
    return PyUnicode_FromFormat("%s(%lld%s)", _PyType_Name(Py_TYPE(self)),
                                (long long)self->id, end);
}

static PyObject *
channel_id_str(ChannelID *self)
{
    return PyUnicode_FromFormat("%lld", (long long)self->id);
}

static PyObject *
channel_id_int(ChannelID *self)
{
    return PyLong_FromLongLong(self->id);
}

static Py_hash_t
channel_id_hash(ChannelID *self)
{
    PyObject *number = channel_id_int(self);
    if (number == NULL) {
        return -1;
    }
    Py_hash_t hash = PyObject_Hash(number);
    Py_DECREF(number);
    return hash;
}

static PyObject *
channel_id_richcompare(PyObject *op, PyObject *other, int how)
{
    if ((how != Py_EQ && how != Py_NE) || !is_channel_id(Py_TYPE(op), op)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    ChannelID *self = (ChannelID *)op;
    if (is_channel_id(Py_TYPE(op), other)) {
        ChannelID *o = (ChannelID *)other;
        int equal = self->end == o->end && self->id == o->id;
        return PyBool_FromLong(equal == (how == Py_EQ));
    }
    if (!PyNumber_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *number = channel_id_int(self);
    if (number == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_RichCompare(number, other, how);
    Py_DECREF(number);
    return res;
}

static PyObject *
get_end_name(ChannelID *self, void *closure)
{
    return PyUnicode_InternFromString(self->end == KR_CHAN_SEND   ? "send"
                                      : self->end == KR_CHAN_RECV ? "recv"
                                                                  : "both");
}

/* The id of one end of the same channel. */
static PyObject *
get_end(ChannelID *self, void *closure)
{
    PyObject *module = module_of(Py_TYPE(self));
    return module == NULL
               ? NULL
               : kr_channel_id_new(module, self->id,
                                   (enum kr_chan_end)(intptr_t)closure, 0,
                                   self->resolve);
}

static PyGetSetDef channel_id_getset[] = {
    {"end", (getter)get_end_name, NULL, "'send', 'recv', or 'both'"},
    {"send", (getter)get_end, NULL, "the 'send' end of the channel",
     (void *)(intptr_t)KR_CHAN_SEND},
    {"recv", (getter)get_end, NULL, "the 'recv' end of the channel",
     (void *)(intptr_t)KR_CHAN_RECV},
    {NULL},
};

static PyType_Slot channel_id_slots[] = {
    {Py_tp_doc, "A channel ID identifies a channel and may be used as an "
                "int."},
    {Py_tp_dealloc, channel_id_dealloc},
    {Py_tp_repr, channel_id_repr},
    {Py_tp_str, channel_id_str},
    {Py_tp_hash, channel_id_hash},
    {Py_tp_richcompare, channel_id_richcompare},
    {Py_tp_getset, channel_id_getset},
    {Py_nb_int, channel_id_int},
    {Py_nb_index, channel_id_int},
    {0},
};

static PyType_Spec channel_id_spec = {
    .name = "_xxsubinterpreters.ChannelID",
    .basicsize = sizeof(ChannelID),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = channel_id_slots,
};

/* --- from one interpreter to another ------------------------------------- */

/* An object of the high-level module for one end, or `id` if there is no such
 * module. Consumes `id`. */
static PyObject *
resolve_end(PyObject *id, enum kr_chan_end end)
{
    PyObject *module = PyImport_ImportModule("interpreters");
    if (module == NULL) {
        PyErr_Clear();
        module = PyImport_ImportModule("test.support.interpreters");
    }
    PyObject *type = NULL, *channel = NULL;
    if (module != NULL) {
        type = PyObject_GetAttrString(
            module, end == KR_CHAN_RECV ? "RecvChannel" : "SendChannel");
        Py_DECREF(module);
    }
    if (type != NULL) {
        channel = PyObject_CallOneArg(type, id);
        Py_DECREF(type);
    }
    if (channel == NULL) {
        PyErr_Clear();
        return id;
    }
    Py_DECREF(id);
    return channel;
}

struct shared_id {
    int64_t id;
    enum kr_chan_end end;
    int resolve;
};

static PyObject *
from_shared(_PyCrossInterpreterData *data)
{
    struct shared_id *shared = data->data;
    PyObject *module = PyImport_ImportModule("_xxsubinterpreters");
    if (module == NULL) {
        return NULL;
    }
    PyObject *id = kr_channel_id_new(module, shared->id, shared->end, 0, 0);
    Py_DECREF(module);
    if (id == NULL || shared->end == KR_CHAN_BOTH || !shared->resolve) {
        return id;
    }
    return resolve_end(id, shared->end);
}

static int
share(PyObject *op, _PyCrossInterpreterData *data)
{
    ChannelID *self = (ChannelID *)op;
    struct shared_id *shared = PyMem_RawMalloc(sizeof(*shared));
    if (shared == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    shared->id = self->id;
    shared->end = self->end;
    shared->resolve = self->resolve;
    data->data = shared;
    data->obj = Py_NewRef(op); /* the channel lives while this is under way */
    data->new_object = from_shared;
    data->free = PyMem_RawFree;
    return 0;
}

int
kr_channel_id_init(PyObject *module)
{
    struct kr_subinterp_module *st = kr_subinterp_state(module);
    return kr_add_type(module, &channel_id_spec, NULL, &st->channel_id) < 0
               ? -1
               : kr_xid_register(st->channel_id, share);
}
