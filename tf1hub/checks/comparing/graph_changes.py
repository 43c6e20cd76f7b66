"""What differs between two graphs: nodes and functions, by name.

These are no differences: the order of nodes, attributes and control inputs; an attribute that equals its op's default and
one that is left out; a constant whose elements are encoded another way; the names of functions whose bodies, and those of
all that they call, are the same. Debugging information is not compared.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tf1hub.checks.comparing.changes import Change, by_name, find_changes, shortened, told_apart
from tf1hub.checks.comparing.constant_text import constant_text, shape_text, value_text
from tf1hub.checks.comparing.function_names import with_names_of
from tf1hub.checks.wording import counted
from tf1hub.format import dtypes, protos
from tf1hub.graph.constants import canonical_constant
from tf1hub.names import COLOCATION_ATTR, is_control_input, tensor_name

# An op's default values by attribute, for each op.
Defaults = dict[str, dict[str, protos.AttrValue]]

_MOST_IN_A_LIST = 4
# A variable's name repeated for error messages, which only newer TensorFlows write; and a number of the program that
# made the graph.
_MEANINGLESS_ATTRS = {"debug_name", "_gradient_op_type"}


@dataclass(frozen=True)
class GraphChanges:
    """The nodes that differ, and the functions of the graph's library. What differs in one is in its parts."""

    nodes: tuple[Change, ...]
    functions: tuple[Change, ...]


def find_graph_changes(a: protos.MetaGraphDef, b: protos.MetaGraphDef, assets: Container[str]) -> GraphChanges:
    """What differs between the graphs of two variants.

    Args:
      assets: the nodes that hold the path of an asset; the files are compared elsewhere.
    """
    graph_a, graph_b = a.graph_def, with_names_of(b.graph_def, a.graph_def)
    comparison = _GraphComparison(a, b, assets)
    nodes = comparison.find_nodes(graph_a.node, graph_b.node)
    functions = comparison.find_functions(graph_a.library, graph_b.library)
    return GraphChanges(nodes, functions)


class _GraphComparison:
    """Comparing parts of two graphs whose op definitions say what goes without saying."""

    def __init__(self, a: protos.MetaGraphDef, b: protos.MetaGraphDef, assets: Container[str]) -> None:
        own, other = _defaults(a), _defaults(b)
        # A writer that did not know an attribute, or listed no definitions, is completed by the other.
        self._defaults_a = _completed(own, other)
        self._defaults_b = _completed(other, own)
        self._assets = assets

    def find_functions(self, a: protos.FunctionDefLibrary, b: protos.FunctionDefLibrary) -> tuple[Change, ...]:
        functions = find_changes(
            by_name(a.function, lambda each: each.signature.name),
            by_name(b.function, lambda each: each.signature.name),
            lambda function: counted(len(function.node_def), "node"),
            self._function_parts,
        )
        return functions + find_changes(_gradients(a), _gradients(b), str)

    def find_nodes(self, a: Iterable[protos.NodeDef], b: Iterable[protos.NodeDef]) -> tuple[Change, ...]:
        return find_changes(
            by_name(a, lambda node: node.name),
            by_name(b, lambda node: node.name),
            lambda node: node.op,
            self._node_parts,
        )

    def _function_parts(self, a: protos.FunctionDef, b: protos.FunctionDef) -> Iterator[Change]:
        yield from find_changes(_interface(a), _interface(b), str)
        yield from _attribute_changes(a.attr, b.attr)
        yield from self.find_nodes(a.node_def, b.node_def)

    def _node_parts(self, a: protos.NodeDef, b: protos.NodeDef) -> Iterator[Change]:
        if a.SerializeToString(deterministic=True) == b.SerializeToString(deterministic=True):
            return
        if a.op != b.op:
            yield Change("op", a.op, b.op)
        yield from find_changes(_inputs(a), _inputs(b), str)
        if a.device != b.device:
            yield Change("device", a.device or "none", b.device or "none")
        for change in _attribute_changes(
            {**self._defaults_a.get(a.op, {}), **a.attr}, {**self._defaults_b.get(b.op, {}), **b.attr}
        ):
            if change.name != "attribute value" or a.name not in self._assets:
                yield change


def _attribute_changes(a: Mapping[str, protos.AttrValue], b: Mapping[str, protos.AttrValue]) -> Iterator[Change]:
    for key in sorted({*a, *b} - _MEANINGLESS_ATTRS):
        if _canonical(key, a.get(key)) != _canonical(key, b.get(key)):
            yield told_apart(f"attribute {key}", _text(a.get(key)), _text(b.get(key)))


def _defaults(meta_graph: protos.MetaGraphDef) -> Defaults:
    return {
        op.name: {attr.name: attr.default_value for attr in op.attr if attr.HasField("default_value")}
        for op in meta_graph.meta_info_def.stripped_op_list.op
    }


def _completed(defaults: Defaults, others: Defaults) -> Defaults:
    return {op: {**others.get(op, {}), **defaults.get(op, {})} for op in {*defaults, *others}}


def _gradients(library: protos.FunctionDefLibrary) -> dict[str, str]:
    return {f"gradient of {each.function_name}": each.gradient_func for each in library.gradient}


def _inputs(node: protos.NodeDef) -> dict[str, str]:
    """What a node takes, by what it is to the node."""
    data = [name for name in node.input if not is_control_input(name)]
    control = {name for name in node.input if is_control_input(name)}
    return {
        **{f"input {place}": tensor_name(name) for place, name in enumerate(data)},
        **{f"control input {name[1:]}": name for name in control},
    }


def _interface(function: protos.FunctionDef) -> dict[str, str]:
    """What a function takes and gives."""
    signature = function.signature
    return {
        **{f"argument {place}": _argument_text(each) for place, each in enumerate(signature.input_arg)},
        **{f"result {place}": _argument_text(each) for place, each in enumerate(signature.output_arg)},
        **{f"return {key}": value for key, value in function.ret.items()},
        **{f"control return {key}": value for key, value in function.control_ret.items()},
    }


def _argument_text(argument: protos.OpDef.ArgDef) -> str:
    kind = dtypes.dtype_name(argument.type) if argument.type else argument.type_attr or argument.type_list_attr
    # TensorFlow names what a loop's function does not use after the function, whose name has a counter in it.
    name = argument.name.rpartition("___")[2]
    return f"{name}: {kind}{' * ' + argument.number_attr if argument.number_attr else ''}"


def _canonical(key: str, value: protos.AttrValue | None) -> Any:
    """What two encodings of the same attribute have in common."""
    if value is None:
        return None
    kind = value.WhichOneof("value")
    if kind == "tensor":
        return canonical_constant(value.tensor)
    if key == COLOCATION_ATTR and kind == "list":
        return sorted(value.list.s)
    return value.SerializeToString(deterministic=True)


def _text(value: protos.AttrValue | None) -> str | None:
    """An attribute in short; a large one is not written out."""
    if value is None:
        return None
    kind = value.WhichOneof("value")
    if kind is None:
        return "empty"
    if kind == "list":
        return _list_text(value.list)
    return _item_text(kind, getattr(value, kind))


def _item_text(kind: str, item: Any) -> str:
    if kind == "tensor":
        return constant_text(item)
    if kind == "shape":
        return shape_text(item)
    if kind == "type":
        return dtypes.dtype_name(item)
    if kind == "func":
        return f"function {item.name}"
    return shortened(item) if kind == "placeholder" else value_text(item)


def _list_text(items: protos.AttrValue.ListValue) -> str:
    for field, values in items.ListFields():
        first = ", ".join(_item_text(field.name, value) for value in values[:_MOST_IN_A_LIST])
        return f"[{first}{', ...' if len(values) > _MOST_IN_A_LIST else ''}]"
    return "[]"
