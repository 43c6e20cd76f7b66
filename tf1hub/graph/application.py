"""What one application of a signature brings into a graph.

requires  a graph variant, the signature's inputs and the outputs that are asked for
ensures   the nodes that these outputs and (trainable) the update ops need, up to the inputs and the state; an update op
          that cannot run because it hangs on another signature's input is not among them
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.signature_tensors import iter_tensor_names
from tf1hub.graph.subgraph import Boundary, Subgraph, cut, needed_nodes
from tf1hub.names import node_name, tensor_name

_UNFED_OPS = frozenset(("Placeholder", "PlaceholderV2"))


@dataclass(frozen=True)
class Application:
    """One signature of a variant as a graph of its own, and what of it goes into which collection."""

    subgraph: Subgraph
    update_ops: tuple[str, ...]
    asset_filepaths: tuple[str, ...]


def application_of(
    index: GraphIndex,
    inputs: Collection[str],
    outputs: Collection[str],
    trainable: bool,
    everything: bool = False,
) -> Application:
    """The graph that computes the tensors `outputs` from the tensors `inputs` and the module's state."""
    boundary = Boundary(tensors=frozenset(tensor_name(name) for name in inputs), nodes=index.state_nodes)
    update_ops = _runnable_update_ops(index, boundary) if trainable else []
    subgraph = cut(index, [*outputs, *update_ops], boundary, everything)
    assets = [name for name in index.collection_nodes(collections.ASSET_FILEPATHS) if subgraph.keeps(name)]
    return Application(subgraph, tuple(update_ops), tuple(assets))


def tensors_of(infos: Iterable[protos.TensorInfo]) -> list[str]:
    """The names of all tensors that some tensor infos speak of: three for a sparse one."""
    return [name for info in infos for name in iter_tensor_names(info) if name]


def _runnable_update_ops(index: GraphIndex, boundary: Boundary) -> list[str]:
    update_ops = index.collection_nodes(collections.UPDATE_OPS)
    unfed = unfed_nodes(index, update_ops, boundary)
    return [name for name in update_ops if boundary.stops(name) or node_name(name) not in unfed]


def unfed_nodes(index: GraphIndex, targets: Iterable[str], boundary: Boundary) -> set[str]:
    """The nodes that `targets` need, themselves included, and that hang on a placeholder within the boundary."""
    needed = needed_nodes(index, targets, boundary)
    consumers: dict[str, list[str]] = {}
    for name in needed:
        for each in index.nodes[name].input:
            if not boundary.stops(each):
                consumers.setdefault(node_name(each), []).append(name)
    # All nodes that hang on an unfed one, found from there: looking from each target would take their product.
    todo = [name for name in needed if index.nodes[name].op in _UNFED_OPS]
    unfed: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in unfed:
            unfed.add(name)
            todo.extend(consumers.get(name, ()))
    return unfed
