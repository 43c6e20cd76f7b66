"""Real modules of other projects, and the predecessor's own, load and run and give the predecessor's answers."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub

MODULES = Path(__file__).parents[2] / "shared" / "modules"
TEXT_MODULES = ["sentences_oov1", "sentences_oov3", "tokens_oov1", "tokens_oov3"]


@pytest.fixture(autouse=True)
def fresh_graph():
    with tf.Graph().as_default():
        yield


def shared(name: str) -> str:
    path = MODULES / name
    if not path.exists():
        pytest.skip(f"{path} is not there: the real modules are not part of the clone")
    return str(path)


def run(fetches: Any, before: list[Any] | None = None) -> Any:
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        for step in before or []:
            session.run(step)
        return session.run(fetches)


def answers(name: str) -> tuple[list[str], np.ndarray]:
    with open(shared("text_by_predecessor") + "/answers.json", encoding="utf-8") as file:
        answer = json.load(file)[name]
    return answer["inputs"], np.array(answer["outputs"], np.float32)


def test_half_plus_two_answers():
    module = hub.Module(shared("half_plus_two"))
    np.testing.assert_allclose(run(module([[1.0], [2.0], [-4.0]])), [[2.5], [3.0], [0.0]])


def test_half_plus_two_says_what_it_is():
    spec = hub.load_module_spec(shared("half_plus_two"))
    assert [sorted(tags) for tags in spec.get_tags()] == [[]]
    assert list(spec.get_signature_names()) == ["default"]
    assert spec.get_input_info_dict()["default"].dtype == tf.float32
    assert spec.get_input_info_dict()["default"].get_shape().rank is None


def test_half_plus_two_learns_another_line():
    module = hub.Module(shared("half_plus_two"), trainable=True)
    x = tf.constant([[0.0], [1.0], [2.0]])
    loss = tf.reduce_mean(tf.square(module(x) - (3.0 * x - 1.0)))
    step = tf.train.GradientDescentOptimizer(0.2).minimize(loss)
    a, b = run([module.variable_map["a"], module.variable_map["b"]], before=[step] * 100)
    np.testing.assert_allclose([a.item(), b.item()], [3.0, -1.0], atol=1e-3)


def _density_inputs(module: Any) -> dict[str, np.ndarray]:
    """Made-up positive densities at three points, the same ones that the predecessor was given."""
    random = np.random.RandomState(0)
    infos = sorted(module.get_input_info_dict().items())
    return {
        key: random.uniform(0.1, 1.0, [3, info.get_shape()[1]]).astype(info.dtype.as_numpy_dtype) for key, info in infos
    }


def test_dm21m_gives_the_predecessors_answers():
    module = hub.Module(shared("dm21m"))
    outputs = run(module(_density_inputs(module), as_dict=True))
    assert sorted(outputs) == ["grid_contribution", "system_contribution"]
    np.testing.assert_allclose(outputs["grid_contribution"], [2.7873104, 0.1396753, 0.0488833], rtol=1e-4)
    np.testing.assert_allclose(outputs["system_contribution"], [0.0])


def test_dm21m_has_no_default_output():
    module = hub.Module(shared("dm21m"))
    with pytest.raises(TypeError, match="grid_contribution"):
        module(_density_inputs(module))


def test_dm21m_brings_its_regularization_losses_when_trained():
    module = hub.Module(shared("dm21m"), trainable=True)
    losses = tf.losses.get_regularization_losses()
    assert (len(module.variables), len(losses), len(tf.trainable_variables())) == (28, 12, 28)
    np.testing.assert_allclose(run(losses)[:2], [3.9742878e-07, 1.6771613e-13], rtol=1e-4)


def test_dm21m_can_be_differentiated():
    module = hub.Module(shared("dm21m"), trainable=True)
    energy = tf.reduce_sum(module(_density_inputs(module), as_dict=True)["grid_contribution"])
    gradients = [gradient for gradient in tf.gradients(energy, module.variables) if gradient is not None]
    assert gradients
    assert all(np.isfinite(value).all() for value in run(gradients))


@pytest.mark.parametrize("name", TEXT_MODULES)
def test_text_modules_answer_as_the_predecessor_did(name):
    inputs, expected = answers(name)
    module = hub.Module(shared(f"text_by_predecessor/{name}"))
    np.testing.assert_allclose(run(module(inputs)), expected, atol=1e-5)


@pytest.mark.parametrize("name", TEXT_MODULES)
def test_text_modules_answer_in_an_eval_function(name):
    inputs, expected = answers(name)
    with hub.eval_function_for_module(shared(f"text_by_predecessor/{name}")) as embed:
        np.testing.assert_allclose(embed(inputs), expected, atol=1e-5)


def test_text_module_is_exported_again_and_moved(tmp_path):
    inputs, expected = answers("sentences_oov1")
    module = hub.Module(shared("text_by_predecessor/sentences_oov1"))
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        module.export(str(tmp_path / "first"), session)
    shutil.move(tmp_path / "first", tmp_path / "second")
    with tf.Graph().as_default():
        moved = hub.Module(str(tmp_path / "second"))
        np.testing.assert_allclose(run(moved(inputs)), expected, atol=1e-5)
