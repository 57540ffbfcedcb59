/* Probes for tracing tools.
   This runtime has none: the functions do nothing. */
#ifndef Py_PYDTRACE_H
#define Py_PYDTRACE_H

#ifdef __cplusplus
extern "C" {
#endif

static inline void
PyDTrace_LINE(const char *a, const char *b, int c)
{
    (void)a;
    (void)b;
    (void)c;
}

static inline int
PyDTrace_LINE_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_FUNCTION_ENTRY(const char *a, const char *b, int c)
{
    (void)a;
    (void)b;
    (void)c;
}

static inline int
PyDTrace_FUNCTION_ENTRY_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_FUNCTION_RETURN(const char *a, const char *b, int c)
{
    (void)a;
    (void)b;
    (void)c;
}

static inline int
PyDTrace_FUNCTION_RETURN_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_GC_START(int a)
{
    (void)a;
}

static inline int
PyDTrace_GC_START_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_GC_DONE(Py_ssize_t a)
{
    (void)a;
}

static inline int
PyDTrace_GC_DONE_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_INSTANCE_NEW_START(int a)
{
    (void)a;
}

static inline int
PyDTrace_INSTANCE_NEW_START_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_INSTANCE_NEW_DONE(int a)
{
    (void)a;
}

static inline int
PyDTrace_INSTANCE_NEW_DONE_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_INSTANCE_DELETE_START(int a)
{
    (void)a;
}

static inline int
PyDTrace_INSTANCE_DELETE_START_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_INSTANCE_DELETE_DONE(int a)
{
    (void)a;
}

static inline int
PyDTrace_INSTANCE_DELETE_DONE_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_IMPORT_FIND_LOAD_START(const char *a)
{
    (void)a;
}

static inline int
PyDTrace_IMPORT_FIND_LOAD_START_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_IMPORT_FIND_LOAD_DONE(const char *a, int b)
{
    (void)a;
    (void)b;
}

static inline int
PyDTrace_IMPORT_FIND_LOAD_DONE_ENABLED(void)
{
    return 0;
}

static inline void
PyDTrace_AUDIT(const char *a, void *b)
{
    (void)a;
    (void)b;
}

static inline int
PyDTrace_AUDIT_ENABLED(void)
{
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
