/* Where an unpickler reads from, and its memo and stack.
 *
 * The input is one buffer at a time: the whole pickle, a frame or what a read
 * gave. Of a file with peek(), the buffer is only looked at, and what was used
 * of it is read before anything else is. */
#include "modules/_pickle/pickle.h"

int
kr_up_truncated(void)
{
    PyErr_SetString(kr_pickle.unpickling_error, "pickle data was truncated");
    return -1;
}

int
kr_up_skip_consumed(unpickler *self)
{
    Py_ssize_t n = self->pos - self->prefetched;
    if (n <= 0 || self->read == NULL) {
        return 0;
    }
    PyObject *r = PyObject_CallFunction(self->read, "n", n);
    if (r == NULL) {
        return -1;
    }
    Py_DECREF(r);
    self->prefetched = self->pos;
    return 0;
}

/* Makes data the buffer; steals it. Its length, or -1. */
static Py_ssize_t
set_input(unpickler *self, PyObject *data)
{
    Py_buffer view;
    if (data == NULL) {
        return -1;
    }
    int rc = PyObject_GetBuffer(data, &view, PyBUF_CONTIG_RO);
    Py_DECREF(data);
    if (rc < 0) {
        return -1;
    }
    if (self->buffer.obj != NULL) {
        PyBuffer_Release(&self->buffer);
    }
    self->buffer = view;
    self->in = view.buf;
    self->in_len = view.len;
    self->pos = 0;
    self->prefetched = view.len;
    return view.len;
}

/* Reads n bytes from the file, at least tries to; n < 0 for a line. */
static Py_ssize_t
fill(unpickler *self, Py_ssize_t n)
{
    if (self->read == NULL) {
        return kr_up_truncated();
    }
    if (kr_up_skip_consumed(self) < 0) {
        return -1;
    }
    if (n < 0) {
        PyObject *line = PyObject_CallNoArgs(self->readline);
        return set_input(self, line);
    }
    if (self->peek != NULL && n < PREFETCH) {
        PyObject *data =
            PyObject_CallFunction(self->peek, "n", (Py_ssize_t)PREFETCH);
        if (data != NULL) {
            Py_ssize_t got = set_input(self, data);
            if (got < 0) {
                return -1;
            }
            self->prefetched = 0;
            if (n <= got) {
                return n;
            }
            self->in_len = 0; /* nothing of it has been used */
        }
        else if (PyErr_ExceptionMatches(PyExc_NotImplementedError)) {
            PyErr_Clear();
            Py_CLEAR(self->peek);
        }
        else {
            return -1;
        }
    }
    return set_input(self, PyObject_CallFunction(self->read, "n", n));
}

Py_ssize_t
kr_up_read(unpickler *self, const char **s, Py_ssize_t n)
{
    if (n <= self->in_len - self->pos) {
        *s = self->in + self->pos;
        self->pos += n;
        return n;
    }
    if (self->pos < self->in_len && self->read == NULL) {
        return kr_up_truncated();
    }
    if (self->pos < self->in_len) {
        /* what is left of this buffer comes first */
        Py_ssize_t left = self->in_len - self->pos;
        if (self->prefetched < self->in_len) {
            /* only peeked at: ask for it again, and more */
            if (kr_up_skip_consumed(self) < 0) {
                return -1;
            }
        }
        else if (left > 0) {
            char *head = PyMem_Malloc((size_t)left);
            if (head == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            memcpy(head, self->in + self->pos, (size_t)left);
            self->pos = self->prefetched = self->in_len;
            PyObject *rest =
                PyObject_CallFunction(self->read, "n", n - left);
            PyObject *first = PyBytes_FromStringAndSize(head, left);
            PyMem_Free(head);
            if (rest == NULL || first == NULL) {
                Py_XDECREF(rest);
                Py_XDECREF(first);
                return -1;
            }
            PyBytes_ConcatAndDel(&first, rest);
            Py_ssize_t got = set_input(self, first);
            if (got < n) {
                return got < 0 ? -1 : kr_up_truncated();
            }
            *s = self->in;
            self->pos = n;
            return n;
        }
    }
    Py_ssize_t got = fill(self, n);
    if (got < n) {
        return got < 0 ? -1 : kr_up_truncated();
    }
    *s = self->in;
    self->pos = n;
    return n;
}

int
kr_up_read_into(unpickler *self, char *to, Py_ssize_t n)
{
    Py_ssize_t have = Py_MIN(n, self->in_len - self->pos);
    if (have > 0) {
        memcpy(to, self->in + self->pos, (size_t)have);
        self->pos += have;
        to += have;
        n -= have;
    }
    if (n <= 0) {
        return 0;
    }
    if (self->read == NULL) {
        return kr_up_truncated();
    }
    if (kr_up_skip_consumed(self) < 0) {
        return -1;
    }
    if (self->readinto == NULL) {
        PyObject *data = PyObject_CallFunction(self->read, "n", n);
        Py_ssize_t got = set_input(self, data);
        if (got < n) {
            return got < 0 ? -1 : kr_up_truncated();
        }
        memcpy(to, self->in, (size_t)n);
        self->pos = n;
        return 0;
    }
    PyObject *view = PyMemoryView_FromMemory(to, n, PyBUF_WRITE);
    PyObject *r = view ? PyObject_CallOneArg(self->readinto, view) : NULL;
    if (view != NULL) {
        /* the file may have kept the view; the memory won't last */
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyObject *released = PyObject_CallMethodNoArgs(view, KR_ID(release));
        Py_XDECREF(released);
        if (released == NULL) {
            PyErr_Clear();
        }
        PyErr_Restore(type, value, tb);
        Py_DECREF(view);
    }
    if (r == NULL) {
        return -1;
    }
    Py_ssize_t got = PyLong_AsSsize_t(r);
    Py_DECREF(r);
    if (got < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError,
                            "readinto() returned negative size");
        }
        return -1;
    }
    return got < n ? kr_up_truncated() : 0;
}

static Py_ssize_t
copy_line(unpickler *self, const char *start, Py_ssize_t n, char **s)
{
    char *line = PyMem_Realloc(self->line, (size_t)n + 1);
    if (line == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(line, start, (size_t)n);
    line[n] = '\0';
    self->line = *s = line;
    return n;
}

Py_ssize_t
kr_up_readline(unpickler *self, char **s)
{
    const char *start = self->in + self->pos, *end = NULL;
    if (self->pos < self->in_len) {
        end = memchr(start, '\n', (size_t)(self->in_len - self->pos));
    }
    if (end != NULL) {
        Py_ssize_t n = end - start + 1;
        self->pos += n;
        return copy_line(self, start, n, s);
    }
    if (self->read == NULL) {
        return kr_up_truncated();
    }
    Py_ssize_t n = fill(self, -1);
    if (n < 0) {
        return -1;
    }
    if (n == 0 || self->in[n - 1] != '\n') {
        return kr_up_truncated();
    }
    self->pos = n;
    return copy_line(self, self->in, n, s);
}

/* ---- memo: an array, and a dict for numbers that a sane pickler would not
 * write, so that one instruction can't take gigabytes */

PyObject *
kr_up_memo_get(unpickler *self, Py_ssize_t index)
{
    if (index >= 0 && index < self->memo_size) {
        return self->memo[index];
    }
    if (self->sparse_memo == NULL) {
        return NULL;
    }
    PyObject *key = PyLong_FromSsize_t(index);
    if (key == NULL) {
        return NULL;
    }
    PyObject *value = PyDict_GetItemWithError(self->sparse_memo, key);
    Py_DECREF(key);
    return value;
}

static int
put_sparse(unpickler *self, Py_ssize_t index, PyObject *value)
{
    if (self->sparse_memo == NULL) {
        self->sparse_memo = PyDict_New();
    }
    PyObject *key = self->sparse_memo ? PyLong_FromSsize_t(index) : NULL;
    int rc = key ? PyDict_SetItem(self->sparse_memo, key, value) : -1;
    Py_XDECREF(key);
    return rc;
}

int
kr_up_memo_put(unpickler *self, Py_ssize_t index, PyObject *value)
{
    if (index >= self->memo_size) {
        if (index > 65536 + 4 * self->memo_used) {
            return put_sparse(self, index, value);
        }
        Py_ssize_t size = Py_MAX(32, index * 2);
        PyObject **memo =
            PyMem_Realloc(self->memo, (size_t)size * sizeof *memo);
        if (memo == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memset(memo + self->memo_size, 0,
               (size_t)(size - self->memo_size) * sizeof *memo);
        self->memo = memo;
        self->memo_size = size;
    }
    PyObject *old = self->memo[index];
    self->memo[index] = Py_NewRef(value);
    if (old != NULL) {
        Py_DECREF(old);
    }
    else {
        self->memo_used++;
    }
    return 0;
}

void
kr_up_memo_clear(unpickler *self)
{
    PyObject **memo = self->memo;
    Py_ssize_t n = self->memo_size;
    self->memo = NULL;
    self->memo_size = self->memo_used = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_XDECREF(memo[i]);
    }
    PyMem_Free(memo);
    Py_CLEAR(self->sparse_memo);
}

void
kr_up_stack_clear(unpickler *self, Py_ssize_t to)
{
    while (self->sp > to) {
        PyObject *item = self->stack[--self->sp];
        Py_DECREF(item);
    }
}
