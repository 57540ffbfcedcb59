"""The part of allocations_fail.py that runs under the tested Python:

    allocations.py FOLDER OPTIONS     FOLDER holds the module nomem

OPTIONS is a JSON object: programs, first, last, step, repeat, trace. Says on
standard output, line by line: "at PROGRAM N COUNT" before each attempt, "bad
TEXT" for what is wrong, "end PROGRAM N" after the last.
"""
import gc
import json
import os
import sys
import warnings

sys.path.insert(0, sys.argv[1])

import nomem
import programs

ALL = 1 << 40  # as a count: every allocation from there on


def say(text):
    os.write(1, text.encode("utf-8", "replace") + b"\n")


def growth(function, n, count, rounds):
    """By how many blocks each repetition of the same failure grew the heap; 0
    if one didn't."""
    total = 0
    for _ in range(rounds):
        before = sys.getallocatedblocks()
        nomem.attempt(function, n, count, 0)
        gc.collect()
        grown = sys.getallocatedblocks() - before
        if grown <= 0:
            return 0
        total += grown
    return total // rounds


class Tester:
    def __init__(self, name, function, options):
        self.name, self.function, self.options = name, function, options
        self.expected = repr(function())
        function()

    def attempt(self, n, count):
        """Whether an allocation failed."""
        try:
            value, error, failures = nomem.attempt(
                self.function, n, count, self.options["trace"])
        except SystemError as e:
            self.bad(n, count, f"SystemError: {e}, {e.__context__!r}")
            return True
        if error is None:
            if self.name not in programs.LENIENT \
                    and repr(value) != self.expected:
                self.bad(n, count, "wrong result " + self.unlike(value))
        elif failures == 0 or (isinstance(error, SystemError)
                               and self.name not in programs.FOREIGN):
            self.bad(n, count, f"{type(error).__name__}: {error}")
        elif not isinstance(error, MemoryError):
            say(f"other {type(error).__name__} {self.name} {n} {count} "
                f"{error!s:.100}")
        value = error = None
        return failures > 0

    def unlike(self, value):
        """Where its text begins to differ from the right one."""
        text = repr(value)
        at = len(os.path.commonprefix([text, self.expected]))
        start = max(0, at - 20)
        return f"...{text[start:at + 40]}, " \
            f"not ...{self.expected[start:at + 40]}"

    def bad(self, n, count, text):
        text = text.replace("\n", " ")
        say(f"bad {self.name} {n} {'all' if count == ALL else count}: {text}")

    def leaks(self, n, count):
        if self.options["repeat"] < 2:
            return
        before = sys.getallocatedblocks()
        self.attempt(n, count)
        if sys.getallocatedblocks() <= before:
            return
        gc.collect()
        if growth(self.function, n, count, 2) <= 0:
            return
        for _ in range(600):  # fills whatever has room for something
            nomem.attempt(self.function, n, count, 0)
        gc.collect()
        grown = growth(self.function, n, count, self.options["repeat"])
        if grown > 0:
            self.bad(n, count, f"leak of {grown} blocks")

    def run(self):
        n, last = self.options["first"], self.options["last"]
        misses = 0
        while misses < 3 and n <= last:
            reached = False
            for count in self.options["counts"]:
                say(f"at {self.name} {n} {count}")
                if self.attempt(n, count or ALL):
                    reached = True
                    self.leaks(n, count or ALL)
            misses = 0 if reached else misses + 1
            if n % 16 == 0 or misses:
                again = self.function()
                if repr(again) != self.expected:
                    self.bad(n, 1, "differs afterwards " + self.unlike(again))
                    break
            n += self.options["step"]
        say(f"end {self.name} {n}")


def main():
    options = json.loads(sys.argv[2])
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda args: None
    gc.collect()
    for name in options["programs"]:
        tester = Tester(name, programs.ALL[name], options)
        gc.collect()
        gc.freeze()
        tester.run()
        options["first"] = 1


if __name__ == "__main__":
    main()
