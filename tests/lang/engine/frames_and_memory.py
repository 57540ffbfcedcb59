"""Frames, tracebacks, collection and weak references."""
import gc
import sys
import weakref


def outer():
    local = "here"
    return inner()


def inner():
    frame = sys._getframe()
    back = frame.f_back
    return frame.f_code.co_name, back.f_code.co_name, back.f_locals, back.f_lasti >= 0


print(outer())


def fail(n):
    if n == 0:
        raise ValueError("deep")
    fail(n - 1)


try:
    fail(2)
except ValueError as error:
    tb = error.__traceback__
    while tb:
        print(tb.tb_frame.f_code.co_name, tb.tb_lineno)
        tb = tb.tb_next


class Node:
    def __del__(self):
        print("deleted", self.name)


a, b = Node(), Node()
a.name, b.name = "a", "b"
a.other, b.other = b, a
seen = weakref.ref(a, lambda ref: print("gone"))
weakref.finalize(b, print, "finalised")
del a, b
print(gc.collect() >= 2, seen())
cache = weakref.WeakValueDictionary()
kept = cache["kept"] = Node()
kept.name = "kept"
cache["lost"] = lost = Node()
lost.name = "lost"
del lost
print(sorted(cache), gc.isenabled(), gc.get_threshold())
