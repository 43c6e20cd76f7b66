"""Functions of two graphs that are the same but for their names, which TensorFlow makes from counters."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from tf1hub.format import protos
from tf1hub.graph.library import functions_of, with_renamed_functions

# How deep into the functions that a function calls it is looked. Deeper ones count as the same.
_DEPTH = 8
_NO_NAME = "?"
_NUMBER = re.compile(r"_\d+$")

Key = TypeVar("Key")


def with_names_of(graph_def: protos.GraphDef, other: protos.GraphDef) -> protos.GraphDef:
    """The graph, with those of its functions that `other` has under another name called as they are there."""
    names = _names_there(graph_def.library, other.library)
    return with_renamed_functions(graph_def, names) if names else graph_def


def _names_there(library: protos.FunctionDefLibrary, other: protos.FunctionDefLibrary) -> dict[str, str]:
    """By a function's name in `library`, its name in `other`, for those that are there under another one only.

    They are known by their content, and else by their names without the number at the end.
    """
    known = {function.signature.name for function in library.function}
    known_there = {function.signature.name for function in other.function}
    if known <= known_there or known_there <= known:
        return {}
    only_here, only_there = known - known_there, known_there - known
    same = _paired(_by_content(library, only_here), _by_content(other, only_there))
    alike = _paired(_by_base(only_here - {*same}), _by_base(only_there - {*same.values()}))
    return {**same, **alike}


def _paired(here: Mapping[Key, list[str]], there: Mapping[Key, list[str]]) -> dict[str, str]:
    """Names that belong together. Of several functions of the same content it makes no difference which is which."""
    return {name: found for key, names in here.items() for name, found in zip(names, there.get(key, ()), strict=False)}


def _by_base(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by what they are without their number; those of which there are several are left out."""
    found = defaultdict(list)
    for name in names:
        found[_NUMBER.sub("", name)].append(name)
    return {base: several for base, several in found.items() if len(several) == 1}


def _by_content(library: protos.FunctionDefLibrary, wanted: set[str]) -> dict[bytes, list[str]]:
    """The names of the wanted functions by what they are made of, the names of functions left out."""
    functions = {function.signature.name: function for function in library.function}
    called = {name: list(_called(function, functions)) for name, function in functions.items()}
    own = _digests_without_names(library)
    digests = own
    for _ in range(_DEPTH):
        digests = {
            name: hashlib.sha256(own[name] + b"".join(digests[callee] for callee in called[name])).digest()
            for name in functions
        }
    found = defaultdict(list)
    for name in functions:
        if name in wanted:
            found[digests[name]].append(name)
    return found


def _called(function: protos.FunctionDef, functions: Mapping[str, protos.FunctionDef]) -> Iterator[str]:
    """The functions that a function names, in the order of its nodes' names."""
    for node in sorted(function.node_def, key=lambda node: node.name):
        attrs = (protos.NodeDef(attr={key: node.attr[key]}) for key in sorted(node.attr))
        for single in (protos.NodeDef(op=node.op), *attrs):
            yield from (name for name in functions_of(single) if name in functions)


def _digests_without_names(library: protos.FunctionDefLibrary) -> dict[str, bytes]:
    """A digest of each function by itself, wherever it names functions left out."""
    names = [function.signature.name for function in library.function]
    unnamed = with_renamed_functions(protos.GraphDef(library=library), dict.fromkeys(names, _NO_NAME))
    digests = {}
    for name, function in zip(names, unnamed.library.function, strict=True):
        function.DiscardUnknownFields()
        nodes = sorted(function.node_def, key=lambda node: node.name)
        del function.node_def[:]
        function.node_def.extend(nodes)
        for node in function.node_def:
            node.ClearField("experimental_debug_info")
        digests[name] = hashlib.sha256(function.SerializeToString(deterministic=True)).digest()
    return digests
