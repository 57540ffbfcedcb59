/* Binding the arguments of a call to the variables of a Python function. */
#include "vm/eval.h"
#include "vm/support.h"

static PyObject *
local_name(PyCodeObject *co, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(co->co_localsplusnames, i);
}

/* "'a', 'b', and 'c'" from a list of quoted names. */
static PyObject *
join_with_and(PyObject *names)
{
    Py_ssize_t n = PyList_GET_SIZE(names);
    if (n == 1) {
        return Py_NewRef(PyList_GET_ITEM(names, 0));
    }
    if (n == 2) {
        return PyUnicode_FromFormat("%U and %U", PyList_GET_ITEM(names, 0),
                                    PyList_GET_ITEM(names, 1));
    }
    PyObject *tail = PyUnicode_FromFormat(", %U, and %U",
                                          PyList_GET_ITEM(names, n - 2),
                                          PyList_GET_ITEM(names, n - 1));
    PyObject *head = PyList_GetSlice(names, 0, n - 2);
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *joined = NULL, *result = NULL;
    if (tail != NULL && head != NULL && comma != NULL) {
        joined = PyUnicode_Join(comma, head);
    }
    if (joined != NULL) {
        result = PyUnicode_Concat(joined, tail);
    }
    Py_XDECREF(tail);
    Py_XDECREF(head);
    Py_XDECREF(comma);
    Py_XDECREF(joined);
    return result;
}

static KR_COLD int
missing_arguments(PyFunctionObject *func, PyObject **locals, Py_ssize_t start,
                  Py_ssize_t end, const char *kind)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    PyObject *names = PyList_New(0);
    for (Py_ssize_t i = start; names != NULL && i < end; i++) {
        if (locals[i] != NULL) {
            continue;
        }
        PyObject *quoted = PyObject_Repr(local_name(co, i));
        if (quoted == NULL || PyList_Append(names, quoted) < 0) {
            Py_CLEAR(names);
        }
        Py_XDECREF(quoted);
    }
    PyObject *text = names == NULL ? NULL : join_with_and(names);
    if (text != NULL) {
        Py_ssize_t n = PyList_GET_SIZE(names);
        PyErr_Format(PyExc_TypeError,
                     "%U() missing %zd required %s argument%s: %U",
                     func->func_qualname, n, kind, n == 1 ? "" : "s", text);
    }
    Py_XDECREF(names);
    Py_XDECREF(text);
    return -1;
}

static KR_COLD int
too_many_positional(PyFunctionObject *func, PyObject **locals,
                    Py_ssize_t given, Py_ssize_t defcount)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Py_ssize_t kwonly = 0;
    for (int i = co->co_argcount;
         i < co->co_argcount + co->co_kwonlyargcount; i++) {
        kwonly += locals[i] != NULL;
    }
    int plural = defcount ? 1 : co->co_argcount != 1;
    PyObject *takes =
        defcount ? PyUnicode_FromFormat("from %zd to %d",
                                        co->co_argcount - defcount,
                                        co->co_argcount)
                 : PyUnicode_FromFormat("%d", co->co_argcount);
    PyObject *also =
        kwonly ? PyUnicode_FromFormat(
                     " positional argument%s (and %zd keyword-only "
                     "argument%s)",
                     given != 1 ? "s" : "", kwonly, kwonly != 1 ? "s" : "")
               : PyUnicode_FromString("");
    if (takes != NULL && also != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%U() takes %U positional argument%s but %zd%U %s given",
                     func->func_qualname, takes, plural ? "s" : "", given,
                     also, given == 1 && !kwonly ? "was" : "were");
    }
    Py_XDECREF(takes);
    Py_XDECREF(also);
    return -1;
}

/* Names of positional-only parameters that were given as keywords: reports them
 * (1), or finds none (0). */
static KR_COLD int
positional_only_passed(PyFunctionObject *func, PyObject *kwnames)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    PyObject *found = PyList_New(0);
    for (int i = 0; found != NULL && i < co->co_posonlyargcount; i++) {
        PyObject *name = local_name(co, i);
        for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(kwnames); k++) {
            PyObject *given = PyTuple_GET_ITEM(kwnames, k);
            int eq = given == name
                         ? 1
                         : PyObject_RichCompareBool(name, given, Py_EQ);
            if (eq < 0 || (eq && PyList_Append(found, given) < 0)) {
                Py_CLEAR(found);
                break;
            }
        }
    }
    int result = 0;
    if (found == NULL) {
        return 1;
    }
    if (PyList_GET_SIZE(found) > 0) {
        result = 1;
        PyObject *comma = PyUnicode_FromString(", ");
        PyObject *text = comma == NULL ? NULL : PyUnicode_Join(comma, found);
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U() got some positional-only arguments passed as "
                         "keyword arguments: '%U'",
                         func->func_qualname, text);
        }
        Py_XDECREF(comma);
        Py_XDECREF(text);
    }
    Py_DECREF(found);
    return result;
}

/* Index of the parameter called `keyword`, -1 if there is none, -2 on error. */
static Py_ssize_t
find_parameter(PyCodeObject *co, PyObject *keyword)
{
    Py_ssize_t total = co->co_argcount + co->co_kwonlyargcount;
    for (Py_ssize_t i = co->co_posonlyargcount; i < total; i++) {
        if (local_name(co, i) == keyword) {
            return i;
        }
    }
    /* not interned, or not a parameter */
    for (Py_ssize_t i = co->co_posonlyargcount; i < total; i++) {
        int eq = PyObject_RichCompareBool(keyword, local_name(co, i), Py_EQ);
        if (eq != 0) {
            return eq < 0 ? -2 : i;
        }
    }
    return -1;
}

/* Takes over `value`, also on failure. */
static int
bind_keyword(PyFunctionObject *func, PyObject **locals, PyObject *kwdict,
             PyObject *kwnames, PyObject *keyword, PyObject *value)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Py_ssize_t at = -2;
    if (keyword == NULL || !PyUnicode_Check(keyword)) {
        PyErr_Format(PyExc_TypeError, "%U() keywords must be strings",
                     func->func_qualname);
    }
    else {
        at = find_parameter(co, keyword);
    }
    int err = -1;
    if (at >= 0 && locals[at] == NULL) {
        locals[at] = value;
        return 0;
    }
    if (at >= 0) {
        PyErr_Format(PyExc_TypeError,
                     "%U() got multiple values for argument '%S'",
                     func->func_qualname, keyword);
    }
    else if (at == -1 && kwdict != NULL) {
        err = PyDict_SetItem(kwdict, keyword, value);
    }
    else if (at == -1 && !(co->co_posonlyargcount &&
                           positional_only_passed(func, kwnames))) {
        PyErr_Format(PyExc_TypeError,
                     "%U() got an unexpected keyword argument '%S'",
                     func->func_qualname, keyword);
    }
    Py_DECREF(value);
    return err;
}

static int
fill_positional_defaults(PyFunctionObject *func, PyObject **locals,
                         Py_ssize_t argcount)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Py_ssize_t defcount =
        func->func_defaults ? PyTuple_GET_SIZE(func->func_defaults) : 0;
    Py_ssize_t required = co->co_argcount - defcount;
    for (Py_ssize_t i = argcount; i < required; i++) {
        if (locals[i] == NULL) {
            return missing_arguments(func, locals, 0, required, "positional");
        }
    }
    Py_ssize_t i = argcount > required ? argcount - required : 0;
    for (; i < defcount; i++) {
        if (locals[required + i] == NULL) {
            locals[required + i] =
                Py_NewRef(PyTuple_GET_ITEM(func->func_defaults, i));
        }
    }
    return 0;
}

static int
fill_keyword_defaults(PyFunctionObject *func, PyObject **locals)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    int start = co->co_argcount, end = start + co->co_kwonlyargcount;
    int missing = 0;
    for (int i = start; i < end; i++) {
        if (locals[i] != NULL) {
            continue;
        }
        PyObject *value = NULL;
        if (func->func_kwdefaults != NULL) {
            value = PyDict_GetItemWithError(func->func_kwdefaults,
                                            local_name(co, i));
            if (value == NULL && PyErr_Occurred()) {
                return -1;
            }
        }
        missing += value == NULL;
        locals[i] = Py_XNewRef(value);
    }
    return missing ? missing_arguments(func, locals, start, end,
                                       "keyword-only")
                   : 0;
}

/* Drops the references of args[from..to-1]. */
static void
drop(PyObject *const *args, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        Py_DECREF(args[i]);
    }
}

int
kr_bind_arguments(PyFunctionObject *func, PyObject **locals,
                  PyObject *const *args, Py_ssize_t argcount,
                  PyObject *kwnames)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Py_ssize_t total = co->co_argcount + co->co_kwonlyargcount;
    Py_ssize_t kwcount = KR_KWCOUNT(kwnames);
    Py_ssize_t all = argcount + kwcount;
    PyObject *kwdict = NULL;
    Py_ssize_t done = 0;
    if (co->co_flags & CO_VARKEYWORDS) {
        kwdict = PyDict_New();
        if (kwdict == NULL) {
            goto fail;
        }
        locals[total + ((co->co_flags & CO_VARARGS) != 0)] = kwdict;
    }
    Py_ssize_t direct =
        argcount > co->co_argcount ? co->co_argcount : argcount;
    for (; done < direct; done++) {
        locals[done] = args[done];
    }
    if (co->co_flags & CO_VARARGS) {
        PyObject *rest = kr_tuple_steal(args + direct, argcount - direct);
        done = argcount;
        if (rest == NULL) {
            goto fail;
        }
        locals[total] = rest;
    }
    else {
        /* too many: told after the keywords, whose number is in the message */
        drop(args, direct, argcount);
        done = argcount;
    }
    for (Py_ssize_t k = 0; k < kwcount; k++) {
        done++;
        if (bind_keyword(func, locals, kwdict, kwnames,
                         PyTuple_GET_ITEM(kwnames, k),
                         args[argcount + k]) < 0) {
            goto fail;
        }
    }
    if (argcount > co->co_argcount && !(co->co_flags & CO_VARARGS)) {
        return too_many_positional(
            func, locals, argcount,
            func->func_defaults ? PyTuple_GET_SIZE(func->func_defaults) : 0);
    }
    if (argcount < co->co_argcount &&
        fill_positional_defaults(func, locals, argcount) < 0) {
        return -1;
    }
    return co->co_kwonlyargcount > 0 ? fill_keyword_defaults(func, locals) : 0;
fail:
    drop(args, done, all);
    return -1;
}

_PyInterpreterFrame *
kr_push_call(PyThreadState *ts, PyFunctionObject *func, PyObject *locals,
             PyObject *const *args, Py_ssize_t argcount, PyObject *kwnames)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    _PyInterpreterFrame *frame = kr_stack_push(ts, kr_frame_words(co));
    if (frame == NULL) {
        drop(args, 0, argcount + KR_KWCOUNT(kwnames));
        Py_DECREF(func);
        Py_XDECREF(locals);
        PyErr_NoMemory();
        return NULL;
    }
    if (argcount == co->co_argcount && kwnames == NULL &&
        !(co->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) &&
        co->co_kwonlyargcount == 0) {
        kr_frame_init(frame, func, locals, co, co->co_argcount);
        for (Py_ssize_t i = 0; i < argcount; i++) {
            frame->localsplus[i] = args[i];
        }
        return frame;
    }
    kr_frame_init(frame, func, locals, co, 0);
    if (kr_bind_arguments(func, frame->localsplus, args, argcount, kwnames) <
        0) {
        kr_end_frame(ts, frame);
        return NULL;
    }
    return frame;
}
