"""Builds with AddressSanitizer or UndefinedBehaviorSanitizer: each process
writes what it finds to a file in `reports` beside the program."""
import glob
import os

VARIABLES = ["ASAN_OPTIONS", "UBSAN_OPTIONS"]


def instrumented(krait):
    """Whether the program is such a build."""
    with open(krait, "rb") as f:
        program = f.read()
    return b"__asan_default_options" in program or \
        b"__ubsan_default_options" in program


def prepare(krait):
    """Empties the folder of reports and tells this process's children of it.
    The folder, or None if the program is an ordinary build."""
    if not instrumented(krait):
        return None
    folder = os.path.join(os.path.dirname(krait), "reports")
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(f"{folder}/*"):
        os.unlink(path)
    for name in VARIABLES:
        own = os.environ.get(name)
        os.environ[name] = f"log_path={folder}/report" + \
            (f":{own}" if own else "")
    return folder


def environment():
    """What a clean environment has to keep."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def problem(folder):
    """None, or the beginning of each report."""
    texts = []
    for path in sorted(glob.glob(f"{folder}/*")):
        with open(path, errors="replace") as f:
            text = f.read()
        if "ERROR:" in text or "runtime error:" in text:
            texts.append("\n".join([path, *text.splitlines()[:8]]))
    return "\n".join(texts) if texts else None
