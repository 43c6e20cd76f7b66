"""Large tensors are streamed: memory does not grow with them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.converting.weight_modules import make_module

MEGABYTES = 300
LIMIT = 64 << 20

pytestmark = pytest.mark.slow


def large_value():
    return np.resize(np.arange(1000, dtype=np.float32), (MEGABYTES << 11, 64))


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """One variable that is whole and one in four parts, 300 MB together."""
    value = large_value()
    path = tmp_path_factory.mktemp("large") / "module"
    return make_module(path, {"w": value, "w/cut": value}, parts=4, axis=1)


def memory(module, folder, suffix):
    command = [sys.executable, "-m", "tests.converting.weights_worker", module, str(folder), suffix]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    return int(done.stdout)


def same_data(module, copy):
    name = "variables/variables.data-00000-of-00001"
    return (Path(module) / name).read_bytes() == (Path(copy) / name).read_bytes()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_memory_does_not_grow_with_the_tensors(module, tmp_path, suffix):
    assert memory(module, tmp_path, suffix) < LIMIT
    assert same_data(module, tmp_path / f"copy{suffix}")


def test_memory_does_not_grow_with_deflated_arrays(module, tmp_path):
    value = large_value()
    np.savez_compressed(tmp_path / "weights.npz", **{"w": value, "w/cut": value})
    assert memory(module, tmp_path, ".npz") < LIMIT
    assert same_data(module, tmp_path / "copy.npz")
