/* Error handling shared by the str codecs.
 *
 * A codec keeps one kr_decoder or kr_encoder per call. The well-known handlers
 * work without creating an exception; others are looked up once and called
 * with one exception object that is reused. */
#ifndef KR_OBJECTS_STR_CODEC_ERRORS_H
#define KR_OBJECTS_STR_CODEC_ERRORS_H

#include <Python.h>

/* The numbers are ABI (_Py_GetErrorHandler). */
typedef enum {
    _Py_ERROR_UNKNOWN = 0,
    _Py_ERROR_STRICT,
    _Py_ERROR_SURROGATEESCAPE,
    _Py_ERROR_REPLACE,
    _Py_ERROR_IGNORE,
    _Py_ERROR_BACKSLASHREPLACE,
    _Py_ERROR_SURROGATEPASS,
    _Py_ERROR_XMLCHARREFREPLACE,
    _Py_ERROR_OTHER
} _Py_error_handler;

/* NULL counts as "strict". */
PyAPI_FUNC(_Py_error_handler) _Py_GetErrorHandler(const char *errors);

struct kr_decoder {
    const char *encoding, *errors;
    const char *start, *p, *end; /* may be moved by a handler */
    _Py_error_handler kind;
    PyObject *handler, *exc; /* made when first needed */
    _PyUnicodeWriter w;
};

void kr_decoder_init(struct kr_decoder *d, const char *encoding,
                     const char *errors, const char *s, Py_ssize_t n);

/* The bytes from..to cannot be decoded: writes the replacement and moves d->p;
 * -1 with an exception set. */
int kr_decode_error(struct kr_decoder *d, Py_ssize_t from, Py_ssize_t to,
                    const char *reason);

/* Both free everything; finish gives the string back. */
PyObject *kr_decoder_finish(struct kr_decoder *d);
PyObject *kr_decoder_fail(struct kr_decoder *d);

struct kr_encoder {
    PyObject *str; /* borrowed, ready */
    const char *encoding, *errors;
    _Py_error_handler kind;
    PyObject *handler, *exc;
    char *out;
    _PyBytesWriter w; /* last: holds a big buffer */
};

void kr_encoder_init(struct kr_encoder *e, PyObject *str, const char *encoding,
                     const char *errors);

/* The characters from..to cannot be encoded. Returns what to encode instead (a
 * new reference to a str or bytes) and the position to go on from; NULL with
 * an exception set. */
PyObject *kr_encode_error(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                          const char *reason, Py_ssize_t *next);

/* Raises UnicodeEncodeError for from..to. */
void kr_encode_raise(struct kr_encoder *e, Py_ssize_t from, Py_ssize_t to,
                     const char *reason);

PyObject *kr_encoder_finish(struct kr_encoder *e);
PyObject *kr_encoder_fail(struct kr_encoder *e);

#endif
