"""A long chain of contexts goes away without recursion in C, whatever fields
its exceptions have."""


class Own(StopIteration):
    pass


for kind in KeyError, StopIteration, Own:
    chain = None
    for i in range(300_000):
        link = kind(i)
        link.__context__ = chain
        chain = link
    del chain, link
    print(kind.__name__)
