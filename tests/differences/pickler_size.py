"""`sys.getsizeof` of a `pickle.Pickler` or `Unpickler` differs.

The buffer is made when something is pickled, not with the object; the fields
are others, too.
"""
import io
import pickle
import sys
print(sys.getsizeof(pickle.Pickler(io.BytesIO())) < 1000)
# krait: True
# python3.11: False
