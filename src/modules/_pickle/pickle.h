/* What the files of _pickle share: opcodes, the two machines, module state. */
#ifndef KR_MODULES_PICKLE_H
#define KR_MODULES_PICKLE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "objects/ids.h"

enum {
    HIGHEST_PROTOCOL = 5,
    DEFAULT_PROTOCOL = 4,
    BATCH_SIZE = 1000,         /* items per APPENDS, SETITEMS, ADDITEMS */
    FAST_NESTING_LIMIT = 50,   /* from here on fast mode looks for cycles */
    FRAME_SIZE_TARGET = 65536, /* a frame ends when it is this long */
    FRAME_SIZE_MIN = 4,        /* a shorter one goes without header */
    FRAME_HEADER_SIZE = 9,
    PREFETCH = 128 * 1024,
};

enum opcode {
    MARK = '(',
    STOP = '.',
    POP = '0',
    POP_MARK = '1',
    DUP = '2',
    FLOAT = 'F',
    INT = 'I',
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    LONG = 'L',
    NONE = 'N',
    PERSID = 'P',
    BINPERSID = 'Q',
    REDUCE = 'R',
    STRING = 'S',
    BINSTRING = 'T',
    SHORT_BINSTRING = 'U',
    UNICODE = 'V',
    BINUNICODE = 'X',
    APPEND = 'a',
    BUILD = 'b',
    GLOBAL = 'c',
    DICT = 'd',
    EMPTY_DICT = '}',
    APPENDS = 'e',
    GET = 'g',
    BINGET = 'h',
    INST = 'i',
    LONG_BINGET = 'j',
    LIST = 'l',
    EMPTY_LIST = ']',
    OBJ = 'o',
    PUT = 'p',
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    SETITEM = 's',
    TUPLE = 't',
    EMPTY_TUPLE = ')',
    SETITEMS = 'u',
    BINFLOAT = 'G',
    PROTO = 0x80,
    NEWOBJ,
    EXT1,
    EXT2,
    EXT4,
    TUPLE1,
    TUPLE2,
    TUPLE3,
    NEWTRUE,
    NEWFALSE,
    LONG1,
    LONG4,
    BINBYTES = 'B',
    SHORT_BINBYTES = 'C',
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE8,
    BINBYTES8,
    EMPTY_SET,
    ADDITEMS,
    FROZENSET,
    NEWOBJ_EX,
    STACK_GLOBAL,
    MEMOIZE,
    FRAME,
    BYTEARRAY8,
    NEXT_BUFFER,
    READONLY_BUFFER,
};

/* What other modules lend; all owned. */
struct kr_pickle_state {
    PyObject *error, *pickling_error, *unpickling_error;
    PyObject *dispatch_table;      /* copyreg */
    PyObject *extension_registry;  /* (module, name) -> code */
    PyObject *inverted_registry;   /* code -> (module, name) */
    PyObject *extension_cache;     /* code -> object */
    PyObject *name_2to3, *import_2to3, *name_3to2, *import_3to2;
    PyObject *encode;  /* codecs.encode */
    PyObject *getattr; /* builtins.getattr */
    PyObject *partial; /* functools.partial */
};
extern struct kr_pickle_state kr_pickle;

/* ---- memo.c: a table from objects, by identity, to numbers */
struct memo_entry {
    PyObject *key; /* owned */
    Py_ssize_t index;
};

struct memo {
    struct memo_entry *entries;
    size_t mask, used;
};

/* -1 with MemoryError set. */
int kr_memo_init(struct memo *m);
void kr_memo_free(struct memo *m);
void kr_memo_clear(struct memo *m);
int kr_memo_copy(struct memo *to, const struct memo *from);
/* The number of an object, or -1. */
Py_ssize_t kr_memo_find(const struct memo *m, PyObject *key);
int kr_memo_set(struct memo *m, PyObject *key, Py_ssize_t index);

/* A callable found as an attribute; a method of its owner is kept unbound so
 * that the owner does not refer to itself. */
struct hook {
    PyObject *func;
    bool is_method;
};

/* Looks the attribute up. -1 with an exception set. */
int kr_hook_init(struct hook *h, PyObject *self, PyObject *name);
PyObject *kr_hook_call(struct hook *h, PyObject *self, PyObject *arg);
PyObject *kr_hook_get(struct hook *h, PyObject *self, const char *name);
int kr_hook_set(struct hook *h, PyObject *value, const char *name);

/* ---- output */
typedef struct {
    PyObject_HEAD
    struct memo memo;
    struct hook persistent_id;
    PyObject *dispatch_table, *write, *reducer_override, *buffer_callback;
    char *out;
    Py_ssize_t out_len, out_size;
    Py_ssize_t frame_start; /* -1 outside a frame */
    bool framing;
    int proto, bin, fast, fast_nesting;
    bool fix_imports;
    PyObject *fast_memo;
} pickler;

/* ---- memo_proxy.c: the view of a memo */
struct memo_proxy {
    PyObject_HEAD
    PyObject *owner;
};

/* A new proxy of that type, or NULL; its owner, borrowed. */
PyObject *kr_memo_proxy_new(PyTypeObject *type, PyObject *owner);
PyObject *kr_memo_proxy_owner(PyObject *op);

/* __reduce__ by way of the type's copy(), and the slots. */
PyObject *kr_memo_proxy_reduce(PyObject *op, PyObject *ignored);
int kr_memo_proxy_traverse(PyObject *op, visitproc visit, void *arg);
int kr_memo_proxy_clear(PyObject *op);
void kr_memo_proxy_dealloc(PyObject *op);

#define KR_MEMO_PROXY_TYPE(name, methods)                                      \
    {                                                                          \
        PyVarObject_HEAD_INIT(NULL, 0)                                         \
        .tp_name = name,                                                       \
        .tp_basicsize = sizeof(struct memo_proxy),                             \
        .tp_dealloc = kr_memo_proxy_dealloc,                                   \
        .tp_hash = PyObject_HashNotImplemented,                                \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_setattro = PyObject_GenericSetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE                   \
                    | Py_TPFLAGS_HAVE_GC,                                      \
        .tp_traverse = kr_memo_proxy_traverse,                                 \
        .tp_clear = kr_memo_proxy_clear,                                       \
        .tp_methods = methods,                                                 \
    }

extern PyTypeObject kr_pickler_type, kr_pickler_memo_type, kr_unpickler_type,
    kr_unpickler_memo_type;

/* All these: 0, or -1 with an exception set. */
int kr_pk_write(pickler *self, const void *data, Py_ssize_t n);
int kr_pk_op(pickler *self, int op);
int kr_pk_write_large(pickler *self, const void *head, Py_ssize_t head_size,
                      const void *data, Py_ssize_t size, PyObject *payload);
int kr_pk_boundary(pickler *self);
int kr_pk_memo_put(pickler *self, PyObject *obj);
int kr_pk_memo_get(pickler *self, Py_ssize_t index);
bool kr_pk_in_memo(pickler *self, PyObject *obj, Py_ssize_t *index);
int kr_pk_save(pickler *self, PyObject *obj, bool is_pid);
int kr_pk_save_int(pickler *self, PyObject *obj);
int kr_pk_save_float(pickler *self, PyObject *obj);
int kr_pk_save_str(pickler *self, PyObject *obj);
int kr_pk_save_bytes(pickler *self, PyObject *obj);
int kr_pk_save_bytearray(pickler *self, PyObject *obj);
int kr_pk_save_buffer(pickler *self, PyObject *obj);
int kr_pk_save_tuple(pickler *self, PyObject *obj);
int kr_pk_save_list(pickler *self, PyObject *obj);
int kr_pk_save_dict(pickler *self, PyObject *obj);
int kr_pk_save_set(pickler *self, PyObject *obj);
int kr_pk_save_frozenset(pickler *self, PyObject *obj);
int kr_pk_save_global(pickler *self, PyObject *obj, PyObject *name);
int kr_pk_save_type(pickler *self, PyObject *obj);
int kr_pk_save_reduce(pickler *self, PyObject *args, PyObject *obj);
int kr_pk_batch_list(pickler *self, PyObject *iter);
int kr_pk_batch_dict(pickler *self, PyObject *iter);
PyObject *kr_pk_dumps(PyObject *obj, PyObject *protocol, int fix_imports,
                      PyObject *buffer_callback);
PyObject *kr_pk_dump(PyObject *obj, PyObject *file, PyObject *protocol,
                     int fix_imports, PyObject *buffer_callback);

/* Walks a dotted name below obj; *parent, if not NULL, gets an owned
 * reference to the one before the last. */
PyObject *kr_pk_get_deep(PyObject *obj, PyObject *path, PyObject **parent);
/* Splits at dots. NULL with AttributeError set for a local one. */
PyObject *kr_pk_dotted_path(PyObject *obj, PyObject *name);

/* ---- input */
typedef struct {
    PyObject_HEAD
    PyObject **stack;
    Py_ssize_t sp, stack_size, fence;
    Py_ssize_t *marks;
    Py_ssize_t num_marks, marks_size;
    PyObject **memo;       /* NULL where nothing is */
    Py_ssize_t memo_size, memo_used;
    PyObject *sparse_memo; /* dict of what lies far beyond, or NULL */
    struct hook persistent_load;
    Py_buffer buffer; /* of what is being read */
    const char *in;
    Py_ssize_t in_len, pos, prefetched;
    char *line; /* the last line read, a copy */
    PyObject *read, *readinto, *readline, *peek, *buffers;
    char *encoding, *errors;
    int proto;
    bool fix_imports;
} unpickler;

/* Makes the next n bytes readable at *s until the next read. n, or -1. */
Py_ssize_t kr_up_read(unpickler *self, const char **s, Py_ssize_t n);
int kr_up_read_into(unpickler *self, char *to, Py_ssize_t n);
/* A line with its newline, NUL-terminated and writable. Its length, or -1. */
Py_ssize_t kr_up_readline(unpickler *self, char **s);
/* Gives back to the file what was only peeked at. */
int kr_up_skip_consumed(unpickler *self);
int kr_up_truncated(void);
PyObject *kr_up_memo_get(unpickler *self, Py_ssize_t index);
int kr_up_memo_put(unpickler *self, Py_ssize_t index, PyObject *value);
void kr_up_memo_clear(unpickler *self);
void kr_up_stack_clear(unpickler *self, Py_ssize_t to);
PyObject *kr_up_run(unpickler *self);
PyObject *kr_up_find_class(unpickler *self, PyObject *module, PyObject *name);
PyObject *kr_up_loads(PyObject *data, int fix_imports, const char *encoding,
                      const char *errors, PyObject *buffers);
PyObject *kr_up_load(PyObject *file, int fix_imports, const char *encoding,
                     const char *errors, PyObject *buffers);

#endif
