"""Running a module for `tf1hub apply`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tf1hub.cli.applying.batches import Batch
from tf1hub.cli.applying.calls import Call
from tf1hub.cli.applying.columns import Ragged, Sparse
from tf1hub.cli.quiet_tensorflow import explained, quiet_tensorflow
from tf1hub.spec import ModuleSpec

Run = Callable[[Batch], dict[str, Any]]

_OUT_OF_MEMORY = "out of memory; a smaller --batch-size may do"


@contextmanager
def started(spec: ModuleSpec, tags: frozenset[str], call: Call) -> Iterator[Run]:
    """A context with a function that runs a signature on a batch and gives TensorFlow's values by output.

    Raises:
      InputError: TensorFlow fails on a batch; the message says where its rows are from.
      Tf1HubError: the module cannot be loaded.
    """
    tf = quiet_tensorflow("Running a module")
    from tf1hub.consuming.evaluating import eval_function_for_module

    with ExitStack() as stack:
        with explained(tf, "The module cannot be started", _OUT_OF_MEMORY):
            evaluate = stack.enter_context(eval_function_for_module(spec, tags))

        def run(batch: Batch) -> dict[str, Any]:
            feeds = {key: _fed(tf, value) for key, value in batch.feeds.items()}
            with explained(tf, _rows(batch), _OUT_OF_MEMORY):
                results: dict[str, Any] = evaluate(feeds, signature=call.signature, outputs=list(call.outputs))
            return results

        yield run


def _rows(batch: Batch) -> str:
    if batch.count == 1:
        return batch.place
    return f"{batch.place} and the {'row' if batch.count == 2 else f'{batch.count - 1} rows'} after it"


def _fed(tf: Any, value: Any) -> Any:
    if isinstance(value, Sparse):
        return tf.compat.v1.SparseTensorValue(value.indices, value.values, value.shape)
    if isinstance(value, Ragged):
        made: Any = value.flat
        for splits in reversed(value.splits):
            made = tf.compat.v1.ragged.RaggedTensorValue(made, splits)
        return made
    return value
