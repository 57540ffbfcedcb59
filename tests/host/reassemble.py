"""Takes code objects of CPython apart and lets our assembler build them again.

    python3.11 reassemble.py FILE.py ...   (with _kraitflow on PYTHONPATH)
"""
import dis
import sys
import _kraitflow

JUMPS = set(dis.hasjrel) | set(dis.hasjabs)
EXITS = {dis.opmap[n] for n in ("RETURN_VALUE", "RAISE_VARARGS", "RERAISE")}
COUNT = [0, 0, 0]


def parts(co):
    raw = [i for i in dis.get_instructions(co)]
    index, extended, start = {}, None, None
    kept = []
    for i in raw:
        if start is None:
            start = i.offset
        index[start] = index[i.offset] = len(kept)
        if i.opname == "EXTENDED_ARG":
            continue
        kept.append((start, i))
        start = None
    entries = dis._parse_exception_table(co)
    leaders, handlers = {0}, {}
    for e in entries:
        leaders.add(index[e.target])
        handlers[index[e.target]] = (e.depth + 1 + e.lasti, int(e.lasti))
    out = []
    for n, (_, i) in enumerate(kept):
        if i.opcode in JUMPS:
            leaders.add(index[i.argval])
        if i.opcode in JUMPS or i.opcode in EXITS:
            leaders.add(n + 1)
    for n, (start, i) in enumerate(kept):
        target = index[i.argval] if i.opcode in JUMPS else -1
        handler = -1
        for e in entries:
            if e.start <= start < e.end:
                handler = index[e.target]
        p = i.positions
        loc = [-1 if x is None else x for x in
               (p.lineno, p.end_lineno, p.col_offset, p.end_col_offset)]
        out.append((i.opcode, i.arg or 0, target, handler, *loc,
                    int(n in leaders)))
    return out, handlers


def check(co):
    instructions, handlers = parts(co)
    got = _kraitflow.reassemble(co, instructions, handlers, 0)
    want = co.co_code, co.co_linetable, co.co_exceptiontable
    COUNT[0] += 1
    if got[:3] != want:
        COUNT[1] += 1
        bad = [n for n, a, b in zip(("code", "lines", "handlers"), got, want)
               if a != b]
        if COUNT[1] < 10:
            print("emit", co.co_filename, co.co_qualname, bad)
    if not handlers:
        got = _kraitflow.reassemble(co, instructions, handlers, 1)
        if got[:3] != want or got[3] != co.co_stacksize:
            COUNT[2] += 1
            if COUNT[2] < 15:
                print("optimise", co.co_filename, co.co_qualname,
                      got[0] == want[0], got[1] == want[1], got[3],
                      co.co_stacksize)
    for const in co.co_consts:
        if hasattr(const, "co_code"):
            check(const)


for path in sys.argv[1:]:
    with open(path, "rb") as f:
        check(compile(f.read(), path, "exec"))
print("%d code objects, %d emitted and %d optimised differently"
      % tuple(COUNT))
