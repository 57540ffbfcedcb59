/* Maps of names: a search through an array while they are small. */
#include "front/arena/names.h"

#include <string.h>

enum { FEW = 8 };

static unsigned
slot_of(const struct kr_names *map, PyObject *name)
{
    uint64_t hash = (uint64_t)(uintptr_t)name * 0x9e3779b97f4a7c15u;
    return (unsigned)(hash >> 32) & (unsigned)(map->nslots - 1);
}

int
kr_names_find(const struct kr_names *map, PyObject *name)
{
    if (map->slots == NULL) {
        for (int i = 0; i < map->count; i++) {
            if (map->names[i] == name) {
                return i;
            }
        }
        return -1;
    }
    unsigned slot = slot_of(map, name);
    for (int i; (i = map->slots[slot]) != 0;) {
        if (map->names[i - 1] == name) {
            return i - 1;
        }
        slot = (slot + 1) & (unsigned)(map->nslots - 1);
    }
    return -1;
}

static void
enter(struct kr_names *map, int index)
{
    unsigned slot = slot_of(map, map->names[index]);
    while (map->slots[slot] != 0) {
        slot = (slot + 1) & (unsigned)(map->nslots - 1);
    }
    map->slots[slot] = index + 1;
}

static int
grow(struct kr_names *map, KrArena *arena)
{
    int capacity = map->capacity ? 2 * map->capacity : FEW;
    PyObject **names = kr_arena_grow(
        arena, map->names, (size_t)map->capacity * sizeof *names,
        (size_t)capacity * sizeof *names);
    if (names == NULL) {
        return -1;
    }
    map->names = names;
    map->capacity = capacity;
    if (capacity == FEW) {
        return 0;
    }
    int nslots = 2 * capacity;
    int *slots = kr_arena_alloc(arena, (size_t)nslots * sizeof *slots);
    if (slots == NULL) {
        return -1;
    }
    memset(slots, 0, (size_t)nslots * sizeof *slots);
    map->slots = slots;
    map->nslots = nslots;
    for (int i = 0; i < map->count; i++) {
        enter(map, i);
    }
    return 0;
}

int
kr_names_add(struct kr_names *map, PyObject *name, KrArena *arena)
{
    int index = kr_names_find(map, name);
    if (index >= 0) {
        return index;
    }
    if (map->count == map->capacity && grow(map, arena) < 0) {
        return -1;
    }
    index = map->count++;
    map->names[index] = name;
    if (map->slots != NULL) {
        enter(map, index);
    }
    return index;
}
