"""Seeds, old findings and fixed changes of both, through the fuzz targets."""
import glob
import os
import subprocess
import tempfile

COPIES = {"source": 40, "marshal": 300, "pyc": 60}
ENVIRONMENT = {"PATH": os.defpath, "ASAN_OPTIONS": "detect_leaks=0"}


def run(report, top):
    folder = os.path.join(os.path.dirname(report.krait), "fuzz")
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["/usr/bin/python3.11", "-W", "ignore",
                        f"{top}/fuzz/make_corpus.py", work], check=True)
        for name, copies in COPIES.items():
            program = f"{folder}/replay_{name}"
            if not os.path.exists(program):
                continue
            seeds = [path for path in (f"{top}/fuzz/corpus/{name}",
                                       f"{work}/{name}")
                     if glob.glob(f"{path}/*")]
            p = subprocess.run(
                [program, "-m", str(copies), *seeds], cwd=work,
                env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                capture_output=True, timeout=600)
            ok = p.returncode == 0 and p.stdout.rstrip().endswith(b" runs")
            report.add(f"replay_{name}", None if ok else
                       f"exit {p.returncode}\n"
                       + p.stderr.decode(errors="replace")[-3000:])
    # nesting that the reference would die of, instructions that nobody compiles
    check_script(report, top, "nesting.py")
    check_script(report, top, "instructions.py", "1", "2000")


def check_script(report, top, name, *args):
    p = subprocess.run([report.krait, "-I", "-S", f"{top}/fuzz/{name}", *args],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=600)
    report.add(name, None if p.returncode == 0 else
               f"exit {p.returncode}\n"
               + (p.stdout + p.stderr).decode(errors="replace")[-3000:])
