"""Checks the extension module runtime, which is on sys.path."""
import os
import sys

import runtime

# interpreters: their own modules, threads that are waited for, finalisers
r, w = os.pipe()
sys.marker = 1
code = f"""
import atexit, os, sys, threading, time
def tell(text):
    os.write({w}, text.encode() + b' ')
tell(str(hasattr(sys, 'marker')))
def later():
    time.sleep(0.02)
    tell('later')
threading.Thread(target=later).start()
atexit.register(tell, 'exit')
class A:
    def __del__(self, tell=tell):
        tell('del')
a = A()
a.a = a
tell('end')
"""
ids = [runtime.run_in_new(code) for _ in range(3)]
assert ids == sorted(set(ids)) and ids[0] > 0
os.close(w)
with open(r) as pipe:
    assert pipe.read().split() == ["False", "end", "later", "exit", "del"] * 3
for i in range(20):
    runtime.run_in_new("import json, re, collections")

# pending calls: there is room for 31
assert runtime.pending(5) == (5, 5)
assert runtime.pending(40) == (31, 31)

# configuration
configs = runtime.configs()
assert list(configs) == ["global_config", "pre_config", "config"]
assert configs["pre_config"]["utf8_mode"] == sys.flags.utf8_mode
config = configs["config"]
assert config["argv"] == sys.argv
assert runtime.through_dict(config) == config
for key, value, error in [
        ("isolated", -1, "ValueError: invalid config value: isolated"),
        ("isolated", "1", "TypeError: invalid config type: isolated"),
        ("hash_seed", 2**40, "ValueError: invalid config value: hash_seed"),
        ("argv", "a", "TypeError: invalid config type: argv"),
        ("argv", ["a", None], "ValueError: invalid config value: argv"),
        ("program_name", None,
         "ValueError: invalid config value: program_name"),
        ("home", b"x", "TypeError: invalid config type: home"),
        ("home", "a\0b", "ValueError: embedded null character")]:
    try:
        runtime.through_dict(config | {key: value})
    except Exception as e:
        assert f"{type(e).__name__}: {e}" == error, e
    else:
        assert False, key

# helpers
assert runtime.repeat("ab", 0) == ""
assert runtime.repeat("aé", 250001) == "aé" * 250001
assert [runtime.to_int(t) for t in ("12", "-7", "1x", "9" * 12)] == [
    12, -7, None, None]
assert runtime.edit_cost("kitten", "Sitting") == 6
assert runtime.edit_cost("name", "Name") == 1
assert runtime.init_zlib() == "zlib"
print("ok")
