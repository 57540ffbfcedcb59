"""Code objects equal to the reference's, field by field, on library files.

A sample of 300 files; KRAIT_ALL_FILES=1 takes every file of the library and of
CPython's tests.
"""
import glob
import os

import compare


def run(report, top):
    files = sorted(glob.glob("/usr/lib/python3.11/**/*.py", recursive=True))
    if not os.environ.get("KRAIT_ALL_FILES"):
        files = files[::max(1, len(files) // 300)]
    script = f"{top}/tests/differential/codeobjects.py"
    equal, different = 0, []
    for level in ("0", "2"):
        for i in range(0, len(files), 50):
            args = [script, "-O", level, *files[i:i + 50]]
            mine = compare.run(report.krait, args, timeout=600)[1]
            theirs = compare.run(compare.REFERENCE, args, timeout=600)[1]
            mine = dict(line.split(" ", 1) for line in mine.splitlines())
            for line in theirs.splitlines():
                path, digest = line.split(" ", 1)
                if mine.get(path) == digest:
                    equal += 1
                else:
                    different.append(f"-O{level} {path}")
    print(f"   {equal} of {equal + len(different)} code objects are equal")
    report.add("code objects equal the reference's",
               "\n".join(different) if different else None)
