"""Graphs as no TensorFlow of today writes them: specs with edited messages."""

from collections.abc import Callable, Iterator
from typing import Any

import tf1hub as hub
from tf1hub.format import protos
from tf1hub.spec import ModuleSpec


def edited(spec: hub.ModuleSpec, edit: Callable[[protos.MetaGraphDef], Any]) -> hub.ModuleSpec:
    """The spec with each variant as `edit` changed it."""
    saved_model = protos.SavedModel(saved_model_schema_version=1)
    for tags in spec.get_tags():
        saved_model.meta_graphs.append(spec.variant(tags).meta_graph)
        edit(saved_model.meta_graphs[-1])
    return ModuleSpec(saved_model)


def with_op(spec: hub.ModuleSpec, old: str, new: str) -> hub.ModuleSpec:
    """The spec with another op in place of one, in the list of ops too."""

    def edit(meta_graph):
        for each in nodes(meta_graph):
            each.op = new if each.op == old else each.op
        for definition in meta_graph.meta_info_def.stripped_op_list.op:
            definition.name = new if definition.name == old else definition.name

    return edited(spec, edit)


def nodes(meta_graph: protos.MetaGraphDef) -> Iterator[protos.NodeDef]:
    """The nodes of a graph and of its functions."""
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def
