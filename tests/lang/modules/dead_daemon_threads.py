"""Traces after the end of the interpreter, which ended its daemon threads."""
import os
import re
import subprocess
import sys

PROGRAM = """
import faulthandler, io, os, sys, threading

reading, writing = os.pipe()
inside = threading.Event()

class Raw(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        inside.set()
        os.read(reading, 1)

buffered = io.BufferedWriter(Raw())

def daemon(depth=300):
    if depth:               # far below what is kept of a thread's stack
        return max([depth - 1], key=daemon)
    buffered.write(b"x")
    buffered.flush()        # waits in the pipe, and has the buffer's lock

class AtTheEnd:
    # what it needs once the modules are gone
    close, threads = os.close, os.listdir
    dump, exit = faulthandler.dump_traceback, os._exit
    ends, write, out = (writing,), buffered.write, sys.__stderr__.fileno()

    def __del__(self):
        self.close(self.ends[0])
        while len(self.threads("/proc/self/task")) > 1:
            pass            # the thread ends, for it may not come back
        ACTION

for name in ("close", "threads", "dump", "exit"):
    setattr(AtTheEnd, name, staticmethod(vars(AtTheEnd)[name]))
threading.Thread(target=daemon, daemon=True).start()
inside.wait()
sys.modules["last"] = type(sys)("last")     # __main__ is held by the thread
sys.modules["last"].it = AtTheEnd()
"""


def end_with(action):
    program = PROGRAM.replace("ACTION", action)
    result = subprocess.run([sys.executable, "-c", program],
                            stderr=subprocess.PIPE, text=True, timeout=60)
    return result.returncode, result.stderr


def check_threads(text):
    """The daemon thread is gone from the list, and no trace of it is read."""
    heads = re.findall(r"^(\w+ thread|Thread) 0x", text, re.M)
    assert heads == ["Current thread"], text
    assert text.endswith('line 33 in __del__\n'), text


code, text = end_with("self.dump(self.out); self.exit(0)")
assert code == 0, (code, text)
check_threads(text)
code, text = end_with("self.write(b'y')")
assert code == -6, (code, text)
assert text.startswith(
    "Fatal Python error: _enter_buffered_busy: could not acquire lock for "
    "<_io.BufferedWriter> at interpreter shutdown, possibly due to daemon "
    "threads\n"), text
check_threads(text)
