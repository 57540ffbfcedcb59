/* The functions channel_* of module _xxsubinterpreters. */
#include "modules/_xxsubinterpreters/module.h"
#include "objects/interp_id.h"

PyObject *
kr_channel_raise(struct kr_subinterp_module *st, enum kr_chan_status status,
                 int64_t id)
{
    long long n = id;
    switch (status) {
    case KR_CHAN_OK:
        break;
    case KR_CHAN_NOT_FOUND:
        return PyErr_Format(st->not_found, "channel %lld not found", n);
    case KR_CHAN_CLOSED:
        return PyErr_Format(st->closed, "channel %lld closed", n);
    case KR_CHAN_END_CLOSED:
        PyErr_SetString(st->closed, "channel already closed");
        break;
    case KR_CHAN_EMPTY:
        return PyErr_Format(st->empty, "channel %lld is empty", n);
    case KR_CHAN_NOT_EMPTY:
        PyErr_SetString(st->not_empty, "may not be closed if not empty "
                                       "(try force=True)");
        break;
    case KR_CHAN_NO_MEMORY:
        return PyErr_NoMemory();
    }
    return NULL;
}

/* None, or NULL with the exception of `status`. */
static PyObject *
result(PyObject *module, enum kr_chan_status status, int64_t id)
{
    if (status != KR_CHAN_OK) {
        return kr_channel_raise(kr_subinterp_state(module), status, id);
    }
    Py_RETURN_NONE;
}

static int64_t
current_interp(void)
{
    return PyInterpreterState_GetID(PyInterpreterState_Get());
}

static PyObject *
channel_create(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    int64_t id;
    enum kr_chan_status status = kr_chan_create(&id);
    if (status != KR_CHAN_OK) {
        return kr_channel_raise(kr_subinterp_state(module), status, 0);
    }
    PyObject *res = kr_channel_id_new(module, id, KR_CHAN_BOTH, 0, 0);
    if (res == NULL) {
        kr_chan_destroy(id);
    }
    return res;
}

static PyObject *
channel_destroy(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", NULL};
    struct kr_channel_arg c = {.module = module};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:channel_destroy",
                                     keywords, kr_channel_id_convert, &c)) {
        return NULL;
    }
    return result(module, kr_chan_destroy(c.id), c.id);
}

static PyObject *
channel_list_all(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t count;
    int64_t *ids = kr_chan_list(&count);
    if (ids == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; i < count && list != NULL; i++) {
        PyObject *id = kr_channel_id_new(module, ids[i], KR_CHAN_BOTH, 0, 0);
        if (id == NULL || PyList_Append(list, id) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(id);
    }
    PyMem_RawFree(ids);
    return list;
}

/* Puts the id of `interp` in front of the list if it has the end open. */
static enum kr_chan_status
add_interp(PyObject *list, PyInterpreterState *interp, int64_t id,
           enum kr_chan_end end)
{
    int associated = 0;
    enum kr_chan_status status = kr_chan_is_associated(
        id, PyInterpreterState_GetID(interp), end, &associated);
    if (status != KR_CHAN_OK || !associated) {
        return status;
    }
    PyObject *interp_id = _PyInterpreterState_GetIDObject(interp);
    if (interp_id == NULL || PyList_Insert(list, 0, interp_id) < 0) {
        status = KR_CHAN_NO_MEMORY;
    }
    Py_XDECREF(interp_id);
    return status;
}

static PyObject *
channel_list_interpreters(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", "send", NULL};
    struct kr_channel_arg c = {.module = module};
    int send = 0;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O&$p:channel_list_interpreters", keywords,
            kr_channel_id_convert, &c, &send)) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    PyInterpreterState *interp = PyInterpreterState_Head();
    for (; interp != NULL && list != NULL;
         interp = PyInterpreterState_Next(interp)) {
        enum kr_chan_status status = add_interp(
            list, interp, c.id, send ? KR_CHAN_SEND : KR_CHAN_RECV);
        if (status != KR_CHAN_OK) {
            Py_CLEAR(list);
            kr_channel_raise(kr_subinterp_state(module), status, c.id);
        }
    }
    return list;
}

static PyObject *
channel_send(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", "obj", NULL};
    struct kr_channel_arg c = {.module = module};
    PyObject *obj;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&O:channel_send",
                                     keywords, kr_channel_id_convert, &c,
                                     &obj)) {
        return NULL;
    }
    enum kr_chan_status status = kr_chan_may_send(c.id);
    if (status != KR_CHAN_OK) {
        return result(module, status, c.id);
    }
    _PyCrossInterpreterData *data = PyMem_RawMalloc(sizeof(*data));
    if (data == NULL) {
        return PyErr_NoMemory();
    }
    if (_PyObject_GetCrossInterpreterData(obj, data) != 0) {
        PyMem_RawFree(data);
        return NULL;
    }
    status = kr_chan_send(c.id, current_interp(), data);
    if (status != KR_CHAN_OK) {
        kr_chan_free_data(data);
    }
    return result(module, status, c.id);
}

static PyObject *
channel_recv(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", "default", NULL};
    struct kr_channel_arg c = {.module = module};
    PyObject *fallback = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|O:channel_recv",
                                     keywords, kr_channel_id_convert, &c,
                                     &fallback)) {
        return NULL;
    }
    _PyCrossInterpreterData *data;
    enum kr_chan_status status = kr_chan_recv(c.id, current_interp(), &data);
    if (status == KR_CHAN_EMPTY && fallback != NULL) {
        return Py_NewRef(fallback);
    }
    if (status != KR_CHAN_OK) {
        return kr_channel_raise(kr_subinterp_state(module), status, c.id);
    }
    PyObject *obj = _PyCrossInterpreterData_NewObject(data);
    kr_chan_free_data(data);
    return obj;
}

static PyObject *
channel_close(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", "send", "recv", "force", NULL};
    struct kr_channel_arg c = {.module = module};
    int send = 0, recv = 0, force = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$ppp:channel_close",
                                     keywords, kr_channel_id_convert, &c,
                                     &send, &recv, &force)) {
        return NULL;
    }
    return result(module, kr_chan_close(c.id, send - recv, force), c.id);
}

static PyObject *
channel_release(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cid", "send", "recv", "force", NULL};
    struct kr_channel_arg c = {.module = module};
    int send = 0, recv = 0, force = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$ppp:channel_release",
                                     keywords, kr_channel_id_convert, &c,
                                     &send, &recv, &force)) {
        return NULL;
    }
    return result(module,
                  kr_chan_release(c.id, current_interp(), send - recv), c.id);
}

static PyObject *
channel_id(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"id", "send", "recv", "force", "_resolve",
                               NULL};
    struct kr_channel_arg c = {.module = module};
    int send = -1, recv = -1, force = 0, resolve = 0;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O&|$pppp:ChannelID.__new__", keywords,
            kr_channel_id_convert, &c, &send, &recv, &force, &resolve)) {
        return NULL;
    }
    enum kr_chan_end end = c.end;
    if (send == 0 && recv == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "'send' and 'recv' cannot both be False");
        return NULL;
    }
    if (send == 1) {
        end = recv == 1 ? KR_CHAN_BOTH : KR_CHAN_SEND;
    }
    else if (recv == 1) {
        end = KR_CHAN_RECV;
    }
    return kr_channel_id_new(module, c.id, end, force, resolve);
}

#define WITH_KEYWORDS(f) (PyCFunction)(void *)f, METH_VARARGS | METH_KEYWORDS

PyMethodDef kr_channel_methods[] = {
    {"channel_create", channel_create, METH_NOARGS,
     "channel_create() -> cid\n\n"
     "Make a channel that all interpreters may use."},
    {"channel_destroy", WITH_KEYWORDS(channel_destroy),
     "channel_destroy(cid)\n\n"
     "Remove a channel as if it had never existed."},
    {"channel_list_all", channel_list_all, METH_NOARGS,
     "channel_list_all() -> [cid]\n\nThe ids of all channels."},
    {"channel_list_interpreters", WITH_KEYWORDS(channel_list_interpreters),
     "channel_list_interpreters(cid, *, send) -> [id]\n\n"
     "The ids of the interpreters that use the sending end of the channel, "
     "or the\nreceiving one if 'send' is false."},
    {"channel_send", WITH_KEYWORDS(channel_send),
     "channel_send(cid, obj)\n\nPut the data of an object into a channel."},
    {"channel_recv", WITH_KEYWORDS(channel_recv),
     "channel_recv(cid, [default]) -> obj\n\n"
     "Take the oldest data out of a channel, as a new object.  An empty "
     "channel gives\nthe default, or else ChannelEmptyError."},
    {"channel_close", WITH_KEYWORDS(channel_close),
     "channel_close(cid, *, send=None, recv=None, force=False)\n\n"
     "Close a channel for all interpreters.  One that is not empty is closed "
     "only with\nforce=True; with send=True it takes no more data and closes "
     "when it is empty."},
    {"channel_release", WITH_KEYWORDS(channel_release),
     "channel_release(cid, *, send=None, recv=None, force=True)\n\n"
     "Close one end of a channel, or both, for this interpreter."},
    {"_channel_id", WITH_KEYWORDS(channel_id), NULL},
    {NULL},
};
