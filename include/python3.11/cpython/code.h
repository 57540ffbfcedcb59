/* Layout of code objects.
   Instructions are pairs of bytes: operation and operand. */
#ifndef Py_CODE_H
#define Py_CODE_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef uint16_t _Py_CODEUNIT;

#define _Py_OPCODE(word) ((word)&255)
#define _Py_OPARG(word) ((word) >> 8)
#define _Py_MAKECODEUNIT(opcode, oparg) ((opcode) | ((oparg) << 8))
/* Change the operation and keep the operand. */
#define _Py_SET_OPCODE(word, opcode) \
    do { \
        ((unsigned char *)&(word))[0] = (opcode); \
    } while (0)

/* Layout with room for n bytes of instructions. */
#define _PyCode_DEF(n) \
    { \
        PyObject_VAR_HEAD \
        PyObject *co_consts; \
        PyObject *co_names; \
        PyObject *co_exceptiontable; \
        int co_flags; \
        short co_warmup; \
        short _co_linearray_entry_size; \
        int co_argcount; \
        int co_posonlyargcount; \
        int co_kwonlyargcount; \
        int co_stacksize; \
        int co_firstlineno; \
        int co_nlocalsplus; \
        int co_nlocals; \
        int co_nplaincellvars; \
        int co_ncellvars; \
        int co_nfreevars; \
        PyObject *co_localsplusnames; \
        PyObject *co_localspluskinds; \
        PyObject *co_filename; \
        PyObject *co_name; \
        PyObject *co_qualname; \
        PyObject *co_linetable; \
        PyObject *co_weakreflist; \
        PyObject *_co_code; \
        char *_co_linearray; \
        int _co_firsttraceable; \
        void *co_extra; \
        char co_code_adaptive[(n)]; \
    }

struct PyCodeObject _PyCode_DEF(1);

/* co_flags. */
#define CO_OPTIMIZED 0x0001
#define CO_NEWLOCALS 0x0002
#define CO_VARARGS 0x0004
#define CO_VARKEYWORDS 0x0008
#define CO_NESTED 0x0010
#define CO_GENERATOR 0x0020
#define CO_COROUTINE 0x0080
#define CO_ITERABLE_COROUTINE 0x0100
#define CO_ASYNC_GENERATOR 0x0200
#define CO_FUTURE_DIVISION 0x20000
#define CO_FUTURE_ABSOLUTE_IMPORT 0x40000
#define CO_FUTURE_WITH_STATEMENT 0x80000
#define CO_FUTURE_PRINT_FUNCTION 0x100000
#define CO_FUTURE_UNICODE_LITERALS 0x200000
#define CO_FUTURE_BARRY_AS_BDFL 0x400000
#define CO_FUTURE_GENERATOR_STOP 0x800000
#define CO_FUTURE_ANNOTATIONS 0x1000000

#define PY_PARSER_REQUIRES_FUTURE_KEYWORD
#define CO_MAXBLOCKS 20

/* Walk through the line table of a code object. */
struct _opaque {
    int computed_line;
    const uint8_t *lo_next;
    const uint8_t *limit;
};

typedef struct _line_offsets {
    int ar_start;
    int ar_end;
    int ar_line; /* -1: no line */
    struct _opaque opaque;
} PyCodeAddressRange;

/* Forms of an entry of the line table. */
typedef enum _PyCodeLocationInfoKind {
    PY_CODE_LOCATION_INFO_SHORT0 = 0,
    PY_CODE_LOCATION_INFO_ONE_LINE0 = 10,
    PY_CODE_LOCATION_INFO_ONE_LINE1 = 11,
    PY_CODE_LOCATION_INFO_ONE_LINE2 = 12,
    PY_CODE_LOCATION_INFO_NO_COLUMNS = 13,
    PY_CODE_LOCATION_INFO_LONG = 14,
    PY_CODE_LOCATION_INFO_NONE = 15
} _PyCodeLocationInfoKind;

PyAPI_DATA(PyTypeObject) PyCode_Type;

#define PyCode_Check(op) Py_IS_TYPE((op), &PyCode_Type)
#define PyCode_GetNumFree(op) ((op)->co_nfreevars)
#define _PyCode_CODE(co) ((_Py_CODEUNIT *)(co)->co_code_adaptive)
#define _PyCode_NBYTES(co) \
    (Py_SIZE(co) * (Py_ssize_t)sizeof(_Py_CODEUNIT))

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyCode_ConstantKey(PyObject *);
PyAPI_FUNC(PyObject *) PyCode_GetCellvars(PyCodeObject *);
PyAPI_FUNC(PyObject *) PyCode_GetCode(PyCodeObject *);
PyAPI_FUNC(PyObject *) PyCode_GetFreevars(PyCodeObject *);
PyAPI_FUNC(PyObject *) PyCode_GetVarnames(PyCodeObject *);
PyAPI_FUNC(PyObject *) PyCode_Optimize(PyObject *, PyObject *, PyObject *,
    PyObject *);

/* New code objects (new references), lines and extra data. */
PyAPI_FUNC(int) PyCode_Addr2Line(PyCodeObject *, int);
PyAPI_FUNC(int) PyCode_Addr2Location(PyCodeObject *, int, int *, int *, int *,
    int *);
PyAPI_FUNC(int) _PyCode_CheckLineNumber(int, PyCodeAddressRange *);
PyAPI_FUNC(int) _PyCode_GetExtra(PyObject *, Py_ssize_t, void **);
PyAPI_FUNC(PyCodeObject *) PyCode_New(int, int, int, int, int, PyObject *,
    PyObject *, PyObject *, PyObject *, PyObject *, PyObject *, PyObject *,
    PyObject *, PyObject *, int, PyObject *, PyObject *);
PyAPI_FUNC(PyCodeObject *) PyCode_NewEmpty(const char *, const char *, int);
PyAPI_FUNC(PyCodeObject *) PyCode_NewWithPosOnlyArgs(int, int, int, int, int,
    int, PyObject *, PyObject *, PyObject *, PyObject *, PyObject *, PyObject *,
    PyObject *, PyObject *, PyObject *, int, PyObject *, PyObject *);
PyAPI_FUNC(int) _PyCode_SetExtra(PyObject *, Py_ssize_t, void *);
#endif

#ifdef __cplusplus
}
#endif

#endif
