/* Shared by the files of the module _json. */
#ifndef KR_MODULES_JSON_JSON_H
#define KR_MODULES_JSON_JSON_H

#include <Python.h>
#include <stdbool.h>

extern PyTypeObject kr_json_scanner_type, kr_json_encoder_type;

/* Raises json.JSONDecodeError(msg, doc, pos). */
void kr_json_error(const char *msg, PyObject *doc, Py_ssize_t pos);

/* Whether the first argument of a function is a ready str; if not, an exception
 * is set. */
bool kr_json_check_text(PyObject *arg);

/* New: the string that begins behind a quote at `pos`, escapes replaced; *end is
 * behind its closing quote. NULL with an exception. */
PyObject *kr_json_scan_string(PyObject *doc, Py_ssize_t pos, bool strict,
                              Py_ssize_t *end);

/* Writes `text` quoted, with `ascii` in ASCII only. 0 or -1. */
int kr_json_write_string(_PyUnicodeWriter *w, PyObject *text, bool ascii);

/* Functions of the module, which the encoder knows by address. */
PyObject *kr_json_encode_basestring(PyObject *module, PyObject *text);
PyObject *kr_json_encode_basestring_ascii(PyObject *module, PyObject *text);

#endif
