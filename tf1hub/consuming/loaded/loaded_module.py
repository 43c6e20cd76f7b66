"""A TF1 Hub module as an object of TensorFlow 2."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from tf1hub.consuming.loaded.functions import Functions, check_eager
from tf1hub.consuming.loaded.module_export import export_module
from tf1hub.consuming.loaded.resources import ResourcePool
from tf1hub.consuming.loaded.signature_functions import SignatureFunctions, concrete_signature
from tf1hub.consuming.loaded.variables import LoadedVariables
from tf1hub.consuming.loaded.variant import Variant
from tf1hub.consuming.values import chosen_outputs, components, composed, converted, named_inputs
from tf1hub.errors import SignatureError
from tf1hub.spec import ModuleSpec
from tf1hub.tensor_info import TensorInfo
from tf1hub.tensorflow_private import not_converted


class LoadedModule(tf.Module):  # type: ignore[misc]
    """What `hub.load` makes of a TF1 Hub module: to be applied and trained in eager code and in a `tf.function`.

    Attributes:
      spec: the `hub.ModuleSpec`, with tags, infos of inputs and outputs, and attached messages.
      tags: the tags of the graph variant that is used for inference.
      training_tags: those of the one that is used for training. Both share the variables.
      signatures: each signature as a function of keyword arguments that returns a dict, for inference.
      tables: the hash tables and other resources, for whoever saves them in a SavedModel.
      assets: the files that the graph reads, each a `tf.saved_model.Asset`.

    >>> module = hub.load(path)
    >>> embeddings = module(["a sentence", "another"])
    """

    def __init__(
        self, spec: ModuleSpec, tags: frozenset[str], training_tags: frozenset[str], tells_variant: bool = True
    ):
        super().__init__(name="tf1hub_module")
        self.spec = spec
        self.tags = tags
        self.training_tags = training_tags
        self._state = LoadedVariables(spec, list(dict.fromkeys([tags, training_tags])), training_tags)
        self._variables = list(self._state.all)  # what tf.train.Checkpoint follows
        pool, assets = ResourcePool(), dict[str, Any]()
        inference = Variant(spec, tags, self._state, pool, assets)
        training = inference if tags == training_tags else Variant(spec, training_tags, self._state, pool, assets)
        self.tables = list(pool.all)
        self.assets = list(assets.values())
        for table in pool.all:
            table.fill()
        self._inference = Functions(spec, inference)
        self._training = self._inference if tags == training_tags else Functions(spec, training)
        self.signatures = SignatureFunctions(self.get_signature_names(), self._signature_function)
        self._tells_variant = tells_variant and tags == training_tags and "train" not in tags

    @not_converted
    def __call__(
        self,
        inputs: Any = None,
        signature: str | None = None,
        as_dict: bool | None = None,
        outputs: str | Iterable[str] | None = None,
        training: Any = False,
    ) -> Any:
        """Applies a signature.

        Args:
          inputs: a value for the signature's only input, or a dict of values by name; none when it takes none. A value is a
            tensor, a sparse or ragged tensor, or what TensorFlow converts to one.
          signature: the signature's name; "default" when left out.
          as_dict: whether all outputs are returned as a dict by name, instead of the one called "default".
          outputs: the names of the only outputs to compute, returned as a dict by name.
          training: whether the training variant is applied, and its update ops are run: once, before the outputs are there.
            A bool, or a bool tensor.

        Returns:
          The tensor of the output "default", or a dict of tensors.

        Raises:
          SignatureError: no such signature (a `ValueError`).
          InputError: inputs that the signature does not take, or an output that it does not give (a `TypeError`).
          WrongGraphError: a graph of TensorFlow 1 is being built; that takes a `hub.Module` (a `RuntimeError`).
        """
        functions = self._inference
        if not isinstance(training, bool) and tf.is_tensor(training):
            known = tf.get_static_value(training)
            if known is None:
                return tf.cond(
                    training,
                    lambda: self(inputs, signature, as_dict, outputs, training=True),
                    lambda: self(inputs, signature, as_dict, outputs, training=False),
                )
            training = bool(known)
        if training:
            self._tell_once()
            functions = self._training
        if not tf.executing_eagerly():
            check_eager()
        signature = signature or "default"
        infos, made = functions.infos(signature)
        wanted = chosen_outputs(signature, list(made), as_dict, outputs)
        tensors = components(converted(named_inputs(inputs, infos, signature), infos, signature), infos)
        computed = iter(functions.apply(signature, wanted, bool(training), list(tensors.values())))
        results = {key: composed(made[key], [next(computed) for _ in made[key].component_names()]) for key in wanted}
        return results if as_dict or outputs is not None else results["default"]

    @property
    def variables(self) -> list[Any]:
        """All variables of both variants, as `tf.Variable`s."""
        return list(self._state.all)

    @property
    def variable_names(self) -> list[str]:
        """The variables' names in the module, in the order of `variables`: "dense/kernel", or "table/part_0" for a part."""
        return list(self._state.names)

    @property
    def trainable_variables(self) -> list[Any]:
        """The variables that the training variant declares trainable, but for those that are frozen."""
        return [variable for variable, trained in zip(self._state.all, self._state.trained, strict=True) if trained]

    @property
    def non_trainable_variables(self) -> list[Any]:
        """All other variables."""
        return [variable for variable, trained in zip(self._state.all, self._state.trained, strict=True) if not trained]

    @property
    def frozen_names(self) -> list[str]:
        """The names of the variables that the publisher declared trainable and that are frozen now."""
        flags = zip(self._state.names, self._state.trainable, self._state.trained, strict=True)
        return [name for name, trainable, trained in flags if trainable and not trained]

    @property
    def trainable(self) -> bool:
        """Whether any variable is to be trained. Set it to freeze and thaw.

        False freezes all variables, True thaws them; a pattern of names such as "encoder/*", or a list of patterns, thaws
        those variables and freezes the others. Only gradients and `trainable_variables` go by it: `training=True` works as
        before.

        Raises:
          ValueError: a pattern matches no trainable variable, or there is none at all.
        """
        return any(self._state.trained)

    @trainable.setter
    def trainable(self, wanted: bool | str | Iterable[str]) -> None:
        patterns = ["*"] * bool(wanted) if isinstance(wanted, bool | np.bool_) else _as_list(wanted)
        self._state.check_patterns(patterns)
        self._state.train(False, ["*"])
        self._state.train(True, patterns)

    def freeze(self, *patterns: str) -> None:
        """Freezes the trainable variables whose names match one of the patterns; all without patterns.

        Raises:
          ValueError: a pattern matches no trainable variable.
        """
        self._state.check_patterns(patterns)
        self._state.train(False, patterns or ["*"])

    def thaw(self, *patterns: str) -> None:
        """Thaws the trainable variables whose names match one of the patterns; all without patterns.

        Raises:
          ValueError: a pattern matches no trainable variable, or there is none at all.
        """
        self._state.check_patterns(patterns or ["*"])
        self._state.train(True, patterns or ["*"])

    @property
    def regularization_losses(self) -> list[Callable[[], Any]]:
        """The publisher's regularization losses: functions without arguments that give a scalar for the current values."""
        return self._training.losses()

    @property
    def update_ops(self) -> dict[str, tuple[str, ...]]:
        """For each signature of the training variant, the names of the update ops that a call with `training=True` runs."""
        return {name: self._training.update_ops(name) for name in self.spec.get_signature_names(self.training_tags)}

    def get_signature_names(self) -> list[str]:
        """The names of the signatures, sorted."""
        return self.spec.get_signature_names(self.tags)

    def get_input_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What a signature takes: an info with `dtype` and `get_shape()` for each input."""
        return self.spec.get_input_info_dict(signature, self.tags)

    def get_output_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What a signature gives: an info with `dtype` and `get_shape()` for each output."""
        return self.spec.get_output_info_dict(signature, self.tags)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a TF1 Hub module, all variants, with the variables' current values.

        Args:
          path: the module's directory. It is there whole or not at all; nothing that is there is replaced.

        Raises:
          ModuleExistsError: there is something at `path` (a `tf.errors.AlreadyExistsError`).

        >>> hub.load(path).export(new_path)
        """
        export_module(path, self.spec, self._state)

    def _signature_function(self, name: str) -> Any:
        def build(_: int) -> Any:
            infos = self._inference.infos(name)[0]
            function = concrete_signature(infos, lambda inputs: self(inputs, signature=name, as_dict=True))
            function.module = self  # TensorFlow's functions do not keep the variables alive that they use
            return function

        return self._inference.kept(("signature", name), build)

    def check_training(self, signature: str, outputs: Iterable[str]) -> None:
        """Refuses a signature that cannot be called alike for inference and for training.

        Raises:
          SignatureError: the training variant lacks it, or has other inputs, or lacks one of the outputs.
        """
        if self.tags == self.training_tags:
            return
        there = signature in self.spec.get_signature_names(self.training_tags)
        takes, gives = self._training.infos(signature) if there else ({}, {})
        if there and set(takes) == set(self.get_input_info_dict(signature)) and set(outputs) <= set(gives):
            return
        found = f"with the inputs {sorted(takes)} and the outputs {sorted(gives)}" if there else "not at all"
        raise SignatureError(
            f"The variant {sorted(self.training_tags)} for training has the signature {signature!r} {found}, and the one for"
            f" inference takes {sorted(self.get_input_info_dict(signature))} and is asked for {sorted(outputs)}. Pass"
            f" `training_tags={sorted(self.tags)}` to train with the variant for inference."
        )

    @contextmanager
    def as_published(self) -> Iterator[None]:
        """Within this context nothing is frozen, and training is none that anything is to be told of: for what writes it."""
        trained, tells_variant = list(self._state.trained), self._tells_variant
        self._state.set_trained(self._state.trainable)
        self._tells_variant = False
        try:
            yield
        finally:
            self._state.set_trained(trained)
            self._tells_variant = tells_variant

    def _tell_once(self) -> None:
        if not self._tells_variant:
            return
        self._tells_variant = False
        warnings.warn(
            f"The module has no variant with the tag 'train' (it has {[sorted(tags) for tags in self.spec.get_tags()]}), so"
            f" training uses the variant {sorted(self.tags)}, with its update ops. Dropout is active only if its publisher"
            " left it so. If another variant is meant for training, name it: hub.load(..., training_tags=...).",
            stacklevel=4,  # this, the call, what keeps AutoGraph out, and then the program
        )


def _as_list(patterns: str | Iterable[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)
