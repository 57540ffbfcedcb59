/* Channels: queues of plain data that all interpreters of the process see. */
#ifndef KR_MODULES_CHANNELS_H
#define KR_MODULES_CHANNELS_H

#include <Python.h>

/* Why an operation failed. */
enum kr_chan_status {
    KR_CHAN_OK,
    KR_CHAN_NOT_FOUND,
    KR_CHAN_CLOSED,
    KR_CHAN_END_CLOSED, /* for this interpreter */
    KR_CHAN_EMPTY,
    KR_CHAN_NOT_EMPTY,
    KR_CHAN_NO_MEMORY,
};

/* The two ends; the numbers are those of ChannelID.end. */
enum kr_chan_end {
    KR_CHAN_RECV = -1,
    KR_CHAN_BOTH = 0,
    KR_CHAN_SEND = 1,
};

enum kr_chan_status kr_chan_create(int64_t *id);

/* Removes a channel with all that it holds. */
enum kr_chan_status kr_chan_destroy(int64_t id);

/* Whether interpreter `interp` may send. */
enum kr_chan_status kr_chan_may_send(int64_t id);

/* Appends `data`, in raw memory, which it owns from here on if it succeeds. */
enum kr_chan_status kr_chan_send(int64_t id, int64_t interp,
                                 _PyCrossInterpreterData *data);

/* Takes the oldest data out; the caller owns it. */
enum kr_chan_status kr_chan_recv(int64_t id, int64_t interp,
                                 _PyCrossInterpreterData **data);

/* Closes ends for one interpreter. */
enum kr_chan_status kr_chan_release(int64_t id, int64_t interp,
                                    enum kr_chan_end end);

/* Closes the channel for all. A channel that is not empty is closed by force,
 * or for senders only: then it goes when it has been drained. */
enum kr_chan_status kr_chan_close(int64_t id, enum kr_chan_end end, int force);

/* *result: whether the interpreter has this end (not BOTH) open. */
enum kr_chan_status kr_chan_is_associated(int64_t id, int64_t interp,
                                          enum kr_chan_end end, int *result);

/* A channel lives as long as ids of it; these count them. */
enum kr_chan_status kr_chan_add_ref(int64_t id);
void kr_chan_drop_ref(int64_t id);

/* All ids, newest first, in raw memory of the caller; NULL without memory. */
int64_t *kr_chan_list(Py_ssize_t *count);

/* Gives the data and its memory back. */
void kr_chan_free_data(_PyCrossInterpreterData *data);

#endif
