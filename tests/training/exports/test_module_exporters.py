"""Exporting registered modules while an Estimator trains: ours, and tf.estimator where it is there."""

import importlib.util
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.graphs import export, outputs_of, scaling_spec, spec_of
from tests.training.exports.trained import estimator_of, input_fn, scale_of, serving_input_fn, trained_scale
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.training.exports.exporter import Exporter
from tf1hub.training.exports.module_exporters import holds_modules


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def trained(library, tmp_path, **more):
    estimator = estimator_of(library, tmp_path / "model", **more)
    estimator.train(input_fn, steps=2)
    return estimator


def train_and_evaluate(library, estimator, exporters, max_steps=4):
    train = library.TrainSpec(input_fn, max_steps=max_steps)
    library.train_and_evaluate(
        estimator, train, library.EvalSpec(input_fn, steps=1, exporters=exporters, throttle_secs=0)
    )


def latest(library, **more):
    return hub.LatestModuleExporter("modules", serving_input_fn(library), **more)


def exports(path):
    return sorted(each for each in Path(path).iterdir() if each.is_dir()) if Path(path).exists() else []


def files_below(path):
    return sorted(str(each.relative_to(path)) for each in Path(path).rglob("*") if each.is_file())


def test_each_registered_module_gets_a_folder(library, tmp_path):
    estimator = trained(library, tmp_path, names=("scaling", "deep/scaling"))
    path = latest(library).export(estimator, str(tmp_path / "exports"))
    assert exports(tmp_path / "exports") == [Path(path)]
    assert len(os.path.basename(path)) == 10
    for name in ("scaling", "deep/scaling"):
        assert hub.verify(f"{path}/{name}").is_sound
        assert scale_of(f"{path}/{name}") == trained_scale(estimator) < 2


def test_an_earlier_checkpoint_can_be_exported(library, tmp_path):
    estimator = trained(library, tmp_path)
    earlier, scale = estimator.latest_checkpoint(), trained_scale(estimator)
    estimator.train(input_fn, steps=2)
    path = latest(library).export(estimator, str(tmp_path / "exports"), earlier)
    assert scale_of(f"{path}/scaling") == scale != trained_scale(estimator)


def test_train_and_evaluate_exports_what_it_trained(library, tmp_path):
    estimator = estimator_of(library, tmp_path)
    train_and_evaluate(library, estimator, latest(library))
    (path,) = exports(tmp_path / "export/modules")
    assert scale_of(path / "scaling") == trained_scale(estimator) < 2


def test_all_exporters_together(library, tmp_path):
    serve = serving_input_fn(library)
    exporters = [
        hub.LatestModuleExporter("latest", serve),
        hub.BestModuleExporter("best", serve),
        hub.FinalModuleExporter("final", serve),
    ]
    config = library.RunConfig(save_checkpoints_steps=2)
    estimator = estimator_of(library, tmp_path, config=config)
    train_and_evaluate(library, estimator, exporters, max_steps=6)
    made = {name: len(exports(tmp_path / "export" / name)) for name in ("latest", "best", "final")}
    assert made == {"latest": 3, "best": 3, "final": 1}
    for name in made:
        assert scale_of(exports(tmp_path / "export" / name)[-1] / "scaling") == trained_scale(estimator)


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_estimator") is None, reason="tensorflow_hub 0.15.0 has the exporter"
)
def test_the_layout_is_that_of_the_predecessor(tmp_path):
    import tensorflow_hub

    library = IMPLEMENTATIONS["real"]
    estimator = trained(library, tmp_path)
    registered = []

    def receive():
        registered.append(True)
        return serving_input_fn(library)()

    path = hub.LatestModuleExporter("modules", receive).export(estimator, str(tmp_path / "ours"))
    theirs = predecessor_export(tensorflow_hub, library, tmp_path)
    assert files_below(path) == files_below(theirs)
    assert len(os.path.basename(path)) == len(os.path.basename(theirs)) == 10
    assert registered == [True]


def predecessor_export(tensorflow_hub, library, tmp_path):
    """The same program under tensorflow_hub: its modules, its registration, its exporter."""
    spec = tensorflow_hub.load_module_spec(export(scaling_spec(), tmp_path / "module"))

    def model_fn(features, labels, mode):
        module = tensorflow_hub.Module(spec, trainable=True)
        tensorflow_hub.register_module_for_export(module, "scaling")
        return library.EstimatorSpec(mode, {"scaled": module(features["rows"])})

    estimator = library.Estimator(model_fn, str(tmp_path / "model"))
    exporter = tensorflow_hub.LatestModuleExporter("modules", serving_input_fn(library))
    return os.fsdecode(exporter.export(estimator, str(tmp_path / "theirs")))


def test_nothing_registered_is_a_warning_and_no_export(library, tmp_path):
    estimator = trained(library, tmp_path, names=())
    with pytest.warns(UserWarning, match="'modules' exported nothing: the model_fn registers no module"):
        assert latest(library).export(estimator, str(tmp_path / "exports")) is None
    assert not (tmp_path / "exports").exists()


def test_older_exports_are_removed_and_other_folders_kept(library, tmp_path):
    estimator = trained(library, tmp_path)
    (tmp_path / "exports/1500000000/notes").mkdir(parents=True)
    export(scaling_spec(), tmp_path / "exports/1500000001")
    made = [latest(library, exports_to_keep=2).export(estimator, tmp_path / "exports") for _ in range(3)]
    found = [each.name for each in exports(tmp_path / "exports")]
    assert found == ["1500000000", "1500000001", *(os.path.basename(path) for path in made[1:])]


def test_a_module_that_fails_to_export_leaves_nothing_and_removes_nothing(library, tmp_path, monkeypatch):
    estimator = trained(library, tmp_path, names=("a", "b"))
    older = latest(library).export(estimator, tmp_path / "exports")

    def fail_at_second(self, path, session):
        if path.endswith("b"):
            raise KeyboardInterrupt
        original(self, path, session)

    original = hub.Module.export
    monkeypatch.setattr(hub.Module, "export", fail_at_second)
    with pytest.raises(KeyboardInterrupt):
        latest(library, exports_to_keep=1).export(estimator, tmp_path / "exports")
    assert os.listdir(tmp_path / "exports") == [os.path.basename(older)]


def test_an_exporter_can_be_subclassed(library, tmp_path):
    class Noting(hub.LatestModuleExporter):
        def export(self, *arguments, **named):
            path = super().export(*arguments, **named)
            Path(path, "note.txt").write_text(self.name)
            return path

    exporter = Noting("noting", serving_input_fn(library), exports_to_keep=1)
    estimator = estimator_of(library, tmp_path)
    train_and_evaluate(library, estimator, exporter)
    train_and_evaluate(library, estimator, exporter, max_steps=6)
    (path,) = exports(tmp_path / "export/noting")
    assert (path / "note.txt").read_text() == "noting"


def test_a_partitioned_module_is_exported(library, tmp_path):
    estimator = estimator_of(library, tmp_path / "model", spec=spec_of("partitioned_columns"))
    batch = {"rows": np.array([1, 2])}, np.zeros([2, 4], np.float32)
    estimator.train(lambda: tf.data.Dataset.from_tensors(batch), steps=1)
    exporter = hub.LatestModuleExporter("modules", receiver_of_ids(library))
    path = exporter.export(estimator, tmp_path / "exports")
    expected = estimator.get_variable_value("module/embeddings") + estimator.get_variable_value("module/plain")
    np.testing.assert_array_equal(outputs_of(f"{path}/scaling", np.arange(7)), expected)


def receiver_of_ids(library):
    def receive():
        ids = tf.compat.v1.placeholder(tf.int64, [None])
        return library.export.ServingInputReceiver({"rows": ids}, {"rows": ids})

    return receive


@pytest.mark.parametrize("kind", [hub.LatestModuleExporter, hub.BestModuleExporter])
@pytest.mark.parametrize("exports_to_keep", [0, -1])
def test_less_than_one_export_cannot_be_kept(kind, exports_to_keep):
    with pytest.raises(ValueError, match="must be at least 1"):
        kind("modules", dict, exports_to_keep=exports_to_keep)


def test_exporters_have_names_and_are_exporters(library):
    for kind in (hub.LatestModuleExporter, hub.BestModuleExporter, hub.FinalModuleExporter):
        exporter = kind("modules", dict)
        assert exporter.name == "modules"
        assert isinstance(exporter, Exporter)
        assert isinstance(exporter, library.Exporter)


@pytest.mark.parametrize(("larger", "results", "better"), [
    (False, [3.0, 2.0, 2.0, 2.5, 1.0], [True, True, False, False, True]),
    (True, [0.1, 0.3, 0.3, 0.2, 0.5], [True, True, False, False, True]),
    (False, [math.nan, 2.0, math.nan, 3.0, -math.inf], [False, True, False, False, True]),
    (True, [math.nan, -math.inf, 1.0, math.nan, math.inf], [False, True, True, False, True]),
])  # fmt: skip
def test_only_better_results_are_exported_also_by_a_new_process(tmp_path, larger, results, better):
    library = IMPLEMENTATIONS["ours"]
    estimator = trained(library, tmp_path)
    made = []
    for result in results:  # each time by a new exporter, as after a restart
        exporter = hub.BestModuleExporter("best", serving_input_fn(library), "score", larger)
        made.append(exporter.export(estimator, tmp_path / "exports", None, {"score": np.float32(result)}, False))
    assert [path is not None for path in made] == better
    assert [str(path) for path in exports(tmp_path / "exports")] == [path for path in made if path]


def best(tmp_path, metric="loss", **more):
    """Exports, with results of an evaluation, what was trained before."""
    library = IMPLEMENTATIONS["ours"]
    estimator = estimator_of(library, tmp_path / "model")
    if estimator.latest_checkpoint() is None:
        estimator.train(input_fn, steps=1)
    exporter = hub.BestModuleExporter("best", serving_input_fn(library), metric, **more)
    return lambda results: exporter.export(estimator, tmp_path / "exports", None, results)


def test_a_metric_that_is_missing_is_said_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"no metric 'accuracy' .* It has: global_step, loss\. Pass the name"):
        best(tmp_path, "accuracy")({"loss": 1.0, "global_step": 2})
    with pytest.raises(ValueError, match=r"It has: none\."):
        best(tmp_path)(None)


def test_the_best_result_of_another_metric_does_not_count(tmp_path):
    assert best(tmp_path)({"loss": 0.1})
    assert best(tmp_path, "score", larger_is_better=True)({"score": 0.05})
    assert json.loads((tmp_path / "exports/best_result.json").read_text()) == {
        "metric": "score",
        "larger_is_better": True,
        "value": 0.05,
    }


@pytest.mark.parametrize("value", [np.array([0.1, 0.2]), b"text", None])
def test_a_metric_that_is_not_one_number_is_said_to_be_none(tmp_path, value):
    with pytest.raises(ValueError, match=r"The metric 'score' is .*; the best export is told by one number\. Pass"):
        best(tmp_path, "score")({"score": value})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"value": null}', '{"value": NaN}', '{"metric": "loss"}'])
def test_a_damaged_best_result_is_an_error_that_says_what_to_do(tmp_path, text):
    assert best(tmp_path)({"loss": 1.0})
    (tmp_path / "exports/best_result.json").write_text(text)
    with pytest.raises(ValueError, match=r"best_result\.json' should hold .* Remove it"):
        best(tmp_path)({"loss": 0.5})


def test_the_best_result_is_kept_after_the_export_only(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    exporting = best(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(hub.Module, "export", fail)
        with pytest.raises(KeyboardInterrupt):
            exporting({"loss": 1.0})
    assert not (tmp_path / "exports").exists()
    assert exporting({"loss": 2.0})


def test_the_final_exporter_exports_once(tmp_path):
    library = IMPLEMENTATIONS["ours"]
    estimator = trained(library, tmp_path)
    exporter = hub.FinalModuleExporter("final", serving_input_fn(library))
    checkpoint = estimator.latest_checkpoint()
    assert exporter.export(estimator, tmp_path / "exports", checkpoint, {}, False) is None
    assert not (tmp_path / "exports").exists()
    path = exporter.export(estimator, tmp_path / "exports", checkpoint, {}, True)
    assert scale_of(f"{path}/scaling") == trained_scale(estimator)


def refuse_disk(monkeypatch, number):
    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(hub.Module, "export", full)


def test_a_full_disk_is_an_error_that_says_what_to_do(library, tmp_path, monkeypatch):
    estimator = trained(library, tmp_path)
    older = latest(library).export(estimator, tmp_path / "exports")
    refuse_disk(monkeypatch, 28)
    with pytest.raises(OSError, match=r"could not be written.*No space left.*Make room.*stop_on_error=False") as raised:
        latest(library).export(estimator, tmp_path / "exports")
    assert raised.value.errno == 28
    assert os.listdir(tmp_path / "exports") == [os.path.basename(older)]


@pytest.mark.parametrize("number", [28, 13])
def test_training_goes_on_by_choice(library, tmp_path, monkeypatch, number):
    estimator = estimator_of(library, tmp_path)
    refuse_disk(monkeypatch, number)
    with pytest.warns(UserWarning, match="Training goes on, since stop_on_error is False"):
        train_and_evaluate(library, estimator, latest(library, stop_on_error=False))
    assert estimator.get_variable_value("global_step") == 4
    assert exports(tmp_path / "export/modules") == []


def test_errors_of_the_program_are_raised_anyway(tmp_path):
    library = IMPLEMENTATIONS["ours"]
    estimator = trained(library, tmp_path)
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(hub.errors.MissingCheckpointError):
        latest(library, stop_on_error=False).export(estimator, tmp_path / "exports")


def test_an_export_of_modules_is_told_from_a_module_and_from_other_folders(tmp_path):
    export(scaling_spec(), tmp_path / "export/deep/module")
    (tmp_path / "other/deep").mkdir(parents=True)
    assert holds_modules(str(tmp_path / "export"))
    assert not holds_modules(str(tmp_path / "export/deep/module"))
    assert not holds_modules(str(tmp_path / "other"))
    assert not holds_modules(str(tmp_path / "nothing"))


def test_a_directory_with_more_than_modules_is_no_export(tmp_path):
    export(scaling_spec(), tmp_path / "1500000000/mine")
    (tmp_path / "1500000000/README").write_text("mine")
    assert holds_modules(str(tmp_path / "1500000000"))  # a program's exporter may add a file
    (tmp_path / "1500000000/thesis").mkdir()
    assert not holds_modules(str(tmp_path / "1500000000"))
