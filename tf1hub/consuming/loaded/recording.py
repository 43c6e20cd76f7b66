"""Imported ops that gradient tapes know, as if each had been made by a call in the function that is being traced.

A call of a function of its own would do for the gradient, too. But XLA would take all that goes into it for constants, since
the gradient needs a few of its shapes: it would compile each training step anew. It would also keep all that is within for
the gradient, and not just what that needs.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.importing import ImportedGraph, import_subgraph
from tf1hub.graph.control_flow.regions import has_control_flow
from tf1hub.graph.subgraph import Subgraph
from tf1hub.tensorflow_private import record_on_tapes

_OWN_GRADIENT_ATTR = "_gradient_op_type"


def is_recordable(subgraph: Subgraph) -> bool:
    """Whether tapes can know all ops of a subgraph. What calls functions or has loops is differentiated as a function."""
    if subgraph.graph_def.library.function or has_control_flow(subgraph):
        return False
    return not any(_OWN_GRADIENT_ATTR in node.attr for node in subgraph.graph_def.node)


def import_recorded(subgraph: Subgraph, name: str, feeds: Mapping[str, Any]) -> ImportedGraph:
    """Imports a subgraph into the function that is being traced, and tells the gradient tapes; see `import_subgraph`."""
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    imported = import_subgraph(subgraph, name, feeds)
    record_on_tapes(graph.get_operations()[before:])
    return imported
