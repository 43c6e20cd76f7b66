"""Exporting a module while Keras trains it: with Keras 3, tf_keras, and the Keras of TensorFlow 2.15."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.graphs import outputs_of, scaling_spec, spec_of
from tests.kerases import KERASES, for_each_keras
from tests.programs import run_program
from tests.training.exports.trained import scale_of

pytestmark = pytest.mark.filterwarnings("ignore:The module has no variant with the tag 'train'")

ROWS, ZEROS = np.ones([4, 3], np.float32), np.zeros([4, 3], np.float32)


@pytest.fixture
def module():
    """Scales rows of three by 2."""
    return hub.load(scaling_spec())


def model_of(keras):
    """A model of the module that scales, to learn to give zeros, and its layer."""
    layer = hub.KerasLayer(scaling_spec(), trainable=True, keras=keras)
    model = keras.Sequential([keras.Input([3]), layer])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    return model, layer


def fit(model, *callbacks, epochs=3):
    options = {"validation_data": (ROWS, ZEROS), "verbose": 0, "callbacks": callbacks}
    return model.fit(ROWS, ZEROS, batch_size=4, epochs=epochs, **options).history


def scales_in(folder):
    """What the exported modules scale by, the oldest first."""
    return [scale_of(path) for path in sorted(Path(folder).glob("[0-9]*"))]


@for_each_keras
def test_the_module_is_exported_after_each_epoch(keras, tmp_path):
    model, layer = model_of(keras)
    scales = []
    observer = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: scales.append(layer.get_weights()[0][0]))
    fit(model, hub.ModuleExportCallback(layer, tmp_path), observer)
    assert scales_in(tmp_path) == scales
    assert len(set(scales)) == 3
    assert all(hub.verify(path).is_sound for path in tmp_path.iterdir())
    assert all(len(name) == 10 and name.isdigit() for name in os.listdir(tmp_path))


@for_each_keras
def test_what_was_loaded_is_exported_while_a_model_uses_it(keras, module, tmp_path):
    model = keras.Sequential([keras.Input([3]), hub.KerasLayer(module, trainable=True, keras=keras)])
    model.compile("sgd", "mse")
    fit(model, hub.ModuleExportCallback(module, tmp_path), epochs=1)
    assert scales_in(tmp_path) == [module.variables[0].numpy()[0]] != [2.0]


def test_one_callback_serves_every_keras(module, tmp_path):
    callback = hub.ModuleExportCallback(module, tmp_path)
    for keras in KERASES.values():
        fit(model_of(keras)[0], callback, epochs=1)
    assert len(scales_in(tmp_path)) == len(KERASES)


@for_each_keras
def test_evaluating_and_predicting_export_nothing(keras, tmp_path):
    model, layer = model_of(keras)
    callback = hub.ModuleExportCallback(layer, tmp_path)
    model.evaluate(ROWS, ZEROS, verbose=0, callbacks=[callback])
    model.predict(ROWS, verbose=0, callbacks=[callback])
    assert not list(tmp_path.iterdir())


@for_each_keras
def test_only_epochs_with_the_best_result_are_exported(keras, tmp_path):
    model, layer = model_of(keras)
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, _: [0.5, -0.2, 1.0][epoch])  # it gets worse, then best
    results = fit(model, rates, hub.ModuleExportCallback(layer, tmp_path, save_best_only=True))["val_loss"]
    assert results[1] > results[0] > results[2]
    scales = scales_in(tmp_path)
    assert len(scales) == 2
    assert scales[1] == layer.get_weights()[0][0]
    kept = json.loads((tmp_path / "best_result.json").read_text())
    assert kept == {"metric": "val_loss", "larger_is_better": False, "value": pytest.approx(results[2])}


@for_each_keras
def test_a_training_that_is_run_again_goes_on_from_the_best_result(keras, tmp_path):
    for _ in range(2):
        model, layer = model_of(keras)
        fit(model, hub.ModuleExportCallback(layer, tmp_path, save_best_only=True), epochs=2)
    assert len(scales_in(tmp_path)) == 2
    fit(model, hub.ModuleExportCallback(layer, tmp_path, save_best_only=True), epochs=1)
    assert len(scales_in(tmp_path)) == 3


def test_older_exports_are_removed(module, tmp_path):
    callback = hub.ModuleExportCallback(module, tmp_path, exports_to_keep=2)
    for epoch in range(4):
        module.variables[0].assign([float(epoch)] * 3)
        callback.on_epoch_end(epoch)
    assert scales_in(tmp_path) == [2.0, 3.0]


def exported_epochs(callback, folder, logs):
    """The epochs after which there is another export."""
    found = []
    for epoch, log in enumerate(logs):
        before = len(list(folder.glob("[0-9]*")))
        callback.on_epoch_end(epoch, log)
        found += [epoch] * (len(list(folder.glob("[0-9]*"))) - before)
    return found


@pytest.mark.parametrize(
    ("monitor", "mode", "best"),
    [("val_loss", "auto", [0, 2]), ("val_accuracy", "auto", [0, 1]), ("any", "min", [0, 2]), ("any", "max", [0, 1])],
)
def test_the_direction_follows_from_the_mode_or_the_name(module, tmp_path, monitor, mode, best):
    callback = hub.ModuleExportCallback(module, tmp_path, save_best_only=True, monitor=monitor, mode=mode)
    assert exported_epochs(callback, tmp_path, [{monitor: value} for value in (0.5, 0.7, 0.2)]) == best


METRICS = [
    "accuracy",
    "acc",
    "AUC",
    "Precision",
    "Recall",
    "CosineSimilarity",
    "mse",
    "MeanAbsoluteError",
    "KLDivergence",
]


@pytest.mark.skipif(
    not hasattr(tf.keras, "Operation"), reason="Keras 2 knows less: to it a precision is better when lower"
)
def test_the_direction_is_the_one_that_keras_finds(module, tmp_path):
    model = tf.keras.Sequential([tf.keras.Input([3]), tf.keras.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=METRICS)
    names = [name for name in fit(model, epochs=1) if name.startswith("val_")]
    options = {"save_best_only": True, "save_weights_only": True}
    theirs = {name: tf.keras.callbacks.ModelCheckpoint(tmp_path / ".weights.h5", name, **options) for name in names}
    fit(model, *theirs.values(), epochs=1)
    for name in names:
        callback = hub.ModuleExportCallback(module, tmp_path / name, save_best_only=True, monitor=name)
        larger = exported_epochs(callback, tmp_path / name, [{name: 1.0}, {name: 2.0}]) == [0, 1]
        assert (name, larger) == (name, bool(theirs[name].monitor_op(2.0, 1.0)))


def test_a_name_that_does_not_tell_the_direction_is_refused(module, tmp_path):
    with pytest.raises(ValueError, match=r"'val_quality' does not tell .* Pass mode='max' if it is, and mode='min'"):
        hub.ModuleExportCallback(module, tmp_path, save_best_only=True, monitor="val_quality")
    with pytest.raises(ValueError, match=r"`mode` is 'best'; it must be 'min', 'max' or 'auto'"):
        hub.ModuleExportCallback(module, tmp_path, save_best_only=True, mode="best")


@for_each_keras
def test_an_epoch_without_the_result_is_not_exported_and_that_is_said(keras, tmp_path):
    model, layer = model_of(keras)
    callback = hub.ModuleExportCallback(layer, tmp_path, save_best_only=True, monitor="val_accuracy")
    with pytest.warns(UserWarning, match=r"Epoch 1 has no result 'val_accuracy' .* It has: loss, val_loss\. Pass one"):
        fit(model, callback, epochs=1)
    assert not list(tmp_path.iterdir())


def test_a_result_that_is_not_a_number_is_never_the_best(module, tmp_path):
    callback = hub.ModuleExportCallback(module, tmp_path, save_best_only=True)
    assert exported_epochs(callback, tmp_path, [{"val_loss": value} for value in (math.nan, 1.0, math.nan)]) == [1]


def test_a_result_of_several_numbers_is_refused(module, tmp_path):
    callback = hub.ModuleExportCallback(module, tmp_path, save_best_only=True)
    with pytest.raises(ValueError, match=r"The metric 'val_loss' is .*; the best export is told by one number"):
        callback.on_epoch_end(0, {"val_loss": np.zeros(2)})


@for_each_keras
def test_a_model_is_no_module(keras, tmp_path):
    with pytest.raises(TypeError, match=r"Only a hub\.KerasLayer .* this is Sequential\. Of a model, pass the layer"):
        hub.ModuleExportCallback(model_of(keras)[0], tmp_path)


def test_a_layer_of_another_saved_model_is_refused(tmp_path):
    layer = hub.KerasLayer(lambda x: x)
    with pytest.raises(TypeError, match=r"Only a hub\.KerasLayer of a TF1 Hub module"):
        hub.ModuleExportCallback(layer, tmp_path)


@for_each_keras
def test_an_export_that_cannot_be_written_ends_the_training_or_is_a_warning(keras, tmp_path):
    (tmp_path / "file").touch()
    model, layer = model_of(keras)
    with pytest.raises(OSError, match="file"):
        fit(model, hub.ModuleExportCallback(layer, tmp_path / "file/exports"), epochs=1)
    with pytest.warns(UserWarning, match=r"could not be written, .* Training goes on, since stop_on_error is False"):
        fit(model, hub.ModuleExportCallback(layer, tmp_path / "file/exports", stop_on_error=False), epochs=1)


def test_all_variants_and_variables_that_are_not_trained_are_exported(tmp_path):
    module = hub.load(spec_of("batch_norm"))
    rows = np.random.RandomState(1).normal(size=[8, 3]).astype(np.float32)
    module(rows, training=True)
    hub.ModuleExportCallback(module, tmp_path).on_epoch_end(0)
    (path,) = tmp_path.iterdir()
    assert hub.load_module_spec(path).get_tags() == [set(), {"train"}]
    np.testing.assert_array_equal(outputs_of(str(path), rows), module(rows))


def test_no_keras_is_imported_before_the_program_does_so():
    program = """
        import sys, tensorflow
        before = set(sys.modules)
        import tf1hub as hub
        hub.ModuleExportCallback
        print(sorted(name for name in set(sys.modules) - before if name in ("keras", "tf_keras")))
    """
    assert run_program(program) == "[]\n"
