/* What the modules of the databases of accounts share: pwd, grp, spwd. */
#ifndef KR_MODULES_ACCOUNTS_H
#define KR_MODULES_ACCOUNTS_H

#include <Python.h>
#include <stdbool.h>

/* One try to find an entry in a buffer of that size: what getpwnam_r and its
 * like give. Runs without the GIL. */
typedef int (*kr_accounts_try)(void *query, char *buf, size_t size);

/* Tries with buffers that grow, from what sysconf(hint) says: the last buffer,
 * which the caller frees with PyMem_RawFree, or NULL with MemoryError set. */
char *kr_accounts_search(int hint, kr_accounts_try attempt, void *query);

/* New bytes of a name to search for, a str; *chars are theirs. NULL with an
 * exception set. */
PyObject *kr_accounts_name(PyObject *name, char **chars);

/* New: a str, or None for NULL. */
PyObject *kr_accounts_text(const char *s);

/* Appends an entry, stolen, to *list; if it is NULL or that fails, *list is
 * cleared. */
void kr_accounts_add(PyObject **list, PyObject *entry);

#endif
