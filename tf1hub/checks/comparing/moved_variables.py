"""Variables that lie in another scope in the other module: "dense/kernel" there is "features/dense/kernel" here."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

# Scopes of a name that are looked at, from the outermost.
_DEPTH = 32

Shape = tuple[int, ...]


def find_moved(a: Mapping[str, Shape], b: Mapping[str, Shape]) -> dict[str, str]:
    """By its name in A, the name in B of each variable that has the same shape in another scope there.

    It is one change of scope for all: a scope put before the names, taken away, or replaced by another.

    Args:
      a, b: the shapes of the variables that only one of the two has, by name.

    >>> find_moved({"kernel": (2,), "bias": (1,)}, {"dense/kernel": (2,), "dense/bias": (1,), "head": ()})
    {'kernel': 'dense/kernel', 'bias': 'dense/bias'}
    """
    shared_a, shared_b = _shared_scope(a), _shared_scope(b)
    outer_a, outer_b = _outer_scope(a, b), _outer_scope(b, a)
    candidates = [
        {name: outer_b + name for name in a},
        {outer_a + name: name for name in b},
        {name: shared_b + name.removeprefix(shared_a) for name in a},
    ]
    fitting = [
        {name: other for name, other in names.items() if name in a and other in b and a[name] == b[other]}
        for names in candidates
    ]
    return max(fitting, key=len)


def _outer_scope(names: Iterable[str], inner: Mapping[str, Shape]) -> str:
    """The scope that most often makes one of `names` when it is put before one of `inner`; "" when none does."""
    scopes: Counter[str] = Counter()
    for name in names:
        parts = name.split("/", _DEPTH)
        for count in range(1, len(parts)):
            if "/".join(parts[count:]) in inner:
                scopes["/".join(parts[:count]) + "/"] += 1
    return scopes.most_common(1)[0][0] if scopes else ""


def _shared_scope(names: Collection[str]) -> str:
    """The scope that all names lie in, with its slash; "" when there is none."""
    first, last = min(names, default=""), max(names, default="")
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    scope, slash, _ = "".join(pair[0] for pair in same).rpartition("/")
    return scope + slash
