"""Modules converted here are applied and fine-tuned by tensorflow_hub 0.15.0 on TensorFlow 2.15.1, and the other way round."""

import json
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from tests.converting.saved_models.conversions import converted, graph_answers
from tests.interop.peer import ROOT, peer_python
from tests.module_fns import KINDS

pytestmark = pytest.mark.peer

FINE_TUNE = """
import json, sys
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
for kind, (path, dtype, inputs) in json.loads(sys.argv[1]).items():
    inputs = tf.constant(inputs, dtype)
    layer = hub.KerasLayer(path, trainable=True)
    answers = layer(inputs).numpy().tolist()
    model = tf.keras.Sequential([tf.keras.layers.InputLayer(inputs.shape[1:], dtype=dtype), layer, tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.Adam(0.05), "mse")
    before = [weight.numpy() for weight in layer.weights]
    losses = model.fit(inputs, np.zeros([len(inputs), 1]), epochs=20, verbose=0).history["loss"]
    moved = [not np.allclose(*pair) for pair in zip(before, layer.weights)]
    print(json.dumps({"kind": kind, "answers": answers, "losses": losses, "moved": moved}))
"""

WRITE = """
import sys
import tf1hub as hub
from tests.graphs import published
for kind in sys.argv[2:]:
    hub.to_saved_model(published(kind), sys.argv[1] + "/" + kind)
"""


def in_peer(program, *arguments):
    command = [peer_python(), "-W", "ignore", "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tuned():
    """What the predecessor did with each kind."""
    kinds = {"dense": "float32", "text": "string", "batch_norm": "float32", "layers_conv_batch_norm": "float32"}
    kinds |= {"partitioned_references": "int64", "rnn": "float32"}
    given = {}
    for kind, dtype in kinds.items():
        [inputs] = KINDS[kind].inputs["default"].values()
        given[kind] = (converted(kind), dtype, np.asarray(inputs).tolist())
    rows = [json.loads(line) for line in in_peer(FINE_TUNE, json.dumps(given)).splitlines() if line.startswith("{")]
    return {row["kind"]: row for row in rows}


@pytest.mark.parametrize(
    "kind", ["dense", "text", "batch_norm", "layers_conv_batch_norm", "partitioned_references", "rnn"]
)
def test_the_predecessor_fine_tunes_it(kind, tuned):
    row = tuned[kind]
    np.testing.assert_allclose(row["answers"], graph_answers(kind, "default")["default"], rtol=1e-4, atol=1e-5)
    assert row["losses"][-1] < row["losses"][0]
    assert all(row["moved"]), row["moved"]


def test_what_the_oldest_tensorflow_writes_is_read_here(tmp_path):
    kinds = ["text", "batch_norm", "while_v1", "odd_keys"]
    in_peer(WRITE, str(tmp_path), *kinds)
    for kind in kinds:
        model = tf.saved_model.load(str(tmp_path / kind))
        inputs = {key: tf.constant(value) for key, value in KINDS[kind].inputs["default"].items()}
        answers = model.signatures["default"](**inputs)["default"]
        np.testing.assert_allclose(answers, graph_answers(kind, "default")["default"], rtol=1e-4, atol=1e-5)
