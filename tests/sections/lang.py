"""tests/lang/<topic>/<behaviour>.py: same output and status as python3.11.

What only krait has is in tests/own, programs that end with 0.
"""
import glob
import os

import compare


def run(report, top):
    for path in sorted(glob.glob(f"{top}/tests/lang/**/*.py", recursive=True)):
        name = os.path.relpath(path, f"{top}/tests/lang")
        report.add(name, compare.difference(report.krait, [path]))
    for path in sorted(glob.glob(f"{top}/tests/own/*.py")):
        status, out, errors = compare.run(report.krait, [path])
        report.add("own/" + os.path.basename(path),
                   (out + errors) if status else None)
