"""A module on disk that cannot be used is refused by an error that names the thing and the way out."""

from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import (
    ROWS,
    edited_saved_model,
    evaluate,
    export,
    op_types,
    outputs_of,
    scaling_spec,
    spec_of,
    started_session,
)
from tf1hub.format import protos
from tf1hub.tensorflow_private import is_registered


@pytest.fixture
def path(tmp_path):
    return export(scaling_spec(), tmp_path / "module")


@pytest.fixture
def text_path(tmp_path):
    return export(spec_of("text"), tmp_path / "text")


def write_marker(path, **fields):
    Path(path, "tfhub_module.pb").write_bytes(protos.ModuleDef(**fields).SerializeToString())


def test_an_asset_file_that_is_missing(text_path):
    asset = Path(text_path, "assets", "tokens.txt")
    asset.unlink()
    with pytest.raises(OSError, match=rf"The asset '{asset}' does not exist.*put the file back") as caught:
        hub.Module(text_path)
    assert isinstance(caught.value, tf.errors.NotFoundError)
    assert op_types() == []


def test_an_asset_file_that_is_missing_at_the_export(tmp_path, text_path):
    hub.Module(text_path)
    module = hub.Module(text_path)
    with started_session() as session:
        Path(text_path, "assets", "tokens.txt").unlink()
        with pytest.raises(OSError, match=r"The asset '.*tokens.txt' does not exist"):
            module.export(tmp_path / "again", session)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "a/../../b", "..\\b", "C:/b", "a\0b", ""])
def test_an_asset_that_leads_out_of_its_folder(text_path, name):
    with edited_saved_model(text_path) as saved_model:
        listed = saved_model.meta_graphs[0].collection_def["saved_model_assets"].any_list.value[0]
        asset = protos.AssetFileDef.FromString(listed.value)
        asset.filename = name
        listed.value = asset.SerializeToString()
    with pytest.raises(
        ValueError, match=r"lists an asset .*, which leads out of its assets/ folder. Do not use"
    ) as caught:
        hub.Module(text_path)
    assert repr(name) in str(caught.value)


def rename_op(path, op, new):
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            if node.op == op:
                node.op = new


@pytest.mark.parametrize(
    ("op", "library"),
    [
        ("SentencepieceOp", "pip install tensorflow-text"),
        ("SentencepieceTokenizeOp", "tensorflow_text"),
        ("WordpieceTokenizeWithOffsets", "tensorflow_text"),
        ("Addons>Gelu", "tensorflow_addons"),
        ("SkipGramGenerateCandidates", "tf.contrib.*tensorflow-addons"),
        ("TRTEngineOp", "TensorRT"),
        ("IO>KafkaReadableInit", "tensorflow_io"),
        ("HorovodAllreduce", "horovod"),
        ("MyVeryOwnOp", r"a custom op.*`tf.load_op_library`"),
    ],
)
def test_an_op_that_is_not_registered_is_named_with_its_library(path, op, library):
    rename_op(path, "Mul", op)
    if is_registered(op):
        pytest.skip(f"this TensorFlow has {op}")
    module = hub.Module(path)
    message = rf"(?s)TensorFlow {tf.__version__} does not know:\s+{op} \(node 'Mul'\): .*({library}).*Load the library"
    with pytest.raises(ValueError, match=message):
        module(ROWS)


def test_a_state_op_that_is_not_registered_is_named(path):
    rename_op(path, "VarHandleOp", "MyVeryOwnTable")
    with pytest.raises(ValueError, match=r"MyVeryOwnTable \(node 'w'\): a custom op"):
        hub.Module(path)


def test_an_op_that_is_not_registered_within_a_function(tmp_path):
    path = export(spec_of("defun"), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        for function in saved_model.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                node.op = "MyVeryOwnOp" if node.op == "Mul" else node.op
    module = hub.Module(path)
    with pytest.raises(ValueError, match=r"MyVeryOwnOp \(node '\w+'\): a custom op"):
        module(ROWS)


def test_an_op_that_no_answer_needs_may_be_missing(path):
    with edited_saved_model(path) as saved_model:
        saved_model.meta_graphs[0].graph_def.node.add(name="unused", op="MyVeryOwnOp")
    assert outputs_of(path, ROWS).tolist() == (2 * ROWS).tolist()


def test_a_node_without_its_input_is_named(path):
    with edited_saved_model(path) as saved_model:
        next(node for node in saved_model.meta_graphs[0].graph_def.node if node.op == "Mul").input[0] = "gone"
    module = hub.Module(path)
    with pytest.raises(ValueError, match=r"no node 'gone'.*The module is damaged"):
        module(ROWS)


def test_a_directory_that_does_not_exist(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"no directory '.*nothing'. Check the path") as caught:
        hub.Module(str(tmp_path / "nothing"))
    assert isinstance(caught.value, OSError)


def test_a_directory_without_a_marker(path):
    Path(path, "tfhub_module.pb").unlink()
    message = r"holds no tfhub_module.pb, so it is a plain SavedModel.*`hub.create_module_spec_from_saved_model`"
    with pytest.raises(tf.errors.NotFoundError, match=message):
        hub.Module(path)


def test_an_empty_directory(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"holds no tfhub_module.pb, so it is no TF1 Hub module"):
        hub.load_module_spec(tmp_path)


def test_a_file_in_place_of_a_directory(tmp_path):
    (tmp_path / "m.tar.gz").write_bytes(b"")
    with pytest.raises(OSError, match=r"m.tar.gz' is a file. A module is a directory: unpack an archive first"):
        hub.load_module_spec(tmp_path / "m.tar.gz")


@pytest.mark.parametrize("version", [0, 1, 2, 4, 99])
def test_an_unknown_format_number(path, version):
    write_marker(path, format=version)
    with pytest.raises(
        ValueError, match=rf"tfhub_module.pb' says format {version}; this version of tf1hub reads format 3"
    ):
        hub.Module(path)


def test_unknown_required_features(path):
    write_marker(path, format=3, required_features=["quantum", "magic"])
    with pytest.raises(ValueError, match=r"requires features .*\['magic', 'quantum'\]. A newer version may"):
        hub.Module(path)


def test_a_marker_that_is_no_message(path):
    Path(path, "tfhub_module.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=r"tfhub_module.pb' .*Fetch the module again"):
        hub.Module(path)


@pytest.mark.parametrize("length", [0, 1, 10, 100, -1])
def test_a_truncated_saved_model(path, length):
    file = Path(path, "saved_model.pb")
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"saved_model.pb' .*Fetch the module again") as caught:
        hub.Module(path)
    assert isinstance(caught.value, OSError)


def test_a_saved_model_that_is_gone(path):
    Path(path, "saved_model.pb").unlink()
    with pytest.raises(tf.errors.NotFoundError, match=r"holds no saved_model.pb. Fetch the module again"):
        hub.Module(path)


def write_checkpoint(path, **variables):
    with tf.Graph().as_default():
        saver = tf.train.Saver([tf.get_variable(name, shape) for name, shape in variables.items()])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            saver.save(session, str(Path(path, "variables", "variables")), write_meta_graph=False, write_state=False)


def test_a_checkpoint_that_lacks_a_variable(path):
    write_checkpoint(path, ww=[3], other=[1])
    with pytest.raises(
        ValueError, match=r"(?s)checkpoint '.*' does not fit.*lacks the variable 'w'; close names: \['ww'\]"
    ):
        hub.Module(path)
    assert op_types() == []


def test_a_checkpoint_with_another_shape_names_both(path):
    write_checkpoint(path, w=[4, 2])
    with pytest.raises(ValueError, match=r"variable 'w' has the shape \[4, 2\], the graph's has \[3\]"):
        hub.Module(path)


@pytest.mark.parametrize("name", ["variables.index", "variables.data-00000-of-00001"])
def test_a_checkpoint_file_that_is_gone(path, name):
    Path(path, "variables", name).unlink()
    with pytest.raises((OSError, tf.errors.NotFoundError), match="variables"):
        evaluate(hub.Module(path)(ROWS))


def test_a_variant_whose_variables_are_not_on_disk(tmp_path):
    path = export(spec_of("variant_that_lacks_variables"), tmp_path / "module")
    with pytest.raises(ValueError, match="lacks the variable 'training_only'"):
        hub.Module(path, tags={"train"})


def test_after_a_refused_module_another_one_can_be_made(tmp_path):
    path = export(spec_of("variant_that_lacks_variables"), tmp_path / "module")
    with pytest.raises(ValueError, match="lacks the variable"):
        hub.Module(path, tags={"train"})
    assert hub.Module(path).variable_map.keys() == {"w"}


def test_an_export_over_a_module(path):
    before = Path(path, "saved_model.pb").read_bytes()
    module = hub.Module(path)
    with started_session() as session, pytest.raises(tf.errors.AlreadyExistsError) as caught:
        module.export(path, session)
    assert isinstance(caught.value, FileExistsError)
    assert path in str(caught.value)
    assert Path(path, "saved_model.pb").read_bytes() == before
