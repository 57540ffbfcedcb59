/* Which part of an expression's text a traceback marks with carets. */
#ifndef KR_FRONT_ANCHORS_H
#define KR_FRONT_ANCHORS_H

#include <Python.h>
#include <stdbool.h>

/* Finds the operator of a binary operation, or the brackets of a subscript,
 * in the UTF-8 text of one expression: bytes *left up to *right. False when
 * the text is something else. Sets no exception. */
bool kr_front_anchors(const char *text, Py_ssize_t *left, Py_ssize_t *right);

#endif
