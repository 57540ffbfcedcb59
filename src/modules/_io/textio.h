/* The object behind TextIOWrapper.
 *
 * Reading: `decoded_chars` holds decoded text, of which `decoded_used`
 * characters were given out. `snapshot` is (decoder flags, bytes fed since),
 * from which tell() can reconstruct where a character came from.
 * Writing: encoded pieces wait in `pending` until a chunk is full. */
#ifndef KR_MODULES_IO_TEXTIO_H
#define KR_MODULES_IO_TEXTIO_H

#include "modules/_io/io.h"

typedef struct TextIO TextIO;
typedef PyObject *(*encode_function)(TextIO *self, PyObject *text);

struct TextIO {
    PyObject_HEAD
    bool ok;
    bool detached;
    char line_buffering;
    char write_through;
    char finalizing;
    bool readuniversal;
    bool readtranslate;
    bool writetranslate;
    bool seekable;
    bool has_read1;
    bool telling; /* tell() is possible: no iteration is under way */
    bool encoding_start_of_stream;
    Py_ssize_t chunk_size;
    PyObject *buffer;
    PyObject *encoding;
    PyObject *encoder;
    PyObject *decoder;
    PyObject *readnl;
    PyObject *errors;
    const char *writenl; /* what "\n" becomes, NULL: stays */
    encode_function encodefunc; /* shortcut for a known codec, or NULL */
    PyObject *decoded_chars;
    Py_ssize_t decoded_used;
    PyObject *pending; /* NULL, one piece, or a list of pieces */
    Py_ssize_t pending_count;
    PyObject *snapshot;
    double b2cratio; /* bytes per character of the last chunk */
    PyObject *raw;   /* exact FileIO below, for quick closed checks */
    PyObject *weakrefs;
    PyObject *dict;
};

/* Usable and attached; false with ValueError set. */
bool kr_textio_check(TextIO *self);
/* ... and open. */
bool kr_textio_check_open(TextIO *self);

/* Hands what is pending to the buffer; 0 or -1. */
int kr_textio_writeflush(TextIO *self);

/* Replaces the decoded text; steals `chars`, which may be NULL. */
static inline void
textio_set_decoded(TextIO *self, PyObject *chars)
{
    Py_XSETREF(self->decoded_chars, chars);
    self->decoded_used = 0;
}

/* Forgets read-ahead and snapshot. */
static inline void
textio_forget(TextIO *self)
{
    textio_set_decoded(self, NULL);
    Py_CLEAR(self->snapshot);
}

/* Sets the encoder to the start of a stream or behind it; 0 or -1. */
int kr_textio_encoder_reset(TextIO *self, bool start_of_stream);

/* Methods. */
PyObject *kr_textio_read(TextIO *, PyObject *const *, Py_ssize_t);
PyObject *kr_textio_readline_method(TextIO *, PyObject *const *, Py_ssize_t);
PyObject *kr_textio_iternext(TextIO *);
PyObject *kr_textio_seek(TextIO *, PyObject *const *, Py_ssize_t);
PyObject *kr_textio_tell(TextIO *, PyObject *);

#endif
