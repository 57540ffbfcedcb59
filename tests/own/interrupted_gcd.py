"""The greatest common divisor of big numbers can be interrupted; the reference
comes back when it has the result."""
import math
import random
import signal


class Stop(Exception):
    pass


def handler(signum, frame):
    raise Stop


signal.signal(signal.SIGALRM, handler)
numbers = [random.getrandbits(9_000_000) for _ in range(2)]
try:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    math.gcd(*numbers)
    raise SystemExit("not interrupted")
except Stop:
    pass
