"""The examples that train classifiers tune their modules and export them, and a fresh program uses what they export.

One test for each program, so that it runs once however many processes pytest has.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import tf1hub as hub
from tests.test_examples import check_only_progress_is_printed, run_example

# Below the output of each kind of program: the latest modules, and the best one.
ESTIMATOR = ("training/export/latest/*/*", "training/export/best/*/*")
SESSION = ("training/latest/*", "best")
KERAS = ("training/latest/*", "training/best/[0-9]*")
LONG = pytest.mark.slow
TEXT = ["A test case is run.", "Parse the header of a message."]
IMAGES = np.linspace(0, 1, 128).reshape([2, 8, 8, 1])


def run_quickly(example: str, folder: Path) -> str:
    """What the example prints. It must succeed."""
    result = run_example("--quick", "--output", str(folder), example=example)
    assert result.returncode == 0, result.stdout + result.stderr
    check_only_progress_is_printed(result)
    return result.stdout


def find_exports(folder: Path, patterns: tuple[str, str], output: str) -> tuple[Path, Path]:
    """The latest module and the best one. All that are there must be whole, and named by the example."""
    latest, best = (sorted(folder.glob(pattern)) for pattern in patterns)
    assert (len(latest), len(best)) == (2, 1)
    for module in (*latest, *best):
        assert not hub.verify(module).findings
        assert f"module: {module}\n" in output
    return latest[-1], best[0]


def check_accuracy_rises(output: str) -> None:
    before, after = re.findall(r"accuracy .*: ([0-9.]+)% before fine-tuning, ([0-9.]+)% after", output)[0]
    assert float(after) > float(before) + 10


def check_answers_differ(first: Path, others: tuple[Path, Path], inputs) -> None:
    with hub.eval_function_for_module(first) as f:
        expected = f(inputs)
    for module in others:
        with hub.eval_function_for_module(module) as f:
            assert np.abs(f(inputs) - expected).max() > 0.01


def check_a_fresh_program_does_better(example: str, first: Path, tuned: Path, *arguments: str) -> None:
    result = run_example(str(first), str(tuned), *arguments, example=example)
    assert result.returncode == 0, result.stderr
    check_only_progress_is_printed(result)
    before, after = re.findall(r"([0-9.]+)% of \d+", result.stdout)
    assert float(after) > float(before) + 5


def check_a_new_model_does_better(output: str) -> None:
    (before,) = re.findall(r"([0-9.]+)% before", output)
    (after,) = re.findall(r"new classifier on the best module as it is: ([0-9.]+)%", output)
    assert float(after) > float(before) + 10


@pytest.mark.parametrize(("form", "patterns"), [("estimator", ESTIMATOR), pytest.param("session", SESSION, marks=LONG)])
def test_the_text_classifier_tunes_and_exports_its_module(form, patterns, tmp_path):
    output = run_quickly(f"text_classifier_{form}.py", tmp_path)
    check_accuracy_rises(output)
    first, exports = tmp_path / "word_vectors", find_exports(tmp_path, patterns, output)
    check_answers_differ(first, exports, TEXT)
    check_a_fresh_program_does_better("search_docstrings.py", first, exports[1], "--question", "wait for a task")


@pytest.mark.parametrize(("form", "patterns"), [pytest.param("estimator", ESTIMATOR, marks=LONG), ("session", SESSION)])
def test_the_image_classifier_tunes_and_exports_its_module(form, patterns, tmp_path):
    output = run_quickly(f"image_classifier_{form}.py", tmp_path)
    check_accuracy_rises(output)
    first, exports = tmp_path / "digits", find_exports(tmp_path, patterns, output)
    check_answers_differ(first, exports, IMAGES)
    changed = {each.name for each in hub.compare(first, exports[0]).variables if each.status == "changed"}
    assert {"conv2d/kernel", "batch_normalization/moving_mean"} <= changed
    assert frozenset({"train"}) in hub.load_module_spec(exports[0]).get_tags()
    check_a_fresh_program_does_better("label_digits.py", first, exports[1])


@LONG
@pytest.mark.parametrize("legacy", ["0", "1"])
def test_the_text_classifier_of_keras_does_the_same(legacy, monkeypatch, tmp_path):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", legacy)
    output = run_quickly("text_classifier_keras.py", tmp_path)
    check_accuracy_rises(output)
    check_a_new_model_does_better(output)
    first, exports = tmp_path / "word_vectors", find_exports(tmp_path, KERAS, output)
    check_answers_differ(first, exports, TEXT)
    check_a_fresh_program_does_better("search_docstrings.py", first, exports[1], "--question", "wait for a task")


@pytest.mark.parametrize("legacy", ["0", pytest.param("1", marks=LONG)])
def test_the_image_classifier_of_keras_does_the_same(legacy, monkeypatch, tmp_path):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", legacy)
    output = run_quickly("image_classifier_keras.py", tmp_path)
    check_accuracy_rises(output)
    check_a_new_model_does_better(output)
    first, exports = tmp_path / "digits", find_exports(tmp_path, KERAS, output)
    changed = {each.name for each in hub.compare(first, exports[0]).variables if each.status == "changed"}
    assert {"conv2d/kernel", "batch_normalization/moving_mean"} <= changed
    check_a_fresh_program_does_better("label_digits.py", first, exports[1])


def test_a_module_without_findings_is_tuned_with_the_hyperparameters_of_its_signature(tmp_path):
    output = run_quickly("well_behaved_module.py", tmp_path)
    for name in ("digits", "tuned"):
        assert f"lint: 0 findings in {name}\n" in output
        assert not hub.lint(tmp_path / name).findings
        assert not hub.verify(tmp_path / name).findings
    figures = re.findall(r"dropout .*: (\d+)% .* moved by ([0-9.]+), accuracy ([0-9.]+)%", output)
    usual, lively, slow = ([float(figure) for figure in each] for each in figures)
    assert lively[0] < usual[0] < slow[0]  # dropout 0, 0.1 and 0.5
    assert 5 * slow[1] < min(usual[1], lively[1])  # momentum 0.999, 0.9 and 0.5
    assert usual[2] > slow[2] + 20
