"""Which exception types define __new__ and __str__ and which inherit them."""
import builtins


def definers(name):
    return {key for key, value in vars(builtins).items()
            if isinstance(value, type) and issubclass(value, BaseException)
            and name in vars(value)}


assert definers("__str__") == {
    "AttributeError", "BaseException", "BaseExceptionGroup",
    "EnvironmentError", "IOError", "ImportError", "KeyError", "NameError",
    "OSError", "SyntaxError", "UnicodeDecodeError", "UnicodeEncodeError",
    "UnicodeTranslateError"}, definers("__str__")
inheriting = {
    "AttributeError", "ExceptionGroup", "ImportError", "IndentationError",
    "KeyError", "ModuleNotFoundError", "NameError", "StopIteration",
    "SyntaxError", "SystemExit", "TabError", "UnboundLocalError"}
for key, value in vars(builtins).items():
    if isinstance(value, type) and issubclass(value, BaseException):
        own = "__new__" in vars(value)
        assert own == (key not in inheriting and (
            not issubclass(value, OSError) or value is OSError)), key


# the first __new__ in the order of bases is the one that counts
class Both(KeyError, OSError):
    pass


error = Both(2, "text")
assert (error.errno, error.strerror) == (None, None)
assert str(error) == "(2, 'text')"
