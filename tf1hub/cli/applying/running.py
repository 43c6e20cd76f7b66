"""Running a module for `tf1hub apply`: TensorFlow is loaded here, quietly, and what it finds wrong becomes one message."""

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tf1hub.cli.applying.batches import Batch
from tf1hub.cli.applying.calls import Call
from tf1hub.cli.applying.columns import Ragged, Sparse
from tf1hub.cli.applying.extras import import_extra
from tf1hub.cli.text import readable
from tf1hub.errors import InputError, Tf1HubError
from tf1hub.spec import ModuleSpec

Run = Callable[[Batch], dict[str, Any]]


@contextmanager
def started(spec: ModuleSpec, tags: frozenset[str], call: Call) -> Iterator[Run]:
    """A context with a function that runs a signature on a batch and gives TensorFlow's values by output.

    Raises:
      InputError: TensorFlow fails on a batch; the message says where its rows are from.
      Tf1HubError: the module cannot be loaded.
    """
    tf = _tensorflow()
    from tf1hub.consuming.evaluating import eval_function_for_module

    with ExitStack() as stack:
        with _explained(tf, "The module cannot be started"):
            evaluate = stack.enter_context(eval_function_for_module(spec, tags))

        def run(batch: Batch) -> dict[str, Any]:
            feeds = {key: _fed(tf, value) for key, value in batch.feeds.items()}
            with _explained(tf, _rows(batch)):
                results: dict[str, Any] = evaluate(feeds, signature=call.signature, outputs=list(call.outputs))
            return results

        yield run


def _tensorflow() -> Any:
    """TensorFlow, without what it tells on standard error of the machine it finds itself on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _no_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf = import_extra("tensorflow", "tf", "Running a module")
    tf.get_logger().setLevel("ERROR")
    return tf


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Standard error leads nowhere: TensorFlow 2.21 heeds no TF_CPP_MIN_LOG_LEVEL while it is imported."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _rows(batch: Batch) -> str:
    if batch.count == 1:
        return batch.place
    return f"{batch.place} and the {'row' if batch.count == 2 else f'{batch.count - 1} rows'} after it"


@contextmanager
def _explained(tf: Any, where: str) -> Iterator[None]:
    """Raises what TensorFlow raises with one message, which begins with `where`."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    except Tf1HubError:
        raise
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(f"{where}: out of memory; a smaller --batch-size may do: {_message(error)}") from error
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise InputError(f"{where}: TensorFlow says: {_message(error)}") from error


def _message(error: Exception) -> str:
    """What an error of TensorFlow's says, without its references to lines of its own programs."""
    text = str(getattr(error, "message", error)).strip()
    if at_node := re.search(r"^Node: ('.*')\n(.+)", text, re.MULTILINE):
        node, told = at_node.groups()
        return readable(f"{told.strip()} (at the node {node})")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return readable(re.sub(r"\s*\[\[.*", "", (lines or [type(error).__name__])[0]))


def _fed(tf: Any, value: Any) -> Any:
    if isinstance(value, Sparse):
        return tf.compat.v1.SparseTensorValue(value.indices, value.values, value.shape)
    if isinstance(value, Ragged):
        made: Any = value.flat
        for splits in reversed(value.splits):
            made = tf.compat.v1.ragged.RaggedTensorValue(made, splits)
        return made
    return value
