"""The part of cycles_leak.py that runs under the tested Python:

    cycles.py TIMES ROUNDS NAMES     NAMES with commas

Calls each program TIMES times, and again up to ROUNDS times as often as long as
that leaves blocks of memory or resident pages behind. Says in a line of JSON for
each: [name, blocks left, KiB left], of the best round. The programs of
programs.py take part, and the programs below, which make and end what those
don't.
"""
import array
import asyncio
import bz2
import contextlib
import contextvars
import ctypes
import gc
import hashlib
import importlib
import io
import json
import lzma
import mmap
import multiprocessing.shared_memory
import os
import pickle
import queue
import re
import select
import selectors
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import types
import warnings
import weakref
import xml.etree.ElementTree as ElementTree
import zlib
import zoneinfo

import programs

ALL = {}
# Threads, processes and interpreters, and what takes some time.
SLOW = {"asyncio_run", "async_functions", "contexts_of_ssl", "compressors",
        "databases", "executor", "interpreters", "running_threads",
        "sqlite_objects", "subprocesses"}


def program(function):
    ALL[function.__name__] = function
    return function


@program
def reload_modules():
    for name in ("bisect", "heapq", "colorsys", "stat", "struct", "keyword"):
        importlib.reload(importlib.import_module(name))


@program
def drop_modules():
    for name in ("this_is_new", "colorsys", "sched", "bdb"):
        sys.modules.pop(name, None)
    import colorsys
    import sched
    sys.modules["this_is_new"] = types.ModuleType("this_is_new", "doc")
    import this_is_new
    this_is_new.f = lambda: this_is_new


@program
def drop_native_modules():
    for name in ("_json", "_bisect", "_heapq", "_struct", "_random", "math",
                 "_csv", "_queue", "_statistics", "binascii"):
        old = sys.modules.pop(name, None)
        importlib.import_module(name)
        if old is not None:
            sys.modules[name] = old


@program
def executed_code():
    space = {}
    exec("import math\nclass C:\n  def f(self): return math.pi\n"
         "def g(): yield 1\nx = [i for i in g()]\nc = C().f()", space)
    eval("lambda *a, k=1, **kw: (a, k, kw)", space)(1, 2, z=3)
    with contextlib.suppress(SyntaxError):
        compile("def f(:", "f", "exec")


@program
def created_classes():
    class Meta(type):
        def __new__(cls, name, bases, space, **kw):
            return super().__new__(cls, name, bases, space)

    class A(metaclass=Meta, option=1):
        __slots__ = ("a", "__weakref__")

        def __del__(self):
            self.a = None

    class B(A):
        def m(self):
            return super().m

        @property
        def p(self):
            return self
    b = B()
    b.me = b
    b.a = weakref.ref(b)
    type("T", (list,), {"x": 1})([1]).append(2)
    B.__bases__ = (A,)


@program
def closed_generators():
    def g():
        try:
            with contextlib.suppress(ValueError):
                yield from (x for x in [1, 2, 3])
        finally:
            list(range(3))

    a, b, c = g(), g(), g()
    next(a), next(b)
    a.close()
    del b
    with contextlib.suppress(KeyError):
        c.throw(KeyError("x"))

    async def ag():
        yield 1
    it = ag().__aiter__()
    with contextlib.suppress(StopIteration):
        it.__anext__().send(None)
    with contextlib.suppress(StopIteration):
        it.aclose().send(None)


@program
def kept_tracebacks():
    def f(n):
        if n:
            return f(n - 1)
        raise ValueError("x") from KeyError("y")
    try:
        f(5)
    except ValueError as e:
        e.self = e
        e.with_traceback(e.__traceback__.tb_next).add_note("n")
        frame = e.__traceback__.tb_frame
        frame.f_locals
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError:
        pass
    except* TypeError as e:
        e.split(TypeError)
    with contextlib.suppress(RecursionError):
        def deep():
            deep()
        deep()


@program
def running_threads():
    local = threading.local()
    done = queue.SimpleQueue()

    def work(n):
        local.x = [n]
        done.put(threading.current_thread().name)
    workers = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    condition = threading.Condition(threading.RLock())
    with condition:
        condition.wait(0.0001)
    threading.Timer(5, int).cancel()


@program
def executor():
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(len, ["a", "b"]))
        f = pool.submit(int, "x")
        f.exception()


@program
def interpreters():
    import _xxsubinterpreters as interp
    i = interp.create()
    with contextlib.suppress(interp.RunFailedError):
        interp.run_string(i, "import json, re, struct\nraise ValueError(1)")
    interp.destroy(i)
    channel = interp.channel_create()
    interp.channel_send(channel, b"x")
    interp.channel_recv(channel)
    interp.channel_destroy(channel)


@program
def context_variables():
    var = contextvars.ContextVar("v", default=1)
    token = var.set([1])
    other = contextvars.copy_context()
    other.run(var.set, 5)
    var.reset(token)
    list(other.items())


@program
def weak_things():
    class C:
        pass
    c = C()
    r = [weakref.ref(c, lambda r: None), weakref.proxy(c), weakref.ref(c)]
    weakref.finalize(c, len, "x")
    d = weakref.WeakKeyDictionary({c: 1})
    s = weakref.WeakSet([c])
    v = weakref.WeakValueDictionary(a=c)
    weakref.WeakMethod(types.MethodType(len, c))
    c.cycle = c, r, d
    del c
    return len(s) + len(v)


@program
def asyncio_run():
    async def child(n):
        await asyncio.sleep(0)
        return n

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(child(1))
        await asyncio.gather(child(2), child(3))
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(0.0001):
                await asyncio.sleep(1)
        t = asyncio.create_task(child(4))
        t.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await t
        q = asyncio.Queue()
        await q.put(1)
        async with asyncio.Lock():
            await q.get()
        server = await asyncio.start_server(lambda r, w: w.close(),
                                            "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.read()
        writer.close()
        server.close()
        await server.wait_closed()
        await asyncio.to_thread(len, "x")
    asyncio.run(main())


@program
def subprocesses():
    subprocess.run(["/bin/cat"], input=b"x", capture_output=True, check=True)
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["/nonexistent"])
    with subprocess.Popen(["/bin/true"], stdout=subprocess.PIPE) as p:
        p.wait()


@program
def socket_pairs():
    a, b = socket.socketpair()
    with a, b, a.makefile("rwb") as f:
        f.write(b"hello\n")
        f.flush()
        b.recv(3)
        b.recv_into(bytearray(3))
        socket.send_fds(a, [b"x"], [0])
        for fd in socket.recv_fds(b, 10, 2)[1]:
            os.close(fd)
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 5000)
        select.select([a], [b], [], 0)
        p = select.poll()
        p.register(a)
        p.poll(0)
        with select.epoll() as e:
            e.register(a.fileno())
            e.poll(0)
        with selectors.DefaultSelector() as s:
            s.register(a, selectors.EVENT_READ, [1])
            s.select(0)
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 1), 0.1)
    socket.getaddrinfo("127.0.0.1", 80)
    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET, "x")


@program
def opened_files():
    with tempfile.TemporaryFile("w+") as f:
        f.write("Grüße\n" * 50)
        f.seek(0)
        f.readline(), f.tell(), f.readlines(), f.truncate(3)
    with tempfile.NamedTemporaryFile() as f:
        os.stat(f.name), os.listdir(os.path.dirname(f.name))
        with os.scandir("/") as entries:
            next(entries)
        with open(f.name, "rb", 0) as raw:
            raw.read()
    with contextlib.suppress(OSError):
        open("/nonexistent/x")
    fd, other = os.pipe()
    with open(fd, "rb") as r, io.FileIO(other, "w") as w:
        w.write(b"x")
    with contextlib.suppress(UnicodeDecodeError):
        io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8").read()


@program
def mapped_memory():
    with mmap.mmap(-1, 8192) as m:
        m[:3] = b"abc"
        m.find(b"c"), m.read(2), m.seek(0), m.readline()
        with memoryview(m) as v:
            bytes(v[:3])
    multiprocessing.shared_memory.ShareableList


@program
def compressors():
    data = b"some data" * 300
    for module in (zlib, bz2, lzma):
        module.decompress(module.compress(data))
    c = zlib.compressobj()
    c.copy().flush()
    d = zlib.decompressobj()
    d.decompress(zlib.compress(data) + b"rest", 10)
    d.copy()
    bz2.BZ2Compressor().compress(data)
    bz2.BZ2Decompressor().decompress(bz2.compress(data), 5)
    lzma.LZMACompressor(preset=1).compress(data)
    lzma.LZMADecompressor().decompress(lzma.compress(data), 5)
    for module, error in ((zlib, zlib.error), (bz2, OSError),
                          (lzma, lzma.LZMAError)):
        with contextlib.suppress(error):
            module.decompress(b"bad data")
    with lzma.open(io.BytesIO(lzma.compress(data))) as f:
        f.read(7)


@program
def hash_objects():
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b",
                 "blake2s", "shake_128", "ripemd160"):
        with contextlib.suppress(ValueError):
            h = hashlib.new(name, b"x")
            h.copy().update(b"y" * 3000)
            h.digest(5) if name == "shake_128" else h.hexdigest()
    hashlib.pbkdf2_hmac("sha1", b"p", b"s", 2)
    hashlib.scrypt(b"p", salt=b"s", n=2, r=1, p=1)
    hashlib.blake2b(key=b"k", person=b"p", salt=b"s").digest()
    with contextlib.suppress(ValueError):
        hashlib.new("nope")


@program
def contexts_of_ssl():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("HIGH")
    context.load_default_certs()
    context.get_ciphers(), context.cert_store_stats()
    reading, writing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(reading, writing, server_hostname="a.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    writing.read()
    reading.write(b"rubbish that is no handshake")
    with contextlib.suppress(ssl.SSLError):
        client.do_handshake()
    with contextlib.suppress(ssl.SSLError):
        context.load_verify_locations(cadata="x")
    with contextlib.suppress(OSError):
        context.load_cert_chain("/nonexistent")
    ssl.RAND_bytes(3), ssl.create_default_context()


@program
def sqlite_objects():
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.create_function("f", 1, lambda x: x)

        class Sum:
            def __init__(self):
                self.n = 0

            def step(self, x):
                self.n += x

            def finalize(self):
                return self.n
        db.create_aggregate("s", 1, Sum)
        db.create_collation("c", lambda a, b: 0)
        db.set_trace_callback(lambda s: None)
        db.row_factory = sqlite3.Row
        db.execute("create table t(a, b blob)")
        db.executemany("insert into t values(?, ?)", [(1, b"x"), ("y", None)])
        db.commit()
        [tuple(r) for r in db.execute("select f(a), b from t order by a "
                                      "collate c")]
        db.execute("select s(length(a)) from t").fetchone()
        with contextlib.suppress(sqlite3.Error):
            db.execute("select nope")
        with contextlib.suppress(sqlite3.Error):
            db.execute("select f(1, 2)")
        with db.blobopen("t", "b", 1) as blob:
            blob.read()
        copy = sqlite3.connect(":memory:")
        db.backup(copy)
        copy.close()
        list(db.iterdump()), db.serialize()
        cursor = db.cursor()
        cursor.execute("select * from t")
        cursor.fetchone()


@program
def trees():
    root = ElementTree.fromstring("<a x='1'><b>t</b>tail<c/><!-- n --></a>")
    root.findall(".//b"), root.find("c").set("k", "v")
    ElementTree.tostring(root)
    root.append(root.makeelement("d", {}))
    root.extend([ElementTree.Element("e")])
    del root[0]
    with contextlib.suppress(ElementTree.ParseError):
        ElementTree.fromstring("<a><b></a>")
    list(ElementTree.iterparse(io.BytesIO(b"<a><b/></a>"), ["start", "end"]))
    p = ElementTree.XMLPullParser(["end"])
    p.feed("<a><b>")
    list(p.read_events())
    import pyexpat
    e = pyexpat.ParserCreate(namespace_separator=" ", intern={})
    e.StartElementHandler = lambda name, attributes: None
    e.ExternalEntityRefHandler = lambda *args: 1
    e.Parse("<!DOCTYPE a [<!ENTITY e 'text'>]><a b='c'>&e;</a>", True)
    e.ExternalEntityParserCreate(None)
    with contextlib.suppress(ZeroDivisionError):
        e = pyexpat.ParserCreate()
        e.StartElementHandler = lambda name, attributes: 1 / 0
        e.Parse("<a/>", True)


class Pickled:
    def __init__(self):
        self.x = [self]


@program
def pickles():
    for protocol in range(6):
        data = pickle.dumps([Pickled(), {1: (2,)}, 1.5, 1 << 80, "s", {3}],
                            protocol)
        pickle.loads(data)
        with contextlib.suppress(pickle.UnpicklingError, EOFError):
            pickle.loads(data[:-3])
    p = pickle.Pickler(io.BytesIO(), 5, buffer_callback=[].append)
    p.dump(pickle.PickleBuffer(b"x"))
    p.persistent_id = lambda o: None
    p.dump([1, 2])
    with contextlib.suppress(AttributeError, pickle.PicklingError):
        pickle.dumps(lambda: 1)


@program
def json_texts():
    json.loads(json.dumps({"a": [1, 2.5, None, "x\n"], "b": {}}, indent=1))
    json.dumps("Grüße", ensure_ascii=False)
    json.loads('{"a": 1}', object_pairs_hook=list, parse_int=str)
    with contextlib.suppress(ValueError):
        json.loads('{"a": [1, }')
    with contextlib.suppress(TypeError):
        json.dumps({"a": [object()]})
    with contextlib.suppress(ValueError):
        a = []
        a.append(a)
        json.dumps(a)


@program
def patterns():
    p = re.compile(r"(?P<n>a+)(b|c)*?(?=d)")
    p.sub(lambda m: m[0], "aabd" * 4)
    p.sub(r"\g<n>", "aabd"), p.split("aabd"), p.fullmatch("x")
    m = p.search("aabd")
    m.groupdict(), m.expand(r"\1"), list(p.finditer("aabd aad"))
    s = p.scanner("aabd")
    s.match(), s.search()
    with contextlib.suppress(re.error):
        re.compile("(")
    with contextlib.suppress(ZeroDivisionError):
        p.sub(lambda m: 1 / 0, "aabd")
    re.purge()


class P(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_char_p)]


@program
def foreign_functions():
    p = P(1, b"x")
    ctypes.pointer(p).contents.a = 5
    (ctypes.c_int * 3)(1, 2, 3)[:]
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)
    callback(1)
    ctypes.cast(ctypes.create_string_buffer(5), ctypes.c_void_p)
    ctypes.CDLL(None).abs(-1)


@program
def buffers():
    a = array.array("d", [1, 2, 3])
    with memoryview(a) as m, m[1:] as part, m.cast("B") as c:
        list(part), c.tolist(), m == part, hash(memoryview(b"x"))
    with contextlib.suppress(BufferError):
        b = bytearray(b"x")
        v = memoryview(b)
        b.append(1)
    a.tobytes(), a.byteswap(), a.extend(a)


@program
def signals():
    old = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, old)
    signal.pthread_sigmask(signal.SIG_BLOCK, [])


@program
def zones():
    import datetime
    z = zoneinfo.ZoneInfo.no_cache("UTC")
    datetime.datetime(2020, 1, 1, tzinfo=z).astimezone()
    with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError):
        zoneinfo.ZoneInfo("Nowhere/None")
    datetime.datetime.strptime("2020", "%Y").isoformat()
    zoneinfo.ZoneInfo.clear_cache()


@program
def watched_code():
    import _lsprof
    import tracemalloc
    p = _lsprof.Profiler()
    p.enable()
    len("x")
    p.disable()
    p.getstats()
    tracemalloc.start(3)
    kept = [[] for _ in range(5)]
    tracemalloc.take_snapshot().statistics("lineno")
    tracemalloc.get_object_traceback(kept[0])
    tracemalloc.stop()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        warnings.warn("w")


ALL |= {name: f for name, f in programs.ALL.items()
        if name not in ("threads", "subinterpreter")}


def resident():
    """In KiB, what this process has of its own."""
    with open("/proc/self/statm") as f:
        pages = f.read().split()
    return (int(pages[1]) - int(pages[2])) * 4


def grown(function, times):
    gc.collect()
    memory, blocks = resident(), sys.getallocatedblocks()
    for _ in range(times):
        function()
    gc.collect()
    return sys.getallocatedblocks() - blocks, resident() - memory


def measure(function, times, rounds):
    """(blocks, KiB) that `times` calls left, the least of some rounds."""
    for _ in range(3):
        function()
    blocks, size = grown(function, times)
    for _ in range(rounds):
        if blocks < times // 2 and size < times // 2:
            break
        more = grown(function, times)
        blocks, size = min(blocks, more[0]), min(size, more[1])
    return blocks, size


def main():
    times, rounds = int(sys.argv[1]), int(sys.argv[2])
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda args: None
    for name in sys.argv[3].split(","):
        blocks, size = measure(ALL[name], times, rounds)
        print(json.dumps([name, blocks, size]), flush=True)


if __name__ == "__main__":
    main()
