"""Real modules: their variables go to a file and back, and TensorFlow takes what comes out."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.converting.weight_modules import other_files, stored
from tests.graphs import evaluate, export, outputs_of, scaling_spec, spec_of
from tests.module_fns import KINDS

SHARED = Path(__file__).parents[3] / "shared" / "modules"
REAL = ["half_plus_two", "dm21m", *(f"text_by_predecessor/{name}" for name in ("sentences_oov1", "tokens_oov3"))]
# tf.layers and slim say that they are deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")
SUFFIXES = [".npz", ".safetensors"]


def check_there_and_back(module, tmp_path, suffix):
    file, copy = str(tmp_path / f"weights{suffix}"), str(tmp_path / "copy")
    hub.export_weights(module, file)
    hub.replace_weights(module, file, copy)
    before = stored(module) if Path(module, "variables").exists() else {}
    assert (stored(copy) if Path(copy, "variables").exists() else {}) == before
    assert other_files(copy) == other_files(module)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_bit_by_bit(kind, tmp_path):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    module = export(spec_of(kind), tmp_path / "module", KINDS[kind].exported, values=True)
    dtypes = {entry[0] for entry in stored(module).values()} if Path(module, "variables").exists() else set()
    has_strings = 7 in dtypes
    for suffix in [".npz"] if has_strings else SUFFIXES:
        (tmp_path / suffix).mkdir()
        check_there_and_back(module, tmp_path / suffix, suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", REAL)
def test_real_modules_come_back_bit_by_bit(name, tmp_path, suffix):
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not there: the real modules are not part of the clone")
    check_there_and_back(str(SHARED / name), tmp_path, suffix)


def test_what_is_not_of_the_format_survives(tmp_path):
    if not (SHARED / "dm21m").exists():
        pytest.skip("the real modules are not part of the clone")
    check_there_and_back(str(SHARED / "dm21m"), tmp_path, ".npz")
    assert (tmp_path / "copy" / "smart_module.pb").read_bytes() == (SHARED / "dm21m" / "smart_module.pb").read_bytes()


def test_tensorflow_runs_the_copy_with_the_new_values(tmp_path):
    module = export(scaling_spec(), tmp_path / "module")
    np.savez(tmp_path / "new.npz", w=np.array([1.0, 10.0, -1.0], np.float32))
    hub.replace_weights(module, tmp_path / "new.npz", tmp_path / "copy")
    assert outputs_of(module, [[1.0, 2.0, 3.0]]).tolist() == [[2.0, 4.0, 6.0]]
    assert outputs_of(str(tmp_path / "copy"), [[1.0, 2.0, 3.0]]).tolist() == [[1.0, 20.0, -3.0]]


def test_tensorflow_restores_a_partitioned_variable_with_new_values(tmp_path):
    def module_fn():
        partitioner = tf.fixed_size_partitioner(3)
        table = tf.get_variable("table", [7, 2], partitioner=partitioner, use_resource=True)
        hub.add_signature(outputs=tf.convert_to_tensor(table))

    module = export(hub.create_module_spec(module_fn), tmp_path / "module")
    values = np.arange(14, dtype=np.float32).reshape(7, 2)
    np.savez(tmp_path / "new.npz", table=values)
    hub.replace_weights(module, tmp_path / "new.npz", tmp_path / "copy")
    with tf.Graph().as_default():
        loaded = hub.Module(str(tmp_path / "copy"))
        assert len(loaded.variable_map["table"]) == 3
        assert evaluate(loaded()).tolist() == values.tolist()
    reader = tf.train.load_checkpoint(str(tmp_path / "copy" / "variables" / "variables"))
    assert reader.get_tensor("table").tolist() == values.tolist()
