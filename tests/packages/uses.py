"""One use of each of some packages with native code, and what it prints.

uses.py NAME
"""

import sys


def lxml_():
    from lxml import etree

    r = etree.fromstring('<a x="1"><b>t</b><c/></a>')
    print(
        etree.tostring(r, pretty_print=True).decode(),
        r.xpath("//b/text()"),
        [e.tag for e in r.iter()],
    )
    x = etree.XSLT(
        etree.XML(
            '<xsl:stylesheet version="1.0" '
            'xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
            '<xsl:template match="/"><o><xsl:value-of select="//b"/></o>'
            "</xsl:template></xsl:stylesheet>"
        )
    )
    print(str(x(r)))
    try:
        etree.fromstring("<a>")
    except etree.XMLSyntaxError as e:
        print(e)


def psutil_():
    import psutil, os

    p = psutil.Process()
    print(
        p.pid == os.getpid(),
        p.name() != "",
        psutil.cpu_count() > 0,
        p.memory_info().rss > 0,
        len(psutil.pids()) > 1,
    )


def cffi_():
    from cffi import FFI

    f = FFI()
    f.cdef(
        "size_t strlen(const char *);"
        "typedef struct {int x; double y;} P;"
    )
    C = f.dlopen(None)
    print(C.strlen(b"hello"))
    p = f.new("P*", {"x": 3, "y": 2.5})
    print(p.x, p.y, f.sizeof("P"), p)
    cb = f.callback("int(int)", lambda x: x * 2)
    print(cb(21))


def greenlet_():
    from greenlet import greenlet, getcurrent

    out = []

    def a():
        out.append(1)
        y = gb.switch("x")
        out.append(y)

    def b(v):
        out.append(v)
        ga.switch("back")
        out.append("never")

    ga = greenlet(a)
    gb = greenlet(b)
    ga.switch()
    print(out, ga.dead, gb.dead)

    def gen(n):
        for i in range(n):
            getcurrent().parent.switch(i)

    g = greenlet(gen)
    print([g.switch(5)] + [g.switch() for i in range(5)])

    def err():
        1 / 0

    try:
        greenlet(err).switch()
    except ZeroDivisionError as e:
        print("zde", e.__traceback__.tb_next is not None)


def cryptography_():
    from cryptography.fernet import Fernet

    k = Fernet.generate_key()
    f = Fernet(k)
    print(f.decrypt(f.encrypt(b"hi")))
    from cryptography.hazmat.primitives.asymmetric import rsa, ed25519

    p = ed25519.Ed25519PrivateKey.generate()
    s = p.sign(b"m")
    p.public_key().verify(s, b"m")
    print(len(s))
    from cryptography.hazmat.primitives import hashes

    h = hashes.Hash(hashes.SHA256())
    h.update(b"abc")
    print(h.finalize().hex())


def pydantic_():
    from pydantic import BaseModel, ValidationError, Field

    class M(BaseModel):
        a: int
        b: list[str] = []
        c: dict[str, float] = Field(default_factory=dict)

    print(M(a="3", b=["x"]), M.model_json_schema(), M(a=1).model_dump_json())
    try:
        M(a="x", b=3)
    except ValidationError as e:
        print(e)


def pillow_():
    from PIL import Image, ImageDraw, ImageFilter
    import io

    im = Image.new("RGB", (32, 32), "red")
    d = ImageDraw.Draw(im)
    d.ellipse((4, 4, 28, 28), fill="blue")
    b = io.BytesIO()
    im.save(b, "PNG")
    im2 = (
        Image.open(io.BytesIO(b.getvalue()))
        .filter(ImageFilter.BLUR)
        .resize((8, 8))
    )
    print(im2.getpixel((4, 4)), len(b.getvalue()), im2.histogram()[:5])


def regex_():
    import regex

    print(
        regex.findall(r"\p{L}+", "héllo wörld 12"),
        regex.sub(r"(?<a>x)+", r"[\g<a>]", "axxb"),
        regex.fullmatch(r"(?:cats|cat){e<=1}", "cut"),
        regex.compile("(a(b))").groups,
    )


def orjson_():
    import orjson, datetime

    print(
        orjson.dumps(
            {"a": [1, 2.5, None, "é"], "d": datetime.datetime(2020, 1, 1)}
        ),
        orjson.loads('{"x":[1,2,{"y":1e10}]}'),
    )
    try:
        orjson.loads("{")
    except orjson.JSONDecodeError as e:
        print(e)
    try:
        orjson.dumps({1: 2})
    except TypeError as e:
        print(e)


def rpds_():
    from rpds import HashTrieMap, List

    m = HashTrieMap({"a": 1}).insert("b", 2)
    print(
        sorted(m.items()),
        List([1, 2]).push_front(0),
        m == HashTrieMap({"a": 1, "b": 2}),
    )


def tornado_():
    import asyncio
    import tornado.httpclient
    import tornado.web

    async def main():
        class H(tornado.web.RequestHandler):
            def get(self):
                self.write({"q": self.get_argument("q")})

        s = tornado.web.Application([("/", H)]).listen(0, "127.0.0.1")
        port = list(s._sockets.values())[0].getsockname()[1]
        r = await tornado.httpclient.AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{port}/?q=5"
        )
        print(r.code, r.body)
        s.stop()

    asyncio.run(main())


def jinja2_():
    import jinja2

    print(
        jinja2.Template(
            "{% for x in xs %}{{loop.index}}:{{x|upper}} {% endfor %}"
            "{{ d.a|tojson }}"
        ).render(xs=["a", "<b>"], d={"a": [1]})
    )
    try:
        jinja2.Template("{% if %}")
    except jinja2.TemplateSyntaxError as e:
        print(e)


def flask_():
    import flask

    a = flask.Flask("x")

    @a.route("/h/<int:n>")
    def h(n):
        return {"n": n * 2}

    c = a.test_client()
    print(c.get("/h/4").json, c.get("/zz").status_code)


def requests_():
    import requests, threading, http.server

    class H(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"a":1}')

        def log_message(self, *a):
            pass

    s = http.server.HTTPServer(("127.0.0.1", 0), H)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    print(requests.get(f"http://127.0.0.1:{s.server_port}/").json())
    s.shutdown()


def rich_():
    from rich.console import Console
    from rich.table import Table

    t = Table(title="T")
    t.add_column("a")
    t.add_row("[red]x")
    Console(width=40, force_terminal=True).print(t)
    try:
        1 / 0
    except Exception:
        Console(width=60).print_exception()


def pandas_():
    import pandas as pd, numpy as np

    d = pd.DataFrame(
        {
            "a": [1, 2, 3],
            "b": list("xyx"),
            "t": pd.date_range("2020-01-01", periods=3),
        }
    )
    print(
        d.groupby("b").a.sum(),
        d.describe(),
        d.dtypes,
        d.to_csv(),
        d.merge(d, on="a").shape,
        d.pivot_table(index="b", values="a"),
        d.t.dt.month.tolist(),
        pd.read_csv(__import__("io").StringIO("x,y\n1,2\n3,4")).sum(),
    )


def cython_():
    import Cython.Compiler.Main as M, os, tempfile, subprocess, sysconfig

    d = tempfile.mkdtemp()
    open(d + "/cy.pyx", "w").write(
        """
def fib(int n):
    cdef int a = 0, b = 1, i
    for i in range(n):
        a, b = b, a + b
    return a

cdef class P:
    cdef public int x
    def __init__(self, x):
        self.x = x
    def __add__(a, b):
        return P(a.x + b.x)

def gen(n):
    for i in range(n):
        yield i * i

async def co():
    return 5
"""
    )
    r = M.compile(d + "/cy.pyx", M.CompilationOptions(language_level=3))
    print(r.num_errors)
    subprocess.check_call(
        ["gcc", "-shared", "-fPIC", "-O1", "-w",
         "-I" + sysconfig.get_paths()["include"], d + "/cy.c",
         "-o", d + "/cy.so"]
    )
    sys.path.insert(0, d)
    import cy

    print(cy.fib(20), (cy.P(2) + cy.P(3)).x, list(cy.gen(4)))
    try:
        cy.co().send(None)
    except StopIteration as e:
        print(e.value)
    try:
        cy.P("x")
    except TypeError as e:
        print(e)


def gevent_():
    import gevent, gevent.queue

    q = gevent.queue.Queue()
    out = []

    def w(n):
        for i in range(2):
            out.append((n, i))
            gevent.sleep(0.01)

    gevent.joinall([gevent.spawn(w, i) for i in range(3)])
    print(sorted(out))


def zope_():
    from zope.interface import Interface, implementer, providedBy

    class I(Interface):
        pass

    @implementer(I)
    class A:
        pass

    print(I.providedBy(A()), list(providedBy(A())))


def lz4_():
    import lz4.frame

    print(
        lz4.frame.decompress(lz4.frame.compress(b"abc" * 100)) == b"abc" * 100
    )


def coverage_():
    import coverage, os, tempfile

    d = tempfile.mkdtemp()
    open(d + "/cm.py", "w").write(
        "def f(x):\n    if x:\n        return 1\n    return 2\nf(1)\n"
    )
    c = coverage.Coverage(data_file=None, branch=True, include=[d + "/*"])
    c.start()
    sys.path.insert(0, d)
    import cm

    c.stop()
    print(c.analysis2(cm)[1:4])
    print(dict(c.sys_info()).get("CTracer"))


def aiohttp_():
    import asyncio, aiohttp
    from aiohttp import web

    async def main():
        async def h(r):
            return web.json_response({"p": r.match_info["p"]})

        a = web.Application()
        a.router.add_get("/{p}", h)
        r = web.AppRunner(a)
        await r.setup()
        s = web.TCPSite(r, "127.0.0.1", 0)
        await s.start()
        port = s._server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as c:
            async with c.get(f"http://127.0.0.1:{port}/hello") as x:
                print(x.status, await x.json())
        await r.cleanup()

    asyncio.run(main())


def multidict_():
    from multidict import CIMultiDict

    d = CIMultiDict(a=1)
    d.add("A", 2)
    print(d.getall("a"), d)
    from yarl import URL

    print(URL("http://a/b?c=d") / "x" % {"z": 1})
    from frozenlist import FrozenList

    print(FrozenList([1]))


if __name__ == "__main__":
    globals()[sys.argv[1] + "_"]()
