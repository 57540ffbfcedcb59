"""A use of markupsafe whose extension module does the work."""
from markupsafe import escape, Markup, _speedups
print(escape("<a&'\">é€\U0001F600"), Markup("<b>%s</b>") % "<x>", escape(5), _speedups.__name__)
class H:
    def __html__(self):
        return "<hi>"
print(escape(H()), repr(escape("x"*50+"<")))
