"""Which built-in types take a subscript in 3.11, and which do not yet."""
import array
import types


def refused(cls):
    try:
        cls[int]
    except TypeError as error:
        return str(error)
    return None


assert refused(array.array) == "type 'array.array' is not subscriptable"
assert refused(types.GeneratorType) == "type 'generator' is not subscriptable"
assert refused(types.CoroutineType) == "type 'coroutine' is not subscriptable"
assert repr(types.AsyncGeneratorType[int]) == "async_generator[int]"
assert not hasattr(types.AsyncGeneratorType, "ag_suspended")
