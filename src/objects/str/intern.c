/* The table of interned strings.
 *
 * An open-addressing set of its own rather than a dict: its members are not
 * counted as references, and it works before any dict exists. A mortal member
 * leaves the table when it dies. */
#include <Python.h>
#include <stdatomic.h>
#include <string.h>

#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/str/str.h"

static struct kr_intern_state {
    PyObject **slots; /* NULL: free */
    size_t mask, used;
    /* by _Py_Identifier.index; a new reference each */
    PyObject **ids;
    Py_ssize_t ids_len, ids_cap;
} table;

static size_t
home_of_hash(Py_hash_t hash)
{
    size_t h = (size_t)hash;
    return (h ^ (h >> 29)) & table.mask;
}

static size_t
home(PyObject *op)
{
    return home_of_hash(STR_HASH(op));
}

/* The slot of an equal string, or the free slot where `op` belongs. */
static PyObject **
find_slot(PyObject *op)
{
    size_t i = home(op);
    for (;;) {
        PyObject *other = table.slots[i];
        if (other == NULL || other == op ||
            (STR_HASH(other) == STR_HASH(op) && kr_str_equal(other, op))) {
            return &table.slots[i];
        }
        i = (i + 1) & table.mask;
    }
}

static int
grow_table(void)
{
    size_t old_size = table.slots == NULL ? 0 : table.mask + 1;
    size_t size = old_size ? old_size * 2 : 8192;
    PyObject **old = table.slots;
    PyObject **slots = PyMem_RawCalloc(size, sizeof(*slots));
    if (slots == NULL) {
        return -1;
    }
    table.slots = slots;
    table.mask = size - 1;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i] != NULL) {
            *find_slot(old[i]) = old[i];
        }
    }
    PyMem_RawFree(old);
    return 0;
}

/* The interned equal of `op` (borrowed), which may be `op`; NULL (without an
 * exception) when there is no memory. */
static PyObject *
intern(PyObject *op, unsigned state)
{
    if (table.used * 3 >= table.mask * 2 && grow_table() < 0) {
        return NULL;
    }
    if (PyObject_Hash(op) == -1) {
        PyErr_Clear();
        return NULL;
    }
    PyObject **slot = find_slot(op);
    if (*slot == NULL) {
        *slot = op;
        table.used++;
        STR_STATE(op).interned = state & 3;
    }
    return *slot;
}

void
kr_str_forget_interned(PyObject *op)
{
    PyObject **slot = find_slot(op);
    if (*slot != op) {
        return;
    }
    /* move later members of the probe sequence back */
    size_t gap = (size_t)(slot - table.slots), i = gap;
    for (;;) {
        i = (i + 1) & table.mask;
        PyObject *next = table.slots[i];
        if (next == NULL) {
            break;
        }
        if (((i - home(next)) & table.mask) >= ((i - gap) & table.mask)) {
            table.slots[gap] = next;
            gap = i;
        }
    }
    table.slots[gap] = NULL;
    table.used--;
}

int
kr_ids_init(void)
{
    if (table.used != 0) {
        return 0;
    }
    /* generated names first: a one-letter name takes the place of the letter
     * among the singletons, so that both stay one object */
    for (size_t i = 0; i < KR_IDS_COUNT; i++) {
        PyObject *op = kr_ids_all[i];
        if (STR_LEN(op) == 1) {
            unsigned char ch = *(unsigned char *)PyUnicode_DATA(op);
            kr_str_singletons.chars[ch] = op;
        }
        if (intern(op, SSTATE_INTERNED_IMMORTAL) == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    if (intern(kr_str_singletons.empty, SSTATE_INTERNED_IMMORTAL) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < 256; i++) {
        if (intern(kr_str_singletons.chars[i], SSTATE_INTERNED_IMMORTAL) ==
            NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

void
PyUnicode_InternInPlace(PyObject **p)
{
    PyObject *op = *p;
    if (op == NULL || !PyUnicode_CheckExact(op) ||
        PyUnicode_CHECK_INTERNED(op)) {
        return;
    }
    if (PyUnicode_READY(op) < 0) {
        PyErr_Clear();
        return;
    }
    PyObject *known = intern(op, kr_is_immortal(op)
                                     ? SSTATE_INTERNED_IMMORTAL
                                     : SSTATE_INTERNED_MORTAL);
    if (known != NULL && known != op) {
        Py_INCREF(known);
        Py_SETREF(*p, known);
    }
}

/* The interned string of these characters of 0..255 with that hash, borrowed;
 * NULL if there is none. */
static PyObject *
find_bytes(const char *p, Py_ssize_t n, Py_hash_t hash)
{
    if (table.slots == NULL) {
        return NULL;
    }
    for (size_t i = home_of_hash(hash);; i = (i + 1) & table.mask) {
        PyObject *other = table.slots[i];
        if (other == NULL) {
            return NULL;
        }
        if (STR_HASH(other) == hash && STR_LEN(other) == n
            && STR_KIND(other) == PyUnicode_1BYTE_KIND
            && memcmp(PyUnicode_DATA(other), p, (size_t)n) == 0) {
            return other;
        }
    }
}

PyObject *
kr_str_intern_latin1(const char *p, Py_ssize_t n)
{
    Py_hash_t hash = _Py_HashBytes(p, n);
    PyObject *s = find_bytes(p, n, hash);
    if (s != NULL) {
        return Py_NewRef(s);
    }
    s = PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, p, n);
    if (s != NULL) {
        STR_HASH(s) = hash;
        PyUnicode_InternInPlace(&s);
    }
    return s;
}

void
PyUnicode_InternImmortal(PyObject **p)
{
    PyUnicode_InternInPlace(p);
    if (PyUnicode_CHECK_INTERNED(*p) == SSTATE_INTERNED_MORTAL) {
        STR_STATE(*p).interned = SSTATE_INTERNED_IMMORTAL;
        Py_INCREF(*p);
    }
}

PyObject *
PyUnicode_InternFromString(const char *cp)
{
    size_t n = strlen(cp);
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++) {
        all |= (unsigned char)cp[i];
    }
    if (all < 0x80) {
        return kr_str_intern_latin1(cp, (Py_ssize_t)n);
    }
    PyObject *s = PyUnicode_FromString(cp);
    if (s != NULL) {
        PyUnicode_InternInPlace(&s);
    }
    return s;
}

PyObject *
_PyUnicode_FromId(_Py_Identifier *id)
{
    Py_ssize_t index = id->index;
    if (index >= 0 && index < table.ids_len) {
        return table.ids[index];
    }
    PyObject *s = PyUnicode_InternFromString(id->string);
    if (s == NULL) {
        return NULL;
    }
    if (table.ids_len == table.ids_cap) {
        Py_ssize_t cap = table.ids_cap ? table.ids_cap * 2 : 64;
        PyObject **grown = PyMem_RawRealloc(table.ids,
                                            (size_t)cap * sizeof(*grown));
        if (grown == NULL) {
            Py_DECREF(s);
            PyErr_NoMemory();
            return NULL;
        }
        table.ids = grown;
        table.ids_cap = cap;
    }
    table.ids[table.ids_len] = s;
    id->index = table.ids_len++;
    return s;
}
