"""Handlers of signals run, and may raise, in the middle of long arithmetic."""
import math
import signal
import sys


class Stop(Exception):
    pass


def handler(signum, frame):
    raise Stop


def interrupted(what, *args):
    """Whether `what`, which would take long, was left."""
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        what(*args)
    except Stop:
        return True
    signal.setitimer(signal.ITIMER_REAL, 0)
    return False


sys.set_int_max_str_digits(0)
signal.signal(signal.SIGALRM, handler)
long = 1 << 40_000_000
odd = (1 << 3_000_000) + 1
print("power", interrupted(pow, 3, 10 ** 9))
print("modular power", interrupted(pow, 3, odd >> 5, odd))
print("decimal text", interrupted(str, long))
print("quotient", interrupted(divmod, long + 1, (1 << 15_000_001) - 1))
print("factorial", interrupted(math.factorial, 10 ** 7))
print("root", interrupted(math.isqrt, long // 3))
print(long >> 39_999_999)
