"""A SavedModel of TensorFlow 1 becomes a module spec."""

import os
from collections.abc import Iterable

from tf1hub import files
from tf1hub.errors import GraphError, raised_as_tensorflow
from tf1hub.format import module_directory, protos
from tf1hub.graph.assets import fold_assets
from tf1hub.graph.defaults import strip_default_attrs
from tf1hub.publishing.module_spec import check_collections
from tf1hub.spec import ModuleSpec
from tf1hub.tensorflow_private import provide_tf_layers

# What TensorFlow 1's writers of SavedModels add for serving. A module initializes its tables through their own collection.
_SERVING_COLLECTIONS = ("saved_model_main_op", "legacy_init_op", "saved_model_train_op", "saved_model_initializers")


def create_module_spec_from_saved_model(
    saved_model_path: str | os.PathLike[str], drop_collections: Iterable[str] | None = None
) -> ModuleSpec:
    """Makes a module spec of a SavedModel that was written by TensorFlow 1 (or its compat.v1 API).

    Its graphs become variants by their tags (usually `{"serve"}`), its signatures stay as they are, and instantiating the
    spec initializes the variables with the values of the SavedModel.

    Args:
      saved_model_path: the SavedModel's directory.
      drop_collections: keys of collections that shall be left out, beyond those that a module may carry.

    Raises:
      MissingModuleError: no SavedModel there (an `OSError`, also a `tf.errors.NotFoundError`).
      GraphError: a collection that a module cannot carry, or a SavedModel that TensorFlow 2 wrote (a `ValueError`).

    >>> spec = hub.create_module_spec_from_saved_model(saved_model_path, drop_collections=["losses"])
    """
    provide_tf_layers()
    with raised_as_tensorflow():
        directory = files.absolute(files.resolve(saved_model_path))
        saved_model = module_directory.read_saved_model(directory)
    dropped = {*_SERVING_COLLECTIONS, *(drop_collections or ())}
    for meta_graph in saved_model.meta_graphs:
        where = f" with the tags {sorted(meta_graph.meta_info_def.tags)}"
        if meta_graph.HasField("object_graph_def"):
            raise GraphError(
                f"{directory!r} was written by TensorFlow 2: its variables belong to objects, not to a graph, so it cannot"
                " become a TF1 Hub module. Use it as it is, with `hub.load`, `hub.KerasLayer` or `tf.saved_model.load`."
            )
        _drop(meta_graph, dropped)
        check_collections(meta_graph.collection_def, where, " On the command line: --drop-collection KEY.")
        fold_assets(meta_graph, directory)
        strip_default_attrs(meta_graph)
    return ModuleSpec(saved_model, directory)


def _drop(meta_graph: protos.MetaGraphDef, keys: Iterable[str]) -> None:
    for key in keys:
        meta_graph.collection_def.pop(key, None)
