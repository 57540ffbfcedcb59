/* The registry of codecs and error handlers.
   Encoders and decoders are objects found by the name of the encoding. */
#ifndef Py_CODECREGISTRY_H
#define Py_CODECREGISTRY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyCodec_BackslashReplaceErrors(PyObject *);
PyAPI_FUNC(PyObject *) PyCodec_Decode(PyObject *, const char *, const char *);
PyAPI_FUNC(PyObject *) PyCodec_Decoder(const char *);
PyAPI_FUNC(PyObject *) PyCodec_Encode(PyObject *, const char *, const char *);
PyAPI_FUNC(PyObject *) PyCodec_Encoder(const char *);
PyAPI_FUNC(PyObject *) PyCodec_IgnoreErrors(PyObject *);
PyAPI_FUNC(PyObject *) PyCodec_IncrementalDecoder(const char *, const char *);
PyAPI_FUNC(PyObject *) PyCodec_IncrementalEncoder(const char *, const char *);
PyAPI_FUNC(PyObject *) PyCodec_LookupError(const char *);
PyAPI_FUNC(PyObject *) PyCodec_ReplaceErrors(PyObject *);
PyAPI_FUNC(PyObject *) PyCodec_StreamReader(const char *, PyObject *,
    const char *);
PyAPI_FUNC(PyObject *) PyCodec_StreamWriter(const char *, PyObject *,
    const char *);
PyAPI_FUNC(PyObject *) PyCodec_XMLCharRefReplaceErrors(PyObject *);

/* Raise; what returns an object always returns NULL. */
PyAPI_FUNC(PyObject *) PyCodec_StrictErrors(PyObject *);

/* Registration; -1 means failure. */
PyAPI_FUNC(int) PyCodec_KnownEncoding(const char *);
PyAPI_FUNC(int) PyCodec_Register(PyObject *);
PyAPI_FUNC(int) PyCodec_RegisterError(const char *, PyObject *);
PyAPI_FUNC(int) PyCodec_Unregister(PyObject *);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03050000
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyCodec_NameReplaceErrors(PyObject *);
#endif

#ifndef Py_LIMITED_API
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyCodec_DecodeText(PyObject *, const char *,
    const char *);
PyAPI_FUNC(PyObject *) _PyCodec_EncodeText(PyObject *, const char *,
    const char *);
PyAPI_FUNC(PyObject *) _PyCodec_Lookup(const char *);
PyAPI_FUNC(PyObject *) _PyCodec_LookupTextEncoding(const char *, const char *);
PyAPI_FUNC(PyObject *) _PyCodecInfo_GetIncrementalDecoder(PyObject *,
    const char *);
PyAPI_FUNC(PyObject *) _PyCodecInfo_GetIncrementalEncoder(PyObject *,
    const char *);

/* Registration; -1 means failure. */
PyAPI_FUNC(int) _PyCodec_Forget(const char *);
#endif

PyAPI_DATA(const char *) Py_hexdigits;

#ifdef __cplusplus
}
#endif

#endif
