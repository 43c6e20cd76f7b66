"""What fine-tuning changed, told of modules that were really trained and exported; and modules of other writers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests import graphs
from tests.checks.comparison_modules import named
from tests.graphs import edited_saved_model, started_session
from tests.interop.peer import finish, here, once, peer_python, start
from tests.module_fns import KINDS

SHARED = Path(__file__).parents[3] / "shared" / "modules"
X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]], np.float32)


def statuses(comparison):
    return {each.name: each.status for each in comparison.variables}


def tuned(spec, folder, wanted=None, tags=None):
    """Exports a module before and after a step of gradient descent; returns what differs and the values before and after."""
    with tf.Graph().as_default():
        module = hub.Module(spec, trainable=True, tags=tags)
        loss = tf.reduce_sum(tf.square(module(X)))
        trained = [variable for variable in tf.trainable_variables() if wanted is None or wanted in variable.name]
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = tf.train.GradientDescentOptimizer(0.01).minimize(loss, var_list=trained)
        with started_session() as session:
            values = []
            for name in ("before", "after"):
                module.export(str(folder / name), session)
                values.append(session.run(module.variable_map))
                session.run(train)
    return hub.compare(folder / "before", folder / "after"), *values


def two_layers(training=False):
    x = tf.placeholder(tf.float32, [None, 3])
    with tf.variable_scope("first"):
        w = tf.get_variable("kernel", [3, 4], initializer=tf.random_uniform_initializer(seed=1))
        hidden = tf.matmul(x, w)
    mean = tf.get_variable("moving_mean", [4], initializer=tf.zeros_initializer(), trainable=False)
    if training:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(mean, tf.reduce_mean(hidden, 0)))
    with tf.variable_scope("second"):
        v = tf.get_variable("kernel", [4, 2], initializer=tf.random_uniform_initializer(seed=2))
    tf.get_variable("step", [], tf.int64, initializer=tf.zeros_initializer(), trainable=False)
    hub.add_signature(inputs=x, outputs=tf.matmul(hidden - mean, v))


def test_exactly_the_variables_that_were_trained_changed(tmp_path):
    comparison, before, after = tuned(hub.create_module_spec(two_layers), tmp_path, wanted="second")
    assert statuses(comparison) == {
        "first/kernel": "same",
        "moving_mean": "same",
        "second/kernel": "changed",
        "step": "same",
    }
    [found] = [each.difference for each in comparison.variables if each.status == "changed"]
    change = before["second/kernel"].astype(np.float64) - after["second/kernel"]
    assert found.largest == np.abs(change).max()
    assert found.relative == pytest.approx(np.linalg.norm(change) / np.linalg.norm(before["second/kernel"]), rel=1e-6)
    assert all(variant.is_same for variant in comparison.common_variants)
    assert (comparison.assets, comparison.other_files, comparison.problems) == ((), (), ())


def test_moving_averages_are_told_from_what_was_trained(tmp_path):
    variants = [(set(), {}), ({"train"}, {"training": True})]
    comparison, *_ = tuned(hub.create_module_spec(two_layers, variants), tmp_path, tags={"train"})
    changed = {each.name: each.trainable for each in comparison.variables if each.status == "changed"}
    assert changed == {"first/kernel": True, "second/kernel": True, "moving_mean": False}


def test_a_partitioned_variable_that_was_trained(tmp_path):
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
            w = tf.get_variable("w", [3, 4], initializer=tf.ones_initializer())
        hub.add_signature(inputs=x, outputs=tf.matmul(x, w))

    comparison, before, after = tuned(hub.create_module_spec(module_fn), tmp_path)
    [variable] = comparison.variables
    assert (variable.status, variable.a.parts, variable.b.parts) == ("changed", 2, 2)
    change = np.concatenate(before["w"]).astype(np.float64) - np.concatenate(after["w"])
    assert variable.difference.largest == np.abs(change).max()


@pytest.mark.parametrize(
    "kind", ["dense", "partitioned_rows", "text", "batch_norm", "while_v2", "nested_control_flow_v2"]
)
def test_a_module_that_is_exported_twice_is_the_same(tmp_path, kind):
    spec = KINDS[kind].spec(hub)
    paths = [graphs.export(spec, tmp_path / name, tags=KINDS[kind].exported, values=True) for name in "ab"]
    comparison = hub.compare(*paths)
    assert comparison.is_same
    assert comparison.problems == ()


@pytest.mark.parametrize("kind", ["while_v2", "cond_v2", "custom_gradient"])
def test_a_module_that_is_defined_twice_is_the_same(tmp_path, kind):
    paths = [graphs.export(KINDS[kind].spec(hub), tmp_path / name, values=True) for name in "ab"]
    assert hub.compare(*paths).is_same


def test_another_rate_in_the_graph_is_shown(tmp_path):
    path = graphs.export(KINDS["dense"].spec(hub), tmp_path / "a", values=True)
    shutil.copytree(path, tmp_path / "b")
    with edited_saved_model(str(tmp_path / "b")) as saved_model:
        [tanh] = [node for node in saved_model.meta_graphs[0].graph_def.node if node.op == "Tanh"]
        tanh.op = "Relu"
    [variant] = hub.compare(path, tmp_path / "b").common_variants
    assert [named(node.parts) for node in variant.nodes] == [{"op": ("Tanh", "Relu")}]
    assert (variant.signatures, variant.functions, variant.collections) == ((), (), ())


def test_half_plus_two_with_another_value(tmp_path):
    path = SHARED / "half_plus_two"
    if not path.exists():
        pytest.skip("the real modules are not part of the clone")
    with tf.Graph().as_default():
        module = hub.Module(str(path))
        with started_session() as session:
            session.run(module.variable_map["a"].assign(0.75))
            module.export(str(tmp_path / "b"), session)
    comparison = hub.compare(path, tmp_path / "b")
    assert statuses(comparison) == {"a": "changed", "b": "same"}
    assert (comparison.variables[0].difference.largest, comparison.variables[0].difference.relative) == (0.25, 0.5)
    assert comparison.tensorflow_versions == ("1.12.0", "1.12.0")
    assert all(variant.is_same for variant in comparison.common_variants)


@pytest.mark.parametrize("name", ["half_plus_two", "dm21m", "text_by_predecessor/sentences_oov1"])
def test_real_modules_do_not_differ_from_their_copies(tmp_path, name):
    if not (SHARED / name).exists():
        pytest.skip("the real modules are not part of the clone")
    shutil.copytree(SHARED / name, tmp_path / "copy")
    assert hub.compare(SHARED / name, tmp_path / "copy").is_same


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory):
    """The same kinds of modules, written by tensorflow_hub 0.15.0 and by tf1hub."""

    def fill(folder):
        sides = {"theirs": (peer_python(), "tensorflow_hub"), "ours": (here(), "tf1hub")}
        processes = []
        for side, (python, library) in sides.items():
            (folder / side).mkdir()
            answers = str(folder / f"{side}.json")
            processes.append(
                start(python, "tests.interop.worker", "write", library, str(folder / side), answers, *COMPARED)
            )
        finish(*processes)
        for side in sides:
            failed = [
                name for name, each in json.loads((folder / f"{side}.json").read_text()).items() if "error" in each
            ]
            assert failed == []

    return once(tmp_path_factory, "compared", fill)


SAME = [
    "attached_messages",
    "batch_norm_and_dropout",
    "cond_v1",
    "cond_v2",
    "dense",
    "partitioned_rows",
    "ragged_in",
    "while_v1",
    "while_v2",
]
COMPARED = [*SAME, "text", "on_devices", "two_vocabularies"]


@pytest.mark.peer
@pytest.mark.parametrize("kind", SAME)
def test_what_the_predecessor_and_we_make_of_a_module_fn_is_the_same(exchanged, kind):
    comparison = hub.compare(*(exchanged / side / kind / "module" for side in ("theirs", "ours")))
    assert comparison.is_same
    assert comparison.problems == ()
    assert comparison.tensorflow_versions[0] == "2.15.1"


@pytest.mark.peer
def test_what_the_predecessor_leaves_in_and_we_do_not_is_told(exchanged):
    comparison = hub.compare(*(exchanged / side / "text" / "module" for side in ("theirs", "ours")))
    nodes = {node.name: named(node.parts) for node in comparison.common_variants[0].nodes}
    assert "/publisher/" in nodes["hash_table"]["attribute shared_name"][0] or "..." in str(nodes["hash_table"])
    assert nodes["hash_table"]["attribute shared_name"][1] == "'hash_table_tokens.txt_-2_-1'"
    assert nodes["asset_path"] == {"device": ("/device:CPU:*", "none")}
    assert all(each.status == "same" for each in comparison.variables)


@pytest.mark.peer
def test_the_predecessors_name_for_an_asset_is_told(exchanged):
    comparison = hub.compare(*(exchanged / side / "two_vocabularies" / "module" for side in ("theirs", "ours")))
    assert named(comparison.assets) == {"words.txt0": ("10 bytes", "words_1.txt, the same contents")}
