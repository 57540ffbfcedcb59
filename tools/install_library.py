"""Puts the standard library and what builds extensions under a prefix.

    krait tools/install_library.py LIBRARY PREFIX [DESTDIR]

Copies the library that krait was built for to PREFIX/lib/python3.11, without
tests and without what belongs to the distribution it comes from, compiles it,
and writes what names the prefix: the build variables of sysconfig, pkg-config
files and bin/python3.11-config. `cmake --install` runs it.
"""
import compileall
import os
import pprint
import re
import runpy
import shutil
import stat
import sys

LEFT_OUT = {"__pycache__", "test", "tests", "idle_test", "dist-packages",
            "site-packages", "EXTERNALLY-MANAGED", "sitecustomize.py"}
DATA = "_sysconfigdata__x86_64-linux-gnu.py"
DATA_ALIAS = "_sysconfigdata__linux_x86_64-linux-gnu.py"

# name of the file, what it is for, what the linker gets
PKG_CONFIGS = [("python3", "for extension modules", ""),
               ("python3-embed", "for programs that embed it",
                " -L${libdir} -lpython3.11")]
PKG_CONFIG = """prefix={prefix}
exec_prefix=${{prefix}}
libdir=${{exec_prefix}}/lib
includedir=${{prefix}}/include

Name: Python
Description: Krait, a runtime for Python 3.11: {purpose}
Version: 3.11
Libs:{libs}
Libs.private: -ldl -lm
Cflags: -I${{includedir}}/python3.11
"""

CONFIG = """#!/bin/sh
# Tells how to compile an extension module, or with --embed a program that
# embeds the runtime: --prefix --exec-prefix --includes --cflags --libs
# --ldflags --extension-suffix --abiflags --configdir
here=$(dirname "$(realpath "$0")")
exec "$here/python3.11" -I - "$@" <<'PROGRAM'
import sys
import sysconfig

var = sysconfig.get_config_var
paths = sysconfig.get_paths()
includes = f"-I{paths['include']} -I{paths['platinclude']}"
libs = ("-lpython3.11 " if "--embed" in sys.argv else "") + "-ldl -lm"
known = {
    "--prefix": sys.prefix, "--exec-prefix": sys.exec_prefix,
    "--includes": includes, "--cflags": f"{includes} {var('CFLAGS')}",
    "--libs": libs, "--ldflags": f"-L{var('LIBDIR')} {libs}",
    "--extension-suffix": var("EXT_SUFFIX"),
    "--abiflags": sys.abiflags, "--configdir": var("LIBPL")}
wanted = [a for a in sys.argv[1:] if a != "--embed"]
if not wanted or "--help" in wanted or set(wanted) - set(known):
    usage = "usage: python3.11-config [--embed] [" + "|".join(known) + "]"
    if "--help" not in wanted:
        sys.exit(usage)
    print(usage)
else:
    for option in wanted:
        print(known[option])
PROGRAM
"""


def copy_library(library, target):
    def left_out(folder, names):
        return [n for n in names
                if n in LEFT_OUT or n.startswith("config-3.11")]
    shutil.copytree(library, target, ignore=left_out, dirs_exist_ok=True)


def copy_wheels(library, root):
    """pip and setuptools, for ensurepip and venv."""
    values = runpy.run_path(os.path.join(library, DATA))["build_time_vars"]
    wheels = values.get("WHEEL_PKG_DIR")
    if wheels and os.path.isdir(wheels):
        shutil.copytree(wheels, os.path.join(root, "share/python-wheels"),
                        dirs_exist_ok=True)


def build_variables(library, prefix):
    """The variables of the library's own build, with another prefix."""
    path = os.path.join(library, DATA)
    values = runpy.run_path(path)["build_time_vars"]
    for key, value in values.items():
        if isinstance(value, str):
            values[key] = re.sub(r"(?<![\w./-])/usr(?=[/ ]|$)",
                                 lambda _: prefix, value)
    values.update(
        prefix=prefix, exec_prefix=prefix, host_prefix=prefix,
        host_exec_prefix=prefix, LIBDIR=f"{prefix}/lib",
        LIBPL=f"{prefix}/lib/python3.11", BINDIR=f"{prefix}/bin",
        INCLUDEPY=f"{prefix}/include/python3.11",
        CONFINCLUDEPY=f"{prefix}/include/python3.11", LDVERSION="3.11",
        WHEEL_PKG_DIR=f"{prefix}/share/python-wheels",
        LIBPYTHON="", Py_ENABLE_SHARED=0)
    return values


def write(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    if executable:
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP
                 | stat.S_IXOTH)


def main(library, prefix, destdir=""):
    prefix = os.path.normpath(prefix)
    root = destdir + prefix
    target = os.path.join(root, "lib/python3.11")
    if os.path.exists(target) and os.path.samefile(library, target):
        print("-- The library is there already:", target)
        return
    print("-- Installing the library:", target, flush=True)
    copy_library(library, target)
    copy_wheels(library, root)
    variables = pprint.pformat(build_variables(library, prefix))
    for name in (DATA, DATA_ALIAS):
        write(f"{target}/{name}", f"build_time_vars = {variables}\n")
    for name, purpose, libs in PKG_CONFIGS:
        text = PKG_CONFIG.format(prefix=prefix, purpose=purpose,
                                 libs=libs)
        for file in (name, name.replace("python3", "python-3.11")):
            write(f"{root}/lib/pkgconfig/{file}.pc", text)
    for name in ("python3.11-config", "python3-config"):
        write(f"{root}/bin/{name}", CONFIG, executable=True)
    # some files of lib2to3 are not meant to compile
    compileall.compile_dir(target, quiet=2, stripdir=destdir or None,
                           prependdir="/" if destdir else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
