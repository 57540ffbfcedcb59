/* Chained hash table of C pointers; needs no objects and no exceptions. */
#include "objects/hashtable.h"

#include <string.h>

#define MIN_BUCKETS 16

static _Py_hashtable_entry_t *
first(_Py_hashtable_t *ht, size_t index)
{
    return (_Py_hashtable_entry_t *)ht->buckets[index].head;
}

static _Py_hashtable_entry_t *
after(_Py_hashtable_entry_t *entry)
{
    return (_Py_hashtable_entry_t *)entry->_Py_slist_item.next;
}

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

static _Py_hashtable_entry_t *
get_entry(_Py_hashtable_t *ht, const void *key)
{
    Py_uhash_t hash = ht->hash_func(key);
    _Py_hashtable_entry_t *entry = first(ht, hash & (ht->nbuckets - 1));
    while (entry != NULL
           && !(entry->key_hash == hash && ht->compare_func(key, entry->key))) {
        entry = after(entry);
    }
    return entry;
}

static _Py_hashtable_entry_t *
get_entry_ptr(_Py_hashtable_t *ht, const void *key)
{
    Py_uhash_t hash = _Py_hashtable_hash_ptr(key);
    _Py_hashtable_entry_t *entry = first(ht, hash & (ht->nbuckets - 1));
    while (entry != NULL && entry->key != key) {
        entry = after(entry);
    }
    return entry;
}

_Py_hashtable_t *
_Py_hashtable_new_full(_Py_hashtable_hash_func hash_func,
                       _Py_hashtable_compare_func compare_func,
                       _Py_hashtable_destroy_func key_destroy_func,
                       _Py_hashtable_destroy_func value_destroy_func,
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
    ht->nentries = 0;
    ht->nbuckets = MIN_BUCKETS;
    ht->buckets = alloc.malloc(MIN_BUCKETS * sizeof(ht->buckets[0]));
    if (ht->buckets == NULL) {
        alloc.free(ht);
        return NULL;
    }
    memset(ht->buckets, 0, MIN_BUCKETS * sizeof(ht->buckets[0]));
    ht->get_entry_func = get_entry;
    if (hash_func == _Py_hashtable_hash_ptr
        && compare_func == _Py_hashtable_compare_direct) {
        ht->get_entry_func = get_entry_ptr;
    }
    ht->hash_func = hash_func;
    ht->compare_func = compare_func;
    ht->key_destroy_func = key_destroy_func;
    ht->value_destroy_func = value_destroy_func;
    ht->alloc = alloc;
    return ht;
}

_Py_hashtable_t *
_Py_hashtable_new(_Py_hashtable_hash_func hash_func,
                  _Py_hashtable_compare_func compare_func)
{
    return _Py_hashtable_new_full(hash_func, compare_func, NULL, NULL, NULL);
}

size_t
_Py_hashtable_size(const _Py_hashtable_t *ht)
{
    return sizeof(*ht) + ht->nbuckets * sizeof(ht->buckets[0])
           + ht->nentries * sizeof(_Py_hashtable_entry_t);
}

/* One bucket for one entry, roughly. */
static int
rehash(_Py_hashtable_t *ht)
{
    size_t want = ht->nentries * 10 / 3, n = MIN_BUCKETS;
    while (n < want) {
        n <<= 1;
    }
    if (n == ht->nbuckets) {
        return 0;
    }
    _Py_slist_t *buckets = ht->alloc.malloc(n * sizeof(*buckets));
    if (buckets == NULL) {
        return -1;
    }
    memset(buckets, 0, n * sizeof(*buckets));
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = first(ht, i), *next; e; e = next) {
            next = after(e);
            _Py_slist_t *to = &buckets[e->key_hash & (n - 1)];
            e->_Py_slist_item.next = to->head;
            to->head = &e->_Py_slist_item;
        }
    }
    ht->alloc.free(ht->buckets);
    ht->buckets = buckets;
    ht->nbuckets = n;
    return 0;
}

int
_Py_hashtable_set(_Py_hashtable_t *ht, const void *key, void *value)
{
    _Py_hashtable_entry_t *entry = ht->alloc.malloc(sizeof(*entry));
    if (entry == NULL) {
        return -1;
    }
    entry->key_hash = ht->hash_func(key);
    entry->key = (void *)key;
    entry->value = value;
    ht->nentries++;
    if ((double)ht->nentries / (double)ht->nbuckets > 0.5 && rehash(ht) < 0) {
        ht->nentries--;
        ht->alloc.free(entry);
        return -1;
    }
    _Py_slist_t *to = &ht->buckets[entry->key_hash & (ht->nbuckets - 1)];
    entry->_Py_slist_item.next = to->head;
    to->head = &entry->_Py_slist_item;
    return 0;
}

void *
_Py_hashtable_get(_Py_hashtable_t *ht, const void *key)
{
    _Py_hashtable_entry_t *entry = ht->get_entry_func(ht, key);
    return entry == NULL ? NULL : entry->value;
}

void *
_Py_hashtable_steal(_Py_hashtable_t *ht, const void *key)
{
    Py_uhash_t hash = ht->hash_func(key);
    _Py_slist_item_t **link = &ht->buckets[hash & (ht->nbuckets - 1)].head;
    for (; *link != NULL; link = &(*link)->next) {
        _Py_hashtable_entry_t *entry = (_Py_hashtable_entry_t *)*link;
        if (entry->key_hash == hash && ht->compare_func(key, entry->key)) {
            *link = entry->_Py_slist_item.next;
            void *value = entry->value;
            ht->nentries--;
            ht->alloc.free(entry);
            if ((double)ht->nentries / (double)ht->nbuckets < 0.1) {
                (void)rehash(ht); /* too many buckets do no harm */
            }
            return value;
        }
    }
    return NULL;
}

int
_Py_hashtable_foreach(_Py_hashtable_t *ht, _Py_hashtable_foreach_func func,
                      void *user_data)
{
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = first(ht, i); e; e = after(e)) {
            int res = func(ht, e->key, e->value, user_data);
            if (res != 0) {
                return res;
            }
        }
    }
    return 0;
}

void
_Py_hashtable_clear(_Py_hashtable_t *ht)
{
    for (size_t i = 0; i < ht->nbuckets; i++) {
        for (_Py_hashtable_entry_t *e = first(ht, i), *next; e; e = next) {
            next = after(e);
            if (ht->key_destroy_func != NULL) {
                ht->key_destroy_func(e->key);
            }
            if (ht->value_destroy_func != NULL) {
                ht->value_destroy_func(e->value);
            }
            ht->alloc.free(e);
        }
        ht->buckets[i].head = NULL;
    }
    ht->nentries = 0;
    (void)rehash(ht);
}

void
_Py_hashtable_destroy(_Py_hashtable_t *ht)
{
    _Py_hashtable_clear(ht);
    ht->alloc.free(ht->buckets);
    ht->alloc.free(ht);
}
