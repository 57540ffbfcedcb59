/* What a search needs besides the code: the string opened, marks, stack. */
#include <string.h>

#include "modules/_sre/sre.h"

const void *
kr_sre_open_string(PyObject *string, Py_ssize_t *length, bool *isbytes,
                   int *charsize, Py_buffer *view, bool *has_view)
{
    if (PyUnicode_Check(string)) {
        if (PyUnicode_READY(string) < 0) {
            return NULL;
        }
        *length = PyUnicode_GET_LENGTH(string);
        *charsize = PyUnicode_KIND(string);
        *isbytes = false;
        return PyUnicode_DATA(string);
    }
    if (PyObject_GetBuffer(string, view, PyBUF_SIMPLE) != 0) {
        PyErr_Format(PyExc_TypeError,
                     "expected string or bytes-like object, got '%.200s'",
                     Py_TYPE(string)->tp_name);
        return NULL;
    }
    *has_view = true;
    *length = view->len;
    *charsize = 1;
    *isbytes = true;
    if (view->buf == NULL) {
        PyErr_SetString(PyExc_ValueError, "Buffer is NULL");
        PyBuffer_Release(view);
        *has_view = false;
        return NULL;
    }
    return view->buf;
}

PyObject *
kr_sre_slice(bool isbytes, const void *data, PyObject *string, Py_ssize_t start,
             Py_ssize_t end)
{
    if (!isbytes) {
        return PyUnicode_Substring(string, start, end);
    }
    if (PyBytes_CheckExact(string) && start == 0 &&
        end == PyBytes_GET_SIZE(string)) {
        return Py_NewRef(string);
    }
    return PyBytes_FromStringAndSize((const char *)data + start, end - start);
}

PyObject *
kr_sre_group_slice(struct sre_state *s, Py_ssize_t group, bool empty)
{
    const void *from = s->mark[2 * group - 2], *to = s->mark[2 * group - 1];
    if (from == NULL || to == NULL || from > to) {
        if (!empty) {
            Py_RETURN_NONE;
        }
        from = to = s->beginning;
    }
    return kr_sre_slice(s->isbytes, s->beginning, s->string,
                        sre_offset(s, from), sre_offset(s, to));
}

int
kr_sre_begin(struct sre_state *s, struct sre_pattern *p, PyObject *string,
             Py_ssize_t start, Py_ssize_t end)
{
    bool has_view = false;
    Py_ssize_t length;
    const char *data = kr_sre_open_string(string, &length, &s->isbytes,
                                          &s->charsize, &s->buffer, &has_view);
    if (data == NULL) {
        return -1;
    }
    s->has_buffer = has_view;
    if (p->isbytes >= 0 && s->isbytes != p->isbytes) {
        PyErr_SetString(PyExc_TypeError,
                        p->isbytes
                            ? "cannot use a bytes pattern on a string-like "
                              "object"
                            : "cannot use a string pattern on a bytes-like "
                              "object");
        goto error;
    }
    start = start < 0 ? 0 : start > length ? length : start;
    end = end < 0 ? 0 : end > length ? length : end;
    s->length = length;
    s->pos = start;
    s->endpos = end;
    s->beginning = data;
    s->start = s->ptr = data + start * s->charsize;
    s->end = data + end * s->charsize;
    s->pattern = p;
    s->match_all = s->must_advance = false;
    s->steps = 0;
    s->lastindex = -1;
    s->nmarks = 2 * p->groups;
    s->mark = s->inline_marks;
    if (s->nmarks > SRE_INLINE_MARKS) {
        s->mark = PyMem_Malloc((size_t)s->nmarks * sizeof(void *));
        if (s->mark == NULL) {
            PyErr_NoMemory();
            goto error;
        }
    }
    memset(s->mark, 0, (size_t)s->nmarks * sizeof(void *));
    s->stack = s->inline_stack;
    s->stack_end = s->inline_stack + SRE_INLINE_ENTRIES;
    s->string = Py_NewRef(string);
    return 0;
error:
    if (has_view) {
        PyBuffer_Release(&s->buffer);
    }
    return -1;
}

void
kr_sre_reset(struct sre_state *s)
{
    s->lastindex = -1;
    memset(s->mark, 0, (size_t)s->nmarks * sizeof(void *));
    if (s->stack != s->inline_stack &&
        s->stack_end - s->stack > 64 * SRE_INLINE_ENTRIES) {
        /* one match that needed much must not keep it */
        PyMem_Free(s->stack);
        s->stack = s->inline_stack;
        s->stack_end = s->inline_stack + SRE_INLINE_ENTRIES;
    }
}

void
kr_sre_finish(struct sre_state *s)
{
    if (s->mark != s->inline_marks) {
        PyMem_Free(s->mark);
    }
    if (s->stack != s->inline_stack) {
        PyMem_Free(s->stack);
    }
    if (s->has_buffer) {
        PyBuffer_Release(&s->buffer);
    }
    Py_CLEAR(s->string);
}
