"""Resource variables and tables in the place of those that TensorFlow 1 handed round by reference.

requires  a graph variant
ensures   no variable or table is handed round by reference, but to ops that have no counterpart (`check_references`);
          each reads a variable where the reference was read: after the assignments that it came after; names of nodes
          do not change, and neither do control inputs
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.contexts import put_beside, read_contexts, renamed
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.reference_ops import COUNTERPARTS, PASSING, TABLES, VARIABLES, WITHOUT_COUNTERPART
from tf1hub.graph.references import Reference, References
from tf1hub.names import control_input, is_control_input, node_name, tensor_name

_RESOURCE = 20  # TensorFlow's DT_RESOURCE
_RESOURCE_OPS = frozenset([*VARIABLES.values(), *TABLES.values(), *(one.op for one in COUNTERPARTS.values())])
# What TensorFlow noted of the outputs does not hold for the new op.
_NOTES_ON_OUTPUTS = "_output_shapes"


def with_resource_variables(index: GraphIndex) -> GraphIndex:
    """The variant with resources in the place of references; the same one when it has none."""
    if not any(node.op in VARIABLES or node.op in TABLES for node in index.nodes.values()):
        return index
    meta_graph = protos.MetaGraphDef()
    meta_graph.CopyFrom(index.meta_graph)
    rewrite = _Rewrite(index)
    for node in meta_graph.graph_def.node:
        rewrite.change(node)
    rewrite.change_signatures(meta_graph)
    rewrite.change_collections(meta_graph)
    meta_graph.graph_def.node.extend(rewrite.new.values())
    rewrite.change_contexts(meta_graph)
    return GraphIndex(meta_graph)


def check_references(index: GraphIndex, names: Iterable[str]) -> None:
    """Refuses nodes that take a variable by reference, and have no counterpart that takes a resource.

    Args:
      index: a variant that went through `with_resource_variables`.
      names: those of its nodes that are needed.

    Raises:
      GraphError: there is such a node.
    """
    by_reference = _ops_that_take_references(index)
    for name in names:
        node = index.nodes[name]
        if node.op in by_reference and any(_has_resource(index.nodes.get(node_name(each))) for each in node.input):
            raise GraphError(
                f"The node {name!r} does {node.op} to a variable by reference. This op is only there for TensorFlow 1's"
                " reference variables; a TF2 object cannot have them. Use the module in a graph: hub.Module(...)."
            )


class _Rewrite:
    """The changes to one graph. `new` has the nodes that come in addition, and `_beside` which node each belongs to."""

    def __init__(self, index: GraphIndex):
        self._index = index
        self._references = References(index)
        self._by_reference = _ops_that_take_references(index)
        self._reads: dict[tuple[str, ...], str] = {}
        self._beside: dict[str, str] = {}
        self.new: dict[str, protos.NodeDef] = {}

    def change(self, node: protos.NodeDef) -> None:
        """Changes a node in place. It must still be as it is in the graph that the rewrite was made for."""
        references = self._references
        first = references.of(node.input[0]) if node.input else None
        if node.op in VARIABLES:
            _change_variable(node)
        elif node.op in TABLES:
            _become(node, TABLES[node.op])
        elif node.op in COUNTERPARTS and first is not None:
            self._change_counterpart(node)
        elif node.op in PASSING:
            self._change_passing(node)
        elif node.op == "Identity" and first is not None and first.dtype is not None:
            self._take_references(node, 1)
            _become(node, "ReadVariableOp", {"T": "dtype"})
        elif node.op not in self._by_reference:
            self._read_references(node)

    def _change_counterpart(self, node: protos.NodeDef) -> None:
        counterpart = COUNTERPARTS[node.op]
        self._read_references(node, counterpart.references)
        self._take_references(node, counterpart.references)
        _become(node, counterpart.op, counterpart.attrs)

    def _change_passing(self, node: protos.NodeDef) -> None:
        if node.name in self._references.plain:
            self._read_references(node)
            _become(node, node.op.removeprefix("Ref"))
        elif tensor_name(node.name) in self._references.found:
            self._take_references(node, len(node.input) if node.op == "RefMerge" else 1)
            _become(node, node.op.removeprefix("Ref"))
            node.attr["T"].type = _RESOURCE

    def _take_references(self, node: protos.NodeDef, number: int) -> None:
        """Gives a node the handles in the place of its first inputs, and has it wait where those did."""
        after = []
        for i, name in enumerate(node.input[:number]):
            if (reference := self._references.of(name)) is not None:
                if reference.after and node.op == "RefMerge":  # it must not wait for more than one input
                    node.input[i] = self._waiting_handle(reference.handle, reference.after)
                    continue
                node.input[i] = reference.handle
                after += [reference.after] if reference.after else []
        waits = [control_input(name) for name in dict.fromkeys(after)]
        node.input.extend(wait for wait in waits if wait not in node.input)

    def _read_references(self, node: protos.NodeDef, start: int = 0) -> None:
        """Has a node read the variables whose references, or whose memory, its inputs from `start` on are."""
        references = self._references
        for i, name in enumerate(node.input[start:], start):
            if is_control_input(name):
                continue
            tensor = tensor_name(name)
            reference, shared = references.found.get(tensor), references.shared.get(tensor)
            if reference is not None and reference.dtype is not None:
                node.input[i] = self._value(reference, references.written_before(node.name, reference))
            elif shared is not None and (stale := references.written_before(node.name, shared)):
                node.input[i] = self._read(shared, stale)

    def _value(self, reference: Reference, after: Iterable[str] = ()) -> str:
        """The node that has the value of a reference, once some nodes have run."""
        read = self._read(reference, after)
        if reference.after is None:
            return read
        name = f"{read}/StopGradient"  # no gradient went through an assignment
        if name not in self.new:
            node = protos.NodeDef(name=name, op="StopGradient", input=[read], device=self.new[read].device)
            node.attr["T"].type = reference.dtype or 0
            self._add(node, beside=read)
        return name

    def _read(self, reference: Reference, after: Iterable[str] = ()) -> str:
        """The node that reads a variable once some nodes have run."""
        waits = dict.fromkeys([*([reference.after] if reference.after else []), *after])
        key = reference.handle, *sorted(waits)
        if key not in self._reads:
            self._add_twin(node_name(reference.handle))
            name = self._unused_name(f"{node_name(reference.handle)}/ReadVariableOp")
            source = self._index.nodes[reference.source]
            inputs = [reference.handle, *map(control_input, waits)]
            node = protos.NodeDef(name=name, op="ReadVariableOp", input=inputs, device=source.device)
            node.attr["dtype"].type = reference.dtype or 0
            self._add(node, beside=next(iter(waits), node_name(reference.handle)))
            self._reads[key] = name
        return self._reads[key]

    def _waiting_handle(self, handle: str, after: str) -> str:
        name = self._unused_name(f"{after}/resource")
        node = protos.NodeDef(name=name, op="Identity", input=[handle, control_input(after)])
        node.attr["T"].type = _RESOURCE
        self._add(node, beside=after)
        return name

    def _add_twin(self, name: str) -> None:
        """Adds what hands on the resource as a Switch does a value that shares its memory."""
        if name in self._references.twins and name not in self.new:
            switch, handle = self._references.twins[name]
            self._add_twin(node_name(handle))
            node = protos.NodeDef()
            node.CopyFrom(self._index.nodes[switch])
            node.name, node.input[0] = name, handle
            node.attr.pop(_NOTES_ON_OUTPUTS, None)
            node.attr["T"].type = _RESOURCE
            self._add(node, beside=switch)

    def _add(self, node: protos.NodeDef, beside: str) -> None:
        self.new[node.name] = node
        self._beside[node.name] = beside

    def _unused_name(self, wanted: str) -> str:
        names = chain([wanted], (f"{wanted}_{number}" for number in count(1)))
        return next(name for name in names if name not in self._index.nodes and name not in self.new)

    def change_signatures(self, meta_graph: protos.MetaGraphDef) -> None:
        """Has outputs of signatures that were references be what they read."""
        for signature in meta_graph.signature_def.values():
            for info in (named for output in signature.outputs.values() for named in _named_infos(output)):
                info.name = self._value_name(info.name)

    def change_collections(self, meta_graph: protos.MetaGraphDef) -> None:
        """Has collections hold resource variables, assignments instead of their outputs, and values."""
        for collection in meta_graph.collection_def.values():
            names = collection.node_list.value
            for i, name in enumerate(names):
                reference = self._references.of(name) if ":" in name else None
                names[i] = reference.after if reference and reference.after else self._value_name(name)
        for key in collections.VARIABLE_COLLECTIONS:
            if variables := self._index.variables(key):
                changed = [self._definition(variable).SerializeToString() for variable in variables]
                meta_graph.collection_def[key].bytes_list.value[:] = changed

    def change_contexts(self, meta_graph: protos.MetaGraphDef) -> None:
        """Has contexts of control flow know of the new nodes, and of no output that is gone."""
        gone = {name: reference.after for name, reference in self._references.found.items() if reference.after}
        for key, contexts in read_contexts(self._index).items():
            if contexts:
                changed = [renamed(one, lambda name: gone.get(name) or name, lambda name: name) for one in contexts]
                for context in changed:
                    put_beside(context, self._beside)
                values = [context.SerializeToString() for context in changed]
                meta_graph.collection_def[key].bytes_list.value[:] = values

    def _definition(self, variable: protos.VariableDef) -> protos.VariableDef:
        reference = self._references.of(variable.variable_name)
        if reference is not None:
            variable.is_resource = True
            variable.snapshot_name = self._value_name(variable.snapshot_name or variable.variable_name)
        return variable

    def _value_name(self, name: str) -> str:
        """The tensor that has the value of what may be a reference."""
        reference = self._references.of(name) if ":" in name else None
        return tensor_name(self._value(reference)) if reference and reference.dtype is not None else name


def _change_variable(node: protos.NodeDef) -> None:
    if node.op == "Variable" and not node.attr["shape"].shape.dim:
        node.attr["shape"].shape.unknown_rank = True  # "Variable" told a scalar and an unknown shape by the same
    if not node.attr["shared_name"].s:
        node.attr["shared_name"].s = node.name.encode()
    _become(node, VARIABLES[node.op])


def _become(node: protos.NodeDef, op: str, attrs: Mapping[str, str] | None = None) -> None:
    """Makes a node another op, with those of its attributes that `attrs` has, by their old names."""
    node.op = op
    node.attr.pop(_NOTES_ON_OUTPUTS, None)
    if attrs is None:
        return
    for key in [key for key in node.attr if not key.startswith("_")]:
        if key in attrs and attrs[key] != key:
            node.attr[attrs[key]].CopyFrom(node.attr[key])
        if attrs.get(key) != key:
            del node.attr[key]


def _named_infos(info: protos.TensorInfo) -> Iterator[protos.TensorInfo]:
    if info.HasField("composite_tensor"):
        for component in info.composite_tensor.components:
            yield from _named_infos(component)
    elif info.HasField("name"):
        yield info


def _ops_that_take_references(index: GraphIndex) -> set[str]:
    ops = index.meta_graph.meta_info_def.stripped_op_list.op
    return {op.name for op in ops if any(arg.is_ref for arg in op.input_arg)} | WITHOUT_COUNTERPART


def _has_resource(node: protos.NodeDef | None) -> bool:
    return node is not None and (node.op in _RESOURCE_OPS or node.attr["T"].type == _RESOURCE)
