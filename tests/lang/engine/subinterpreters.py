# Interpreters of one process share the heap and the GIL, nothing that programs
# can see.
import ast
import codecs
import gc
import os
import sys
import threading
import warnings
import _xxsubinterpreters as interpreters


def run_in_new(code, **shared):
    """Run code in a new interpreter; what it writes to the pipe `out`."""
    r, w = os.pipe()
    interp = interpreters.create(isolated=False)
    prelude = ("import os\n"
               "def tell(value): os.write(out, str(value).encode() + b'\\n')\n")
    try:
        interpreters.run_string(interp, prelude + code, dict(shared, out=w))
    finally:
        interpreters.destroy(interp)
        os.close(w)
        with open(r) as pipe:
            text = pipe.read()
    return text.splitlines()


# modules, sys and builtins
sys.marker = __builtins__.marker = os.marker = 1
assert run_in_new("""
import builtins, os, sys
for module in builtins, os, sys:
    tell(hasattr(module, 'marker'))
tell(__name__)
tell('ast' in sys.modules)
""") == ["False", "False", "False", "__main__", "False"]
del sys.marker, __builtins__.marker, os.marker

# the import system
class NothingThere:
    @staticmethod
    def find_spec(name, path, target=None):
        return None


sys.meta_path.insert(0, NothingThere)
assert "NothingThere" not in run_in_new("import sys; tell(sys.meta_path)")[0]
del sys.meta_path[0]

# codecs and their error handlers
codecs.register(lambda name: codecs.lookup("ascii") if name == "x_sub" else None)
codecs.register_error("x_sub", lambda e: ("?", e.end))
assert b"".decode("x_sub") == ""
assert run_in_new("""
import codecs
for f in codecs.lookup, codecs.lookup_error:
    try:
        f('x_sub')
    except LookupError as e:
        tell(e)
""") == ["unknown encoding: x_sub", "unknown error handler name 'x_sub'"]

# warning filters
before = list(warnings.filters)
run_in_new("import warnings; warnings.simplefilter('error')")
assert warnings.filters == before

# callbacks of the collector; its list of garbage
seen = []
gc.callbacks.append(lambda phase, info: seen.append(phase))
n = run_in_new("import gc; tell(len(gc.callbacks)); gc.garbage.append(1)")
assert n == ["0"] and gc.garbage == []
del gc.callbacks[:]

# classes of the syntax tree
ast.AST.marker = 1
assert run_in_new("""
import ast
tell(hasattr(ast.AST, 'marker'))
tell(ast.dump(ast.parse('x')))
tell(isinstance(ast.parse('x').body[0].value, ast.Name))
""") == ["False",
         "Module(body=[Expr(value=Name(id='x', ctx=Load()))], type_ignores=[])",
         "True"]
del ast.AST.marker

# its end: exit functions, then finalisers; cycles go, too
assert run_in_new("""
import atexit
class A:
    def __init__(self, name):
        self.name = name
    def __del__(self, write=os.write, out=out):
        write(out, self.name)
atexit.register(tell, 'exit')
a = A(b'global ')
b = A(b'cycle ')
b.b = b
""")[0] == "exit"

# threads of its own
assert run_in_new("""
import sys, threading, time
def later():
    time.sleep(0.05)
    tell('later')
    tell(hasattr(sys, 'marker'))
sys.marker = 1
thread = threading.Thread(target=later)
thread.start()
tell('now')
thread.join()
""") == ["now", "later", "True"]

# exceptions come over as text
interp = interpreters.create()
try:
    interpreters.run_string(interp, "1/0")
except interpreters.RunFailedError as e:
    assert str(e) == "<class 'ZeroDivisionError'>: division by zero"
else:
    assert False

# another thread may run it: the bounds of the stack are that thread's
deep = """
def f(n):
    class C:
        def __repr__(self):
            return repr(f(n - 1)) if n else 'end'
    return C()
assert repr(f(60)) == 'end'
try:
    repr(f(10**6))
except RecursionError:
    done = True
assert done
"""
errors = []


def other_thread():
    try:
        interpreters.run_string(interp, deep)
    except BaseException as e:
        errors.append(e)


for _ in range(2):
    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()
    interpreters.run_string(interp, deep)
assert errors == [], errors

# the last id that goes ends the interpreter
count = len(interpreters.list_all())
del interp
assert len(interpreters.list_all()) == count - 1

# what is isolated keeps its hands off processes and threads
isolated = interpreters.create()
for code, what in [("import os; os.fork()", "fork not supported"),
                   ("import _thread; _thread.start_new_thread(print, ())",
                    "thread is not supported"),
                   ("import subprocess; subprocess.run('true')",
                    "subprocess not supported")]:
    try:
        interpreters.run_string(isolated, code)
    except interpreters.RunFailedError as e:
        assert str(e) == (f"<class 'RuntimeError'>: {what} for isolated "
                          "subinterpreters"), e
    else:
        assert False, code

# many of them, with the usual modules
for i in range(5):
    assert run_in_new("""
import re, json, collections, datetime, functools, enum, typing, io, calendar
tell(json.dumps([re.sub('a', 'b', 'aa'), str(datetime.date(1, 1, 1).day)]))
""") == ['["bb", "1"]']
print("all apart")
