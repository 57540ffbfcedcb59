"""Checks the extension module demo, which is on sys.path."""
import datetime
import gc
import weakref

import demo

p = demo.Point(3, 4, tag=[1])
assert repr(p) == "Point(3.0, 4.0)" and p.norm == 5.0 and p.tag == [1]
assert p + demo.Point(1, 1) == demo.Point(4, 5) != p
assert hash(p) == hash(demo.Point(3, 4))
assert p.scaled(factor=2) == p.scaled(2) == (6.0, 8.0)
p.tag.append(p)
ref = weakref.ref(p)
del p
gc.collect()
assert ref() is None

b = demo.Block(b"abc")
with memoryview(b) as view:
    assert b.exports == 1 and bytes(view) == b"abc"
    view[0] = 65
assert b.exports == 0 and list(b) == [65, 98, 99] and len(b) == 3
assert demo.unlocked_sum(b) == 65 + 98 + 99

c = demo.Counter()
assert c() == (1, 0, 0) and c(1, 2, k=3) == (2, 2, 1) and c(*[1]) == (3, 1, 0)

assert demo.code_points("aé€😀") == [0x61, 0xE9, 0x20AC, 0x1F600]
assert demo.call_each(str, range(3)) == ("0", "1", "2")
assert demo.read_capsule(demo.number) == 42
assert demo.next_day(datetime.date(2023, 2, 28)) == datetime.date(2023, 3, 1)
try:
    demo.code_points(1)
except TypeError as e:
    assert str(e) == "str expected, not int"
else:
    raise AssertionError("no TypeError")
assert demo.PY_VERSION_HEX >> 16 == 0x030B
print("ok")
