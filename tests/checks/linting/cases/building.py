"""What the cases are built of: layers of raw ops that keep every rule, and specs of one or two variants."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import started_session
from tests.module_fns.registry import value_for


def rows(width: int = 4) -> Any:
    """A batch of rows of floats."""
    return tf.placeholder(tf.float32, [None, width], name="rows")


def dense(x: Any, units: int, name: str = "dense", regularized: bool = True) -> Any:
    """A dense layer with a bias, and a loss for its weights."""
    with tf.variable_scope(name):
        weights = tf.get_variable("weights", [x.shape[-1], units])
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        if regularized:
            tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights, name="penalty"))
        return x @ weights + bias


def one_variant(module_fn: Callable[[], None]) -> hub.ModuleSpec:
    """A module that has no other variant to train."""
    return hub.create_module_spec(module_fn)


def two_variants(module_fn: Callable[[bool], None]) -> hub.ModuleSpec:
    """A module with a variant for inference and one for training; `module_fn(is_training)`."""
    variants = [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
    return hub.create_module_spec(module_fn, tags_and_args=variants)


def written(spec: hub.ModuleSpec, folder: Path, trained: bool = True) -> str:
    """The spec as a module on disk; `trained`: with values that no initializer would give."""
    with tf.Graph().as_default():
        module = hub.Module(spec)
        with started_session() as session:
            for name, variable in sorted(module.variable_map.items()) if trained else ():
                for part in variable if isinstance(variable, list) else [variable]:
                    session.run(part.assign(value_for(name, part.dtype.base_dtype, part.shape.as_list())))
            module.export(folder / "module", session)
    return str(folder / "module")
