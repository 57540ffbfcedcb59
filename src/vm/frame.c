/* Interpreter frames and the data stack they live in.
 *
 * The data stack is a list of chunks; a frame never spans two. greenlet swaps the
 * three thread state fields and frees chunks with the arena allocator, so chunks
 * come from there. */
#include "vm/frame.h"

#include "base/stress.h"
#include "memory/gc.h"
#include "memory/tstate.h"
#include "vm/eval.h"

#define FIRST_CHUNK (16 * 1024)
#define CHUNK_HEAD (offsetof(_PyStackChunk, data) / sizeof(PyObject *))

static _PyStackChunk *
new_chunk(size_t bytes, _PyStackChunk *previous)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    _PyStackChunk *chunk = arena.alloc(arena.ctx, bytes);
    if (chunk != NULL) {
        chunk->previous = previous;
        chunk->size = bytes;
        chunk->top = 0;
    }
    return chunk;
}

static void
free_chunk(_PyStackChunk *chunk)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    arena.free(arena.ctx, chunk, chunk->size);
}

/* Of a chunk whose first frame has so many words. */
static size_t
chunk_size(size_t words)
{
    if (KR_STRESS) {
        return (words + CHUNK_HEAD + 1) * sizeof(PyObject *);
    }
    size_t bytes = FIRST_CHUNK;
    while (bytes < (words + CHUNK_HEAD + 16) * sizeof(PyObject *)) {
        bytes *= 2;
    }
    return bytes;
}

_PyInterpreterFrame *
kr_stack_push_chunk(PyThreadState *ts, size_t words)
{
    size_t bytes = chunk_size(words);
    _PyStackChunk *old = ts->datastack_chunk;
    if (old != NULL) {
        old->top = (size_t)(ts->datastack_top - old->data);
    }
    _PyStackChunk *chunk = new_chunk(bytes, old);
    if (chunk == NULL) {
        return NULL;
    }
    ts->datastack_chunk = chunk;
    ts->datastack_limit = (PyObject **)((char *)chunk + bytes);
    /* The first chunk is never given back before the thread ends: its frames
     * don't start at data[0], which is the sign for that. */
    PyObject **base = chunk->data + (old == NULL);
    ts->datastack_top = base + words;
    return (_PyInterpreterFrame *)base;
}

void
kr_stack_pop_chunk(PyThreadState *ts)
{
    _PyStackChunk *chunk = ts->datastack_chunk;
    _PyStackChunk *previous = chunk->previous;
    ts->datastack_chunk = previous;
    ts->datastack_top = previous->data + previous->top;
    ts->datastack_limit = (PyObject **)((char *)previous + previous->size);
    free_chunk(chunk);
}

void
kr_stack_free(PyThreadState *ts)
{
    _PyStackChunk *chunk = ts->datastack_chunk;
    ts->datastack_chunk = NULL;
    ts->datastack_top = ts->datastack_limit = NULL;
    while (chunk != NULL) {
        _PyStackChunk *previous = chunk->previous;
        free_chunk(chunk);
        chunk = previous;
    }
}

void
kr_frame_copy(_PyInterpreterFrame *src, _PyInterpreterFrame *dest)
{
    size_t bytes = offsetof(_PyInterpreterFrame, localsplus) +
                   (size_t)src->stacktop * sizeof(PyObject *);
    memcpy(dest, src, bytes);
    /* the old place is gone soon: nothing may lead there */
    dest->previous = NULL;
    if (dest->frame_obj != NULL) {
        dest->frame_obj->f_frame = dest;
    }
}

int
kr_frame_traverse(_PyInterpreterFrame *f, visitproc visit, void *arg)
{
    Py_VISIT(f->frame_obj);
    Py_VISIT(f->f_locals);
    Py_VISIT(f->f_func);
    Py_VISIT(f->f_code);
    for (int i = 0; i < f->stacktop; i++) {
        Py_VISIT(f->localsplus[i]);
    }
    return 0;
}

/* The function ends but the frame object lives on: it gets the data. */
static void
move_to_object(PyFrameObject *object, _PyInterpreterFrame *f)
{
    _PyInterpreterFrame *inside = (_PyInterpreterFrame *)object->_f_frame_data;
    int size = f->stacktop > 0 ? f->stacktop : 0;
    memcpy(inside, f,
           offsetof(_PyInterpreterFrame, localsplus) +
               (size_t)size * sizeof(PyObject *));
    inside->stacktop = size;
    inside->owner = KR_FRAME_OBJECT;
    inside->frame_obj = NULL; /* no cycle with itself */
    object->f_frame = inside;
    _PyInterpreterFrame *back = f->previous;
    while (back != NULL && kr_frame_incomplete(back)) {
        back = back->previous;
    }
    if (back != NULL) {
        PyFrameObject *back_object = kr_frame_object(back);
        if (back_object == NULL) {
            PyErr_Clear();
            object->f_back_lost = 1;
        }
        else {
            object->f_back =
                (PyFrameObject *)Py_NewRef((PyObject *)back_object);
        }
    }
    inside->previous = NULL;
    if (!PyObject_GC_IsTracked((PyObject *)object)) {
        PyObject_GC_Track((PyObject *)object);
    }
}

void
kr_frame_clear(_PyInterpreterFrame *f)
{
    PyFrameObject *object = f->frame_obj;
    if (object != NULL) {
        f->frame_obj = NULL;
        if (Py_REFCNT(object) > 1) {
            PyObject *type, *value, *tb;
            PyErr_Fetch(&type, &value, &tb);
            move_to_object(object, f);
            PyErr_Restore(type, value, tb);
            Py_DECREF(object);
            return;
        }
        /* nobody else has it, but its deallocator must not touch the data */
        _PyInterpreterFrame *inside =
            (_PyInterpreterFrame *)object->_f_frame_data;
        inside->stacktop = 0;
        Py_DECREF(object);
    }
    int n = f->stacktop;
    for (int i = 0; i < n; i++) {
        Py_XDECREF(f->localsplus[i]);
    }
    Py_XDECREF(f->f_locals);
    Py_XDECREF(f->f_func);
    Py_XDECREF(f->f_code);
}

void
kr_end_frame(PyThreadState *ts, _PyInterpreterFrame *f)
{
    /* destructors that run now count as called from the caller */
    ts->recursion_remaining--;
    kr_frame_clear(f);
    ts->recursion_remaining++;
    kr_stack_pop(ts, f);
}

_PyInterpreterFrame *
kr_current_frame(PyThreadState *ts)
{
    _PyInterpreterFrame *f = ts->cframe->current_frame;
    while (f != NULL && kr_frame_incomplete(f)) {
        f = f->previous;
    }
    return f;
}
