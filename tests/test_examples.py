"""The examples run, and do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tf1hub as hub

ROOT = Path(__file__).parents[1]


def run_example(*arguments: str, example: str = "word_vectors.py") -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "examples" / example), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The output of the quick run, and the folder with its modules."""
    folder = tmp_path_factory.mktemp("word_vectors")
    result = run_example("--quick", "--output", str(folder))
    assert result.returncode == 0, result.stdout + result.stderr
    return result, folder


def check_only_progress_is_printed(result: subprocess.CompletedProcess) -> None:
    # Some TensorFlows (2.18) have C++ code that talks on stderr whatever it is told.
    chatter = re.compile(r"WARNING: All log messages before absl|[IWE]0000 ")
    assert [line for line in result.stderr.splitlines() if not chatter.match(line)] == []
    assert all(re.match(r"\[ *[0-9.]+ s\] ", line) for line in result.stdout.splitlines())


def answers(module_dir: Path) -> np.ndarray:
    with hub.eval_function_for_module(str(module_dir)) as f:
        return f(["raise an exception", "STRING, formatting!", ""])


def test_the_answers_of_the_tuned_module_changed(quick):
    _, folder = quick
    first, tuned = answers(folder / "word_vectors"), answers(folder / "word_vectors_tuned")
    assert first.shape == tuned.shape == (3, 16)
    assert np.abs(first[:2] - tuned[:2]).max() > 0.01


def test_the_answers_of_the_first_module_did_not(quick):
    result, _ = quick
    changes = re.findall(r"([0-9.]+) in the (first|tuned) module", result.stdout)
    assert [which for _, which in changes] == ["first", "tuned"]
    assert float(changes[0][0]) == 0 < float(changes[1][0])


def test_the_module_splits_texts_as_the_vectors_were_learned(quick):
    _, folder = quick
    with hub.eval_function_for_module(str(folder / "word_vectors")) as f:
        np.testing.assert_allclose(f(["String: raised..."]), f(["string raised"]))
        np.testing.assert_allclose(f(["string raised"])[0], f(["string", "raised"]).sum(0) / np.sqrt(2), rtol=1e-5)
        assert not f(["", "nosuchwordanywhere"]).any()


def test_a_frequent_word_has_a_vector(quick):
    assert answers(quick[1] / "word_vectors")[0].any()


def test_only_progress_is_printed(quick):
    result, folder = quick
    check_only_progress_is_printed(result)
    assert "before fine-tuning" in result.stdout
    assert str(folder) in result.stdout.splitlines()[-1]


def test_it_does_not_write_over_modules(quick):
    result = run_example("--quick", "--output", str(quick[1]))
    assert result.returncode == 2
    assert "exist already" in result.stderr
