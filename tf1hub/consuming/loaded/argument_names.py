"""Names of a signature's inputs as a Python function can have them.

A module may call its inputs anything: "a/b", "$", "class". Such an input gets the argument that TensorFlow itself makes of the
name when a function is called, so that `signature(**{"a/b": x})` works. Where that cannot be, because it is a keyword or
taken, it gets another one.
"""

import keyword
import re
from collections.abc import Iterable

# The first parameter of the methods through which TensorFlow passes the arguments.
_TAKEN = ("self", "cls")


def argument_names(inputs: Iterable[str]) -> dict[str, str]:
    """The argument for each input; what can be one stays as it is.

    >>> argument_names(["x", "a/b", "$", "class"])
    {'x': 'x', 'a/b': 'a_b', '$': 'arg__', 'class': 'class_'}
    """
    inputs = list(inputs)
    names = {name: name for name in inputs if is_argument_name(name)}
    taken = set(names)
    for name in inputs:
        if name not in names:
            names[name] = _free(_cleaned(name), taken)
            taken.add(names[name])
    return {name: names[name] for name in inputs}


def is_argument_name(name: str) -> bool:
    """Whether TensorFlow can take the name as that of an argument, and leaves it as it is."""
    return name == _cleaned(name) and not keyword.iskeyword(name) and name not in _TAKEN


def _cleaned(name: str) -> str:
    cleaned = re.sub(r"\W", "_", name)
    return cleaned if cleaned[:1].isalpha() else "arg_" + cleaned


def _free(name: str, taken: set[str]) -> str:
    while name in taken or not is_argument_name(name):
        name += "_"
    return name
