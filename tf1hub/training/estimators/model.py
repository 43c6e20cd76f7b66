"""What an Estimator runs: its functions and settings, and the graphs that it builds from them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.input_functions import call_input_fn
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model_functions import call_model_fn
from tf1hub.training.estimators.run_config import RunConfig
from tf1hub.training.estimators.warm_start import WarmStartSettings


class Built(NamedTuple):
    """What was built in a graph: the program's spec, and the hooks that start its input."""

    spec: EstimatorSpec
    input_hooks: list[Any]


@dataclass(frozen=True)
class Model:
    """A program's `model_fn` with what it is called with. Each call gets a copy of `params`, which it may change."""

    model_fn: Callable[..., Any]
    params: Any
    config: RunConfig
    warm_start: WarmStartSettings | None

    def call(self, features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
        """Builds the model in the default graph."""
        return call_model_fn(self.model_fn, features, labels, mode, copy.deepcopy(self.params), config)

    def build(self, input_fn: Callable[..., Any], mode: str) -> Built:
        """Builds the whole graph of a mode in the default graph, which is empty.

        An operation without a seed of its own draws from the graph's seed and the number of operations before it. So what
        comes before `input_fn` and `model_fn`, and in which order, is as it was in tf.estimator: the same program draws the
        same numbers.
        """
        tf.compat.v1.set_random_seed(self.config.tf_random_seed)
        tf.compat.v1.train.create_global_step()
        if mode == ModeKeys.TRAIN:
            # The hooks of a training read the step from one more tensor, and the first of them to begin makes it.
            tf.compat.v1.train.StepCounterHook().begin()
        inputs = call_input_fn(input_fn, mode, copy.deepcopy(self.params), self.config)
        tf.compat.v1.logging.info("Calling model_fn.")
        spec = self.call(inputs.features, inputs.labels, mode, self.config)
        tf.compat.v1.logging.info("Done calling model_fn.")
        return Built(spec, inputs.hooks)
