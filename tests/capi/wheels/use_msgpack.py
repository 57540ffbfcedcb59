"""A use of msgpack whose extension module does the work."""
import msgpack, datetime
from msgpack import _cmsgpack, Packer, Unpacker
print(_cmsgpack.__name__, Packer.__name__)
d={"a":[1,2.5,None,True,"é"],"b":b"xyz","n":-2**63,"u":2**64-1}
b=msgpack.packb(d)
print(b)
print(msgpack.unpackb(b)==d)
print(msgpack.packb(datetime.datetime(2020,1,2,tzinfo=datetime.timezone.utc), datetime=True))
u=Unpacker(); u.feed(b*3)
print(len(list(u)))
try:
    msgpack.unpackb(b"\xc1")
except Exception as e:
    print(repr(e))
try:
    msgpack.packb(object())
except Exception as e:
    print(repr(e))
try:
    msgpack.packb(2**65)
except Exception as e:
    print(repr(e))
print(msgpack.unpackb(msgpack.packb(msgpack.ExtType(5,b"aa"))), msgpack.Timestamp(1,2))
