#!/usr/bin/python3.11
"""Every allocation of small programs fails once.

    tests/failures/allocations_fail.py [--krait PATH] [--step N] [--only NAMES]

For n = 1, 2, ... each function of programs.py is called while its n-th
allocation fails, then while all from the n-th on fail, until it makes less than
n. It has to end with MemoryError, or with its result where the failure doesn't
matter, and to give its result when called again. The heap must not grow when
the same failure is repeated (this is not looked at in builds with a sanitizer,
which have no heap of their own). A process that crashed or hangs is started
again behind the place.

Without --step every n is tried, which takes some minutes; the test command takes
a sample. --at N shows the C stack where the N-th allocation of one program
failed.
"""
import argparse
import collections
import json
import os
import select
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
QUIET = 30  # seconds without a word: it hangs
MAX_CRASHES = 12  # of one program; then the next one


def build(folder):
    """Makes the module nomem; None, or what the compiler said."""
    done = subprocess.run(
        [os.environ.get("CC", "clang-19"), "-shared", "-fPIC", "-O1", "-Wall",
         "-Werror", f"-I{TOP}/include/python3.11", f"{HERE}/nomem.c", "-o",
         f"{folder}/nomem.cpython-311-x86_64-linux-gnu.so"],
        capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else None


class Run:
    """What the processes said."""

    def __init__(self, krait, folder, options, loud):
        self.krait, self.folder, self.options = krait, folder, options
        self.loud = loud
        self.tried = 0
        self.bad, self.others = [], collections.Counter()
        self.ends = {}

    def lines(self, process):
        """Lines of output; stops when there was none for long."""
        rest = b""
        while select.select([process.stdout], [], [], QUIET)[0]:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode() for line in whole)
        process.kill()

    def process(self, names, first):
        """Runs one; the place where it ended before its time, or None."""
        place = [names[0], first, 0]
        options = self.options | {"programs": names, "first": first}
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            worker = subprocess.Popen(
                [self.krait, "-X", "faulthandler", f"{HERE}/allocations.py",
                 self.folder, json.dumps(options)], cwd=self.folder,
                env=dict(os.environ, PYTHONPATH=HERE, PYTHONHASHSEED="0",
                         PYTHONDONTWRITEBYTECODE="1"),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors)
            for line in self.lines(worker):
                kind, _, text = line.partition(" ")
                if kind == "at":
                    name, n, count = text.split()
                    place = [name, int(n), int(count)]
                    self.tried += 1
                elif kind == "bad":
                    self.found(text)
                elif kind == "other":
                    error, name, n, count, text = text.split(" ", 4)
                    self.others[error, name, text] += 1
                elif kind == "end":
                    name, n = text.split()
                    self.ends[name] = int(n)
                    if self.loud:
                        print(f"done: {name}, {n}", flush=True)
            status = worker.wait()
            if status == 0:
                return None
            errors.seek(0)
            self.crash(place, status, errors.read())
            return place

    def crash(self, place, status, errors):
        start = max(errors.find("ERROR: AddressSanitizer"),
                    errors.find("Fatal Python error"),
                    errors.find("Assertion"))
        shown = errors[start - 60:][:3000] if start >= 0 else errors[-3000:]
        name, n, count = place
        self.found(f"{name} {n} {count or 'all'}: status {status}\n{shown}")

    def found(self, text):
        self.bad.append(text)
        if self.loud:
            print(text, flush=True)

    def all(self, names):
        first, crashes = 1, 0
        while names:
            place = self.process(names, first)
            if place is None:
                return
            at = names.index(place[0])
            crashes = crashes + 1 if at == 0 else 1
            names, first = names[at:], place[1] + 1
            if crashes >= MAX_CRASHES:
                names, first, crashes = names[1:], 1, 0


def check(krait, names=None, loud=False, **options):
    """Runs the programs; a Run."""
    import programs
    options = {"last": 1 << 40, "step": 1, "repeat": 4, "trace": 0,
               "counts": [1, 0]} | options
    with tempfile.TemporaryDirectory() as folder:
        problem = build(folder)
        if problem is not None:
            raise SystemExit(problem)
        run = Run(krait, folder, options, loud)
        run.all(list(names or programs.ALL))
    return run


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--krait", default=f"{TOP}/build/dev/krait")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--at", type=int)
    parser.add_argument("--counts", help="1,0: once, then all from there on")
    parser.add_argument("--no-leaks", action="store_true")
    parser.add_argument("--only", help="names of programs, with commas")
    args = parser.parse_args()
    names = args.only.split(",") if args.only else None
    krait = os.path.abspath(args.krait)
    if args.at is not None:
        return show(krait, names, args.at)
    options = {"step": args.step}
    if args.counts:
        options["counts"] = [int(n) for n in args.counts.split(",")]
    if args.no_leaks:
        options["repeat"] = 0
    run = check(krait, names, True, **options)
    for (error, name, text), n in run.others.items():
        print(f"note: {name} ended {n} times with {error}: {text}")
    print(f"{run.tried} failures tried, {len(run.bad)} bad")
    return 1 if run.bad else 0


def show(krait, names, n):
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        options = {"programs": names, "first": n, "last": n, "step": 1,
                   "repeat": 4, "trace": 1, "counts": [1]}
        return subprocess.call([krait, f"{HERE}/allocations.py", folder,
                                json.dumps(options)],
                               env=dict(os.environ, PYTHONPATH=HERE,
                                        PYTHONHASHSEED="0"))


if __name__ == "__main__":
    sys.exit(main())
