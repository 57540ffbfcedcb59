"""What `make install` installs works on its own, from where it is put."""
import os
import shutil
import subprocess
import tempfile

import sanitizers

SOURCE = """#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *
twice(PyObject *module, PyObject *x)
{
    return PyNumber_Add(x, x);
}

static PyMethodDef methods[] = {{"twice", twice, METH_O, "twice"}, {0}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "tiny", 0, 0, methods};

PyMODINIT_FUNC
PyInit_tiny(void)
{
    return PyModule_Create(&def);
}
"""
SETUP = """from distutils.core import setup, Extension
setup(name="tiny", version="1", ext_modules=[Extension("tiny", ["tiny.c"])])
"""
EMBEDDING = """#include <Python.h>

/* Ends with 0 if the program and the library mean the same objects and the
 * code it is given runs. */
int
main(int argc, char **argv)
{
    Py_Initialize();
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *error = PyObject_GetAttrString(builtins, "TypeError");
    int bad = error != PyExc_TypeError || Py_TYPE(error) != &PyType_Type;
    Py_DECREF(error);
    Py_DECREF(builtins);
    for (int i = 1; i < argc; i++) {
        bad |= PyRun_SimpleString(argv[i]) != 0;
    }
    return Py_FinalizeEx() < 0 || bad;
}
"""
PATHS = """if True:
    import sys, sysconfig, json, zlib, _ssl, ctypes
    assert sys.prefix == sys.base_prefix == sys.argv[1], sys.prefix
    assert json.__file__.startswith(sys.prefix), json.__file__
    assert json.__spec__.cached and json.__cached__.endswith(".pyc")
    for name, path in sysconfig.get_paths().items():
        assert path.startswith(sys.prefix), (name, path)
    for name in ("LIBDIR", "INCLUDEPY", "BINDIR", "LIBPL", "prefix"):
        assert sysconfig.get_config_var(name).startswith(sys.prefix), name
    import os
    assert os.path.exists(sysconfig.get_config_h_filename())
    print("ok")
"""


STAGED = """if True:
    import importlib, marshal, textwrap
    with open(textwrap.__cached__, "rb") as f:
        code = marshal.loads(f.read()[16:])
    assert code.co_filename == "/opt/krait/lib/python3.11/textwrap.py"
    name = "_sysconfigdata__x86_64-linux-gnu"
    data = importlib.import_module(name).build_time_vars
    assert data["LIBDIR"] == "/opt/krait/lib", data["LIBDIR"]
"""


class Failed(Exception):
    pass


def command(*args, cwd, **env):
    done = subprocess.run(args, cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=300,
                          env={"PATH": os.environ["PATH"], "HOME": cwd,
                               "LANG": "C.UTF-8", "TMPDIR": cwd,
                               **sanitizers.environment(), **env})
    if done.returncode:
        raise Failed(f"{args}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def check_paths(prefix, folder):
    python = f"{prefix}/bin/python3"
    assert command(python, "-c", PATHS, prefix, cwd=folder) == "ok\n"
    os.symlink(python, f"{folder}/linked")
    command(f"{folder}/linked", "-c", PATHS, prefix, cwd=folder)


def check_extension(prefix, folder):
    """By the compiler and python3.11-config, and by distutils."""
    with open(f"{folder}/tiny.c", "w") as f:
        f.write(SOURCE)
    with open(f"{folder}/setup.py", "w") as f:
        f.write(SETUP)
    config = f"{prefix}/bin/python3.11-config"
    flags = command(config, "--includes", cwd=folder).split()
    suffix = command(config, "--extension-suffix", cwd=folder).strip()
    use = "import tiny; assert tiny.twice(21) == 42"
    command("gcc", "-shared", "-fPIC", "-Wall", "-Werror", *flags, "tiny.c",
            "-o", "tiny" + suffix, cwd=folder)
    command(f"{prefix}/bin/python", "-c", use, cwd=folder)
    os.remove(f"{folder}/tiny{suffix}")
    command(f"{prefix}/bin/python", "-W", "ignore", "setup.py", "-q",
            "build_ext", "-i", cwd=folder)
    command(f"{prefix}/bin/python", "-c", use, cwd=folder)


def check_embedding(prefix, folder):
    """A program with the shared library, which finds what lies beside it, and
    one with the archive, which is told."""
    with open(f"{folder}/embedding.c", "w") as f:
        f.write(EMBEDDING)
    config = f"{prefix}/bin/python3.11-config"
    flags = (command(config, "--includes", cwd=folder) +
             command(config, "--embed", "--ldflags", cwd=folder)).split()
    archive = [f"{prefix}/lib/libpython3.11.a", "-ldl", "-lm",
               "-Wl,--export-dynamic"]
    use = ("import sys, json, zlib, _ssl, array, tiny; "
           f"assert sys.prefix == {prefix!r}, sys.prefix; "
           "assert tiny.twice(21) == 42")
    for options in (["-fPIE", "-pie", *flags], ["-fno-pie", "-no-pie", *flags],
                    ["-fPIE", "-pie", flags[0], *archive]):
        command("gcc", "-Wall", "-Werror", "embedding.c", "-o", "embedding",
                *options, f"-Wl,-rpath,{prefix}/lib", cwd=folder)
        place = {"PYTHONHOME": prefix} if archive[0] in options else {}
        command("./embedding", use, cwd=folder, PYTHONPATH=folder, **place)


def check_staged(build, folder):
    """Put into a folder for a package, with the paths of its later place."""
    stage = f"{folder}/stage"
    command("cmake", "--install", build, "--prefix", "/opt/krait", cwd=folder,
            DESTDIR=stage)
    command(f"{stage}/opt/krait/bin/python3", "-c", STAGED, cwd=folder)


def check_venv(prefix, folder):
    """With pip, where the machine has its wheel."""
    pip = os.path.isdir(f"{prefix}/share/python-wheels")
    command(f"{prefix}/bin/python3", "-m", "venv", "env",
            *([] if pip else ["--without-pip"]), cwd=folder)
    command("env/bin/python", "-c", "import sys; assert sys.prefix != "
            "sys.base_prefix == sys.argv[1]", prefix, cwd=folder)
    if pip:
        command("env/bin/pip", "--version", cwd=folder)


def run(report, top):
    build = os.path.dirname(report.krait)
    if not os.path.exists(f"{build}/cmake_install.cmake"):
        print("  note: not in a build folder, skipped")
        return
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/prefix"
        checks = [("install", lambda *_: command(
            "cmake", "--install", build, "--prefix", prefix, cwd=folder)),
                  ("paths", check_paths), ("venv", check_venv),
                  ("staged", lambda *_: check_staged(build, folder))]
        if shutil.which("gcc"):
            checks.append(("extension", check_extension))
            if not sanitizers.instrumented(report.krait):
                checks.append(("embedding", check_embedding))
        for name, check in checks:
            try:
                check(prefix, folder)
                report.add(name)
            except (Failed, AssertionError, OSError) as e:
                report.add(name, repr(e) if not str(e) else e)
                if name == "install":
                    return
