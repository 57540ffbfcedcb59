"""tests/lang/<topic>/<behaviour>.py: same output and status as python3.11."""
import glob
import os

import compare


def run(report, top):
    for path in sorted(glob.glob(f"{top}/tests/lang/**/*.py", recursive=True)):
        name = os.path.relpath(path, f"{top}/tests/lang")
        report.add(name, compare.difference(report.krait, [path]))
