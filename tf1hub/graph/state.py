"""What a module brings into a graph once: variables, tables, what initializes them, and regularization losses.

requires  a graph variant, its variables' initial values as they shall be
ensures   the state nodes, the variables' initializers and reads, the tables' initializers, and (trainable) the
          regularization losses, with all that these need and nothing else
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.restoring import Restored, restored_from
from tf1hub.graph.subgraph import Subgraph, cut


@dataclass(frozen=True)
class State:
    """The state of a variant as a graph of its own, and what of it goes into which collection."""

    subgraph: Subgraph
    variables: dict[str, list[protos.VariableDef]]
    table_initializers: tuple[str, ...]
    regularization_losses: tuple[str, ...]
    asset_filepaths: tuple[str, ...]
    nodes: frozenset[str]


def state_of(index: GraphIndex, trainable: bool, everything: bool = False, checkpoint: str | None = None) -> State:
    """The state of a variant; with `everything` its whole graph comes along.

    Without a checkpoint (a path prefix) the variables have their own initial values.
    """
    restored = Restored(index, {}, {}) if checkpoint is None else restored_from(index, checkpoint)
    keys = [collections.GLOBAL_VARIABLES, collections.MODEL_VARIABLES]
    if trainable:
        keys.append(collections.TRAINABLE_VARIABLES)
    variables = {key: [restored.definition(one) for one in index.variables(key)] for key in keys}
    names = _names(one for found in variables.values() for one in found)
    losses = index.collection_nodes(collections.REGULARIZATION_LOSSES) if trainable else []
    initializers = index.collection_nodes(collections.TABLE_INITIALIZERS)
    subgraph = cut(restored.index, [*names, *initializers, *losses, *index.state_nodes], everything=everything)
    assets = [name for name in index.collection_nodes(collections.ASSET_FILEPATHS) if subgraph.keeps(name)]
    return State(
        subgraph=subgraph,
        variables=variables,
        table_initializers=tuple(initializers),
        regularization_losses=tuple(losses),
        asset_filepaths=tuple(assets),
        nodes=index.state_nodes,
    )


def _names(variables: Iterable[protos.VariableDef]) -> list[str]:
    """The tensors and ops by which TensorFlow knows variables."""
    fields = ("variable_name", "initializer_name", "initial_value_name", "snapshot_name")
    return [name for variable in variables for field in fields if (name := getattr(variable, field))]
