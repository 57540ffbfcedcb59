"""Runs a command under krait and the reference, and compares what they say."""
import difflib
import os
import subprocess
import tempfile

import sanitizers

REFERENCE = "/usr/bin/python3.11"


def environment(home):
    return {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home,
            "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80",
            **sanitizers.environment()}


def run(python, args, stdin="", timeout=120, cwd=None, env=()):
    with tempfile.TemporaryDirectory() as home:
        p = subprocess.run([python, *args], input=stdin, text=True,
                           capture_output=True, timeout=timeout,
                           cwd=cwd or home,
                           env=environment(home) | dict(env))
        return p.returncode, p.stdout.replace(home, "~"), \
            p.stderr.replace(home, "~")


def difference(krait, args, stdin="", normalise=None, check_stderr=True,
               timeout=120, env=()):
    """None when both behave alike, else the difference."""
    try:
        mine = run(krait, args, stdin, timeout, env=env)
    except subprocess.TimeoutExpired:
        return f"no end after {timeout} s"
    theirs = run(REFERENCE, args, stdin, timeout, env=env)
    if normalise:
        mine = tuple(map(normalise, map(str, mine)))
        theirs = tuple(map(normalise, map(str, theirs)))
    parts = ["exit status", "standard output", "standard error"]
    for i in range(3 if check_stderr else 2):
        if mine[i] != theirs[i]:
            lines = difflib.unified_diff(
                str(theirs[i]).splitlines(), str(mine[i]).splitlines(),
                "python3.11", "krait", lineterm="", n=2)
            return parts[i] + "\n" + "\n".join(list(lines)[:40])
    return None
