"""A use of simplejson whose extension module does the work."""
import simplejson, simplejson._speedups as s, decimal
print(s.__name__)
d={"a":[1,2.5,None,True,"é\n\u2028"],"b":{"c":decimal.Decimal("1.10")}}
t=simplejson.dumps(d, sort_keys=True)
print(t)
print(simplejson.loads('{"a": [1, 2.5, "x\\u00e9\\ud83d\\ude00", null, true, -0]}', use_decimal=True))
try:
    simplejson.loads('{"a": [1, }')
except simplejson.JSONDecodeError as e:
    print(repr(e))
print(simplejson.dumps(d, indent=2, separators=(",",":")))
print(simplejson.loads(simplejson.dumps(list(range(1000))))[-1])
