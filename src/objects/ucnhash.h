/* Character names, which the unicodedata module provides through a capsule:
 * nothing below the modules links to them. */
#ifndef KR_OBJECTS_UCNHASH_H
#define KR_OBJECTS_UCNHASH_H

#include <Python.h>

#define KR_UCNHASH_CAPSULE "unicodedata._ucnhash_CAPI"

typedef struct {
    /* The name of `code` into `buffer`; 1, or 0 if it has none or no room. */
    int (*getname)(Py_UCS4 code, char *buffer, int buflen,
                   int with_alias_and_seq);
    /* The code point of a name (any case); 1, or 0 if unknown. */
    int (*getcode)(const char *name, int namelen, Py_UCS4 *code,
                   int with_named_seq);
} _PyUnicode_Name_CAPI;

/* Imports unicodedata on first use; NULL with an exception set. */
static inline _PyUnicode_Name_CAPI *
kr_ucnhash(void)
{
    return (_PyUnicode_Name_CAPI *)PyCapsule_Import(KR_UCNHASH_CAPSULE, 1);
}

#endif
