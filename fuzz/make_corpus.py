#!/usr/bin/python3.11
"""make_corpus.py FOLDER: writes seeds for fuzz_marshal and fuzz_pyc.

They are made from fuzz/corpus/source, the one place where seeds are written by
hand, and from a few values; any Python 3.11 may run this.
"""
import marshal
import os
import struct
import sys
import importlib.util

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "corpus", "source")
KINDS = ["exec", "eval", "single"]


def cyclic():
    items = [1]
    items.append(items)
    return items


def nested(n):
    value = ()
    for _ in range(n):
        value = (value,)
    return value


VALUES = [
    None, True, ..., StopIteration, 0, -1, 2**31, -2**63, 10**40, 1.5,
    float("inf"), 2 - 3j, "", "abc", "\u00e9\u20ac", "\U0001f600", "\ud800",
    b"", b"\x00\xff", (), (1, (2, (3,))), [1, [2], []], {1: 2, "a": [3]},
    {1, "b"}, frozenset({1, (2, 3)}), ("same",) * 300, cyclic(), nested(50),
]


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def codes():
    for name in sorted(os.listdir(SOURCE)):
        with open(os.path.join(SOURCE, name), "rb") as f:
            data = f.read()
        kind = data[0] - 32 & 3 if data else 3
        try:
            if kind < 3:
                yield name, compile(data[1:], name, KINDS[kind], 0, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass


def main(folder):
    for i, value in enumerate(VALUES):
        for version in (0, 2, 4):
            try:
                data = marshal.dumps(value, version)
            except ValueError:  # a cycle, which old versions can't have
                continue
            write(f"{folder}/marshal", f"value-{i:02}-{version}", data)
    head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, 0, 0)
    for name, code in codes():
        data = marshal.dumps(code)
        write(f"{folder}/marshal", f"code-{name}", data)
        write(f"{folder}/pyc", name, head + data)


if __name__ == "__main__":
    main(sys.argv[1])
