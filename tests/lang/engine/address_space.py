"""A limit of the address space counts what a program uses, not what the
runtime might."""
import resource
import subprocess
import sys

GiB = 1 << 30


def address_space():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[0]) * resource.getpagesize()


def run(program):
    result = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GiB, GiB)))
    return result.returncode, result.stdout


# a sanitizer takes terabytes for itself
if address_space() < 1 << 40:
    assert address_space() < GiB // 4
    assert run("print(len(bytearray(800 << 20)))") == (0, f"{800 << 20}\n")
    resource.setrlimit(resource.RLIMIT_AS, (GiB, GiB))
    assert len(bytearray(800 << 20)) == 800 << 20
    try:
        bytearray(2 * GiB)
    except MemoryError:
        pass
    else:
        raise AssertionError("more than the limit")
