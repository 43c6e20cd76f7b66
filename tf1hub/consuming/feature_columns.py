"""Feature columns whose values come from a module."""

import os
from typing import Any, NamedTuple

import tensorflow as tf

from tf1hub import files
from tf1hub.consuming.images import get_expected_image_size, get_num_image_channels
from tf1hub.consuming.module import Module
from tf1hub.errors import SignatureError
from tf1hub.format import module_directory
from tf1hub.spec import ModuleSpec, as_module_spec, load_module_spec
from tf1hub.tensorflow_private import DenseColumnV1, DenseColumnV2, provide_tf_layers

_RESOURCE = "module"
_COMBINERS = ("mean", "sqrtn", "sum")


def text_embedding_column(key: str, module_spec: ModuleSpec | str | os.PathLike[str], trainable: bool = False) -> Any:
    """A dense column that embeds a text feature with a module.

    Args:
      key: the feature's key; its values are strings of shape [batch] or [batch, 1].
      module_spec: a text-embedding module: strings [batch] to float32 [batch, N]. A spec or a path.
      trainable: whether the module is fine-tuned with the model.

    Raises:
      SignatureError: the module is no text embedding (a `ValueError`).

    >>> column = hub.text_embedding_column("review", path, trainable=True)
    """
    provide_tf_layers()
    spec = as_module_spec(module_spec)
    _check_text_embedding(spec)
    return _TextColumn(key, spec, trainable)


def sparse_text_embedding_column(
    key: str,
    module_spec: ModuleSpec | str | os.PathLike[str],
    combiner: str,
    default_value: str,
    trainable: bool = False,
) -> Any:
    """A dense column that embeds each of several texts of an example with a module, and combines them.

    Args:
      key: the feature's key; its value is a sparse tensor of strings [batch, any].
      module_spec: a text-embedding module, a spec or a path.
      combiner: "mean", "sqrtn" or "sum": how the embeddings of an example's texts become one.
      default_value: the text that stands for an example without any.
      trainable: whether the module is fine-tuned with the model.

    Raises:
      SignatureError: the module is no text embedding (a `ValueError`).
      ValueError: an unknown combiner.
    """
    provide_tf_layers()
    spec = as_module_spec(module_spec)
    _check_text_embedding(spec)
    if combiner not in _COMBINERS:
        raise ValueError(f"The combiner is one of {list(_COMBINERS)}; this is {combiner!r}.")
    return _SparseTextColumn(key, combiner, spec, default_value, trainable)


def image_embedding_column(
    key: str, module_spec: ModuleSpec | str | os.PathLike[str], image_size: tuple[int, int] | None = None
) -> Any:
    """A dense column that embeds an image feature with a module, which is not trained.

    Args:
      key: the feature's key; its values are float32 images [batch, height, width, channels] in the range [0, 1].
      module_spec: an image feature vector module: input "images", output float32 [batch, N]. A spec or a path.
      image_size: (height, width) in pixels; what the module expects when left out.

    Raises:
      SignatureError: the module is no image embedding (a `ValueError`).
    """
    provide_tf_layers()
    spec = as_module_spec(module_spec)
    _check_image_embedding(spec)
    return _ImageColumn(key, spec, None if image_size is None else tuple(image_size))


def text_embedding_column_v2(key: str, module_path: str, output_key: str | None = None, trainable: bool = False) -> Any:
    """A dense column that embeds a text feature, for `DenseFeatures` of Keras 2 in eager code, and for graphs.

    Args:
      key: the feature's key; its values are strings of shape [batch] or [batch, 1].
      module_path: the path of a TF1 Hub module, or of a TF2 SavedModel that can be called on strings.
      output_key: the output to take when there are several by name; "default" when left out.
      trainable: whether it is trained with the model. In eager code this needs a TF2 SavedModel.
    """
    provide_tf_layers()
    return _TextColumnV2(key, module_path, output_key, trainable)


class _ModuleColumn(DenseColumnV1, DenseColumnV2):  # type: ignore[misc]
    """What all columns share: they are named by their feature, and go through one spec."""

    key: str
    module_spec: ModuleSpec
    trainable: bool = False

    @property
    def _is_v2_column(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return f"{self.key}_hub_module_embedding"

    @property
    def parents(self) -> list[str]:
        return [self.key]

    @property
    def variable_shape(self) -> Any:
        return self.module_spec.get_output_info_dict()["default"].get_shape()[1:]

    _variable_shape = variable_shape

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.parse_example_spec
        return spec

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self.key, state_manager)

    def _transform_feature(self, inputs: Any) -> Any:
        return inputs.get(self.key)

    def create_state(self, state_manager: Any) -> None:
        """Instantiates the module once for the layer that the column is used in."""
        # The state manager knows whether its layer is trained, but has no public way to say so.
        trained = getattr(state_manager, "_trainable", True)
        state_manager.add_resource(self, _RESOURCE, self._module(trained))

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        module = state_manager.get_resource(self, _RESOURCE)
        return self._embedded(module, transformation_cache.get(self, state_manager))

    def _get_dense_tensor(self, inputs: Any, weight_collections: Any = None, trainable: bool | None = None) -> Any:
        return self._embedded(self._module(trainable is not False), inputs.get(self))

    def _module(self, trained: bool) -> Module:
        return Module(self.module_spec, trainable=self.trainable and trained)

    def _embedded(self, module: Module, feature: Any) -> Any:
        return module(tf.reshape(feature, [-1]))

    def get_config(self) -> dict[str, Any]:
        fields: dict[str, Any] = self._asdict()
        if "module_spec" in fields:
            fields["module_spec_path"] = _path_of(fields.pop("module_spec"))
        return fields

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None) -> Any:
        fields = dict(config)
        if "module_spec_path" in fields:
            fields["module_spec"] = load_module_spec(fields.pop("module_spec_path"))
        return cls(**fields)


class _TextFields(NamedTuple):
    key: str
    module_spec: ModuleSpec
    trainable: bool


class _TextColumn(_TextFields, _ModuleColumn):
    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.FixedLenFeature([1], tf.string)}


class _SparseTextFields(NamedTuple):
    key: str
    combiner: str
    module_spec: ModuleSpec
    default_value: str
    trainable: bool


class _SparseTextColumn(_SparseTextFields, _ModuleColumn):
    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.VarLenFeature(tf.string)}

    def _embedded(self, module: Module, feature: Any) -> Any:
        filled, _ = tf.sparse.fill_empty_rows(feature, self.default_value)
        texts, positions = tf.unique(filled.values)
        ids = tf.SparseTensor(filled.indices, positions, filled.dense_shape)
        return tf.compat.v1.nn.embedding_lookup_sparse(module(texts), ids, None, combiner=self.combiner)


class _ImageFields(NamedTuple):
    key: str
    module_spec: ModuleSpec
    image_size: tuple[int, ...] | None


class _ImageColumn(_ImageFields, _ModuleColumn):
    @property
    def parse_example_spec(self) -> dict[str, Any]:
        height, width = self.image_size or get_expected_image_size(self.module_spec)
        return {self.key: tf.io.FixedLenFeature([height, width, get_num_image_channels(self.module_spec)], tf.float32)}

    def _embedded(self, module: Module, feature: Any) -> Any:
        return module({"images": feature})


class _TextFieldsV2(NamedTuple):
    key: str
    module_path: str
    output_key: str | None
    trainable: bool


class _TextColumnV2(_TextFieldsV2, _ModuleColumn):
    @property
    def module_spec(self) -> ModuleSpec:  # type: ignore[override]
        return load_module_spec(self.module_path)

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.FixedLenFeature([1], tf.string)}

    @property
    def variable_shape(self) -> Any:
        return self.module_spec.get_output_info_dict()[self.output_key or "default"].get_shape()[1:]

    _variable_shape = variable_shape

    def create_state(self, state_manager: Any) -> None:
        if not tf.compat.v1.executing_eagerly_outside_functions():
            super().create_state(state_manager)
            return
        path = files.resolve(self.module_path)
        if self.trainable and module_directory.is_module(path):
            raise ValueError(
                f"{path!r} is a TF1 Hub module, which this column can train in a graph only. Pass `trainable=False`, or use"
                " `hub.text_embedding_column` in a graph."
            )
        state_manager.add_resource(self, _RESOURCE, tf.saved_model.load(path))

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        feature = tf.reshape(transformation_cache.get(self, state_manager), [-1])
        loaded = state_manager.get_resource(self, _RESOURCE)
        if isinstance(loaded, Module):
            return self._embedded(loaded, feature)
        outputs = loaded(feature) if callable(loaded) else loaded.signatures["default"](feature)
        return outputs[self.output_key or "default"] if isinstance(outputs, dict) else outputs

    def _embedded(self, module: Module, feature: Any) -> Any:
        key = self.output_key or "default"
        return module(tf.reshape(feature, [-1]), outputs=[key])[key]


def _path_of(spec: ModuleSpec) -> str:
    if spec.directory is None:
        raise NotImplementedError(
            "The column's module was made in this program and has no path, so it cannot be written as a configuration."
            " Export the module, and make the column with its path."
        )
    return spec.directory


def _check_text_embedding(spec: ModuleSpec) -> None:
    given, made = spec.get_input_info_dict(), spec.get_output_info_dict()
    shape = next(iter(given.values())).get_shape() if len(given) == 1 else None
    if shape is None or next(iter(given.values())).dtype != tf.string or not shape.is_compatible_with([None]):
        raise SignatureError(
            f"The module is no text embedding: its default signature should take one input of strings [batch]; it takes"
            f" {given}."
        )
    _check_embedding_output("text", made)


def _check_image_embedding(spec: ModuleSpec) -> None:
    given, made = spec.get_input_info_dict(), spec.get_output_info_dict()
    if list(given) != ["images"] or given["images"].dtype != tf.float32:
        raise SignatureError(
            "The module is no image embedding: its default signature should take one input 'images' of float32; it takes"
            f" {given}."
        )
    _check_embedding_output("image", made)


def _check_embedding_output(kind: str, made: dict[str, Any]) -> None:
    info = made.get("default")
    shape = info.get_shape() if info is not None else tf.TensorShape(None)
    if info is None or info.dtype != tf.float32 or shape.rank != 2 or shape[1] is None:
        raise SignatureError(
            f"The module is no {kind} embedding: its default signature should give an output 'default' of float32"
            f" [batch, N] with N known; it gives {made}."
        )
