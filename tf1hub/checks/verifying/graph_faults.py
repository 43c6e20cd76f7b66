"""Faults of one graph variant by itself: names that lead nowhere, and messages that cannot be parsed."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tf1hub.checks.verifying.cycles import find_cycle
from tf1hub.checks.verifying.findings import named
from tf1hub.checks.verifying.function_faults import functions_missing, iter_function_faults
from tf1hub.checks.verifying.graph_names import GraphNames
from tf1hub.checks.wording import quoted, shortened
from tf1hub.errors import CorruptModuleError, Tf1HubError
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections
from tf1hub.graph.assets import assets_on_disk
from tf1hub.graph.signature_tensors import iter_tensor_names
from tf1hub.names import node_name

_NODE_COLLECTIONS = (
    collections.TABLE_INITIALIZERS,
    collections.UPDATE_OPS,
    collections.REGULARIZATION_LOSSES,
    collections.ASSET_FILEPATHS,
)
_MESSAGE_COLLECTIONS: dict[str, Any] = {
    **dict.fromkeys(collections.VARIABLE_COLLECTIONS, protos.VariableDef),
    collections.COND_CONTEXT: protos.CondContextDef,
    collections.WHILE_CONTEXT: protos.WhileContextDef,
    collections.ATTACHMENTS: protos.ModuleAttachment,
}
_NAMES_OF_VARIABLES = ("variable_name", "initial_value_name", "initializer_name", "snapshot_name")


def iter_graph_faults(meta_graph: protos.MetaGraphDef) -> Iterator[str]:
    """What is wrong with a graph variant, in words."""
    names = GraphNames(meta_graph)
    yield from _iter_node_faults(meta_graph.graph_def, names)
    yield from iter_function_faults(meta_graph.graph_def.library, names)
    yield from _iter_signature_faults(meta_graph, names)
    for key in _NODE_COLLECTIONS:
        for name in _collection(meta_graph, key).node_list.value:
            if fault := names.find_fault(name):
                yield f"the collection {key!r} lists {quoted(name)}, and {fault}"
    for key in _MESSAGE_COLLECTIONS:
        yield from _iter_message_faults(meta_graph, key, names)
    yield from _iter_asset_faults(meta_graph, names)


def _iter_node_faults(graph_def: protos.GraphDef, names: GraphNames) -> Iterator[str]:
    for name, times in Counter(node.name for node in graph_def.node).items():
        if times > 1:
            yield f"{times} nodes are called {quoted(name)}"
    unknown: dict[str, list[str]] = {}
    for node in graph_def.node:
        name, op = node.name, node.op
        for fault in _node_faults(node, names):
            yield f"the node {quoted(name)} ({shortened(op)}) {fault}"
        if not names.knows_op(op):
            unknown.setdefault(op, []).append(name)
    for op, users in unknown.items():
        yield f"the op {quoted(op)} of {named(users)} is neither in the list of ops nor a function of the library"
    if cycle := find_cycle(names.nodes):
        yield f"the nodes {named(cycle)} need each other, in no loop"


def _node_faults(node: protos.NodeDef, names: GraphNames) -> Iterator[str]:
    if not node.name:
        yield "has no name"
    for source in node.input:
        if fault := names.find_fault(source):
            yield f"takes {quoted(source)}, and {fault}"
    for function in functions_missing(node, names):
        yield f"calls a function {quoted(function)}, which is not in the library"


def _iter_signature_faults(meta_graph: protos.MetaGraphDef, names: GraphNames) -> Iterator[str]:
    for signature, definition in sorted(meta_graph.signature_def.items()):
        for kind, infos in (("input", definition.inputs), ("output", definition.outputs)):
            for key, info in sorted(infos.items()):
                for name in iter_tensor_names(info):
                    fault = names.find_fault(name) if name else "that is no name of a tensor"
                    if fault:
                        yield f"the {kind} {key!r} of the signature {quoted(signature)} names {quoted(name)}, and {fault}"


def _collection(meta_graph: protos.MetaGraphDef, key: str) -> protos.CollectionDef:
    """A collection; an empty one when there is none."""
    return meta_graph.collection_def[key] if key in meta_graph.collection_def else protos.CollectionDef()


def _iter_message_faults(meta_graph: protos.MetaGraphDef, key: str, names: GraphNames) -> Iterator[str]:
    """Faults of a collection of messages: such as cannot be parsed, and variables whose nodes are not there."""
    for position, value in enumerate(_collection(meta_graph, key).bytes_list.value):
        where = f"number {position} in the collection {key!r}"
        try:
            message = parse_message(_MESSAGE_COLLECTIONS[key], value, where)
        except CorruptModuleError as error:
            yield f"{where} cannot be parsed ({error.found or 'no message of its kind'})"
            continue
        if key not in collections.VARIABLE_COLLECTIONS:
            continue
        for field in _NAMES_OF_VARIABLES:
            name = getattr(message, field)
            if name and (fault := names.find_fault(name)):
                yield f"the variable {quoted(message.variable_name)} in {key!r} has {quoted(name)} as {field}, and {fault}"


def _iter_asset_faults(meta_graph: protos.MetaGraphDef, names: GraphNames) -> Iterator[str]:
    """Assets that no constant of the graph stands for."""
    try:
        assets = assets_on_disk(meta_graph)
    except Tf1HubError as error:
        yield f"the list of assets cannot be read: {error}"
        return
    for asset in assets:
        name = asset.tensor_info.name
        fault = names.find_fault(name) if name else "that is no name of a tensor"
        if fault is None and names.nodes[node_name(name)].op != "Const":
            fault = "that is no constant"
        if fault:
            yield f"the asset {quoted(asset.filename)} stands for {quoted(name)}, and {fault}"
