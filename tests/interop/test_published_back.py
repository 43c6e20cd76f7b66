"""Modules of tensorflow_hub 0.15.0 are fine-tuned here as TF2 objects, published back, and used by 0.15.0 again."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import tf1hub as hub
from tests.interop.exchange import as_data, difference
from tests.interop.peer import finish, once, peer_python, start
from tests.interop.published_back import LEARNING_RATE, STEPS, loss_of
from tests.module_fns import KINDS, as_tensors

pytestmark = pytest.mark.peer

WORKER = "tests.interop.published_back"
TUNED = [
    "dense",
    "several_outputs",
    "batch_norm",
    "layers_conv_batch_norm",
    "regularized",
    "text",
    "partitioned_rows",
    "partitioned_references",
    "reference_variables",
    "variant_with_more_variables",
    "shared_variables",
    "update_under_a_cond",
    "while_v1",
    "cond_v1",
]


def tuned(path: str, kind: str, compiled: bool = False) -> Any:
    """The module after ten steps of gradient descent in TF2."""
    module = hub.load(path)
    inputs = as_tensors(KINDS[kind].inputs["default"])

    @tf.function(jit_compile=compiled)
    def gradients() -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(module(inputs, as_dict=True, training=True))
            loss += tf.add_n([tf.zeros([]), *(each() for each in module.regularization_losses)])
        return tape.gradient(loss, module.trainable_variables)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The module has no variant with the tag 'train'")
        for _ in range(STEPS):
            for variable, gradient in zip(module.trainable_variables, gradients(), strict=True):
                if gradient is not None:
                    variable.assign_sub(LEARNING_RATE * tf.convert_to_tensor(gradient))
    return module


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Modules by 0.15.0 in `theirs`, what it makes of them when it tunes them in `graph.json`; tuned here in `back`, and what
    it answers for those in `answers.json`, and in `again.json` what it makes of them when it tunes them once more."""

    def fill(folder: Path) -> None:
        def there(step: str, modules: str, result: str) -> Any:
            names = ",".join(TUNED)
            return start(
                peer_python(), WORKER, step, "tensorflow_hub", names, str(folder / modules), str(folder / result)
            )

        for name in ["theirs", "back"]:
            (folder / name).mkdir()
        finish(there("write", "theirs", "written.json"))
        tuning = there("tune", "theirs", "graph.json")
        for kind in TUNED:
            module = tuned(str(folder / "theirs" / kind), kind)
            module.export(folder / "back" / kind)
        finish(tuning)
        finish(there("answer", "back", "answers.json"), there("tune", "back", "again.json"))

    return once(tmp_path_factory, "published_back", fill)


def read(exchange: Path, name: str, kind: str) -> Any:
    return json.loads((exchange / name).read_text(encoding="utf-8"))[kind]


def variables_of(path: Path) -> dict[str, Any]:
    module = hub.load(path)
    return {name: as_data(v.numpy()) for name, v in zip(module.variable_names, module.variables, strict=True)}


@pytest.mark.parametrize("kind", TUNED)
def test_ten_steps_in_tf2_give_the_variables_of_ten_steps_in_a_graph(exchange, kind):
    found, expected = variables_of(exchange / "back" / kind), read(exchange, "graph.json", kind)
    assert difference({name: found[name] for name in expected}, expected) is None
    assert difference(variables_of(exchange / "theirs" / kind), found) is not None


@pytest.mark.parametrize("kind", TUNED)
def test_the_predecessor_answers_with_what_was_published_back(exchange, kind):
    module = hub.load(exchange / "back" / kind)
    outputs = module(as_tensors(KINDS[kind].inputs["default"]), as_dict=True)
    assert (
        difference(read(exchange, "answers.json", kind), {key: as_data(v.numpy()) for key, v in outputs.items()})
        is None
    )


@pytest.mark.parametrize("kind", TUNED)
def test_the_predecessor_fine_tunes_what_was_published_back(exchange, kind):
    found = tuned(str(exchange / "back" / kind), kind)
    expected = read(exchange, "again.json", kind)
    values = {name: as_data(v.numpy()) for name, v in zip(found.variable_names, found.variables, strict=True)}
    assert difference({name: values[name] for name in expected}, expected) is None
