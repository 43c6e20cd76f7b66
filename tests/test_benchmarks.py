"""benchmarks/: the modules have the sizes of the targets; the table says what was found."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / ".venv-peer/bin/python"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.report")


def run_module(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [python, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_modules_have_the_sizes_of_the_targets() -> None:
    child = run_module(str(PEER), "benchmarks.modules", "a", "c", "d", "e")
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout.splitlines()[-1])
    sizes = {name: (module["nodes"], module["needed"]) for name, module in found.items()}
    assert sizes == {
        "a": ([40], 14),
        "c": ([4606, 4902], 3232),
        "d": ([2542, 3178], 705),
        "e": ([552], 102),
    }


@pytest.mark.slow
def test_a_measurement_that_fails_is_shown_and_ends_with_status_1() -> None:
    arguments = ("--quick", "--only", "instantiate", "--modules", "a", "--ours", "no_such_library")
    child = run_module(sys.executable, "benchmarks", *arguments)
    assert child.returncode == 1
    assert "failed" in child.stdout
    assert "No module named 'no_such_library'" in child.stderr


def test_the_ratio_is_taken_round_by_round(report: ModuleType) -> None:
    ratio = report.ratios([{"cpu": 8.0}, {"cpu": 9.0}, {"cpu": 6.0}], [{"cpu": 2.0}, {"cpu": 3.0}, {"cpu": 1.0}], "cpu")
    assert ratio == report.Summary(median=4.0, lowest=3.0, highest=6.0)


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, "yes"), (2.0, "NO")])
def test_the_table_says_whether_the_wanted_ratio_is_met(report: ModuleType, ours: float, verdict: str) -> None:
    row = report.Row("instantiate", "c", "cpu", "Module(path)", wanted_ratio=8.0)
    key = ("instantiate", "c")
    text = report.table([row], {"tensorflow_hub": {key: [{"cpu": 8.0}]}, "tf1hub": {key: [{"cpu": ours}]}})
    assert text.splitlines()[-1].split() == [
        "Module(path)",
        "8.00",
        "8",
        "x",
        f"{ours:.2f}",
        f"{8 / ours:.2f}",
        verdict,
    ]


def test_a_wanted_limit_is_held_by_our_figure_alone(report: ModuleType) -> None:
    row = report.Row("import", "a", "wall", "import", wanted_limit=0.1)
    key = ("import", "a")
    text = report.table([row], {"tensorflow_hub": {key: [{"wall": 2.0}]}, "tf1hub": {key: [{"wall": 0.05}]}})
    assert text.splitlines()[-1].endswith("yes")


def test_a_failed_round_makes_the_row_failed(report: ModuleType) -> None:
    row = report.Row("import", "a", "wall", "import")
    key = ("import", "a")
    rounds = {"tensorflow_hub": {key: [{"wall": 2.0}] * 2}, "tf1hub": {key: [{"wall": 0.05}, None]}}
    assert report.table([row], rounds).splitlines()[-1].split() == ["import", "2.00", "failed"]


def test_every_measurement_has_a_row_and_every_row_a_measurement(
    report: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    measurements = importlib.import_module("benchmarks.measurements")
    assert {row.measurement for row in report.ROWS} == set(measurements.MEASUREMENTS)


@pytest.fixture
def tf2(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.tf2")


def test_every_measurement_of_tf2_has_a_row_and_every_row_a_measurement(tf2: ModuleType) -> None:
    measurements = importlib.import_module("benchmarks.tf2_measurements")
    assert set(tf2.MEASUREMENTS) == set(measurements.MEASUREMENTS)


@pytest.mark.parametrize(("ours", "verdict"), [(1.04, "yes"), (1.06, "NO")])
def test_training_is_wanted_nearly_as_fast_as_native_keras(
    tf2: ModuleType, report: ModuleType, ours: float, verdict: str
) -> None:
    native = next(each for each in tf2.COMPARISONS if each.side.title == tf2.NATIVE).only(["train"], ["c"])
    rows = [row for row in native.rows if row.figure == "wall_ms"]
    rounds = {title: {("train", "c"): [{"wall_ms": each}]} for title, each in ((tf2.NATIVE, 1.0), ("tf1hub", ours))}
    assert report.table(rows, rounds, against=tf2.NATIVE).splitlines()[-1].endswith(verdict)


_AGREEMENT = """
import sys
import numpy as np, tensorflow as tf, tf1hub as hub
from benchmarks.native_models import MODELS, copy_weights
from benchmarks.tf2_measurements import example_inputs
name, path = sys.argv[1:]
module, model = hub.load(path), MODELS[name]()
for variable in module.variables:  # biases and averages do not stay 0 and 1
    variable.assign(variable * tf.random.stateless_uniform(variable.shape, [1, 2], 0.9, 1.1) + 0.01)
copy_weights(model, dict(zip(module.variable_names, module.variables)))
inputs = example_inputs(path, 2)
x = inputs.get("images", inputs)
np.testing.assert_allclose(module(x), model(x, training=False), rtol=1e-3, atol=1e-4)
if name == "d":  # it has no dropout
    np.testing.assert_allclose(module(x, training=True), model(x, training=True), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(tf.add_n([loss() for loss in module.regularization_losses]), sum(model.losses), rtol=1e-5)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["c", "d"])
def test_the_native_models_compute_what_the_modules_do(name: str) -> None:
    written = run_module(str(PEER), "benchmarks.modules", name)
    assert written.returncode == 0, written.stderr
    path = json.loads(written.stdout.splitlines()[-1])[name]["path"]
    child = subprocess.run(
        [ROOT / ".venv/bin/python", "-c", _AGREEMENT, name, path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr


@pytest.mark.parametrize(("wall", "peak", "verdict"), [(0.9, 140.0, "yes"), (1.1, 140.0, "NO"), (0.9, 160.0, "NO")])
def test_the_table_of_lint_says_whether_it_is_as_fast_and_small_as_wanted(monkeypatch, wall, peak, verdict) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    lint, show = importlib.import_module("benchmarks.lint"), importlib.import_module("benchmarks.show")
    rounds = {"c": {"tf1hub lint": [show.Figures(wall, 0.5, peak)], "tf1hub show": [show.Figures(0.3, 0.2, 40.0)]}}
    _, ours, floor = lint.table(rounds).splitlines()
    assert ours.endswith(f"under 1 s and 150 MB: {verdict}")
    assert floor.startswith("c: tf1hub show")
