"""Results of earlier evaluations, read from the summaries that they wrote."""

import os
from collections import defaultdict
from collections.abc import Iterator

import tensorflow as tf


def iter_evaluations(event_files: str) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields the global step and the metrics by name of each record in event files.

    Args:
      event_files: a pattern of paths, such as `eval/*tfevents*`.
    """
    for path in sorted(tf.io.gfile.glob(event_files)):
        try:
            for event in tf.compat.v1.train.summary_iterator(path):
                values = event.summary.value
                yield event.step, {value.tag: value.simple_value for value in values if value.HasField("simple_value")}
        except tf.errors.DataLossError:
            # An evaluator that is at work, or was killed, leaves its last record half written.
            continue


def read_evaluation_results(eval_dir: str) -> dict[int, dict[str, float]]:
    """The metrics by name, of each global step at which there was an evaluation, in the order of the steps.

    Args:
      eval_dir: the directory that evaluations write their summaries to. There is nothing to read when it does not exist.
    """
    results: dict[int, dict[str, float]] = defaultdict(dict)
    for step, metrics in iter_evaluations(os.path.join(eval_dir, "*tfevents*")):
        if metrics:
            results[step].update(metrics)
    return dict(sorted(results.items()))
