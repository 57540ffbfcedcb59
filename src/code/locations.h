/* Reading the location table; what code objects and the tracing part of the VM
 * share beyond code.h. */
#ifndef KR_CODE_LOCATIONS_H
#define KR_CODE_LOCATIONS_H

#include <Python.h>
#include <stdbool.h>

/* Iterator types of co_lines() and co_positions(). */
extern PyTypeObject _PyLineIterator;
extern PyTypeObject _PyPositionsIterator;

/* Puts `range` before the first entry of `co`. Never fails. */
void kr_code_range_init(PyCodeObject *co, PyCodeAddressRange *range);

/* Moves `range` to the next entry; false at the end. */
bool kr_code_range_next(PyCodeAddressRange *range);

/* New references; NULL with an exception set. */
PyObject *kr_code_lnotab(PyCodeObject *co);
PyObject *kr_code_lines(PyCodeObject *co);
PyObject *kr_code_positions(PyCodeObject *co);

#endif
