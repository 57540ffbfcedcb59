"""What calls with wrong arguments leave behind, and which error goes first."""
import copy
import csv
import datetime
import io
import re
import struct
import threading
import xml.etree.ElementTree as etree


def show(text, /, **names):
    try:
        print(text, "->", repr(eval(text, globals(), names)))
    except BaseException as e:
        print(text, "!!", type(e).__name__, ascii(str(e)), e.__context__)


class Failing:
    def __init__(self, error):
        self.error = error

    def __index__(self):
        raise self.error


class Named:
    """A data descriptor, which goes before the instance's dictionary."""
    def __get__(self, instance, owner):
        return "descriptor"

    def __set__(self, instance, value):
        raise TypeError("read-only")


class Local(threading.local):
    named = Named()


for error in (ZeroDivisionError(1), TypeError("t"), ValueError("v"),
              OverflowError("o"), KeyboardInterrupt()):
    for data in (b"abc", bytearray(b"abc")):
        show("f in data", f=Failing(error), data=data)
        show("data.find(f)", f=Failing(error), data=data)
show("2 ** 100 in b'a'")

plain, named = re.match("a", "a"), re.match("(?P<x>a)", "a")
for key in ([], "x", 1.5, 2 ** 100, -1, Failing(TypeError("t"))):
    for match in (plain, named):
        show("match[key], match.group(key), match.span(key)", key=key,
             match=match)

moment = datetime.datetime(2000, 1, 2, 3)
for text in ("\0", "%Y\0%m", "%", "%\0", "%f\0%Z", "\0%z", "a\udc80\0"):
    for thing in (moment, moment.date(), moment.time()):
        show("thing.strftime(text), format(thing, text)", thing=thing,
             text=text)

for state in ((b"xyz", -1, None), (b"xyz", "a", None), (b"x", 1, 3),
              (1, 2, 3), (b"xy", 2 ** 100, {}), (bytearray(b"q"), 1, {1: 2})):
    file = io.BytesIO(b"abc")
    file.seek(2)
    show("file.__setstate__(state)", file=file, state=state)
    show("file.tell(), file.getvalue()", file=file)

failing = Failing(ZeroDivisionError("index"))
show("struct.unpack_from('i', 'text', failing)")
show("struct.unpack_from('!?', b'ab', failing)")
show("struct.unpack_from('no', 'text', failing)")
show("struct.Struct('b').unpack_from('text', failing)")

for cls in (threading.local, Local):
    local = cls()
    local.a = 1
    local.__dict__.update({"named": 2, "__class__": int, "__dict__": 5})
    show("local.a, local.named, local.__class__, list(local.__dict__)",
         local=local)
    for name in ("__dict__", "a", "missing"):
        try:
            delattr(local, name)
        except AttributeError as e:
            print(name, e)

numbers = iter(range(2 ** 70))
for position in (True, -5, 2 ** 69, 2 ** 80, None, "a"):
    show("numbers.__setstate__(position), next(numbers, None)",
         position=position)

tree = etree.fromstring("<a><b>x</b></a>")
show("tree.find(b'b'), tree.findall(b'b'), tree.findtext(b'b', 'none')")

error = csv.Error("x")
show("error, error.args, copy.copy(error).args, csv.Error.__module__")
show("csv.Error(name=1)")
show("[].__mul__()")
