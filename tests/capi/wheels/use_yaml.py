"""A use of yaml whose extension module does the work."""
import yaml, yaml._yaml
print(yaml.__with_libyaml__, yaml._yaml.get_version_string())
doc="""
a: [1, 2.5, ~, true]
b: &x {c: d, e: 2020-01-02}
f: *x
t: |
  hello
  world
"""
d=yaml.load(doc, Loader=yaml.CSafeLoader)
print(d)
print(yaml.dump(d, Dumper=yaml.CSafeDumper))
print(yaml.load(doc, Loader=yaml.SafeLoader)==d)
for t in yaml.scan("a: 1", Loader=yaml.CLoader):
    print(type(t).__name__)
try:
    yaml.load("a: [1, ", Loader=yaml.CSafeLoader)
except yaml.YAMLError as e:
    print(type(e).__name__, e)
for e in yaml.parse(doc, Loader=yaml.CLoader):
    print(type(e).__name__)
print(yaml.compose("a: 1", Loader=yaml.CLoader).value[0][1].tag)
