"""TensorFlow for commands that need it: loaded late and quietly, its errors in one line."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tf1hub.cli.applying.extras import import_extra
from tf1hub.cli.text import readable
from tf1hub.errors import InputError, Tf1HubError


def quiet_tensorflow(purpose: str) -> Any:
    """TensorFlow, without what it tells on standard error of the machine it finds itself on.

    Args:
      purpose: what needs it, for the message when it is not installed: "Running a module".
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _no_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf = import_extra("tensorflow", "tf", purpose)
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


@contextmanager
def explained(tf: Any, where: str, out_of_memory: str = "out of memory") -> Iterator[None]:
    """Raises what TensorFlow raises with one message, which begins with `where`."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    except Tf1HubError:
        raise
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(f"{where}: {out_of_memory}: {_message(error)}") from error
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
