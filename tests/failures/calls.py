"""The part of calls_fail.py that runs under both Pythons:

    calls.py WHAT REPEAT     WHAT is "types", "native_types" or a module

Calls every callable of it with each of a table of odd arguments. Says for each
call in a line of JSON what came of it: [callable, arguments, outcome, message].
With REPEAT above 0 a call that fails is repeated so often, and ["leak", ...] is
said of one that left a block of memory each time. ["at", ...] goes before each
call to standard error, so that the last one is known after a crash.
"""
import gc
import importlib
import json
import os
import re
import sys
import types
import warnings


class Bad:
    """Whatever is asked of it fails."""


def failing(name):
    def method(self, *args, **kw):
        raise ZeroDivisionError(name)
    return method


for name in """index int float complex hash eq ne lt le gt ge iter next len
        getitem setitem delitem contains call bool fspath enter exit format
        bytes add radd sub mul rmul or ror and xor getattr length_hint
        reversed buffer round trunc abs neg str repr""".split():
    if name not in ("getattr", "str", "repr"):
        setattr(Bad, f"__{name}__", failing(name))


def function(x, y=1):
    return x


def generator():
    yield 1
    yield 2


async def coroutine():
    return 1


async def agen():
    yield 1


def frame():
    return sys._getframe()


def trace():
    try:
        1 / 0
    except ZeroDivisionError as e:
        return e.__traceback__


def no_await(c):
    c.close()
    return c


class Thing:
    x = 1

    def f(self):
        return 1

    @property
    def p(self):
        return 1


def native_samples():
    """What native modules make that no other module needs."""
    import _queue
    import _sha3
    import bz2
    import hashlib
    import lzma
    import mmap
    import pyexpat
    import select
    import socket
    import time
    import unicodedata
    import xml.etree.ElementTree as ElementTree
    import zoneinfo
    yield from (
        lambda: mmap.mmap(-1, 4096), _queue.SimpleQueue,
        bz2.BZ2Compressor, bz2.BZ2Decompressor,
        lambda: lzma.LZMACompressor(preset=0),
        lzma.LZMADecompressor, hashlib.sha256, hashlib.md5, hashlib.sha512,
        lambda: hashlib.shake_128(), hashlib.blake2b, hashlib.blake2s,
        lambda: _sha3.sha3_224(), lambda: __import__("_md5").md5(),
        lambda: __import__("_sha1").sha1(),
        lambda: __import__("_sha256").sha256(),
        lambda: hashlib.new("sha1"),
        select.poll, lambda: socket.socket(), lambda: time.gmtime(0),
        lambda: unicodedata.ucd_3_2_0, lambda: ElementTree.Element("a"),
        lambda: ElementTree.TreeBuilder(), lambda: ElementTree.XMLParser(),
        lambda: ElementTree.Element("a").iter(), pyexpat.ParserCreate,
        lambda: os.scandir("."), lambda: os.stat("."),
        lambda: re.compile("a").scanner("a"), lambda: re.finditer("a", "a"),
        lambda: zoneinfo.ZoneInfo.no_cache("UTC"),
        lambda: iter(memoryview(b"a")), lambda: iter(bytearray(b"a")),
        lambda: iter({1: 2}.items()), lambda: iter({1: 2}.values()),
        lambda: reversed({1: 2}), lambda: iter([1]).__reduce__()[0],
        lambda: struct_iterator(), lambda: agen().asend(None),
        lambda: agen().athrow(ValueError), lambda: agen().aclose(),
        lambda: no_await(coroutine()).__await__(),
        lambda: function.__code__.co_positions(),
        lambda: function.__code__.co_lines(),
        lambda: BaseExceptionGroup("g", [ValueError()]),
        lambda: __import__("_weakref").ref, lambda: type(function),
        lambda: __import__("_string").formatter_parser("{0}"), lambda: (x for x in ()),
        lambda: list[int].__mro_entries__, lambda: sys.flags,
        lambda: iter(list[int]), lambda: sys.float_info)


def struct_iterator():
    import struct
    return struct.iter_unpack("b", b"a")


def samples():
    """Functions that make an instance of each type."""
    import _io
    import array
    import collections
    import contextvars
    import datetime
    import functools
    import io
    import itertools
    import operator
    import pickle
    import random
    import struct
    import weakref
    import zlib
    import _struct
    import _csv
    import _thread
    thing = Thing()
    i = itertools
    yield from (
        lambda: "abc", lambda: b"abc", lambda: bytearray(b"abc"), lambda: 5,
        lambda: 2.5, lambda: 1j, lambda: True, lambda: [1, 2],
        lambda: (1, 2), lambda: {1: 2}, lambda: {1, 2}, lambda: None,
        lambda: frozenset([1]), lambda: range(5), lambda: slice(1, 2),
        lambda: memoryview(bytearray(b"abc")), lambda: ..., object, Thing,
        lambda: NotImplemented, lambda: iter([1]), lambda: iter(()),
        lambda: iter("a"), lambda: iter(b"a"), lambda: iter({1: 2}),
        lambda: iter({1}), lambda: iter(range(3)), lambda: reversed([1]),
        lambda: iter(int, 1), lambda: {1: 2}.keys(), lambda: {1: 2}.values(),
        lambda: {1: 2}.items(), lambda: types.MappingProxyType({1: 2}),
        generator, lambda: no_await(coroutine()), agen,
        lambda: function, lambda: len, lambda: thing.f, lambda: "a".join,
        lambda: str.join, lambda: int.__add__, lambda: (1).__add__,
        lambda: dict.__dict__["fromkeys"], lambda: function.__code__,
        lambda: types.FunctionType.__code__, frame, trace,
        lambda: types.ModuleType("m"), lambda: property(function),
        lambda: classmethod(function), lambda: staticmethod(function),
        lambda: super(Thing, thing), lambda: type("T", (), {}),
        lambda: enumerate([1]), lambda: zip([1]), lambda: map(str, [1]),
        lambda: filter(None, [1]), lambda: types.CellType(1),
        lambda: list[int], lambda: int | str, lambda: ValueError("m"),
        lambda: OSError(1, "m"), lambda: KeyError(1), lambda: SyntaxError("m"),
        lambda: StopIteration(1), lambda: ImportError("m"),
        lambda: UnicodeDecodeError("utf-8", b"x", 0, 1, "r"),
        lambda: ExceptionGroup("g", [ValueError()]),
        lambda: types.SimpleNamespace(a=1), lambda: sys.version_info,
        lambda: weakref.ref(thing), lambda: weakref.proxy(thing),
        lambda: collections.deque([1, 2]), lambda: collections.OrderedDict(a=1),
        lambda: collections.defaultdict(list), lambda: functools.partial(len),
        lambda: functools.lru_cache()(function),
        lambda: functools.cmp_to_key(function)(1), lambda: i.count(1),
        lambda: i.cycle([1]), lambda: i.chain([1]), lambda: i.repeat(1, 2),
        lambda: i.islice([1], 1), lambda: i.product([1]), lambda: i.tee([1])[0],
        lambda: i.groupby([1]), lambda: i.accumulate([1]),
        lambda: i.combinations([1, 2], 1), lambda: i.permutations([1]),
        lambda: i.zip_longest([1]), lambda: i.pairwise([1]),
        lambda: i.starmap(len, [1]), lambda: i.takewhile(len, [1]),
        lambda: re.compile("a"), lambda: re.match("a", "a"),
        lambda: io.BytesIO(b"abc"), lambda: io.StringIO("abc"),
        lambda: io.TextIOWrapper(io.BytesIO(b"abc")),
        lambda: io.BufferedReader(io.BytesIO(b"abc")),
        lambda: io.BufferedWriter(io.BytesIO()),
        lambda: io.BufferedRandom(io.BytesIO()),
        lambda: io.IncrementalNewlineDecoder(None, True),
        lambda: array.array("i", [1]), lambda: struct.Struct("i"),
        lambda: datetime.date(2000, 1, 1), lambda: datetime.time(1),
        lambda: datetime.datetime(2000, 1, 1), lambda: datetime.timedelta(1),
        lambda: datetime.timezone.utc, lambda: contextvars.ContextVar("v"),
        contextvars.Context, lambda: random.Random(1),
        lambda: _csv.writer(io.StringIO()), lambda: _csv.reader(["a"]),
        lambda: _csv.Dialect(), lambda: pickle.Pickler(io.BytesIO()),
        lambda: pickle.Unpickler(io.BytesIO(b"N.")),
        lambda: operator.itemgetter(1), lambda: operator.attrgetter("a"),
        lambda: operator.methodcaller("a"), _thread.allocate_lock,
        _thread.RLock, lambda: zlib.compressobj(), lambda: zlib.decompressobj())
    yield from more_samples()


def more_samples():
    """The types of modules that fewer programs use."""
    import _json
    import ast
    import asyncio
    import bz2
    import collections
    import contextvars
    import hashlib
    import hmac
    import io
    import lzma
    import mmap
    import operator
    import pyexpat
    import queue
    import select
    import socket
    import struct
    import threading
    import time
    import unicodedata
    import weakref
    import xml.etree.ElementTree as etree
    import zoneinfo
    from array import array
    thing = Thing()
    context = types.SimpleNamespace(
        strict=True, object_hook=None, object_pairs_hook=None, parse_int=int,
        parse_float=float, parse_constant=float)
    yield from (
        lambda: hashlib.md5(b"a"), lambda: hashlib.sha3_256(b"a"),
        lambda: hashlib.shake_128(b"a"), lambda: hashlib.blake2b(b"a"),
        lambda: hashlib.blake2s(b"a"), lambda: hmac.new(b"k", b"a", "md5"),
        lambda: hashlib.new("sha512"), lambda: bz2.BZ2Compressor(),
        lambda: bz2.BZ2Decompressor(), lambda: lzma.LZMACompressor(),
        lambda: lzma.LZMADecompressor(), lambda: etree.Element("a"),
        lambda: etree.Element("a").iter(), lambda: etree.TreeBuilder(),
        lambda: etree.XMLParser(), lambda: pyexpat.ParserCreate(),
        lambda: queue.SimpleQueue(), lambda: mmap.mmap(-1, 3), select.poll,
        lambda: os.stat("/"), lambda: os.times(), lambda: os.scandir("/proc/1"),
        lambda: time.gmtime(0),
        lambda: zoneinfo.ZoneInfo("UTC"), lambda: struct.iter_unpack("b", b"a"),
        lambda: re.compile("a").scanner("a"), lambda: re.finditer("a", "a"),
        lambda: _json.make_scanner(context), lambda: ast.Load(),
        lambda: ast.Name("a", ast.Load()), lambda: threading.local(),
        lambda: contextvars.ContextVar("v").set(1),
        lambda: contextvars.Context().items(),
        lambda: contextvars.Context().keys(), lambda: iter(array("i", [1])),
        lambda: iter(collections.deque([1])), lambda: iter(memoryview(b"a")),
        lambda: reversed(collections.deque([1])),
        lambda: iter(collections.OrderedDict(a=1)),
        lambda: reversed(collections.OrderedDict(a=1)),
        lambda: collections.OrderedDict(a=1).items(),
        lambda: iter({1: 2}.items()), lambda: reversed({1: 2}.values()),
        lambda: function.__code__.co_lines(),
        lambda: function.__code__.co_positions(), lambda: agen().__aiter__(),
        lambda: agen().asend(None), lambda: agen().athrow(ValueError),
        lambda: list[int].__args__, lambda: iter(list[int]),
        lambda: weakref.proxy(function), lambda: weakref.WeakMethod(thing.f),
        lambda: unicodedata.ucd_3_2_0, lambda: sys.flags,
        lambda: sys.float_info, lambda: sys.hash_info, lambda: sys.implementation,
        lambda: io.FileIO("/dev/null"), lambda: io.BufferedRWPair(
            io.BytesIO(b"abc"), io.BytesIO()),
        lambda: os.DirEntry, lambda: BaseException("m"),
        lambda: NameError("m"), lambda: AttributeError("m"),
        lambda: SystemExit(1), lambda: UnicodeEncodeError(
            "utf-8", "x", 0, 1, "r"),
        lambda: UnicodeTranslateError("x", 0, 1, "r"),
        lambda: BlockingIOError(1, "m", 2), lambda: MemoryError(),
        lambda: pyexpat.ExpatError("m"), lambda: type(thing).p,
        lambda: type(thing).p.fget, lambda: dict.__dict__["get"],
        lambda: Thing.__dict__["__dict__"], lambda: object.__init__,
        lambda: type.__dict__["__name__"], lambda: range(2 ** 70),
        lambda: iter(range(2 ** 70)), lambda: operator.itemgetter(1, 2),
        lambda: socket.socket(), lambda: asyncio.Future(loop=LOOP),
        lambda: asyncio.Task(no_await(coroutine()), loop=LOOP))


class Loop:
    """What futures want of an event loop."""
    def get_debug(self):
        return False

    def call_soon(self, *args, **kw):
        return None

    def call_exception_handler(self, context):
        return None


LOOP = Loop()


ARGUMENTS = [
    ("", (), {}), ("None", (None,), {}), ("1", (1,), {}), ("-1", (-1,), {}),
    ("big", (2 ** 100,), {}), ("-big", (-2 ** 100,), {}), ("'a'", ("a",), {}),
    ("'\\udc80'", ("\udc80",), {}), ("'\\0'", ("\0",), {}),
    ("b'a'", (b"a",), {}), ("1.5", (1.5,), {}), ("[]", ([],), {}),
    ("()", ((),), {}), ("{}", ({},), {}), ("object", (object(),), {}),
    ("int", (int,), {}), ("Bad", (Bad(),), {}), ("1, 2", (1, 2), {}),
    ("'a', 'b'", ("a", "b"), {}), ("None, None", (None, None), {}),
    ("'a', 1", ("a", 1), {}), ("1, 'a'", (1, "a"), {}),
    ("Bad, Bad", (Bad(), Bad()), {}), ("'a', Bad", ("a", Bad()), {}),
    ("1, Bad", (1, Bad()), {}), ("[], Bad", ([], Bad()), {}),
    ("b'a', b'b'", (b"a", b"b"), {}), ("[1], [2]", ([1], [2]), {}),
    ("big, big", (2 ** 100, 2 ** 100), {}), ("1, 2, 3", (1, 2, 3), {}),
    ("'a', 'b', 'c'", ("a", "b", "c"), {}), ("None * 3", (None,) * 3, {}),
    ("Bad * 3", (Bad(),) * 3, {}), ("1, 1, Bad", (1, 1, Bad()), {}),
    ("None * 4", (None,) * 4, {}), ("None * 5", (None,) * 5, {}),
    ("1 * 7", (1,) * 7, {}), ("None * 20", (None,) * 20, {}),
    ("nope=1", (), {"nope": 1}), ("1, nope=1", (1,), {"nope": 1}),
    ("'a', nope=1", ("a",), {"nope": 1}),
    ("0", (0,), {}), ("True", (True,), {}), ("2**63", (2 ** 63,), {}),
    ("-2**63 - 1", (-2 ** 63 - 1,), {}), ("1j", (1j,), {}),
    ("nan", (float("nan"),), {}), ("inf", (float("inf"),), {}),
    ("''", ("",), {}), ("b''", (b"",), {}), ("b'a\\0'", (b"a\0",), {}),
    ("bytearray", (bytearray(b"a"),), {}), ("range", (range(3),), {}),
    ("memoryview", (memoryview(b"a"),), {}), ("[1.5]", ([1.5],), {}),
    ("['a']", (["a"],), {}), ("{1: 2}", ({1: 2},), {}),
    ("0, 0", (0, 0), {}), ("1.5, 1.5", (1.5, 1.5), {}),
    ("b'a', 1", (b"a", 1), {}), ("[1], 1", ([1], 1), {}),
    ("[], 2**63", ([], 2 ** 63), {}), ("int, 1", (int, 1), {}),
    ("1, int", (1, int), {}), ("(1,), {}", ((1,), {}), {}),
    ("len, [1]", (len, [1]), {}), ("'', ''", ("", ""), {}),
    ("'a', None", ("a", None), {}), ("b'a', None", (b"a", None), {}),
    ("b'a', 'b'", (b"a", "b"), {}), ("[1], 'a'", ([1], "a"), {}),
    ("'\\udc80', 'a'", ("\udc80", "a"), {}),
    ("'a', '\\udc80'", ("a", "\udc80"), {}),
    ("'a', '\\0'", ("a", "\0"), {}), ("'\\0', 'a'", ("\0", "a"), {}),
    ("b'a', Bad", (b"a", Bad()), {}), ("[1], Bad", ([1], Bad()), {}),
    ("None, Bad", (None, Bad()), {}), ("Bad, None", (Bad(), None), {}),
    ("Bad, 1", (Bad(), 1), {}), ("'a', 'b', 1", ("a", "b", 1), {}),
    ("b'a', 'b', 'c'", (b"a", "b", "c"), {}),
    ("b'a', 'b', Bad", (b"a", "b", Bad()), {}),
    ("'a', 'b', Bad", ("a", "b", Bad()), {}),
    ("'a', (), {}", ("a", (), {}), {}),
    ("'a', 1, 2**63", ("a", 1, 2 ** 63), {}),
    ("1, 1, 1, Bad", (1, 1, 1, Bad()), {}), ("key=1", (), {"key": 1}),
    ("'a', default=1", ("a",), {"default": 1}),
    ("1, 2, nope=1", (1, 2), {"nope": 1}),
    ("nope=1, none=2", (), {"nope": 1, "none": 2}),
]

# What ends, blocks, changes the process, prints, counts for ages, crashes
# python3.11 (a thread's id or a reader made from nothing) or is meant to
# differ (the numbers of pseudo-instructions; the type of sha384 objects, for
# which python3.11 shows that of sha512; states of range iterators that are no
# ints; attributes of the one function that all samples share).
SKIPPED = set("""
    SimpleQueue.get poll.poll FileIO.__init__ socket.__init__ socket.detach
    socket.*connect* socket.bind
    socket.accept socket.recv* socket.listen mmap.resize mmap.__new__
    gethostby* _socket.get*host* _socket.getaddrinfo _socket.getnameinfo
    _socket.sethostname _socket.close _socket.setdefaulttimeout fcntl.*lock*
    resource.setrlimit resource.prlimit
    time.pthread_getcpuclockid _csv.Reader _csv.Writer _operator.pow
    longrange_iterator.__setstate__ function.__setattr__ function.__delattr__
    CallableProxyType.__setattr__ CallableProxyType.__delattr__
    _operator.ipow _opcode.stack_effect _sha512.SHA*Type
    SimpleQueue.get SimpleQueue.__init__ poll.poll socket.bind
    socket.listen socket.accept socket.connect* socket.close socket.detach
    socket.send* socket.recv* socket.shutdown socket.set* socket.get*
    input breakpoint exit quit help copyright credits license print open
    int.__pow__ int.__rpow__ pow int.__round__
    sys.exit sys.breakpointhook sys.set* sys.settrace sys.setprofile sys._clear*
    sys._debugmallocstats sys.displayhook sys.__displayhook__
    sys.__breakpointhook__ sys.__unraisablehook__ sys.unraisablehook
    sys.__excepthook__ sys.excepthook sys.addaudithook sys._enablelegacy*
    sys.activate_stack_trampoline sys._current_frames sys._current_exceptions
    gc.* time.sleep time.clock_settime* time.set* time.tzset
    _thread.interrupt_main _thread.exit* _thread.stack_size
    _thread.start_new* _thread._excepthook _thread.daemon* _thread._set_sentinel
    atexit._run_exitfuncs atexit.register atexit._clear faulthandler.*
    _imp.lock_held _imp.acquire_lock _imp.release_lock _imp.create_builtin
    _imp.exec_builtin _imp.exec_dynamic _imp.create_dynamic _imp._override*
    _locale.setlocale _tracemalloc.start _warnings._filters_mutated
    _io.FileIO _io.open _io.open_code *.__init_subclass__ *.__subclasses__
    type.mro *.__subclasshook__ frame.f_* _random.* Random.* _lsprof.*
    itertools.count.__reduce__ _symtable.*
    select.select select.epoll_wait errno.* _codecs.register
    _codecs.register_error _abc._reset* _functools._lru* *.__del__
    builtins.__build_class__ *.__class__ _asyncio._enter* _asyncio._leave*
""".split())


# Of a module that could do harm, only this is called.
ONLY = {
    "posix": set("""
        access confstr cpu_count ctermid device_encoding fpathconf fsdecode
        fspath fstat fstatvfs get_blocking get_inheritable get_terminal_size
        getcwd getcwdb getgrouplist getloadavg getpgid getpriority getsid
        getxattr isatty listdir listxattr lseek lstat major makedev minor
        pathconf readlink scandir sched_getaffinity sched_getparam
        sched_getscheduler sched_get_priority_max sched_get_priority_min stat
        statvfs strerror sysconf ttyname unsetenv times stat_result
        statvfs_result terminal_size times_result uname_result DirEntry
        sched_param tcgetpgrp waitstatus_to_exitcode posix_fadvise
        sched_rr_get_interval WIFEXITED WEXITSTATUS WIFSIGNALED WTERMSIG
        WIFSTOPPED WSTOPSIG WCOREDUMP WIFCONTINUED getenv environ get_exec_path
        getlogin getppid getuid sched_yield urandom getrandom
        dup pipe2 memfd_create eventfd pidfd_open""".split()),
    "_signal": set("""
        getsignal strsignal valid_signals sigpending getitimer
        default_int_handler struct_siginfo ItimerError""".split()),
    "syslog": {"LOG_MASK", "LOG_UPTO"},
}


def skipped(name):
    import fnmatch
    module, _, rest = name.partition(".")
    if module in ONLY and rest not in ONLY[module]:
        return True
    return any(fnmatch.fnmatchcase(name, pattern)
               or name == "builtins." + pattern for pattern in SKIPPED)


def callables(what):
    """Name, and a function that makes the callable and its first arguments."""
    if what not in ("types", "native_types"):
        module = importlib.import_module(what)
        for name in sorted(vars(module)):
            value = getattr(module, name)
            if callable(value) and (isinstance(value, type) or isinstance(
                    value, types.BuiltinFunctionType)):
                if getattr(value, "__module__", what) in (what, None, "posix",
                        "builtins") or what.startswith("_"):
                    yield f"{what}.{name}", lambda v=value: (v, ())
        return
    seen = set()
    for make in samples() if what == "types" else native_samples():
        cls = type(make())
        for base in cls.__mro__:
            if base is object and cls is not object or base in seen:
                continue
            seen.add(base)
            for name in sorted(vars(base)):
                if callable(getattr(base, name, None)):
                    yield f"{base.__name__}.{name}", \
                        lambda m=make, b=base, n=name: bound(m(), b, n)


def bound(value, base, name):
    attribute = vars(base)[name]
    if isinstance(attribute, (staticmethod, classmethod)) or isinstance(
            attribute, (types.ClassMethodDescriptorType,
                        types.BuiltinFunctionType)):
        return getattr(base, name), ()
    return attribute, (value,)


def clean(text):
    return re.sub(r"0x[0-9a-f]+", "0x", text)[:300]


def outcome(make, args, kw):
    f, first = make()
    try:
        value = f(*first, *args, **kw)
    except BaseException as e:
        return type(e).__name__, clean(ascii(str(e)))
    return "-> " + type(value).__name__, ""


def repeat(make, args, kw, times):
    for _ in range(times):
        try:
            f, first = make()
            f(*first, *args, **kw)
        except BaseException:
            pass


def leaks(make, args, kw, times):
    repeat(make, args, kw, 5)
    before = sys.getallocatedblocks()
    repeat(make, args, kw, times)
    if sys.getallocatedblocks() - before < times - 5:
        return 0
    repeat(make, args, kw, 1000)  # fills whatever has room for something
    gc.collect()
    before = sys.getallocatedblocks()
    repeat(make, args, kw, times)
    gc.collect()
    return max(0, sys.getallocatedblocks() - before - 5)


def main():
    what, times = sys.argv[1], int(sys.argv[2])
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda args: None
    out = os.fdopen(os.dup(1), "w")
    progress = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    real_stdout = sys.stdout
    everything = list(callables(what))
    gc.collect()
    gc.freeze()
    for name, make in everything:
        if skipped(name):
            continue
        for label, args, kw in ARGUMENTS:
            os.pwrite(progress, f"{name}({label})".ljust(200).encode(), 0)
            args = tuple(a.copy() if type(a) in (list, dict) else a
                         for a in args)
            result = outcome(make, args, kw)
            print(json.dumps([name, label, *result]), file=out)
            if times and not result[0].startswith("->"):
                grown = leaks(make, args, kw, times)
                if grown:
                    print(json.dumps(["leak", f"{name}({label})", grown,
                                      times]), file=out)
    out.flush()
    sys.stdout = real_stdout
    os._exit(0)


if __name__ == "__main__":
    main()
