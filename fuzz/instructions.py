"""instructions.py SEED COUNT: random instructions with a stack that fits.

Changed bytes are mostly refused by the verifier; these are mostly not, as each
instruction finds as many values on the stack as it takes. The values are of
any type, so that what instructions take for granted about them shows. Whatever
happens must be an exception. Prints how many ran to their end, raised, and were
refused.
"""
import asyncio
import dis
import random
import sys
import types

OP = dis.opmap
CACHES = dis._inline_cache_entries
SKIPPED = {"CACHE", "EXTENDED_ARG", "JUMP_BACKWARD_NO_INTERRUPT",
           "JUMP_BACKWARD", "KW_NAMES", "IMPORT_NAME", "PRINT_EXPR",
           "LOAD_BUILD_CLASS", "RETURN_GENERATOR"}
NAMES = sorted(name for name in OP
               if OP[name] < 256 and name not in SKIPPED
               and "JUMP_BACKWARD" not in name)
GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x200


def make_generator():
    yield 1
    yield 2


async def make_coroutine():
    await asyncio.sleep(0)


async def make_async_generator():
    yield 1


def outer():
    cell = 1
    return lambda: cell


class Manager:
    __match_args__ = ("a", 1)
    a = 5

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return True

    def split(self, kind):
        return self, self


class Group(ExceptionGroup):
    def split(self, kind):
        return 1, 2


def values(rng):
    closed = outer()
    return [
        None, True, 0, 1, -1, 2**70, 1.5, 2j, "a", "abc", b"x", (), (1, 2),
        ("a", "b"), [1, 2], {}, {"a": 1}, {1, 2}, frozenset("ab"), ...,
        range(3), slice(1), int, list, dict, ValueError, KeyError(1),
        ExceptionGroup("g", [ValueError(1), KeyError(2)]),
        Group("h", [ValueError(3)]), StopIteration(4), StopAsyncIteration(),
        iter([1, 2]), iter((1,)), iter(range(4)), make_generator(),
        make_coroutine(), make_async_generator(), closed, closed.__code__,
        closed.__closure__, closed.__closure__[0], make_generator.__code__,
        Manager(), Manager, len, "".join, [].append, types, object(),
        "abc".join, repr, isinstance, type, str, tuple, Manager().__enter__,
    ]


def is_exception(v):
    return isinstance(v, BaseException)


def is_class(v):
    return v is ValueError


def is_int(v):
    return type(v) is int and v in (0, 1)


def of(*kinds):
    return lambda v: type(v) in kinds


def anything(v):
    return True


ITERATORS = of(*(type(v) for v in (iter([]), iter(()), iter(range(0)))),
               types.GeneratorType)
# What lies on top of the stack when an instruction works.
WANTED = {
    "UNARY_NEGATIVE": [is_int], "UNARY_INVERT": [is_int],
    "UNARY_POSITIVE": [is_int], "BINARY_OP": [is_int, is_int],
    "COMPARE_OP": [is_int, is_int], "BINARY_SUBSCR": [of(list), is_int],
    "STORE_SUBSCR": [anything, of(list), is_int],
    "CONTAINS_OP": [anything, of(tuple, list)],
    "GET_ITER": [of(list, tuple, range)], "FOR_ITER": [ITERATORS],
    "GET_YIELD_FROM_ITER": [ITERATORS],
    "SEND": [ITERATORS, lambda v: v is None],
    "GET_AWAITABLE": [of(types.CoroutineType)],
    "GET_AITER": [of(types.AsyncGeneratorType)],
    "GET_ANEXT": [of(types.AsyncGeneratorType)],
    "END_ASYNC_FOR": [anything, of(StopAsyncIteration)],
    "PUSH_EXC_INFO": [is_exception], "POP_EXCEPT": [is_exception],
    "CHECK_EXC_MATCH": [is_exception, is_class],
    "CHECK_EG_MATCH": [is_exception, is_class],
    "PREP_RERAISE_STAR": [is_exception, of(list)],
    "WITH_EXCEPT_START": [callable, anything, anything, is_exception],
    "BEFORE_WITH": [of(Manager)], "BEFORE_ASYNC_WITH": [of(Manager)],
    "LIST_APPEND": [of(list), anything], "SET_ADD": [of(set), is_int],
    "MAP_ADD": [of(dict), is_int, anything],
    "LIST_EXTEND": [of(list), of(tuple)], "SET_UPDATE": [of(set), of(tuple)],
    "DICT_UPDATE": [of(dict), of(dict)],
    "DICT_MERGE": [callable, anything, of(dict), of(dict)],
    "LIST_TO_TUPLE": [of(list)], "BUILD_STRING": [of(str)] * 4,
    "UNPACK_SEQUENCE": [of(list, tuple)], "UNPACK_EX": [of(list, tuple)],
    "MATCH_KEYS": [of(dict), of(tuple)], "MATCH_MAPPING": [of(dict)],
    "MATCH_CLASS": [of(Manager), lambda v: v is Manager, of(tuple)],
    "GET_LEN": [of(list)], "MAKE_FUNCTION": [of(types.CodeType)],
    "CALL_FUNCTION_EX": [callable, of(tuple)],
    "IMPORT_FROM": [of(Manager)], "LOAD_ATTR": [of(Manager)],
    "STORE_ATTR": [anything, of(Manager)], "FORMAT_VALUE": [is_int],
    "RERAISE": [is_int, is_exception], "RAISE_VARARGS": [is_exception] * 2,
}
# Where the lowest of them is named by the oparg.
ONE = {"LIST_APPEND", "SET_ADD", "MAP_ADD", "LIST_EXTEND", "SET_UPDATE",
       "DICT_UPDATE", "DICT_MERGE"}


class Writer:
    def __init__(self, rng, consts):
        self.rng, self.consts = rng, consts
        self.code = bytearray()
        self.depth = 0
        self.deepest = 0
        self.joins = {}  # unit: depth there
        self.open = []  # jumps: (offset of the oparg, depth at the target)

    def emit(self, name, oparg=0):
        self.code += bytes([OP[name], oparg])
        self.code += bytes(2 * CACHES[OP[name]])

    def need(self, n):
        while self.depth < n:
            self.push()

    def push(self):
        kind = self.rng.randrange(8)
        if kind == 0:
            self.emit("LOAD_FAST", self.rng.randrange(3))
        elif kind == 1:
            self.emit("LOAD_DEREF", 3)
        elif kind == 2 and self.depth:
            self.emit("COPY", self.rng.randrange(self.depth) + 1)
        else:
            self.emit("LOAD_CONST", self.rng.randrange(len(self.consts)))
        self.moved(1)

    def push_wanted(self, name):
        for fits in WANTED[name]:
            indexes = [i for i, v in enumerate(self.consts) if fits(v)]
            self.emit("LOAD_CONST", self.rng.choice(indexes or [1]))
            self.moved(1)

    def moved(self, delta):
        self.depth += delta
        self.deepest = max(self.deepest, self.depth)

    def oparg(self, name):
        rng, op = self.rng, OP[name]
        if op in dis.hasconst:
            return rng.randrange(len(self.consts))
        if name == "LOAD_GLOBAL":
            return rng.randrange(2) << 1
        if op in dis.hasname:
            return rng.randrange(2)
        if op in dis.hasfree:
            return 3
        if op in dis.haslocal:
            return rng.randrange(3)
        limits = {"BINARY_OP": 26, "COMPARE_OP": 6, "RAISE_VARARGS": 3,
                  "MAKE_FUNCTION": 16, "CALL_FUNCTION_EX": 2,
                  "RERAISE": 1 + (self.depth > 2)}
        if name == "BUILD_SLICE":
            return rng.randrange(2, 4)
        if name in ("COPY", "SWAP"):
            return rng.randrange(max(self.depth, 1)) + 1
        return rng.randrange(limits.get(name, 4))

    def call(self):
        nargs = self.rng.randrange(3)
        if self.rng.randrange(2):
            self.emit("PUSH_NULL")
            self.moved(1)
            for _ in range(nargs + 1):
                self.push()
        else:
            self.need(1)
            self.emit("LOAD_METHOD", self.rng.randrange(2))
            self.moved(1)
            for _ in range(nargs):
                self.push()
        if nargs and self.rng.randrange(3) == 0:
            self.emit("KW_NAMES", 0)
        self.emit("PRECALL", nargs)
        self.emit("CALL", nargs)
        self.moved(-nargs - 1)

    def one(self, started):
        name = self.rng.choice(NAMES)
        if name in ("CALL", "PRECALL", "PUSH_NULL", "LOAD_METHOD"):
            return self.call()
        if name == "YIELD_VALUE" and not started:
            return
        oparg = self.oparg(name)
        op = OP[name]
        if name == "CALL_FUNCTION_EX":
            self.emit("PUSH_NULL")
            self.moved(1)
            for _ in range(2 + oparg):
                self.push()
        takes = {"SWAP": oparg, "COPY": oparg, "FOR_ITER": 1, "SEND": 2,
                 "MAP_ADD": oparg + 2, "DICT_MERGE": oparg + 3,
                 "RERAISE": oparg + 1, "WITH_EXCEPT_START": 4}
        jumps = op in dis.hasjrel
        effect = dis.stack_effect(
            op, oparg if op >= dis.HAVE_ARGUMENT else None, jump=False)
        if self.rng.randrange(5) and name in WANTED:
            oparg = 1 if name in ONE else oparg
            self.push_wanted(name)
        self.need(max(takes.get(name, oparg + 2), 3, -effect))
        self.emit(name, 0 if jumps else oparg)
        if jumps:
            after = dis.stack_effect(op, 0, jump=True)
            self.open.append((len(self.code) - 1 - 2 * CACHES[op],
                              self.depth + after))
        self.moved(effect)
        if name in ("RETURN_VALUE", "RAISE_VARARGS", "RERAISE",
                    "JUMP_FORWARD"):
            self.land()

    def land(self):
        """Ends a run of instructions: jumps of one depth come here."""
        if not self.open:
            self.depth = 0
            self.emit("LOAD_CONST", 1)  # not reached
            self.moved(1)
            return
        depth = self.open[-1][1]
        self.depth = depth
        here = len(self.code)
        for at, wanted in self.open:
            distance = (here - at - 1) // 2
            if wanted == depth and distance < 256:
                self.code[at] = distance
        self.open = [j for j in self.open if j[1] != depth]

    def finish(self):
        self.need(1)
        self.emit("RETURN_VALUE")
        while self.open:
            self.land()
            self.need(1)
            self.emit("RETURN_VALUE")


def number(value, first=False):
    digits = [value & 63]
    while value > 63:
        value >>= 6
        digits.insert(0, value & 63 | 64)
    digits[:-1] = [d | 64 for d in digits[:-1]]
    digits[0] |= 128 if first else 0
    return bytes(digits)


def program(rng):
    """A function with variables a, b, c, a cell d, perhaps a generator."""
    consts = values(rng)
    rng.shuffle(consts)
    consts[0] = ("k",)
    w = Writer(rng, consts)
    flags = rng.choice([0, 0, GENERATOR, COROUTINE, ASYNC_GENERATOR]) | 3
    w.emit("MAKE_CELL", 3)
    if flags & ~3:
        w.emit("RETURN_GENERATOR")
        w.emit("POP_TOP")
        w.deepest = 1
    w.emit("RESUME")
    w.emit("LOAD_CONST", 2)
    w.emit("STORE_DEREF", 3)
    start = len(w.code) // 2
    for _ in range(rng.randrange(2, 25)):
        w.one(flags & ~3)
    w.finish()
    end = len(w.code) // 2
    table = b""
    if rng.randrange(2):
        lasti = rng.randrange(2)
        table = (number(start, True) + number(end - start) + number(end)
                 + number(lasti))
        w.depth = 1 + lasti
        w.moved(0)
        for _ in range(rng.randrange(8)):
            w.one(flags & ~3)
        w.finish()
    return (lambda a, b, c: 0).__code__.replace(
        co_code=bytes(w.code), co_consts=tuple(consts), co_names=("a", "len"),
        co_cellvars=("d",), co_stacksize=w.deepest + 3, co_flags=flags,
        co_exceptiontable=table)


def drain(result):
    if isinstance(result, types.GeneratorType):
        for _ in range(3):
            next(result)
        result.throw(ValueError)
    elif isinstance(result, types.CoroutineType):
        result.send(None)
        result.close()
    elif isinstance(result, types.AsyncGeneratorType):
        result.asend(None).send(None)
        result.aclose().send(None)


def main(seed, count):
    sys.unraisablehook = lambda args: None
    ran = raised = refused = 0
    for i in range(count):
        rng = random.Random(f"{seed}-{i}")
        if "-v" in sys.argv:
            print(i, flush=True)
        code = program(rng)
        f = types.FunctionType(code, {"a": 1, "__builtins__": {"len": len}})
        for turn in range(1 + 11 * (i % 4 == 0)):
            try:
                drain(f(rng.choice(code.co_consts), 1, [2]))
                ran += 1
            except BaseException as e:
                if "bad code object: " in str(e) and "offset" in str(e):
                    refused += 1
                    break
                raised += 1
    print(f"{ran} ran, {raised} raised, {refused} refused")


if __name__ == "__main__":
    import warnings
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]))
