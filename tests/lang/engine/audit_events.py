"""Which audit events code and marshal raise, and that gc hides the hooks."""
import gc
import io
import marshal
import sys

events = []
recording = True


def hook(event, args):
    if recording:
        events.append((event, [type(a).__name__ for a in args]))


sys.addaudithook(hook)
eval("1 + 1")
exec("x = 1")
code = compile("1", "f", "eval")
eval(code)
exec(compile("1", "f", "exec"))
marshal.load(io.BytesIO(marshal.dumps(1)))
marshal.loads(marshal.dumps(1))
recording = False
for event in events:
    print(*event)
print(any(hook in o for o in gc.get_objects() if type(o) is list))
