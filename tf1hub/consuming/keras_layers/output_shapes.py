"""Shapes as programs write them, (20,) or [None, 20], alone or nested, and as TensorFlow has them."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


def as_shapes(shapes: Any) -> Any:
    """A nest of tuples and lists of dimensions as the same nest of `tf.TensorShape`.

    Raises:
      TypeError: there is something in it that is no shape.
    """
    if isinstance(shapes, Mapping):
        return {key: as_shapes(value) for key, value in shapes.items()}
    try:
        return tf.TensorShape(shapes)
    except TypeError:
        if not isinstance(shapes, list | tuple):
            raise TypeError(
                f"`output_shape` is a shape without the batch's dimension, such as [20], or a dict or list of such shapes,"
                f" but got {shapes!r}."
            ) from None
    return type(shapes)(as_shapes(value) for value in shapes)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """The nest of what a function makes of each shape."""
    if isinstance(shapes, Mapping):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    if isinstance(shapes, tf.TensorShape):
        return function(shapes)
    return type(shapes)(map_shapes(function, value) for value in shapes)


def as_tuples(shapes: Any) -> Any:
    """A nest of `tf.TensorShape` as the same nest of tuples."""
    return map_shapes(lambda shape: tuple(shape.as_list()), shapes)


def batched(shapes: Any, batch: Any) -> Any:
    """Shapes behind the batch's dimension."""
    return map_shapes(tf.TensorShape([batch]).concatenate, shapes)


def set_shapes(tensors: Any, shapes: Any) -> None:
    """Tells tensors, eager or not, the shapes that they have.

    Raises:
      ValueError: a tensor has another shape, or the nests differ.
    """
    if isinstance(shapes, tf.TensorShape):
        tensors.set_shape(shapes)
        return
    pairs = [(key, tensors[key]) for key in shapes] if isinstance(shapes, Mapping) else list(enumerate(tensors))
    for key, tensor in pairs:
        set_shapes(tensor, shapes[key])
