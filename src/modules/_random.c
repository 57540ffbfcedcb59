/* The module _random: the Mersenne Twister MT19937. */
#include <Python.h>

#include <time.h>
#include <unistd.h>

#include "base/common.h"
#include "modules/addtype.h"

#define N 624
#define M 397

typedef struct {
    PyObject_HEAD
    int index; /* of the next word; N: a new block is due */
    uint32_t state[N];
} RandomObject;

struct random_state {
    PyTypeObject *type;
};

/* --- The generator -------------------------------------------------------- */

static inline uint32_t
twist(uint32_t hi, uint32_t lo)
{
    uint32_t y = (hi & 0x80000000u) | (lo & 0x7fffffffu);
    return y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
}

static void
next_block(uint32_t *s)
{
    int k = 0;
    for (; k < N - M; k++) {
        s[k] = s[k + M] ^ twist(s[k], s[k + 1]);
    }
    for (; k < N - 1; k++) {
        s[k] = s[k + M - N] ^ twist(s[k], s[k + 1]);
    }
    s[N - 1] = s[M - 1] ^ twist(s[N - 1], s[0]);
}

static uint32_t
next_word(RandomObject *self)
{
    if (self->index >= N) {
        next_block(self->state);
        self->index = 0;
    }
    uint32_t y = self->state[self->index++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static void
init_by_number(RandomObject *self, uint32_t seed)
{
    uint32_t *s = self->state;
    s[0] = seed;
    for (uint32_t i = 1; i < N; i++) {
        s[i] = 1812433253u * (s[i - 1] ^ s[i - 1] >> 30) + i;
    }
    self->index = N;
}

static void
init_by_array(RandomObject *self, const uint32_t *key, size_t len)
{
    uint32_t *s = self->state;
    size_t i = 1, j = 0;
    init_by_number(self, 19650218u);
    for (size_t k = len > N ? len : N; k > 0; k--) {
        s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1664525u) + key[j] +
               (uint32_t)j;
        if (++i >= N) {
            s[0] = s[N - 1];
            i = 1;
        }
        if (++j >= len) {
            j = 0;
        }
    }
    for (size_t k = N - 1; k > 0; k--) {
        s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1566083941u) -
               (uint32_t)i;
        if (++i >= N) {
            s[0] = s[N - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

/* --- Seeding -------------------------------------------------------------- */

static int
seed_from_system(RandomObject *self)
{
    uint32_t key[N];
    if (_PyOS_URandomNonblock(key, sizeof(key)) == 0) {
        init_by_array(self, key, N);
        return 0;
    }
    /* no entropy: time and process have to do */
    PyErr_Clear();
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_MONOTONIC, &up);
    key[0] = (uint32_t)now.tv_nsec;
    key[1] = (uint32_t)now.tv_sec;
    key[2] = (uint32_t)getpid();
    key[3] = (uint32_t)up.tv_nsec;
    key[4] = (uint32_t)up.tv_sec;
    init_by_array(self, key, 5);
    return 0;
}

/* By the absolute value of an int, cut into 32-bit words. */
static int
seed_from_int(RandomObject *self, PyObject *n)
{
    size_t bits = _PyLong_NumBits(n);
    if (bits == (size_t)-1 && PyErr_Occurred()) {
        return -1;
    }
    size_t words = bits == 0 ? 1 : (bits - 1) / 32 + 1;
    uint32_t *key = PyMem_Malloc(words * 4);
    if (key == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int err = _PyLong_AsByteArray((PyLongObject *)n, (unsigned char *)key,
                                  words * 4, 1, 0);
    if (err == 0) {
        init_by_array(self, key, words);
    }
    PyMem_Free(key);
    return err;
}

static int
seed(RandomObject *self, PyObject *arg)
{
    if (arg == NULL || arg == Py_None) {
        return seed_from_system(self);
    }
    PyObject *n;
    if (PyLong_CheckExact(arg)) {
        n = PyNumber_Absolute(arg);
    }
    else if (PyLong_Check(arg)) {
        /* a subclass may define abs() in its own way */
        n = PyLong_Type.tp_as_number->nb_absolute(arg);
    }
    else {
        Py_hash_t hash = PyObject_Hash(arg);
        if (hash == -1) {
            return -1;
        }
        n = PyLong_FromSize_t((size_t)hash);
    }
    if (n == NULL) {
        return -1;
    }
    int err = seed_from_int(self, n);
    Py_DECREF(n);
    return err;
}

/* --- Methods -------------------------------------------------------------- */

static PyObject *
random_random(RandomObject *self, PyObject *Py_UNUSED(ignored))
{
    uint32_t a = next_word(self) >> 5, b = next_word(self) >> 6;
    return PyFloat_FromDouble((a * 67108864.0 + b) *
                              (1.0 / 9007199254740992.0));
}

static PyObject *
random_seed(RandomObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("seed", nargs, 0, 1) ||
        seed(self, nargs ? args[0] : NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
random_getstate(RandomObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *state = PyTuple_New(N + 1);
    for (int i = 0; state != NULL && i <= N; i++) {
        PyObject *word = i < N ? PyLong_FromUnsignedLong(self->state[i])
                               : PyLong_FromLong(self->index);
        if (word == NULL) {
            Py_CLEAR(state);
            break;
        }
        PyTuple_SET_ITEM(state, i, word);
    }
    return state;
}

static PyObject *
random_setstate(RandomObject *self, PyObject *state)
{
    uint32_t words[N];
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state vector must be a tuple");
        return NULL;
    }
    if (PyTuple_GET_SIZE(state) != N + 1) {
        PyErr_SetString(PyExc_ValueError, "state vector is the wrong size");
        return NULL;
    }
    for (int i = 0; i < N; i++) {
        unsigned long x = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(state, i));
        if (x == (unsigned long)-1 && PyErr_Occurred()) {
            return NULL;
        }
        words[i] = (uint32_t)x;
    }
    long index = PyLong_AsLong(PyTuple_GET_ITEM(state, N));
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (index < 0 || index > N) {
        PyErr_SetString(PyExc_ValueError, "invalid state");
        return NULL;
    }
    self->index = (int)index;
    memcpy(self->state, words, sizeof(words));
    Py_RETURN_NONE;
}

static PyObject *
random_getrandbits(RandomObject *self, PyObject *arg)
{
    int k = _PyLong_AsInt(arg);
    if (k == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (k < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "number of bits must be non-negative");
        return NULL;
    }
    if (k == 0) {
        return PyLong_FromLong(0);
    }
    if (k <= 32) {
        return PyLong_FromUnsignedLong(next_word(self) >> (32 - k));
    }
    size_t words = (size_t)(k - 1) / 32 + 1;
    uint32_t *buf = PyMem_Malloc(words * 4);
    if (buf == NULL) {
        return PyErr_NoMemory();
    }
    /* words come from low to high, the top one gives its high bits */
    for (size_t i = 0; i < words; i++, k -= 32) {
        uint32_t r = next_word(self);
        buf[i] = k < 32 ? r >> (32 - k) : r;
    }
    PyObject *result =
        _PyLong_FromByteArray((unsigned char *)buf, words * 4, 1, 0);
    PyMem_Free(buf);
    return result;
}

/* --- The type ------------------------------------------------------------- */

static int
random_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    PyTypeObject *type = NULL;
    if (module != NULL) {
        type = ((struct random_state *)PyModule_GetState(module))->type;
    }
    else {
        PyErr_Clear(); /* a subclass, which takes any keywords */
    }
    if (Py_TYPE(self) == type && !_PyArg_NoKeywords("Random", kwargs)) {
        return -1;
    }
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_SetString(PyExc_TypeError,
                        "Random() requires 0 or 1 argument");
        return -1;
    }
    return seed((RandomObject *)self,
                PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL);
}

static PyObject *
random_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    RandomObject *self = (RandomObject *)PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        self->index = N;
    }
    return (PyObject *)self;
}

static void
random_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef random_methods[] = {
    {"random", (PyCFunction)random_random, METH_NOARGS,
     "random($self, /)\n--\n\nrandom() -> x in the interval [0, 1)."},
    {"seed", (PyCFunction)(void *)random_seed, METH_FASTCALL,
     "seed($self, n=None, /)\n--\n\n"
     "Starts over from an int or a hashable object; None means from the\n"
     "system's random numbers."},
    {"getstate", (PyCFunction)random_getstate, METH_NOARGS,
     "getstate($self, /)\n--\n\nThe state, for setstate()."},
    {"setstate", (PyCFunction)random_setstate, METH_O,
     "setstate($self, state, /)\n--\n\nGoes back to a state of getstate()."},
    {"getrandbits", (PyCFunction)random_getrandbits, METH_O,
     "getrandbits($self, k, /)\n--\n\nAn int of k random bits."},
    {NULL},
};

static PyType_Slot random_slots[] = {
    {Py_tp_doc, "Random() -> create a random number generator with its own "
                "internal state."},
    {Py_tp_methods, random_methods},
    {Py_tp_new, random_new},
    {Py_tp_init, random_init},
    {Py_tp_dealloc, random_dealloc},
    {0, NULL},
};

static PyType_Spec random_spec = {
    .name = "_random.Random",
    .basicsize = sizeof(RandomObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = random_slots,
};

static int
random_exec(PyObject *module)
{
    struct random_state *state = PyModule_GetState(module);
    return kr_add_type(module, &random_spec, NULL, &state->type);
}

static int
random_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((struct random_state *)PyModule_GetState(module))->type);
    return 0;
}

static int
random_clear(PyObject *module)
{
    Py_CLEAR(((struct random_state *)PyModule_GetState(module))->type);
    return 0;
}

static void
random_free(void *module)
{
    random_clear(module);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, random_exec},
                                          {0, NULL}};

static struct PyModuleDef random_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_random",
    .m_doc = "The Mersenne Twister generator of random numbers.",
    .m_size = sizeof(struct random_state),
    .m_slots = module_slots,
    .m_traverse = random_traverse,
    .m_clear = random_clear,
    .m_free = random_free,
};

PyMODINIT_FUNC
PyInit__random(void)
{
    return PyModuleDef_Init(&random_module);
}
