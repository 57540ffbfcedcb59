/* Match objects. */
#include <Python.h>
#include <structmember.h>

#include "modules/_sre/sre.h"
#include "modules/kwargs.h"
#include "objects/ids.h"

PyObject *
kr_sre_new_match(struct sre_state *s, int status)
{
    if (status == 0) {
        Py_RETURN_NONE;
    }
    if (status < 0) {
        return NULL;
    }
    struct sre_pattern *p = (struct sre_pattern *)s->pattern;
    if (p->types->match == NULL) { /* the module is being torn down */
        PyErr_SetString(PyExc_RuntimeError, "the module _sre is gone");
        return NULL;
    }
    struct sre_match *m = PyObject_GC_NewVar(
        struct sre_match, p->types->match, 2 * (p->groups + 1));
    if (m == NULL) {
        return NULL;
    }
    m->string = Py_NewRef(s->string);
    m->regs = NULL;
    m->pattern = (struct sre_pattern *)Py_NewRef((PyObject *)p);
    m->pos = s->pos;
    m->endpos = s->endpos;
    m->lastindex = s->lastindex;
    m->groups = p->groups + 1;
    m->mark[0] = sre_offset(s, s->start);
    m->mark[1] = sre_offset(s, s->ptr);
    for (Py_ssize_t i = 0; i < s->nmarks; i += 2) {
        const void *from = s->mark[i], *to = s->mark[i + 1];
        bool set = from != NULL && to != NULL && from <= to;
        m->mark[i + 2] = set ? sre_offset(s, from) : -1;
        m->mark[i + 3] = set ? sre_offset(s, to) : -1;
    }
    PyObject_GC_Track(m);
    return (PyObject *)m;
}

static int
match_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct sre_match *m = (struct sre_match *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(m->string);
    Py_VISIT(m->regs);
    Py_VISIT(m->pattern);
    return 0;
}

static int
match_clear(PyObject *self)
{
    struct sre_match *m = (struct sre_match *)self;
    Py_CLEAR(m->string);
    Py_CLEAR(m->regs);
    Py_CLEAR(m->pattern);
    return 0;
}

static void
match_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    match_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* ---- groups ------------------------------------------------------------- */

/* New: the text of a group, `def` if it took no part. */
static PyObject *
group_text(struct sre_match *m, Py_ssize_t group, PyObject *def)
{
    group *= 2;
    if (m->string == Py_None || m->mark[group] < 0) {
        return Py_NewRef(def);
    }
    Py_ssize_t from = m->mark[group], to = m->mark[group + 1];
    if (PyUnicode_Check(m->string)) {
        return PyUnicode_Substring(m->string, from, to);
    }
    Py_buffer view;
    Py_ssize_t length;
    bool isbytes, has_view = false;
    int charsize;
    const void *data = kr_sre_open_string(m->string, &length, &isbytes,
                                          &charsize, &view, &has_view);
    if (data == NULL) {
        return NULL;
    }
    /* a bytearray may have shrunk since */
    PyObject *res = kr_sre_slice(isbytes, data, m->string, Py_MIN(from, length),
                                 Py_MIN(to, length));
    if (has_view) {
        PyBuffer_Release(&view);
    }
    return res;
}

/* The number of a group given by number or name; -1 with an exception. */
static Py_ssize_t
group_number(struct sre_match *m, PyObject *index)
{
    if (index == NULL) {
        return 0;
    }
    Py_ssize_t i = -1;
    if (PyIndex_Check(index)) {
        i = PyNumber_AsSsize_t(index, NULL);
    }
    else if (m->pattern->groupindex != NULL &&
             PyDict_GET_SIZE(m->pattern->groupindex) > 0) {
        PyObject *n = PyDict_GetItemWithError(m->pattern->groupindex, index);
        if (n != NULL && PyLong_Check(n)) {
            i = PyLong_AsSsize_t(n);
        }
    }
    if (i < 0 || i >= m->groups) {
        if (!PyErr_Occurred()) { /* an unhashable index has its own error */
            PyErr_SetString(PyExc_IndexError, "no such group");
        }
        return -1;
    }
    return i;
}

static PyObject *
match_getitem(PyObject *self, PyObject *index)
{
    struct sre_match *m = (struct sre_match *)self;
    Py_ssize_t i = group_number(m, index);
    return i < 0 ? NULL : group_text(m, i, Py_None);
}

PyDoc_STRVAR(group_doc,
"group([group1, ...]) -> str or tuple.\n"
"Return subgroup(s) of the match by indices or names.\n"
"For 0 returns the entire match.");

static PyObject *
match_group(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        return group_text((struct sre_match *)self, 0, Py_None);
    }
    if (nargs == 1) {
        return match_getitem(self, args[0]);
    }
    PyObject *res = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; res != NULL && i < nargs; i++) {
        PyObject *item = match_getitem(self, args[i]);
        if (item == NULL) {
            Py_CLEAR(res);
            break;
        }
        PyTuple_SET_ITEM(res, i, item);
    }
    return res;
}

PyDoc_STRVAR(groups_doc,
"groups($self, /, default=None)\n--\n\n"
"Return a tuple containing all the subgroups of the match, from 1.");

static PyObject *
match_groups(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("groups", "default");
    struct sre_match *m = (struct sre_match *)self;
    PyObject *def;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, &def)) {
        return NULL;
    }
    PyObject *res = PyTuple_New(m->groups - 1);
    for (Py_ssize_t i = 1; res != NULL && i < m->groups; i++) {
        PyObject *item = group_text(m, i, def != NULL ? def : Py_None);
        if (item == NULL) {
            Py_CLEAR(res);
            break;
        }
        PyTuple_SET_ITEM(res, i - 1, item);
    }
    return res;
}

PyDoc_STRVAR(groupdict_doc,
"groupdict($self, /, default=None)\n--\n\n"
"Return a dictionary of all the named subgroups, by their names.");

static PyObject *
match_groupdict(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("groupdict", "default");
    struct sre_match *m = (struct sre_match *)self;
    PyObject *def, *key, *value;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, &def)) {
        return NULL;
    }
    PyObject *res = PyDict_New();
    if (res == NULL || m->pattern->groupindex == NULL) {
        return res;
    }
    Py_ssize_t pos = 0;
    while (PyDict_Next(m->pattern->groupindex, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_ssize_t i = group_number(m, key);
        PyObject *item =
            i < 0 ? NULL : group_text(m, i, def != NULL ? def : Py_None);
        int bad = item == NULL || PyDict_SetItem(res, key, item) < 0;
        Py_XDECREF(item);
        Py_DECREF(key);
        if (bad) {
            Py_DECREF(res);
            return NULL;
        }
    }
    return res;
}

PyDoc_STRVAR(start_doc,
"start($self, group=0, /)\n--\n\n"
"Return index of the start of the substring matched by group.");

static PyObject *
match_start(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct sre_match *m = (struct sre_match *)self;
    if (!_PyArg_CheckPositional("start", nargs, 0, 1)) {
        return NULL;
    }
    Py_ssize_t i = group_number(m, nargs ? args[0] : NULL);
    return i < 0 ? NULL : PyLong_FromSsize_t(m->mark[2 * i]);
}

PyDoc_STRVAR(end_doc,
"end($self, group=0, /)\n--\n\n"
"Return index of the end of the substring matched by group.");

static PyObject *
match_end(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct sre_match *m = (struct sre_match *)self;
    if (!_PyArg_CheckPositional("end", nargs, 0, 1)) {
        return NULL;
    }
    Py_ssize_t i = group_number(m, nargs ? args[0] : NULL);
    return i < 0 ? NULL : PyLong_FromSsize_t(m->mark[2 * i + 1]);
}

static PyObject *
span_of(struct sre_match *m, Py_ssize_t i)
{
    PyObject *from = PyLong_FromSsize_t(m->mark[2 * i]);
    PyObject *to = PyLong_FromSsize_t(m->mark[2 * i + 1]);
    PyObject *res = from != NULL && to != NULL ? PyTuple_Pack(2, from, to)
                                               : NULL;
    Py_XDECREF(from);
    Py_XDECREF(to);
    return res;
}

PyDoc_STRVAR(span_doc,
"span($self, group=0, /)\n--\n\n"
"For match object m, return the 2-tuple (m.start(group), m.end(group)).");

static PyObject *
match_span(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct sre_match *m = (struct sre_match *)self;
    if (!_PyArg_CheckPositional("span", nargs, 0, 1)) {
        return NULL;
    }
    Py_ssize_t i = group_number(m, nargs ? args[0] : NULL);
    return i < 0 ? NULL : span_of(m, i);
}

static PyObject *
get_regs(PyObject *self, void *Py_UNUSED(closure))
{
    struct sre_match *m = (struct sre_match *)self;
    if (m->regs == NULL) {
        PyObject *regs = PyTuple_New(m->groups);
        for (Py_ssize_t i = 0; regs != NULL && i < m->groups; i++) {
            PyObject *span = span_of(m, i);
            if (span == NULL) {
                Py_CLEAR(regs);
                break;
            }
            PyTuple_SET_ITEM(regs, i, span);
        }
        if (regs == NULL) {
            return NULL;
        }
        m->regs = regs;
    }
    return Py_NewRef(m->regs);
}

static PyObject *
get_lastindex(PyObject *self, void *Py_UNUSED(closure))
{
    struct sre_match *m = (struct sre_match *)self;
    if (m->lastindex < 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromSsize_t(m->lastindex);
}

static PyObject *
get_lastgroup(PyObject *self, void *Py_UNUSED(closure))
{
    struct sre_match *m = (struct sre_match *)self;
    PyObject *names = m->pattern->indexgroup;
    if (names != NULL && m->lastindex >= 0 &&
        m->lastindex < PyTuple_GET_SIZE(names)) {
        return Py_NewRef(PyTuple_GET_ITEM(names, m->lastindex));
    }
    Py_RETURN_NONE;
}

/* ---- the rest ----------------------------------------------------------- */

PyDoc_STRVAR(expand_doc,
"expand($self, /, template)\n--\n\n"
"Return the string that a template stands for, as sub() does.");

static PyObject *
match_expand(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("expand", "template");
    PyObject *template;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &template)) {
        return NULL;
    }
    PyObject *re = PyImport_Import(KR_ID(re));
    if (re == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethodObjArgs(
        re, KR_ID(_expand), (PyObject *)((struct sre_match *)self)->pattern,
        self, template, NULL);
    Py_DECREF(re);
    return res;
}

static PyObject *
match_copy(PyObject *self, PyObject *Py_UNUSED(arg))
{
    return Py_NewRef(self);
}

static PyObject *
match_repr(PyObject *self)
{
    struct sre_match *m = (struct sre_match *)self;
    PyObject *group = group_text(m, 0, Py_None);
    if (group == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_FromFormat(
        "<%s object; span=(%zd, %zd), match=%R>", Py_TYPE(self)->tp_name,
        m->mark[0], m->mark[1], group);
    Py_DECREF(group);
    return res;
}

static PyMethodDef match_methods[] = {
    {"group", KR_CAST(match_group), METH_FASTCALL, group_doc},
    {"start", KR_CAST(match_start), METH_FASTCALL, start_doc},
    {"end", KR_CAST(match_end), METH_FASTCALL, end_doc},
    {"span", KR_CAST(match_span), METH_FASTCALL, span_doc},
    {"groups", KR_CAST(match_groups), KR_FAST, groups_doc},
    {"groupdict", KR_CAST(match_groupdict), KR_FAST, groupdict_doc},
    {"expand", KR_CAST(match_expand), KR_FAST, expand_doc},
    {"__copy__", match_copy, METH_NOARGS,
     PyDoc_STR("__copy__($self, /)\n--\n\n")},
    {"__deepcopy__", match_copy, METH_O,
     PyDoc_STR("__deepcopy__($self, memo, /)\n--\n\n")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("See PEP 585")},
    {NULL},
};

static PyGetSetDef match_getset[] = {
    {"lastindex", get_lastindex, NULL,
     PyDoc_STR("The integer index of the last matched capturing group.")},
    {"lastgroup", get_lastgroup, NULL,
     PyDoc_STR("The name of the last matched capturing group.")},
    {"regs", get_regs, NULL, NULL},
    {NULL},
};

#define OFF(f) offsetof(struct sre_match, f)
static PyMemberDef match_members[] = {
    {"string", T_OBJECT, OFF(string), READONLY,
     PyDoc_STR("The string passed to match() or search().")},
    {"re", T_OBJECT, OFF(pattern), READONLY,
     PyDoc_STR("The regular expression object.")},
    {"pos", T_PYSSIZET, OFF(pos), READONLY,
     PyDoc_STR("The index into the string at which the RE engine started "
               "looking for a match.")},
    {"endpos", T_PYSSIZET, OFF(endpos), READONLY,
     PyDoc_STR("The index into the string beyond which the RE engine will not "
               "go.")},
    {NULL},
};

PyDoc_STRVAR(match_doc,
"The result of re.match() and re.search().\n"
"Match objects always have a boolean value of True.");

static PyType_Slot match_slots[] = {
    {Py_tp_dealloc, match_dealloc},
    {Py_tp_traverse, match_traverse},
    {Py_tp_clear, match_clear},
    {Py_tp_repr, match_repr},
    {Py_tp_doc, (void *)match_doc},
    {Py_tp_methods, match_methods},
    {Py_tp_members, match_members},
    {Py_tp_getset, match_getset},
    {Py_mp_subscript, match_getitem},
    {0, NULL},
};

PyType_Spec kr_sre_match_spec = {
    .name = "re.Match",
    .basicsize = OFF(mark),
    .itemsize = sizeof(Py_ssize_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = match_slots,
};
