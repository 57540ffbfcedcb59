#!/usr/bin/python3.11
"""Calls with odd arguments: like python3.11, without crash or leak.

    tests/failures/calls_fail.py [--krait PATH] [--repeat N] [--only NAMES]

Every method of built-in types and every function and type of native modules is
called with a table of arguments (calls.py). The type of the exception, or of
the result, must be the reference's; --messages compares the texts too. A failing
call repeated N times (200) must not grow the heap.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
REFERENCE = "/usr/bin/python3.11"

GROUPS = """types native_types builtins _abc _ast _bisect _codecs _collections
    _contextvars _csv _datetime _functools _heapq _imp _io _json _locale _operator _pickle
    _sha1 _sha256 _sha512 _sha3 _md5 _blake2 _sre _stat _statistics _string
    _struct _symtable _thread _tracemalloc _typing _warnings _weakref array
    atexit audioop binascii cmath itertools marshal math select sys time
    unicodedata zlib _bz2 _lzma _random _opcode _queue _uuid _zoneinfo
    _elementtree pyexpat _asyncio _crypt grp pwd posix _signal _socket
    _posixsubprocess _tokenize fcntl mmap resource spwd syslog termios _hashlib
    xxsubtype""".split()


def outcomes(python, what, repeat=0, timeout=550):
    """(results by call, leaks, None or how the process ended)."""
    with tempfile.TemporaryDirectory() as folder, \
            tempfile.TemporaryFile("w+b") as errors:
        try:
            done = subprocess.run(
                [python, f"{HERE}/calls.py", what, str(repeat)], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors, timeout=timeout,
                env=dict(os.environ, PYTHONHASHSEED="0", TZ="UTC"))
            status, text = done.returncode, done.stdout
        except subprocess.TimeoutExpired as e:
            status, text = "timeout", e.stdout or b""
        errors.seek(0)
        said = errors.read()
    results, leaks = {}, []
    for line in text.decode().splitlines():
        try:
            first, second, *rest = json.loads(line)
        except ValueError:
            continue
        if first == "leak":
            leaks.append(f"{second} leaves {rest[0]} blocks in {rest[1]}")
        else:
            results[first, second] = rest
    problem = None
    if status != 0:
        problem = f"{what}: status {status} after {said[:200].decode()}\n" \
            + said[200:].decode(errors="replace")[-1500:]
    return results, leaks, problem


def check(krait, what, repeat=0, messages=False):
    """(number of calls, list of problems)"""
    mine, problems, crash = outcomes(krait, what, repeat)
    theirs, _, _ = outcomes(REFERENCE, what)
    if crash:
        problems.append(crash)
    for call, (kind, text) in theirs.items():
        got = mine.get(call)
        if got is None or got == [kind, text]:
            continue
        if got[0] != kind or (messages and kind != "SystemError"):
            problems.append(f"{call[0]}({call[1]}): {' '.join(got)}, not "
                            f"{kind} {text}")
    return len(mine), problems


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--krait", default=f"{TOP}/build/dev/krait")
    parser.add_argument("--repeat", type=int, default=200)
    parser.add_argument("--messages", action="store_true")
    parser.add_argument("--only")
    args = parser.parse_args()
    total = bad = 0
    for what in args.only.split(",") if args.only else GROUPS:
        n, problems = check(os.path.abspath(args.krait), what, args.repeat,
                            args.messages)
        total, bad = total + n, bad + len(problems)
        print(f"== {what}: {n} calls", flush=True)
        for text in problems:
            print(text, flush=True)
    print(f"{total} calls, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
