"""`hub.KerasLayer`: a module as a Keras layer, of the Keras that `tf.keras` is, or of the other."""

from typing import Any

from tf1hub.consuming.keras_layers.hub_layer import HubLayer
from tf1hub.consuming.keras_layers.keras_choice import check_backend, chosen_keras, is_keras_three
from tf1hub.consuming.keras_layers.keras_three import KerasThreeLayer
from tf1hub.consuming.keras_layers.keras_two import KerasTwoLayer

_DOCUMENTATION = """A module as a Keras layer: a TF1 Hub module, a SavedModel of TensorFlow 2, or another callable.

    The class is of the Keras that `tf.keras` is in this process; `keras=` makes a layer of another one. `isinstance` with this
    class finds the layers of every Keras. To derive from another Keras's layer, or to load a model of that Keras, take
    `hub.KerasLayer.of(tf_keras)`.

    A TF1 Hub module keeps computing in its own dtypes: floating-point inputs are cast to the signature's, and floating-point
    outputs to the layer's compute dtype. It is applied for training, with the variant and the update ops for that, when the
    layer is trainable and Keras trains. Its regularization losses are then in `losses`.

    Args:
      handle: the path of a module or SavedModel, a `hub.ModuleSpec`, what `hub.load` gave, or any callable. A
        model's config holds the path, so two layers of one loaded object are two with states of their own once loaded again.
      trainable: whether the variables are trained. It can be set later; compile the model again then.
      arguments: more inputs, or keyword arguments of the callable, which are the same for each call.
      tags: the tags of the graph variant to use, for a path.
      signature: the signature's name; "default" when left out, for a TF1 Hub module.
      signature_outputs_as_dict: whether the layer gives all outputs in a dict.
      output_key: the name of the one output that it gives; "default" when left out, for a TF1 Hub module.
      output_shape: the shape of the output without the batch's dimension, or a nest of them, when TensorFlow cannot tell.
      load_options: `tf.saved_model.LoadOptions`, for a SavedModel's path.
      keras: the Keras to make the layer for: `keras`, `tf_keras` or `tf.keras`.
      training_tags: the tags of the variant to train with, for the path or spec of a TF1 Hub module; see `hub.load`.
      **kwargs: Keras's own, such as `name` and `dtype`.

    Raises:
      MissingModuleError: there is nothing at the path (an `OSError`, and a `tf.errors.NotFoundError`).
      TagsError: no variant has these tags (a `ValueError`).
      SignatureError: no such signature (a `ValueError`).
      InputError: no such output, or inputs that the signature does not take (a `ValueError`).
      GraphError: `trainable=True` and a module without trainable variables (a `ValueError`).
      RuntimeError: Keras 3 runs on something else than TensorFlow.

    >>> layer = hub.KerasLayer(path, trainable=True)
    >>> layer(["a sentence", "another"]).shape
    TensorShape([2, 2])
    """


class _LayerType(type):
    """Has `isinstance` with a public class find the layers of every Keras."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, HubLayer) if "KERAS" in vars(cls) else super().__instancecheck__(instance)


def layer_class(keras: Any = None) -> Any:
    """The class `KerasLayer` of a Keras: always the same one, and known to what loads that Keras's models."""
    chosen = chosen_keras(keras)
    base = chosen.layers.Layer
    if base not in _CLASSES:
        _CLASSES[base] = _made_class(chosen)
    return _CLASSES[base]


_CLASSES: dict[type, Any] = {}


def _made_class(keras: Any) -> Any:
    part: Any = KerasThreeLayer if is_keras_three(keras) else KerasTwoLayer

    class KerasLayer(part, keras.layers.Layer, metaclass=_LayerType):  # type: ignore[misc]
        __doc__ = _DOCUMENTATION
        __qualname__ = "KerasLayer"
        KERAS = keras

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            wanted = _wanted_class(cls, kwargs.get("keras"))
            return super().__new__(cls) if wanted is cls else wanted(*args, **kwargs)

        @staticmethod
        def of(keras: Any) -> Any:
            """This class for another Keras: `keras`, `tf_keras` or `tf.keras`."""
            return layer_class(keras)

    return keras.utils.register_keras_serializable(package="tf1hub")(KerasLayer)


def _wanted_class(cls: Any, keras: Any) -> Any:
    """The class to make an instance of: `cls`, or the one of the given Keras."""
    wanted = cls if keras is None else layer_class(keras)
    check_backend(wanted.KERAS)
    if issubclass(cls, wanted):
        return cls
    if "KERAS" not in vars(cls):
        raise TypeError(
            f"{cls.__name__} is a layer of {cls.KERAS.__name__}, so it cannot be made with `keras={keras.__name__}`. Derive it"
            f" from hub.KerasLayer.of({keras.__name__})."
        )
    return wanted


KerasLayer = layer_class()
