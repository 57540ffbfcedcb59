"""Extensions built against the C API: our demo, and others' binary wheels.

tests/capi/demo.c is compiled against include/python3.11 and checked by
check_demo.py. tests/capi/wheels/use_<package>.py are real uses of wheels from
PyPI (tools/fetch-wheels), whose output must be python3.11's.
"""
import glob
import os
import shutil
import subprocess
import tempfile

import compare


def build_demo(top, folder):
    """None, or what the compiler said."""
    compiler = next(filter(shutil.which, ["clang-19", "clang", "cc"]), "cc")
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror",
         f"-I{top}/include/python3.11", f"{top}/tests/capi/demo.c",
         "-o", f"{folder}/demo.cpython-311-x86_64-linux-gnu.so"],
        capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else None


def check_demo(krait, top):
    with tempfile.TemporaryDirectory() as folder:
        problem = build_demo(top, folder)
        if problem is not None:
            return problem
        done = subprocess.run(
            [krait, f"{top}/tests/capi/check_demo.py"], timeout=60,
            env=dict(os.environ, PYTHONPATH=folder),
            capture_output=True, text=True, errors="replace")
    if done.returncode == 0 and done.stdout == "ok\n":
        return None
    return f"status {done.returncode}\n{done.stdout}{done.stderr}"


def run(report, top):
    report.add("demo", check_demo(report.krait, top))
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
