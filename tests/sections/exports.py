"""The program exports what libpython3.11 exports, and nothing else."""
import subprocess


def defined(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path],
                         capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in out.splitlines()
            if line.split()[-1].lstrip("_").startswith("Py")}


def wanted(top):
    with open(f"{top}/tools/abi/symbols.tsv") as f:
        return {line.split("\t")[0] for line in f if not line.startswith("#")}


def run(report, top):
    have, want = defined(report.krait), wanted(top)
    missing, extra = sorted(want - have), sorted(have - want)
    report.add("no exported name is missing",
               " ".join(missing) if missing else None)
    report.add("no other Py name is exported",
               " ".join(extra) if extra else None)
    out = subprocess.run(["nm", report.krait], capture_output=True, text=True)
    stubs = [line.split()[-1] for line in out.stdout.splitlines()
             if line.split()[-2] in "WV" and line.split()[-1] in want]
    with open(f"{top}/tests/known_stubs.txt") as f:
        known = set(f.read().split())
    new = sorted(set(stubs) - known)
    gone = sorted(known - set(stubs))
    report.add("the list of unwritten names only shrinks",
               ("new: " + " ".join(new) if new else
                "written now, take out of tests/known_stubs.txt: " +
                " ".join(gone) if gone else None))
