/* What the parts of _lzma share: its exception, and filters made from what
 * Python calls them. */
#ifndef KR_MODULES_SHARED_LZMA_H
#define KR_MODULES_SHARED_LZMA_H

#include <Python.h>
#include <lzma.h>
#include <stdbool.h>

#define KR_FILTER_LZMA1 UINT64_C(0x4000000000000001)

struct kr_lzma_state {
    PyTypeObject *compressor, *decompressor;
    PyObject *error; /* LZMAError */
};

/* A chain of filters; its options are its own. */
struct kr_filter_chain {
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
};

/* Fills a filter from a mapping, and a chain from a sequence of those: false
 * with an exception, and nothing to free. */
bool kr_lzma_filter(struct kr_lzma_state *st, lzma_filter *filter,
                    PyObject *spec);
bool kr_lzma_chain(struct kr_lzma_state *st, struct kr_filter_chain *chain,
                   PyObject *specs);
void kr_lzma_chain_free(struct kr_filter_chain *chain);

/* The mapping of a filter that liblzma decoded: a new dict, or NULL with an
 * exception. */
PyObject *kr_lzma_filter_spec(const lzma_filter *filter);

/* Converters of PyArg_Parse: numbers without a sign. */
int kr_lzma_uint32(PyObject *v, void *out);
int kr_lzma_vli(PyObject *v, void *out);

#endif
