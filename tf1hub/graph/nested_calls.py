"""Calls of functions: all made by PartitionedCall, and in their places what is called, where gradients ask for it.

A node of TensorFlow 1 may have a function's name as its op, which functions of TensorFlow 2 cannot have within them.
TensorFlow differentiates a function that a graph calls op by op, and knows no gradient of a call within it. It runs the
function once more for that, so that what it draws at random is another thing than the call gave.

requires  a library whose functions name their inputs as TensorFlow writes them: "argument", "node:output:index", "^node"
ensures   no op is a function of the library (`call_by_attribute`); no function calls another one by PartitionedCall: it has
          the other one's nodes instead, under the call's name (`inline_nested_calls`); nor does the graph call one that
          has state, or has calls that stay within it (`inline_calls`)
"""

from collections.abc import Callable, Collection, Mapping

from tf1hub.format import protos
from tf1hub.names import COLOCATION_ATTR, control_input, is_control_input, node_name

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


def call_by_attribute(graph_def: protos.GraphDef) -> None:
    """Has nodes whose op is a function of the library be PartitionedCalls, in place. Calls of generic functions stay."""
    functions = {each.signature.name: each for each in graph_def.library.function if not each.signature.attr}
    for node in graph_def.node:
        if node.op in functions:
            _become_call(node, functions[node.op].signature)
    for function in graph_def.library.function:
        outputs: dict[str, str] = {}
        for node in function.node_def:
            if node.op in functions:
                signature = functions[node.op].signature
                for i, arg in enumerate(signature.output_arg):
                    outputs[f"{node.name}:{arg.name}:0"] = f"{node.name}:output:{i}"
                _become_call(node, signature)
        for node in function.node_def:
            node.input[:] = [outputs.get(name, name) for name in node.input]
        for key, value in list(function.ret.items()):  # a map that changes must not be gone through
            function.ret[key] = outputs.get(value, value)


def _become_call(node: protos.NodeDef, signature: protos.OpDef) -> None:
    node.attr["f"].func.name = node.op
    node.attr["Tin"].list.type[:] = [arg.type for arg in signature.input_arg]
    node.attr["Tout"].list.type[:] = [arg.type for arg in signature.output_arg]
    node.op = "StatefulPartitionedCall" if signature.is_stateful else "PartitionedCall"


def called_function(node: protos.NodeDef) -> str:
    """The name of the function that a node calls; "" when it is no call."""
    return node.attr["f"].func.name if node.op in _CALLS else ""


def inline_nested_calls(library: protos.FunctionDefLibrary, kept: Collection[str] = ()) -> None:
    """Changes the library's functions in place. Calls of functions that are generic, or call themselves, stay.

    So do those of the functions that `kept` names.
    """
    functions = {each.signature.name: each for each in library.function}
    inlinable = {name: each for name, each in functions.items() if name not in kept and not each.signature.attr}
    settled: set[str] = set()
    for name in functions:
        _settle(functions[name], inlinable, settled, frozenset())


def _settle(
    function: protos.FunctionDef, inlinable: Mapping[str, protos.FunctionDef], settled: set[str], around: frozenset[str]
) -> None:
    name = function.signature.name
    if name in settled:
        return
    settled.add(name)
    for call in [node for node in function.node_def if called_function(node) in inlinable]:
        called = inlinable[called_function(call)]
        if called.signature.name not in {*around, name}:
            _settle(called, inlinable, settled, around | {name})
            _inline(function, call, called)


def _inline(function: protos.FunctionDef, call: protos.NodeDef, called: protos.FunctionDef) -> None:
    prefix = f"{call.name}/"
    arguments = [arg.name for arg in called.signature.input_arg]
    given = dict(zip(arguments, (name for name in call.input if not is_control_input(name)), strict=True))
    waits = [name for name in call.input if is_control_input(name)]

    def inside(name: str) -> str:
        """A name of the called function as the calling one has it."""
        if node_name(name) not in given:
            return control_input(prefix + node_name(name)) if is_control_input(name) else prefix + name
        value = given[node_name(name)]
        return control_input(node_name(value)) if is_control_input(name) else value

    bodies = []
    for node in called.node_def:
        copy = protos.NodeDef()
        copy.CopyFrom(node)
        copy.name = prefix + node.name
        copy.input[:] = dict.fromkeys([*map(inside, node.input), *waits]) if waits else [*map(inside, node.input)]
        bodies.append(copy)
    results = [inside(called.ret[arg.name]) for arg in called.signature.output_arg]
    ends = [inside(control_input(node_name(name))) for name in (*called.ret.values(), *called.control_ret.values())]
    _replace(function, call, {f"{call.name}:output:{i}": result for i, result in enumerate(results)}, ends)
    function.node_def.remove(call)
    function.node_def.extend(bodies)


def _replace(function: protos.FunctionDef, call: protos.NodeDef, results: Mapping[str, str], ends: list[str]) -> None:
    """Has all that took a call's outputs, or waited for it, take and wait for what is there instead."""
    for node in function.node_def:
        if any(node_name(name) == call.name for name in node.input):
            changed = [results.get(name, name) for name in node.input if name != control_input(call.name)]
            waits = ends if control_input(call.name) in node.input else []
            node.input[:] = [*changed, *(name for name in dict.fromkeys(waits) if name not in changed)]
    for key, value in list(function.ret.items()):  # a map that changes must not be gone through
        function.ret[key] = results.get(value, value)
    for key, value in list(function.control_ret.items()):
        if value == call.name:
            del function.control_ret[key]
            for i, name in enumerate(dict.fromkeys(ends)):
                function.control_ret[f"{key}_{i}"] = node_name(name)
                function.signature.control_output.append(f"{key}_{i}")
            function.signature.control_output.remove(key)


def inline_calls(
    graph_def: protos.GraphDef, find_definition: Callable[[str], protos.OpDef | None], kept: Collection[str] = ()
) -> None:
    """Has the graph's calls of functions that have state, or call one of `kept`, be the functions' nodes, in place.

    The names of the calls' outputs do not change. Calls of functions that are generic, or named by `kept`, stay.

    Args:
      graph_def: the graph.
      find_definition: the definition of an op by its name; None when nobody knows it, and then the call stays.
      kept: names of functions.
    """
    functions = {each.signature.name: each for each in graph_def.library.function if not each.signature.attr}
    names = {node.name for node in graph_def.node}
    for call in [node for node in graph_def.node if called_function(node) in functions]:
        called = functions[called_function(call)]
        asked = called.signature.is_stateful or any(called_function(node) in kept for node in called.node_def)
        if asked and called.signature.name not in kept:
            definitions = {node.op: find_definition(node.op) for node in called.node_def}
            known = {op: definition for op, definition in definitions.items() if definition is not None}
            if len(known) == len(definitions):
                bodies = _Bodies(call, called, known, names)
                graph_def.node.extend(bodies.nodes())
                bodies.give_results(call)
                names.update(node.name for node in graph_def.node)


class _Bodies:
    """What a function's nodes are in the graph that calls it."""

    def __init__(
        self,
        call: protos.NodeDef,
        called: protos.FunctionDef,
        definitions: Mapping[str, protos.OpDef],
        names: Collection[str],
    ):
        self._called = called
        self._definitions = definitions
        self._prefix = f"{call.name}/"
        while any(name.startswith(self._prefix) for name in names):
            self._prefix = f"{self._prefix[:-1]}_/"
        arguments = [arg.name for arg in called.signature.input_arg]
        self._given = dict(zip(arguments, (name for name in call.input if not is_control_input(name)), strict=True))
        self._waits = [name for name in call.input if is_control_input(name)]
        self._functions_nodes = {node.name: node for node in called.node_def}

    def nodes(self) -> list[protos.NodeDef]:
        """The function's nodes. Those without inputs wait for an argument, so that they are in the call's loop or branch."""
        anchors = [self._anchor()] if self._given else []
        result = list(anchors)
        for node in self._called.node_def:
            copy = protos.NodeDef()
            copy.CopyFrom(node)
            copy.name, copy.device = self._prefix + node.name, ""
            copy.attr.pop(COLOCATION_ATTR, None)
            starts = [] if node.input else [control_input(anchor.name) for anchor in anchors]
            inputs = [self._inside(name) for name in node.input]
            waits = [name for name in inputs if is_control_input(name)]
            copy.input[:] = [name for name in inputs if not is_control_input(name)]
            copy.input.extend(dict.fromkeys([*waits, *self._waits, *starts]))
            result.append(copy)
        return result

    def give_results(self, call: protos.NodeDef) -> None:
        """Makes the call a node with the function's results, which is there when all that the function does is done."""
        signature = self._called.signature
        done = [node.name for node in self._called.node_def if self._definitions[node.op].is_stateful]
        ends = dict.fromkeys(self._prefix + name for name in (*self._called.control_ret.values(), *done))
        call.op = "IdentityN" if signature.output_arg else "NoOp"
        call.input[:] = [self._inside(self._called.ret[arg.name]) for arg in signature.output_arg]
        call.input.extend(dict.fromkeys([*map(control_input, ends), *self._waits]))
        call.attr.clear()
        if signature.output_arg:
            call.attr["T"].list.type.extend(arg.type for arg in signature.output_arg)

    def _anchor(self) -> protos.NodeDef:
        name, value = next(iter(self._given.items()))
        anchor = protos.NodeDef(name=self._prefix + name, op="Identity", input=[value, *self._waits])
        anchor.attr["T"].type = self._called.signature.input_arg[0].type
        return anchor

    def _inside(self, name: str) -> str:
        """A name of the function as the graph has it: a graph counts all outputs of a node in one row."""
        if node_name(name) in self._given:
            value = self._given[node_name(name)]
            return control_input(node_name(value)) if is_control_input(name) else value
        if is_control_input(name):
            return control_input(self._prefix + node_name(name))
        node, output, index = name.split(":")
        return f"{self._prefix}{node}:{self._first(self._functions_nodes[node], output) + int(index)}"

    def _first(self, node: protos.NodeDef, output: str) -> int:
        first = 0
        definition = self._definitions[node.op]
        for arg in definition.output_arg:
            if arg.name == output:
                break
            attr = node.attr[arg.number_attr or arg.type_list_attr] if arg.number_attr or arg.type_list_attr else None
            first += 1 if attr is None else attr.i if arg.number_attr else len(attr.list.type)
        return first
