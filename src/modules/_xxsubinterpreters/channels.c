/* The table of channels. One mutex guards all of it; nothing that can run
 * Python code is called while it is held. */
#include "modules/_xxsubinterpreters/channels.h"

#include <pthread.h>

struct item {
    struct item *next;
    _PyCrossInterpreterData *data;
};

/* What one interpreter has of a channel. */
struct end {
    struct end *next;
    int64_t interp;
    int open;
};

struct side {
    struct end *ends;
    int64_t open;
};

struct channel {
    struct channel *next;
    int64_t id;
    Py_ssize_t refs;
    int open;
    int closing; /* no more sending; closed when it is empty */
    int gone;    /* closed for good; the id is still known */
    struct item *first, *last;
    Py_ssize_t count;
    struct side send, recv;
};

static struct kr_channels_state {
    pthread_mutex_t mutex;
    struct channel *head;
    int64_t next_id;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void
lock(void)
{
    pthread_mutex_lock(&state.mutex);
}

static void
unlock(void)
{
    pthread_mutex_unlock(&state.mutex);
}

void
kr_chan_free_data(_PyCrossInterpreterData *data)
{
    _PyCrossInterpreterData_Release(data);
    PyMem_RawFree(data);
}

/* --- ends ---------------------------------------------------------------- */

static struct end *
find_end(const struct side *side, int64_t interp)
{
    struct end *e = side->ends;
    while (e != NULL && e->interp != interp) {
        e = e->next;
    }
    return e;
}

/* The end of an interpreter, which is added if need be. */
static struct end *
get_end(struct side *side, int64_t interp)
{
    struct end *e = find_end(side, interp);
    if (e == NULL && (e = PyMem_RawMalloc(sizeof(*e))) != NULL) {
        *e = (struct end){.next = side->ends, .interp = interp, .open = 1};
        side->ends = e;
        side->open++;
    }
    return e;
}

static enum kr_chan_status
associate(struct side *side, int64_t interp)
{
    struct end *e = get_end(side, interp);
    if (e == NULL) {
        return KR_CHAN_NO_MEMORY;
    }
    return e->open ? KR_CHAN_OK : KR_CHAN_END_CLOSED;
}

static int
close_end(struct side *side, int64_t interp)
{
    struct end *e = get_end(side, interp);
    if (e == NULL) {
        return -1;
    }
    e->open = 0;
    side->open--; /* CPython counts a second release, too */
    return 0;
}

static void
close_side(struct side *side)
{
    for (struct end *e = side->ends; e != NULL; e = e->next) {
        e->open = 0;
        side->open--;
    }
}

static void
free_ends(struct side *side)
{
    while (side->ends != NULL) {
        struct end *e = side->ends;
        side->ends = e->next;
        PyMem_RawFree(e);
    }
}

/* --- channels ------------------------------------------------------------ */

static struct channel **
find(int64_t id)
{
    struct channel **p = &state.head;
    while (*p != NULL && (*p)->id != id) {
        p = &(*p)->next;
    }
    return p;
}

/* An open channel; the lock is held. */
static enum kr_chan_status
look_up(int64_t id, struct channel **result)
{
    struct channel *c = *find(id);
    if (c == NULL) {
        return KR_CHAN_NOT_FOUND;
    }
    *result = c;
    return c->gone || !c->open ? KR_CHAN_CLOSED : KR_CHAN_OK;
}

/* Takes the items out and leaves an empty channel. */
static struct item *
take_items(struct channel *c)
{
    struct item *items = c->first;
    c->first = c->last = NULL;
    c->count = 0;
    return items;
}

static void
free_items(struct item *items)
{
    while (items != NULL) {
        struct item *next = items->next;
        kr_chan_free_data(items->data);
        PyMem_RawFree(items);
        items = next;
    }
}

/* Unlinks *p and frees it, but not its items, which it returns. */
static struct item *
drop_channel(struct channel **p)
{
    struct channel *c = *p;
    *p = c->next;
    struct item *items = take_items(c);
    free_ends(&c->send);
    free_ends(&c->recv);
    PyMem_RawFree(c);
    return items;
}

enum kr_chan_status
kr_chan_create(int64_t *id)
{
    struct channel *c = PyMem_RawCalloc(1, sizeof(*c));
    if (c == NULL) {
        return KR_CHAN_NO_MEMORY;
    }
    c->open = 1;
    lock();
    *id = c->id = state.next_id++;
    c->next = state.head;
    state.head = c;
    unlock();
    return KR_CHAN_OK;
}

enum kr_chan_status
kr_chan_destroy(int64_t id)
{
    struct item *items = NULL;
    lock();
    struct channel **p = find(id);
    int found = *p != NULL;
    if (found) {
        items = drop_channel(p);
    }
    unlock();
    free_items(items);
    return found ? KR_CHAN_OK : KR_CHAN_NOT_FOUND;
}

enum kr_chan_status
kr_chan_add_ref(int64_t id)
{
    lock();
    struct channel *c = *find(id);
    if (c != NULL) {
        c->refs++;
    }
    unlock();
    return c != NULL ? KR_CHAN_OK : KR_CHAN_NOT_FOUND;
}

void
kr_chan_drop_ref(int64_t id)
{
    struct item *items = NULL;
    lock();
    struct channel **p = find(id);
    if (*p != NULL && --(*p)->refs == 0) {
        items = drop_channel(p);
    }
    unlock();
    free_items(items);
}

int64_t *
kr_chan_list(Py_ssize_t *count)
{
    Py_ssize_t n = 0, i = 0;
    lock();
    for (struct channel *c = state.head; c != NULL; c = c->next) {
        n++;
    }
    int64_t *ids = PyMem_RawMalloc((size_t)n * sizeof(*ids) + 1);
    for (struct channel *c = state.head; c != NULL && ids != NULL;
         c = c->next) {
        ids[i++] = c->id;
    }
    unlock();
    *count = i;
    return ids;
}

/* --- sending and receiving ----------------------------------------------- */

static enum kr_chan_status
look_up_for_sending(int64_t id, struct channel **c)
{
    enum kr_chan_status status = look_up(id, c);
    return status == KR_CHAN_OK && (*c)->closing ? KR_CHAN_CLOSED : status;
}

enum kr_chan_status
kr_chan_may_send(int64_t id)
{
    struct channel *c;
    lock();
    enum kr_chan_status status = look_up_for_sending(id, &c);
    unlock();
    return status;
}

enum kr_chan_status
kr_chan_send(int64_t id, int64_t interp, _PyCrossInterpreterData *data)
{
    struct channel *c;
    struct item *item = PyMem_RawMalloc(sizeof(*item));
    if (item == NULL) {
        return KR_CHAN_NO_MEMORY;
    }
    *item = (struct item){.data = data};
    lock();
    enum kr_chan_status status = look_up_for_sending(id, &c);
    if (status == KR_CHAN_OK) {
        status = associate(&c->send, interp);
    }
    if (status == KR_CHAN_OK) {
        *(c->last != NULL ? &c->last->next : &c->first) = item;
        c->last = item;
        c->count++;
        item = NULL;
    }
    unlock();
    PyMem_RawFree(item);
    return status;
}

static enum kr_chan_status
pop(struct channel *c, int64_t interp, struct item **result)
{
    enum kr_chan_status status = associate(&c->recv, interp);
    if (status != KR_CHAN_OK) {
        return status;
    }
    struct item *item = c->first;
    if (item != NULL) {
        c->first = item->next;
        if (c->first == NULL) {
            c->last = NULL;
        }
        c->count--;
    }
    if (c->count == 0 && c->closing) {
        c->open = 0;
        c->gone = 1;
    }
    *result = item;
    return item == NULL ? KR_CHAN_EMPTY : KR_CHAN_OK;
}

enum kr_chan_status
kr_chan_recv(int64_t id, int64_t interp, _PyCrossInterpreterData **data)
{
    struct channel *c;
    struct item *item = NULL;
    lock();
    enum kr_chan_status status = look_up(id, &c);
    if (status == KR_CHAN_OK) {
        status = pop(c, interp, &item);
    }
    unlock();
    if (item != NULL) {
        *data = item->data;
        PyMem_RawFree(item);
    }
    return status;
}

/* --- closing ------------------------------------------------------------- */

enum kr_chan_status
kr_chan_release(int64_t id, int64_t interp, enum kr_chan_end end)
{
    struct channel *c;
    lock();
    enum kr_chan_status status = look_up(id, &c);
    if (status == KR_CHAN_OK) {
        if ((end != KR_CHAN_RECV && close_end(&c->send, interp) < 0)
            || (end != KR_CHAN_SEND && close_end(&c->recv, interp) < 0)) {
            status = KR_CHAN_NO_MEMORY;
        }
        c->open = c->send.open != 0 || c->recv.open != 0;
    }
    unlock();
    return status;
}

/* Closes a channel that the table has; *items: what was in it. */
static enum kr_chan_status
close_known(struct channel *c, enum kr_chan_end end, int force,
            struct item **items)
{
    if (c->gone || (!force && end == KR_CHAN_SEND && c->closing)) {
        return KR_CHAN_CLOSED;
    }
    if (!c->open) {
        return KR_CHAN_END_CLOSED;
    }
    if (!force && c->count > 0) {
        if (end != KR_CHAN_SEND) {
            return KR_CHAN_NOT_EMPTY;
        }
        c->closing = 1;
        return KR_CHAN_OK;
    }
    c->open = 0;
    c->gone = 1;
    close_side(&c->send);
    close_side(&c->recv);
    *items = take_items(c);
    return KR_CHAN_OK;
}

enum kr_chan_status
kr_chan_close(int64_t id, enum kr_chan_end end, int force)
{
    struct item *items = NULL;
    lock();
    struct channel *c = *find(id);
    enum kr_chan_status status = c == NULL
        ? KR_CHAN_NOT_FOUND
        : close_known(c, end, force, &items);
    unlock();
    free_items(items);
    return status;
}

enum kr_chan_status
kr_chan_is_associated(int64_t id, int64_t interp, enum kr_chan_end end,
                      int *result)
{
    struct channel *c;
    lock();
    enum kr_chan_status status = end == KR_CHAN_SEND
        ? look_up_for_sending(id, &c)
        : look_up(id, &c);
    if (status == KR_CHAN_OK) {
        struct end *e = find_end(
            end == KR_CHAN_SEND ? &c->send : &c->recv, interp);
        *result = e != NULL && e->open;
    }
    unlock();
    return status;
}
