"""One instance's variables and tables: shared by all its applications, by no other instance."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, evaluate, export, names, outputs_of, scaling_spec, spec_of, spec_with, started_session
from tests.module_fns import KINDS, as_tensors, assign_values
from tests.module_fns.registry import text_file
from tests.plain_graphs import module_answers, plain_answers

VARIABLES = [
    "reference_variables",
    "partitioned_rows",
    "partitioned_columns",
    "partitioned_by_size",
    "partitioned_lookup",
]
VARIABLES += ["partitioned_references", "untrained_and_model_variables", "variables_of_odd_shapes", "several_outputs"]


def test_all_applications_share_the_variables():
    module = hub.Module(scaling_spec(), trainable=True)
    x = tf.constant(ROWS)
    for _ in range(5):
        x = module(x)
    assert names(tf.global_variables()) == ["module/w:0"]
    with started_session() as session:
        module.variables[0].load([1.0, -1.0, 0.5], session)
        np.testing.assert_allclose(session.run(x), ROWS * [1, -1, 0.5**5], rtol=1e-6)


def test_two_instances_share_nothing():
    first, second = hub.Module(scaling_spec()), hub.Module(scaling_spec())
    with started_session() as session:
        first.variables[0].load([5.0, 5.0, 5.0], session)
        np.testing.assert_allclose(session.run([first(ROWS), second(ROWS)]), [5 * ROWS, 2 * ROWS])
    assert names(tf.global_variables()) == ["module/w:0", "module_1/w:0"]


@pytest.mark.parametrize("kind", ["reference_variables", "several_outputs", "variables_of_odd_shapes"])
def test_values_and_gradients_of_variables(kind):
    for found, expected in zip(module_answers(kind, spec_of(kind)), plain_answers(kind), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def trained(module, kind, steps=3):
    """The output after some steps of gradient descent from values that follow from the variables' names."""
    y = module(as_tensors(KINDS[kind].inputs["default"]))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(y)))
    with started_session() as session:
        assign_values(module, session)
        before = session.run(y)
        for _ in range(steps):
            session.run(step)
        return before, session.run(y)


@pytest.mark.parametrize("kind", VARIABLES)
def test_variables_are_trained_from_memory_and_from_disk_alike(kind, tmp_path):
    path = export(spec_of(kind), tmp_path / "module", values=True)
    before, after = trained(hub.Module(spec_of(kind), trainable=True), kind)
    np.testing.assert_allclose(outputs_of(path, KINDS[kind].inputs["default"]), before, rtol=1e-5)
    assert np.square(after).sum() < np.square(before).sum()
    with tf.Graph().as_default():
        np.testing.assert_allclose(trained(hub.Module(path, trainable=True), kind)[1], after, rtol=1e-5)


def test_partitioned_variables_are_lists_in_order():
    module = hub.Module(spec_of("partitioned_rows"))
    parts = module.variable_map["embeddings"]
    assert [part.name for part in parts] == [f"module/embeddings/part_{i}:0" for i in range(3)]
    assert [part.shape.as_list() for part in parts] == [[3, 3], [2, 3], [2, 3]]
    assert [part._get_save_slice_info().full_name for part in parts] == ["module/embeddings"] * 3
    assert names(module.variables) == sorted([*names(parts), "module/plain:0"])


def test_reference_variables_stay_references():
    module = hub.Module(spec_of("reference_variables"))
    assert [variable.op.type for variable in module.variables] == ["VariableV2", "VariableV2"]
    module = hub.Module(spec_of("several_outputs"))
    assert {variable.op.type for variable in module.variables} == {"VarHandleOp"}


@pytest.mark.parametrize("kind", ["dense", "reference_variables", "partitioned_rows"])
def test_a_saver_takes_the_variable_map(kind, tmp_path):
    module = hub.Module(spec_of(kind))
    saver = tf.train.Saver(module.variable_map)
    with started_session() as session:
        assign_values(module, session)
        expected = session.run(module.variables)
        prefix = saver.save(session, str(tmp_path / "model"))
        session.run(tf.global_variables_initializer())
        saver.restore(session, prefix)
        for one, other in zip(session.run(module.variables), expected, strict=True):
            np.testing.assert_array_equal(one, other)
    stored = dict(tf.train.list_variables(prefix))
    assert stored.keys() == module.variable_map.keys()


def test_variables_can_be_initialized_from_a_checkpoint(tmp_path):
    module = hub.Module(spec_of("partitioned_rows"))
    with started_session() as session:
        assign_values(module, session)
        expected = session.run(module.variables)
        prefix = tf.train.Saver(module.variable_map).save(session, str(tmp_path / "model"))
    with tf.Graph().as_default():
        other = hub.Module(spec_of("partitioned_rows"))
        tf.train.init_from_checkpoint(prefix, other.variable_map)
        for one, value in zip(evaluate(other.variables), expected, strict=True):
            np.testing.assert_array_equal(one, value)


def test_values_may_be_fed_though_no_initializer_was_run():
    module = hub.Module(scaling_spec())
    y = module(ROWS)
    with tf.Session() as session:
        reads = [op.outputs[0] for op in tf.get_default_graph().get_operations() if op.type == "ReadVariableOp"]
        found = session.run(y, {read: [3.0, 3.0, 3.0] for read in reads})
    np.testing.assert_allclose(found, 3 * ROWS)


def table_spec(words, shared_name):
    def looked_up(x):
        initializer = tf.lookup.KeyValueTensorInitializer(words, tf.constant([0, 1], tf.int64))
        return tf.lookup.StaticHashTable(initializer, -1, name=shared_name).lookup(x)

    return spec_with(looked_up, [None], tf.string)


def test_tables_of_two_modules_with_the_same_names_are_not_shared():
    first = hub.Module(table_spec(["a", "b"], "table"))
    second = hub.Module(table_spec(["b", "a"], "table"))
    words = tf.constant(["a", "b", "c"])
    assert np.array(evaluate([first(words), second(words)])).tolist() == [[0, 1, -1], [1, 0, -1]]


def mutable_spec():
    def module_fn():
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1, name="counts")
        key, value = tf.placeholder(tf.string, []), tf.placeholder(tf.int64, [])
        with tf.control_dependencies([table.insert(key, value)]):
            hub.add_signature("insert", inputs={"key": key, "value": value}, outputs=tf.identity(value))
        words = tf.placeholder(tf.string, [None])
        hub.add_signature(inputs=words, outputs=table.lookup(words))

    return hub.create_module_spec(module_fn, drop_collections=["saveable_objects"])


def test_a_table_is_shared_by_the_applications_of_one_instance_only():
    first, second = hub.Module(mutable_spec()), hub.Module(mutable_spec())
    insert = first({"key": "a", "value": tf.constant(7, tf.int64)}, signature="insert")
    found = [module(["a", "b"]) for module in (first, first, second)]
    with started_session() as session:
        session.run(insert)
        assert np.array(session.run(found)).tolist() == [[7, -1], [7, -1], [-1, -1]]


def test_two_instances_of_a_module_with_a_vocabulary():
    first, second = hub.Module(spec_of("text")), hub.Module(spec_of("text"), name="other")
    assert len(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS)) == 2
    with started_session() as session:
        for module in (first, second):
            assign_values(module, session)
        one, other = session.run([first(["the cat"]), second(["the cat"])])
    np.testing.assert_array_equal(one, other)
    shared = [op.get_attr("shared_name") for op in tf.get_default_graph().get_operations() if "HashTable" in op.type]
    assert len(set(shared)) == 2


def test_a_vocabulary_of_other_words_under_the_same_file_name():
    def spec(lines, folder):
        def looked_up(x):
            path = text_file("words.txt", lines, folder)
            initializer = tf.lookup.TextFileInitializer(
                path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            return tf.lookup.StaticHashTable(initializer, -1).lookup(x)

        return spec_with(looked_up, [None], tf.string)

    modules = [hub.Module(spec(lines, str(i))) for i, lines in enumerate([["a", "b"], ["b", "a"]])]
    assert np.array(evaluate([module(["a", "b"]) for module in modules])).tolist() == [[0, 1], [1, 0]]


def test_variables_are_trained_only_when_asked():
    fixed, free = hub.Module(scaling_spec(), name="fixed"), hub.Module(scaling_spec(), True, "free")
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(free(fixed(ROWS))))
    with started_session() as session:
        session.run(step)
        assert session.run(fixed.variables)[0].tolist() == [2.0, 2.0, 2.0]
        np.testing.assert_allclose(session.run(free.variables)[0], 2 - 0.1 * 2 * ROWS.sum(axis=0), rtol=1e-6)


def test_an_asset_read_by_the_graph():
    assert evaluate(hub.Module(spec_of("asset_read_by_the_graph"))()) == b"line one\nline two\n"


def test_assets_of_nested_modules_are_shared_in_the_collection(tmp_path):
    path = export(spec_of("nested_with_assets"), tmp_path / "module")
    hub.Module(path)
    found = {evaluate(tensor).decode() for tensor in tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)}
    assert found == {f"{path}/assets/tokens.txt"}
