"""Compiled files, modules made by hand, and a .pyc without its source."""
import compileall
import importlib.util
import os
import py_compile
import subprocess
import sys
import tempfile
import types

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "lonely.py")
    with open(path, "w") as f:
        f.write("value = [n * n for n in range(5)]\nprint('imported', __name__)\n")
    compiled = py_compile.compile(path, cfile=os.path.join(folder, "lonely.pyc"))
    print(os.path.basename(compiled), os.path.basename(importlib.util.cache_from_source(path)))
    print(compileall.compile_file(path, quiet=1))
    os.remove(path)
    sys.path.insert(0, folder)
    import lonely
    print(lonely.value, os.path.basename(lonely.__file__))
    run = subprocess.run([sys.executable, compiled], capture_output=True, text=True)
    print(run.stdout, run.returncode)

code = compile("def double(x):\n    return x * 2\nanswer = double(21)", "<made>", "exec")
made = types.ModuleType("made")
exec(code, made.__dict__)
sys.modules["made"] = made
import made as again
print(again.answer, again.double.__code__.co_filename, again is made)
