"""`training=True`: which variant is applied, that its update ops run exactly once a call, and what both variants share."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, loaded, values_of
from tests.graphs import export, published, spec_with
from tests.module_fns import BASE, KINDS, TRAIN

v1 = tf.compat.v1
INPUTS = KINDS["updates_of_two_signatures"].inputs
X, FEATURES = INPUTS["default"]["default"], INPUTS["features"]["default"]


def counting_spec():
    """Two signatures, of which each has an update op that counts its calls, in the training variant; dropout beside."""

    def module_fn(training):
        for name in ["default", "other"]:
            x = v1.placeholder(tf.float32, [None, 3])
            count = v1.get_variable(f"{name}_calls", [], initializer=v1.zeros_initializer(), trainable=False)
            y = x * v1.get_variable(f"{name}_w", [3])
            if training:
                v1.add_to_collection("update_ops", count.assign_add(1.0 + 0.0 * tf.reduce_sum(y)))
            hub.add_signature(name, x, {"default": y, "calls": tf.identity(count), "third": y + 1.0})

    return hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])


@pytest.fixture
def counting(tmp_path):
    return hub.load(export(counting_spec(), tmp_path / "module"))


def calls(module):
    values = values_of(module)
    return values["default_calls"], values["other_calls"]


def test_the_train_variant_is_used_beside_the_one_without_tags():
    module = loaded("batch_norm")
    assert (module.tags, module.training_tags) == (BASE, TRAIN)
    tags = loaded("batch_norm", tags={"train"})
    assert (tags.tags, tags.training_tags) == (TRAIN, TRAIN)


def test_another_variant_is_named():
    module, x = loaded("shared_variables", training_tags={"serve", "gpu"}), KINDS["shared_variables"].inputs["default"]
    np.testing.assert_allclose(module(x, training=True), 3.0 * module(x), rtol=1e-6)
    np.testing.assert_allclose(loaded("shared_variables")(x, training=True), 2.0 * module(x), rtol=1e-6)
    same = loaded("shared_variables", tags={"gpu", "serve"}, training_tags=[])
    np.testing.assert_allclose(same(x), 3.0 * same(x, training=True), rtol=1e-6)


def test_a_signature_of_the_other_variant_only():
    module = loaded("shared_variables", training_tags={"serve", "gpu"})
    assert module(example("shared_variables"), signature="sum", training=True).shape == (6, 3)
    assert "sum" not in module.get_signature_names()


def test_a_module_with_one_variant_says_so_once():
    module = loaded("dense")
    with pytest.warns(UserWarning, match=r"no variant with the tag 'train' \(it has \[\[\]\]\).*training_tags"):
        module(example("dense"), training=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module(example("dense"), training=True)
        loaded("dense")(example("dense"), training=False)


def test_both_variants_share_the_variables():
    module = loaded("batch_norm")
    assert sorted(module.variable_names) == ["norm/beta", "norm/gamma", "norm/moving_mean", "norm/moving_variance", "w"]
    beta = dict(zip(module.variable_names, module.variables, strict=True))["norm/beta"]
    before = module(X, training=True)
    beta.assign_add([1.0, 1.0])
    np.testing.assert_allclose(module(X, training=True), before + 1.0, rtol=1e-5)


def test_inference_changes_nothing(counting):
    counting(X)
    counting(X, as_dict=True)
    counting.signatures["default"](X)
    assert calls(counting) == (0, 0)


def test_update_ops_run_once_a_call_and_none_of_another_signatures(counting):
    counting(X, training=True)
    assert calls(counting) == (1, 0)
    counting(X, signature="other", training=True)
    assert calls(counting) == (1, 1)


@pytest.mark.parametrize(
    "choice", [{"as_dict": True}, {"outputs": ["third"]}, {"outputs": ["default", "calls", "third"]}]
)
def test_update_ops_run_once_whatever_outputs_are_asked_for(counting, choice):
    counting(X, training=True, **choice)
    assert calls(counting) == (1, 0)


def test_update_ops_run_even_without_outputs(counting):
    assert counting(X, training=True, outputs=[]) == {}
    assert calls(counting) == (1, 0)


def test_update_ops_have_run_when_the_outputs_are_there(counting):
    count = counting.non_trainable_variables[0]
    function = tf.function(lambda x: (counting(x, training=True), count + 0.0)[1])
    assert function(X) == 1.0


@pytest.mark.parametrize("compiled", [False, True])
def test_update_ops_run_once_a_call_in_a_function(counting, compiled):
    function = tf.function(lambda x: counting(x, training=True) + counting(x, training=True), jit_compile=compiled)
    for _ in range(3):
        function(X)
    assert calls(counting) == (6, 0)


def test_update_ops_run_once_in_a_function_that_drops_the_outputs(counting):
    @tf.function
    def drop(x):
        counting(x, training=True)

    drop(X)
    assert calls(counting) == (1, 0)


def test_update_ops_run_once_under_a_tape(counting):
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(counting(X, training=True))
    for _ in range(2):
        assert tape.gradient(loss, counting.trainable_variables)[0] is not None
    assert calls(counting) == (1, 0)


def test_update_ops_run_once_with_gradients_in_a_function(counting):
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(counting(x, training=True) ** 2)
        return tape.gradient(loss, counting.trainable_variables)[0]

    step(X)
    assert calls(counting) == (1, 0)


def test_a_function_reads_before_what_comes_after_the_call():
    def read_late(x):
        variable = v1.get_variable("w", [], initializer=v1.zeros_initializer(), use_resource=True)
        with tf.control_dependencies([tf.linalg.expm(x)]):
            return x + variable.read_value()

    module = hub.load(spec_with(read_late, [64, 64]))

    @tf.function
    def apply(x):
        before = module(x)
        module.variables[0].assign(1.0)
        return before, module(x)

    before, after = apply(tf.zeros([64, 64]))
    np.testing.assert_array_equal(after - before, np.ones([64, 64]))


def test_training_may_be_a_tensor(counting):
    function = tf.function(lambda x, training: counting(x, training=training))
    for training in [True, False, True]:
        function(X, tf.constant(training))
    assert calls(counting) == (2, 0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(function(X, tf.constant(True)))
    assert tape.gradient(loss, counting.trainable_variables)[0] is not None


@pytest.mark.parametrize(
    "training", [tf.constant(True), tf.Variable(True), np.bool_(True), 1], ids=["tensor", "variable", "numpy", "int"]
)
def test_training_may_be_whatever_is_true(counting, training):
    counting(X, training=training)
    assert calls(counting) == (1, 0)


def test_a_variable_says_in_a_function_whether_to_train(counting):
    training = tf.Variable(True)
    function = tf.function(lambda x: counting(x, training=training))
    function(X)
    training.assign(False)
    function(X)
    assert calls(counting) == (1, 0)


def test_update_ops_that_hang_on_no_input_run_with_every_signature():
    module = loaded("updates_of_two_signatures")
    before = values_of(module)
    module(FEATURES, signature="features", training=True)
    after = values_of(module)
    changed = {name for name in after if not np.array_equal(before[name], after[name])}
    assert changed == {"second/moving_mean", "second/moving_variance", "steps"}
    assert after["steps"] == before["steps"] + 1


def test_update_ops_are_told_apart_by_signature():
    names = loaded("updates_of_two_signatures").update_ops
    assert {signature: len(ops) for signature, ops in names.items()} == {"default": 3, "features": 3}
    assert len({*names["default"], *names["features"]}) == 5


def test_update_ops_move_averages_as_in_a_graph():
    module = loaded("layers_conv_batch_norm")
    with tf.Graph().as_default(), v1.Session() as session:
        graph_module = hub.Module(published("layers_conv_batch_norm"), trainable=True, tags={"train"})
        graph_module(KINDS["layers_conv_batch_norm"].inputs["default"])
        session.run(v1.global_variables_initializer())
        session.run(v1.get_collection("update_ops"))
        expected = session.run(graph_module.variable_map)
    module(example("layers_conv_batch_norm"), training=True)
    found = values_of(module)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)


def test_training_uses_dropout_and_inference_does_not():
    module = loaded("layers_dropout")
    answers = [module(example("layers_dropout"), training=True).numpy() for _ in range(8)]
    assert any(np.any(answer == 0.0) for answer in answers)
    assert np.all(module(example("layers_dropout")) != 0.0)


def test_variants_share_a_table(tmp_path):
    def module_fn(training):
        words = v1.placeholder(tf.string, [None])
        initializer = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([7], tf.int64))
        ids = tf.lookup.StaticHashTable(initializer, -1).lookup(words)
        hub.add_signature(inputs=words, outputs=ids * (2 if training else 1))

    spec = hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])
    module = hub.load(export(spec, tmp_path / "module"))
    assert len(module.tables) == 1
    np.testing.assert_array_equal(module(["a"], training=True), 2 * module(["a"]))


def test_updates_under_a_cond_run_once():
    module = loaded("update_under_a_cond")
    before = values_of(module)["moving_mean"]
    module(X, training=True)
    np.testing.assert_allclose(values_of(module)["moving_mean"], before - 0.1 * (before - X.mean(0)), rtol=1e-5)


def test_a_spec_that_was_never_published_is_trained_from_fresh_values():
    spec = spec_with(lambda x: x * v1.get_variable("w", [3], initializer=v1.ones_initializer()))
    module = hub.load(spec)
    np.testing.assert_array_equal(module(X), X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(X))
    np.testing.assert_allclose(tape.gradient(loss, module.variables)[0], X.sum(0), rtol=1e-5)
