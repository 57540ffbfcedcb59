"""Extensions built against the C API: our own, and others' binary wheels.

tests/capi/<name>.c is compiled against include/python3.11 and checked by
check_<name>.py. tests/capi/wheels/use_<package>.py are real uses of wheels from
PyPI (tools/fetch-wheels), whose output must be python3.11's.
"""
import glob
import os
import shutil
import subprocess
import tempfile

import compare


def build(top, name, folder):
    """None, or what the compiler said."""
    compiler = next(filter(shutil.which, ["clang-19", "clang", "cc"]), "cc")
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror",
         f"-I{top}/include/python3.11", f"{top}/tests/capi/{name}.c",
         "-o", f"{folder}/{name}.cpython-311-x86_64-linux-gnu.so"],
        capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else None


def check(krait, top, name):
    with tempfile.TemporaryDirectory() as folder:
        problem = build(top, name, folder)
        if problem is not None:
            return problem
        done = subprocess.run(
            [krait, f"{top}/tests/capi/check_{name}.py"], timeout=60,
            env=dict(os.environ, PYTHONPATH=folder),
            capture_output=True, text=True, errors="replace")
    if done.returncode == 0 and done.stdout == "ok\n":
        return None
    return f"status {done.returncode}\n{done.stdout}{done.stderr}"


def run(report, top):
    for path in sorted(glob.glob(f"{top}/tests/capi/*.c")):
        name = os.path.basename(path)[:-len(".c")]
        report.add(name, check(report.krait, top, name))
    site = f"{top}/build/wheels/site"
    if not os.path.isdir(site):
        subprocess.run([f"{top}/tools/fetch-wheels"], check=False)
    for path in sorted(glob.glob(f"{top}/tests/capi/wheels/use_*.py")):
        name = os.path.basename(path)[len("use_"):-len(".py")]
        if not glob.glob(f"{site}/{name}*"):
            print(f"  note: no wheel of {name}, skipped")
            continue
        report.add(f"wheel {name}", compare.difference(
            report.krait, [path], env={"PYTHONPATH": site}))
