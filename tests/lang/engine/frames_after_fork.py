"""In the child of a fork, the frames of threads that are not there live on."""
import gc
import os
import sys
import threading

running, stop = threading.Event(), threading.Event()
kept = []


def inner(x):
    local = [1, 2, 3, x]
    try:
        1 / 0
    except ZeroDivisionError as error:
        kept.append(error)
        running.set()
        stop.wait()


def outer():
    inner("deep")


def child(frame):
    for _ in range(2000):
        [[] for _ in range(20)]         # memory that was freed is used again
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        if frame.f_code is inner.__code__:
            assert frame.f_locals["local"] == [1, 2, 3, "deep"]
        frame = frame.f_back
    assert names[-5:] == ["inner", "outer", "run", "_bootstrap_inner",
                          "_bootstrap"], names
    assert kept[0].__traceback__.tb_frame.f_locals["x"] == "deep"
    kept.clear()
    gc.collect()


thread = threading.Thread(target=outer, daemon=True)
thread.start()
running.wait()
frames = sys._current_frames()
pid = os.fork()
if pid == 0:
    child(frames.pop(thread.ident))
    os._exit(0)
print(os.waitpid(pid, 0)[1])
stop.set()
thread.join()
