"""What an exported model is asked with: placeholders that requests fill, and the features that are made of them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

_SINGLE_FEATURE = "feature"
_SINGLE_RECEIVER = "input"


class _Fields(NamedTuple):
    features: Any
    receiver_tensors: dict[str, Any]
    receiver_tensors_alternatives: dict[Any, dict[str, Any]] | None


class ServingInputReceiver(_Fields):
    """What a `serving_input_receiver_fn` returns: the features for the `model_fn`, and the placeholders they come from.

    Args:
      features: a dict of tensors (dense, sparse or ragged) by name; a single tensor is named "feature".
      receiver_tensors: the placeholders that a request fills, by name; a single one is named "input".
      receiver_tensors_alternatives: other tensors that a request may fill instead, a tensor or a dict of tensors by
        name for each name of such a choice; or None.

    Raises:
      ValueError: one of them is no such thing.

    >>> from tf1hub.estimator import export
    >>> with tf.Graph().as_default():
    ...     text = tf.compat.v1.placeholder(tf.string, [None])
    ...     sorted(export.ServingInputReceiver({"text": text}, text).receiver_tensors)
    ['input']
    """

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> "ServingInputReceiver":
        if features is None:
            raise ValueError("`features` is None; it must be a dict of tensors by name.")
        if not isinstance(features, dict):
            features = {_SINGLE_FEATURE: features}
        for name, tensor in features.items():
            if not isinstance(name, str | int):
                raise ValueError(f"Names of features must be strings or integers; this is {name!r}.")
            _check_tensor(tensor, f"features[{name!r}]")
        return super().__new__(
            cls, features, _receivers(receiver_tensors), _alternatives(receiver_tensors_alternatives)
        )


class TensorServingInputReceiver(_Fields):
    """A `ServingInputReceiver` for a `model_fn` whose `features` are one tensor, not a dict.

    Args:
      features: a tensor (dense, sparse or ragged).
      receiver_tensors: the placeholders that a request fills, by name; a single one is named "input".
      receiver_tensors_alternatives: as for `ServingInputReceiver`.

    Raises:
      ValueError: one of them is no such thing.
    """

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> "TensorServingInputReceiver":
        _check_tensor(features, "`features` of a TensorServingInputReceiver")
        return super().__new__(
            cls, features, _receivers(receiver_tensors), _alternatives(receiver_tensors_alternatives)
        )


def build_raw_serving_input_receiver_fn(
    features: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A `serving_input_receiver_fn` whose requests hold the features themselves.

    Args:
      features: tensors like the features, by name: their dtypes and shapes, and the names of their operations, are
        those of the placeholders. The first dimension is that of the batch.
      default_batch_size: the number of examples in a request, None for any.

    Returns:
      A function without arguments that returns a `ServingInputReceiver`.

    >>> from tf1hub.estimator import export
    >>> with tf.Graph().as_default():
    ...     receiver_fn = export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1, 3])})
    >>> with tf.Graph().as_default():
    ...     receiver_fn().features["x"].shape
    TensorShape([None, 3])
    """

    def serving_input_receiver_fn() -> ServingInputReceiver:
        placeholders = {name: _placeholder_like(tensor, default_batch_size) for name, tensor in features.items()}
        return ServingInputReceiver(placeholders, placeholders)

    return serving_input_receiver_fn


def build_parsing_serving_input_receiver_fn(
    feature_spec: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A `serving_input_receiver_fn` whose requests hold serialized `tf.Example` messages, in a string tensor "examples".

    Args:
      feature_spec: how the features are parsed, as for `tf.io.parse_example`.
      default_batch_size: the number of examples in a request, None for any.

    Returns:
      A function without arguments that returns a `ServingInputReceiver`.

    >>> from tf1hub.estimator import export
    >>> receiver_fn = export.build_parsing_serving_input_receiver_fn({"text": tf.io.FixedLenFeature([], tf.string)})
    >>> with tf.Graph().as_default():
    ...     list(receiver_fn().receiver_tensors)
    ['examples']
    """

    def serving_input_receiver_fn() -> ServingInputReceiver:
        examples = tf.compat.v1.placeholder(tf.string, [default_batch_size], name="input_example_tensor")
        return ServingInputReceiver(tf.io.parse_example(examples, feature_spec), {"examples": examples})

    return serving_input_receiver_fn


def _placeholder_like(tensor: Any, batch_size: int | None) -> Any:
    shape = tensor.shape
    if shape.rank is not None:
        shape = [batch_size, *shape[1:]]
    try:
        name = tensor.op.name
    except AttributeError:  # A tensor of eager execution has no operation.
        name = None
    return tf.compat.v1.placeholder(tensor.dtype, shape, name=name)


def _receivers(tensors: Any, what: str = "receiver_tensors") -> dict[str, Any]:
    if tensors is None:
        raise ValueError(f"`{what}` is None; it must be the placeholders that a request fills.")
    if not isinstance(tensors, dict):
        tensors = {_SINGLE_RECEIVER: tensors}
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise ValueError(f"Names in `{what}` must be strings; this is {name!r}.")
        _check_tensor(tensor, f"{what}[{name!r}]")
    checked: dict[str, Any] = tensors
    return checked


def _alternatives(alternatives: Any) -> dict[Any, dict[str, Any]] | None:
    if alternatives is None:
        return None
    if not isinstance(alternatives, dict):
        raise ValueError(f"`receiver_tensors_alternatives` must be a dict of tensors by name, not {alternatives!r}.")
    return {
        name: _receivers(tensors, f"receiver_tensors_alternatives[{name!r}]") for name, tensors in alternatives.items()
    }


def _check_tensor(tensor: Any, what: str) -> None:
    if not isinstance(tensor, tf.Tensor | tf.SparseTensor | tf.RaggedTensor):
        raise ValueError(f"{what} must be a dense, sparse or ragged tensor, not {tensor!r}.")
