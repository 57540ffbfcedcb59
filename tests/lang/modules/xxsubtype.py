"""Subtypes of list and dict that are written in C, and the shadow passwords."""
import warnings
import xxsubtype

for cls in (xxsubtype.spamlist, xxsubtype.spamdict):
    print(cls, cls.__mro__, cls.__basicsize__, cls.__flags__, sorted(vars(cls)))
    thing = cls()
    thing.setstate(5)
    print(thing, thing.state, thing.getstate())
    for text in ("cls([[1, 2]])", "cls(5)", "cls(a=1)", "cls().setstate('x')",
                 "cls().setstate(1 << 40)", "setattr(cls(), 'state', 1)",
                 "cls.classmeth(1, a=2)", "cls.staticmeth(1, b=2)"):
        try:
            print(text, eval(text))
        except Exception as e:
            print(text, type(e).__name__, e)


class Derived(xxsubtype.spamlist):
    def __init__(self, *args):
        super().__init__(*args)
        self.more = 1


derived = Derived([1, 2])
derived.setstate(7)
print(derived, derived.state, derived.more)
print(type(xxsubtype.bench(derived, "more", 10)))

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import spwd
print([str(w.message) for w in caught])
print(spwd.struct_spwd.n_fields, spwd.struct_spwd.__match_args__)
try:
    print(spwd.getspall()[:2], len(spwd.getspall()))
    print(spwd.getspnam("root").sp_nam)
except OSError as e:
    print(e)
for bad in ("no such user", 1, "a\0b"):
    try:
        spwd.getspnam(bad)
    except Exception as e:
        print(type(e).__name__, e)
