"""Importing a part of a variant into the function that is being traced, in a form that can be differentiated there."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.loaded.function_gradients import FunctionGradients
from tf1hub.consuming.loaded.recording import import_recorded
from tf1hub.consuming.loaded.structured_import import import_structured
from tf1hub.consuming.loaded.variant import Variant
from tf1hub.format import protos
from tf1hub.graph.control_flow.regions import has_control_flow
from tf1hub.graph.nested_calls import call_by_attribute, inline_calls, inline_nested_calls
from tf1hub.graph.subgraph import Subgraph
from tf1hub.graph.write_order import read_before_writing
from tf1hub.names import COLOCATION_ATTR
from tf1hub.tensorflow_private import op_definition


def import_part(
    variant: Variant, subgraph: Subgraph, component: int, inputs: Mapping[str, Any], wanted: Collection[str]
) -> Any:
    """What is imported, by its names in the module. The subgraph's own messages are changed.

    Args:
      variant: whose state the part is connected with.
      subgraph: the part.
      component: the number of the replica whose variables are taken.
      inputs: tensors for those that cross the boundary, by name.
      wanted: tensors and nodes that will be asked for.
    """
    feeds = {**variant.feeds(subgraph, component, wanted), **inputs}
    placeless = _without_places(subgraph)
    read_before_writing(placeless.graph_def, variant.variables)
    gradients = FunctionGradients(placeless.graph_def)
    call_by_attribute(placeless.graph_def)
    inline_nested_calls(placeless.graph_def.library, gradients.functions)
    inline_calls(placeless.graph_def, _definition, gradients.functions)
    gradients.name_in(placeless.graph_def)
    if has_control_flow(placeless):
        imported: Any = import_structured(placeless, "module", feeds, wanted)
    else:
        imported = import_recorded(placeless, "module", feeds)
    gradients.imported_into(tf.compat.v1.get_default_graph())
    return imported


def _without_places(subgraph: Subgraph) -> Subgraph:
    """The subgraph without devices and colocations: the caller says where a function runs."""
    for node in subgraph.graph_def.node:
        node.device = ""
        node.attr.pop(COLOCATION_ATTR, None)
    return dataclasses.replace(subgraph, colocations=())


def _definition(op: str) -> protos.OpDef | None:
    found = op_definition(op)
    return None if found is None else protos.OpDef.FromString(found)
