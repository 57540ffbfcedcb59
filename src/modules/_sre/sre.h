/* Shared by the files of the module _sre: opcodes, objects, the matcher.
 *
 * re._compiler turns a pattern into 32-bit code words. They are checked once
 * (validate.c), get side information (prepare.c), and are then executed by the
 * engine (engine_impl.h, compiled for each character width). */
#ifndef KR_MODULES_SRE_SRE_H
#define KR_MODULES_SRE_SRE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#define SRE_MAGIC 20220615
#define SRE_MAXREPEAT UINT32_MAX
#define SRE_MAXGROUPS (INT32_MAX / 2)

enum sre_op {
    OP_FAILURE, OP_SUCCESS, OP_ANY, OP_ANY_ALL, OP_ASSERT, OP_ASSERT_NOT, OP_AT,
    OP_BRANCH, OP_CATEGORY, OP_CHARSET, OP_BIGCHARSET, OP_GROUPREF,
    OP_GROUPREF_EXISTS, OP_IN, OP_INFO, OP_JUMP, OP_LITERAL, OP_MARK,
    OP_MAX_UNTIL, OP_MIN_UNTIL, OP_NOT_LITERAL, OP_NEGATE, OP_RANGE, OP_REPEAT,
    OP_REPEAT_ONE, OP_SUBPATTERN, OP_MIN_REPEAT_ONE, OP_ATOMIC_GROUP,
    OP_POSSESSIVE_REPEAT, OP_POSSESSIVE_REPEAT_ONE, OP_GROUPREF_IGNORE,
    OP_IN_IGNORE, OP_LITERAL_IGNORE, OP_NOT_LITERAL_IGNORE,
    OP_GROUPREF_LOC_IGNORE, OP_IN_LOC_IGNORE, OP_LITERAL_LOC_IGNORE,
    OP_NOT_LITERAL_LOC_IGNORE, OP_GROUPREF_UNI_IGNORE, OP_IN_UNI_IGNORE,
    OP_LITERAL_UNI_IGNORE, OP_NOT_LITERAL_UNI_IGNORE, OP_RANGE_UNI_IGNORE,
};

enum sre_at {
    AT_BEGINNING, AT_BEGINNING_LINE, AT_BEGINNING_STRING, AT_BOUNDARY,
    AT_NON_BOUNDARY, AT_END, AT_END_LINE, AT_END_STRING, AT_LOC_BOUNDARY,
    AT_LOC_NON_BOUNDARY, AT_UNI_BOUNDARY, AT_UNI_NON_BOUNDARY,
    AT_COUNT,
};

enum sre_category {
    CH_DIGIT, CH_NOT_DIGIT, CH_SPACE, CH_NOT_SPACE, CH_WORD, CH_NOT_WORD,
    CH_LINEBREAK, CH_NOT_LINEBREAK, CH_LOC_WORD, CH_LOC_NOT_WORD, CH_UNI_DIGIT,
    CH_UNI_NOT_DIGIT, CH_UNI_SPACE, CH_UNI_NOT_SPACE, CH_UNI_WORD,
    CH_UNI_NOT_WORD, CH_UNI_LINEBREAK, CH_UNI_NOT_LINEBREAK,
    CH_COUNT,
};

enum sre_flag {
    SRE_FLAG_TEMPLATE = 1,
    SRE_FLAG_IGNORECASE = 2,
    SRE_FLAG_LOCALE = 4,
    SRE_FLAG_MULTILINE = 8,
    SRE_FLAG_DOTALL = 16,
    SRE_FLAG_UNICODE = 32,
    SRE_FLAG_VERBOSE = 64,
    SRE_FLAG_DEBUG = 128,
    SRE_FLAG_ASCII = 256,
};

enum sre_info { INFO_PREFIX = 1, INFO_LITERAL = 2, INFO_CHARSET = 4 };

/* ---- objects ------------------------------------------------------------ */

struct sre_types {
    PyTypeObject *pattern, *match, *scanner;
};

struct sre_pattern {
    PyObject_VAR_HEAD
    Py_ssize_t groups;    /* capturing groups, without group 0 */
    PyObject *groupindex; /* dict name -> number */
    PyObject *indexgroup; /* tuple number -> name or None */
    PyObject *pattern;    /* str, bytes or None */
    PyObject *weakrefs;
    int flags;
    int isbytes; /* of the pattern; -1 if that is None */
    Py_ssize_t codesize;
    /* Charsets as bits for the first 256 characters: tables of 256 bytes, each
     * bit of a byte for another charset. */
    uint8_t *tables;
    uint8_t *first; /* which of these may begin a match, or NULL */
    struct sre_types *types; /* of the module, which our type keeps alive */
    /* The code, then as many words of side information: for an IN its table
     * (number << 8 | bit) or 0; for a REPEAT_ONE 1 if, among the first 256
     * characters, what it repeats cannot begin what follows. */
    uint32_t code[1];
};

struct sre_match {
    PyObject_VAR_HEAD
    PyObject *string;
    PyObject *regs; /* tuple, made on demand */
    struct sre_pattern *pattern;
    Py_ssize_t pos, endpos;
    Py_ssize_t lastindex;
    Py_ssize_t groups; /* with group 0 */
    Py_ssize_t mark[1];
};

/* ---- the matcher -------------------------------------------------------- */

/* What is on the backtracking stack, see engine_impl.h. */
struct sre_entry {
    uint32_t kind;
    uint32_t rep;
    const uint32_t *pc;
    const void *ptr;
    uintptr_t aux;
};

#define SRE_INLINE_ENTRIES 48
#define SRE_INLINE_MARKS 20

struct sre_state {
    const void *beginning; /* of the string */
    const void *start;     /* where to search from; then of the match */
    const void *end;       /* endpos */
    const void *ptr;       /* end of the match */
    Py_ssize_t lastindex;
    const struct sre_pattern *pattern;
    const void **mark;
    Py_ssize_t nmarks;
    PyObject *string; /* strong */
    Py_ssize_t pos, endpos, length;
    int charsize;
    bool isbytes, match_all, must_advance, has_buffer;
    uint32_t steps; /* for signal checks */
    struct sre_entry *stack, *stack_end;
    Py_buffer buffer;
    const void *inline_marks[SRE_INLINE_MARKS];
    struct sre_entry inline_stack[SRE_INLINE_ENTRIES];
};

/* Outcomes of the engine beyond 1 (match) and 0; an exception is set. */
enum { SRE_ERROR = -1 };

/* Prepares a search of string[start:end]; holds the string until kr_sre_finish.
 * 0, or -1 with an exception and nothing to finish. */
int kr_sre_begin(struct sre_state *s, struct sre_pattern *p, PyObject *string,
                 Py_ssize_t start, Py_ssize_t end);
void kr_sre_finish(struct sre_state *s);

/* Forgets the groups of the match before. */
void kr_sre_reset(struct sre_state *s);

/* 1 with start, ptr and mark set, 0, or SRE_ERROR. */
int kr_sre_search(struct sre_state *s);
int kr_sre_match_here(struct sre_state *s);

/* Doubles the stack; `used` entries are in use. 0 or -1 with MemoryError. */
int kr_sre_grow_stack(struct sre_state *s, size_t used);

static inline Py_ssize_t
sre_offset(const struct sre_state *s, const void *p)
{
    return ((const char *)p - (const char *)s->beginning) / s->charsize;
}

/* ---- code --------------------------------------------------------------- */

/* Whether the code of a pattern is safe to run. Sets RuntimeError if not. */
bool kr_sre_validate(const struct sre_pattern *p);

/* Fills in tables, first and the side words. 0 or -1 with MemoryError. */
int kr_sre_prepare(struct sre_pattern *p);

/* Whether `ch` is in the set that begins at `set`. */
bool kr_sre_in_charset(const uint32_t *set, uint32_t ch);
/* The same for the set of the IN operation `op`, with its case folding. */
bool kr_sre_in_set_of(uint32_t op, const uint32_t *set, uint32_t ch);
bool kr_sre_in_category(uint32_t category, uint32_t ch);

/* Whether one character satisfies a one-character operation at `pc`. */
bool kr_sre_one(const uint32_t *pc, uint32_t ch);
/* Length of that operation in words, 0 if it is none. */
size_t kr_sre_one_length(const uint32_t *pc);

/* ---- strings ------------------------------------------------------------ */

/* Opens str or a buffer; fills view if it is one. NULL with TypeError. */
const void *kr_sre_open_string(PyObject *string, Py_ssize_t *length,
                               bool *isbytes, int *charsize, Py_buffer *view,
                               bool *has_view);

/* New: string[start:end]; `data` is where it begins in memory. */
PyObject *kr_sre_slice(bool isbytes, const void *data, PyObject *string,
                       Py_ssize_t start, Py_ssize_t end);

/* ---- methods ------------------------------------------------------------ */

/* New: a match object for status 1, None for 0, NULL for SRE_ERROR. */
PyObject *kr_sre_new_match(struct sre_state *s, int status);

PyObject *kr_sre_group_slice(struct sre_state *s, Py_ssize_t group, bool empty);

extern PyType_Spec kr_sre_pattern_spec, kr_sre_match_spec, kr_sre_scanner_spec;

PyObject *kr_sre_findall(PyObject *self, PyObject *const *args,
                         Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_sre_split(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames);
PyObject *kr_sre_sub(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                     PyObject *kwnames);
PyObject *kr_sre_subn(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames);
PyObject *kr_sre_finditer(PyObject *self, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_sre_scanner(PyObject *self, PyObject *const *args,
                         Py_ssize_t nargs, PyObject *kwnames);

#endif
