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
from tf1hub.graph.subgraph import Boundary, Subgraph, cut, needed_nodes
from tf1hub.names import tensor_name

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
    names: list[str] = []
    for info in infos:
        encoding = info.WhichOneof("encoding")
        if encoding == "coo_sparse":
            sparse = info.coo_sparse
            names += [sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name]
        elif encoding == "composite_tensor":
            names += tensors_of(info.composite_tensor.components)
        elif encoding == "name":
            names.append(info.name)
    return names


def _runnable_update_ops(index: GraphIndex, boundary: Boundary) -> list[str]:
    unfed = {name for name, node in index.nodes.items() if node.op in _UNFED_OPS}
    return [
        name
        for name in index.collection_nodes(collections.UPDATE_OPS)
        if not unfed & needed_nodes(index, [name], boundary)
    ]
