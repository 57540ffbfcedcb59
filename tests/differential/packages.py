#!/usr/bin/python3.11
"""Compares the code objects and trees of 24 packages of pure Python.

    packages.py [--krait KRAIT] [--folder DIR] [--questions A,B] [NAME...]

Downloads what is not in DIR yet (wheels, without dependencies), unpacks it
there, and asks both interpreters about every file with frontend.py. Prints a
row for each package; versions are pinned, so that rows stay comparable.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import zipfile

import frontend

PACKAGES = """Django==5.2.19 sympy==1.14.0 SQLAlchemy==2.0.58 mypy==2.4.1
Jinja2==3.1.6 Flask==3.1.3 requests==2.34.2 pip==26.3 setuptools==84.2.1
black==26.10.1 pytest==9.2.0 Sphinx==9.0.4 docutils==0.23 Pygments==2.21.0
networkx==3.6.1 Twisted==26.10.0 botocore==1.44.5 boto3==1.44.5
fastapi==0.165.0 pydantic==1.10.27 rich==15.0.0 poetry-core==2.5.0
nltk==3.10.4 Mako==1.4.3""".split()


def fetch(package, folder):
    """The folder with the package's files, downloaded if it is not there."""
    target = os.path.join(folder, package)
    if os.path.isdir(target):
        return target
    with tempfile.TemporaryDirectory(dir=folder) as new:
        subprocess.run(
            ["pip", "download", "-q", "--no-deps", "--only-binary=:all:",
             "--platform", "any", "--python-version", "3.11",
             "--implementation", "py", "--abi", "none", "-d", new, package],
            check=True, stdout=sys.stderr)
        wheel, = os.listdir(new)
        with zipfile.ZipFile(os.path.join(new, wheel)) as archive:
            archive.extractall(target + ".part")
    os.rename(target + ".part", target)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default=frontend.TOP + "/build/dev/krait")
    parser.add_argument("--folder", default=os.path.join(
        tempfile.gettempdir(), "krait-packages"))
    parser.add_argument("--questions", default="code0,code2,tree")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="packages of the list, all by default")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    wanted = {name.lower() for name in args.names}
    files, bad = 0, []
    for package in PACKAGES:
        name, version = package.split("==")
        if wanted and name.lower() not in wanted:
            continue
        sources = frontend.sources([fetch(package, args.folder)])
        equal, different = frontend.count(
            args.krait, args.questions.split(","), sources)
        files += len(sources)
        bad += different
        print(f"| {name} {version} | {len(sources)} | "
              f"{sum(equal.values())} | {len(different)} |", flush=True)
    print(f"{files} files, {len(bad)} differences")
    print("\n".join(f"{question} {name}" for question, name in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
