"""Binding of arguments, and the words of its errors."""


def f(a, b=2, /, c=3, *rest, d, e=5, **more):
    return a, b, c, rest, d, e, more


print(f(1, d=4), f(1, 2, 3, 4, 5, d=6, e=7, z=8), f(*[1, 2], **{"d": 3, "c": 9}))
for call in ("f()", "f(1)", "f(1, a=1, d=2)", "f(1, 2, 3, c=4, d=5)", "len()",
             "len(1, 2)", "int('x', base=99)", "sorted(1)", "f(**{1: 2})",
             "(lambda x: x)(1, 2)", "(lambda *, x: x)()", "print(1, sepp='')",
             "dict(a=1, **{'a': 2})", "None()", "[].append()", "''.join(1)"):
    try:
        print(call, eval(call))
    except Exception as error:
        print(call, type(error).__name__, error)
