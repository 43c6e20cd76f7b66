"""The one grammar of names in a graph.

    node            "dense/kernel"
    tensor          "dense/kernel:0"; in a node's inputs ":0" may be left out
    control input   "^dense/kernel"
    colocation      "loc:@dense/kernel", in the `_class` attribute of a node
    scope           "" or a name that ends in "/"

Everything that takes such a name apart, or puts one together, does it here.
"""

COLOCATION_ATTR = "_class"
_COLOCATION = b"loc:@"


def is_control_input(name: str) -> bool:
    """Whether an input of a node only orders it after another node."""
    return name.startswith("^")


def node_name(name: str) -> str:
    """The node that a tensor name, control input or node name speaks of.

    >>> node_name("dense/kernel:0"), node_name("^init"), node_name("x")
    ('dense/kernel', 'init', 'x')
    """
    if name.startswith("^"):
        return name[1:]
    colon = name.find(":")
    return name if colon < 0 else name[:colon]


def tensor_name(name: str) -> str:
    """The full form of a tensor's name: with its output's index.

    >>> tensor_name("x"), tensor_name("split:2")
    ('x:0', 'split:2')
    """
    return name if ":" in name else name + ":0"


def control_input(node: str) -> str:
    """The input that makes a node wait for `node`."""
    return "^" + node


def colocated_node(group: bytes) -> str | None:
    """The node that one entry of `_class` names, or None when the entry is no colocation.

    >>> colocated_node(b"loc:@dense/kernel")
    'dense/kernel'
    """
    if not group.startswith(_COLOCATION):
        return None
    # What is no text names no node, and who looks for it says so.
    return group[len(_COLOCATION) :].decode("utf-8", "replace")


def colocation_group(node: str) -> bytes:
    """The entry of `_class` that keeps a node on the device of `node`."""
    return _COLOCATION + node.encode()


def in_scope(name: str, scope: str) -> str:
    """A node or tensor name, or a control input, as it reads after an import under `scope` ("" or "a/b").

    >>> in_scope("x:0", "module"), in_scope("^x", "module"), in_scope("x", "")
    ('module/x:0', '^module/x', 'x')
    """
    if not scope:
        return name
    if name.startswith("^"):
        return f"^{scope}/{name[1:]}"
    return f"{scope}/{name}"


def last_part(scope: str) -> str:
    """The last part of a scope: "c" of "a/b/c/"."""
    return scope.rstrip("/").rpartition("/")[2]


def parent_scope(scope: str) -> str:
    """The scope around a scope: "a/b/" of "a/b/c/", and "" of "c/"."""
    head, slash, _ = scope.rstrip("/").rpartition("/")
    return head + slash
