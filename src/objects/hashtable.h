/* A plain hash table of C pointers, for use where no objects may be made.
 * The functions and their structure are part of the exported ABI. */
#ifndef KR_OBJECTS_HASHTABLE_H
#define KR_OBJECTS_HASHTABLE_H

#include <Python.h>

typedef struct _Py_slist_item_s {
    struct _Py_slist_item_s *next;
} _Py_slist_item_t;

typedef struct {
    _Py_slist_item_t *head;
} _Py_slist_t;

typedef struct {
    _Py_slist_item_t _Py_slist_item; /* first */
    Py_uhash_t key_hash;
    void *key;
    void *value;
} _Py_hashtable_entry_t;

typedef struct _Py_hashtable_t _Py_hashtable_t;
typedef Py_uhash_t (*_Py_hashtable_hash_func)(const void *key);
typedef int (*_Py_hashtable_compare_func)(const void *key1, const void *key2);
typedef void (*_Py_hashtable_destroy_func)(void *key);
typedef _Py_hashtable_entry_t *(*_Py_hashtable_get_entry_func)(
    _Py_hashtable_t *ht, const void *key);

typedef struct {
    void *(*malloc)(size_t size);
    void (*free)(void *ptr);
} _Py_hashtable_allocator_t;

struct _Py_hashtable_t {
    size_t nentries;
    size_t nbuckets;
    _Py_slist_t *buckets;
    _Py_hashtable_get_entry_func get_entry_func;
    _Py_hashtable_hash_func hash_func;
    _Py_hashtable_compare_func compare_func;
    _Py_hashtable_destroy_func key_destroy_func;
    _Py_hashtable_destroy_func value_destroy_func;
    _Py_hashtable_allocator_t alloc;
};

typedef int (*_Py_hashtable_foreach_func)(_Py_hashtable_t *ht,
                                          const void *key, const void *value,
                                          void *user_data);

/* Hash of, and identity of, pointers. */
PyAPI_FUNC(Py_uhash_t) _Py_hashtable_hash_ptr(const void *key);
PyAPI_FUNC(int) _Py_hashtable_compare_direct(const void *a, const void *b);

/* New table; NULL without exception if there is no memory. */
PyAPI_FUNC(_Py_hashtable_t *)
    _Py_hashtable_new(_Py_hashtable_hash_func hash_func,
                      _Py_hashtable_compare_func compare_func);
PyAPI_FUNC(_Py_hashtable_t *)
    _Py_hashtable_new_full(_Py_hashtable_hash_func hash_func,
                           _Py_hashtable_compare_func compare_func,
                           _Py_hashtable_destroy_func key_destroy_func,
                           _Py_hashtable_destroy_func value_destroy_func,
                           _Py_hashtable_allocator_t *allocator);
PyAPI_FUNC(void) _Py_hashtable_destroy(_Py_hashtable_t *ht);
PyAPI_FUNC(void) _Py_hashtable_clear(_Py_hashtable_t *ht);
/* Stops at, and returns, the first result that is not 0. */
PyAPI_FUNC(int) _Py_hashtable_foreach(_Py_hashtable_t *ht,
                                      _Py_hashtable_foreach_func func,
                                      void *user_data);
PyAPI_FUNC(size_t) _Py_hashtable_size(const _Py_hashtable_t *ht);
/* Adds a key that is not there: 0, or -1 if there is no memory. */
PyAPI_FUNC(int) _Py_hashtable_set(_Py_hashtable_t *ht, const void *key,
                                  void *value);
/* Value of the key, or NULL; steal removes it and destroys nothing. */
PyAPI_FUNC(void *) _Py_hashtable_get(_Py_hashtable_t *ht, const void *key);
PyAPI_FUNC(void *) _Py_hashtable_steal(_Py_hashtable_t *ht, const void *key);

#endif
