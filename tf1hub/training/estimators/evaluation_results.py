"""Results of earlier evaluations, read from the summaries that they wrote."""

import os
from collections import defaultdict

import tensorflow as tf


def read_evaluation_results(eval_dir: str) -> dict[int, dict[str, float]]:
    """The metrics by name, of each global step at which there was an evaluation, in the order of the steps.

    Args:
      eval_dir: the directory that evaluations write their summaries to. There is nothing to read when it does not exist.
    """
    results: dict[int, dict[str, float]] = defaultdict(dict)
    for path in sorted(tf.io.gfile.glob(os.path.join(eval_dir, "*tfevents*"))):
        try:
            for event in tf.compat.v1.train.summary_iterator(path):
                for value in event.summary.value:
                    if value.HasField("simple_value"):
                        results[event.step][value.tag] = value.simple_value
        except tf.errors.DataLossError:
            # An evaluator that is at work, or was killed, leaves its last record half written.
            continue
    return dict(sorted(results.items()))
