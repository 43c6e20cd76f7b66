"""A `module_fn` becomes a module spec."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tf1hub.errors import GraphError, SignatureError, TagsError
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.defaults import strip_default_attrs
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.placement import find_misplaced_state
from tf1hub.publishing.signatures import attached_messages, declared_signatures
from tf1hub.spec import ModuleSpec, as_tags
from tf1hub.tensorflow_private import provide_tf_layers, tensor_info_of


def create_module_spec(
    module_fn: Callable[..., Any],
    tags_and_args: Iterable[tuple[Any, dict[str, Any]]] | None = None,
    drop_collections: Iterable[str] | None = None,
) -> ModuleSpec:
    """Makes a module spec from a function that builds the module's graph.

    Args:
      module_fn: called once for each variant, in a graph of its own; it declares signatures with `hub.add_signature`. Its
        variables are resource variables unless it asks for others.
      tags_and_args: (tags, keyword arguments of `module_fn`) of each variant; `[(set(), {})]` when left out. A variant for
        training is usually tagged `{"train"}`.
      drop_collections: keys of collections that shall be left out, beyond those that a module may carry.

    Raises:
      SignatureError: no signature was declared, or one has tensors of another graph (a `ValueError`).
      TagsError: two variants have the same tags (a `ValueError`).
      GraphError: a collection that a module cannot carry, or state that is placed by what is not (a `ValueError`).

    >>> def module_fn(training):
    ...     x = tf.placeholder(tf.float32, [None, 3])
    ...     hub.add_signature(inputs=x, outputs=tf.layers.dropout(x, 0.1, training=training))
    >>> hub.create_module_spec(
    ...     module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})]
    ... ).get_tags()
    [frozenset(), frozenset({'train'})]
    """
    provide_tf_layers()
    saved_model = protos.SavedModel(saved_model_schema_version=1)
    seen: set[frozenset[str]] = set()
    for tags, arguments in tags_and_args or [(set(), {})]:
        wanted = as_tags(tags)
        if wanted in seen:
            raise TagsError(f"The tags {sorted(wanted)} stand twice in `tags_and_args`. Each variant needs its own.")
        seen.add(wanted)
        with tf.Graph().as_default() as graph:
            with tf.compat.v1.variable_scope("", use_resource=True):
                module_fn(**arguments)
            saved_model.meta_graphs.append(_meta_graph(graph, wanted, frozenset(drop_collections or ())))
    return ModuleSpec(saved_model)


def _meta_graph(graph: Any, tags: frozenset[str], dropped: frozenset[str]) -> protos.MetaGraphDef:
    where = f" in the variant {sorted(tags)}" if tags else ""
    carried = [key for key in graph.get_all_collection_keys() if key not in dropped and graph.get_collection(key)]
    check_collections(carried, where)
    written = tf.compat.v1.train.export_meta_graph(graph=graph, collection_list=carried, strip_default_attrs=True)
    meta_graph = protos.MetaGraphDef.FromString(written.SerializeToString())
    meta_graph.meta_info_def.tags.extend(sorted(tags))
    strip_default_attrs(meta_graph)
    _add_signatures(meta_graph, graph, where)
    for key, value in attached_messages(graph).items():
        attachment = protos.ModuleAttachment(key=key, value=value)
        meta_graph.collection_def[collections.ATTACHMENTS].bytes_list.value.append(attachment.SerializeToString())
    if misplaced := find_misplaced_state(GraphIndex(meta_graph)):
        name, others = next(iter(misplaced.items()))
        raise GraphError(
            f"The state op {name!r}{where} is colocated with {others}, which hold no state. State is shared by all"
            " applications of a module and cannot be placed by one of them: make it outside of `colocate_with`."
            + (f" (So are {sorted(set(misplaced) - {name})}.)" if len(misplaced) > 1 else "")
        )
    return meta_graph


def check_collections(keys: Iterable[str], where: str = "", hint: str = "") -> None:
    """Refuses collections that a module cannot carry. The message ends with the hint."""
    if unsupported := sorted(set(keys) - collections.SUPPORTED):
        raise GraphError(
            f"The graph{where} has collections that a module cannot carry: {unsupported}. If users of the module do not"
            f" need them, leave them out with `drop_collections={unsupported}`.{hint}"
        )


def _add_signatures(meta_graph: protos.MetaGraphDef, graph: Any, where: str) -> None:
    declared = declared_signatures(graph)
    if not declared:
        raise SignatureError(
            f"The module has no signature{where}. Call `hub.add_signature(inputs=..., outputs=...)` at least once in"
            " `module_fn`."
        )
    for name, inputs, outputs in declared:
        if name in meta_graph.signature_def:
            warnings.warn(
                f"The signature {name!r} is declared twice{where}; the last declaration counts.", stacklevel=4
            )
            del meta_graph.signature_def[name]
        signature = meta_graph.signature_def[name]
        signature.SetInParent()
        for infos, tensors in ((signature.inputs, inputs), (signature.outputs, outputs)):
            for key, tensor in tensors.items():
                _check_graph(name, key, tensor, graph)
                infos[key].MergeFromString(tensor_info_of(tensor))


def _check_graph(signature: str, key: str, tensor: Any, graph: Any) -> None:
    for component in tf.nest.flatten(tensor, expand_composites=True):
        if component.graph is not graph:
            raise SignatureError(
                f"Signature {signature!r}: {key!r} ({component.name}) belongs to another graph than the one that"
                " `module_fn` is called in. Make all of a module's tensors inside `module_fn`."
            )
