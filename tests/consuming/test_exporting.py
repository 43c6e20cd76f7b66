"""Exporting a module with the values of a session, and instantiating what was exported."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import (
    ROWS,
    edited_saved_model,
    evaluate,
    export,
    exported_bytes,
    op_types,
    outputs_of,
    scaling_spec,
    spec_of,
    spec_with,
    started_session,
)
from tests.module_fns import KINDS, as_tensors, assign_values
from tests.module_fns.registry import control_flow_v2
from tf1hub.format import protos

FILES = {"saved_model.pb", "tfhub_module.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"}


def exported_kinds():
    slow = {"slim", "layers_conv_batch_norm"}
    return [name for name, kind in KINDS.items() if kind.available() and name not in slow]


@pytest.fixture
def module():
    return hub.Module(scaling_spec(), trainable=True)


def test_a_module_is_exported_to_a_new_path(module, tmp_path):
    with started_session() as session:
        module.variables[0].load([1.0, 2.0, 3.0], session)
        assert module.export(tmp_path / "new" / "module", session) is None
    assert exported_bytes(tmp_path / "new" / "module").keys() == FILES
    np.testing.assert_allclose(outputs_of(str(tmp_path / "new" / "module"), ROWS), ROWS * [1, 2, 3])


def test_the_session_is_passed_by_keyword_and_the_path_as_text(module, tmp_path):
    with started_session() as session:
        module.export(path=str(tmp_path / "module"), session=session)
    assert exported_bytes(tmp_path / "module").keys() == FILES


def test_a_module_without_variables_has_no_checkpoint(tmp_path):
    path = export(spec_with(lambda x: x * 2.0), tmp_path / "module")
    assert exported_bytes(path).keys() == {"saved_model.pb", "tfhub_module.pb"}
    assert outputs_of(path, ROWS).tolist() == (2 * ROWS).tolist()


@pytest.mark.parametrize("session_class", [tf.train.MonitoredSession, tf.train.SingularMonitoredSession])
def test_a_monitored_session_exports(session_class, module, tmp_path):
    ran = []

    class Hook(tf.train.SessionRunHook):
        def before_run(self, context):
            ran.append(context.original_args.fetches)

    with session_class(hooks=[Hook()]) as session:
        module.export(tmp_path / "module", session)
    assert ran == []
    np.testing.assert_allclose(outputs_of(str(tmp_path / "module"), ROWS), 2 * ROWS)


def test_a_finalised_graph_is_exported_and_nothing_is_added(module, graph, tmp_path):
    with started_session() as session:
        graph.finalize()
        before = graph.version
        module.export(tmp_path / "module", session)
        module.export(tmp_path / "again", session)
    assert graph.version == before
    assert exported_bytes(tmp_path / "module") == exported_bytes(tmp_path / "again")


def test_uninitialised_variables_are_refused_and_nothing_is_left(module, tmp_path):
    with (
        tf.Session() as session,
        pytest.raises(tf.errors.FailedPreconditionError, match="Run its initializer") as caught,
    ):
        module.export(tmp_path / "module", session)
    assert "module/w" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_module_goes_into_an_empty_directory(module, tmp_path):
    (tmp_path / "module").mkdir()
    with started_session() as session:
        module.export(tmp_path / "module", session)
    assert exported_bytes(tmp_path).keys() == {f"module/{name}" for name in FILES}


def test_a_module_goes_into_a_directory_with_other_files(module, tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "README.md").write_text("mine")
    with started_session() as session:
        module.export(tmp_path / "module", session)
    found = exported_bytes(tmp_path)
    assert found.keys() == {f"module/{name}" for name in FILES | {"README.md"}}
    assert found["module/README.md"] == b"mine"


def test_a_failed_export_leaves_other_files_alone(module, tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "README.md").write_text("mine")
    with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError):
        module.export(tmp_path / "module", session)
    assert exported_bytes(tmp_path) == {"module/README.md": b"mine"}


def test_a_module_over_a_module_is_refused(module, tmp_path):
    with started_session() as session:
        module.export(tmp_path / "module", session)
        before = exported_bytes(tmp_path)
        with pytest.raises(tf.errors.AlreadyExistsError):
            module.export(tmp_path / "module", session)
    assert exported_bytes(tmp_path) == before


def test_a_module_over_a_file_is_refused(module, tmp_path):
    (tmp_path / "module").write_bytes(b"mine")
    with started_session() as session, pytest.raises(OSError, match="module"):
        module.export(tmp_path / "module", session)
    assert exported_bytes(tmp_path) == {"module": b"mine"}


@pytest.mark.parametrize("kind", ["text", "two_vocabularies", "asset_read_by_the_graph", "nested_with_assets", "dense"])
def test_a_moved_module_works_at_its_new_place(kind, tmp_path):
    path = export(spec_of(kind), tmp_path / "first", values=True)
    inputs = as_tensors(KINDS[kind].inputs["default"]) or None
    with tf.Graph().as_default():
        before = evaluate(hub.Module(path)(KINDS[kind].inputs["default"] or None))
    shutil.move(path, tmp_path / "second" / "place")
    np.testing.assert_array_equal(evaluate(hub.Module(tmp_path / "second" / "place")(inputs)), before)


def test_a_relative_path_stays_right_when_the_working_directory_changes(tmp_path, monkeypatch):
    export(spec_of("text"), tmp_path / "module")
    monkeypatch.chdir(tmp_path)
    module = hub.Module("module")
    monkeypatch.chdir("/")
    assert evaluate(module(["the cat"])).shape == (1, 3)


SECRETS = [b"device:", b"CPU:", b"GPU:", b"job:", b"localhost", b"/tmp", b"tf1hub-module-fns", b"secret-place"]
HERE = "/job:localhost/replica:0/task:0/device:CPU:0"


@pytest.mark.parametrize("kind", exported_kinds())
@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")
def test_nothing_of_the_publishers_machine_is_in_any_byte(kind, tmp_path):
    path = tmp_path / "some-secret-place" / "module"
    with tf.device(HERE):
        module = hub.Module(KINDS[kind].spec(hub), tags=KINDS[kind].exported)
    with started_session() as session:
        module.export(path, session)
    assert secrets_in(path) == []


def secrets_in(path):
    """The pieces of exported bytes that speak of this machine."""
    files = [data for name, data in exported_bytes(path).items() if not name.startswith("assets/")]
    return [data[data.find(s) - 40 : data.find(s) + 40] for data in files for s in SECRETS if s in data]


def test_a_path_that_the_predecessor_left_in_a_table_is_not_exported_again(tmp_path):
    first = export(spec_of("text"), tmp_path / "first", values=True)
    with edited_saved_model(first) as saved_model:
        tables = [node for node in saved_model.meta_graphs[0].graph_def.node if "HashTable" in node.op]
        for table in tables:
            table.attr["shared_name"].s = b"hash_table_/tmp/secret-place/tokens.txt_-2_-1"
    assert secrets_in(first) != [] != tables
    second = export(first, tmp_path / "second")
    assert secrets_in(second) == []
    assert outputs_of(second, ["the cat"]).tolist() == outputs_of(first, ["the cat"]).tolist()


def test_devices_within_a_module_fn_are_not_exported(tmp_path):
    def on_this_machine(x):
        with tf.device(HERE):
            w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
            with control_flow_v2():
                return tf.cond(tf.reduce_sum(x) > 0, lambda: x * w, lambda: tf.function(lambda x: x + 1.0)(x))

    spec = spec_with(on_this_machine)
    assert HERE in {node.device for node in spec.variant().meta_graph.graph_def.node}
    path = export(spec, tmp_path / "secret-place")
    assert secrets_in(path) == []
    saved_model = protos.SavedModel.FromString(Path(path, "saved_model.pb").read_bytes())
    assert {node.device for node in saved_model.meta_graphs[0].graph_def.node} == {""}
    assert {
        d for f in saved_model.meta_graphs[0].graph_def.library.function for d in [n.device for n in f.node_def]
    } == {""}


def test_assets_of_nested_modules_go_along_once_each(tmp_path):
    path = export(spec_of("nested_with_assets"), tmp_path / "module")
    assert {name for name in exported_bytes(path) if name.startswith("assets/")} == {"assets/tokens.txt"}
    path = export(spec_of("two_vocabularies"), tmp_path / "two")
    assert {name for name in exported_bytes(path) if name.startswith("assets/")} == {
        "assets/words.txt",
        "assets/words_1.txt",
    }


@pytest.mark.parametrize("kind", ["dense", "reference_variables", "partitioned_rows", "text", "batch_norm"])
def test_a_tuned_module_is_exported_and_the_first_one_stays(kind, tmp_path):
    first = export(spec_of(kind), tmp_path / "first", values=True)
    untouched = exported_bytes(first)
    inputs = KINDS[kind].inputs["default"]
    before = outputs_of(first, inputs["default"])
    module = hub.Module(first, trainable=True)
    loss = tf.reduce_sum(tf.square(module(as_tensors(inputs))))
    step = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    with started_session() as session:
        session.run(step)
        tuned = session.run(module(as_tensors(inputs)))
        module.export(tmp_path / "second", session)
    np.testing.assert_allclose(outputs_of(str(tmp_path / "second"), inputs["default"]), tuned, rtol=1e-5, atol=1e-6)
    assert np.abs(tuned - before).max() > 1e-4
    assert exported_bytes(first) == untouched
    assert outputs_of(first, inputs["default"]).tolist() == before.tolist()


@pytest.mark.parametrize("kind", ["dense", "reference_variables", "partitioned_rows", "variables_of_all_types"])
def test_one_restore_op_brings_all_values(kind, tmp_path):
    path = export(spec_of(kind), tmp_path / "module", values=True)
    module = hub.Module(path)
    assert op_types().count("RestoreV2") == 1
    restore = next(op for op in tf.get_default_graph().get_operations() if op.type == "RestoreV2")
    assert len(restore.outputs) == len(module.variables)
    module(as_tensors(KINDS[kind].inputs["default"]) or None, as_dict=True)
    assert op_types().count("RestoreV2") == 1


def test_a_module_of_a_spec_restores_nothing():
    hub.Module(spec_of("dense"))
    assert "RestoreV2" not in op_types()


def test_what_a_module_from_disk_adds_to_a_graph(tmp_path):
    path = export(spec_of("dense"), tmp_path / "module")
    hub.Module(path)
    assert sorted(op_types()) == sorted(
        ["Const"] * 3 + ["RestoreV2"] + ["VarHandleOp", "AssignVariableOp", "ReadVariableOp"] * 2
    )


def test_initializers_of_a_module_from_disk_may_run_again(tmp_path):
    path = export(spec_of("dense"), tmp_path / "module", values=True)
    module = hub.Module(path)
    with started_session() as session:
        before = session.run(module.variables)
        module.variables[0].load(np.zeros_like(before[0]), session)
        session.run(tf.global_variables_initializer())
        for one, other in zip(session.run(module.variables), before, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("exported", [set(), {"train"}])
def test_the_variables_of_the_exported_variant_are_written(exported, tmp_path):
    path = export(spec_of("variant_that_lacks_variables"), tmp_path / "module", tags=exported)
    stored = {name for name, _ in tf.train.list_variables(f"{path}/variables/variables")}
    assert stored == ({"w", "training_only"} if exported else {"w"})
    assert hub.load_module_spec(path).get_tags() == [frozenset(), frozenset({"train"})]


def test_values_of_all_types_survive(tmp_path):
    module = hub.Module(spec_of("variables_of_all_types"))
    with started_session() as session:
        assign_values(module, session)
        before = session.run(module(as_dict=True))
        module.export(tmp_path / "module", session)
    after = evaluate(hub.Module(tmp_path / "module", name="again")(as_dict=True))
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


def test_attached_messages_survive(tmp_path):
    path = export(spec_of("attached_messages"), tmp_path / "module")
    for asked in (hub.load_module_spec(path), hub.Module(path)):
        assert list(asked.get_attached_message("numbers", tf.train.Int64List).value) == [1, 2, 3]
        assert list(asked.get_attached_message("words", tf.train.BytesList).value) == [b"a", b"\xff\x00"]
        assert asked.get_attached_message("nothing", tf.train.BytesList) is None
        with pytest.raises(KeyError, match=r"'nothing' .*; there are \['numbers', 'words'\]"):
            asked.get_attached_message("nothing", tf.train.BytesList, required=True)
