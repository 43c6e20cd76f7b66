"""A copy with new values is loaded by tensorflow_hub 0.15.0 on TensorFlow 2.15.1."""

import json
import subprocess

import numpy as np
import pytest

import tf1hub as hub
from tests.graphs import export, spec_of
from tests.interop.peer import ROOT, peer_python

pytestmark = pytest.mark.peer

PROGRAM = """
import json, sys
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub
tf.disable_eager_execution()
module = hub.Module(sys.argv[1])
values = {name: tf.concat(each, 0) if isinstance(each, list) else each for name, each in module.variable_map.items()}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    found = session.run(values)
print(json.dumps({name: value.tolist() for name, value in found.items()}))
"""


@pytest.mark.parametrize("kind", ["layers_dense", "partitioned_rows"])
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.filterwarnings("ignore:`:UserWarning")
def test_the_predecessor_has_the_new_values(kind, tmp_path, suffix):
    module = export(spec_of(kind), tmp_path / "module", values=True)
    hub.export_weights(module, tmp_path / "old.npz")
    new = {name: np.asarray(value * 2 + 1, value.dtype) for name, value in np.load(tmp_path / "old.npz").items()}
    file = tmp_path / f"new{suffix}"
    if suffix == ".npz":
        np.savez(file, **new)
    else:
        from safetensors.numpy import save_file

        save_file(new, file)
    hub.replace_weights(module, file, tmp_path / "copy")
    command = [peer_python(), "-W", "ignore", "-c", PROGRAM, str(tmp_path / "copy")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {name: value.tolist() for name, value in new.items()}
