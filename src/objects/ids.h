/* Interned names known at build time.
 *
 * KR_ID(name) is a borrowed, immortal, interned str with the spelling `name`;
 * it never fails. tools/idgen reads every KR_ID(...) in the tree and
 * writes kr_ids.h, so a name is used by writing it, and declared nowhere. */
#ifndef KR_OBJECTS_IDS_H
#define KR_OBJECTS_IDS_H

#include <Python.h>

#include "kr_ids.h" /* generated: struct kr_ids, one member per name */

#define KR_ID(name) ((PyObject *)&kr_ids.id_##name)

/* Interns all names of the table; called once, before any dict exists with a
 * str key. Returns 0, or -1 with an exception set. */
int kr_ids_init(void);

#endif
