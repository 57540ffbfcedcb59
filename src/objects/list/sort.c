/* list.sort: a stable, adaptive merge sort.
 *
 * Natural runs are found (descending ones reversed), short ones lengthened by
 * binary insertion, and merged in the order of the powersort policy, which is
 * near-optimal for the runs at hand. Merges gallop while one side wins often.
 * Before sorting, the keys are looked at once: if all have one type of a few
 * common ones, a comparison without type checks is used.
 *
 * A key array is permuted together with the values, if there is a key
 * function. The list is empty while it is sorted, so that a comparison that
 * changes it is noticed. */
#include <Python.h>

#include <string.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/list.h"

#define MAX_RUNS 85 /* the powers on the stack strictly increase */
#define MIN_GALLOP 7
#define TEMP_SIZE 256

/* Keys and, when `values` is not NULL, what goes with them. */
struct slice {
    PyObject **keys;
    PyObject **values;
};

struct run {
    struct slice base;
    Py_ssize_t len;
    int power; /* of the boundary between this run and the next */
};

struct sorter;
typedef int (*less_func)(struct sorter *, PyObject *, PyObject *);

struct sorter {
    less_func less;       /* 1, 0, or -1 with an exception */
    less_func item_less;  /* for the first items of tuples */
    PyTypeObject *type;   /* of all keys, for less_same_type */
    richcmpfunc compare;  /* its tp_richcompare */
    Py_ssize_t min_gallop;
    Py_ssize_t total;
    PyObject **base; /* keys[0] of the whole list */
    struct slice temp;
    Py_ssize_t temp_size;
    int runs;
    struct run run[MAX_RUNS];
    PyObject *temp_array[TEMP_SIZE];
};

/* ---- comparisons */

static int
less_any(struct sorter *s, PyObject *v, PyObject *w)
{
    return PyObject_RichCompareBool(v, w, Py_LT);
}

static int
less_same_type(struct sorter *s, PyObject *v, PyObject *w)
{
    /* a comparison may have changed the type since */
    if (KR_UNLIKELY(Py_TYPE(v)->tp_richcompare != s->compare)) {
        return PyObject_RichCompareBool(v, w, Py_LT);
    }
    PyObject *res = s->compare(v, w, Py_LT);
    if (res == Py_NotImplemented) {
        Py_DECREF(res);
        return PyObject_RichCompareBool(v, w, Py_LT);
    }
    if (res == NULL) {
        return -1;
    }
    int less = PyBool_Check(res) ? res == Py_True : PyObject_IsTrue(res);
    Py_DECREF(res);
    return less;
}

/* One-byte strings. */
static int
less_latin1(struct sorter *s, PyObject *v, PyObject *w)
{
    Py_ssize_t nv = PyUnicode_GET_LENGTH(v), nw = PyUnicode_GET_LENGTH(w);
    int cmp = memcmp(PyUnicode_DATA(v), PyUnicode_DATA(w),
                     (size_t)(nv < nw ? nv : nw));
    return cmp != 0 ? cmp < 0 : nv < nw;
}

/* ints of at most one digit */
static int
less_small_int(struct sorter *s, PyObject *v, PyObject *w)
{
    PyLongObject *a = (PyLongObject *)v, *b = (PyLongObject *)w;
    /* the digit of 0 is 0 too, or its sign is */
    Py_ssize_t x = Py_SIZE(a) * (Py_ssize_t)a->ob_digit[0];
    Py_ssize_t y = Py_SIZE(b) * (Py_ssize_t)b->ob_digit[0];
    return x < y;
}

static int
less_float(struct sorter *s, PyObject *v, PyObject *w)
{
    return PyFloat_AS_DOUBLE(v) < PyFloat_AS_DOUBLE(w);
}

/* Tuples with first items of one type. */
static int
less_tuple(struct sorter *s, PyObject *v, PyObject *w)
{
    Py_ssize_t nv = Py_SIZE(v), nw = Py_SIZE(w), i = 0;
    for (; i < nv && i < nw; i++) {
        int eq = PyObject_RichCompareBool(PyTuple_GET_ITEM(v, i),
                                          PyTuple_GET_ITEM(w, i), Py_EQ);
        if (eq < 0) {
            return -1;
        }
        if (!eq) {
            break;
        }
    }
    if (i >= nv || i >= nw) {
        return nv < nw;
    }
    less_func less = i == 0 ? s->item_less : less_any;
    return less(s, PyTuple_GET_ITEM(v, i), PyTuple_GET_ITEM(w, i));
}

/* The comparison for keys that all are like these; `get` 1: look at the first
 * items of tuples. */
static less_func
choose(struct sorter *s, PyObject **keys, Py_ssize_t n, int first)
{
    PyObject *key = first ? PyTuple_GET_ITEM(keys[0], 0) : keys[0];
    PyTypeObject *type = Py_TYPE(key);
    bool same = true, latin1 = true, small = true;
    for (Py_ssize_t i = 0; i < n; i++) {
        key = first ? PyTuple_GET_ITEM(keys[i], 0) : keys[i];
        if (!Py_IS_TYPE(key, type)) {
            same = false;
            break;
        }
        if (type == &PyUnicode_Type) {
            latin1 = latin1 && PyUnicode_IS_READY(key)
                     && PyUnicode_KIND(key) == PyUnicode_1BYTE_KIND;
        }
        else if (type == &PyLong_Type) {
            small = small && (size_t)(Py_SIZE(key) + 1) <= 2;
        }
    }
    if (!same || type->tp_richcompare == NULL) {
        return less_any;
    }
    if (type == &PyUnicode_Type && latin1) {
        return less_latin1;
    }
    if (type == &PyLong_Type && small) {
        return less_small_int;
    }
    if (type == &PyFloat_Type) {
        return less_float;
    }
    if (first && type == &PyTuple_Type) {
        return less_any; /* nested tuples: no deeper */
    }
    s->type = type;
    s->compare = type->tp_richcompare;
    return less_same_type;
}

static void
choose_comparison(struct sorter *s, PyObject **keys, Py_ssize_t n)
{
    s->less = less_any;
    if (n < 2) {
        return;
    }
    bool tuples = true;
    for (Py_ssize_t i = 0; i < n && tuples; i++) {
        tuples = PyTuple_CheckExact(keys[i]) && Py_SIZE(keys[i]) > 0;
    }
    if (tuples) {
        s->item_less = choose(s, keys, n, 1);
        s->less = less_tuple;
    }
    else {
        s->less = choose(s, keys, n, 0);
    }
}

#define LESS(s, x, y) ((s)->less(s, x, y))

/* ---- slices */

static inline void
copy_one(struct slice *d, Py_ssize_t i, const struct slice *s, Py_ssize_t j)
{
    d->keys[i] = s->keys[j];
    if (s->values != NULL) {
        d->values[i] = s->values[j];
    }
}

static inline void
move_many(struct slice *d, Py_ssize_t i, const struct slice *s, Py_ssize_t j,
          Py_ssize_t n)
{
    memmove(&d->keys[i], &s->keys[j], sizeof(PyObject *) * (size_t)n);
    if (s->values != NULL) {
        memmove(&d->values[i], &s->values[j], sizeof(PyObject *) * (size_t)n);
    }
}

static inline struct slice
slice_at(struct slice s, Py_ssize_t n)
{
    s.keys += n;
    if (s.values != NULL) {
        s.values += n;
    }
    return s;
}

static void
reverse_array(PyObject **lo, PyObject **hi)
{
    for (hi--; lo < hi; lo++, hi--) {
        PyObject *t = *lo;
        *lo = *hi;
        *hi = t;
    }
}

static void
reverse_slice(struct slice s, Py_ssize_t n)
{
    reverse_array(s.keys, s.keys + n);
    if (s.values != NULL) {
        reverse_array(s.values, s.values + n);
    }
}

/* ---- runs */

/* Sorts [0, n), of which [0, start) is sorted. */
static int
binary_insertion(struct sorter *s, struct slice a, Py_ssize_t n,
                 Py_ssize_t start)
{
    for (start += start == 0; start < n; start++) {
        Py_ssize_t l = 0, r = start;
        PyObject *pivot = a.keys[start];
        while (l < r) {
            Py_ssize_t mid = l + ((r - l) >> 1);
            int less = LESS(s, pivot, a.keys[mid]);
            if (less < 0) {
                return -1;
            }
            if (less) {
                r = mid;
            }
            else {
                l = mid + 1;
            }
        }
        memmove(&a.keys[l + 1], &a.keys[l],
                (size_t)(start - l) * sizeof(PyObject *));
        a.keys[l] = pivot;
        if (a.values != NULL) {
            PyObject *value = a.values[start];
            memmove(&a.values[l + 1], &a.values[l],
                    (size_t)(start - l) * sizeof(PyObject *));
            a.values[l] = value;
        }
    }
    return 0;
}

/* Length of the run at the start of [0, n); -1 on failure. A descending run
 * is strictly so. */
static Py_ssize_t
count_run(struct sorter *s, PyObject **keys, Py_ssize_t n, bool *descending)
{
    *descending = false;
    if (n < 2) {
        return n;
    }
    int less = LESS(s, keys[1], keys[0]);
    if (less < 0) {
        return -1;
    }
    *descending = less;
    Py_ssize_t len = 2;
    for (; len < n; len++) {
        int next = LESS(s, keys[len], keys[len - 1]);
        if (next < 0) {
            return -1;
        }
        if (next != less) {
            break;
        }
    }
    return len;
}

/* Where `key` belongs in sorted a[0..n): to the left of equal items, so that
 * a[k-1] < key <= a[k]. The search starts at `hint` and doubles its steps. */
static Py_ssize_t
gallop_left(struct sorter *s, PyObject *key, PyObject **a, Py_ssize_t n,
            Py_ssize_t hint)
{
    Py_ssize_t last = 0, ofs = 1, lo, hi;
    int less = LESS(s, a[hint], key);
    if (less < 0) {
        return -1;
    }
    if (less) {
        Py_ssize_t max = n - hint;
        while (ofs < max) {
            less = LESS(s, a[hint + ofs], key);
            if (less < 0) {
                return -1;
            }
            if (!less) {
                break;
            }
            last = ofs;
            ofs = (ofs << 1) + 1;
        }
        ofs = ofs > max ? max : ofs;
        lo = hint + last + 1;
        hi = hint + ofs;
    }
    else {
        Py_ssize_t max = hint + 1;
        while (ofs < max) {
            less = LESS(s, a[hint - ofs], key);
            if (less < 0) {
                return -1;
            }
            if (less) {
                break;
            }
            last = ofs;
            ofs = (ofs << 1) + 1;
        }
        ofs = ofs > max ? max : ofs;
        lo = hint - ofs + 1;
        hi = hint - last;
    }
    while (lo < hi) {
        Py_ssize_t mid = lo + ((hi - lo) >> 1);
        less = LESS(s, a[mid], key);
        if (less < 0) {
            return -1;
        }
        if (less) {
            lo = mid + 1;
        }
        else {
            hi = mid;
        }
    }
    return hi;
}

/* The same, to the right of equal items: a[k-1] <= key < a[k]. */
static Py_ssize_t
gallop_right(struct sorter *s, PyObject *key, PyObject **a, Py_ssize_t n,
             Py_ssize_t hint)
{
    Py_ssize_t last = 0, ofs = 1, lo, hi;
    int less = LESS(s, key, a[hint]);
    if (less < 0) {
        return -1;
    }
    if (less) {
        Py_ssize_t max = hint + 1;
        while (ofs < max) {
            less = LESS(s, key, a[hint - ofs]);
            if (less < 0) {
                return -1;
            }
            if (!less) {
                break;
            }
            last = ofs;
            ofs = (ofs << 1) + 1;
        }
        ofs = ofs > max ? max : ofs;
        lo = hint - ofs + 1;
        hi = hint - last;
    }
    else {
        Py_ssize_t max = n - hint;
        while (ofs < max) {
            less = LESS(s, key, a[hint + ofs]);
            if (less < 0) {
                return -1;
            }
            if (less) {
                break;
            }
            last = ofs;
            ofs = (ofs << 1) + 1;
        }
        ofs = ofs > max ? max : ofs;
        lo = hint + last + 1;
        hi = hint + ofs;
    }
    while (lo < hi) {
        Py_ssize_t mid = lo + ((hi - lo) >> 1);
        less = LESS(s, key, a[mid]);
        if (less < 0) {
            return -1;
        }
        if (less) {
            hi = mid;
        }
        else {
            lo = mid + 1;
        }
    }
    return hi;
}

/* ---- merging */

static void
free_temp(struct sorter *s)
{
    if (s->temp.keys != s->temp_array) {
        PyMem_Free(s->temp.keys);
    }
}

static int
need_temp(struct sorter *s, Py_ssize_t need)
{
    if (need <= s->temp_size) {
        return 0;
    }
    int arrays = s->temp.values != NULL ? 2 : 1;
    free_temp(s);
    s->temp_size = 0;
    if ((size_t)need > PY_SSIZE_T_MAX / sizeof(PyObject *) / 2
        || (s->temp.keys = PyMem_Malloc((size_t)(arrays * need)
                                        * sizeof(PyObject *)))
               == NULL) {
        s->temp.keys = s->temp_array;
        PyErr_NoMemory();
        return -1;
    }
    s->temp_size = need;
    if (arrays == 2) {
        s->temp.values = s->temp.keys + need;
    }
    return 0;
}

/* Merges adjacent a (na) and b (nb), na <= nb, from the left; a[0] > b[0] and
 * a's last item belongs at the end. a waits in the temporary array. On a
 * failed comparison what waits is put back, so that no item is lost. */
static int
merge_low(struct sorter *s, struct slice a, Py_ssize_t na, struct slice b,
          Py_ssize_t nb)
{
    if (need_temp(s, na) < 0) {
        return -1;
    }
    move_many(&s->temp, 0, &a, 0, na);
    struct slice t = s->temp, dest = a;
    Py_ssize_t d = 0, i = 0, j = 0; /* next places in dest, t, b */
    Py_ssize_t gallop = s->min_gallop;
    int result = -1;

    copy_one(&dest, d++, &b, j++);
    if (j == nb) {
        goto success;
    }
    if (na == 1) {
        goto copy_b;
    }
    for (;;) {
        Py_ssize_t wins_a = 0, wins_b = 0;
        for (;;) {
            int less = LESS(s, b.keys[j], t.keys[i]);
            if (less < 0) {
                goto fail;
            }
            if (less) {
                copy_one(&dest, d++, &b, j++);
                wins_b++;
                wins_a = 0;
                if (j == nb) {
                    goto success;
                }
                if (wins_b >= gallop) {
                    break;
                }
            }
            else {
                copy_one(&dest, d++, &t, i++);
                wins_a++;
                wins_b = 0;
                if (i == na - 1) {
                    goto copy_b;
                }
                if (wins_a >= gallop) {
                    break;
                }
            }
        }
        gallop++;
        do {
            gallop -= gallop > 1;
            s->min_gallop = gallop;
            wins_a = gallop_right(s, b.keys[j], t.keys + i, na - i, 0);
            if (wins_a < 0) {
                goto fail;
            }
            if (wins_a > 0) {
                move_many(&dest, d, &t, i, wins_a);
                d += wins_a;
                i += wins_a;
                if (i == na - 1) {
                    goto copy_b;
                }
                /* only if the comparison is inconsistent */
                if (i == na) {
                    goto success;
                }
            }
            copy_one(&dest, d++, &b, j++);
            if (j == nb) {
                goto success;
            }
            wins_b = gallop_left(s, t.keys[i], b.keys + j, nb - j, 0);
            if (wins_b < 0) {
                goto fail;
            }
            if (wins_b > 0) {
                move_many(&dest, d, &b, j, wins_b);
                d += wins_b;
                j += wins_b;
                if (j == nb) {
                    goto success;
                }
            }
            copy_one(&dest, d++, &t, i++);
            if (i == na - 1) {
                goto copy_b;
            }
        } while (wins_a >= MIN_GALLOP || wins_b >= MIN_GALLOP);
        gallop++;
        s->min_gallop = gallop;
    }
success:
    result = 0;
fail:
    if (i < na) {
        move_many(&dest, d, &t, i, na - i);
    }
    return result;
copy_b:
    /* the last of a goes behind the rest of b */
    move_many(&dest, d, &b, j, nb - j);
    copy_one(&dest, d + nb - j, &t, i);
    return 0;
}

/* The same from the right, for na >= nb: b waits in the temporary array. */
static int
merge_high(struct sorter *s, struct slice a, Py_ssize_t na, struct slice b,
           Py_ssize_t nb)
{
    if (need_temp(s, nb) < 0) {
        return -1;
    }
    move_many(&s->temp, 0, &b, 0, nb);
    struct slice t = s->temp, dest = a;
    Py_ssize_t d = na + nb - 1, i = na - 1, j = nb - 1;
    Py_ssize_t gallop = s->min_gallop;
    int result = -1;

    copy_one(&dest, d--, &a, i--);
    if (i < 0) {
        goto success;
    }
    if (nb == 1) {
        goto copy_a;
    }
    for (;;) {
        Py_ssize_t wins_a = 0, wins_b = 0;
        for (;;) {
            int less = LESS(s, t.keys[j], a.keys[i]);
            if (less < 0) {
                goto fail;
            }
            if (less) {
                copy_one(&dest, d--, &a, i--);
                wins_a++;
                wins_b = 0;
                if (i < 0) {
                    goto success;
                }
                if (wins_a >= gallop) {
                    break;
                }
            }
            else {
                copy_one(&dest, d--, &t, j--);
                wins_b++;
                wins_a = 0;
                if (j == 0) {
                    goto copy_a;
                }
                if (wins_b >= gallop) {
                    break;
                }
            }
        }
        gallop++;
        do {
            gallop -= gallop > 1;
            s->min_gallop = gallop;
            Py_ssize_t k = gallop_right(s, t.keys[j], a.keys, i + 1, i);
            if (k < 0) {
                goto fail;
            }
            wins_a = i + 1 - k;
            if (wins_a > 0) {
                d -= wins_a;
                i -= wins_a;
                move_many(&dest, d + 1, &a, i + 1, wins_a);
                if (i < 0) {
                    goto success;
                }
            }
            copy_one(&dest, d--, &t, j--);
            if (j == 0) {
                goto copy_a;
            }
            k = gallop_left(s, a.keys[i], t.keys, j + 1, j);
            if (k < 0) {
                goto fail;
            }
            wins_b = j + 1 - k;
            if (wins_b > 0) {
                d -= wins_b;
                j -= wins_b;
                move_many(&dest, d + 1, &t, j + 1, wins_b);
                if (j == 0) {
                    goto copy_a;
                }
                /* only if the comparison is inconsistent */
                if (j < 0) {
                    goto success;
                }
            }
            copy_one(&dest, d--, &a, i--);
            if (i < 0) {
                goto success;
            }
        } while (wins_a >= MIN_GALLOP || wins_b >= MIN_GALLOP);
        gallop++;
        s->min_gallop = gallop;
    }
success:
    result = 0;
fail:
    if (j >= 0) {
        move_many(&dest, d - j, &t, 0, j + 1);
    }
    return result;
copy_a:
    /* the first of b goes before the rest of a */
    move_many(&dest, d - i, &a, 0, i + 1);
    copy_one(&dest, d - i - 1, &t, 0);
    return 0;
}

/* Merges the runs i and i+1 on the stack. */
static int
merge_at(struct sorter *s, int i)
{
    struct slice a = s->run[i].base, b = s->run[i + 1].base;
    Py_ssize_t na = s->run[i].len, nb = s->run[i + 1].len;
    s->run[i].len = na + nb;
    s->runs--;
    /* what is in place already at both ends needs no move */
    Py_ssize_t k = gallop_right(s, b.keys[0], a.keys, na, 0);
    if (k < 0) {
        return -1;
    }
    a = slice_at(a, k);
    na -= k;
    if (na == 0) {
        return 0;
    }
    nb = gallop_left(s, a.keys[na - 1], b.keys, nb, nb - 1);
    if (nb <= 0) {
        return (int)nb;
    }
    return na <= nb ? merge_low(s, a, na, b, nb) : merge_high(s, a, na, b, nb);
}

/* Depth, in the ideal binary tree over [0, n), of the boundary between
 * adjacent runs [s1, s1+n1) and [s1+n1, s1+n1+n2): the first binary digit in
 * which the fractions of their midpoints differ. */
static int
power_of(Py_ssize_t s1, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n)
{
    Py_ssize_t a = 2 * s1 + n1, b = a + n1 + n2; /* doubled midpoints */
    int power = 0;
    for (;;) {
        power++;
        if (a >= n) {
            a -= n;
            b -= n;
        }
        else if (b >= n) {
            return power;
        }
        a <<= 1;
        b <<= 1;
    }
}

static int
push_run(struct sorter *s, struct slice base, Py_ssize_t len)
{
    if (s->runs > 0) {
        struct run *top = &s->run[s->runs - 1];
        int power = power_of(top->base.keys - s->base, top->len, len,
                             s->total);
        while (s->runs > 1 && s->run[s->runs - 2].power > power) {
            if (merge_at(s, s->runs - 2) < 0) {
                return -1;
            }
        }
        s->run[s->runs - 1].power = power;
    }
    s->run[s->runs++] = (struct run){base, len, 0};
    return 0;
}

static Py_ssize_t
min_run(Py_ssize_t n)
{
    Py_ssize_t rest = 0;
    while (n >= 64) {
        rest |= n & 1;
        n >>= 1;
    }
    return n + rest;
}

static int
sort_slice(struct sorter *s, struct slice lo, Py_ssize_t n)
{
    Py_ssize_t min = min_run(n), left = n;
    while (left > 0) {
        bool descending;
        Py_ssize_t len = count_run(s, lo.keys, left, &descending);
        if (len < 0) {
            return -1;
        }
        if (descending) {
            reverse_slice(lo, len);
        }
        if (len < min) {
            Py_ssize_t force = left <= min ? left : min;
            if (binary_insertion(s, lo, force, len) < 0) {
                return -1;
            }
            len = force;
        }
        if (push_run(s, lo, len) < 0) {
            return -1;
        }
        lo = slice_at(lo, len);
        left -= len;
    }
    while (s->runs > 1) {
        if (merge_at(s, s->runs - 2) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the whole list */

/* key(item) of all; NULL with an exception. */
static PyObject **
make_keys(PyObject *key, PyObject **items, Py_ssize_t n)
{
    PyObject **keys = PyMem_New(PyObject *, n);
    if (keys == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        keys[i] = PyObject_CallOneArg(key, items[i]);
        if (keys[i] == NULL) {
            while (--i >= 0) {
                Py_DECREF(keys[i]);
            }
            PyMem_Free(keys);
            return NULL;
        }
    }
    return keys;
}

static int
sort_items(PyObject **items, Py_ssize_t n, PyObject *key, int reverse)
{
    PyObject **keys = NULL;
    if (key != NULL && n > 0 && (keys = make_keys(key, items, n)) == NULL) {
        return -1;
    }
    struct slice lo = {items, NULL};
    if (keys != NULL) {
        lo = (struct slice){keys, items};
    }
    struct sorter s;
    s.min_gallop = MIN_GALLOP;
    s.total = n;
    s.base = lo.keys;
    s.runs = 0;
    s.temp.keys = s.temp_array;
    s.temp_size = TEMP_SIZE;
    s.temp.values = NULL;
    if (keys != NULL) {
        s.temp_size = TEMP_SIZE / 2;
        s.temp.values = s.temp_array + TEMP_SIZE / 2;
    }
    choose_comparison(&s, lo.keys, n);
    /* reversed before and after, so that equal items keep their order */
    if (reverse && n > 1) {
        reverse_slice(lo, n);
    }
    int err = n > 1 ? sort_slice(&s, lo, n) : 0;
    free_temp(&s);
    if (reverse && n > 1) {
        reverse_array(items, items + n);
    }
    if (keys != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(keys[i]);
        }
        PyMem_Free(keys);
    }
    return err;
}

int
kr_list_sort(PyListObject *self, PyObject *key, int reverse)
{
    Py_ssize_t n = Py_SIZE(self), allocated = self->allocated;
    PyObject **items = self->ob_item;
    Py_SET_SIZE(self, 0);
    self->ob_item = NULL;
    self->allocated = -1; /* any change sets it */

    int err = sort_items(items, n, key, reverse);
    if (self->allocated != -1 && err == 0) {
        PyErr_SetString(PyExc_ValueError, "list modified during sort");
        err = -1;
    }
    PyObject **other = self->ob_item;
    Py_ssize_t i = Py_SIZE(self);
    Py_SET_SIZE(self, n);
    self->ob_item = items;
    self->allocated = allocated;
    if (other != NULL) {
        while (--i >= 0) {
            Py_XDECREF(other[i]);
        }
        PyMem_Free(other);
    }
    return err;
}
