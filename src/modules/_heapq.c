/* The _heapq module: binary heaps in lists, smallest or largest first.
 *
 * Going down, the gap moves to a leaf without looking at the item to place,
 * which then rises: it mostly belongs near the bottom, and this saves half of
 * the comparisons. */
#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"

/* An int of at most one digit. */
static inline bool
is_small_int(PyObject *o)
{
    return PyLong_CheckExact(o) && (size_t)(Py_SIZE(o) + 1) <= 2;
}

static inline long
small_value(PyObject *o)
{
    return (long)Py_SIZE(o) * (long)((PyLongObject *)o)->ob_digit[0];
}

/* Whether a goes above b: 1, 0, -1. With `max`, largest first. */
static inline int
above(PyObject *a, PyObject *b, bool max)
{
    /* the usual keys need no call, and can't run code */
    if (PyFloat_CheckExact(a) && PyFloat_CheckExact(b)) {
        double x = PyFloat_AS_DOUBLE(a), y = PyFloat_AS_DOUBLE(b);
        return max ? y < x : x < y;
    }
    if (is_small_int(a) && is_small_int(b)) {
        return max ? small_value(b) < small_value(a)
                   : small_value(a) < small_value(b);
    }
    Py_INCREF(a);
    Py_INCREF(b);
    int cmp = max ? PyObject_RichCompareBool(b, a, Py_LT)
                  : PyObject_RichCompareBool(a, b, Py_LT);
    Py_DECREF(a);
    Py_DECREF(b);
    return cmp;
}

static int
changed(PyListObject *heap, Py_ssize_t size)
{
    if (size != PyList_GET_SIZE(heap)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "list changed size during iteration");
        return -1;
    }
    return 0;
}

static void
swap(PyListObject *heap, Py_ssize_t i, Py_ssize_t j)
{
    PyObject *t = heap->ob_item[i];
    heap->ob_item[i] = heap->ob_item[j];
    heap->ob_item[j] = t;
}

/* Lets the item at `pos` rise, not above `start`. */
static int
sift_down(PyListObject *heap, Py_ssize_t start, Py_ssize_t pos, bool max)
{
    Py_ssize_t size = PyList_GET_SIZE(heap);
    if (pos >= size) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos > start) {
        Py_ssize_t parent = (pos - 1) >> 1;
        int cmp = above(heap->ob_item[pos], heap->ob_item[parent], max);
        if (cmp < 0 || changed(heap, size) < 0) {
            return -1;
        }
        if (cmp == 0) {
            break;
        }
        swap(heap, pos, parent);
        pos = parent;
    }
    return 0;
}

/* Asks for the four grandchildren, of which two will be compared next: a walk
 * down a large heap mostly waits for memory. */
static inline void
prefetch(PyListObject *heap, Py_ssize_t child, Py_ssize_t size)
{
    Py_ssize_t first = 2 * child + 1;
    for (Py_ssize_t i = first; i < first + 4 && i < size; i++) {
        __builtin_prefetch(heap->ob_item[i]);
    }
}

/* Restores the order below `pos`. */
static int
sift_up(PyListObject *heap, Py_ssize_t pos, bool max)
{
    Py_ssize_t size = PyList_GET_SIZE(heap), start = pos, limit = size >> 1;
    if (pos >= size) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos < limit) {
        Py_ssize_t child = 2 * pos + 1;
        prefetch(heap, child, size);
        if (child + 1 < size) {
            int cmp =
                above(heap->ob_item[child], heap->ob_item[child + 1], max);
            if (cmp < 0 || changed(heap, size) < 0) {
                return -1;
            }
            child += !cmp;
        }
        swap(heap, pos, child);
        pos = child;
    }
    return sift_down(heap, start, pos, max);
}

static PyListObject *
heap_arg(const char *name, const char *place, PyObject *heap)
{
    if (!PyList_Check(heap)) {
        _PyArg_BadArgument(name, place, "list", heap);
        return NULL;
    }
    return (PyListObject *)heap;
}

static PyObject *
heappush(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyListObject *heap;
    if (!_PyArg_CheckPositional("heappush", nargs, 2, 2) ||
        (heap = heap_arg("heappush", "argument 1", args[0])) == NULL ||
        PyList_Append(args[0], args[1]) < 0 ||
        sift_down(heap, 0, PyList_GET_SIZE(heap) - 1, false) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
pop(PyObject *op, const char *name, bool max)
{
    PyListObject *heap = heap_arg(name, "argument", op);
    if (heap == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(heap);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *last = Py_NewRef(PyList_GET_ITEM(heap, n - 1));
    if (PyList_SetSlice(op, n - 1, n, NULL) < 0) {
        Py_DECREF(last);
        return NULL;
    }
    if (n == 1) {
        return last;
    }
    PyObject *top = PyList_GET_ITEM(heap, 0);
    PyList_SET_ITEM(heap, 0, last);
    if (sift_up(heap, 0, max) < 0) {
        Py_DECREF(top);
        return NULL;
    }
    return top;
}

static PyObject *
replace(PyObject *const *args, Py_ssize_t nargs, const char *name, bool max)
{
    PyListObject *heap;
    if (!_PyArg_CheckPositional(name, nargs, 2, 2) ||
        (heap = heap_arg(name, "argument 1", args[0])) == NULL) {
        return NULL;
    }
    if (PyList_GET_SIZE(heap) == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *top = PyList_GET_ITEM(heap, 0);
    PyList_SET_ITEM(heap, 0, Py_NewRef(args[1]));
    if (sift_up(heap, 0, max) < 0) {
        Py_DECREF(top);
        return NULL;
    }
    return top;
}

static PyObject *
heappop(PyObject *module, PyObject *heap)
{
    return pop(heap, "heappop", false);
}

static PyObject *
heappop_max(PyObject *module, PyObject *heap)
{
    return pop(heap, "_heappop_max", true);
}

static PyObject *
heapreplace(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return replace(args, nargs, "heapreplace", false);
}

static PyObject *
heapreplace_max(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return replace(args, nargs, "_heapreplace_max", true);
}

static PyObject *
heappushpop(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyListObject *heap;
    if (!_PyArg_CheckPositional("heappushpop", nargs, 2, 2) ||
        (heap = heap_arg("heappushpop", "argument 1", args[0])) == NULL) {
        return NULL;
    }
    if (PyList_GET_SIZE(heap) == 0) {
        return Py_NewRef(args[1]);
    }
    int cmp = above(PyList_GET_ITEM(heap, 0), args[1], false);
    if (cmp < 0) {
        return NULL;
    }
    if (cmp == 0) {
        return Py_NewRef(args[1]);
    }
    return replace(args, nargs, "heappushpop", false);
}

static PyObject *
make_heap(PyObject *op, const char *name, bool max)
{
    PyListObject *heap = heap_arg(name, "argument", op);
    if (heap == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = PyList_GET_SIZE(heap) >> 1; --i >= 0;) {
        if (sift_up(heap, i, max) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
heapify(PyObject *module, PyObject *heap)
{
    return make_heap(heap, "heapify", false);
}

static PyObject *
heapify_max(PyObject *module, PyObject *heap)
{
    return make_heap(heap, "_heapify_max", true);
}

static PyMethodDef functions[] = {
    {"heappush", (PyCFunction)(void *)heappush, METH_FASTCALL,
     "heappush($module, heap, item, /)\n--\n\n"
     "Push item onto heap, maintaining the heap invariant."},
    {"heappushpop", (PyCFunction)(void *)heappushpop, METH_FASTCALL,
     "heappushpop($module, heap, item, /)\n--\n\n"
     "Push item on the heap, then pop and return the smallest item.\n\n"
     "This is quicker than heappush() followed by a separate heappop()."},
    {"heappop", heappop, METH_O,
     "heappop($module, heap, /)\n--\n\n"
     "Pop the smallest item off the heap, maintaining the heap invariant."},
    {"heapreplace", (PyCFunction)(void *)heapreplace, METH_FASTCALL,
     "heapreplace($module, heap, item, /)\n--\n\n"
     "Pop and return the smallest value, and add the new item.\n\n"
     "What is returned may be larger than item."},
    {"heapify", heapify, METH_O,
     "heapify($module, heap, /)\n--\n\n"
     "Transform list into a heap, in-place, in O(len(heap)) time."},
    {"_heappop_max", heappop_max, METH_O,
     "_heappop_max($module, heap, /)\n--\n\nMaxheap variant of heappop."},
    {"_heapify_max", heapify_max, METH_O,
     "_heapify_max($module, heap, /)\n--\n\nMaxheap variant of heapify."},
    {"_heapreplace_max", (PyCFunction)(void *)heapreplace_max, METH_FASTCALL,
     "_heapreplace_max($module, heap, item, /)\n--\n\n"
     "Maxheap variant of heapreplace."},
    {NULL},
};

static int
exec(PyObject *module)
{
    return PyModule_AddStringConstant(
        module, "__about__",
        "Heaps are lists in which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for\n"
        "every k, counting from 0; what does not exist counts as infinite.\n"
        "The smallest item is therefore a[0], and both adding an item and\n"
        "removing the smallest one take a time that grows with the logarithm\n"
        "of the length.");
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_heapq",
    .m_doc = "Heap queue algorithm (a.k.a. priority queue).\n\n"
             "A heap is a list whose first item is always its smallest;\n"
             "heapify makes one, heappush and heappop keep it.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__heapq(void)
{
    return PyModuleDef_Init(&definition);
}
