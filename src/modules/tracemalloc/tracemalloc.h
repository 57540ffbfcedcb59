/* tracemalloc: which code allocated which block. */
#ifndef KR_MODULES_TRACEMALLOC_H
#define KR_MODULES_TRACEMALLOC_H

#include <Python.h>
#include <stdbool.h>

#define KR_TRACE_MAX_FRAMES 65535

struct kr_tm_frame {
    PyObject *filename; /* strong, in the table of file names */
    unsigned lineno;
};

/* A traceback that many traces share; kept until tracing stops. */
struct kr_tm_traceback {
    Py_uhash_t hash;
    uint16_t nframe, total_nframe;
    struct kr_tm_frame frames[1]; /* innermost first */
};

/* A traced block. */
struct kr_tm_trace {
    uintptr_t ptr; /* 0: free slot */
    unsigned domain;
    size_t size;
    struct kr_tm_traceback *traceback;
};

/* Starts and stops tracing; -1 with an exception set on failure. */
int kr_tm_start(int max_nframe);
void kr_tm_stop(void);
void kr_tm_clear(void);

/* For the start of the interpreter: traces if nframe > 0. */
int kr_tracemalloc_init(int nframe);

void kr_tm_get_memory(size_t *current, size_t *peak, size_t *own);
void kr_tm_reset_peak(void);

/* A copy of all traces, made with PyMem_RawMalloc; -1 if out of memory. */
int kr_tm_snapshot(struct kr_tm_trace **traces, size_t *n);

/* The traceback of a block, NULL if it is not traced. */
struct kr_tm_traceback *kr_tm_find(unsigned domain, uintptr_t ptr);

/* A traceback as a tuple of (filename, lineno), oldest frame last. */
PyObject *kr_tm_to_tuple(const struct kr_tm_traceback *tb);

#endif
