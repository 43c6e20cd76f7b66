"""Odd and damaged modules are linted or refused, with no error but our own and without end of time.

Mutant N of a module is the same every time. Memory is watched by tests/hostile, whose readers lint too.
"""

import random
import time
import traceback
from pathlib import Path

import pytest

import tf1hub as hub
from tests.graphs import published
from tests.hostile import mutations
from tests.module_fns import KINDS
from tf1hub.checks.linting.linting import lint
from tf1hub.errors import Tf1HubError

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # tf.layers are deprecated

FEW, MANY = 12, 250
SECONDS = 2.0
SEEDS = [
    "batch_norm_and_dropout",
    "layers_conv_batch_norm",
    "layers_dropout",
    "slim_batch_norm",
    "while_v1",
    "nested_control_flow_v1",
    "nested_control_flow_v2",
    "cond_v1",
    "cond_v2",
    "tf_function",
    "partitioned_columns",
    "text",
]


def mutant(seed, number):
    """The files of a module, one of them changed."""
    dice = random.Random(f"{seed}/{number}")
    folder = Path(published(seed))
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    name = dice.choice(["saved_model.pb"] * 9 + [name for name in sorted(files) if name.endswith(".index")])
    is_graph = name == "saved_model.pb" and dice.random() < 0.95
    change = mutations.saved_model_altered if is_graph else dice.choice(mutations.BYTES)
    return {**files, name: change(dice, files[name])}


def put(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def fault_of(folder):
    """What is wrong with how a module is linted; "" when nothing is."""
    start = time.process_time()
    try:
        report = lint(folder)
    except Tf1HubError:
        return ""
    except Exception:
        return traceback.format_exc(limit=-4)
    seconds = time.process_time() - start
    texts = [text for found in report.findings for text in (found.reason, found.remedy)]
    if any(len(text) > 3000 for text in texts) or len(texts) > 2000:
        return f"{len(texts)} texts, one of {max(map(len, texts))} letters"
    return f"took {seconds:.2f} s" if seconds > SECONDS else ""


def check(seed, count, tmp_path):
    if not KINDS[seed].available():
        pytest.skip(f"{KINDS[seed].needs} is not installed")
    lint(published(seed))  # loads what is loaded late
    faults = {number: fault_of(put(tmp_path, mutant(seed, number))) for number in range(count)}
    assert not any(faults.values()), "\n".join(f"mutant {number}: {fault}" for number, fault in faults.items() if fault)


@pytest.mark.parametrize("seed", SEEDS)
def test_some_mutants_are_linted_or_refused(seed, tmp_path):
    check(seed, FEW, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_very_many_mutants_are_linted_or_refused(seed, tmp_path):
    check(seed, MANY, tmp_path)


def test_errors_of_others_and_floods_are_faults(tmp_path, monkeypatch):
    for wrong in (lambda folder: {}["a"], lambda folder: hub.lint(published("while_v2"), select=7)):
        monkeypatch.setitem(globals(), "lint", wrong)
        assert "Traceback" in fault_of(tmp_path)
