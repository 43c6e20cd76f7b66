"""What does not fit a loaded module is refused with what is there instead."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import loaded
from tests.graphs import ROWS, published
from tf1hub.errors import (
    CheckpointError,
    InputError,
    MissingCheckpointError,
    MissingModuleError,
    ModuleExistsError,
    SignatureError,
    TagsError,
    UnsupportedHandleError,
    WrongGraphError,
)

FLOATS = r"should be a float32 tensor of shape \(None, 3\), but got "


def test_an_unknown_signature():
    with pytest.raises(SignatureError, match=r"no signature 'nope'.* It has: 'add', 'default', 'full-projection'"):
        loaded("several_signatures")(ROWS, signature="nope")


def test_an_unknown_output():
    with pytest.raises(InputError, match=r"no output \['nope'\]. It has: \['default', 'first', 'hidden', 'second'\]"):
        loaded("several_outputs")(ROWS, outputs=["hidden", "nope"])


def test_a_signature_without_an_output_called_default():
    with pytest.raises(InputError, match=r"no output called 'default'.*as_dict=True.*\['out put'\]"):
        loaded("odd_keys")({"a b": [1.0, 2.0]}, signature="Image.features-2_x")


@pytest.mark.parametrize("choice", ["tags", "training_tags"])
def test_unknown_tags(choice):
    with pytest.raises(
        TagsError, match=r"no graph variant with the tags \['gpu'\]. Its variants have the tags: \[\], \['train'\]"
    ):
        loaded("batch_norm", **{choice: {"gpu"}})


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (tf.constant([[1, 2, 3]]), r"a EagerTensor of int32 and shape \(1, 3\)"),
        ([["a", "b", "c"]], r"list \[\['a', 'b', 'c'\]\]"),
        (np.ones([2, 5]), r"a EagerTensor of float32 and shape \(2, 5\)"),
        (np.ones([3]), r"a EagerTensor of float32 and shape \(3,\)"),
        (tf.sparse.from_dense(ROWS), r"a SparseTensor of float32 and shape \(2, 3\)"),
    ],
    ids=["dtype", "text", "shape", "rank", "sparse"],
)
def test_a_value_that_the_signature_does_not_take(value, got):
    with pytest.raises(InputError, match="'default' of the signature 'default' " + FLOATS + got):
        loaded("dense")(value)


def test_the_same_in_a_function():
    module = loaded("dense")
    with pytest.raises(InputError, match=FLOATS):
        tf.function(lambda x: module(x))(np.ones([2, 5], np.float32))

    @tf.function
    def converted_by_autograph(x):
        return module(x) if tf.reduce_sum(x) > 0 else x

    with pytest.raises(InputError, match=FLOATS):
        converted_by_autograph(np.ones([2, 5], np.float32))


def test_names_that_do_not_fit():
    with pytest.raises(InputError, match=r"missing \['default'\], not known \['x'\]. It takes: 'default': a float32"):
        loaded("dense")({"x": ROWS})
    with pytest.raises(InputError, match=r"takes 2 inputs; pass a dict with them: 'a': .*'b': "):
        loaded("several_signatures")(ROWS, signature="add")
    with pytest.raises(InputError, match="takes no inputs"):
        loaded("no_inputs")(1.0)
    with pytest.raises(InputError, match=r"missing \['default'\]"):
        loaded("dense")()


def test_a_dense_value_for_a_sparse_input():
    with pytest.raises(InputError, match=r"should be a sparse float32 tensor of shape \(None, 4\), but got a ndarray"):
        loaded("sparse_in")(np.ones([3, 4], np.float32))


def test_paths_that_hold_no_module(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, found in [
        (tmp_path / "missing", "no directory"),
        (tmp_path, "holds neither"),
        (tmp_path / "file", "holds"),
    ]:
        with pytest.raises(MissingModuleError, match=found):
            hub.load(path)
        with pytest.raises(tf.errors.NotFoundError):
            hub.load(path)


def test_handles_that_are_no_paths():
    with pytest.raises(UnsupportedHandleError, match=r"web address.*Download"):
        hub.load("https://tfhub.dev/google/elmo/3")
    for handle in [None, 5, loaded("dense")]:
        with pytest.raises(TypeError, match="A handle is a path; this is"):
            hub.load(handle)


def test_a_graph_of_tensorflow_1():
    module = loaded("regularized")
    with tf.Graph().as_default():
        for use in [
            lambda: loaded("dense"),
            lambda: module(ROWS),
            lambda: module.signatures["default"],
            lambda: module.regularization_losses[0](),
            lambda: tf.function(lambda x: module(x), autograph=False)(tf.ones([1, 3])),
        ]:
            with pytest.raises(WrongGraphError, match=r"hub\.Module"):
                use()
    assert module(ROWS).shape == (2, 2)
    assert module.signatures["default"](ROWS)["default"].shape == (2, 2)


def test_a_checkpoint_that_lacks_variables_of_the_training_variant():
    with pytest.raises(CheckpointError, match=r"lacks the variable 'training_only'\n.*training_tags=\[\]"):
        loaded("variant_that_lacks_variables")
    assert loaded("variant_that_lacks_variables", training_tags=[])(ROWS).shape == (2, 3)


def test_a_module_whose_checkpoint_is_missing(tmp_path):
    shutil.copytree(published("dense"), tmp_path / "module")
    shutil.rmtree(tmp_path / "module" / "variables")
    with pytest.raises(MissingCheckpointError, match="the module's graph has 2 variables"):
        hub.load(tmp_path / "module")


def test_an_export_over_another_model(tmp_path):
    module = loaded("dense")
    tf.saved_model.save(tf.Module(), str(tmp_path / "saved"))
    for path in [published("text"), tmp_path / "saved"]:
        with pytest.raises(ModuleExistsError, match="already"):
            module.export(path)
    assert hub.load(published("text"))(["the cat"]).shape == (1, 3)


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    module = loaded("dense")
    monkeypatch.setattr(module.variables[1], "numpy", lambda: 1 / 0, raising=False)
    with pytest.raises(ZeroDivisionError):
        module.export(tmp_path / "module")
    assert list(tmp_path.iterdir()) == []
