"""Trains the canned Estimators of every kind and writes what they come to: `python -m tests.interop.canned_worker WHOSE FILE`.

WHOSE is "theirs", for `tf.estimator` in the predecessor's environment, or "ours".
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tf1hub as hub
from tests.training.canned import kinds
from tf1hub import estimator as ours


def outcomes(estimator: Any, folder: Path) -> dict[str, Any]:
    found = {}
    for kind, (make, labels) in {**kinds.KINDS, **kinds.text_kinds(hub, folder)}.items():
        config = estimator.RunConfig(model_dir=str(folder / kind), tf_random_seed=kinds.SEED)
        model = make(estimator, config)
        train_fn, eval_fn = kinds.dataset_input_fn(labels, 2), kinds.dataset_input_fn(labels)
        found[kind] = kinds.outcome(estimator, model, train_fn, eval_fn, str(folder / kind / "export"))
    return found


def as_json(value: Any) -> Any:
    """Arrays as their dtype and values."""
    if isinstance(value, bytes):
        return value.decode()
    return {"dtype": str(value.dtype), "values": value.tolist()}


def from_json(found: dict[str, Any]) -> Any:
    if set(found) == {"dtype", "values"}:
        return np.array(found["values"], found["dtype"])
    return found


if __name__ == "__main__":
    whose, file = sys.argv[1:]
    estimator = ours if whose == "ours" else tf.compat.v1.estimator
    with tempfile.TemporaryDirectory() as folder:
        Path(file).write_text(json.dumps(outcomes(estimator, Path(folder)), default=as_json))
