"""Calls of functions: all made by PartitionedCall, and none within a function.

A node of TensorFlow 1 may have a function's name as its op, which functions of TensorFlow 2 cannot have within them.
TensorFlow differentiates a function that a graph calls op by op, and knows no gradient of a call within it.

requires  a library whose functions name their inputs as TensorFlow writes them: "argument", "node:output:index", "^node"
ensures   no op is a function of the library (`call_by_attribute`); no function calls another one by PartitionedCall: it has
          the other one's nodes instead, under the call's name (`inline_nested_calls`)
"""

from collections.abc import Mapping

from tf1hub.format import protos
from tf1hub.names import control_input, is_control_input, node_name

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
        for key, value in function.ret.items():
            function.ret[key] = outputs.get(value, value)


def _become_call(node: protos.NodeDef, signature: protos.OpDef) -> None:
    node.attr["f"].func.name = node.op
    node.attr["Tin"].list.type[:] = [arg.type for arg in signature.input_arg]
    node.attr["Tout"].list.type[:] = [arg.type for arg in signature.output_arg]
    node.op = "StatefulPartitionedCall" if signature.is_stateful else "PartitionedCall"


def inline_nested_calls(library: protos.FunctionDefLibrary) -> None:
    """Changes the library's functions in place. Calls of functions that are generic, or call themselves, stay."""
    functions = {function.signature.name: function for function in library.function}
    settled: set[str] = set()
    for name in functions:
        _settle(name, functions, settled, frozenset())


def _settle(name: str, functions: Mapping[str, protos.FunctionDef], settled: set[str], around: frozenset[str]) -> None:
    if name in settled:
        return
    settled.add(name)
    for call in [node for node in functions[name].node_def if node.op in _CALLS]:
        called = _called(call, functions)
        if called is not None and called.signature.name not in {*around, name}:
            _settle(called.signature.name, functions, settled, around | {name})
            _inline(functions[name], call, called)


def _called(node: protos.NodeDef, functions: Mapping[str, protos.FunctionDef]) -> protos.FunctionDef | None:
    called = functions.get(node.attr["f"].func.name)
    return called if called is not None and not called.signature.attr else None


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
    for key, value in function.ret.items():
        function.ret[key] = results.get(value, value)
    for key, value in list(function.control_ret.items()):
        if value == call.name:
            del function.control_ret[key]
            for i, name in enumerate(dict.fromkeys(ends)):
                function.control_ret[f"{key}_{i}"] = node_name(name)
                function.signature.control_output.append(f"{key}_{i}")
            function.signature.control_output.remove(key)
