"""The server by which a process takes part in its cluster."""

import signal
import threading
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.run_config import RunConfig


def start_server(config: RunConfig) -> Any:
    """Starts this process's server. The caller must hold it as long as the cluster works.

    Returns:
      The `tf.distribute.Server`, None in a cluster of this process alone.

    Raises:
      tf.errors.UnknownError: it could not be started, for instance since its port is taken.
    """
    if not config.master:
        return None
    tf.compat.v1.logging.info("Starting the server of %s %d.", config.task_type, config.task_id)
    try:
        return tf.distribute.Server(
            config.cluster_spec, job_name=config.task_type, task_index=config.task_id, protocol=config.protocol
        )
    except tf.errors.UnknownError as error:
        address = config.cluster_spec.task_address(config.task_type, config.task_id)
        raise tf.errors.UnknownError(
            None,
            None,
            f"{error.message}: TF_CONFIG makes this process {config.task_type} {config.task_id} at {address!r}. Is the port"
            " taken by another process?",
        ) from error


def serve_until_terminated(config: RunConfig) -> None:
    """Holds variables for the other processes until SIGTERM, unless the program has a handler of its own for it."""
    server = start_server(config)
    terminated = threading.Event()

    def stop(number: int, frame: Any) -> None:
        del number, frame
        terminated.set()

    is_ours = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, stop)
    try:
        # The server's own `join` waits outside Python, where no handler runs.
        terminated.wait()
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        del server
