"""`Estimator`: a model that is trained, evaluated, asked and exported by means of the graphs that its `model_fn` builds."""

import copy
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators import saved_model_export
from tf1hub.training.estimators.checked_arguments import check_positive, checked_hooks, checked_listeners
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.evaluation import StopAfterBatches, evaluate_model
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model import Model
from tf1hub.training.estimators.model_functions import check_model_fn
from tf1hub.training.estimators.prediction import iter_examples, iter_predicted_batches
from tf1hub.training.estimators.run_config import RunConfig, default_session_config
from tf1hub.training.estimators.training import check_can_train, train_model
from tf1hub.training.estimators.warm_start import parse_warm_start

_train = tf.compat.v1.train


class Estimator:
    """A model: a `model_fn`, and the directory with its checkpoints.

    Each call of `train`, `evaluate` and `predict` builds a graph of its own, reads the latest checkpoint and starts its
    input from the beginning.

    Args:
      model_fn: a function with the arguments `features`, and as it needs them `labels`, `mode`, `params` and `config`, that
        builds the model in the default graph and returns an `EstimatorSpec`.
      model_dir: the directory for checkpoints and summaries, a path. Without it that of `config` or TF_CONFIG is taken, and
        without those a temporary one.
      config: a `RunConfig`.
      params: what `model_fn` and `input_fn` get as `params`; it is copied.
      warm_start_from: a checkpoint's path, a SavedModel's or `WarmStartSettings`: where variables start while `model_dir`
        has no checkpoint.

    Raises:
      ValueError: `model_fn` takes other arguments, `config` is none, or two different directories are given.

    >>> import tensorflow
    >>> from tf1hub.estimator import Estimator, EstimatorSpec
    >>> def model_fn(features, labels, mode):
    ...     weight = tf.get_variable("weight", [], initializer=tf.zeros_initializer())
    ...     loss = tf.reduce_mean((weight * features - labels) ** 2)
    ...     train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    ...     return EstimatorSpec(mode, {"y": weight * features}, loss, train_op)
    >>> def input_fn():
    ...     return tensorflow.data.Dataset.from_tensors(([1.0], [3.0])).repeat(100)
    >>> model = Estimator(model_fn, new_path).train(input_fn)
    >>> round(float(model.get_variable_value("weight")), 3)
    3.0
    >>> int(model.evaluate(input_fn, steps=1)["global_step"])
    100
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        model_dir: Any = None,
        config: RunConfig | None = None,
        params: Any = None,
        warm_start_from: Any = None,
    ):
        check_model_fn(model_fn, params)
        self._config = _complete_config(config, model_dir)
        self._model = Model(model_fn, copy.deepcopy(params or {}), self._config, parse_warm_start(warm_start_from))

    @property
    def model_dir(self) -> str:
        """The directory with the checkpoints."""
        return str(self._config.model_dir)

    @property
    def config(self) -> RunConfig:
        """The configuration, with the model's directory."""
        return copy.deepcopy(self._config)

    @property
    def params(self) -> Any:
        """A copy of what `model_fn` gets as `params`."""
        return copy.deepcopy(self._model.params)

    @property
    def warm_start_from(self) -> Any:
        """Where variables start while there is no checkpoint: `WarmStartSettings`, or None."""
        return self._model.warm_start

    @property
    def model_fn(self) -> Callable[[Any, Any, str, RunConfig], EstimatorSpec]:
        """The model's function as one of `features`, `labels`, `mode` and `config`, whatever it declares itself."""

        def model_fn(features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            return self._model.call(features, labels, mode, config)

        return model_fn

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Iterable[Any] | None = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Iterable[Any] | None = None,
    ) -> "Estimator":
        """Trains from the latest checkpoint on, and saves checkpoints as `config` says, the last one at the end.

        SIGTERM ends it after the step: a checkpoint is saved, and SystemExit(143) raised, unless the program has a handler
        for SIGTERM, which is called then. Only the main thread can do so.

        Args:
          input_fn: returns a `tf.data.Dataset` of (features, labels), or such tensors. It may take `params`, `config`, `mode`.
          hooks: `SessionRunHook`s.
          steps: so many steps are trained; None trains until the input ends. Not together with `max_steps`.
          max_steps: training ends at this global step, and does not begin when the latest checkpoint has reached it.
          saving_listeners: `CheckpointSaverListener`s.

        Returns:
          The Estimator.

        Raises:
          ValueError: `steps` or `max_steps` is no positive number, both are given, or this process is one of a cluster that
            does not train.
          TypeError: a hook or listener is none.
          tf.compat.v1.train.NanLossDuringTrainingError: the loss became NaN; it names the step.
        """
        check_can_train(self._config)
        if steps is not None and max_steps is not None:
            raise ValueError(f"steps={steps} and max_steps={max_steps} are both given. Give one.")
        check_positive(steps=steps, max_steps=max_steps)
        if max_steps is not None and (step := trained_steps(self.model_dir)) >= max_steps:
            tf.compat.v1.logging.info("No training: step %d is saved, and max_steps is %d.", step, max_steps)
            return self
        all_hooks = list(checked_hooks("hooks", hooks))
        if steps is not None or max_steps is not None:
            all_hooks.append(_train.StopAtStepHook(steps, max_steps))
        loss = train_model(self._model, input_fn, all_hooks, checked_listeners("saving_listeners", saving_listeners))
        # In the words of tf.estimator, by which tuning services find the loss.
        tf.compat.v1.logging.info("Loss for final step: %s.", loss)
        return self

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Iterable[Any] | None = None,
        checkpoint_path: str | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Computes the loss, the mean over batches, and the metrics; writes them as summaries to `eval_dir(name)`.

        Args:
          input_fn: as for `train`.
          steps: so many batches; None goes on until the input ends.
          hooks: `SessionRunHook`s.
          checkpoint_path: the checkpoint to evaluate, by default the latest. Without any the variables are as they are
            initialized.
          name: which evaluation this is, when there are several.

        Returns:
          The metrics by name, with "loss" and "global_step".

        Raises:
          ValueError: `steps` is no positive number, or there is no checkpoint at that path.
          TypeError: a hook is none.
        """
        check_positive(steps=steps)
        all_hooks = list(checked_hooks("hooks", hooks))
        if steps is not None:
            all_hooks.append(StopAfterBatches(steps))
        checkpoint = self._checkpoint_or_latest(checkpoint_path)
        return evaluate_model(self._model, input_fn, all_hooks, checkpoint, self.eval_dir(name))

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Any = None,
        hooks: Iterable[Any] | None = None,
        checkpoint_path: str | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Yields predictions for the features of the input until it ends. Nothing runs before the first one is asked for.

        Args:
          input_fn: as for `train`; labels are left out.
          predict_keys: the names of the predictions to compute; by default all.
          hooks: `SessionRunHook`s.
          checkpoint_path: the checkpoint to predict with, by default the latest. Without any the variables are as they are
            initialized.
          yield_single_examples: False yields whole batches.

        Yields:
          For each example a dict of arrays by name, or an array when the model predicts one tensor.

        Raises:
          ValueError: there are no such predictions, they have not one entry for each example, or there is no checkpoint at
            that path.
          TypeError: a hook is none.
        """
        all_hooks = list(checked_hooks("hooks", hooks))
        checkpoint = self._checkpoint_or_latest(checkpoint_path)
        for batch in iter_predicted_batches(self._model, input_fn, predict_keys, all_hooks, checkpoint):
            if yield_single_examples:
                yield from iter_examples(batch)
            else:
                yield batch

    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, None when there is none."""
        path: str | None = _train.latest_checkpoint(self.model_dir)
        return path

    def get_variable_names(self) -> list[str]:
        """The names of the variables in the latest checkpoint.

        Raises:
          ValueError: there is no checkpoint.
        """
        return [name for name, _ in tf.train.list_variables(self._existing_checkpoint())]

    def get_variable_value(self, name: str) -> Any:
        """A variable's value in the latest checkpoint, a NumPy array or scalar.

        Raises:
          ValueError: there is no checkpoint.
          tf.errors.NotFoundError: it has no such variable.
        """
        return tf.train.load_variable(self._existing_checkpoint(), name)

    def eval_dir(self, name: str | None = None) -> str:
        """The directory that `evaluate` writes the summaries of an evaluation of this name to."""
        return os.path.join(self.model_dir, f"eval_{name}" if name else "eval")

    def export_saved_model(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        experimental_mode: str = ModeKeys.PREDICT,
    ) -> bytes:
        """Exports the model for serving as a SavedModel.

        Args:
          export_dir_base: the directory that gets a directory named after the time for each export.
          serving_input_receiver_fn: returns a `ServingInputReceiver`.
          assets_extra: files to put below `assets.extra/`: source paths by their path there.
          as_text: whether the SavedModel is written as text.
          checkpoint_path: the checkpoint to export, by default the latest.
          experimental_mode: `ModeKeys.PREDICT`; nothing else is exported.

        Returns:
          The path of the export, as bytes.

        Raises:
          ValueError: there is no checkpoint, nothing to serve, or another mode.
        """
        return saved_model_export.export_saved_model(
            self,
            export_dir_base,
            serving_input_receiver_fn,
            assets_extra=assets_extra,
            as_text=as_text,
            checkpoint_path=checkpoint_path,
            mode=experimental_mode,
        )

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """`export_saved_model` under its older name. `strip_default_attrs` changes nothing: they always are stripped."""
        del strip_default_attrs
        return self.export_saved_model(
            export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path
        )

    def _checkpoint_or_latest(self, checkpoint_path: str | None) -> str | None:
        checkpoint = checkpoint_path or self.latest_checkpoint()
        if not checkpoint:
            tf.compat.v1.logging.warning("There is no checkpoint in %s: variables are as initialized.", self.model_dir)
        return checkpoint

    def _existing_checkpoint(self) -> str:
        if checkpoint := self.latest_checkpoint():
            return checkpoint
        raise ValueError(f"There is no checkpoint in {self.model_dir}. Train the model first.")


def _complete_config(config: Any, model_dir: Any) -> RunConfig:
    """The configuration with the model's directory and what sessions run with."""
    if config is None:
        config = RunConfig()
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be a tf1hub.estimator.RunConfig, not {config!r}.")
    if config.session_config is None:
        config = config.replace(session_config=default_session_config())
    given = os.fsdecode(model_dir) if model_dir is not None else None
    if given is not None and config.model_dir not in (None, given):
        raise ValueError(
            f"model_dir is {given!r}, and that of the RunConfig or of TF_CONFIG {config.model_dir!r}. Give it in one place."
        )
    directory = given or config.model_dir
    if not directory:
        directory = tempfile.mkdtemp()
        tf.compat.v1.logging.warning("The model has no model_dir; a temporary one is used: %s", directory)
    complete: RunConfig = config.replace(model_dir=directory)
    return complete


def trained_steps(model_dir: str) -> int:
    """The global step of the latest checkpoint; 0 without one."""
    checkpoint = _train.latest_checkpoint(model_dir)
    return int(tf.train.load_variable(checkpoint, tf.compat.v1.GraphKeys.GLOBAL_STEP)) if checkpoint else 0
