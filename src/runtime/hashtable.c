/* A chained hash table of pointers. */
#include "runtime/hashtable.h"

#include <string.h>

#define MIN_BUCKETS 16

Py_uhash_t
_Py_hashtable_hash_ptr(const void *key)
{
    return (Py_uhash_t)_Py_HashPointerRaw(key);
}

int
_Py_hashtable_compare_direct(const void *a, const void *b)
{
    return a == b;
}

size_t
_Py_hashtable_size(const _Py_hashtable_t *ht)
{
    return sizeof(*ht) + ht->nbuckets * sizeof(*ht->buckets)
           + ht->nentries * sizeof(_Py_hashtable_entry_t);
}

/* The link that points to the entry of a key, or to the end of its chain. */
static _Py_hashtable_entry_t **
find(_Py_hashtable_t *ht, const void *key, Py_uhash_t hash)
{
    _Py_hashtable_entry_t **p = &ht->buckets[hash & (ht->nbuckets - 1)];
    while (*p != NULL
           && ((*p)->key_hash != hash || !ht->compare_func(key, (*p)->key))) {
        p = &(*p)->next;
    }
    return p;
}

static _Py_hashtable_entry_t *
get_entry(_Py_hashtable_t *ht, const void *key)
{
    return *find(ht, key, ht->hash_func(key));
}

static int
resize(_Py_hashtable_t *ht, size_t n)
{
    _Py_hashtable_entry_t **buckets = ht->alloc.malloc(n * sizeof(*buckets));
    if (buckets == NULL) {
        return -1;
    }
    memset(buckets, 0, n * sizeof(*buckets));
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = ht->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->key_hash & (n - 1)];
            buckets[e->key_hash & (n - 1)] = e;
        }
    }
    if (ht->buckets != NULL) {
        ht->alloc.free(ht->buckets);
    }
    ht->buckets = buckets;
    ht->nbuckets = n;
    return 0;
}

_Py_hashtable_t *
_Py_hashtable_new_full(_Py_hashtable_hash_func hash,
                       _Py_hashtable_compare_func compare,
                       _Py_hashtable_destroy_func key_destroy,
                       _Py_hashtable_destroy_func value_destroy,
                       _Py_hashtable_allocator_t *allocator)
{
    _Py_hashtable_allocator_t alloc = {PyMem_Malloc, PyMem_Free};
    if (allocator != NULL) {
        alloc = *allocator;
    }
    _Py_hashtable_t *ht = alloc.malloc(sizeof(*ht));
    if (ht == NULL) {
        return NULL;
    }
    memset(ht, 0, sizeof(*ht));
    ht->alloc = alloc;
    ht->get_entry_func = get_entry;
    ht->hash_func = hash;
    ht->compare_func = compare;
    ht->key_destroy_func = key_destroy;
    ht->value_destroy_func = value_destroy;
    if (resize(ht, MIN_BUCKETS) < 0) {
        alloc.free(ht);
        return NULL;
    }
    return ht;
}

_Py_hashtable_t *
_Py_hashtable_new(_Py_hashtable_hash_func hash,
                  _Py_hashtable_compare_func compare)
{
    return _Py_hashtable_new_full(hash, compare, NULL, NULL, NULL);
}

int
_Py_hashtable_set(_Py_hashtable_t *ht, const void *key, void *value)
{
    _Py_hashtable_entry_t *e = ht->alloc.malloc(sizeof(*e));
    if (e == NULL) {
        return -1;
    }
    if (ht->nentries + 1 > ht->nbuckets / 2
        && resize(ht, ht->nbuckets * 2) < 0) {
        ht->alloc.free(e);
        return -1;
    }
    e->key_hash = ht->hash_func(key);
    e->key = (void *)key;
    e->value = value;
    _Py_hashtable_entry_t **head = &ht->buckets[e->key_hash
                                                & (ht->nbuckets - 1)];
    e->next = *head;
    *head = e;
    ht->nentries++;
    return 0;
}

void *
_Py_hashtable_get(_Py_hashtable_t *ht, const void *key)
{
    _Py_hashtable_entry_t *e = ht->get_entry_func(ht, key);
    return e == NULL ? NULL : e->value;
}

void *
_Py_hashtable_steal(_Py_hashtable_t *ht, const void *key)
{
    _Py_hashtable_entry_t **p = find(ht, key, ht->hash_func(key)), *e = *p;
    if (e == NULL) {
        return NULL;
    }
    void *value = e->value;
    *p = e->next;
    ht->nentries--;
    ht->alloc.free(e);
    return value;
}

int
_Py_hashtable_foreach(_Py_hashtable_t *ht, _Py_hashtable_foreach_func func,
                      void *arg)
{
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = ht->buckets[i]; e; e = e->next) {
            int res = func(ht, e->key, e->value, arg);
            if (res != 0) {
                return res;
            }
        }
    }
    return 0;
}

static void
drop_entry(_Py_hashtable_t *ht, _Py_hashtable_entry_t *e)
{
    if (ht->key_destroy_func != NULL) {
        ht->key_destroy_func(e->key);
    }
    if (ht->value_destroy_func != NULL) {
        ht->value_destroy_func(e->value);
    }
    ht->alloc.free(e);
}

void
_Py_hashtable_clear(_Py_hashtable_t *ht)
{
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = ht->buckets[i], *next; e; e = next) {
            next = e->next;
            drop_entry(ht, e);
        }
        ht->buckets[i] = NULL;
    }
    ht->nentries = 0;
    (void)resize(ht, MIN_BUCKETS); /* if not, it stays large */
}

void
_Py_hashtable_destroy(_Py_hashtable_t *ht)
{
    _Py_hashtable_clear(ht);
    ht->alloc.free(ht->buckets);
    ht->alloc.free(ht);
}
