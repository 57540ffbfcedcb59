"""C unit tests: each prints what failed and exits with a status."""
import glob
import os
import subprocess


def run(report, top):
    folder = os.path.join(os.path.dirname(report.krait), "tests")
    for path in sorted(glob.glob(f"{folder}/test_*")):
        if not os.access(path, os.X_OK):
            continue
        p = subprocess.run([path], capture_output=True, text=True, timeout=300)
        report.add(os.path.basename(path),
                   None if p.returncode == 0 else
                   f"exit {p.returncode}\n{p.stdout[-2000:]}{p.stderr[-2000:]}")
