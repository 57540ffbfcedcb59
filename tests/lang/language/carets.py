"""Where a traceback puts its carets."""
import os
import sys

CASES = """
(a) + (b)
( a ) + ( b )
a  //   b
a+b
(a+(b))+(a)
((a))[b]
a [ b ]
f(x)[(0)]
f(x)[(0) ]
-a + b
-(a + b)
(a + b)
(a + b)*b
a ** b
a ** b ** a
a if 1/0 else b
x.y[b]
x[a][b]
"ab" + a
a @ b
(a)//(b)
f(a)(b)
a < b
a[b:c]
a[b, c]
a[b](1)
not a[b]
yy if a[b] else 0
lambda: a[b]
[a+b for a in x]
[i+b for i in x]
f(a+b)
f(a[b])
f"{a+b}"
{a[b]: 1}
a[b].c
a >> b
a if a+b else c
é + ü[1]
ü [ 1 ]
(ü) + (é)
x[b] = 1
x[b] += 1
del x[b]
raise x[b]
raise x[0] from a
assert a+b
return a+b
a; a+b; b
y = a + b
y = a[b] + b
y: a[b] = 3
for i in a[b]: pass
for i in a+b: pass
if a+b: pass
while a[b]: pass
with a[b]: pass
a.b.c
f(1)
f(1, 2)
f()[b]
x[b] @ a
(  (a)   )   +   (b )
(a)#c
a + b # comment
a   [b]   # comment
(yield)[1]
a +(b)
(a)+ b
(a )[ b ][ c ]
await_[1]
a[b]+c[d]
print(a[b]+c[d])
a%b
a<<b
a|b&c^d
~a
~a+b
-a**b
2**-a
a.b()[c]
"%d %s" % a
{}[b]
{**a}
[*a]
f(*a)
a[b][c]
"""
SETUP = """class E(Exception):
    pass
def f(*x):
    raise TypeError("f")
class U:
    def __add__(self, other):
        raise E
    def __getitem__(self, item):
        raise E
a = b = c = d = yy = None
x = [ValueError(1)]
é = ü = U()
def t():
    """

path = os.path.join(os.environ["TMPDIR"], "case.py")
for case in CASES.strip("\n").split("\n") + ["(a +\n b)", "(\na[\n b])"]:
    with open(path, "w") as file:
        file.write(SETUP + case + "\nt()\n")
    try:
        with open(path) as file:
            exec(compile(file.read(), path, "exec"), {})
    except Exception:
        kind, value, tb = sys.exc_info()
        sys.__excepthook__(kind, value, tb.tb_next)
