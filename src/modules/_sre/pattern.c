/* Pattern objects: their life, identity and single matches. */
#include <Python.h>
#include <structmember.h>

#include <string.h>

#include "modules/_sre/sre.h"
#include "modules/kwargs.h"
#include "objects/ids.h"

static int
pattern_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(p->groupindex);
    Py_VISIT(p->indexgroup);
    Py_VISIT(p->pattern);
    return 0;
}

static int
pattern_clear(PyObject *self)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    Py_CLEAR(p->groupindex);
    Py_CLEAR(p->indexgroup);
    Py_CLEAR(p->pattern);
    return 0;
}

static void
pattern_dealloc(PyObject *self)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (p->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    pattern_clear(self);
    PyMem_Free(p->tables);
    PyMem_Free(p->first);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* ---- one match ---------------------------------------------------------- */

/* Reads (string, pos=0, endpos=maxsize) and begins. */
static bool
begin(PyObject *self, struct sre_state *s, _PyArg_Parser *parser,
      KR_FASTCALL_ARGS)
{
    PyObject *a[3];
    Py_ssize_t pos = 0, endpos = PY_SSIZE_T_MAX;
    return kr_unpack(args, nargs, kwnames, parser, 1, 3, 3, a) &&
           (a[1] == NULL || kr_arg_ssize(a[1], &pos)) &&
           (a[2] == NULL || kr_arg_ssize(a[2], &endpos)) &&
           kr_sre_begin(s, (struct sre_pattern *)self, a[0], pos, endpos) == 0;
}

static PyObject *
finish(struct sre_state *s, int status)
{
    PyObject *res = PyErr_Occurred() ? NULL : kr_sre_new_match(s, status);
    kr_sre_finish(s);
    return res;
}

PyDoc_STRVAR(match_doc,
"match($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"
"Matches zero or more characters at the beginning of the string.");

static PyObject *
pattern_match(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("match", "string", "pos", "endpos");
    struct sre_state s;
    if (!begin(self, &s, &parser, args, nargs, kwnames)) {
        return NULL;
    }
    return finish(&s, kr_sre_match_here(&s));
}

PyDoc_STRVAR(fullmatch_doc,
"fullmatch($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"
"Matches against all of the string.");

static PyObject *
pattern_fullmatch(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("fullmatch", "string", "pos", "endpos");
    struct sre_state s;
    if (!begin(self, &s, &parser, args, nargs, kwnames)) {
        return NULL;
    }
    s.match_all = true;
    return finish(&s, kr_sre_match_here(&s));
}

PyDoc_STRVAR(search_doc,
"search($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"
"Scan through string looking for a match, and return a match object.\n\n"
"Return None if no position in the string matches.");

static PyObject *
pattern_search(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("search", "string", "pos", "endpos");
    struct sre_state s;
    if (!begin(self, &s, &parser, args, nargs, kwnames)) {
        return NULL;
    }
    return finish(&s, kr_sre_search(&s));
}

/* ---- identity ----------------------------------------------------------- */

static PyObject *
pattern_copy(PyObject *self, PyObject *Py_UNUSED(arg))
{
    return Py_NewRef(self);
}

static Py_hash_t
pattern_hash(PyObject *self)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    Py_hash_t hash = PyObject_Hash(p->pattern);
    if (hash == -1) {
        return -1;
    }
    hash ^= _Py_HashBytes(p->code, p->codesize * (Py_ssize_t)sizeof(p->code[0]));
    hash ^= (Py_hash_t)p->flags;
    hash ^= p->isbytes;
    hash ^= p->codesize;
    return hash == -1 ? -2 : hash;
}

static PyObject *
pattern_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(self) != Py_TYPE(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct sre_pattern *a = (struct sre_pattern *)self;
    struct sre_pattern *b = (struct sre_pattern *)other;
    int same = a == b;
    if (!same) {
        same = a->flags == b->flags && a->isbytes == b->isbytes &&
               a->codesize == b->codesize &&
               memcmp(a->code, b->code,
                      (size_t)a->codesize * sizeof(a->code[0])) == 0;
        if (same) {
            same = PyObject_RichCompareBool(a->pattern, b->pattern, Py_EQ);
            if (same < 0) {
                return NULL;
            }
        }
    }
    return PyBool_FromLong(same == (op == Py_EQ));
}

static const struct {
    const char *name;
    int value;
} flag_names[] = {
    {"re.TEMPLATE", SRE_FLAG_TEMPLATE},   {"re.IGNORECASE", SRE_FLAG_IGNORECASE},
    {"re.LOCALE", SRE_FLAG_LOCALE},       {"re.MULTILINE", SRE_FLAG_MULTILINE},
    {"re.DOTALL", SRE_FLAG_DOTALL},       {"re.UNICODE", SRE_FLAG_UNICODE},
    {"re.VERBOSE", SRE_FLAG_VERBOSE},     {"re.DEBUG", SRE_FLAG_DEBUG},
    {"re.ASCII", SRE_FLAG_ASCII},
};

static PyObject *
pattern_repr(PyObject *self)
{
    struct sre_pattern *p = (struct sre_pattern *)self;
    int flags = p->flags;
    char text[256] = "";
    size_t n = 0;
    if (p->isbytes == 0 &&
        (flags & (SRE_FLAG_LOCALE | SRE_FLAG_UNICODE | SRE_FLAG_ASCII)) ==
            SRE_FLAG_UNICODE) {
        flags &= ~SRE_FLAG_UNICODE; /* the default of str patterns */
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(flag_names); i++) {
        if (flags & flag_names[i].value) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
                                  n ? "|" : "", flag_names[i].name);
            flags &= ~flag_names[i].value;
        }
    }
    if (flags) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s0x%x",
                              n ? "|" : "", (unsigned)flags);
    }
    if (n > 0) {
        return PyUnicode_FromFormat("re.compile(%.200R, %s)", p->pattern, text);
    }
    return PyUnicode_FromFormat("re.compile(%.200R)", p->pattern);
}

static PyObject *
get_groupindex(PyObject *self, void *Py_UNUSED(closure))
{
    return PyDictProxy_New(((struct sre_pattern *)self)->groupindex);
}

/* ---- the type ----------------------------------------------------------- */

PyDoc_STRVAR(findall_doc,
"findall($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"
"Return a list of all non-overlapping matches of pattern in string.");
PyDoc_STRVAR(finditer_doc,
"finditer($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"
"Return an iterator over all non-overlapping matches in string.\n\n"
"For each match, the iterator returns a match object.");
PyDoc_STRVAR(scanner_doc,
"scanner($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n");
PyDoc_STRVAR(split_doc,
"split($self, /, string, maxsplit=0)\n--\n\n"
"Split string by the occurrences of pattern.");
PyDoc_STRVAR(sub_doc,
"sub($self, /, repl, string, count=0)\n--\n\n"
"Return string with the leftmost matches replaced by repl.");
PyDoc_STRVAR(subn_doc,
"subn($self, /, repl, string, count=0)\n--\n\n"
"Return (new_string, number_of_subs_made), the former as sub() makes it.");

static PyMethodDef pattern_methods[] = {
    {"match", KR_CAST(pattern_match), KR_FAST, match_doc},
    {"fullmatch", KR_CAST(pattern_fullmatch), KR_FAST, fullmatch_doc},
    {"search", KR_CAST(pattern_search), KR_FAST, search_doc},
    {"sub", KR_CAST(kr_sre_sub), KR_FAST, sub_doc},
    {"subn", KR_CAST(kr_sre_subn), KR_FAST, subn_doc},
    {"findall", KR_CAST(kr_sre_findall), KR_FAST, findall_doc},
    {"split", KR_CAST(kr_sre_split), KR_FAST, split_doc},
    {"finditer", KR_CAST(kr_sre_finditer), KR_FAST, finditer_doc},
    {"scanner", KR_CAST(kr_sre_scanner), KR_FAST, scanner_doc},
    {"__copy__", pattern_copy, METH_NOARGS,
     PyDoc_STR("__copy__($self, /)\n--\n\n")},
    {"__deepcopy__", pattern_copy, METH_O,
     PyDoc_STR("__deepcopy__($self, memo, /)\n--\n\n")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("See PEP 585")},
    {NULL},
};

static PyGetSetDef pattern_getset[] = {
    {"groupindex", get_groupindex, NULL,
     PyDoc_STR("A dictionary mapping group names to group numbers.")},
    {NULL},
};

#define OFF(f) offsetof(struct sre_pattern, f)
static PyMemberDef pattern_members[] = {
    {"pattern", T_OBJECT, OFF(pattern), READONLY,
     PyDoc_STR("The pattern string from which the RE object was compiled.")},
    {"flags", T_INT, OFF(flags), READONLY,
     PyDoc_STR("The regex matching flags.")},
    {"groups", T_PYSSIZET, OFF(groups), READONLY,
     PyDoc_STR("The number of capturing groups in the pattern.")},
    {"__weaklistoffset__", T_PYSSIZET, OFF(weakrefs), READONLY},
    {NULL},
};

static PyType_Slot pattern_slots[] = {
    {Py_tp_dealloc, pattern_dealloc},
    {Py_tp_traverse, pattern_traverse},
    {Py_tp_clear, pattern_clear},
    {Py_tp_repr, pattern_repr},
    {Py_tp_hash, pattern_hash},
    {Py_tp_richcompare, pattern_richcompare},
    {Py_tp_doc, (void *)PyDoc_STR("Compiled regular expression object.")},
    {Py_tp_methods, pattern_methods},
    {Py_tp_members, pattern_members},
    {Py_tp_getset, pattern_getset},
    {0, NULL},
};

PyType_Spec kr_sre_pattern_spec = {
    .name = "re.Pattern",
    .basicsize = OFF(code),
    .itemsize = sizeof(uint32_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pattern_slots,
};
