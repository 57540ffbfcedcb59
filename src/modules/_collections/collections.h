/* What the files of _collections share. */
#ifndef KR_MODULES_COLLECTIONS_H
#define KR_MODULES_COLLECTIONS_H

#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"

extern PyTypeObject kr_deque_type, kr_deque_iter_type, kr_deque_reviter_type;

#endif
