"""A use of ujson whose extension module does the work."""
import ujson
d={"a":[1,2.5,None,True,"é\n\u2028"],"b":{"c":10**17}, "n":-1.5e-7}
print(ujson.dumps(d), ujson.dumps(d, indent=2, ensure_ascii=False))
print(ujson.loads(ujson.dumps(d))==d)
try:
    ujson.loads("{bad")
except ValueError as e:
    print(repr(e), type(e).__mro__)
print(ujson.loads("[1e10, 18446744073709551615, 123456789012345678901234567890]"))
class O:
    def __json__(self):
        return '{"q":1}'
print(ujson.dumps([O()]), ujson.dumps(object, default=str))
