"""The directory of a converted module: it can be moved, holds nothing of this machine, and replaces nothing."""

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import converted, example, graph_answers, load
from tests.graphs import exported_bytes, published
from tests.module_fns import KINDS
from tests.programs import run_program
from tf1hub.consuming.loaded.loading import load as load_module
from tf1hub.converting.saved_models import conversion
from tf1hub.converting.saved_models.conversion import to_saved_model
from tf1hub.format import protos

# No tf1hub there.
READER = """
import json, os, sys
import numpy as np
import tensorflow as tf
for kind, inputs in json.loads(sys.argv[2]).items():
    model = tf.saved_model.load(os.path.join(sys.argv[1], kind))
    outputs = model.signatures["default"](**{key: tf.constant(value) for key, value in inputs.items()})
    again = model(tf.constant(next(iter(inputs.values())))) if inputs else model()
    assert np.array_equal(again, outputs["default"])
    assert "tf1hub" not in sys.modules
    values = {key: np.asarray(value).tolist() for key, value in outputs.items()}
    print(json.dumps(values, default=bytes.decode))
"""


def test_it_is_moved_and_the_original_deleted(tmp_path):
    kinds = ["text", "two_vocabularies", "asset_read_by_the_graph"]
    for kind in kinds:
        shutil.copytree(published(kind), tmp_path / "modules" / kind)
        to_saved_model(tmp_path / "modules" / kind, tmp_path / "written" / kind)
    shutil.rmtree(tmp_path / "modules")
    shutil.move(tmp_path / "written", tmp_path / "moved")
    inputs = {kind: KINDS[kind].inputs["default"] for kind in kinds}
    printed = run_program(READER, str(tmp_path / "moved"), json.dumps(inputs)).splitlines()[-3:]
    for kind, line in zip(kinds, printed, strict=True):
        for key, value in graph_answers(kind, "default").items():
            expected = value.decode() if isinstance(value, bytes) else value
            np.testing.assert_array_equal(np.array(json.loads(line)[key], getattr(value, "dtype", None)), expected)


def test_assets_of_one_name_are_two_files():
    names = sorted(path.name for path in Path(converted("two_vocabularies"), "assets").iterdir())
    assert len(names) == 2


@pytest.mark.parametrize("kind", ["text", "layers_conv_batch_norm", "asset_read_by_the_graph", "odd_keys"])
def test_nothing_of_this_machine_is_in_it(kind):
    module, repository = published(kind), str(Path(__file__).parents[3])
    for name, content in exported_bytes(converted(kind)).items():
        assert module.encode() not in content, name
        assert repository.encode() not in content, name


def test_a_server_sees_the_inputs_own_names():
    saved_model = protos.SavedModel.FromString(Path(converted("odd_keys"), "saved_model.pb").read_bytes())
    signatures = saved_model.meta_graphs[0].signature_def
    assert set(signatures["default"].inputs) == set(signatures["serving_default"].inputs) == {"$", "a/b", "0"}
    assert set(signatures["Image.features-2_x"].inputs) == {"a b"}


def test_the_fingerprint_is_that_of_the_file_as_it_is(tmp_path):
    shutil.copytree(converted("odd_keys"), tmp_path / "copy")
    fingerprint = tf.saved_model.experimental.read_fingerprint(converted("odd_keys")).saved_model_checksum
    conversion.write_input_names(str(tmp_path / "copy"), {"default": {"$": "€"}})
    assert fingerprint
    assert tf.saved_model.experimental.read_fingerprint(str(tmp_path / "copy")).saved_model_checksum != fingerprint


@pytest.mark.parametrize("kind", ["module", "saved_model", "file"])
def test_nothing_that_is_there_is_replaced(kind, tmp_path):
    if kind == "file":
        (tmp_path / "out").write_text("mine")
    else:
        shutil.copytree(published("dense") if kind == "module" else converted("dense"), tmp_path / "out")
    before = exported_bytes(tmp_path)
    with pytest.raises(tf.errors.AlreadyExistsError, match="out"):
        to_saved_model(published("dense"), tmp_path / "out")
    assert exported_bytes(tmp_path) == before


def test_other_files_beside_it_stay(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("mine")
    to_saved_model(published("dense"), tmp_path / "out")
    assert (tmp_path / "out" / "README.md").read_text() == "mine"
    tf.saved_model.load(str(tmp_path / "out"))(example("dense"))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_nothing_is_left_of_one_that_fails(error, tmp_path, monkeypatch):
    def failing(*arguments, **options):
        (Path(arguments[1]) / "saved_model.pb").write_bytes(b"half")
        raise error

    monkeypatch.setattr(tf.saved_model, "save", failing)
    with pytest.raises(error):
        to_saved_model(published("dense"), tmp_path / "new" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_os_error(tmp_path, monkeypatch):
    def failing(*arguments, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", failing)
    with pytest.raises(OSError, match="No space left on device; nothing was written"):
        to_saved_model(published("dense"), tmp_path / "out")


def test_a_remote_path(tmp_path):
    path = f"ram://{tmp_path.name}/out"
    to_saved_model(published("text"), path)
    model = tf.saved_model.load(path)
    np.testing.assert_allclose(model(example("text")), load("text")(example("text")))
    with pytest.raises(tf.errors.AlreadyExistsError):
        to_saved_model(published("text"), path)


REFUSED = {
    "a signature that it lacks": ({"signature": "features"}, hub.errors.SignatureError, "no signature 'features'"),
    "tags that it lacks": ({"tags": {"gpu"}}, hub.errors.TagsError, r"no graph variant with the tags \['gpu'\]"),
    "training tags": ({"training_tags": {"gpu"}}, hub.errors.TagsError, r"no graph variant with the tags \['gpu'\]"),
    "tags as a text": ({"tags": "train"}, hub.errors.TagsError, "Tags are a set of strings"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_module_lacks_is_named(what, tmp_path):
    options, error, message = REFUSED[what]
    with pytest.raises(error, match=message):
        to_saved_model(published("dense"), tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_module_has_the_tags_that_it_was_loaded_with(tmp_path):
    module = load_module(published("batch_norm"))
    to_saved_model(module, tmp_path / "same", tags=set(), training_tags={"train"})
    with pytest.raises(hub.errors.TagsError, match=r"`tags` is \['train'\], and the module was loaded with \[\]"):
        to_saved_model(module, tmp_path / "out", tags={"train"})


def test_what_is_no_module_is_refused(tmp_path):
    with pytest.raises(hub.errors.MissingModuleError, match="plain SavedModel"):
        to_saved_model(converted("dense"), tmp_path / "out")
    with pytest.raises(hub.errors.SpecTypeError, match="this is Module"):
        to_saved_model(tf.Module(), tmp_path / "out")
    with pytest.raises(hub.errors.MissingModuleError, match="no directory"):
        to_saved_model(tmp_path / "nothing", tmp_path / "out")


def test_a_graph_of_tensorflow_1_is_no_place_for_it(tmp_path):
    with tf.Graph().as_default(), pytest.raises(hub.errors.WrongGraphError, match="eager execution"):
        to_saved_model(published("dense"), tmp_path / "out")


def test_threads_convert_at_the_same_time(tmp_path):
    module = load_module(published("text"))
    threads = [threading.Thread(target=to_saved_model, args=(module, tmp_path / str(i))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        model = tf.saved_model.load(str(tmp_path / str(i)))
        np.testing.assert_allclose(model(example("text")), module(example("text")))
