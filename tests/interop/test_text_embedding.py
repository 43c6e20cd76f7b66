"""Our text-embedding modules are loaded by tensorflow_hub 0.15.0 on TensorFlow 2.15.1, answer the same, and learn there."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tf1hub as hub
from tests.interop.peer import ROOT, peer_python
from tests.publishing.embeddings import answers

pytestmark = pytest.mark.peer

SHARED = Path(__file__).parents[3] / "shared" / "modules" / "text_by_predecessor"
PROGRAM = """
import json, sys
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub
tf.disable_eager_execution()
given = json.load(open(sys.argv[1]))
module = hub.Module(sys.argv[2], trainable=True)
output = module(given)
[variable] = tf.trainable_variables()
gradient = tf.gradients(tf.reduce_sum(output), variable)[0]
step = tf.train.GradientDescentOptimizer(0.5).minimize(tf.reduce_sum(output))
with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    before, _ = session.run([output, variable]), session.run(step)
    after = session.run(variable)
print(json.dumps({
    "answers": before[0].tolist(),
    "shape": module.get_output_info_dict()["default"].get_shape().as_list(),
    "static": output.shape.as_list(),
    "sparse": isinstance(gradient, tf.IndexedSlices),
    "changed": (after - before[1]).tolist(),
}))
"""


def peer_says(module: Path, given: list[str]) -> dict:
    file = module.with_name("given.json")
    file.write_text(json.dumps(given))
    command = [peer_python(), "-W", "ignore", "-c", PROGRAM, str(file), str(module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["sentences_oov1", "sentences_oov3", "tokens_oov1", "tokens_oov3"])
def test_the_predecessor_answers_as_with_its_own_module(name, tmp_path):
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there: the real modules are not part of the clone")
    expected = json.loads((SHARED / "answers.json").read_text(encoding="utf-8"))[name]
    options = {"preprocess_text": name.startswith("sentences"), "num_oov_buckets": int(name[-1])}
    hub.export_text_embedding(tmp_path / "module", SHARED / "vectors.txt", **options)
    found = peer_says(tmp_path / "module", expected["inputs"])
    np.testing.assert_allclose(found["answers"], expected["outputs"], atol=1e-6)
    assert found["shape"] == [None, 8]
    assert found["static"] == expected["shape"]
    assert found["sparse"]


@pytest.mark.parametrize("combiner", ["sqrtn", "mean", "sum"])
def test_every_combiner_answers_and_learns_there(combiner, tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_bytes(b"the 1 2\ncat 0.5 -1.5\n 3 4\n\xc3\xa9t\xc3\xa9 5 6\n")
    given = ["the cat", "The CAT, cat!", "", "unknown", "ÉTÉ"]
    hub.export_text_embedding(tmp_path / "module", file, combiner=combiner, lowercase=True)
    found = peer_says(tmp_path / "module", given)
    np.testing.assert_allclose(found["answers"], answers(tmp_path / "module", given), atol=1e-6)
    weights = {"sqrtn": [2**-0.5, 3**-0.5], "mean": [1 / 2, 1 / 3], "sum": [1, 1]}[combiner]
    rows = [sum(weights), weights[0] + 2 * weights[1], 1, 1, 1]  # the, cat, été, the empty token, the bucket
    np.testing.assert_allclose(found["changed"], [[-0.5 * row] * 2 for row in rows], atol=1e-6)
