"""What the front end makes of source files: one digest a question and file.

    questions.py [--text] [--marshal DIR SUFFIX] QUESTION[,QUESTION] FILE...

prints a line "QUESTION FILE DIGEST" for each; the digests of two interpreters
are equal when everything that the question asks is. FILE may be @LIST, which
names a file that lists them. With --text the answers themselves are printed.
"""
import ast
import dis
import hashlib
import io
import marshal
import os
import re
import symtable
import sys
import textwrap
import tokenize
import types
import warnings

import __future__
from codeobjects import describe

FLAGS = [getattr(__future__, name).compiler_flag
         for name in __future__.all_feature_names]
TYPE_COMMENTS = ast.PyCF_TYPE_COMMENTS | ast.PyCF_ONLY_AST
MARSHAL = []
ADDRESS = re.compile(r"at 0x[0-9a-f]+")


def failure(error):
    names = ("msg", "lineno", "offset", "end_lineno", "end_offset", "text")
    where = [getattr(error, name, None) for name in names]
    return f"{type(error).__name__}: {error.args!r} {where!r}"


def attempt(function, *args, **keywords):
    """What `function` returns, as text, or how it fails."""
    try:
        result = function(*args, **keywords)
    except (SyntaxError, ValueError, tokenize.TokenError, OverflowError,
            TypeError, AttributeError) as error:
        return failure(error)
    if isinstance(result, types.CodeType):
        return describe(result)
    if isinstance(result, ast.AST):
        return ast.dump(result, include_attributes=True)
    return result


def code(source, path, flags=0, optimize=0, mode="exec"):
    return attempt(compile, source, path, mode, flags, True, optimize)


def ask_code0(source, path):
    return code(source, path)


def ask_code1(source, path):
    return code(source, path, optimize=1)


def ask_code2(source, path):
    return code(source, path, optimize=2)


def ask_await(source, path):
    return code(source, path, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def ask_future(source, path):
    """Under each __future__ flag, and all at once."""
    return "\n".join(code(source, path, flag) for flag in
                     [*FLAGS, sum(set(FLAGS))])


def ask_annotations(source, path):
    return code(source, path, __future__.annotations.compiler_flag)


def statements(source):
    """The text of the file and its statements, if it has any."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        text = io.TextIOWrapper(io.BytesIO(source), encoding).read()
        return text, ast.parse(text).body
    except (SyntaxError, ValueError):
        return "", []


def segments(source, kinds, limit):
    """Source texts of up to `limit` nodes of the kinds."""
    text, body = statements(source)
    lines = text.splitlines(keepends=True)
    found = []
    for node in body:
        for child in ast.walk(node):
            if isinstance(child, kinds):
                part = lines[child.lineno - 1:child.end_lineno]
                encoded = part[-1].encode()[:child.end_col_offset]
                part[-1] = encoded.decode()
                part[0] = part[0].encode()[child.col_offset:].decode() \
                    if len(part) > 1 else \
                    encoded[child.col_offset:].decode()
                found.append("".join(part))
                if len(found) >= limit:
                    return found
    return found


def ask_single(source, path):
    """Statements of the file as interactive input."""
    texts = segments(source, ast.stmt, 60)
    return "\n".join(code(text + "\n", path, 0, mode="single")
                     for text in map(textwrap.dedent, texts))


def ask_eval(source, path):
    """Expressions of the file."""
    return "\n".join(code(text, path, 0, mode="eval")
                     for text in segments(source, ast.expr, 120))


def ask_typecomments(source, path):
    return code(source, path, TYPE_COMMENTS)


def ask_functypes(source, path):
    """Annotations as types of functions."""
    return "\n".join(code(f"({text}) -> {text}", path, ast.PyCF_ONLY_AST,
                          mode="func_type")
                     for text in segments(source, ast.Subscript, 20))


def ask_versions(source, path):
    """The tree or error under older grammars."""
    return "\n".join(str(attempt(ast.parse, source, path,
                                 feature_version=(3, minor)))
                     for minor in (4, 5, 6, 7, 8, 9, 10))


def ask_tree(source, path):
    return code(source, path, ast.PyCF_ONLY_AST)


def ask_tokens(source, path):
    def read():
        stream = io.BytesIO(source)
        return "\n".join(map(repr, tokenize.tokenize(stream.readline)))
    return attempt(read)


def table_text(table, out, depth=0):
    names = ("type", "name", "lineno")
    out.append(" " * depth + " ".join(
        str(getattr(table, "get_" + name)()) for name in names) +
        f" {table.is_optimized()} {table.is_nested()} {table.has_children()}")
    if isinstance(table, symtable.Function):
        out.append(repr([sorted(getattr(table, "get_" + name)()) for name in
                         ("parameters", "locals", "globals", "nonlocals",
                          "frees")]))
    if isinstance(table, symtable.Class):
        out.append(repr(table.get_methods()))
    for name in sorted(table.get_identifiers()):
        symbol = table.lookup(name)
        out.append(f"{name} " + " ".join(
            str(int(getattr(symbol, attribute)()))
            for attribute in sorted(dir(symbol))
            if attribute.startswith("is_") and attribute != "is_namespace"))
    for child in table.get_children():
        table_text(child, out, depth + 1)


def ask_symbols(source, path):
    def read():
        out = []
        table_text(symtable.symtable(source, path, "exec"), out)
        return "\n".join(out)
    return attempt(read)


def ask_unparse(source, path):
    return attempt(lambda: ast.unparse(ast.parse(source, path)))


def ask_dis(source, path):
    """All forms of the listing of one file."""
    try:
        top = compile(source, path, "exec", 0, True, 0)
    except (SyntaxError, ValueError) as error:
        return failure(error)
    out = io.StringIO()
    for form in ({}, {"show_caches": True}, {"adaptive": True}):
        for part in codes(top):
            dis.disassemble(part, file=out, **form)
    for part in codes(top):
        out.write(dis.code_info(part) + "\n")
        out.write(repr(list(dis.findlinestarts(part))))
        out.write(repr(dis.findlabels(part.co_code)))
        out.write(repr(list(part.co_positions())))
        out.write(repr(list(part.co_lines())))
    text = ADDRESS.sub("at 0x", out.getvalue())
    # the order of a set with None depends on addresses
    return re.sub(r"frozenset\(\{(.*?)\}\)",
                  lambda m: repr(sorted(m[1].split(", "))), text)


def codes(top):
    yield top
    for const in top.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def marshal_name(path, suffix):
    name = hashlib.sha256(path.encode()).hexdigest()[:24]
    return os.path.join(MARSHAL[0], name + "." + suffix)


def ask_dump(source, path):
    """Writes the code object for the other interpreter."""
    try:
        data = marshal.dumps(compile(source, path, "exec", 0, True, 0))
    except (SyntaxError, ValueError) as error:
        return failure(error)
    with open(marshal_name(path, MARSHAL[1]), "wb") as f:
        f.write(data)
    return "written"


def ask_load(source, path):
    """Reads what an interpreter has written."""
    try:
        with open(marshal_name(path, MARSHAL[1]), "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return "not there"
    return describe(marshal.loads(data))


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def main(args):
    show = args[:1] == ["--text"]
    args = args[show:]
    if args[:1] == ["--marshal"]:
        MARSHAL.extend(args[1:3])
        args = args[3:]
    warnings.simplefilter("ignore")
    for path in names(args[1:]):
        with open(path, "rb") as f:
            source = f.read()
        for question in args[0].split(","):
            try:
                answer = globals()["ask_" + question](source, path)
            except (RecursionError, MemoryError) as error:
                answer = type(error).__name__
            if show:
                print(answer)
            else:
                print(question, path.replace(" ", "\\ "), digest(answer),
                      flush=True)


def names(args):
    for name in args:
        if name.startswith("@"):
            with open(name[1:]) as f:
                yield from f.read().splitlines()
        else:
            yield name

if __name__ == "__main__":
    main(sys.argv[1:])
