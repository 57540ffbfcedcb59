"""Shows what each stage of the front end makes of a program.

    krait -m krait.stages [options] FILE
    krait -m krait.stages [options] -c CODE

The stages, in order: tokens, tree, symbols, graph (the flow graph of each
scope after each pass of the compiler), bytecode (with positions).
"""
import argparse
import ast
import dis
import io
import sys
import symtable
import token
import tokenize
import types

import _kraitstages

STARTS = {"exec": 257, "eval": 258, "single": 256}


def show_tokens(source, args):
    """Position, type and text of each token."""
    for t in tokenize.generate_tokens(io.StringIO(source).readline):
        where = "%d:%d-%d:%d" % (*t.start, *t.end)
        yield f"{where:16}{token.tok_name[t.exact_type]:14}{t.string!r}"


def show_tree(source, args):
    """The syntax tree, before constant folding."""
    tree = compile(source, args.name, args.mode, ast.PyCF_ONLY_AST, True)
    yield ast.dump(tree, indent=2, include_attributes=args.positions)


def describe(symbol):
    """How a block uses a name."""
    kinds = ["parameter", "global", "declared_global", "nonlocal", "local",
             "free", "imported", "annotated", "assigned", "referenced",
             "namespace"]
    return ", ".join(kind.replace("_", " ") for kind in kinds
                     if getattr(symbol, "is_" + kind)())


def show_table(table, depth=0):
    indent = "  " * depth
    yield f"{indent}{table.get_type()} {table.get_name()}, " \
          f"line {table.get_lineno()}"
    for name in sorted(table.get_identifiers()):
        yield f"{indent}  {name}: {describe(table.lookup(name))}"
    for child in table.get_children():
        yield from show_table(child, depth + 1)


def show_symbols(source, args):
    """The symbol table of each block."""
    yield from show_table(symtable.symtable(source, args.name, args.mode))


def show_graph(source, args):
    """The flow graph of each scope after each pass that changes it."""
    lines, last = [], {}

    def seen(scope, name, graph):
        if args.scope not in (None, scope) or \
                args.passes and name not in args.passes:
            return
        lines.append(f"-- {scope}, after {name}" +
                     (": as before" if last.get(scope) == graph else ""))
        if last.get(scope) != graph:
            lines.append(graph)
        last[scope] = graph

    _kraitstages.compile(source, args.name, STARTS[args.mode], args.optimize,
                         seen)
    return lines


def codes(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def show_bytecode(source, args):
    """The listing of each code object, with positions and handlers."""
    top = compile(source, args.name, args.mode, 0, True, args.optimize)
    for code in codes(top):
        if args.scope not in (None, code.co_qualname):
            continue
        yield f"-- {code.co_qualname}, stack size {code.co_stacksize}"
        for i in dis.get_instructions(code):
            p = i.positions
            where = f"{p.lineno}:{p.col_offset}-{p.end_lineno}:" \
                    f"{p.end_col_offset}"
            mark = ">>" if i.is_jump_target else "  "
            line = f"{where:16}{mark} {i.offset:5} {i.opname:28}"
            if i.arg is not None:
                line += f" {i.arg:4}" + (f" ({i.argrepr})" if i.argrepr else "")
            yield line.rstrip()
        for e in dis._parse_exception_table(code):
            yield f"  {e.start} to {e.end - 2} -> {e.target}, depth " \
                  f"{e.depth}{', lasti' if e.lasti else ''}"


STAGES = {"tokens": show_tokens, "tree": show_tree, "symbols": show_symbols,
          "graph": show_graph, "bytecode": show_bytecode}


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="krait -m krait.stages", description=__doc__.splitlines()[0],
        epilog="stages: " + "; ".join(
            f"{name}: {stage.__doc__[0].lower()}{stage.__doc__[1:-1]}"
            for name, stage in STAGES.items()))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("file", nargs="?", help="- is standard input")
    where.add_argument("-c", dest="code", help="show this program")
    parser.add_argument("-s", "--stages", default=",".join(STAGES),
                        help="which, with commas (default: all)")
    parser.add_argument("-m", "--mode", choices=STARTS, default="exec")
    parser.add_argument("-O", "--optimize", type=int, choices=(0, 1, 2),
                        default=0, help="level of the compiler")
    parser.add_argument("-p", "--passes", type=lambda s: s.split(","),
                        help="graphs after these passes only, with commas")
    parser.add_argument("--scope", help="graph and bytecode of this scope "
                        "only, by its qualified name")
    parser.add_argument("--positions", action="store_true",
                        help="positions in the tree too")
    args = parser.parse_args(argv)
    args.stages = args.stages.split(",")
    for name in args.stages:
        if name not in STAGES:
            parser.error(f"no stage {name!r}: choose from "
                         f"{', '.join(STAGES)}")
    return args


def read_source(args):
    if args.code is not None:
        args.name = "<string>"
        return args.code + "\n"
    args.name = "<stdin>" if args.file == "-" else args.file
    if args.file == "-":
        return sys.stdin.read()
    with tokenize.open(args.file) as f:
        return f.read()


def main(argv=None):
    args = parse_arguments(argv)
    try:
        source = read_source(args)
        for i, name in enumerate(args.stages):
            if len(args.stages) > 1:
                print(("\n" if i else "") + f"== {name}")
            for line in STAGES[name](source, args):
                print(line)
    except (OSError, SyntaxError, UnicodeDecodeError,
            tokenize.TokenError) as error:
        if isinstance(error, SyntaxError):
            sys.excepthook(type(error), error, None)
        else:
            print(f"krait.stages: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
