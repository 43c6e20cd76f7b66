"""Importing a part of a module's graph with TF1 control flow into a function that is being built.

Its loops become `tf.while_loop`s and its branches `tf.cond`s, so that TensorFlow 2 has the gradients, compiles and saves it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.consuming.importing import without_clashes
from tf1hub.consuming.missing_ops import explain_import_error
from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph.contexts import loops_without_gradients
from tf1hub.graph.control_flow.regions import structured
from tf1hub.graph.control_flow.structure import Branch, Loop, Region, Segment
from tf1hub.graph.library import used_library
from tf1hub.graph.subgraph import Subgraph
from tf1hub.names import in_scope, is_control_input, node_name, tensor_name
from tf1hub.tensorflow_private import brought_into


def import_structured(subgraph: Subgraph, name: str, feeds: Mapping[str, Any], targets: Collection[str]) -> "Values":
    """Imports what some targets need of a subgraph into the current graph, which is a function's.

    Args:
      subgraph: what to import. It has no reference variables.
      name: a name for the scope of the imported ops.
      feeds: a tensor for each tensor name that crosses the subgraph's boundary; there may be more.
      targets: the tensors and nodes that are wanted: only these can be asked for.

    Raises:
      GraphError: its control flow cannot be rebuilt, or TensorFlow does not know one of its ops.
    """
    graph = tf.compat.v1.get_default_graph()
    scope = graph.unique_name(name, mark_as_used=False)
    graph_def = without_clashes(subgraph.graph_def, graph, scope)
    frames = frozenset(in_scope(frame, scope) for frame in loops_without_gradients(subgraph.contexts))
    values = Values(graph, {tensor_name(key): tensor for key, tensor in feeds.items()})
    with no_garbage_collection():
        _Import(graph_def, name, targets, frames).run(structured(graph_def.node, targets), values)
    return values


class Values:
    """What names of the module's graph stand for in one graph: a function's, or a branch's or loop's within it."""

    def __init__(self, graph: Any, tensors: Mapping[str, Any], outer: "Values | None" = None):
        self.graph = graph
        self._tensors = dict(tensors)
        self._ops: dict[str, Any] = {}
        self._imported: dict[str, Any] = {}
        self._outer = outer

    def tensor(self, name: str) -> Any:
        """The tensor that `name` stands for, as it can be used in this graph.

        Raises:
          GraphError: it has no value here, because it hangs on a predicate or is within a loop.
        """
        return brought_into(self.graph, self._found(tensor_name(name)))

    def element(self, name: str) -> Any:
        """The tensor or op that an entry of a collection stands for: what must have run when that shall have run."""
        inside = name not in self._tensors and node_name(name) in self._ops
        return self.tensor(name) if ":" in name and not inside else self.op(node_name(name))

    def op(self, node: str) -> Any:
        """The op of this graph that has run when the node has; None when that is outside of this graph."""
        if node in self._imported:
            return self._imported[node]
        if node in self._ops:
            return self._ops[node]
        fed = next((tensor for name, tensor in self._tensors.items() if node_name(name) == node), None)
        return None if fed is None else brought_into(self.graph, fed).op

    def add_imported(self, nodes: Iterable[str], ops: Iterable[Any]) -> None:
        """Notes which ops nodes have become."""
        self._imported.update(zip(nodes, ops, strict=True))

    def add_results(self, tensors: Mapping[str, Any], nodes: Iterable[str], op: Any) -> None:
        """Notes what a branch or loop gave. It is `op` that has run when any of these nodes has."""
        self._tensors.update(tensors)
        self._ops.update(dict.fromkeys(nodes, op))

    def _found(self, name: str) -> Any:
        if name in self._tensors:
            return self._tensors[name]
        if node_name(name) in self._imported:
            return self._imported[node_name(name)].outputs[int(name.rpartition(":")[2])]
        if self._outer is not None:
            return self._outer._found(name)
        raise GraphError(
            f"The tensor {name!r} has no value of its own: nobody feeds it, or it is within a loop or one side of a branch."
        )


class _LoopShapesError(Exception):
    """The variables of a loop that is being traced change their shapes; `wider` are shapes that hold both."""

    def __init__(self, wider: Sequence[Any]):
        super().__init__()
        self.wider = list(wider)


class _Import:
    """Imports regions of one graph."""

    def __init__(
        self, graph_def: protos.GraphDef, name: str, targets: Collection[str], frames_without_gradients: frozenset[str]
    ):
        self._graph_def = graph_def
        self._name = name
        self._frames_without_gradients = frames_without_gradients
        self._used = {*targets, *(name for node in graph_def.node for name in node.input)}

    def run(self, region: Region, values: Values) -> None:
        """Imports a region's steps."""
        for step in region.steps:
            if isinstance(step, Segment):
                self._import(step, values)
                continue
            # What a node within a branch or a loop waits for outside, all of it waits for.
            controls = [op for node in step.controls if (op := values.op(node)) is not None]
            with tf.control_dependencies(controls):
                if isinstance(step, Branch):
                    self._branch(step, values)
                else:
                    self._loop(step, values)

    def _results(self, region: Region, tensors: Mapping[str, Any], outer: Values) -> list[Any]:
        """A region as the current graph, a function's, computes it: at least one result, so that one can wait for it."""
        values = Values(tf.compat.v1.get_default_graph(), tensors, outer)
        self.run(region, values)
        after = [op for node in region.after if (op := values.op(node)) is not None]
        results = [values.tensor(name) for name in region.results]
        with tf.control_dependencies(after):
            return [tf.identity(result) if after else result for result in results] or [tf.constant(True)]

    def _import(self, segment: Segment, values: Values) -> None:
        own = {node.name for node in segment.nodes}
        graph_def = protos.GraphDef(versions=self._graph_def.versions)
        graph_def.library.CopyFrom(used_library(segment.nodes, self._graph_def.library))
        input_map: dict[str, Any] = {}
        for node in segment.nodes:
            added = graph_def.node.add()
            added.CopyFrom(node)
            outside = [name for name in node.input if node_name(name) not in own and name not in input_map]
            input_map.update({name: source for name in outside if (source := _source(name, values)) is not None})
            kept = [name for name in node.input if node_name(name) in own or name in input_map]
            del added.input[:]
            added.input.extend(kept)
        names = [node.name for node in segment.nodes]
        with explain_import_error(graph_def):
            message = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
            # Not looked up by their names: TensorFlow may number them.
            ops = tf.graph_util.import_graph_def(message, input_map, return_elements=names, name=self._name)
        values.add_imported(names, ops)

    def _branch(self, branch: Branch, values: Values) -> None:
        predicate = values.tensor(branch.predicate)
        results = tf.cond(
            predicate,
            lambda: self._results(branch.taken, {}, values),
            lambda: self._results(branch.otherwise, {}, values),
        )
        tensors = {tensor_name(merge.node): result for merge, result in zip(branch.merges, results, strict=False)}
        for merge in branch.merges:
            if (index := f"{merge.node}:1") in self._used:
                tensors[index] = tf.where(predicate, merge.taken_input, merge.otherwise_input)
        values.add_results(tensors, [*branch.inside, *(merge.node for merge in branch.merges)], results[0].op)

    def _loop(self, loop: Loop, values: Values) -> None:
        starts = [values.tensor(variable.start) for variable in loop.variables]
        shapes = [start.shape for start in starts]
        while True:
            try:
                results = self._traced_loop(loop, values, starts, shapes)
                break
            except _LoopShapesError as found:
                shapes = found.wider
        if loop.frame in self._frames_without_gradients:
            results = [tf.stop_gradient(result) for result in results]
        exits = {
            name: result for variable, result in zip(loop.variables, results, strict=True) for name in variable.exits
        }
        values.add_results({tensor_name(name): result for name, result in exits.items()}, exits, results[0].op)

    def _traced_loop(self, loop: Loop, values: Values, starts: list[Any], shapes: list[Any]) -> list[Any]:
        names = [variable.inside for variable in loop.variables]

        def body(*variables: Any) -> list[Any]:
            results = self._results(loop.body, dict(zip(names, variables, strict=True)), values)
            wider = [_wider(shape, result.shape) for shape, result in zip(shapes, results, strict=True)]
            if [str(shape) for shape in shapes] != [str(shape) for shape in wider]:
                raise _LoopShapesError(wider)
            return results

        results: list[Any] = tf.while_loop(
            lambda *variables: self._results(loop.condition, dict(zip(names, variables, strict=True)), values)[0],
            body,
            starts,
            shape_invariants=shapes,
            parallel_iterations=loop.parallel_iterations,
            maximum_iterations=None if loop.limit is None else tf.cast(values.tensor(loop.limit), tf.int32),
        )
        return results


def _source(name: str, values: Values) -> Any:
    """The tensor to give for an input that is in no segment; None when a control input has no meaning in this graph."""
    if not is_control_input(name):
        return values.tensor(name)
    op = values.op(node_name(name))
    if op is None or op.outputs:
        return op and op.outputs[0]
    # An import maps inputs to tensors only, and this op has none.
    with tf.control_dependencies([op]):
        return tf.constant(True)


def _wider(one: Any, other: Any) -> Any:
    """The most specific shape that holds both."""
    if one.rank is None or one.rank != other.rank:
        return tf.TensorShape(None)
    return tf.TensorShape([size if size == more else None for size, more in zip(one, other, strict=True)])
