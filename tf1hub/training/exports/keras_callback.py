"""What every Keras asks of a callback: Keras 3, tf_keras, and the Keras 2 of TensorFlow 2.15."""

from typing import Any


class KerasCallback:
    """A callback that does nothing, for any Keras.

    It is no `keras.callbacks.Callback`: there is one such class for each Keras, and a program may have two. They ask
    callbacks for methods, not for their class. So tf1hub need not import a Keras before the program has chosen one.
    """

    # Keras 3 need not wait for a batch's results to call what does nothing.
    async_safe = True

    def set_params(self, params: Any) -> None:
        """Takes what Keras tells of a run."""

    def set_model(self, model: Any) -> None:
        """Takes the model that runs."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Does nothing before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Does nothing after an epoch."""

    def _on_run(self, logs: Any = None) -> None:
        """Does nothing when a run begins or ends."""

    def _on_batch(self, batch: int, logs: Any = None) -> None:
        """Does nothing before and after a batch."""

    def _implements_batch_hooks(self) -> bool:
        return False

    on_train_begin = on_test_begin = on_predict_begin = _on_run
    on_train_end = on_test_end = on_predict_end = _on_run
    on_batch_begin = on_train_batch_begin = on_test_batch_begin = on_predict_batch_begin = _on_batch
    on_batch_end = on_train_batch_end = on_test_batch_end = on_predict_batch_end = _on_batch
    # Keras 2 asks so whether it has to fetch a batch's results.
    _implements_train_batch_hooks = _implements_test_batch_hooks = _implements_batch_hooks
    _implements_predict_batch_hooks = _implements_batch_hooks
