/* Methods that match again and again: findall, split, sub, scanners. */
#include <Python.h>
#include <structmember.h>

#include "modules/_sre/sre.h"
#include "modules/kwargs.h"
#include "objects/ids.h"

/* Moves on behind a match; the next one may not be empty at the same place. */
static void
advance(struct sre_state *s)
{
    s->must_advance = s->ptr == s->start;
    s->start = s->ptr;
}

static PyObject *
slice(struct sre_state *s, const void *from, const void *to)
{
    return kr_sre_slice(s->isbytes, s->beginning, s->string,
                        sre_offset(s, from), sre_offset(s, to));
}

/* Appends and drops the reference; item may be NULL. 0 or -1. */
static int
append(PyObject *list, PyObject *item)
{
    if (item == NULL) {
        return -1;
    }
    int res = PyList_Append(list, item);
    Py_DECREF(item);
    return res;
}

/* ---- findall ------------------------------------------------------------ */

/* What findall returns for one match. */
static PyObject *
found(struct sre_state *s, Py_ssize_t groups)
{
    if (groups == 0) {
        return slice(s, s->start, s->ptr);
    }
    if (groups == 1) {
        return kr_sre_group_slice(s, 1, true);
    }
    PyObject *item = PyTuple_New(groups);
    for (Py_ssize_t i = 0; item != NULL && i < groups; i++) {
        PyObject *text = kr_sre_group_slice(s, i + 1, true);
        if (text == NULL) {
            Py_CLEAR(item);
            break;
        }
        PyTuple_SET_ITEM(item, i, text);
    }
    return item;
}

PyObject *
kr_sre_findall(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("findall", "string", "pos", "endpos");
    PyObject *a[3];
    Py_ssize_t pos = 0, endpos = PY_SSIZE_T_MAX;
    struct sre_state s;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 3, 3, a) ||
        (a[1] != NULL && !kr_arg_ssize(a[1], &pos)) ||
        (a[2] != NULL && !kr_arg_ssize(a[2], &endpos)) ||
        kr_sre_begin(&s, (struct sre_pattern *)self, a[0], pos, endpos) < 0) {
        return NULL;
    }
    Py_ssize_t groups = ((struct sre_pattern *)self)->groups;
    PyObject *list = PyList_New(0);
    while (list != NULL) {
        int status = kr_sre_search(&s);
        if (status == 0) {
            break;
        }
        if (status < 0 || append(list, found(&s, groups)) < 0) {
            Py_CLEAR(list);
            break;
        }
        advance(&s);
        kr_sre_reset(&s);
    }
    kr_sre_finish(&s);
    return list;
}

/* ---- split -------------------------------------------------------------- */

PyObject *
kr_sre_split(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("split", "string", "maxsplit");
    PyObject *a[2];
    Py_ssize_t max = 0;
    struct sre_state s;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        (a[1] != NULL && !kr_arg_ssize(a[1], &max)) ||
        kr_sre_begin(&s, (struct sre_pattern *)self, a[0], 0, PY_SSIZE_T_MAX) <
            0) {
        return NULL;
    }
    Py_ssize_t groups = ((struct sre_pattern *)self)->groups, n = 0;
    const void *last = s.start;
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        goto done;
    }
    while (max == 0 || n < max) {
        int status = kr_sre_search(&s);
        if (status == 0) {
            break;
        }
        if (status < 0 || append(list, slice(&s, last, s.start)) < 0) {
            goto error;
        }
        for (Py_ssize_t i = 1; i <= groups; i++) {
            if (append(list, kr_sre_group_slice(&s, i, false)) < 0) {
                goto error;
            }
        }
        n++;
        last = s.ptr;
        advance(&s);
        kr_sre_reset(&s);
    }
    if (append(list, slice(&s, last, s.end)) == 0) {
        goto done;
    }
error:
    Py_CLEAR(list);
done:
    kr_sre_finish(&s);
    return list;
}

/* ---- sub ---------------------------------------------------------------- */

/* What matches are replaced by. */
struct replacement {
    PyObject *callable; /* called with the match, or NULL */
    PyObject *literal;  /* the same text each time, or NULL */
    PyObject *groups;   /* a parsed template: list of (index, group) */
    PyObject *pieces;   /* and list of texts, None where a group goes */
};

static void
release_replacement(struct replacement *r)
{
    Py_XDECREF(r->callable);
    Py_XDECREF(r->literal);
    Py_XDECREF(r->groups);
    Py_XDECREF(r->pieces);
}

/* Whether the text has no backslash and so stands for itself. */
static bool
is_literal(PyObject *repl)
{
    Py_buffer view;
    Py_ssize_t n;
    bool isbytes, has_view = false;
    int charsize;
    const void *data =
        kr_sre_open_string(repl, &n, &isbytes, &charsize, &view, &has_view);
    if (data == NULL) {
        PyErr_Clear(); /* let the parser of templates complain */
        return false;
    }
    bool literal;
    if (isbytes) {
        literal = memchr(data, '\\', (size_t)n) == NULL;
    }
    else {
        literal = PyUnicode_FindChar(repl, '\\', 0, n, 1) == -1;
    }
    if (has_view) {
        PyBuffer_Release(&view);
    }
    return literal;
}

/* Parses a template with backslashes through the module re. What re._subx()
 * makes of it is a text or a function; instead of the function we use what it
 * has parsed, which is in the cache of re._compile_repl(). 0 or -1. */
static int
parse_template(struct replacement *r, PyObject *pattern, PyObject *repl)
{
    PyObject *re = PyImport_Import(KR_ID(re));
    if (re == NULL) {
        return -1;
    }
    PyObject *parsed = NULL;
    PyObject *filter = PyObject_CallMethodObjArgs(re, KR_ID(_subx), pattern,
                                                  repl, NULL);
    if (filter != NULL && !PyCallable_Check(filter)) {
        r->literal = Py_NewRef(filter);
    }
    else if (filter != NULL) {
        parsed = PyObject_CallMethodObjArgs(re, KR_ID(_compile_repl), repl,
                                            pattern, NULL);
        if (parsed != NULL && PyTuple_Check(parsed) &&
            PyTuple_GET_SIZE(parsed) == 2 &&
            PyList_Check(PyTuple_GET_ITEM(parsed, 0)) &&
            PyList_Check(PyTuple_GET_ITEM(parsed, 1))) {
            r->groups = Py_NewRef(PyTuple_GET_ITEM(parsed, 0));
            r->pieces = Py_NewRef(PyTuple_GET_ITEM(parsed, 1));
        }
        else if (parsed != NULL) {
            r->callable = Py_NewRef(filter);
        }
    }
    int res = r->literal != NULL || parsed != NULL ? 0 : -1;
    Py_XDECREF(filter);
    Py_XDECREF(parsed);
    Py_DECREF(re);
    return res;
}

static int
init_replacement(struct replacement *r, PyObject *pattern, PyObject *repl)
{
    *r = (struct replacement){0};
    if (PyCallable_Check(repl)) {
        r->callable = Py_NewRef(repl);
        return 0;
    }
    if (is_literal(repl)) {
        r->literal = Py_NewRef(repl);
        return 0;
    }
    return parse_template(r, pattern, repl);
}

/* The number of the group that item `i` of the template names. */
static Py_ssize_t
template_group(struct replacement *r, Py_ssize_t i, Py_ssize_t *index)
{
    PyObject *item = PyList_GET_ITEM(r->groups, i);
    if (PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2) {
        *index = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 0));
        return PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 1));
    }
    return -1;
}

/* Appends the texts of a template to `out`. */
static int
expand(struct replacement *r, struct sre_state *s, PyObject *out)
{
    Py_ssize_t next = 0, n = PyList_GET_SIZE(r->groups);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(r->pieces); i++) {
        Py_ssize_t index = -1, group = -1;
        if (next < n) {
            group = template_group(r, next, &index);
            if (group == -1 && PyErr_Occurred()) {
                return -1;
            }
        }
        if (index != i) {
            PyObject *piece = PyList_GET_ITEM(r->pieces, i);
            if (piece != Py_None && PyList_Append(out, piece) < 0) {
                return -1;
            }
            continue;
        }
        next++;
        if (group < 0 || group > s->pattern->groups) {
            PyErr_Format(PyExc_IndexError, "invalid group reference %zd",
                         group);
            return -1;
        }
        PyObject *text = group == 0 ? slice(s, s->start, s->ptr)
                                    : kr_sre_group_slice(s, group, true);
        if (append(out, text) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Appends what a match is replaced by. */
static int
replace(struct replacement *r, struct sre_state *s, PyObject *out)
{
    if (r->literal != NULL) {
        return PyList_Append(out, r->literal);
    }
    if (r->groups != NULL) {
        return expand(r, s, out);
    }
    PyObject *match = kr_sre_new_match(s, 1);
    if (match == NULL) {
        return -1;
    }
    PyObject *item = PyObject_CallOneArg(r->callable, match);
    Py_DECREF(match);
    if (item == Py_None) {
        Py_DECREF(item);
        return 0;
    }
    return append(out, item);
}

static PyObject *
join(struct sre_state *s, PyObject *list)
{
    PyObject *empty = kr_sre_slice(s->isbytes, s->beginning, s->string, 0, 0);
    if (empty == NULL || PyList_GET_SIZE(list) == 0) {
        return empty;
    }
    PyObject *res =
        PyUnicode_Check(empty)
            ? PyUnicode_Join(empty, list)
            : PyObject_CallMethodOneArg(empty, KR_ID(join), list);
    Py_DECREF(empty);
    return res;
}

/* Collects in `list` the text with replacements; their number, or -1. */
static Py_ssize_t
replace_all(struct sre_state *s, struct replacement *r, Py_ssize_t max,
            PyObject *list)
{
    Py_ssize_t n = 0;
    const void *last = s->start;
    while (max == 0 || n < max) {
        int status = kr_sre_search(s);
        if (status == 0) {
            break;
        }
        if (status < 0 ||
            (last < s->start && append(list, slice(s, last, s->start)) < 0) ||
            replace(r, s, list) < 0) {
            return -1;
        }
        n++;
        last = s->ptr;
        advance(s);
        kr_sre_reset(s);
    }
    if (last < s->end && append(list, slice(s, last, s->end)) < 0) {
        return -1;
    }
    return n;
}

static PyObject *
substitute(PyObject *self, PyObject *repl, PyObject *string, Py_ssize_t max,
           bool with_count)
{
    struct replacement r;
    struct sre_state s;
    PyObject *res = NULL;
    if (init_replacement(&r, self, repl) < 0) {
        return NULL;
    }
    if (kr_sre_begin(&s, (struct sre_pattern *)self, string, 0,
                     PY_SSIZE_T_MAX) < 0) {
        release_replacement(&r);
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list != NULL) {
        Py_ssize_t n = replace_all(&s, &r, max, list);
        if (n >= 0) {
            res = join(&s, list);
        }
        Py_DECREF(list);
        if (res != NULL && with_count) {
            res = Py_BuildValue("Nn", res, n);
        }
    }
    kr_sre_finish(&s);
    release_replacement(&r);
    return res;
}

PyObject *
kr_sre_sub(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("sub", "repl", "string", "count");
    PyObject *a[3];
    Py_ssize_t max = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 3, 3, a) ||
        (a[2] != NULL && !kr_arg_ssize(a[2], &max))) {
        return NULL;
    }
    return substitute(self, a[0], a[1], max, false);
}

PyObject *
kr_sre_subn(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("subn", "repl", "string", "count");
    PyObject *a[3];
    Py_ssize_t max = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 3, 3, a) ||
        (a[2] != NULL && !kr_arg_ssize(a[2], &max))) {
        return NULL;
    }
    return substitute(self, a[0], a[1], max, true);
}

/* ---- scanners ----------------------------------------------------------- */

struct sre_scanner_object {
    PyObject_HEAD
    PyObject *pattern;
    bool open, executing;
    struct sre_state state;
};

static int
scanner_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct sre_scanner_object *sc = (struct sre_scanner_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(sc->pattern);
    if (sc->open) {
        Py_VISIT(sc->state.string);
    }
    return 0;
}

static void
scanner_dealloc(PyObject *self)
{
    struct sre_scanner_object *sc = (struct sre_scanner_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (sc->open) {
        kr_sre_finish(&sc->state);
    }
    Py_CLEAR(sc->pattern);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* One step: the next match object, or None at the end. */
static PyObject *
scanner_step(PyObject *self, int (*step)(struct sre_state *))
{
    struct sre_scanner_object *sc = (struct sre_scanner_object *)self;
    struct sre_state *s = &sc->state;
    if (sc->executing) { /* by a signal handler, or another thread */
        PyErr_SetString(PyExc_ValueError,
                        "regular expression scanner already executing");
        return NULL;
    }
    if (s->start == NULL) {
        Py_RETURN_NONE;
    }
    sc->executing = true;
    kr_sre_reset(s);
    int status = step(s);
    PyObject *match = PyErr_Occurred() ? NULL : kr_sre_new_match(s, status);
    if (status == 1) {
        advance(s);
    }
    else {
        s->start = NULL;
    }
    sc->executing = false;
    return match;
}

/* Keywords are ignored, as by the reference. */
static bool
no_arguments(const char *name, Py_ssize_t nargs)
{
    if (nargs) {
        PyErr_Format(PyExc_TypeError, "%s() takes no arguments", name);
        return false;
    }
    return true;
}

static PyObject *
scanner_match(PyObject *self, KR_FASTCALL_ARGS)
{
    return no_arguments("match", nargs) ? scanner_step(self, kr_sre_match_here)
                                      : NULL;
}

static PyObject *
scanner_search(PyObject *self, KR_FASTCALL_ARGS)
{
    return no_arguments("search", nargs) ? scanner_step(self, kr_sre_search)
                                      : NULL;
}

static PyObject *
new_scanner(PyObject *self, _PyArg_Parser *parser, KR_FASTCALL_ARGS)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    PyObject *a[3];
    Py_ssize_t pos = 0, endpos = PY_SSIZE_T_MAX;
    if (!kr_unpack(args, nargs, kwnames, parser, 1, 3, 3, a) ||
        (a[1] != NULL && !kr_arg_ssize(a[1], &pos)) ||
        (a[2] != NULL && !kr_arg_ssize(a[2], &endpos))) {
        return NULL;
    }
    if (p->types->scanner == NULL) { /* the module is being torn down */
        PyErr_SetString(PyExc_RuntimeError, "the module _sre is gone");
        return NULL;
    }
    struct sre_scanner_object *sc =
        PyObject_GC_New(struct sre_scanner_object, p->types->scanner);
    if (sc == NULL) {
        return NULL;
    }
    sc->pattern = Py_NewRef(self);
    sc->executing = false;
    sc->open = kr_sre_begin(&sc->state, p, a[0], pos, endpos) == 0;
    PyObject_GC_Track(sc);
    if (!sc->open) {
        Py_DECREF(sc);
        return NULL;
    }
    return (PyObject *)sc;
}

PyObject *
kr_sre_scanner(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("scanner", "string", "pos", "endpos");
    return new_scanner(self, &parser, args, nargs, kwnames);
}

PyObject *
kr_sre_finditer(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("finditer", "string", "pos", "endpos");
    PyObject *scanner = new_scanner(self, &parser, args, nargs, kwnames);
    if (scanner == NULL) {
        return NULL;
    }
    PyObject *search = PyObject_GetAttr(scanner, KR_ID(search));
    Py_DECREF(scanner);
    if (search == NULL) {
        return NULL;
    }
    PyObject *it = PyCallIter_New(search, Py_None);
    Py_DECREF(search);
    return it;
}

static PyMethodDef scanner_methods[] = {
    {"match", KR_CAST(scanner_match), KR_FAST,
     PyDoc_STR("match($self, /)\n--\n\n")},
    {"search", KR_CAST(scanner_search), KR_FAST,
     PyDoc_STR("search($self, /)\n--\n\n")},
    {NULL},
};

static PyMemberDef scanner_members[] = {
    {"pattern", T_OBJECT, offsetof(struct sre_scanner_object, pattern),
     READONLY},
    {NULL},
};

static PyType_Slot scanner_slots[] = {
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_traverse, scanner_traverse},
    {Py_tp_methods, scanner_methods},
    {Py_tp_members, scanner_members},
    {0, NULL},
};

PyType_Spec kr_sre_scanner_spec = {
    .name = "_sre.SRE_Scanner",
    .basicsize = sizeof(struct sre_scanner_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = scanner_slots,
};
