"""What a module brings into a graph once: variables, tables, what initializes them, and regularization losses.

requires  a graph variant, its variables' initial values as they shall be
ensures   the state nodes, the variables' initializers and reads, the tables' initializers, and (trainable) the
          regularization losses, with all that these need and nothing else
"""

from dataclasses import dataclass

from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.subgraph import Subgraph, cut
from tf1hub.graph.variables import variable_defs


@dataclass(frozen=True)
class State:
    """The state of a variant as a graph of its own, and what of it goes into which collection."""

    subgraph: Subgraph
    variables: dict[str, list[protos.VariableDef]]
    table_initializers: tuple[str, ...]
    regularization_losses: tuple[str, ...]
    asset_filepaths: tuple[str, ...]
    nodes: frozenset[str]


def state_of(meta_graph: protos.MetaGraphDef, trainable: bool, everything: bool = False) -> State:
    """The state of a variant; with `everything` its whole graph comes along."""
    index = GraphIndex(meta_graph)
    losses = index.collection_nodes(collections.REGULARIZATION_LOSSES) if trainable else []
    initializers = index.collection_nodes(collections.TABLE_INITIALIZERS)
    targets = [*_names_of_variables(index), *initializers, *losses, *index.state_nodes]
    subgraph = cut(index, targets, everything=everything)
    keys = [collections.GLOBAL_VARIABLES, collections.MODEL_VARIABLES]
    if trainable:
        keys.append(collections.TRAINABLE_VARIABLES)
    assets = [name for name in index.collection_nodes(collections.ASSET_FILEPATHS) if subgraph.keeps(name)]
    return State(
        subgraph=subgraph,
        variables={key: index.variables(key) for key in keys},
        table_initializers=tuple(initializers),
        regularization_losses=tuple(losses),
        asset_filepaths=tuple(assets),
        nodes=index.state_nodes,
    )


def _names_of_variables(index: GraphIndex) -> list[str]:
    names = []
    for variable in variable_defs(index):
        names += [
            variable.variable_name,
            variable.initializer_name,
            variable.initial_value_name,
            variable.snapshot_name,
        ]
    return [name for name in names if name]
