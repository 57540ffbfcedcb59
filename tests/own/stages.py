"""krait.stages shows every stage and every pass of the compiler."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

from krait import stages

CODE = """def f(x, *, y=1):
    for z in x:
        try:
            print(z if y else 1 + 2)
        finally:
            pass
    return lambda: y
"""
PASSES = ["codegen", "normalise", "prefix", "peephole", "remove_nops",
          "inline_exits", "reachable", "remove_empty", "remove_jumps",
          "duplicate_exits", "propagate_lines", "label_handlers", "layout"]


def shown(*args):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = stages.main([*args, "-c", CODE])
    assert status == 0, status
    return out.getvalue()


text = shown()
at = [text.index(f"== {name}") for name in stages.STAGES]
assert at == sorted(at) and len(at) == 5
assert "1:0-1:3         NAME          'def'" in text
assert "op=Add()" in text
assert "y: parameter, local, referenced" in text

graphs = shown("-s", "graph", "--scope", "f")
at = [graphs.index(f"-- f, after {name}") for name in PASSES]
assert at == sorted(at), at
codegen, *_, layout = graphs.split("-- f, after ")[1:]
assert "SETUP_FINALLY" in codegen and "SETUP_FINALLY" not in layout
assert "JUMP_BACKWARD" in layout and "handler: block" in layout
assert "MAKE_CELL" not in codegen and "MAKE_CELL" in layout
assert "<lambda>" not in graphs

one = shown("-s", "graph", "-p", "layout")
assert one.count("-- ") == 3 and "codegen" not in one

code = shown("-s", "bytecode", "--scope", "f")
assert "-- f, stack size" in code and "lasti" in code
assert "4:12-4:36" in code, code
assert "+" in shown("-s", "tokens") and "lineno=" not in shown("-s", "tree")
assert "lineno=" in shown("-s", "tree", "--positions")

with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
    f.write("x = (\n")
    f.flush()
    done = subprocess.run([sys.executable, "-m", "krait.stages", "-s", "tree",
                           f.name], capture_output=True, text=True)
    assert done.returncode == 1 and "was never closed" in done.stderr
done = subprocess.run([sys.executable, "-m", "krait.stages", "--help"],
                      capture_output=True, text=True)
assert done.returncode == 0 and \
    "bytecode: the listing" in " ".join(done.stdout.split())
done = subprocess.run([sys.executable, "-m", "krait.stages", "-s", "x", "-c",
                       ""], capture_output=True, text=True)
assert done.returncode == 2 and "no stage 'x'" in done.stderr


def stop(scope, name, graph):
    raise KeyError(name)


try:
    import _kraitstages
    _kraitstages.compile("x", "f", 257, 0, stop)
except KeyError as error:
    assert error.args == ("codegen",)
else:
    raise AssertionError("the observer's exception is lost")
assert "krait" not in os.listdir(os.path.dirname(os.__file__))
