/* A hash table of pointers, as C code knows it from CPython. Values of 0 mean
 * success, -1 out of memory; no exception is set. */
#ifndef KR_RUNTIME_HASHTABLE_H
#define KR_RUNTIME_HASHTABLE_H

#include <Python.h>

typedef struct _Py_hashtable_entry {
    struct _Py_hashtable_entry *next;
    Py_uhash_t key_hash;
    void *key;
    void *value;
} _Py_hashtable_entry_t;

typedef struct _Py_hashtable _Py_hashtable_t;
typedef Py_uhash_t (*_Py_hashtable_hash_func)(const void *key);
typedef int (*_Py_hashtable_compare_func)(const void *a, const void *b);
typedef void (*_Py_hashtable_destroy_func)(void *p);
typedef int (*_Py_hashtable_foreach_func)(_Py_hashtable_t *, const void *key,
                                          const void *value, void *arg);

typedef struct {
    void *(*malloc)(size_t size);
    void (*free)(void *p);
} _Py_hashtable_allocator_t;

struct _Py_hashtable {
    size_t nentries;
    size_t nbuckets; /* a power of two */
    _Py_hashtable_entry_t **buckets;
    _Py_hashtable_entry_t *(*get_entry_func)(_Py_hashtable_t *, const void *);
    _Py_hashtable_hash_func hash_func;
    _Py_hashtable_compare_func compare_func;
    _Py_hashtable_destroy_func key_destroy_func;
    _Py_hashtable_destroy_func value_destroy_func;
    _Py_hashtable_allocator_t alloc;
};

/* A new table; NULL if out of memory. NULL destroy functions and a NULL
 * allocator (PyMem_Malloc) are allowed. */
PyAPI_FUNC(_Py_hashtable_t *)
_Py_hashtable_new_full(_Py_hashtable_hash_func, _Py_hashtable_compare_func,
                       _Py_hashtable_destroy_func key_destroy,
                       _Py_hashtable_destroy_func value_destroy,
                       _Py_hashtable_allocator_t *);
PyAPI_FUNC(_Py_hashtable_t *)
_Py_hashtable_new(_Py_hashtable_hash_func, _Py_hashtable_compare_func);
PyAPI_FUNC(void) _Py_hashtable_destroy(_Py_hashtable_t *);
PyAPI_FUNC(void) _Py_hashtable_clear(_Py_hashtable_t *);
PyAPI_FUNC(size_t) _Py_hashtable_size(const _Py_hashtable_t *);

/* The key must not be in the table yet. */
PyAPI_FUNC(int) _Py_hashtable_set(_Py_hashtable_t *, const void *key,
                                  void *value);

/* The value, or NULL. `steal` also takes the entry out. */
PyAPI_FUNC(void *) _Py_hashtable_get(_Py_hashtable_t *, const void *key);
PyAPI_FUNC(void *) _Py_hashtable_steal(_Py_hashtable_t *, const void *key);

/* Calls a function for each entry until it returns non-zero. */
PyAPI_FUNC(int) _Py_hashtable_foreach(_Py_hashtable_t *,
                                      _Py_hashtable_foreach_func, void *arg);

PyAPI_FUNC(Py_uhash_t) _Py_hashtable_hash_ptr(const void *key);
PyAPI_FUNC(int) _Py_hashtable_compare_direct(const void *a, const void *b);

#endif
